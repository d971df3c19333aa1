/* SPDX-License-Identifier: GPL-2.0-only */
/* Text dumps written by a test, opened as sources and told in words. */
#ifndef DMS_TESTS_TEXTFILE_H
#define DMS_TESTS_TEXTFILE_H

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dmascope/input.h>

static char path[] = "/tmp/check_text.XXXXXX";

static inline struct dms_source *open_text(const char *text)
{
	FILE *out = fopen(path, "w");
	struct dms_source *source;
	struct dms_error *err;

	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
	err = dms_source_open(path, &source);
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	return source;
}

/* "CPU:TIME", with "+FRAMES" for a stack, or "gapCPU:AFTER-BEFORE*LOST", times in us */
static inline char *tell(struct dms_source *source)
{
	static char told[65536];
	size_t used = 0;

	*told = '\0';
	for (;;) {
		struct dms_item item;
		struct dms_error *err = dms_source_next(source, &item);

		ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
		if (item.kind == DMS_ITEM_END)
			break;
		used += (size_t)sprintf(told + used, "%s", used ? " " : "");
		if (item.kind == DMS_ITEM_GAP)
			used += (size_t)sprintf(told + used, "gap%u:%" PRIu64 "-%s*%" PRIu64,
						item.gap.cpu, item.gap.after_ts / 1000,
						item.gap.before_ts == UINT64_MAX ? "end" : "",
						item.gap.lost);
		else
			used += (size_t)sprintf(told + used, "%u:%" PRIu64, item.record.cpu,
						item.record.ts / 1000);
		if (item.kind == DMS_ITEM_RECORD && item.record.n_chain)
			used += (size_t)sprintf(told + used, "+%u", item.record.n_chain);
		ck_assert_uint_lt(used, sizeof(told) - 64);
	}
	return told;
}

#define HEADER "# tracer: nop\n#\n"
/* a line of tracefs: CPU @cpu, @us microseconds */
#define LINE(cpu, us)                                                                       \
	"  cat-9   [00" #cpu "] d..1. 1.0000" #us ": dma_unmap_page: dev0 dir=TO_DEVICE dma_addr=1000 " \
	"size=16 attrs=\n"
#define STACK(cpu, us, names) "  cat-9   [00" #cpu "] d..1. 1.0000" #us ": <stack trace>\n" names

static inline void expect(const char *text, const char *told)
{
	struct dms_source *source = open_text(text);

	ck_assert_str_eq(tell(source), told);
	dms_source_close(source);
}

static inline bool has_note(struct dms_source *source, const char *words)
{
	const struct dms_source_info *info = dms_source_info(source);

	for (uint32_t i = 0; i < info->n_notes; i++) {
		if (strstr(info->notes[i], words))
			return true;
	}
	return false;
}

/* Run @suite with a file to write. Return: what main() returns. */
static inline int run_with_file(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int fd = mkstemp(path), failures;

	if (fd < 0)
		return 1;
	close(fd);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	unlink(path);
	return failures ? 1 : 0;
}

#endif
