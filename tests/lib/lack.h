/* SPDX-License-Identifier: GPL-2.0-only */
/* Allocations of the test's own process, one of which fails alone. For one file of a program only. */
#ifndef TESTS_LACK_H
#define TESTS_LACK_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

static unsigned long lack_in; /* allocations up to the one that fails; 0: none does */

/** The @n-th allocation from here on fails. */
static void lack_begin(unsigned long n)
{
	lack_in = n;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

/* They have their own allocators: none fails. */
static bool lack_end(void)
{
	lack_in = 0;
	return false;
}

#else

/** No allocation fails from here on. Return: one has. */
static bool lack_end(void)
{
	bool has_failed = !lack_in;

	lack_in = 0;
	return has_failed;
}

static bool is_lacking(void)
{
	if (!lack_in || --lack_in)
		return false;
	errno = ENOMEM;
	return true;
}

/* for the libraries too */
#define FOR_ALL __attribute__((visibility("default")))
FOR_ALL void *malloc(size_t bytes);
FOR_ALL void *calloc(size_t n, size_t bytes);
FOR_ALL void *realloc(void *ptr, size_t bytes);
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);
void *__libc_realloc(void *ptr, size_t bytes);

void *malloc(size_t bytes)
{
	return is_lacking() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t n, size_t bytes)
{
	return is_lacking() ? NULL : __libc_calloc(n, bytes);
}

void *realloc(void *ptr, size_t bytes)
{
	return is_lacking() ? NULL : __libc_realloc(ptr, bytes);
}

#endif
#endif
