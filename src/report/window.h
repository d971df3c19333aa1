/* SPDX-License-Identifier: LGPL-2.1-only */
/* Between the choice of a part of the time and the counting of it. */
#ifndef DMASCOPE_REPORT_WINDOW_H
#define DMASCOPE_REPORT_WINDOW_H

#include <dmascope/base.h>

struct sqlite3;

/**
 * Count anew, from the mappings and the series that dms_select() has left, what the run counted
 * over all its time: temporary views take the place of its tables of figures, empty where the
 * database cannot tell a part. A row of not_judged says so.
 */
struct dms_error *window_count(struct sqlite3 *db);

#endif
