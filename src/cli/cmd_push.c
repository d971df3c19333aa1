// SPDX-License-Identifier: GPL-2.0-only
/* `dmascope push`: runs into a fleet's store, at once or by way of a spool. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <dmascope/fleet.h>
#include <dmascope/report.h>

#include "cli.h"
#include "unfinished.h"

#define RETRY_S	   60
#define MAX_TABLES 32

/** One call of push: where to, and what came of it. */
struct pushing {
	struct dms_fleet *fleet; /* NULL: nowhere, counted only */
	struct dms_fleet_labels labels;
	struct dms_fleet_count counts[MAX_TABLES];
	size_t n_counts;
	size_t n_pushed, n_there, n_failed;
	enum dms_error_code code; /* of the last failure */
};

static void add_count(void *context, const struct dms_fleet_count *count)
{
	struct pushing *pushing = context;
	size_t i = 0;

	while (i < pushing->n_counts && strcmp(pushing->counts[i].table, count->table))
		i++;
	if (i == MAX_TABLES)
		return;
	if (i == pushing->n_counts)
		pushing->counts[pushing->n_counts++] =
			(struct dms_fleet_count){count->table, 0, 0, 0};
	pushing->counts[i].rows += count->rows;
	pushing->counts[i].bytes += count->bytes;
	pushing->counts[i].inserts += count->inserts;
}

/* ---- what is told ------------------------------------------------------------------------------
 */

static void print_tables(const struct pushing *pushing)
{
	printf("%-16s %12s %14s %9s\n", "table", "rows", "bytes", "requests");
	for (size_t i = 0; i < pushing->n_counts; i++) {
		const struct dms_fleet_count *count = &pushing->counts[i];

		printf("%-16s %12" PRIu64 " %14" PRIu64 " %9" PRIu64 "\n", count->table,
		       count->rows, count->bytes, count->inserts);
	}
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void print_sum(const struct pushing *pushing)
{
	struct dms_fleet_count sum = {0};
	char rows[32], bytes[32];

	for (size_t i = 0; i < pushing->n_counts; i++) {
		sum.rows += pushing->counts[i].rows;
		sum.bytes += pushing->counts[i].bytes;
		sum.inserts += pushing->counts[i].inserts;
	}
	printf("%zu run%s %s, %zu there already: %s rows, %s in %" PRIu64 " requests\n",
	       pushing->n_pushed, plural(pushing->n_pushed),
	       pushing->fleet ? "pushed" : "would be pushed", pushing->n_there,
	       dms_format_count(sum.rows, rows, sizeof(rows)),
	       dms_format_bytes(sum.bytes, bytes, sizeof(bytes)), sum.inserts);
}

/* ---- pushing -----------------------------------------------------------------------------------
 */

static void close_runs(struct dms_fleet_run *runs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dms_fleet_run_close(&runs[i]);
}

/* Those of @paths together; all of them or none. */
static struct dms_error *push_paths(struct pushing *pushing, const char *const *paths, size_t n)
{
	struct dms_fleet_run runs[DMS_FLEET_MAX_RUNS] = {0};
	struct dms_error *err = NULL;
	size_t n_opened = 0, n_there = 0;

	for (; !err && n_opened < n; n_opened++)
		err = dms_fleet_run_open(paths[n_opened], &pushing->labels, &runs[n_opened]);
	if (!err)
		err = dms_fleet_push(pushing->fleet, runs, n, add_count, pushing);
	for (size_t i = 0; !err && i < n; i++) {
		n_there += runs[i].was_there;
		dms_log(DMS_LOG_INFO, "%s: %s", paths[i],
			runs[i].was_there ? "there already" : "pushed");
	}
	close_runs(runs, n_opened);
	if (!err) {
		pushing->n_there += n_there;
		pushing->n_pushed += n - n_there;
	}
	return err;
}

static bool may_recover(const struct pushing *pushing)
{
	return pushing->fleet && dms_fleet_may_recover(pushing->fleet);
}

/* One that cannot be pushed does not keep the others back. */
static struct dms_error *push_each(struct pushing *pushing, const char *const *paths, size_t n,
				   void (*done)(const char *path))
{
	struct dms_error *err;

	for (size_t i = 0; i < n; i++) {
		err = push_paths(pushing, &paths[i], 1);
		if (err && (may_recover(pushing) || dms_error_code(err) != DMS_ERROR_INPUT))
			return err;
		if (err) {
			dms_log(DMS_LOG_ERROR, "%s", dms_error_message(err));
			pushing->code = dms_error_code(err);
			pushing->n_failed++;
			dms_error_free(err);
		} else if (done) {
			done(paths[i]);
		}
	}
	return NULL;
}

static struct dms_error *push_all(struct pushing *pushing, const char *const *paths, size_t n,
				  void (*done)(const char *path))
{
	struct dms_error *err = NULL;

	for (size_t begin = 0, some; !err && begin < n; begin += some) {
		some = n - begin < DMS_FLEET_MAX_RUNS ? n - begin : DMS_FLEET_MAX_RUNS;
		err = push_paths(pushing, paths + begin, some);
		if (err && some > 1 && !may_recover(pushing) &&
		    dms_error_code(err) == DMS_ERROR_INPUT) {
			dms_error_free(err);
			err = push_each(pushing, paths + begin, some, done);
			continue;
		}
		for (size_t i = 0; !err && done && i < some; i++)
			done(paths[begin + i]);
	}
	return err;
}

/* ---- by way of a spool -------------------------------------------------------------------------
 */

static struct dms_error *spool_paths(struct pushing *pushing, const char *dir,
				     const char *const *paths, size_t n)
{
	struct dms_error *err = NULL;

	for (size_t i = 0; !err && i < n; i++) {
		struct dms_fleet_run run = {0};

		err = dms_fleet_run_open(paths[i], &pushing->labels, &run);
		if (!err)
			err = dms_fleet_spool_add(dir, &run, &dms_unfinished_watch);
		dms_fleet_run_close(&run);
	}
	return err;
}

static void remove_file(const char *path)
{
	if (unlink(path))
		dms_log(DMS_LOG_WARN, "%s: %s", path, strerror(errno));
}

/* What does not arrive waits: that is what a spool is for, and no failure. */
static struct dms_error *send_spool(struct pushing *pushing, const char *dir)
{
	struct dms_fleet_labels labels = {.without = pushing->labels.without};
	struct dms_fleet_spool spool;
	struct dms_error *err = dms_fleet_spool_open(dir, &spool);

	if (err)
		return err;
	pushing->labels = labels; /* each run in it has its own */
	err = push_all(pushing, (const char *const *)spool.paths, spool.n_paths,
		       pushing->fleet ? remove_file : NULL);
	if (err && may_recover(pushing)) {
		dms_log(DMS_LOG_WARN, "%s", dms_error_message(err));
		printf("%zu runs wait in the spool\n",
		       spool.n_paths - pushing->n_pushed - pushing->n_there);
		dms_error_free(err);
		err = NULL;
	}
	dms_fleet_spool_close(&spool);
	return err;
}

/* ---- the command -------------------------------------------------------------------------------
 */

static struct dms_error *check_usage(const struct dms_push_args *args, const char *url,
				     size_t n_paths)
{
	if (!n_paths && !args->spool)
		return dms_error_new(DMS_ERROR_USAGE, "push: which database? see --help");
	if (!url && !args->is_dry && !args->spool)
		return dms_error_new(DMS_ERROR_USAGE,
				     "push: where to? wanted: http[s]://HOST[:PORT][/DATABASE]");
	if (!url && !args->is_dry && !n_paths)
		return dms_error_new(DMS_ERROR_USAGE, "push: --spool needs a database or a URL");
	return NULL;
}

static struct dms_error *prepare(const struct dms_push_args *args, const char *url,
				 struct pushing *pushing)
{
	struct dms_fleet_options options = {
		.url = url,
		.credentials = args->server.credentials,
		.cacert = args->server.cacert,
		.retry_for_s = args->retry_s ? args->retry_s : RETRY_S,
		.allow_plain = args->server.allow_plain,
	};
	struct dms_error *err = NULL;

	pushing->labels.host = args->host;
	pushing->labels.build = args->build;
	pushing->labels.without = args->without;
	if (args->taken)
		err = dms_fleet_time(args->taken, &pushing->labels.taken_s);
	if (err)
		return dms_error_wrap(err, "--taken");
	return url ? dms_fleet_create(&options, &pushing->fleet) : NULL;
}

static struct dms_error *push(const struct dms_push_args *args, struct pushing *pushing,
			      const char *const *paths, size_t n)
{
	struct dms_error *err;

	if (!args->spool || args->is_dry) {
		err = push_all(pushing, paths, n, NULL);
		return err || !args->spool || n ? err : send_spool(pushing, args->spool);
	}
	if ((err = spool_paths(pushing, args->spool, paths, n)))
		return err;
	if (pushing->fleet)
		return send_spool(pushing, args->spool);
	printf("%zu run%s put into the spool\n", n, plural(n));
	return NULL;
}

struct dms_error *dms_cmd_push(const struct dms_call *call, enum dms_exit *ret)
{
	const struct dms_push_args *args = call->args;
	size_t n = call->n_operands;
	const char *url = n && strstr(call->operands[n - 1], "://") ? call->operands[--n] : NULL;
	struct pushing pushing = {0};
	struct dms_error *err = check_usage(args, url, n);

	if (!err)
		err = prepare(args, url, &pushing);
	if (args->is_dry) { /* the URL and who we are were looked at, and that is all */
		dms_fleet_destroy(pushing.fleet);
		pushing.fleet = NULL;
	}
	if (!err)
		err = push(args, &pushing, call->operands, n);
	if (!err && args->is_dry)
		print_tables(&pushing);
	if (!err && (args->is_dry || url))
		print_sum(&pushing);
	if (pushing.n_failed)
		*ret = (enum dms_exit)pushing.code;
	dms_fleet_destroy(pushing.fleet);
	return err;
}
