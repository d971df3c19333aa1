// SPDX-License-Identifier: GPL-2.0-only
/* `dmascope completion SHELL`: a completion script made from the command and option rows. */
#include <string.h>

#include "cli.h"

static void put_names(const struct dms_option *rows, size_t n_rows, FILE *out)
{
	for (size_t i = 0; i < n_rows; i++) {
		if (rows[i].short_name)
			fprintf(out, " -%c", rows[i].short_name);
		fprintf(out, " --%s", rows[i].long_name);
	}
}

/* Asked of the program when it is needed: the rules are not those of the script's day. */
#define RULE_IDS     "$(dmascope rules 2>/dev/null | sed -e 's/ .*//')"
#define RULE_IDS_OFF "$(dmascope rules 2>/dev/null | sed -e 's/ .*//' -e 's/^/no-/')"

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
	if (row->words) {
		fputs("\t\tCOMPREPLY=($(compgen -W \"", out);
		for (const struct dms_word *word = row->words; word->word; word++)
			fprintf(out, "%s%s", word == row->words ? "" : " ", word->word);
		fputs("\" -- \"$cur\"))\n", out);
	} else if (!strcmp(row->argument, "DB") || !strcmp(row->argument, "FILE")) {
		fputs("\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n", out);
	} else if (!strcmp(row->argument, "QUERY")) {
		fputs("\t\tCOMPREPLY=($(compgen -W \"$(dmascope query --list --format csv"
		      " 2>/dev/null |\n\t\t\tsed -e 1d -e 's/,.*//')\" -- \"$cur\"))\n",
		      out);
	} else if (!strcmp(row->argument, "ID")) {
		fputs("\t\tCOMPREPLY=($(compgen -W \"" RULE_IDS "\" -- \"$cur\"))\n", out);
	} else if (!strcmp(row->argument, "[no-]ID")) {
		fputs("\t\tCOMPREPLY=($(compgen -W \"" RULE_IDS " " RULE_IDS_OFF "\" -- \"$cur\"))\n",
		      out);
	}
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
	fputs("\tcompletion:*)\n\t\tCOMPREPLY=($(compgen -W \"bash\" -- \"$cur\"))\n"
	      "\t\treturn ;;\n\tesac\n\tcase $command in\n\t'')\n\t\toptions=\"",
	      out);
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
	      "\telif [[ $command == rules ]]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W \"" RULE_IDS "\" -- \"$cur\"))\n"
	      "\telse\n\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n\tfi\n}\n"
	      "complete -o filenames -F _dmascope dmascope\n",
	      out);
}

static const struct shell {
	const char *name;
	void (*put)(FILE *out);
} shells[] = {
	{"bash", put_bash},
};

struct dms_error *dms_cmd_completion(const struct dms_call *call, enum dms_exit *ret)
{
	(void)ret;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(shells); i++) {
		if (!strcmp(shells[i].name, call->operands[0])) {
			shells[i].put(stdout);
			return NULL;
		}
	}
	return dms_error_new(DMS_ERROR_USAGE, "completion: no script for shell '%s'; known: bash",
			     call->operands[0]);
}
