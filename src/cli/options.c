// SPDX-License-Identifier: GPL-2.0-only
/* Walk the option rows over argv: any order, --opt=value, -vv, "--" ends options. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/** The arguments still to be read. */
struct cursor {
	int argc, index;
	char **argv;
};

/** A set of rows and the struct they store into. */
struct target {
	const struct dms_option *rows;
	size_t n_rows;
	void *args;
};

struct dms_error *dms_command_find(const char *name, const struct dms_command **ret)
{
	struct dms_nearest nearest = dms_nearest_to(name, strlen(name));

	for (size_t i = 0; i < dms_n_commands; i++) {
		if (!strcmp(dms_commands[i].name, name)) {
			*ret = &dms_commands[i];
			return NULL;
		}
		dms_nearest_try(&nearest, dms_commands[i].name);
	}
	if (nearest.word)
		return dms_error_new(DMS_ERROR_USAGE, "unknown command '%s'; did you mean '%s'?",
				     name, nearest.word);
	return dms_error_new(DMS_ERROR_USAGE, "unknown command '%s'; see 'dmascope --help'", name);
}

static struct dms_error *unknown_option(const char *name, size_t len, const struct target *targets,
					size_t n_targets)
{
	struct dms_nearest nearest = dms_nearest_to(name, len);

	for (size_t t = 0; t < n_targets; t++) {
		for (size_t i = 0; i < targets[t].n_rows; i++)
			dms_nearest_try(&nearest, targets[t].rows[i].long_name);
	}
	if (nearest.word)
		return dms_error_new(DMS_ERROR_USAGE,
				     "unknown option '--%.*s'; did you mean '--%s'?", (int)len,
				     name, nearest.word);
	return dms_error_new(DMS_ERROR_USAGE, "unknown option '--%.*s'; see --help", (int)len,
			     name);
}

/* ---- values -----------------------------------------------------------------------------------
 */

static struct dms_error *store_u64(const struct dms_option *row, const char *value, uint64_t *ret)
{
	bool is_hex = value[0] == '0' && (value[1] == 'x' || value[1] == 'X');
	char *end;

	errno = 0;
	/* strtoull() would take blanks and a sign */
	*ret = strtoull(value, &end, is_hex ? 16 : 10);
	if (!isxdigit((unsigned char)value[0]) || *end || errno)
		return dms_error_new(DMS_ERROR_USAGE, "--%s: '%s' is not a number", row->long_name,
				     value);
	return NULL;
}

static struct dms_error *store_limit(const struct dms_option *row, const char *value, uint64_t *ret)
{
	struct dms_error *err = store_u64(row, value, ret);

	if (!err && !*ret)
		*ret = UINT64_MAX;
	return err;
}

static struct dms_error *store_size(const struct dms_option *row, const char *value, uint64_t *ret)
{
	static const char units[] = "KMGT";
	size_t n_digits = strspn(value, "0123456789");
	const char *unit = n_digits && value[n_digits] ? strchr(units, value[n_digits]) : NULL;
	unsigned int shift = unit ? 10 * (unsigned int)(unit - units + 1) : 0;

	errno = 0;
	*ret = strtoull(value, NULL, 10);
	if (!n_digits || value[n_digits + (unit != NULL)] || errno || *ret > UINT64_MAX >> shift)
		return dms_error_new(DMS_ERROR_USAGE,
				     "--%s: '%s' is no size; expected bytes, or a number with K, M, "
				     "G or T behind it", row->long_name, value);
	*ret <<= shift;
	return NULL;
}

/* "text, json or csv", cut where @buf ends. */
static const char *list_words(const struct dms_word *words, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; words[i].word && len < size; i++) {
		const char *between = !i ? "" : words[i + 1].word ? ", " : " or ";

		len += (size_t)snprintf(buf + len, size - len, "%s%s", between, words[i].word);
	}
	return buf;
}

static struct dms_error *store_word(const struct dms_option *row, const char *value, int *ret)
{
	struct dms_nearest nearest = dms_nearest_to(value, strlen(value));
	char known[256];

	for (const struct dms_word *word = row->words; word->word; word++) {
		if (!strcmp(word->word, value)) {
			*ret = word->value;
			return NULL;
		}
		dms_nearest_try(&nearest, word->word);
	}
	if (nearest.word)
		return dms_error_new(DMS_ERROR_USAGE, "--%s: unknown word '%s'; did you mean '%s'?",
				     row->long_name, value, nearest.word);
	return dms_error_new(DMS_ERROR_USAGE, "--%s: unknown word '%s'; it takes %s",
			     row->long_name, value, list_words(row->words, known, sizeof(known)));
}

static struct dms_error *store_list(const char *value, struct dms_strings *ret)
{
	if (!dms_grow(&ret->items, &ret->capacity, ret->n_items + 1, sizeof(*ret->items)))
		return &dms_error_nomem;
	ret->items[ret->n_items++] = value;
	return NULL;
}

static struct dms_error *store(const struct dms_option *row, const char *value, void *args)
{
	void *place = (char *)args + row->offset;

	switch (row->type) {
	case DMS_OPT_FLAG:
		*(bool *)place = true;
		return NULL;
	case DMS_OPT_VALUE:
		*(int *)place = row->value;
		return NULL;
	case DMS_OPT_COUNT:
		++*(int *)place;
		return NULL;
	case DMS_OPT_STRING:
		*(const char **)place = value;
		return NULL;
	case DMS_OPT_U64:
		return store_u64(row, value, place);
	case DMS_OPT_LIMIT:
		return store_limit(row, value, place);
	case DMS_OPT_SIZE:
		return store_size(row, value, place);
	case DMS_OPT_WORD:
		return store_word(row, value, place);
	case DMS_OPT_LIST:
		return store_list(value, place);
	}
	return NULL;
}

/* ---- argv -------------------------------------------------------------------------------------
 */

static const struct dms_option *find_row(const struct target *target, const char *name, size_t len,
					 char short_name)
{
	for (size_t i = 0; i < target->n_rows; i++) {
		const struct dms_option *row = &target->rows[i];

		if (short_name
			    ? row->short_name == short_name
			    : strlen(row->long_name) == len && !strncmp(row->long_name, name, len))
			return row;
	}
	return NULL;
}

/* @value: what stood behind '=' or behind the letter, NULL if nothing did. */
static struct dms_error *take(struct cursor *cursor, const struct dms_option *row,
			      const char *value, void *args)
{
	if (row->argument && !value) {
		if (cursor->index >= cursor->argc)
			return dms_error_new(DMS_ERROR_USAGE, "--%s needs an argument: %s",
					     row->long_name, row->argument);
		value = cursor->argv[cursor->index++];
	}
	if (!row->argument && value)
		return dms_error_new(DMS_ERROR_USAGE, "--%s takes no argument", row->long_name);
	return store(row, value, args);
}

static struct dms_error *parse_long(struct cursor *cursor, const char *name,
				    const struct target *targets, size_t n_targets)
{
	size_t len = strcspn(name, "=");

	for (size_t t = 0; t < n_targets; t++) {
		const struct dms_option *row = find_row(&targets[t], name, len, 0);

		if (row)
			return take(cursor, row, name[len] ? name + len + 1 : NULL,
				    targets[t].args);
	}
	return unknown_option(name, len, targets, n_targets);
}

/* One letter of a cluster; *@letters moves on, to the end if the option took the rest. */
static struct dms_error *parse_letter(struct cursor *cursor, const char **letters,
				      const struct target *targets, size_t n_targets)
{
	char letter = *(*letters)++;

	for (size_t t = 0; t < n_targets; t++) {
		const struct dms_option *row = find_row(&targets[t], NULL, 0, letter);
		const char *value = NULL;

		if (!row)
			continue;
		if (row->argument && **letters) {
			value = *letters;
			*letters += strlen(*letters);
		}
		return take(cursor, row, value, targets[t].args);
	}
	return dms_error_new(DMS_ERROR_USAGE, "unknown option '-%c'; see --help", letter);
}

static struct dms_error *parse_letters(struct cursor *cursor, const char *letters,
				       const struct target *targets, size_t n_targets)
{
	struct dms_error *err = NULL;

	while (!err && *letters)
		err = parse_letter(cursor, &letters, targets, n_targets);
	return err;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1]; /* "-" alone is an operand */
}

static struct dms_error *parse_option(struct cursor *cursor, const struct target *targets,
				      size_t n_targets)
{
	const char *word = cursor->argv[cursor->index++];

	if (word[1] == '-')
		return parse_long(cursor, word + 2, targets, n_targets);
	return parse_letters(cursor, word + 1, targets, n_targets);
}

struct dms_error *dms_common_parse(int argc, char **argv, struct dms_common_args *ret,
				   int *ret_index)
{
	struct target target = {dms_common_options, dms_n_common_options, ret};
	struct cursor cursor = {.argc = argc, .index = 1, .argv = argv};
	struct dms_error *err = NULL;

	while (!err && cursor.index < argc && is_option(argv[cursor.index])) {
		if (!strcmp(argv[cursor.index], "--")) {
			cursor.index++;
			break;
		}
		err = parse_option(&cursor, &target, 1);
	}
	*ret_index = cursor.index;
	return err;
}

static struct dms_error *check_operands(const struct dms_call *call)
{
	const struct dms_command *command = call->command;

	if (call->common.help || call->common.version)
		return NULL;
	if (call->n_operands < command->min_operands)
		return dms_error_new(DMS_ERROR_USAGE, "%s: too few arguments; usage: %s %s %s",
				     command->name, "dmascope", command->name, command->operands);
	if (call->n_operands > command->max_operands)
		return dms_error_new(DMS_ERROR_USAGE, "%s: unexpected argument '%s'", command->name,
				     call->operands[command->max_operands]);
	return NULL;
}

struct dms_error *dms_call_init(struct dms_call *call, const struct dms_command *command, int argc,
				char **argv)
{
	struct cursor cursor = {.argc = argc, .argv = argv};
	void *args = dms_zalloc(command->args_bytes);
	struct target targets[] = {
		{command->options, command->n_options, args},
		{dms_common_options, dms_n_common_options, &call->common},
	};
	bool options_end = false;
	struct dms_error *err;

	call->command = command;
	call->args = args;
	call->operands = dms_zalloc(((size_t)argc + 1) * sizeof(*call->operands));
	if (!args || !call->operands)
		return &dms_error_nomem;
	while (cursor.index < argc) {
		if (options_end || !is_option(argv[cursor.index])) {
			call->operands[call->n_operands++] = argv[cursor.index++];
		} else if (!strcmp(argv[cursor.index], "--")) {
			options_end = true;
			cursor.index++;
		} else {
			err = parse_option(&cursor, targets, DMS_ARRAY_SIZE(targets));
			if (err)
				return err;
		}
	}
	return check_operands(call);
}

void dms_call_deinit(struct dms_call *call)
{
	const struct dms_command *command = call->command;

	for (size_t i = 0; call->args && i < command->n_options; i++) {
		const struct dms_option *row = &command->options[i];

		/* several options may fill one list */
		if (row->type == DMS_OPT_LIST) {
			struct dms_strings *list =
				(struct dms_strings *)((char *)call->args + row->offset);

			dms_free(list->items);
			list->items = NULL;
		}
	}
	dms_free((void *)call->args);
	dms_free(call->operands);
}
