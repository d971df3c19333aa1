// SPDX-License-Identifier: LGPL-2.1-only
/* What the printers of a comparison share: the headline, figures, reasons, a pen for names. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include <dmascope/report.h>

#include "../report/local.h"
#include "local.h"

const char *dms_verdict_name(enum dms_verdict verdict)
{
	static const char *const names[] = {
		[DMS_VERDICT_PASS] = "PASS",
		[DMS_VERDICT_FAIL] = "FAIL",
		[DMS_VERDICT_LOSSY] = "TOO LOSSY TO JUDGE",
	};

	return names[verdict];
}

/* ---- the headline ------------------------------------------------------------------------------
 */

static size_t count_findings(const struct dms_comparison *comparison, enum dms_state state,
			     enum dms_severity severity)
{
	size_t n = 0;

	for (size_t i = 0; i < comparison->n_findings; i++) {
		const struct dms_finding_change *change = &comparison->findings[i];

		n += change->state == state && !change->suppressed &&
		     dms_change_finding(change)->severity == severity;
	}
	return n;
}

bool dms_metric_is_changed(const struct dms_metric_change *change)
{
	return change->state == DMS_STATE_WORSE || change->state == DMS_STATE_BETTER ||
	       change->state == DMS_STATE_NOISY;
}

size_t dms_count_metrics(const struct dms_comparison *comparison, enum dms_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < comparison->n_metrics; i++)
		n += comparison->metrics[i].state == state;
	return n;
}

static size_t count_suppressed(const struct dms_comparison *comparison)
{
	size_t n = 0;

	for (size_t i = 0; i < comparison->n_findings; i++)
		n += comparison->findings[i].suppressed != NULL;
	return n;
}

/* ", 2 new errors" */
static void put_part(FILE *out, size_t n, const char *state, const char *noun)
{
	static const char invariable[] = "info";
	bool has_plural = n != 1 && *noun && strcmp(noun, invariable);

	if (n)
		fprintf(out, "%s%zu %s%s%s%s", ftell(out) ? ", " : "", n, state, *noun ? " " : "",
			noun, has_plural ? "s" : "");
}

/* All severities of @state in one: what does not fail needs no more. */
static size_t count_state(const struct dms_comparison *comparison, enum dms_state state)
{
	size_t n = 0;

	for (int severity = DMS_SEVERITY_INFO; severity <= DMS_SEVERITY_ERROR; severity++)
		n += count_findings(comparison, state, (enum dms_severity)severity);
	return n;
}

static void put_headline(const struct dms_comparison *comparison, FILE *out)
{
	static const enum dms_state bad[] = {DMS_STATE_NEW, DMS_STATE_WORSE},
				    other[] = {DMS_STATE_NOT_JUDGED, DMS_STATE_BETTER,
					       DMS_STATE_FIXED, DMS_STATE_UNCHANGED};

	for (size_t i = 0; i < DMS_ARRAY_SIZE(bad); i++) {
		for (int severity = DMS_SEVERITY_ERROR; severity >= DMS_SEVERITY_INFO; severity--)
			put_part(out,
				 count_findings(comparison, bad[i], (enum dms_severity)severity),
				 dms_state_name(bad[i]),
				 dms_severity_name((enum dms_severity)severity));
	}
	put_part(out, dms_count_metrics(comparison, DMS_STATE_WORSE), "worse", "metric");
	for (size_t i = 0; i < DMS_ARRAY_SIZE(other); i++)
		put_part(out, count_state(comparison, other[i]), dms_state_name(other[i]),
			 i ? "" : "finding");
	put_part(out, count_suppressed(comparison), "suppressed", "");
	if (!ftell(out))
		fputs("no findings", out);
}

char *dms_diff_headline(const struct dms_comparison *comparison)
{
	char *text = NULL, *copy = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	put_headline(comparison, out);
	if (!fclose(out) && text)
		copy = dms_strdup(text);
	dms_freep(&text);
	return copy;
}

/* ---- figures -----------------------------------------------------------------------------------
 */

const char *dms_format_change(double change, char *buf, size_t size)
{
	double percent = change * 100;

	if (isnan(change))
		snprintf(buf, size, "-");
	else if (isinf(change))
		snprintf(buf, size, "from 0");
	else if (change >= 9)
		snprintf(buf, size, "x%.*f", change < 99 ? 1 : 0, change + 1);
	else
		snprintf(buf, size, fabs(percent) < 9.95 ? "%+.1f %%" : "%+.0f %%", percent);
	return buf;
}

const char *dms_format_threshold(const struct dms_metric_change *change, char *buf, size_t size)
{
	const struct dms_threshold *threshold = &change->threshold;
	char value[48];

	if (change->polarity == DMS_NEITHER || isinf(threshold->relative) ||
	    isinf(threshold->absolute))
		snprintf(buf, size, "never");
	else if (!threshold->relative && !threshold->absolute)
		snprintf(buf, size, "any");
	else if (!threshold->absolute)
		snprintf(buf, size, "%.4g %%", threshold->relative * 100);
	else if (!threshold->relative)
		snprintf(buf, size, "%s",
			 dms_format_value(threshold->absolute, change->metric, value,
					  sizeof(value)));
	else
		snprintf(buf, size, "%.4g %% and %s", threshold->relative * 100,
			 dms_format_value(threshold->absolute, change->metric, value,
					  sizeof(value)));
	return buf;
}

const char *dms_format_p(double p, char *buf, size_t size)
{
	if (isnan(p))
		snprintf(buf, size, "-");
	else if (p >= 0 && p < 0.0001)
		snprintf(buf, size, "<0.0001");
	else
		snprintf(buf, size, "%.2g", p);
	return buf;
}

/* ---- reasons -----------------------------------------------------------------------------------
 */

int dms_compare_reasons(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			a += strspn(a, "0123456789");
			b += strspn(b, "0123456789");
			continue;
		}
		if (*a != *b)
			break;
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

size_t dms_metric_groups(const struct dms_comparison *comparison, enum dms_state state,
			 struct dms_metric_group *groups, size_t most, size_t *ret_left)
{
	size_t n = 0;

	*ret_left = 0;
	for (size_t i = 0; i < comparison->n_metrics; i++) {
		const struct dms_metric_change *change = &comparison->metrics[i];
		size_t at = 0;

		if (change->state != state)
			continue;
		while (at < n && dms_compare_reasons(groups[at].first->reason, change->reason))
			at++;
		if (at == most) {
			++*ret_left;
			continue;
		}
		if (at == n)
			groups[n++] = (struct dms_metric_group){.first = change};
		groups[at].n++;
	}
	return n;
}

char *dms_metric_group_text(const struct dms_metric_group *group)
{
	const struct dms_metric_change *first = group->first;

	if (group->n == 1)
		return dms_asprintf("%s of %s", first->metric->name, first->subject);
	return dms_asprintf("%s of %s and %zu more", first->metric->name, first->subject,
			    group->n - 1);
}

/* ---- whose it is -------------------------------------------------------------------------------
 */

/* Sides point into the lists of their runs. */
static bool is_of(const struct dms_baseline *run, const struct dms_base_finding *finding)
{
	uintptr_t first = (uintptr_t)run->findings, place = (uintptr_t)finding;

	return run->n_findings && place >= first &&
	       place < (uintptr_t)(run->findings + run->n_findings);
}

const struct dms_baseline *dms_change_run(const struct dms_comparison *comparison,
					  const struct dms_finding_change *change)
{
	const struct dms_baseline *const *runs = change->head ? comparison->head : comparison->base;
	size_t n = change->head ? comparison->n_head : comparison->n_base;

	for (size_t i = 0; i < n; i++) {
		if (is_of(runs[i], dms_change_finding(change)))
			return runs[i];
	}
	return n ? runs[0] : NULL;
}

/* ---- the pen -----------------------------------------------------------------------------------
 */

static const char *swapped(const struct dms_swap *swaps, char c)
{
	for (; swaps && swaps->from; swaps++) {
		if (swaps->from == c)
			return swaps->to;
	}
	return NULL;
}

/* Bytes of @text to be written: whole characters. */
static size_t fitting(const struct dms_pen *pen, const char *text)
{
	size_t len = strlen(text);

	if (!pen->most_bytes || len <= pen->most_bytes)
		return len;
	len = pen->most_bytes;
	while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

void dms_pen_text(struct dms_pen *pen, const char *text)
{
	_cleanup_(dms_freep) char *harmless = dms_escape(text, strlen(text), DMS_ESCAPE_TEXT);
	size_t len;

	if (!harmless) {
		pen->has_failed = true;
		return;
	}
	len = fitting(pen, harmless);
	for (size_t i = 0; i < len; i++) {
		const char *other = swapped(pen->swaps, harmless[i]);

		if (other)
			fputs(other, pen->out);
		else
			fputc(harmless[i], pen->out);
	}
	if (harmless[len])
		fputs("...", pen->out);
}

void dms_pen_put(struct dms_pen *pen, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(pen->out, fmt, args);
	va_end(args);
}

void dms_pen_frame(struct dms_pen *pen, const struct dms_function *frame)
{
	if (!frame->name || !*frame->name) {
		dms_pen_put(pen, "-");
		return;
	}
	dms_pen_text(pen, frame->name);
	if (!frame->module || !*frame->module)
		return;
	dms_pen_text(pen, "[");
	dms_pen_text(pen, frame->module);
	dms_pen_text(pen, "]");
}

struct dms_error *dms_pen_end(const struct dms_pen *pen)
{
	return pen->has_failed ? &dms_error_nomem : dms_check_written(pen->out);
}
