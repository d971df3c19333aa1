// SPDX-License-Identifier: LGPL-2.1-only
/*
 * What a trace has lost, told where it begins. A host tells of it with the first record behind, when
 * the records of other CPUs have been judged as if nothing had been missing beside them.
 */
#include "plugin.h"

struct losses {
	struct dms_source *file; /* read beside the host; only its gaps are of interest */
	uint64_t next_ts;	 /* of the record that was read last, and may be beyond */
	bool is_ended;
};

/* True: @losses has an item before @before_ts, in *@ret. */
static struct dms_error *next_item(struct losses *losses, uint64_t before_ts, struct dms_item *ret,
				   bool *ret_has)
{
	struct dms_error *err;

	*ret_has = false;
	if (losses->is_ended || losses->next_ts >= before_ts)
		return NULL;
	if ((err = dms_source_next(losses->file, ret)))
		return err;
	if (ret->kind == DMS_ITEM_RECORD)
		losses->next_ts = ret->record.ts;
	losses->is_ended = ret->kind == DMS_ITEM_END;
	*ret_has = !losses->is_ended;
	return NULL;
}

struct dms_error *losses_next(struct losses *losses, uint64_t before_ts, struct dms_gap *ret,
			      bool *ret_has)
{
	struct dms_item item = {0};
	struct dms_error *err;

	do {
		err = next_item(losses, before_ts, &item, ret_has);
	} while (!err && *ret_has && item.kind != DMS_ITEM_GAP);
	if (err || !*ret_has)
		return err;
	*ret = item.gap;
	ret->instance = 0; /* a host does not tell it of records, either */
	return NULL;
}

struct dms_error *losses_create(struct tep_handle *tep, struct losses **ret)
{
	struct dms_source_info info;
	struct dms_source *file;

	*ret = NULL;
	file_find(tep, &info, &file);
	if (!file)
		return NULL;
	*ret = dms_zalloc(sizeof(**ret));
	if (!*ret) {
		dms_source_close(file);
		return &dms_error_nomem;
	}
	(*ret)->file = file;
	return NULL;
}

void losses_destroy(struct losses *losses)
{
	if (!losses)
		return;
	dms_source_close(losses->file);
	dms_free(losses);
}
