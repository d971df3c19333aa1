// SPDX-License-Identifier: GPL-2.0-only
/* libFuzzer entry: any bytes as a baseline file, compared with a good one, told in every format. */
#include <dmascope/diff.h>

#include "fuzz_good.h"
#include "fuzz_lines.h"

static void print_all(const struct dms_comparison *comparison)
{
	for (const struct dms_diff_output *output = dms_diff_outputs; output->name; output++)
		dms_error_free(output->print(comparison, fuzz_sink(), 80, true));
	dms_error_free(dms_suppressions_print(comparison, fuzz_sink()));
}

static void compare(const struct dms_baseline *base, const struct dms_baseline *head,
		    const struct dms_config *config)
{
	const struct dms_compare_options options = {
		.config = config, .fail_severity = DMS_SEVERITY_ERROR, .metrics_fail = true};
	struct dms_comparison *comparison = NULL;
	struct dms_error *err = dms_compare(&base, base != NULL, &head, 1, &options, &comparison);

	if (!err)
		print_all(comparison);
	dms_error_free(err);
	dms_comparison_destroy(comparison);
}

static struct dms_baseline *open_good(const struct dms_config *config)
{
	struct dms_baseline *good;
	struct fuzz_file file;
	const uint8_t *bytes;
	size_t size;

	bytes = fuzz_good_bytes(&size);
	if (!fuzz_file_open_named(&file, bytes, size) || dms_baseline_open(file.path, config, &good))
		abort();
	fuzz_file_close(&file);
	return good;
}

FUZZ_LINES_MUTATOR

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dms_config *config = dms_config_create();
	struct dms_baseline *good = NULL, *read = NULL;
	struct fuzz_file file;
	struct dms_error *err;

	fuzz_be_silent();
	if (!config || !fuzz_file_open(&file, data, size))
		abort();
	err = dms_baseline_open(file.path, config, &read);
	if (!err) {
		dms_error_free(dms_baseline_print(read, fuzz_sink()));
		good = open_good(config);
		compare(NULL, read, config);
		compare(good, read, config);
		compare(read, good, config);
	}
	dms_error_free(err);
	dms_baseline_destroy(good);
	dms_baseline_destroy(read);
	dms_config_destroy(config);
	fuzz_file_close(&file);
	return 0;
}
