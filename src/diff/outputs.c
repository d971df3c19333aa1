// SPDX-License-Identifier: LGPL-2.1-only
/* The outputs of a comparison, a row each, and the words for a change and a figure in all of them.
 */
#include <math.h>
#include <string.h>

#include <dmascope/report.h>

#include "local.h"

const struct dms_diff_output dms_diff_outputs[] = {
	{"text", "txt", "for a terminal: all that is to be said, gravest first",
	 dms_diff_print_text},
	{"markdown", "md", "a comment of a merge request, details folded; under 60,000 characters",
	 dms_diff_print_markdown},
	{"json", "json", "everything, for programs (diff.schema.json)", dms_diff_print_json},
	{"junit", "xml", "JUnit XML: a suite for each device kind, a case for each rule",
	 dms_diff_print_junit},
	{"sarif", "sarif", "SARIF 2.1.0, for code scanning", dms_diff_print_sarif},
	{"github", "txt", "annotations of GitHub Actions, as workflow commands",
	 dms_diff_print_github},
	{"gitlab", "json", "a Code Quality report of GitLab", dms_diff_print_gitlab},
	{"tap", "tap", "TAP: a test point for each rule and device kind, and each metric",
	 dms_diff_print_tap},
	{"html", "html", "one page that needs nothing else, with charts of both sides",
	 dms_diff_print_html},
	{NULL, NULL, NULL, NULL},
};

char *dms_change_label(const struct dms_finding_change *change)
{
	const struct dms_base_finding *finding = dms_change_finding(change);
	const char *severity = finding ? dms_severity_name(finding->severity) : "finding";

	if (change->suppressed)
		return dms_asprintf("%s %s (suppressed by %s)", dms_state_name(change->state),
				    severity, change->suppressed->name);
	return dms_asprintf("%s %s", dms_state_name(change->state), severity);
}

const struct dms_base_finding *dms_change_finding(const struct dms_finding_change *change)
{
	return change->head ? change->head : change->base;
}

const char *dms_change_site(const struct dms_base_finding *finding, char *buf, size_t size)
{
	const struct dms_function *frame = NULL;

	/* of a leak nobody broke a rule: who mapped is all there is */
	if (finding && finding->n_frames)
		frame = &finding->frames[0];
	else if (finding && finding->n_map_frames)
		frame = &finding->map_frames[0];
	if (!frame || !frame->name || !*frame->name)
		snprintf(buf, size, "-");
	else if (frame->module && *frame->module)
		snprintf(buf, size, "%s[%s]", frame->name, frame->module);
	else
		snprintf(buf, size, "%s", frame->name);
	return buf;
}

/* ---- figures -----------------------------------------------------------------------------------
 */

static void format_ns(double value, char *buf, size_t size)
{
	dms_format_ns((uint64_t)(value + 0.5), buf, size);
}

static void format_size(double value, char *buf, size_t size)
{
	dms_format_bytes((uint64_t)(value + 0.5), buf, size);
}

static void format_share(double value, char *buf, size_t size)
{
	snprintf(buf, size, value && value < 0.001 ? "%.3f %%" : "%.1f %%", value * 100);
}

/* A count; of several runs or of a second it may be a broken one. */
static void format_plain(double value, char *buf, size_t size)
{
	double tenths = floor(value * 10 + 0.5);
	uint64_t whole = (uint64_t)(tenths / 10);
	unsigned int rest = (unsigned int)fmod(tenths, 10);

	dms_format_count(whole, buf, size);
	if (rest && whole < 1000)
		snprintf(buf + strlen(buf), size - strlen(buf), ".%u", rest);
}

static void format_rate(double value, char *buf, size_t size)
{
	format_plain(value, buf, size);
	snprintf(buf + strlen(buf), size - strlen(buf), "/s");
}

/* A share is a number without unit, as counts are; only its name tells. */
static bool is_share(const struct dms_metric *metric)
{
	return strstr(metric->name, "share") || strstr(metric->name, "ratio");
}

static const struct {
	const char *unit;
	void (*format)(double value, char *buf, size_t size);
} units[] = {
	{"ns", format_ns},
	{"bytes", format_size},
	{"1/s", format_rate},
};

const char *dms_format_value(double value, const struct dms_metric *metric, char *buf, size_t size)
{
	double magnitude = fabs(value);
	void (*format)(double value, char *buf, size_t size) = format_plain;

	if (isnan(value)) {
		snprintf(buf, size, "-");
		return buf;
	}
	if (magnitude >= 1.8e19) { /* beyond a uint64_t */
		snprintf(buf, size, "%.3g", value);
		return buf;
	}
	if (is_share(metric))
		format = format_share;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(units); i++) {
		if (!strcmp(metric->unit, units[i].unit))
			format = units[i].format;
	}
	if (value < 0 && size > 1) {
		*buf = '-';
		format(magnitude, buf + 1, size - 1);
	} else {
		format(magnitude, buf, size);
	}
	return buf;
}
