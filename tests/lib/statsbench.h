/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps by hand for the tests of src/stats: one device, one mapping, one event, changed as needed. */
#ifndef TESTS_STATSBENCH_H
#define TESTS_STATSBENCH_H

#include <check.h>
#include <inttypes.h>
#include <string.h>

#include <dmascope/stats.h>

static struct dms_stats *stats;
static struct dms_device devices[3];
static struct dms_event event;
static struct dms_mapping mapping;
static struct dms_step step;

/* The model tells of a device before anything else of it. */
static bool is_told[DMS_ARRAY_SIZE(devices)];

/* Steps are counted by their notes, where they have one. */
static bool is_by_notes;

static inline void setup(void)
{
	is_by_notes = false;
	memset(is_told, 0, sizeof(is_told));
	stats = dms_stats_create();
	ck_assert_ptr_nonnull(stats);
	for (uint32_t i = 0; i < DMS_ARRAY_SIZE(devices); i++)
		devices[i] = (struct dms_device){.index = i, .generation = 1};
	event = (struct dms_event){.stack = DMS_ID_NONE};
	mapping = (struct dms_mapping){.has = DMS_HAS_SIZE, .nents = 1, .ents = 1};
	step = (struct dms_step){.event = &event, .device = &devices[1], .mapping = &mapping};
}

static inline void setup_by_notes(void)
{
	setup();
	is_by_notes = true;
}

static inline void teardown(void)
{
	dms_stats_destroy(stats);
}

static inline void tell_device(const struct dms_step *first)
{
	const struct dms_step told = {
		.kind = DMS_STEP_DEVICE, .device = first->device, .ts = first->ts};

	ck_assert(!dms_stats_step(stats, &told));
	is_told[first->device->index] = true;
}

static inline void count_step(const struct dms_step *counted)
{
	struct dms_stats_note note;
	struct dms_error *err;

	if (counted->device && !is_told[counted->device->index])
		tell_device(counted);
	memset(&note, 0xa5, sizeof(note)); /* what a step does not need is not set */
	if (is_by_notes && dms_stats_note(stats, counted, &note))
		err = dms_stats_count(stats, &note, 1);
	else
		err = dms_stats_step(stats, counted);
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
}

static inline void feed(enum dms_step_kind kind, enum dms_event_kind event_kind, uint64_t ts)
{
	step.kind = kind;
	step.ts = ts;
	event.kind = event_kind;
	event.ts = ts;
	count_step(&step);
}

static inline void set_kind(enum dms_mapping_kind kind)
{
	mapping.kind = kind;
	mapping.is_compound = kind >= DMS_MAPPING_SG;
}

static inline void map(enum dms_mapping_kind kind, enum dms_dir dir, uint64_t size, uint64_t ts)
{
	set_kind(kind);
	mapping.dir = dir;
	mapping.size = size;
	mapping.map_ts = ts;
	step.end = DMS_END_LIVE;
	feed(DMS_STEP_MAP, DMS_EV_MAP, ts);
}

static inline void ended(enum dms_end end, uint64_t size, uint64_t ts)
{
	mapping.size = size;
	step.end = end;
	step.event = NULL;
	feed(DMS_STEP_ENDED, DMS_EV_NONE, ts);
	step.event = &event;
}

/* Exactly the counters named have their value; every other one is 0. */
struct wanted {
	enum dms_counter counter;
	uint64_t value;
};

static inline void expect_counters(uint32_t device, const struct wanted *wanted, size_t n_wanted)
{
	const struct dms_device_stats *figures = dms_stats_device(stats, device);

	ck_assert_ptr_nonnull(figures);
	for (unsigned int i = 0; i < DMS_N_COUNTERS; i++) {
		uint64_t value = 0;

		for (size_t k = 0; k < n_wanted; k++) {
			if (wanted[k].counter == i)
				value = wanted[k].value;
		}
		ck_assert_msg(figures->counters[i] == value, "%s is %" PRIu64 ", not %" PRIu64,
			      dms_counter_name(i), figures->counters[i], value);
	}
}

#define EXPECT(device, ...)                                                                        \
	do {                                                                                       \
		static const struct wanted wanted_[] = {__VA_ARGS__};                              \
		expect_counters(device, wanted_, DMS_ARRAY_SIZE(wanted_));                         \
	} while (0)

/* Of device 1; NULL: it has no value. */
static inline const struct dms_histogram *histogram_of(enum dms_distribution distribution)
{
	return dms_stats_device(stats, 1)->histograms[distribution];
}

static inline void expect_values(enum dms_distribution distribution, uint64_t count, uint64_t sum)
{
	const struct dms_histogram *histogram = histogram_of(distribution);

	ck_assert_msg((histogram ? histogram->count : 0) == count &&
			      (histogram ? histogram->sum : 0) == sum,
		      "%s: %" PRIu64 " values, sum %" PRIu64, dms_distribution_name(distribution),
		      histogram ? histogram->count : 0, histogram ? histogram->sum : 0);
}

#endif
