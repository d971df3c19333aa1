// SPDX-License-Identifier: LGPL-2.1-only
/* What SQL needs to know to compare runs: kinds of devices, names of call sites, text fit for git.
 */
#include <sqlite3.h>
#include <string.h>

#include <dmascope/store.h>

#include "baseline.h"

static void return_text(sqlite3_context *context, char *text)
{
	if (text)
		sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
	else
		sqlite3_result_error_nomem(context);
	dms_free(text);
}

/* dms_config_kind(NAME): NULL: the configuration has none. */
static void config_kind(sqlite3_context *context, int n_args, sqlite3_value **args)
{
	const struct dms_config *config = sqlite3_user_data(context);
	const char *name = (const char *)sqlite3_value_text(args[0]);
	const char *kind = config && name ? dms_config_kind(config, name) : NULL;

	(void)n_args;
	if (kind)
		return_text(context, dms_strdup(kind));
}

/* dms_device_kind(NAME) */
static void device_kind(sqlite3_context *context, int n_args, sqlite3_value **args)
{
	const char *name = (const char *)sqlite3_value_text(args[0]);

	(void)n_args;
	return_text(context, dms_device_kind(name ? name : "-"));
}

/* dms_clean(TEXT): as it stands in git: printable ASCII */
static void clean(sqlite3_context *context, int n_args, sqlite3_value **args)
{
	const char *text = (const char *)sqlite3_value_text(args[0]);
	char *copy = text ? dms_strdup(text) : NULL;

	(void)n_args;
	for (char *at = copy; at && *at; at++) {
		if (*at < ' ' || *at > '~')
			*at = '_';
	}
	if (text)
		return_text(context, copy);
}

/* dms_mask(TEXT): runs of digits are "#": numbers differ from device to device, reasons do not */
static void mask(sqlite3_context *context, int n_args, sqlite3_value **args)
{
	const char *text = (const char *)sqlite3_value_text(args[0]);
	char *copy = dms_strdup(text ? text : ""), *to = copy;

	(void)n_args;
	for (const char *at = copy; at && *at; at++) {
		bool is_digit = *at >= '0' && *at <= '9';

		if (!is_digit)
			*to++ = *at;
		else if (to == copy || to[-1] != '#')
			*to++ = '#';
	}
	if (to)
		*to = '\0';
	return_text(context, copy);
}

/* dms_with_kind(FINGERPRINT, KIND): its second part replaced, if there is a KIND */
static void with_kind(sqlite3_context *context, int n_args, sqlite3_value **args)
{
	const char *text = (const char *)sqlite3_value_text(args[0]);
	const char *kind = (const char *)sqlite3_value_text(args[1]);
	const char *from = text ? strchr(text, ':') : NULL,
		   *rest = from ? strchr(from + 1, ':') : NULL;
	char *part;

	(void)n_args;
	if (!kind || !rest) {
		return_text(context, dms_strdup(text ? text : "-"));
		return;
	}
	part = dms_strdup(kind[0] ? kind : "-");
	for (char *at = part; at && *at; at++) {
		if (*at < ' ' || *at > '~' || *at == ':')
			*at = '_';
	}
	return_text(context,
		    part ? dms_asprintf("%.*s:%s%s", (int)(from - text), text, part, rest) : NULL);
	dms_free(part);
}

/* dms_site(KIND, FUNCTION, MODULE): "KIND function[module]" */
static void site(sqlite3_context *context, int n_args, sqlite3_value **args)
{
	const char *kind = (const char *)sqlite3_value_text(args[0]);
	const char *function = (const char *)sqlite3_value_text(args[1]);
	const char *module = (const char *)sqlite3_value_text(args[2]);

	(void)n_args;
	if (!kind || !function)
		return;
	return_text(context, dms_asprintf("%s %.*s%s%s%s", kind, (int)dms_function_length(function),
					  function, module ? "[" : "", module ? module : "",
					  module ? "]" : ""));
}

/* DIRECTONLY: no view of a database that anybody made may call them. */
static struct dms_error *add_functions(struct sqlite3 *db, const struct dms_config *config)
{
	static const struct {
		const char *name;
		int n_args;
		void (*function)(sqlite3_context *context, int n_args, sqlite3_value **args);
	} rows[] = {
		{"dms_config_kind", 1, config_kind},
		{"dms_device_kind", 1, device_kind},
		{"dms_clean", 1, clean},
		{"dms_mask", 1, mask},
		{"dms_with_kind", 2, with_kind},
		{"dms_site", 3, site},
	};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		if (sqlite3_create_function_v2(db, rows[i].name, rows[i].n_args,
					       SQLITE_UTF8 | SQLITE_DETERMINISTIC |
						       SQLITE_DIRECTONLY,
					       (void *)config, rows[i].function, NULL, NULL, NULL))
			return dms_db_error(db, "naming kinds of devices");
	}
	return NULL;
}

static const char devices_sql[] =
	"PRAGMA temp_store = memory;"
	"CREATE TEMP TABLE base_device (device_id INTEGER PRIMARY KEY, name TEXT, kind TEXT,"
	" config_kind TEXT);"
	"INSERT INTO temp.base_device"
	" SELECT id, dms_clean(name), dms_clean(coalesce(own, nullif(driver, ''),"
	" dms_device_kind(name))), own"
	" FROM (SELECT id, name, driver, dms_config_kind(name) AS own FROM main.device);";

struct dms_error *dms_draft_name_devices(struct dms_draft *draft, const struct dms_config *config)
{
	struct sqlite3 *db = draft->run->db;
	struct dms_error *err = add_functions(db, config);

	if (err)
		return err;
	if (sqlite3_exec(db, devices_sql, NULL, NULL, NULL))
		return dms_draft_error(db, "reading devices");
	return NULL;
}
