// SPDX-License-Identifier: LGPL-2.1-only
/* What a text dump cannot tell, in sentences. */
#include <inttypes.h>
#include <stdio.h>

#include "notes.h"

/* Keep @note (taken). */
static struct dms_error *add(struct text_notes *notes, char *note)
{
	if (!note || !dms_grow(&notes->notes, &notes->capacity, notes->n_notes + 1, sizeof(char *))) {
		dms_free(note);
		return &dms_error_nomem;
	}
	notes->notes[notes->n_notes++] = note;
	return NULL;
}

void text_notes_deinit(struct text_notes *notes)
{
	for (size_t i = 0; i < notes->n_notes; i++)
		dms_free(notes->notes[i]);
	dms_free(notes->notes);
}

/* ---- what the form lacks --------------------------------------------------------------------- */

static bool lacks_ns(const struct text_survey *survey)
{
	return survey->resolution_ns >= 1000 && !survey->is_in_ticks;
}

static bool lacks_pointers(const struct text_survey *survey)
{
	return text_shapes_have(survey->shapes, "virt_addr_hash");
}

static bool lacks_flags(const struct text_survey *survey)
{
	return !survey->has_flags;
}

static bool lacks_addresses(const struct text_survey *survey)
{
	return survey->lag && !survey->has_addresses;
}

static bool has_pages(const struct text_survey *survey)
{
	return text_shapes_have(survey->shapes, "pfn");
}

static const struct {
	bool (*applies)(const struct text_survey *survey);
	const char *note;
} rows[] = {
	{lacks_ns, "this text has times in microseconds: durations below some of them say little"},
	{lacks_pointers, "this text has hashed pointers: equal ones are equal, addresses they are "
			 "not (tracefs option hash-ptr)"},
	{lacks_flags, "this text does not tell whether interrupts or preemption were off: calls "
		      "in atomic context are not recognised by it"},
	{lacks_addresses, "this text has names of functions in its call stacks and no addresses"},
	{has_pages, "this text does not tell the machine's page size: page frame numbers are of "
		    "no use"},
};

/* ---- what is lost ---------------------------------------------------------------------------- */

static struct dms_error *note_trouble(struct text_notes *notes, const struct text_trouble *trouble,
				      const char *what)
{
	if (!trouble->count)
		return NULL;
	return add(notes, dms_asprintf("%" PRIu64 " line%s %s, the first at offset %#" PRIx64 "%s%s",
				       trouble->count, trouble->count == 1 ? "" : "s", what,
				       trouble->offset, trouble->why ? ": " : "",
				       trouble->why ? trouble->why : ""));
}

/*
 * A buffer that is read while it is filled may hold a few more, or have lost a few. A text of one CPU
 * has the header of all.
 */
static struct dms_error *note_missing(struct text_notes *notes, const struct text_survey *survey)
{
	_cleanup_(dms_freep) char *cpus = NULL;

	if (!survey->n_missing)
		return NULL;
	cpus = survey->n_cpus_seen < survey->n_cpus
		       ? dms_asprintf(" (of %u of %u CPUs: is it per_cpu/cpuN/trace, not trace?)",
				      survey->n_cpus_seen, survey->n_cpus)
		       : dms_strdup("");
	if (!cpus)
		return &dms_error_nomem;
	return add(notes, dms_asprintf("its header counts %" PRIu64 " entries, and %" PRIu64
				       " are here%s: it was cut, filtered, or read while tracing, "
				       "and what rests on calls that are not here is only possible",
				       survey->n_missing + survey->n_entries, survey->n_entries,
				       cpus));
}

static struct dms_error *note_dumps(struct text_notes *notes, const struct text_survey *survey)
{
	struct dms_error *err;

	if (survey->n_dumps > 1 &&
	    (err = add(notes, dms_asprintf("it holds %u ftrace dumps, each with times of its own: "
					   "the last complete one, at offset %#" PRIx64
					   ", is read and no other (cut another one out to read it)",
					   survey->n_dumps, survey->offset))))
		return err;
	if (survey->n_left_out &&
	    (err = add(notes, dms_asprintf("%" PRIu64 " event%s outside its ftrace dump %s left out: "
					   "the times do not fit together",
					   survey->n_left_out, survey->n_left_out == 1 ? "" : "s",
					   survey->n_left_out == 1 ? "is" : "are"))))
		return err;
	if (!survey->is_dump_cut)
		return NULL;
	return add(notes, dms_strdup("the ftrace dump that is read has no end: the log was cut, or "
				     "the machine stopped in it"));
}

static struct dms_error *note_order(struct text_notes *notes, const struct text_survey *survey)
{
	if (survey->order.n_runs < 2)
		return NULL;
	return add(notes, dms_asprintf("time begins anew in %u places: read as %u parts of one "
				       "trace, and merged",
				       survey->order.n_runs - 1, survey->order.n_runs));
}

static struct dms_error *note_buffers(struct text_notes *notes, const struct text_survey *survey)
{
	const struct text_buffers *buffers = &survey->buffers;
	struct dms_error *err;

	if (survey->column &&
	    (err = add(notes, dms_asprintf("its lines were cut at column %u: events that reach it "
					   "are left out",
					   survey->column))))
		return err;
	if (survey->n_torn &&
	    (err = add(notes, dms_asprintf("%" PRIu64 " event%s no direction, or too few arguments of a "
					   "probe, though others of their kind have them: torn, and "
					   "left out",
					   survey->n_torn, survey->n_torn == 1 ? " has" : "s have"))))
		return err;
	if (buffers->n_joined &&
	    (err = add(notes, dms_strdup("it holds several dumps, one after the other: what was "
					 "between them is not known"))))
		return err;
	if (!buffers->n_back || survey->n_dumps)
		return NULL;
	return add(notes, dms_asprintf("a CPU's time goes back in %" PRIu64 " place%s, the first at "
				       "offset %#" PRIx64 ": it is out of order, or of several "
				       "boots; what is found of pairs is only possible",
				       buffers->n_back, buffers->n_back == 1 ? "" : "s",
				       buffers->back_offset));
}

static struct dms_error *note_orphans(struct text_notes *notes, const struct text_survey *survey)
{
	if (!survey->stacks.orphans)
		return NULL;
	return add(notes, dms_asprintf("%" PRIu64 " call stack%s no event that it could belong to",
				       survey->stacks.orphans,
				       survey->stacks.orphans == 1 ? " follows" : "s follow"));
}

struct dms_error *text_notes_make(struct text_notes *notes, const struct text_survey *survey)
{
	struct dms_error *err;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		if (rows[i].applies(survey) && (err = add(notes, dms_strdup(rows[i].note))))
			return err;
	}
	if ((err = note_trouble(notes, &survey->cut, "cannot be used")) ||
	    (err = note_trouble(notes, &survey->crowded,
				"have an event beyond the number of those that are told apart")) ||
	    (err = note_missing(notes, survey)) || (err = note_dumps(notes, survey)) ||
	    (err = note_order(notes, survey)) || (err = note_buffers(notes, survey)))
		return err;
	return note_orphans(notes, survey);
}
