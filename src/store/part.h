/* SPDX-License-Identifier: LGPL-2.1-only */
/* Files that are built beside their final name, whatever is in them, and who watches over them. */
#ifndef DMS_STORE_PART_H
#define DMS_STORE_PART_H

#include <dmascope/base.h>

/**
 * struct dms_part_watch - told of each such file, so that a program can take them away when a signal
 * ends it
 * @begin: a file is about to come, to go or to be renamed: until @end the program must not end
 * @end: @path is there, and ours (@is_there), or is no more
 *
 * Both may be called from any thread, and never one inside the other.
 */
struct dms_part_watch {
	void (*begin)(void);
	void (*end)(const char *path, bool is_there);
};

/**
 * dms_part_open - make the file @name, or take over what a killed run has left there; lock, empty it
 *
 * It is ours as long as *@ret is open; rename or remove it before that is closed. @watch, here and
 * below, is the caller's; NULL: nobody is told.
 * Errors: DMS_ERROR_INTERNAL: the system's, or another process has it.
 */
struct dms_error *dms_part_open(const char *name, const struct dms_part_watch *watch, int *ret);
void dms_part_remove(const char *name, const struct dms_part_watch *watch);
/** As rename(): 0, or -1 with errno. */
int dms_part_rename(const char *name, const char *path, const struct dms_part_watch *watch);

#endif
