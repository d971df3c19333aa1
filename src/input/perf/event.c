// SPDX-License-Identifier: LGPL-2.1-only
/* Where things lie in a perf.data's samples, and in what stands behind its other records. */
#include "perf.h"

/* Markers in call chains: what the entries behind them are. Source: enum perf_callchain_context. */
#define CONTEXT_KERNEL ((uint64_t)-128)
#define CONTEXT_MAX    ((uint64_t)-4095)

enum read_format_bit {
	READ_TIME_ENABLED = 1 << 0,
	READ_TIME_RUNNING = 1 << 1,
	READ_ID = 1 << 2,
	READ_GROUP = 1 << 3,
	READ_LOST = 1 << 4,
};

/* Of 8 bytes each, in this order from the start of a sample's body. */
static const struct {
	enum perf_sample_bit bit;
	size_t member; /* of struct perf_layout, plus 1; 0: of no use to us */
} sample_fields[] = {
	{SAMPLE_IDENTIFIER, offsetof(struct perf_layout, id) + 1},
	{SAMPLE_IP, 0},
	{SAMPLE_TID, offsetof(struct perf_layout, tid) + 1},
	{SAMPLE_TIME, offsetof(struct perf_layout, time) + 1},
	{SAMPLE_ADDR, 0},
	{SAMPLE_ID, offsetof(struct perf_layout, id) + 1},
	{SAMPLE_STREAM_ID, 0},
	{SAMPLE_CPU, offsetof(struct perf_layout, cpu) + 1},
	{SAMPLE_PERIOD, offsetof(struct perf_layout, period) + 1},
};

/* And those of the trailer (sample_id_all), from the end of a record on backwards. */
static const struct {
	enum perf_sample_bit bit;
	size_t member;
} trailer_fields[] = {
	{SAMPLE_IDENTIFIER, offsetof(struct perf_layout, end_id) + 1},
	{SAMPLE_CPU, offsetof(struct perf_layout, end_cpu) + 1},
	{SAMPLE_STREAM_ID, 0},
	{SAMPLE_ID, offsetof(struct perf_layout, end_id) + 1},
	{SAMPLE_TIME, offsetof(struct perf_layout, end_time) + 1},
	{SAMPLE_TID, 0},
};

/* The first place wins: IDENTIFIER is the id wherever there is one. */
static void place(struct perf_layout *layout, size_t member, uint16_t value)
{
	uint16_t *at;

	if (!member)
		return;
	at = (uint16_t *)((char *)layout + member - 1);
	if (!*at)
		*at = value;
}

void perf_layout_make(struct perf_attr *attr)
{
	struct perf_layout *layout = &attr->layout;
	uint16_t at = PERF_HEADER_BYTES, end = 0;

	*layout = (struct perf_layout){0};
	for (size_t i = 0; i < DMS_ARRAY_SIZE(sample_fields); i++) {
		if (!(attr->sample_type & sample_fields[i].bit))
			continue;
		place(layout, sample_fields[i].member, at);
		at += 8;
	}
	layout->rest = at;
	for (size_t i = 0; attr->has_trailer && i < DMS_ARRAY_SIZE(trailer_fields); i++) {
		if (!(attr->sample_type & trailer_fields[i].bit))
			continue;
		end += 8;
		place(layout, trailer_fields[i].member, end);
	}
	layout->end_bytes = end;
}

/* What is left of a sample. */
struct rest {
	const uint8_t *at, *end;
	bool swap;
};

static bool skip(struct rest *rest, uint64_t count, uint32_t element_bytes)
{
	uint64_t room = (uint64_t)(rest->end - rest->at) / element_bytes;

	if (count > room)
		return false;
	rest->at += count * element_bytes;
	return true;
}

/* Counter values, of one event or of its group. */
static bool skip_read(struct rest *rest, uint64_t format)
{
	uint32_t times = !!(format & READ_TIME_ENABLED) + !!(format & READ_TIME_RUNNING);
	uint32_t each = 1 + !!(format & READ_ID) + !!(format & READ_LOST);
	uint64_t count = 1;

	if (format & READ_GROUP) {
		if (rest->end - rest->at < 8)
			return false;
		count = load64(rest->at, rest->swap);
		rest->at += 8;
	}
	return skip(rest, times, 8) && skip(rest, count, 8 * each);
}

/* Only the kernel's frames; user space is of no use without its symbols. */
static bool read_chain(struct rest *rest, bool is_kernel, struct dms_record *ret, uint64_t *chain)
{
	const uint8_t *at;
	uint64_t count;

	if (rest->end - rest->at < 8)
		return false;
	count = load64(rest->at, rest->swap);
	rest->at += 8;
	at = rest->at;
	if (!skip(rest, count, 8))
		return false;
	for (; at < rest->at; at += 8) {
		uint64_t frame = load64(at, rest->swap);

		if (frame >= CONTEXT_MAX)
			is_kernel = frame == CONTEXT_KERNEL;
		else if (is_kernel && frame && ret->n_chain < PERF_MAX_CHAIN)
			chain[ret->n_chain++] = frame;
	}
	ret->chain = ret->n_chain ? chain : NULL;
	return true;
}

static bool read_raw(struct rest *rest, struct dms_record *ret)
{
	uint32_t size;

	if (rest->end - rest->at < 4)
		return false;
	size = load32(rest->at, rest->swap);
	rest->at += 4;
	ret->data = rest->at;
	ret->size = size;
	return skip(rest, size, 1);
}

const char *perf_sample_read(const struct perf_head *head, const struct perf_attr *attr,
			     const uint8_t *data, struct dms_record *ret,
			     uint64_t chain[static PERF_MAX_CHAIN])
{
	const struct perf_layout *layout = &attr->layout;
	struct rest rest = {data + layout->rest, data + perf_record_size(head, data), head->swap};
	bool is_kernel = (perf_record_misc(head, data) & PERF_MISC_CPUMODE) == PERF_MISC_KERNEL;

	*ret = (struct dms_record){.ts = load64(data + layout->time, head->swap)};
	if (layout->cpu)
		ret->cpu = load32(data + layout->cpu, head->swap);
	if (attr->sample_type & SAMPLE_READ && !skip_read(&rest, attr->read_format))
		return "a sample whose counter values pass its end";
	if (attr->sample_type & SAMPLE_CALLCHAIN && !read_chain(&rest, is_kernel, ret, chain))
		return "a sample whose call chain passes its end";
	if (!read_raw(&rest, ret))
		return "a sample whose payload passes its end";
	return NULL;
}

const struct perf_attr *perf_record_attr(const struct perf_head *head, const uint8_t *data)
{
	uint32_t size = perf_record_size(head, data);
	bool is_sample = perf_record_type(head, data) == PERF_SAMPLE;
	uint16_t at = is_sample ? head->id_at : head->end_id_at;

	if (!at)
		return &head->attrs[0];
	if (size < PERF_HEADER_BYTES + 8u || size < at + (is_sample ? 8u : 0u))
		return NULL;
	return perf_head_find(head, load64(is_sample ? data + at : data + size - at, head->swap));
}
