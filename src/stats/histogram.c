// SPDX-License-Identifier: LGPL-2.1-only
/* A log-linear histogram: exact below 32, then 32 buckets to each power of two. */
#include <string.h>

#include <dmascope/stats.h>

#define SUB_BUCKETS (1u << DMS_HISTOGRAM_SUB_BITS)

/* Bits by which values of bucket @index are coarser than 1. */
static unsigned int bucket_shift(uint32_t index)
{
	uint32_t group = index >> DMS_HISTOGRAM_SUB_BITS;

	return group ? group - 1 : 0;
}

/* The highest bit and the five below it; "| SUB_BUCKETS" leaves values below 32 as they are. */
static uint64_t bucket_of(uint64_t value)
{
	uint64_t highest = 63 - (uint64_t)__builtin_clzll(value | SUB_BUCKETS);
	uint64_t shift = highest - DMS_HISTOGRAM_SUB_BITS;

	/* value >> shift is in [32, 64): its upper bit moves on to the next group */
	return (shift << DMS_HISTOGRAM_SUB_BITS) + (value >> shift);
}

/*
 * The same for values whose exponent and five bits below it a double shows as they are: it holds them
 * side by side. Half the instructions of bucket_of(), for each lifetime.
 */
#define SHORT_MIN     SUB_BUCKETS
#define SHORT_MAX     ((1ull << 53) - 1)
#define DOUBLE_SHIFT  (52 - DMS_HISTOGRAM_SUB_BITS)
#define DOUBLE_OFFSET ((1023 + DMS_HISTOGRAM_SUB_BITS - 1) << DMS_HISTOGRAM_SUB_BITS)
static uint64_t short_bucket_of(uint64_t value)
{
	double number = (double)(int64_t)value;
	uint64_t bits;

	memcpy(&bits, &number, sizeof(bits));
	return (bits >> DOUBLE_SHIFT) - DOUBLE_OFFSET;
}

void dms_histogram_bounds(uint32_t index, uint64_t *ret_low, uint64_t *ret_high)
{
	unsigned int shift = bucket_shift(index);
	uint64_t low = index & (SUB_BUCKETS - 1);

	if (index >= SUB_BUCKETS)
		low = (low + SUB_BUCKETS) << shift;
	*ret_low = low;
	*ret_high = low + ((1ull << shift) - 1);
}

_apart_ static void widen(struct dms_histogram *histogram, uint64_t value)
{
	uint64_t low, high;

	if (!histogram->count || value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
	low = histogram->min > SHORT_MIN ? histogram->min : SHORT_MIN;
	high = histogram->max < SHORT_MAX ? histogram->max : SHORT_MAX;
	histogram->usual_low = low;
	histogram->n_usual = low <= high ? high - low + 1 : 0;
}

_apart_ static void saturate_sum(struct dms_histogram *histogram)
{
	histogram->sum = UINT64_MAX;
}

static void add_sum(struct dms_histogram *histogram, uint64_t sum)
{
	histogram->sum += sum;
	if (histogram->sum < sum)
		saturate_sum(histogram);
}

_apart_ static void fill_bucket(struct dms_histogram *histogram, uint64_t value)
{
	histogram->buckets[bucket_of(value)] = UINT32_MAX;
}

void dms_histogram_add_many(struct dms_histogram *histogram, uint64_t value, uint64_t times)
{
	uint32_t *bucket = &histogram->buckets[bucket_of(value)];
	uint64_t sum;

	if (!times)
		return;
	if (value < histogram->min || value > histogram->max) /* both are 0 before the first */
		widen(histogram, value);
	add_sum(histogram, __builtin_mul_overflow(value, times, &sum) ? UINT64_MAX : sum);
	*bucket = times < UINT32_MAX - *bucket ? *bucket + (uint32_t)times : UINT32_MAX;
	histogram->count += times;
}

/* What is seldom is apart: three additions to memory are left, and jumps that nobody takes. */
bool dms_histogram_add_usual(struct dms_histogram *histogram, uint64_t value)
{
	if (value - histogram->usual_low >= histogram->n_usual)
		return false;
	histogram->count++;
	add_sum(histogram, value);
	if (!++histogram->buckets[short_bucket_of(value)]) /* it was full */
		fill_bucket(histogram, value);
	return true;
}

_apart_ static void add_unusual(struct dms_histogram *histogram, uint64_t value)
{
	dms_histogram_add_many(histogram, value, 1);
}

void dms_histogram_add(struct dms_histogram *histogram, uint64_t value)
{
	if (!dms_histogram_add_usual(histogram, value))
		add_unusual(histogram, value);
}

/* The value of rank ceil(count * permille / 1000), which is one that was added. */
uint64_t dms_histogram_quantile(const struct dms_histogram *histogram, unsigned int permille)
{
	unsigned __int128 wanted = (unsigned __int128)histogram->count * permille;
	uint64_t rank = (uint64_t)((wanted + 999) / 1000), passed = 0, low, high;

	if (permille > 1000 || rank > histogram->count)
		return histogram->max;
	if (rank <= 1)
		return histogram->min;
	for (uint32_t i = 0; i < DMS_HISTOGRAM_BUCKETS; i++) {
		passed += histogram->buckets[i];
		if (passed < rank)
			continue;
		dms_histogram_bounds(i, &low, &high);
		return high < histogram->max ? high : histogram->max;
	}
	return histogram->max; /* a bucket is full to its 32 bits */
}
