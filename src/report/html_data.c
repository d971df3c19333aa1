// SPDX-License-Identifier: LGPL-2.1-only
/* The tables of the HTML page that SQL gives as they are: run, devices, losses, what was not judged. */
#include <dmascope/rules.h>
#include <string.h>

#include "html.h"

#define GRAVITY "CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END"
#define MINE	" JOIN temp.html_device AS p USING (device_id)"

/* What the tables below lean on: how grave it stands with each device, and who comes first. */
static const char *const preparations[] = {
	"CREATE TEMP TABLE IF NOT EXISTS html_device (device_id INTEGER PRIMARY KEY,"
	" place INTEGER NOT NULL, errors INTEGER, warnings INTEGER, infos INTEGER)",
	"CREATE TEMP TABLE IF NOT EXISTS html_finding (id INTEGER PRIMARY KEY,"
	" place INTEGER NOT NULL)",
	"DELETE FROM temp.html_device",
	"DELETE FROM temp.html_finding",
	"INSERT INTO temp.html_device SELECT s.device_id, row_number() OVER ("
	" ORDER BY iif(:sorted, o.place, 0), ifnull(g.errors, 0) > 0 DESC, ifnull(g.warnings, 0) > 0 DESC,"
	" s.maps + s.unmaps DESC, s.device_id),"
	" ifnull(g.errors, 0), ifnull(g.warnings, 0), ifnull(g.infos, 0)"
	" FROM temp.device_figures AS s JOIN temp.device_order AS o USING (device_id)"
	" LEFT JOIN (SELECT device_id, sum(count) FILTER (WHERE severity = 'error') AS errors,"
	" sum(count) FILTER (WHERE severity = 'warning') AS warnings,"
	" sum(count) FILTER (WHERE severity = 'info') AS infos"
	" FROM finding_group GROUP BY device_id) AS g ON g.device_id = s.device_id",
	/* the first of each rule and device before the second of any */
	"INSERT INTO temp.html_finding SELECT id, row_number() OVER ("
	" ORDER BY gravity, nth, id) FROM (SELECT id, " GRAVITY " AS gravity, row_number() OVER ("
	" PARTITION BY rule, device_id ORDER BY " GRAVITY ", id) AS nth FROM finding)"
	" WHERE nth <= :each ORDER BY gravity, nth, id LIMIT :top",
};

static const struct {
	const char *name, *sql;
} tables[] = {
	{"run", "SELECT key, value FROM run ORDER BY key LIMIT 100"},
	{"inputs", "SELECT path, format, release, uname, clock, tool, cpus, size_bytes, hash,"
		   " count(*) OVER () AS total_rows FROM input_file ORDER BY id LIMIT 20"},
	{"severities", "SELECT severity, sum(count) AS count, count(DISTINCT device_id) AS devices"
		       " FROM finding_group GROUP BY severity ORDER BY " GRAVITY},
	{"groups", "SELECT f.severity, f.rule, f.device_id, d.name AS device, c.n AS count,"
		   " f.ts_ns - :base AS t, f.confidence, f.reason, f.message, f.id,"
		   " count(*) OVER () AS total_rows FROM (SELECT id,"
		   " row_number() OVER (w ORDER BY " GRAVITY ", id) AS nth FROM finding"
		   " WINDOW w AS (PARTITION BY rule, device_id)) AS g"
		   " JOIN finding AS f ON f.id = g.id AND g.nth = 1"
		   " LEFT JOIN (SELECT rule, device_id, sum(count) AS n FROM finding_group"
		   " GROUP BY rule, device_id) AS c ON c.rule = f.rule AND c.device_id IS f.device_id"
		   " LEFT JOIN device AS d ON d.id = f.device_id"
		   " ORDER BY " GRAVITY ", f.rule, device, f.device_id LIMIT :top"},
	{"devices",
	 "SELECT s.*, s.peak_live_bytes_ns - :base AS peak_t, bus, iommu_group,"
	 " printf('0x%x', dma_mask) AS dma_mask, dma_mask IS NOT NULL AS has_mask,"
	 " p.place <= :details AS is_detailed, errors, warnings, infos,"
	 " count(*) OVER () AS total_rows FROM temp.device_figures AS s" MINE
	 " JOIN device AS d ON d.id = s.device_id ORDER BY p.place LIMIT :top"},
	{"notes", "SELECT n.rule, n.device_id, d.name AS device, n.reason,"
		  " count(*) OVER () AS total_rows"
		  " FROM " DMS_NOTES_SQL " AS n LEFT JOIN device AS d ON d.id = n.device_id"
		  " ORDER BY n.rule IS NULL DESC, n.device_id IS NOT NULL, n.id LIMIT :notes"},
	{"gaps", "SELECT cpu, after_ns - :base AS after_t, before_ns - :base AS before_t, lost,"
		 " count(*) OVER () AS total_rows FROM gap ORDER BY id LIMIT :top"},
	{"tracepoints", "SELECT system, name, sum(records) AS records, sum(malformed) AS malformed,"
			" max(decoded) AS decoded, min(reason) AS reason,"
			" count(*) OVER () AS total_rows FROM tracepoint GROUP BY system, name"
			" ORDER BY sum(records) DESC, system, name LIMIT :top"},
};

/* Member "unjudged": how many rules could not be judged, and those of severity error of them. */
static struct dms_error *add_unjudged(struct html_page *page)
{
	sqlite3_stmt *stmt = NULL;
	json_int_t n_rules = 0, n_grave = 0;
	bool has_row = true;
	struct dms_error *err =
		html_prepare(page, "SELECT DISTINCT rule FROM not_judged WHERE rule NOTNULL", &stmt);

	while (!err && !(err = html_step(page, stmt, &has_row)) && has_row) {
		const char *id = (const char *)sqlite3_column_text(stmt, 0);
		const struct dms_rule *rule = id ? dms_rule_find(id) : NULL;

		n_rules++;
		n_grave += rule && rule->severity == DMS_SEVERITY_ERROR;
	}
	sqlite3_finalize(stmt);
	if (!err && json_object_set_new(page->root, "unjudged",
					json_pack("{s:I, s:I}", "rules", n_rules, "grave", n_grave)))
		err = &dms_error_nomem;
	return err;
}

/* Titles, causes and cures of the rules that were broken. */
static struct dms_error *add_rules(struct html_page *page)
{
	sqlite3_stmt *stmt = NULL;
	json_t *rules = json_object();
	bool has_row = true, failed;
	struct dms_error *err;

	failed = json_object_set_new(page->root, "rules", rules);
	err = html_prepare(page, "SELECT DISTINCT rule FROM finding ORDER BY rule", &stmt);
	while (!err && !failed && !(err = html_step(page, stmt, &has_row)) && has_row) {
		const char *id = (const char *)sqlite3_column_text(stmt, 0);
		const struct dms_rule *rule = id ? dms_rule_find(id) : NULL;

		if (rule)
			failed = json_object_set_new(
				rules, id,
				json_pack("{s:s, s:s?, s:s?}", "title", rule->title, "cause",
					  rule->cause, "cure", rule->cure));
	}
	sqlite3_finalize(stmt);
	return failed ? &dms_error_nomem : err;
}

struct dms_error *html_add_tables(struct html_page *page)
{
	struct dms_error *err = NULL;

	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(preparations); i++)
		err = html_execute(page, preparations[i]);
	for (size_t i = 0; !err && i < DMS_ARRAY_SIZE(tables); i++)
		err = html_table(page, tables[i].name, tables[i].sql);
	if (!err)
		err = add_unjudged(page);
	return err ? err : add_rules(page);
}
