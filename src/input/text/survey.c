// SPDX-License-Identifier: LGPL-2.1-only
/* The first pass over a text dump: what it holds, and in which order. */
#include <stdio.h>
#include <stdlib.h>

#include "survey.h"

static struct dms_error *prepare(struct text_survey *survey)
{
	survey->shapes = text_shapes_create();
	survey->symbols = text_symbols_create();
	survey->comms = text_comms_create();
	survey->has_flags = true;
	survey->has_addresses = true;
	return survey->shapes && survey->symbols && survey->comms ? NULL : &dms_error_nomem;
}

void text_survey_deinit(struct text_survey *survey)
{
	text_shapes_destroy(survey->shapes);
	text_symbols_destroy(survey->symbols);
	text_comms_destroy(survey->comms);
}

static void note_trouble(struct text_trouble *trouble, const struct text_reader *reader)
{
	if (trouble->count++)
		return;
	trouble->offset = reader->offset;
	trouble->why = reader->why;
}

/* ---- headers and messages of the kernel ------------------------------------------------------ */

/* Where @word ends in the line; NULL: it is not there. */
static const char *behind(const struct text_reader *reader, const char *word)
{
	const char *at = reader->len ? memmem(reader->line, reader->len, word, strlen(word)) : NULL;

	return at ? at + strlen(word) : NULL;
}

/* The number behind @word, if there is one. */
static bool number_behind(const struct text_reader *reader, const char *word, uint64_t *ret)
{
	const char *at = behind(reader, word), *end = reader->line + reader->len;

	*ret = 0;
	while (at && at < end && *at == ' ')
		at++;
	if (!at || at == end || *at < '0' || *at > '9')
		return false;
	for (; at < end && *at >= '0' && *at <= '9' && *ret < UINT64_MAX / 16; at++)
		*ret = *ret * 10 + (uint64_t)(*at - '0');
	return true;
}

/* A kernel's release: the word behind @at. */
static void note_release(struct text_survey *survey, const struct text_reader *reader,
			 const char *at)
{
	const char *end = reader->line + reader->len;
	size_t len = 0;

	while (at + len < end && len < sizeof(survey->release) - 1 &&
	       (unsigned char)at[len] > ' ' && (unsigned char)at[len] < 0x7f)
		len++;
	if (!len || *at < '0' || *at > '9')
		return;
	memcpy(survey->release, at, len);
	survey->release[len] = '\0';
}

/* Lines of the tracer's own: "# entries-in-buffer/entries-written: 1974/1974   #P:2" */
static void read_note(struct text_survey *survey, const struct text_reader *reader)
{
	static const char *const cpus[] = {"#P:", "cpus=", "# nrcpus online :", "# nrcpus avail :"};
	const char *release = behind(reader, "# os release : ");
	uint64_t number;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(cpus); i++) {
		if (number_behind(reader, cpus[i], &number) && number <= TEXT_MAX_CPUS &&
		    number > survey->n_cpus)
			survey->n_cpus = (uint32_t)number;
	}
	if (number_behind(reader, "entries-in-buffer/entries-written:", &number))
		survey->n_promised += number;
	if (release)
		note_release(survey, reader, release);
}

/* A console log tells the kernel; of several boots the last one before the trace. */
static void read_message(struct text_survey *survey, const struct text_reader *reader)
{
	const char *release;

	if (survey->n_events)
		return;
	release = behind(reader, "Linux version ");
	if (release)
		note_release(survey, reader, release);
}

/* ---- events ---------------------------------------------------------------------------------- */

static bool is_called(const struct text_value *value, const char *name)
{
	return strlen(name) == value->name_len && !memcmp(value->name, name, value->name_len);
}

/*
 * A failed map logs all ones in the kernel's dma_addr_t. Where that is ffffffff nothing else in
 * the trace has more than 32 bits.
 */
static void note_width(const struct text_body *body, bool *is_wide, bool *is_narrow)
{
	const struct text_value *dma_addr = NULL;
	uint64_t size = 0;

	for (uint32_t i = 0; i < body->n_values; i++) {
		const struct text_value *value = &body->values[i];
		uint64_t number = value->type == TEXT_LIST && value->n_list ? value->list[0]
				  : value->type == TEXT_NUMBER		    ? value->number
									    : 0;

		*is_wide |= number > UINT32_MAX && !value->is_signed;
		if (is_called(value, "dma_addr"))
			dma_addr = value;
		else if (is_called(value, "size"))
			size = number;
	}
	if (dma_addr && dma_addr->number == UINT32_MAX && size > 1)
		*is_narrow = true;
}

static void note_head(struct text_survey *survey, const struct text_reader *reader)
{
	const struct text_head *head = &reader->item.head;
	const char *dialect = reader->state.is_in_dump ? "console dump"
			      : reader->state.dialect  ? reader->state.dialect->name
						       : "unknown";

	if (!survey->dialect)
		survey->dialect = dialect;
	survey->has_dialects |= strcmp(survey->dialect, dialect) != 0;
	if (head->cpu >= survey->n_cpus)
		survey->n_cpus = head->cpu + 1;
	if (head->resolution_ns > survey->resolution_ns)
		survey->resolution_ns = head->resolution_ns;
	survey->is_in_ticks |= head->is_in_ticks;
	survey->has_flags &= head->has_flags;
}

static struct dms_error *note_event(struct text_survey *survey, struct text_reader *reader,
				    const struct text_state *state)
{
	const struct text_head *head = &reader->item.head;
	const struct text_shape *shape;
	struct dms_error *err;

	text_symbols_settle(survey->symbols, &reader->body);
	if ((err = text_shapes_add(survey->shapes, head, &reader->body, &shape)))
		return err;
	if (!shape) {
		note_trouble(&survey->crowded, reader);
		text_stacks_skip(&survey->stacks);
		return NULL;
	}
	survey->n_events++;
	survey->n_unknown += !reader->body.n_values;
	note_head(survey, reader);
	text_order_event(&survey->order, head->ts, reader->offset, state);
	text_stacks_event(&survey->stacks, head);
	return text_comms_note(survey->comms, head->pid, head->comm) ? NULL : &dms_error_nomem;
}

static void note_frame(struct text_survey *survey, const struct text_item *item)
{
	uint64_t event = text_stacks_line(&survey->stacks, item);
	uint32_t lag = (uint32_t)(survey->stacks.n_events - event) + 1;

	if (!event)
		return;
	if (lag > survey->lag)
		survey->lag = lag;
	if (item->kind != TEXT_FRAME || !text_frame_is_kernel(&item->frame))
		return;
	survey->has_addresses &= item->frame.has_address;
	text_symbols_add(survey->symbols, &item->frame);
}

/** How a kind of line is counted. */
struct line_counts {
	bool is_wide, is_narrow;
};

static struct dms_error *note_line(struct text_survey *survey, struct text_reader *reader,
				   const struct text_state *state, struct line_counts *counts)
{
	switch (reader->item.kind) {
	case TEXT_EVENT:
		survey->n_entries++;
		note_width(&reader->body, &counts->is_wide, &counts->is_narrow);
		return note_event(survey, reader, state);
	case TEXT_STACK:
		survey->n_entries++;
		note_frame(survey, &reader->item);
		break;
	case TEXT_FRAME:
	case TEXT_END_OF_STACK:
		note_frame(survey, &reader->item);
		break;
	case TEXT_WRITTEN:
		survey->lost += reader->item.lost;
		read_note(survey, reader);
		break;
	case TEXT_NOTE:
		read_note(survey, reader);
		break;
	case TEXT_CUT:
		survey->n_entries++;
		note_trouble(&survey->cut, reader);
		text_stacks_skip(&survey->stacks);
		break;
	case TEXT_FOREIGN:
		survey->n_entries++;
		read_message(survey, reader);
		if (reader->why)
			note_trouble(&survey->strange, reader);
		break;
	case TEXT_LOST:
		break;
	}
	return NULL;
}

struct dms_error *text_survey(struct text_survey *survey, const struct file *file)
{
	struct line_counts counts = {0};
	struct text_reader reader;
	struct text_state state;
	struct dms_error *err;

	if ((err = prepare(survey)) || (err = text_reader_open(&reader, file, 0, file->size)))
		return err;
	for (;;) {
		state = reader.state;
		if ((err = text_reader_next(&reader)) || reader.is_end ||
		    (err = note_line(survey, &reader, &state, &counts)))
			break;
		survey->is_open |= reader.is_open;
	}
	text_reader_close(&reader);
	if (!err && text_symbols_failed(survey->symbols))
		err = &dms_error_nomem;
	text_order_end(&survey->order, file->size);
	survey->is_32bit = counts.is_narrow && !counts.is_wide;
	return err;
}
