// SPDX-License-Identifier: LGPL-2.1-only
/* Questions to the fleet: words filled in, sent, the answer as a table. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "local.h"

/* ---- filling in ------------------------------------------------------------------------------
 */

/* A string of ClickHouse: in single quotes, these and backslashes with a backslash before them. */
static bool add_quoted(struct fleet_bytes *sql, const char *value)
{
	bool is_added = fleet_bytes_add(sql, "'", 1);

	for (; is_added && *value; value++)
		is_added = ((*value != '\'' && *value != '\\') || fleet_bytes_add(sql, "\\", 1)) &&
			   fleet_bytes_add(sql, value, 1);
	return is_added && fleet_bytes_add(sql, "'", 1);
}

static struct dms_error *add_word(struct fleet_bytes *sql, const char *word, size_t n,
				  const struct dms_fleet_word *words, size_t n_words)
{
	for (size_t i = 0; i < n_words; i++) {
		if (strlen(words[i].word) != n || memcmp(words[i].word, word, n))
			continue;
		if (!words[i].value)
			break;
		return add_quoted(sql, words[i].value) ? NULL : &dms_error_nomem;
	}
	return dms_error_new(DMS_ERROR_USAGE, "this query needs --%.*s", (int)n, word);
}

struct dms_error *dms_fleet_fill(const char *sql, const struct dms_fleet_word *words,
				 size_t n_words, char **ret)
{
	struct fleet_bytes filled = {0};
	struct dms_error *err = NULL;

	while (!err && *sql) {
		size_t n = strcspn(sql, "{");

		if (n && !fleet_bytes_add(&filled, sql, n))
			err = &dms_error_nomem;
		sql += n;
		if (!err && *sql) {
			n = strcspn(++sql, "}");
			err = add_word(&filled, sql, n, words, n_words);
			sql += n + (sql[n] == '}');
		}
	}
	if (!err && !fleet_bytes_add(&filled, "", 1))
		err = &dms_error_nomem;
	if (err)
		dms_free(filled.data);
	else
		*ret = (char *)filled.data;
	return err;
}

/* ---- times -------------------------------------------------------------------------------------
 */

struct dms_error *dms_fleet_time(const char *text, uint64_t *ret_s)
{
	static const char *const formats[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ",
					      "%Y-%m-%d %H:%M", "%Y-%m-%d"};
	char *end;

	if (text[0] == '@' && isdigit((unsigned char)text[1])) {
		*ret_s = strtoull(text + 1, &end, 10);
		if (!*end && *ret_s <= UINT32_MAX)
			return NULL;
	}
	for (size_t i = 0; i < DMS_ARRAY_SIZE(formats); i++) {
		struct tm broken = {0};
		const char *rest = strptime(text, formats[i], &broken);
		time_t seconds = rest && !*rest ? timegm(&broken) : -1;

		if (seconds >= 0 && (uint64_t)seconds <= UINT32_MAX) {
			*ret_s = (uint64_t)seconds;
			return NULL;
		}
	}
	return dms_error_new(DMS_ERROR_USAGE,
			     "'%s' is no time; wanted: YYYY-MM-DD, \"YYYY-MM-DD HH:MM:SS\" (UTC), "
			     "or @SECONDS since 1970",
			     text);
}

/* ---- asking ------------------------------------------------------------------------------------
 */

struct dms_error *dms_fleet_ask(struct dms_fleet *fleet, const char *sql, struct sqlite3 **ret)
{
	_cleanup_(dms_freep) char *whole =
		dms_asprintf("%s\nFORMAT TabSeparatedWithNamesAndTypes", sql);
	struct fleet_request request = {.doing = "asking", .sql = whole, .is_read_only = true};
	struct fleet_bytes answer = {0};
	struct dms_error *err;

	if (!whole)
		return &dms_error_nomem;
	err = fleet_send(fleet, &request, &answer);
	if (!err)
		err = fleet_result_read((const char *)answer.data, answer.n, ret);
	dms_free(answer.data);
	return err;
}

struct dms_error *dms_fleet_list(struct sqlite3 **ret)
{
	struct fleet_bytes text = {0};
	struct dms_error *err = &dms_error_nomem;
	bool is_made = fleet_bytes_print(&text, "name\ttitle\nString\tString\n");

	for (size_t i = 0; is_made && i < dms_n_fleet_queries; i++)
		is_made = fleet_bytes_print(&text, "%s\t%s\n", dms_fleet_queries[i].name,
					    dms_fleet_queries[i].title);
	if (is_made)
		err = fleet_result_read((const char *)text.data, text.n, ret);
	dms_free(text.data);
	return err;
}
