// SPDX-License-Identifier: LGPL-2.1-only
/* Do two files hold the same events? One capture in two containers would be twice as many maps. */
#include "trust.h"

/* Texts round to microseconds; perf and ftrace, recording at once, take their times one after the other. */
#define SLACK 1000000
/* As many events as a buffer of each CPU gives at about one time. */
#define N_RECENT 256
/* So many, and more than half of a file, are no coincidence; of a small file a few are. */
#define MANY_TWINS 64
#define FEW_TWINS  2

/** An event of late. */
struct recent {
	uint64_t ts, addr, size;
	uint32_t file, cpu, pid;
	uint8_t kind;
	bool is_set;
};

/** How much of a file is in another one. */
struct share {
	uint64_t n_events, n_twins;
	uint32_t other; /* that had the last of them */
};

struct dms_run_twins {
	struct share *shares; /* of each file */
	uint32_t next;
	struct recent recent[N_RECENT];
};

static struct dms_run_twins *create(uint32_t n_files)
{
	struct dms_run_twins *twins = dms_zalloc(sizeof(*twins));

	if (!twins)
		return NULL;
	twins->shares = dms_zalloc(n_files * sizeof(*twins->shares));
	if (twins->shares)
		return twins;
	dms_free(twins);
	return NULL;
}

void dms_run_twins_destroy(struct dms_run_twins *twins)
{
	if (!twins)
		return;
	dms_free(twins->shares);
	dms_free(twins);
}

static struct dms_error *refuse(const struct dms_run *run, uint32_t file)
{
	const struct share *share = &run->twins->shares[file];

	return dms_error_new(DMS_ERROR_USAGE, "%s holds the same events as %s: give one of them",
			     dms_source_info(dms_merge_source(run->merge, file))->path,
			     dms_source_info(dms_merge_source(run->merge, share->other))->path);
}

static bool is_twin(const struct recent *one, const struct recent *other)
{
	return one->is_set && one->file != other->file && one->kind == other->kind &&
	       one->cpu == other->cpu && one->pid == other->pid && one->addr == other->addr &&
	       one->size == other->size && one->ts + SLACK >= other->ts &&
	       other->ts + SLACK >= one->ts;
}

static bool is_many(const struct share *share, uint64_t least)
{
	return share->n_twins >= least && share->n_twins * 2 > share->n_events;
}

_apart_ struct dms_error *dms_run_twins_note(struct dms_run *run, uint32_t file,
				     const struct dms_event *event)
{
	const struct recent new = {
		.ts = event->ts,
		.addr = event->n_phys ? event->phys_list[0] : event->dma_addr,
		.size = event->n_phys ? event->n_phys : event->size,
		.file = file,
		.cpu = event->cpu,
		.pid = event->pid,
		.kind = (uint8_t)event->kind,
		.is_set = true,
	};
	struct share *share;

	if (!run->twins && !(run->twins = create(run->n_files)))
		return &dms_error_nomem;
	share = &run->twins->shares[file];
	share->n_events++;
	for (uint32_t i = 0; i < N_RECENT; i++) {
		struct recent *old = &run->twins->recent[i];

		if (!is_twin(old, &new))
			continue;
		old->is_set = false;
		share->n_twins++;
		share->other = old->file;
		run->twins->shares[old->file].n_twins++;
		run->twins->shares[old->file].other = file;
		return is_many(share, MANY_TWINS) ? refuse(run, file) : NULL;
	}
	run->twins->recent[run->twins->next++ % N_RECENT] = new;
	return NULL;
}

struct dms_error *dms_run_twins_end(struct dms_run *run)
{
	for (uint32_t file = run->n_files; run->twins && file-- > 0;) {
		if (is_many(&run->twins->shares[file], FEW_TWINS))
			return refuse(run, file);
	}
	return NULL;
}
