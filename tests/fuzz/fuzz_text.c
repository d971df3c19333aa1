// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer entry: any bytes as a text dump, through both passes over it and decoding. */
#include <dmascope/decode.h>
#include <dmascope/symbols.h>

#include "../../src/input/source.h"
#include "fuzz_lines.h"

/* What a source promises: time that never goes back, CPUs it has told of, records of its formats. */
static void check_record(const struct dms_source_info *info, const struct dms_record *record,
			 uint64_t last_ts)
{
	if (record->ts < last_ts || record->cpu >= info->n_cpus || record->size < 8 ||
	    record->offset >= info->file_size)
		abort();
}

static struct dms_error *read_all(struct dms_source *source, struct dms_decoder *decoder)
{
	const struct dms_source_info *info = dms_source_info(source);
	uint64_t last_ts = 0;
	struct dms_error *err;
	struct dms_event event;
	struct dms_item item;

	for (;;) {
		if ((err = source->ops->next(source, &item)) || item.kind == DMS_ITEM_END)
			return err;
		if (item.kind == DMS_ITEM_GAP) {
			if (item.gap.after_ts > item.gap.before_ts)
				abort();
			continue;
		}
		check_record(info, &item.record, last_ts);
		last_ts = item.record.ts;
		if ((err = dms_decode(decoder, &item.record, &event)))
			return err;
	}
}

static void check_decoded(struct dms_decoder *decoder)
{
	struct dms_tracepoint_count count;

	for (uint32_t i = 0; i < dms_decoder_n_tracepoints(decoder); i++) {
		dms_decoder_count(decoder, i, &count);
		if (count.reason && strcmp(count.system, "unknown") != 0)
			fprintf(stderr, "%s: %s\n", count.name, count.reason);
	}
}

static void analyze(struct dms_source *source)
{
	struct dms_names names = {.devices = dms_strtab_create(), .stacks = dms_stacks_create()};
	struct dms_symbols *symbols = NULL;
	struct dms_decoder *decoder = NULL;
	struct dms_error *err;
	const char *text;
	size_t size;

	if (!(err = dms_decoder_create(source, &names, &decoder)) &&
	    !(err = read_all(source, decoder)) &&
	    !(err = source->ops->kallsyms(source, &text, &size)) && text)
		err = dms_symbols_create(text, size, &symbols);
	if (decoder)
		check_decoded(decoder);
	dms_source_comm(source, 1);
	dms_error_free(err);
	dms_symbols_destroy(symbols);
	dms_decoder_destroy(decoder);
	dms_stacks_destroy(names.stacks);
	dms_strtab_destroy(names.devices);
}

FUZZ_LINES_MUTATOR

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct dms_source_options options = {0};
	struct file file = {.fd = memfd_create("trace.txt", 0), .size = size};
	struct dms_source *source = NULL;
	struct dms_error *err;

	if (file.fd < 0 || write(file.fd, data, size) != (ssize_t)size)
		return 0;
	file.path = dms_strdup("trace.txt");
	err = text_source_open(&file, &options, &source);
	dms_error_free(err);
	if (source) {
		analyze(source);
		dms_source_close(source);
	}
	return 0;
}
