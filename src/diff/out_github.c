// SPDX-License-Identifier: LGPL-2.1-only
/* A comparison as annotations of GitHub Actions: workflow commands, gravest first. */
#include <inttypes.h>
#include <string.h>

#include <dmascope/report.h>

#include "local.h"

/*
 * A step shows ten errors, ten warnings and ten notices and drops the rest without a word; the last
 * of ours says how many there are.
 */
#define MOST_SHOWN 10
#define MOST_BYTES 3000 /* of a message: the runner cuts at 4,096 */

// clang-format off
/* What @actions/core escapes: in messages and, more, in properties. */
static const struct dms_swap message_swaps[] = {
	{'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}, {0, NULL}};
static const struct dms_swap property_swaps[] = {
	{'%', "%25"}, {'\r', "%0D"}, {'\n', "%0A"}, {':', "%3A"}, {',', "%2C"}, {0, NULL}};
// clang-format on

enum level { ERROR, WARNING, NOTICE, MAX_LEVELS };

/** One kind of annotation: what is told of an item, and whether it is one. */
struct source {
	size_t (*count)(const struct dms_comparison *comparison);
	/* The level of item @i; MAX_LEVELS: it is none. */
	enum level (*level)(const struct dms_comparison *comparison, size_t i);
	void (*title)(struct dms_pen *pen, const struct dms_comparison *comparison, size_t i);
	void (*message)(struct dms_pen *pen, const struct dms_comparison *comparison, size_t i);
};

/* ---- the verdict, where no item tells it -------------------------------------------------------
 */

static size_t count_verdict(const struct dms_comparison *comparison)
{
	(void)comparison;
	return 1;
}

/* Of a failure the items tell; a notice sums it up. What could not be judged must be seen. */
static enum level verdict_level(const struct dms_comparison *comparison, size_t i)
{
	(void)i;
	return comparison->verdict == DMS_VERDICT_LOSSY ? ERROR : NOTICE;
}

static void verdict_title(struct dms_pen *pen, const struct dms_comparison *comparison, size_t i)
{
	(void)i;
	dms_pen_text(pen, "dmascope: ");
	dms_pen_text(pen, dms_verdict_name(comparison->verdict));
}

static void verdict_message(struct dms_pen *pen, const struct dms_comparison *comparison, size_t i)
{
	_cleanup_(dms_freep) char *headline = dms_diff_headline(comparison);

	(void)i;
	pen->has_failed |= !headline;
	dms_pen_text(pen, headline ? headline : "");
	for (size_t j = 0; j < comparison->n_reasons && j < MOST_SHOWN; j++) {
		dms_pen_put(pen, "%%0A- ");
		dms_pen_text(pen, comparison->reasons[j]);
	}
}

/* ---- findings ----------------------------------------------------------------------------------
 */

static size_t count_findings(const struct dms_comparison *comparison)
{
	return comparison->n_findings;
}

static enum level finding_level(const struct dms_comparison *comparison, size_t i)
{
	const struct dms_finding_change *change = &comparison->findings[i];
	static const enum level levels[DMS_MAX_STATES] = {
		[DMS_STATE_NEW] = WARNING,	    [DMS_STATE_WORSE] = WARNING,
		[DMS_STATE_UNCHANGED] = MAX_LEVELS, [DMS_STATE_BETTER] = MAX_LEVELS,
		[DMS_STATE_FIXED] = NOTICE,	    [DMS_STATE_NOT_JUDGED] = WARNING,
		[DMS_STATE_NOISY] = NOTICE,
	};

	if (change->suppressed)
		return MAX_LEVELS;
	if (change->fails)
		return ERROR;
	if (levels[change->state] == WARNING &&
	    dms_change_finding(change)->severity == DMS_SEVERITY_INFO)
		return NOTICE;
	return levels[change->state];
}

static void finding_title(struct dms_pen *pen, const struct dms_comparison *comparison, size_t i)
{
	const struct dms_finding_change *change = &comparison->findings[i];
	const struct dms_base_finding *finding = dms_change_finding(change);

	dms_pen_put(pen, "%s %s%%3A ", dms_state_name(change->state),
		    dms_severity_name(finding->severity));
	dms_pen_text(pen, finding->rule);
	dms_pen_put(pen, " on ");
	dms_pen_text(pen, finding->device_kind);
}

static void put_stack(struct dms_pen *pen, const char *label, const struct dms_function *frames,
		      size_t n)
{
	for (size_t i = 0; i < n && i < MOST_SHOWN; i++) {
		dms_pen_put(pen, "%s", i ? " < " : label);
		dms_pen_frame(pen, &frames[i]);
	}
}

static void finding_message(struct dms_pen *pen, const struct dms_comparison *comparison, size_t i)
{
	const struct dms_finding_change *change = &comparison->findings[i];
	const struct dms_base_finding *finding = dms_change_finding(change);
	char base[32], head[32];

	dms_pen_text(pen, finding->message ? finding->message : finding->title);
	if (change->reason) {
		dms_pen_put(pen, "%%0Abecause: ");
		dms_pen_text(pen, change->reason);
	}
	dms_pen_put(pen, "%%0Acount: %s -> %s",
		    dms_format_count(change->count_base, base, sizeof(base)),
		    change->state == DMS_STATE_NOT_JUDGED
			    ? "?"
			    : dms_format_count(change->count_head, head, sizeof(head)));
	put_stack(pen, "%0Acall: ", finding->frames, finding->n_frames);
	put_stack(pen, "%0Amapped: ", finding->map_frames, finding->n_map_frames);
	dms_pen_put(pen, "%%0Afingerprint: ");
	dms_pen_text(pen, finding->fingerprint);
}

/* ---- metrics -----------------------------------------------------------------------------------
 */

static size_t count_metrics(const struct dms_comparison *comparison)
{
	return comparison->n_metrics;
}

static enum level metric_level(const struct dms_comparison *comparison, size_t i)
{
	const struct dms_metric_change *change = &comparison->metrics[i];

	if (change->fails)
		return ERROR;
	if (change->state == DMS_STATE_WORSE)
		return WARNING;
	return change->state == DMS_STATE_NOISY ? NOTICE : MAX_LEVELS;
}

static void metric_title(struct dms_pen *pen, const struct dms_comparison *comparison, size_t i)
{
	const struct dms_metric_change *change = &comparison->metrics[i];

	dms_pen_put(pen, "%s%%3A ", dms_state_name(change->state));
	dms_pen_text(pen, change->metric->name);
	dms_pen_put(pen, " of ");
	dms_pen_text(pen, change->subject);
}

static void metric_message(struct dms_pen *pen, const struct dms_comparison *comparison, size_t i)
{
	const struct dms_metric_change *change = &comparison->metrics[i];
	char base[48], head[48], percent[32], threshold[96], p[32];

	dms_pen_text(pen, change->metric->title);
	dms_pen_put(pen, ": ");
	dms_pen_text(pen, dms_format_value(change->base, change->metric, base, sizeof(base)));
	dms_pen_put(pen, " -> ");
	dms_pen_text(pen, dms_format_value(change->head, change->metric, head, sizeof(head)));
	dms_pen_put(pen, " (");
	dms_pen_text(pen, dms_format_change(change->change, percent, sizeof(percent)));
	dms_pen_put(pen,
		    "), n = %" PRIu32 " + %" PRIu32 ", p = %s%%0Acounts beyond: ", change->n_base,
		    change->n_head, dms_format_p(change->p_holm, p, sizeof(p)));
	dms_pen_text(pen, dms_format_threshold(change, threshold, sizeof(threshold)));
	if (change->reason) {
		dms_pen_put(pen, "%%0A");
		dms_pen_text(pen, change->reason);
	}
}

/* ---- suppressions that hold no longer ----------------------------------------------------------
 */

static size_t count_expired(const struct dms_comparison *comparison)
{
	return comparison->n_expired;
}

static enum level expired_level(const struct dms_comparison *comparison, size_t i)
{
	(void)comparison;
	(void)i;
	return WARNING;
}

static void expired_title(struct dms_pen *pen, const struct dms_comparison *comparison, size_t i)
{
	dms_pen_put(pen, "expired suppression%%3A ");
	dms_pen_text(pen, comparison->expired[i]->name);
}

static void expired_message(struct dms_pen *pen, const struct dms_comparison *comparison, size_t i)
{
	dms_pen_text(pen, comparison->expired[i]->file);
	dms_pen_put(pen, ":%u: ", comparison->expired[i]->line);
	dms_pen_text(pen, comparison->expired[i]->reason);
}

/* ---- all ---------------------------------------------------------------------------------------
 */

static const struct source sources[] = {
	{count_verdict, verdict_level, verdict_title, verdict_message},
	{count_findings, finding_level, finding_title, finding_message},
	{count_metrics, metric_level, metric_title, metric_message},
	{count_expired, expired_level, expired_title, expired_message},
};

static size_t count_level(const struct dms_comparison *comparison, enum level level)
{
	size_t n = 0;

	for (size_t s = 0; s < DMS_ARRAY_SIZE(sources); s++) {
		for (size_t i = 0; i < sources[s].count(comparison); i++)
			n += sources[s].level(comparison, i) == level;
	}
	return n;
}

static const char *const commands[] = {"error", "warning", "notice"};

static void put_one(struct dms_pen *pen, const struct dms_comparison *comparison,
		    const struct source *source, size_t i)
{
	dms_pen_put(pen, "::%s title=", commands[source->level(comparison, i)]);
	*pen = (struct dms_pen){.out = pen->out,
				.swaps = property_swaps,
				.most_bytes = 200,
				.has_failed = pen->has_failed};
	source->title(pen, comparison, i);
	dms_pen_put(pen, "::");
	pen->swaps = message_swaps;
	pen->most_bytes = MOST_BYTES / 6; /* of each name: there are several */
	source->message(pen, comparison, i);
	dms_pen_put(pen, "\n");
}

static void put_level(struct dms_pen *pen, const struct dms_comparison *comparison,
		      enum level level)
{
	size_t n = count_level(comparison, level), n_shown = 0;
	size_t most = n > MOST_SHOWN ? MOST_SHOWN - 1 : MOST_SHOWN;

	for (size_t s = 0; s < DMS_ARRAY_SIZE(sources); s++) {
		for (size_t i = 0; i < sources[s].count(comparison) && n_shown < most; i++) {
			if (sources[s].level(comparison, i) != level)
				continue;
			put_one(pen, comparison, &sources[s], i);
			n_shown++;
		}
	}
	if (n > n_shown)
		dms_pen_put(pen,
			    "::%s title=dmascope%%3A %zu more::%zu of %zu %ss are not shown here: "
			    "--format markdown or json has them\n",
			    commands[level], n - n_shown, n - n_shown, n, commands[level]);
}

struct dms_error *dms_diff_print_github(const struct dms_comparison *comparison, FILE *out,
					unsigned int width, bool colour)
{
	struct dms_pen pen = {.out = out};

	(void)width;
	(void)colour;
	for (int level = ERROR; level < MAX_LEVELS; level++)
		put_level(&pen, comparison, (enum level)level);
	return dms_pen_end(&pen);
}
