// SPDX-License-Identifier: LGPL-2.1-only
/* A comparison as a Code Quality report of GitLab: what the head has, one object a finding. */
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "../report/local.h"
#include "local.h"

/* GitLab knows info, minor, major, critical, blocker. */
static const char *const severities[] = {
	[DMS_SEVERITY_INFO] = "info",
	[DMS_SEVERITY_WARNING] = "minor",
	[DMS_SEVERITY_ERROR] = "critical",
};

/* @path as a repository would name it: relative, where it lies below the working directory. */
static const char *relative_path(const char *path)
{
	char here[4096];
	size_t len;

	if (*path == '/' && getcwd(here, sizeof(here))) {
		len = strlen(here);
		if (len > 1 && !strncmp(path, here, len) && path[len] == '/')
			path += len + 1;
	}
	while (!strncmp(path, "./", 2))
		path += 2;
	return *path ? path : ".";
}

/* Takes @description and @fingerprint, which may be NULL: memory. */
static json_t *issue(json_t *description, const char *check_name, json_t *fingerprint,
		     const char *severity, const char *path)
{
	path = relative_path(path);
	return json_pack("{s:o, s:o, s:o, s:s, s:{s:o, s:{s:i}}}", "description", description,
			 "check_name", dms_json_text(check_name, strlen(check_name)), "fingerprint",
			 fingerprint, "severity", severity, "location", "path",
			 dms_json_text(path, strlen(path)), "lines", "begin", 1);
}

static json_t *harmless_json(char *words)
{
	_cleanup_(dms_freep) char *harmless =
		words ? dms_escape(words, strlen(words), DMS_ESCAPE_TEXT) : NULL;

	return harmless ? json_string(harmless) : NULL;
}

/* "new error: device driver frees ... (1,234 of double-unmap on ethdrv, in rx_refill[ethdrv])" */
static json_t *finding_issue(const struct dms_comparison *comparison,
			     const struct dms_finding_change *change)
{
	const struct dms_base_finding *finding = change->head;
	const struct dms_baseline *run = dms_change_run(comparison, change);
	char site[512];
	_cleanup_(dms_freep) char *label = dms_change_label(change), *words = NULL;

	if (!label)
		return NULL;
	words = dms_asprintf("%s on %s%s%s: %s", label, finding->device_kind,
			     finding->n_frames || finding->n_map_frames ? " in " : "",
			     finding->n_frames || finding->n_map_frames
				     ? dms_change_site(finding, site, sizeof(site))
				     : "",
			     finding->message ? finding->message : finding->title);
	return issue(harmless_json(words), finding->rule,
		     dms_json_text(finding->fingerprint, strlen(finding->fingerprint)),
		     severities[finding->severity], run ? run->path : "-");
}

static json_t *metric_issue(const struct dms_comparison *comparison,
			    const struct dms_metric_change *change)
{
	char base[48], head[48], percent[32];
	_cleanup_(dms_freep) char *fingerprint = dms_asprintf(
		"%s:%s:%s", change->metric->name, dms_scope_name(change->scope), change->subject);
	_cleanup_(dms_freep) char *words = dms_asprintf(
		"worse %s of %s: %s -> %s (%s)", change->metric->title, change->subject,
		dms_format_value(change->base, change->metric, base, sizeof(base)),
		dms_format_value(change->head, change->metric, head, sizeof(head)),
		dms_format_change(change->change, percent, sizeof(percent)));

	if (!fingerprint)
		return NULL;
	return issue(harmless_json(words), change->metric->name,
		     dms_json_text(fingerprint, strlen(fingerprint)),
		     change->fails ? "critical" : "minor",
		     comparison->n_head ? comparison->head[0]->path : "-");
}

static bool is_shown(const struct dms_finding_change *change)
{
	static const bool shown[DMS_MAX_STATES] = {
		[DMS_STATE_NEW] = true,
		[DMS_STATE_WORSE] = true,
		[DMS_STATE_UNCHANGED] = true,
		[DMS_STATE_BETTER] = true, /* it is still there */
	};

	return change->head && !change->suppressed && shown[change->state];
}

static struct dms_error *put_issue(json_t *json, FILE *out, bool *is_first)
{
	int failed;

	if (!json)
		return &dms_error_nomem;
	fputs(*is_first ? "[\n" : ",\n", out);
	*is_first = false;
	failed = json_dumpf(json, out, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(json);
	return failed && !ferror(out) ? &dms_error_nomem : NULL;
}

struct dms_error *dms_diff_print_gitlab(const struct dms_comparison *comparison, FILE *out,
					unsigned int width, bool colour)
{
	struct dms_error *err = NULL;
	bool is_first = true;

	(void)width;
	(void)colour;
	for (size_t i = 0; i < comparison->n_findings && !err; i++) {
		if (is_shown(&comparison->findings[i]))
			err = put_issue(finding_issue(comparison, &comparison->findings[i]), out,
					&is_first);
	}
	for (size_t i = 0; i < comparison->n_metrics && !err; i++) {
		if (comparison->metrics[i].state == DMS_STATE_WORSE)
			err = put_issue(metric_issue(comparison, &comparison->metrics[i]), out,
					&is_first);
	}
	fputs(is_first ? "[]\n" : "\n]\n", out);
	return err ? err : dms_check_written(out);
}
