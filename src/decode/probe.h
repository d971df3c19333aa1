/* SPDX-License-Identifier: LGPL-2.1-only */
/* The functions whose probes are known, as rows. */
#ifndef DMS_DECODE_PROBE_H
#define DMS_DECODE_PROBE_H

#include "decoder.h"

/** One function, at its entry or its return. */
struct probe_row {
	struct event_row event; /* name: the function's symbol; system: NULL */
	bool is_return;
	const char *ours; /* event name in our own group "dmascope", or NULL */
};

extern const struct probe_row probe_table[];
extern const size_t n_probe_rows;

/** Which half of a call a probe tells; HALF_NONE: all there is to tell. */
enum half { HALF_NONE, HALF_ENTRY, HALF_RETURN };

/** One of the two probes that together tell what one event tells (probe_pair.c). */
struct probe_half {
	struct event_row event;
	enum half half;
};

extern const struct probe_half probe_halves[];
extern const size_t n_probe_halves;

/** What @format is half of; NULL: of nothing. */
const struct probe_half *probe_half_of(const struct dms_format *format);
/**
 * @event is that @half of a call: make it the whole one, or of kind DMS_EV_NONE while there is none.
 */
malformed probe_join(struct dms_decoder *decoder, enum half half, struct dms_event *event);

#endif
