// SPDX-License-Identifier: LGPL-2.1-only
/* Does a suppression speak of a finding? Globs of names, and of functions on a call stack. */
#include <fnmatch.h>
#include <string.h>

#include "suppress.h"

/* What nothing is said of fits everything; what is not known fits only a pattern of anything. */
static bool glob_fits(const char *glob, const char *name)
{
	return !glob || !fnmatch(glob, name ? name : "", 0);
}

/** A stack, innermost first. */
struct stack {
	const struct dms_function *frames;
	size_t n_frames;
};

/*
 * The patterns from the innermost frame on; the stack may go on behind the last. As with stars in a
 * text, a "..." that has been passed need never be shorter than it is.
 */
static bool stack_fits(const struct dms_suppression *suppression, const struct stack *stack)
{
	size_t pattern = 0, frame = 0;
	size_t after_any = SIZE_MAX; /* the pattern behind the last "..." */
	size_t any_from = 0;	     /* the frame that was tried for it */

	while (pattern < suppression->n_frames) {
		const char *glob = suppression->frames[pattern];

		if (!strcmp(glob, SUPPRESS_ANY_FRAMES)) {
			after_any = ++pattern;
			any_from = frame;
		} else if (frame >= stack->n_frames) {
			return false;
		} else if (glob_fits(glob, stack->frames[frame].name)) {
			pattern++;
			frame++;
		} else if (after_any != SIZE_MAX) {
			pattern = after_any;
			frame = ++any_from;
		} else {
			return false;
		}
	}
	return true;
}

bool suppress_fits(const struct dms_suppression *suppression,
		   const struct dms_base_finding *finding)
{
	return glob_fits(suppression->rule, finding->rule) &&
	       glob_fits(suppression->driver, finding->device_kind) &&
	       glob_fits(suppression->device, finding->device) &&
	       glob_fits(suppression->fingerprint, finding->fingerprint) &&
	       (stack_fits(suppression, &(struct stack){finding->frames, finding->n_frames}) ||
		stack_fits(suppression,
			   &(struct stack){finding->map_frames, finding->n_map_frames}));
}

const struct dms_suppression *dms_suppression_find(const struct dms_config *config,
						   const struct dms_base_finding *finding,
						   int32_t day)
{
	size_t n;
	const struct dms_suppression *all = dms_config_suppressions(config, &n);

	for (size_t i = 0; i < n; i++) {
		if (all[i].expires_day && all[i].expires_day < day)
			continue;
		if (suppress_fits(&all[i], finding))
			return &all[i];
	}
	return NULL;
}
