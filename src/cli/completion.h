/* SPDX-License-Identifier: GPL-2.0-only */
/* What the completion scripts of all shells are made of, beside the rows of commands. */
#ifndef DMASCOPE_CLI_COMPLETION_H
#define DMASCOPE_CLI_COMPLETION_H

#include "cli.h"

/** What may stand behind an option, or where a command takes operands. */
enum dms_values {
	DMS_VALUES_NONE,  /* nothing a shell could know */
	DMS_VALUES_WORDS, /* the row's words */
	DMS_VALUES_FILES,
	DMS_VALUES_FOLDERS,
	DMS_VALUES_QUERIES,
	DMS_VALUES_RULES,
	DMS_VALUES_SWITCHES, /* rules, and rules with no- before them */
	DMS_VALUES_SHELLS,
	DMS_VALUES_COMMANDS, /* programs of the machine */
};

enum dms_values dms_option_values(const struct dms_option *row);
enum dms_values dms_operand_values(const struct dms_command *command);

/*
 * Asked of the program when they are needed: rules and queries are not those of the script's day.
 * Lines of shell code that print one word a line.
 */
#define DMS_PRINT_RULES	   "dmascope rules 2>/dev/null | sed -e \"s/ .*//\""
#define DMS_PRINT_SWITCHES "dmascope rules 2>/dev/null | sed -e \"s/ .*//\" -e p -e \"s/^/no-/\""
#define DMS_PRINT_QUERIES                                                                          \
	"dmascope query --list --format csv 2>/dev/null | sed -e 1d -e \"s/,.*//\" -e "            \
	"\"s/[^a-z0-9-]//g\""

/** The scripts; the first is here, the others in files of their own. */
void dms_put_zsh(FILE *out);
void dms_put_fish(FILE *out);

/** The names of all shells, apart by @between. */
void dms_put_shells(const char *between, FILE *out);
/** @text with @escape before each character of @special. */
void dms_put_escaped(const char *text, const char *special, const char *escape, FILE *out);

#endif
