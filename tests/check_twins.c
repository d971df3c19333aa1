// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of src/model/twins.c, through the model: of mappings that no unmap tells apart the eldest
 * ends first, however many there are at once; and what is done about those that never end.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/model.h>

#define MAX_LIVES 20000

/** A model of one device, its calls, and what must come of them. */
struct bench {
	struct dms_names names;
	struct dms_model_config config;
	struct dms_model *model;
	uint64_t now;
	uint64_t expected_ts; /* when the mapping was made that ends next; 0: whichever */
	uint32_t ends[DMS_END_UNMATCHED + 1];
	uint32_t unmaps, strays;
};

static struct dms_error *listen(void *context, const struct dms_step *step)
{
	struct bench *bench = context;

	bench->strays += step->kind == DMS_STEP_UNMAP_UNMATCHED;
	if (step->kind == DMS_STEP_ENDED)
		bench->ends[step->end]++;
	if (step->kind != DMS_STEP_UNMAP)
		return NULL;
	bench->unmaps++;
	ck_assert_uint_eq(step->differs, 0);
	if (bench->expected_ts)
		ck_assert_uint_eq(step->mapping->map_ts, bench->expected_ts);
	return NULL;
}

static void begin(struct bench *bench)
{
	bench->names.devices = dms_strtab_create();
	dms_strtab_add(bench->names.devices, "a", 1);
	ck_assert_ptr_null(dms_model_create(&bench->names, listen, bench, &bench->model));
	dms_model_configure(bench->model, &bench->config);
}

static void end(struct bench *bench)
{
	ck_assert_ptr_null(dms_model_end(bench->model, bench->now + 1));
	dms_model_destroy(bench->model);
	dms_strtab_destroy(bench->names.devices);
}

/* ---- calls ------------------------------------------------------------------------------------- */

/** One of the few buffers that all mappings are of. Odd ones are lists of three entries. */
struct buffer {
	struct dms_event event;
	uint64_t addrs[3];
	uint32_t lengths[3];
};

static struct dms_event *event_of(struct buffer *buffer, unsigned int number)
{
	uint64_t addr = 0x100000000 + number / 4 * 0x100000;

	*buffer = (struct buffer){
		.event = {
			.has = DMS_HAS_DEVICE | DMS_HAS_DMA_ADDR | DMS_HAS_PHYS_ADDR |
			       DMS_HAS_SIZE | DMS_HAS_DIR | DMS_HAS_ATTRS,
			.dma_addr = addr,
			.phys_addr = addr,
			.size = 64 << number % 4 / 2,
			.dir = DMS_DIR_TO_DEVICE,
			.stack = DMS_ID_NONE,
		},
	};
	if (number % 2 == 0)
		return &buffer->event;
	for (unsigned int i = 0; i < 3; i++) {
		buffer->addrs[i] = addr + i * 0x10000 * (1 + number % 4);
		buffer->lengths[i] = 4096;
	}
	buffer->event.has = DMS_HAS_DEVICE | DMS_HAS_DIR | DMS_HAS_ATTRS | DMS_HAS_PHYS_LIST |
			    DMS_HAS_DMA_LIST | DMS_HAS_LENGTHS | DMS_HAS_SIZE | DMS_HAS_DMA_ADDR;
	buffer->event.phys_addr = 0;
	buffer->event.phys_list = buffer->event.dma_list = buffer->addrs;
	buffer->event.lengths = buffer->lengths;
	buffer->event.n_phys = buffer->event.n_dma = 3;
	buffer->event.nents = buffer->event.ents = 3;
	buffer->event.size = 3 * 4096;
	return &buffer->event;
}

static void map(struct bench *bench, unsigned int number)
{
	struct buffer buffer;
	struct dms_event *event = event_of(&buffer, number);

	event->kind = number % 2 ? DMS_EV_MAP_SG : DMS_EV_MAP;
	event->ts = bench->now;
	ck_assert_ptr_null(dms_model_event(bench->model, event));
}

static void unmap(struct bench *bench, unsigned int number)
{
	struct buffer buffer;
	struct dms_event *event = event_of(&buffer, number);

	if (number % 2) {
		event->kind = DMS_EV_UNMAP_SG;
		event->n_dma = event->ents = 0;
		event->has &= ~(uint32_t)(DMS_HAS_DMA_LIST | DMS_HAS_LENGTHS | DMS_HAS_SIZE);
	} else {
		event->kind = DMS_EV_UNMAP;
		event->has &= ~(uint32_t)DMS_HAS_PHYS_ADDR;
	}
	event->ts = bench->now;
	ck_assert_ptr_null(dms_model_event(bench->model, event));
}

/* ---- who ends ---------------------------------------------------------------------------------- */

#define N_BUFFERS 16

static uint64_t next_random(uint64_t *state)
{
	*state = dms_hash64(*state + 0x9e3779b97f4a7c15ull);
	return *state;
}

/* Thousands of a few buffers at once, more and then fewer again: each unmap means the eldest. */
START_TEST(the_eldest_ends_first)
{
	static uint64_t lives[N_BUFFERS][MAX_LIVES];
	uint32_t first[N_BUFFERS] = {0}, next[N_BUFFERS] = {0}, n_live = 0, n_unmaps = 0;
	uint64_t seed = (uint64_t)_i;
	struct bench bench = {.config = {.never_elides = _i % 2}};

	begin(&bench);
	for (bench.now = 1; bench.now <= MAX_LIVES * 2; bench.now++) {
		unsigned int number = (unsigned int)(next_random(&seed) % N_BUFFERS);
		bool is_growing = bench.now % 16384 < 8192;

		if (next_random(&seed) % 8 < (is_growing ? 6 : 2) || first[number] == next[number]) {
			lives[number][next[number]++] = bench.now;
			map(&bench, number);
			n_live++;
			continue;
		}
		bench.expected_ts = lives[number][first[number]++];
		unmap(&bench, number);
		ck_assert_uint_eq(bench.unmaps, ++n_unmaps);
		n_live--;
	}
	bench.expected_ts = 0;
	ck_assert_uint_gt(n_live, 64 * N_BUFFERS / 2);
	end(&bench);
	ck_assert_uint_eq(bench.strays, 0);
	ck_assert_uint_eq(bench.ends[DMS_END_LIVE], n_live);
}
END_TEST

/* Those whose unmap may be among the lost come last, though they are the eldest. */
START_TEST(what_was_mapped_since_a_loss_ends_first)
{
	struct bench bench = {.config = {.never_elides = true}};
	struct dms_gap gap = {.lost = 1};

	begin(&bench);
	for (bench.now = 1; bench.now <= 5; bench.now++)
		map(&bench, (unsigned int)_i);
	gap.after_ts = 5;
	gap.before_ts = 6;
	ck_assert_ptr_null(dms_model_gap(bench.model, &gap));
	for (bench.now = 10; bench.now < 15; bench.now++)
		map(&bench, (unsigned int)_i);
	for (unsigned int i = 0; i < 10; i++) {
		bench.now = 20 + i;
		bench.expected_ts = i < 5 ? 10 + i : i - 4;
		unmap(&bench, (unsigned int)_i);
	}
	ck_assert_uint_eq(bench.unmaps, 10);
	end(&bench);
	ck_assert_uint_eq(bench.strays, 0);
}
END_TEST

/* Each as soon as it is there: what the loss left behind stays where it is. */
START_TEST(what_a_loss_left_is_not_taken_for_what_comes)
{
	struct bench bench = {.config = {.never_elides = true}};
	struct dms_gap gap = {.lost = 1};

	begin(&bench);
	for (bench.now = 1; bench.now <= 3; bench.now++)
		map(&bench, (unsigned int)_i);
	gap.after_ts = 5;
	gap.before_ts = 6;
	ck_assert_ptr_null(dms_model_gap(bench.model, &gap));
	for (bench.now = 10; bench.now < 30; bench.now++) {
		bench.expected_ts = bench.now;
		map(&bench, (unsigned int)_i);
		unmap(&bench, (unsigned int)_i);
	}
	ck_assert_uint_eq(bench.unmaps, 20);
	end(&bench);
	ck_assert_uint_eq(bench.ends[DMS_END_LIVE], 3);
}
END_TEST

/* ---- those that never end ------------------------------------------------------------------------- */

/* Where no kernel lets drivers leave out unmaps, each mapping that is left is a leak. */
START_TEST(leaks_of_one_buffer_stay)
{
	struct bench bench = {.config = {.never_elides = true}};

	begin(&bench);
	for (unsigned int i = 0; i < 1000; i++) {
		bench.now = i * 1000000 + 1;
		map(&bench, (unsigned int)_i);
		if (i % 2 == 0) /* of another buffer: unmaps are recorded */
			map(&bench, (unsigned int)_i + 4);
		else
			unmap(&bench, (unsigned int)_i + 4);
	}
	ck_assert_ptr_null(dms_model_unbind(bench.model, 0, bench.now));
	end(&bench);
	ck_assert_uint_eq(bench.ends[DMS_END_UNBOUND], 1000);
	ck_assert_uint_eq(bench.strays, 0);
}
END_TEST

/* They may have been left out: they do not pile up, once they are older than what is in flight. */
START_TEST(what_may_be_elided_ends)
{
	struct bench bench = {0};

	begin(&bench);
	for (unsigned int i = 0; i < 10000; i++) {
		bench.now = i * 100000 + 1;
		map(&bench, (unsigned int)_i);
	}
	ck_assert_uint_gt(bench.ends[DMS_END_ELIDED], 10000 - 100);
	end(&bench);
	ck_assert_uint_eq(bench.ends[DMS_END_LOST], 0);
}
END_TEST

/* A clock that counts ticks does not tell how old they are. */
START_TEST(what_may_be_elided_ends_by_number)
{
	struct bench bench = {.config = {.is_in_ticks = true}};

	begin(&bench);
	for (bench.now = 1; bench.now <= 20000; bench.now++)
		map(&bench, (unsigned int)_i);
	ck_assert_uint_gt(bench.ends[DMS_END_ELIDED], 20000 - 8192);
	end(&bench);
}
END_TEST

/* Nor do those pile up whose unmaps the recording does not have, or has lost. */
START_TEST(what_has_lost_its_unmap_ends)
{
	uint32_t hidden = DMS_BIT(_i % 2 ? DMS_MAPPING_SG : DMS_MAPPING_PAGE);
	bool is_losing = _i >= 2;
	struct bench bench = {
		.config = {.never_elides = true, .hidden_unmaps = is_losing ? 0 : hidden}};
	struct dms_gap gap = {.lost = 1};

	begin(&bench);
	for (unsigned int i = 0; i < 10000; i++) {
		bench.now = i * 100000 + 1;
		if (is_losing && i % 100 == 0) {
			gap.after_ts = bench.now;
			gap.before_ts = bench.now + 1;
			ck_assert_ptr_null(dms_model_gap(bench.model, &gap));
		}
		map(&bench, (unsigned int)_i % 2);
		if (is_losing && i % 10) /* one of ten is lost */
			unmap(&bench, (unsigned int)_i % 2);
	}
	ck_assert_uint_eq(bench.strays, 0);
	ck_assert_uint_gt(bench.ends[DMS_END_LOST], is_losing ? 0 : 10000 - 100);
	end(&bench);
	ck_assert_uint_eq(bench.ends[DMS_END_ELIDED], 0);
	ck_assert_uint_lt(bench.ends[DMS_END_LIVE], is_losing ? 1100 : 100);
}
END_TEST

/* A packet generator's one buffer, or a zero page: a hundred thousand at once take a moment. */
START_TEST(many_at_once_take_no_longer)
{
	struct bench bench = {.config = {.never_elides = true}};

	begin(&bench);
	for (bench.now = 1; bench.now <= 100000; bench.now++)
		map(&bench, (unsigned int)_i);
	for (; bench.now <= 200000; bench.now++)
		unmap(&bench, (unsigned int)_i);
	ck_assert_uint_eq(bench.unmaps, 100000);
	end(&bench);
	ck_assert_uint_eq(bench.strays, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("twins");
	TCase *order = tcase_create("order"), *left = tcase_create("left"),
	      *many = tcase_create("many");
	SRunner *runner;
	int n_failed;

	tcase_set_timeout(order, 60);
	tcase_add_loop_test(order, the_eldest_ends_first, 0, 4);
	tcase_add_loop_test(order, what_was_mapped_since_a_loss_ends_first, 0, 2);
	tcase_add_loop_test(order, what_a_loss_left_is_not_taken_for_what_comes, 0, 2);
	suite_add_tcase(suite, order);
	tcase_add_loop_test(left, leaks_of_one_buffer_stay, 0, 2);
	tcase_add_loop_test(left, what_may_be_elided_ends, 0, 2);
	tcase_add_loop_test(left, what_may_be_elided_ends_by_number, 0, 2);
	tcase_add_loop_test(left, what_has_lost_its_unmap_ends, 0, 4);
	suite_add_tcase(suite, left);
	tcase_set_timeout(many, 10);
	tcase_add_loop_test(many, many_at_once_take_no_longer, 0, 2);
	suite_add_tcase(suite, many);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? 1 : 0;
}
