// SPDX-License-Identifier: LGPL-2.1-only
/* struct dmascope_summary: the figures of a run, from its handle or its database. */
#include <string.h>

#include <dmascope/store.h>

#include "local.h"

#define N_SEVERITIES  (DMASCOPE_ERROR + 1)
#define N_CONFIDENCES (DMASCOPE_CERTAIN + 1)

struct dmascope_summary {
	struct dms_summary *of_db; /* owned; NULL: it is of a handle */
	struct dmascope_figures figures;
	struct dmascope_device *devices;
	struct dmascope_finding_group *findings;
	struct dmascope_note *notes;
	uint64_t counts[N_SEVERITIES][N_CONFIDENCES]; /* at least so grave and so sure */
};

static struct dmascope_device device_of(const struct dms_device_summary *from)
{
	return (struct dmascope_device){
		.name = from->name,
		.address_mode = from->address_mode,
		.driver = from->driver,
		.generation = from->generation,
		.maps = from->maps,
		.unmaps = from->unmaps,
		.syncs = from->syncs,
		.failed = from->failed,
		.live_at_end = from->live_at_end,
		.live_bytes_at_end = from->live_bytes_at_end,
		.pre_trace = from->pre_trace,
		.bytes_to_device = from->bytes_to_device,
		.bytes_from_device = from->bytes_from_device,
		.bytes_bidirectional = from->bytes_bidirectional,
		.bytes_allocated = from->bytes_allocated,
		.lifetime_p50_ns = from->lifetime_p50_ns,
		.lifetime_p99_ns = from->lifetime_p99_ns,
		.lifetime_max_ns = from->lifetime_max_ns,
		.peak_live = from->peak_live,
		.peak_live_bytes = from->peak_live_bytes,
		.peak_live_bytes_ns = from->peak_live_bytes_ts,
		.bounces = from->bounces,
		.bounced_bytes = from->bounced_bytes,
		.maybe_elided = from->maybe_elided,
	};
}

/* The value whose name is @word, which is one of ours: 0, the least, for any other. */
static unsigned int severity_of(const char *word)
{
	for (unsigned int i = 0; i < N_SEVERITIES; i++) {
		if (word && !strcmp(word, dmascope_severity_name((enum dmascope_severity)i)))
			return i;
	}
	return 0;
}

static unsigned int confidence_of(const char *word)
{
	for (unsigned int i = 0; i < N_CONFIDENCES; i++) {
		if (word && !strcmp(word, dmascope_confidence_name((enum dmascope_confidence)i)))
			return i;
	}
	return 0;
}

static struct dmascope_finding_group finding_of(const struct dms_finding_summary *from)
{
	return (struct dmascope_finding_group){
		.rule = from->rule,
		.device = from->device,
		.severity = (enum dmascope_severity)severity_of(from->severity),
		.confidence = (enum dmascope_confidence)confidence_of(from->confidence),
		.count = from->count,
		.first_ns = from->first_ts,
		.message = from->message,
		.reason = from->reason,
	};
}

static bool copy_lists(struct dmascope_summary *summary, const struct dms_summary *from)
{
	summary->devices = dms_zalloc((from->n_devices + 1) * sizeof(*summary->devices));
	summary->findings = dms_zalloc((from->n_findings + 1) * sizeof(*summary->findings));
	summary->notes = dms_zalloc((from->n_notes + 1) * sizeof(*summary->notes));
	if (!summary->devices || !summary->findings || !summary->notes)
		return false;
	for (size_t i = 0; i < from->n_devices; i++)
		summary->devices[i] = device_of(&from->devices[i]);
	for (size_t i = 0; i < from->n_findings; i++)
		summary->findings[i] = finding_of(&from->findings[i]);
	for (size_t i = 0; i < from->n_notes; i++)
		summary->notes[i] = (struct dmascope_note){
			from->notes[i].rule, from->notes[i].device, from->notes[i].reason};
	return true;
}

static struct dms_error *fill(struct dmascope_summary *summary, const struct dms_summary *from)
{
	summary->figures = (struct dmascope_figures){
		.kernel = from->kernel,
		.clock = from->clock,
		.is_complete = from->complete,
		.is_clock_in_ticks = !from->clock_is_ns,
		.first_ns = from->first_ts,
		.last_ns = from->last_ts,
		.records = from->records,
		.events = from->events,
		.malformed = from->malformed,
		.gaps = from->gaps,
		.lost_events = from->lost_events,
		.n_devices = from->n_devices,
		.n_findings = from->n_findings,
		.n_notes = from->n_notes,
	};
	return copy_lists(summary, from) ? NULL : &dms_error_nomem;
}

struct dmascope_error *dmascope_analysis_summary(struct dmascope_analysis *analysis,
						 struct dmascope_summary **ret)
{
	struct dmascope_error *error = api_need(__func__, analysis && ret);
	struct dmascope_summary *summary;
	struct dms_log_sink before;
	struct dms_summary from;
	struct dms_error *err;

	if (error)
		return error;
	*ret = NULL;
	if (analysis->state != API_DONE)
		return api_usage("a run has a summary when it has ended, and well");
	summary = dms_zalloc(sizeof(*summary));
	before = api_enter(analysis);
	err = summary ? dms_run_summarise(&analysis->run, &from) : &dms_error_nomem;
	dms_log_redirect(before);
	if (!err)
		err = fill(summary, &from);
	if (err) {
		dmascope_summary_destroy(summary);
		return api_error(err);
	}
	for (unsigned int i = 0; i < N_SEVERITIES; i++) {
		for (unsigned int j = 0; j < N_CONFIDENCES; j++)
			summary->counts[i][j] = dms_run_count_findings(&analysis->run,
								       (enum dms_severity)i,
								       (enum dms_confidence)j);
	}
	*ret = summary;
	return NULL;
}

static struct dms_error *count_in(struct sqlite3 *db, struct dmascope_summary *summary)
{
	struct dms_error *err = NULL;

	for (unsigned int i = 0; i < N_SEVERITIES; i++) {
		for (unsigned int j = 0; !err && j < N_CONFIDENCES; j++)
			err = dms_findings_count(db, (enum dms_severity)i, (enum dms_confidence)j,
						 &summary->counts[i][j]);
	}
	return err;
}

struct dmascope_error *dmascope_db_summary(struct dmascope_db *db, struct dmascope_summary **ret)
{
	struct dmascope_error *error = api_need(__func__, db && ret);
	struct dmascope_summary *summary;
	struct dms_error *err;

	if (error)
		return error;
	*ret = NULL;
	summary = dms_zalloc(sizeof(*summary));
	err = summary ? dms_summary_read(api_connection(db), &summary->of_db) : &dms_error_nomem;
	if (!err)
		err = fill(summary, summary->of_db);
	if (!err)
		err = count_in(api_connection(db), summary);
	if (err) {
		dmascope_summary_destroy(summary);
		return api_error(err);
	}
	*ret = summary;
	return NULL;
}

void dmascope_summary_destroy(struct dmascope_summary *summary)
{
	if (!summary)
		return;
	if (summary->of_db)
		dms_summary_destroy(summary->of_db);
	dms_free(summary->devices);
	dms_free(summary->findings);
	dms_free(summary->notes);
	dms_free(summary);
}

const struct dmascope_figures *dmascope_summary_figures(const struct dmascope_summary *summary)
{
	return summary ? &summary->figures : NULL;
}

const struct dmascope_device *dmascope_summary_device(const struct dmascope_summary *summary,
						      size_t index)
{
	return summary && index < summary->figures.n_devices ? &summary->devices[index] : NULL;
}

const struct dmascope_finding_group *
dmascope_summary_finding(const struct dmascope_summary *summary, size_t index)
{
	return summary && index < summary->figures.n_findings ? &summary->findings[index] : NULL;
}

const struct dmascope_note *dmascope_summary_note(const struct dmascope_summary *summary,
						  size_t index)
{
	return summary && index < summary->figures.n_notes ? &summary->notes[index] : NULL;
}

uint64_t dmascope_summary_count(const struct dmascope_summary *summary,
				enum dmascope_severity severity,
				enum dmascope_confidence confidence)
{
	if (!summary || (size_t)severity >= N_SEVERITIES || (size_t)confidence >= N_CONFIDENCES)
		return DMASCOPE_UNKNOWN; /* 0 would look like health */
	return summary->counts[severity][confidence];
}
