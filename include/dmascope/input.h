/* SPDX-License-Identifier: LGPL-2.1-only */
/* Raw records in time order, and what was lost between them, from any trace file. */
#ifndef DMASCOPE_INPUT_H
#define DMASCOPE_INPUT_H

#include <stdatomic.h>

#include <dmascope/base.h>

/** One event format of a file, as its kernel's format file describes it. */
struct dms_format {
	const char *system; /* "dma", "ftrace", ... */
	const char *name;   /* "dma_map_phys" */
	const char *text;   /* the whole format file; not terminated */
	size_t size;	    /* of text, bytes */
	uint32_t id;	    /* common_type of its records */
};

/** One raw trace record. Borrowed from the source until the next dms_source_next(). */
struct dms_record {
	uint64_t ts;	     /* trace clock; nanoseconds if dms_source_info.clock_is_ns */
	uint64_t offset;     /* of the record (of its compressed chunk) in the file, bytes */
	const void *data;    /* the event as the kernel wrote it, in the trace's byte order */
	const void *next;    /* the record after this one on the same CPU, or NULL */
	uint32_t size;	     /* of data, bytes */
	uint32_t next_size;  /* of next, bytes */
	uint32_t cpu;
	uint32_t instance;   /* buffer instance: index into dms_source_info.instances */
	uint32_t n_chain;    /* of chain */
	const uint64_t *chain; /* its call stack, innermost first, where the container keeps it with the
				  record (perf.data, text); kernel addresses only, host order */
};

/** Events the tracer itself dropped on one CPU, somewhere in (after_ts, before_ts]. */
struct dms_gap {
	uint64_t after_ts;  /* last record of this CPU and instance before the gap; 0 if none */
	uint64_t before_ts; /* first record after it */
	uint64_t lost;	    /* events lost; 0 if the tracer does not say how many */
	uint32_t cpu;
	uint32_t instance;
	bool is_hole; /* between two files of a merge: see dms_merge_find_holes() */
	bool is_clock; /* nothing is lost: the CPU's clock stood still, and the order is not known */
};

enum dms_item_kind { DMS_ITEM_END, DMS_ITEM_RECORD, DMS_ITEM_GAP };

/** What a source yields: records and gaps through one door, in time order. */
struct dms_item {
	enum dms_item_kind kind;
	uint32_t file; /* index of the file in a merged source */
	union {
		struct dms_record record;
		struct dms_gap gap;
	};
};

/** What is known of a file before its first record. Strings are borrowed from the source. */
struct dms_source_info {
	const char *path;
	const char *format;	    /* "trace.dat v6", "trace.dat v7 (zstd)", ... */
	const char *uname;	    /* of the traced machine, or NULL */
	const char *release;	    /* kernel release out of uname, or NULL */
	const char *clock;	    /* trace clock's name, or NULL */
	const char *tool;	    /* what wrote the file, or NULL */
	const char *const *instances; /* buffer instance names; "" is the top one */
	uint32_t n_instances;
	uint32_t n_cpus;
	uint32_t page_size;	    /* of the traced machine, bytes */
	uint32_t long_size;	    /* of the traced kernel, bytes */
	bool big_endian;
	bool clock_is_ns;	    /* false for counter, and for cycles without a conversion */
	bool is_text;		    /* addresses in chains are made up: kallsyms names them, no more */
	uint32_t resolution_ns;	    /* of ts: 1000 where a text gives microseconds; 0 is 1 */
	const char *const *notes;   /* what this file cannot tell, one sentence each */
	uint32_t n_notes;
	uint64_t file_size;	    /* bytes */
	uint64_t lost_by_stats;	    /* events lost by the tracer's own statistics, if recorded */
	uint64_t stats_ts;	    /* when they were read, soon after the last record could come; 0:
				       not told */
	uint64_t missing_bytes;	    /* trace data named in the header but not in the file */
	uint64_t missing_offset;    /* where in the file it should begin */
};

/** An open trace file. */
struct dms_source;

/**
 * Recognise @path by its content and open it.
 * Errors: DMS_ERROR_INPUT, with the path, the offset and what was expected there.
 */
struct dms_error *dms_source_open(const char *path, struct dms_source **ret);

/** What a file may lack, and others have. All may be NULL. */
struct dms_source_options {
	const char *formats_dir; /* folder of event formats: events/ of tracefs or a copy of it */
	const char *kallsyms;	 /* file of kernel symbols, in place of the trace's own */
};
/** As dms_source_open(). Strings are borrowed until the source is closed. */
struct dms_error *dms_source_open_with(const char *path, const struct dms_source_options *options,
				       struct dms_source **ret);
void dms_source_close(struct dms_source *source);

/**
 * The next record or gap in time order; DMS_ITEM_END at the end and ever after.
 * Damage in the data is not an error: it is skipped, counted (dms_source_damage()) and
 * reported as a gap. Errors: reading failed, memory.
 */
struct dms_error *dms_source_next(struct dms_source *source, struct dms_item *ret);

/** What is known of the file as a whole. Borrowed; valid as long as @source. */
const struct dms_source_info *dms_source_info(const struct dms_source *source);
/** The event formats of the file, borrowed; *@ret_n their number. */
const struct dms_format *dms_source_formats(const struct dms_source *source, uint32_t *ret_n);
/** The traced kernel's kallsyms text as stored, loaded at first use; *@ret NULL if none. */
struct dms_error *dms_source_kallsyms(struct dms_source *source, const char **ret, size_t *ret_size);
/** Name of task @pid as the trace saved it, or NULL. */
const char *dms_source_comm(struct dms_source *source, uint32_t pid);
/** False: memory was short when it was asked for a name, and some are missing. */
bool dms_source_comms_are_whole(const struct dms_source *source);
/** Bytes of trace data read so far and in all, for a progress bar. */
void dms_source_progress(const struct dms_source *source, uint64_t *ret_done, uint64_t *ret_total);
/** Damaged places skipped so far, and the first one's description (borrowed), or NULL. */
uint64_t dms_source_damage(const struct dms_source *source, const char **ret_first);

/** Bytes of the text dms_source_hash() gives, its terminator among them. */
#define DMS_HASH_TEXT 38
/**
 * Identity of the file's content: "xxh3:" and XXH3 (128 bits) of all its bytes in hexadecimal.
 * It tells files apart; it is no protection against forgery. Errors: reading failed.
 */
struct dms_error *dms_source_hash(const struct dms_source *source, char ret[static DMS_HASH_TEXT]);
/** The same beside a thread that reads @source; once *@stop is true it gives up, and @ret is "". */
struct dms_error *dms_source_hash_beside(const struct dms_source *source, const atomic_bool *stop,
					 char ret[static DMS_HASH_TEXT]);

/** Several files of one machine as one stream in time order; takes the sources. */
struct dms_merge;
struct dms_merge *dms_merge_create(struct dms_source **sources, uint32_t n_sources);
void dms_merge_destroy(struct dms_merge *merge);
struct dms_error *dms_merge_next(struct dms_merge *merge, struct dms_item *ret);
uint32_t dms_merge_count(const struct dms_merge *merge);
struct dms_source *dms_merge_source(const struct dms_merge *merge, uint32_t file);

/** Nothing was recorded from the end of one file to the beginning of the next. */
struct dms_hole {
	uint32_t file;	       /* that ended */
	uint64_t from_ts, to_ts; /* its last record, and the first one of the next file */
};
/**
 * Call it before dms_merge_next(): it will give a gap, is_hole, for each CPU of a file that begins
 * when all others are over, if that silence is longer than any inside of the files so far: those of
 * a recording that was split follow each other closer.
 */
void dms_merge_find_holes(struct dms_merge *merge);
/** What there is before @file, as far as has been read; NULL: no hole. */
const struct dms_hole *dms_merge_hole(const struct dms_merge *merge, uint32_t file);
/** Errors: INPUT if two files tell machines or kernels that are not the same one. */
struct dms_error *dms_merge_check_machine(const struct dms_merge *merge);

#endif
