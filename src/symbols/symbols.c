// SPDX-License-Identifier: LGPL-2.1-only
/* The traced kernel's symbols: /proc/kallsyms text, indexed by address and searched. */
#include <string.h>

#include <dmascope/symbols.h>

/*
 * How far behind its symbol an address may be. The largest function of a stock kernel has some
 * 24 KiB; what is much further away lies behind the end of the kernel's text, or in a module
 * or function that a cut table lacks, and a wrong name is worse than none.
 */
#define MAX_FUNCTION_BYTES (256 * 1024)

/*
 * What the kernel makes at run time lies among the modules: a page of trampolines or of kprobes'
 * instructions ("__builtin__ftrace", "__builtin__kprobes"), a program of BPF.
 */
static const struct {
	const char *prefix; /* of what kallsyms has behind "[" */
	uint32_t max_bytes;
} made_at_run_time[] = {{"__builtin__", 4096}, {"bpf]", 64 * 1024}};

/* One symbol. The name, and the module behind it, are read from the text when asked for. */
struct entry {
	uint64_t address;
	uint32_t name;	/* offset in the text */
	uint32_t order; /* among equal addresses the smallest is shown; see name_order() */
};

struct dms_symbols {
	const char *text; /* borrowed */
	size_t size;	  /* bytes */
	struct entry *entries;
	size_t capacity, count;
	uint64_t n_malformed; /* lines that are none */
};

/* One line of the text, taken apart. */
struct line {
	uint64_t address;
	const char *name;
	uint32_t name_len;
	char type;
};

/* Blanks, line ends, and the zero byte that some writers leave behind the text. */
static bool is_space(char c)
{
	return (unsigned char)c <= ' ';
}

static const char *skip_space(const char *pos, const char *end)
{
	while (pos < end && is_space(*pos))
		pos++;
	return pos;
}

static const char *skip_word(const char *pos, const char *end)
{
	while (pos < end && !is_space(*pos))
		pos++;
	return pos;
}

/* False for junk: anything but "address type name", where the type is one character. */
static bool parse_line(const char *pos, const char *end, struct line *ret)
{
	const char *start = pos = skip_space(pos, end);
	int digit;

	ret->address = 0;
	while (pos < end && (digit = dms_hex_digit(*pos)) >= 0) {
		ret->address = ret->address << 4 | (unsigned int)digit;
		pos++;
	}
	if (pos == start || pos - start > 16 || pos == end || !is_space(*pos))
		return false;
	pos = skip_space(pos, end);
	if (end - pos < 3 || !is_space(pos[1]))
		return false;
	ret->type = *pos;
	ret->name = skip_space(pos + 1, end);
	ret->name_len = skip_word(ret->name, end) - ret->name;
	return ret->name_len > 0;
}

/* '?' is a text dump's: it does not tell where the function begins (src/input/text_symbols.c). */
static bool is_text(char type)
{
	return type == 't' || type == 'T' || type == 'w' || type == 'W' || type == '?';
}

/* Markers that compilers put before or into functions; nobody calls them by these names. */
static bool is_marker(const struct line *line)
{
	static const char *const prefixes[] = {"__pfx_", "__cfi_", "__kcfi_typeid_", "$", ".L"};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(prefixes); i++) {
		size_t len = strlen(prefixes[i]);

		if (line->name_len >= len && !memcmp(line->name, prefixes[i], len))
			return true;
	}
	return false;
}

/* Of several names for one address: a strong one, then the one with fewer underscores. */
static uint32_t name_order(const struct line *line)
{
	uint32_t underscores = 0;

	while (underscores < line->name_len && line->name[underscores] == '_')
		underscores++;
	return (line->type == 'w' || line->type == 'W' ? 0x10000 : 0) +
	       (underscores < 0xffff ? underscores : 0xffff);
}

static bool append(struct dms_symbols *symbols, const struct line *line)
{
	if (!dms_grow(&symbols->entries, &symbols->capacity, symbols->count + 1,
		      sizeof(struct entry)))
		return false;
	symbols->entries[symbols->count++] = (struct entry){
		.address = line->address,
		.name = (uint32_t)(line->name - symbols->text),
		.order = name_order(line),
	};
	return true;
}

/* Collect the functions, or with @all every symbol. False when memory is short. */
static bool collect(struct dms_symbols *symbols, bool all)
{
	const char *pos = symbols->text, *end = symbols->text + symbols->size, *newline;
	struct line line;

	for (; pos < end; pos = newline + 1) {
		newline = memchr(pos, '\n', (size_t)(end - pos));
		if (!newline)
			newline = end;
		if (!parse_line(pos, newline, &line)) {
			symbols->n_malformed += skip_space(pos, newline) < newline;
			continue;
		}
		if (!line.address)
			continue;
		if ((!all && !is_text(line.type)) || is_marker(&line))
			continue;
		if (!append(symbols, &line))
			return false;
	}
	return true;
}

uint64_t dms_symbols_malformed(const struct dms_symbols *symbols)
{
	return symbols->n_malformed;
}

/*
 * Sort by address, keeping the order of equal ones: a radix sort, since the text is hostile
 * and large, and its bytes mostly agree (such passes are skipped). False: memory is short.
 */
static bool sort(struct dms_symbols *symbols)
{
	struct entry *from = symbols->entries, *to;
	size_t n = symbols->count;
	uint64_t varying = 0;

	to = dms_alloc(n * sizeof(*to));
	if (!to)
		return false;
	for (size_t i = 1; i < n; i++)
		varying |= from[i].address ^ from[0].address;
	for (unsigned int shift = 0; shift < 64; shift += 8) {
		size_t starts[257] = {0};
		struct entry *swap = to;

		if (!(varying >> shift & 0xff))
			continue;
		for (size_t i = 0; i < n; i++)
			starts[(from[i].address >> shift & 0xff) + 1]++;
		for (size_t i = 1; i < 256; i++)
			starts[i] += starts[i - 1];
		for (size_t i = 0; i < n; i++)
			to[starts[from[i].address >> shift & 0xff]++] = from[i];
		to = from;
		from = swap;
	}
	symbols->entries = from;
	symbols->capacity = n;
	dms_free(to);
	return true;
}

/* Leave one symbol to an address, the first of the best ones. */
static void drop_aliases(struct dms_symbols *symbols)
{
	struct entry *entries = symbols->entries;
	size_t kept = 0;

	for (size_t i = 0; i < symbols->count; i++) {
		if (!kept || entries[kept - 1].address != entries[i].address)
			entries[kept++] = entries[i];
		else if (entries[i].order < entries[kept - 1].order)
			entries[kept - 1] = entries[i];
	}
	symbols->count = kept;
}

/* Give back what doubling and aliases left over; keeping it is no error. */
static void shrink(struct dms_symbols *symbols)
{
	struct entry *fitting;

	fitting = dms_realloc(symbols->entries, symbols->count * sizeof(*fitting));
	if (fitting) {
		symbols->entries = fitting;
		symbols->capacity = symbols->count;
	}
}

struct dms_error *dms_symbols_create(const char *text, size_t size, struct dms_symbols **ret)
{
	struct dms_symbols *symbols;

	if (size > UINT32_MAX)
		return dms_error_new(DMS_ERROR_INPUT, "symbol table of %zu bytes is too large",
				     size);
	symbols = dms_zalloc(sizeof(*symbols));
	if (!symbols)
		return &dms_error_nomem;
	symbols->text = text ? text : ""; /* no address may be computed from NULL */
	symbols->size = text ? size : 0;
	if (!collect(symbols, false) || (!symbols->count && !collect(symbols, true)) ||
	    !sort(symbols)) {
		dms_symbols_destroy(symbols);
		return &dms_error_nomem;
	}
	drop_aliases(symbols);
	shrink(symbols);
	*ret = symbols;
	return NULL;
}

void dms_symbols_destroy(struct dms_symbols *symbols)
{
	if (!symbols)
		return;
	dms_free(symbols->entries);
	dms_free(symbols);
}

/* Number of entries whose address is <= @address. */
static size_t upper_bound(const struct dms_symbols *symbols, uint64_t address)
{
	size_t low = 0, high = symbols->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols->entries[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The name at @entry, and the module behind it. */
static void describe(const struct dms_symbols *symbols, const struct entry *entry,
		     struct dms_symbol *ret)
{
	const char *end = symbols->text + symbols->size, *pos, *word;

	ret->address = entry->address;
	ret->name = symbols->text + entry->name;
	for (pos = ret->name - 1; is_space(*pos); pos--) /* up to the type; a digit is before it */
		;
	ret->is_start_unknown = *pos == '?';
	pos = skip_word(ret->name, end);
	ret->name_len = (uint32_t)(pos - ret->name);
	while (pos < end && *pos != '\n' && is_space(*pos))
		pos++;
	word = pos;
	pos = skip_word(word, end);
	if (pos - word > 2 && word[0] == '[' && pos[-1] == ']') {
		ret->module = word + 1;
		ret->module_len = (uint32_t)(pos - word - 2);
	}
}

static uint64_t max_bytes_of(const struct dms_symbol *symbol)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(made_at_run_time); i++) {
		size_t len = strlen(made_at_run_time[i].prefix);

		if (symbol->module && symbol->module_len + 1 >= len &&
		    !memcmp(symbol->module, made_at_run_time[i].prefix, len))
			return made_at_run_time[i].max_bytes;
	}
	return MAX_FUNCTION_BYTES;
}

bool dms_symbols_find(const struct dms_symbols *symbols, uint64_t address, struct dms_symbol *ret)
{
	size_t above = upper_bound(symbols, address);

	memset(ret, 0, sizeof(*ret));
	if (!above)
		return false;
	describe(symbols, &symbols->entries[above - 1], ret);
	if (address - ret->address < max_bytes_of(ret))
		return true;
	memset(ret, 0, sizeof(*ret));
	return false;
}

uint32_t dms_symbols_count(const struct dms_symbols *symbols)
{
	return (uint32_t)symbols->count;
}
