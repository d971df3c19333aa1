// SPDX-License-Identifier: GPL-2.0-only
/* Events written as text, one a line: how tests tell the model what happened. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "textsource.h"

static uint32_t read_list(const char *text, uint64_t *values, uint32_t *lengths)
{
	uint32_t count = 0;
	char *end;

	while (*text && count < 256) {
		values[count] = strtoull(text, &end, 0);
		if (*end == '+' && lengths)
			lengths[count] = (uint32_t)strtoul(end + 1, &end, 0);
		count++;
		text = *end == ',' ? end + 1 : end;
	}
	return count;
}

static uint8_t read_dir(const char *word)
{
	static const char *const words[] = {"bi", "to", "from", "none"};

	for (uint8_t i = 0; i < 4; i++) {
		if (!strcmp(word, words[i]))
			return i;
	}
	return DMS_DIR_UNKNOWN;
}

/* In the order of enum dms_message. */
static bool read_message(struct dms_event *event, const char *word)
{
	static const char *const words[DMS_N_MESSAGES] = {
		"none",		"swiotlb-full", "overflow",	"vmalloc",	    "stack",
		"kernel-text",	"invalid-area", "resource-ram", "segment-long",	    "segment-boundary",
		"leak",		"unchecked",	"debug-other",	"debug-on", "debug-off",	"pool",
	};

	for (uint8_t i = 0; i < DMS_N_MESSAGES; i++) {
		if (!strcmp(word, words[i])) {
			event->message = i;
			return true;
		}
	}
	return false;
}

#define NUMBER(word, member, bit)                                                                  \
	if (!strcmp(key, word)) {                                                                  \
		event->member = (__typeof__(event->member))strtoull(value, NULL, 0);               \
		event->has |= (bit);                                                               \
		return true;                                                                       \
	}

static bool read_pair(struct text_item *item, const char *key, const char *value)
{
	struct dms_event *event = &item->event;

	NUMBER("dma", dma_addr, DMS_HAS_DMA_ADDR)
	NUMBER("phys", phys_addr, DMS_HAS_PHYS_ADDR)
	NUMBER("virt", virt_addr, DMS_HAS_VIRT_ADDR)
	NUMBER("unmapped", phys_addr, DMS_HAS_UNMAPPED)
	NUMBER("size", size, DMS_HAS_SIZE)
	NUMBER("attrs", attrs, DMS_HAS_ATTRS)
	NUMBER("nents", nents, DMS_HAS_NENTS)
	NUMBER("ents", ents, DMS_HAS_NENTS)
	NUMBER("mask", dma_mask, DMS_HAS_DMA_MASK)
	NUMBER("err", err, DMS_HAS_ERR)
	NUMBER("ptr", virt_addr, DMS_HAS_POINTER)
	NUMBER("cpu", cpu, 0)
	NUMBER("pid", pid, 0)
	NUMBER("stack", stack, DMS_HAS_STACK)
	NUMBER("flags", common_flags, 0)
	if (!strcmp(key, "dir")) {
		event->dir = read_dir(value);
		event->has |= DMS_HAS_DIR;
	} else if (!strcmp(key, "plist")) {
		event->n_phys = read_list(value, item->phys, NULL);
		event->phys_list = item->phys;
		event->has |= DMS_HAS_PHYS_LIST;
	} else if (!strcmp(key, "dlist")) {
		event->n_dma = read_list(value, item->dma, item->lengths);
		event->dma_list = item->dma;
		event->lengths = item->lengths;
		event->has |= DMS_HAS_DMA_LIST | DMS_HAS_LENGTHS;
	} else if (!strcmp(key, "text")) {
		strncpy(item->text, value, sizeof(item->text) - 1);
		event->text = item->text;
		event->text_len = (uint32_t)strlen(item->text);
	} else {
		return !strcmp(key, "message") && read_message(event, value);
	}
	return true;
}

/* What the decoder would have derived from the lists. */
static void finish_lists(struct dms_event *event)
{
	if (event->n_phys && !event->nents)
		event->nents = event->n_phys;
	if (event->n_dma && !event->nents)
		event->nents = event->n_dma;
	if (!event->n_dma)
		return;
	if (!event->ents)
		event->ents = event->n_dma;
	event->dma_addr = event->dma_list[0];
	event->has |= DMS_HAS_DMA_ADDR;
	if (event->kind != DMS_EV_MAP_SG)
		return;
	for (uint32_t i = 0; i < event->n_dma; i++)
		event->size += event->lengths[i];
	event->has |= DMS_HAS_SIZE;
}

static enum dms_event_kind find_kind(const char *word)
{
	for (int kind = 1; kind < DMS_EV_N_KINDS; kind++) {
		if (!strcmp(word, dms_event_kind_name((enum dms_event_kind)kind)))
			return (enum dms_event_kind)kind;
	}
	return DMS_EV_NONE;
}

static void read_gap(struct text_item *item, char *save)
{
	char *word;

	item->kind = TEXT_GAP;
	item->gap.after_ts = item->ts;
	while ((word = strtok_r(NULL, " \t\n", &save))) {
		if (!strncmp(word, "until=", 6))
			item->gap.before_ts = strtoull(word + 6, NULL, 0);
		else if (!strncmp(word, "lost=", 5))
			item->gap.lost = strtoull(word + 5, NULL, 0);
		else if (!strncmp(word, "cpu=", 4))
			item->gap.cpu = (uint32_t)strtoul(word + 4, NULL, 0);
		else
			item->kind = TEXT_BAD;
	}
}

static void read_event(struct text_item *item, char *save)
{
	struct dms_event *event = &item->event;
	char *word = strtok_r(NULL, " \t\n", &save);

	item->kind = TEXT_BAD;
	event->kind = word ? find_kind(word) : DMS_EV_NONE;
	if (event->kind == DMS_EV_NONE)
		return;
	while ((word = strtok_r(NULL, " \t\n", &save))) {
		char *equals = strchr(word, '=');

		if (!strcmp(word, "failed")) {
			event->failed = true;
		} else if (!strcmp(word, "force")) {
			event->force = true;
		} else if (!strcmp(word, "truncated")) {
			event->truncated = true;
		} else if (!strcmp(word, "by_kernel") || !strcmp(word, "by_driver")) {
			event->by_kernel = !strcmp(word, "by_kernel");
			event->has |= DMS_HAS_CALLER;
		} else if (!strcmp(word, "other_clock")) {
			event->is_other_clock = true;
		} else if (!strcmp(word, "may_block") || !strcmp(word, "may_not_block")) {
			event->may_block = !strcmp(word, "may_block");
			event->has |= DMS_HAS_MAY_BLOCK;
		} else {
			if (!equals)
				return;
			*equals = '\0';
			if (!read_pair(item, word, equals + 1))
				return;
		}
	}
	finish_lists(event);
	item->kind = TEXT_EVENT;
}

void text_parse(const char *line, struct dms_strtab *names, struct text_item *ret)
{
	char copy[4096], *save, *word;

	*ret = (struct text_item){.kind = TEXT_NOTHING};
	strncpy(copy, line, sizeof(copy) - 1);
	copy[sizeof(copy) - 1] = '\0';
	word = strtok_r(copy, " \t\n", &save);
	if (!word || *word == '#')
		return;
	ret->ts = strtoull(word, NULL, 0);
	ret->event = (struct dms_event){
		.ts = ret->ts,
		.stack = DMS_ID_NONE,
		.driver = DMS_ID_NONE,
		.device = DMS_ID_NONE,
		.dir = DMS_DIR_UNKNOWN,
	};
	word = strtok_r(NULL, " \t\n", &save);
	if (!word) {
		ret->kind = TEXT_BAD;
	} else if (!strcmp(word, "end")) {
		ret->kind = TEXT_END;
	} else if (!strcmp(word, "gap")) {
		read_gap(ret, save);
	} else if (!strcmp(word, "unbind")) {
		word = strtok_r(NULL, " \t\n", &save);
		ret->kind = word ? TEXT_UNBIND : TEXT_BAD;
		ret->device = word ? dms_strtab_add(names, word, strlen(word)) : 0;
	} else {
		if (strcmp(word, "-") != 0) {
			ret->event.device = dms_strtab_add(names, word, strlen(word));
			ret->event.has |= DMS_HAS_DEVICE;
		}
		read_event(ret, save);
		if (ret->event.kind == DMS_EV_MODULE_LOAD || ret->event.kind == DMS_EV_MODULE_FREE) {
			ret->event.driver = ret->event.device;
			ret->event.has &= ~(uint32_t)DMS_HAS_DEVICE;
		}
	}
}

/* "@A+B" becomes the number it is in this turn. */
static void expand(const char *from, unsigned long turn, char *line, size_t size)
{
	size_t used = 0;
	char *end;

	while (*from && used + 24 < size) {
		uint64_t value, step;

		if (*from != '@') {
			line[used++] = *from++;
			continue;
		}
		value = strtoull(from + 1, &end, 0);
		step = *end == '+' ? strtoull(end + 1, &end, 0) : 0;
		from = end;
		used += (size_t)snprintf(line + used, size - used, "%" PRIu64, value + turn * step);
	}
	line[used] = '\0';
}

bool text_read_line(struct text_reader *reader, char *line, size_t size)
{
	char raw[4096];
	bool is_read;

	for (;;) {
		is_read = fgets(raw, sizeof(raw), reader->file) != NULL;
		reader->line_number += is_read;
		if (reader->turns && (!is_read || raw[0] != '\t') &&
		    ++reader->turn < reader->turns) {
			fseek(reader->file, reader->block, SEEK_SET);
			reader->line_number = reader->block_line;
			continue;
		}
		if (!is_read)
			return false;
		raw[strcspn(raw, "\n")] = '\0';
		if (raw[0] == '\t' && reader->turns) {
			expand(raw + 1, reader->turn, line, size);
			return true;
		}
		reader->turns = 0;
		if (raw[0] != '*')
			break;
		reader->turns = strtoul(raw + 1, NULL, 0);
		reader->turn = 0;
		reader->block = ftell(reader->file);
		reader->block_line = reader->line_number;
	}
	snprintf(line, size, "%s", raw);
	return true;
}
