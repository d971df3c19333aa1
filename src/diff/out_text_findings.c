// SPDX-License-Identifier: LGPL-2.1-only
/* Findings of a comparison for a terminal: in full what is news, a line each for the rest. */
#include <inttypes.h>
#include <string.h>

#include <dmascope/report.h>

#include "out_text.h"

#define MOST_FRAMES 8 /* of a stack */

static const char *const state_colours[DMS_MAX_STATES] = {
	[DMS_STATE_NEW] = DMS_RED,	     [DMS_STATE_WORSE] = DMS_RED,
	[DMS_STATE_BETTER] = DMS_GREEN,	     [DMS_STATE_FIXED] = DMS_GREEN,
	[DMS_STATE_NOT_JUDGED] = DMS_YELLOW, [DMS_STATE_NOISY] = DMS_YELLOW,
};

/* ---- in full ----------------------------------------------------------------------------------
 */

static void put_stack(struct dms_paper *paper, const char *label, const struct dms_function *frames,
		      size_t n)
{
	for (size_t i = 0; i < n && i < MOST_FRAMES; i++) {
		dms_pen_put(&paper->pen, "%s", i ? "                   " : label);
		dms_pen_frame(&paper->pen, &frames[i]);
		dms_pen_put(&paper->pen, "\n");
	}
	if (n > MOST_FRAMES)
		dms_pen_put(&paper->pen, "                   and %zu more\n", n - MOST_FRAMES);
}

/* "0 -> 1,234, in 2 of 3 -> 3 of 3 runs"; NULL: memory. */
static char *counts_text(const struct dms_comparison *comparison,
			 const struct dms_finding_change *change)
{
	bool is_unknown = change->state == DMS_STATE_NOT_JUDGED && !change->head;
	char base[32], head[32], runs[96] = "";

	dms_format_count(change->count_base, base, sizeof(base));
	dms_format_count(change->count_head, head, sizeof(head));
	if (comparison->n_base > 1 || comparison->n_head > 1)
		snprintf(runs, sizeof(runs), ", in %" PRIu32 " of %zu -> %" PRIu32 " of %zu runs",
			 change->runs_base, comparison->n_base, change->runs_head,
			 comparison->n_head);
	if (!comparison->n_base)
		return dms_asprintf("%s%s", head, runs);
	return dms_asprintf("%s -> %s%s", base, is_unknown ? "?" : head, runs);
}

/* "  new error: double-unmap of ethdrv at rx_refill[ethdrv]" */
static void put_title(struct dms_paper *paper, const struct dms_finding_change *change)
{
	const struct dms_base_finding *finding = dms_change_finding(change);
	char site[512];

	dms_pen_put(&paper->pen, "  ");
	dms_paper_colour(paper, change->suppressed ? DMS_DIM : state_colours[change->state]);
	dms_pen_put(&paper->pen, "%s %s", dms_state_name(change->state),
		    dms_severity_name(finding->severity));
	dms_paper_colour(paper, DMS_PLAIN);
	dms_pen_put(&paper->pen, ": ");
	dms_paper_colour(paper, DMS_BOLD);
	dms_pen_text(&paper->pen, finding->rule);
	dms_paper_colour(paper, DMS_PLAIN);
	dms_pen_put(&paper->pen, ", ");
	dms_pen_text(&paper->pen, finding->device_kind);
	dms_change_site(finding, site, sizeof(site));
	if (strcmp(site, "-")) {
		dms_pen_put(&paper->pen, finding->n_frames ? ", in " : ", mapped in ");
		dms_pen_text(&paper->pen, site);
	}
	if (change->fails)
		dms_pen_put(&paper->pen, " [fails]");
	dms_pen_put(&paper->pen, "\n");
}

static void put_confidence(struct dms_paper *paper, const struct dms_base_finding *finding)
{
	_cleanup_(dms_freep) char *text = NULL;

	if (finding->confidence == DMS_CERTAIN && !finding->reason)
		return;
	text = dms_asprintf("%s%s%s", dms_confidence_name(finding->confidence),
			    finding->reason ? ": " : "", finding->reason ? finding->reason : "");
	paper->pen.has_failed |= !text;
	dms_paper_wrapped(paper, "      only         ", text ? text : "");
}

static void put_finding(struct dms_paper *paper, const struct dms_comparison *comparison,
			const struct dms_finding_change *change)
{
	const struct dms_base_finding *finding = dms_change_finding(change);
	_cleanup_(dms_freep) char *counts = counts_text(comparison, change);
	bool is_told = !change->suppressed && change->head &&
		       (change->state == DMS_STATE_NEW || change->state == DMS_STATE_WORSE);

	put_title(paper, change);
	dms_paper_wrapped(paper, "      ", finding->message ? finding->message : finding->title);
	if (change->reason)
		dms_paper_wrapped(paper, "      because      ", change->reason);
	put_confidence(paper, finding);
	paper->pen.has_failed |= !counts;
	dms_paper_wrapped(paper, "      count        ", counts ? counts : "");
	if (is_told && finding->device)
		dms_paper_wrapped(paper, "      device       ", finding->device);
	if (is_told) {
		put_stack(paper, "      call         ", finding->frames, finding->n_frames);
		put_stack(paper, "      mapped       ", finding->map_frames, finding->n_map_frames);
	}
	if (change->suppressed) {
		dms_paper_wrapped(paper, "      by           ", change->suppressed->name);
		dms_paper_wrapped(paper, "      reason       ", change->suppressed->reason);
	}
	/* never wrapped: it is there to be copied */
	dms_pen_put(&paper->pen, "      fingerprint  ");
	dms_pen_text(&paper->pen, finding->fingerprint);
	dms_pen_put(&paper->pen, "\n");
}

/* ---- one line each ----------------------------------------------------------------------------
 */

/* What neither fails nor asks for anything: its fingerprint tells all there is. */
static bool is_brief(const struct dms_finding_change *change)
{
	const struct dms_base_finding *finding = dms_change_finding(change);
	bool is_doubtful =
		finding->severity == DMS_SEVERITY_INFO && finding->confidence == DMS_POSSIBLE;

	if (change->suppressed || change->fails)
		return false;
	return change->state == DMS_STATE_UNCHANGED || change->state == DMS_STATE_FIXED ||
	       (change->state == DMS_STATE_NEW && is_doubtful);
}

/* How wide the counts get of those that are listed. */
static int counts_width(const struct dms_comparison *comparison)
{
	size_t n[DMS_MAX_STATES] = {0}, width = 0;

	for (size_t i = 0; i < comparison->n_findings; i++) {
		const struct dms_finding_change *change = &comparison->findings[i];
		_cleanup_(dms_freep) char *counts = NULL;

		if (!is_brief(change) || n[change->state]++ >= DMS_MOST_LINES)
			continue;
		counts = counts_text(comparison, change);
		if (counts && strlen(counts) > width)
			width = strlen(counts);
	}
	return (int)width;
}

/* "  unchanged info     8 -> 7  unmap-not-mapped:pci:-:-:-:2^11"; never wrapped */
static void put_brief(struct dms_paper *paper, const struct dms_comparison *comparison,
		      const struct dms_finding_change *change, int width)
{
	const struct dms_base_finding *finding = dms_change_finding(change);
	_cleanup_(dms_freep) char *counts = counts_text(comparison, change);

	paper->pen.has_failed |= !counts;
	dms_pen_put(&paper->pen, "  ");
	dms_paper_colour(paper, state_colours[change->state]);
	dms_pen_put(&paper->pen, "%-9s %-7s", dms_state_name(change->state),
		    dms_severity_name(finding->severity));
	dms_paper_colour(paper, state_colours[change->state] ? DMS_PLAIN : NULL);
	dms_pen_put(&paper->pen, "  %-*s  ", width, counts ? counts : "");
	dms_pen_text(&paper->pen, finding->fingerprint);
	dms_pen_put(&paper->pen, "%s\n", finding->confidence == DMS_POSSIBLE ? " (possible)" : "");
}

/* Return: how many are not listed. */
static size_t put_briefs(struct dms_paper *paper, const struct dms_comparison *comparison,
			 enum dms_state state)
{
	int width = counts_width(comparison);
	size_t n = 0;

	for (size_t i = 0; i < comparison->n_findings; i++) {
		const struct dms_finding_change *change = &comparison->findings[i];

		if (is_brief(change) && change->state == state && n++ < DMS_MOST_LINES)
			put_brief(paper, comparison, change, width);
	}
	return n > DMS_MOST_LINES ? n - DMS_MOST_LINES : 0;
}

/* ---- all --------------------------------------------------------------------------------------
 */

/* What fails is never left out. Return: how many others are. */
static size_t put_in_full(struct dms_paper *paper, const struct dms_comparison *comparison,
			  bool suppressed)
{
	size_t n[DMS_MAX_STATES] = {0}, n_left = 0;

	for (size_t i = 0; i < comparison->n_findings; i++) {
		const struct dms_finding_change *change = &comparison->findings[i];

		if ((change->suppressed != NULL) != suppressed || is_brief(change))
			continue;
		if (change->fails || n[change->state]++ < DMS_MOST_LINES)
			put_finding(paper, comparison, change);
		else
			n_left++;
	}
	return n_left;
}

static void put_rest(struct dms_paper *paper, size_t n)
{
	if (n)
		dms_pen_put(&paper->pen,
			    "  and %zu more that do not fail: --format json has them\n", n);
}

void dms_paper_findings(struct dms_paper *paper, const struct dms_comparison *comparison)
{
	size_t n_suppressed = 0, n_left;

	for (size_t i = 0; i < comparison->n_findings; i++)
		n_suppressed += comparison->findings[i].suppressed != NULL;
	if (n_suppressed < comparison->n_findings) {
		dms_paper_heading(paper, "Findings");
		n_left = put_in_full(paper, comparison, false);
		n_left += put_briefs(paper, comparison, DMS_STATE_NEW);
		n_left += put_briefs(paper, comparison, DMS_STATE_UNCHANGED);
		n_left += put_briefs(paper, comparison, DMS_STATE_FIXED);
		put_rest(paper, n_left);
	}
	if (n_suppressed) {
		dms_paper_heading(paper, "Suppressed findings");
		put_rest(paper, put_in_full(paper, comparison, true));
	}
}
