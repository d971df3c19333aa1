// SPDX-License-Identifier: LGPL-2.1-only
/* What the formats of a file, and its kernel's release, say of what it can show. */
#include <stdio.h>

#include "format.h"
#include "probe.h"

/* ---- allocation flags ------------------------------------------------------------------------ */

/** Numbers of an expression, and whether it is anything but one number or one shift. */
struct expression {
	uint64_t numbers[2];
	uint32_t n_numbers;
	bool has_shift, is_odd;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* A number of C, decimal or hexadecimal, with its suffix. */
static const char *take_number(const char *at, const char *end, struct expression *ret)
{
	unsigned int base = 10;
	uint64_t value = 0;

	if (end - at > 2 && at[0] == '0' && (at[1] | 0x20) == 'x') {
		base = 16;
		at += 2;
	}
	for (; at < end && (is_digit(*at) || (base == 16 && is_letter(*at))); at++) {
		unsigned int digit = is_digit(*at) ? (unsigned int)(*at - '0')
						   : (unsigned int)((*at | 0x20) - 'a') + 10;

		if (digit >= base)
			break;
		value = value * base + digit;
	}
	while (at < end && is_letter(*at))
		at++;
	if (ret->n_numbers < 2)
		ret->numbers[ret->n_numbers] = value;
	ret->n_numbers++;
	return at;
}

/* Casts are words in parentheses; a word that is no cast is the name of a number: odd. */
static const char *take_word(const char *at, const char *end, struct expression *ret)
{
	static const char *const types[] = {"unsigned", "long", "gfp_t", "int", "u32", "__u32"};
	const char *start = at;

	while (at < end && (is_letter(*at) || is_digit(*at)))
		at++;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(types); i++) {
		if (strlen(types[i]) == (size_t)(at - start) &&
		    !memcmp(start, types[i], (size_t)(at - start)))
			return at;
	}
	ret->is_odd = true;
	return at;
}

/* "( unsigned long)(( gfp_t)((((1UL))) << (10)))", or "0x400u"; 0 for all that is not one bit. */
static uint32_t read_bit(const char *at, const char *end)
{
	struct expression read = {0};
	uint64_t bit;

	while (at < end && !read.is_odd) {
		if (is_digit(*at)) {
			at = take_number(at, end, &read);
		} else if (is_letter(*at)) {
			at = take_word(at, end, &read);
		} else if (*at == '<' && end - at > 1 && at[1] == '<') {
			read.is_odd = read.has_shift || read.n_numbers != 1;
			read.has_shift = true;
			at += 2;
		} else {
			read.is_odd = !strchr(" ()", *at);
			at++;
		}
	}
	if (read.is_odd || read.n_numbers != (read.has_shift ? 2 : 1) ||
	    (read.has_shift && read.numbers[1] > 31))
		return 0;
	bit = read.has_shift ? read.numbers[0] << read.numbers[1] : read.numbers[0];
	return bit <= UINT32_MAX && bit && !(bit & (bit - 1)) ? (uint32_t)bit : 0;
}

/* Of @text. Not memrchr(): beside UBSan's own checks gcc takes @text for NULL, and warns. */
static const char *last_before(const char *text, const char *at, char wanted)
{
	while (at > text) {
		if (*--at == wanted)
			return at;
	}
	return NULL;
}

/* The print format pairs values with names: {VALUE, "__GFP_DIRECT_RECLAIM"}. */
uint32_t gfp_direct_reclaim(const char *text, size_t size)
{
	static const char name[] = "\"__GFP_DIRECT_RECLAIM\"";
	const char *found = memmem(text, size, name, sizeof(name) - 1), *start, *end;

	if (!found)
		return 0;
	end = last_before(text, found, ',');
	if (!end)
		return 0;
	start = last_before(text, end, '{');
	return start ? read_bit(start + 1, end) : 0;
}

/* ---- what the file can show ------------------------------------------------------------------ */

static const struct {
	enum dms_event_kind kind;
	uint32_t inputs;
} shown[] = {
	{DMS_EV_CHECK, DMS_INPUT_CHECKS},
	{DMS_EV_UNBIND_BEGIN, DMS_INPUT_UNBINDS},
	{DMS_EV_UNBIND, DMS_INPUT_UNBINDS},
	{DMS_EV_UNBOUND, DMS_INPUT_UNBINDS},
	{DMS_EV_SET_MASK, DMS_INPUT_MASKS},
	{DMS_EV_SET_COHERENT_MASK, DMS_INPUT_MASKS},
	{DMS_EV_BOUNCE, DMS_INPUT_MASKS | DMS_INPUT_BOUNCES},
	{DMS_EV_IOMMU_FAULT, DMS_INPUT_FAULTS},
	{DMS_EV_CONSOLE, DMS_INPUT_FAULTS | DMS_INPUT_CONSOLE},
	{DMS_EV_PAGE_FREE, DMS_INPUT_PAGE_FREES},
	{DMS_EV_SYNC_FOR_CPU, DMS_INPUT_SYNCS},
	{DMS_EV_SYNC_FOR_DEVICE, DMS_INPUT_SYNCS},
	{DMS_EV_SYNC_SG_FOR_CPU, DMS_INPUT_SYNCS},
	{DMS_EV_SYNC_SG_FOR_DEVICE, DMS_INPUT_SYNCS},
	{DMS_EV_IOMMU_UNMAP, DMS_INPUT_IOMMU},
	{DMS_EV_STACK_PAGE, DMS_INPUT_STACK_PAGES},
};

void inputs_note(struct dms_decoder *decoder)
{
	uint32_t inputs = decoder->inputs_seen;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(shown); i++) {
		if (dms_decoder_has_kind(decoder, shown[i].kind))
			inputs |= shown[i].inputs;
	}
	if (decoder->direct_reclaim)
		inputs |= DMS_INPUT_GFP;
	if (!decoder->page_shift) /* see finish_page() */
		inputs &= ~(uint32_t)DMS_INPUT_PAGE_FREES;
	decoder->inputs = inputs;
}

uint32_t dms_decoder_inputs(const struct dms_decoder *decoder)
{
	return decoder->inputs;
}

static bool has_format(const struct dms_decoder *decoder, const char *name)
{
	for (uint32_t i = 0; i < decoder->n_tracepoints; i++) {
		const struct dms_format *format = decoder->tracepoints[i].format;

		if (!strcmp(format->system, "dma") && !strcmp(format->name, name))
			return true;
	}
	return false;
}

bool dms_decoder_doubts_alloc_dir(const struct dms_decoder *decoder)
{
	return !dms_source_info(decoder->source)->release &&
	       !has_format(decoder, "dma_map_phys") && !has_format(decoder, "dma_unmap_phys");
}

/* Source: dma_need_unmap() came with 6.16; the tracepoints' new spelling with 6.18. */
bool dms_decoder_may_elide(const struct dms_decoder *decoder)
{
	const char *release = dms_source_info(decoder->source)->release;
	unsigned int major, minor;

	if (has_format(decoder, "dma_map_phys") || has_format(decoder, "dma_unmap_phys"))
		return true;
	if (!has_format(decoder, "dma_map_page") && !has_format(decoder, "dma_unmap_page"))
		return true;
	if (!release || sscanf(release, "%u.%u", &major, &minor) != 2)
		return true;
	if (major == 6 && minor >= 12)
		return minor > 15;
	/* older kernels have no such events: who has them took them from a later one, and maybe more */
	return major > 6 || !dms_decoder_untold(decoder);
}

static bool is_probe(const struct dms_format *format)
{
	struct format_field field;

	return format_find(format->text, format->size, "__probe_func", &field) ||
	       format_find(format->text, format->size, "__probe_ip", &field);
}

const char *dms_decoder_untold(const struct dms_decoder *decoder)
{
	bool has_stand_ins = false, has_halves = false;

	for (uint32_t i = 0; i < decoder->n_tracepoints; i++) {
		const struct tracepoint *tracepoint = &decoder->tracepoints[i];

		if (!tracepoint->row || strcmp(tracepoint->format->system, "dma") != 0)
			continue;
		has_stand_ins |= is_probe(tracepoint->format);
		has_halves |= tracepoint->probe.half != HALF_NONE;
	}
	if (has_halves)
		return "scatter lists, coherent memory and physical addresses of pages";
	return has_stand_ins ? "scatter lists and physical addresses of pages" : NULL;
}
