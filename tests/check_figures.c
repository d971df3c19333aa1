// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/stats: distributions, breakdowns, and times between events. */
#include <string.h>

#include "lib/statsbench.h"

START_TEST(sizes_and_lists)
{
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 100, 1);
	map(DMS_MAPPING_COHERENT, DMS_DIR_BIDIRECTIONAL, 4096, 2);
	expect_values(DMS_DIST_SIZE, 2, 4196);
	expect_values(DMS_DIST_ENTRIES, 0, 0);
	mapping.nents = 7;
	mapping.ents = 3;
	map(DMS_MAPPING_SG, DMS_DIR_TO_DEVICE, 50, 3);
	expect_values(DMS_DIST_SIZE, 3, 4246);
	expect_values(DMS_DIST_ENTRIES, 1, 7);
	expect_values(DMS_DIST_SEGMENTS, 1, 3);
	feed(DMS_STEP_MAP_FAILED, DMS_EV_MAP, 4); /* has no size of a mapping */
	expect_values(DMS_DIST_SIZE, 3, 4246);
}
END_TEST

static void expect_calls(const struct dms_calls *calls, const struct dms_calls *wanted)
{
	ck_assert_msg(!memcmp(calls, wanted, sizeof(*calls)),
		      "%" PRIu64 " maps, %" PRIu64 " unmaps, %" PRIu64 " syncs, %" PRIu64
		      " failed, %" PRIu64 " bytes",
		      calls->maps, calls->unmaps, calls->syncs, calls->failed, calls->bytes);
}

#define CALLS(...) expect_calls(__VA_ARGS__)

START_TEST(calls_by_cpu_kind_and_direction)
{
	const struct dms_device_stats *figures;

	mapping.map_cpu = event.cpu = 3;
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 100, 1);
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 10, 2);
	map(DMS_MAPPING_PAGE, DMS_DIR_FROM_DEVICE, 1, 3);
	event.cpu = 1; /* not the mapping's */
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 4);
	event.cpu = 70000; /* too large for a row of its own */
	feed(DMS_STEP_UNMAP_UNMATCHED, DMS_EV_UNMAP, 5);
	set_kind(DMS_MAPPING_SG);
	feed(DMS_STEP_SYNC, DMS_EV_SYNC_FOR_CPU, 6);
	step.mapping = NULL;
	event.cpu = 3;
	event.dir = DMS_DIR_BIDIRECTIONAL;
	feed(DMS_STEP_SYNC_UNMATCHED, DMS_EV_SYNC_SG_FOR_DEVICE, 7);
	event.dir = 200; /* no direction there is */
	feed(DMS_STEP_MAP_FAILED, DMS_EV_ALLOC_PAGES, 8);
	figures = dms_stats_device(stats, 1);
	CALLS(&figures->cpus[3],
	      &(struct dms_calls){.maps = 3, .syncs = 1, .failed = 1, .bytes = 111});
	CALLS(&figures->cpus[1], &(struct dms_calls){.unmaps = 1});
	CALLS(&figures->cpus[DMS_STATS_CPUS], &(struct dms_calls){.unmaps = 1, .syncs = 1});
	CALLS(&figures->calls[DMS_MAPPING_PAGE][DMS_DIR_TO_DEVICE],
	      &(struct dms_calls){.maps = 2, .bytes = 110});
	CALLS(&figures->calls[DMS_MAPPING_PAGE][DMS_DIR_FROM_DEVICE],
	      &(struct dms_calls){.maps = 1, .unmaps = 2, .bytes = 1});
	CALLS(&figures->calls[DMS_MAPPING_SG][DMS_DIR_FROM_DEVICE], &(struct dms_calls){.syncs = 1});
	CALLS(&figures->calls[DMS_MAPPING_SG][DMS_DIR_BIDIRECTIONAL],
	      &(struct dms_calls){.syncs = 1});
	CALLS(&figures->calls[DMS_MAPPING_PAGES][DMS_DIR_UNKNOWN],
	      &(struct dms_calls){.failed = 1});
}
END_TEST

/* More CPUs than have rows of their own; those cells are doubled makes no difference. */
START_TEST(calls_of_many_cpus)
{
	const struct dms_device_stats *figures;

	for (uint32_t cpu = 0; cpu < 2 * DMS_STATS_CPUS; cpu++) {
		mapping.map_cpu = event.cpu = cpu;
		map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 100 + (cpu & 1), 1);
	}
	figures = dms_stats_device(stats, 1);
	CALLS(&figures->cpus[DMS_STATS_CPUS - 1], &(struct dms_calls){.maps = 1, .bytes = 101});
	CALLS(&figures->cpus[DMS_STATS_CPUS],
	      &(struct dms_calls){.maps = DMS_STATS_CPUS, .bytes = 201 * DMS_STATS_CPUS / 2});
	CALLS(&figures->calls[DMS_MAPPING_PAGE][DMS_DIR_TO_DEVICE],
	      &(struct dms_calls){.maps = 2 * DMS_STATS_CPUS, .bytes = 201 * DMS_STATS_CPUS});
}
END_TEST

/* Sizes are counted by runs: whoever asks in between gets all so far, and counting goes on. */
START_TEST(runs_of_one_size)
{
	static const uint64_t sizes[] = {0, 0, 64, 64, 64, 1, 64, UINT64_MAX, 0};
	uint64_t sum = 0;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(sizes); i++) {
		map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, sizes[i], i);
		sum = sizes[i] == UINT64_MAX ? UINT64_MAX : sum + sizes[i];
		expect_values(DMS_DIST_SIZE, i + 1, sum);
		if (sizes[i] == UINT64_MAX)
			break;
	}
	ck_assert_uint_eq(histogram_of(DMS_DIST_SIZE)->min, 0);
	ck_assert_uint_eq(histogram_of(DMS_DIST_SIZE)->max, UINT64_MAX);
	ck_assert_uint_eq(histogram_of(DMS_DIST_SIZE)->buckets[0], 2);
	ck_assert_uint_eq(histogram_of(DMS_DIST_SIZE)->buckets[64 + 0], 4);
	map(DMS_MAPPING_PAGE, DMS_DIR_FROM_DEVICE, 64, 9); /* has a run of its own */
	ck_assert_uint_eq(histogram_of(DMS_DIST_SIZE)->buckets[64 + 0], 5);
	EXPECT(1, {DMS_COUNT_MAPS, 9}, {DMS_COUNT_BYTES_TO_DEVICE, 256},
	       {DMS_COUNT_BYTES_FROM_DEVICE, 64});
}
END_TEST

START_TEST(handovers_by_pair)
{
	const struct dms_device_stats *figures;

	mapping.map_cpu = 2;
	mapping.size = 64;
	step.end = DMS_END_UNMAPPED;
	event.cpu = 2;
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 1);
	event.cpu = 5;
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 2);
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 3);
	event.cpu = DMS_STATS_PAIR_CPUS; /* only counted */
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 4);
	mapping.is_seeded = true; /* nobody knows who mapped it */
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 5);
	feed(DMS_STEP_UNMAP_UNMATCHED, DMS_EV_UNMAP, 6);
	figures = dms_stats_device(stats, 1);
	ck_assert_uint_eq(figures->counters[DMS_COUNT_HANDOVERS], 3);
	ck_assert_uint_eq(figures->counters[DMS_COUNT_UNMAPS_MATCHED], 4);
	ck_assert_ptr_null(figures->handovers[5]);
	ck_assert_uint_eq(figures->handovers[2][5].mappings, 2);
	ck_assert_uint_eq(figures->handovers[2][5].bytes, 128);
}
END_TEST

START_TEST(bounced_by_reason)
{
	const struct dms_device_stats *figures;
	static const uint8_t reasons[] = {DMS_BOUNCE_FORCED, DMS_BOUNCE_MASK, DMS_BOUNCE_OTHER,
					  DMS_BOUNCE_MASK};

	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 7, 1);
	mapping.bounced = true;
	for (unsigned int i = 0; i < DMS_ARRAY_SIZE(reasons); i++) {
		mapping.bounce_reason = reasons[i] & 3;
		map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 100, 2 + i);
	}
	EXPECT(1, {DMS_COUNT_MAPS, 5}, {DMS_COUNT_BYTES_TO_DEVICE, 407}, {DMS_COUNT_BOUNCED_MAPS, 4},
	       {DMS_COUNT_BOUNCED_FORCED, 1}, {DMS_COUNT_BOUNCED_MASK, 2},
	       {DMS_COUNT_BOUNCED_OTHER, 1});
	ended(DMS_END_LOST, 100, 9);
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 99, 10);
	figures = dms_stats_device(stats, 1);
	ck_assert_uint_eq(figures->bounced_bytes, 399);
	ck_assert_uint_eq(figures->peak_bounced_bytes, 400);
	ck_assert_uint_eq(figures->peak_bounced_bytes_ts, 5);
}
END_TEST

START_TEST(remaps_and_addresses)
{
	const struct dms_device_stats *figures;

	mapping.dma_addr = 0x9000; /* not told by the trace */
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 16, 1);
	figures = dms_stats_device(stats, 1);
	ck_assert_uint_gt(figures->iova_low, figures->iova_high);
	mapping.has |= DMS_HAS_DMA_ADDR;
	mapping.is_remap = true;
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 16, 2);
	mapping.is_remap = false;
	mapping.dma_addr = 0x1001;
	map(DMS_MAPPING_COHERENT, DMS_DIR_BIDIRECTIONAL, 1, 3);
	mapping.dma_addr = UINT64_MAX - 1; /* damage: it would end behind the last address */
	map(DMS_MAPPING_COHERENT, DMS_DIR_BIDIRECTIONAL, 3, 4);
	mapping.dma_addr = 1; /* damage: nothing */
	map(DMS_MAPPING_COHERENT, DMS_DIR_BIDIRECTIONAL, 0, 5);
	ck_assert_uint_eq(figures->iova_low, 0x1001);
	ck_assert_uint_eq(figures->iova_high, 0x900f);
	figures = dms_stats_device(stats, 1);
	ck_assert_uint_eq(figures->counters[DMS_COUNT_REMAPS], 1);
	ck_assert_uint_eq(figures->counters[DMS_COUNT_REMAPPED_BYTES], 16);
}
END_TEST

/* ---- latencies: which event, by whom, where; and whether it ends a latency ------------------- */

struct moment {
	enum dms_step_kind kind;
	enum dms_event_kind event;
	uint64_t ts;
	uint32_t cpu, pid;
	uint64_t addr, size;
	int distribution; /* it is the end of one; -1: of none */
	uint64_t latency_ns;
};

#define BOUNCE	   DMS_STEP_BOUNCE, DMS_EV_BOUNCE
#define IOMMU_MAP  DMS_STEP_IOMMU, DMS_EV_IOMMU_MAP
#define IOMMU_UNMAP DMS_STEP_IOMMU, DMS_EV_IOMMU_UNMAP
#define MAP	   DMS_STEP_MAP, DMS_EV_MAP
#define UNMAP	   DMS_STEP_UNMAP, DMS_EV_UNMAP
#define UNMAP_SG   DMS_STEP_UNMAP, DMS_EV_UNMAP_SG

static const struct moment moments[] = {
	{BOUNCE, 100, 1, 9, 0x5000, 64, -1, 0},
	{MAP, 130, 1, 9, 0x5000, 64, DMS_DIST_BOUNCE_TO_MAP, 30},
	{MAP, 140, 1, 9, 0x5000, 64, -1, 0}, /* a second one has none of its own */
	{BOUNCE, 200, 1, 9, 0x5000, 64, -1, 0},
	{MAP, 210, 1, 8, 0x5000, 64, -1, 0}, /* another task */
	{BOUNCE, 300, 1, 9, 0x5000, 64, -1, 0},
	{MAP, 305, 2, 9, 0x5000, 64, -1, 0}, /* another CPU: the first still waits */
	{MAP, 310, 1, 9, 0x6000, 64, -1, 0}, /* another address */
	{BOUNCE, 400, 1, 9, 0x5000, 64, -1, 0},
	{DMS_STEP_SYNC, DMS_EV_SYNC_FOR_CPU, 402, 1, 9, 0x7000, 1, -1, 0}, /* stands between */
	{MAP, 404, 1, 9, 0x5000, 64, -1, 0},
	{BOUNCE, 450, 1, 9, 0x5000, 64, -1, 0},
	{DMS_STEP_MESSAGE, DMS_EV_CONSOLE, 451, 1, 9, 0, 0, -1, 0}, /* is no DMA call */
	{DMS_STEP_ENDED, DMS_EV_MAP, 452, 1, 9, 0x5000, 64, -1, 0}, /* told beside the map */
	{MAP, 452, 1, 9, 0x5000, 64, DMS_DIST_BOUNCE_TO_MAP, 2},
	{IOMMU_MAP, 500, 0, 5, 0xf000, 4096, -1, 0},
	{IOMMU_MAP, 520, 0, 5, 0x10000, 4096, -1, 0},
	{MAP, 527, 0, 5, 0x10010, 100, DMS_DIST_IOMMU_MAP_TO_MAP, 7},
	{IOMMU_MAP, 530, 0, 5, 0x10000, 4096, -1, 0},
	{MAP, 540, 0, 5, 0x11000, 100, -1, 0}, /* begins where the pages end */
	{IOMMU_UNMAP, 600, 0, 5, 0x10000, 4096, -1, 0},
	{UNMAP, 655, 0, 5, 0x10fff, 1, DMS_DIST_IOMMU_UNMAP_TO_UNMAP, 55},
	{IOMMU_UNMAP, 660, 0, 5, 0x10000, 4096, -1, 0},
	{UNMAP, 665, 0, 5, 0x11000, 1, -1, 0},
	{IOMMU_UNMAP, 670, 0, 5, 0x10000, 4096, -1, 0},
	{MAP, 675, 0, 5, 0x10000, 1, -1, 0}, /* is no unmap */
	{IOMMU_UNMAP, 680, 0, 5, 0x10000, 4096, -1, 0},
	{DMS_STEP_UNMAP_UNMATCHED, DMS_EV_UNMAP, 681, 0, 5, 0x10000, 1,
	 DMS_DIST_IOMMU_UNMAP_TO_UNMAP, 1}, /* took as long, whoever mapped it */
	{UNMAP_SG, 700, 0, 5, 0x20010, 10, -1, 0},
	{IOMMU_UNMAP, 711, 0, 5, 0x20000, 4096, DMS_DIST_UNMAP_SG_TO_IOMMU_UNMAP, 11},
	{UNMAP_SG, 720, 0, 5, 0x20010, 10, -1, 0},
	{IOMMU_UNMAP, 730, 0, 5, 0x30000, 4096, -1, 0}, /* another range */
	{UNMAP_SG, 740, 0, 5, 0x20010, 10, -1, 0},
	{IOMMU_MAP, 750, 0, 5, 0x20000, 4096, -1, 0},
	{IOMMU_UNMAP, 800, 3, 5, 0x10000, 4096, -1, 0},
	{UNMAP, 790, 3, 5, 0x10000, 1, -1, 0}, /* told late: it is not the next event */
	{UNMAP, 810, 3, 5, 0x10000, 1, DMS_DIST_IOMMU_UNMAP_TO_UNMAP, 10},
	{BOUNCE, 900, 100000, 9, 0x5000, 64, -1, 0}, /* no machine has so many CPUs */
	{MAP, 910, 100000, 9, 0x5000, 64, -1, 0},
};

static void live_through(const struct moment *moment)
{
	event.cpu = moment->cpu;
	event.pid = moment->pid;
	event.dma_addr = event.phys_addr = mapping.dma_addr = mapping.cpu_addr = moment->addr;
	event.size = mapping.size = moment->size;
	mapping.bounced = moment->kind == DMS_STEP_MAP; /* so the model may say; stats looks itself */
	step.mapping = moment->kind == DMS_STEP_IOMMU ? NULL : &mapping;
	step.device = moment->kind == DMS_STEP_IOMMU ? NULL : &devices[1];
	feed(moment->kind, moment->event, moment->ts);
}

START_TEST(times_within_a_call)
{
	uint64_t counts[DMS_N_DISTRIBUTIONS] = {0}, sums[DMS_N_DISTRIBUTIONS] = {0};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(moments); i++) {
		const struct moment *moment = &moments[i];

		live_through(moment);
		if (moment->distribution >= 0) {
			counts[moment->distribution]++;
			sums[moment->distribution] += moment->latency_ns;
		}
		for (int k = DMS_DIST_BOUNCE_TO_MAP; k <= DMS_DIST_UNMAP_SG_TO_IOMMU_UNMAP; k++) {
			const struct dms_histogram *histogram = histogram_of(k);

			ck_assert_msg((histogram ? histogram->count : 0) == counts[k] &&
					      (histogram ? histogram->sum : 0) == sums[k],
				      "moment %zu, at %" PRIu64 ": %s has %" PRIu64
				      " values, sum %" PRIu64,
				      i, moment->ts, dms_distribution_name(k),
				      histogram ? histogram->count : 0,
				      histogram ? histogram->sum : 0);
		}
	}
}
END_TEST

/* Lost events may have stood between; those of another CPU did not. */
START_TEST(gaps_break_latencies)
{
	struct dms_gap gap = {.cpu = (uint32_t)_i};
	struct dms_step lost = {.kind = DMS_STEP_GAP, .gap = &gap, .ts = 110};

	live_through(&moments[0]); /* on CPU 1 */
	count_step(&lost);
	live_through(&moments[1]);
	expect_values(DMS_DIST_BOUNCE_TO_MAP, gap.cpu != 1, gap.cpu != 1 ? 30 : 0);
}
END_TEST

START_TEST(addresses_come_back)
{
	mapping.dma_addr = 0x1000;
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 1, 10); /* has not been unmapped before */
	step.end = DMS_END_UNMAPPED;
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 100);
	expect_values(DMS_DIST_REUSE, 0, 0);
	step.device = &devices[2]; /* another device's address is another one */
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 1, 105);
	step.device = &devices[1];
	expect_values(DMS_DIST_REUSE, 0, 0);
	mapping.dma_addr = 0x1001;
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 1, 110);
	mapping.dma_addr = 0x1000;
	map(DMS_MAPPING_COHERENT, DMS_DIR_TO_DEVICE, 1, 120); /* not streaming */
	expect_values(DMS_DIST_REUSE, 0, 0);
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 1, 130);
	expect_values(DMS_DIST_REUSE, 1, 30);
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 1, 140); /* the next map only */
	expect_values(DMS_DIST_REUSE, 1, 30);
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 150);
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 160);
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 1, 155); /* clocks of two CPUs disagree */
	expect_values(DMS_DIST_REUSE, 2, 30);
}
END_TEST

/* After many, one address in 16 stands for all: bounded work, and the same distribution. */
START_TEST(many_addresses_are_sampled)
{
	uint64_t count;

	for (unsigned int round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < 70000; i++) {
			mapping.dma_addr = i << 12;
			feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, i * 100);
			map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 1, i * 100 + 50);
		}
		count = histogram_of(DMS_DIST_REUSE)->count;
		ck_assert_uint_ge(count, round ? 23300 : 19000);
		ck_assert_uint_le(count, round ? 25000 : 20500);
	}
	ck_assert_uint_eq(histogram_of(DMS_DIST_REUSE)->min, 50);
	ck_assert_uint_eq(histogram_of(DMS_DIST_REUSE)->max, 50);
}
END_TEST

/* --since: nothing before counts, but what lives lives on. */
START_TEST(counting_begins_anew)
{
	const struct dms_device_stats *figures;

	mapping.has |= DMS_HAS_DMA_ADDR;
	mapping.dma_addr = 0x1000;
	mapping.bounced = true;
	mapping.bounce_reason = DMS_BOUNCE_OTHER;
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 100, 1);
	map(DMS_MAPPING_PAGE, DMS_DIR_TO_DEVICE, 100, 2);
	event.cpu = 1;
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 3);
	dms_stats_restart(stats, 10);
	EXPECT(1, {DMS_COUNT_MAPS, 0});
	figures = dms_stats_device(stats, 1);
	for (int i = 0; i < DMS_N_DISTRIBUTIONS; i++)
		expect_values(i, 0, 0);
	ck_assert_uint_gt(figures->iova_low, figures->iova_high);
	ck_assert_ptr_null(figures->handovers[0]);
	CALLS(&figures->cpus[0], &(struct dms_calls){0});
	CALLS(&figures->calls[DMS_MAPPING_PAGE][DMS_DIR_TO_DEVICE], &(struct dms_calls){0});
	ck_assert_uint_eq(figures->peak_bounced_bytes, 100);
	ck_assert_uint_eq(figures->peak_bounced_bytes_ts, 10);
	feed(DMS_STEP_UNMAP, DMS_EV_UNMAP, 20);
	EXPECT(1, {DMS_COUNT_UNMAPS, 1}, {DMS_COUNT_UNMAPS_MATCHED, 1}, {DMS_COUNT_HANDOVERS, 1});
	expect_values(DMS_DIST_LIFETIME, 1, 18);
	CALLS(&figures->cpus[1], &(struct dms_calls){.unmaps = 1});
}
END_TEST

static TCase *steps_case(const char *name, void (*set_up)(void))
{
	TCase *steps = tcase_create(name);

	tcase_add_checked_fixture(steps, set_up, teardown);
	tcase_add_test(steps, sizes_and_lists);
	tcase_add_test(steps, calls_by_cpu_kind_and_direction);
	tcase_add_test(steps, calls_of_many_cpus);
	tcase_add_test(steps, runs_of_one_size);
	tcase_add_test(steps, handovers_by_pair);
	tcase_add_test(steps, bounced_by_reason);
	tcase_add_test(steps, remaps_and_addresses);
	tcase_add_test(steps, times_within_a_call);
	tcase_add_loop_test(steps, gaps_break_latencies, 0, 3);
	tcase_add_test(steps, addresses_come_back);
	tcase_add_test(steps, many_addresses_are_sampled);
	tcase_add_test(steps, counting_begins_anew);
	return steps;
}

int main(void)
{
	Suite *suite = suite_create("figures");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, steps_case("steps", setup));
	suite_add_tcase(suite, steps_case("notes of steps", setup_by_notes));
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
