/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The public C API of libdmascope: traces or records in; mappings, findings and a database out; and
 * run databases read again. libdmascope(3) tells it as a whole. This is all that other programs
 * may count on: the other headers are the inside, and change with every version.
 *
 * Errors: functions that may fail return NULL, or an error that is the caller's to free; then what
 * they would have made, *@ret, is NULL. NULL for a handle is an error, or NULL again; no crash.
 * Threads: there is no global state. A handle, and what was made from it, belongs to one thread at a
 * time; different handles do not know of each other. A call may start threads, and has ended them
 * when its handle is destroyed. Nothing is written to standard output or standard error.
 * Structs that the caller fills begin with their size: set it to sizeof, and the rest to 0; members
 * are only ever added at the end. Structs that the library fills are only read, through a pointer
 * it returned, and never copied by size.
 * Strings are UTF-8 as far as the trace is: device and task names may hold any byte but 0.
 */
#ifndef DMASCOPE_DMASCOPE_H
#define DMASCOPE_DMASCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define DMASCOPE_API __attribute__((visibility("default")))
#else
#define DMASCOPE_API
#endif

/** "0.1.0": of the library that runs, which may be newer than this header. */
DMASCOPE_API const char *dmascope_version(void);

/** A number that the trace does not tell. Times, addresses, sizes; ids of what there is none. */
#define DMASCOPE_UNKNOWN   UINT64_MAX
#define DMASCOPE_UNKNOWN32 UINT32_MAX

/* ---- errors: libdmascope-error(3) ---------------------------------------------------------- */

enum dmascope_code {
	DMASCOPE_OK = 0,	     /* only dmascope_error_code(NULL) */
	DMASCOPE_ERROR_USAGE = 2,    /* an argument, an option's value, a call out of turn */
	DMASCOPE_ERROR_INPUT = 3,    /* unreadable, damaged, or not what it should be */
	DMASCOPE_ERROR_INTERNAL = 4, /* disk full, out of memory, a library failed */
	DMASCOPE_ERROR_STOPPED = 5,  /* a callback asked for it */
};

struct dmascope_error;
DMASCOPE_API enum dmascope_code dmascope_error_code(const struct dmascope_error *error);
/** One line, borrowed from @error. Options are called as dmascope-analyze(1) calls them. */
DMASCOPE_API const char *dmascope_error_message(const struct dmascope_error *error);
/** NULL is allowed. */
DMASCOPE_API void dmascope_error_free(struct dmascope_error *error);

/* ---- what a run tells ---------------------------------------------------------------------- */

enum dmascope_severity { DMASCOPE_INFO, DMASCOPE_WARNING, DMASCOPE_ERROR };
enum dmascope_confidence { DMASCOPE_POSSIBLE, DMASCOPE_LIKELY, DMASCOPE_CERTAIN };
/** "info", "warning", "error"; "possible", "likely", "certain"; NULL for any other value. */
DMASCOPE_API const char *dmascope_severity_name(enum dmascope_severity severity);
DMASCOPE_API const char *dmascope_confidence_name(enum dmascope_confidence confidence);

/** One life of a mapping, as a row of view mappings in dmascope-db(5). */
struct dmascope_mapping {
	uint64_t id;		/* its row in the database, from 1 */
	const char *device;	/* dev_name(); NULL: the trace names none */
	const char *driver;	/* NULL: not known; in a callback only an inventory tells */
	uint32_t generation;	/* of the device, from 1 */
	const char *kind;	/* "page", "sg", "coherent", ... */
	const char *direction;	/* "TO_DEVICE", ... */
	const char *end;	/* "unmapped", "live", "pre-trace", ... */
	enum dmascope_confidence confidence; /* in this pairing */
	const char *reason;	/* for less than certainty; else NULL */
	/* DMASCOPE_UNKNOWN: not traced, or there is no such thing */
	uint64_t dma_addr, phys_addr, virt_addr;
	uint64_t size_bytes;	/* of all segments; "at least" if is_truncated */
	uint64_t attrs;		/* DMA_ATTR_* */
	uint64_t segments, entries; /* after mapping; given by the caller */
	uint64_t map_ns, unmap_ns; /* trace clock */
	uint64_t ended_ns;	/* a life without an unmap was over by then */
	uint32_t map_cpu, unmap_cpu, map_pid, unmap_pid; /* DMASCOPE_UNKNOWN32: not seen */
	uint64_t map_stack_id, unmap_stack_id; /* 0: not recorded; see dmascope_frames_open() */
	uint64_t syncs_for_cpu, syncs_for_device;
	bool is_truncated;	/* the kernel cut the list at 128 entries */
	bool is_bounced;	/* it went through swiotlb */
};

/** A broken rule, as a row of view findings in dmascope-db(5). */
struct dmascope_finding {
	uint64_t id;		/* its row in the database, from 1; 0: in a callback */
	const char *rule;	/* see dmascope-rules(7) */
	enum dmascope_severity severity;
	enum dmascope_confidence confidence;
	const char *reason;	/* for less than certainty; else NULL */
	const char *device;	/* NULL: none is concerned */
	const char *driver;	/* NULL: not known; in a callback only an inventory tells */
	const char *message;	/* one sentence */
	const char *facts;	/* a JSON object: the figures behind it */
	const char *fingerprint; /* same defect, same text, in any run; NULL: in a callback */
	uint64_t mapping_id;	/* 0: none is concerned */
	uint64_t ts_ns;		/* trace clock */
	uint64_t dma_addr, size_bytes; /* both 0: it is about no addresses */
	uint32_t cpu, pid;	/* DMASCOPE_UNKNOWN32: not known */
	uint64_t stack_id;	/* 0: not recorded */
};

/* ---- analyzing: libdmascope-analysis(3) ---------------------------------------------------- */

enum dmascope_level { DMASCOPE_LOG_ERROR, DMASCOPE_LOG_WARN, DMASCOPE_LOG_INFO, DMASCOPE_LOG_DEBUG };

/** Bits of dmascope_options.flags. */
enum dmascope_flag {
	DMASCOPE_KEEP_EVENTS = 1 << 0,  /* tables event and mapping_segment, too */
	DMASCOPE_FIGURES_ONLY = 1 << 1, /* no mappings in the database: small */
	DMASCOPE_SALVAGE = 1 << 2,	/* analyze what is left of damaged files */
};

/**
 * All may be 0 and NULL. Lists of names end with NULL. Everything is copied, but @context.
 * Callbacks run in the thread that called the library, must not call functions of the same
 * handle, and see everything only until they return; no exception and no longjmp() may leave them.
 * One that returns other than 0 stops the run with DMASCOPE_ERROR_STOPPED; there is no database.
 */
struct dmascope_options {
	size_t size;		 /* sizeof(struct dmascope_options) */
	uint32_t flags;
	const char *output;	 /* database to write; it appears when it is complete */
	/* side files and filters, as the options of dmascope-analyze(1) */
	const char *inventory, *iomem, *dump_seed, *kernel_log, *kallsyms, *formats_dir;
	const char *const *devices, *const *drivers, *const *rules;
	const char *const *rule_switches; /* "ID" or "no-ID" */
	const char *since, *until;
	uint64_t limit;		 /* findings kept one by one, a rule, device and severity; 0: 1,000 */
	void *context;		 /* for the callbacks */
	/** A life is complete: in the order of the database. All lives: filters are for findings. */
	int (*on_mapping)(void *context, const struct dmascope_mapping *mapping);
	/**
	 * A rule was found broken. The end of the trace may still lower its confidence: the summary
	 * and the database have the last word.
	 */
	int (*on_finding)(void *context, const struct dmascope_finding *finding);
	/** What the program would say on standard error; the run goes on. */
	void (*on_message)(void *context, enum dmascope_level level, const char *line);
	/** Every 65,536 records of dmascope_analysis_files(). */
	void (*on_progress)(void *context, uint64_t bytes_done, uint64_t bytes_total,
			    uint64_t records);
};

/** One run: made, then either given files or fed, asked, destroyed. */
struct dmascope_analysis;
/** @options NULL: defaults. Errors: USAGE: a size this library does not know; memory. */
DMASCOPE_API struct dmascope_error *
dmascope_analysis_create(const struct dmascope_options *options, struct dmascope_analysis **ret);
/** NULL is allowed. What was begun and did not end leaves no database. */
DMASCOPE_API void dmascope_analysis_destroy(struct dmascope_analysis *analysis);
/**
 * Analyze trace files, and side files among them, as one run; "-" is standard input.
 * Errors: as dmascope-analyze(1) has them; a second call.
 */
DMASCOPE_API struct dmascope_error *dmascope_analysis_files(struct dmascope_analysis *analysis,
							    const char *const *paths,
							    size_t n_paths);

/* ---- feeding: libdmascope-feed(3) ---------------------------------------------------------- */

/** What is known before the first record. Everything is copied, but @context. */
struct dmascope_feed_head {
	size_t size;		/* sizeof(struct dmascope_feed_head) */
	const char *name;	/* what messages and the database call it; NULL: "(fed)" */
	const char *uname, *release, *clock; /* of the traced kernel; NULL: not known */
	const char *kallsyms;	/* text of /proc/kallsyms; NULL: functions stay without names */
	size_t kallsyms_bytes;
	uint32_t n_cpus, page_bytes, long_bytes; /* 0: 1, 4096, 8 */
	bool is_big_endian;
	bool is_clock_in_ticks; /* the clock does not count nanoseconds */
	/** Name of a task, until dmascope_feed_end(); NULL: not known. May be NULL. */
	const char *(*task_name)(void *context, uint32_t pid);
	void *context;
};

/** One raw trace record. */
struct dmascope_record {
	size_t size;		/* sizeof(struct dmascope_record) */
	uint64_t ts;		/* trace clock; not before that of the record before it */
	const void *data;	/* as the kernel wrote it, from common_type on; copied */
	uint32_t data_bytes;
	uint32_t cpu;
	int64_t lost;		/* events lost before it on its CPU; 0: none, negative: some */
};

/**
 * Tell an event's format, before dmascope_feed_begin(): the content of its file "format" in
 * tracefs, "name:" and "ID:" among it. Errors: USAGE: it has none of these; memory.
 */
DMASCOPE_API struct dmascope_error *dmascope_feed_format(struct dmascope_analysis *analysis,
							 const char *system, const char *text,
							 size_t text_bytes);
/** Begin the run. @head NULL: nothing is known. Errors: as dmascope_analysis_files(). */
DMASCOPE_API struct dmascope_error *dmascope_feed_begin(struct dmascope_analysis *analysis,
							const struct dmascope_feed_head *head);
/** Errors: USAGE: out of order of time; memory, writing, STOPPED: the run is over. */
DMASCOPE_API struct dmascope_error *dmascope_feed_record(struct dmascope_analysis *analysis,
							 const struct dmascope_record *record);
/** There are no more records: judge what is left, complete the database. */
DMASCOPE_API struct dmascope_error *dmascope_feed_end(struct dmascope_analysis *analysis);

/* ---- summaries: libdmascope-summary(3) ----------------------------------------------------- */

struct dmascope_figures {
	const char *kernel, *clock; /* NULL: not recorded */
	bool is_complete;
	bool is_clock_in_ticks;	/* durations are ticks, not nanoseconds */
	uint64_t first_ns, last_ns;
	uint64_t records, events, malformed; /* read; decoded; not decodable */
	uint64_t gaps, lost_events;
	size_t n_devices, n_findings, n_notes; /* of the lists below */
};

/** One generation of one device. DMASCOPE_UNKNOWN: not known. */
struct dmascope_device {
	const char *name, *address_mode;
	const char *driver;	/* NULL: not known */
	uint32_t generation;
	uint64_t maps, unmaps, syncs, failed; /* calls, allocations and frees among them */
	uint64_t live_at_end, live_bytes_at_end;
	uint64_t pre_trace;	/* unmaps whose map was not seen */
	uint64_t bytes_to_device, bytes_from_device, bytes_bidirectional, bytes_allocated;
	uint64_t lifetime_p50_ns, lifetime_p99_ns, lifetime_max_ns;
	uint64_t peak_live, peak_live_bytes, peak_live_bytes_ns;
	uint64_t bounces, bounced_bytes;
	uint64_t maybe_elided;	/* lives without an unmap that may have been skipped legally */
};

/** The findings of one rule on one device. */
struct dmascope_finding_group {
	const char *rule;
	const char *device;	/* NULL: none is concerned */
	enum dmascope_severity severity; /* the gravest */
	enum dmascope_confidence confidence; /* of the first of these, as the rest */
	uint64_t count;		/* all of them, whatever their severity */
	uint64_t first_ns;
	const char *message, *reason;
};

/** What was lost, or could not be judged: no finding is not the same as no mistake. */
struct dmascope_note {
	const char *rule;	/* NULL: the whole run */
	const char *device;	/* NULL: all */
	const char *reason;
};

struct dmascope_db;
/** Figures and lists of a run. It must be destroyed before what it was made from. */
struct dmascope_summary;
/** Errors: USAGE: the run has not ended, or not well; memory. */
DMASCOPE_API struct dmascope_error *
dmascope_analysis_summary(struct dmascope_analysis *analysis, struct dmascope_summary **ret);
DMASCOPE_API struct dmascope_error *dmascope_db_summary(struct dmascope_db *db,
							struct dmascope_summary **ret);
/** NULL is allowed. */
DMASCOPE_API void dmascope_summary_destroy(struct dmascope_summary *summary);
/** Borrowed; of the lists, number @index from 0, gravest findings first; NULL behind the end. */
DMASCOPE_API const struct dmascope_figures *
dmascope_summary_figures(const struct dmascope_summary *summary);
DMASCOPE_API const struct dmascope_device *
dmascope_summary_device(const struct dmascope_summary *summary, size_t index);
DMASCOPE_API const struct dmascope_finding_group *
dmascope_summary_finding(const struct dmascope_summary *summary, size_t index);
DMASCOPE_API const struct dmascope_note *
dmascope_summary_note(const struct dmascope_summary *summary, size_t index);

/** Findings that are at least so grave and so sure. No such words: DMASCOPE_UNKNOWN. */
DMASCOPE_API uint64_t dmascope_summary_count(const struct dmascope_summary *summary,
					     enum dmascope_severity severity,
					     enum dmascope_confidence confidence);

/* ---- run databases: libdmascope-db(3) ------------------------------------------------------ */

/** Open a finished run. Errors: INPUT: missing, not ours, of another schema, not complete. */
DMASCOPE_API struct dmascope_error *dmascope_db_open(const char *path, struct dmascope_db **ret);
/** NULL is allowed. Everything made from @db must have been closed before. */
DMASCOPE_API void dmascope_db_close(struct dmascope_db *db);
/** Value of @key in table run, such as "tool_version", borrowed from @db; NULL: none. */
DMASCOPE_API const char *dmascope_db_fact(struct dmascope_db *db, const char *key);

/** Which rows; NULL and 0: all. Copied. */
struct dmascope_query {
	size_t size;		/* sizeof(struct dmascope_query) */
	const char *device, *driver; /* names, exactly */
	const char *end;	/* mappings: how they ended, "live" for leaks */
	const char *rule;	/* findings: by this rule */
	enum dmascope_severity min_severity; /* findings: at least so grave; 0: all */
	uint64_t from_id;	/* rows with this id and greater: to go on where one ended */
};

/** Rows in the order of their ids. */
struct dmascope_mappings;
struct dmascope_findings;
struct dmascope_frames;

/** @query may be NULL. Errors: INPUT: the database was written with DMASCOPE_FIGURES_ONLY. */
DMASCOPE_API struct dmascope_error *dmascope_mappings_open(struct dmascope_db *db,
							   const struct dmascope_query *query,
							   struct dmascope_mappings **ret);
/** *@ret: the next row, borrowed until the next call for @mappings; NULL: there are no more. */
DMASCOPE_API struct dmascope_error *
dmascope_mappings_next(struct dmascope_mappings *mappings, const struct dmascope_mapping **ret);
/** NULL is allowed. */
DMASCOPE_API void dmascope_mappings_close(struct dmascope_mappings *mappings);

/** The same for findings: those that have a row, up to the limit of their run. */
DMASCOPE_API struct dmascope_error *dmascope_findings_open(struct dmascope_db *db,
							   const struct dmascope_query *query,
							   struct dmascope_findings **ret);
DMASCOPE_API struct dmascope_error *
dmascope_findings_next(struct dmascope_findings *findings, const struct dmascope_finding **ret);
DMASCOPE_API void dmascope_findings_close(struct dmascope_findings *findings);

/** One frame of a call stack. */
struct dmascope_frame {
	uint64_t address;	/* DMASCOPE_UNKNOWN: a text dump does not tell */
	const char *function;	/* NULL: not known; then module and offset mean nothing */
	const char *module;	/* NULL: the kernel itself */
	uint64_t offset_bytes;	/* of the address in the function; DMASCOPE_UNKNOWN: not told */
};

/** The same for the call stack @stack_id, innermost frame first; 0 has none. */
DMASCOPE_API struct dmascope_error *dmascope_frames_open(struct dmascope_db *db, uint64_t stack_id,
							 struct dmascope_frames **ret);
DMASCOPE_API struct dmascope_error *dmascope_frames_next(struct dmascope_frames *frames,
							 const struct dmascope_frame **ret);
DMASCOPE_API void dmascope_frames_close(struct dmascope_frames *frames);

#ifdef __cplusplus
}
#endif

#endif
