// SPDX-License-Identifier: GPL-2.0-only
/* `dmascope fleet`: the tables of a fleet, and the questions that come with us. */
#include <inttypes.h>
#include <sqlite3.h>
#include <string.h>

#include <dmascope/fleet.h>
#include <dmascope/report.h>
#include <dmascope/store.h>

#include "cli.h"

static struct dms_error *find_query(const char *name, const char **ret)
{
	struct dms_nearest nearest = dms_nearest_to(name, strlen(name));

	for (size_t i = 0; i < dms_n_fleet_queries; i++) {
		if (!strcmp(dms_fleet_queries[i].name, name)) {
			*ret = dms_fleet_queries[i].sql;
			return NULL;
		}
		dms_nearest_try(&nearest, dms_fleet_queries[i].name);
	}
	if (nearest.word)
		return dms_error_new(DMS_ERROR_USAGE, "no query '%s', did you mean '%s'?", name,
				     nearest.word);
	return dms_error_new(DMS_ERROR_USAGE, "no query '%s'; see 'dmascope fleet --list'", name);
}

/* The text of a time in seconds, or @fallback if none was given. */
static struct dms_error *read_time(const char *option, const char *text, const char *fallback,
				   char **ret)
{
	struct dms_error *err;
	uint64_t seconds;

	if (!text)
		return (*ret = dms_strdup(fallback)) ? NULL : &dms_error_nomem;
	if ((err = dms_fleet_time(text, &seconds)))
		return dms_error_wrap(err, "%s", option);
	*ret = dms_asprintf("%" PRIu64, seconds);
	return *ret ? NULL : &dms_error_nomem;
}

/* A filter that was not given is '', which every query takes for "all". */
static const char *or_all(const char *value)
{
	return value ? value : "";
}

static struct dms_error *fill(const struct dms_fleet_args *args, const char *name, char **ret)
{
	_cleanup_(dms_freep) char *since = NULL, *until = NULL;
	struct dms_error *err;
	const char *sql = NULL;

	if ((err = find_query(name, &sql)) ||
	    (err = read_time("--since", args->since, "0", &since)) ||
	    (err = read_time("--until", args->until, "4294967295", &until)))
		return err;
	const struct dms_fleet_word words[] = {
		{"since", since},
		{"until", until},
		{"host", or_all(args->host)},
		{"driver", or_all(args->driver)},
		{"build", or_all(args->build)},
		{"base", args->base},
		{"head", args->head},
	};

	return dms_fleet_fill(sql, words, DMS_ARRAY_SIZE(words), ret);
}

static struct dms_error *connect(const struct dms_fleet_args *args, const char *url,
				 struct dms_fleet **ret)
{
	struct dms_fleet_options options = {
		.url = url,
		.credentials = args->server.credentials,
		.cacert = args->server.cacert,
		.allow_plain = args->server.allow_plain,
	};

	return dms_fleet_create(&options, ret);
}

static struct dms_error *print_result(struct sqlite3 *db, int format)
{
	return dms_query_print(db, "SELECT * FROM result", (enum dms_output)format, stdout);
}

static struct dms_error *list(const struct dms_fleet_args *args)
{
	struct sqlite3 *db = NULL;
	struct dms_error *err = dms_fleet_list(&db);

	if (!err)
		err = print_result(db, args->format);
	dms_db_close(db);
	return err;
}

static struct dms_error *ask(const struct dms_fleet_args *args, const char *name, const char *url)
{
	_cleanup_(dms_freep) char *sql = NULL;
	struct dms_fleet *fleet = NULL;
	struct sqlite3 *db = NULL;
	struct dms_error *err = fill(args, name, &sql);

	if (!err && args->print) {
		printf("%s", sql);
		return NULL;
	}
	if (!err)
		err = connect(args, url, &fleet);
	if (!err)
		err = dms_fleet_ask(fleet, sql, &db);
	if (!err)
		err = print_result(db, args->format);
	dms_db_close(db);
	dms_fleet_destroy(fleet);
	return err;
}

static void print_statement(void *context, const char *sql)
{
	(void)context;
	printf("%s;\n", sql);
}

static struct dms_error *init(const struct dms_fleet_args *args, const char *url)
{
	struct dms_fleet *fleet = NULL;
	struct dms_error *err;

	if (args->print) {
		dms_fleet_schema(args->cluster, print_statement, NULL);
		return NULL;
	}
	err = connect(args, url, &fleet);
	if (!err)
		err = dms_fleet_init(fleet, args->cluster);
	dms_fleet_destroy(fleet);
	return err;
}

/* What the rows cannot say: which operands each way of calling wants. */
static struct dms_error *check_usage(const struct dms_call *call)
{
	const struct dms_fleet_args *args = call->args;
	size_t wanted = (args->list || args->init ? 0 : 1) + (args->list || args->print ? 0 : 1);

	if (args->list && args->init)
		return dms_error_new(DMS_ERROR_USAGE, "fleet: --list or --init, not both");
	if (args->cluster && !args->init)
		return dms_error_new(DMS_ERROR_USAGE, "fleet: --cluster goes with --init");
	if (call->n_operands > wanted && !(args->print && call->n_operands == wanted + 1))
		return dms_error_new(DMS_ERROR_USAGE, "fleet: '%s' is one operand too many",
				     call->operands[wanted]);
	if (call->n_operands >= wanted)
		return NULL;
	if (!call->n_operands && !args->init)
		return dms_error_new(DMS_ERROR_USAGE, "fleet: which query? see --list");
	return dms_error_new(DMS_ERROR_USAGE,
			     "fleet: of which server? wanted: http[s]://HOST[:PORT][/DATABASE]");
}

struct dms_error *dms_cmd_fleet(const struct dms_call *call, enum dms_exit *ret)
{
	const struct dms_fleet_args *args = call->args;
	struct dms_error *err = check_usage(call);

	(void)ret;
	if (err)
		return err;
	if (args->list)
		return list(args);
	if (args->init)
		return init(args, call->n_operands ? call->operands[0] : NULL);
	return ask(args, call->operands[0], call->n_operands > 1 ? call->operands[1] : NULL);
}
