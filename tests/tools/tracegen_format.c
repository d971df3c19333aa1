// SPDX-License-Identifier: GPL-2.0-only
/* Reads tracefs format files, finds the fields we fill by name, and lays out records. */
#include "tracegen.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every tracepoint written, in each spelling; TP_MAP stands in for a missing resource event. */
static const struct tp_row {
	enum tg_tp tp;
	const char *system, *name;
} tp_rows[] = {
	{ TG_TP_MAP, "dma", "dma_map_phys" },
	{ TG_TP_MAP, "dma", "dma_map_page" },
	{ TG_TP_MAP_RESOURCE, "dma", "dma_map_resource" },
	{ TG_TP_UNMAP, "dma", "dma_unmap_phys" },
	{ TG_TP_UNMAP, "dma", "dma_unmap_page" },
	{ TG_TP_UNMAP_RESOURCE, "dma", "dma_unmap_resource" },
	{ TG_TP_MAP_SG, "dma", "dma_map_sg" },
	{ TG_TP_UNMAP_SG, "dma", "dma_unmap_sg" },
	{ TG_TP_ALLOC, "dma", "dma_alloc" },
	{ TG_TP_FREE, "dma", "dma_free" },
	{ TG_TP_ALLOC_PAGES, "dma", "dma_alloc_pages" },
	{ TG_TP_FREE_PAGES, "dma", "dma_free_pages" },
	{ TG_TP_ALLOC_SGT, "dma", "dma_alloc_sgt" },
	{ TG_TP_ALLOC_SGT_ERR, "dma", "dma_alloc_sgt_err" },
	{ TG_TP_FREE_SGT, "dma", "dma_free_sgt" },
	{ TG_TP_SYNC_CPU, "dma", "dma_sync_single_for_cpu" },
	{ TG_TP_SYNC_DEVICE, "dma", "dma_sync_single_for_device" },
	{ TG_TP_SYNC_SG_CPU, "dma", "dma_sync_sg_for_cpu" },
	{ TG_TP_SYNC_SG_DEVICE, "dma", "dma_sync_sg_for_device" },
	{ TG_TP_IOMMU_MAP, "iommu", "map" },
	{ TG_TP_IOMMU_UNMAP, "iommu", "unmap" },
	{ TG_TP_STACK, "ftrace", "kernel_stack" },
};

static const struct field_row {
	const char *name;
	enum tg_field field;
} field_rows[] = {
	{ "device", TG_F_DEVICE },	{ "phys_addr", TG_F_PHYS },
	{ "paddr", TG_F_PHYS },		{ "dma_addr", TG_F_DMA },
	{ "addr", TG_F_DMA },		{ "iova", TG_F_DMA },
	{ "virt_addr", TG_F_VIRT },	{ "size", TG_F_SIZE },
	{ "dir", TG_F_DIR },		{ "attrs", TG_F_ATTRS },
	{ "flags", TG_F_GFP },		{ "full_nents", TG_F_NENTS },
	{ "full_ents", TG_F_ENTS },	{ "truncated", TG_F_TRUNCATED },
	{ "unmapped_size", TG_F_UNMAPPED }, { "phys_addrs", TG_F_PHYS_LIST },
	{ "addrs", TG_F_PHYS_LIST },	{ "dma_addrs", TG_F_DMA_LIST },
	{ "lengths", TG_F_LENGTHS },	{ "caller", TG_F_CALLERS },
};

#define N_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

static char *read_text(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "rb");
	size_t size = 0, room = 16384;
	char *text = tg_alloc(room);

	if (!file)
		tg_die("%s: %s", path, strerror(errno));
	while (!feof(file) && !ferror(file)) {
		size += fread(text + size, 1, room - 1 - size, file);
		if (size == room - 1)
			text = tg_realloc(text, room *= 2);
	}
	if (ferror(file))
		tg_die("%s: %s", path, strerror(errno));
	fclose(file);
	text[size] = '\0';
	*ret_size = size;
	return text;
}

const char *tg_format_line(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, length))
			return line + length;
	}
	return NULL;
}

/* Name of the field declared in "field:type name[8];". */
static void field_name(const char *line, char *ret, size_t ret_size)
{
	const char *end = strchr(line, ';'), *bracket = memchr(line, '[', (size_t)(end - line));
	const char *begin;

	/* "__data_loc u64[] name;" has its brackets before the name, "caller[8]" behind it */
	if (bracket && end[-1] == ']')
		end = bracket;
	for (begin = end; begin > line && begin[-1] != ' '; begin--)
		;
	snprintf(ret, ret_size, "%.*s", (int)(end - begin), begin);
}

static void bind_field(struct tg_desc *desc, const char *name, unsigned int offset,
		       unsigned int size)
{
	for (size_t i = 0; i < N_ROWS(field_rows); i++) {
		if (strcmp(field_rows[i].name, name) || desc->n_bound == N_ROWS(desc->bound))
			continue;
		desc->bound[desc->n_bound++] = (struct tg_bound){
			(uint16_t)field_rows[i].field, (uint16_t)offset, (uint16_t)size
		};
	}
}

/* Bytes of the fixed part are rounded as the compiler rounds the kernel's struct. */
static void bind_format(struct tg_desc *desc, const char *text)
{
	const char *line = text;
	unsigned int offset, size, end = 8;
	const char *at;
	char name[64];

	while ((line = strstr(line, "\tfield:"))) {
		line += strlen("\tfield:");
		at = strstr(line, "offset:");
		if (!at || sscanf(at, "offset:%u; size:%u", &offset, &size) != 2)
			tg_die("%s: a field without offset and size", desc->name);
		field_name(line, name, sizeof(name));
		bind_field(desc, name, offset, size);
		if (offset + size > end)
			end = offset + size;
	}
	desc->data_offset = (uint16_t)end;
	desc->struct_size = (uint16_t)((end + 7) & ~7u);
}

/* One file may serve no tracepoint of ours: it is still copied into the trace. */
static void bind_file(struct tg_formats *formats, const struct tg_file *file)
{
	const char *name = tg_format_line(file->text, "name: ");
	const char *id = tg_format_line(file->text, "ID: ");

	if (!name || !id)
		tg_die("a format file of %s has no name or ID", file->system);
	for (size_t i = 0; i < N_ROWS(tp_rows); i++) {
		struct tg_desc *desc = &formats->desc[tp_rows[i].tp];
		size_t length = strlen(tp_rows[i].name);

		if (strcmp(tp_rows[i].system, file->system) ||
		    strncmp(tp_rows[i].name, name, length) || name[length] != '\n')
			continue;
		snprintf(desc->name, sizeof(desc->name), "%s", tp_rows[i].name);
		snprintf(desc->system, sizeof(desc->system), "%s", file->system);
		desc->id = (uint16_t)atoi(id);
		bind_format(desc, file->text);
		formats->have[tp_rows[i].tp] = true;
	}
}

static int is_format(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".format");
}

/* A system that the folder lacks is a kernel without it. */
static void load_system(struct tg_formats *formats, const char *folder, const char *system)
{
	struct dirent **entries;
	char path[4096];
	int n;

	snprintf(path, sizeof(path), "%s/%s", folder, system);
	n = scandir(path, &entries, is_format, alphasort);
	for (int i = 0; i < n; i++) {
		struct tg_file *file;

		formats->files = tg_realloc(formats->files,
					    (formats->n_files + 1) * sizeof(*formats->files));
		file = &formats->files[formats->n_files++];
		snprintf(path, sizeof(path), "%s/%s/%s", folder, system, entries[i]->d_name);
		file->text = read_text(path, &file->size);
		file->system = strdup(system);
		bind_file(formats, file);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

struct tg_formats *tg_formats_load(const char *folder)
{
	static const char *const systems[] = { "dma", "ftrace", "iommu", "swiotlb" };
	struct tg_formats *formats = tg_alloc(sizeof(*formats));
	char path[4096];
	size_t size;

	for (size_t i = 0; i < N_ROWS(systems); i++)
		load_system(formats, folder, systems[i]);
	if (!formats->have[TG_TP_MAP] || !formats->have[TG_TP_UNMAP])
		tg_die("%s: no format of dma_map_phys or dma_map_page there", folder);
	snprintf(path, sizeof(path), "%s/header_event", folder);
	formats->header_event = read_text(path, &size);
	return formats;
}

void tg_formats_destroy(struct tg_formats *formats)
{
	if (!formats)
		return;
	for (uint32_t i = 0; i < formats->n_files; i++) {
		tg_free(formats->files[i].text);
		tg_free(formats->files[i].system);
	}
	tg_free(formats->files);
	tg_free(formats->header_event);
	tg_free(formats);
}

static uint32_t array_bytes(const struct tg_event *event, uint32_t field)
{
	switch (field) {
	case TG_F_DEVICE:
		return event->device_size;
	case TG_F_PHYS_LIST:
		return event->n_phys * 8;
	case TG_F_DMA_LIST:
		return event->n_dma * 8;
	case TG_F_LENGTHS:
		return event->n_dma * 4;
	default:
		return 0;
	}
}

uint32_t tg_event_size(const struct tg_desc *desc, const struct tg_event *event)
{
	uint32_t size = desc->struct_size;

	for (uint32_t i = 0; i < desc->n_bound; i++) {
		/* kernel_stack declares 8 frames and writes as many as there are */
		if (desc->bound[i].field == TG_F_CALLERS)
			return desc->bound[i].offset + event->n_phys * 8;
		size += array_bytes(event, desc->bound[i].field);
	}
	return size;
}

static void encode_array(const struct tg_event *event, uint32_t field, uint8_t *to, bool be)
{
	const uint64_t *list = field == TG_F_PHYS_LIST ? event->phys_list : event->dma_list;
	uint32_t n = field == TG_F_PHYS_LIST ? event->n_phys : event->n_dma;

	if (field == TG_F_DEVICE) {
		memcpy(to, event->device, event->device_size);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (field == TG_F_LENGTHS)
			tg_put(to + (size_t)i * 4, 4, event->lengths[i], be);
		else
			tg_put(to + (size_t)i * 8, 8, list[i], be);
	}
}

/* kernel_stack: frame count in "size", frames from "caller" on, past the declared eight. */
static void encode_stack(const struct tg_desc *desc, const struct tg_event *event, uint8_t *to,
			 bool be)
{
	for (uint32_t i = 0; i < desc->n_bound; i++) {
		const struct tg_bound *b = &desc->bound[i];

		if (b->field == TG_F_SIZE)
			tg_put(to + b->offset, b->size, event->n_phys, be);
		if (b->field == TG_F_CALLERS)
			encode_array(event, TG_F_PHYS_LIST, to + b->offset, be);
	}
}

void tg_event_encode(const struct tg_desc *desc, const struct tg_event *event, uint8_t *to,
		     bool big_endian)
{
	uint32_t at = desc->data_offset, size = tg_event_size(desc, event);

	memset(to, 0, size < desc->struct_size ? size : desc->struct_size);
	tg_put(to, 2, desc->id, big_endian);
	to[2] = event->flags;
	to[3] = event->preempt_count;
	tg_put(to + 4, 4, event->pid, big_endian);
	if (event->tp == TG_TP_STACK) {
		encode_stack(desc, event, to, big_endian);
		return;
	}
	for (uint32_t i = 0; i < desc->n_bound; i++) {
		const struct tg_bound *b = &desc->bound[i];
		uint32_t bytes;

		if (b->field < TG_N_SCALARS) {
			tg_put(to + b->offset, b->size, event->scalar[b->field], big_endian);
			continue;
		}
		bytes = array_bytes(event, b->field);
		tg_put(to + b->offset, 4, bytes << 16 | at, big_endian);
		encode_array(event, b->field, to + at, big_endian);
		at += bytes;
	}
	memset(to + at, 0, ((size + 3) & ~3u) - at); /* what rounding left at the end */
}
