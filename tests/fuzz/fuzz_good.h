/* SPDX-License-Identifier: GPL-2.0-only */
/* A small database of ours, as files are made today: what hostile ones are derived from. */
#ifndef FUZZ_GOOD_H
#define FUZZ_GOOD_H

#include <sqlite3.h>

#include "fuzz_run.h"

#define FUZZ_GOOD_TRACE SRCDIR "/tests/fixtures/lab-7.2-fault.dat"

/*
 * Small pages and few rows: it is copied for every input. Without what our schema asks of values:
 * a hostile file's schema does not ask.
 */
static inline void fuzz_make_small(const char *path)
{
	struct sqlite3 *db = NULL;

	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db,
			 "DELETE FROM series WHERE start_ns % 13; DELETE FROM frame WHERE stack_id % 5;"
			 "PRAGMA writable_schema = ON;"
			 "UPDATE sqlite_schema SET sql = replace(replace(replace(sql,"
			 " 'STRICT, WITHOUT', 'WITHOUT'), ') STRICT', ')'), 'TEXT NOT NULL', 'TEXT');"
			 "PRAGMA writable_schema = RESET; PRAGMA page_size = 1024; VACUUM",
			 NULL, NULL, NULL) != SQLITE_OK)
		abort();
	sqlite3_close(db);
}

/** Make it at @folder/good.db, unless the trace cannot be analyzed: then abort. */
static inline void fuzz_make_good(const char *folder, char *path, size_t path_bytes)
{
	struct dms_run_options options = {.output = path};

	snprintf(path, path_bytes, "%s/good.db", folder);
	fuzz_run(FUZZ_GOOD_TRACE, &options);
	fuzz_make_small(path);
}

/** Bytes of the good database, made at first use, kept for ever. */
static inline const uint8_t *fuzz_good_bytes(size_t *ret_size)
{
	static uint8_t bytes[1 << 20];
	static size_t size;
	char folder[] = "/tmp/dmascope-fuzz-XXXXXX", path[64];
	FILE *file;

	*ret_size = size;
	if (size)
		return bytes;
	if (!mkdtemp(folder))
		abort();
	fuzz_make_good(folder, path, sizeof(path));
	file = fopen(path, "r");
	if (!file || !(size = fread(bytes, 1, sizeof(bytes), file)) || size == sizeof(bytes))
		abort();
	fclose(file);
	unlink(path);
	rmdir(folder);
	*ret_size = size;
	return bytes;
}

#endif
