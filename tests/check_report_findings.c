// SPDX-License-Identifier: GPL-2.0-only
/* Findings read back with their calls, and the queries that stand for dma-debug's files. */
#include <check.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/report.h>
#include <dmascope/store.h>

static const char run_rows[] =
	"INSERT INTO run VALUES ('complete','1'),('clock_is_ns','1'),('first_ns','100'),"
	"('last_ns','1000'),('records','9'),('events','9');"
	"INSERT INTO device VALUES (1,'a','pci','one',1,'direct',NULL,NULL,100,900),"
	"(2,'b',NULL,NULL,1,'iommu',NULL,NULL,150,NULL);"
	"INSERT INTO task VALUES (7,'cat'),(8,'dog');"
	"INSERT INTO symbol VALUES (1,'dma_map_page_attrs',NULL,4096),(2,'rx_map','net',8192),"
	"(3,'rx_free','net',12288);"
	"INSERT INTO stack VALUES (1,2,1,2),(2,2,1,3);"
	"INSERT INTO frame VALUES "
	"(1,0,4100,1,4),(1,1,8200,2,8),(2,0,12300,3,12),(2,1,77,NULL,NULL);";

static const char mapping_rows[] =
	"INSERT INTO mapping(id,device_id,kind,dma_addr,size_bytes,direction,map_ns,unmap_ns,"
	"ended_ns,map_stack_id,end,confidence,reason,truncated,bounced,syncs_for_cpu,"
	"syncs_for_device) VALUES"
	"(1,1,'page',4096,10,'TO_DEVICE',200,300,NULL,1,'unmapped','certain',NULL,0,0,0,0),"
	/* from before the trace: lives from its beginning */
	"(2,1,'sg',NULL,20,'TO_DEVICE',NULL,400,NULL,NULL,'pre-trace','likely','old',0,0,0,0),"
	"(3,2,'page',8192,30,'TO_DEVICE',250,NULL,500,1,'unbound','certain',NULL,0,0,0,0),"
	"(4,2,'page',8192,40,'TO_DEVICE',260,NULL,500,1,'unbound','likely','lost',0,0,0,0),"
	/* where unmaps may be skipped a life without one is no leak */
	"(5,2,'page',8192,50,'TO_DEVICE',450,NULL,500,1,'unbound','possible','elided',0,0,0,0),"
	/* an unmap of nothing is no life */
	"(6,1,'page',1,60,'TO_DEVICE',NULL,280,NULL,NULL,'unmatched','certain',NULL,0,0,0,0);"
	"INSERT INTO device_counter VALUES (1,'dma_map_errors',2,'calls'),"
	"(1,'dma_unmap_errors',1,'calls'),(2,'dma_map_errors',3,'calls'),"
	"(2,'dma_map_errors_not_checked',1,'mappings');";

static const char finding_rows[] =
	"INSERT INTO finding VALUES"
	"(1,'map-failed','info','certain',NULL,1,NULL,210,0,7,NULL,NULL,8,'failed','{}','x'),"
	"(2,'double-unmap','error','certain',NULL,1,1,350,3,8,2,4096,10,'twice',"
	"'{\"map_ns\":200,\"map_cpu\":1,\"map_pid\":7,\"map_stack_id\":1,"
	"\"unmap_ns\":300,\"unmap_cpu\":2,\"unmap_pid\":8,\"owner_device\":\"b\"}','y'),"
	"(3,'double-unmap','error','likely','lost',1,1,360,3,8,2,4096,10,'twice','{}','y');"
	/* more than there are rows of */
	"INSERT INTO finding_group VALUES"
	"(1,'double-unmap','error','certain',NULL,1,'y',1,350,2),"
	"(2,'double-unmap','error','likely','lost',1,'y',1500,360,3),"
	"(3,'map-failed','info','certain',NULL,1,'x',1,210,1);";

/* A damaged database may hold what the schema forbids: facts that are no JSON. */
static const char damaged_rows[] =
	"PRAGMA ignore_check_constraints = 1;"
	"INSERT INTO finding VALUES "
	"(4,'leak-at-unbind','error','certain',NULL,NULL,NULL,500,NULL,NULL,NULL,NULL,NULL,"
	"'left','not said','z');";

static struct sqlite3 *hand_made(void)
{
	struct sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, dms_schema_sql, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, run_rows, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, mapping_rows, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

START_TEST(calls_are_read_back)
{
	struct sqlite3 *db = hand_made();
	struct dms_summary *summary = NULL;
	const struct dms_finding_summary *finding;

	ck_assert_int_eq(sqlite3_exec(db, finding_rows, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, damaged_rows, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_ptr_null(dms_summary_read(db, &summary));
	ck_assert_uint_eq(summary->n_findings, 3);
	finding = &summary->findings[0];
	ck_assert_str_eq(finding->rule, "double-unmap");
	ck_assert_uint_eq(finding->count, 1501);
	ck_assert_uint_eq(finding->n_calls, 3);
	ck_assert_int_eq(finding->calls[0].what, DMS_CALL_BROKE);
	ck_assert_uint_eq(finding->calls[0].ts, 350);
	ck_assert_str_eq(finding->calls[0].comm, "dog");
	ck_assert_uint_eq(finding->calls[0].n_frames, 2);
	ck_assert_str_eq(finding->calls[0].frames[0].function, "rx_free");
	ck_assert_str_eq(finding->calls[0].frames[0].module, "net");
	ck_assert_uint_eq(finding->calls[0].frames[0].offset, 12);
	ck_assert_ptr_null(finding->calls[0].frames[1].function);
	ck_assert_uint_eq(finding->calls[0].frames[1].address, 77);
	ck_assert_int_eq(finding->calls[1].what, DMS_CALL_MAPPED);
	ck_assert_uint_eq(finding->calls[1].cpu, 1);
	ck_assert_str_eq(finding->calls[1].comm, "cat");
	ck_assert_str_eq(finding->calls[1].device, "b");
	ck_assert_str_eq(finding->calls[1].frames[1].function, "rx_map");
	ck_assert_int_eq(finding->calls[2].what, DMS_CALL_UNMAPPED);
	ck_assert_uint_eq(finding->calls[2].ts, 300);
	ck_assert_uint_eq(finding->calls[2].n_frames, 0);
	/* no call but the unbind, and facts that cannot be read */
	finding = &summary->findings[1];
	ck_assert_str_eq(finding->rule, "leak-at-unbind");
	ck_assert_uint_eq(finding->n_calls, 1);
	ck_assert(!finding->calls[0].has_task);
	dms_summary_destroy(summary);
	sqlite3_close(db);
}
END_TEST

static const struct {
	const char *name, *csv; /* below the line of names */
} named[] = {
	/* at 260: mappings 1 to 4, the unmap of nothing is none */
	{"high-water", "260,4,\"b\",1,,\"rx_map\",\"net\",2,70\r\n"
		       "260,4,\"a\",1,\"one\",,,1,20\r\n"
		       "260,4,\"a\",1,\"one\",\"rx_map\",\"net\",1,10\r\n"},
	{"leaks", "\"b\",1,,\"rx_map\",\"net\",2,70,1,250,260,250,3,1\r\n"},
	{"counters-2012", "\"a\",1,\"one\",2,,1\r\n\"b\",1,,3,1,0\r\n\"all devices\",,,5,1,1\r\n"},
	{"error-count", "\"a\",1,\"one\",\"double-unmap\",\"error\",1501,1,1,350\r\n"
			"\"a\",1,\"one\",\"map-failed\",\"info\",1,1,1,210\r\n"},
	{"fingerprints", "\"error\",\"likely\",1500,\"y\",\"a\",\"one\",360,3,\"lost\",2\r\n"
			 "\"error\",\"certain\",1,\"y\",\"a\",\"one\",350,2,,1\r\n"
			 "\"info\",\"certain\",1,\"x\",\"a\",\"one\",210,1,,3\r\n"},
	{"finding-stacks",
	 "1,\"map-failed\",\"info\",\"a\",\"call\",210,0,7,\"cat\",,,,\r\n"
	 "2,\"double-unmap\",\"error\",\"a\",\"call\",350,3,8,\"dog\",0,\"rx_free\",\"net\",12\r\n"
	 "2,\"double-unmap\",\"error\",\"a\",\"call\",350,3,8,\"dog\",1,,,\r\n"
	 "2,\"double-unmap\",\"error\",\"a\",\"map\",200,1,7,\"cat\",0,\"dma_map_page_attrs\",,"
	 "4\r\n"
	 "2,\"double-unmap\",\"error\",\"a\",\"map\",200,1,7,\"cat\",1,\"rx_map\",\"net\",8\r\n"
	 "2,\"double-unmap\",\"error\",\"a\",\"unmap\",300,2,8,\"dog\",,,,\r\n"
	 "3,\"double-unmap\",\"error\",\"a\",\"call\",360,3,8,\"dog\",0,\"rx_free\",\"net\",12\r\n"
	 "3,\"double-unmap\",\"error\",\"a\",\"call\",360,3,8,\"dog\",1,,,\r\n"},
};

START_TEST(named_queries_tell)
{
	struct sqlite3 *db = hand_made();
	const char *sql = NULL;
	char *text = NULL, *rows;
	size_t size = 0;
	FILE *out;

	ck_assert_int_eq(sqlite3_exec(db, finding_rows, NULL, NULL, NULL), SQLITE_OK);
	for (size_t i = 0; i < dms_n_named_queries; i++) {
		if (!strcmp(dms_named_queries[i].name, named[_i].name))
			sql = dms_named_queries[i].sql;
	}
	ck_assert_ptr_nonnull(sql);
	out = open_memstream(&text, &size);
	ck_assert_ptr_null(dms_query_print(db, sql, DMS_FORMAT_CSV, out));
	fclose(out);
	rows = strchr(text, '\n');
	ck_assert_ptr_nonnull(rows);
	ck_assert_str_eq(rows + 1, named[_i].csv);
	free(text);
	sqlite3_close(db);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("report_findings");
	TCase *tests = tcase_create("findings");
	SRunner *runner = srunner_create(suite);
	int n_failed;

	suite_add_tcase(suite, tests);
	tcase_add_test(tests, calls_are_read_back);
	tcase_add_loop_test(tests, named_queries_tell, 0, (int)DMS_ARRAY_SIZE(named));
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? 1 : 0;
}
