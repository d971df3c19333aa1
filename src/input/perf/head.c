// SPDX-License-Identifier: LGPL-2.1-only
/* The head of a perf.data: its header, the events that were open, what pipe mode sends first. */
#include <inttypes.h>
#include <stdlib.h>

#include "perf.h"

#define PIPE_HEADER_BYTES 16u
#define FILE_HEADER_BYTES 104u
/* Reasonable limits, so that a damaged count neither hangs nor eats memory. */
#define MAX_ATTRS 16384u
#define MAX_IDS	  (1u << 22)

#define TYPE_TRACEPOINT 2
#define FLAG_FREQ	10 /* bits of the word behind read_format */
#define FLAG_ON_EXEC	12
#define FLAG_TRAILER	18
#define FLAG_CLOCKID	25

void perf_head_close(struct perf_head *head)
{
	for (size_t i = 0; i < head->n_notes; i++)
		dms_free((char *)head->notes[i]);
	dms_free(head->notes);
	dms_free(head->attrs);
	dms_free(head->ids);
	dms_free(head->id_cpus);
	dms_free(head->names);
	dms_free(head->formats);
	dms_error_free(head->tracing_error);
	dms_arena_destroy(head->arena);
	file_close(&head->file);
}

struct dms_error *perf_head_note(struct perf_head *head, char *text)
{
	if (!text || !dms_grow(&head->notes, &head->notes_capacity, head->n_notes + 1,
			       sizeof(*head->notes))) {
		dms_free(text);
		return &dms_error_nomem;
	}
	head->notes[head->n_notes++] = text;
	return NULL;
}

/* ---- attrs -----------------------------------------------------------------------------------
 */

/* A bit field begins at the lowest bit of its first byte, or at the highest: by byte order. */
static bool flag(const struct perf_head *head, const uint8_t *flags, unsigned int bit)
{
	unsigned int shift = head->big_endian ? 7 - bit % 8 : bit % 8;

	return flags[bit / 8] >> shift & 1;
}

struct dms_error *perf_head_add_attr(struct perf_head *head, const uint8_t *data, size_t bytes)
{
	const uint8_t *flags = data + 40;
	struct perf_attr *attr;
	uint64_t period;

	if (head->n_attrs >= MAX_ATTRS)
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s: describes more than %u events: perf writes some dozens",
				     head->file.path, MAX_ATTRS);
	if (!dms_grow(&head->attrs, &head->attrs_capacity, head->n_attrs + 1, sizeof(*attr)))
		return &dms_error_nomem;
	attr = &head->attrs[head->n_attrs++];
	period = load64(data + 16, head->swap);
	*attr = (struct perf_attr){
		.type = load32(data, head->swap),
		.config = load64(data + 8, head->swap),
		.sample_type = load64(data + 24, head->swap),
		.read_format = load64(data + 32, head->swap),
		.is_on_exec = flag(head, flags, FLAG_ON_EXEC),
		.has_trailer = flag(head, flags, FLAG_TRAILER),
		.has_clockid = bytes >= 96 && flag(head, flags, FLAG_CLOCKID),
	};
	if (attr->has_clockid)
		attr->clockid = (int32_t)load32(data + 92, head->swap);
	attr->is_tracepoint = attr->type == TYPE_TRACEPOINT;
	attr->is_sampled = flag(head, flags, FLAG_FREQ) || period > 1;
	perf_layout_make(attr);
	return NULL;
}

struct dms_error *perf_head_add_ids(struct perf_head *head, const uint8_t *data, size_t n_ids)
{
	if (head->n_ids + n_ids > MAX_IDS ||
	    !dms_grow(&head->ids, &head->ids_capacity, head->n_ids + n_ids, sizeof(*head->ids)))
		return &dms_error_nomem;
	for (size_t i = 0; i < n_ids; i++)
		head->ids[head->n_ids++] = (struct perf_id){load64(data + 8 * i, head->swap),
							    (uint32_t)head->n_attrs - 1};
	return NULL;
}

static int compare_ids(const void *left, const void *right)
{
	const struct perf_id *a = left, *b = right;

	return a->id != b->id ? (a->id < b->id ? -1 : 1)
			      : (a->attr > b->attr) - (a->attr < b->attr);
}

const struct perf_attr *perf_head_find(const struct perf_head *head, uint64_t id)
{
	size_t low = 0, high = head->n_ids;

	if (high && head->ids[high - 1].id - head->ids[0].id == high - 1) { /* no hole, as ever */
		uint64_t at = id - head->ids[0].id;

		return at < high ? &head->attrs[head->ids[at].attr] : NULL;
	}
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (head->ids[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < head->n_ids && head->ids[low].id == id ? &head->attrs[head->ids[low].attr]
							    : NULL;
}

static int compare_id_cpus(const void *left, const void *right)
{
	const struct perf_id_cpu *a = left, *b = right;

	return a->id != b->id ? (a->id < b->id ? -1 : 1) : (a->cpu > b->cpu) - (a->cpu < b->cpu);
}

uint32_t perf_head_cpu(const struct perf_head *head, uint64_t id)
{
	const struct perf_id_cpu key = {.id = id};
	size_t low = 0, high = head->n_id_cpus;

	while (low < high) { /* the first of that id */
		size_t middle = (low + high) / 2;

		if (compare_id_cpus(&head->id_cpus[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < head->n_id_cpus && head->id_cpus[low].id == id ? head->id_cpus[low].cpu
								     : PERF_NO_CPU;
}

uint32_t perf_head_n_open_cpus(const struct perf_head *head)
{
	const struct perf_attr *first = NULL;
	uint32_t n_open = 0, last = PERF_NO_CPU;

	/* each tracepoint has an id for each CPU, in their order: the first one speaks for all */
	for (size_t i = 0; i < head->n_id_cpus; i++) {
		const struct perf_attr *attr = perf_head_find(head, head->id_cpus[i].id);

		if (!first && attr && attr->is_tracepoint)
			first = attr;
		if (!first || attr != first || head->id_cpus[i].cpu == last)
			continue;
		last = head->id_cpus[i].cpu;
		if (last == PERF_NO_CPU)
			return 0; /* events of tasks, wherever they run */
		n_open++;
	}
	return n_open;
}

/* Tracepoints must tell their time and their payload, or there is nothing to analyze. */
static struct dms_error *check_tracepoints(const struct perf_head *head)
{
	size_t n_tracepoints = 0;

	for (size_t i = 0; i < head->n_attrs; i++) {
		const struct perf_attr *attr = &head->attrs[i];

		if (!attr->is_tracepoint)
			continue;
		n_tracepoints++;
		if (!(attr->sample_type & SAMPLE_TIME))
			return dms_error_new(DMS_ERROR_INPUT,
					     "%s: samples have no time: record with perf record -T",
					     head->file.path);
		if (!(attr->sample_type & SAMPLE_RAW))
			return dms_error_new(DMS_ERROR_INPUT,
					     "%s: samples have no raw data, expected the fields of "
					     "each event: record with perf record -R",
					     head->file.path);
	}
	if (n_tracepoints)
		return NULL;
	return dms_error_new(DMS_ERROR_INPUT,
			     "%s: holds no tracepoints, expected some of dma%s; record them with "
			     PERF_HOW_TO_RECORD,
			     head->file.path,
			     head->is_pipe_cut ? ": it ends before perf wrote which events were open"
					       : "");
}

struct dms_error *perf_head_finish_attrs(struct perf_head *head)
{
	bool is_alike = true, has_same_ids = true;
	const struct perf_attr *first = head->attrs;
	struct dms_error *err = check_tracepoints(head);

	if (err)
		return err;
	for (size_t i = 1; i < head->n_attrs; i++) {
		const struct perf_attr *attr = &head->attrs[i];

		is_alike &= attr->sample_type == first->sample_type &&
			    attr->read_format == first->read_format &&
			    attr->has_trailer == first->has_trailer;
		has_same_ids &= attr->layout.id == first->layout.id &&
				attr->layout.end_id == first->layout.end_id;
	}
	if (head->n_ids)
		qsort(head->ids, head->n_ids, sizeof(*head->ids), compare_ids);
	if (head->n_id_cpus)
		qsort(head->id_cpus, head->n_id_cpus, sizeof(*head->id_cpus), compare_id_cpus);
	if (has_same_ids && first->layout.id && head->n_ids) {
		head->id_at = first->layout.id;
		head->end_id_at = first->layout.end_id;
		return NULL;
	}
	if (is_alike && first->is_tracepoint)
		return NULL; /* one layout: the first attr speaks for all */
	return dms_error_new(DMS_ERROR_INPUT,
			     "%s: the samples of its %zu events cannot be told apart, expected ids "
			     "in them",
			     head->file.path, head->n_attrs);
}

/* ---- the header of a file ----------------------------------------------------------------------
 */

struct dms_error *perf_head_error(const struct perf_head *head, uint64_t offset, const char *what)
{
	return dms_error_new(DMS_ERROR_INPUT, "%s: at offset %#" PRIx64 ": %s", head->file.path,
			     offset, what);
}

/* One entry of the table of attrs: the attr, and where its ids are. */
static struct dms_error *read_attr(struct perf_head *head, uint64_t offset, uint64_t bytes)
{
	uint8_t data[PERF_MAX_ATTR + 16];
	uint64_t ids_offset, ids_bytes;
	struct dms_error *err;
	uint8_t *ids;

	if ((err = file_read(&head->file, offset, data, bytes)) ||
	    (err = perf_head_add_attr(head, data, bytes - 16)))
		return err;
	ids_offset = load64(data + bytes - 16, head->swap);
	ids_bytes = load64(data + bytes - 8, head->swap);
	if (ids_bytes > head->file.size || ids_offset > head->file.size - ids_bytes ||
	    ids_bytes > 8 * (uint64_t)MAX_IDS)
		return perf_head_error(head, offset, "the ids of an event lie beyond the file");
	ids = dms_alloc(ids_bytes + 1);
	if (!ids)
		return &dms_error_nomem;
	err = file_read(&head->file, ids_offset, ids, ids_bytes);
	if (!err)
		err = perf_head_add_ids(head, ids, ids_bytes / 8);
	dms_free(ids);
	return err;
}

static struct dms_error *read_attrs(struct perf_head *head, const uint8_t *header)
{
	uint64_t each = load64(header + 16, head->swap);
	uint64_t offset = load64(header + 24, head->swap);
	uint64_t bytes = load64(header + 32, head->swap);

	if (each < PERF_MIN_ATTR + 16 || each > PERF_MAX_ATTR + 16 || each % 8)
		return perf_head_error(head, 16, "the size of an event's description makes no sense");
	if (bytes > head->file.size || offset > head->file.size - bytes || bytes / each > MAX_ATTRS)
		return perf_head_error(head, 24, "the events' descriptions lie beyond the file");
	for (uint64_t at = 0; at + each <= bytes; at += each) {
		struct dms_error *err = read_attr(head, offset + at, each);

		if (err)
			return err;
	}
	return NULL;
}

/*
 * A bitmap of longs of the machine that recorded: in big-endian files their size shows in where
 * bit 3, HOSTNAME, is, which perf always sets.
 */
static bool has_feature(const struct perf_head *head, const uint8_t *bits, unsigned int feature)
{
	unsigned int flip = 0;

	if (head->big_endian)
		flip = bits[7] & 1 << 3 ? 7 : 3;
	return bits[(feature / 8) ^ flip] >> feature % 8 & 1;
}

/* Behind the data: a table of where each feature's section is, in the order of the bits. */
static struct dms_error *read_features(struct perf_head *head, const uint8_t *bits)
{
	uint64_t at = head->data_end;

	for (unsigned int feature = 0; feature < PERF_FEATURES; feature++) {
		uint64_t offset, bytes;
		struct dms_error *err;
		uint8_t row[16];

		if (!has_feature(head, bits, feature))
			continue;
		if (at + sizeof(row) > head->file.size)
			return NULL; /* cut off; what is missing will be asked for when needed */
		if ((err = file_read(&head->file, at, row, sizeof(row))))
			return err;
		at += sizeof(row);
		offset = load64(row, head->swap);
		bytes = load64(row + 8, head->swap);
		if (offset < head->file.size && (err = perf_feature(head, feature, offset, bytes)))
			return err;
	}
	return NULL;
}

static struct dms_error *open_file_mode(struct perf_head *head)
{
	uint8_t header[FILE_HEADER_BYTES];
	struct dms_error *err;
	uint64_t bytes;

	if ((err = file_read(&head->file, 0, header, sizeof(header))) ||
	    (err = read_attrs(head, header)))
		return err;
	head->data_offset = load64(header + 40, head->swap);
	bytes = load64(header + 48, head->swap);
	if (head->data_offset > head->file.size || bytes > UINT64_MAX - head->data_offset)
		return perf_head_error(head, 40, "the records lie beyond the file");
	if (!bytes) {
		head->is_unfinished = true;
		head->data_end = head->file.size;
		return perf_head_note(
			head, dms_strdup("perf was killed before it finished this file: its end "
					 "may be missing"));
	}
	head->data_end = head->data_offset + bytes;
	if (head->data_end > head->file.size) {
		head->missing_bytes = head->data_end - head->file.size;
		return NULL;
	}
	return read_features(head, header + 72);
}

static struct dms_error *read_head(struct perf_head *head)
{
	static const char forward[] = "PERFILE2";
	uint8_t start[PIPE_HEADER_BYTES];
	struct dms_error *err;

	if ((err = file_read(&head->file, 0, start, sizeof(start))))
		return err;
	/* the magic is a number, so that it stands backwards in a big-endian file */
	head->big_endian = memcmp(start, forward, 8) != 0;
	head->swap = head->big_endian != HOST_BIG_ENDIAN;
	head->is_pipe = load64(start + 8, head->swap) == PIPE_HEADER_BYTES;
	head->data_offset = PIPE_HEADER_BYTES;
	head->data_end = head->file.size;
	if (!head->is_pipe && (err = open_file_mode(head)))
		return err;
	if ((err = perf_read_early(head)))
		return err;
	return perf_head_finish_attrs(head);
}

struct dms_error *perf_head_open(struct file *file, struct perf_head *ret)
{
	*ret = (struct perf_head){.file = *file, .page_size = 4096, .long_size = 8};
	ret->arena = dms_arena_create();
	if (!ret->arena)
		return &dms_error_nomem;
	return read_head(ret);
}
