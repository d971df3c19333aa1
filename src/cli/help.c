// SPDX-License-Identifier: GPL-2.0-only
/* Print the rows of commands and options for people. */
#include <ctype.h>
#include <string.h>

#include "cli.h"

#define HELP_WIDTH  80
#define HELP_COLUMN 26 /* where the explanations of options begin */
#define NAME_COLUMN 14 /* and those of commands */

void dms_put_wrapped(const char *text, size_t begin, FILE *out)
{
	size_t column = begin;

	while (*text) {
		size_t len = strcspn(text, " \n");

		if (column > begin && column + 1 + len > HELP_WIDTH) {
			fprintf(out, "\n%*s", (int)begin, "");
			column = begin;
		}
		column += (size_t)fprintf(out, "%s%.*s", column > begin ? " " : "", (int)len, text);
		text += len;
		if (*text == '\n') {
			fprintf(out, "\n%*s", (int)begin, "");
			column = begin;
		}
		text += *text != '\0';
	}
	fputc('\n', out);
}

/* "  -o, --output DB        write the run ..." */
static void put_option(const struct dms_option *row, const char *text, FILE *out)
{
	char left[64];
	int len;

	len = snprintf(left, sizeof(left), "  %c%c%s--%s%s%s", row->short_name ? '-' : ' ',
		       row->short_name ? row->short_name : ' ', row->short_name ? ", " : "  ",
		       row->long_name, row->argument ? " " : "",
		       row->argument ? row->argument : "");
	fprintf(out, "%-*s", HELP_COLUMN, left);
	if (len >= HELP_COLUMN)
		fprintf(out, "\n%*s", HELP_COLUMN, "");
	dms_put_wrapped(text, HELP_COLUMN, out);
}

static void put_options(const struct dms_option *rows, size_t n_rows, FILE *out)
{
	for (size_t i = 0; i < n_rows; i++)
		put_option(&rows[i], rows[i].help, out);
}

static void put_commands(FILE *out)
{
	fputs("Commands:\n", out);
	for (size_t i = 0; i < dms_n_commands; i++) {
		fprintf(out, "  %-*s", NAME_COLUMN - 2, dms_commands[i].name);
		dms_put_wrapped(dms_commands[i].summary, NAME_COLUMN, out);
	}
	fputc('\n', out);
}

/* Names in lines of their own; *@column is where the last of them ended. */
static void put_names(const struct dms_option *rows, size_t n_rows, size_t *column, FILE *out)
{
	for (size_t i = 0; i < n_rows; i++) {
		size_t len = strlen("--") + strlen(rows[i].long_name);

		if (rows[i].is_usual)
			continue;
		if (*column + 1 + len > HELP_WIDTH) {
			fputs("\n ", out);
			*column = 1;
		}
		*column += (size_t)fprintf(out, " --%s", rows[i].long_name);
	}
}

void dms_program_help(enum dms_help help, FILE *out)
{
	size_t column = 1;

	fputs("Usage: dmascope COMMAND [OPTION]...\n\n"
	      "What only a rebuilt CONFIG_DMA_API_DEBUG kernel could tell about DMA mappings,\n"
	      "from a trace of a stock kernel's dma, swiotlb and iommu events.\n\n",
	      out);
	put_commands(out);
	if (help == DMS_HELP_ALL) {
		fputs("Options of every command:\n", out);
		put_options(dms_common_options, dms_n_common_options, out);
		fputs("\nSee 'dmascope COMMAND --help', and the manual: man dmascope.\n", out);
		return;
	}
	fputs("See 'dmascope COMMAND --help', and man dmascope. Every command takes\n ", out);
	put_names(dms_common_options, dms_n_common_options, &column, out);
	fputc('\n', out);
}

static bool has_usual(const struct dms_command *command)
{
	for (size_t i = 0; i < command->n_options; i++) {
		if (command->options[i].is_usual)
			return true;
	}
	return false;
}

static void put_all(const struct dms_command *command, FILE *out)
{
	if (command->n_options) {
		fputs("Options:\n", out);
		put_options(command->options, command->n_options, out);
		fputc('\n', out);
	}
	fputs("Options of every command:\n", out);
	put_options(dms_common_options, dms_n_common_options, out);
	if (command->epilogue) {
		fputc('\n', out);
		dms_put_wrapped(command->epilogue, 0, out);
	}
}

static void put_usual(const struct dms_command *command, FILE *out)
{
	size_t column = 1;

	fputs("Usual options:\n", out);
	for (size_t i = 0; i < command->n_options; i++) {
		const struct dms_option *row = &command->options[i];

		if (row->is_usual)
			put_option(row, row->brief ? row->brief : row->help, out);
	}
	if (command->epilogue) {
		fputc('\n', out);
		dms_put_wrapped(command->epilogue, 0, out);
	}
	fprintf(out, "\nMore, explained by --help-all and man dmascope-%s:\n ", command->name);
	put_names(command->options, command->n_options, &column, out);
	put_names(dms_common_options, dms_n_common_options, &column, out);
	fputc('\n', out);
}

void dms_command_help(const struct dms_command *command, enum dms_help help, FILE *out)
{
	fprintf(out, "Usage: dmascope %s [OPTION]...%s%s\n\n%c%s.\n\n", command->name,
		command->operands ? " " : "", command->operands ? command->operands : "",
		toupper((unsigned char)command->summary[0]), command->summary + 1);
	if (help == DMS_HELP_ALL || !has_usual(command))
		put_all(command, out);
	else
		put_usual(command, out);
}
