// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer entry: any bytes as a perf.data, through input and decode, in both byte orders. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dmascope/decode.h>
#include <dmascope/input.h>
#include <dmascope/symbols.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dms_error *run(struct dms_source *source, struct dms_decoder *decoder)
{
	struct dms_event event;
	struct dms_item item;
	struct dms_error *err;

	do {
		if ((err = dms_source_next(source, &item)))
			return err;
		if (item.kind == DMS_ITEM_RECORD && item.record.size >= 8 &&
		    (err = dms_decode(decoder, &item.record, &event)))
			return err;
	} while (item.kind != DMS_ITEM_END);
	return NULL;
}

static void decode(struct dms_source *source)
{
	struct dms_names names = {.devices = dms_strtab_create(), .stacks = dms_stacks_create()};
	struct dms_decoder *decoder = NULL;
	struct dms_error *err = dms_decoder_create(source, &names, &decoder);
	const char *text;
	size_t size;

	if (!err)
		err = run(source, decoder);
	dms_error_free(err);
	dms_source_comm(source, 1);
	dms_error_free(dms_source_kallsyms(source, &text, &size));
	dms_decoder_destroy(decoder);
	dms_stacks_destroy(names.stacks);
	dms_strtab_destroy(names.devices);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("perf.data", 0);
	struct dms_source *source;
	struct dms_error *err;
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	/* the magic is always right: a wrong one is a matter of source.c */
	if (size > 8 && pwrite(fd, data[0] == '2' ? "2ELIFREP" : "PERFILE2", 8, 0) != 8)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = dms_source_open(path, &source);
	if (err) {
		dms_error_free(err);
	} else {
		decode(source);
		dms_source_close(source);
	}
	close(fd);
	return 0;
}
