// SPDX-License-Identifier: GPL-2.0-only
/* `dmascope completion SHELL`: a completion script made from the command and option rows. */
#include <string.h>

#include "completion.h"

enum dms_values dms_option_values(const struct dms_option *row)
{
	static const struct {
		const char *argument;
		enum dms_values values;
	} rows[] = {
		{"DB", DMS_VALUES_FILES},    {"FILE", DMS_VALUES_FILES},
		{"OUT", DMS_VALUES_FILES},   {"RUN", DMS_VALUES_FILES},
		{"DIR", DMS_VALUES_FOLDERS}, {"QUERY", DMS_VALUES_QUERIES},
		{"ID", DMS_VALUES_RULES},    {"[no-]ID", DMS_VALUES_SWITCHES},
	};

	if (row->words)
		return DMS_VALUES_WORDS;
	for (size_t i = 0; row->argument && i < DMS_ARRAY_SIZE(rows); i++) {
		if (!strcmp(rows[i].argument, row->argument))
			return rows[i].values;
	}
	return DMS_VALUES_NONE;
}

enum dms_values dms_operand_values(const struct dms_command *command)
{
	static const struct {
		const char *operands;
		enum dms_values values;
	} rows[] = {
		{"[ID]", DMS_VALUES_RULES},
		{"SHELL", DMS_VALUES_SHELLS},
		{"[-- COMMAND...]", DMS_VALUES_COMMANDS},
	};

	if (!command->operands)
		return DMS_VALUES_NONE;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		if (!strcmp(rows[i].operands, command->operands))
			return rows[i].values;
	}
	return DMS_VALUES_FILES;
}

void dms_put_escaped(const char *text, const char *special, const char *escape, FILE *out)
{
	for (; *text; text++) {
		if (strchr(special, *text))
			fputs(escape, out);
		fputc(*text, out);
	}
}

static void put_names(const struct dms_option *rows, size_t n_rows, FILE *out)
{
	for (size_t i = 0; i < n_rows; i++) {
		if (rows[i].short_name)
			fprintf(out, " -%c", rows[i].short_name);
		fprintf(out, " --%s", rows[i].long_name);
	}
}

/* The part of compgen that offers such values; "" for those that nobody can know. */
static void put_compgen(enum dms_values values, const struct dms_word *words, FILE *out)
{
	static const char *const options[] = {
		[DMS_VALUES_FILES] = "-f",
		[DMS_VALUES_FOLDERS] = "-d",
		[DMS_VALUES_QUERIES] = "-W \"$(" DMS_PRINT_QUERIES ")\"",
		[DMS_VALUES_RULES] = "-W \"$(" DMS_PRINT_RULES ")\"",
		[DMS_VALUES_SWITCHES] = "-W \"$(" DMS_PRINT_SWITCHES ")\"",
		[DMS_VALUES_COMMANDS] = "-c",
	};

	if (values == DMS_VALUES_NONE)
		return;
	fputs("\t\tCOMPREPLY=($(compgen ", out);
	if (values == DMS_VALUES_WORDS || values == DMS_VALUES_SHELLS) {
		fputs("-W \"", out);
		for (const struct dms_word *word = words; word && word->word; word++)
			fprintf(out, "%s%s", word == words ? "" : " ", word->word);
		if (values == DMS_VALUES_SHELLS)
			dms_put_shells(" ", out);
		fputs("\"", out);
	} else {
		fputs(options[values], out);
	}
	fputs(" -- \"$cur\"))\n", out);
}

/* One case of the words that may follow an option: the row's words, or nothing, or files. */
static void put_value_case(const struct dms_command *command, const struct dms_option *row,
			   FILE *out)
{
	if (!row->argument)
		return;
	fprintf(out, "\t%s:--%s", command->name, row->long_name);
	if (row->short_name)
		fprintf(out, " | %s:-%c", command->name, row->short_name);
	fputs(")\n", out);
	put_compgen(dms_option_values(row), row->words, out);
	fputs("\t\treturn ;;\n", out);
}

static void put_bash(FILE *out)
{
	fputs("# bash completion for dmascope; made by 'dmascope completion bash'\n"
	      "_dmascope()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}"
	      " command= i options=\n"
	      "\tCOMPREPLY=()\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\t[[ ${COMP_WORDS[i]} == -* ]] || { command=${COMP_WORDS[i]}; break; }\n"
	      "\tdone\n"
	      "\t# \"--opt=val\" reaches us as three words\n"
	      "\tif [[ $cur == = ]]; then\n\t\tcur=\n"
	      "\telif [[ $prev == = ]]; then\n\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n\tfi\n"
	      "\tcase $command:$prev in\n",
	      out);
	for (size_t i = 0; i < dms_n_commands; i++) {
		for (size_t j = 0; j < dms_commands[i].n_options; j++)
			put_value_case(&dms_commands[i], &dms_commands[i].options[j], out);
	}
	fputs("\tesac\n\tcase $command in\n\t'')\n\t\toptions=\"", out);
	for (size_t i = 0; i < dms_n_commands; i++)
		fprintf(out, "%s%s", i ? " " : "", dms_commands[i].name);
	put_names(dms_common_options, dms_n_common_options, out);
	fputs("\" ;;\n", out);
	for (size_t i = 0; i < dms_n_commands; i++) {
		fprintf(out, "\t%s)\n\t\toptions=\"", dms_commands[i].name);
		put_names(dms_commands[i].options, dms_commands[i].n_options, out);
		put_names(dms_common_options, dms_n_common_options, out);
		fputs("\" ;;\n", out);
	}
	fputs("\tesac\n"
	      "\tif [[ -z $command || $cur == -* ]]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
	      "\t\treturn\n\tfi\n\tcase $command in\n",
	      out);
	for (size_t i = 0; i < dms_n_commands; i++) {
		fprintf(out, "\t%s)\n", dms_commands[i].name);
		put_compgen(dms_operand_values(&dms_commands[i]), NULL, out);
		fputs("\t\t;;\n", out);
	}
	fputs("\tesac\n}\ncomplete -o filenames -F _dmascope dmascope\n", out);
}

static const struct shell {
	const char *name;
	void (*put)(FILE *out);
} shells[] = {
	{"bash", put_bash},
	{"zsh", dms_put_zsh},
	{"fish", dms_put_fish},
};

void dms_put_shells(const char *between, FILE *out)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(shells); i++)
		fprintf(out, "%s%s", i ? between : "", shells[i].name);
}

struct dms_error *dms_cmd_completion(const struct dms_call *call, enum dms_exit *ret)
{
	struct dms_nearest nearest = dms_nearest_to(call->operands[0], strlen(call->operands[0]));

	(void)ret;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(shells); i++) {
		if (!strcmp(shells[i].name, call->operands[0])) {
			shells[i].put(stdout);
			return NULL;
		}
		dms_nearest_try(&nearest, shells[i].name);
	}
	/* of three words, "sh" is near to two */
	if (nearest.word && nearest.typed_len > 2)
		return dms_error_new(DMS_ERROR_USAGE,
				     "completion: no script for shell '%s'; did you mean '%s'?",
				     call->operands[0], nearest.word);
	return dms_error_new(DMS_ERROR_USAGE,
			     "completion: no script for shell '%s'; known: bash, zsh, fish",
			     call->operands[0]);
}
