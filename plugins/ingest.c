// SPDX-License-Identifier: LGPL-2.1-only
/* Options db and summary: the records the host prints, through the same pipeline as analyze. */
#include <stdio.h>
#include <string.h>

#include "../src/input/feed.h"
#include "../src/run/run.h"

#include "plugin.h"

/* What a host that dies may cost, in records. */
#define COMMIT_RECORDS 2000
/* Nobody tells how wide the host's output is. */
#define SUMMARY_WIDTH 132

/** A gap on its way: the feed holds back the records before it. */
struct waiting_gap {
	struct dms_gap gap;
	uint64_t n_before; /* records */
};

struct ingest {
	struct tep_handle *tep;
	struct dms_run run;
	struct dms_source *feed; /* the run's */
	uint64_t n_records, n_taken;
	struct waiting_gap *gaps; /* from first_gap to n_gaps */
	size_t first_gap, n_gaps, capacity;
};

/* The host has the tasks of the trace, too. */
static const char *comm_of(void *context, uint32_t pid)
{
	const struct ingest *ingest = context;

	if (!tep_is_pid_registered(ingest->tep, (int)pid))
		return NULL;
	return tep_data_comm_from_pid(ingest->tep, (int)pid);
}

struct dms_error *ingest_create(struct tep_handle *tep, const struct formats *formats,
				const struct dms_source_info *info, struct dms_source *file,
				const char *db, struct ingest **ret)
{
	struct ingest *ingest = dms_zalloc(sizeof(*ingest));
	const struct dms_feed_head head = {
		.info = *info,
		.formats = formats->items,
		.n_formats = formats->n_items,
		.stack_type = formats->stack_type,
		.file = file,
		.comm = comm_of,
		.context = ingest,
	};
	struct dms_run_options options = {
		.output = db, .keep_stacks = true, .in_place = true, .salvage = true};
	struct dms_error *err = ingest ? dms_feed_create(&head, &options.source) : &dms_error_nomem;

	if (err) {
		dms_source_close(file);
		dms_free(ingest);
		return err;
	}
	ingest->tep = tep;
	ingest->feed = options.source;
	err = dms_run_open(&ingest->run, NULL, 0, &options);
	if (err) {
		ingest_destroy(ingest);
		return err;
	}
	*ret = ingest;
	return NULL;
}

void ingest_destroy(struct ingest *ingest)
{
	if (!ingest)
		return;
	dms_run_close(&ingest->run);
	dms_free(ingest->gaps);
	dms_free(ingest);
}

/* The gaps whose turn it is. */
static struct dms_error *take_gaps(struct ingest *ingest)
{
	struct dms_item item = {.kind = DMS_ITEM_GAP};
	struct dms_error *err = NULL;

	while (!err && ingest->first_gap < ingest->n_gaps &&
	       ingest->gaps[ingest->first_gap].n_before <= ingest->n_taken) {
		item.gap = ingest->gaps[ingest->first_gap++].gap;
		err = dms_run_take(&ingest->run, &item);
	}
	if (ingest->first_gap == ingest->n_gaps)
		ingest->first_gap = ingest->n_gaps = 0;
	return err;
}

static struct dms_error *take_all(struct ingest *ingest)
{
	struct dms_item item;
	struct dms_error *err;

	for (;;) {
		if ((err = take_gaps(ingest)) || (err = dms_source_next(ingest->feed, &item)) ||
		    item.kind == DMS_ITEM_END)
			return err;
		ingest->n_taken += item.kind == DMS_ITEM_RECORD;
		if ((err = dms_run_take(&ingest->run, &item)))
			return err;
	}
}

struct dms_error *ingest_gap(struct ingest *ingest, const struct dms_gap *gap)
{
	if (!dms_grow(&ingest->gaps, &ingest->capacity, ingest->n_gaps + 1, sizeof(*ingest->gaps)))
		return &dms_error_nomem;
	ingest->gaps[ingest->n_gaps++] = (struct waiting_gap){*gap, ingest->n_records};
	return NULL;
}

struct dms_error *ingest_record(struct ingest *ingest, const struct dms_record *record,
				int64_t lost)
{
	struct dms_error *err;

	if ((err = dms_feed_put(ingest->feed, record, lost)))
		return err;
	ingest->n_records++;
	if ((err = take_all(ingest)) || ingest->n_records % COMMIT_RECORDS || !ingest->run.store)
		return err;
	return dms_store_commit(ingest->run.store);
}

static struct dms_error *print_summary(struct dms_run *run)
{
	struct dms_summary summary;
	struct dms_error *err = dms_run_summarise(run, &summary);

	if (err)
		return err;
	fputc('\n', stdout);
	return dms_summary_print(&summary, DMS_FORMAT_TEXT, stdout, SUMMARY_WIDTH, false);
}

struct dms_error *ingest_finish(struct ingest *ingest, bool with_summary)
{
	struct dms_error *err;

	dms_feed_end(ingest->feed);
	if ((err = take_all(ingest)) || (err = dms_run_end(&ingest->run)) ||
	    (err = dms_run_finish(&ingest->run)))
		return err;
	return with_summary ? print_summary(&ingest->run) : NULL;
}
