/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a running kernel can record of DMA, and recording it: through tracefs, into a trace.dat. */
#ifndef DMASCOPE_RECORD_H
#define DMASCOPE_RECORD_H

#include <stdio.h>

#include <dmascope/base.h>

/* ---- a running kernel ------------------------------------------------------------------------ */

/** What of a machine's /sys, /proc and /boot is looked at. Nothing of it is changed. */
struct dms_kernel;

/**
 * Look at the machine below the folder @root: NULL or "" is this one, else a copy of its /sys,
 * /proc and /boot. With @may_mount, tracefs is mounted if it is not yet.
 * Errors: memory only; what is not there is said by the functions below.
 */
struct dms_error *dms_kernel_open(const char *root, bool may_mount, struct dms_kernel **ret);
void dms_kernel_close(struct dms_kernel *kernel);

/** The folder of tracefs; NULL: there is none, or we may not look into it. Borrowed. */
const char *dms_kernel_tracefs(const struct dms_kernel *kernel);
/** Release (6.12.48) and architecture (x86_64); "" if unknown. Borrowed. */
const char *dms_kernel_release(const struct dms_kernel *kernel);
const char *dms_kernel_arch(const struct dms_kernel *kernel);
/** The file @path, from the root on ("/proc/iomem"), for dms_free(); NULL: cannot be read. */
char *dms_kernel_read(const struct dms_kernel *kernel, const char *path, size_t *ret_size);
/** The same of a file of tracefs, "trace_clock". */
char *dms_kernel_read_tracefs(const struct dms_kernel *kernel, const char *path, size_t *ret_size);
bool dms_kernel_has_tracefs(const struct dms_kernel *kernel, const char *path);
/** Is there the tracepoint @system:@event; @event NULL: any of the system? */
bool dms_kernel_has_event(const struct dms_kernel *kernel, const char *system, const char *event);
/** Is there the function @name? True as well if nobody says so: trying will tell. */
bool dms_kernel_has_function(struct dms_kernel *kernel, const char *name);
/** Names in the folder @path of the root, sorted, without "." and ".."; for dms_list_free(). */
struct dms_list {
	char **items;
	size_t n_items, capacity;
};
struct dms_error *dms_kernel_list(const struct dms_kernel *kernel, const char *path,
				  struct dms_list *ret);
/** The same of a folder of tracefs. */
struct dms_error *dms_kernel_list_tracefs(const struct dms_kernel *kernel, const char *path,
					  struct dms_list *ret);
/** Add a copy of @name. Errors: memory. */
struct dms_error *dms_list_add(struct dms_list *names, const char *name);
void dms_list_free(struct dms_list *names);
/** How a probe can be put on a function. */
enum dms_probing { DMS_PROBING_NONE, DMS_PROBING_KPROBE, DMS_PROBING_FPROBE };
enum dms_probing dms_kernel_probing(const struct dms_kernel *kernel);
/** Does a return probe see the function's arguments? Since Linux 6.9; if no release says: it may be refused. */
bool dms_kernel_sees_arguments(const struct dms_kernel *kernel);
/** The value of CONFIG_@name: 'y', 'm', 'n'; 0: the configuration cannot be read. */
char dms_kernel_config(struct dms_kernel *kernel, const char *name);

/* ---- probes: what no tracepoint tells -------------------------------------------------------- */

/** A probe of a function, and what is known only by it. */
struct dms_probe {
	const char *name;     /* short name, in the group "dmascope" */
	const char *function; /* that it sits on */
	const char *arguments;
	const char *fallback; /* arguments for kernels that refuse the above; NULL: none */
	const char *filter;   /* of the kernel: which of its events matter; NULL: all */
	const char *tells;    /* what it is good for, to go behind "no probe tells" */
	bool is_return;
	bool is_everywhere;   /* every kernel that has the dma events has the function */
};
extern const struct dms_probe dms_probes[];
extern const size_t dms_n_probes;
/**
 * Probes with names and fields of the dma events, for kernels that have none; function by function
 * what they can carry. Their group is "dma". Source: include/linux/dma-mapping.h, Linux 6.9
 * to 6.11.
 */
extern const struct dms_probe dms_stand_ins[];
extern const size_t dms_n_stand_ins;
/**
 * The line that makes @probe, for kprobe_events or dynamic_events, called @group/@name (NULL: its
 * own name); with @is_fallback of its second choice. NULL when memory is short.
 */
char *dms_probe_line(const struct dms_probe *probe, enum dms_probing probing, const char *group,
		     const char *name, bool is_fallback);

/* ---- recording ------------------------------------------------------------------------------- */

enum dms_record_stacks { DMS_STACKS_MAPS, DMS_STACKS_ALL, DMS_STACKS_NONE };

/** What to record, and how. Strings are borrowed. */
struct dms_record_options {
	const char *output;	       /* the trace.dat */
	const char *clock;	       /* NULL: mono, or the best there is */
	uint64_t buffer_kb;	       /* of each CPU; 0: by the memory there is */
	uint64_t subbuf_kb;	       /* 0: as the kernel has it */
	int stacks;		       /* enum dms_record_stacks */
	const char *const *devices;    /* names; with * and ? as wildcards */
	size_t n_devices;
	const char *const *drivers;    /* devices bound to these when recording begins */
	size_t n_drivers;
	const char *const *events;     /* more of them: SYSTEM or SYSTEM:EVENT */
	size_t n_events;
	const char *const *command;    /* to run; none: until a signal, or the duration is over */
	size_t n_command;
	uint64_t duration_s;	       /* 0: no limit */
	bool has_no_probes;
	const char *id;		       /* of this recording, in names; NULL: our process id */
};

/** What is to be done to tracefs, step by step, and undone. */
struct dms_plan;
/**
 * Plan what @options ask for on @kernel.
 * Errors: USAGE: no such clock, device, driver, event; INPUT: the kernel cannot; memory, also where
 * it was refused before: then it is not known what the kernel has.
 */
struct dms_error *dms_plan_create(struct dms_kernel *kernel,
				  const struct dms_record_options *options, struct dms_plan **ret);
void dms_plan_destroy(struct dms_plan *plan);
/** Lines for a shell that do the same, with trace-cmd to fetch the data. Errors: memory. */
struct dms_error *dms_plan_print(const struct dms_plan *plan, FILE *out);
/** What the recording will not have, one sentence each, borrowed. */
const struct dms_list *dms_plan_notes(const struct dms_plan *plan);
/**
 * Do all steps. Errors: the step that failed, and why; all steps are undone then.
 */
struct dms_error *dms_plan_apply(struct dms_plan *plan);
/** Undo all that was or may have been done; a second time it does nothing. */
void dms_plan_undo(struct dms_plan *plan);

/** What became of a recording. */
struct dms_recording_report {
	uint64_t events, lost, bytes; /* as the kernel's statistics have them; of the records */
	int command_status;	      /* as of waitpid(); 0 if there was no command */
	int signal;		      /* that ended it; 0: none did */
	bool is_full;		      /* the disk was: it ends before its end */
};

struct dms_recording;
/**
 * Record by @plan until the command ends, the duration is over or a signal comes; then all is
 * undone. It is undone as well, by a second process, if this one is killed.
 * Errors: INPUT: tracefs refuses; INTERNAL: disk full at the beginning, memory, the command.
 */
struct dms_error *dms_recording_run(struct dms_kernel *kernel, struct dms_plan *plan,
				    const struct dms_record_options *options,
				    struct dms_recording **ret);
void dms_recording_destroy(struct dms_recording *recording);
const struct dms_recording_report *dms_recording_report(const struct dms_recording *recording);
/** Write the trace.dat (version 6) to @out; its data are then gone from @recording. */
struct dms_error *dms_recording_write(struct dms_recording *recording, FILE *out);

/** What lies beside a trace.dat; see dms_recording_side(). */
enum dms_side_file { DMS_SIDE_DEVICES, DMS_SIDE_IOMEM, DMS_SIDE_DUMP, DMS_N_SIDE_FILES };
/** Its text, borrowed; NULL: there is none (not readable, or the kernel hides it). */
const char *dms_recording_side(const struct dms_recording *recording, enum dms_side_file file);

/* ---- the device inventory -------------------------------------------------------------------- */

/** The inventory of the devices of @kernel, dmascope-inventory(5), for dms_free(). */
struct dms_error *dms_devices_read(const struct dms_kernel *kernel, char **ret);
/** Lines of @after that @before has not, for dms_free(); NULL when memory is short. */
char *dms_devices_changes(const char *before, const char *after);

#endif
