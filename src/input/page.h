/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * One ring-buffer page, event by event.
 *
 * libtraceevent's kbuffer reads the same pages, but trusts them: a damaged length sends it past
 * the page or into an endless loop. This walk checks every step, and inlined it costs a third of
 * kbuffer's calls; tests/check_input.c holds the two against each other on all recordings.
 * Source of the format: kernel/trace/ring_buffer.c, header_page and header_event in tracefs.
 */
#ifndef DMS_INPUT_PAGE_H
#define DMS_INPUT_PAGE_H

#include "file.h"

/** A page being walked. data and size describe the event page_next() stopped at. */
struct page {
	const uint8_t *at, *end; /* next entry; end of the committed data */
	const uint8_t *data;	 /* the event's bytes, 4-byte aligned in the page */
	uint64_t ts;
	uint32_t size; /* of data, bytes */
	bool swap;     /* byte order differs from the host's */
	bool big_endian;
};

enum page_result { PAGE_EVENT, PAGE_END, PAGE_DAMAGED };

/* The commit field: data size, and what was lost before this page. */
#define PAGE_COMMIT_MASK    ((1u << 27) - 1)
#define PAGE_MISSED_EVENTS  (1u << 31)
#define PAGE_MISSED_STORED  (1u << 30) /* a count follows the data */
#define PAGE_MISSED_UNKNOWN UINT64_MAX

/* Entry header: 5 bits of type or length in words, 27 bits of time since the last entry. */
#define PAGE_TYPE_PADDING     29
#define PAGE_TYPE_TIME_EXTEND 30
#define PAGE_TYPE_TIME_STAMP  31
#define PAGE_DELTA_BITS	      27
/* Absolute stamps lack the top 5 bits; they are those of the page (kernel v5.19, 6695da58f9aa). */
#define PAGE_STAMP_BITS 59

/**
 * Begin walking the @bytes at @memory. *@ret_missed: events lost before it; 0 none,
 * PAGE_MISSED_UNKNOWN if the kernel did not say how many.
 * Return: false if this is no page: its data would not fit.
 */
static inline bool page_begin(struct page *page, const uint8_t *memory, uint32_t bytes,
			      unsigned int long_size, uint64_t *ret_missed)
{
	uint32_t head = 8 + long_size, size;
	uint64_t commit;

	*ret_missed = 0;
	commit = long_size == 8 ? load64(memory + 8, page->swap) : load32(memory + 8, page->swap);
	size = commit & PAGE_COMMIT_MASK;
	if (size > bytes - head)
		return false;
	page->ts = load64(memory, page->swap);
	page->at = memory + head;
	page->end = page->at + size;
	if (commit & PAGE_MISSED_EVENTS) {
		*ret_missed = PAGE_MISSED_UNKNOWN;
		if ((commit & PAGE_MISSED_STORED) && size + long_size <= bytes - head)
			*ret_missed = long_size == 8 ? load64(page->end, page->swap)
						     : load32(page->end, page->swap);
	}
	return true;
}

/** Step over @words bytes of payload at the entry; false if they are not there. */
static inline bool page_has(const struct page *page, uint64_t bytes)
{
	return bytes <= (uint64_t)(page->end - page->at);
}

/* The next event of @page, whatever comes before it; apart: it is large, and seldom called. */
_apart_ __attribute__((unused)) static enum page_result page_search(struct page *page)
{
	while (page_has(page, 4)) {
		uint32_t word = load32(page->at, page->swap), extra;
		uint32_t type = page->big_endian ? word >> PAGE_DELTA_BITS : word & 31;
		uint64_t delta =
			page->big_endian ? word & ((1u << PAGE_DELTA_BITS) - 1) : word >> 5;

		page->at += 4;
		if (type && type < PAGE_TYPE_PADDING) {
			page->ts += delta;
			page->data = page->at;
			page->size = type * 4;
			if (!page_has(page, page->size))
				return PAGE_DAMAGED;
			page->at += page->size;
			return PAGE_EVENT;
		}
		if (type == PAGE_TYPE_PADDING && !delta)
			return PAGE_END; /* the rest of the page is unused */
		if (!page_has(page, 4))
			return PAGE_DAMAGED;
		extra = load32(page->at, page->swap);
		if (type == PAGE_TYPE_TIME_EXTEND) {
			page->ts += ((uint64_t)extra << PAGE_DELTA_BITS) + delta;
			page->at += 4;
		} else if (type == PAGE_TYPE_TIME_STAMP) {
			uint64_t stamp = ((uint64_t)extra << PAGE_DELTA_BITS) + delta;
			uint64_t top = page->ts & ~((1ull << PAGE_STAMP_BITS) - 1);

			stamp |= top;
			if (top && stamp < page->ts)
				stamp += 1ull << PAGE_STAMP_BITS;
			page->ts = stamp;
			page->at += 4;
		} else if (type == PAGE_TYPE_PADDING) { /* a discarded event */
			page->ts += delta;
			if (!page_has(page, extra))
				return PAGE_DAMAGED;
			page->at += extra;
		} else { /* type 0: the length, which counts itself, comes first */
			uint64_t size = ((uint64_t)extra + 3) & ~3ull;

			page->ts += delta;
			if (extra < 4 || !page_has(page, size))
				return PAGE_DAMAGED;
			page->data = page->at + 4;
			page->size = (uint32_t)size - 4;
			page->at += size;
			return PAGE_EVENT;
		}
	}
	return page->at == page->end ? PAGE_END : PAGE_DAMAGED;
}

/**
 * The next event of @page. Nearly always it is the next entry, with its length in the header and in
 * our byte order: that much is inlined where every record passes, in a third of the instructions.
 */
static inline enum page_result page_next(struct page *page)
{
	uint32_t word, type;

	if (HOST_BIG_ENDIAN || page->big_endian || !page_has(page, 4))
		return page_search(page);
	word = load32(page->at, false);
	type = word & 31;
	if (!type || type >= PAGE_TYPE_PADDING || !page_has(page, 4 + type * 4))
		return page_search(page);
	page->ts += word >> 5;
	page->data = page->at + 4;
	page->size = type * 4;
	page->at += 4 + type * 4;
	return PAGE_EVENT;
}

#endif
