// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer entry: the first byte says which side file the rest is, a dump ('d') or a kernel log,
 * beside a small trace, through the whole run: they reach the model and the rules.
 */
#include "fuzz_lines.h"
#include "fuzz_run.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	if (size < 2 || max_size < 2)
		return LLVMFuzzerMutate(data, size, max_size);
	return 1 + fuzz_mutate_lines(data + 1, size - 1, max_size - 1, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dms_run_options options = {0};
	struct fuzz_file file;

	fuzz_be_silent();
	if (!size || !fuzz_file_open(&file, data + 1, size - 1))
		return 0;
	if (*data == 'd')
		options.dump_seed = file.path;
	else
		options.kernel_log = file.path;
	fuzz_run(SRCDIR "/tests/fixtures/oracle-unmap_size_small.dat", &options);
	fuzz_file_close(&file);
	return 0;
}
