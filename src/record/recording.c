// SPDX-License-Identifier: LGPL-2.1-only
/* A recording from its first step to its file. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "local.h"

#include <dmascope/inventory.h>

/* Copied at once when the file is written; as much has to be free on the disk. */
#define COPY_BYTES (4u << 20)
#define TABLE_KIND "flyrecord"

struct dms_recording {
	struct dms_recording_report report;
	struct drain drain;
	struct text head;
	struct tasks tasks;
	char *folder; /* of the instance, whole path */
	char *clock;
	struct symbols symbols;
	char *devices; /* as they were at the beginning, then as they changed */
	char *sides[DMS_N_SIDE_FILES];
	uint64_t n_missed; /* calls that probes have missed, somewhere */
};

void dms_recording_destroy(struct dms_recording *recording)
{
	if (!recording)
		return;
	drain_close(&recording->drain);
	tasks_deinit(&recording->tasks);
	dms_free(recording->head.data);
	dms_free(recording->folder);
	dms_free(recording->clock);
	symbols_deinit(&recording->symbols);
	dms_free(recording->devices);
	for (size_t i = 0; i < DMS_N_SIDE_FILES; i++)
		dms_free(recording->sides[i]);
	dms_free(recording);
}

const struct dms_recording_report *dms_recording_report(const struct dms_recording *recording)
{
	return &recording->report;
}

const char *dms_recording_side(const struct dms_recording *recording, enum dms_side_file file)
{
	return recording->sides[file];
}

/* ---- the inventory in the trace -------------------------------------------------------------- */

/*
 * Each in a text of its own: whoever prints the trace makes one line of it. What cannot be written is
 * missing in the trace only: the file beside it has all.
 */
static void put_markers(int fd, const char *lines)
{
	struct text text = {0};
	const char *next;

	for (const char *line = lines; line && !text.is_broken; line = next) {
		size_t size = text_line(line, &next);

		text.size = 0;
		text_put(&text, DMS_INVENTORY_MARKER, strlen(DMS_INVENTORY_MARKER));
		text_put(&text, line, size);
		text_put(&text, "\n", 1);
		if (!text.is_broken)
			(void)!write(fd, text.data, text.size);
	}
	dms_free(text.data);
}

static void mark_devices(const struct dms_recording *recording, const char *lines)
{
	_cleanup_(dms_freep) char *path = dms_asprintf("%s/trace_marker", recording->folder);
	int fd = path && *lines ? open(path, O_WRONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	put_markers(fd, lines);
	close(fd);
}

/* ---- before ---------------------------------------------------------------------------------- */

/* The kernel shows those without the right zeros for addresses: that is no memory map. */
static bool is_hidden(const char *iomem)
{
	return !strncmp(iomem, "00000000-00000000", 17);
}

static struct dms_error *take_sides(struct dms_recording *recording,
				    const struct dms_kernel *kernel)
{
	char *iomem = dms_kernel_read(kernel, "/proc/iomem", NULL);
	char *dump = dms_kernel_read(kernel, "/sys/kernel/debug/dma-api/dump", NULL);

	if (iomem && is_hidden(iomem))
		dms_freep(&iomem);
	if (dump && !*dump)
		dms_freep(&dump);
	recording->sides[DMS_SIDE_IOMEM] = iomem;
	recording->sides[DMS_SIDE_DUMP] = dump;
	return NULL;
}

static struct dms_error *begin(struct dms_recording *recording, const struct dms_kernel *kernel,
			       const struct dms_plan *plan)
{
	struct dms_error *err = tasks_init(&recording->tasks);

	recording->folder = dms_asprintf("%s/%s", plan->tracefs, plan->folder);
	recording->clock = dms_strdup(plan->clock);
	if (!recording->folder || !recording->clock)
		return &dms_error_nomem;
	if (err || (err = symbols_init(&recording->symbols)))
		return err;
	symbols_take(&recording->symbols, kernel);
	if (!(err = tasks_add_running(&recording->tasks, kernel)))
		err = dms_devices_read(kernel, &recording->devices);
	return err;
}

static struct dms_error *set_tracing(const struct dms_recording *recording, const char *value)
{
	_cleanup_(dms_freep) char *path = dms_asprintf("%s/tracing_on", recording->folder);
	int fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;
	bool is_written = fd >= 0 && write(fd, value, 1) == 1;
	int failure = errno;

	if (fd >= 0)
		close(fd);
	return is_written ? NULL
			  : dms_error_errno(DMS_ERROR_INPUT, failure, "%s/tracing_on",
					    recording->folder);
}

/* ---- after ----------------------------------------------------------------------------------- */

static uint64_t stat_value(const char *stats, const char *name)
{
	const char *at = stats ? strstr(stats, name) : NULL;

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void add_up(struct dms_recording *recording)
{
	struct dms_recording_report *report = &recording->report;

	for (size_t i = 0; i < recording->drain.n_cpus; i++) {
		const struct drain_cpu *cpu = &recording->drain.cpus[i];

		report->bytes += cpu->bytes;
		report->events += stat_value(cpu->stats, "read events: ");
		/* "overrun: " stands in "commit overrun: " as well, behind the other */
		report->lost += stat_value(cpu->stats, "\noverrun: ") +
				stat_value(cpu->stats, "commit overrun: ") +
				stat_value(cpu->stats, "dropped events: ");
	}
}

/* The beginning's devices, and what came or changed: the inventory of the whole recording. */
static struct dms_error *finish_devices(struct dms_recording *recording,
					const struct dms_kernel *kernel)
{
	_cleanup_(dms_freep) char *after = NULL, *changes = NULL;
	struct dms_error *err = dms_devices_read(kernel, &after);

	if (err)
		return err;
	changes = dms_devices_changes(recording->devices, after);
	if (!changes)
		return &dms_error_nomem;
	mark_devices(recording, changes);
	/* a device may stand in the file once: as it was in the end */
	recording->sides[DMS_SIDE_DEVICES] = dms_strdup(after);
	return recording->sides[DMS_SIDE_DEVICES] ? NULL : &dms_error_nomem;
}

static struct dms_error *note_symbols(struct dms_recording *recording, struct dms_plan *plan)
{
	_cleanup_(dms_freep) char *missing = symbols_fill_in(&recording->symbols);

	return missing ? plan_note(plan,
				   "the symbols of %s could not be read while it was loaded: calls "
				   "from there are named no_symbols",
				   missing)
		       : NULL;
}

/* What an interrupt mapped while a probe of the task before it ran. */
static struct dms_error *note_missed(struct dms_recording *recording,
				     const struct dms_kernel *kernel, struct dms_plan *plan)
{
	recording->n_missed = plan_missed_calls(plan, kernel);
	if (!recording->n_missed)
		return NULL;
	return plan_note(plan,
			 "probes missed %" PRIu64 " calls: maps that seem to live on, and unmaps "
			 "of what seems not to be mapped, may be theirs",
			 recording->n_missed);
}

static struct dms_error *finish(struct dms_recording *recording, const struct dms_kernel *kernel,
				struct dms_plan *plan)
{
	const struct head_source source = {
		.kernel = kernel,
		.plan = plan,
		.drain = &recording->drain,
		.symbols = &recording->symbols,
		.tasks = &recording->tasks,
	};
	_cleanup_(dms_freep) char *comms = NULL;
	struct tasks named;
	struct dms_error *err;

	if ((err = finish_devices(recording, kernel)) || (err = set_tracing(recording, "0")) ||
	    (err = drain_rest(&recording->drain, recording->folder, &recording->report.is_full)))
		return err;
	add_up(recording);
	symbols_take(&recording->symbols, kernel);
	if ((err = note_symbols(recording, plan)) || (err = note_missed(recording, kernel, plan)))
		return err;
	/* names that tracefs saved are those at the time of the events: they come first */
	if ((err = tasks_init(&named)))
		return err;
	comms = dms_kernel_read_tracefs(kernel, "saved_cmdlines", NULL);
	tasks_add_lines(&named, comms);
	tasks_add_lines(&named, recording->tasks.lines.data);
	named.lines.is_broken |= recording->tasks.lines.is_broken;
	tasks_deinit(&recording->tasks);
	recording->tasks = named;
	if (!(err = tasks_add_running(&recording->tasks, kernel)))
		err = head_build(&source, &recording->head);
	return err;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static struct dms_error *record(struct dms_recording *recording, const struct dms_kernel *kernel,
				struct dms_plan *plan,
				const struct dms_record_options *options)
{
	struct watch watch = {&recording->drain, options, &recording->report, &recording->symbols,
			      kernel};
	struct dms_error *err;

	if ((err = drain_open(&recording->drain, recording->folder, options->output)) ||
	    (err = set_tracing(recording, "1")))
		return err;
	mark_devices(recording, recording->devices);
	take_sides(recording, kernel); /* a dump of what was mapped when recording began */
	if ((err = watch_run(&watch)))
		return err;
	return finish(recording, kernel, plan);
}

/* Under the guard of another process. */
static struct dms_error *run(struct dms_recording *recording, const struct dms_kernel *kernel,
			     struct dms_plan *plan, const struct dms_record_options *options)
{
	struct dms_error *err;
	struct guard guard;

	if ((err = begin(recording, kernel, plan)) || (err = guard_start(&guard, plan)))
		return err;
	err = dms_plan_apply(plan);
	if (!err)
		err = record(recording, kernel, plan, options);
	drain_detach(&recording->drain);
	dms_plan_undo(plan);
	guard_end(&guard);
	return err;
}

struct dms_error *dms_recording_run(struct dms_kernel *kernel, struct dms_plan *plan,
				    const struct dms_record_options *options,
				    struct dms_recording **ret)
{
	struct dms_recording *recording = dms_zalloc(sizeof(*recording));
	sigset_t ours, before;
	struct dms_error *err;

	if (!recording)
		return &dms_error_nomem;
	recording->drain.reserve = -1;
	watch_signals(&ours);
	sigprocmask(SIG_BLOCK, &ours, &before);
	err = run(recording, kernel, plan, options);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (err)
		dms_recording_destroy(recording);
	else
		*ret = recording;
	return err;
}

/* ---- the file -------------------------------------------------------------------------------- */

static struct dms_error *put(FILE *out, const void *data, size_t size, uint64_t *position)
{
	if (size && fwrite(data, size, 1, out) != 1)
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "writing the trace");
	*position += size;
	return NULL;
}

static struct dms_error *align(FILE *out, uint64_t unit, uint64_t *position)
{
	static const char zeros[4096];
	struct dms_error *err = NULL;

	while (!err && *position % unit) {
		uint64_t left = unit - *position % unit;

		err = put(out, zeros, left < sizeof(zeros) ? left : sizeof(zeros), position);
	}
	return err;
}

/* Where the data of each CPU will be, and the clock. @begin: of the first. */
static struct dms_error *put_table(const struct dms_recording *recording, FILE *out,
				   uint64_t begin_at, uint64_t *position)
{
	_cleanup_(dms_freep) char *clock = dms_asprintf("[%s]", recording->clock);
	const struct drain_cpu *cpu = recording->drain.cpus;
	struct dms_error *err;
	uint64_t clock_size;

	if (!clock)
		return &dms_error_nomem;
	if ((err = put(out, TABLE_KIND, sizeof(TABLE_KIND), position)))
		return err;
	for (uint32_t number = 0; number < drain_n_rows(&recording->drain); number++) {
		bool is_hole = cpu->number != number;
		const uint64_t row[] = {begin_at, is_hole ? 0 : cpu->bytes};

		cpu += !is_hole;
		if ((err = put(out, row, sizeof(row), position)))
			return err;
		begin_at += row[1];
	}
	clock_size = strlen(clock);
	if ((err = put(out, &clock_size, sizeof(clock_size), position)))
		return err;
	return put(out, clock, clock_size, position);
}

/* "Events were lost before this page", as the kernel says it (RB_MISSED_EVENTS). */
#define PAGE_LOST (1u << 31)

/* Which calls probes have missed nobody knows: it may be any. A page begins with its time and its length. */
static void mark_lost(const struct dms_recording *recording, char *pages, size_t size)
{
	static const uint16_t one = 1;
	bool is_little = *(const uint8_t *)&one;
	size_t at = sizeof(uint64_t) + (is_little ? 0 : sizeof(long) - sizeof(uint32_t));

	for (; at + sizeof(uint32_t) <= size; at += recording->drain.subbuf_bytes) {
		uint32_t length;

		memcpy(&length, pages + at, sizeof(length));
		length |= PAGE_LOST;
		memcpy(pages + at, &length, sizeof(length));
	}
}

/* What was copied is given back to the disk at once. */
static struct dms_error *copy_cpu(const struct dms_recording *recording,
				  const struct drain_cpu *cpu, FILE *out, char *buffer,
				  uint64_t *position)
{
	uint64_t done = 0;

	while (done < cpu->bytes) {
		uint64_t left = cpu->bytes - done;
		ssize_t got = pread(cpu->spool, buffer, left < COPY_BYTES ? left : COPY_BYTES,
				    (off_t)done);
		struct dms_error *err;

		if (got <= 0)
			return dms_error_errno(DMS_ERROR_INTERNAL, got ? errno : EIO,
					       "the temporary file of CPU %u", cpu->number);
		if (recording->n_missed)
			mark_lost(recording, buffer, (size_t)got);
		fallocate(cpu->spool, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)done, got);
		if ((err = put(out, buffer, (size_t)got, position)))
			return err;
		done += (uint64_t)got;
	}
	return NULL;
}

struct dms_error *dms_recording_write(struct dms_recording *recording, FILE *out)
{
	const struct drain *drain = &recording->drain;
	uint64_t unit = drain->subbuf_bytes, position = 0, begin_at;
	_cleanup_(dms_freep) char *buffer = dms_alloc(COPY_BYTES);
	struct dms_error *err;

	if (!buffer)
		return &dms_error_nomem;
	begin_at = recording->head.size + sizeof(TABLE_KIND) + 16 * (uint64_t)drain_n_rows(drain) + 8 +
		   strlen(recording->clock) + 2;
	begin_at = (begin_at + unit - 1) / unit * unit;
	if ((err = put(out, recording->head.data, recording->head.size, &position)) ||
	    (err = put_table(recording, out, begin_at, &position)) ||
	    (err = align(out, unit, &position)))
		return err;
	for (size_t i = 0; !err && i < drain->n_cpus; i++)
		err = copy_cpu(recording, &drain->cpus[i], out, buffer, &position);
	return err;
}
