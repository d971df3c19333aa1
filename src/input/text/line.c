// SPDX-License-Identifier: LGPL-2.1-only
/*
 * What a line of a text dump is. Where a line ends is all that tells whether it is whole: a line
 * that was cut inside its last number looks like one with a shorter number. So the last line of a
 * file that does not end in a newline is for text.c to drop, and a console's line that lost its
 * end but got a newline is noticed only if a word of its event is missing (text_body.c).
 */
#include "local.h"

static const struct text_dialect text_dialects[] = {
	{"tracefs", read_tracefs},
	{"trace-cmd report", read_trace_cmd},
	{"perf script", read_perf},
	{"ftrace latency format", read_latency},
	{"ftrace latency format, verbose", read_verbose},
};

/* ---- lines of the tracer's own --------------------------------------------------------------- */

/* "entries-in-buffer/entries-written: 170/2506", "#170/2506, CPU#0": what is missing */
static bool read_written(struct scan scan, struct text_item *ret)
{
	static const char words[] = "entries-in-buffer/entries-written:";
	uint64_t kept, written;

	if (scan_text(&scan, words, sizeof(words) - 1)) {
		scan_blanks(&scan);
	} else if (scan_word(&scan, "latency: ")) {
		const char *at = memchr(scan.at, '#', scan_left(&scan));

		scan.at = at ? at + 1 : scan.end;
	} else {
		return false;
	}
	if (!scan_decimal(&scan, &kept) || !scan_char(&scan, '/') ||
	    !scan_decimal(&scan, &written) || written < kept)
		return false;
	ret->kind = TEXT_WRITTEN;
	ret->lost = written - kept;
	ret->kept = kept;
	ret->cpu = UINT32_MAX;
	return true;
}

/* "# tracer: nop", "##### CPU 2 buffer started ####", "cpus=2", "version = 6" */
static bool read_note(struct text_state *state, struct scan scan, struct text_item *ret)
{
	uint32_t value;

	ret->kind = TEXT_NOTE;
	if (scan_is(&scan, '#')) {
		while (scan_char(&scan, '#'))
			;
		scan_blanks(&scan);
		read_written(scan, ret);
		return true;
	}
	if (scan_word(&scan, "cpus=")) {
		state->words[WORD_IS_TRACE_CMD] = 1;
		return scan_u32(&scan, &value) && scan_is_end(&scan);
	}
	if (scan_word(&scan, "version = "))
		return scan_u32(&scan, &value) && scan_is_end(&scan);
	if (scan_begins(&scan, "Dumping ftrace ", 15)) {
		state->is_in_dump = true;
		state->n_dumps++;
		state->words[WORD_N_MARKS] = 0;
		return true;
	}
	if (!scan_begins(&scan, "---------------------------------", 33))
		return false;
	if (++state->words[WORD_N_MARKS] == 2) /* before the dump and behind it */
		state->is_in_dump = false;
	return true;
}

/*
 * "CPU:1 [LOST 54 EVENTS]", "CPU:1 [LOST EVENTS]" of the kernel, "CPU:0 [54 EVENTS DROPPED]",
 * "CPU:0 [EVENTS DROPPED]" of trace-cmd
 */
static bool read_lost(struct scan scan, struct text_item *ret)
{
	const char *at;
	bool is_lost;

	if (scan_left(&scan) < 16)
		return false;
	scan_blanks(&scan);
	if (!scan_begins(&scan, "CPU:", 4)) { /* behind the name of a buffer */
		at = memmem(scan.at, scan_left(&scan), ": ", 2);
		if (!at || at - scan.at > 64)
			return false;
		scan.at = at + 2;
		scan_blanks(&scan);
	}
	if (!scan_word(&scan, "CPU:") || !scan_u32(&scan, &ret->cpu) || !scan_word(&scan, " ["))
		return false;
	ret->kind = TEXT_LOST;
	ret->lost = 0;
	is_lost = scan_word(&scan, "LOST ");
	if (scan_decimal(&scan, &ret->lost) && !scan_char(&scan, ' '))
		return false;
	return is_lost ? scan_word(&scan, "EVENTS]") : scan_word(&scan, "EVENTS DROPPED]");
}

/* "PERF_RECORD_LOST lost 23" behind a head that ends at @scan; the head's CPU is @cpu. */
static bool read_perf_lost(struct scan scan, struct scan cpu, struct text_item *ret)
{
	if (!scan_word(&scan, "LOST") || !scan_u32(&cpu, &ret->cpu))
		return false;
	scan_word(&scan, "_SAMPLES");
	scan_blanks(&scan);
	if (!scan_word(&scan, "lost") || (scan_word(&scan, "-samples"), !scan_char(&scan, ' ')) ||
	    !scan_decimal(&scan, &ret->lost))
		return false;
	ret->kind = TEXT_LOST;
	return true;
}

/* perf script --show-task-events and its kin: of no use here, but for losses. */
static void read_perf_record(struct scan scan, struct text_item *ret)
{
	static const char words[] = ": PERF_RECORD_";
	const char *at = memmem(scan.at, scan_left(&scan), words, sizeof(words) - 1), *bracket;

	if (!at)
		return;
	ret->kind = TEXT_NOTE;
	bracket = memrchr(scan.at, '[', (size_t)(at - scan.at));
	if (bracket)
		read_perf_lost((struct scan){at + sizeof(words) - 1, scan.end},
			       (struct scan){bracket + 1, at}, ret);
}

/* Option raw: "862 0 185425994217 type: 381": process, processor, clock, and no field's name */
static bool is_raw(struct scan scan)
{
	uint64_t value;

	for (int i = 0; i < 3; i++) {
		if (!scan_decimal(&scan, &value) || !scan_char(&scan, ' '))
			return false;
	}
	return scan_word(&scan, "type: ") || scan_is(&scan, '?');
}

/* A decimal point and a clock's decimals before @colon, a thread's number before it. */
static bool is_clock_of_perf(const char *line, const char *colon)
{
	const char *at = colon;

	while (at > line && is_digit(at[-1]))
		at--;
	if (colon - at < 6 || at == line || *--at != '.')
		return false;
	while (at > line && is_digit(at[-1]))
		at--;
	while (at > line && is_blank(at[-1]))
		at--;
	return at > line && is_digit(at[-1]);
}

/* perf script without the field cpu */
static bool is_without_cpu(struct scan scan)
{
	const char *colon = memchr(scan.at, ':', scan_left(&scan));
	struct text_head head = {0};

	for (int i = 0; colon && i < 3; i++) {
		struct scan behind = {colon + 1, scan.end};

		if (is_clock_of_perf(scan.at, colon))
			return read_name(&behind, &head) == TRY_NOTHING && head.system.len;
		colon = memchr(behind.at, ':', scan_left(&behind));
	}
	return false;
}

/* tracefs with option context-info off: "dma_map_page: 0000:00:05.0 dir=..." */
static bool is_without_head(struct scan scan)
{
	struct text_head head = {0};

	return read_name(&scan, &head) == TRY_NOTHING && head.name.len > 5 && head.body.len &&
	       is_known_event(&head);
}

/** A form of a trace that lacks what we cannot do without. */
struct unusable {
	bool (*is_like)(struct scan scan);
	const char *reason;
};

static const struct unusable unusable_forms[] = {
	{is_raw, "written with tracefs option raw: its fields have no names"},
	{is_without_cpu, "its CPU is not told: perf script -F +cpu writes it"},
	{is_without_head, "its task, CPU and time are not told: tracefs option context-info is off"},
};

/* What only the words of an event hold: the line is the rest of one that was torn. */
static bool is_rest(struct scan scan)
{
	static const char *const words[] = {"dma_addr=", "phys_addr=", " attrs=", "dev_addr=",
					    "unmapped_size=", "dma_addrs=", "phys_addrs="};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(words); i++) {
		if (memmem(scan.at, scan_left(&scan), words[i], strlen(words[i])))
			return true;
	}
	return false;
}

static const char *reason_of(struct scan scan)
{
	scan_blanks(&scan);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(unusable_forms); i++) {
		if (unusable_forms[i].is_like(scan))
			return unusable_forms[i].reason;
	}
	return NULL;
}

/* ---- events ---------------------------------------------------------------------------------- */

/* A head whose event is a call stack: frames follow. False: it is none. */
static bool is_stack(struct text_state *state, struct text_item *item)
{
	const struct text_head *head = &item->head;
	bool is_user = piece_begins(&head->body, "<user stack trace", 17);

	if (!is_user && !piece_begins(&head->body, "<stack trace", 12))
		return false;
	item->kind = is_user ? TEXT_NOTE : TEXT_STACK;
	item->is_entry = is_user;
	state->is_in_stack = true;
	state->words[WORD_IS_USER_STACK] = is_user;
	return true;
}

static void take_event(struct text_state *state, struct text_item *item)
{
	state->is_in_stack = false;
	state->words[WORD_IS_USER_STACK] = 0;
	if (is_stack(state, item))
		return;
	if (item->head.name.len) {
		item->kind = TEXT_EVENT;
		/* perf's frames follow without a word */
		state->is_in_stack = state->dialect->read_head == read_perf;
	} else {
		item->kind = TEXT_FOREIGN;
	}
}

static bool read_head(struct text_state *state, const struct scan *line, struct text_item *item)
{
	size_t len = scan_left(line);

	state->tries = TRY_NOTHING;
	if (state->dialect && state->dialect->read_head(state, line->at, len, &item->head))
		return true;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(text_dialects); i++) {
		const struct text_dialect *dialect = &text_dialects[i];

		if (dialect == state->dialect ||
		    !dialect->read_head(state, line->at, len, &item->head))
			continue;
		state->dialect = dialect;
		return true;
	}
	return false;
}

static bool read_empty(struct text_state *state, const struct scan *line, struct text_item *item)
{
	if (!scan_is_end(line) && (unsigned char)line->end[-1] > ' ')
		return false; /* as nearly always */
	if (trimmed(line->at, line->end).len)
		return false;
	item->kind = state->is_in_stack ? TEXT_END_OF_STACK : TEXT_FOREIGN;
	state->is_in_stack = false;
	return true;
}

/*
 * perf does not say where a program's frames begin if it knows no file: the kernel's addresses have
 * their highest bit set (but on 32 bits and s390, where nothing is told), and come first.
 */
static bool is_of_program(struct text_state *state, const struct text_frame *frame)
{
	bool is_high = frame->has_address && frame->address >> 63;

	if (state->words[WORD_IS_USER_STACK])
		return true;
	if (!state->dialect || state->dialect->read_head != read_perf)
		return false;
	state->words[WORD_HAS_HIGH] |= is_high;
	return frame->has_address && !is_high && state->words[WORD_HAS_HIGH];
}

static bool read_stack_line(struct text_state *state, const struct scan *line,
			    struct text_item *item)
{
	bool is_user;

	if (!read_frame(*line, &is_user, &item->frame)) {
		item->kind = TEXT_NOTE; /* a program's may be anything: " => /usr/bin/sh[+0x12]" */
		return state->words[WORD_IS_USER_STACK] && scan_begins(line, " => ", 4);
	}
	is_user |= is_of_program(state, &item->frame);
	state->words[WORD_IS_USER_STACK] = is_user; /* what comes behind is no kernel's */
	item->kind = is_user ? TEXT_NOTE : TEXT_FRAME;
	return true;
}

void text_read_line(struct text_state *state, const char *line, size_t len, struct text_item *ret)
{
	struct scan scan = {line, line + len};

	ret->kind = TEXT_FOREIGN;
	ret->reason = NULL;
	ret->is_entry = false;
	while (scan.end > scan.at && (scan.end[-1] == '\r' || scan.end[-1] == '\n'))
		scan.end--;
	if (!scan_is_end(&scan) && !is_blank(*scan.at))
		skip_prefix(&scan);
	if (read_empty(state, &scan, ret) || read_stack_line(state, &scan, ret))
		return;
	if (read_head(state, &scan, ret)) {
		take_event(state, ret);
		return;
	}
	if (read_note(state, scan, ret) || read_lost(scan, ret))
		return;
	ret->kind = TEXT_FOREIGN;
	if (state->tries == TRY_OTHER) {
		read_perf_record(scan, ret);
	} else if (state->tries == TRY_BROKEN) {
		ret->kind = TEXT_CUT;
		ret->reason = "the line breaks off, or another one is in the middle of it";
	} else {
		ret->reason = reason_of(scan);
		if (state->dialect && (ret->reason || is_rest(scan))) {
			ret->kind = TEXT_CUT;
			ret->reason = "it is the rest of a torn line";
		}
	}
}
