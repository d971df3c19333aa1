/* SPDX-License-Identifier: GPL-2.0-only */
/* A run made by hand, full of hostile names, and an empty one: for the tests of exports. */
#ifndef TESTS_LIB_EXPORT_RUN_H
#define TESTS_LIB_EXPORT_RUN_H

#include <check.h>
#include <sqlite3.h>
#include <string.h>

#include <dmascope/store.h>

/** Names of the devices, and of their drivers; number 1 comes first. */
static const char *const hostile[] = {
	"=cmd|'/c calc'!A0", "-1+1", "+1", "@SUM(A1)", "\tx", "\rx", "'=x", "''", "", "-",
	"a;b\"c\nd,e\r\x1b[31m", "\xff\xc0\xaf", "\xe2\x80\xaegnp", "\\x41\\x4 \\\\x41", "\xef\xbc\x9d one",
	" blank ", "na\xc3\xafve", "<script>", "{\"\\u0041\"}", "line\nline", "end\\",
};
#define N_HOSTILE DMS_ARRAY_SIZE(hostile)

static const char tame_rows[] =
	"PRAGMA ignore_check_constraints = 1;"
	"INSERT INTO run VALUES ('complete','1'),('clock_is_ns','1'),('first_ns','1000'),"
	"('last_ns','9000'),('records','50'),('events','40'),('lost_events',NULL),('note','-5');"
	"INSERT INTO mapping(id,device_id,kind,dma_addr,virt_addr,size_bytes,direction,map_ns,"
	"unmap_ns,ended_ns,map_stack_id,end,confidence,reason,truncated,bounced,syncs_for_cpu,"
	"syncs_for_device) VALUES"
	"(1,1,'page',-4096,NULL,1522,'TO_DEVICE',1500,2500,NULL,1,'unmapped','certain',NULL,0,0,0,0),"
	/* from before the trace; without any device; live; of an end before its begin; no life */
	"(2,1,'sg',NULL,NULL,NULL,'TO_DEVICE',NULL,4001,NULL,NULL,'pre-trace','likely','old',0,0,0,0),"
	"(3,NULL,'coherent',7,-1,92416,'BIDIRECTIONAL',2500,NULL,NULL,2,'live','certain',NULL,0,1,0,0),"
	"(4,2,'page',8,NULL,0,'FROM_DEVICE',3000,2999,NULL,2,'unmapped','certain',NULL,0,0,0,0),"
	"(5,2,'page',9,NULL,64,'FROM_DEVICE',NULL,5000,NULL,2,'unmatched','certain',NULL,0,0,0,0),"
	"(6,2,'pa\"\\\n;','=1',X'00ff',9007199254740993,'=x',3100,NULL,4200,2,'lost','likely','lost',"
	"0,0,0,0);"
	"INSERT INTO symbol VALUES (1,'rx_map','net',4096),(2,'a;b c\n',NULL,8192);"
	"INSERT INTO stack VALUES (1,2,0,1),(2,2,1,2);"
	"INSERT INTO frame VALUES (1,0,4100,1,4),(1,1,-16,NULL,NULL),(2,0,4100,1,4),(2,1,8200,2,8);"
	"INSERT INTO task VALUES (7,'=evil'),(8,'sh');"
	"INSERT INTO device_counter VALUES (1,'maps',18,'mappings'),(2,'maps',3,'mappings'),"
	"(1,'bytes_to_device',1522,'bytes'),(1,'lifetime_count',4,'mappings'),"
	"(1,'lifetime_sum',1000000007,'ns'),(1,'lifetime_p50',1000,'ns'),"
	"(1,'lifetime_max',1999,'ns'),(1,'no\"such;','-3','=unit');"
	"INSERT INTO histogram VALUES (1,'lifetime',100,109,1,'ns'),(1,'lifetime',1000,1031,2,'ns'),"
	"(1,'lifetime',1984,2047,1,'ns');"
	"INSERT INTO distribution VALUES (1,'lifetime','ns',4,1000000007,105,1999);"
	"INSERT INTO series VALUES (1,'live_bytes',1000,1024,0,'bytes'),"
	"(1,'live_bytes',2024,1024,1522,'bytes'),(1,'maps',1000,1024,1,'mappings');"
	"INSERT INTO finding VALUES (1,'double-unmap','error','likely','lost',1,1,2600,3,7,2,-4096,10,"
	"'twice \"x\"','{\"map_ns\":1500,\"map_cpu\":1,\"map_pid\":8,\"map_stack_id\":1}','f'),"
	"(2,'=rule','info','certain',NULL,NULL,NULL,2700,NULL,NULL,NULL,NULL,NULL,'m','[]','g');"
	"INSERT INTO finding_group VALUES (1,'=rule','info','certain',NULL,NULL,'g',7,2700,2),"
	"(2,'double-unmap','error','likely','lost',1,'f',1,2600,1);"
	"INSERT INTO gap VALUES (1,0,0,NULL,1200,NULL);"
	"INSERT INTO not_judged VALUES (1,'leak-growth',2,'too short'),(2,NULL,NULL,'no stacks');";

static inline void execute(struct sqlite3 *db, const char *sql)
{
	char *message = NULL;

	ck_assert_msg(!sqlite3_exec(db, sql, NULL, NULL, &message), "%s", message);
}

static inline struct sqlite3 *empty_run(void)
{
	struct sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	execute(db, dms_schema_sql);
	return db;
}

static inline struct sqlite3 *hostile_run(void)
{
	struct sqlite3 *db = empty_run();
	sqlite3_stmt *stmt;

	ck_assert_int_eq(sqlite3_prepare_v2(db,
					    "INSERT INTO device VALUES (?1, ?2, NULL, ?2, 1, "
					    "'direct', -1, NULL, 1000, NULL)",
					    -1, &stmt, NULL),
			 SQLITE_OK);
	for (size_t i = 0; i < N_HOSTILE; i++) {
		sqlite3_bind_int64(stmt, 1, (sqlite3_int64)i + 1);
		sqlite3_bind_text(stmt, 2, hostile[i], -1, SQLITE_STATIC);
		ck_assert_int_eq(sqlite3_step(stmt), SQLITE_DONE);
		sqlite3_reset(stmt);
	}
	sqlite3_finalize(stmt);
	execute(db, tame_rows);
	return db;
}

static inline void must(struct dms_error *err)
{
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
}

static inline void must_fail(struct dms_error *err, enum dms_error_code code)
{
	ck_assert_ptr_nonnull(err);
	ck_assert_int_eq(dms_error_code(err), code);
	dms_error_free(err);
}

#endif
