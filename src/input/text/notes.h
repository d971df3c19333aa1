/* SPDX-License-Identifier: LGPL-2.1-only */
/* What a text dump cannot tell, in sentences. */
#ifndef DMS_INPUT_TEXT_NOTES_H
#define DMS_INPUT_TEXT_NOTES_H

#include "survey.h"

struct text_notes {
	char **notes;
	size_t n_notes, capacity;
};

/** One sentence for each thing that @survey did not find. Errors: memory. */
struct dms_error *text_notes_make(struct text_notes *notes, const struct text_survey *survey);
void text_notes_deinit(struct text_notes *notes);

#endif
