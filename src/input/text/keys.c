// SPDX-License-Identifier: LGPL-2.1-only
/* The words of an event's body, "key=value key=value", by the words of its row. */
#include "local.h"

/** The words of a body met so far: bits by their number in the row. */
struct met {
	uint64_t words;
	uint32_t next; /* words mostly come in the row's order */
};

static const struct word *find_word(const struct body_row *row, struct text_piece key,
				    struct met *met)
{
	uint32_t at = met->next;

	for (uint32_t i = 0; i < row->n_words; i++, at++) {
		const struct word *word;

		if (at >= row->n_words)
			at = 0;
		word = &row->words[at];
		if (!piece_is(&key, word->key, word->key_len))
			continue;
		met->next = at + 1;
		return word;
	}
	return NULL;
}

/* Mostly it is the next one's turn: no need to look for the end of its key, and for it. */
static const struct word *next_word(const struct body_row *row, struct scan *scan, struct met *met)
{
	const struct word *word = &row->words[met->next];
	const char *at = scan->at;
	size_t len;

	if (met->next >= row->n_words)
		return NULL;
	len = word->key_len;
	if (scan_left(scan) <= len || at[len] != '=' || memcmp(at, word->key, len) != 0)
		return NULL;
	scan->at = at + len + 1;
	met->next++;
	return word;
}

/* False: it was met before. */
static bool meet(const struct body_row *row, const struct word *word, struct met *met)
{
	uint64_t bit = 1ull << (word - row->words);
	bool is_new = !(met->words & bit);

	met->words |= bit;
	return is_new;
}

/** A word that says something without a value. */
struct bare {
	const char *text, *key;
	uint8_t len, key_len;
	bool value;
};

static const struct bare bare_words[] = {
	{"[TRUNCATED]", "truncated", 11, 9, true},
	{"FORCE", "force", 5, 5, true},
	{"NORMAL", "force", 6, 5, false},
};

/* "(16)" behind the "0x10" of option fields */
static bool skip_repeated(struct scan *scan)
{
	struct scan ahead = *scan;
	uint64_t number;

	if (!scan_char(&ahead, '('))
		return false;
	scan_char(&ahead, '-');
	if (!scan_decimal(&ahead, &number) || !scan_char(&ahead, ')'))
		return false;
	*scan = ahead;
	return true;
}

static const char *read_bare(const struct body_row *row, struct scan *scan, struct met *met,
			     struct text_body *body)
{
	static const char wrong[] = "a word with a value expected";

	for (size_t i = 0; i < DMS_ARRAY_SIZE(bare_words); i++) {
		const struct bare *bare = &bare_words[i];
		struct text_piece key = {bare->key, bare->key_len};
		const struct word *word;

		if (!scan_text(scan, bare->text, bare->len))
			continue;
		word = find_word(row, key, met);
		if (!word || !meet(row, word, met))
			return wrong;
		add_number(body, word->name, bare->value, 1);
		return NULL;
	}
	return skip_repeated(scan) ? NULL : wrong;
}

/* A word that kernels to come may add is skipped. */
static const char *skip_unknown(struct scan *scan)
{
	while (!scan_is_end(scan) && !is_blank(*scan->at)) {
		if (*scan->at == '{' || *scan->at == '[')
			return "an unknown list";
		scan->at++;
	}
	return NULL;
}

static const char *read_key(const struct body_row *row, struct scan *scan, struct writing *writing,
			    struct met *met, struct text_body *body)
{
	const struct word *word = next_word(row, scan, met);

	if (!word) {
		struct text_piece key = scan_chars(scan, TEXT_CHAR_WORD);

		if (!key.len || !scan_char(scan, '=')) {
			scan->at = key.str;
			return read_bare(row, scan, met, body);
		}
		word = find_word(row, key, met);
		if (!word)
			return skip_unknown(scan);
	}
	if (!meet(row, word, met))
		return "a word comes twice";
	return read_value(word, scan, writing, body);
}

/* Under one of its keys. */
static bool was_met(const struct body_row *row, const struct word *word, const struct met *met)
{
	for (uint32_t i = 0; i < row->n_words; i++) {
		if ((met->words & 1ull << i) && !strcmp(row->words[i].name, word->name))
			return true;
	}
	return false;
}

static const char *check_required(const struct body_row *row, const struct met *met)
{
	for (uint32_t i = 0; i < row->n_words; i++) {
		const struct word *word = &row->words[i];

		if (word->is_required && !(met->words & 1ull << i) && !was_met(row, word, met))
			return "a word is missing: the line was cut, or torn by another";
	}
	return NULL;
}

/* "10" of "1048576": a number whose end was cut off. */
static bool is_torn(uint64_t part, uint64_t whole)
{
	for (; whole > part; whole /= 10) {
		if (whole / 10 == part)
			return true;
	}
	return false;
}

/* What an IOMMU unmaps is mostly all of it: the line ends with it, and may have been cut there. */
static const char *check_unmapped(const struct text_body *body)
{
	uint64_t size = 0, unmapped = UINT64_MAX;

	for (uint32_t i = 0; i < body->n_values; i++) {
		const struct text_value *value = &body->values[i];

		if (value->name_len == 4 && !memcmp(value->name, "size", 4))
			size = value->number;
		else if (value->name_len == 13 && !memcmp(value->name, "unmapped_size", 13))
			unmapped = value->number;
	}
	return unmapped && is_torn(unmapped, size) ? "unmapped_size: its last digits are missing"
						    : NULL;
}

static const char *check_range(const struct writing *writing, const struct text_body *body)
{
	for (uint32_t i = 0; writing->has_range && i < body->n_values; i++) {
		const struct text_value *value = &body->values[i];

		if (value->name_len == 4 && !memcmp(value->name, "size", 4) &&
		    value->number != writing->range_bytes)
			return "size: it does not fit the range";
	}
	return NULL;
}

/*
 * What our own plugin says behind an event, dmascope-plugin(7). Not just any bracket: a torn line may
 * go on with the "[001]" of another.
 */
static bool is_remark(const struct scan *scan)
{
	struct scan ahead = *scan;
	uint64_t number;

	if (!scan_is(scan, '<') && !scan_is(scan, '['))
		return false;
	if (scan_word(&ahead, "<== ") || scan_word(&ahead, "[mapped ") ||
	    scan_word(&ahead, "[allocated ") || scan_word(&ahead, "[failed]"))
		return true;
	return scan_char(&ahead, '[') && scan_decimal(&ahead, &number) &&
	       (scan_word(&ahead, " segment") || scan_word(&ahead, " entr") ||
		scan_word(&ahead, " of "));
}

const char *read_keys(const struct body_row *row, struct scan *scan, struct writing *writing,
		      struct text_body *body)
{
	bool has_lead = row->lead_name && !writing->is_fields;
	struct met met = {.next = has_lead};
	const char *wrong;

	for (scan_blanks(scan); !scan_is_end(scan); scan_blanks(scan)) {
		if (is_remark(scan)) {
			scan->at = scan->end;
			break;
		}
		if ((wrong = read_key(row, scan, writing, &met, body)))
			return wrong;
		if (!scan_is_end(scan) && !is_blank(*scan->at))
			return "a blank expected behind a value";
	}
	if (has_lead)
		met.words |= 1; /* the word of row[0], which came without its key */
	if ((wrong = check_required(row, &met)))
		return wrong;
	if (row->words->form != FORM_RANGE)
		return NULL;
	wrong = check_range(writing, body);
	return wrong ? wrong : check_unmapped(body);
}

const char *read_words(const struct body_row *row, struct scan *scan, struct text_body *body)
{
	struct writing writing = {0};
	const char *wrong;

	scan_blanks(scan);
	if (scan_word(scan, "[FAILED TO PARSE]"))
		writing.is_failed = true;
	scan_blanks(scan);
	writing.is_fields = writing.is_failed || begins_with_key(scan);
	if (!writing.is_fields && !scan_text(scan, row->lead, strlen(row->lead)))
		return "its first word is not the one expected";
	if (!writing.is_fields && row->lead_name &&
	    (wrong = read_name_value(row->lead_name, scan, body)))
		return wrong;
	return read_keys(row, scan, &writing, body);
}
