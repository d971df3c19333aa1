// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of src/model/overlap.c and memory.c: over random lives, the overlaps that are told are
 * those that comparing each mapping with every other finds.
 */
#include <check.h>
#include <string.h>

#include <dmascope/model.h>

/* Few enough that no limit of the search is reached. */
#define LIVE	    24
#define ROUNDS	    40000
#define MAX_ENTRIES 3

/** A mapping as the test knows it: a list, or one entry. */
struct life {
	struct dms_event event; /* its map; kind NONE: it does not live */
	uint64_t phys[MAX_ENTRIES], dma[MAX_ENTRIES];
	uint32_t lengths[MAX_ENTRIES];
	uint32_t n; /* entries */
	uint64_t serial;
};

/** What has to be told, by the serial of the newer one: the older one's, 0 for none. */
struct expected {
	uint64_t older[ROUNDS + 1], bytes[ROUNDS + 1];
	uint64_t told[ROUNDS + 1];
	uint64_t n_expected, n_told;
};

static struct life lives[LIVE];
static struct expected expected;

static uint64_t next_random(uint64_t *state)
{
	*state = dms_hash64(*state + 0x9e3779b97f4a7c15ull);
	return *state;
}

static struct dms_error *listen(void *context, const struct dms_step *step)
{
	(void)context;
	ck_assert_int_ne(step->kind, DMS_STEP_UNMAP_UNMATCHED);
	if (step->kind != DMS_STEP_OVERLAP || !step->overlap->bytes)
		return NULL;
	ck_assert_uint_eq(step->related->serial, expected.older[step->mapping->serial]);
	ck_assert_uint_eq(step->ts, step->mapping->map_ts);
	ck_assert_uint_eq(step->overlap->bytes, expected.bytes[step->mapping->serial]);
	ck_assert_uint_ge(step->overlap->depth, 2);
	ck_assert_uint_eq(expected.told[step->mapping->serial]++, 0);
	expected.n_told++;
	return NULL;
}

/* Bytes entry @i of @left shares with entry @j of @right. */
static uint64_t shared_bytes(const struct life *left, uint32_t i, const struct life *right,
			     uint32_t j)
{
	uint64_t left_end = left->phys[i] + left->lengths[i];
	uint64_t right_end = right->phys[j] + right->lengths[j];
	uint64_t first = left->phys[i] > right->phys[j] ? left->phys[i] : right->phys[j];
	uint64_t end = left_end < right_end ? left_end : right_end;

	return end > first ? end - first : 0;
}

/* The bytes of the first pair of entries that shares any; the newer one's first. */
static uint64_t bytes_of(const struct life *newer, const struct life *older)
{
	for (uint32_t i = 0; i < newer->n; i++) {
		for (uint32_t j = 0; j < older->n; j++) {
			uint64_t bytes = shared_bytes(newer, i, older, j);

			if (bytes)
				return bytes;
		}
	}
	return 0;
}

static bool is_written(const struct life *life)
{
	return life->event.dir != DMS_DIR_TO_DEVICE &&
	       !(life->event.attrs & DMS_ATTR_SKIP_CPU_SYNC);
}

static void expect(const struct life *newer)
{
	uint64_t best = 0;

	for (int i = 0; i < LIVE && is_written(newer); i++) {
		uint64_t bytes;

		if (&lives[i] == newer || !lives[i].event.kind || !is_written(&lives[i]) ||
		    lives[i].serial < best)
			continue;
		bytes = bytes_of(newer, &lives[i]);
		if (!bytes)
			continue;
		best = lives[i].serial;
		expected.bytes[newer->serial] = bytes;
	}
	expected.older[newer->serial] = best;
	expected.n_expected += best != 0;
}

/* Sizes from less than a cache line to several frames, in a place that a few of them fill. */
static void begin(struct life *life, uint64_t serial, uint64_t *seed)
{
	static const uint32_t sizes[] = {16, 64, 1000, 4096, 4096, 8192, 70000, 300000};
	bool is_list = next_random(seed) % 4 == 0;
	uint64_t size = 0;

	*life = (struct life){.n = is_list ? 2 + (uint32_t)(next_random(seed) % 2) : 1,
			      .serial = serial};
	for (uint32_t i = 0; i < life->n; i++) {
		/* Entries of one list lie apart: which pair of entries is told is then certain. */
		life->phys[i] = (i << 24) + (next_random(seed) % 0x4000) * 256;
		life->dma[i] = 0xf0000000000 + (serial << 24) + ((uint64_t)i << 22);
		life->lengths[i] = sizes[next_random(seed) % DMS_ARRAY_SIZE(sizes)];
		size += life->lengths[i];
	}
	life->event = (struct dms_event){
		.kind = is_list ? DMS_EV_MAP_SG : DMS_EV_MAP,
		.has = DMS_HAS_DEVICE | DMS_HAS_DMA_ADDR | DMS_HAS_SIZE | DMS_HAS_DIR |
		       DMS_HAS_ATTRS,
		.ts = serial * 10,
		.device = (uint32_t)(next_random(seed) % 3),
		.dma_addr = life->dma[0],
		.phys_addr = is_list ? 0 : life->phys[0],
		.size = size,
		.attrs = next_random(seed) % 8 ? 0 : DMS_ATTR_SKIP_CPU_SYNC,
		.dir = (uint8_t)(next_random(seed) % 3),
		.stack = DMS_ID_NONE,
	};
	life->event.has |= is_list ? DMS_HAS_PHYS_LIST | DMS_HAS_DMA_LIST | DMS_HAS_LENGTHS
				   : DMS_HAS_PHYS_ADDR;
	if (!is_list)
		return;
	life->event.nents = life->event.ents = life->event.n_phys = life->event.n_dma = life->n;
	life->event.phys_list = life->phys;
	life->event.dma_list = life->dma;
	life->event.lengths = life->lengths;
}

static void end(struct dms_model *model, struct life *life, uint64_t ts)
{
	struct dms_event event = life->event;

	event.ts = ts;
	if (event.kind == DMS_EV_MAP_SG) {
		event.kind = DMS_EV_UNMAP_SG;
		event.has = DMS_HAS_DEVICE | DMS_HAS_DIR | DMS_HAS_ATTRS | DMS_HAS_PHYS_LIST;
		event.n_dma = event.ents = 0;
		event.dma_addr = event.size = 0;
	} else {
		event.kind = DMS_EV_UNMAP;
		event.has &= ~(uint32_t)DMS_HAS_PHYS_ADDR;
		event.phys_addr = 0;
	}
	ck_assert_ptr_null(dms_model_event(model, &event));
	life->event.kind = DMS_EV_NONE;
}

START_TEST(overlaps_are_those_of_every_pair)
{
	const struct dms_model_config config = {.never_elides = true};
	struct dms_names names = {.devices = dms_strtab_create()};
	uint64_t seed = (uint64_t)_i + 1;
	struct dms_model *model;

	memset(lives, 0, sizeof(lives));
	memset(&expected, 0, sizeof(expected));
	for (char name = 'a'; name < 'd'; name++)
		dms_strtab_add(names.devices, &name, 1);
	ck_assert_ptr_null(dms_model_create(&names, listen, NULL, &model));
	dms_model_configure(model, &config);
	for (uint64_t serial = 1; serial <= ROUNDS; serial++) {
		struct life *life = &lives[next_random(&seed) % LIVE];

		if (life->event.kind)
			end(model, life, serial * 10 - 5);
		begin(life, serial, &seed);
		ck_assert_ptr_null(dms_model_event(model, &life->event));
		expect(life);
	}
	ck_assert_ptr_null(dms_model_end(model, ROUNDS * 10 + 10));
	ck_assert_uint_gt(expected.n_expected, 1000);
	ck_assert_uint_eq(expected.n_told, expected.n_expected);
	dms_model_destroy(model);
	dms_strtab_destroy(names.devices);
}
END_TEST

/* ---- many frames ----------------------------------------------------------------------------- */

#define FRAMES 8000 /* half of them are still held: fewer than incidents are kept */

/** What was told of FRAMES mappings of a page each, by frame. */
struct crowd {
	bool is_live[FRAMES], is_told[FRAMES];
};

static struct dms_error *listen_to_crowd(void *context, const struct dms_step *step)
{
	struct crowd *crowd = context;
	uint64_t frame;

	ck_assert_int_ne(step->kind, DMS_STEP_UNMAP_UNMATCHED);
	if (step->kind != DMS_STEP_OVERLAP)
		return NULL;
	frame = step->overlap->phys_addr >> 12;
	ck_assert_uint_lt(frame, FRAMES);
	ck_assert(crowd->is_live[frame] && !crowd->is_told[frame]);
	crowd->is_told[frame] = true;
	return NULL;
}

/* Map or unmap mapping @id, of the page @frame; each has its own address, as behind an IOMMU. */
static void event_of(struct dms_model *model, enum dms_event_kind kind, uint64_t frame, uint64_t id)
{
	static uint64_t ts;
	const struct dms_event event = {
		.kind = kind,
		.has = DMS_HAS_DEVICE | DMS_HAS_DMA_ADDR | DMS_HAS_SIZE | DMS_HAS_DIR |
		       (kind == DMS_EV_MAP ? DMS_HAS_PHYS_ADDR : 0),
		.ts = ++ts,
		.dma_addr = 0xf0000000000 + (id << 24),
		.phys_addr = frame << 12,
		.size = 4096,
		.dir = DMS_DIR_FROM_DEVICE,
		.stack = DMS_ID_NONE,
	};

	ck_assert_ptr_null(dms_model_event(model, &event));
}

/*
 * A table of frames that grows and from which every other one is taken again, in another order: then
 * each frame is mapped once more, and those and only those overlap that are still held.
 */
START_TEST(each_frame_of_many_is_found)
{
	const struct dms_model_config config = {.never_elides = true};
	struct dms_names names = {.devices = dms_strtab_create()};
	struct crowd *crowd = dms_zalloc(sizeof(*crowd));
	struct dms_model *model;

	ck_assert_ptr_nonnull(crowd);
	dms_strtab_add(names.devices, "a", 1);
	ck_assert_ptr_null(dms_model_create(&names, listen_to_crowd, crowd, &model));
	dms_model_configure(model, &config);
	for (uint64_t i = 1; i < FRAMES; i++) {
		event_of(model, DMS_EV_MAP, i, i);
		crowd->is_live[i] = true;
	}
	for (uint64_t i = 1; i < FRAMES; i++) {
		uint64_t frame = i * 7919 % FRAMES; /* each once: 7919 is a prime that FRAMES lacks */

		if (frame % 2)
			continue;
		event_of(model, DMS_EV_UNMAP, frame, frame);
		crowd->is_live[frame] = false;
	}
	for (uint64_t i = 1; i < FRAMES; i++) {
		event_of(model, DMS_EV_MAP, i, FRAMES + i);
		event_of(model, DMS_EV_UNMAP, i, FRAMES + i);
	}
	ck_assert_ptr_null(dms_model_end(model, 5 * FRAMES));
	for (uint64_t i = 1; i < FRAMES; i++)
		ck_assert_int_eq(crowd->is_told[i], crowd->is_live[i]);
	dms_model_destroy(model);
	dms_strtab_destroy(names.devices);
	dms_free(crowd);
}
END_TEST

/* ---- the same memory, and no end ------------------------------------------------------------- */

static struct dms_error *count_overlaps(void *context, const struct dms_step *step)
{
	unsigned int *n_overlaps = context;

	*n_overlaps += step->kind == DMS_STEP_OVERLAP;
	return NULL;
}

/*
 * Who never unmaps gets slow by the number of his mappings, not by its square, which would be
 * minutes here. Written or not, at one place or at several that touch each other or nearly so.
 */
START_TEST(the_same_memory_again_and_again)
{
	enum { MAPS = 150000 };
	static const struct {
		uint64_t places, distance, size;
	} patterns[] = {{1, 0, 65536}, {1, 0, 100}, {16, 4096, 65536}, {4, 12289, 8191}, {8, 65536, 32768}};
	struct dms_names names = {.devices = dms_strtab_create()};
	struct dms_model_config config = {.inputs = DMS_INPUT_PAGE_FREES, .never_elides = true};
	struct dms_event event = {
		.kind = DMS_EV_MAP,
		.has = DMS_HAS_DEVICE | DMS_HAS_DMA_ADDR | DMS_HAS_SIZE | DMS_HAS_DIR |
		       DMS_HAS_PHYS_ADDR,
		.size = patterns[_i / 2].size,
		.dir = _i % 2 ? DMS_DIR_TO_DEVICE : DMS_DIR_FROM_DEVICE,
		.stack = DMS_ID_NONE,
	};
	unsigned int n_overlaps = 0;
	struct dms_model *model;

	dms_strtab_add(names.devices, "a", 1);
	ck_assert_int_lt(_i / 2, (int)DMS_ARRAY_SIZE(patterns));
	ck_assert_ptr_null(dms_model_create(&names, count_overlaps, &n_overlaps, &model));
	dms_model_configure(model, &config);
	for (uint64_t i = 0; i < MAPS; i++) {
		event.ts = i + 1;
		event.phys_addr = 0x100000000 + i % patterns[_i / 2].places * patterns[_i / 2].distance;
		event.dma_addr = 0xf00000000000 - (i << 17);
		ck_assert_ptr_null(dms_model_event(model, &event));
	}
	ck_assert_ptr_null(dms_model_end(model, MAPS + 1));
	ck_assert_int_eq(n_overlaps > 0, event.dir == DMS_DIR_FROM_DEVICE);
	dms_model_destroy(model);
	dms_strtab_destroy(names.devices);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("overlap");
	TCase *tcase = tcase_create("random"), *crowds = tcase_create("crowds");
	SRunner *runner;
	int n_failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, overlaps_are_those_of_every_pair, 0, 3);
	tcase_add_test(tcase, each_frame_of_many_is_found);
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(crowds, 20);
	tcase_add_loop_test(crowds, the_same_memory_again_and_again, 0, 10);
	suite_add_tcase(suite, crowds);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? 1 : 0;
}
