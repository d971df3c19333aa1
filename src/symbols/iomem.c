// SPDX-License-Identifier: LGPL-2.1-only
/* The machine's memory map: lines of /proc/iomem to areas, found by physical address. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/machine.h>

#include "textfile.h"

#define MAX_FILE_BYTES (16u << 20)
/* The kernel nests a few levels; one who writes more of them wants to keep us busy. */
#define MAX_DEPTH 64

/** One line. */
struct region {
	uint64_t start, end; /* the last byte of it */
	uint8_t area;	     /* enum dms_area */
	uint32_t depth;	     /* of nesting, from 0 */
};

/** From @start on, up to the next one, everything is @area. */
struct piece {
	uint64_t start;
	enum dms_area area;
};

struct dms_iomem {
	struct piece *pieces; /* sorted by start, the first starts at 0 */
	size_t n_pieces, capacity;
};

/** The lines, before they are cut into pieces. */
struct regions {
	struct region *items;
	size_t n_items, capacity;
	bool any_address; /* that is not 0 */
};

/*
 * The first row that fits decides. x86, arm, arm64, s390, riscv and loongarch all say "Kernel
 * code" and "Kernel data", the last four without "rodata"; riscv nests them in "Kernel image".
 * Source: their setup.c, Linux 6.12 and 7.2.
 */
static const struct {
	const char *name;
	bool is_prefix;
	enum dms_area area;
} name_rows[] = {
	{"Kernel code", false, DMS_AREA_TEXT},
	{"Kernel text", false, DMS_AREA_TEXT},
	{"Kernel image", false, DMS_AREA_RAM},
	{"Kernel rodata", false, DMS_AREA_RODATA},
	{"Kernel data", false, DMS_AREA_RAM},
	{"Kernel bss", false, DMS_AREA_RAM},
	{"System RAM", true, DMS_AREA_RAM}, /* and "(kmem)", "(virtio_mem)", "(boot alias)" */
	{"Crash kernel", true, DMS_AREA_RAM},
};

static enum dms_area area_of_name(const char *name, size_t len, enum dms_area around)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(name_rows); i++) {
		size_t row_len = strlen(name_rows[i].name);

		if (len >= row_len && !memcmp(name, name_rows[i].name, row_len) &&
		    (len == row_len || name_rows[i].is_prefix))
			return name_rows[i].area;
	}
	/* Persistent memory that was given to the kernel has its name between. */
	if (len > 6 && !memcmp(name + len - 6, "(kmem)", 6))
		return DMS_AREA_RAM;
	/*
	 * Inside RAM any other name is memory kept for something: arm64 has "reserved" lines
	 * there, and drivers those of memory that they were given.
	 */
	return around == DMS_AREA_RAM ? DMS_AREA_RAM : DMS_AREA_DEVICE;
}

static bool read_hex(const char **pos, const char *end, uint64_t *ret)
{
	const char *start = *pos;

	*ret = 0;
	for (; *pos < end && *pos - start < 16; (*pos)++) {
		int digit = dms_hex_digit(**pos);

		if (digit < 0)
			break;
		*ret = *ret << 4 | (uint64_t)digit;
	}
	return *pos > start;
}

/* False: it is no line of /proc/iomem. *@ret_name: where the name begins. */
static bool read_line(const char *pos, const char *end, struct region *ret, const char **ret_name)
{
	const char *start = pos;

	while (pos < end && *pos == ' ')
		pos++;
	ret->depth = (uint32_t)(pos - start) / 2;
	if (!read_hex(&pos, end, &ret->start) || pos == end || *pos++ != '-' ||
	    !read_hex(&pos, end, &ret->end) || end - pos < 3 || memcmp(pos, " : ", 3) != 0)
		return false;
	*ret_name = pos + 3;
	return ret->depth < MAX_DEPTH && ret->start <= ret->end;
}

/** The lines around the one in hand, by depth: what they are. */
struct nest {
	enum dms_area areas[MAX_DEPTH];
	uint64_t ends[MAX_DEPTH];
	uint32_t depth; /* of these, how many are open */
};

static enum dms_area around(struct nest *nest, const struct region *region)
{
	if (nest->depth > region->depth)
		nest->depth = region->depth;
	while (nest->depth && nest->ends[nest->depth - 1] < region->start)
		nest->depth--;
	return nest->depth ? nest->areas[nest->depth - 1] : DMS_AREA_NONE;
}

static struct dms_error *take_line(struct regions *regions, struct nest *nest, const char *line,
				   const char *end)
{
	struct region region;
	enum dms_area area;
	const char *name;

	if (end > line && end[-1] == '\r')
		end--;
	if (end == line)
		return NULL;
	if (!read_line(line, end, &region, &name))
		return dms_error_new(DMS_ERROR_INPUT, "expected START-END : NAME");
	regions->any_address |= region.start || region.end;
	area = area_of_name(name, (size_t)(end - name), around(nest, &region));
	region.area = (uint8_t)area;
	region.depth = nest->depth;
	nest->areas[nest->depth] = area;
	nest->ends[nest->depth++] = region.end;
	if (!dms_grow(&regions->items, &regions->capacity, regions->n_items + 1, sizeof(region)))
		return &dms_error_nomem;
	regions->items[regions->n_items++] = region;
	return NULL;
}

/* Outer lines go before those inside of them. */
static int by_start(const void *left, const void *right)
{
	const struct region *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->depth < b->depth ? -1 : a->depth > b->depth;
}

static bool add_piece(struct dms_iomem *iomem, uint64_t start, enum dms_area area)
{
	struct piece *last = iomem->n_pieces ? &iomem->pieces[iomem->n_pieces - 1] : NULL;

	if (last && last->start == start) {
		last->area = area;
		return true;
	}
	if (last && last->area == area)
		return true;
	if (!dms_grow(&iomem->pieces, &iomem->capacity, iomem->n_pieces + 1, sizeof(*last)))
		return false;
	iomem->pieces[iomem->n_pieces++] = (struct piece){start, area};
	return true;
}

/* Close the open lines that end before @start, each giving way to what is around it. */
static bool close_before(struct dms_iomem *iomem, struct nest *open, uint64_t start)
{
	while (open->depth && open->ends[open->depth - 1] < start) {
		uint64_t end = open->ends[--open->depth];
		enum dms_area area = open->depth ? open->areas[open->depth - 1] : DMS_AREA_NONE;

		if (!add_piece(iomem, end + 1, area))
			return false;
	}
	return true;
}

static struct dms_error *cut(struct dms_iomem *iomem, const struct regions *regions)
{
	struct nest open = {.depth = 0};

	if (!add_piece(iomem, 0, DMS_AREA_NONE))
		return &dms_error_nomem;
	for (size_t i = 0; i < regions->n_items; i++) {
		const struct region *region = &regions->items[i];

		if (!close_before(iomem, &open, region->start))
			return &dms_error_nomem;
		if (open.depth == MAX_DEPTH) /* as their addresses tell, whatever their blanks do */
			return dms_error_new(DMS_ERROR_INPUT,
					     "more than %d lines around address %#" PRIx64, MAX_DEPTH,
					     region->start);
		if (!add_piece(iomem, region->start, region->area))
			return &dms_error_nomem;
		open.areas[open.depth] = region->area;
		open.ends[open.depth] = region->end;
		/* No line outlasts the one it stands in. */
		if (open.depth && open.ends[open.depth - 1] < region->end)
			open.ends[open.depth] = open.ends[open.depth - 1];
		open.depth++;
	}
	return close_before(iomem, &open, UINT64_MAX) ? NULL : &dms_error_nomem;
}

static struct dms_error *parse(const char *text, size_t size, struct regions *regions)
{
	struct nest nest = {.depth = 0};
	uint32_t number = 0;
	size_t at = 0;

	while (at < size) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t bytes = end ? (size_t)(end - text) - at : size - at;
		struct dms_error *err = take_line(regions, &nest, text + at, text + at + bytes);

		number++;
		if (err)
			return dms_error_wrap(err, "line %" PRIu32, number);
		at += bytes + 1;
	}
	if (!regions->n_items)
		return dms_error_new(DMS_ERROR_INPUT, "no line of a memory map");
	if (!regions->any_address)
		return dms_error_new(DMS_ERROR_INPUT, "all addresses are 0: the kernel shows those of "
						      "/proc/iomem only to root");
	return NULL;
}

struct dms_error *dms_iomem_create(const char *text, size_t size, struct dms_iomem **ret)
{
	struct dms_iomem *iomem = dms_zalloc(sizeof(*iomem));
	struct regions regions = {0};
	struct dms_error *err = iomem ? parse(text, size, &regions) : &dms_error_nomem;

	if (!err && regions.n_items) {
		qsort(regions.items, regions.n_items, sizeof(*regions.items), by_start);
		err = cut(iomem, &regions);
	}
	dms_free(regions.items);
	if (err) {
		dms_iomem_destroy(iomem);
		return err;
	}
	*ret = iomem;
	return NULL;
}

struct dms_error *dms_iomem_read(const char *path, struct dms_iomem **ret)
{
	_cleanup_(dms_freep) char *text = NULL;
	size_t size = 0;
	struct dms_error *err = textfile_read(path, MAX_FILE_BYTES, "a memory map", &text, &size);

	if (err)
		return err;
	err = dms_iomem_create(text, size, ret);
	return err ? dms_error_wrap(err, "%s", path) : NULL;
}

void dms_iomem_destroy(struct dms_iomem *iomem)
{
	if (!iomem)
		return;
	dms_free(iomem->pieces);
	dms_free(iomem);
}

enum dms_area dms_iomem_area(const struct dms_iomem *iomem, uint64_t addr, uint64_t size)
{
	uint64_t last = size ? addr + size - 1 : addr;
	enum dms_area worst = DMS_AREA_UNKNOWN;
	size_t low = 0, high;

	if (!iomem)
		return DMS_AREA_UNKNOWN;
	if (last < addr)
		last = UINT64_MAX;
	for (high = iomem->n_pieces; high - low > 1;) { /* pieces[low] starts at or before @addr */
		size_t middle = low + (high - low) / 2;

		if (iomem->pieces[middle].start <= addr)
			low = middle;
		else
			high = middle;
	}
	for (; low < iomem->n_pieces && iomem->pieces[low].start <= last; low++) {
		if (iomem->pieces[low].area > worst)
			worst = iomem->pieces[low].area;
	}
	return worst;
}
