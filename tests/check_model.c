// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of src/model: every script in tests/scripts/model tells events, and behind "> " the steps
 * they must make, in order; nothing more and nothing less.
 */
#include <check.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/model.h>

#include "lib/textsource.h"

/** Steps as text, collected since the last "> " lines. */
struct listener {
	struct dms_names names;
	struct dms_model *model;
	struct dms_model_config config;
	bool is_of_sites;
	char told[64][512];
	unsigned int n_told;
};

static void append(char *line, size_t size, const char *fmt, ...) _printf_(3, 4);
static void append(char *line, size_t size, const char *fmt, ...)
{
	size_t used = strlen(line);
	va_list args;

	va_start(args, fmt);
	vsnprintf(line + used, size - used, fmt, args);
	va_end(args);
}

static void append_bits(char *line, size_t size, const char *label, uint32_t bits,
			const char *const *words)
{
	const char *comma = label;

	for (unsigned int i = 0; bits >> i; i++) {
		if (!(bits & DMS_BIT(i)))
			continue;
		append(line, size, "%s%s", comma, words[i]);
		comma = ",";
	}
}

/* What is not 0, in the order of the struct; of the series only what changes. */
static void append_site(char *line, size_t size, const struct dms_site *site)
{
	const struct {
		const char *word;
		uint64_t count;
	} counts[] = {
		{"maps", site->maps},		   {"unmapped", site->unmapped},
		{"live", site->live},		   {"longest", site->lifetime_max_ns},
		{"oldest", site->age_max_ns},	   {"forced", site->bounced_forced},
		{"mask", site->bounced_mask},	   {"other", site->bounced_other},
		{"remaps", site->remaps},	   {"small", site->small},
		{"misaligned", site->misaligned},  {"unsynced", site->unsynced},
		{"uncopied", site->uncopied},	   {"for_cpu", site->syncs_for_cpu},
		{"for_device", site->syncs_for_device},
	};

	append(line, size, " %s %s", dms_mapping_kind_name(site->kind), dms_dir_name(site->dir));
	for (size_t i = 0; i < DMS_ARRAY_SIZE(counts); i++) {
		if (counts[i].count)
			append(line, size, " %s=%" PRIu64, counts[i].word, counts[i].count);
	}
	append(line, size, " buckets=%ux%" PRIu64 ":", site->n_buckets, site->bucket_ns);
	for (uint32_t i = 0; i < site->n_buckets; i++) {
		if (i == 0 || site->maps_series[i] ||
		    site->live_series[i] != site->live_series[i - 1])
			append(line, size, "%s%u=%" PRIu64 "/%" PRIu64, i ? "," : "", i,
			       site->maps_series[i], site->live_series[i]);
	}
}

static const char *const differs_words[] = {"size",  "kind",	 "dir", "attrs",
					    "nents", "cpu-addr", "list"};
static const char *const doubt_words[] = {"lost-events", "pre-trace", "truncated", "ambiguous",
					  "reordered",	 "elided",    "oversized", "untraced",
					  "other-clock", "pattern",   "ending",	   "snapshot"};
static const char *const step_words[DMS_N_STEPS] = {
	"device",	  "map",   "map-failed", "unmap", "unmap-unmatched", "free-null", "sync",
	"sync-unmatched", "ended", "bounce",	 "iommu", "fault",	     "check",	  "overlap",
	"page-freed",	  "site",  "message",	 "note",  "gap",	     "end",
};

static struct dms_error *listen(void *context, const struct dms_step *step)
{
	struct listener *listener = context;
	char *line = listener->told[listener->n_told];
	size_t size = sizeof(listener->told[0]);

	if (step->kind == DMS_STEP_DEVICE && step->device->generation == 1)
		return NULL; /* every script has it */
	if (step->kind == DMS_STEP_SITE && !listener->is_of_sites)
		return NULL; /* so is that, told by scripts called sites-... */
	ck_assert_uint_lt(listener->n_told, DMS_ARRAY_SIZE(listener->told));
	snprintf(line, size, "%s", step_words[step->kind]);
	if (step->device)
		append(line, size, " %s",
		       dms_strtab_get(listener->names.devices, step->device->name));
	if (step->device && step->device->generation > 1)
		append(line, size, "#%u", step->device->generation);
	if (step->mapping)
		append(line, size, " %s 0x%" PRIx64 " %" PRIu64,
		       dms_mapping_kind_name(step->mapping->kind), step->mapping->dma_addr,
		       step->mapping->size);
	if (step->kind == DMS_STEP_SITE)
		append_site(line, size, step->site);
	if (step->kind == DMS_STEP_UNMAP)
		append(line, size, " life=%" PRIu64, step->ts - step->mapping->map_ts);
	if (step->kind == DMS_STEP_UNMAP_UNMATCHED || step->kind == DMS_STEP_ENDED)
		append(line, size, " %s", dms_end_name(step->end));
	if (step->mapping && step->mapping->bounced)
		append(line, size, " bounced");
	if (step->related)
		append(line, size, " related=0x%" PRIx64, step->related->dma_addr);
	if (step->past)
		append(line, size, " past=%" PRIu64, step->past->unmap_ts);
	append_bits(line, size, " differs=", step->differs, differs_words);
	append_bits(
		line, size, " doubts=",
		step->doubts |
			(step->mapping && step->kind != DMS_STEP_MAP ? step->mapping->doubts : 0),
		doubt_words);
	listener->n_told++;
	return NULL;
}

static struct dms_error *apply(struct listener *listener, const struct text_item *item)
{
	switch (item->kind) {
	case TEXT_EVENT:
		return dms_model_event(listener->model, &item->event);
	case TEXT_GAP:
		return dms_model_gap(listener->model, &item->gap);
	case TEXT_UNBIND:
		return dms_model_unbind(listener->model, item->device, item->ts);
	case TEXT_END:
		return dms_model_end(listener->model, item->ts);
	default:
		return NULL;
	}
}

/* "@inputs BITS", "@until TS", "@ticks" and "@never-elides": what is known of the trace before its first event. */
static bool take_setting(struct listener *listener, const char *line)
{
	if (line[0] != '@')
		return false;
	if (!strcmp(line, "@never-elides"))
		listener->config.never_elides = listener->config.checks_lines = true;
	else if (!strcmp(line, "@ticks"))
		listener->config.is_in_ticks = true;
	else if (!strncmp(line, "@until ", 7))
		listener->config.until_ts = strtoull(line + 7, NULL, 0);
	else if (!strncmp(line, "@inputs ", 8))
		listener->config.inputs = (uint32_t)strtoul(line + 8, NULL, 0);
	else
		ck_abort_msg("no setting: %s", line);
	dms_model_configure(listener->model, &listener->config);
	return true;
}

/* @puts_off: what can wait is done later, and the steps are the same. */
static void run_script(const char *path, bool puts_off)
{
	struct listener listener = {.names.devices = dms_strtab_create()};
	struct text_reader reader = {.file = fopen(path, "r")};
	unsigned int n_checked = 0;
	struct text_item item;
	char line[4096];

	ck_assert_ptr_nonnull(reader.file);
	listener.is_of_sites = strstr(path, "/sites-") != NULL;
	ck_assert_ptr_null(dms_model_create(&listener.names, listen, &listener, &listener.model));
	if (puts_off) {
		ck_assert_ptr_null(dms_model_share(listener.model));
		dms_model_put_off(listener.model, true);
	}
	while (text_read_line(&reader, line, sizeof(line))) {
		if (!strncmp(line, "> ", 2)) {
			ck_assert_msg(n_checked < listener.n_told,
				      "%s:%u: expected \"%s\", told nothing", path, reader.line_number,
				      line + 2);
			ck_assert_msg(!strcmp(line + 2, listener.told[n_checked]),
				      "%s:%u: expected \"%s\", told \"%s\"", path, reader.line_number,
				      line + 2, listener.told[n_checked]);
			n_checked++;
			continue;
		}
		if (take_setting(&listener, line))
			continue;
		text_parse(line, listener.names.devices, &item);
		ck_assert_msg(item.kind != TEXT_BAD, "%s:%u: not understood", path, reader.line_number);
		if (item.kind == TEXT_NOTHING)
			continue;
		ck_assert_msg(n_checked == listener.n_told,
			      "%s:%u: told beyond what is expected: \"%s\"", path, reader.line_number,
			      listener.told[n_checked]);
		n_checked = listener.n_told = 0;
		ck_assert_ptr_null(apply(&listener, &item));
		if (reader.turns) /* repeated lines are there for what comes of them later */
			listener.n_told = 0;
	}
	ck_assert_msg(n_checked == listener.n_told, "%s: told beyond the last line: \"%s\"", path,
		      listener.told[n_checked]);
	fclose(reader.file);
	dms_model_destroy(listener.model);
	dms_strtab_destroy(listener.names.devices);
}

#define MAX_SCRIPTS 128
static char script_paths[MAX_SCRIPTS][512];
static int n_scripts;

START_TEST(script)
{
	run_script(script_paths[_i], false);
	run_script(script_paths[_i], true);
}
END_TEST

static int compare_paths(const void *left, const void *right)
{
	return strcmp(left, right);
}

static void find_scripts(void)
{
	const char *root = getenv("SRCDIR");
	char folder[256];
	struct dirent *entry;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/tests/scripts/model", root ? root : ".");
	dir = opendir(folder);
	while (dir && (entry = readdir(dir)) && n_scripts < MAX_SCRIPTS) {
		if (strstr(entry->d_name, ".txt"))
			snprintf(script_paths[n_scripts++], sizeof(script_paths[0]), "%s/%.200s",
				 folder, entry->d_name);
	}
	if (dir)
		closedir(dir);
	qsort(script_paths, (size_t)n_scripts, sizeof(script_paths[0]), compare_paths);
}

START_TEST(scripts_are_there)
{
	ck_assert_int_gt(n_scripts, 10);
}
END_TEST

/* ---- invariants over random legal lives --------------------------------------------------- */

struct tally {
	uint64_t maps, unmaps, unmatched, ended;
	struct dms_model *model;
};

static struct dms_error *count_steps(void *context, const struct dms_step *step)
{
	struct tally *tally = context;

	tally->maps += step->kind == DMS_STEP_MAP;
	tally->unmaps += step->kind == DMS_STEP_UNMAP;
	tally->unmatched += step->kind == DMS_STEP_UNMAP_UNMATCHED;
	tally->ended += step->kind == DMS_STEP_ENDED;
	if (step->kind == DMS_STEP_UNMAP)
		ck_assert_uint_eq(step->differs, 0);
	return NULL;
}

static uint64_t next_random(uint64_t *state)
{
	*state = dms_hash64(*state + 0x9e3779b97f4a7c15ull);
	return *state;
}

/* Sizes of every class, addresses shared and not: what is mapped is found again, and no more. */
START_TEST(random_lives_pair_without_remainder)
{
	enum { LIVE = 500, ROUNDS = 200000 };
	static struct dms_event live[LIVE];
	struct dms_names names = {.devices = dms_strtab_create()};
	struct tally tally = {0};
	uint64_t seed = (uint64_t)_i + 1, expected_live = 0;

	memset(live, 0, sizeof(live));
	for (char name = 'a'; name < 'e'; name++)
		dms_strtab_add(names.devices, &name, 1);
	ck_assert_ptr_null(dms_model_create(&names, count_steps, &tally, &tally.model));
	for (uint64_t ts = 1; ts <= ROUNDS; ts++) {
		struct dms_event *event = &live[next_random(&seed) % LIVE];

		if (event->kind == DMS_EV_MAP) {
			event->kind = DMS_EV_UNMAP;
			event->ts = ts;
			event->has &= ~(uint32_t)DMS_HAS_PHYS_ADDR;
			ck_assert_ptr_null(dms_model_event(tally.model, event));
			event->kind = DMS_EV_NONE;
			expected_live--;
			continue;
		}
		*event = (struct dms_event){
			.kind = DMS_EV_MAP,
			.has = DMS_HAS_DEVICE | DMS_HAS_DMA_ADDR | DMS_HAS_PHYS_ADDR |
			       DMS_HAS_SIZE | DMS_HAS_DIR | DMS_HAS_ATTRS,
			.ts = ts,
			.device = (uint32_t)(next_random(&seed) % 4),
			.dma_addr = (next_random(&seed) % 4096) << (next_random(&seed) % 30),
			.size = 1ull << (next_random(&seed) % 40),
			.dir = (uint8_t)(next_random(&seed) % 3),
			.stack = DMS_ID_NONE,
		};
		event->phys_addr = event->dma_addr;
		ck_assert_ptr_null(dms_model_event(tally.model, event));
		expected_live++;
	}
	ck_assert_uint_eq(tally.maps, tally.unmaps + expected_live);
	ck_assert_ptr_null(dms_model_end(tally.model, ROUNDS + 1));
	ck_assert_uint_eq(tally.unmatched, 0);
	ck_assert_uint_eq(tally.ended, expected_live);
	dms_model_destroy(tally.model);
	dms_strtab_destroy(names.devices);
}
END_TEST

/* A driver that maps one buffer again and again and never unmaps: its lives must not pile up. */
START_TEST(elided_unmaps_do_not_pile_up)
{
	struct dms_names names = {.devices = dms_strtab_create()};
	struct tally tally = {0};
	struct dms_event event = {
		.kind = DMS_EV_MAP,
		.has = DMS_HAS_DEVICE | DMS_HAS_DMA_ADDR | DMS_HAS_PHYS_ADDR | DMS_HAS_SIZE |
		       DMS_HAS_DIR,
		.dma_addr = 0x1000,
		.phys_addr = _i ? 0x77000 : 0x1000, /* behind an IOMMU, and without one */
		.size = 4096,
		.dir = DMS_DIR_TO_DEVICE,
		.stack = DMS_ID_NONE,
	};

	dms_strtab_add(names.devices, "a", 1);
	ck_assert_ptr_null(dms_model_create(&names, count_steps, &tally, &tally.model));
	for (event.ts = 1000; event.ts <= 200000 * 1000; event.ts += 1000)
		ck_assert_ptr_null(dms_model_event(tally.model, &event));
	ck_assert_uint_gt(tally.ended, 200000 - 300);
	dms_model_destroy(tally.model);
	dms_strtab_destroy(names.devices);
}
END_TEST

/* ---- names --------------------------------------------------------------------------------- */

/** What the sites told at the end come to. */
struct site_tally {
	unsigned int n_sites;
	uint64_t maps, most, without_stack;
};

static struct dms_error *count_sites(void *context, const struct dms_step *step)
{
	struct site_tally *tally = context;

	if (step->kind != DMS_STEP_SITE)
		return NULL;
	tally->n_sites++;
	tally->maps += step->site->maps;
	if (step->site->maps > tally->most)
		tally->most = step->site->maps;
	if (step->site->stack == DMS_ID_NONE)
		tally->without_stack += step->site->maps;
	return NULL;
}

/* Beyond 32768 sites, stacks not seen before count for one site of their device. */
START_TEST(sites_are_bounded)
{
	struct dms_names names = {.devices = dms_strtab_create()};
	struct site_tally tally = {0};
	struct dms_model *model;
	struct dms_event event = {
		.kind = DMS_EV_MAP,
		.has = DMS_HAS_DEVICE | DMS_HAS_DMA_ADDR | DMS_HAS_PHYS_ADDR | DMS_HAS_SIZE |
		       DMS_HAS_DIR,
		.device = dms_strtab_add(names.devices, "a", 1),
		.dir = DMS_DIR_TO_DEVICE,
		.size = 64,
	};

	ck_assert_ptr_null(dms_model_create(&names, count_sites, &tally, &model));
	for (uint32_t i = 0; i < 40000; i++) {
		event.ts = i;
		event.stack = i % 35000;
		event.dma_addr = event.phys_addr = (uint64_t)i * 64;
		ck_assert_ptr_null(dms_model_event(model, &event));
	}
	ck_assert_ptr_null(dms_model_end(model, 40000));
	ck_assert_uint_eq(tally.n_sites, 32769);
	ck_assert_uint_eq(tally.maps, 40000);
	ck_assert_uint_eq(tally.without_stack, 35000 - 32768);
	ck_assert_uint_eq(tally.most, 35000 - 32768);
	dms_model_destroy(model);
	dms_strtab_destroy(names.devices);
}
END_TEST

static struct dms_error *ignore(void *context, const struct dms_step *step)
{
	(void)context, (void)step;
	return NULL;
}

/* @n_unknown unmaps of addresses never mapped, then @n_again second ones of those that were. */
static bool lacks_calls(unsigned int n_unknown, unsigned int n_again)
{
	struct dms_names names = {.devices = dms_strtab_create()};
	struct dms_model *model;
	struct text_item item;
	char line[128];
	bool lacks;

	ck_assert_ptr_null(dms_model_create(&names, ignore, NULL, &model));
	for (unsigned int i = 0; i < 3 * 8; i++) { /* eight lives, and then the strays */
		unsigned int life = i / 3, turn = i % 3;

		if (turn == 2 && life >= n_again)
			continue;
		snprintf(line, sizeof(line), "%u a %s dma=0x%x phys=0x8%x size=64 dir=from",
			 i * 2000000, turn ? "unmap" : "map", 0x1000 * (life + 1), 0x1000 * life);
		text_parse(line, names.devices, &item);
		ck_assert_ptr_null(dms_model_event(model, &item.event));
	}
	for (unsigned int i = 0; i < n_unknown; i++) {
		snprintf(line, sizeof(line), "%u a unmap dma=0x%x size=64 dir=from",
			 100000000 + i * 2000000, 0xff000000 + 0x1000 * i);
		text_parse(line, names.devices, &item);
		ck_assert_ptr_null(dms_model_event(model, &item.event));
	}
	ck_assert_ptr_null(dms_model_end(model, 900000000));
	lacks = dms_model_lacks_calls(model, 0);
	dms_model_destroy(model);
	dms_strtab_destroy(names.devices);
	return lacks;
}

/* A late start leaves unmaps of the unknown, a driver that frees twice those of the known. */
START_TEST(a_filter_leaves_strays_of_both_kinds)
{
	ck_assert(!lacks_calls(0, 0));
	ck_assert(!lacks_calls(8, 0));
	ck_assert(!lacks_calls(0, 8));
	ck_assert(!lacks_calls(2, 8));
	ck_assert(!lacks_calls(8, 2));
	ck_assert(lacks_calls(3, 3));
}
END_TEST

/* Does that of the device called @name which @lines tell, up to NULL, show that calls are missing? */
static bool shows_lack(const char *name, const char *const *lines)
{
	struct dms_names names = {.devices = dms_strtab_create()};
	struct dms_model *model;
	struct text_item item;
	bool lacks = false;

	ck_assert_ptr_null(dms_model_create(&names, ignore, NULL, &model));
	for (; *lines; lines++) {
		text_parse(*lines, names.devices, &item);
		ck_assert_int_eq(item.kind, TEXT_EVENT);
		ck_assert_ptr_null(dms_model_event(model, &item.event));
	}
	ck_assert_ptr_null(dms_model_end(model, 9000000000));
	for (uint32_t i = 0; i < dms_model_n_devices(model); i++) {
		if (!strcmp(dms_strtab_get(names.devices, dms_model_device(model, i)->name), name))
			lacks = dms_model_lacks_calls(model, i);
	}
	dms_model_destroy(model);
	dms_strtab_destroy(names.devices);
	return lacks;
}

/* One driver's mistakes leave one half of pairs too many; that another one's leave the other is no chance. */
START_TEST(a_filter_leaves_one_half_here_and_the_other_there)
{
	const char *lines[] = {
		"1000 a map dma=0x8000 phys=0x18000 size=64 dir=from",
		"2000 a unmap dma=0x8000 size=64 dir=from",
		"3000000 a unmap dma=0x8000 size=64 dir=from", /* once more */
		"4000000 b iommu_map dma=0x10000 size=4096 phys=0x40000",
		"4000000 b map dma=0x10000 phys=0x40000 size=64 dir=from",
		"5000000 b map dma=0x10000 phys=0x50000 size=64 dir=from", /* no unmap between */
		"6000000 b iommu_map dma=0x20000 size=4096 phys=0x60000",
		"6000000 b map dma=0x20000 phys=0x60000 size=64 dir=from",
		"7000000 b map dma=0x20000 phys=0x70000 size=64 dir=from", /* nor here */
		NULL,
	};

	ck_assert(shows_lack("a", lines));
	lines[5] = NULL; /* the rest of it: a driver that unmaps twice, beside a healthy one */
	ck_assert(!shows_lack("a", lines));
	ck_assert(!shows_lack("b", lines));
}
END_TEST

/* Interrupts come in the time of whatever task: if all are in that of one, it was chosen. */
START_TEST(a_filter_of_tasks_shows_in_interrupts)
{
	const char *lines[] = {
		"1000 a unmap dma=0x1000 size=64 dir=from pid=7 flags=0x10",
		"2000 a unmap dma=0x2000 size=64 dir=from pid=7 flags=0x10",
		"3000 a unmap dma=0x3000 size=64 dir=from pid=7 flags=0x10",
		"4000 a map dma=0x4000 phys=0x4000 size=64 dir=from pid=7 flags=0x10",
		"5000 a unmap dma=0x4000 size=64 dir=from pid=7 flags=0x10",
		"6000 a map dma=0x5000 phys=0x5000 size=64 dir=from pid=7 flags=0x10",
		"7000 a unmap dma=0x5000 size=64 dir=from pid=7 flags=0x10",
		"8000 a map dma=0x6000 phys=0x6000 size=64 dir=from pid=7 flags=0x10",
		"9000 a unmap dma=0x6000 size=64 dir=from pid=7 flags=0x10",
		NULL,
	};
	const char *first = lines[0];

	ck_assert(shows_lack("a", lines));
	lines[8] = "9000 a unmap dma=0x6000 size=64 dir=from pid=0 flags=0x10"; /* the idle task */
	ck_assert(!shows_lack("a", lines));
	lines[8] = NULL; /* one task, and too few interrupts to tell */
	lines[0] = "1000 a unmap dma=0x1000 size=64 dir=from pid=7";
	ck_assert(!shows_lack("a", lines));
	lines[0] = first;
	ck_assert(shows_lack("a", lines)); /* with it there are as many as that takes */
}
END_TEST

START_TEST(every_doubt_has_a_reason_and_leaves_less_than_certainty)
{
	ck_assert_int_eq(dms_confidence_of(0), DMS_CERTAIN);
	ck_assert_ptr_null(dms_doubt_reason(0));
	for (unsigned int i = 0; i < DMS_N_DOUBTS; i++) {
		ck_assert_int_lt(dms_confidence_of(DMS_BIT(i)), DMS_CERTAIN);
		ck_assert_ptr_nonnull(dms_doubt_reason(DMS_BIT(i)));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("model");
	TCase *scripts = tcase_create("scripts"), *random = tcase_create("random");
	SRunner *runner;
	int n_failed;

	find_scripts();
	tcase_add_test(scripts, scripts_are_there);
	tcase_add_loop_test(scripts, script, 0, n_scripts);
	tcase_add_test(scripts, a_filter_leaves_strays_of_both_kinds);
	tcase_add_test(scripts, a_filter_leaves_one_half_here_and_the_other_there);
	tcase_add_test(scripts, a_filter_of_tasks_shows_in_interrupts);
	tcase_add_test(scripts, every_doubt_has_a_reason_and_leaves_less_than_certainty);
	tcase_add_test(scripts, sites_are_bounded);
	suite_add_tcase(suite, scripts);
	tcase_set_timeout(random, 120);
	tcase_add_loop_test(random, random_lives_pair_without_remainder, 0, 4);
	tcase_add_loop_test(random, elided_unmaps_do_not_pile_up, 0, 2);
	suite_add_tcase(suite, random);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? 1 : 0;
}
