/* SPDX-License-Identifier: LGPL-2.1-only */
/* libcurl, loaded when the fleet is spoken to and not before. */
#ifndef FLEET_LIBCURL_H
#define FLEET_LIBCURL_H

#include <curl/curl.h>

#include <dmascope/base.h>

/** The functions of libcurl we call, without their prefix "curl_". */
#define LIBCURL_FUNCTIONS(row) \
	row(easy_cleanup) row(easy_escape) row(easy_getinfo) row(easy_init) row(easy_perform) \
	row(easy_setopt) row(easy_strerror) row(free) row(global_init) row(slist_append) \
	row(slist_free_all) row(url) row(url_cleanup) row(url_get) row(url_set)

struct libcurl {
#define LIBCURL_MEMBER(name) typeof(curl_##name) *name;
	LIBCURL_FUNCTIONS(LIBCURL_MEMBER)
#undef LIBCURL_MEMBER
};

/** Load it, once for all threads. Errors: DMS_ERROR_INTERNAL: it is not installed, or too old. */
struct dms_error *libcurl_load(void);
/** The loaded one: only after libcurl_load() has succeeded. */
const struct libcurl *libcurl(void);

#endif
