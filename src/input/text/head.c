// SPDX-License-Identifier: LGPL-2.1-only
/*
 * The head of an event's line: task, processor, clock and name, as kernels and tools write them.
 * A command's name may hold anything, "a-1 [000] 1.0: x" too. What tells is that it has at most 15
 * bytes (TASK_COMM_LEN), so that the last thing that looks like a task within the first 16 columns
 * is the task. Source: kernel/trace/trace_output.c of Linux 6.12 to 7.2, and their output.
 */
#include "local.h"

#define COMM_COLUMNS 16
/* comm, dash or blank, a process id in its column, (tgid) */
#define MAX_TASK_COLUMNS (COMM_COLUMNS + 32)

static bool note(struct text_state *state, enum head_try outcome)
{
	if (outcome != TRY_NOTHING)
		state->tries = (uint8_t)outcome;
	return outcome == TRY_NOTHING;
}

/* ---- "comm-pid [cpu]" and "comm pid [cpu]" --------------------------------------------------- */

/** What stands before the clock. */
struct place {
	struct text_piece comm;
	const char *separator; /* behind the comm */
	const char *behind;
	uint32_t pid, cpu;
	bool has_dash;
};

/* Digits that end at *@at, which is moved before them. */
static bool digits_before(const char *line, const char **at, uint32_t *ret)
{
	struct scan digits = {*at, *at};

	while (digits.at > line && is_digit(digits.at[-1]))
		digits.at--;
	*at = digits.at;
	return scan_u32(&digits, ret) && *ret <= INT32_MAX;
}

static const char *blanks_before(const char *line, const char *at)
{
	while (at > line && is_blank(at[-1]))
		at--;
	return at;
}

/* Option record-tgid: "(   1234) " or "(-------) " */
static const char *tgid_before(const char *line, const char *at)
{
	const char *open = at - 1;

	if (at == line || *open != ')')
		return at;
	while (open > line && at - open <= 13 && (is_digit(open[-1]) || is_blank(open[-1]) ||
						  open[-1] == '-'))
		open--;
	if (open == line || open[-1] != '(')
		return at;
	return blanks_before(line, open - 1);
}

/* What is before comm's columns belongs to somebody else: the name of a buffer, a torn line. */
static struct text_piece comm_before(const char *line, const char *separator)
{
	if (separator - line > COMM_COLUMNS)
		line = separator - COMM_COLUMNS;
	return trimmed(line, separator);
}

/* The task before @bracket. */
static bool task_before(const char *line, const char *bracket, struct place *ret)
{
	const char *at = tgid_before(line, blanks_before(line, bracket));
	uint32_t pid;

	if (at == bracket || !digits_before(line, &at, &ret->pid))
		return false;
	ret->has_dash = at > line && at[-1] == '-';
	if (at > line && at[-1] == '/') { /* perf: process/thread */
		at--;
		if (!digits_before(line, &at, &pid))
			return false;
	}
	if (!ret->has_dash && at > line && !is_blank(at[-1]))
		return false;
	ret->separator = ret->has_dash ? at - 1 : blanks_before(line, at);
	ret->comm = comm_before(line, ret->separator);
	return ret->comm.len > 0 || !ret->has_dash || ret->separator - line == COMM_COLUMNS;
}

/* "000]": three digits at least; eight are no processor, see read_verbose(). */
static bool cpu_at(const char *at, const char *end, struct place *ret)
{
	struct scan scan = {at, end};

	if (!scan_u32(&scan, &ret->cpu) || scan.at - at < 3 || scan.at - at > 5 ||
	    !scan_char(&scan, ']'))
		return false;
	ret->behind = scan.at;
	return true;
}

static const char *next_bracket(const char *at, const char *end)
{
	return at < end ? memchr(at, '[', (size_t)(end - at)) : NULL;
}

static bool find_place(const char *line, size_t len, struct place *ret)
{
	const char *end = line + len, *last = end;
	bool is_found = false;
	struct place place;

	for (const char *at = next_bracket(line, end); at; at = next_bracket(at + 1, last)) {
		if (!cpu_at(at + 1, end, &place) || !task_before(line, at, &place))
			continue;
		if (is_found && place.separator - line > COMM_COLUMNS)
			break;
		*ret = place;
		is_found = true;
		if (len > MAX_TASK_COLUMNS) /* no other can be nearer */
			last = line + MAX_TASK_COLUMNS;
	}
	return is_found;
}

static void take_place(const struct place *place, struct text_head *head)
{
	*head = (struct text_head){.comm = place->comm, .pid = place->pid, .cpu = place->cpu};
}

static bool read_dashed(struct text_state *state, const struct place *place, const char *end,
			struct text_head *ret)
{
	struct scan scan = {place->behind, end};
	enum head_try outcome;

	take_place(place, ret);
	scan_blanks(&scan);
	if (!scan_is_end(&scan) && !is_digit(*scan.at) && !skip_flags(&scan, ret))
		return note(state, TRY_BROKEN);
	outcome = read_clock(&scan, ret);
	return note(state, outcome ? outcome : read_name(&scan, ret));
}

bool read_tracefs(struct text_state *state, const char *line, size_t len, struct text_head *ret)
{
	struct place place;

	if (state->words[WORD_IS_TRACE_CMD] || !find_place(line, len, &place) || !place.has_dash)
		return false;
	return read_dashed(state, &place, line + len, ret);
}

/* The kernel's own form but for the letters, which trace-cmd before 3.2 leaves out. */
bool read_trace_cmd(struct text_state *state, const char *line, size_t len, struct text_head *ret)
{
	struct place place;

	if (!state->words[WORD_IS_TRACE_CMD] || !find_place(line, len, &place) || !place.has_dash)
		return false;
	return read_dashed(state, &place, line + len, ret);
}

/* perf script -F +period: a number before the event's name */
static void skip_period(struct scan *scan)
{
	struct scan ahead;
	uint64_t period;

	scan_blanks(scan);
	ahead = *scan;
	if (scan_decimal(&ahead, &period) && !scan_is_end(&ahead) && is_blank(*ahead.at))
		*scan = ahead;
}

/* perf script -F +misc: "K", "U", in a column of six */
static void skip_misc(struct scan *scan)
{
	struct scan ahead;

	scan_blanks(scan);
	ahead = *scan;
	while (!scan_is_end(&ahead) && *ahead.at >= 'A' && *ahead.at <= 'Z')
		ahead.at++;
	if (ahead.at - scan->at <= 5 && !scan_is_end(&ahead) && is_blank(*ahead.at))
		*scan = ahead;
}

bool read_perf(struct text_state *state, const char *line, size_t len, struct text_head *ret)
{
	struct place place;
	struct scan scan;
	enum head_try outcome;

	if (!find_place(line, len, &place) || place.has_dash)
		return false;
	take_place(&place, ret);
	scan = (struct scan){place.behind, line + len};
	skip_misc(&scan);
	outcome = read_clock(&scan, ret);
	if (outcome)
		return note(state, outcome);
	skip_period(&scan);
	scan_blanks(&scan);
	if (scan_begins(&scan, "PERF_RECORD_", 12)) /* --show-task-events and its kin */
		return note(state, TRY_OTHER);
	outcome = read_name(&scan, ret);
	return note(state, outcome || ret->system.len ? outcome : TRY_BROKEN);
}

/* ---- latency format -------------------------------------------------------------------------- */

/* "-879       0b..1." at the dash */
static bool latency_at(const char *dash, const char *end, struct place *place,
		       struct text_head *head)
{
	struct scan scan = {dash + 1, end};

	if (!scan_u32(&scan, &place->pid) || place->pid > INT32_MAX || !scan_is(&scan, ' '))
		return false;
	scan_blanks(&scan);
	if (!scan_u32(&scan, &place->cpu) || !read_flags(&scan, head))
		return false;
	place->behind = scan.at;
	place->separator = dash;
	return true;
}

static const char *next_dash(const char *at, const char *end)
{
	return at < end ? memchr(at, '-', (size_t)(end - at)) : NULL;
}

bool read_latency(struct text_state *state, const char *line, size_t len, struct text_head *ret)
{
	const char *end = line + len;
	bool is_found = false;
	struct place place = {0};
	struct text_head head = {0};
	enum head_try outcome;
	struct scan scan;

	for (const char *at = next_dash(line, end); at; at = next_dash(at + 1, end)) {
		if (is_found && at - line > COMM_COLUMNS)
			break;
		is_found |= latency_at(at, end, &place, &head);
	}
	if (!is_found)
		return false;
	head.comm = comm_before(line, place.separator);
	head.pid = place.pid;
	head.cpu = place.cpu;
	*ret = head;
	scan = (struct scan){place.behind, end};
	outcome = read_clock(&scan, ret);
	return note(state, outcome ? outcome : read_name(&scan, ret));
}

/* Eight hexadecimal digits or more that end at *@at, with blanks before them. */
static bool hex_before(const char *line, const char **at, uint64_t *ret)
{
	struct scan digits = {blanks_before(line, *at), *at};
	const char *end = digits.at;

	while (digits.at > line && hex_value(digits.at[-1]) >= 0)
		digits.at--;
	*at = digits.at;
	digits.end = end;
	return end - digits.at >= 8 && scan_hex(&digits, ret);
}

static bool number_before(const char *line, const char **at, uint32_t *ret)
{
	*at = blanks_before(line, *at);
	return digits_before(line, at, ret) && *at > line && is_blank((*at)[-1]);
}

/* "cat 675 0 1 00000001 000000a1 " before @bracket: flags are decimal, the other two are not */
static bool verbose_before(const char *line, const char *bracket, struct text_head *ret)
{
	const char *at = bracket;
	uint64_t index, depth;
	uint32_t flags = 0;

	if (!hex_before(line, &at, &index) || !hex_before(line, &at, &depth) ||
	    !number_before(line, &at, &flags) || !number_before(line, &at, &ret->cpu) ||
	    !number_before(line, &at, &ret->pid) || flags > UINT8_MAX)
		return false;
	ret->comm = comm_before(line, blanks_before(line, at));
	ret->flags = (uint8_t)flags;
	ret->preempt_count = (uint8_t)depth;
	ret->has_flags = true;
	return true;
}

/*
 * Option verbose: "[0009eb10] 650.659ms (+0.123ms): name". In the brackets is the clock in
 * microseconds; of other clocks in ticks, of 16 digits, with no "ms". What follows is relative.
 */
bool read_verbose(struct text_state *state, const char *line, size_t len, struct text_head *ret)
{
	const char *bracket = next_bracket(line, line + len), *close;
	struct scan scan = {line, line + len};

	*ret = (struct text_head){.resolution_ns = 1000};
	if (!bracket || bracket == line || bracket[-1] != ' ')
		return false;
	scan.at = bracket + 1;
	if (!scan_hex(&scan, &ret->ts) || scan.at - bracket < 9 || !scan_word(&scan, "] ") ||
	    !verbose_before(line, bracket, ret))
		return false;
	close = memchr(scan.at, ')', scan_left(&scan));
	if (!close || close - scan.at < 3 || close + 1 == scan.end || close[1] != ':')
		return note(state, TRY_BROKEN);
	ret->is_in_ticks = close[-1] != 's';
	if (ret->is_in_ticks)
		ret->resolution_ns = 1;
	else if (ret->ts > UINT64_MAX / 1000)
		return false;
	else
		ret->ts *= 1000;
	scan.at = close + 2;
	return note(state, read_name(&scan, ret));
}
