// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer entry: any bytes as a configuration in YAML, read, and its suppressions matched. */
#include <dmascope/diff.h>

#include "fuzz_lines.h"

static void use(const struct dms_config *config)
{
	static const struct dms_function frames[] = {
		{.name = "e1000_xmit_frame", .module = "e1000"}, {.name = "dev_hard_start_xmit"}};
	static const struct dms_base_finding finding = {
		.fingerprint = "0123456789abcdef",
		.rule = "unmap-size-mismatch",
		.device_kind = "0000:*",
		.frames = frames,
		.n_frames = DMS_ARRAY_SIZE(frames),
		.device = "0000:00:03.0",
	};
	struct dms_threshold threshold;
	enum dms_polarity polarity;

	for (size_t i = 0; i < dms_n_metrics; i++)
		dms_config_threshold(config, &dms_metrics[i], &threshold, &polarity);
	dms_config_kind(config, "0000:00:03.0");
	dms_suppression_find(config, &finding, 20000);
	dms_suppression_find(config, &finding, INT32_MAX);
}

FUZZ_LINES_MUTATOR

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dms_config *config = dms_config_create();
	struct fuzz_file file;
	struct dms_error *err;

	fuzz_be_silent();
	if (!config)
		abort();
	if (fuzz_file_open(&file, data, size)) {
		err = dms_config_read(config, file.path);
		if (!err)
			use(config);
		dms_error_free(err);
		fuzz_file_close(&file);
	}
	dms_config_destroy(config);
	return 0;
}
