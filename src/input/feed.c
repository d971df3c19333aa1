// SPDX-License-Identifier: LGPL-2.1-only
/* Records handed over one by one, held back until the next one of their CPU is known. */
#include <string.h>

#include "feed.h"
#include "source.h"

/* Items held back at most: the CPU a record waits for may have fallen asleep. */
#define MAX_ITEMS 1024
/* CPUs beyond have no memory: their records go without call stacks. */
#define MAX_CPUS 8192

/** One record or gap on its way. */
struct slot {
	struct dms_item item;
	uint8_t *data; /* of a record; kept for the next one that takes the slot */
	size_t capacity;
	bool is_waiting; /* for the next record of its CPU */
};

/** What is remembered of a CPU. */
struct lane {
	uint64_t last_ts;
	uint64_t waiting; /* number of the item that waits, from 1; 0: none */
};

struct feed {
	struct dms_source common;
	struct dms_source *file;
	const char *(*comm)(void *context, uint32_t pid);
	void *context;
	const char *kallsyms; /* borrowed */
	size_t kallsyms_bytes;
	struct slot slots[MAX_ITEMS];
	uint64_t n_put, n_given; /* items so far: number n is in slots[n % MAX_ITEMS] */
	struct lane *lanes;	 /* by CPU */
	size_t n_lanes;
	uint32_t stack_type;
	bool is_ended, swap;
};

static struct slot *slot_of(struct feed *feed, uint64_t number)
{
	return &feed->slots[number % MAX_ITEMS];
}

/* ---- handing over ---------------------------------------------------------------------------- */

static struct slot *new_slot(struct feed *feed)
{
	struct slot *slot = slot_of(feed, feed->n_put++);

	slot->is_waiting = false;
	return slot;
}

static void put_gap(struct feed *feed, const struct dms_record *record, uint64_t after_ts,
		    int64_t lost)
{
	struct slot *slot = new_slot(feed);

	slot->item = (struct dms_item){
		.kind = DMS_ITEM_GAP,
		.gap =
			{
				.after_ts = after_ts,
				.before_ts = record->ts,
				.lost = lost > 0 ? (uint64_t)lost : 0,
				.cpu = record->cpu,
			},
	};
}

static bool is_stack(const struct feed *feed, const struct dms_record *record)
{
	uint16_t type;

	if (record->size < sizeof(type))
		return false;
	memcpy(&type, record->data, sizeof(type));
	return (feed->swap ? __builtin_bswap16(type) : type) == feed->stack_type;
}

static struct dms_error *put_record(struct feed *feed, const struct dms_record *record,
				    struct lane *lane)
{
	struct slot *slot = slot_of(feed, feed->n_put);

	if (!dms_grow(&slot->data, &slot->capacity, (size_t)record->size + 1, 1))
		return &dms_error_nomem;
	new_slot(feed);
	memcpy(slot->data, record->data, record->size);
	slot->item = (struct dms_item){.kind = DMS_ITEM_RECORD, .record = *record};
	slot->item.record.data = slot->data;
	slot->item.record.next = NULL;
	slot->item.record.next_size = 0;
	slot->item.record.instance = 0;
	slot->item.record.n_chain = 0;
	if (!lane)
		return NULL;
	lane->last_ts = record->ts;
	if (lane->waiting > feed->n_given) { /* else it has been given already */
		struct slot *before = slot_of(feed, lane->waiting - 1);

		before->item.record.next = slot->data;
		before->item.record.next_size = record->size;
		before->is_waiting = false;
	}
	slot->is_waiting = !is_stack(feed, record);
	lane->waiting = slot->is_waiting ? feed->n_put : 0;
	return NULL;
}

struct dms_error *dms_feed_put(struct dms_source *source, const struct dms_record *record,
			       int64_t lost)
{
	struct feed *feed = (struct feed *)source;
	struct lane *lane = NULL;

	if (record->cpu < MAX_CPUS) {
		if (!dms_grow(&feed->lanes, &feed->n_lanes, (size_t)record->cpu + 1,
			      sizeof(*feed->lanes)))
			return &dms_error_nomem;
		lane = &feed->lanes[record->cpu];
	}
	if (lost)
		put_gap(feed, record, lane ? lane->last_ts : 0, lost);
	return put_record(feed, record, lane);
}

void dms_feed_end(struct dms_source *source)
{
	((struct feed *)source)->is_ended = true;
}

/* ---- giving on ------------------------------------------------------------------------------- */

static struct dms_error *feed_next(struct dms_source *source, struct dms_item *ret)
{
	struct feed *feed = (struct feed *)source;
	struct slot *slot = slot_of(feed, feed->n_given);
	/* two places stay free: for a record and the gap before it */
	bool is_full = feed->n_put - feed->n_given > MAX_ITEMS - 3;

	if (feed->n_given == feed->n_put || (slot->is_waiting && !is_full && !feed->is_ended)) {
		*ret = (struct dms_item){.kind = DMS_ITEM_END};
		return NULL;
	}
	feed->n_given++;
	*ret = slot->item;
	return NULL;
}

static struct dms_error *feed_kallsyms(struct dms_source *source, const char **ret,
				       size_t *ret_size)
{
	struct feed *feed = (struct feed *)source;

	*ret = feed->kallsyms;
	*ret_size = feed->kallsyms_bytes;
	return feed->file ? dms_source_kallsyms(feed->file, ret, ret_size) : NULL;
}

static const char *feed_comm(struct dms_source *source, uint32_t pid)
{
	struct feed *feed = (struct feed *)source;

	if (feed->file) {
		const char *comm = dms_source_comm(feed->file, pid);

		source->lacks_comms |= feed->file->lacks_comms;
		return comm;
	}
	return feed->comm ? feed->comm(feed->context, pid) : NULL;
}

static struct dms_error *feed_hash(const struct dms_source *source, char ret[static DMS_HASH_TEXT])
{
	const struct feed *feed = (const struct feed *)source;

	ret[0] = '\0';
	return feed->file ? dms_source_hash(feed->file, ret) : NULL;
}

static void feed_progress(const struct dms_source *source, uint64_t *ret_done, uint64_t *ret_total)
{
	*ret_done = *ret_total = ((const struct feed *)source)->n_given;
}

/* Whoever reads the trace skips damage, and does not tell. */
static uint64_t feed_damage(const struct dms_source *source, const char **ret_first)
{
	(void)source;
	*ret_first = NULL;
	return 0;
}

static void feed_close(struct dms_source *source)
{
	struct feed *feed = (struct feed *)source;

	for (size_t i = 0; i < MAX_ITEMS; i++)
		dms_free(feed->slots[i].data);
	dms_source_close(feed->file);
	dms_free(feed->lanes);
	dms_free(feed);
}

static const struct source_ops feed_ops = {
	.next = feed_next,
	.kallsyms = feed_kallsyms,
	.comm = feed_comm,
	.hash = feed_hash,
	.progress = feed_progress,
	.damage = feed_damage,
	.close = feed_close,
};

struct dms_error *dms_feed_create(const struct dms_feed_head *head, struct dms_source **ret)
{
	struct feed *feed = dms_zalloc(sizeof(*feed));

	if (!feed)
		return &dms_error_nomem;
	feed->common = (struct dms_source){
		.ops = &feed_ops,
		.info = head->info,
		.formats = head->formats,
		.n_formats = head->n_formats,
	};
	feed->file = head->file;
	feed->comm = head->comm;
	feed->context = head->context;
	feed->kallsyms = head->kallsyms;
	feed->kallsyms_bytes = head->kallsyms_bytes;
	feed->stack_type = head->stack_type;
	feed->swap = head->info.big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	*ret = &feed->common;
	return NULL;
}
