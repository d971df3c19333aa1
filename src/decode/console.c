// SPDX-License-Identifier: LGPL-2.1-only
/* Messages of the kernel that tell of DMA: faults, bounces without room, dma-debug's reports. */
#include <string.h>

#include "console.h"

struct text text_behind(struct text text, struct text needle)
{
	const char *found = memmem(text.at, text.size, needle.at, needle.size);

	if (!found)
		return (struct text){NULL, 0};
	found += needle.size;
	return (struct text){found, (size_t)(text.at + text.size - found)};
}

bool text_holds(struct text text, const char *needle)
{
	return memmem(text.at, text.size, needle, strlen(needle)) != NULL;
}

bool text_is(struct text text, const char *word)
{
	return text.size == strlen(word) && !memcmp(text.at, word, text.size);
}

bool text_take_number(struct text *text, unsigned int base, uint64_t *ret)
{
	uint64_t value = 0;
	size_t n = 0;

	if (text->size > 2 && text->at[0] == '0' && (text->at[1] | 0x20) == 'x') {
		text->at += 2;
		text->size -= 2;
		base = 16;
	}
	for (; n < text->size; n++) {
		int digit = dms_hex_digit(text->at[n]);

		if (digit < 0 || (unsigned int)digit >= base)
			break;
		if (value > (UINT64_MAX - (unsigned int)digit) / base)
			return false;
		value = value * base + (unsigned int)digit;
	}
	text->at += n;
	text->size -= n;
	*ret = value;
	return n > 0;
}

bool text_find_number(struct text text, struct text key, unsigned int base, uint64_t *ret)
{
	struct text at = text_behind(text, key);

	return at.at && text_take_number(&at, base, ret);
}

/* ---- devices -------------------------------------------------------------------------------- */

/* Names longer than this are no device's. */
#define MAX_NAME 128

void console_set_device(struct dms_event *event, struct dms_strtab *names, struct text name)
{
	uint32_t id;

	if (!name.size || name.size > MAX_NAME)
		return;
	for (size_t i = 0; i < name.size; i++) {
		unsigned char c = (unsigned char)name.at[i];

		if (c <= ' ' || c == 0x7f)
			return;
	}
	if (text_is(name, "NULL"))
		return; /* dma-debug's word for a call without a device */
	id = dms_strtab_add(names, name.at, name.size);
	if (id == DMS_STR_NONE)
		return;
	event->device = id;
	event->has |= DMS_HAS_DEVICE;
}

struct text text_last_word(struct text head)
{
	size_t start = head.size;

	while (start && head.at[start - 1] != ' ')
		start--;
	return (struct text){head.at + start, head.size - start};
}

/* ---- reports: a message with fields in it ---------------------------------------------------- */

/** Where a field of a message goes. */
enum target { TO_NOTHING, TO_DMA_ADDR, TO_PHYS_ADDR, TO_SIZE, TO_DMA_MASK };
static const struct {
	size_t offset; /* of a uint64_t of struct dms_event */
	uint32_t has;
} targets[] = {
	[TO_DMA_ADDR] = {offsetof(struct dms_event, dma_addr), DMS_HAS_DMA_ADDR},
	[TO_PHYS_ADDR] = {offsetof(struct dms_event, phys_addr), DMS_HAS_PHYS_ADDR},
	[TO_SIZE] = {offsetof(struct dms_event, size), DMS_HAS_SIZE},
	[TO_DMA_MASK] = {offsetof(struct dms_event, dma_mask), DMS_HAS_DMA_MASK},
};

/** A number in a message. */
struct field {
	struct text key; /* what is before it */
	uint8_t base, target;
};
#define MAX_FIELDS 3

/** One message: how it is recognised, and what it tells. */
struct report_row {
	struct text text; /* its beginning, behind the name of the device if it has one */
	const char *also; /* further on in it; NULL: anything */
	bool is_of_debug; /* it is dma-debug's: behind "DMA-API: " */
	bool has_device;  /* it is about nothing without one */
	enum dms_message message;
	struct field fields[MAX_FIELDS]; /* those the line has are read, in this order */
};

/* clang-format off */
#define NO_FIELD      {{NULL, 0}, 0, TO_NOTHING}
#define ADDRESS(key)  {TEXT(key), 16, TO_DMA_ADDR}
#define PHYS(key)     {TEXT(key), 16, TO_PHYS_ADDR}
#define SIZE(key)     {TEXT(key), 10, TO_SIZE}
#define MASK(key)     {TEXT(key), 16, TO_DMA_MASK}
#define MAXIMUM(key)  {TEXT(key), 10, TO_DMA_MASK}
/*
 * The first row that fits. Sources, 6.12 to 7.2: kernel/dma/{debug,direct,swiotlb}.c,
 * include/linux/dma-mapping.h, mm/dmapool.c.
 */
static const struct report_row report_rows[] = {
	{TEXT(": device driver maps memory from stack"), NULL, true, false,
	 DMS_MSG_STACK, {NO_FIELD}},
	{TEXT(": device driver maps memory from kernel text or rodata"), NULL, true, false,
	 DMS_MSG_KERNEL_TEXT, {SIZE("[len=")}},
	{TEXT(": device driver maps memory from invalid area"), NULL, true, false,
	 DMS_MSG_INVALID_AREA, {SIZE("[len=")}},
	{TEXT(": device driver maps memory from vmalloc area"), NULL, true, false,
	 DMS_MSG_VMALLOC, {SIZE("[len=")}},
	{TEXT(": dma_map_resource called for RAM address"), NULL, true, false,
	 DMS_MSG_RESOURCE_RAM, {PHYS(" ")}},
	{TEXT(": mapping sg segment longer than device claims to support"), NULL, true, false,
	 DMS_MSG_SEGMENT_LONG, {SIZE("[len="), MAXIMUM("[max=")}},
	{TEXT(": mapping sg segment across boundary"), NULL, true, false,
	 DMS_MSG_SEGMENT_BOUNDARY, {ADDRESS("[start="), MASK("[boundary=")}},
	{TEXT(": device driver has pending DMA allocations while released from device"), NULL, true,
	 false, DMS_MSG_LEAK, {ADDRESS("[device address="), SIZE("[size=")}},
	{TEXT(": device driver failed to check map error"), NULL, true, true,
	 DMS_MSG_UNCHECKED, {ADDRESS("[device address="), SIZE("[size=")}},
	{TEXT("preallocated "), " debug entries", true, false, DMS_MSG_DEBUG_ON, {NO_FIELD}},
	{TEXT("debugging enabled by kernel config"), NULL, true, false,
	 DMS_MSG_DEBUG_ON, {NO_FIELD}},
	{TEXT("debugging out of memory - disabling"), NULL, true, false,
	 DMS_MSG_DEBUG_OFF, {NO_FIELD}},
	{TEXT("cacheline tracking ENOMEM, dma-debug disabled"), NULL, true, false,
	 DMS_MSG_DEBUG_OFF, {NO_FIELD}},
	{TEXT("debugging disabled on kernel command line"), NULL, true, false,
	 DMS_MSG_DEBUG_OFF, {NO_FIELD}},
	{TEXT("exceeded "), " overlapping mappings of cacheline ", true, false,
	 DMS_MSG_DEBUG_OTHER, {PHYS("cacheline ")}},
	{TEXT(": "), NULL, true, true, DMS_MSG_DEBUG_OTHER,
	 {ADDRESS("[device address="), SIZE("[size="), SIZE("[map size=")}},
	{TEXT(": swiotlb buffer is full"), NULL, false, true, DMS_MSG_SWIOTLB_FULL, {SIZE("sz: ")}},
	{TEXT(": DMA addr "), " overflow (mask ", false, true, DMS_MSG_OVERFLOW,
	 {ADDRESS(""), SIZE("+"), MASK("(mask ")}},
	{TEXT(": swiotlb addr "), " overflow (mask ", false, true, DMS_MSG_OVERFLOW,
	 {ADDRESS(""), SIZE("+"), MASK("(mask ")}},
	{TEXT(": rejecting DMA map of vmalloc memory"), NULL, false, true,
	 DMS_MSG_VMALLOC, {NO_FIELD}},
	{TEXT(": dma_pool_free "), " already free", false, true, DMS_MSG_POOL, {ADDRESS(", dma ")}},
	{TEXT(": dma_pool_free "), "(bad vaddr)", false, true,
	 DMS_MSG_POOL, {ADDRESS("(bad vaddr)/")}},
	{TEXT(": dma_pool_free "), "(bad dma)", false, true, DMS_MSG_POOL, {ADDRESS("/0x")}},
	{TEXT(": dma_pool_"), " busy", false, true, DMS_MSG_POOL, {NO_FIELD}},
	{TEXT(": dma_pool_"), "corrupted", false, true, DMS_MSG_POOL, {NO_FIELD}},
};
/* clang-format on */

static void set_target(struct dms_event *event, enum target target, uint64_t value)
{
	memcpy((char *)event + targets[target].offset, &value, sizeof(value));
	event->has |= targets[target].has;
}

static void read_fields(const struct report_row *row, struct text rest, struct dms_event *event)
{
	for (size_t i = 0; i < MAX_FIELDS && row->fields[i].target; i++) {
		const struct field *field = &row->fields[i];
		struct text at = text_behind(rest, field->key);
		uint64_t value;

		if (at.at && text_take_number(&at, field->base, &value))
			set_target(event, (enum target)field->target, value);
	}
}

static bool read_report(const struct report_row *row, struct text text, struct dms_strtab *names,
			struct dms_event *event)
{
	struct text rest = text_behind(text, row->text), head;

	if (!rest.at || (row->also && !text_holds(rest, row->also)))
		return false;
	head = (struct text){text.at, (size_t)(rest.at - row->text.size - text.at)};
	if (*row->text.at == ':')
		console_set_device(event, names, text_last_word(head));
	if (row->has_device && !(event->has & DMS_HAS_DEVICE))
		return false;
	read_fields(row, rest, event);
	event->message = (uint8_t)row->message;
	event->kind = DMS_EV_CONSOLE;
	return true;
}

static const struct text debug_prefix = TEXT("DMA-API: ");

static bool read_reports(struct text text, struct dms_strtab *names, struct dms_event *event)
{
	bool is_debug = text.size > debug_prefix.size && text_begins(text, debug_prefix);

	if (is_debug)
		text = (struct text){text.at + debug_prefix.size, text.size - debug_prefix.size};
	for (size_t i = 0; i < DMS_ARRAY_SIZE(report_rows); i++) {
		if (report_rows[i].is_of_debug == is_debug &&
		    read_report(&report_rows[i], text, names, event))
			return true;
	}
	return false;
}

bool dms_message_is_of_debug(enum dms_message message)
{
	bool is_of_debug = false;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(report_rows); i++) {
		if (report_rows[i].message != message)
			continue;
		if (!report_rows[i].is_of_debug) /* of others, too */
			return false;
		is_of_debug = true;
	}
	return is_of_debug;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* @text begins with ':'. */
static bool begins_message(struct text text)
{
	if (text.size < 2 || text.at[1] != ' ')
		return false;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(report_rows); i++) {
		if (!report_rows[i].is_of_debug && text_begins(text, report_rows[i].text))
			return true;
	}
	return console_fault_begins(text);
}

/*
 * Most lines hold the text of no row, and nearly all texts begin with a colon: looking at each colon
 * and few capitals takes 1,700 instructions a line, having each row search the line took 6,300.
 */
static bool may_tell(const struct dms_console_state *state, struct text line)
{
	const char *end = line.at + line.size, *at = line.at;

	if (state->is_open || text_begins(line, debug_prefix))
		return true;
	for (; (at = memchr(at, ':', (size_t)(end - at))); at++) {
		if (begins_message((struct text){at, (size_t)(end - at)}))
			return true;
	}
	return console_fault_holds(line);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Behind "<4>", "[   12.345]" and "[T123]", which somebody left there; @text, if there are none. */
static struct text behind_stamp(struct text text)
{
	static const char inside[] = "0123456789. TC";
	size_t i = 1;

	if (text.size < 3 || (*text.at != '<' && *text.at != '['))
		return text;
	while (i < text.size && text.at[i] && strchr(inside, text.at[i]))
		i++;
	if (i < 2 || i >= text.size || text.at[i] != (*text.at == '<' ? '>' : ']'))
		return text;
	return (struct text){text.at + i + 1, text.size - i - 1};
}

static struct text trim(struct text text)
{
	struct text before;

	do {
		before = text;
		while (text.size && is_space(*text.at)) {
			text.at++;
			text.size--;
		}
		text = behind_stamp(text);
	} while (text.size != before.size);
	while (text.size && is_space(text.at[text.size - 1]))
		text.size--;
	return text;
}

bool dms_console_read(struct dms_console_state *state, const char *text, size_t size,
		      struct dms_strtab *names, struct dms_event *event)
{
	struct reader reader = {.state = state, .names = names, .event = event};
	struct text line = trim((struct text){text, size});

	*event = (struct dms_event){
		.device = DMS_ID_NONE,
		.driver = DMS_ID_NONE,
		.stack = DMS_ID_NONE,
		.dir = DMS_DIR_UNKNOWN,
	};
	if (!may_tell(state, line))
		return false;
	if (console_read_fault(&reader, line) || read_reports(line, names, event)) {
		event->text = line.at;
		event->text_len = line.size > UINT32_MAX ? UINT32_MAX : (uint32_t)line.size;
		return true;
	}
	event->kind = DMS_EV_NONE;
	event->has = 0;
	return false;
}
