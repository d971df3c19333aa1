// SPDX-License-Identifier: LGPL-2.1-only
/*
 * Time order out of the order of a perf.data file: perf empties the buffers of the CPUs in turn,
 * so that the file is made of ascending runs, and those are merged.
 */
#include "perf.h"

void perf_sort_deinit(struct perf_sort *sort)
{
	dms_free(sort->entries);
	dms_free(sort->runs);
	dms_free(sort->heap);
}

size_t perf_sort_bytes(const struct perf_sort *sort)
{
	return sort->n_entries * sizeof(*sort->entries) + sort->n_runs * sizeof(*sort->runs);
}

bool perf_sort_add(struct perf_sort *sort, const struct perf_entry *entry)
{
	struct perf_run *last = sort->n_runs ? &sort->runs[sort->n_runs - 1] : NULL;

	if (!dms_grow(&sort->entries, &sort->entries_capacity, sort->n_entries + 1,
		      sizeof(*sort->entries)))
		return false;
	if (!last || last->head == last->tail || sort->entries[last->tail - 1].ts > entry->ts) {
		if (!dms_grow(&sort->runs, &sort->runs_capacity, sort->n_runs + 1,
			      sizeof(*sort->runs)))
			return false;
		last = &sort->runs[sort->n_runs++];
		last->head = last->tail = sort->n_entries;
	}
	sort->entries[sort->n_entries++] = *entry;
	last->tail++;
	sort->n_waiting++;
	return true;
}

/* Equal times in the order of the file, so that the same file gives the same run. */
static bool precedes(const struct perf_sort *sort, size_t left, size_t right)
{
	uint64_t a = sort->entries[sort->runs[left].head].ts;
	uint64_t b = sort->entries[sort->runs[right].head].ts;

	return a != b ? a < b : left < right;
}

static void sift_down(struct perf_sort *sort, size_t at)
{
	size_t *heap = sort->heap, moving = heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= sort->n_heap)
			break;
		if (child + 1 < sort->n_heap && precedes(sort, heap[child + 1], heap[child]))
			child++;
		if (!precedes(sort, heap[child], moving))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moving;
}

bool perf_sort_begin(struct perf_sort *sort)
{
	if (!dms_grow(&sort->heap, &sort->heap_capacity, sort->n_runs, sizeof(*sort->heap)))
		return false;
	sort->n_heap = 0;
	for (size_t i = 0; i < sort->n_runs; i++) {
		if (sort->runs[i].head < sort->runs[i].tail)
			sort->heap[sort->n_heap++] = i;
	}
	for (size_t i = sort->n_heap / 2; i--;)
		sift_down(sort, i);
	return true;
}

bool perf_sort_take(struct perf_sort *sort, uint64_t limit, struct perf_entry *ret)
{
	struct perf_run *run;

	if (!sort->n_heap)
		return false;
	run = &sort->runs[sort->heap[0]];
	if (sort->entries[run->head].ts > limit)
		return false;
	*ret = sort->entries[run->head++];
	sort->n_waiting--;
	if (run->head == run->tail)
		sort->heap[0] = sort->heap[--sort->n_heap];
	if (sort->n_heap)
		sift_down(sort, 0);
	return true;
}

/* What is left moves to the front, its runs in their old order. */
void perf_sort_end(struct perf_sort *sort)
{
	size_t n_entries = 0, n_runs = 0;

	for (size_t i = 0; i < sort->n_runs; i++) {
		struct perf_run run = sort->runs[i];
		size_t count = run.tail - run.head;

		if (!count)
			continue;
		memmove(&sort->entries[n_entries], &sort->entries[run.head],
			count * sizeof(*sort->entries));
		sort->runs[n_runs++] = (struct perf_run){n_entries, n_entries + count};
		n_entries += count;
	}
	sort->n_entries = n_entries;
	sort->n_runs = n_runs;
	sort->n_heap = 0;
}
