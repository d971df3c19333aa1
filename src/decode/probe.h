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

#endif
