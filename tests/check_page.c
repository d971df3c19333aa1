// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of src/input/page.h: hand-made pages of every entry type, damaged ones, and our walk held
 * against libtraceevent's kbuffer on every recording at hand.
 */
#include <check.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <kbuffer.h>

#include "input/page.h"
#include "input/tracedat.h"

#define PAGE_BYTES 4096u

/** A page under construction, in the byte order and long size of some machine. */
struct maker {
	uint8_t *memory; /* of exactly PAGE_BYTES, so that a sanitizer sees each byte beyond */
	uint32_t used;	 /* bytes of data behind the header */
	unsigned int long_size;
	bool big_endian;
};

static struct maker maker;

static void store(uint8_t *at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		at[maker.big_endian ? bytes - 1 - i : i] = (uint8_t)(value >> (8 * i));
}

static void put_word(uint32_t value)
{
	store(maker.memory + 8 + maker.long_size + maker.used, value, 4);
	maker.used += 4;
}

static void put_entry(uint32_t type, uint32_t delta)
{
	put_word(maker.big_endian ? type << 27 | delta : delta << 5 | type);
}

/* An event of @words payload words, each of value @fill. */
static void put_event(uint32_t words, uint32_t delta, uint32_t fill)
{
	put_entry(words, delta);
	for (uint32_t i = 0; i < words; i++)
		put_word(fill);
}

static void commit(uint64_t ts, uint32_t flags)
{
	store(maker.memory, ts, 8);
	store(maker.memory + 8, maker.used | flags, maker.long_size);
}

/* The four layouts of a page: @layout bit 0 the byte order, bit 1 the long size. */
static void begin(int layout)
{
	free(maker.memory);
	maker = (struct maker){
		.memory = malloc(PAGE_BYTES),
		.big_endian = layout & 1,
		.long_size = layout & 2 ? 4 : 8,
	};
	ck_assert_ptr_nonnull(maker.memory);
	memset(maker.memory, 0xa5, PAGE_BYTES);
}

static bool open_page(struct page *page, uint64_t *ret_missed)
{
	*page = (struct page){
		.big_endian = maker.big_endian,
		.swap = maker.big_endian != HOST_BIG_ENDIAN,
	};
	return page_begin(page, maker.memory, PAGE_BYTES, maker.long_size, ret_missed);
}

static struct page opened(void)
{
	struct page page;
	uint64_t missed;

	ck_assert(open_page(&page, &missed));
	ck_assert_uint_eq(missed, 0);
	return page;
}

static void expect_event(struct page *page, uint64_t ts, uint32_t size, uint32_t fill)
{
	ck_assert_int_eq(page_next(page), PAGE_EVENT);
	ck_assert_uint_eq(page->ts, ts);
	ck_assert_uint_eq(page->size, size);
	for (uint32_t i = 0; i < size; i += 4)
		ck_assert_uint_eq(load32(page->data + i, page->swap), fill);
}

/* ---- what a kernel writes -------------------------------------------------------------------- */

START_TEST(short_events)
{
	struct page page;
	uint64_t ts = 1000;

	begin(_i);
	for (uint32_t words = 1; words < PAGE_TYPE_PADDING; words++)
		put_event(words, words * 3, 0x01020304 + words);
	commit(ts, 0);
	page = opened();
	for (uint32_t words = 1; words < PAGE_TYPE_PADDING; words++) {
		ts += words * 3;
		expect_event(&page, ts, words * 4, 0x01020304 + words);
	}
	ck_assert_int_eq(page_next(&page), PAGE_END);
	ck_assert_int_eq(page_next(&page), PAGE_END);
}
END_TEST

START_TEST(long_event)
{
	struct page page;

	begin(_i);
	put_entry(0, (1u << 27) - 1);
	put_word(4 + 40 * 4); /* counts itself */
	for (int i = 0; i < 40; i++)
		put_word(7);
	put_entry(0, 1);
	put_word(4 + 6); /* rounded up to whole words */
	put_word(8);
	put_word(8);
	commit(1, 0);
	page = opened();
	expect_event(&page, 1 + (1u << 27) - 1, 160, 7);
	expect_event(&page, 1 + (1u << 27), 8, 8);
	ck_assert_int_eq(page_next(&page), PAGE_END);
}
END_TEST

START_TEST(empty_page)
{
	struct page page;

	begin(_i);
	commit(5, 0);
	page = opened();
	ck_assert_int_eq(page_next(&page), PAGE_END);
}
END_TEST

START_TEST(padding_ends_the_page)
{
	struct page page;

	begin(_i);
	put_event(2, 5, 1);
	put_entry(PAGE_TYPE_PADDING, 0);
	put_event(2, 5, 2); /* stale bytes: no event */
	commit(10, 0);
	page = opened();
	expect_event(&page, 15, 8, 1);
	ck_assert_int_eq(page_next(&page), PAGE_END);
}
END_TEST

START_TEST(discarded_event)
{
	struct page page;

	begin(_i);
	put_event(1, 5, 1);
	put_entry(PAGE_TYPE_PADDING, 7); /* its time counts, its data does not */
	put_word(12);
	put_word(0xffffffff);
	put_word(0xffffffff);
	put_event(1, 2, 2);
	commit(100, 0);
	page = opened();
	expect_event(&page, 105, 4, 1);
	expect_event(&page, 114, 4, 2);
	ck_assert_int_eq(page_next(&page), PAGE_END);
}
END_TEST

START_TEST(time_extend)
{
	struct page page;

	begin(_i);
	put_entry(PAGE_TYPE_TIME_EXTEND, 9);
	put_word(0x80000001);
	put_event(1, 1, 3);
	commit(50, 0);
	page = opened();
	expect_event(&page, 50 + (0x80000001ull << 27) + 9 + 1, 4, 3);
	ck_assert_int_eq(page_next(&page), PAGE_END);
}
END_TEST

static void put_stamp(uint64_t ts)
{
	put_entry(PAGE_TYPE_TIME_STAMP, ts & ((1u << 27) - 1));
	put_word((uint32_t)((ts & ((1ull << 59) - 1)) >> 27));
}

START_TEST(absolute_stamp)
{
	struct page page;

	begin(_i);
	put_event(1, 3, 1);
	put_stamp(0x123456789abcull);
	put_event(1, 4, 2);
	put_stamp(0x100000000000ull); /* backwards: an interrupted writer may do so */
	put_event(1, 0, 3);
	commit(77, 0);
	page = opened();
	expect_event(&page, 80, 4, 1);
	expect_event(&page, 0x123456789abcull + 4, 4, 2);
	expect_event(&page, 0x100000000000ull, 4, 3);
}
END_TEST

/* The stamp has 59 bits. The top five are the page's, and one more if it wrapped since. */
START_TEST(absolute_stamp_top_bits)
{
	uint64_t top = 0x5ull << 59;
	struct page page;

	begin(_i);
	put_stamp(top + 2000);
	put_event(1, 1, 1);
	put_stamp(top + (1ull << 59) + 3);
	put_event(1, 1, 2);
	commit(top + 1000, 0);
	page = opened();
	expect_event(&page, top + 2001, 4, 1);
	expect_event(&page, top + (1ull << 59) + 4, 4, 2);
}
END_TEST

START_TEST(missed_events)
{
	struct page page;
	uint64_t missed;

	begin(_i);
	put_event(1, 1, 1);
	commit(1, PAGE_MISSED_EVENTS);
	ck_assert(open_page(&page, &missed));
	ck_assert_uint_eq(missed, PAGE_MISSED_UNKNOWN);
	expect_event(&page, 2, 4, 1);
	ck_assert_int_eq(page_next(&page), PAGE_END);

	commit(1, PAGE_MISSED_EVENTS | PAGE_MISSED_STORED);
	store(maker.memory + 8 + maker.long_size + maker.used, 1234567, maker.long_size);
	ck_assert(open_page(&page, &missed));
	ck_assert_uint_eq(missed, 1234567);
	expect_event(&page, 2, 4, 1);
	ck_assert_int_eq(page_next(&page), PAGE_END);
}
END_TEST

/* A full page has no room for the count: it must not be looked for behind the page. */
START_TEST(missed_count_beyond_the_page)
{
	struct page page;
	uint64_t missed;

	begin(_i);
	maker.used = PAGE_BYTES - 8 - maker.long_size;
	commit(1, PAGE_MISSED_EVENTS | PAGE_MISSED_STORED);
	ck_assert(open_page(&page, &missed));
	ck_assert_uint_eq(missed, PAGE_MISSED_UNKNOWN);
}
END_TEST

/* ---- damage ---------------------------------------------------------------------------------- */

START_TEST(page_claims_too_much)
{
	struct page page;
	uint64_t missed;

	begin(_i);
	maker.used = PAGE_BYTES - 8 - maker.long_size;
	commit(1, 0);
	ck_assert(open_page(&page, &missed));
	maker.used++;
	commit(1, 0);
	ck_assert(!open_page(&page, &missed));
	maker.used = (1u << 27) - 1;
	commit(1, PAGE_MISSED_EVENTS | PAGE_MISSED_STORED);
	ck_assert(!open_page(&page, &missed));
	ck_assert_uint_eq(missed, 0);
}
END_TEST

/* Entries that need more bytes than there are: {type, delta, second word, bytes committed}. */
static const struct {
	uint32_t type, delta, extra, used;
} too_long[] = {
	{ 28, 1, 0, 8 },			{ 2, 1, 0, 8 },
	{ 1, 1, 0, 4 },				{ 0, 0, 0, 8 },
	{ 0, 0, 1, 8 },				{ 0, 0, 3, 8 },
	{ 0, 0, 5, 8 },				{ 0, 0, 8, 8 },
	{ 0, 0, UINT32_MAX, 8 },		{ 0, 0, UINT32_MAX - 3, 8 },
	{ 0, 0, 4096, 4000 },			{ 0, 0, 0, 4 },
	{ PAGE_TYPE_PADDING, 1, 5, 8 },		{ PAGE_TYPE_PADDING, 1, UINT32_MAX, 8 },
	{ PAGE_TYPE_PADDING, 1, 4, 4 },		{ PAGE_TYPE_TIME_EXTEND, 1, 1, 4 },
	{ PAGE_TYPE_TIME_STAMP, 1, 1, 4 },	{ 1, 1, 0, 7 },
	{ PAGE_TYPE_TIME_EXTEND, 1, 1, 7 },	{ PAGE_TYPE_TIME_EXTEND, 1, 1, 9 },
};

START_TEST(entry_does_not_fit)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(too_long); i++) {
		struct page page;

		begin(_i);
		put_entry(too_long[i].type, too_long[i].delta);
		put_word(too_long[i].extra);
		maker.used = too_long[i].used;
		commit(1, 0);
		page = opened();
		ck_assert_msg(page_next(&page) == PAGE_DAMAGED, "row %zu", i);
	}
}
END_TEST

/* A discarded event of no length at all is stepped over; its length word is no event. */
START_TEST(zero_padding_ends)
{
	struct page page;
	int steps = 0;

	begin(_i);
	while (maker.used < PAGE_BYTES - 8 - maker.long_size)
		put_entry(PAGE_TYPE_PADDING, 1);
	commit(1, 0);
	page = opened();
	while (page_next(&page) == PAGE_EVENT)
		ck_assert_int_lt(++steps, (int)PAGE_BYTES);
}
END_TEST

static uint64_t random_state = 88172645463325252ull;

static uint32_t random_word(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 16);
}

/* Garbage, half of it with small lengths so that the walk gets far. */
START_TEST(garbage_ends_inside_the_page)
{
	for (int round = 0; round < 4000; round++) {
		struct page page;
		uint32_t steps = 0;
		uint64_t missed;

		begin(_i);
		while (maker.used < PAGE_BYTES - 8 - maker.long_size)
			put_word(round & 1 ? random_word() : random_word() & 0x1800003f);
		maker.used = random_word() % (maker.used + 1);
		commit(random_word(), random_word() & (PAGE_MISSED_EVENTS | PAGE_MISSED_STORED));
		ck_assert(open_page(&page, &missed));
		while (page_next(&page) == PAGE_EVENT) {
			if (page.data < maker.memory + 8 + maker.long_size ||
			    page.data + page.size > page.end || ++steps > PAGE_BYTES / 4)
				ck_abort_msg("round %d: step %u leaves the page", round, steps);
		}
	}
}
END_TEST

/* ---- kbuffer as the judge -------------------------------------------------------------------- */

static unsigned int n_files, n_pages;
static uint64_t n_events;

static void compare_page(struct kbuffer *kbuf, uint8_t *memory, const struct tracedat *dat,
			 uint32_t page_bytes, const char *where)
{
	struct page page = { .big_endian = dat->big_endian,
			     .swap = dat->big_endian != HOST_BIG_ENDIAN };
	unsigned long long ts;
	uint64_t missed;
	void *theirs;
	int lost;

	ck_assert_msg(page_begin(&page, memory, page_bytes, dat->long_size, &missed), "%s", where);
	ck_assert_msg(!kbuffer_load_subbuffer(kbuf, memory), "%s: kbuffer", where);
	lost = kbuffer_missed_events(kbuf);
	ck_assert_msg(missed == (lost == -1 ? PAGE_MISSED_UNKNOWN : (uint64_t)lost), "%s: missed",
		      where);
	for (theirs = kbuffer_read_event(kbuf, &ts); theirs; theirs = kbuffer_next_event(kbuf, &ts)) {
		if (page_next(&page) != PAGE_EVENT)
			ck_abort_msg("%s: kbuffer has an event more", where);
		if (page.data != theirs || page.ts != ts ||
		    page.size != (uint32_t)kbuffer_event_size(kbuf))
			ck_abort_msg("%s: offset %td, %td; ts %" PRIu64 ", %llu; size %u, %d",
				     where, page.data - memory, (uint8_t *)theirs - memory, page.ts,
				     ts, page.size, kbuffer_event_size(kbuf));
		n_events++;
	}
	ck_assert_msg(page_next(&page) == PAGE_END, "%s: kbuffer has an event less", where);
	n_pages++;
}

static void compare_cpu(const struct tracedat *dat, const struct tracedat_buffer *buffer,
			const struct tracedat_cpu *cpu)
{
	struct kbuffer *kbuf = kbuffer_alloc(
		dat->long_size == 8 ? KBUFFER_LSIZE_8 : KBUFFER_LSIZE_4,
		dat->big_endian ? KBUFFER_ENDIAN_BIG : KBUFFER_ENDIAN_LITTLE);
	uint8_t *memory = malloc(buffer->page_size);
	char where[1200];

	ck_assert(kbuf && memory);
	for (uint64_t at = 0; at + buffer->page_size <= cpu->size; at += buffer->page_size) {
		ck_assert_ptr_null(file_read(&dat->file, cpu->offset + at, memory,
					     buffer->page_size));
		snprintf(where, sizeof(where), "%s: page at %#" PRIx64, dat->file.path,
			 cpu->offset + at);
		compare_page(kbuf, memory, dat, buffer->page_size, where);
	}
	free(memory);
	kbuffer_free(kbuf);
}

static void compare_file(const char *path)
{
	struct dms_error *err;
	struct tracedat dat;
	struct file file;

	ck_assert_ptr_null(file_open(path, &file));
	err = tracedat_open(&file, &dat);
	ck_assert_msg(!err, "%s", err ? dms_error_message(err) : "");
	for (size_t i = 0; i < dat.n_buffers; i++) {
		for (uint32_t j = 0; !dat.buffers[i].compressed && j < dat.buffers[i].n_cpus; j++)
			compare_cpu(&dat, &dat.buffers[i], &dat.buffers[i].cpus[j]);
	}
	n_files++;
	tracedat_close(&dat);
}

static int visit(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	size_t length = strlen(path);

	(void)status;
	(void)ftw;
	if (type == FTW_F && length > 4 && !strcmp(path + length - 4, ".dat"))
		compare_file(path);
	return 0;
}

START_TEST(as_kbuffer_on_fixtures)
{
	n_files = n_pages = 0;
	n_events = 0;
	ck_assert_int_eq(nftw(SRCDIR "/tests/fixtures", visit, 8, FTW_PHYS), 0);
	ck_assert_uint_ge(n_files, 10);
	ck_assert_uint_ge(n_pages, 100);
	ck_assert_uint_ge(n_events, 5000);
}
END_TEST

/* Where the recordings are not at hand there is nothing to walk. */
START_TEST(as_kbuffer_on_recordings)
{
	n_files = 0;
	if (!nftw(SRCDIR "/../shared/traces", visit, 8, FTW_PHYS))
		ck_assert_uint_ge(n_files, 100);
}
END_TEST

static const char *const generated[] = {
	"--lost 0.2 --discard 0.2 --gap 100000000",
	"--lost 0.2 --discard 0.2 --big-endian --stacks",
	"--page-size 16384 --discard 0.1 --mix sg:1 --mode direct --gap 200000000",
	"--file-version 7 --cpus 64 --kernel 6.12 --syncs --discard 0.05",
};

START_TEST(as_kbuffer_on_generated)
{
	const char *build = getenv("BUILD"), *options = generated[_i];
	char path[] = "/tmp/check_page.XXXXXX", command[1024];
	int fd;

	if (!build)
		return; /* run by hand, without the tools */
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	snprintf(command, sizeof(command),
		 "'%s/tools/tracegen' -o %s --events 30000 --seed %d %s >/dev/null", build, path, _i + 1,
		 options);
	ck_assert_int_eq(system(command), 0);
	n_pages = 0;
	compare_file(path);
	ck_assert_uint_ge(n_pages, 50);
	unlink(path);
	close(fd);
}
END_TEST

static TCase *make_cases(const char *name, const TTest *const *tests, size_t n_tests, int loops)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 120);
	for (size_t i = 0; i < n_tests; i++)
		tcase_add_loop_test(tcase, tests[i], 0, loops);
	return tcase;
}

int main(void)
{
	const TTest *const by_layout[] = {
		short_events,	   long_event,	    empty_page,
		padding_ends_the_page, discarded_event, time_extend,
		absolute_stamp,	   absolute_stamp_top_bits, missed_events,
		missed_count_beyond_the_page, page_claims_too_much, entry_does_not_fit,
		zero_padding_ends, garbage_ends_inside_the_page,
	};
	const TTest *const by_file[] = { as_kbuffer_on_fixtures, as_kbuffer_on_recordings };
	const TTest *const by_options[] = { as_kbuffer_on_generated };
	Suite *suite = suite_create("page");
	SRunner *runner;
	int failures;

	suite_add_tcase(suite, make_cases("made", by_layout, DMS_ARRAY_SIZE(by_layout), 4));
	suite_add_tcase(suite, make_cases("kbuffer", by_file, DMS_ARRAY_SIZE(by_file), 1));
	suite_add_tcase(suite, make_cases("generated", by_options, 1, DMS_ARRAY_SIZE(generated)));
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	free(maker.memory);
	return failures ? 1 : 0;
}
