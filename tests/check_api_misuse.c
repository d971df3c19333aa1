// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/api: what callers do wrong is an error that says so; structs stay as they are. */
#include <dmascope/dmascope.h>

#include "lib/api.h"
#include "lib/workfiles.h"

/*
 * What programs of version 1 were compiled with: members come at the end only, and structs that the
 * caller fills never shrink. Where pointers have 8 bytes; elsewhere the order is the same.
 */
#if UINTPTR_MAX == UINT64_MAX
#define ENDS(type, member, offset)                                                                 \
	_Static_assert(offsetof(struct type, member) == (offset), #type "." #member " has moved")
ENDS(dmascope_options, on_progress, 160);
ENDS(dmascope_feed_head, context, 80);
ENDS(dmascope_record, lost, 32);
ENDS(dmascope_query, from_id, 48);
ENDS(dmascope_mapping, is_bounced, 201);
ENDS(dmascope_finding, stack_id, 112);
ENDS(dmascope_frame, offset_bytes, 24);
ENDS(dmascope_figures, n_notes, 96);
ENDS(dmascope_device, bounced_bytes, 176);
ENDS(dmascope_device, maybe_elided, 184);
ENDS(dmascope_finding_group, reason, 48);
ENDS(dmascope_note, reason, 16);
_Static_assert(sizeof(struct dmascope_options) == 168 && sizeof(struct dmascope_feed_head) == 88 &&
		       sizeof(struct dmascope_record) == 40 && sizeof(struct dmascope_query) == 56,
	       "version 1 is what this test knows: a longer struct gets a line of its own");
#endif

START_TEST(sizes)
{
	struct {
		struct dmascope_options options;
		uint64_t newer;
	} newer = {.options.size = sizeof(newer)};
	struct dmascope_options none = {0}, flags = {.size = sizeof(flags), .flags = 1u << 31};
	struct dmascope_analysis *analysis;

	fine(dmascope_analysis_create(&newer.options, &analysis)); /* and it is 0 */
	dmascope_analysis_destroy(analysis);
	newer.newer = 1;
	fails(dmascope_analysis_create(&newer.options, &analysis), DMASCOPE_ERROR_USAGE,
	      "does not know");
	fails(dmascope_analysis_create(&none, &analysis), DMASCOPE_ERROR_USAGE, "size is not set");
	fails(dmascope_analysis_create(&flags, &analysis), DMASCOPE_ERROR_USAGE, "flags 0x80000000");
	none.size = SIZE_MAX / 2; /* never set, and not to be walked */
	fails(dmascope_analysis_create(&none, &analysis), DMASCOPE_ERROR_USAGE, "size is not set");
	ck_assert_ptr_null(analysis); /* so that destroying it on the way out is harmless */
	none.size = offsetof(struct dmascope_options, inventory); /* older: short, and fine */
	fine(dmascope_analysis_create(&none, &analysis));
	dmascope_analysis_destroy(analysis);
}
END_TEST

START_TEST(out_of_turn)
{
	const char *path = FIXTURES "stock-6.12-rmmod.dat";
	const struct dmascope_record record = {
		.size = sizeof(record), .ts = 5, .data = "\0\0\0\0", .data_bytes = 4};
	struct dmascope_record before = record;
	struct dmascope_analysis *analysis;
	struct dmascope_summary *summary;

	before.ts = 4;
	fine(dmascope_analysis_create(NULL, &analysis));
	fails(dmascope_analysis_summary(analysis, &summary), DMASCOPE_ERROR_USAGE, "has ended");
	fails(dmascope_feed_record(analysis, &record), DMASCOPE_ERROR_USAGE, "comes first");
	fails(dmascope_feed_end(analysis), DMASCOPE_ERROR_USAGE, "nothing was begun");
	fails(dmascope_analysis_files(analysis, NULL, 0), DMASCOPE_ERROR_USAGE, "no file");
	fine(dmascope_analysis_files(analysis, &path, 1));
	fails(dmascope_analysis_files(analysis, &path, 1), DMASCOPE_ERROR_USAGE, "one run");
	fails(dmascope_feed_begin(analysis, NULL), DMASCOPE_ERROR_USAGE, "one run");
	dmascope_analysis_destroy(analysis);

	fine(dmascope_analysis_create(NULL, &analysis));
	fails(dmascope_feed_format(analysis, "dma", "what is this", 12), DMASCOPE_ERROR_USAGE,
	      "no line");
	fails(dmascope_feed_format(analysis, "dma", "name: x\nID: 70000\n", 18),
	      DMASCOPE_ERROR_USAGE, "below 65536");
	fine(dmascope_feed_begin(analysis, NULL));
	fine(dmascope_feed_record(analysis, &record));
	before.ts = 6;
	before.cpu = 8192;
	fails(dmascope_feed_record(analysis, &before), DMASCOPE_ERROR_USAGE, "CPU 8192");
	before.ts = 4;
	before.cpu = 0;
	fails(dmascope_feed_record(analysis, &before), DMASCOPE_ERROR_USAGE, "order of time");
	fine(dmascope_feed_record(analysis, &record)); /* a mistake that is told costs nothing */
	fails(dmascope_feed_end(analysis), DMASCOPE_ERROR_INPUT, ""); /* no event of DMA */
	fails(dmascope_feed_end(analysis), DMASCOPE_ERROR_USAGE, "");
	dmascope_analysis_destroy(analysis);
}
END_TEST

START_TEST(bad_inputs)
{
	const char *missing = "/nonexistent/trace.dat", *other = SRCDIR "/Makefile";
	const struct dmascope_query end = {.size = sizeof(end), .end = "live at end"};
	const struct dmascope_query rule = {.size = sizeof(rule), .rule = "leak-at-unbin"};
	const struct dmascope_query grave = {.size = sizeof(grave),
					     .min_severity = (enum dmascope_severity)7};
	struct dmascope_feed_head head = {.size = sizeof(head), .long_bytes = 16};
	struct dmascope_options options = {.size = sizeof(options), .flags = DMASCOPE_FIGURES_ONLY};
	const char *trace = FIXTURES "stock-6.12-rmmod.dat";
	struct dmascope_analysis *analysis;
	struct dmascope_mappings *mappings;
	struct dmascope_findings *findings;
	struct dmascope_db *db;
	char path[256];

	fine(dmascope_analysis_create(NULL, &analysis));
	fails(dmascope_analysis_files(analysis, &missing, 1), DMASCOPE_ERROR_INPUT, missing);
	dmascope_analysis_destroy(analysis);
	fine(dmascope_analysis_create(NULL, &analysis));
	fails(dmascope_analysis_files(analysis, &other, 1), DMASCOPE_ERROR_INPUT, "Makefile");
	dmascope_analysis_destroy(analysis);
	fails(dmascope_db_open(other, &db), DMASCOPE_ERROR_INPUT, "not a dmascope database");
	snprintf(path, sizeof(path), "%s", work_file("figures.db"));
	options.output = path;
	fine(dmascope_analysis_create(&options, &analysis));
	fine(dmascope_analysis_files(analysis, &trace, 1));
	dmascope_analysis_destroy(analysis);
	fine(dmascope_db_open(path, &db));
	fails(dmascope_mappings_open(db, NULL, &mappings), DMASCOPE_ERROR_INPUT, "needs mappings");
	fails(dmascope_mappings_open(db, &end, &mappings), DMASCOPE_ERROR_USAGE, "'live at end'");
	fails(dmascope_findings_open(db, &rule, &findings), DMASCOPE_ERROR_USAGE, "leak-at-unbind");
	fails(dmascope_findings_open(db, &grave, &findings), DMASCOPE_ERROR_USAGE, "no severity is 7");
	ck_assert(!findings && !mappings);
	dmascope_db_close(db);
	fine(dmascope_analysis_create(NULL, &analysis));
	fails(dmascope_feed_begin(analysis, &head), DMASCOPE_ERROR_USAGE, "neither 4 nor 8");
	head.long_bytes = 0;
	head.page_bytes = 5000;
	fails(dmascope_feed_begin(analysis, &head), DMASCOPE_ERROR_USAGE, "no power of 2");
	head.page_bytes = 0;
	head.n_cpus = 1u << 20;
	fails(dmascope_feed_begin(analysis, &head), DMASCOPE_ERROR_USAGE, "n_cpus is 1048576");
	head.n_cpus = 0;
	fine(dmascope_feed_begin(analysis, &head));
	dmascope_analysis_destroy(analysis);
}
END_TEST

START_TEST(null_is_legal)
{
	dmascope_error_free(NULL);
	ck_assert_int_eq(dmascope_error_code(NULL), DMASCOPE_OK);
	ck_assert_str_eq(dmascope_error_message(NULL), "");
	dmascope_analysis_destroy(NULL);
	dmascope_summary_destroy(NULL);
	dmascope_db_close(NULL);
	dmascope_mappings_close(NULL);
	dmascope_findings_close(NULL);
	dmascope_frames_close(NULL);
	ck_assert_ptr_null(dmascope_severity_name((enum dmascope_severity)7));
	ck_assert_ptr_null(dmascope_confidence_name((enum dmascope_confidence)-1));
	ck_assert_ptr_null(dmascope_db_fact(NULL, "complete"));
	ck_assert_ptr_null(dmascope_summary_figures(NULL));
	ck_assert_ptr_null(dmascope_summary_device(NULL, 0));
	ck_assert_ptr_null(dmascope_summary_finding(NULL, 0));
	ck_assert_ptr_null(dmascope_summary_note(NULL, 0));
	ck_assert_uint_eq(dmascope_summary_count(NULL, DMASCOPE_INFO, DMASCOPE_POSSIBLE),
			  DMASCOPE_UNKNOWN);
}
END_TEST

/* What needs a handle, or a place for its result, says so in place of a crash. */
START_TEST(null_is_told)
{
	const struct dmascope_record record = {.size = sizeof(record)};
	const char *const paths[] = {NULL};
	const struct dmascope_mapping *mapping;
	const struct dmascope_finding *finding;
	const struct dmascope_frame *frame;
	struct dmascope_analysis *analysis;
	struct dmascope_mappings *mappings;
	struct dmascope_findings *findings;
	struct dmascope_frames *frames;
	struct dmascope_summary *summary;
	struct dmascope_db *db;

#define TOLD(call) fails(call, DMASCOPE_ERROR_USAGE, "was given NULL")
	fine(dmascope_analysis_create(NULL, &analysis));
	TOLD(dmascope_analysis_create(NULL, NULL));
	TOLD(dmascope_analysis_files(NULL, paths, 1));
	TOLD(dmascope_analysis_files(analysis, NULL, 1));
	fails(dmascope_analysis_files(analysis, paths, 1), DMASCOPE_ERROR_USAGE, "file 1 of 1");
	TOLD(dmascope_analysis_summary(NULL, &summary));
	TOLD(dmascope_analysis_summary(analysis, NULL));
	TOLD(dmascope_feed_format(NULL, "dma", "", 0));
	TOLD(dmascope_feed_format(analysis, NULL, "", 0));
	TOLD(dmascope_feed_format(analysis, "dma", NULL, 0));
	TOLD(dmascope_feed_begin(NULL, NULL));
	TOLD(dmascope_feed_record(NULL, &record));
	TOLD(dmascope_feed_record(analysis, NULL));
	TOLD(dmascope_feed_end(NULL));
	TOLD(dmascope_db_open(NULL, &db));
	TOLD(dmascope_db_open("/", NULL));
	TOLD(dmascope_db_summary(NULL, &summary));
	TOLD(dmascope_mappings_open(NULL, NULL, &mappings));
	TOLD(dmascope_findings_open(NULL, NULL, &findings));
	TOLD(dmascope_frames_open(NULL, 1, &frames));
	TOLD(dmascope_mappings_next(NULL, &mapping));
	TOLD(dmascope_findings_next(NULL, &finding));
	TOLD(dmascope_frames_next(NULL, &frame));
	ck_assert(!mappings && !findings && !frames && !mapping && !finding && !frame);
#undef TOLD
	dmascope_analysis_destroy(analysis);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("api misuse");
	int failures;

	if (!mkdtemp(work))
		return 1;
	add_loop(suite, "sizes", sizes, 1);
	add_loop(suite, "out of turn", out_of_turn, 1);
	add_loop(suite, "bad inputs", bad_inputs, 1);
	add_loop(suite, "NULL", null_is_legal, 1);
	add_loop(suite, "NULL is told", null_is_told, 1);
	failures = run_suite(suite);
	return remove_work() || failures ? 1 : 0;
}
