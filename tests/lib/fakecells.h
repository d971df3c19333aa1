/* SPDX-License-Identifier: GPL-2.0-only */
/* Formats written by a test, cell by cell, as kernels lay them out; and their records. */
#ifndef DMS_TESTS_FAKECELLS_H
#define DMS_TESTS_FAKECELLS_H

#include "decode/decoder.h"
#include "fakeformats.h"

/* ---- formats and records of one event -------------------------------------------------------- */

/** One field: "u32", "u64" and so on; "str" is a dynamic string; "rest" has no size of its own. */
struct cell {
	const char *name, *type;
	uint64_t value;
	const char *string;
};
#define CELLS 6

static const struct kernel machines[] = {
	{"", "6.12.95", 8, false, true},
	{"", "6.12.95", 8, true, true},
	{"", "6.12.95", 4, false, true},
};

static const char *kallsyms;

static inline struct dms_error *give_kallsyms(struct dms_source *source, const char **ret,
					      size_t *ret_size)
{
	(void)source;
	*ret = kallsyms;
	*ret_size = kallsyms ? strlen(kallsyms) : 0;
	return NULL;
}

static const struct source_ops ops = {.kallsyms = give_kallsyms};

static inline void begin(const struct kernel *machine, const char *symbols)
{
	fake_begin(machine);
	fake.source.ops = &ops;
	fake.source.info.page_size = 4096;
	kallsyms = symbols;
}

static inline uint32_t cell_size(const struct cell *cell)
{
	if (!strcmp(cell->type, "rest"))
		return 0;
	if (!strcmp(cell->type, "long"))
		return fake.source.info.long_size;
	return cell->type[0] == 's' && cell->type[1] == 't' ? 4
							    : (uint32_t)atoi(cell->type + 1) / 8;
}

/* Add a format with @cells behind the common fields, packed as probes pack them. */
static inline void add_format(const char *system, const char *name, const struct cell *cells,
			      const char *print_fmt)
{
	uint32_t at = fake.source.n_formats, offset = 8;
	char *text = calloc(1, 4096), *end = text;

	end += sprintf(end,
		       "name: %s\nID: %u\nformat:\n"
		       "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
		       "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n",
		       name, 100 + at);
	for (uint32_t i = 0; i < CELLS && cells[i].name; i++) {
		bool is_string = !strcmp(cells[i].type, "str");

		end += sprintf(end, "\tfield:%s %s%s;\toffset:%u;\tsize:%u;\tsigned:0;\n",
			       is_string			? "__data_loc char[]"
			       : !strcmp(cells[i].type, "rest") ? "char"
								: "u64",
			       cells[i].name, strcmp(cells[i].type, "rest") ? "" : "[]", offset,
			       cell_size(&cells[i]));
		offset += cell_size(&cells[i]);
	}
	sprintf(end, "\nprint fmt: %s\n", print_fmt);
	fake.texts[at] = text;
	fake.formats[at] = (struct dms_format){
		.system = system, .name = name, .text = text, .size = strlen(text), .id = 100 + at};
	fake.source.n_formats++;
}

/* Build the record of format @index with what @cells hold. */
static inline void fill(uint32_t index, const struct cell *cells)
{
	uint32_t offset = 8, behind = 8;

	memset(fake.record, 0, sizeof(fake.record));
	fake.size = 8;
	put(0, 100 + index, 2);
	put(4, 4242, 4);
	for (uint32_t i = 0; i < CELLS && cells[i].name; i++)
		behind += cell_size(&cells[i]);
	for (uint32_t i = 0; i < CELLS && cells[i].name; i++) {
		const char *string = cells[i].string;
		uint32_t at = cell_size(&cells[i]) ? behind : offset;

		if (!string) {
			put(offset, cells[i].value, cell_size(&cells[i]));
		} else {
			uint32_t bytes = (uint32_t)strlen(string) + 1;

			for (uint32_t j = 0; j < bytes; j++)
				put(at + j, (uint8_t)string[j], 1);
			if (cell_size(&cells[i]))
				put(offset, bytes << 16 | at, 4);
			behind += bytes;
		}
		offset += cell_size(&cells[i]);
	}
}

static inline struct dms_event one_event(const char *system, const char *name,
					 const struct cell *cells)
{
	add_format(system, name, cells, "\"\"");
	fake_start();
	fill(0, cells);
	return decode_built();
}

static inline void add_case(Suite *suite, const char *name, const TTest *test, int loops)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test, 0, loops);
	suite_add_tcase(suite, tcase);
}

static inline int run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failures;

	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}

#endif
