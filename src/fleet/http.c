// SPDX-License-Identifier: LGPL-2.1-only
/* One request after the other to the server, tried again while that may help. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "libcurl.h"
#include "local.h"

#define CONNECT_TIMEOUT_S 10L
#define SILENCE_TIMEOUT_S 300L /* a server that says nothing for so long is gone */
#define FIRST_WAIT_MS	  200u
#define MAX_WAIT_MS	  20000u
#define MESSAGE_BYTES	  300u
#define MOST_ANSWER_MIB	  256u /* a server could go on for ever */
#define MOST_ANSWER_BYTES ((size_t)MOST_ANSWER_MIB << 20)

/* Insertions through a Distributed table are to have arrived when the server says so. Replicated
 * tables would drop a batch that they have seen before, also when its rows were deleted since; what
 * is twice replaces itself anyway. A user who may only read may set nothing. */
#define SETTINGS       "wait_end_of_query=1"
#define WRITE_SETTINGS "&insert_distributed_sync=1&insert_deduplicate=0"

struct dms_fleet {
	CURL *curl;
	struct curl_slist *headers;
	struct fleet_address address;
	uint64_t retry_for_ns;
	bool may_recover;
};

/** What came of one try. */
struct outcome {
	struct fleet_bytes answer;
	CURLcode rc;
	long status; /* of HTTP; 0: none came */
	bool has_no_memory, is_too_long;
};

/* ---- the handle -------------------------------------------------------------------------------
 */

static struct dms_error *add_header(struct dms_fleet *fleet, const char *name, const char *value)
{
	char *line = dms_asprintf("%s%s", name, value);
	struct curl_slist *longer = line ? libcurl()->slist_append(fleet->headers, line) : NULL;

	if (line)
		explicit_bzero(line, strlen(line));
	dms_free(line);
	if (!longer)
		return &dms_error_nomem;
	fleet->headers = longer;
	return NULL;
}

/* In headers, never in the URL: servers and proxies log URLs. */
static struct dms_error *identify(struct dms_fleet *fleet, const struct dms_fleet_options *options)
{
	_cleanup_(fleet_credentials_deinit) struct fleet_credentials who = {0};
	struct dms_error *err = fleet_credentials_read(options->credentials, &who);

	if (!err && who.password && !fleet->address.is_https && !fleet->address.is_local &&
	    !options->allow_plain)
		err = dms_error_new(DMS_ERROR_INPUT,
				    "the password would cross the network in the clear; use https, "
				    "or --allow-plain");
	if (!err && who.user)
		err = add_header(fleet, "X-ClickHouse-User: ", who.user);
	if (!err && who.password)
		err = add_header(fleet, "X-ClickHouse-Key: ", who.password);
	if (!err) /* no round trip before a big body */
		err = add_header(fleet, "Expect:", "");
	if (!err) /* else curl names a form's */
		err = add_header(fleet, "Content-Type: ", "application/octet-stream");
	return err;
}

static size_t take_answer(char *data, size_t size, size_t n, void *context)
{
	struct outcome *outcome = context;

	outcome->is_too_long = outcome->answer.n + size * n > MOST_ANSWER_BYTES;
	if (outcome->is_too_long)
		return 0;
	if (fleet_bytes_add(&outcome->answer, data, size * n))
		return size * n;
	outcome->has_no_memory = true;
	return 0;
}

static struct dms_error *set_options(struct dms_fleet *fleet, const char *cacert)
{
	CURL *curl = fleet->curl;
	CURLcode rc = libcurl()->easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");

	libcurl()->easy_setopt(curl, CURLOPT_HTTPHEADER, fleet->headers);
	libcurl()->easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	libcurl()->easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	libcurl()->easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	libcurl()->easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	libcurl()->easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	libcurl()->easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	libcurl()->easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, SILENCE_TIMEOUT_S);
	libcurl()->easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	libcurl()->easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
	/* for who says in his head how long it is; the others are stopped by take_answer() */
	libcurl()->easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)MOST_ANSWER_BYTES);
	if (fleet->address.is_local)
		libcurl()->easy_setopt(curl, CURLOPT_PROXY, "");
	if (rc == CURLE_OK && cacert)
		rc = libcurl()->easy_setopt(curl, CURLOPT_CAINFO, cacert);
	return rc == CURLE_OK
		       ? NULL
		       : dms_error_new(DMS_ERROR_INTERNAL, "libcurl: %s", libcurl()->easy_strerror(rc));
}

struct dms_error *dms_fleet_create(const struct dms_fleet_options *options, struct dms_fleet **ret)
{
	struct dms_fleet *fleet = dms_zalloc(sizeof(*fleet));
	struct dms_error *err;

	if (!fleet)
		return &dms_error_nomem;
	fleet->retry_for_ns = options->retry_for_s > UINT32_MAX
				      ? UINT64_MAX / 2
				      : options->retry_for_s * 1000000000u;
	err = fleet_address_parse(options->url, &fleet->address);
	if (!err)
		err = identify(fleet, options);
	if (!err && (libcurl()->global_init(CURL_GLOBAL_DEFAULT) || !(fleet->curl = libcurl()->easy_init())))
		err = &dms_error_nomem;
	if (!err)
		err = set_options(fleet, options->cacert);
	if (err) {
		dms_fleet_destroy(fleet);
		return err;
	}
	*ret = fleet;
	return NULL;
}

void dms_fleet_destroy(struct dms_fleet *fleet)
{
	if (!fleet)
		return;
	if (fleet->curl)
		libcurl()->easy_cleanup(fleet->curl);
	for (struct curl_slist *header = fleet->headers; header; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	if (fleet->headers)
		libcurl()->slist_free_all(fleet->headers);
	fleet_address_deinit(&fleet->address);
	dms_free(fleet);
}

bool dms_fleet_may_recover(const struct dms_fleet *fleet)
{
	return fleet->may_recover;
}

const char *fleet_database(const struct dms_fleet *fleet)
{
	return fleet->address.database;
}

/* ---- what an answer means ---------------------------------------------------------------------
 */

/* "Code: 60, e.displayText() = ..." or "Code: 60. DB::Exception: ...": the server's own number. */
static unsigned long exception_code(const struct fleet_bytes *answer)
{
	char digits[8] = ""; /* the answer itself has no end that strtoul() would know */

	if (answer->n <= 6 || memcmp(answer->data, "Code: ", 6))
		return 0;
	memcpy(digits, answer->data + 6,
	       answer->n - 6 < sizeof(digits) ? answer->n - 6 : sizeof(digits) - 1);
	return strtoul(digits, NULL, 10);
}

/* Answers of 5xx that no waiting cures (ClickHouse's src/Common/ErrorCodes.cpp). */
static bool is_final(unsigned long code)
{
	static const unsigned short codes[] = {
		6,   /* CANNOT_PARSE_TEXT */
		16,  /* NO_SUCH_COLUMN_IN_TABLE */
		27,  /* CANNOT_PARSE_INPUT_ASSERTION_FAILED */
		36,  /* BAD_ARGUMENTS */
		43,  /* ILLEGAL_TYPE_OF_ARGUMENT */
		46,  /* UNKNOWN_FUNCTION */
		47,  /* UNKNOWN_IDENTIFIER */
		50,  /* UNKNOWN_TYPE */
		53,  /* TYPE_MISMATCH */
		60,  /* UNKNOWN_TABLE */
		62,  /* SYNTAX_ERROR */
		70,  /* CANNOT_CONVERT_TYPE */
		81,  /* UNKNOWN_DATABASE */
		115, /* UNKNOWN_SETTING */
		164, /* READONLY */
		192, /* UNKNOWN_USER */
		193, /* WRONG_PASSWORD */
		194, /* REQUIRED_PASSWORD */
		195, /* IP_ADDRESS_NOT_ALLOWED */
		291, /* DATABASE_ACCESS_DENIED */
		497, /* ACCESS_DENIED */
		516, /* AUTHENTICATION_FAILED */
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(codes); i++) {
		if (codes[i] == code)
			return true;
	}
	return false;
}

static bool may_recover(const struct outcome *outcome)
{
	static const CURLcode passing[] = {
		CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY,
		CURLE_COULDNT_CONNECT,	    CURLE_PARTIAL_FILE,
		CURLE_OPERATION_TIMEDOUT,   CURLE_GOT_NOTHING,
		CURLE_SEND_ERROR,	    CURLE_RECV_ERROR,
		CURLE_SSL_CONNECT_ERROR,    CURLE_WEIRD_SERVER_REPLY,
	};

	if (outcome->rc == CURLE_OK)
		return outcome->status == 408 || outcome->status == 429 ||
		       (outcome->status >= 500 && !is_final(exception_code(&outcome->answer)));
	for (size_t i = 0; i < DMS_ARRAY_SIZE(passing); i++) {
		if (outcome->rc == passing[i])
			return !outcome->has_no_memory;
	}
	return false;
}

static struct dms_error *explain(const struct dms_fleet *fleet, const char *doing,
				 const struct outcome *outcome)
{
	const struct fleet_bytes *answer = &outcome->answer;
	unsigned long code = exception_code(answer);
	size_t n = 0;

	if (outcome->has_no_memory)
		return &dms_error_nomem;
	if (outcome->is_too_long)
		return dms_error_new(DMS_ERROR_INPUT, "%s at %s: the answer is longer than %u MiB",
				     doing, fleet->address.base, MOST_ANSWER_MIB);
	if (outcome->rc != CURLE_OK)
		return dms_error_new(DMS_ERROR_INPUT, "%s at %s: %s", doing, fleet->address.base,
				     libcurl()->easy_strerror(outcome->rc));
	while (n < answer->n && n < MESSAGE_BYTES && answer->data[n] != '\n')
		n++;
	return dms_error_new(
		DMS_ERROR_INPUT, "%s at %s: HTTP %ld: %.*s%s", doing, fleet->address.base,
		outcome->status, (int)n, n ? (const char *)answer->data : "no message",
		code == 60 || code == 81 ? " (are the tables there? see dmascope fleet --init)"
					 : "");
}

/* ---- sending ----------------------------------------------------------------------------------
 */

/* The SQL of an INSERT goes into the URL, its data into the body. SQL that reads goes into the URL
 * of a GET, which the server takes for read-only, whoever we are. Other SQL is the body. */
static char *request_url(struct dms_fleet *fleet, const struct fleet_request *request)
{
	char *sql = NULL, *url;

	if ((request->body || request->is_read_only) &&
	    !(sql = libcurl()->easy_escape(fleet->curl, request->sql, 0)))
		return NULL;
	url = dms_asprintf("%s?%s%s%s%s%s%s", fleet->address.base, SETTINGS,
			   request->is_read_only ? "" : WRITE_SETTINGS,
			   request->no_database ? "" : "&database=",
			   request->no_database ? "" : fleet->address.database,
			   sql ? "&query=" : "", sql ? sql : "");
	libcurl()->free(sql);
	return url;
}

static void try_once(struct dms_fleet *fleet, const struct fleet_request *request, const char *url,
		     struct outcome *ret)
{
	CURL *curl = fleet->curl;
	const void *body = request->body ? request->body : request->sql;
	size_t bytes = request->body ? request->body_bytes : strlen(request->sql);

	libcurl()->easy_setopt(curl, CURLOPT_URL, url);
	libcurl()->easy_setopt(curl, CURLOPT_POST, 1L);
	libcurl()->easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	libcurl()->easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes);
	if (request->is_read_only)
		libcurl()->easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	libcurl()->easy_setopt(curl, CURLOPT_WRITEDATA, ret);
	ret->rc = libcurl()->easy_perform(curl);
	ret->is_too_long |= ret->rc == CURLE_FILESIZE_EXCEEDED;
	if (libcurl()->easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &ret->status))
		ret->status = 0;
}

/* Half of it by chance: a thousand hosts that lost their server do not come back as one. */
static uint64_t wait_ns(unsigned int n_tries)
{
	uint64_t most_ms = n_tries > 10 ? MAX_WAIT_MS : (uint64_t)FIRST_WAIT_MS << n_tries;

	if (most_ms > MAX_WAIT_MS)
		most_ms = MAX_WAIT_MS;
	return most_ms * 500000u + dms_hash64(dms_now_ns()) % (most_ms * 500000u);
}

static void sleep_ns(uint64_t ns)
{
	struct timespec left = {.tv_sec = (time_t)(ns / 1000000000u),
				.tv_nsec = (long)(ns % 1000000000u)};

	nanosleep(&left, NULL);
}

static struct dms_error *keep_trying(struct dms_fleet *fleet, const struct fleet_request *request,
				     const char *url, struct fleet_bytes *ret)
{
	uint64_t begin = dms_now_ns();

	for (unsigned int n_tries = 0;; n_tries++) {
		struct outcome outcome = {0};
		struct dms_error *err = NULL;
		uint64_t wait = wait_ns(n_tries);
		bool is_over;

		try_once(fleet, request, url, &outcome);
		if (outcome.rc != CURLE_OK || outcome.status != 200) {
			err = explain(fleet, request->doing, &outcome);
			fleet->may_recover = may_recover(&outcome);
		} else if (ret && !fleet_bytes_add(ret, outcome.answer.data, outcome.answer.n)) {
			err = &dms_error_nomem;
		}
		dms_free(outcome.answer.data);
		is_over = !err || !fleet->may_recover ||
			  dms_now_ns() - begin + wait > fleet->retry_for_ns;
		if (is_over)
			return err;
		dms_log(DMS_LOG_WARN, "%s; trying again in %.1f s", dms_error_message(err),
			(double)wait / 1e9);
		dms_error_free(err);
		sleep_ns(wait);
	}
}

struct dms_error *fleet_send(struct dms_fleet *fleet, const struct fleet_request *request,
			     struct fleet_bytes *ret)
{
	_cleanup_(dms_freep) char *url = request_url(fleet, request);

	fleet->may_recover = false;
	return url ? keep_trying(fleet, request, url, ret) : &dms_error_nomem;
}
