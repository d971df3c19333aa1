// SPDX-License-Identifier: LGPL-2.1-only
/* Names of the functions of a run: the symbols of its files as one table. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

/*
 * Texts number the functions they name, each on its own: those of several files are kept apart,
 * 2^24 functions a file.
 */
#define FILE_BITS 40
#define MAX_FILES 128
_Static_assert(DMS_MADE_UP_END - DMS_MADE_UP_FIRST >= (uint64_t)MAX_FILES << FILE_BITS,
	       "all files fit into the range of addresses that are made up");

static uint64_t apart(uint32_t file, uint64_t address)
{
	uint64_t distance = (uint64_t)(file % MAX_FILES) << FILE_BITS;

	return dms_address_is_made_up(address) ? address + distance : address;
}

static const struct dms_record *chain_apart(struct dms_run *run, uint32_t file,
					    const struct dms_record *record)
{
	if (!dms_source_info(dms_merge_source(run->merge, file))->is_text)
		return record;
	if (!dms_grow(&run->chain, &run->chain_capacity, record->n_chain, sizeof(*run->chain)))
		return NULL;
	for (uint32_t i = 0; i < record->n_chain; i++)
		run->chain[i] = apart(file, record->chain[i]);
	run->chained = *record;
	run->chained.chain = run->chain;
	return &run->chained;
}

const struct dms_record *dms_run_chain(struct dms_run *run, uint32_t file,
				       const struct dms_record *record)
{
	return file && record->n_chain ? chain_apart(run, file, record) : record;
}

/* ---- the table -------------------------------------------------------------------------------- */

/* The lines of @text behind those of the run, their made-up addresses kept apart. */
static struct dms_error *add_lines(struct dms_run *run, uint32_t file, const char *text, size_t size)
{
	struct dms_run_text *all = &run->symbol_text;
	const char *end = text + size, *stop;

	if (!dms_grow(&all->text, &all->capacity, all->size + size + 1, 1))
		return &dms_error_nomem;
	for (; text < end; text = stop + 1) {
		char *at = all->text + all->size, digits[17];
		uint64_t address;
		size_t len;

		stop = memchr(text, '\n', (size_t)(end - text));
		if (!stop)
			stop = end;
		len = (size_t)(stop - text);
		memcpy(at, text, len);
		at[len] = '\n';
		all->size += len + 1;
		if (len <= 16 || sscanf(text, "%16" SCNx64 " ", &address) != 1 || text[16] != ' ' ||
		    !dms_address_is_made_up(address))
			continue;
		snprintf(digits, sizeof(digits), "%016" PRIx64, apart(file, address));
		memcpy(at, digits, 16);
	}
	return NULL;
}

/* What cannot be read costs names, and with --salvage that is all. */
static struct dms_error *symbols_of(struct dms_run *run, uint32_t file, const char **ret,
				    size_t *ret_size)
{
	struct dms_error *err = dms_source_kallsyms(dms_merge_source(run->merge, file), ret, ret_size);

	if (!err || !run->salvage)
		return err;
	dms_log(DMS_LOG_WARN, "%s; functions stay without names", dms_error_message(err));
	dms_error_free(err);
	*ret = NULL;
	*ret_size = 0;
	return NULL;
}

static bool is_text(const struct dms_run *run, uint32_t file)
{
	return dms_source_info(dms_merge_source(run->merge, file))->is_text;
}

/* All kernels' symbols are those of the first trace that has some: the files are of one machine. */
static struct dms_error *join(struct dms_run *run)
{
	bool has_kernel = false;
	struct dms_error *err;
	const char *text;
	size_t size;

	for (uint32_t i = 0; i < run->n_files; i++) {
		if (!is_text(run, i) && has_kernel)
			continue;
		if ((err = symbols_of(run, i, &text, &size)))
			return err;
		if (text && (err = add_lines(run, i, text, size)))
			return err;
		has_kernel |= text && !is_text(run, i);
	}
	return NULL;
}

struct dms_error *dms_run_load_symbols(struct dms_run *run)
{
	struct dms_error *err;
	bool any_text = false;
	const char *text;
	size_t size;

	if (!run->names.stacks || !dms_stacks_count(run->names.stacks))
		return NULL;
	for (uint32_t i = 0; i < run->n_files; i++)
		any_text |= is_text(run, i);
	if (!any_text || run->n_files == 1) { /* as nearly always: nothing has to be copied */
		err = symbols_of(run, 0, &text, &size);
		return err ? err : dms_symbols_create(text, size, &run->symbols);
	}
	if ((err = join(run)))
		return err;
	return dms_symbols_create(run->symbol_text.text, run->symbol_text.size, &run->symbols);
}

/* ---- symbols of another kernel ----------------------------------------------------------------- */

/* Half of them may be of modules, which a System.map lacks. */
#define MIN_NAMED_PERCENT 10

/* No checksum guards the symbols in a trace: what is damaged shows in lines that are none. */
static struct dms_error *note_damaged(struct dms_run *run)
{
	uint64_t n_lines = dms_symbols_malformed(run->symbols);

	if (!n_lines)
		return NULL;
	return dms_run_add_note(run, NULL, DMS_ID_NONE,
				dms_asprintf("%" PRIu64 " line%s of the kernel's symbols %s damaged: "
					     "functions may be without a name, or have another's",
					     n_lines, n_lines == 1 ? "" : "s",
					     n_lines == 1 ? "is" : "are"));
}

struct dms_error *dms_run_note_symbols(struct dms_run *run)
{
	uint64_t n_frames = 0, n_named = 0;
	struct dms_symbol symbol;
	struct dms_error *err;

	if (!run->symbols)
		return NULL;
	if ((err = note_damaged(run)) || !run->kallsyms_file)
		return err;
	for (uint32_t i = 0; i < dms_stacks_count(run->names.stacks); i++) {
		uint32_t n;
		const uint64_t *frames = dms_stacks_get(run->names.stacks, i, &n);

		for (uint32_t j = 0; j < n; j++) {
			if (dms_address_is_made_up(frames[j]))
				continue;
			n_frames++;
			n_named += dms_symbols_find(run->symbols, frames[j], &symbol);
		}
	}
	if (!n_frames || n_named * 100 >= n_frames * MIN_NAMED_PERCENT)
		return NULL;
	return dms_run_add_note(run, NULL, DMS_ID_NONE,
				dms_asprintf("%" PRIu64 " of %" PRIu64
					     " addresses in call stacks are no function of %s: it is "
					     "of another kernel, or the kernel was moved when it "
					     "booted (KASLR) and the trace does not tell by how much",
					     n_frames - n_named, n_frames, run->kallsyms_file));
}
