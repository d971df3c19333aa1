/* SPDX-License-Identifier: GPL-2.0-only */
/* Files a test writes and reads back, in a folder of its own. */
#ifndef DMS_TESTS_WORKFILES_H
#define DMS_TESTS_WORKFILES_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/input.h>

#define FIXTURES SRCDIR "/tests/fixtures/"

/** The folder; mkdtemp() fills it in. */
static char work[] = "/tmp/check_input.XXXXXX";

static inline struct dms_source *open_or_fail(const char *path)
{
	struct dms_source *source = NULL;
	struct dms_error *err = dms_source_open(path, &source);

	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	return source;
}

static inline const char *work_file(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", work, name);
	return path;
}

static inline void write_file(const char *path, const void *data, size_t size)
{
	FILE *stream = fopen(path, "wb");

	ck_assert_ptr_nonnull(stream);
	ck_assert_uint_eq(fwrite(data, 1, size, stream), size);
	ck_assert_int_eq(fclose(stream), 0);
}

static inline uint8_t *read_whole(const char *path, size_t *ret_size)
{
	FILE *stream = fopen(path, "rb");
	uint8_t *data = malloc(8u << 20);

	ck_assert(stream && data);
	*ret_size = fread(data, 1, 8u << 20, stream);
	ck_assert_uint_lt(*ret_size, 8u << 20);
	fclose(stream);
	return data;
}

/* True if the folder could not be removed. */
static inline bool remove_work(void)
{
	char command[sizeof(work) + 16];

	snprintf(command, sizeof(command), "rm -rf '%s'", work);
	return system(command) != 0;
}

#endif
