// SPDX-License-Identifier: LGPL-2.1-only
/* The event formats of the trace, written down again from what libtraceevent made of them. */
#include <stdio.h>
#include <string.h>

#include "plugin.h"

bool text_add(struct text *text, const char *fmt, ...)
{
	va_list args;
	char *added;
	size_t bytes;

	va_start(args, fmt);
	added = dms_vasprintf(fmt, args);
	va_end(args);
	bytes = added ? strlen(added) + 1 : 0;
	if (!added ||
	    !dms_grow(&text->at, &text->capacity, text->bytes + bytes, sizeof(*text->at))) {
		dms_free(added);
		return false;
	}
	memcpy(text->at + text->bytes, added, bytes);
	text->bytes += bytes - 1;
	dms_free(added);
	return true;
}

/* ---- allocation flags ------------------------------------------------------------------------ */

/* The one that matters to a rule; a list without it is not of allocation flags. */
static const char reclaim[] = "__GFP_DIRECT_RECLAIM";

static const struct tep_print_flag_sym *find_flag(const struct tep_print_flag_sym *flags,
						  const char *name)
{
	for (; flags; flags = flags->next) {
		if (flags->str && flags->value && !strcmp(flags->str, name))
			return flags;
	}
	return NULL;
}

/* More than a print format needs; a damaged one may make circles. */
#define MAX_DEPTH 16

/* __print_flags() stands alone, or in "flags ? __print_flags() : "none"". */
static const struct tep_print_flag_sym *gfp_flags_of(const struct tep_print_arg *arg, int depth)
{
	const struct tep_print_flag_sym *found = NULL;

	if (!arg || depth > MAX_DEPTH)
		return NULL;
	switch (arg->type) {
	case TEP_PRINT_FLAGS:
		return find_flag(arg->flags.flags, reclaim) ? arg->flags.flags : NULL;
	case TEP_PRINT_TYPE:
		return gfp_flags_of(arg->typecast.item, depth + 1);
	case TEP_PRINT_OP:
		found = gfp_flags_of(arg->op.left, depth + 1);
		return found ? found : gfp_flags_of(arg->op.right, depth + 1);
	default:
		return NULL;
	}
}

static const struct tep_print_flag_sym *gfp_flags_of_event(const struct tep_event *event)
{
	const struct tep_print_flag_sym *found = NULL;

	for (const struct tep_print_arg *arg = event->print_fmt.args; arg && !found;
	     arg = arg->next)
		found = gfp_flags_of(arg, 0);
	return found;
}

/* ---- fields ---------------------------------------------------------------------------------- */

/* The library puts the brackets of a fixed array behind its type. */
static bool add_field(struct text *text, const struct tep_format_field *field)
{
	bool is_fixed = field->flags & TEP_FIELD_IS_ARRAY && !(field->flags & TEP_FIELD_IS_DYNAMIC);

	return text_add(text, "\tfield:%s %s%s;\toffset:%d;\tsize:%d;\tsigned:%d;\n", field->type,
			field->name, is_fixed ? "[]" : "", field->offset, field->size,
			!!(field->flags & TEP_FIELD_IS_SIGNED));
}

static bool add_fields(struct text *text, const struct tep_format_field *fields)
{
	for (; fields; fields = fields->next) {
		if (!add_field(text, fields))
			return false;
	}
	return true;
}

/* trace-cmd adds a format of its own to those of the trace. */
static bool is_made_up(const struct tep_event *event)
{
	return !strcmp(event->system, "ftrace") && !strcmp(event->name, "blktrace");
}

static bool add_event(struct formats *formats, struct text *text, const struct tep_event *event)
{
	const struct tep_print_flag_sym *flags = gfp_flags_of_event(event), *flag;
	struct dms_format *format = &formats->items[formats->n_items];
	char *copy;

	text->bytes = 0;
	if (!add_fields(text, event->format.common_fields) ||
	    !add_fields(text, event->format.fields) || !text_add(text, "\nprint fmt: "))
		return false;
	flag = find_flag(flags, reclaim);
	if (flag && !text_add(text, "{%s, \"%s\"}", flag->value, flag->str))
		return false;
	if (flags && !formats->gfp_flags)
		formats->gfp_flags = flags;
	copy = dms_arena_alloc(formats->arena, text->bytes + 1);
	if (!copy)
		return false;
	memcpy(copy, text->at, text->bytes);
	*format = (struct dms_format){event->system, event->name, copy, text->bytes,
				      (uint32_t)event->id};
	formats->n_items++;
	if (!strcmp(event->system, "ftrace") && !strcmp(event->name, "kernel_stack"))
		formats->stack_type = (uint32_t)event->id;
	return true;
}

struct dms_error *formats_create(struct tep_handle *tep, struct tep_event *only,
				 struct formats *formats)
{
	int n_events = is_whole_library() ? tep_get_events_count(tep) : 1;
	struct text text = {0};
	bool is_done;

	*formats = (struct formats){.stack_type = UINT32_MAX, .arena = dms_arena_create()};
	formats->items = dms_zalloc(((size_t)n_events + 1) * sizeof(*formats->items));
	is_done = formats->arena && formats->items;
	for (int i = 0; is_done && i < n_events; i++) {
		const struct tep_event *event = is_whole_library() ? tep_get_event(tep, i) : only;

		if (event && event->system && event->name && !is_made_up(event))
			is_done = add_event(formats, &text, event);
	}
	dms_free(text.at);
	return is_done ? NULL : &dms_error_nomem;
}

void formats_destroy(struct formats *formats)
{
	dms_free(formats->items);
	dms_arena_destroy(formats->arena);
	*formats = (struct formats){0};
}
