// SPDX-License-Identifier: LGPL-2.1-only
/*
 * What stands before the records in a trace.dat: formats, symbols, task names, options.
 * Source of the format: man pages trace-cmd.dat.v6.5 and trace-cmd.dat.v7.5.
 */
#include <inttypes.h>
#include <string.h>

#include "../input/file.h"
#include "local.h"

enum { OPTION_CPUSTAT = 2, OPTION_CLOCK = 4, OPTION_UNAME = 5, OPTION_VERSION = 9,
       OPTION_TSC2NSEC = 14 };

/* ---- a growing piece of file ----------------------------------------------------------------- */

void blob_put(struct blob *blob, const void *data, size_t bytes)
{
	if (!bytes || blob->is_broken)
		return;
	if (!dms_grow(&blob->data, &blob->capacity, blob->size + bytes, 1)) {
		blob->is_broken = true;
		return;
	}
	memcpy(blob->data + blob->size, data, bytes);
	blob->size += bytes;
}

void blob_number(struct blob *blob, uint32_t bytes, uint64_t value)
{
	uint8_t number[8];

	ring_store(number, bytes, value, blob->big_endian);
	blob_put(blob, number, bytes);
}

void blob_string(struct blob *blob, const char *text)
{
	blob_put(blob, text, strlen(text) + 1);
}

void blob_patch(struct blob *blob, size_t at, uint32_t bytes, uint64_t value)
{
	if (!blob->is_broken)
		ring_store(blob->data + at, bytes, value, blob->big_endian);
}

void blob_deinit(struct blob *blob)
{
	dms_free(blob->data);
	*blob = (struct blob){0};
}

static struct dms_error *blob_result(const struct blob *blob)
{
	return blob->is_broken ? &dms_error_nomem : NULL;
}

static void put_text(struct blob *blob, const char *text, size_t bytes)
{
	blob_number(blob, 8, bytes);
	blob_put(blob, text, bytes);
}

/* ---- parts ----------------------------------------------------------------------------------- */

static struct dms_error *put_header_info(const struct dms_output *output, struct blob *blob)
{
	static const char event[] = "# compressed entry header\n"
				    "\ttype_len    :    5 bits\n"
				    "\ttime_delta  :   27 bits\n"
				    "\tarray       :   32 bits\n"
				    "\n"
				    "\tpadding     : type == 29\n"
				    "\ttime_extend : type == 30\n"
				    "\ttime_stamp : type == 31\n"
				    "\tdata max type_len  == 28\n";
	uint32_t long_size = output->shape.long_size, head_bytes = 8 + long_size;
	_cleanup_(dms_freep) char *page = dms_asprintf(
		"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
		"\tfield: local_t commit;\toffset:8;\tsize:%" PRIu32 ";\tsigned:1;\n"
		"\tfield: char overwrite;\toffset:8;\tsize:1;\tsigned:0;\n"
		"\tfield: char data;\toffset:%" PRIu32 ";\tsize:%" PRIu32 ";\tsigned:0;\n",
		long_size, head_bytes, output->shape.page_size - head_bytes);

	if (!page)
		return &dms_error_nomem;
	blob_string(blob, "header_page");
	put_text(blob, page, strlen(page));
	blob_string(blob, "header_event");
	put_text(blob, event, strlen(event));
	return blob_result(blob);
}

/* With the number its records have here, and words where it has none. */
static void put_format(struct blob *blob, const struct output_format *item)
{
	const struct dms_format *format = item->format;
	const char *at = format->text, *end = at + format->size, *behind, *id, *empty;
	struct blob text = {0};

	empty = print_fmt_empty(format);
	id = item->id == format->id ? NULL : format_id(format, &behind);
	if (id) {
		char number[16];
		int digits = snprintf(number, sizeof(number), "%" PRIu32, item->id);

		blob_put(&text, at, (size_t)(id - at));
		blob_put(&text, number, (size_t)digits);
		at = behind;
	}
	if (empty && empty >= at) {
		blob_put(&text, at, (size_t)(empty - at));
		print_fmt_put(format, empty, &text);
		at = empty + 2;
	}
	blob_put(&text, at, (size_t)(end - at));
	put_text(blob, (const char *)text.data, text.size);
	blob->is_broken |= text.is_broken;
	blob_deinit(&text);
}

static void put_system(const struct dms_output *output, const char *system, struct blob *blob)
{
	const struct output_formats *formats = &output->formats;
	uint32_t n_formats = 0;

	for (size_t i = 0; i < formats->n_items; i++)
		n_formats += !strcmp(formats->items[i].format->system, system);
	blob_number(blob, 4, n_formats);
	for (size_t i = 0; i < formats->n_items; i++) {
		if (!strcmp(formats->items[i].format->system, system))
			put_format(blob, &formats->items[i]);
	}
}

static struct dms_error *put_ftrace_formats(const struct dms_output *output, struct blob *blob)
{
	put_system(output, "ftrace", blob);
	return blob_result(blob);
}

/* Is this the first format of its system, which is not ftrace? */
static bool begins_system(const struct output_formats *formats, size_t item)
{
	const char *system = formats->items[item].format->system;

	if (!strcmp(system, "ftrace"))
		return false;
	for (size_t i = 0; i < item; i++) {
		if (!strcmp(formats->items[i].format->system, system))
			return false;
	}
	return true;
}

static struct dms_error *put_event_formats(const struct dms_output *output, struct blob *blob)
{
	const struct output_formats *formats = &output->formats;
	size_t count_at = blob->size;
	uint32_t n_systems = 0;

	blob_number(blob, 4, 0);
	for (size_t i = 0; i < formats->n_items; i++) {
		if (!begins_system(formats, i))
			continue;
		n_systems++;
		blob_string(blob, formats->items[i].format->system);
		put_system(output, formats->items[i].format->system, blob);
	}
	blob_patch(blob, count_at, 4, n_systems);
	return blob_result(blob);
}

/* The files are of one machine: the longest table knows the most modules. */
static struct dms_error *put_kallsyms(const struct dms_output *output, struct blob *blob)
{
	size_t best_bytes = 0;
	const char *best = NULL;

	for (uint32_t i = 0; i < dms_merge_count(output->merge); i++) {
		struct dms_error *err;
		const char *text;
		size_t bytes;

		err = dms_source_kallsyms(dms_merge_source(output->merge, i), &text, &bytes);
		if (err)
			return err;
		if (!text || bytes <= best_bytes || bytes > UINT32_MAX)
			continue;
		best = text;
		best_bytes = bytes;
	}
	blob_number(blob, 4, best_bytes);
	blob_put(blob, best, best_bytes);
	return blob_result(blob);
}

/* Sources do not tell what trace_printk() keeps outside of its records. */
static struct dms_error *put_printk(const struct dms_output *output, struct blob *blob)
{
	(void)output;
	blob_number(blob, 4, 0);
	return blob_result(blob);
}

static const char *find_comm(const struct dms_output *output, uint32_t pid)
{
	const char *comm = NULL;

	for (uint32_t i = 0; !comm && i < dms_merge_count(output->merge); i++)
		comm = dms_source_comm(dms_merge_source(output->merge, i), pid);
	return comm && *comm ? comm : NULL;
}

static struct dms_error *put_cmdlines(const struct dms_output *output, struct blob *blob)
{
	size_t size_at = blob->size;

	blob_number(blob, 8, 0);
	for (uint32_t pid = 0; pid < OUTPUT_PID_LIMIT; pid++) {
		char number[16];
		const char *comm;

		if (!(pid % 64) && !output->pid_bits[pid / 64]) {
			pid += 63;
			continue;
		}
		if (!(output->pid_bits[pid / 64] >> pid % 64 & 1) ||
		    !(comm = find_comm(output, pid)))
			continue;
		blob_put(blob, number,
			 (size_t)snprintf(number, sizeof(number), "%" PRIu32 " ", pid));
		blob_put(blob, comm, strcspn(comm, "\n"));
		blob_put(blob, "\n", 1);
	}
	for (uint32_t i = 0; i < dms_merge_count(output->merge); i++)
		blob->is_broken |= !dms_source_comms_are_whole(dms_merge_source(output->merge, i));
	blob_patch(blob, size_at, 8, blob->size - size_at - 8);
	return blob_result(blob);
}

const struct head_part head_parts[HEAD_PARTS] = {
	{16, put_header_info}, {17, put_ftrace_formats}, {18, put_event_formats},
	{19, put_kallsyms},    {20, put_printk},	 {21, put_cmdlines},
};

/* ---- options --------------------------------------------------------------------------------- */

void head_put_option(struct blob *blob, uint32_t id, const void *data, size_t bytes)
{
	blob_number(blob, 2, id);
	blob_number(blob, 4, bytes);
	blob_put(blob, data, bytes);
}

static void put_text_option(struct blob *blob, uint32_t id, const char *text)
{
	head_put_option(blob, id, text, strlen(text) + 1);
}

/* As tracefs' file trace_clock has it: all of them, the one in use in brackets. */
static void put_clock_option(const struct dms_output *output, struct blob *blob)
{
	static const char *const clocks[] = {"local", "global", "counter", "uptime", "perf",
					     "mono",  "mono_raw", "boot",  "tai"};
	const char *clock = output_clock(output);
	struct blob text = {0};
	bool is_known = false;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(clocks); i++) {
		bool is_used = !strcmp(clocks[i], clock);

		is_known |= is_used;
		blob_put(&text, is_used ? "[" : "", is_used);
		blob_put(&text, clocks[i], strlen(clocks[i]));
		blob_put(&text, is_used ? "] " : " ", 1 + is_used);
	}
	if (!is_known) {
		blob_put(&text, "[", 1);
		blob_put(&text, clock, strlen(clock));
		blob_put(&text, "] ", 2);
	}
	blob_put(&text, "\n", 2); /* with its end */
	blob->is_broken |= text.is_broken;
	head_put_option(blob, OPTION_CLOCK, text.data, text.size);
	blob_deinit(&text);
}

void head_put_clock(const struct dms_output *output, struct blob *blob)
{
	const char *clock = output_clock(output);

	if (!clock)
		return;
	blob_number(blob, 8, strlen(clock) + 2);
	blob_put(blob, "[", 1);
	blob_put(blob, clock, strlen(clock));
	blob_put(blob, "]", 1);
}

/* Cycles of these clocks were made nanoseconds when they were read: they stay as they are. */
static void put_conversion(const struct dms_output *output, struct blob *blob)
{
	const char *clock = output_clock(output);

	if (!clock || !output_info(output)->clock_is_ns ||
	    (strcmp(clock, "x86-tsc") != 0 && strcmp(clock, "ppc-tb") != 0))
		return;
	blob_number(blob, 2, OPTION_TSC2NSEC);
	blob_number(blob, 4, 16);
	blob_number(blob, 4, 1); /* times 1 */
	blob_number(blob, 4, 0); /* shifted by 0 */
	blob_number(blob, 8, 0); /* plus 0 */
}

/* Which CPU lost them is not told: only the sum counts. */
static struct dms_error *put_losses(const struct dms_output *output, struct blob *blob)
{
	_cleanup_(dms_freep) char *text = NULL;
	uint64_t lost = 0;

	for (uint32_t i = 0; i < dms_merge_count(output->merge); i++)
		lost += dms_source_info(dms_merge_source(output->merge, i))->lost_by_stats;
	if (!lost)
		return NULL;
	text = dms_asprintf("CPU: all\nentries: %" PRIu64 "\noverrun: %" PRIu64
			    "\ndropped events: 0\n",
			    output->report.records, lost);
	if (!text)
		return &dms_error_nomem;
	put_text_option(blob, OPTION_CPUSTAT, text);
	return NULL;
}

static struct dms_error *put_origin(const struct dms_output *output, struct blob *blob)
{
	const struct dms_source_info *info = output_info(output);
	const char *tool = info->tool ? info->tool : info->format;
	_cleanup_(dms_freep) char *writer = dms_asprintf("dmascope " DMS_VERSION ", from %s", tool);
	_cleanup_(dms_freep) char *uname =
		info->uname ? dms_strdup(info->uname)
			    : dms_asprintf("Linux (none) %s", info->release ? info->release : "");

	if (!writer || !uname)
		return &dms_error_nomem;
	if (info->uname || info->release)
		put_text_option(blob, OPTION_UNAME, uname);
	put_text_option(blob, OPTION_VERSION, writer);
	return NULL;
}

struct dms_error *head_put_options(const struct dms_output *output, struct blob *blob)
{
	struct dms_error *err;

	if (output_clock(output))
		put_clock_option(output, blob);
	put_conversion(output, blob);
	if ((err = put_origin(output, blob)) || (err = put_losses(output, blob)))
		return err;
	return blob_result(blob);
}
