/* SPDX-License-Identifier: LGPL-2.1-only */
/* What the readers of kernel messages share: parts of a text, and what they find in it. */
#ifndef DMS_DECODE_CONSOLE_H
#define DMS_DECODE_CONSOLE_H

#include <string.h>

#include <dmascope/decode.h>

/** A part of a message; not terminated, any bytes. */
struct text {
	const char *at;
	size_t size;
};
#define TEXT(string) ((struct text){string, sizeof(string) - 1})

/** What is behind the first @needle in @text; at NULL: it is not there. */
struct text text_behind(struct text text, struct text needle);
bool text_holds(struct text text, const char *needle);
/** Many begin alike, few end alike: their last characters are compared first. */
static inline bool text_begins(struct text text, struct text word)
{
	return text.size >= word.size && text.at[word.size - 1] == word.at[word.size - 1] &&
	       !memcmp(text.at, word.at, word.size);
}
bool text_is(struct text text, const char *word);
/** Take @c off the front of @text, if it is there. */
static inline bool text_take_char(struct text *text, char c)
{
	if (!text->size || *text->at != c)
		return false;
	text->at++;
	text->size--;
	return true;
}
/**
 * Read a number off the front of @text; "0x" before it makes @base 16.
 * Return: false if there is none, or it has more than 64 bits.
 */
bool text_take_number(struct text *text, unsigned int base, uint64_t *ret);
/** The number behind @key. */
bool text_find_number(struct text text, struct text key, unsigned int base, uint64_t *ret);
/** dev_err() and the like print "DRIVER DEVICE: ": the device is the last word of @head. */
struct text text_last_word(struct text head);

/** The device of @event is @name, if that can be a name. */
void console_set_device(struct dms_event *event, struct dms_strtab *names, struct text name);

/** One message under way. */
struct reader {
	struct dms_console_state *state;
	struct dms_strtab *names;
	struct dms_event *event;
};

/**
 * console_fault.c: true if @text, which begins with ':', may be the beginning of a fault's message;
 * true if @text holds that of one which begins otherwise.
 */
bool console_fault_begins(struct text text);
bool console_fault_holds(struct text text);
/** console_fault.c: true if @text is a fault. */
bool console_read_fault(struct reader *reader, struct text text);

#endif
