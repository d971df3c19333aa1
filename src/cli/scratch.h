/* SPDX-License-Identifier: GPL-2.0-only */
/* A private folder for one file, which is gone when we are, however we end. */
#ifndef DMASCOPE_SCRATCH_H
#define DMASCOPE_SCRATCH_H

#include <sys/types.h>

#include <dmascope/base.h>

/** The folder, and who removes it. */
struct dms_scratch {
	char *folder, *path; /* path: of the file, to be made by the caller */
	int pipe;	     /* closed when we end */
	pid_t sweeper;
};
/**
 * Make the folder, in TMPDIR or /tmp; call it before threads are begun.
 * Errors: DMS_ERROR_INTERNAL. Ownership: dms_scratch_close(), also after an error.
 */
struct dms_error *dms_scratch_open(struct dms_scratch *scratch, const char *file);
/** Remove it. An unopened one, zeroed, is allowed. */
void dms_scratch_close(struct dms_scratch *scratch);

#endif
