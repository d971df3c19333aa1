// SPDX-License-Identifier: LGPL-2.1-only
/* Records that the caller reads himself, handed over one by one. */
#include <stdlib.h>
#include <string.h>

#include "../input/feed.h"

#include "local.h"

/* Formats there are in a kernel, with room: beyond that the caller is in a loop. */
#define MAX_FORMATS 65536
/* Records of CPUs beyond, src/input/feed.c would hold apart from their call stacks. */
#define MAX_CPUS 8192

/* ---- formats ---------------------------------------------------------------------------------- */

/* "name: X" of a line; its end in *@ret_end. NULL: there is no such line. */
static const char *find_value(const char *text, const char *label, const char **ret_end)
{
	const char *at = text;

	while (at && strncmp(at, label, strlen(label)) != 0) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	if (!at)
		return NULL;
	at += strlen(label);
	*ret_end = at + strcspn(at, "\n");
	return *ret_end > at ? at : NULL;
}

/* Read what @text begins with, and own it, also on failure. */
static struct dmascope_error *add_format(struct dmascope_analysis *analysis, const char *system,
					 char *text, size_t bytes)
{
	struct dms_format *format = &analysis->formats[analysis->n_formats++];
	const char *name_end, *id_end;
	const char *name = find_value(text, "name: ", &name_end);
	const char *id = find_value(text, "ID: ", &id_end);
	unsigned long number = id && *id >= '0' && *id <= '9' ? strtoul(id, NULL, 10) : UINT32_MAX;
	bool ok = true;
	char *copy;

	*format = (struct dms_format){.text = text, .size = bytes, .id = (uint32_t)number};
	if (!name || number > UINT16_MAX)
		return api_usage("a format of system %s: no line \"name: \", or \"ID: \" with a "
				 "number below 65536",
				 system);
	copy = dms_arena_alloc(analysis->arena, (size_t)(name_end - name) + 1);
	format->system = api_keep(analysis, system, &ok);
	format->name = copy;
	if (!copy || !ok)
		return api_error(&dms_error_nomem);
	memcpy(copy, name, (size_t)(name_end - name));
	return NULL;
}

struct dmascope_error *dmascope_feed_format(struct dmascope_analysis *analysis, const char *system,
					    const char *text, size_t text_bytes)
{
	struct dmascope_error *error = api_need(__func__, analysis && system && text);
	char *copy;

	if (error)
		return error;
	if (analysis->state != API_NEW)
		return api_usage("formats are told before the first record");
	if (analysis->n_formats >= MAX_FORMATS)
		return api_usage("more than %d formats", MAX_FORMATS);
	copy = dms_strndup(text, text_bytes);
	if (!copy || !dms_grow(&analysis->formats, &analysis->formats_capacity,
			       analysis->n_formats + 1, sizeof(*analysis->formats))) {
		dms_free(copy);
		return api_error(&dms_error_nomem);
	}
	error = add_format(analysis, system, copy, strlen(copy));
	if (error) {
		analysis->n_formats--;
		dms_free(copy);
	}
	return error;
}

/* ---- the run ---------------------------------------------------------------------------------- */

static const char *task_name(void *context, uint32_t pid)
{
	const struct dmascope_analysis *analysis = context;

	return analysis->head.task_name(analysis->head.context, pid);
}

/* Copies of the caller's strings in place of his own. */
static bool keep_head(struct dmascope_analysis *analysis)
{
	struct dmascope_feed_head *head = &analysis->head;
	char *kallsyms = NULL;
	bool ok = true;

	head->name = api_keep(analysis, head->name ? head->name : "(fed)", &ok);
	head->uname = api_keep(analysis, head->uname, &ok);
	head->release = api_keep(analysis, head->release, &ok);
	head->clock = api_keep(analysis, head->clock, &ok);
	if (head->kallsyms) {
		kallsyms = dms_arena_alloc(analysis->arena, head->kallsyms_bytes + 1);
		if (kallsyms)
			memcpy(kallsyms, head->kallsyms, head->kallsyms_bytes);
		head->kallsyms = kallsyms;
		ok &= kallsyms != NULL;
	}
	return ok;
}

static uint32_t stack_type(const struct dmascope_analysis *analysis)
{
	for (size_t i = 0; i < analysis->n_formats; i++) {
		const struct dms_format *format = &analysis->formats[i];

		if (!strcmp(format->system, "ftrace") && !strcmp(format->name, "kernel_stack"))
			return format->id;
	}
	return UINT32_MAX;
}

static struct dms_error *open_feed(struct dmascope_analysis *analysis)
{
	static const char *const instances[] = {""};
	const struct dmascope_feed_head *from = &analysis->head;
	const struct dms_feed_head head = {
		.info =
			{
				.path = from->name,
				.format = "records of a program",
				.uname = from->uname,
				.release = from->release,
				.clock = from->clock,
				.instances = instances,
				.n_instances = 1,
				.n_cpus = from->n_cpus ? from->n_cpus : 1,
				.page_size = from->page_bytes ? from->page_bytes : 4096,
				.long_size = from->long_bytes ? from->long_bytes : 8,
				.big_endian = from->is_big_endian,
				.clock_is_ns = !from->is_clock_in_ticks,
			},
		.formats = analysis->formats,
		.n_formats = (uint32_t)analysis->n_formats,
		.stack_type = stack_type(analysis),
		.comm = from->task_name ? task_name : NULL,
		.context = analysis,
		.kallsyms = from->kallsyms,
		.kallsyms_bytes = from->kallsyms_bytes,
	};
	struct dms_error *err = dms_feed_create(&head, &analysis->feed);

	if (err)
		return err;
	analysis->run_options.source = analysis->feed; /* which takes it, in any case */
	return api_open(analysis, NULL, 0);
}

/* What no machine has is rather a member that was never set. */
static struct dmascope_error *check_head(const struct dmascope_feed_head *head)
{
	uint32_t page_bytes = head->page_bytes;

	if (head->long_bytes && head->long_bytes != 4 && head->long_bytes != 8)
		return api_usage("long_bytes is %u: neither 4 nor 8", head->long_bytes);
	if (page_bytes && (page_bytes < 4096 || page_bytes & (page_bytes - 1)))
		return api_usage("page_bytes is %u: no power of 2 from 4096 on", page_bytes);
	if (head->n_cpus > MAX_CPUS)
		return api_usage("n_cpus is %u: more than %d", head->n_cpus, MAX_CPUS);
	return NULL;
}

struct dmascope_error *dmascope_feed_begin(struct dmascope_analysis *analysis,
					   const struct dmascope_feed_head *head)
{
	struct dmascope_error *error = api_need(__func__, analysis);
	struct dms_log_sink before;
	struct dms_error *err;

	if (error)
		return error;
	if (analysis->state != API_NEW)
		return api_usage("a handle is for one run, of files or of records");
	if (analysis->options.kallsyms || analysis->options.formats_dir)
		return api_usage("kallsyms and formats_dir are for files: of records the head and "
				 "dmascope_feed_format() tell");
	error = api_copy(&analysis->head, sizeof(analysis->head), head, "dmascope_feed_head");
	if (error || (error = check_head(&analysis->head)))
		return error;
	before = api_enter(analysis);
	err = keep_head(analysis) ? open_feed(analysis) : &dms_error_nomem;
	if (!err)
		analysis->state = API_FEEDING;
	return api_leave(analysis, before, err);
}

/* What the feed gives on; what lies behind the window that was asked for is not looked at. */
static struct dms_error *take_all(struct dmascope_analysis *analysis)
{
	struct dms_item item;
	struct dms_error *err;

	for (;;) {
		if ((err = dms_source_next(analysis->feed, &item)) || item.kind == DMS_ITEM_END)
			return err;
		if (dms_run_window(&analysis->run, &item) &&
		    (err = dms_run_take(&analysis->run, &item)))
			return err;
	}
}

static struct dmascope_error *check_record(const struct dmascope_analysis *analysis,
					   const struct dmascope_record *record)
{
	if (analysis->state != API_FEEDING)
		return api_usage("dmascope_feed_begin() comes first, and nothing behind "
				 "dmascope_feed_end() or an error");
	if (!record->data || record->data_bytes < 2)
		return api_usage("a record of %u bytes: not even its type", record->data_bytes);
	if (record->cpu >= MAX_CPUS)
		return api_usage("a record of CPU %u: there are no more than %d", record->cpu,
				 MAX_CPUS);
	if (record->ts < analysis->last_ts)
		return api_usage("records must come in order of time: %llu after %llu",
				 (unsigned long long)record->ts,
				 (unsigned long long)analysis->last_ts);
	return NULL;
}

struct dmascope_error *dmascope_feed_record(struct dmascope_analysis *analysis,
					    const struct dmascope_record *record)
{
	struct dmascope_error *error = api_need(__func__, analysis && record);
	struct dmascope_record own;
	struct dms_record copy;
	struct dms_log_sink before;
	struct dms_error *err;

	if (error || (error = api_copy(&own, sizeof(own), record, "dmascope_record")) ||
	    (error = check_record(analysis, &own)))
		return error;
	copy = (struct dms_record){
		.ts = own.ts, .data = own.data, .size = own.data_bytes, .cpu = own.cpu};
	analysis->last_ts = own.ts;
	before = api_enter(analysis);
	err = dms_feed_put(analysis->feed, &copy, own.lost);
	if (!err)
		err = take_all(analysis);
	return api_leave(analysis, before, err);
}

struct dmascope_error *dmascope_feed_end(struct dmascope_analysis *analysis)
{
	struct dmascope_error *error = api_need(__func__, analysis);
	struct dms_log_sink before;
	struct dms_error *err;

	if (error)
		return error;
	if (analysis->state != API_FEEDING)
		return api_usage("nothing was begun that could end");
	before = api_enter(analysis);
	dms_feed_end(analysis->feed);
	err = take_all(analysis);
	if (!err)
		err = dms_run_end(&analysis->run);
	if (!err)
		err = api_finish(analysis);
	return api_leave(analysis, before, err);
}
