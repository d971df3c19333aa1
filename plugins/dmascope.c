// SPDX-License-Identifier: LGPL-2.1-only
/*
 * A libtraceevent plugin: DMA events as text in trace-cmd report, KernelShark and perf script, and
 * on request what they end, what is wrong with them, and a database of all.
 *
 * Nothing that goes wrong here may break the host's report: it is said once, and the event is then
 * printed as if we were not there. There is no mutable state but that of a trace, which handlers
 * get as their context, and the options, which are the library's.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/decode/probe.h"
#include "../src/input/feed.h"

#include "plugin.h"

#define EXPORTED __attribute__((visibility("default")))
#define MAX_FRAMES 256

/* ---- options --------------------------------------------------------------------------------- */

EXPORTED char TEP_PLUGIN_ALIAS[] = "dmascope";

enum option { OPTION_SEGMENTS, OPTION_LIFETIMES, OPTION_DB, OPTION_SUMMARY };

/*
 * The library sets value and set, one for all traces; a string that begins as NULL it drops. It reads
 * the array when it loads us, but lists only what a loader adds.
 */
EXPORTED struct tep_plugin_option TEP_PLUGIN_OPTIONS[] = {
	[OPTION_SEGMENTS] = {
		.name = (char *)"segments",
		.plugin_alias = TEP_PLUGIN_ALIAS,
		.description = (char *)"Show at most so many entries of a list (segments=N; 0: all)",
		.value = "",
	},
	[OPTION_LIFETIMES] = {
		.name = (char *)"lifetimes",
		.plugin_alias = TEP_PLUGIN_ALIAS,
		.description = (char *)"Tell of each unmap what it ends, and mark broken rules",
	},
	[OPTION_DB] = {
		.name = (char *)"db",
		.plugin_alias = TEP_PLUGIN_ALIAS,
		.description = (char *)"Write a database of all mappings, as dmascope analyze (db=FILE)",
		.value = "",
	},
	[OPTION_SUMMARY] = {
		.name = (char *)"summary",
		.plugin_alias = TEP_PLUGIN_ALIAS,
		.description = (char *)"Print a summary of devices and findings behind the report",
	},
	{.name = NULL},
};

/* ---- state ----------------------------------------------------------------------------------- */

/** An event of the host's that we look at, and then let it print as before. */
struct wrap {
	struct plugin *plugin;
	struct tep_event *event;
	tep_event_handler_func handler; /* the one before; NULL: none */
	void *context;
};

/** Everything of one trace. */
struct plugin {
	struct plugin *next; /* in the list of all, in priv of our first option */
	struct tep_handle *tep;
	uint32_t max_segments;
	bool wants_lifetimes, wants_summary;
	const char *db; /* NULL: no database */
	bool is_bound;	/* the formats are known */
	int bound_id;	/* of the event that is, where events cannot be listed */
	bool is_broken; /* decoding does not go */
	bool has_told;	/* that events are only printed here */
	struct formats formats;
	struct dms_source *source; /* of formats only */
	struct dms_names names;
	struct dms_decoder *decoder;
	uint32_t long_size, stack_offset; /* of stack records, bytes */
	struct follow *follow;		  /* NULL: not wanted, or not possible */
	struct ingest *ingest;		  /* the same */
	struct losses *losses;		  /* NULL: the host tells of them */
	struct wrap *wraps;
	size_t n_wraps;
	uint64_t last_ts;
};

static struct plugin **all_plugins(void)
{
	return (struct plugin **)&TEP_PLUGIN_OPTIONS[0].priv;
}

static bool wants_analysis(const struct plugin *plugin)
{
	return plugin->wants_lifetimes || plugin->wants_summary || plugin->db;
}

static void tell(struct dms_error *err, const char *consequence)
{
	dms_log(DMS_LOG_ERROR, "%s; %s", dms_error_message(err), consequence);
	dms_error_free(err);
}

/* From here on events are only printed. */
static void stop_analysis(struct plugin *plugin)
{
	follow_destroy(plugin->follow);
	ingest_destroy(plugin->ingest);
	losses_destroy(plugin->losses);
	plugin->follow = NULL;
	plugin->ingest = NULL;
	plugin->losses = NULL;
}

/* ---- binding: at the first event, when the host has read all formats -------------------------- */

static struct dms_error *make_decoder(struct plugin *plugin, struct dms_source_info *info)
{
	struct dms_feed_head head = {0};
	struct dms_error *err;

	file_find(plugin->tep, info, &head.file);
	head.info = *info;
	head.formats = plugin->formats.items;
	head.n_formats = plugin->formats.n_items;
	head.stack_type = plugin->formats.stack_type;
	err = dms_feed_create(&head, &plugin->source);
	if (err) {
		dms_source_close(head.file);
		return err;
	}
	return dms_decoder_create(plugin->source, &plugin->names, &plugin->decoder);
}

static struct dms_error *begin_analysis(struct plugin *plugin, const struct dms_source_info *info)
{
	struct dms_source_info own; /* ingest closes its file later than we close ours */
	struct dms_source *file;
	struct dms_error *err = losses_create(plugin->tep, &plugin->losses);

	if (err)
		return err;
	if (plugin->wants_lifetimes &&
	    (err = follow_create(plugin->tep, plugin->decoder, &plugin->names, info,
				 &plugin->follow)))
		return err;
	if (!plugin->db && !plugin->wants_summary)
		return NULL;
	file_find(plugin->tep, &own, &file);
	return ingest_create(plugin->tep, &plugin->formats, &own, file, plugin->db,
			     &plugin->ingest);
}

static int wrapped_event(struct trace_seq *seq, struct tep_record *record, struct tep_event *event,
			 void *context);
static int known_event(struct trace_seq *seq, struct tep_record *record, struct tep_event *event,
		       void *context);

/* Stacks and probes, losses and counts: whoever analyzes sees every record that is printed. */
static struct dms_error *wrap_events(struct plugin *plugin)
{
	int n_events = tep_get_events_count(plugin->tep);

	plugin->wraps = dms_zalloc(((size_t)n_events + 1) * sizeof(*plugin->wraps));
	if (!plugin->wraps)
		return &dms_error_nomem;
	for (int i = 0; i < n_events; i++) {
		struct tep_event *event = tep_get_event(plugin->tep, i);
		struct wrap *wrap = &plugin->wraps[plugin->n_wraps];

		if (!event || event->handler == known_event)
			continue;
		*wrap = (struct wrap){plugin, event, event->handler, event->context};
		event->handler = wrapped_event;
		event->context = wrap;
		plugin->n_wraps++;
		if ((uint32_t)event->id == plugin->formats.stack_type) {
			const struct tep_format_field *caller = tep_find_field(event, "caller");

			plugin->stack_offset = caller ? (uint32_t)caller->offset : 0;
		}
	}
	return NULL;
}

static void unbind(struct plugin *plugin)
{
	dms_decoder_destroy(plugin->decoder);
	if (plugin->source)
		dms_source_close(plugin->source);
	dms_strtab_destroy(plugin->names.devices);
	formats_destroy(&plugin->formats);
	plugin->decoder = NULL;
	plugin->source = NULL;
	plugin->names.devices = NULL;
	plugin->is_bound = false;
}

/* Once for all traces: a host that has a copy of the library's printing half hands over no times. */
static void only_print(struct plugin *plugin)
{
	bool is_told = false;

	plugin->wants_lifetimes = false;
	plugin->wants_summary = false;
	plugin->db = NULL;
	for (const struct plugin *other = *all_plugins(); other && !is_told; other = other->next)
		is_told = other->has_told;
	plugin->has_told = true;
	if (!is_told)
		dms_log(DMS_LOG_WARN, "this host does not tell the time of events: they are only "
				      "printed; `dmascope analyze` tells lifetimes and findings");
}

static void bind(struct plugin *plugin, struct tep_event *event)
{
	struct dms_source_info info;
	struct dms_error *err;

	plugin->is_bound = true;
	plugin->names.devices = dms_strtab_create();
	err = plugin->names.devices ? formats_create(plugin->tep, event, &plugin->formats)
				    : &dms_error_nomem;
	if (!err)
		err = make_decoder(plugin, &info);
	if (err) {
		plugin->is_broken = true;
		tell(err, "events are printed as without the plugin");
		return;
	}
	plugin->names.is_in_ticks = !info.clock_is_ns;
	plugin->long_size = info.long_size;
	if (!is_whole_library()) {
		only_print(plugin);
		return;
	}
	if (!wants_analysis(plugin))
		return;
	if ((err = begin_analysis(plugin, &info)) || (err = wrap_events(plugin))) {
		stop_analysis(plugin);
		tell(err, "events are only printed");
	}
}

/* ---- one record ------------------------------------------------------------------------------ */

static struct dms_error *follow_stack_record(struct plugin *plugin, const struct dms_record *record)
{
	uint64_t frames[MAX_FRAMES];
	uint32_t n_frames = 0;
	bool swap = tep_is_file_bigendian(plugin->tep) != tep_is_local_bigendian(plugin->tep);

	for (uint32_t at = plugin->stack_offset;
	     plugin->stack_offset && at + plugin->long_size <= record->size && n_frames < MAX_FRAMES;
	     at += plugin->long_size) {
		uint64_t frame =
			load((const uint8_t *)record->data + at, plugin->long_size, swap);

		if (!frame || frame == (plugin->long_size == 4 ? UINT32_MAX : UINT64_MAX))
			break;
		frames[n_frames++] = frame;
	}
	return follow_stack(plugin->follow, record->cpu, frames, n_frames);
}

/* What perf and KernelShark hand over are not traces, but single events. */
static bool is_in_order(struct plugin *plugin, const struct tep_record *record)
{
	const char *why = NULL;

	if (!record->ts)
		why = "this host does not tell the time of events";
	else if (record->ts < plugin->last_ts)
		why = "this host does not print events in order of time";
	plugin->last_ts = record->ts;
	if (!why)
		return true;
	dms_log(DMS_LOG_ERROR, "%s: they are only printed%s", why,
		plugin->db ? ", and the database stays incomplete" : "");
	return false;
}

/* What is lost from before @before_ts on. */
static struct dms_error *analyze_losses(struct plugin *plugin, uint64_t before_ts)
{
	struct dms_gap gap;
	struct dms_error *err;
	bool has_gap;

	for (;;) {
		if ((err = losses_next(plugin->losses, before_ts, &gap, &has_gap)) || !has_gap)
			return err;
		if (plugin->follow && (err = follow_gap(plugin->follow, &gap)))
			return err;
		if (plugin->ingest && (err = ingest_gap(plugin->ingest, &gap)))
			return err;
	}
}

static struct dms_error *analyze(struct plugin *plugin, const struct tep_record *record,
				 const struct dms_record *copy, const struct dms_event *event)
{
	int64_t lost = plugin->losses ? 0 : record->missed_events;
	struct dms_error *err = NULL;

	if (plugin->losses)
		err = analyze_losses(plugin, copy->ts);
	else if (plugin->follow && lost)
		err = follow_lost(plugin->follow, copy->ts, copy->cpu, lost > 0 ? (uint64_t)lost : 0);
	if (!err && plugin->follow && event->kind != DMS_EV_NONE)
		err = follow_event(plugin->follow, event);
	if (!err && plugin->ingest)
		err = ingest_record(plugin->ingest, copy, lost);
	return err;
}

/* Look at @record, of whatever event: what it says is in *@ret, of kind NONE if nothing to us. */
static void look(struct plugin *plugin, const struct tep_record *record,
		 const struct tep_event *event, struct dms_event *ret)
{
	const struct dms_record copy = {
		.ts = record->ts,
		.offset = record->offset,
		.data = record->data,
		.size = record->size > 0 ? (uint32_t)record->size : 0,
		.cpu = record->cpu > 0 ? (uint32_t)record->cpu : 0,
	};
	bool is_stack = (uint32_t)event->id == plugin->formats.stack_type;
	struct dms_error *err = dms_decode(plugin->decoder, &copy, ret);

	if (!err && (plugin->follow || plugin->ingest)) {
		if (!is_in_order(plugin, record))
			stop_analysis(plugin);
		else if (!(err = analyze(plugin, record, &copy, ret)) && plugin->follow && is_stack)
			err = follow_stack_record(plugin, &copy);
	}
	if (!err)
		return;
	stop_analysis(plugin);
	tell(err, "events are only printed from here on");
}

/* What the kernel's log says, and what we have to say to it. */
static int print_message(struct trace_seq *seq, struct tep_record *record, struct tep_event *event,
			 const char *said)
{
	const char *text;
	int bytes;

	text = *said ? tep_get_field_raw(seq, event, "msg", record, &bytes, 0) : NULL;
	if (!text)
		return 1;
	for (int i = 0; i < bytes && text[i]; i++) {
		if (text[i] != '\n')
			trace_seq_putc(seq, (unsigned char)text[i]);
	}
	print_name(seq, said);
	return 0;
}

/* An event with a row in the decoder's table. */
static int known_event(struct trace_seq *seq, struct tep_record *record, struct tep_event *event,
		       void *context)
{
	struct plugin *plugin = context;
	struct dms_event decoded = {.kind = DMS_EV_NONE};

	if (!is_whole_library() && plugin->is_bound && event->id != plugin->bound_id)
		unbind(plugin);
	if (!plugin->is_bound) {
		plugin->bound_id = event->id;
		bind(plugin, event);
	}
	if (plugin->is_broken)
		return 1;
	look(plugin, record, event, &decoded);
	if (!strcmp(event->system, "printk"))
		return plugin->follow && decoded.kind != DMS_EV_NONE
			       ? print_message(seq, record, event, follow_text(plugin->follow))
			       : 1;
	if (!print_has(decoded.kind))
		return 1;
	print_event(&(struct printer){seq, &plugin->names, plugin->formats.gfp_flags,
				      plugin->max_segments},
		    &decoded);
	if (plugin->follow)
		print_name(seq, follow_text(plugin->follow));
	return 0;
}

/* Any other event, while we analyze. */
static int wrapped_event(struct trace_seq *seq, struct tep_record *record, struct tep_event *event,
			 void *context)
{
	const struct wrap *wrap = context;
	struct dms_event decoded = {.kind = DMS_EV_NONE};

	if (wrap->plugin->follow || wrap->plugin->ingest)
		look(wrap->plugin, record, event, &decoded);
	return wrap->handler ? wrap->handler(seq, record, event, wrap->context) : 1;
}

/* ---- loading and unloading ------------------------------------------------------------------- */

typedef int (*register_fn)(struct tep_handle *tep, int id, const char *system, const char *name,
			   tep_event_handler_func handler, void *context);

/* Events that have a text of ours; for an analysis all that say something. */
static void register_all(struct plugin *plugin, register_fn do_register)
{
	for (size_t i = 0; i < n_event_rows; i++) {
		const struct event_row *row = &event_table[i];

		if (print_has(row->kind) || wants_analysis(plugin))
			do_register(plugin->tep, -1, row->system, row->name, known_event, plugin);
	}
	for (size_t i = 0; i < n_probe_halves; i++) {
		const struct event_row *row = &probe_halves[i].event;

		if (probe_halves[i].half == HALF_ENTRY) /* returns are called as events are */
			do_register(plugin->tep, -1, row->system, row->name, known_event, plugin);
	}
	for (size_t i = 0; wants_analysis(plugin) && i < n_probe_rows; i++) {
		if (probe_table[i].ours)
			do_register(plugin->tep, -1, "dmascope", probe_table[i].ours, known_event,
				    plugin);
	}
}

/* A switch is turned each time it is read: for the second trace it would be off. */
static void read_options(void)
{
	for (struct tep_plugin_option *option = TEP_PLUGIN_OPTIONS; option->name; option++) {
		option->set = 0;
		if (option->value)
			option->value = "";
	}
	tep_plugin_add_options(TEP_PLUGIN_ALIAS, TEP_PLUGIN_OPTIONS);
}

static void read_segments(struct plugin *plugin)
{
	const char *text = TEP_PLUGIN_OPTIONS[OPTION_SEGMENTS].value;
	unsigned long value;
	char *end;

	if (!text || !*text)
		return;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9' || value > UINT32_MAX)
		dms_log(DMS_LOG_ERROR, "segments=%s: a number expected; all are shown", text);
	else
		plugin->max_segments = (uint32_t)value;
}

/* One value for all traces: two of them cannot be one database. */
static void read_db(struct plugin *plugin)
{
	const char *text = TEP_PLUGIN_OPTIONS[OPTION_DB].value;

	if (!text || !*text)
		return;
	for (const struct plugin *other = *all_plugins(); other; other = other->next) {
		if (!other->db)
			continue;
		dms_log(DMS_LOG_ERROR,
			"db=%s is the first trace's: the next one is only printed; of several "
			"files `dmascope analyze` makes one database",
			text);
		return;
	}
	plugin->db = text;
}

EXPORTED int TEP_PLUGIN_LOADER(struct tep_handle *tep);
EXPORTED int TEP_PLUGIN_LOADER(struct tep_handle *tep)
{
	struct plugin *plugin = dms_zalloc(sizeof(*plugin));

	if (!plugin) {
		tell(&dms_error_nomem, "DMA events are printed as without the plugin");
		return 0;
	}
	plugin->tep = tep;
	read_options();
	read_segments(plugin);
	read_db(plugin);
	plugin->wants_lifetimes = TEP_PLUGIN_OPTIONS[OPTION_LIFETIMES].set;
	plugin->wants_summary = TEP_PLUGIN_OPTIONS[OPTION_SUMMARY].set;
	plugin->next = *all_plugins();
	*all_plugins() = plugin;
	register_all(plugin, tep_register_event_handler);
	return 0;
}

/* The report is over: what has no line of its own. */
static void say_last(struct plugin *plugin)
{
	struct dms_error *err = plugin->losses ? analyze_losses(plugin, UINT64_MAX) : NULL;
	const char *text;

	if (!err && plugin->follow)
		err = follow_end(plugin->follow);
	if (err) {
		stop_analysis(plugin);
		tell(err, plugin->db ? "the database stays incomplete" : "the end was not analyzed");
	}
	text = plugin->follow ? follow_text(plugin->follow) : "";
	if (*text)
		printf("dmascope:%s\n", text);
	if (plugin->ingest) {
		err = ingest_finish(plugin->ingest, plugin->wants_summary);
		if (err)
			tell(err, plugin->db ? "the database stays incomplete" : "no summary");
	} else if (!plugin->is_bound && (plugin->db || plugin->wants_summary)) {
		dms_log(DMS_LOG_ERROR, "no DMA event was printed: there is nothing to tell%s",
			plugin->db ? ", and no database" : "");
	}
}

static void unwrap_events(struct plugin *plugin)
{
	for (size_t i = 0; i < plugin->n_wraps; i++) {
		struct wrap *wrap = &plugin->wraps[i];

		if (wrap->event->handler != wrapped_event)
			continue;
		wrap->event->handler = wrap->handler;
		wrap->event->context = wrap->context;
	}
}

static void plugin_destroy(struct plugin *plugin)
{
	stop_analysis(plugin);
	unbind(plugin);
	dms_free(plugin->wraps);
	dms_free(plugin);
}

EXPORTED int TEP_PLUGIN_UNLOADER(struct tep_handle *tep);
EXPORTED int TEP_PLUGIN_UNLOADER(struct tep_handle *tep)
{
	struct plugin **link = all_plugins(), *plugin;

	while (*link && (*link)->tep != tep)
		link = &(*link)->next;
	plugin = *link;
	if (!plugin)
		return 0;
	*link = plugin->next;
	tep_plugin_remove_options(TEP_PLUGIN_OPTIONS);
	say_last(plugin);
	unwrap_events(plugin);
	register_all(plugin, tep_unregister_event_handler);
	plugin_destroy(plugin);
	return 0;
}
