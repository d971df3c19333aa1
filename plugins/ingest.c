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

struct ingest {
	struct tep_handle *tep;
	struct dms_run run;
	struct dms_source *feed; /* the run's */
	uint64_t n_records;
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
	dms_free(ingest);
}

static struct dms_error *take_all(struct ingest *ingest)
{
	struct dms_item item;
	struct dms_error *err;

	for (;;) {
		if ((err = dms_source_next(ingest->feed, &item)) || item.kind == DMS_ITEM_END)
			return err;
		if ((err = dms_run_take(&ingest->run, &item)))
			return err;
	}
}

struct dms_error *ingest_record(struct ingest *ingest, const struct dms_record *record,
				int64_t lost)
{
	struct dms_error *err;

	if ((err = dms_feed_put(ingest->feed, record, lost)) || (err = take_all(ingest)))
		return err;
	if (++ingest->n_records % COMMIT_RECORDS || !ingest->run.store)
		return NULL;
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
