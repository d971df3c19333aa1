// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer entry: any bytes as a perf.data, through the whole run; records are moved as a whole. */
#include "fuzz_run.h"

#define HEAD_BYTES    104
#define DATA_AT	      40 /* offset and size of the data, in the file's head */
#define FEATURES_AT   72
#define FEATURE_BYTES 16

static uint64_t load(const uint8_t *at, unsigned int bytes)
{
	uint64_t number = 0;

	memcpy(&number, at, bytes);
	return number;
}

static void store(uint8_t *at, uint64_t number)
{
	memcpy(at, &number, sizeof(number));
}

/** A record of the data section. */
struct place {
	size_t at, bytes;
};

/* Some record of the data; false: the head is no longer one. */
static bool find_record(const uint8_t *data, size_t size, uint32_t *state, struct place *ret)
{
	uint64_t begin, bytes;
	size_t at, n = fuzz_below(state, 100);

	if (size < HEAD_BYTES)
		return false;
	begin = load(data + DATA_AT, 8);
	bytes = load(data + DATA_AT + 8, 8);
	if (begin > size || bytes > size - begin || bytes < 8)
		return false;
	for (at = begin; at + 8 <= begin + bytes; at += ret->bytes) {
		*ret = (struct place){at, load(data + at + 6, 2)};
		if (ret->bytes < 8 || ret->bytes > begin + bytes - at)
			return false;
		if (!n--)
			return true;
	}
	return at > begin;
}

/* What is behind the data has moved by @moved: the list of features, and what that points at. */
static void move_features(uint8_t *data, size_t size, uint64_t end, int64_t moved)
{
	for (uint64_t bits = load(data + FEATURES_AT, 8); bits; bits &= bits - 1) {
		if (end > size || size - end < FEATURE_BYTES)
			return;
		store(data + end, load(data + end, 8) + (uint64_t)moved);
		end += FEATURE_BYTES;
	}
}

static size_t change_length(uint8_t *data, size_t size, size_t max_size, struct place record,
			    bool is_longer)
{
	uint64_t bytes = load(data + DATA_AT + 8, 8);
	int64_t moved = is_longer ? (int64_t)record.bytes : -(int64_t)record.bytes;
	uint8_t *at = data + record.at, *behind = at + record.bytes;
	size_t rest = size - record.at - record.bytes;

	if (is_longer && size + record.bytes > max_size)
		return size;
	if (is_longer) {
		memmove(behind + record.bytes, behind, rest);
		memcpy(behind, at, record.bytes);
	} else {
		memmove(at, behind, rest);
	}
	store(data + DATA_AT + 8, bytes + (uint64_t)moved);
	size = (size_t)((int64_t)size + moved);
	move_features(data, size, load(data + DATA_AT, 8) + load(data + DATA_AT + 8, 8), moved);
	return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	uint32_t state = fuzz_seed(seed);
	struct place record;

	if (!fuzz_below(&state, 5) || !find_record(data, size, &state, &record))
		return LLVMFuzzerMutate(data, size, max_size);
	switch (fuzz_below(&state, 6)) {
	case 0:
		data[record.at] = (uint8_t)fuzz_below(&state, 84); /* its kind */
		return size;
	case 1:
	case 2:
		return change_length(data, size, max_size, record, fuzz_below(&state, 2));
	case 3:
		fuzz_mutate_inside(data + fuzz_below(&state, HEAD_BYTES - 8), 8);
		return size;
	case 4:
		fuzz_put_number(data + record.at + 8 * fuzz_below(&state, record.bytes / 8), 8,
				&state);
		return size;
	default:
		fuzz_mutate_inside(data + record.at, record.bytes);
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
	/* the magic is always right, in one byte order or the other: a wrong one is no perf.data */
	if (size > 8 && pwrite(file.fd, data[0] == '2' ? "2ELIFREP" : "PERFILE2", 8, 0) != 8)
		abort();
	options.salvage = size & 1;
	fuzz_run(file.path, &options);
	fuzz_file_close(&file);
	return 0;
}
