// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/api: callbacks, feeding and reading back tell the same, in any thread. */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <unistd.h>

#include <dmascope/dmascope.h>
#include <dmascope/input.h>

#include "lib/api.h"
#include "lib/workfiles.h"

#define MAX_LINES 8192

/** What a run told: a line for each mapping, by id, and counts. */
struct told {
	char *lines[MAX_LINES];
	uint64_t n_mappings, n_findings, n_messages, n_graves[3];
	uint64_t stop_at; /* mapping at which to stop; 0: never */
	char last_message[256];
};

static const char *const traces[] = {
	FIXTURES "stock-6.12-zoo.dat",	      FIXTURES "lab-7.2-fault.dat",
	FIXTURES "s390x-7.2-v7-zstd.dat",     FIXTURES "armhf-7.2-mid.dat",
	FIXTURES "oracle-unmap_size_small.dat", FIXTURES "stock-7.2-swiotlb-bind.dat",
	FIXTURES "twin-7.2-stack.dat",
};

static void forget(struct told *told)
{
	for (size_t i = 0; i < MAX_LINES; i++)
		free(told->lines[i]);
	free(told);
}

/* All but the driver, which the end tells. */
static char *line_of(const struct dmascope_mapping *m)
{
	char *line;

	ck_assert_int_gt(asprintf(&line,
				  "%" PRIu64 " %s.%u %s %s %s %s %s %" PRIx64 " %" PRIx64 " %" PRIx64
				  " %" PRIu64 " %" PRIx64 " %" PRIu64 "/%" PRIu64 " %" PRIu64 " %" PRIu64
				  " %" PRIu64 " %u %u %u %u %" PRIu64 " %" PRIu64 " %" PRIu64
				  " %" PRIu64 " %d%d",
				  m->id, m->device ? m->device : "-", m->generation, m->kind,
				  m->direction, m->end, dmascope_confidence_name(m->confidence),
				  m->reason ? m->reason : "-", m->dma_addr, m->phys_addr,
				  m->virt_addr, m->size_bytes, m->attrs, m->segments, m->entries,
				  m->map_ns, m->unmap_ns, m->ended_ns, m->map_cpu, m->unmap_cpu,
				  m->map_pid, m->unmap_pid, m->map_stack_id, m->unmap_stack_id,
				  m->syncs_for_cpu, m->syncs_for_device, m->is_truncated,
				  m->is_bounced),
			 0);
	return line;
}

static int take_mapping(void *context, const struct dmascope_mapping *mapping)
{
	struct told *told = context;

	told->n_mappings++;
	ck_assert(mapping->id > 0 && mapping->id < MAX_LINES && !told->lines[mapping->id]);
	told->lines[mapping->id] = line_of(mapping);
	return told->stop_at && told->n_mappings >= told->stop_at;
}

static int take_finding(void *context, const struct dmascope_finding *finding)
{
	struct told *told = context;

	told->n_findings++;
	told->n_graves[finding->severity]++;
	ck_assert(finding->rule && *finding->message && finding->facts[0] == '{');
	return 0;
}

static void take_message(void *context, enum dmascope_level level, const char *line)
{
	struct told *told = context;

	told->n_messages += level <= DMASCOPE_LOG_WARN;
	if (level <= DMASCOPE_LOG_WARN)
		snprintf(told->last_message, sizeof(told->last_message), "%s", line);
}

static struct dmascope_options options_of(struct told *told, const char *output)
{
	return (struct dmascope_options){
		.size = sizeof(struct dmascope_options),
		.output = output,
		.context = told,
		.on_mapping = take_mapping,
		.on_finding = take_finding,
		.on_message = take_message,
	};
}

static struct dmascope_analysis *analyze(const char *path, struct told *told, const char *output)
{
	struct dmascope_options options = options_of(told, output);
	struct dmascope_analysis *analysis;

	fine(dmascope_analysis_create(&options, &analysis));
	fine(dmascope_analysis_files(analysis, &path, 1));
	return analysis;
}

/* ---- callbacks, summary and database tell the same ------------------------------------------- */

static void same_mappings(struct dmascope_db *db, const struct told *told)
{
	const struct dmascope_mapping *mapping;
	struct dmascope_mappings *mappings;
	uint64_t n_mappings = 0;

	fine(dmascope_mappings_open(db, NULL, &mappings));
	for (;;) {
		char *line;

		fine(dmascope_mappings_next(mappings, &mapping));
		if (!mapping)
			break;
		line = line_of(mapping);
		ck_assert_ptr_nonnull(told->lines[mapping->id]);
		ck_assert_str_eq(line, told->lines[mapping->id]);
		free(line);
		n_mappings++;
	}
	ck_assert_uint_gt(n_mappings, 0);
	ck_assert_uint_eq(n_mappings, told->n_mappings);
	fine(dmascope_mappings_next(mappings, &mapping)); /* it does not begin anew */
	ck_assert_ptr_null(mapping);
	dmascope_mappings_close(mappings);
}

static void same_summary(const struct dmascope_summary *a, const struct dmascope_summary *b)
{
	const struct dmascope_figures *x = dmascope_summary_figures(a);
	const struct dmascope_figures *y = dmascope_summary_figures(b);

	ck_assert_uint_gt(x->events, 0);
	ck_assert_uint_eq(x->events, y->events);
	ck_assert_uint_eq(x->records, y->records);
	ck_assert_uint_eq(x->last_ns, y->last_ns);
	ck_assert_uint_eq(x->n_devices, y->n_devices);
	ck_assert_uint_eq(x->n_findings, y->n_findings);
	ck_assert_uint_eq(x->n_notes, y->n_notes);
	for (size_t i = 0; i < x->n_devices; i++) {
		const struct dmascope_device *d = dmascope_summary_device(a, i);
		const struct dmascope_device *e = dmascope_summary_device(b, i);

		ck_assert_str_eq(d->name, e->name);
		ck_assert_uint_eq(d->maps, e->maps);
		ck_assert_uint_eq(d->live_at_end, e->live_at_end);
		ck_assert_uint_eq(d->lifetime_max_ns, e->lifetime_max_ns);
	}
	ck_assert_ptr_null(dmascope_summary_device(a, x->n_devices));
	ck_assert_ptr_null(dmascope_summary_finding(a, x->n_findings));
	ck_assert_ptr_null(dmascope_summary_note(a, x->n_notes));
	for (int i = DMASCOPE_INFO; i <= DMASCOPE_ERROR; i++) {
		for (int j = DMASCOPE_POSSIBLE; j <= DMASCOPE_CERTAIN; j++)
			ck_assert_uint_eq(dmascope_summary_count(a, i, j),
					  dmascope_summary_count(b, i, j));
	}
}

START_TEST(same_everywhere)
{
	struct told *told = calloc(1, sizeof(*told));
	struct dmascope_summary *of_run, *of_db;
	struct dmascope_analysis *analysis;
	struct dmascope_db *db;
	const char *fact;
	char path[256];

	snprintf(path, sizeof(path), "%s", work_file("same.db"));
	analysis = analyze(traces[_i], told, path);
	fine(dmascope_analysis_summary(analysis, &of_run));
	fine(dmascope_db_open(path, &db));
	fine(dmascope_db_summary(db, &of_db));
	same_mappings(db, told);
	same_summary(of_run, of_db);
	/* as they came: none of them was lost on the way */
	ck_assert_uint_eq(told->n_findings,
			  dmascope_summary_count(of_run, DMASCOPE_INFO, DMASCOPE_POSSIBLE));
	ck_assert_str_eq(dmascope_db_fact(db, "complete"), "1");
	fact = dmascope_db_fact(db, "tool_version");
	ck_assert_str_eq(dmascope_db_fact(db, "complete"), "1"); /* both at a time */
	ck_assert_str_eq(fact, dmascope_version());
	ck_assert_ptr_null(dmascope_db_fact(db, "no such key"));
	dmascope_summary_destroy(of_run);
	dmascope_summary_destroy(of_db);
	dmascope_db_close(db);
	dmascope_analysis_destroy(analysis);
	forget(told);
}
END_TEST

START_TEST(findings_and_stacks)
{
	const struct dmascope_query query = {
		.size = sizeof(query), .rule = "use-after-unmap", .min_severity = DMASCOPE_ERROR};
	struct told *told = calloc(1, sizeof(*told));
	const struct dmascope_finding *finding;
	const struct dmascope_frame *frame;
	struct dmascope_analysis *analysis;
	struct dmascope_findings *findings;
	struct dmascope_frames *frames;
	uint64_t n_findings = 0, n_frames = 0;
	struct dmascope_db *db;
	char path[256];

	snprintf(path, sizeof(path), "%s", work_file("fault.db"));
	analysis = analyze(FIXTURES "lab-7.2-fault.dat", told, path);
	fine(dmascope_db_open(path, &db));
	fine(dmascope_findings_open(db, &query, &findings));
	for (;; n_findings++) {
		fine(dmascope_findings_next(findings, &finding));
		if (!finding)
			break;
		ck_assert_str_eq(finding->rule, "use-after-unmap");
		ck_assert_int_eq(finding->severity, DMASCOPE_ERROR);
		ck_assert(finding->fingerprint && finding->device && finding->facts[0] == '{');
	}
	ck_assert_uint_eq(n_findings, told->n_graves[DMASCOPE_ERROR]);
	dmascope_findings_close(findings);
	fine(dmascope_frames_open(db, 1, &frames));
	for (;; n_frames++) {
		fine(dmascope_frames_next(frames, &frame));
		if (!frame)
			break;
		ck_assert_uint_ne(frame->address, DMASCOPE_UNKNOWN);
	}
	ck_assert_uint_gt(n_frames, 1);
	dmascope_frames_close(frames);
	dmascope_db_close(db);
	dmascope_analysis_destroy(analysis);
	forget(told);
}
END_TEST

/* ---- feeding ---------------------------------------------------------------------------------- */

static void feed_formats(struct dmascope_analysis *analysis, struct dms_source *source)
{
	const struct dms_format *formats;
	uint32_t n_formats;

	formats = dms_source_formats(source, &n_formats);
	for (uint32_t i = 0; i < n_formats; i++)
		fine(dmascope_feed_format(analysis, formats[i].system, formats[i].text,
					  formats[i].size));
}

static struct dms_source *task_source;
static const char *name_task(void *context, uint32_t pid)
{
	(void)context;
	return dms_source_comm(task_source, pid);
}

static void feed_begin(struct dmascope_analysis *analysis, struct dms_source *source)
{
	const struct dms_source_info *info = dms_source_info(source);
	struct dmascope_feed_head head = {
		.size = sizeof(head),
		.uname = info->uname,
		.release = info->release,
		.clock = info->clock,
		.n_cpus = info->n_cpus,
		.page_bytes = info->page_size,
		.long_bytes = info->long_size,
		.is_big_endian = info->big_endian,
		.is_clock_in_ticks = !info->clock_is_ns,
		.task_name = name_task,
	};

	ck_assert_ptr_null(dms_source_kallsyms(source, &head.kallsyms, &head.kallsyms_bytes));
	task_source = source;
	fine(dmascope_feed_begin(analysis, &head));
}

static void feed_records(struct dmascope_analysis *analysis, struct dms_source *source)
{
	uint64_t lost[64] = {0};
	struct dms_item item;

	for (;;) {
		struct dmascope_record record = {.size = sizeof(record)};

		ck_assert_ptr_null(dms_source_next(source, &item));
		if (item.kind == DMS_ITEM_END)
			return;
		if (item.kind == DMS_ITEM_GAP) {
			lost[item.gap.cpu] = item.gap.lost ? item.gap.lost : UINT64_MAX;
			continue;
		}
		record.ts = item.record.ts;
		record.data = item.record.data;
		record.data_bytes = item.record.size;
		record.cpu = item.record.cpu;
		record.lost = (int64_t)lost[record.cpu];
		lost[record.cpu] = 0;
		fine(dmascope_feed_record(analysis, &record));
	}
}

START_TEST(fed_as_read)
{
	struct told *read = calloc(1, sizeof(*read)), *fed = calloc(1, sizeof(*fed));
	struct dmascope_options options = options_of(fed, NULL);
	struct dmascope_analysis *a = analyze(traces[_i], read, NULL), *b;
	struct dms_source *source = open_or_fail(traces[_i]);
	struct dmascope_summary *x, *y;

	fine(dmascope_analysis_create(&options, &b));
	feed_formats(b, source);
	feed_begin(b, source);
	feed_records(b, source);
	fine(dmascope_feed_end(b));
	fine(dmascope_analysis_summary(a, &x));
	fine(dmascope_analysis_summary(b, &y));
	ck_assert_uint_eq(read->n_mappings, fed->n_mappings);
	for (size_t i = 0; i < MAX_LINES; i++) {
		if (read->lines[i] || fed->lines[i])
			ck_assert_str_eq(read->lines[i], fed->lines[i]);
	}
	same_summary(x, y);
	dmascope_summary_destroy(x);
	dmascope_summary_destroy(y);
	dmascope_analysis_destroy(a);
	dmascope_analysis_destroy(b);
	dms_source_close(source);
	forget(read);
	forget(fed);
}
END_TEST

/* ---- stopping --------------------------------------------------------------------------------- */

START_TEST(stopped)
{
	const char *trace = FIXTURES "stock-6.12-zoo.dat";
	struct told *told = calloc(1, sizeof(*told));
	struct dmascope_options options = options_of(told, NULL);
	struct dmascope_analysis *analysis;
	struct dmascope_summary *summary;
	struct dmascope_error *error;
	char path[256];

	snprintf(path, sizeof(path), "%s", work_file("stopped.db"));
	options.output = path;
	told->stop_at = 3;
	fine(dmascope_analysis_create(&options, &analysis));
	error = dmascope_analysis_files(analysis, &trace, 1);
	fails(error, DMASCOPE_ERROR_STOPPED, "stopped by a callback");
	ck_assert_uint_eq(told->n_mappings, 3);
	ck_assert_int_ne(access(path, F_OK), 0);
	fails(dmascope_analysis_summary(analysis, &summary), DMASCOPE_ERROR_USAGE, "well");
	dmascope_analysis_destroy(analysis);
	forget(told);
}
END_TEST

/* ---- manners ---------------------------------------------------------------------------------- */

START_TEST(silent)
{
	const char *const devices[] = {"0000:00:06.0", "no such device", NULL};
	const char *trace = FIXTURES "stock-6.12-zoo.dat";
	struct told *told = calloc(1, sizeof(*told));
	struct dmascope_options options = options_of(told, NULL);
	int saved_out = dup(STDOUT_FILENO), saved_err = dup(STDERR_FILENO), file;
	struct dmascope_analysis *analysis;
	off_t said;

	options.devices = devices;
	fflush(NULL);
	file = open(work_file("said"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	dup2(file, STDOUT_FILENO);
	dup2(file, STDERR_FILENO);
	fine(dmascope_analysis_create(&options, &analysis));
	fine(dmascope_analysis_files(analysis, &trace, 1));
	dmascope_analysis_destroy(analysis);
	options.on_message = NULL;
	fine(dmascope_analysis_create(&options, &analysis));
	told->n_mappings = 0;
	options.on_mapping = NULL;
	dmascope_analysis_destroy(analysis);
	fine(dmascope_analysis_create(&options, &analysis));
	fine(dmascope_analysis_files(analysis, &trace, 1));
	dmascope_analysis_destroy(analysis);
	fflush(NULL);
	said = lseek(file, 0, SEEK_END);
	dup2(saved_out, STDOUT_FILENO);
	dup2(saved_err, STDERR_FILENO);
	close(saved_out);
	close(saved_err);
	close(file);
	ck_assert_int_eq(said, 0);
	ck_assert_uint_eq(told->n_messages, 1);
	ck_assert_ptr_nonnull(strstr(told->last_message, "no such device: none in this trace"));
	forget(told);
}
END_TEST

/** One of several at once. */
struct worker {
	pthread_t thread;
	const char *path;
	char output[256];
	struct told *told;
};

static void *work_alone(void *context)
{
	struct worker *worker = context;
	struct dmascope_db *db;

	dmascope_analysis_destroy(analyze(worker->path, worker->told, worker->output));
	fine(dmascope_db_open(worker->output, &db));
	same_mappings(db, worker->told);
	dmascope_db_close(db);
	return NULL;
}

START_TEST(several_at_once)
{
	struct worker workers[2 * DMS_ARRAY_SIZE(traces)];

	for (size_t i = 0; i < DMS_ARRAY_SIZE(workers); i++) {
		workers[i] = (struct worker){.path = traces[i / 2],
					     .told = calloc(1, sizeof(struct told))};
		snprintf(workers[i].output, sizeof(workers[i].output), "%s/%zu.db", work, i);
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work_alone, &workers[i]),
				 0);
	}
	for (size_t i = 0; i < DMS_ARRAY_SIZE(workers); i++)
		pthread_join(workers[i].thread, NULL);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(workers); i += 2) {
		const struct told *a = workers[i].told, *b = workers[i + 1].told;

		ck_assert_uint_eq(a->n_mappings, b->n_mappings);
		ck_assert_uint_eq(a->n_findings, b->n_findings);
		for (size_t j = 0; j < MAX_LINES; j++) {
			if (a->lines[j] || b->lines[j])
				ck_assert_str_eq(a->lines[j], b->lines[j]);
		}
	}
	for (size_t i = 0; i < DMS_ARRAY_SIZE(workers); i++)
		forget(workers[i].told);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("api");
	int failures;

	if (!mkdtemp(work))
		return 1;
	add_loop(suite, "callbacks, summary, database", same_everywhere, DMS_ARRAY_SIZE(traces));
	add_loop(suite, "findings and stacks", findings_and_stacks, 1);
	add_loop(suite, "fed as read", fed_as_read, DMS_ARRAY_SIZE(traces));
	add_loop(suite, "stopped", stopped, 1);
	add_loop(suite, "silent", silent, 1);
	add_loop(suite, "several at once", several_at_once, 1);
	failures = run_suite(suite);
	return remove_work() || failures ? 1 : 0;
}
