/* SPDX-License-Identifier: LGPL-2.1-only */
/* Errors, log, memory and interned strings: what every room may use. */
#ifndef DMASCOPE_BASE_H
#define DMASCOPE_BASE_H

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define DMS_ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define DMS_BIT(nr)	      (1u << (nr))
#define _cleanup_(function)   __attribute__((cleanup(function)))
#define _printf_(fmt, args)   __attribute__((format(printf, fmt, args)))
/*
 * The pipeline is many small functions, and a call costs as much as what most of them do: where
 * every record passes, all that a _flat_ function calls becomes part of it (with LTO from any file),
 * but for what is _apart_: seldom called, or large. Figures: docs/performance.md.
 */
#define _flat_ __attribute__((flatten))
#define _apart_ __attribute__((noinline))

/* ---- errors: "we cannot go on" ------------------------------------------------------------ */

/** What kind of trouble; the program's exit code follows from it (DESIGN.md section 6). */
enum dms_error_code {
	DMS_ERROR_USAGE = 2,	/* the command line, or an option's value */
	DMS_ERROR_INPUT = 3,	/* the input is unreadable, damaged, or not what it should be */
	DMS_ERROR_INTERNAL = 4, /* disk full, out of memory, a library failed */
};

/** An error value. Fallible functions return a pointer to one, or NULL for success. */
struct dms_error;

/** The one error that needs no memory to report. Never freed; dms_error_free() knows it. */
extern struct dms_error dms_error_nomem;

/**
 * Make an error. Ownership: the caller's, to be freed or returned further up.
 * Return: never NULL; &dms_error_nomem when memory is short.
 */
struct dms_error *dms_error_new(enum dms_error_code code, const char *fmt, ...) _printf_(2, 3);

/** As dms_error_new(), with ": " and strerror(@errnum) behind the message. */
struct dms_error *dms_error_errno(enum dms_error_code code, int errnum, const char *fmt, ...)
	_printf_(3, 4);

/** Put "<message>: " before what @err says; keeps its code. Takes @err, returns the new one. */
struct dms_error *dms_error_wrap(struct dms_error *err, const char *fmt, ...) _printf_(2, 3);

/** Free @err; NULL is allowed. */
void dms_error_free(struct dms_error *err);

/** What @err says, borrowed; and its kind. */
const char *dms_error_message(const struct dms_error *err);
enum dms_error_code dms_error_code(const struct dms_error *err);

/* ---- log: talk on stderr, never data ------------------------------------------------------- */

enum dms_log_level { DMS_LOG_ERROR, DMS_LOG_WARN, DMS_LOG_INFO, DMS_LOG_DEBUG };

/** Messages above @level are dropped; the default is DMS_LOG_WARN. */
void dms_log_set_level(enum dms_log_level level);
/** One line to stderr, "dmascope: " before it. Control characters are made visible. */
void dms_log(enum dms_log_level level, const char *fmt, ...) _printf_(2, 3);
/** Takes what a thread says, of every level, in place of stderr: one line, as it is, without its end. */
typedef void (*dms_log_fn)(void *context, enum dms_log_level level, const char *line);
struct dms_log_sink {
	dms_log_fn take; /* NULL: stderr */
	void *context;
};
/** From here on the calling thread talks to @sink. Return: the sink before it. */
struct dms_log_sink dms_log_redirect(struct dms_log_sink sink);

/* ---- memory: src/base is the only caller of malloc ------------------------------------------ */

/** As malloc()/calloc(); NULL when memory is short. Freed with dms_free(). */
void *dms_alloc(size_t bytes);
void *dms_zalloc(size_t bytes);
/** @bytes that begin with a cache line; not zeroed. */
void *dms_alloc_lines(size_t bytes);
void *dms_realloc(void *ptr, size_t bytes);
void dms_free(void *ptr);
/**
 * From now on the process gets at most @bytes of private memory, libraries and threads included;
 * whoever asks for more finds memory short. Errors: DMS_ERROR_USAGE: too little to begin with.
 */
struct dms_error *dms_memory_limit(uint64_t bytes);
/** True if dms_alloc() or one of its kin was ever refused: what was made then may be a part. */
bool dms_memory_was_refused(void);
/** For _cleanup_(dms_freep) on any pointer variable, which is NULL then. */
void dms_freep(void *ptr_to_ptr);
/** strdup() and asprintf() on dms_alloc(); NULL when memory is short. */
char *dms_strdup(const char *str);
char *dms_strndup(const char *str, size_t bytes);
char *dms_asprintf(const char *fmt, ...) _printf_(1, 2);

/**
 * Bytes of the well-formed UTF-8 sequence at @text, of which there are @bytes, and its code point; 0:
 * there is none. Overlong forms and surrogates are not well-formed.
 */
size_t dms_utf8_sequence(const unsigned char *text, size_t bytes, uint32_t *ret_code);
/** True if all of @text is. */
bool dms_is_utf8(const char *text);

/**
 * A stream into memory: as open_memstream(), which takes what it has no room for and does not say so.
 * Zero it before.
 */
struct dms_text {
	char *bytes; /* for dms_free(), once the stream is closed; a NUL follows the last */
	size_t n_bytes, capacity;
	bool is_short; /* of memory */
};
/** NULL: memory is short. */
FILE *dms_text_open(struct dms_text *text);
/** Close it. True: @text is there, and whole; else it is empty. */
bool dms_text_close(struct dms_text *text, FILE *out);

/**
 * dms_open_nameless - a file for reading and writing that has no name and is gone when it is closed
 * @path: of a file beside which it is to be; where the file system makes no such files, it is called
 *	  @path.nameless.part for the moment between two calls, and the next one there clears it away
 *
 * Returns a descriptor, which the caller closes, or -1: errno says why.
 */
int dms_open_nameless(const char *path);
char *dms_vasprintf(const char *fmt, va_list args) _printf_(1, 0);

/**
 * Make room for at least @need elements of @element_bytes in the array at *@array, doubling
 * *@capacity; new space is zeroed. Return: false when memory is short (nothing changed).
 */
bool dms_grow(void *array, size_t *capacity, size_t need, size_t element_bytes);

/**
 * An array that grows and whose elements never move: one thread may add to it while others read
 * what they were told of. Element @index is in block k of 64 << k elements.
 */
#define DMS_N_BLOCKS 27
struct dms_blocks {
	void *blocks[DMS_N_BLOCKS];
};
/** Make room for element @index, the next one; zeroed. Return: false when memory is short. */
bool dms_blocks_reserve(struct dms_blocks *blocks, uint32_t index, size_t element_bytes);
void dms_blocks_deinit(struct dms_blocks *blocks);
/** The element, for which there must be room. */
static inline void *dms_blocks_at(const struct dms_blocks *blocks, uint32_t index,
				  size_t element_bytes)
{
	uint64_t from_64 = (uint64_t)index + 64;
	unsigned int block = 57 - (unsigned int)__builtin_clzll(from_64);

	return (char *)blocks->blocks[block] + (from_64 - (64ull << block)) * element_bytes;
}

/** A list of strings that somebody else owns. */
struct dms_strings {
	const char **items;
	size_t n_items, capacity;
};

/** A run arena: memory that is freed all at once. */
struct dms_arena;
struct dms_arena *dms_arena_create(void);
void dms_arena_destroy(struct dms_arena *arena);
/** @bytes of zeroed memory, 8-byte aligned; NULL when memory is short. */
void *dms_arena_alloc(struct dms_arena *arena, size_t bytes);

/**
 * Interned strings: each distinct string once, numbered from 0 in order of first sight. While one
 * thread adds, others may get those whose numbers they were given.
 */
struct dms_strtab;
struct dms_strtab *dms_strtab_create(void);
void dms_strtab_destroy(struct dms_strtab *tab);
#define DMS_STR_NONE UINT32_MAX
/** Number of @str (@bytes long, need not be terminated); DMS_STR_NONE when memory is short. */
uint32_t dms_strtab_add(struct dms_strtab *tab, const char *str, size_t bytes);
/** The string of @id, borrowed, terminated; valid as long as @tab. */
const char *dms_strtab_get(const struct dms_strtab *tab, uint32_t id);
uint32_t dms_strtab_count(const struct dms_strtab *tab);

/** 64-bit mix of a key, for hash tables; the same on every machine. */
static inline uint64_t dms_hash64(uint64_t key)
{
	key ^= key >> 32;
	key *= 0x9fb21c651e98df25ull;
	key ^= key >> 29;
	key *= 0x9fb21c651e98df25ull;
	return key ^ (key >> 32);
}
/**
 * The place of a key in a table of 1 << (64 - @shift): a quarter of the instructions of dms_hash64(),
 * and enough for numbers, addresses and pages, which differ in their lower bits.
 */
static inline uint32_t dms_hash_place(uint64_t key, unsigned int shift)
{
	return (uint32_t)((key * 0x9e3779b97f4a7c15ull) >> shift);
}
/** The word nearest to what was typed, of those tried so far: "did you mean". */
struct dms_nearest {
	const char *typed;
	size_t typed_len;
	const char *word;      /* NULL: those that share nothing with it are not offered */
	unsigned int distance; /* of that word */
};
struct dms_nearest dms_nearest_to(const char *typed, size_t len);
/** Try @word, which is borrowed. */
void dms_nearest_try(struct dms_nearest *nearest, const char *word);

/** 0 to 15; -1: @c is no hexadecimal digit. */
static inline int dms_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** Hash of @bytes at @data. */
uint64_t dms_hash_bytes(const void *data, size_t bytes);

/** A duration for people, "12.3 us", "-" for UINT64_MAX. Return: @buf, terminated. */
const char *dms_format_ns(uint64_t ns, char *buf, size_t size);

/** Of a clock that only goes on, for what takes how long. */
uint64_t dms_now_ns(void);

/* ---- threads --------------------------------------------------------------------------------- */

/**
 * pthread_create(), but signals stay the main thread's: a handler there must not find itself in
 * another one. False: threads may not be, or not so many.
 */
bool dms_thread_start(pthread_t *ret, void *(*work)(void *), void *context);

#endif
