// SPDX-License-Identifier: LGPL-2.1-only
/* Rows of figures, told once: distributions, breakdowns by CPU and kind, call sites. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store.h"

/* ---- distributions --------------------------------------------------------------------------- */

static struct dms_error *tell_distribution(struct dms_store *store, uint64_t device_row,
					   enum dms_distribution measure,
					   const struct dms_histogram *histogram)
{
	const struct dms_value values[] = {
		dms_int(device_row),
		dms_text(dms_distribution_name(measure)),
		dms_text(dms_distribution_unit(measure)),
		dms_count(histogram->count),
		dms_count(histogram->sum),
		dms_count(histogram->min),
		dms_count(histogram->max),
	};

	return DMS_STORE_TELL(store, DMS_SQL_DISTRIBUTION, values);
}

/* ---- breakdowns ------------------------------------------------------------------------------ */

/* A row without calls is not told. */
static struct dms_error *tell_calls(struct dms_store *store, uint64_t device_row,
				    const char *dimension, const char *key,
				    const struct dms_calls *calls)
{
	const struct dms_value values[] = {
		dms_int(device_row),	  dms_text(dimension),	     dms_text(key),
		dms_count(calls->maps),	  dms_count(calls->unmaps),  dms_count(calls->syncs),
		dms_count(calls->failed), dms_count(calls->bytes),
	};

	if (!calls->maps && !calls->unmaps && !calls->syncs && !calls->failed)
		return NULL;
	return DMS_STORE_TELL(store, DMS_SQL_BREAKDOWN, values);
}

static struct dms_error *tell_kinds(struct dms_store *store, uint64_t device_row,
				    const struct dms_device_stats *stats)
{
	struct dms_calls kinds[DMS_MAPPING_N_KINDS] = {0}, dirs[DMS_DIR_UNKNOWN + 1] = {0};
	struct dms_error *err = NULL;

	for (int kind = 0; kind < DMS_MAPPING_N_KINDS; kind++) {
		for (int dir = 0; dir <= DMS_DIR_UNKNOWN; dir++) {
			dms_calls_add(&kinds[kind], &stats->calls[kind][dir]);
			dms_calls_add(&dirs[dir], &stats->calls[kind][dir]);
		}
	}
	for (int i = 0; i < DMS_MAPPING_N_KINDS && !err; i++)
		err = tell_calls(store, device_row, "kind",
				 dms_mapping_kind_name((enum dms_mapping_kind)i), &kinds[i]);
	for (int i = 0; i <= DMS_DIR_UNKNOWN && !err; i++)
		err = tell_calls(store, device_row, "direction", dms_dir_name((enum dms_dir)i),
				 &dirs[i]);
	return err;
}

static struct dms_error *tell_cpus(struct dms_store *store, uint64_t device_row,
				   const struct dms_device_stats *stats)
{
	struct dms_error *err = NULL;
	char key[24];

	for (size_t cpu = 0; cpu < stats->n_cpus && cpu < DMS_STATS_CPUS && !err; cpu++) {
		snprintf(key, sizeof(key), "%zu", cpu);
		err = tell_calls(store, device_row, "cpu", key, &stats->cpus[cpu]);
	}
	if (!err && stats->n_cpus > DMS_STATS_CPUS)
		err = tell_calls(store, device_row, "cpu", "other", &stats->cpus[DMS_STATS_CPUS]);
	return err;
}

/* Mappings that @map_cpu mapped. */
static struct dms_error *tell_handovers(struct dms_store *store, uint64_t device_row,
					unsigned int map_cpu, const struct dms_handover *handovers)
{
	struct dms_error *err = NULL;
	char key[24];

	for (unsigned int cpu = 0; cpu < DMS_STATS_PAIR_CPUS && !err; cpu++) {
		struct dms_calls calls = {.unmaps = handovers[cpu].mappings,
					  .bytes = handovers[cpu].bytes};

		snprintf(key, sizeof(key), "%u>%u", map_cpu, cpu);
		err = tell_calls(store, device_row, "cpu_pair", key, &calls);
	}
	return err;
}

struct dms_error *dms_store_figures(struct dms_store *store, uint64_t device_row,
				    const struct dms_device_stats *stats)
{
	struct dms_error *err;

	for (int i = 0; i < DMS_N_DISTRIBUTIONS; i++) {
		const struct dms_histogram *histogram = stats->histograms[i];

		if (histogram && histogram->count &&
		    (err = tell_distribution(store, device_row, (enum dms_distribution)i,
					     histogram)))
			return err;
	}
	if ((err = tell_kinds(store, device_row, stats)) ||
	    (err = tell_cpus(store, device_row, stats)))
		return err;
	for (unsigned int cpu = 0; cpu < DMS_STATS_PAIR_CPUS; cpu++) {
		if (stats->handovers[cpu] &&
		    (err = tell_handovers(store, device_row, cpu, stats->handovers[cpu])))
			return err;
	}
	return NULL;
}
