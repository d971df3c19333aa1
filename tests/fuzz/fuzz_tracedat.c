// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer entry: any bytes as a trace.dat, through the whole run; sizes of the file are kept. */
#include "fuzz_run.h"

#define PAGE_BYTES	4096
#define PAGE_HEAD_BYTES 16

/* What a record's first word says of its length, as in include/linux/ring_buffer.h. */
static size_t record_bytes(const uint8_t *at)
{
	uint32_t head, type_len;

	memcpy(&head, at, sizeof(head));
	type_len = head & 31;
	if (type_len && type_len <= 28)
		return 4 + 4 * (size_t)type_len;
	return type_len ? 8 : 12; /* a long record is changed at its beginning only */
}

/* A number of the page's head, or of a record some way into it. */
static void mutate_page(uint8_t *page, uint32_t *state)
{
	size_t at = PAGE_HEAD_BYTES;

	if (!fuzz_below(state, 6)) {
		fuzz_put_number(page + 8, 4, state); /* how much of it is used */
		return;
	}
	for (size_t n = fuzz_below(state, 60); n && at < PAGE_BYTES - 64; n--)
		at += record_bytes(page + at);
	if (at >= PAGE_BYTES - 64)
		return;
	switch (fuzz_below(state, 4)) {
	case 0:
		page[at] = (uint8_t)fuzz_random(state); /* kind of record, low bits of the time */
		break;
	case 1:
		fuzz_put_number(page + at + 4 * fuzz_below(state, 16), 4, state);
		break;
	case 2:
		fuzz_put_number(page + at + 4 + 8 * fuzz_below(state, 7), 8, state);
		break;
	default:
		fuzz_mutate_inside(page + at, 64);
	}
}

/* A digit of what the text of a format says of a field, or a letter of its name; its length stays. */
static void mutate_format(uint8_t *data, size_t size, uint32_t *state)
{
	static const char *const words[] = {"offset:", "size:", "field:", "ID: ", "__data_loc ", "["};
	const char *word = words[fuzz_below(state, DMS_ARRAY_SIZE(words))];
	size_t from = fuzz_below(state, size), most = size - from < 65536 ? size - from : 65536;
	uint8_t *at = memmem(data + from, most, word, strlen(word));
	uint8_t *place = at ? at + strlen(word) + fuzz_below(state, 3) : NULL;

	if (!place || place >= data + size)
		return;
	if (*place >= '0' && *place <= '9')
		*place = (uint8_t)('0' + fuzz_below(state, 10));
	else
		*place = "a_* [;\n"[fuzz_below(state, 7)];
}

static void swap_pages(uint8_t *one, uint8_t *other)
{
	uint8_t copy[PAGE_BYTES];

	memcpy(copy, one, PAGE_BYTES);
	memmove(one, other, PAGE_BYTES);
	memcpy(other, copy, PAGE_BYTES);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	uint32_t state = fuzz_seed(seed);
	size_t n_pages = size / PAGE_BYTES;
	uint8_t *page = data + fuzz_below(&state, n_pages) * PAGE_BYTES;

	switch (size < 64 ? 0 : fuzz_below(&state, 9)) {
	case 0:
		return LLVMFuzzerMutate(data, size, max_size);
	case 1: /* the head, where sizes are */
		fuzz_mutate_inside(data + fuzz_below(&state, size < 2048 ? size - 32 : 2048), 32);
		return size;
	case 2:
		fuzz_mutate_inside(data + fuzz_below(&state, size - 32), 32);
		return size;
	case 3:
		if (n_pages)
			swap_pages(page, data + fuzz_below(&state, n_pages) * PAGE_BYTES);
		return size;
	case 4:
		mutate_format(data, size, &state);
		return size;
	default:
		if (n_pages)
			mutate_page(page, &state);
		return size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dms_run_options options = {0};
	struct fuzz_file file;

	fuzz_be_silent();
	if (!fuzz_file_open(&file, data, size))
		return 0;
	options.salvage = size & 1; /* both ways, and the same one for the same bytes */
	fuzz_run(file.path, &options);
	fuzz_file_close(&file);
	return 0;
}
