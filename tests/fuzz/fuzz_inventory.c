// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer entry: any bytes as a device inventory, whole and line by line as markers carry it. */
#include <dmascope/inventory.h>

#include "fuzz_lines.h"

/* What it holds must be sorted, terminated, and found by its name. */
static void check(const struct dms_inventory *inventory)
{
	const char *last = "";

	for (uint32_t i = 0; i < dms_inventory_count(inventory); i++) {
		const struct dms_inventory_device *device = dms_inventory_at(inventory, i);
		const struct dms_inventory_device *found =
			dms_inventory_find(inventory, device->name);

		if (strcmp(last, device->name) > 0 || device->dma_mask_bits > 64 ||
		    device->coherent_dma_mask_bits > 64 || !found == !device->is_ambiguous)
			abort();
		last = device->name;
	}
}

FUZZ_LINES_MUTATOR

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dms_inventory *inventory = NULL;
	const char *text = (const char *)data, *end = text + size, *line_end;
	struct dms_error *err = dms_inventory_create(text, size, &inventory);

	fuzz_be_silent();
	if (!err)
		check(inventory);
	dms_error_free(err);
	dms_inventory_destroy(inventory);
	inventory = NULL;
	if ((err = dms_inventory_create("", 0, &inventory)))
		abort();
	for (; text < end; text = line_end + 1) {
		line_end = memchr(text, '\n', (size_t)(end - text));
		if (!line_end)
			line_end = end;
		dms_error_free(dms_inventory_add_line(inventory, text, (size_t)(line_end - text)));
	}
	check(inventory);
	dms_inventory_destroy(inventory);
	return 0;
}
