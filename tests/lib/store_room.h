/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of src/store share: a folder, a model, hand-made rows, and questions to ask. */
#ifndef TESTS_LIB_STORE_ROOM_H
#define TESTS_LIB_STORE_ROOM_H

#include <check.h>

#include <dmascope/store.h>

/** One test's folder, model and names; the rows are hand-made, the model only numbers them. */
struct room {
	char folder[64];
	char path[96];
	char part[112];
	struct dms_names names;
	struct dms_model *model;
	struct dms_store *store;
	struct dms_event event;
	struct dms_mapping mapping;
	struct dms_device device;
};

/** Fail the test unless @err is NULL. */
void room_must(struct dms_error *err);
/** Fail the test unless @err has @code and one line that contains @word; frees it. */
void room_must_fail(struct dms_error *err, enum dms_error_code code, const char *word);
/** A new folder, a model, and rows to vary: room->event, mapping, device. */
void room_enter(struct room *room);
void room_leave(struct room *room);
/** Create room->store at room->path. */
void room_begin(struct room *room, bool keep_events);
/** Store the end of a copy of room->mapping by room->event. */
struct dms_error *room_complete(struct room *room, enum dms_step_kind kind, enum dms_end end);
/** @n rows of mapping, the first 64 in the wrong order. */
void room_fill(struct room *room, uint32_t n);
/** Tell the device, finish and destroy room->store. */
void room_finish(struct room *room);
/** All rows of @sql: columns joined by '|', rows by ' '; NULL is '-'. */
const char *room_ask(const char *path, const char *sql, char *buf, size_t size);
/** Every CHECK, NOT NULL and foreign key, which the writer does not evaluate itself. */
void room_assert_sound(struct room *room);
/** The content of @path, terminated; freed with dms_free(). */
char *room_slurp(const char *path, size_t *ret_size);
void room_spill(const char *path, const char *text);

#define ASK(room, sql, want)                                                                      \
	do {                                                                                      \
		char answer[4096];                                                                \
		ck_assert_str_eq(room_ask((room)->path, sql, answer, sizeof(answer)), want);      \
	} while (0)

#endif
