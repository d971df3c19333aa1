/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a recording leaves out, or holds twice: found by a run, so that nothing is guessed of it. */
#ifndef DMASCOPE_RUN_TRUST_H
#define DMASCOPE_RUN_TRUST_H

#include "run.h"

/* halves.c */
/** True if some file has the format of an event of @kind; of a text, such an event. */
bool dms_run_has_kind(const struct dms_run *run, enum dms_event_kind kind);
/** Bits of the mapping kinds whose maps, or unmaps, cannot be in the trace, though the others can. */
void dms_run_hidden(const struct dms_run *run, uint32_t *ret_maps, uint32_t *ret_unmaps);
/** Note them: what is said of pairs is only possible. */
struct dms_error *dms_run_note_halves(struct dms_run *run);

/* twins.c: do two files hold the same events? */
/** @event of @file is next. Errors: they do; memory. */
struct dms_error *dms_run_twins_note(struct dms_run *run, uint32_t file,
				     const struct dms_event *event);
/** There are no more. Errors: as above. */
struct dms_error *dms_run_twins_end(struct dms_run *run);
void dms_run_twins_destroy(struct dms_run_twins *twins);

#endif
