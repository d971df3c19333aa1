// SPDX-License-Identifier: GPL-2.0-only
/* The completion script of zsh: _arguments for each command, with the words of --help. */
#include "completion.h"

/* The help of an option within '...[HELP]...', where a colon would end it as well. */
static void put_help(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else
			fprintf(out, "%s%c",
				*text == '[' || *text == ']' || *text == ':' ? "\\" : "", *text);
	}
}

static const char *const actions[] = {
	[DMS_VALUES_NONE] = " ",
	[DMS_VALUES_FILES] = "_files",
	[DMS_VALUES_FOLDERS] = "_files -/",
	[DMS_VALUES_QUERIES] = "_dmascope_queries",
	[DMS_VALUES_RULES] = "_dmascope_rules",
	[DMS_VALUES_SWITCHES] = "_dmascope_switches",
};

static void put_argument(const struct dms_option *row, FILE *out)
{
	enum dms_values values = dms_option_values(row);

	fputc(':', out);
	put_help(row->argument, out);
	fputc(':', out);
	if (values != DMS_VALUES_WORDS) {
		fputs(actions[values], out);
		return;
	}
	fputc('(', out);
	for (const struct dms_word *word = row->words; word->word; word++) {
		fputs(word == row->words ? "" : " ", out);
		put_help(word->word, out);
	}
	fputc(')', out);
}

/* '(-o --output)'{-o,--output}'[help]:DB:_files'; a '*' before what may be repeated */
static void put_options(const struct dms_option *rows, size_t n_rows, FILE *out)
{
	for (size_t i = 0; i < n_rows; i++) {
		bool is_repeated = rows[i].type == DMS_OPT_LIST || rows[i].type == DMS_OPT_COUNT;

		fputs(" \\\n\t\t\t", out);
		if (rows[i].short_name && is_repeated)
			fprintf(out, "'*'{-%c,--%s}'[", rows[i].short_name, rows[i].long_name);
		else if (rows[i].short_name)
			fprintf(out, "'(-%c --%s)'{-%c,--%s}'[", rows[i].short_name,
				rows[i].long_name, rows[i].short_name, rows[i].long_name);
		else
			fprintf(out, "'%s--%s[", is_repeated ? "*" : "", rows[i].long_name);
		put_help(rows[i].help, out);
		fputc(']', out);
		if (rows[i].argument)
			put_argument(&rows[i], out);
		fputc('\'', out);
	}
}

static void put_operands(const struct dms_command *command, FILE *out)
{
	enum dms_values values = dms_operand_values(command);

	switch (values) {
	case DMS_VALUES_NONE:
		break;
	case DMS_VALUES_SHELLS:
		fputs(" \\\n\t\t\t'1:shell:(", out);
		dms_put_shells(" ", out);
		fputs(")'", out);
		break;
	case DMS_VALUES_COMMANDS:
		fputs(" \\\n\t\t\t'(-)1:command:_command_names -e' '*::arguments:_normal'", out);
		break;
	default:
		fprintf(out, " \\\n\t\t\t'*:operand:%s'", actions[values]);
	}
}

/* A function that offers the words a line of shell code prints. */
static void put_words(const char *name, const char *print, FILE *out)
{
	fprintf(out,
		"_dmascope_%s()\n{\n\tlocal -a words=(${(f)\"$(%s)\"})\n"
		"\t_describe -t %s %s words\n}\n\n",
		name, print, name, name);
}

void dms_put_zsh(FILE *out)
{
	fputs("#compdef dmascope\n"
	      "# zsh completion for dmascope; made by 'dmascope completion zsh'\n\n",
	      out);
	put_words("rules", DMS_PRINT_RULES, out);
	put_words("switches", DMS_PRINT_SWITCHES, out);
	put_words("queries", DMS_PRINT_QUERIES, out);
	fputs("_dmascope()\n{\n\tlocal curcontext=$curcontext state line\n"
	      "\t_arguments -C '1:command:->commands' '*::argument:->arguments'",
	      out);
	put_options(dms_common_options, dms_n_common_options, out);
	fputs("\n\tcase $state in\n\tcommands)\n\t\tlocal -a commands=(", out);
	for (size_t i = 0; i < dms_n_commands; i++) {
		fprintf(out, "\n\t\t\t'%s:", dms_commands[i].name);
		put_help(dms_commands[i].summary, out);
		fputc('\'', out);
	}
	fputs(")\n\t\t_describe -t commands command commands ;;\n"
	      "\targuments)\n\t\tcase $words[1] in\n",
	      out);
	for (size_t i = 0; i < dms_n_commands; i++) {
		fprintf(out, "\t\t%s)\n\t\t\t_arguments -s", dms_commands[i].name);
		put_options(dms_commands[i].options, dms_commands[i].n_options, out);
		put_options(dms_common_options, dms_n_common_options, out);
		put_operands(&dms_commands[i], out);
		fputs(" ;;\n", out);
	}
	fputs("\t\tesac ;;\n\tesac\n}\n\n"
	      "if [[ $funcstack[1] == _dmascope ]]; then\n\t_dmascope \"$@\"\nelse\n"
	      "\tcompdef _dmascope dmascope\nfi\n",
	      out);
}
