// SPDX-License-Identifier: LGPL-2.1-only
/* What stands before the first sample of a perf.data: the system, and in pipe mode the whole head. */
#include "perf.h"

/* HEADER_ATTR: the attr, whose size it says itself, and ids to the end of the record. */
static struct dms_error *pipe_attr(struct perf_head *head, const struct perf_raw *raw)
{
	const uint8_t *body = raw->data + PERF_HEADER_BYTES;
	size_t room = raw->size - PERF_HEADER_BYTES, bytes;
	struct dms_error *err;

	bytes = room >= 8 ? load32(body + 4, head->swap) : 0;
	if (bytes < PERF_MIN_ATTR || bytes > room || bytes > PERF_MAX_ATTR)
		return perf_head_error(head, perf_block_offset(raw->block, raw->data),
				  "an event's description that is no attr");
	err = perf_head_add_attr(head, body, bytes);
	return err ? err : perf_head_add_ids(head, body + bytes, (room - bytes) / 8);
}

static struct dms_error *pipe_feature(struct perf_head *head, const struct perf_raw *raw)
{
	uint64_t offset = perf_block_offset(raw->block, raw->data), feature;

	if (raw->size < PERF_HEADER_BYTES + 8)
		return NULL;
	feature = load64(raw->data + PERF_HEADER_BYTES, head->swap);
	if (feature >= PERF_FEATURES)
		return NULL;
	return perf_feature(head, (unsigned int)feature, offset + PERF_HEADER_BYTES + 8,
			    raw->size - PERF_HEADER_BYTES - 8);
}

/* THREAD_MAP: u64 count, then u64 pid, char comm[16] each; a pid of -1 is the whole system. */
static struct dms_error *note_threads(struct perf_head *head, const struct perf_raw *raw)
{
	if (raw->size < PERF_HEADER_BYTES + 16 || !load64(raw->data + 8, head->swap))
		return NULL;
	head->has_threads = true;
	head->is_partial = (uint32_t)load64(raw->data + 16, head->swap) != UINT32_MAX;
	return NULL;
}

/* TRACING_DATA: u32 size; so many bytes stand behind the record. */
static struct dms_error *pipe_tracing(struct perf_head *head, const struct perf_raw *raw)
{
	uint64_t offset = perf_block_offset(raw->block, raw->data);

	if (raw->size < PERF_HEADER_BYTES + 4)
		return NULL;
	return perf_tracing_data(head, offset + raw->size, load32(raw->data + 8, head->swap));
}

/* ID_INDEX: u64 count, then u64 id, index, CPU, task each; there may be more behind them. */
static struct dms_error *take_id_index(struct perf_head *head, const struct perf_raw *raw)
{
	const uint8_t *at = raw->data + PERF_HEADER_BYTES + 8;
	uint64_t count, room = (raw->size - PERF_HEADER_BYTES) / 8;

	if (!room)
		return NULL;
	count = load64(raw->data + PERF_HEADER_BYTES, head->swap);
	if (count > (room - 1) / 4)
		count = (room - 1) / 4;
	if (!dms_grow(&head->id_cpus, &head->id_cpus_capacity, head->n_id_cpus + count,
		      sizeof(*head->id_cpus)))
		return &dms_error_nomem;
	for (uint64_t i = 0; i < count; i++, at += 32)
		head->id_cpus[head->n_id_cpus++] = (struct perf_id_cpu){
			load64(at, head->swap), (uint32_t)load64(at + 16, head->swap)};
	return NULL;
}

/*
 * The kernel's own mapping: its name ends in that of the symbol whose address is the offset.
 * MMAP: u32 pid, tid; u64 address, length, offset; name. MMAP2 has 32 bytes more before the name.
 * Source: perf_event__synthesize_kernel_mmap(), tools/perf/util/synthetic-events.c
 */
static struct dms_error *take_mmap(struct perf_head *head, const struct perf_raw *raw)
{
	static const char kernel[] = "[kernel.kallsyms]";
	static const char *const symbols[] = {"_text", "_stext"};
	uint32_t name_at = raw->type == PERF_MMAP ? 40 : 72;
	const char *name = (const char *)raw->data + name_at;

	if (raw->size < name_at + sizeof(kernel) || strncmp(name, kernel, sizeof(kernel) - 1) != 0)
		return NULL;
	name += sizeof(kernel) - 1;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(symbols); i++) {
		if (raw->size - name_at < sizeof(kernel) + strlen(symbols[i]) ||
		    strncmp(name, symbols[i], strlen(symbols[i]) + 1) != 0)
			continue;
		head->text_addr = load64(raw->data + 32, head->swap);
		head->text_name = symbols[i];
	}
	return NULL;
}

static const struct {
	uint32_t type;
	bool is_of_pipe; /* what a file tells in its head */
	struct dms_error *(*take)(struct perf_head *head, const struct perf_raw *raw);
} early_rows[] = {
	{PERF_THREAD_MAP, false, note_threads},	    {PERF_ID_INDEX, false, take_id_index},
	{PERF_MMAP, false, take_mmap},		    {PERF_MMAP2, false, take_mmap},
	{PERF_HEADER_ATTR, true, pipe_attr},	    {PERF_HEADER_FEATURE, true, pipe_feature},
	{PERF_TRACING_DATA, true, pipe_tracing},
};

static struct dms_error *take_early(struct perf_head *head, const struct perf_raw *raw)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(early_rows); i++) {
		if (early_rows[i].type == raw->type && (head->is_pipe || !early_rows[i].is_of_pipe))
			return early_rows[i].take(head, raw);
	}
	return NULL;
}

struct dms_error *perf_read_early(struct perf_head *head)
{
	struct perf_reader reader;
	struct perf_raw raw = {0};
	struct dms_error *err;

	if ((err = perf_reader_open(&reader, head)))
		return err;
	while (!(err = perf_reader_next(&reader, &raw)) && raw.data && raw.type != PERF_SAMPLE &&
	       raw.type != PERF_FINISHED_ROUND && !raw.block->is_unpacked) {
		if ((err = take_early(head, &raw)))
			break;
	}
	/* in a pipe all stands before the first event: the file ends in it */
	head->is_pipe_cut = head->is_pipe && (reader.is_cut || !raw.data);
	perf_reader_close(&reader);
	return err;
}

