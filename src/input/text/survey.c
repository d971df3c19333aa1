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
	memset(survey->first_ts, 0xff, sizeof(survey->first_ts));
	return survey->shapes && survey->symbols && survey->comms ? NULL : &dms_error_nomem;
}

void text_survey_deinit(struct text_survey *survey)
{
	text_shapes_destroy(survey->shapes);
	text_symbols_destroy(survey->symbols);
	text_comms_destroy(survey->comms);
	text_losses_deinit(&survey->losses);
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

	while (at + len < end && len < TEXT_RELEASE_BYTES - 1 &&
	       (unsigned char)at[len] > ' ' && (unsigned char)at[len] < 0x7f)
		len++;
	if (!len || *at < '0' || *at > '9')
		return;
	memcpy(survey->newest_release, at, len);
	survey->newest_release[len] = '\0';
}

static bool begins_with(const struct text_reader *reader, const char *word)
{
	return reader->len >= strlen(word) && !memcmp(reader->line, word, strlen(word));
}

/* Lines of the tracer's own: "# entries-in-buffer/entries-written: 1974/1974   #P:2" */
static void read_note(struct text_survey *survey, const struct text_reader *reader)
{
	static const char *const cpus[] = {"#P:", "cpus=", "# nrcpus online :", "# nrcpus avail :"};
	static const struct {
		const char *line, *dialect;
	} headers[] = {{"# tracer:", "tracefs"}, {"cpus=", "trace-cmd report"}};
	const char *release = behind(reader, "# os release : ");
	uint64_t number;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(cpus); i++) {
		if (number_behind(reader, cpus[i], &number) && number <= TEXT_MAX_CPUS &&
		    number > survey->n_cpus)
			survey->n_cpus = (uint32_t)number;
	}
	if (release)
		note_release(survey, reader, release);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(headers); i++) {
		if (!begins_with(reader, headers[i].line))
			continue;
		survey->headed = headers[i].dialect;
		text_buffers_header(&survey->buffers, reader->offset);
	}
}

/* "entries-in-buffer/entries-written: 170/2506" */
static void read_counts(struct text_survey *survey, const struct text_item *item)
{
	struct text_counted *counted = &survey->counted;

	if (!counted->n_headers++) {
		counted->first_kept = item->kept;
		counted->first_lost = item->lost;
	}
	counted->are_different |= counted->first_kept != item->kept ||
				  counted->first_lost != item->lost;
	counted->kept += item->kept;
	counted->lost += item->lost;
}

static void sum_up(struct text_survey *survey)
{
	const struct text_counted *counted = &survey->counted;
	uint64_t kept = counted->are_different ? counted->kept : counted->first_kept;

	survey->lost = counted->are_different ? counted->lost : counted->first_lost;
	survey->n_missing = kept > survey->n_entries ? kept - survey->n_entries : 0;
}

/* A console log tells the kernel; of several boots the last one before the trace. */
static void read_message(struct text_survey *survey, const struct text_reader *reader)
{
	const char *release = behind(reader, "Linux version ");

	if (release)
		note_release(survey, reader, release);
}

/* ---- events ---------------------------------------------------------------------------------- */

/*
 * A failed map logs all ones in the kernel's dma_addr_t. Where that is ffffffff nothing else in
 * the trace has more than 32 bits.
 */
static void note_bits(const struct text_body *body, bool *is_wide, bool *is_narrow)
{
	const struct text_value *dma_addr = NULL;
	uint64_t size = 0;

	for (uint32_t i = 0; i < body->n_values; i++) {
		const struct text_value *value = &body->values[i];
		uint64_t number = value->type == TEXT_LIST && value->n_list ? value->list[0]
				  : value->type == TEXT_NUMBER		    ? value->number
									    : 0;

		*is_wide |= number > UINT32_MAX && !value->is_signed;
		if (text_value_is(value, "dma_addr"))
			dma_addr = value;
		else if (text_value_is(value, "size"))
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
	survey->n_cpus_seen += survey->first_ts[head->cpu] == UINT64_MAX;
	if (head->ts < survey->first_ts[head->cpu])
		survey->first_ts[head->cpu] = head->ts;
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
	if (!survey->n_events++)
		memcpy(survey->release, survey->newest_release, sizeof(survey->release));
	survey->n_unknown += !reader->body.n_values;
	note_head(survey, reader);
	text_order_event(&survey->order, head->ts, reader->offset, state);
	text_buffers_event(&survey->buffers, reader);
	text_losses_event(&survey->losses, head->cpu, head->ts);
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

static void note_width(struct text_widths *widths, const struct text_reader *reader)
{
	bool is_cut = reader->item.kind == TEXT_CUT;

	if (reader->len > widths->longest)
		*widths = (struct text_widths){.longest = reader->len};
	if (reader->len < widths->longest)
		return;
	widths->n_events += !is_cut;
	widths->n_cut += is_cut;
}

/*
 * Were lines cut at a column (a terminal's, a mail's)? Then several are as long as the longest, and
 * some of them break off where a word is missing. In the others a number may have lost its end.
 */
static uint32_t find_column(const struct text_widths *widths)
{
	return widths->n_cut && widths->n_cut + widths->n_events > 2 ? widths->longest : 0;
}

static struct dms_error *note_line(struct text_survey *survey, struct text_reader *reader,
				   const struct text_state *state, struct line_counts *counts)
{
	if (reader->item.kind == TEXT_EVENT || reader->item.kind == TEXT_CUT)
		note_width(&survey->widths, reader);
	switch (reader->item.kind) {
	case TEXT_EVENT:
		survey->n_entries++;
		note_bits(&reader->body, &counts->is_wide, &counts->is_narrow);
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
		read_counts(survey, &reader->item);
		read_note(survey, reader);
		break;
	case TEXT_NOTE:
		survey->n_entries += reader->item.is_entry;
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
		if (!text_losses_mark(&survey->losses, reader->offset, reader->item.cpu,
				      reader->item.lost))
			return &dms_error_nomem;
		break;
	}
	return NULL;
}

/* What the lines from @survey's offset to its end hold; @dumps: all of the file, or NULL. */
static struct dms_error *survey_lines(struct text_survey *survey, const struct file *file,
				      struct text_dumps *dumps)
{
	struct line_counts counts = {0};
	struct text_reader reader;
	struct text_state state;
	struct dms_error *err;

	if ((err = prepare(survey)) ||
	    (err = text_reader_open(&reader, file, survey->offset, survey->end)))
		return err;
	reader.column = survey->column;
	for (;;) {
		state = reader.state;
		if ((err = text_reader_next(&reader)) || reader.is_end ||
		    (err = note_line(survey, &reader, &state, &counts)))
			break;
		survey->is_open |= reader.is_open;
		if (dumps)
			text_dumps_line(dumps, &reader, survey->newest_release);
	}
	text_reader_close(&reader);
	if (!err && text_symbols_failed(survey->symbols))
		err = &dms_error_nomem;
	text_order_end(&survey->order, survey->offset, survey->end);
	text_losses_end(&survey->losses);
	survey->is_32bit = counts.is_narrow && !counts.is_wide;
	sum_up(survey);
	if (!survey->n_entries) /* nothing was traced, and the tracer says so */
		survey->dialect = survey->headed;
	if (!err)
		survey->n_torn = text_shapes_mark_torn(survey->shapes);
	return err;
}

/* Survey from @offset to @end alone, lines being cut at @column. */
static struct dms_error *survey_again(struct text_survey *survey, const struct file *file,
				      uint64_t offset, uint64_t end, uint32_t column)
{
	text_survey_deinit(survey);
	memset(survey, 0, sizeof(*survey));
	survey->offset = offset;
	survey->end = end;
	survey->column = column;
	return survey_lines(survey, file, NULL);
}

static struct dms_error *survey_dump(struct text_survey *survey, const struct file *file,
				     const struct text_dump *dump)
{
	struct dms_error *err = survey_again(survey, file, dump->offset, dump->end, 0);

	if (!err && !*survey->release)
		memcpy(survey->release, dump->release, sizeof(survey->release));
	return err;
}

/* Once more, without what a cut at a column may have changed. */
static struct dms_error *survey_columns(struct text_survey *survey, const struct file *file)
{
	uint32_t column = find_column(&survey->widths);

	return column ? survey_again(survey, file, survey->offset, survey->end, column) : NULL;
}

/*
 * Times in a dump count from its first event, and dumps of one log may hold the same events: one of
 * them can be read, and not together with others. A dump without its end may have it before it: the
 * parts of a pstore record come in any order.
 */
struct dms_error *text_survey(struct text_survey *survey, const struct file *file)
{
	struct text_dumps dumps = {0};
	const struct text_dump *dump;
	bool is_alone;
	struct dms_error *err;

	survey->end = file->size;
	err = survey_lines(survey, file, &dumps);
	dump = text_dumps_choose(&dumps);
	if (err || !dump)
		return err ? err : survey_columns(survey, file);
	is_alone = dumps.n_dumps == 1 && !(dumps.n_outside && dump->is_complete);
	if (!is_alone && (err = survey_dump(survey, file, dump)))
		return err;
	survey->n_dumps = dumps.n_dumps;
	survey->n_left_out = is_alone ? 0 : dumps.n_outside;
	survey->is_dump_cut = !dump->is_complete && !(is_alone && dumps.n_outside);
	return NULL;
}
