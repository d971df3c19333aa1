// SPDX-License-Identifier: GPL-2.0-only
/* What the tests of src/store share; each test makes its own folder and removes it. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store_room.h"

#define PAGE_HAS                                                                                  \
	(DMS_HAS_DEVICE | DMS_HAS_DMA_ADDR | DMS_HAS_PHYS_ADDR | DMS_HAS_SIZE | DMS_HAS_DIR |     \
	 DMS_HAS_ATTRS | DMS_HAS_STACK)

void room_must(struct dms_error *err)
{
	if (err)
		ck_abort_msg("%s", dms_error_message(err));
}

void room_must_fail(struct dms_error *err, enum dms_error_code code, const char *word)
{
	ck_assert_msg(err, "no error, wanted one about %s", word);
	ck_assert_msg(strstr(dms_error_message(err), word), "'%s' lacks '%s'",
		      dms_error_message(err), word);
	ck_assert_msg(!strchr(dms_error_message(err), '\n'), "more than one line");
	ck_assert_int_eq(dms_error_code(err), code);
	dms_error_free(err);
}

static struct dms_error *no_sink(void *context, const struct dms_step *step)
{
	(void)context;
	(void)step;
	return NULL;
}

void room_enter(struct room *room)
{
	memset(room, 0, sizeof(*room));
	strcpy(room->folder, "/tmp/check_store.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(room->folder));
	snprintf(room->path, sizeof(room->path), "%s/run.db", room->folder);
	snprintf(room->part, sizeof(room->part), "%s.part", room->path);
	room->names.devices = dms_strtab_create();
	room->names.stacks = dms_stacks_create();
	room_must(dms_model_create(&room->names, no_sink, NULL, &room->model));
	room->device = (struct dms_device){
		.name = dms_strtab_add(room->names.devices, "0000:00:1f.2", 12),
		.generation = 1, .iommu_group = -1, .first_ts = 5, .mode = DMS_MODE_DIRECT,
	};
	room->mapping = (struct dms_mapping){
		.dma_addr = 0xfffff000, .cpu_addr = 0x1234000, .size = 4096, .attrs = 1ull << 5,
		.map_ts = 100, .map_cpu = 1, .map_pid = 10, .map_stack = DMS_ID_NONE,
		.has = PAGE_HAS, .nents = 1, .ents = 1, .kind = DMS_MAPPING_PAGE,
		.dir = DMS_DIR_TO_DEVICE,
	};
	room->event = (struct dms_event){
		.kind = DMS_EV_UNMAP, .has = DMS_HAS_DEVICE | DMS_HAS_DMA_ADDR | DMS_HAS_SIZE |
		DMS_HAS_DIR, .ts = 250, .cpu = 3, .pid = 11, .dma_addr = 0xfffff000, .size = 4096,
		.dir = DMS_DIR_TO_DEVICE, .stack = DMS_ID_NONE,
	};
}

void room_leave(struct room *room)
{
	char command[128];

	dms_store_destroy(room->store);
	dms_model_destroy(room->model);
	dms_stacks_destroy(room->names.stacks);
	dms_strtab_destroy(room->names.devices);
	snprintf(command, sizeof(command), "rm -rf %s", room->folder);
	ck_assert_int_eq(system(command), 0);
}

void room_begin(struct room *room, bool keep_events)
{
	struct dms_store_options options = { .keep_events = keep_events };

	room_must(dms_store_create(room->path, &options, &room->store));
}

struct dms_error *room_complete(struct room *room, enum dms_step_kind kind, enum dms_end end)
{
	struct dms_mapping mapping = room->mapping;
	struct dms_step step = { .kind = kind, .device = &room->device, .mapping = &mapping,
				 .ts = 300, .end = end };

	if (kind != DMS_STEP_ENDED)
		step.event = &room->event;
	if (end == DMS_END_LOST)
		step.doubts = DMS_DOUBT_LOST_EVENTS;
	return dms_store_step(room->store, room->model, &step);
}

void room_finish(struct room *room)
{
	room_must(dms_store_device(room->store, &room->names, &room->device, NULL, NULL));
	room_must(dms_store_finish(room->store));
	dms_store_destroy(room->store);
	room->store = NULL;
}

const char *room_ask(const char *path, const char *sql, char *buf, size_t size)
{
	sqlite3_stmt *statement;
	sqlite3 *db;
	size_t used = 0;

	buf[0] = '\0';
	room_must(dms_db_open(path, false, &db));
	ck_assert_msg(!sqlite3_prepare_v2(db, sql, -1, &statement, NULL), "%s: %s", sql,
		      sqlite3_errmsg(db));
	while (sqlite3_step(statement) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(statement); i++) {
			const char *text = (const char *)sqlite3_column_text(statement, i);

			used += (size_t)snprintf(buf + used, size - used, "%s%s",
						 i ? "|" : used ? " " : "", text ? text : "-");
			ck_assert_uint_lt(used, size);
		}
	}
	ck_assert_msg(!sqlite3_reset(statement), "%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	dms_db_close(db);
	return buf;
}

void room_assert_sound(struct room *room)
{
	ASK(room, "PRAGMA foreign_key_check", "");
	ASK(room, "PRAGMA integrity_check", "ok");
}

char *room_slurp(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	char *text;

	ck_assert_msg(file && !fstat(fileno(file), &st), "%s: cannot be read", path);
	text = dms_alloc((size_t)st.st_size + 1);
	*ret_size = fread(text, 1, (size_t)st.st_size, file);
	text[*ret_size] = '\0';
	fclose(file);
	return text;
}

void room_spill(const char *path, const char *text)
{
	FILE *file = fopen(path, "wb");

	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

void room_fill(struct room *room, uint32_t n)
{
	struct dms_mapping early[64];

	for (int i = 0; i < 64; i++) {
		early[i] = room->mapping;
		dms_mapping_row(room->model, &early[i]);
	}
	for (uint32_t i = 0; i < n; i++) {
		struct dms_mapping late = room->mapping;
		struct dms_mapping *mapping = i < 64 ? &early[63 - i] : &late;
		struct dms_step step = { .kind = DMS_STEP_UNMAP, .event = &room->event,
					 .device = &room->device, .mapping = mapping,
					 .end = DMS_END_UNMAPPED, .doubts = i % 256 };

		mapping->dma_addr = i * 4096ull;
		room->event.ts = 1000 + i;
		room_must(dms_store_step(room->store, room->model, &step));
	}
}
