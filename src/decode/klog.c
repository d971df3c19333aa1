// SPDX-License-Identifier: LGPL-2.1-only
/* A kernel log as a file, whatever wrote it: its lines, their times, and what they tell of DMA. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "console.h"

/* printk's longest message is 2 KiB (CONSOLE_EXT_LOG_MAX 8); what is beyond this is cut. */
#define LINE_BYTES  8192
#define BLOCK_BYTES (64u << 10)
/* Boot loaders talk before the kernel does; but what has said nothing of a log by then is none. */
#define MAX_STRANGE_BYTES (64u << 20)

/**
 * A log being read. An event waits for the line after it: SMMUv3 faults and dma-debug's leaks are
 * told in two. So there are two lines: the one being read, and the waiting event's.
 */
struct klog {
	FILE *file;
	char block[BLOCK_BYTES];
	const char *at, *end; /* what is left of it */
	struct dms_console_state state;
	struct dms_strtab *names;
	struct dms_error *(*take)(void *context, const struct dms_event *event);
	void *context;
	char lines[2][LINE_BYTES];
	unsigned int current;
	struct dms_event waiting; /* kind DMS_EV_NONE: none does */
	uint64_t left;		  /* bytes to be read, as long as it may be no log */
	bool has_text;		  /* a line was not empty */
	bool is_log;		  /* a line began as a log's do, or told of DMA */
};

static bool fill_block(struct klog *log)
{
	log->at = log->block;
	log->end = log->block + fread(log->block, 1, sizeof(log->block), log->file);
	return log->at < log->end;
}

/* One line without its end into @line. Return: its length; -1 at the end of what is to be read. */
static long read_line(struct klog *log, char *line)
{
	size_t size = 0;

	while (log->at < log->end || fill_block(log)) {
		size_t there = (size_t)(log->end - log->at), room = LINE_BYTES - size;
		const char *newline = memchr(log->at, '\n', there);
		size_t take = newline ? (size_t)(newline - log->at) : there;

		take = take < log->left ? take : log->left;
		memcpy(line + size, log->at, take < room ? take : room);
		size += take < room ? take : room;
		log->at += take;
		log->left -= take;
		if (!log->left)
			return -1;
		if (newline) {
			log->at++;
			return (long)size;
		}
	}
	return size ? (long)size : -1;
}

/* ---- what writers of logs put before the text ------------------------------------------------ */

static void skip_spaces(struct text *text)
{
	while (text_take_char(text, ' ') || text_take_char(text, '\t'))
		;
}

/* "12.345678" to nanoseconds */
static bool take_seconds(struct text *text, uint64_t *ret_ns)
{
	uint64_t seconds, ns = 0, unit = 100000000;

	if (!text_take_number(text, 10, &seconds) || !text_take_char(text, '.') ||
	    seconds >= UINT64_MAX / 1000000000)
		return false;
	for (; text->size && *text->at >= '0' && *text->at <= '9'; unit /= 10) {
		ns += (uint64_t)(*text->at - '0') * unit;
		text_take_char(text, *text->at);
	}
	*ret_ns = seconds * 1000000000 + ns;
	return true;
}

/* "<6>", or dmesg -x's "kern  :err   : " */
static void skip_level(struct text *text)
{
	struct text rest = *text;
	uint64_t level;

	if (text_take_char(&rest, '<') && text_take_number(&rest, 10, &level) && text_take_char(&rest, '>'))
		*text = rest;
	else if (text->size > 15 && !memcmp(text->at, "kern  :", 7) && text->at[13] == ':')
		*text = (struct text){text->at + 14, text->size - 14};
	skip_spaces(text);
}

/* "[   12.345678]", seconds since boot: the clock "mono" of a trace, nearly. */
static void take_stamp(struct text *text, uint64_t *ret_ns)
{
	struct text rest = *text;
	uint64_t ns;

	if (!text_take_char(&rest, '['))
		return;
	skip_spaces(&rest);
	if (!take_seconds(&rest, &ns) || !text_take_char(&rest, ']'))
		return;
	*text = rest;
	*ret_ns = ns;
}

/* "[Sat Nov 21 07:01:09 2026] ", of dmesg -T: no time that a trace could have. */
static void skip_date(struct text *text)
{
	struct text rest = text_behind(*text, TEXT("] "));

	if (text->size && *text->at == '[' && rest.at && rest.at - text->at < 40)
		*text = rest;
}

/* "host kernel: ", "Nov 21 07:01:09 host kernel: ": journalctl, syslog */
static void skip_host(struct text *text)
{
	struct text rest = text_behind(*text, TEXT(" kernel: "));

	if (rest.at && rest.at - text->at < 128)
		*text = rest;
}

/* The kernel's words in the line, and when it said them; UINT64_MAX: not known. */
static struct text text_of_line(const char *line, size_t size, uint64_t *ret_ns)
{
	struct text text = {line, size};

	*ret_ns = UINT64_MAX;
	skip_level(&text);
	take_stamp(&text, ret_ns);
	if (*ret_ns == UINT64_MAX)
		skip_date(&text);
	skip_host(&text);
	if (*ret_ns == UINT64_MAX)
		take_stamp(&text, ret_ns); /* syslog keeps printk's */
	return text;
}

/* ---- events of one line, or of two ----------------------------------------------------------- */

static struct dms_error *give_waiting(struct klog *log)
{
	struct dms_error *err = NULL;

	if (log->waiting.kind != DMS_EV_NONE)
		err = log->take(log->context, &log->waiting);
	log->waiting.kind = DMS_EV_NONE;
	return err;
}

static bool is_fault(const struct dms_event *event, bool has_device)
{
	return event->kind == DMS_EV_IOMMU_FAULT && !(event->has & DMS_HAS_DEVICE) == !has_device;
}

/* True if @event is the waiting one, told again with its device's name (SMMUv3). */
static bool is_retold(const struct klog *log, const struct dms_event *event)
{
	return is_fault(&log->waiting, false) && is_fault(event, true) &&
	       event->dma_addr == log->waiting.dma_addr;
}

/* dma-debug names one of the mappings that leaked, in a line of the same message. */
static void complete_leak(struct dms_event *leak, struct text text)
{
	static const struct text begin = TEXT("One of leaked entries details: ");
	uint64_t dma_addr, size;

	if (leak->kind != DMS_EV_CONSOLE || leak->message != DMS_MSG_LEAK)
		return;
	text = text_behind(text, begin);
	if (!text.at || !text_find_number(text, TEXT("[device address="), 16, &dma_addr) ||
	    !text_find_number(text, TEXT("[size="), 10, &size))
		return;
	leak->dma_addr = dma_addr;
	leak->size = size;
	leak->has |= DMS_HAS_DMA_ADDR | DMS_HAS_SIZE;
}

/* True if more than blanks stood before @text on its @line: a stamp, a level, a host. */
static bool has_prefix(const char *line, struct text text)
{
	for (; line < text.at; line++) {
		if (*line != ' ' && *line != '\t')
			return true;
	}
	return false;
}

static struct dms_error *read_event(struct klog *log, size_t size)
{
	struct dms_error *err = NULL;
	struct dms_event event;
	struct text text;
	uint64_t ts;

	text = text_of_line(log->lines[log->current], size, &ts);
	log->has_text |= size > 0;
	log->is_log |= has_prefix(log->lines[log->current], text);
	if (!dms_console_read(&log->state, text.at, text.size, log->names, &event)) {
		complete_leak(&log->waiting, text);
		return give_waiting(log);
	}
	event.ts = ts;
	log->is_log = true;
	if (!is_retold(log, &event))
		err = give_waiting(log);
	log->waiting = event;
	log->current ^= 1;
	return err;
}

/* Up to the end, or only until it is known to be a log. */
static struct dms_error *read_lines(struct klog *log, const char *path, bool is_enough)
{
	FILE *file = fopen(path, "re");
	struct dms_error *err = NULL;
	long size;

	log->left = MAX_STRANGE_BYTES;
	log->file = file;
	if (!file)
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path);
	while (!err && !(is_enough && log->is_log) &&
	       (size = read_line(log, log->lines[log->current])) >= 0) {
		err = read_event(log, (size_t)size);
		if (log->is_log)
			log->left = UINT64_MAX;
	}
	if (!err && ferror(file))
		err = dms_error_errno(DMS_ERROR_INPUT, errno, "%s: cannot read", path);
	if (!err)
		err = give_waiting(log);
	/* Another file in its place would let rules pass as judged that were not. */
	if (!err && (log->has_text || !log->left) && !log->is_log)
		err = dms_error_new(DMS_ERROR_INPUT, "%s: no line of a kernel log", path);
	fclose(file);
	return err;
}

struct dms_error *dms_console_read_file(const char *path, struct dms_strtab *names,
					struct dms_error *(*take)(void *context,
								  const struct dms_event *event),
					void *context)
{
	_cleanup_(dms_freep) struct klog *log = dms_zalloc(sizeof(*log));

	if (!log)
		return &dms_error_nomem;
	log->names = names;
	log->take = take;
	log->context = context;
	return read_lines(log, path, false);
}

static struct dms_error *ignore_event(void *context, const struct dms_event *event)
{
	(void)context;
	(void)event;
	return NULL;
}

bool dms_console_is_log(const char *path)
{
	_cleanup_(dms_freep) struct klog *log = dms_zalloc(sizeof(*log));
	struct dms_error *err = &dms_error_nomem;

	if (log && (log->names = dms_strtab_create())) {
		log->take = ignore_event;
		err = read_lines(log, path, true);
		dms_strtab_destroy(log->names);
	}
	dms_error_free(err);
	return !err;
}
