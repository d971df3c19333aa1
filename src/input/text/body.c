// SPDX-License-Identifier: LGPL-2.1-only
/*
 * The events whose bodies are understood: one row each, as src/decode/table.c has one for the
 * binary formats. Source: the print fmt of include/trace/events/{dma,swiotlb,iommu,...}.h of Linux
 * 6.12 to 7.2 (kernel-dma.md 1, 2 and 8). Tools print fields under their own names where they
 * cannot do what the kernel does, so that a field may have two keys.
 */
#include "local.h"

#define REQUIRED true
#define OPTIONAL false

/* clang-format off */
#define KEY(key, name, form, bytes, required) \
	{ key, name, sizeof(key) - 1, sizeof(name) - 1, FORM_##form, bytes, required }

#define DEVICE	KEY("device",	"device",   NAME,    0, REQUIRED)
#define DIR	KEY("dir",	"dir",	    DIR,     4, OPTIONAL)
#define ADDR	KEY("dma_addr", "dma_addr", HEX,     8, REQUIRED)
#define SIZE	KEY("size",	"size",	    DECIMAL, 8, REQUIRED)
#define PHYS	KEY("phys_addr", "phys_addr", HEX,   8, OPTIONAL)
#define ATTRS	KEY("attrs",	"attrs",    ATTRS,   8, REQUIRED)

static const struct word map_words[] = {
	DEVICE, DIR, ADDR, SIZE, KEY("phys_addr", "phys_addr", HEX, 8, REQUIRED), ATTRS,
};
/* The unmapped address is a field called addr. */
static const struct word unmap_words[] = {
	DEVICE, DIR, KEY("dma_addr", "addr", HEX, 8, REQUIRED), SIZE, ATTRS,
	KEY("addr", "addr", HEX, 8, OPTIONAL),
};
/* 6.12 before .48 has no dir, its first candidates phys_addr in place of virt_addr */
static const struct word alloc_words[] = {
	DEVICE, DIR, ADDR, SIZE, KEY("virt_addr", "virt_addr", POINTER, 8, OPTIONAL),
	KEY("flags", "flags", FLAGS, 4, REQUIRED), ATTRS, PHYS,
};
static const struct word free_words[] = {
	DEVICE, DIR, ADDR, SIZE, KEY("virt_addr", "virt_addr", POINTER, 8, OPTIONAL), ATTRS, PHYS,
};
static const struct word alloc_sgt_words[] = {
	DEVICE, DIR, ADDR, SIZE, KEY("phys_addrs", "phys_addrs", LIST, 8, REQUIRED),
	KEY("flags", "flags", FLAGS, 4, REQUIRED), ATTRS,
};
static const struct word free_sgt_words[] = {
	DEVICE, DIR, ADDR, SIZE, KEY("phys_addrs", "phys_addrs", LIST, 8, REQUIRED),
};
/* nents, ents, [TRUNCATED]: 6.12.74, 6.18.12, 7.0 and later */
static const struct word map_sg_words[] = {
	DEVICE, DIR,
	KEY("nents", "full_nents", TOTAL, 4, OPTIONAL),
	KEY("ents", "full_ents", TOTAL, 4, OPTIONAL),
	KEY("truncated", "truncated", DECIMAL, 1, OPTIONAL),
	KEY("dma_addrs", "dma_addrs", LIST, 8, REQUIRED),
	KEY("sizes", "lengths", LIST, 4, REQUIRED),
	KEY("phys_addrs", "phys_addrs", LIST, 8, REQUIRED), ATTRS,
	KEY("full_nents", "full_nents", DECIMAL, 4, OPTIONAL),
	KEY("full_ents", "full_ents", DECIMAL, 4, OPTIONAL),
	KEY("lengths", "lengths", LIST, 4, OPTIONAL),
};
/* Printed as dma_addrs, though they are of memory. */
static const struct word map_sg_err_words[] = {
	DEVICE, DIR, KEY("dma_addrs", "phys_addrs", LIST, 8, REQUIRED),
	KEY("err", "err", SIGNED, 4, REQUIRED), ATTRS,
	KEY("phys_addrs", "phys_addrs", LIST, 8, OPTIONAL),
};
static const struct word unmap_sg_words[] = {
	DEVICE, DIR, KEY("phys_addrs", "addrs", LIST, 8, REQUIRED), ATTRS,
	KEY("addrs", "addrs", LIST, 8, OPTIONAL),
};
static const struct word sync_words[] = {
	DEVICE, DIR, ADDR, SIZE,
};
static const struct word sync_sg_words[] = {
	DEVICE, DIR, KEY("dma_addrs", "dma_addrs", LIST, 8, REQUIRED),
	KEY("sizes", "lengths", LIST, 4, REQUIRED), KEY("lengths", "lengths", LIST, 4, OPTIONAL),
};
static const struct word bounce_words[] = {
	KEY("dev_name", "dev_name", NAME, 0, REQUIRED),
	KEY("dma_mask", "dma_mask", HEX, 8, REQUIRED),
	KEY("dev_addr", "dev_addr", HEX, 8, REQUIRED), SIZE,
	KEY("force", "force", DECIMAL, 1, REQUIRED),
};
static const struct word iommu_map_words[] = {
	KEY("iova", "iova", RANGE, 8, REQUIRED), KEY("paddr", "paddr", HEX, 8, REQUIRED), SIZE,
};
static const struct word iommu_unmap_words[] = {
	KEY("iova", "iova", RANGE, 8, REQUIRED), SIZE,
	KEY("unmapped_size", "unmapped_size", DECIMAL, 8, REQUIRED),
};
static const struct word fault_words[] = {
	KEY("device", "device", NAME, 0, OPTIONAL), KEY("driver", "driver", NAME, 0, OPTIONAL),
	KEY("iova", "iova", HEX, 8, REQUIRED),
	KEY("flags", "flags", DECIMAL, 4, REQUIRED),
};
static const struct word group_words[] = {
	KEY("groupID", "gid", SIGNED, 4, REQUIRED), DEVICE, KEY("gid", "gid", SIGNED, 4, OPTIONAL),
};
static const struct word attach_words[] = { DEVICE };
static const struct word module_words[] = { KEY("name", "name", NAME, 0, REQUIRED) };
static const struct word devres_words[] = { KEY("devname", "devname", NAME, 0, REQUIRED) };
static const struct word page_words[] = {
	KEY("pfn", "pfn", HEX, 8, REQUIRED), KEY("order", "order", DECIMAL, 4, REQUIRED),
};
static const struct word page_batched_words[] = {
	KEY("pfn", "pfn", HEX, 8, REQUIRED), KEY("order", "order", DECIMAL, 4, OPTIONAL),
};
static const struct word hold_words[] = {
	KEY("pfn", "pfn", HEX, 8, REQUIRED), KEY("hold", "hold", DECIMAL, 4, REQUIRED),
};
static const struct word release_words[] = {
	KEY("pfn", "pfn", HEX, 8, REQUIRED), KEY("release", "release", DECIMAL, 4, REQUIRED),
};
/* clang-format on */

/* ---- bodies in prose ------------------------------------------------------------------------- */

/* "IOMMU:driver device iova=0x... flags=0x...": devices may have blanks, drivers have none */
static const char *read_fault(const struct body_row *row, struct scan *scan,
			      struct text_body *body)
{
	struct writing writing = {0};
	const char *start, *wrong;

	scan_blanks(scan);
	if (begins_with_key(scan) || !scan_word(scan, "IOMMU:"))
		return read_words(row, scan, body);
	start = scan->at;
	while (!scan_is_end(scan) && !is_blank(*scan->at))
		scan->at++;
	if (scan->at > start)
		add_string(body, "driver",
			   (struct text_piece){start, (uint32_t)(scan->at - start)});
	if ((wrong = read_name_value("device", scan, body)))
		return wrong;
	return read_keys(row, scan, &writing, body);
}

/* "e1000e OE": behind the name is how it taints the kernel */
static const char *read_module_name(const struct body_row *row, struct scan *scan,
				    struct text_body *body)
{
	struct text_piece name = {scan->at, 0};

	if (begins_with_key(scan))
		return read_words(row, scan, body);
	while (!scan_is_end(scan) && !is_blank(*scan->at) && (unsigned char)*scan->at > ' ')
		scan->at++;
	name.len = (uint32_t)(scan->at - name.str);
	if (!name.len)
		return "a module's name expected";
	add_string(body, "name", name);
	return NULL;
}

/* Cut the last word off @piece. */
static void cut_last(struct text_piece *piece)
{
	uint32_t len = piece->len;

	while (len && !is_blank(piece->str[len - 1]))
		len--;
	*piece = trimmed(piece->str, piece->str + len);
}

/*
 * "0000:00:05.0 ADD 00000000d2f1 devm_kzalloc_release (72 bytes)": all but the device's name has
 * no blanks. Tools print an address in place of ADD.
 */
static const char *read_devres(const struct body_row *row, struct scan *scan,
			       struct text_body *body)
{
	struct text_piece rest = trimmed(scan->at, scan->end);

	if (begins_with_key(scan))
		return read_words(row, scan, body);
	if (rest.len < 7 || memcmp(rest.str + rest.len - 7, " bytes)", 7) != 0)
		return "the line was cut, or torn by another";
	for (int i = 0; i < 5; i++)
		cut_last(&rest);
	if (!rest.len)
		return "a device and what happens to its resource expected";
	add_string(body, "devname", rest);
	return NULL;
}

/* Anything at all. Tools say "msg=" before it with option -R. */
static const char *read_message(const struct body_row *row, struct scan *scan,
				struct text_body *body)
{
	(void)row;
	scan_word(scan, "msg=");
	add_string(body, "msg", trimmed(scan->at, scan->end));
	return NULL;
}

/* What programs write into trace_marker: the event is called after the function that takes it. */
static const char *read_marker(const struct body_row *row, struct scan *scan,
			       struct text_body *body)
{
	(void)row;
	body->name = "print";
	add_string(body, "buf", trimmed(scan->at, scan->end));
	return NULL;
}

/* Of tools: "tracing_mark_write: text", "ip=0x... buf=text" */
static const char *read_print(const struct body_row *row, struct scan *scan, struct text_body *body)
{
	bool is_fields = scan_begins(scan, "ip=", 3);
	const char *at = memmem(scan->at, scan_left(scan), is_fields ? "buf=" : ": ",
				is_fields ? 4 : 2);

	if (!at)
		return "a text expected";
	scan->at = at + (is_fields ? 4 : 2);
	return read_marker(row, scan, body);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* clang-format off */
#define WORDS(words) words, DMS_ARRAY_SIZE(words)
#define EVENT(system, name) system, name, sizeof(name) - 1
#define DMA(name, words) { EVENT("dma", name), NULL, "", "device", WORDS(words) }
#define IOMMU(name, words) { EVENT("iommu", name), NULL, "IOMMU: ", NULL, WORDS(words) }
#define FIELDS(system, name, words) { EVENT(system, name), NULL, "", NULL, WORDS(words) }
#define PROSE(system, name, read, words) { EVENT(system, name), read, "", NULL, WORDS(words) }

/* The frequent ones first. */
static const struct body_row rows[] = {
	DMA("dma_map_phys",		  map_words),
	DMA("dma_unmap_phys",		  unmap_words),
	DMA("dma_map_page",		  map_words),
	DMA("dma_unmap_page",		  unmap_words),
	IOMMU("map",			  iommu_map_words),
	IOMMU("unmap",			  iommu_unmap_words),
	DMA("dma_map_sg",		  map_sg_words),
	DMA("dma_unmap_sg",		  unmap_sg_words),
	{ EVENT("swiotlb", "swiotlb_bounced"), NULL, "dev_name: ", "dev_name", WORDS(bounce_words) },
	DMA("dma_sync_single_for_cpu",	  sync_words),
	DMA("dma_sync_single_for_device", sync_words),
	DMA("dma_sync_sg_for_cpu",	  sync_sg_words),
	DMA("dma_sync_sg_for_device",	  sync_sg_words),
	DMA("dma_alloc",		  alloc_words),
	DMA("dma_free",			  free_words),
	DMA("dma_alloc_pages",		  alloc_words),
	DMA("dma_free_pages",		  free_words),
	DMA("dma_alloc_sgt",		  alloc_sgt_words),
	DMA("dma_free_sgt",		  free_sgt_words),
	DMA("dma_alloc_sgt_err",	  alloc_words),
	DMA("dma_map_sg_err",		  map_sg_err_words),
	DMA("dma_map_resource",		  map_words),
	DMA("dma_unmap_resource",	  unmap_words),
	PROSE("iommu", "io_page_fault", read_fault, fault_words),
	IOMMU("add_device_to_group",	  group_words),
	IOMMU("remove_device_from_group", group_words),
	IOMMU("attach_device_to_domain",  attach_words),
	FIELDS("kmem", "mm_page_free",	  page_words),
	FIELDS("kmem", "mm_page_free_batched", page_batched_words),
	FIELDS("page_pool", "page_pool_state_hold", hold_words),
	FIELDS("page_pool", "page_pool_state_release", release_words),
	PROSE("module", "module_load", read_module_name, module_words),
	PROSE("module", "module_free", read_module_name, module_words),
	PROSE("dev", "devres_log", read_devres, devres_words),
	PROSE("printk", "console", read_message, module_words),
	PROSE("ftrace", "print", read_print, module_words),
	PROSE("ftrace", "tracing_mark_write", read_marker, module_words),
};
/* clang-format on */

/* "tracing_mark_write+0x81/0x180" of option sym-offset */
static bool is_called(const struct text_piece *name, const struct body_row *row)
{
	uint32_t len = row->name_len;

	if (name->len != len && (row->read != read_marker || name->len < len || name->str[len] != '+'))
		return false;
	return !memcmp(name->str, row->name, len);
}

static const struct body_row *find_row(const struct text_head *head)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		const struct body_row *row = &rows[i];

		if (!is_called(&head->name, row))
			continue;
		if (head->system.len && !piece_is(&head->system, row->system, strlen(row->system)))
			continue;
		return row;
	}
	return NULL;
}

bool is_known_event(const struct text_head *head)
{
	return find_row(head) != NULL;
}

/* "map" and "print" may be events of others: theirs begin in another way. */
static bool is_of_row(const struct body_row *row, const struct text_head *head,
		      const struct scan *scan)
{
	size_t len = strlen(row->lead);

	if (scan_left(scan) < len) /* or cut */
		return !memcmp(scan->at, row->lead, scan_left(scan));
	return head->system.len || !len || begins_with_key(scan) || scan_is(scan, '[') ||
	       scan_begins(scan, row->lead, len);
}

/* A list's numbers may move as long as more come. */
static void settle_lists(struct text_body *body)
{
	for (uint32_t i = 0; body->n_numbers && i < body->n_values; i++) {
		if (body->values[i].type == TEXT_LIST)
			body->values[i].list = body->numbers + body->values[i].number;
	}
}

const char *text_read_body(const struct text_head *head, struct text_body *body)
{
	struct scan scan = {head->body.str, head->body.str + head->body.len};
	const struct body_row *row;
	const char *wrong;

	body->system = NULL;
	body->name = NULL;
	body->row = 0;
	body->n_values = 0;
	body->n_numbers = 0;
	if (is_probe(&scan))
		return read_probe(&scan, body);
	row = find_row(head);
	if (!row || !is_of_row(row, head, &scan))
		return NULL;
	body->system = row->system;
	body->row = (uint32_t)(row - rows) + 1;
	wrong = row->read ? row->read(row, &scan, body) : read_words(row, &scan, body);
	settle_lists(body);
	return wrong;
}
