// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer entry: what comes from outside in `push` and `fleet`. The first byte says what the rest is:
 * 'a' the server's answer to a question, 'p' its answers to a push: behind one byte for the status,
 * 'c' a file of credentials, 'q' a query with words to fill in, 's' names of files in a spool.
 *
 * libcurl is taken for granted and replaced: its functions are all reached through one table.
 */
#include <errno.h>
#include <sys/stat.h>

#include <dmascope/report.h>
#include <dmascope/store.h>

#include "../../src/fleet/libcurl.h"
#include "../../src/fleet/local.h"
#include "fuzz_good.h"
#include "fuzz_lines.h"

/* ---- libcurl, as if a server had answered ----------------------------------------------------- */

typedef size_t (*write_fn)(char *data, size_t size, size_t n, void *context);

/** One server; targets are run by one thread. */
static struct {
	const uint8_t *answer;
	size_t bytes;
	long status;
	CURLcode rc;
	write_fn write;
	void *context;
} server;

static CURLcode global_init(long flags)
{
	(void)flags;
	return CURLE_OK;
}

static CURL *easy_init(void)
{
	return &server;
}

static void easy_cleanup(CURL *curl)
{
	(void)curl;
}

static CURLcode easy_setopt(CURL *curl, CURLoption option, ...)
{
	va_list args;

	(void)curl;
	va_start(args, option);
	if (option == CURLOPT_WRITEFUNCTION)
		server.write = va_arg(args, write_fn);
	else if (option == CURLOPT_WRITEDATA)
		server.context = va_arg(args, void *);
	va_end(args);
	return CURLE_OK;
}

/* In two pieces, as a network has it. */
static CURLcode easy_perform(CURL *curl)
{
	size_t half = server.bytes / 2, rest = server.bytes - half;

	(void)curl;
	if (server.write((char *)server.answer, 1, half, server.context) != half ||
	    server.write((char *)server.answer + half, 1, rest, server.context) != rest)
		return CURLE_WRITE_ERROR;
	return server.rc;
}

static CURLcode easy_getinfo(CURL *curl, CURLINFO info, ...)
{
	va_list args;

	(void)curl;
	if (info != CURLINFO_RESPONSE_CODE)
		abort();
	va_start(args, info);
	*va_arg(args, long *) = server.status;
	va_end(args);
	return CURLE_OK;
}

static const char *easy_strerror(CURLcode rc)
{
	return rc == CURLE_OK ? "no error" : "an error";
}

static char *easy_escape(CURL *curl, const char *text, int bytes)
{
	(void)curl, (void)bytes;
	return strdup(text);
}

static struct curl_slist *slist_append(struct curl_slist *list, const char *text)
{
	struct curl_slist *item = malloc(sizeof(*item));

	if (!item)
		abort();
	*item = (struct curl_slist){.data = strdup(text), .next = list};
	return item;
}

static void slist_free_all(struct curl_slist *list)
{
	for (struct curl_slist *next; list; list = next) {
		next = list->next;
		free(list->data);
		free(list);
	}
}

static CURLU *url(void)
{
	return (CURLU *)&server;
}

static void url_cleanup(CURLU *parsed)
{
	(void)parsed;
}

static CURLUcode url_set(CURLU *parsed, CURLUPart part, const char *text, unsigned int flags)
{
	(void)parsed, (void)part, (void)text, (void)flags;
	return CURLUE_OK;
}

static CURLUcode url_get(CURLU *parsed, CURLUPart part, char **ret, unsigned int flags)
{
	const char *text = part == CURLUPART_SCHEME ? "http"
			   : part == CURLUPART_HOST ? "localhost"
			   : part == CURLUPART_PATH ? "/"
						    : NULL;

	(void)parsed, (void)flags;
	if (!text)
		return CURLUE_NO_PORT;
	*ret = strdup(text);
	return CURLUE_OK;
}

struct dms_error *libcurl_load(void)
{
	return NULL;
}

const struct libcurl *libcurl(void)
{
	static const struct libcurl functions = {
		.easy_cleanup = easy_cleanup,
		.easy_escape = easy_escape,
		.easy_getinfo = easy_getinfo,
		.easy_init = easy_init,
		.easy_perform = easy_perform,
		.easy_setopt = easy_setopt,
		.easy_strerror = easy_strerror,
		.free = free,
		.global_init = global_init,
		.slist_append = slist_append,
		.slist_free_all = slist_free_all,
		.url = url,
		.url_cleanup = url_cleanup,
		.url_get = (void *)url_get, /* later ones take a const URL */
		.url_set = url_set,
	};

	return &functions;
}

/* ---- answers ---------------------------------------------------------------------------------- */

/* Of the server that answers @data, whose first byte says how it went. */
static struct dms_fleet *open_fleet(const uint8_t *data, size_t size)
{
	static const struct {
		long status;
		CURLcode rc;
	} outcomes[] = {
		{200, CURLE_OK}, {404, CURLE_OK}, {500, CURLE_OK},	{503, CURLE_OK},
		{429, CURLE_OK}, {200, CURLE_PARTIAL_FILE}, {0, CURLE_GOT_NOTHING},
	};
	const struct dms_fleet_options options = {.url = "http://localhost"};
	uint8_t outcome = size ? *data : 0;
	struct dms_fleet *fleet;

	server.status = outcomes[outcome % DMS_ARRAY_SIZE(outcomes)].status;
	server.rc = outcomes[outcome % DMS_ARRAY_SIZE(outcomes)].rc;
	server.answer = data + (size > 0);
	server.bytes = size - (size > 0);
	if (dms_fleet_create(&options, &fleet))
		abort();
	return fleet;
}

static void ask(const uint8_t *data, size_t size)
{
	static const enum dms_output formats[] = {DMS_FORMAT_TEXT, DMS_FORMAT_JSON, DMS_FORMAT_CSV};
	struct dms_fleet *fleet = open_fleet(data, size);
	struct sqlite3 *db = NULL;
	struct dms_error *err = dms_fleet_ask(fleet, "SELECT 1", &db);

	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(formats); i++)
		err = dms_query_print(db, "SELECT * FROM result", formats[i], fuzz_sink());
	dms_error_free(err);
	dms_db_close(db);
	dms_fleet_may_recover(fleet);
	dms_fleet_destroy(fleet);
}

static void open_run(struct dms_fleet_run *ret)
{
	static const struct dms_fleet_labels labels = {.host = "h", .build = "b", .taken_s = 1};
	struct fuzz_file file;
	const uint8_t *bytes;
	size_t size;

	bytes = fuzz_good_bytes(&size);
	if (!fuzz_file_open_named(&file, bytes, size) || dms_fleet_run_open(file.path, &labels, ret))
		abort();
	fuzz_file_close(&file);
}

static void push(const uint8_t *data, size_t size)
{
	static struct dms_fleet_run run; /* it takes long, and stays as it is */
	struct dms_fleet *fleet = open_fleet(data, size);

	if (!run.db)
		open_run(&run);
	run.was_there = false;
	dms_error_free(dms_fleet_push(fleet, &run, 1, NULL, NULL));
	dms_fleet_destroy(fleet);
}

/* ---- files ------------------------------------------------------------------------------------ */

static void read_credentials(const uint8_t *data, size_t size)
{
	struct fleet_credentials who = {0};
	struct fuzz_file file;
	struct dms_error *err;

	if (!fuzz_file_open(&file, data, size))
		return;
	fchmod(file.fd, 0600);
	err = fleet_credentials_read(file.path, &who);
	if (err && (who.user || who.password))
		abort();
	dms_error_free(err);
	fleet_credentials_deinit(&who);
	fuzz_file_close(&file);
}

static void fill(const uint8_t *data, size_t size)
{
	static const struct dms_fleet_word words[] = {{"runs", "a'b\\"}, {"device", NULL}};
	_cleanup_(dms_freep) char *sql = dms_strndup((const char *)data, size), *filled = NULL;

	if (sql)
		dms_error_free(dms_fleet_fill(sql, words, DMS_ARRAY_SIZE(words), &filled));
}

/* ---- a spool ---------------------------------------------------------------------------------- */

static bool ends_in_part(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && !strcmp(name + len - 5, ".part");
}

/* Every file that is no unfinished one is still there; all are taken away. */
static void empty_folder(int folder, const char *names)
{
	for (; *names; names += strlen(names) + 1) {
		if (unlinkat(folder, names, 0) && errno == ENOENT && !ends_in_part(names))
			abort();
	}
	unlinkat(folder, ".lock", 0);
}

/* Files of the names in the lines of @data; @names: these, one after the other, "" at the end. */
static void make_files(int folder, const uint8_t *data, size_t size, char *names)
{
	for (size_t n; size; data += n, size -= n) {
		const uint8_t *end = memchr(data, '\n', size);
		char name[256];
		int fd;

		n = end ? (size_t)(end - data) + 1 : size;
		snprintf(name, sizeof(name), "%.*s", (int)(n - (end != NULL)), data);
		fd = *name && strcmp(name, ".lock") ? openat(folder, name, O_CREAT | O_EXCL | O_WRONLY, 0600)
						    : -1;
		if (fd < 0)
			continue;
		close(fd);
		names = stpcpy(names, name) + 1;
	}
	*names = '\0';
}

static void check_spool(const struct dms_fleet_spool *spool, const char *path)
{
	for (size_t i = 0; i < spool->n_paths; i++) {
		const char *name = spool->paths[i], *slash = strrchr(name, '/');

		if (strncmp(name, path, strlen(path)) || name + strlen(path) != slash ||
		    strcmp(name + strlen(name) - 3, ".db") ||
		    (i && strcmp(spool->paths[i - 1], name) >= 0))
			abort();
	}
}

static void open_spool(const uint8_t *data, size_t size)
{
	char path[] = "/tmp/dmascope-fuzz-XXXXXX", *names;
	struct dms_fleet_spool spool;
	int folder;

	if (memchr(data, '/', size) || !mkdtemp(path))
		return;
	names = malloc(2 * size + 1);
	folder = open(path, O_RDONLY | O_DIRECTORY);
	if (folder < 0 || !names)
		abort();
	make_files(folder, data, size, names);
	if (dms_fleet_spool_open(path, &spool))
		abort();
	check_spool(&spool, path);
	dms_fleet_spool_close(&spool);
	empty_folder(folder, names);
	free(names);
	close(folder);
	if (rmdir(path))
		abort();
}

/* ---- all --------------------------------------------------------------------------------------- */

/* What it is stays: libFuzzer would turn one into the other by chance, and learn nothing. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size_t kept = size > 2 && (data[0] == 'a' || data[0] == 'p') ? 2 : 1;

	if (size <= kept || max_size <= kept)
		return LLVMFuzzerMutate(data, size, max_size);
	if (kept == 2 && !(seed & 15))
		data[1] = (uint8_t)(seed >> 4);
	return kept + fuzz_mutate_lines(data + kept, size - kept, max_size - kept, seed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		char name;
		void (*run)(const uint8_t *data, size_t size);
	} kinds[] = {
		{'a', ask}, {'p', push}, {'c', read_credentials}, {'q', fill}, {'s', open_spool},
	};

	fuzz_be_silent();
	for (size_t i = 0; size && i < DMS_ARRAY_SIZE(kinds); i++) {
		if (kinds[i].name == (char)*data)
			kinds[i].run(data + 1, size - 1);
	}
	return 0;
}
