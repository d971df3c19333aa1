// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of src/model/witness.c, through the model: which of two lists of one memory an unmap ends,
 * by what is told after it; and when that is decided.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/model.h>

/* CPU and task of the driver's calls; what interrupts them has flag 0x08. */
#define CPU 2
#define PID 7

#define ELDER	0xf0000000
#define YOUNGER 0xf0010000

/** A model of two devices, and what it told. */
struct bench {
	struct dms_names names;
	struct dms_model *model;
	uint64_t now;
	uint64_t ended[8]; /* addresses of the lists that ended, in that order */
	uint32_t n_ended, doubts;
};

static struct dms_error *listen(void *context, const struct dms_step *step)
{
	struct bench *bench = context;

	if (step->kind != DMS_STEP_UNMAP || step->mapping->kind != DMS_MAPPING_SG)
		return NULL;
	ck_assert_uint_lt(bench->n_ended, 8);
	ck_assert_uint_eq(step->event->n_phys, 3);
	ck_assert_uint_eq(step->event->phys_list[2], 0x72000);
	bench->ended[bench->n_ended++] = step->mapping->dma_addr;
	bench->doubts = step->doubts;
	return NULL;
}

static void take(struct bench *bench, struct dms_event *event)
{
	event->ts = ++bench->now * 1000;
	event->stack = DMS_ID_NONE;
	ck_assert_ptr_null(dms_model_event(bench->model, event));
}

static struct dms_event of_list(enum dms_event_kind kind, const uint64_t *phys)
{
	return (struct dms_event){
		.kind = kind,
		.has = DMS_HAS_DEVICE | DMS_HAS_DIR | DMS_HAS_ATTRS | DMS_HAS_PHYS_LIST,
		.cpu = CPU,
		.pid = PID,
		.dir = DMS_DIR_TO_DEVICE,
		.nents = 3,
		.n_phys = 3,
		.phys_list = phys,
	};
}

/* Three entries, one segment: it is behind an IOMMU. */
static void map(struct bench *bench, uint64_t addr)
{
	const uint64_t phys[] = {0x70000, 0x78000, 0x72000};
	const uint32_t length = 3 * 4096;
	struct dms_event event = of_list(DMS_EV_MAP_SG, phys);

	event.has |= DMS_HAS_DMA_LIST | DMS_HAS_LENGTHS | DMS_HAS_SIZE | DMS_HAS_DMA_ADDR;
	event.dma_addr = addr;
	event.size = length;
	event.ents = event.n_dma = 1;
	event.dma_list = &addr;
	event.lengths = &length;
	take(bench, &event);
}

static void unmap(struct bench *bench)
{
	uint64_t phys[] = {0x70000, 0x78000, 0x72000};
	struct dms_event event = of_list(DMS_EV_UNMAP_SG, phys);

	take(bench, &event);
	memset(phys, 0, sizeof(phys)); /* it was borrowed */
}

static void begin(struct bench *bench, uint32_t inputs)
{
	const struct dms_model_config config = {.inputs = inputs};

	*bench = (struct bench){.names.devices = dms_strtab_create()};
	dms_strtab_add(bench->names.devices, "a", 1);
	dms_strtab_add(bench->names.devices, "b", 1);
	ck_assert_ptr_null(dms_model_create(&bench->names, listen, bench, &bench->model));
	dms_model_configure(bench->model, &config);
	map(bench, ELDER);
	map(bench, YOUNGER);
	unmap(bench);
}

static void end(struct bench *bench)
{
	ck_assert_ptr_null(dms_model_end(bench->model, ++bench->now * 1000));
	dms_model_destroy(bench->model);
	dms_strtab_destroy(bench->names.devices);
}

/* ---- what the IOMMU unmaps --------------------------------------------------------------------- */

/** An iommu:unmap after an unmap that two lists fit. */
struct told {
	uint64_t iova, size, unmapped;
	uint32_t cpu, pid;
	uint8_t common_flags;
	uint64_t ended; /* which of the two; 0: that is not decided yet */
};

#define LIST 12288
static const struct told tellings[] = {
	{YOUNGER, LIST, LIST, CPU, PID, 0, YOUNGER},
	{ELDER, LIST, LIST, CPU, PID, 0, ELDER},
	{YOUNGER, 4096, 4096, CPU, PID, 0, YOUNGER}, /* each entry bounced: one after the other */
	{YOUNGER, LIST, LIST, CPU, PID, 0x05, YOUNGER}, /* interrupts are off */
	/* others' */
	{YOUNGER, LIST, LIST, CPU + 1, PID, 0, 0},
	{YOUNGER, LIST, LIST, CPU, PID + 1, 0, 0},
	{YOUNGER, LIST, LIST, CPU, PID, 0x08, 0},
	{YOUNGER, LIST, LIST, CPU, PID, 0x10, 0},
	/* of neither list, or both: the elder one is the better guess */
	{0xe0000000, LIST, LIST, CPU, PID, 0, ELDER},
	{YOUNGER + 4096, LIST, LIST, CPU, PID, 0, ELDER},
	{YOUNGER - 65536, 65536 + LIST, 65536 + LIST, CPU, PID, 0, ELDER},
	{YOUNGER, LIST, 0, CPU, PID, 0, ELDER},
	{YOUNGER, LIST, 4096, CPU, PID, 0, ELDER},
};

START_TEST(the_list_the_iommu_unmaps_ends)
{
	const struct told *told = &tellings[_i];
	struct dms_event event = {
		.kind = DMS_EV_IOMMU_UNMAP,
		.has = DMS_HAS_DMA_ADDR | DMS_HAS_SIZE | DMS_HAS_UNMAPPED,
		.cpu = told->cpu,
		.pid = told->pid,
		.common_flags = told->common_flags,
		.dma_addr = told->iova,
		.size = told->size,
		.phys_addr = told->unmapped,
	};
	struct bench bench;

	begin(&bench, DMS_INPUT_IOMMU);
	ck_assert_uint_eq(bench.n_ended, 0);
	take(&bench, &event);
	ck_assert_uint_eq(bench.n_ended, told->ended != 0);
	if (told->ended)
		ck_assert_uint_eq(bench.ended[0], told->ended);
	/* what was awaited may come yet */
	event.cpu = CPU;
	event.pid = PID;
	event.common_flags = 0;
	take(&bench, &event);
	ck_assert_uint_eq(bench.n_ended, 1);
	ck_assert_uint_eq(bench.ended[0], told->ended ? told->ended : YOUNGER);
	unmap(&bench); /* the other one */
	ck_assert_uint_eq(bench.n_ended, 2);
	ck_assert_uint_eq(bench.ended[0] + bench.ended[1], (uint64_t)ELDER + YOUNGER);
	ck_assert_uint_eq(bench.doubts, 0);
	end(&bench);
}
END_TEST

/* ---- when it is decided ------------------------------------------------------------------------ */

static void tell(struct bench *bench, enum dms_event_kind kind, uint32_t device, uint32_t cpu)
{
	struct dms_event event = {
		.kind = kind,
		.has = DMS_HAS_DEVICE | DMS_HAS_DMA_ADDR | DMS_HAS_SIZE,
		.cpu = cpu,
		.pid = PID + cpu,
		.device = device,
		.dma_addr = 0xabc000,
		.size = 512,
	};

	take(bench, &event);
}

static void lose(struct bench *bench)
{
	const struct dms_gap gap = {
		.lost = 1,
		.cpu = CPU + 1,
		.after_ts = bench->now * 1000 + 1,
		.before_ts = bench->now * 1000 + 2,
	};

	ck_assert_ptr_null(dms_model_gap(bench->model, &gap));
}

/* Whatever comes first, and may look at the lists: then the elder one ends, by a guess. */
START_TEST(others_do_not_wait)
{
	struct bench bench;

	begin(&bench, DMS_INPUT_IOMMU);
	ck_assert_uint_eq(bench.n_ended, 0);
	switch (_i) {
	case 0:
		tell(&bench, DMS_EV_MAP, 1, CPU + 1);
		break;
	case 1:
		tell(&bench, DMS_EV_SYNC_FOR_CPU, 0, CPU);
		break;
	case 2:
		lose(&bench);
		break;
	case 3:
		ck_assert_ptr_null(dms_model_unbind(bench.model, 0, bench.now * 1000 + 1));
		break;
	case 4: /* for too long */
		bench.now += 2000000;
		tell(&bench, DMS_EV_IOMMU_UNMAP, 0, CPU + 1);
		break;
	case 5: /* of the other one, which is alone then */
		unmap(&bench);
		break;
	default:
		break;
	}
	ck_assert_uint_eq(bench.n_ended, _i < 5 ? 1 : _i == 5 ? 2 : 0);
	end(&bench);
	ck_assert_uint_ge(bench.n_ended, 1);
	ck_assert_uint_eq(bench.ended[0], ELDER);
}
END_TEST

/* A recording without iommu:unmap has nothing to wait for. */
START_TEST(nothing_is_awaited_in_vain)
{
	struct bench bench;

	begin(&bench, 0);
	ck_assert_uint_eq(bench.n_ended, 1);
	ck_assert_uint_eq(bench.ended[0], ELDER);
	end(&bench);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("witness");
	TCase *lists = tcase_create("lists"), *turns = tcase_create("turns");
	SRunner *runner;
	int n_failed;

	tcase_add_loop_test(lists, the_list_the_iommu_unmaps_ends, 0,
			    (int)DMS_ARRAY_SIZE(tellings));
	suite_add_tcase(suite, lists);
	tcase_add_loop_test(turns, others_do_not_wait, 0, 7);
	tcase_add_test(turns, nothing_is_awaited_in_vain);
	suite_add_tcase(suite, turns);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? 1 : 0;
}
