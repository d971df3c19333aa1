// SPDX-License-Identifier: LGPL-2.1-only
/* Making the tables that runs are pushed to. */
#include <string.h>

#include "local.h"

static struct dms_error *make_database(struct dms_fleet *fleet)
{
	_cleanup_(dms_freep) char *sql =
		dms_asprintf("CREATE DATABASE IF NOT EXISTS %s", fleet_database(fleet));
	struct fleet_request request = {
		.doing = "making the database", .sql = sql, .no_database = true};

	return sql ? fleet_send(fleet, &request, NULL) : &dms_error_nomem;
}

struct dms_error *dms_fleet_init(struct dms_fleet *fleet, bool cluster)
{
	const char *const *sql = cluster ? fleet_cluster : fleet_single;
	struct dms_error *err = NULL;

	if (cluster && strcmp(fleet_database(fleet), "dmascope"))
		return dms_error_new(DMS_ERROR_USAGE,
				     "on a cluster the database is called dmascope, not %s",
				     fleet_database(fleet));
	if (!cluster)
		err = make_database(fleet);
	for (; !err && *sql; sql++) {
		struct fleet_request request = {
			.doing = "making the tables", .sql = *sql, .no_database = cluster};

		err = fleet_send(fleet, &request, NULL);
	}
	return err;
}

void dms_fleet_schema(bool cluster, void (*take)(void *context, const char *sql), void *context)
{
	for (const char *const *sql = cluster ? fleet_cluster : fleet_single; *sql; sql++)
		take(context, *sql);
}
