// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer entry: any bytes as kallsyms or a System.map, moved to fit another, and asked. */
#include <dmascope/symbols.h>

#include "../../src/input/source.h"
#include "fuzz_lines.h"

/* A symbol lies in the text, and at or below the address it was found for. */
static void ask(const struct dms_symbols *symbols, const char *text, size_t size, uint64_t address)
{
	struct dms_symbol symbol;

	if (!dms_symbols_find(symbols, address, &symbol))
		return;
	if (symbol.address > address || symbol.name < text ||
	    symbol.name + symbol.name_len > text + size ||
	    (symbol.module && symbol.module + symbol.module_len > text + size))
		abort();
}

static void ask_all(const char *text, size_t size)
{
	uint64_t frames[16], address = 0xffffffff81000000;
	struct dms_symbols *symbols = NULL;
	struct dms_symbol driver;
	struct dms_error *err = dms_symbols_create(text, size, &symbols);

	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(frames); i++) {
		frames[i] = address;
		ask(symbols, text, size, address);
		ask(symbols, text, size, UINT64_MAX >> (4 * i));
		address += dms_hash64(i) >> (8 + 3 * i);
	}
	if (!err)
		dms_driver_of_stack(symbols, frames, DMS_ARRAY_SIZE(frames), &driver);
	dms_error_free(err);
	dms_symbols_destroy(symbols);
}

FUZZ_LINES_MUTATOR

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t own_bytes = size / 2;
	char *own = malloc(own_bytes + 1), *text = malloc(size - own_bytes + 1);

	if (!own || !text)
		abort();
	ask_all((const char *)data, size);
	/* the first half is what the trace has, the second what the user gives */
	memcpy(own, data, own_bytes);
	memcpy(text, data + own_bytes, size - own_bytes);
	kallsyms_move(text, size - own_bytes, own, own_bytes);
	ask_all(text, size - own_bytes);
	free(text);
	free(own);
	return 0;
}
