/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What a perf.data file says about itself, and how its records are read.
 *
 * Source of the layout: tools/perf/Documentation/perf.data-file-format.txt and
 * include/uapi/linux/perf_event.h of Linux 6.12 to 7.2; files of both.
 */
#ifndef DMS_INPUT_PERF_H
#define DMS_INPUT_PERF_H

#include <dmascope/input.h>

#include "../file.h"
#include "../source.h"

/* Types of records: the kernel's, and from 64 on those perf itself writes. */
enum perf_type {
	PERF_MMAP = 1,
	PERF_LOST = 2,
	PERF_COMM = 3,
	PERF_FORK = 7,
	PERF_SAMPLE = 9,
	PERF_MMAP2 = 10,
	PERF_LOST_SAMPLES = 13,
	PERF_KERNEL_END = 64,
	PERF_HEADER_ATTR = 64,
	PERF_TRACING_DATA = 66,
	PERF_FINISHED_ROUND = 68,
	PERF_ID_INDEX = 69,
	PERF_AUXTRACE = 71,
	PERF_THREAD_MAP = 73,
	PERF_HEADER_FEATURE = 80,
	PERF_COMPRESSED = 81,
	PERF_COMPRESSED2 = 83,
	PERF_TYPE_END = 100, /* 7.2 knows 84 of them */
};

/** What a recording should have been made with; within messages. */
#define PERF_HOW_TO_RECORD "`perf record -a -g -e 'dma:*' -e 'swiotlb:*' -e 'iommu:*' -k mono ...`"

#define PERF_HEADER_BYTES     8u     /* u32 type, u16 misc, u16 size */
#define PERF_MAX_RECORD	      65535u /* its size is a u16 */
#define PERF_MIN_ATTR	      64u    /* PERF_ATTR_SIZE_VER0 */
#define PERF_MAX_ATTR	      4096u  /* 7.2 has 144 */
#define PERF_MISC_CPUMODE     7u
#define PERF_MISC_KERNEL      1u
#define PERF_MISC_BPF_DROPPED (1u << 15) /* of LOST_SAMPLES: dropped by the user's own filter */

enum perf_sample_bit {
	SAMPLE_IP = 1 << 0,
	SAMPLE_TID = 1 << 1,
	SAMPLE_TIME = 1 << 2,
	SAMPLE_ADDR = 1 << 3,
	SAMPLE_READ = 1 << 4,
	SAMPLE_CALLCHAIN = 1 << 5,
	SAMPLE_ID = 1 << 6,
	SAMPLE_CPU = 1 << 7,
	SAMPLE_PERIOD = 1 << 8,
	SAMPLE_STREAM_ID = 1 << 9,
	SAMPLE_RAW = 1 << 10,
	SAMPLE_IDENTIFIER = 1 << 16,
};

/* Where a field lies in a sample, or how far before the end in another record; 0: nowhere. */
struct perf_layout {
	uint16_t id, time, tid, cpu, period;
	uint16_t rest; /* where the fields of variable size begin */
	uint16_t end_id, end_time, end_cpu, end_bytes;
};

/** One event perf had opened. */
struct perf_attr {
	uint32_t type;
	uint64_t config; /* of a tracepoint: its id, as in common_type */
	uint64_t sample_type, read_format;
	struct perf_layout layout;
	bool is_tracepoint;
	bool is_sampled;  /* not each event gives a sample: a frequency or a period was asked for */
	bool is_on_exec;  /* enabled when the command that perf started was executed */
	bool has_trailer; /* sample_id_all */
	bool has_clockid;
	int32_t clockid;
};

struct perf_id {
	uint64_t id;
	uint32_t attr; /* index of attrs */
};

/* The CPU of one id, as ID_INDEX tells. */
struct perf_id_cpu {
	uint64_t id;
	uint32_t cpu;
};
#define PERF_NO_CPU UINT32_MAX

/* A tracepoint's name as perf kept it in EVENT_DESC: "dma:dma_map_phys". */
struct perf_name {
	const char *name;
	uint64_t config;
};

/** A parsed head. Strings and tables live in the arena. */
struct perf_head {
	struct file file;
	struct dms_arena *arena;
	bool big_endian, swap;
	bool is_pipe;
	bool is_pipe_cut;   /* it ends before the first event */
	bool is_unfinished; /* perf was killed: no size of the data, no features */
	bool is_partial;    /* of some tasks only */
	bool is_switched;   /* one of several files, of perf record --switch-output */
	bool has_threads;   /* a THREAD_MAP said so, or the contrary */
	bool is_compressed;
	bool is_folder; /* the events are in files beside it: perf record --threads */
	uint64_t data_offset, data_end; /* in the file; end as the header has it */
	uint64_t missing_bytes;

	struct perf_attr *attrs;
	size_t n_attrs, attrs_capacity;
	struct perf_id *ids; /* sorted once all are known */
	size_t n_ids, ids_capacity;
	uint16_t id_at, end_id_at; /* common to all attrs; 0: one attr speaks for all */

	struct perf_id_cpu *id_cpus; /* sorted with the ids */
	size_t n_id_cpus, id_cpus_capacity;

	struct perf_name *names;
	size_t n_names, names_capacity;
	struct dms_format *formats;
	size_t n_formats, formats_capacity;
	const char **notes;
	size_t n_notes, notes_capacity;

	uint64_t kallsyms_offset, kallsyms_size; /* of the text in the file; size 0: none */
	const char *cmdlines;
	const char *release, *arch, *version;
	uint32_t n_cpus, n_online, page_size, long_size;
	uint64_t text_addr;	/* of the kernel's symbol text_name, told without kallsyms; or 0 */
	const char *text_name;	/* "_text" or "_stext" */
	struct dms_error *tracing_error; /* why tracing data could not be read */
};

/* perf_head.c */
struct dms_error *perf_head_open(struct file *file, struct perf_head *ret);
void perf_head_close(struct perf_head *head);
/** An attr of @bytes at @data, in the file's byte order, with its ids behind it. */
struct dms_error *perf_head_add_attr(struct perf_head *head, const uint8_t *data, size_t bytes);
struct dms_error *perf_head_add_ids(struct perf_head *head, const uint8_t *data, size_t n_ids);
/** All attrs are known: sort the ids, see how samples are told apart. */
struct dms_error *perf_head_finish_attrs(struct perf_head *head);
/** An error that says @what is wrong at @offset. */
struct dms_error *perf_head_error(const struct perf_head *head, uint64_t offset, const char *what);
/** One more sentence on what this file cannot tell. Takes @text. */
struct dms_error *perf_head_note(struct perf_head *head, char *text);
/** The attr with @id; NULL if none has it. */
const struct perf_attr *perf_head_find(const struct perf_head *head, uint64_t id);

/** The CPU of @id; PERF_NO_CPU if the file does not tell. */
uint32_t perf_head_cpu(const struct perf_head *head, uint64_t id);
/** Of how many CPUs there were events open; 0 if the file does not tell. */
uint32_t perf_head_n_open_cpus(const struct perf_head *head);

/* early.c */
/** Read up to the first event: what perf says of the system, and in pipe mode of everything. */
struct dms_error *perf_read_early(struct perf_head *head);

/* perf_feature.c */
/** Feature number @feature of the header: @bytes of the file at @offset. */
struct dms_error *perf_feature(struct perf_head *head, unsigned int feature, uint64_t offset,
			       uint64_t bytes);
enum {
	PERF_FEATURE_TRACING_DATA = 1,
	PERF_FEATURE_DIR_FORMAT = 24,
	PERF_FEATURE_COMPRESSED = 27,
	PERF_FEATURES = 256,
};
/** The copy of tracefs that perf keeps: event formats first of all. */
struct dms_error *perf_tracing_data(struct perf_head *head, uint64_t offset, uint64_t bytes);

/* perf_formats.c */
/** Formats for those tracepoints that have none yet, from elsewhere. */
struct dms_error *perf_formats_complete(struct perf_head *head,
					const struct dms_source_options *options);

/** One event format this program ships, as a kernel printed it. */
struct perf_shipped_format {
	const char *release; /* "6.12" */
	const char *system, *name;
	const char *text;
};
/* Made of schemas/formats; ends with a row of NULLs. */
extern const struct perf_shipped_format perf_shipped_formats[];

/* perf_event.c */
void perf_layout_make(struct perf_attr *attr);
/** Room for call chains: kernel.perf_event_max_stack is 127 unless an administrator raised it. */
#define PERF_MAX_CHAIN 1024
/**
 * The payload and the kernel's part of the chain (into @chain) of the sample of @bytes at @data.
 * Return: NULL, or what is wrong with it.
 */
const char *perf_sample_read(const struct perf_head *head, const struct perf_attr *attr,
			     const uint8_t *data, struct dms_record *ret,
			     uint64_t chain[static PERF_MAX_CHAIN]);
/** The attr a record (its header included) belongs to; NULL: of none that the header knows. */
const struct perf_attr *perf_record_attr(const struct perf_head *head, const uint8_t *data);

static inline uint32_t perf_record_type(const struct perf_head *head, const uint8_t *data)
{
	return load32(data, head->swap);
}
static inline uint16_t perf_record_misc(const struct perf_head *head, const uint8_t *data)
{
	return load16(data + 4, head->swap);
}
static inline uint16_t perf_record_size(const struct perf_head *head, const uint8_t *data)
{
	return load16(data + 6, head->swap);
}

/* ---- perf_read.c: records one after the other, in the order of the file ---------------------- */

/**
 * A piece of the file, or of what was compressed in it, kept as long as records in it wait. If too
 * many wait, the bytes are let go and read again, a window at a time, when their turn comes.
 */
struct perf_block {
	struct perf_block *next; /* of the free ones */
	uint64_t origin;	 /* in the file: of the first byte, or of the compressed record */
	uint8_t *data;		 /* NULL: let go */
	uint32_t data_at;	 /* of data[0] in the block, bytes */
	uint32_t n_data;	 /* bytes at data, once it is a window */
	uint32_t n_bytes;
	uint32_t n_waiting;
	bool is_unpacked;
	bool is_window;
};
#define PERF_BLOCK_BYTES  (256u << 10)
#define PERF_WINDOW_BYTES (32u << 10)
/* Blocks that wait stay in memory up to this; also where a compressed file begins to suffer. */
#define PERF_LOADED_BYTES (32u << 20)

struct perf_reader {
	const struct perf_head *head;
	uint64_t position, end; /* next record in the file */
	struct perf_block *block, *plain, *free;
	uint32_t plain_at; /* next record in plain */
	const uint8_t *packed;
	uint32_t n_packed; /* bytes of a compressed record not yet unpacked */
	uint64_t packed_offset;
	bool has_pending; /* unpacker holds output for which there was no room */
	struct perf_unpacker *unpacker;
	size_t loaded_bytes; /* of blocks that are not free */
	bool is_cut;	     /* the data ended within a record */
	uint64_t n_damaged;
	char *first_damage;
};

struct perf_raw {
	const uint8_t *data; /* header and all; borrowed as long as its block */
	struct perf_block *block;
	uint32_t type, size;
};

struct dms_error *perf_reader_open(struct perf_reader *reader, const struct perf_head *head);
void perf_reader_close(struct perf_reader *reader);
/** The next record; ret->data NULL at the end. Damage is skipped and counted. */
struct dms_error *perf_reader_next(struct perf_reader *reader, struct perf_raw *ret);
/** Keep the block of a record until it is released as many times. */
void perf_reader_keep(struct perf_block *block);
void perf_reader_release(struct perf_reader *reader, struct perf_block *block);
/** The record at byte @at of a block that was kept; read again if need be. */
struct dms_error *perf_block_record(struct perf_reader *reader, struct perf_block *block,
				    uint32_t at, const uint8_t **ret);
uint64_t perf_block_offset(const struct perf_block *block, const uint8_t *data);
/** Count damage at @offset; the first one's text is kept. */
struct dms_error *perf_reader_damage(struct perf_reader *reader, uint64_t offset, const char *what);

/* perf_zstd.c: one stream goes through all compressed records of a file */
struct perf_unpacker *perf_unpacker_create(void);
void perf_unpacker_destroy(struct perf_unpacker *unpacker);
/** Unpack what fits; advances *@data and *@size. Return: bytes written, or -1: damaged. */
int64_t perf_unpack(struct perf_unpacker *unpacker, const uint8_t **data, uint32_t *size,
		    uint8_t *ret, uint32_t room);
/** Forget all and look for the next frame. */
void perf_unpacker_reset(struct perf_unpacker *unpacker);

/* ---- perf_sort.c: time order out of the order of the file ------------------------------------ */

/** A sample or a gap that waits for its turn. */
struct perf_entry {
	uint64_t ts;
	struct perf_block *block; /* NULL: a gap */
	uint32_t at;		  /* in block's data; or index of the gap */
	uint32_t attr;
};

/* Entries in ascending order, as perf took them out of the buffer of one CPU. */
struct perf_run {
	size_t head, tail;
};

struct perf_sort {
	struct perf_entry *entries;
	size_t n_entries, entries_capacity;
	struct perf_run *runs;
	size_t n_runs, runs_capacity;
	size_t *heap; /* indexes of runs, while they are merged */
	size_t n_heap, heap_capacity;
	size_t n_waiting;
};

void perf_sort_deinit(struct perf_sort *sort);
/** Memory of what waits, blocks excluded; bytes. */
size_t perf_sort_bytes(const struct perf_sort *sort);
bool perf_sort_add(struct perf_sort *sort, const struct perf_entry *entry);
/** Begin to take entries out; none may be added until perf_sort_end(). */
bool perf_sort_begin(struct perf_sort *sort);
/** The earliest entry if it is not after @limit, and take it; else false. */
bool perf_sort_take(struct perf_sort *sort, uint64_t limit, struct perf_entry *ret);
void perf_sort_end(struct perf_sort *sort);

/* ---- perf_comm.c: names of tasks --------------------------------------------------------------
 */

struct perf_comms {
	struct perf_task *tasks; /* by pid, open addressing */
	size_t n_tasks, capacity;
	char *text; /* "pid comm" lines of those that were seen */
	size_t n_text, text_capacity;
	uint32_t last_pid;
	bool has_last;
};

void perf_comms_deinit(struct perf_comms *comms);
/** A COMM or FORK record. False: memory is short. */
bool perf_comms_record(struct perf_comms *comms, const struct perf_head *head,
		       const struct perf_raw *raw);
/** Task @pid has an event: its name is wanted. */
bool perf_comms_want(struct perf_comms *comms, uint32_t pid);

#endif
