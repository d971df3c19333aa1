// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer entry: any bytes as a trace.dat, through input, decode, model, rules and statistics. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dmascope/decode.h>
#include <dmascope/input.h>
#include <dmascope/model.h>
#include <dmascope/rules.h>
#include <dmascope/stats.h>
#include <dmascope/symbols.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct listener {
	struct dms_stats *stats;
	struct dms_rules *rules;
};

static struct dms_error *take_finding(void *context, const struct dms_finding *finding)
{
	char *message = dms_finding_message(finding, NULL, NULL);
	char *json = dms_finding_json(finding, NULL, NULL);

	(void)context;
	dms_free(message);
	dms_free(json);
	return NULL;
}

static struct dms_error *take_step(void *context, const struct dms_step *step)
{
	struct listener *listener = context;
	struct dms_error *err = dms_stats_step(listener->stats, step);

	return err ? err : dms_rules_step(listener->rules, step);
}

static struct dms_error *run(struct dms_source *source, struct dms_decoder *decoder,
			     struct dms_model *model)
{
	struct dms_item item;
	struct dms_event event;
	struct dms_error *err;
	uint64_t last = 0;

	for (;;) {
		if ((err = dms_source_next(source, &item)))
			return err;
		if (item.kind == DMS_ITEM_END)
			return dms_model_end(model, last);
		if (item.kind == DMS_ITEM_GAP) {
			err = dms_model_gap(model, &item.gap);
		} else if (!(err = dms_decode(decoder, &item.record, &event)) &&
			   event.kind != DMS_EV_NONE) {
			last = event.ts;
			err = dms_model_event(model, &event);
		}
		if (err)
			return err;
	}
}

static void analyze(struct dms_source *source)
{
	struct dms_names names = {.devices = dms_strtab_create(), .stacks = dms_stacks_create()};
	struct listener listener = {.stats = dms_stats_create()};
	struct dms_symbols *symbols = NULL;
	struct dms_decoder *decoder = NULL;
	struct dms_model *model = NULL;
	struct dms_error *err;
	const char *text;
	size_t size;

	if (!(err = dms_rules_create(take_finding, NULL, &listener.rules)) &&
	    !(err = dms_decoder_create(source, &names, &decoder)) &&
	    !(err = dms_model_create(&names, take_step, &listener, &model)) &&
	    !(err = run(source, decoder, model)) &&
	    !(err = dms_source_kallsyms(source, &text, &size)))
		err = dms_symbols_create(text, size, &symbols);
	dms_source_comm(source, 1);
	dms_error_free(err);
	dms_symbols_destroy(symbols);
	dms_model_destroy(model);
	dms_decoder_destroy(decoder);
	dms_rules_destroy(listener.rules);
	dms_stats_destroy(listener.stats);
	dms_stacks_destroy(names.stacks);
	dms_strtab_destroy(names.devices);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("trace.dat", 0);
	struct dms_source *source;
	struct dms_error *err;
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = dms_source_open(path, &source);
	if (err) {
		dms_error_free(err);
	} else {
		analyze(source);
		dms_source_close(source);
	}
	close(fd);
	return 0;
}
