// SPDX-License-Identifier: GPL-2.0-only
/* The completion script of fish: a line for each command and each of its options. */
#include "completion.h"

/* Between single quotes only these two mean anything. */
static void put_quoted(const char *text, FILE *out)
{
	fputc('\'', out);
	dms_put_escaped(text, "'\\", "\\", out);
	fputc('\'', out);
}

static void put_values(enum dms_values values, const struct dms_word *words, FILE *out)
{
	static const char *const offers[] = {
		[DMS_VALUES_NONE] = "-x",
		[DMS_VALUES_FILES] = "-r -F",
		[DMS_VALUES_FOLDERS] = "-x -a '(__fish_complete_directories)'",
		[DMS_VALUES_QUERIES] = "-x -a '(" DMS_PRINT_QUERIES ")'",
		[DMS_VALUES_RULES] = "-x -a '(" DMS_PRINT_RULES ")'",
		[DMS_VALUES_SWITCHES] = "-x -a '(" DMS_PRINT_SWITCHES ")'",
		[DMS_VALUES_COMMANDS] = "-x -a '(__fish_complete_command)'",
	};

	fputc(' ', out);
	if (values == DMS_VALUES_WORDS) {
		fputs("-x -a '", out);
		for (const struct dms_word *word = words; word->word; word++)
			fprintf(out, "%s%s", word == words ? "" : " ", word->word);
		fputc('\'', out);
	} else if (values == DMS_VALUES_SHELLS) {
		fputs("-x -a '", out);
		dms_put_shells(" ", out);
		fputc('\'', out);
	} else {
		fputs(offers[values], out);
	}
}

/* @command: NULL for the options of every command */
static void put_options(const char *command, const struct dms_option *rows, size_t n_rows,
			FILE *out)
{
	for (size_t i = 0; i < n_rows; i++) {
		fputs("complete -c dmascope", out);
		if (command)
			fprintf(out, " -n '__dmascope_is %s'", command);
		if (rows[i].short_name)
			fprintf(out, " -s %c", rows[i].short_name);
		fprintf(out, " -l %s -d ", rows[i].long_name);
		put_quoted(rows[i].help, out);
		if (rows[i].argument)
			put_values(dms_option_values(&rows[i]), rows[i].words, out);
		fputc('\n', out);
	}
}

void dms_put_fish(FILE *out)
{
	fputs("# fish completion for dmascope; made by 'dmascope completion fish'\n"
	      "# True if the command is the one given; without one, if there is none yet.\n"
	      "function __dmascope_is\n"
	      "\tset -l command ''\n"
	      "\tfor word in (commandline -opc)[2..-1]\n"
	      "\t\tstring match -q -- '-*' $word; and continue\n"
	      "\t\tset command $word\n\t\tbreak\n\tend\n"
	      "\ttest \"$command\" = \"$argv[1]\"\nend\n\n"
	      "complete -c dmascope -f\n",
	      out);
	for (size_t i = 0; i < dms_n_commands; i++) {
		fprintf(out, "complete -c dmascope -n __dmascope_is -a %s -d ",
			dms_commands[i].name);
		put_quoted(dms_commands[i].summary, out);
		fputc('\n', out);
	}
	put_options(NULL, dms_common_options, dms_n_common_options, out);
	for (size_t i = 0; i < dms_n_commands; i++) {
		enum dms_values values = dms_operand_values(&dms_commands[i]);

		put_options(dms_commands[i].name, dms_commands[i].options,
			    dms_commands[i].n_options, out);
		if (values == DMS_VALUES_NONE)
			continue;
		fprintf(out, "complete -c dmascope -n '__dmascope_is %s'", dms_commands[i].name);
		/* what is no option: -r would ask an argument of one */
		if (values == DMS_VALUES_FILES)
			fputs(" -F", out);
		else
			put_values(values, NULL, out);
		fputc('\n', out);
	}
}
