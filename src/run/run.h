/* SPDX-License-Identifier: LGPL-2.1-only */
/* One run of the pipeline: traces in, steps to statistics and database, figures for the summary. */
#ifndef DMASCOPE_RUN_H
#define DMASCOPE_RUN_H

#include <dmascope/decode.h>
#include <dmascope/input.h>
#include <dmascope/inventory.h>
#include <dmascope/model.h>
#include <dmascope/report.h>
#include <dmascope/rules.h>
#include <dmascope/series.h>
#include <dmascope/stats.h>
#include <dmascope/store.h>
#include <dmascope/symbols.h>

#include "filter.h"

/** Told now and then while a run reads, for a progress bar. */
typedef void (*dms_progress_fn)(void *context, uint64_t bytes_done, uint64_t bytes_total,
				uint64_t events);

/** Notes a run makes on itself. Strings live in the arena. */
struct dms_run_notes {
	struct dms_note *notes;
	uint32_t *devices; /* of each note: index of the device, or DMS_ID_NONE */
	size_t n_notes, notes_capacity, devices_capacity;
};

/** Linux's PID_MAX_LIMIT: no task has a greater number. */
#define DMS_RUN_PID_LIMIT (4u << 20)

/** What the rules found: findings.c. */
struct dms_run_findings;
/** The same, counted by fingerprint: groups.c. */
struct dms_run_groups;
/** Files beside the traces: side.c. */
struct dms_run_side;
/** Threads, and what goes between them: pump.h, ledger.h, tally.h, digest.h. */
struct dms_pump;
struct dms_ledger;
struct dms_tally;
struct dms_digest;
/** Copies of what is compressed or a pipe: recognise.c. */
struct dms_run_files;

/** Who wants to know while a run reads. Findings may lose confidence up to dms_run_finish(). */
struct dms_run_watcher {
	dms_step_fn step; /* NULL: not wanted */
	/** @row is @finding as it would be stored, without a fingerprint; NULL: not wanted. */
	struct dms_error *(*finding)(void *context, const struct dms_finding *finding,
				     const struct dms_finding_row *row);
	void *context;
};

/** Everything of one run, open from dms_run_open() to dms_run_close(). */
struct dms_run {
	struct dms_arena *arena;
	struct dms_merge *merge;
	struct dms_decoder **decoders; /* one for each file */
	uint32_t n_files;
	uint32_t *first_instance; /* of each file: the run numbers all buffer instances */
	uint32_t *file_inputs; /* of each file: DMS_INPUT_* by what was taken of it so far */
	struct dms_names names;
	struct dms_model *model;
	struct dms_stats *stats;
	struct dms_series *series; /* NULL: no database */
	struct dms_store *store; /* NULL: no database */
	bool keep_events, in_place, figures_only;
	struct dms_pump *pump;	   /* these three: while dms_run_read() reads; else NULL */
	struct dms_ledger *ledger; /* NULL: steps are entered as they are told */
	struct dms_tally *tally;   /* NULL: they are counted as they are told, or by the ledger */
	struct dms_tally *late_tally; /* the same while the other thread has time; else NULL */
	bool puts_off;		   /* it has time */
	struct dms_digest *digest; /* NULL: files are hashed when that is asked for */
	struct dms_run_twins *twins;   /* NULL: there is but one file */
	bool salvage;		       /* what cannot be read is done without */
	const struct dms_event *event; /* being processed */
	uint64_t mapping_row;	       /* of the mapping it concerns, for --events; 0: none */
	uint64_t records, events;      /* read; of these, decoded */
	uint64_t first_ts, last_ts;
	uint64_t gaps, lost_events;
	uint64_t sized_gaps; /* of gaps: those that say how many events were lost */
	uint64_t hole_gaps;  /* of gaps: those between files */
	uint64_t clock_gaps; /* of gaps: those where a clock stood still */
	const struct dms_run_filter *filter; /* what is told; NULL: everything */
	uint64_t since_ts, until_ts; /* the window that is told; UINT64_MAX: to the end */
	bool is_window_begun;
	uint64_t *task_bits; /* which pids below DMS_RUN_PID_LIMIT appeared; of whoever decodes */
	bool clock_is_ns;    /* in all files */
	bool has_syncs;	     /* of any device; notes.c */
	struct dms_run_findings *findings;
	struct dms_run_groups *groups;
	uint32_t inputs; /* DMS_INPUT_*: what the trace and its side files can show */
	struct dms_run_side *side;
	struct dms_run_files *files;
	const char *kallsyms_file; /* what the user calls it; NULL: none was given */
	struct dms_run_text {
		char *text;
		size_t size, capacity;
	} symbol_text; /* of several files, some of them texts; symbols borrows it */
	struct dms_record chained; /* symbols.c: the record being decoded, with chain as its own */
	uint64_t *chain;
	size_t chain_capacity;
	struct dms_inventory *inventory;       /* NULL: none was given, and none is in the trace */
	struct dms_symbols *symbols;	       /* NULL until the end, or without call stacks */
	struct dms_device_facts *device_facts; /* of each device, from dms_run_finish() on */
	struct dms_run_notes notes;
	struct dms_device_summary *device_summaries;
	const char **paths, **formats;
	struct dms_run_watcher watcher;
	bool has_listeners; /* beside the statistics: ledger, store or watcher */
};

struct dms_run_options {
	const char *output;    /* database to write; NULL: none */
	const char *inventory; /* file to read; NULL: none */
	const char *iomem, *dump_seed, *kernel_log, *kallsyms; /* the same */
	const char *formats_dir; /* folder of event formats; NULL: none */
	struct dms_source *source; /* in place of files; taken, also on failure. NULL: none */
	bool keep_events;
	bool in_place;			  /* as dms_store_options.in_place */
	bool figures_only;		  /* as dms_store_options.figures_only */
	const struct dms_part_watch *part_watch; /* as dms_store_options.part_watch */
	bool salvage;			  /* analyze what is left of a damaged file */
	bool keep_stacks;		  /* intern call stacks */
	const char *const *rule_switches; /* "ID" or "no-ID" */
	size_t n_rule_switches;
	dms_progress_fn progress;
	void *progress_context;
	struct dms_run_watcher watcher;
};

/** Open the files and begin the database, if one is asked for. */
struct dms_error *dms_run_open(struct dms_run *run, const char *const *paths, size_t n_paths,
			       const struct dms_run_options *options);
/** Read everything. Errors: unreadable or damaged input. */
struct dms_error *dms_run_read(struct dms_run *run, const struct dms_run_options *options);
/** One record or gap: what dms_run_read() does with each. Whoever has them may hand them over. */
struct dms_error *dms_run_take(struct dms_run *run, const struct dms_item *item);
/** There are no more. dms_run_read() does that, too. */
struct dms_error *dms_run_end(struct dms_run *run);
/** Write what the whole run amounts to, and give the database its name. */
struct dms_error *dms_run_finish(struct dms_run *run);
void dms_run_close(struct dms_run *run);

/** Figures of the run, borrowed from it. Errors: memory. */
struct dms_error *dms_run_summarise(struct dms_run *run, struct dms_summary *ret);

/** The name of task @pid as some file saved it, or NULL. Errors: memory. */
struct dms_error *dms_run_comm(struct dms_run *run, uint32_t pid, const char **ret);

/* calls.c */
/** The calls finding @row is about, named and with their stacks, into @ret. Errors: memory. */
struct dms_error *dms_run_calls(struct dms_run *run, const struct dms_finding_row *row,
				struct dms_finding_summary *ret);

/* symbols.c */
/**
 * Keep the addresses that @file, a text, made up apart from those of other files.
 * Return: @record, or a copy of it in @run, good until the next call; NULL: memory is short.
 */
const struct dms_record *dms_run_chain(struct dms_run *run, uint32_t file,
				       const struct dms_record *record);
/** Make run->symbols, if there are call stacks. Errors: memory; damaged ones, but for --salvage. */
struct dms_error *dms_run_load_symbols(struct dms_run *run);
/** Note symbols that were given and fit no address. */
struct dms_error *dms_run_note_symbols(struct dms_run *run);

/* side.c */
/** Read the side files of @options, configure and seed the model. Errors: unreadable ones. */
struct dms_error *dms_run_side_open(struct dms_run *run, const struct dms_run_options *options);
void dms_run_side_close(struct dms_run *run);
/** @event is next for the model: take what side files, or it itself, tell before. */
struct dms_error *dms_run_side_event(struct dms_run *run, const struct dms_event *event);
/** True if dms_run_side_event() has nothing to do for events of @kinds, bits by their enum. */
bool dms_run_side_is_idle(const struct dms_run *run, uint64_t kinds);
/** True if taking events asks the decoders what they have seen: none may be ahead. */
bool dms_run_side_asks_decoders(const struct dms_run *run);
/** There are no more events: take the rest, and note what was of no use. */
struct dms_error *dms_run_side_end(struct dms_run *run);

/* findings.c */
/** Before anything is told: what the whole trace overturns is only possible. */
void dms_run_doubt_findings(struct dms_run *run);
/** True if something was found by @rule. */
bool dms_run_found(const struct dms_run *run, const struct dms_rule *rule);
struct dms_error *dms_run_findings_create(struct dms_run *run,
					  const struct dms_run_options *options);
void dms_run_findings_destroy(struct dms_run_findings *findings);
/** False if dms_run_judge() of @step would do nothing, as it nearly always is. */
bool dms_run_may_judge(const struct dms_run *run, const struct dms_step *step);
/** Let the rules look at @step. */
struct dms_error *dms_run_judge(struct dms_run *run, const struct dms_step *step);
/** Is there a finding of at least @severity and @confidence? Those not kept count as well. */
bool dms_run_has_finding(const struct dms_run *run, enum dms_severity severity,
			 enum dms_confidence confidence);
/** How many there are. */
uint64_t dms_run_count_findings(const struct dms_run *run, enum dms_severity severity,
				enum dms_confidence confidence);
/** Rules that were switched off, or not asked for: ids and blanks. Taken; NULL: memory. */
char *dms_run_rules_off(const struct dms_run *run);
/** Rows of table finding, in order of time, and of finding_group. */
struct dms_error *dms_run_store_findings(struct dms_run *run);
struct dms_error *dms_run_summarise_findings(struct dms_run *run, struct dms_summary *summary);

/** Drop what --driver filters out: drivers are known now. */
void dms_run_filter_findings(struct dms_run *run);
/** Note the findings that were counted and not kept, or filtered out. */
struct dms_error *dms_run_note_findings(struct dms_run *run);

/** Did only the whole trace show that what @rule found on @device is not sure? */
bool dms_run_is_overturned(const struct dms_run *run, const struct dms_rule *rule, uint32_t device);

/* groups.c */
struct dms_run_groups *dms_run_groups_create(void);
void dms_run_groups_destroy(struct dms_run_groups *groups);
/** Count @finding; *@ret_number: of those that have all in common with it. Errors: memory. */
struct dms_error *dms_run_groups_add(struct dms_run_groups *groups,
				     const struct dms_finding *finding, uint32_t device,
				     uint32_t *ret_number);
/** As dms_run_doubt_findings() and dms_run_filter_findings(), which call them. */
void dms_run_groups_doubt(struct dms_run *run);
void dms_run_groups_filter(struct dms_run *run);
/** Make fingerprints, and add up what has the same. Drivers and symbols are known. Errors: memory. */
struct dms_error *dms_run_groups_settle(struct dms_run *run);
/** Findings of @number: one is stored as @finding_row, from 1. Return: fingerprint, borrowed. */
const char *dms_run_groups_row(struct dms_run_groups *groups, uint32_t number,
			       uint64_t finding_row);
/** The fingerprint of findings of @number; valid once settled, as long as the run. */
const char *dms_run_groups_fingerprint(const struct dms_run_groups *groups, uint32_t number);
/** Rows of table finding_group. */
struct dms_error *dms_run_groups_store(struct dms_run *run);
/** Note findings whose call sites were too many to count them by. */
struct dms_error *dms_run_groups_note(struct dms_run *run);

/** Keep @reason (taken; from dms_asprintf()) as a note. @device: index or DMS_ID_NONE. */
struct dms_error *dms_run_add_note(struct dms_run *run, const char *rule, uint32_t device,
				   char *reason);
/** notes.c: what was lost and what cannot be judged. */
struct dms_error *dms_run_note_all(struct dms_run *run);
/** No record was one of ours: say what the files hold and how to record what we need. */
struct dms_error *dms_run_nothing_found(const struct dms_run *run);

#endif
