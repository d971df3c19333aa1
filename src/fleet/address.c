// SPDX-License-Identifier: LGPL-2.1-only
/* Where the server is, and who we are there: neither comes out of a log. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcurl.h"
#include "local.h"

#define CREDENTIALS_BYTES 4096
#define DATABASE_DEFAULT  "dmascope"

/* ---- URL --------------------------------------------------------------------------------------
 */

static struct dms_error *bad_url(const char *why)
{
	/* the URL itself is not printed: it may hold what should not be seen */
	return dms_error_new(DMS_ERROR_USAGE,
			     "the URL %s; wanted: http[s]://HOST[:PORT][/DATABASE]", why);
}

static char *url_part(CURLU *url, CURLUPart part, unsigned int flags)
{
	char *text = NULL, *copy;

	if (libcurl()->url_get(url, part, &text, flags))
		return NULL;
	copy = dms_strdup(text);
	libcurl()->free(text);
	return copy;
}

static bool has_part(CURLU *url, CURLUPart part)
{
	char *text = url_part(url, part, 0);

	dms_free(text);
	return text;
}

static bool is_name(const char *name)
{
	if (!isalpha((unsigned char)name[0]) && name[0] != '_')
		return false;
	for (; *name; name++) {
		if (!isalnum((unsigned char)*name) && *name != '_')
			return false;
	}
	return true;
}

static bool is_loopback(const char *host)
{
	struct in_addr address; /* not a name that begins like one: 127.example.org */

	if (!strcmp(host, "localhost") || !strcmp(host, "[::1]"))
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static struct dms_error *take_parts(CURLU *url, struct fleet_address *ret)
{
	_cleanup_(dms_freep) char *scheme = url_part(url, CURLUPART_SCHEME, 0);
	_cleanup_(dms_freep) char *host = url_part(url, CURLUPART_HOST, 0);
	_cleanup_(dms_freep) char *port = url_part(url, CURLUPART_PORT, 0);
	_cleanup_(dms_freep) char *path = url_part(url, CURLUPART_PATH, 0);
	size_t len;

	if (!scheme || !host || !path)
		return bad_url("has no host");
	if (strcmp(scheme, "http") && strcmp(scheme, "https"))
		return bad_url("is neither http nor https");
	ret->is_https = !strcmp(scheme, "https");
	ret->is_local = is_loopback(host);
	if (!port) /* ClickHouse's own, not the web's */
		port = dms_strdup(ret->is_https ? "8443" : "8123");
	len = strlen(path);
	if (len > 1 && path[len - 1] == '/')
		path[len - 1] = '\0';
	ret->database = dms_strdup(path[1] ? path + 1 : DATABASE_DEFAULT);
	ret->base = dms_asprintf("%s://%s:%s/", scheme, host, port ? port : "");
	if (!port || !ret->database || !ret->base)
		return &dms_error_nomem;
	return is_name(ret->database) ? NULL : bad_url("names no database");
}

struct dms_error *fleet_address_parse(const char *url, struct fleet_address *ret)
{
	struct dms_error *err = libcurl_load();
	CURLU *parsed;

	if (err)
		return err;
	parsed = libcurl()->url();
	if (!parsed)
		return &dms_error_nomem;
	if (libcurl()->url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME))
		err = bad_url("is none");
	else if (has_part(parsed, CURLUPART_USER) || has_part(parsed, CURLUPART_PASSWORD))
		err = dms_error_new(DMS_ERROR_USAGE,
				    "the URL holds a user or a password, which others could read; "
				    "use DMASCOPE_FLEET_USER and DMASCOPE_FLEET_PASSWORD, or "
				    "--credentials");
	else if (has_part(parsed, CURLUPART_QUERY) || has_part(parsed, CURLUPART_FRAGMENT))
		err = bad_url("has a query or a fragment");
	else
		err = take_parts(parsed, ret);
	libcurl()->url_cleanup(parsed);
	if (err)
		fleet_address_deinit(ret);
	return err;
}

void fleet_address_deinit(struct fleet_address *address)
{
	dms_free(address->base);
	dms_free(address->database);
	*address = (struct fleet_address){0};
}

/* ---- credentials ------------------------------------------------------------------------------
 */

/* Our own, and nobody else can read it; judged on the open file, so that it cannot be exchanged. */
static struct dms_error *check_owner(int fd, const char *path)
{
	struct stat status;

	if (fstat(fd, &status))
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path);
	if (!S_ISREG(status.st_mode))
		return dms_error_new(DMS_ERROR_INPUT, "%s: not a regular file", path);
	if (status.st_mode & 077)
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s: others may read this file of credentials; wanted: "
				     "chmod 600",
				     path);
	if (status.st_uid != geteuid() && status.st_uid)
		return dms_error_new(DMS_ERROR_INPUT, "%s: belongs to another user", path);
	return NULL;
}

static bool is_sendable(const char *text)
{
	for (; *text; text++) {
		if (iscntrl((unsigned char)*text))
			return false;
	}
	return true;
}

static struct dms_error *take_line(char *line, const char *path, unsigned int number,
				   struct fleet_credentials *ret)
{
	size_t len = strcspn(line, " \t");
	char *value = line + len + strspn(line + len, " \t");
	char **place = NULL;

	if (!*line || *line == '#')
		return NULL;
	if (len == 4 && !strncmp(line, "user", len))
		place = &ret->user;
	else if (len == 8 && !strncmp(line, "password", len))
		place = &ret->password;
	if (!place || !*value || *place || !is_sendable(value))
		return dms_error_new(DMS_ERROR_INPUT,
				     "%s:%u: wanted: one line \"user NAME\" and one \"password "
				     "WORD\"",
				     path, number);
	*place = dms_strdup(value);
	return *place ? NULL : &dms_error_nomem;
}

static struct dms_error *parse_file(char *text, const char *path, struct fleet_credentials *ret)
{
	struct dms_error *err = NULL;
	unsigned int number = 0;

	for (char *line = text, *end; !err && line; line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		err = take_line(line, path, ++number, ret);
	}
	return err;
}

static struct dms_error *read_file(const char *path, struct fleet_credentials *ret)
{
	char text[CREDENTIALS_BYTES + 1];
	struct dms_error *err;
	ssize_t bytes;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path);
	if (!(err = check_owner(fd, path))) {
		bytes = read(fd, text, sizeof(text) - 1);
		if (bytes < 0) {
			err = dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path);
		} else {
			text[bytes] = '\0';
			err = parse_file(text, path, ret);
		}
		explicit_bzero(text, sizeof(text));
	}
	close(fd);
	return err;
}

static struct dms_error *take_environment(const char *name, char **ret)
{
	const char *value = getenv(name);

	if (!value || !*value)
		return NULL;
	if (!is_sendable(value))
		return dms_error_new(DMS_ERROR_USAGE, "%s holds a control character", name);
	*ret = dms_strdup(value);
	return *ret ? NULL : &dms_error_nomem;
}

struct dms_error *fleet_credentials_read(const char *path, struct fleet_credentials *ret)
{
	struct dms_error *err;

	if (!path)
		path = getenv("DMASCOPE_FLEET_CREDENTIALS");
	if (path && *path)
		err = read_file(path, ret);
	else if (!(err = take_environment("DMASCOPE_FLEET_USER", &ret->user)))
		err = take_environment("DMASCOPE_FLEET_PASSWORD", &ret->password);
	if (err)
		fleet_credentials_deinit(ret);
	return err;
}

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	dms_free(text);
}

void fleet_credentials_deinit(struct fleet_credentials *credentials)
{
	wipe(credentials->user);
	wipe(credentials->password);
	*credentials = (struct fleet_credentials){0};
}
