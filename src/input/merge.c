// SPDX-License-Identifier: LGPL-2.1-only
/* Several files of one machine as one stream in time order. */
#include <string.h>

#include <dmascope/input.h>

/* Between two files of a recording that was split: a tracer needs no time to change the file. */
#define MIN_HOLE_NS 20000000ull
/* Of a file that says it had more, nobody wants to hear of each. */
#define MAX_HOLE_CPUS 8192u

struct lane {
	struct dms_source *source;
	struct dms_item item; /* the lane's next, if is_loaded */
	bool is_loaded;
	bool has_begun, has_hole; /* it has given a record; nothing was recorded before it */
	uint64_t last_ts;	  /* of the record it gave last */
	struct dms_hole hole;
};

struct dms_merge {
	uint32_t n_lanes;
	uint32_t given; /* lane whose item was given last: the only one to be refilled */
	bool finds_holes;
	uint32_t hole_cpu;	/* of the hole being told: the next CPU */
	uint64_t longest_silence; /* between two records of any file */
	struct lane lanes[];
};

struct dms_merge *dms_merge_create(struct dms_source **sources, uint32_t n_sources)
{
	struct dms_merge *merge = dms_zalloc(sizeof(*merge) + n_sources * sizeof(struct lane));

	if (!merge)
		return NULL;
	merge->n_lanes = n_sources;
	for (uint32_t i = 0; i < n_sources; i++)
		merge->lanes[i].source = sources[i];
	return merge;
}

void dms_merge_destroy(struct dms_merge *merge)
{
	if (!merge)
		return;
	for (uint32_t i = 0; i < merge->n_lanes; i++)
		dms_source_close(merge->lanes[i].source);
	dms_free(merge);
}

/* A gap counts from where it begins. */
static uint64_t item_ts(const struct dms_item *item)
{
	if (item->kind == DMS_ITEM_RECORD)
		return item->record.ts;
	return item->kind == DMS_ITEM_GAP ? item->gap.after_ts : UINT64_MAX;
}

static struct dms_error *load(struct lane *lane)
{
	if (lane->is_loaded)
		return NULL;
	lane->is_loaded = true;
	return dms_source_next(lane->source, &lane->item);
}

/* ---- holes ----------------------------------------------------------------------------------- */

/* Is there nothing from @from to @to that a tracer could have seen? */
static bool is_hole(const struct dms_merge *merge, const struct lane *next, uint64_t from_ts)
{
	uint64_t to_ts = next->item.record.ts;

	if (to_ts <= from_ts || to_ts - from_ts <= merge->longest_silence)
		return false;
	return !dms_source_info(next->source)->clock_is_ns || to_ts - from_ts >= MIN_HOLE_NS;
}

/* The lane that ended last, if all that have begun are at their end; NULL if one is not. */
static const struct lane *last_to_end(const struct dms_merge *merge)
{
	const struct lane *last = NULL;

	for (uint32_t i = 0; i < merge->n_lanes; i++) {
		const struct lane *lane = &merge->lanes[i];

		if (!lane->has_begun)
			continue;
		if (lane->item.kind != DMS_ITEM_END)
			return NULL;
		if (!last || lane->last_ts > last->last_ts)
			last = lane;
	}
	return last;
}

/* @lane gives its first record: what was before it? */
static void begin_lane(struct dms_merge *merge, struct lane *lane)
{
	const struct lane *before = last_to_end(merge);

	lane->has_begun = true;
	lane->last_ts = lane->item.record.ts;
	if (!before || !is_hole(merge, lane, before->last_ts))
		return;
	lane->has_hole = true;
	lane->hole = (struct dms_hole){.file = (uint32_t)(before - merge->lanes),
				       .from_ts = before->last_ts,
				       .to_ts = lane->item.record.ts};
	merge->hole_cpu = 0;
}

static void note_record(struct dms_merge *merge, struct lane *lane)
{
	uint64_t ts = lane->item.record.ts;

	if (ts <= lane->last_ts)
		return;
	if (ts - lane->last_ts > merge->longest_silence)
		merge->longest_silence = ts - lane->last_ts;
	lane->last_ts = ts;
}

/* True if *@ret is a gap to be told before what lane @best has next. */
static bool next_hole(struct dms_merge *merge, uint32_t best, struct dms_item *ret)
{
	struct lane *lane = &merge->lanes[best];
	uint32_t n_cpus = dms_source_info(lane->source)->n_cpus;

	if (lane->item.kind != DMS_ITEM_RECORD)
		return false;
	if (lane->has_begun && lane->last_ts != lane->item.record.ts) {
		note_record(merge, lane);
		return false;
	}
	if (!lane->has_begun)
		begin_lane(merge, lane);
	if (!lane->has_hole || lane->hole.to_ts != lane->item.record.ts ||
	    merge->hole_cpu >= (n_cpus < MAX_HOLE_CPUS ? n_cpus + !n_cpus : MAX_HOLE_CPUS))
		return false;
	*ret = (struct dms_item){.kind = DMS_ITEM_GAP,
				 .file = best,
				 .gap = {.after_ts = lane->hole.from_ts,
					 .before_ts = lane->hole.to_ts,
					 .cpu = merge->hole_cpu++,
					 .is_hole = true}};
	return true;
}

/* perf's --switch-output loses nothing between two files, however long nothing happens there. */
void dms_merge_find_holes(struct dms_merge *merge)
{
	merge->finds_holes = merge->n_lanes > 1;
	for (uint32_t i = 0; i < merge->n_lanes; i++) {
		const char *format = dms_source_info(merge->lanes[i].source)->format;

		merge->finds_holes &= !strncmp(format, "trace.dat", strlen("trace.dat"));
	}
}

const struct dms_hole *dms_merge_hole(const struct dms_merge *merge, uint32_t file)
{
	return merge->lanes[file].has_hole ? &merge->lanes[file].hole : NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

_apart_ static struct dms_error *next_of_many(struct dms_merge *merge, struct dms_item *ret)
{
	struct dms_error *err;
	uint32_t best = 0;

	if (merge->given < merge->n_lanes)
		merge->lanes[merge->given].is_loaded = false;
	for (uint32_t i = 0; i < merge->n_lanes; i++) {
		if ((err = load(&merge->lanes[i])))
			return err;
		if (item_ts(&merge->lanes[i].item) < item_ts(&merge->lanes[best].item))
			best = i;
	}
	if (merge->finds_holes && next_hole(merge, best, ret)) {
		merge->given = merge->n_lanes; /* none has to be refilled */
		return NULL;
	}
	*ret = merge->lanes[best].item;
	ret->file = best;
	merge->given = best;
	return NULL;
}

struct dms_error *dms_merge_next(struct dms_merge *merge, struct dms_item *ret)
{
	return merge->n_lanes == 1 ? dms_source_next(merge->lanes[0].source, ret)
				   : next_of_many(merge, ret);
}

uint32_t dms_merge_count(const struct dms_merge *merge)
{
	return merge->n_lanes;
}

struct dms_source *dms_merge_source(const struct dms_merge *merge, uint32_t file)
{
	return merge->lanes[file].source;
}

static struct dms_error *check_same(const struct dms_source_info *a,
				    const struct dms_source_info *b)
{
	bool has_releases = a->release && b->release;

	if (has_releases && strcmp(a->release, b->release) != 0)
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s is of kernel %s, %s of kernel %s: files of one run are of "
				     "one machine and one boot",
				     a->path, a->release, b->path, b->release);
	if (a->uname && b->uname && strcmp(a->uname, b->uname) != 0)
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s is of machine \"%s\", %s of \"%s\": files of one run are of "
				     "one machine and one boot",
				     a->path, a->uname, b->path, b->uname);
	return NULL;
}

struct dms_error *dms_merge_check_machine(const struct dms_merge *merge)
{
	for (uint32_t i = 1; i < merge->n_lanes; i++) {
		for (uint32_t j = 0; j < i; j++) {
			struct dms_error *err = check_same(dms_source_info(merge->lanes[j].source),
							   dms_source_info(merge->lanes[i].source));

			if (err)
				return err;
		}
	}
	return NULL;
}
