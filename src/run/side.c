// SPDX-License-Identifier: LGPL-2.1-only
/* Side files of a run: inventory, memory map, a dump of what was mapped before, a kernel log. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "recognise.h"
#include "trust.h"

/*
 * The log's clock and the trace's are not the same one, even where both count from boot: up to
 * 0.4 s apart was seen. What is further outside of the trace is of another time.
 */
#define LOG_SLACK_NS 1000000000ull
/* A line the trace has itself comes before or after it, by so much at most (2 s was seen). */
#define CONSOLE_SLACK_NS 5000000000ull

/** A line of the kernel log; its event owns its text. */
struct log_line {
	struct dms_event event;
	char *text;
	uint64_t due_ts; /* when it is given; UINT64_MAX: at the end */
	uint32_t number; /* order in the log */
};

struct dms_run_side {
	struct dms_model_config config;
	struct dms_iomem *iomem;
	struct log_line *lines; /* those with a time first, by it; then the others */
	size_t n_lines, lines_capacity, n_given;
	size_t n_outside;	/* of the trace */
	size_t n_doubled;	/* the trace has the message itself */
	bool has_seeds;		/* the dump had an entry */
	bool has_log;		/* one was given; what it does not tell did not happen */
	bool is_debug_kernel;	/* a file that only dma-debug writes was given, or the log tells of it */
	bool has_order;		/* the trace's clock counts from boot, in nanoseconds */
	bool may_have_console;	/* the trace has the format of kernel messages, at least */
	bool has_markers;	/* since the model looked last */
	uint64_t kinds_seen;	/* bits by enum dms_event_kind */
	uint32_t n_markers, n_bad_markers;
	char *first_bad;	/* what is wrong with it */
};

_Static_assert(DMS_EV_N_KINDS <= 64, "kinds_seen has a bit for each");

/* ---- what can be judged ----------------------------------------------------------------------- */

static uint32_t inventory_inputs(const struct dms_inventory *inventory)
{
	uint32_t inputs = 0;

	for (uint32_t i = 0; inventory && i < dms_inventory_count(inventory); i++) {
		const struct dms_inventory_device *device = dms_inventory_at(inventory, i);

		if (device->dma_mask_bits || device->coherent_dma_mask_bits)
			inputs |= DMS_INPUT_MASKS;
		if (device->max_segment_bytes || device->segment_boundary)
			inputs |= DMS_INPUT_LIMITS;
		if (device->coherent >= 0)
			inputs |= DMS_INPUT_COHERENCY;
	}
	return inputs;
}

static void add_inputs(struct dms_run *run, uint32_t inputs)
{
	run->inputs |= inputs;
	run->side->config.inputs = run->inputs;
	dms_model_add_inputs(run->model, run->inputs);
}

/* Probes are known by their records: the first of a kind may let more be judged. */
_apart_ static void add_files_inputs(struct dms_run *run)
{
	uint32_t inputs = 0;

	for (uint32_t i = 0; i < run->n_files; i++)
		inputs |= run->file_inputs[i];
	add_inputs(run, inputs);
}

static bool is_true_of_any(const struct dms_run *run, bool (*ask)(const struct dms_decoder *decoder))
{
	for (uint32_t i = 0; i < run->n_files; i++) {
		if (ask(run->decoders[i]))
			return true;
	}
	return false;
}

/* ---- the kernel log --------------------------------------------------------------------------- */

/* Clocks that count from boot, as printk's does. Files of old recorders name none: it is "local". */
static bool counts_from_boot(const struct dms_source_info *info)
{
	static const char *const clocks[] = {"local", "global", "mono", "mono_raw", "boot", "perf"};

	if (!info->clock)
		return info->clock_is_ns;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(clocks); i++) {
		if (!strcmp(info->clock, clocks[i]))
			return true;
	}
	return false;
}

static struct dms_error *keep_line(void *context, const struct dms_event *event)
{
	struct dms_run_side *side = context;
	struct log_line *line;

	side->is_debug_kernel |= dms_message_is_of_debug((enum dms_message)event->message);
	if (event->message == DMS_MSG_DEBUG_ON)
		return NULL;
	if (!dms_grow(&side->lines, &side->lines_capacity, side->n_lines + 1, sizeof(*line)))
		return &dms_error_nomem;
	line = &side->lines[side->n_lines];
	*line = (struct log_line){.event = *event, .number = (uint32_t)side->n_lines};
	if (event->text) {
		line->text = dms_strndup(event->text, event->text_len);
		if (!line->text)
			return &dms_error_nomem;
		line->event.text = line->text;
	}
	line->event.is_other_clock = true;
	line->due_ts = side->has_order ? event->ts : UINT64_MAX;
	/* A leak is told when the driver is gone, and ends a generation: rather late than early. */
	if (event->message == DMS_MSG_LEAK && line->due_ts < UINT64_MAX - LOG_SLACK_NS)
		line->due_ts += LOG_SLACK_NS;
	side->n_lines++;
	return NULL;
}

/* No time, UINT64_MAX, goes last. */
static int by_time(const void *left, const void *right)
{
	const struct log_line *a = left, *b = right;

	if (a->due_ts != b->due_ts)
		return a->due_ts < b->due_ts ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

static struct dms_error *read_log(struct dms_run *run, const char *path)
{
	struct dms_run_side *side = run->side;
	struct dms_error *err;

	side->has_log = true;
	side->has_order = run->clock_is_ns &&
			  counts_from_boot(dms_source_info(dms_merge_source(run->merge, 0)));
	err = dms_console_read_file(path, run->names.devices, keep_line, side);
	if (!err && side->n_lines)
		qsort(side->lines, side->n_lines, sizeof(*side->lines), by_time);
	return err;
}

/* True if the trace has messages of the kernel, whatever they say. */
static bool has_messages(const struct dms_run *run)
{
	struct dms_tracepoint_count count;

	for (uint32_t i = 0; run->side->may_have_console && i < run->n_files; i++) {
		for (uint32_t j = 0; j < dms_decoder_n_tracepoints(run->decoders[i]); j++) {
			dms_decoder_count(run->decoders[i], j, &count);
			if (count.records && !strcmp(count.system, "printk") &&
			    !strcmp(count.name, "console"))
				return true;
		}
	}
	return false;
}

bool dms_run_side_asks_decoders(const struct dms_run *run)
{
	return run->side->may_have_console && run->side->n_lines;
}

/* Give the model the next line, in time order with what it knows: at the earliest now. */
static struct dms_error *give_line(struct dms_run *run)
{
	struct dms_run_side *side = run->side;
	struct dms_event event = side->lines[side->n_given++].event;

	if (has_messages(run)) {
		side->n_doubled++;
		return NULL;
	}
	if (event.ts < run->last_ts || !side->has_order)
		event.ts = run->last_ts;
	return dms_model_event(run->model, &event);
}

_apart_ static struct dms_error *give_lines_until(struct dms_run *run, uint64_t ts)
{
	struct dms_run_side *side = run->side;
	struct dms_error *err = NULL;

	/* The trace may have the same line, a little later by its own clock. */
	ts -= side->may_have_console && ts > CONSOLE_SLACK_NS ? CONSOLE_SLACK_NS : 0;
	while (!err && side->n_given < side->n_lines && side->lines[side->n_given].due_ts <= ts)
		err = give_line(run);
	return err;
}

/* What was said before the trace began. */
_apart_ static void skip_lines_before(struct dms_run_side *side, uint64_t ts)
{
	for (; side->n_given < side->n_lines; side->n_given++) {
		uint64_t line_ts = side->lines[side->n_given].due_ts;

		if (line_ts >= ts || ts - line_ts <= LOG_SLACK_NS)
			return;
		side->n_outside++;
	}
}

/* ---- lines of an inventory in the trace ------------------------------------------------------- */

static struct dms_error *add_line(struct dms_run *run, const char *text, size_t size)
{
	struct dms_run_side *side = run->side;
	struct dms_error *err = dms_inventory_add_line(run->inventory, text, size);

	side->n_markers++;
	if (!err || dms_error_code(err) != DMS_ERROR_INPUT)
		return err;
	if (!side->n_bad_markers++)
		side->first_bad = dms_strdup(dms_error_message(err));
	dms_error_free(err);
	return NULL;
}

/* A text written to trace_marker may have several lines. */
_apart_ static struct dms_error *take_marker(struct dms_run *run, const struct dms_event *event)
{
	static const char prefix[] = DMS_INVENTORY_MARKER;
	const char *text = event->text, *end = text + event->text_len, *line_end;
	struct dms_error *err = NULL;

	for (; text && text < end && !err; text = line_end + 1) {
		line_end = memchr(text, '\n', (size_t)(end - text));
		if (!line_end)
			line_end = end;
		if ((size_t)(line_end - text) < strlen(prefix) ||
		    memcmp(text, prefix, strlen(prefix)) != 0)
			continue;
		if (!run->inventory && (err = dms_inventory_create("", 0, &run->inventory)))
			return err;
		err = add_line(run, text + strlen(prefix),
			       (size_t)(line_end - text) - strlen(prefix));
		run->side->has_markers = true;
	}
	return err;
}

/* Markers come in hundreds, and then none: the model looks when they are over. */
_apart_ static void use_markers(struct dms_run *run)
{
	struct dms_run_side *side = run->side;

	side->has_markers = false;
	side->config.inventory = run->inventory;
	add_inputs(run, inventory_inputs(run->inventory));
	dms_model_configure(run->model, &side->config);
	dms_model_identify(run->model);
}

/* ---- a run's life ------------------------------------------------------------------------------ */

static struct dms_error *take_seed(void *context, const struct dms_dump_entry *entry)
{
	struct dms_run *run = context;

	run->side->has_seeds = true;
	return dms_model_seed(run->model, entry);
}

/* No machine is without a mapping: an empty dump was not read as root, or dma-debug was off. */
static struct dms_error *read_dump(struct dms_run *run, const char *path)
{
	struct dms_error *err = dms_dump_read(path, take_seed, run);

	if (!err && !run->side->has_seeds)
		err = dms_error_new(DMS_ERROR_INPUT, "%s: no entry of a dma-api dump", path);
	return err;
}

/* CONFIG_DMA_API_DEBUG: its log shows it, or its dump, or a probe of one of dma-debug's functions. */
static bool is_of_debug(const struct dms_run *run)
{
	return run->side->is_debug_kernel || dms_run_has_kind(run, DMS_EV_CHECK);
}

/* The recorder stops tracing, writes what it has, and then reads the statistics. */
#define STOP_NS 1000000000ull

/* Up to here the trace is quiet where it has no record; 0: not known. */
static uint64_t quiet_until(const struct dms_run *run)
{
	const struct dms_source_info *info = dms_source_info(dms_merge_source(run->merge, 0));

	if (run->n_files != 1 || !run->clock_is_ns || info->stats_ts < STOP_NS)
		return 0;
	return info->stats_ts - STOP_NS;
}

/*
 * `dmascope record` filters devices alone, but kprobes miss calls. What `dmascope convert` made of
 * another tool's file names that tool as well.
 */
static bool is_whole_file(const struct dms_run *run, uint32_t file)
{
	static const char recorder[] = "dmascope ";
	const char *tool = dms_source_info(dms_merge_source(run->merge, file))->tool;

	return tool && !strncmp(tool, recorder, sizeof(recorder) - 1) && !strchr(tool, ',') &&
	       !dms_decoder_untold(run->decoders[file]);
}

static bool is_whole(const struct dms_run *run)
{
	for (uint32_t i = 0; i < run->n_files; i++) {
		if (!is_whole_file(run, i))
			return false;
	}
	return true;
}

static void configure(struct dms_run *run)
{
	bool may_elide = is_true_of_any(run, dms_decoder_may_elide);
	struct dms_run_side *side = run->side;

	side->config = (struct dms_model_config){
		.is_in_ticks = !run->clock_is_ns,
		.never_elides = !may_elide || is_of_debug(run),
		.checks_lines = !may_elide,
		.is_whole = is_whole(run),
		.until_ts = quiet_until(run),
		.doubts_alloc_dir = is_true_of_any(run, dms_decoder_doubts_alloc_dir),
		.hides_bounces = !dms_run_has_kind(run, DMS_EV_BOUNCE),
		.inventory = run->inventory,
		.iomem = side->iomem,
		.page_bytes = dms_source_info(dms_merge_source(run->merge, 0))->page_size,
	};
	for (uint32_t i = 0; i < run->n_files; i++)
		side->may_have_console |=
			dms_decoder_has_kind(run->decoders[i], DMS_EV_CONSOLE);
	run->inputs = inventory_inputs(run->inventory);
	if (side->iomem)
		run->inputs |= DMS_INPUT_IOMEM;
	if (side->has_log)
		run->inputs |= DMS_INPUT_CONSOLE | DMS_INPUT_FAULTS;
	if (side->has_log && side->is_debug_kernel)
		run->inputs |= DMS_INPUT_DEBUG;
	for (uint32_t i = 0; i < run->n_files; i++)
		run->inputs |= run->file_inputs[i];
	side->config.inputs = run->inputs;
	dms_run_hidden(run, &side->config.hidden_maps, &side->config.hidden_unmaps);
	dms_model_configure(run->model, &side->config);
}

static struct dms_error *read_sides(struct dms_run *run, const struct dms_run_options *options)
{
	struct dms_error *err = NULL;

	if (options->inventory)
		err = dms_run_file_error(run, options->inventory,
					 dms_inventory_read(options->inventory, &run->inventory));
	if (!err && options->iomem)
		err = dms_run_file_error(run, options->iomem,
					 dms_iomem_read(options->iomem, &run->side->iomem));
	if (!err && options->kernel_log)
		err = dms_run_file_error(run, options->kernel_log,
					 read_log(run, options->kernel_log));
	return err;
}

struct dms_error *dms_run_side_open(struct dms_run *run, const struct dms_run_options *options)
{
	struct dms_run_side *side = run->side = dms_zalloc(sizeof(*side));
	struct dms_error *err;

	if (!side)
		return &dms_error_nomem;
	if ((err = read_sides(run, options)))
		return err;
	/* the file is dma-debug's */
	side->is_debug_kernel |= options->dump_seed != NULL;
	configure(run);
	if (!options->dump_seed)
		return NULL;
	return dms_run_file_error(run, options->dump_seed, read_dump(run, options->dump_seed));
}

void dms_run_side_close(struct dms_run *run)
{
	struct dms_run_side *side = run->side;

	if (!side)
		return;
	for (size_t i = 0; i < side->n_lines; i++)
		dms_free(side->lines[i].text);
	dms_free(side->lines);
	dms_free(side->first_bad);
	dms_iomem_destroy(side->iomem);
	dms_free(side);
}

_apart_ static struct dms_error *take_beside(struct dms_run *run, const struct dms_event *event)
{
	struct dms_run_side *side = run->side;

	if (event->kind == DMS_EV_MARKER)
		return take_marker(run, event);
	if (side->has_markers)
		use_markers(run);
	if (!(side->kinds_seen >> event->kind & 1)) {
		if (!side->kinds_seen)
			skip_lines_before(side, event->ts);
		side->kinds_seen |= 1ull << event->kind;
		add_files_inputs(run);
	}
	if (side->n_given < side->n_lines)
		return give_lines_until(run, event->ts);
	return NULL;
}

bool dms_run_side_is_idle(const struct dms_run *run, uint64_t kinds)
{
	const struct dms_run_side *side = run->side;

	/* seen before, which markers are never, and nothing that waits: as nearly always */
	return !(kinds & ~side->kinds_seen) && !side->has_markers && side->n_given >= side->n_lines;
}

struct dms_error *dms_run_side_event(struct dms_run *run, const struct dms_event *event)
{
	return dms_run_side_is_idle(run, 1ull << event->kind) ? NULL : take_beside(run, event);
}

static struct dms_error *note_log(struct dms_run *run)
{
	const struct dms_run_side *side = run->side;
	struct dms_error *err = NULL;

	if (side->n_doubled)
		err = dms_run_add_note(run, NULL, DMS_ID_NONE,
				       dms_asprintf("%zu line%s of the kernel log %s left out: "
						    "the trace has messages of the kernel itself",
						    side->n_doubled,
						    side->n_doubled == 1 ? "" : "s",
						    side->n_doubled == 1 ? "was" : "were"));
	if (err || !side->n_outside)
		return err;
	return dms_run_add_note(run, NULL, DMS_ID_NONE,
				dms_asprintf("%zu line%s of the kernel log that tell%s of DMA %s of "
					     "another time than the trace",
					     side->n_outside, side->n_outside == 1 ? "" : "s",
					     side->n_outside == 1 ? "s" : "",
					     side->n_outside == 1 ? "is" : "are"));
}

/* The first device called @name; DMS_ID_NONE if the trace has none. */
static uint32_t device_called(const struct dms_run *run, const char *name)
{
	for (uint32_t i = 0; i < dms_model_n_devices(run->model); i++) {
		if (!strcmp(dms_strtab_get(run->names.devices,
					   dms_model_device(run->model, i)->name),
			    name))
			return i;
	}
	return DMS_ID_NONE;
}

/* More would be an inventory made to keep us busy. */
#define MAX_AMBIGUOUS 64

static struct dms_error *note_ambiguous(struct dms_run *run)
{
	uint32_t n_devices = run->inventory ? dms_inventory_count(run->inventory) : 0;
	const char *last = NULL;
	unsigned int n_names = 0;

	for (uint32_t i = 0; i < n_devices && n_names < MAX_AMBIGUOUS; i++) {
		const struct dms_inventory_device *device = dms_inventory_at(run->inventory, i);
		struct dms_error *err;
		uint32_t index;

		if (!device->is_ambiguous || (last && !strcmp(last, device->name)))
			continue;
		last = device->name;
		n_names++;
		index = device_called(run, last);
		if (index == DMS_ID_NONE)
			continue;
		err = dms_run_add_note(run, NULL, index,
				       dms_asprintf("the inventory has devices of several buses "
						    "with this name, and a trace does not tell "
						    "which it means: nothing is taken from it"));
		if (err)
			return err;
	}
	return NULL;
}

struct dms_error *dms_run_side_end(struct dms_run *run)
{
	struct dms_run_side *side = run->side;
	struct dms_error *err = NULL;

	add_files_inputs(run);
	while (!err && side->n_given < side->n_lines) {
		uint64_t ts = side->lines[side->n_given].due_ts;

		/* Without an event of ours the trace has no time: then all of the log is meant. */
		if (side->kinds_seen && ts != UINT64_MAX && ts > run->last_ts &&
		    ts - run->last_ts > 2 * LOG_SLACK_NS) {
			side->n_outside++;
			side->n_given++;
		} else {
			err = give_line(run);
		}
	}
	if (side->has_markers)
		use_markers(run);
	if (err || (err = note_log(run)) || (err = note_ambiguous(run)) || !side->n_bad_markers)
		return err;
	return dms_run_add_note(
		run, NULL, DMS_ID_NONE,
		dms_asprintf("%" PRIu32 " of %" PRIu32 " lines of a device inventory in the trace "
			     "are malformed and were skipped, the first: %s",
			     side->n_bad_markers, side->n_markers,
			     side->first_bad ? side->first_bad : "no memory to tell it"));
}
