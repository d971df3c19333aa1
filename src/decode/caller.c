// SPDX-License-Identifier: LGPL-2.1-only
/* Who called: the traced kernel's symbols, as far as decoding needs them. */
#include "decoder.h"

/*
 * Symbol tables may be cut to some functions (oracle README): what is this far behind a symbol
 * belongs to another function. The largest of a stock kernel have 24 KiB.
 */
#define MAX_OFFSET_BYTES (64 * 1024)
/* All of kernel/dma/debug.c has some 12 KiB: further behind one of its functions is outside. */
#define MAX_DEBUG_OFFSET_BYTES (8 * 1024)

static const struct dms_symbols *symbols_of(struct dms_decoder *decoder)
{
	struct dms_error *err;
	const char *text = NULL;
	size_t size = 0;

	if (decoder->symbols || decoder->has_no_symbols)
		return decoder->symbols;
	err = dms_source_kallsyms(decoder->source, &text, &size);
	if (!err && text)
		err = dms_symbols_create(text, size, &decoder->symbols);
	decoder->has_no_symbols = err || !decoder->symbols;
	decoder->is_short |= err == &dms_error_nomem;
	dms_error_free(err); /* a damaged table is told where stacks are shown; here it is none */
	return decoder->symbols;
}

bool caller_symbol(struct dms_decoder *decoder, uint64_t address, struct dms_symbol *ret)
{
	const struct dms_symbols *symbols = symbols_of(decoder);

	return symbols && dms_symbols_find(symbols, address, ret) &&
	       address - ret->address <= MAX_OFFSET_BYTES;
}

/*
 * The functions of kernel/dma/debug.c: debug_dma_map_page() (debug_dma_map_phys() since 6.18) and
 * check_unmap() call debug_dma_mapping_error() themselves. The static ones are missing in a cut
 * table, and stand behind others of the same file.
 */
static bool is_debug_function(const char *name, size_t size)
{
	static const char *const prefixes[] = {"debug_dma_",  "dma_debug_", "dma_entry_",
					       "check_unmap", "check_sync", "check_for_"};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(prefixes); i++) {
		size_t len = strlen(prefixes[i]);

		if (size >= len && !memcmp(name, prefixes[i], len))
			return true;
	}
	return false;
}

static enum caller find_caller(struct dms_decoder *decoder, uint64_t address)
{
	struct dms_symbol symbol;

	/* A return address may be the first byte behind a function: the call is before it. */
	if (!address || !caller_symbol(decoder, address - 1, &symbol))
		return CALLER_UNKNOWN;
	if (!is_debug_function(symbol.name, symbol.name_len))
		return CALLER_DRIVER;
	return address - symbol.address <= MAX_DEBUG_OFFSET_BYTES ? CALLER_KERNEL : CALLER_UNKNOWN;
}

static void set_caller(struct dms_event *event, enum caller caller)
{
	if (caller == CALLER_UNKNOWN)
		return;
	event->has |= DMS_HAS_CALLER;
	event->by_kernel = caller == CALLER_KERNEL;
}

void caller_note(struct dms_decoder *decoder, uint64_t address, struct dms_event *event)
{
	struct cached_caller *cached = &decoder->callers[dms_hash64(address) % CALLERS];

	if (cached->address != address) {
		cached->caller = find_caller(decoder, address);
		cached->address = address;
	}
	set_caller(event, cached->caller);
}

void caller_note_name(const char *name, size_t size, struct dms_event *event)
{
	/* What has no symbol is printed as a number. */
	if (!size || (*name >= '0' && *name <= '9') || *name == '(')
		return;
	set_caller(event, is_debug_function(name, size) ? CALLER_KERNEL : CALLER_DRIVER);
}

static bool is_frame(struct dms_decoder *decoder, uint64_t address, const char *function)
{
	struct dms_symbol symbol;

	return caller_symbol(decoder, address - 1, &symbol) &&
	       symbol.name_len == strlen(function) &&
	       !memcmp(symbol.name, function, symbol.name_len);
}

/* The frame behind the probed function's own is the caller's. */
static void check_by_stack(struct dms_decoder *decoder, const uint64_t *frames, uint32_t n_frames,
			   struct dms_event *event)
{
	for (uint32_t i = 0; i + 1 < n_frames; i++) {
		if (!is_frame(decoder, frames[i], "debug_dma_mapping_error"))
			continue;
		caller_note(decoder, frames[i + 1], event);
		return;
	}
}

/*
 * dev:devres_log says ADD, REM or REL by the address of a string that is in no recording. All
 * managed resources of a device go in devres_release_all(), and only a stack shows that.
 */
static void devres_by_stack(struct dms_decoder *decoder, const uint64_t *frames, uint32_t n_frames,
			    struct dms_event *event)
{
	for (uint32_t i = 0; i < n_frames; i++) {
		if (is_frame(decoder, frames[i], "devres_release_all")) {
			decoder->inputs_seen |= DMS_INPUT_UNBINDS;
			inputs_note(decoder);
			return;
		}
	}
	event->kind = DMS_EV_NONE;
}

void caller_by_stack(struct dms_decoder *decoder, struct dms_event *event)
{
	const uint64_t *frames = NULL;
	uint32_t n_frames = 0;

	if (event->kind != DMS_EV_DEVRES &&
	    (event->kind != DMS_EV_CHECK || (event->has & DMS_HAS_CALLER)))
		return;
	if (event->has & DMS_HAS_STACK)
		frames = dms_stacks_get(decoder->names->stacks, event->stack, &n_frames);
	if (event->kind == DMS_EV_CHECK)
		check_by_stack(decoder, frames, n_frames, event);
	else
		devres_by_stack(decoder, frames, n_frames, event);
}
