/* SPDX-License-Identifier: LGPL-2.1-only */
/* A trace.dat in the making: what the files of this room share. */
#ifndef DMS_OUTPUT_LOCAL_H
#define DMS_OUTPUT_LOCAL_H

#include <dmascope/output.h>

#include "ring.h"
#include "spill.h"

/* ---- formats.c: the event formats of all files, each number once ---------------------------- */

#define OUTPUT_TYPES 65536u /* common_type has 16 bits */

struct output_format {
	const struct dms_format *format;
	uint32_t id; /* that its records have in the file */
};

struct output_formats {
	struct output_format *items;
	size_t n_items, capacity;
	uint32_t *by_type;	/* item + 1 of each number, OUTPUT_TYPES of them */
	uint16_t **maps;	/* of each file: its numbers to ours; NULL: they are the same */
	uint32_t n_files;
	uint32_t stack_type;	/* of kernel_stack; 0: there is none */
	uint32_t stack_offset;	/* of its addresses */
	struct dms_format own_stack;
};

/** Collect what the files of @merge have; with @needs_stack, kernel_stack is among them. */
struct dms_error *output_formats_init(struct output_formats *formats, struct dms_merge *merge,
				      bool needs_stack);
void output_formats_deinit(struct output_formats *formats);
/** Where the line "ID: N" of @format has its number, and what is behind; NULL: nowhere. */
const char *format_id(const struct dms_format *format, const char **ret_end);

/* ---- head.c: pieces of the file before the records ------------------------------------------ */

/** A growing piece of file. After a lack of memory all puts do nothing. */
struct blob {
	uint8_t *data;
	size_t size, capacity;
	bool big_endian;
	bool is_broken; /* memory was short */
};

void blob_put(struct blob *blob, const void *data, size_t bytes);
void blob_number(struct blob *blob, uint32_t bytes, uint64_t value);
void blob_string(struct blob *blob, const char *text);
/** Overwrite the number at @at. */
void blob_patch(struct blob *blob, size_t at, uint32_t bytes, uint64_t value);
void blob_deinit(struct blob *blob);

/* print_fmt.c */
/** The empty string that is the print format of @format, in its text; NULL: it is not empty. */
const char *print_fmt_empty(const struct dms_format *format);
/** What to put in place of it: every field by its name. */
void print_fmt_put(const struct dms_format *format, const char *empty, struct blob *blob);

/* ---- output.c -------------------------------------------------------------------------------- */

enum entry_kind { ENTRY_EVENT, ENTRY_STACK, ENTRY_GAP };

/** Before each piece of data in a log. */
struct entry {
	uint64_t ts;	/* ENTRY_GAP: how many were lost, or 0 */
	uint32_t bytes; /* of data behind it */
	uint32_t kind;	/* enum entry_kind */
};

/** What every record begins with: type, flags, preempt count, pid. */
#define OUTPUT_COMMON_BYTES 8u

/** One ring buffer. */
struct output_instance {
	char *name;
	uint32_t file;
	struct spill_log *logs; /* by CPU */
	size_t n_logs, capacity;
};

/** One file that is read. */
struct output_file {
	uint32_t first_instance;
	uint32_t resolution_ns; /* of its times */
	uint64_t last_ts;	/* of its last record, as written */
	uint64_t last_log;	/* its instance and CPU */
};

/** Linux's PID_MAX_LIMIT: no task has a greater number. */
#define OUTPUT_PID_LIMIT (4u << 20)

struct dms_output {
	struct dms_merge *merge;
	struct dms_output_options options;
	struct spill spill;
	struct output_instance *instances; /* the top one, called "", first */
	uint32_t n_instances;
	struct output_file *files;
	uint32_t n_cpus;
	uint64_t max_bytes; /* of a record */
	uint64_t *pid_bits; /* which tasks have records */
	struct output_formats formats;
	struct ring_shape shape;
	bool has_stacks, swap;
	struct dms_output_report report;
};

/** The first file's info: what all files have in common is taken from it. */
const struct dms_source_info *output_info(const struct dms_output *output);
/** The trace clock, or NULL. */
const char *output_clock(const struct dms_output *output);

/** One part of the head, as versions 6 and 7 both have it. */
struct head_part {
	uint32_t id; /* of the section in version 7, and of the option that says where it is */
	struct dms_error *(*put)(const struct dms_output *output, struct blob *blob);
};
#define HEAD_PARTS 6
extern const struct head_part head_parts[HEAD_PARTS];
/** Options that both versions have. */
struct dms_error *head_put_options(const struct dms_output *output, struct blob *blob);
void head_put_option(struct blob *blob, uint32_t id, const void *data, size_t bytes);
/** "[mono]", behind each table of CPUs in version 6. */
void head_put_clock(const struct dms_output *output, struct blob *blob);
enum { OPTION_DONE = 0, OPTION_BUFFER = 3 };

/* ---- container.c ----------------------------------------------------------------------------- */

/** A file being written. */
struct container {
	struct dms_output *output;
	FILE *out;
	uint64_t position;
};

struct dms_error *container_write(struct container *container, const void *data, size_t bytes);
/** Zeros up to the next multiple of a page. */
struct dms_error *container_align(struct container *container);
/** Write over what is at @at, then go on at the end. */
struct dms_error *container_patch(struct container *container, uint64_t at, const void *data,
				  size_t bytes);
struct dms_error *container_write_v6(struct container *container);
struct dms_error *container_write_v7(struct container *container);

/* cpu.c */
/** Where the data of a CPU lie. */
struct cpu_extent {
	uint64_t offset, bytes; /* in the file; 0 bytes: there are none */
};
/** Write the records of @cpu; *@ret: where. */
struct dms_error *cpu_write(struct container *container, const struct output_instance *instance,
			    uint32_t cpu, struct cpu_extent *ret);

#endif
