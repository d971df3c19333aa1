// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/input: what sources say of real files, order, gaps, merging, damage. */
#include <inttypes.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "input/source.h"
#include "input/tracedat.h"
#include "lib/workfiles.h"

#define MAX_LANES 1024 /* (instance, CPU) pairs */

/* In loops over records: Check notes every ck_assert in a file, and that takes its time. */
#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			ck_abort_msg("not so: %s", #condition);                                    \
	} while (0)

/* ---- helpers --------------------------------------------------------------------------------- */

/* Run tracegen; *@ret is what it said. False without the tools. */
static bool generate(const char *name, const char *options, char ret[static 4096])
{
	const char *build = getenv("BUILD");
	char command[1024];
	FILE *said;

	if (!build)
		return false; /* run by hand */
	snprintf(command, sizeof(command), "'%s/tools/tracegen' -o '%s/%s' %s", build, work, name,
		 options);
	said = popen(command, "r");
	ck_assert_ptr_nonnull(said);
	ret[fread(ret, 1, 4095, said)] = '\0';
	ck_assert_int_eq(pclose(said), 0);
	return true;
}

static uint64_t said_number(const char *said, const char *key)
{
	size_t length = strlen(key);

	for (const char *at = said; (at = strstr(at, key)); at += length) {
		if ((at == said || at[-1] == ' ' || at[-1] == '\n') && at[length] == '=')
			return strtoull(at + length + 1, NULL, 10);
	}
	ck_abort_msg("tracegen does not say %s", key);
}

/** What one walk over a source saw, with all that must hold on the way checked. */
struct walk {
	uint64_t records, gaps, lost, gaps_unknown, bytes, digest;
	uint64_t records_of[8]; /* by instance */
	uint64_t first_ts, last_ts, ties;
	uint32_t last_lane;
};

/** One CPU of one instance, as the walk passes it. */
struct lane {
	uint64_t ts, next_digest, gap_after, gap_before;
	bool has_record, has_next, has_gap;
};

static void check_record(struct walk *walk, struct lane *lane, const struct dms_record *record)
{
	uint64_t digest = XXH3_64bits(record->data, record->size);

	must(record->ts >= walk->last_ts);
	if (lane->has_record) {
		must(lane->has_next); /* or its next was NULL */
		must(digest == lane->next_digest);
	}
	if (lane->has_gap)
		must(lane->gap_before == record->ts);
	if (!walk->records)
		walk->first_ts = record->ts;
	if (walk->records && record->ts == walk->last_ts) { /* the same order at each run */
		must(record->instance * 64 + record->cpu >= walk->last_lane);
		walk->ties += record->instance * 64 + record->cpu > walk->last_lane;
	}
	walk->last_lane = record->instance * 64 + record->cpu;
	walk->last_ts = lane->ts = record->ts;
	lane->has_record = true;
	lane->has_gap = false;
	lane->has_next = record->next;
	lane->next_digest = record->next ? XXH3_64bits(record->next, record->next_size) : 0;
	walk->records++;
	walk->records_of[record->instance]++;
	walk->bytes += record->size;
	walk->digest = XXH3_64bits_withSeed(record->data, record->size, walk->digest ^ record->ts);
}

static void check_gap(struct walk *walk, struct lane *lane, const struct dms_gap *gap)
{
	must(!lane->has_gap);
	must(gap->after_ts == (lane->has_record ? lane->ts : 0));
	must(gap->before_ts >= gap->after_ts);
	lane->has_gap = true;
	lane->gap_before = gap->before_ts;
	walk->gaps++;
	walk->lost += gap->lost;
	walk->gaps_unknown += !gap->lost;
}

static struct walk walk_source(struct dms_source *source)
{
	struct lane *lanes = calloc(MAX_LANES, sizeof(*lanes));
	uint64_t done, total, before = 0;
	struct walk walk = {0};
	struct dms_item item;

	ck_assert_ptr_nonnull(lanes);
	for (;;) {
		must(!dms_source_next(source, &item));
		if (item.kind == DMS_ITEM_END)
			break;
		must(item.file == 0);
		if (item.kind == DMS_ITEM_GAP) {
			must(item.gap.instance * 64 + item.gap.cpu < MAX_LANES);
			check_gap(&walk, &lanes[item.gap.instance * 64 + item.gap.cpu], &item.gap);
			continue;
		}
		must(item.record.instance * 64 + item.record.cpu < MAX_LANES);
		must(item.record.cpu < dms_source_info(source)->n_cpus);
		must(item.record.instance < dms_source_info(source)->n_instances);
		must(item.record.offset < dms_source_info(source)->file_size);
		check_record(&walk, &lanes[item.record.instance * 64 + item.record.cpu],
			     &item.record);
		dms_source_progress(source, &done, &total);
		must(done >= before && done <= total);
		before = done;
	}
	ck_assert_ptr_null(dms_source_next(source, &item));
	ck_assert_int_eq(item.kind, DMS_ITEM_END); /* and ever after */
	for (uint32_t i = 0; i < MAX_LANES; i++)
		must(!lanes[i].has_next);
	free(lanes);
	return walk;
}

static struct walk walk_file(const char *path)
{
	struct dms_source *source = open_or_fail(path);
	struct walk walk = walk_source(source);
	const char *first;

	ck_assert_uint_eq(dms_source_damage(source, &first), 0);
	ck_assert_ptr_null(first);
	dms_source_close(source);
	return walk;
}

/* ---- real files: what trace-cmd says of them (tests/fixtures/README.md) ------------------------
 */

static const struct {
	const char *file, *format, *release, *clock, *tool;
	uint32_t long_size, n_cpus, n_instances;
	bool big_endian, clock_is_ns;
	uint64_t records, first_ts, last_ts;
} real_files[] = {
	{"stock-6.12-zoo.dat", "trace.dat v6", "6.12.95+deb12-amd64", "local",
	 "3.4.0 not-a-git-repo", 8, 2, 1, false, true, 4292, 71719556617, 78582567096},
	{"stock-6.12-instance-v7.dat", "trace.dat v7 (zstd)", "6.12.95+deb12-amd64", "local",
	 "3.4.0 not-a-git-repo", 8, 2, 2, false, true, 2752, 236506835331, 239240605311},
	{"stock-7.2-tsc.dat", "trace.dat v6", "7.2.13+deb14-amd64", "x86-tsc",
	 "3.4.0 not-a-git-repo", 8, 2, 1, false, false, 1008, 366950083450, 367863142408},
	{"armhf-7.2-mid.dat", "trace.dat v6", "7.2.13+deb14-armmp-lpae", "local",
	 "3.4.0 not-a-git-repo", 4, 2, 1, false, true, 172, 79344873552, 79820877392},
	{"s390x-7.2-v6.dat", "trace.dat v6", "7.2.13+deb14-s390x", "local", "3.4.0 not-a-git-repo",
	 8, 2, 1, true, true, 4073, 44990745543, 49500116003},
	{"s390x-7.2-v7-zstd.dat", "trace.dat v7 (zstd)", "7.2.13+deb14-s390x", "local",
	 "3.4.0 not-a-git-repo", 8, 2, 1, true, true, 2603, 62842314674, 67239577457},
	{"oracle-unmap_size_small.dat", "trace.dat v7 (zstd)", "6.12.107-dmaoracle", "local",
	 "3.1.6 not-a-git-repo", 8, 1, 1, false, true, 2, 15319711769, 15319870011},
};

START_TEST(facts_of_real_files)
{
	char path[512];
	const struct dms_source_info *info;
	struct dms_source *source;
	struct walk walk;

	snprintf(path, sizeof(path), FIXTURES "%s", real_files[_i].file);
	source = open_or_fail(path);
	info = dms_source_info(source);
	ck_assert_str_eq(info->path, path);
	ck_assert_str_eq(info->format, real_files[_i].format);
	ck_assert_str_eq(info->release, real_files[_i].release);
	ck_assert_ptr_nonnull(strstr(info->uname, real_files[_i].release));
	ck_assert_str_eq(info->clock, real_files[_i].clock);
	ck_assert_str_eq(info->tool, real_files[_i].tool);
	ck_assert_uint_eq(info->long_size, real_files[_i].long_size);
	ck_assert_uint_eq(info->n_cpus, real_files[_i].n_cpus);
	ck_assert_uint_eq(info->n_instances, real_files[_i].n_instances);
	ck_assert_uint_eq(info->page_size, 4096);
	ck_assert_int_eq(info->big_endian, real_files[_i].big_endian);
	ck_assert_int_eq(info->clock_is_ns, real_files[_i].clock_is_ns);
	ck_assert_uint_eq(info->missing_bytes, 0);
	ck_assert_uint_eq(info->lost_by_stats, 0);
	ck_assert_str_eq(info->instances[0], "");
	walk = walk_source(source);
	ck_assert_uint_eq(walk.records, real_files[_i].records);
	ck_assert_uint_eq(walk.first_ts, real_files[_i].first_ts);
	ck_assert_uint_eq(walk.last_ts, real_files[_i].last_ts);
	/* the recorder reads its statistics soon after the last record */
	ck_assert(!info->stats_ts == !info->clock_is_ns);
	ck_assert_uint_ge(info->stats_ts, info->clock_is_ns ? walk.last_ts : 0);
	dms_source_close(source);
}
END_TEST

START_TEST(instances)
{
	struct dms_source *source = open_or_fail(FIXTURES "stock-6.12-instance-v7.dat");
	struct walk walk = walk_source(source);

	ck_assert_str_eq(dms_source_info(source)->instances[1], "iommu_buf");
	ck_assert_uint_eq(walk.records_of[0], 568 + 80 + 571 + 80); /* dma */
	ck_assert_uint_eq(walk.records_of[1], 802 + 651);	    /* iommu */
	dms_source_close(source);
}
END_TEST

START_TEST(formats)
{
	struct dms_source *source = open_or_fail(FIXTURES "armhf-7.2-mid.dat");
	uint32_t n, seen = 0;
	const struct dms_format *rows = dms_source_formats(source, &n);

	for (uint32_t i = 0; i < n; i++) {
		char line[128];

		if (strcmp(rows[i].system, "dma") != 0)
			continue;
		snprintf(line, sizeof(line), "name: %s\nID: %u\n", rows[i].name, rows[i].id);
		ck_assert_uint_gt(rows[i].size, strlen(line));
		ck_assert(!memcmp(rows[i].text, line, strlen(line)));
		seen++;
	}
	ck_assert_uint_ge(seen, 10);
	dms_source_close(source);
}
END_TEST

START_TEST(kallsyms)
{
	static const char *const files[] = {"oracle-ctl_sg-stack.dat", "stock-6.12-rmmod.dat",
					    "s390x-7.2-v7-zstd.dat"};
	for (size_t i = 0; i < DMS_ARRAY_SIZE(files); i++) {
		struct dms_source *source;
		const char *text, *again;
		size_t size, again_size;
		char path[512];

		snprintf(path, sizeof(path), FIXTURES "%s", files[i]);
		source = open_or_fail(path);
		ck_assert_ptr_null(dms_source_kallsyms(source, &text, &size));
		ck_assert_ptr_nonnull(text);
		ck_assert_uint_gt(size, 1000);
		ck_assert_ptr_nonnull(strstr(text, " dma_map_page_attrs"));
		ck_assert_uint_le(strlen(text), size);
		ck_assert_uint_ge(strlen(text) + 1, size); /* text to its end, a NUL at most */
		ck_assert_ptr_null(dms_source_kallsyms(source, &again, &again_size));
		ck_assert(again == text && again_size == size);
		dms_source_close(source);
	}
}
END_TEST

START_TEST(comms_of_a_real_file)
{
	struct dms_source *source = open_or_fail(FIXTURES "stock-6.12-rmmod.dat");
	unsigned int known = 0;

	for (uint32_t pid = 1; pid < 5000; pid++) {
		const char *comm = dms_source_comm(source, pid);

		if (!comm)
			continue;
		ck_assert(*comm && strlen(comm) < 64 && !strchr(comm, '\n'));
		known += !strcmp(comm, "modprobe");
	}
	ck_assert_uint_ge(known, 1);
	ck_assert_ptr_null(dms_source_comm(source, 4000000000u));
	dms_source_close(source);
}
END_TEST

START_TEST(comm_lookup)
{
	char text[] = "7 seven\n1 init\nnonsense\n42 a b  c\n7 later\n 9 spaced\n8\n100 last";
	struct source_ops ops = {0};
	struct dms_source source = {.ops = &ops, .cmdlines = text};

	ck_assert_str_eq(dms_source_comm(&source, 1), "init");
	ck_assert_str_eq(dms_source_comm(&source, 7), "later");
	ck_assert_str_eq(dms_source_comm(&source, 42), "a b  c");
	ck_assert_str_eq(dms_source_comm(&source, 9), "spaced");
	ck_assert_str_eq(dms_source_comm(&source, 100), "last");
	ck_assert_ptr_null(dms_source_comm(&source, 0));
	ck_assert_ptr_null(dms_source_comm(&source, 8));
	ck_assert_ptr_null(dms_source_comm(&source, 101));
	dms_free(source.comms);
}
END_TEST

/* ---- generated files
 * ----------------------------------------------------------------------------- */

static const char *const shapes[] = {
	"--lost 0.2 --cpus 8 --events 100000",
	"--lost 0.2 --cpus 8 --events 100000 --big-endian",
	"--lost 0.2 --cpus 8 --events 100000 --file-version 7 --compression zstd --stacks",
	"--cpus 1 --events 3000",
	"--cpus 64 --events 20000 --page-size 16384 --file-version 7",
};

START_TEST(order_and_gaps)
{
	char said[4096];
	struct walk walk;

	if (!generate("t.dat", shapes[_i], said))
		return;
	walk = walk_file(work_file("t.dat"));
	ck_assert_uint_eq(walk.records, said_number(said, "records"));
	ck_assert_uint_eq(walk.last_ts, said_number(said, "last_ns"));
	ck_assert_uint_eq(walk.lost, said_number(said, "lost"));
	ck_assert_uint_eq(walk.gaps_unknown, said_number(said, "lost_unknown"));
	if (strstr(shapes[_i], "--lost"))
		ck_assert_uint_gt(walk.gaps, 10);
	else
		ck_assert_uint_eq(walk.gaps, 0);
}
END_TEST

/* Two files as one: all of both, in time order, each in its own order, equal times by file. */
START_TEST(merge_of_files)
{
	struct dms_source *sources[3];
	struct walk alone[3], merged[3] = {0};
	uint64_t last = 0, total = 0;
	struct dms_merge *merge;
	struct dms_item item;
	char said[4096];

	for (int i = 0; i < 3; i++) {
		char options[64], name[32];

		snprintf(options, sizeof(options), "--seed %d --events 5000", i == 2 ? 1 : i + 1);
		snprintf(name, sizeof(name), "m%d.dat", i);
		if (!generate(name, options, said))
			return;
		alone[i] = walk_file(work_file(name));
		sources[i] = open_or_fail(work_file(name));
	}
	merge = dms_merge_create(sources, 3);
	ck_assert_ptr_nonnull(merge);
	ck_assert_uint_eq(dms_merge_count(merge), 3);
	for (uint32_t previous = 0;; total++) {
		must(!dms_merge_next(merge, &item));
		if (item.kind == DMS_ITEM_END)
			break;
		must(item.kind == DMS_ITEM_RECORD);
		must(item.record.ts >= last);
		must(item.record.ts > last || item.file >= previous || !total);
		previous = item.file;
		last = item.record.ts;
		merged[item.file].records++;
		merged[item.file].digest =
			XXH3_64bits_withSeed(item.record.data, item.record.size,
					     merged[item.file].digest ^ item.record.ts);
	}
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(merged[i].records, alone[i].records);
		ck_assert_uint_eq(merged[i].digest, alone[i].digest);
		ck_assert_ptr_eq(dms_merge_source(merge, i), sources[i]);
	}
	ck_assert_ptr_null(dms_merge_next(merge, &item));
	ck_assert_int_eq(item.kind, DMS_ITEM_END);
	dms_merge_destroy(merge);
}
END_TEST

/* ---- damage
 * ---------------------------------------------------------------------------------------- */

/* Where CPU @number's data begins in @path. */
static struct tracedat_cpu find_cpu(const char *path, uint32_t number)
{
	struct tracedat_cpu cpu;
	struct tracedat dat;
	struct file file;

	ck_assert_ptr_null(file_open(path, &file));
	ck_assert_ptr_null(tracedat_open(&file, &dat));
	cpu = dat.buffers[0].cpus[number];
	tracedat_close(&dat);
	return cpu;
}

/* Page 1's commit field, or the length word of its first entry, becomes absurd. */
static const struct {
	uint32_t at, value; /* byte in the page, what is put there */
	uint32_t offset;    /* where the message says it is, from the first page */
	const char *what;
} damages[] = {
	{8, 0x07ffffff, 4096, "claims more data than fits"},
	{16, 0x00000000, 8192, "before this has an entry that does not fit"},
};

START_TEST(damage_is_counted_and_told)
{
	struct walk whole, walk;
	struct tracedat_cpu cpu;
	struct dms_source *source;
	const char *first;
	uint8_t *data;
	char said[4096], offset[96];
	size_t size;

	if (!generate("d.dat", "--events 20000 --cpus 2 --discard 0", said))
		return;
	whole = walk_file(work_file("d.dat"));
	cpu = find_cpu(work_file("d.dat"), 0);
	data = read_whole(work_file("d.dat"), &size);
	memcpy(data + cpu.offset + 4096 + damages[_i].at, &damages[_i].value, 4);
	if (_i == 1)
		memset(data + cpu.offset + 4096 + 20, 0xff, 4);
	write_file(work_file("d.dat"), data, size);
	free(data);

	source = open_or_fail(work_file("d.dat"));
	walk = walk_source(source);
	ck_assert_uint_eq(dms_source_damage(source, &first), 1);
	snprintf(offset, sizeof(offset), "at offset %#" PRIx64, cpu.offset + damages[_i].offset);
	ck_assert_msg(strstr(first, damages[_i].what), "%s", first);
	ck_assert_msg(strstr(first, offset), "%s, not %s", first, offset);
	ck_assert_uint_lt(walk.records, whole.records); /* one page less, and nothing else */
	ck_assert_uint_gt(walk.records, whole.records - 4096 / 16);
	ck_assert_uint_eq(walk.gaps, 1);
	ck_assert_uint_eq(walk.gaps_unknown, 1);
	dms_source_close(source);
}
END_TEST

/* Two CPUs with the same records: each time twice, and always in the same order. */
START_TEST(equal_times)
{
	struct tracedat_cpu from, to;
	struct walk walk;
	char said[4096];
	uint8_t *data;
	size_t size;

	if (!generate("e.dat", "--events 20000 --cpus 2", said))
		return;
	from = find_cpu(work_file("e.dat"), 0);
	to = find_cpu(work_file("e.dat"), 1);
	data = read_whole(work_file("e.dat"), &size);
	memcpy(data + to.offset, data + from.offset, from.size < to.size ? from.size : to.size);
	write_file(work_file("e.dat"), data, size);
	free(data);
	walk = walk_file(work_file("e.dat"));
	ck_assert_uint_gt(walk.ties, 5000);
}
END_TEST

START_TEST(truncated_data)
{
	struct dms_source *source;
	struct tracedat_cpu cpu;
	struct walk walk;
	const char *first;
	char said[4096];
	uint8_t *data;
	size_t size;

	if (!generate("c.dat", "--events 20000 --cpus 1", said))
		return;
	cpu = find_cpu(work_file("c.dat"), 0);
	data = read_whole(work_file("c.dat"), &size);
	write_file(work_file("c.dat"), data, cpu.offset + 4096 * 3 + 100);
	free(data);
	source = open_or_fail(work_file("c.dat"));
	ck_assert_uint_eq(dms_source_info(source)->missing_bytes, cpu.size - 4096 * 3 - 100);
	ck_assert_uint_eq(dms_source_info(source)->missing_offset, cpu.offset + 4096 * 3 + 100);
	walk = walk_source(source);
	ck_assert_uint_gt(walk.records, 50);
	ck_assert_uint_eq(dms_source_damage(source, &first), 1);
	ck_assert_ptr_nonnull(strstr(first, "expected a whole ring-buffer page"));
	dms_source_close(source);
}
END_TEST

static void add(Suite *suite, const char *name, const TTest *test, int loops)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, test, 0, loops);
	suite_add_tcase(suite, tcase);
}

int main(void)
{
	Suite *suite = suite_create("input");
	SRunner *runner;
	int failures;

	if (!mkdtemp(work))
		return 1;
	add(suite, "facts", facts_of_real_files, DMS_ARRAY_SIZE(real_files));
	add(suite, "instances", instances, 1);
	add(suite, "formats", formats, 1);
	add(suite, "kallsyms", kallsyms, 1);
	add(suite, "comms", comms_of_a_real_file, 1);
	add(suite, "comm lookup", comm_lookup, 1);
	add(suite, "order and gaps", order_and_gaps, DMS_ARRAY_SIZE(shapes));
	add(suite, "merge", merge_of_files, 1);
	add(suite, "damage", damage_is_counted_and_told, DMS_ARRAY_SIZE(damages));
	add(suite, "equal times", equal_times, 1);
	add(suite, "truncated", truncated_data, 1);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return remove_work() || failures ? 1 : 0;
}
