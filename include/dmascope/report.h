/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a person or a program reads: the summary of a run as text, JSON or CSV; tables. */
#ifndef DMASCOPE_REPORT_H
#define DMASCOPE_REPORT_H

#include <stdio.h>

#include <dmascope/base.h>
#include <dmascope/model.h>
#include <dmascope/rules.h>

struct sqlite3;

/** One device's figures in a summary. Times are ns; UINT64_MAX: not known. */
struct dms_device_summary {
	const char *name;
	uint32_t generation;
	const char *address_mode;
	const char *driver;	   /* NULL: not known */
	uint64_t maps, unmaps;	   /* of every kind, allocations and frees among them */
	uint64_t syncs;
	uint64_t live_at_end, live_bytes_at_end;
	uint64_t maybe_elided;	   /* lives without an unmap that may have been skipped legally */
	uint64_t failed;
	uint64_t pre_trace;	   /* unmaps whose map was not seen */
	uint64_t bytes_to_device, bytes_from_device, bytes_bidirectional, bytes_allocated;
	uint64_t lifetime_p50_ns, lifetime_p99_ns, lifetime_max_ns;
	uint64_t peak_live, peak_live_bytes, peak_live_bytes_ts;
	uint64_t bounces, bounced_bytes;
	/* known from a database only; UINT64_MAX: not known */
	uint64_t lifetime_p90_ns, lifetime_p999_ns;
	uint64_t size_p50_bytes, size_p99_bytes, size_max_bytes;
	uint64_t maps_per_s, unmaps_per_s, syncs_per_s, bytes_per_s; /* in thousandths */
	uint64_t bounced_permille; /* of the mappings that were mapped */
	uint64_t failed_permille;  /* of the calls that map */
	uint64_t merged_permille;  /* of the entries of lists: segments the IOMMU saved */
	uint64_t handovers;	   /* unmaps on another CPU than the map */
	uint64_t remaps;	   /* maps of memory that was unmapped just before */
	uint64_t bounce_p50_ns;	   /* from the bounce to the end of the map */
	uint64_t iommu_map_p50_ns, iommu_unmap_p50_ns; /* from the IOMMU's to the end of ours */
};

/** Columns there may be in a table of devices. */
#define DMS_MAX_COLUMNS 64
/** Which columns the table of devices has, and in which order the devices stand in it. */
struct dms_layout {
	uint8_t columns[DMS_MAX_COLUMNS]; /* numbers that only columns.c knows */
	size_t n_columns;		  /* 0: those of the format */
	uint8_t sort;			  /* the same, plus 1; 0: none is asked for */
	bool is_descending;
};
/**
 * Read @columns, "KEY,KEY...", and @sort, "KEY" or "KEY:asc" or "KEY:desc"; NULL: not given. A key
 * may be cut short where it is no other's beginning. Errors: DMS_ERROR_USAGE.
 */
struct dms_error *dms_layout_parse(const char *columns, const char *sort,
				   struct dms_layout *ret);
/** The columns there are, one a line, and what they mean. */
void dms_layout_help(FILE *out);

/** One thing that could not be judged, or was lost. */
struct dms_note {
	const char *rule;   /* rule id or area; NULL: the whole run */
	const char *device; /* NULL: all */
	const char *reason;
};

/** One frame of a call stack. */
struct dms_frame_summary {
	uint64_t address;     /* 0: a text dump does not tell */
	const char *function; /* NULL: not known; then module and offset mean nothing */
	const char *module;   /* NULL: the kernel itself */
	uint64_t offset;      /* of the address in the function, bytes; UINT64_MAX: not told */
};

/** What a call has to do with a finding. */
enum dms_call_kind {
	DMS_CALL_BROKE,	   /* it broke the rule */
	DMS_CALL_MAPPED,   /* it mapped the memory */
	DMS_CALL_OTHER,	   /* it mapped the same memory before */
	DMS_CALL_UNMAPPED, /* it unmapped the memory before */
	DMS_CALL_SITE,	   /* the call site the finding is about: a stack, no time */
	DMS_MAX_CALLS
};
/** "call", "map", "other_map", "unmap", "site". */
const char *dms_call_name(enum dms_call_kind kind);

/** One call a finding is about. */
struct dms_call_summary {
	enum dms_call_kind what;
	uint64_t ts;	     /* UINT64_MAX: not one call but many */
	uint32_t cpu, pid;
	bool has_task;	     /* cpu and pid are known */
	const char *comm;    /* NULL: not known */
	const char *device;  /* NULL: the finding's own */
	uint64_t stack_id;   /* row of table stack; 0: not recorded */
	const struct dms_frame_summary *frames; /* innermost first */
	size_t n_frames;
};
/**
 * The calls that @facts, a finding's JSON, tell, appended to the *@n_calls of @calls, room for
 * DMS_MAX_CALLS; without comm and frames. Strings lie in @arena. @facts NULL: none. Errors: memory.
 */
struct dms_error *dms_calls_of_facts(const char *facts, struct dms_arena *arena,
				     struct dms_call_summary *calls, size_t *n_calls);

/** The findings of one rule on one device. */
struct dms_finding_summary {
	const char *rule, *severity;
	const char *device;	/* NULL: none is concerned */
	uint64_t count;
	uint64_t first_ts;
	const char *confidence, *message; /* of the first */
	const char *reason;		  /* why it is not certain; NULL: it is */
	const char *fingerprint;	  /* of the first */
	const struct dms_call_summary *calls; /* of the first: the one that broke the rule, others */
	size_t n_calls;
};

/** A whole run in figures. All pointers are borrowed from whoever filled it. */
struct dms_summary {
	const char *const *inputs; /* paths */
	const char *const *formats; /* of each input */
	size_t n_inputs;
	const char *kernel;	   /* release; NULL: not recorded */
	const char *clock;	   /* NULL: not recorded */
	bool clock_is_ns;
	bool complete;
	uint64_t first_ts, last_ts;
	uint64_t told_from_ts, told_to_ts; /* the part that is told; 0 and 0: all of it */
	uint64_t records;	   /* all records read */
	uint64_t events;	   /* of these, DMA, swiotlb and IOMMU events decoded */
	uint64_t malformed;	   /* of these, not decodable */
	uint64_t gaps;		   /* places where events were lost, or their order is not known */
	uint64_t clock_gaps;	   /* of these, where a CPU's clock stood still: nothing is lost there */
	uint64_t lost_events;	   /* as far as the tracer says how many */
	const struct dms_device_summary *devices;
	size_t n_devices;
	const struct dms_finding_summary *findings; /* gravest first */
	size_t n_findings;
	const struct dms_note *notes;
	size_t n_notes;
	bool whole_stacks;	   /* text shows all frames, not the first five */
	uint64_t top;		   /* text shows so many rows of a list; 0: all */
	const struct dms_layout *layout; /* NULL: as the format has it */
};

enum dms_output { DMS_FORMAT_TEXT, DMS_FORMAT_JSON, DMS_FORMAT_CSV };

/**
 * Write @summary to @out. Text is for @width columns; colours only if @colour.
 * Errors: writing failed, memory.
 */
struct dms_error *dms_summary_print(const struct dms_summary *summary, enum dms_output format,
				    FILE *out, unsigned int width, bool colour);

/** The summary of the finished run in @db, for the printers above. */
struct dms_error *dms_summary_read(struct sqlite3 *db, struct dms_summary **ret);
/** The same, with all columns of the devices, sorted as @layout says, which is borrowed. */
struct dms_error *dms_summary_read_as(struct sqlite3 *db, const struct dms_layout *layout,
				      struct dms_summary **ret);
void dms_summary_destroy(struct dms_summary *summary);

/**
 * Run one read-only SQL statement and write its rows as a table, CSV (with a header) or JSON
 * (an array of objects). Errors: DMS_ERROR_USAGE for SQL that does not parse or that would
 * write, writing failed.
 */
struct dms_error *dms_query_print(struct sqlite3 *db, const char *sql, enum dms_output format,
				  FILE *out);

/** What of a run is told. Empty lists: every device; 0 and UINT64_MAX: all the time. */
struct dms_selection {
	const char *const *devices, *const *drivers; /* names; a device must fit both lists */
	size_t n_devices, n_drivers;
	uint64_t since_ts, until_ts; /* trace clock, both inclusive */
};
/**
 * Let every later reading of @db see only what @selection asks for. The figures of a part of the
 * time are counted anew; what cannot be is left out, and a note says what. To be called once, and
 * first. Errors: DMS_ERROR_INPUT: a name fits no device.
 */
struct dms_error *dms_select(struct sqlite3 *db, const struct dms_selection *selection);

/**
 * Write the run in @db as one HTML page that needs nothing else, at most 2 MB: no list has more
 * than @top rows. @layout NULL: the columns that tell something, the gravest device first.
 * Errors: reading, memory, writing.
 */
struct dms_error *dms_html_print(struct sqlite3 *db, uint64_t top, const struct dms_layout *layout,
				 FILE *out);

/**
 * Write what mapping costs the devices of the run, after the summary: rates, latencies, bounces
 * and why, lists, hand-overs; @top rows of each table, 0: all. Nothing where there is nothing.
 * Errors: reading, memory, writing.
 */
struct dms_error *dms_costs_print(struct sqlite3 *db, uint64_t top, FILE *out, unsigned int width,
				  bool colour);

/** The findings dms_select() has left that are at least so grave and so sure. */
struct dms_error *dms_findings_count(struct sqlite3 *db, enum dms_severity severity,
				     enum dms_confidence confidence, uint64_t *ret);

/** The mappings live at @ts (trace clock), in the line shape of debugfs dma-api/dump. */
struct dms_error *dms_live_print(struct sqlite3 *db, uint64_t ts, const char *device, FILE *out);

/* numbers for people; each returns @buf, terminated. Locale never matters. */
const char *dms_format_bytes(uint64_t bytes, char *buf, size_t size); /* "12.3 MiB" */
const char *dms_format_count(uint64_t count, char *buf, size_t size); /* "1,234,567" */

#endif
