/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files of the recording room share. */
#ifndef DMS_RECORD_LOCAL_H
#define DMS_RECORD_LOCAL_H

#include <signal.h>

#include <dmascope/record.h>

struct dms_kernel {
	char *root;    /* "" for this machine */
	char *tracefs; /* NULL: none */
	char *release, *arch;
	char *kallsyms; /* read when first needed; NULL: not yet, or not readable */
	char *config;
	bool has_tried_kallsyms, has_tried_config;
	bool is_copy; /* of another machine: nothing may be mounted */
};

/* ---- kernel.c -------------------------------------------------------------------------------- */

/** Probes that sit on ftrace alone (CONFIG_FPROBE_EVENTS): no other probe makes them miss a call. */
bool kernel_has_fprobes(const struct dms_kernel *kernel);
/** Is @event, "GROUP/NAME", a probe? */
bool kernel_has_probed(const struct dms_kernel *kernel, const char *event);

/* ---- text.c ---------------------------------------------------------------------------------- */

/** Text that grows; after a lack of memory all puts do nothing. Terminated if data is not NULL. */
struct text {
	char *data;
	size_t size, capacity;
	bool is_broken;
};
void text_put(struct text *text, const char *data, size_t size);
void text_printf(struct text *text, const char *fmt, ...) _printf_(2, 3);
/** The whole file @path; NULL: errno says why. /proc and /sys tell no sizes. */
char *text_file(const char *path, size_t *ret_size);
/** The line at @text, without its end; *@ret_next: the one behind, NULL at the end. */
size_t text_line(const char *text, const char **ret_next);

/* ---- plan.c, steps.c ------------------------------------------------------------------------- */

enum step_kind {
	STEP_INSTANCE, /* make a folder of tracefs; undone by removing it */
	STEP_WRITE,    /* write text to a file of the instance; the instance's end undoes it */
	STEP_APPEND,   /* append text to a file of tracefs; undone by appending what undoes it */
};

/** One thing done to tracefs. */
struct step {
	enum step_kind kind;
	char *path;	/* below tracefs */
	char *text;	/* NULL: STEP_INSTANCE */
	char *fallback; /* if the kernel refuses the text; or NULL */
	char *undo;	/* of STEP_APPEND */
	char *loss;	/* what is lost if it fails; NULL: nothing goes without it */
	char *depends;	/* do it only if this file of tracefs is there; NULL: always */
	bool is_done;
};

struct dms_plan {
	char *tracefs;
	char *instance; /* its name */
	char *folder;	/* "instances/NAME" */
	char *group;	/* of our probes */
	char *output;	/* for what is printed */
	char *command;	/* the same, quoted for a shell; NULL: none */
	char *clock;
	char *trace_cmd; /* the arguments that make trace-cmd record alike */
	uint64_t duration_s;
	uint64_t cpu_buffer_kb;
	struct step *steps;
	size_t n_steps, capacity;
	struct dms_list systems; /* of events, each once: their formats go into the file */
	struct dms_list notes;
	bool is_undone, is_orphaned;
};

struct dms_error *plan_note(struct dms_plan *plan, const char *fmt, ...) _printf_(2, 3);
/** Add @step, whose strings become the plan's, even if it fails. Errors: memory. */
struct dms_error *plan_add(struct dms_plan *plan, struct step step);
/** @text in quotes for a shell; NULL when memory is short. */
char *shell_quote(const char *text);

/** plan_events.c: the steps for events. */
struct dms_error *plan_events(struct dms_plan *plan, struct dms_kernel *kernel,
			      const struct dms_record_options *options, bool has_stand_ins);
/** plan_probes.c: the steps that make probes; *@ret_stand_ins: the dma events are probes. */
struct dms_error *plan_probes(struct dms_plan *plan, struct dms_kernel *kernel,
			      const struct dms_record_options *options, bool *ret_stand_ins);
/** Calls the kernel says our stand-ins have missed so far. */
uint64_t plan_missed_calls(const struct dms_plan *plan, const struct dms_kernel *kernel);
/** plan_filter.c: "FIELD == ..." of what is asked for; *@ret NULL: everything. */
struct dms_error *filter_devices(const struct dms_kernel *kernel,
				 const struct dms_record_options *options, struct dms_list *ret);
char *filter_of(const struct dms_list *devices, const char *field);
/** Note which of the names asked for no device has now: a slip of the pen records nothing. */
struct dms_error *filter_note_absent(struct dms_plan *plan, const struct dms_kernel *kernel,
				     const struct dms_record_options *options);

/* ---- guard.c --------------------------------------------------------------------------------- */

/** A process that undoes the plan if we die. */
struct guard {
	int pipe; /* to it; -1: none */
	int pid;
};
struct dms_error *guard_start(struct guard *guard, struct dms_plan *plan);
/** All was undone: it may go. */
void guard_end(struct guard *guard);

/* ---- drain.c --------------------------------------------------------------------------------- */

struct tracefs_cpu;
/** The buffer of one CPU on its way to a file without name. */
struct drain_cpu {
	struct tracefs_cpu *cpu;
	int raw;       /* trace_pipe_raw */
	int spool;     /* -1: none */
	unsigned int number;
	uint64_t bytes; /* in it */
	char *stats;	/* of the kernel, when all was read */
};

struct drain {
	struct drain_cpu *cpus; /* by number, which may have holes */
	size_t n_cpus, capacity;
	uint32_t subbuf_bytes;
	char *page; /* one sub-buffer, for the last reads */
	int reserve; /* file that keeps some room on the disk for the end; -1: none */
};

/** Open all buffers of the @instance folder. @output: the file beside which data are kept. */
struct dms_error *drain_open(struct drain *drain, const char *instance, const char *output);
void drain_close(struct drain *drain);
/** Rows of the CPUs in a trace.dat, whose row tells the number: those of holes are empty. */
uint32_t drain_n_rows(const struct drain *drain);
/** Close what tracefs has; the data stay. The instance cannot be removed before. */
void drain_detach(struct drain *drain);
/** Move what fills whole sub-buffers. Errors: *@ret_full: the disk is full; INTERNAL else. */
struct dms_error *drain_some(struct drain *drain, bool *ret_full);
/** Move all that is left, after recording has stopped; and take the statistics. */
struct dms_error *drain_rest(struct drain *drain, const char *instance, bool *ret_full);

/* ---- command.c ------------------------------------------------------------------------------- */

/** Wait for the end of what is recorded, moving data meanwhile. */
struct watch {
	struct drain *drain;
	const struct dms_record_options *options;
	struct dms_recording_report *report;
	struct symbols *symbols;
	const struct dms_kernel *kernel;
};
struct dms_error *watch_run(struct watch *watch);
/** The signals that end it: to be blocked since before anything is changed. */
void watch_signals(sigset_t *ret);

/* ---- tasks.c --------------------------------------------------------------------------------- */

/** Lines "PID NAME", each task once: the first name that is told stays. */
struct tasks {
	struct text lines;
	struct dms_strtab *pids;
};
struct dms_error *tasks_init(struct tasks *tasks);
void tasks_deinit(struct tasks *tasks);
/** Add the lines of tracefs' saved_cmdlines. */
void tasks_add_lines(struct tasks *tasks, const char *text);
/** Add what runs now. */
struct dms_error *tasks_add_running(struct tasks *tasks, const struct dms_kernel *kernel);

/* ---- symbols.c ------------------------------------------------------------------------------- */

/** Lines of /proc/kallsyms: of the kernel, and of all modules there were; each once. */
struct symbols {
	struct text lines;
	struct dms_strtab *seen;    /* lines of modules */
	struct dms_strtab *modules; /* "NAME ADDRESS" */
};
struct dms_error *symbols_init(struct symbols *symbols);
void symbols_deinit(struct symbols *symbols);
/** Add what there is now. Where memory is short lines.is_broken is set. */
void symbols_take(struct symbols *symbols, const struct dms_kernel *kernel);
/** Add what there is now if a module has come. */
void symbols_look(struct symbols *symbols, const struct dms_kernel *kernel);
/**
 * Modules that went before their symbols were read get one in place of all, "no_symbols", where they
 * were: else what was called from there would have the name of the nearest function of another.
 * Return: their names, ", " between them, for dms_free(); NULL: there are none, no symbols can be read
 * at all, or memory is short.
 */
char *symbols_fill_in(struct symbols *symbols);

/* ---- head.c ---------------------------------------------------------------------------------- */

/**
 * What stands in a trace.dat before the table of CPUs: formats, symbols, tasks, options. Errors:
 * memory, tracefs.
 */
struct head_source {
	const struct dms_kernel *kernel;
	const struct dms_plan *plan;
	const struct drain *drain;
	const struct symbols *symbols;
	const struct tasks *tasks;
};
struct dms_error *head_build(const struct head_source *source, struct text *ret);

#endif
