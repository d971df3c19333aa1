/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the files of the plugin share: the state of one trace, and what its parts can do. */
#ifndef DMASCOPE_PLUGIN_H
#define DMASCOPE_PLUGIN_H

#include <traceevent/event-parse.h>
#include <traceevent/trace-seq.h>

#include <dmascope/decode.h>
#include <dmascope/input.h>

/*
 * perf has a library of its own and shows plugins less of it: what is weak here may be NULL. It never
 * tells the time, so that only printing has to go without.
 */
#pragma weak tep_data_comm_from_pid
#pragma weak tep_get_cpus
#pragma weak tep_get_event
#pragma weak tep_get_events_count
#pragma weak tep_get_page_size
#pragma weak tep_is_pid_registered
static inline bool is_whole_library(void)
{
	return tep_data_comm_from_pid && tep_get_cpus && tep_get_event && tep_get_events_count &&
	       tep_get_page_size && tep_is_pid_registered;
}

/** A string that grows. */
struct text {
	char *at; /* terminated; NULL: empty */
	size_t bytes, capacity;
};
/** printf() behind @text; false when memory is short. */
bool text_add(struct text *text, const char *fmt, ...) _printf_(2, 3);

/* ---- formats.c: what the host's library has read of the trace's head ------------------------ */

struct formats {
	struct dms_arena *arena; /* of their texts */
	struct dms_format *items;
	uint32_t n_items;
	uint32_t stack_type;			    /* UINT32_MAX: none */
	const struct tep_print_flag_sym *gfp_flags; /* names of allocation flags, the library's */
};
/** All events of @tep; where they cannot be listed, @event alone. Errors: memory. */
struct dms_error *formats_create(struct tep_handle *tep, struct tep_event *event,
				 struct formats *formats);
void formats_destroy(struct formats *formats);

/* ---- file.c: the trace file --------------------------------------------------------------- */

/**
 * What @tep tells of the machine into *@ret_info, and of the file if the host has exactly one
 * trace.dat open: *@ret_file, the caller's, else NULL. Its records are not read.
 */
void file_find(struct tep_handle *tep, struct dms_source_info *ret_info,
	       struct dms_source **ret_file);

/* ---- losses.c: what the trace lost -------------------------------------------------------- */

struct losses;
/** Of the file that the host has open; *@ret NULL: not known which. Errors: memory. */
struct dms_error *losses_create(struct tep_handle *tep, struct losses **ret);
void losses_destroy(struct losses *losses);
/**
 * The next gap that begins before a record at @before_ts (UINT64_MAX: the rest) into *@ret; *@ret_has
 * false: there is none. Errors: reading failed, memory.
 */
struct dms_error *losses_next(struct losses *losses, uint64_t before_ts, struct dms_gap *ret,
			      bool *ret_has);

/* ---- print.c: an event as text ------------------------------------------------------------ */

struct printer {
	struct trace_seq *seq;
	const struct dms_names *names;
	const struct tep_print_flag_sym *gfp_flags;
	uint32_t max_segments; /* of each list; 0: all */
};
/** True if there is a text for events of @kind; the host prints the others. */
bool print_has(enum dms_event_kind kind);
void print_event(const struct printer *printer, const struct dms_event *event);
/** @str, which may be anything, without control characters. */
void print_name(struct trace_seq *seq, const char *str);

/* ---- follow.c: option lifetimes ----------------------------------------------------------- */

struct follow;
/** All is borrowed. Errors: memory. */
struct dms_error *follow_create(struct tep_handle *tep, struct dms_decoder *decoder,
				const struct dms_names *names, const struct dms_source_info *info,
				struct follow **ret);
void follow_destroy(struct follow *follow);
/** Follow @event, borrowed; what there is to say is behind follow_text(). */
struct dms_error *follow_event(struct follow *follow, const struct dms_event *event);
/** The stack of the last event of @cpu: @n_frames addresses. Errors: memory. */
struct dms_error *follow_stack(struct follow *follow, uint32_t cpu, const uint64_t *frames,
			       uint32_t n_frames);
/** Events are lost from here on. */
struct dms_error *follow_gap(struct follow *follow, const struct dms_gap *gap);
/** Events were lost before @ts on @cpu; @lost 0: not known how many. */
struct dms_error *follow_lost(struct follow *follow, uint64_t ts, uint32_t cpu, uint64_t lost);
/** The trace has ended: what was found without a line to stand on is in follow_text(). */
struct dms_error *follow_end(struct follow *follow);
/** What is to be said since the last call, with a space before it; "" if nothing. Borrowed. */
const char *follow_text(struct follow *follow);

/* ---- ingest.c: options db and summary ----------------------------------------------------- */

struct ingest;
/** @db NULL: no database. @formats and strings of @info are borrowed; @file is taken. */
struct dms_error *ingest_create(struct tep_handle *tep, const struct formats *formats,
				const struct dms_source_info *info, struct dms_source *file,
				const char *db, struct ingest **ret);
/** A database that was not finished stays, marked incomplete. NULL is allowed. */
void ingest_destroy(struct ingest *ingest);
/** A copy of @record is taken. @lost: as dms_feed_put(). */
struct dms_error *ingest_record(struct ingest *ingest, const struct dms_record *record,
				int64_t lost);
/** Events are lost between the last record and the next one. Errors: memory, and as above. */
struct dms_error *ingest_gap(struct ingest *ingest, const struct dms_gap *gap);
/** The trace has ended: complete the database, print the summary to stdout if @with_summary. */
struct dms_error *ingest_finish(struct ingest *ingest, bool with_summary);

#endif
