// SPDX-License-Identifier: LGPL-2.1-only
/*
 * Loading libcurl. It brings 28 libraries along, 6 MiB of memory and 10 ms at every start (measured
 * with `dmascope analyze` of a small file), and only push and fleet need it.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "libcurl.h"

/* Debian has it with OpenSSL and with GnuTLS; their interface is the same since 2006. */
static const char *const files[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

static const struct {
	const char *symbol;
	size_t offset;
} functions[] = {
#define LIBCURL_ROW(name) {"curl_" #name, offsetof(struct libcurl, name)},
	LIBCURL_FUNCTIONS(LIBCURL_ROW)
#undef LIBCURL_ROW
};

/* Written once, by load(): the one exception to no mutable globals. */
static struct libcurl loaded;
static const char *missing; /* the first that is; NULL: nothing */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
	void *library = NULL;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(files) && !library; i++)
		library = dlopen(files[i], RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		missing = files[0]; /* reads well enough in the message */
		return;
	}
	for (size_t i = 0; i < DMS_ARRAY_SIZE(functions) && !missing; i++) {
		void *function = dlsym(library, functions[i].symbol);

		if (!function)
			missing = functions[i].symbol;
		memcpy((char *)&loaded + functions[i].offset, &function, sizeof(function));
	}
}

struct dms_error *libcurl_load(void)
{
	pthread_once(&once, load);
	return missing ? dms_error_new(DMS_ERROR_INTERNAL,
				       "libcurl is needed, and has no %s here; on Debian: "
				       "apt-get install libcurl4",
				       missing)
		       : NULL;
}

const struct libcurl *libcurl(void)
{
	return &loaded;
}
