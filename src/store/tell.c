// SPDX-License-Identifier: LGPL-2.1-only
/* Rows that are told once, after the last step: what the run, its files and its devices were. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store.h"

static const char *const statement_sql[DMS_N_STATEMENTS] = {
	[DMS_SQL_RUN] = "INSERT OR REPLACE INTO run VALUES (?, ?)",
	[DMS_SQL_INPUT] =
		"INSERT INTO input_file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[DMS_SQL_INSTANCE] = "INSERT INTO instance VALUES (?, ?, ?)",
	/* A damaged file may hold two formats of one name: their records are counted together. */
	[DMS_SQL_TRACEPOINT] =
		"INSERT INTO tracepoint VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT DO UPDATE SET records = records + excluded.records,"
		" malformed = malformed + excluded.malformed",
	/* in place, each device is told twice: by name at first sight, and at the end */
	[DMS_SQL_DEVICE] = "INSERT OR REPLACE INTO device VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[DMS_SQL_COUNTER] = "INSERT INTO device_counter VALUES (?, ?, ?, ?)",
	[DMS_SQL_DISTRIBUTION] = "INSERT INTO distribution VALUES (?, ?, ?, ?, ?, ?, ?)",
	[DMS_SQL_BREAKDOWN] = "INSERT INTO breakdown VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	[DMS_SQL_SYMBOL] = "INSERT INTO symbol VALUES (?, ?, ?, ?)",
	[DMS_SQL_TASK] = "INSERT OR REPLACE INTO task VALUES (?, ?)",
	[DMS_SQL_NOT_JUDGED] = "INSERT INTO not_judged VALUES (?, ?, ?, ?)",
	[DMS_SQL_FINDING] =
		"INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[DMS_SQL_FINDING_GROUP] =
		"INSERT INTO finding_group VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
};

static int bind(sqlite3_stmt *statement, int place, const struct dms_value *value)
{
	if (value->is_null)
		return sqlite3_bind_null(statement, place);
	if (value->text)
		return sqlite3_bind_text(statement, place, value->text, value->bytes,
					 SQLITE_STATIC);
	return sqlite3_bind_int64(statement, place, value->integer);
}

static struct dms_error *bind_and_step(struct dms_store *store, sqlite3_stmt *statement,
				       const struct dms_value *values, int n_values)
{
	for (int i = 0; i < n_values; i++) {
		if (bind(statement, i + 1, &values[i]))
			return dms_store_error(store, "writing the database");
	}
	sqlite3_step(statement);
	if (sqlite3_reset(statement))
		return dms_store_error(store, "writing the database");
	return NULL;
}

struct dms_error *dms_store_tell(struct dms_store *store, enum dms_statement statement,
				 const struct dms_value *values, int n_values)
{
	struct dms_error *err = dms_store_drain(store);

	if (err)
		return err;
	if (!store->statements[statement] &&
	    sqlite3_prepare_v3(store->db, statement_sql[statement], -1, SQLITE_PREPARE_PERSISTENT,
			       &store->statements[statement], NULL))
		return dms_store_error(store, "preparing to write");
	return bind_and_step(store, store->statements[statement], values, n_values);
}

struct dms_error *dms_store_run(struct dms_store *store, const char *key, const char *value)
{
	const struct dms_value values[] = { dms_text(key), dms_text(value) };

	return DMS_STORE_TELL(store, DMS_SQL_RUN, values);
}

struct dms_error *dms_store_run_u64(struct dms_store *store, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return dms_store_run(store, key, text);
}

struct dms_error *dms_store_input(struct dms_store *store, uint32_t index,
				  const struct dms_source_info *info, const char *hash)
{
	const struct dms_value values[] = {
		dms_int(index),
		dms_text(info->path),
		dms_text(hash),
		dms_text(info->format),
		dms_text(info->uname),
		dms_text(info->release),
		dms_text(info->clock),
		dms_text(info->tool),
		dms_int(info->n_cpus),
		dms_int(info->page_size),
		dms_int(info->long_size),
		dms_int(info->big_endian),
		dms_int(info->clock_is_ns),
		dms_count(info->file_size),
		dms_count(info->lost_by_stats),
		dms_count(info->missing_bytes),
	};

	return DMS_STORE_TELL(store, DMS_SQL_INPUT, values);
}

struct dms_error *dms_store_instance(struct dms_store *store, uint32_t file, uint32_t index,
				     const char *name)
{
	const struct dms_value values[] = { dms_int(file), dms_int(index), dms_text(name) };

	return DMS_STORE_TELL(store, DMS_SQL_INSTANCE, values);
}

struct dms_error *dms_store_tracepoint(struct dms_store *store, uint32_t file,
				       const struct dms_tracepoint_count *count)
{
	const struct dms_value values[] = {
		dms_int(file),
		dms_text(count->system),
		dms_text(count->name),
		dms_count(count->records),
		dms_count(count->malformed),
		dms_text(count->reason),
		dms_int_if(count->reason, count->reason_offset),
		dms_int(count->decoded),
	};

	return DMS_STORE_TELL(store, DMS_SQL_TRACEPOINT, values);
}

struct dms_error *dms_store_task(struct dms_store *store, uint32_t pid, const char *comm)
{
	const struct dms_value values[] = { dms_int(pid), dms_text(comm) };

	return DMS_STORE_TELL(store, DMS_SQL_TASK, values);
}

struct dms_error *dms_store_not_judged(struct dms_store *store, const char *rule, uint32_t device,
				       const char *reason)
{
	const struct dms_value values[] = {
		dms_int(++store->n_not_judged),
		dms_text(rule),
		dms_int_if(device != DMS_ID_NONE, (uint64_t)device + 1),
		dms_text(reason),
	};

	return DMS_STORE_TELL(store, DMS_SQL_NOT_JUDGED, values);
}

struct dms_error *dms_store_finding(struct dms_store *store, const struct dms_finding_row *row)
{
	const struct dms_value values[] = {
		dms_int(++store->n_findings),
		dms_text(row->rule),
		dms_text(row->severity),
		dms_text(row->confidence),
		dms_text(row->reason),
		dms_int_if(row->device != DMS_ID_NONE, (uint64_t)row->device + 1),
		dms_int_if(row->mapping_row && !store->options.figures_only, row->mapping_row),
		dms_int(row->ts),
		dms_int_if(row->has_event, row->cpu),
		dms_int_if(row->has_event, row->pid),
		dms_int_if(row->stack != DMS_ID_NONE, (uint64_t)row->stack + 1),
		dms_int_if(row->has_dma_addr, row->dma_addr),
		dms_int_if(row->has_size, row->size > INT64_MAX ? INT64_MAX : row->size),
		dms_text(row->message),
		dms_text(row->facts),
		dms_text(row->fingerprint),
	};

	return DMS_STORE_TELL(store, DMS_SQL_FINDING, values);
}

struct dms_error *dms_store_finding_group(struct dms_store *store,
					  const struct dms_finding_group *group)
{
	const struct dms_value values[] = {
		dms_text(group->rule),
		dms_text(group->severity),
		dms_text(group->confidence),
		dms_text(group->reason),
		dms_int_if(group->device != DMS_ID_NONE, (uint64_t)group->device + 1),
		dms_text(group->fingerprint),
		dms_count(group->count),
		dms_int(group->first_ts),
		dms_int_if(group->finding_row, group->finding_row),
	};

	return DMS_STORE_TELL(store, DMS_SQL_FINDING_GROUP, values);
}

/* ---- devices --------------------------------------------------------------------------------- */

struct dms_error *dms_store_counter(struct dms_store *store, uint64_t device_row,
				    const char *name, struct dms_value value, const char *unit)
{
	const struct dms_value values[] = {
		dms_int(device_row), dms_text(name), value, dms_text(unit),
	};

	return DMS_STORE_TELL(store, DMS_SQL_COUNTER, values);
}

static struct dms_error *tell_counters(struct dms_store *store, uint64_t device_row,
				       const struct dms_device_stats *stats)
{
	struct dms_error *err = NULL;

	for (int i = 0; i < DMS_N_COUNTERS && !err; i++) {
		if (!dms_stats_knows(stats, (enum dms_counter)i))
			continue; /* no row, rather than a 0 that lies */
		err = dms_store_counter(store, device_row, dms_counter_name((enum dms_counter)i),
					dms_count(stats->counters[i]),
					dms_counter_unit((enum dms_counter)i));
	}
	return err;
}

static uint64_t later_of(uint64_t one, uint64_t other)
{
	return one > other ? one : other;
}

/* Figures beside the counters of enum dms_counter, so that summaries need not read mapping. */
static struct dms_error *tell_peaks(struct dms_store *store, uint64_t device_row,
				    const struct dms_device_stats *stats, uint64_t since_ts)
{
	const struct {
		const char *name;
		uint64_t value;
		const char *unit;
	} rows[] = {
		{ "peak_live", stats->peak_live, "mappings" },
		{ "peak_live_time", later_of(stats->peak_live_ts, since_ts), "ns" },
		{ "peak_live_bytes", stats->peak_live_bytes, "bytes" },
		{ "peak_live_bytes_time", later_of(stats->peak_live_bytes_ts, since_ts), "ns" },
		{ "peak_bounced_bytes", stats->peak_bounced_bytes, "bytes" },
		{ "peak_bounced_bytes_time", stats->peak_bounced_bytes_ts, "ns" },
	};
	struct dms_error *err = NULL;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows) && !err; i++) {
		if (!strcmp(rows[i].unit, "ns") && !rows[i - 1].value)
			continue; /* nothing was ever live: there is no such time */
		err = dms_store_counter(store, device_row, rows[i].name, dms_count(rows[i].value),
					rows[i].unit);
	}
	return err;
}

static struct dms_error *tell_lifetimes(struct dms_store *store, uint64_t device_row,
					const struct dms_histogram *histogram)
{
	const struct {
		const char *name;
		uint64_t value;
		const char *unit;
	} rows[] = {
		{ "lifetime_count", histogram->count, "mappings" },
		{ "lifetime_sum", histogram->sum, "ns" },
		{ "lifetime_min", histogram->min, "ns" },
		{ "lifetime_p50", dms_histogram_quantile(histogram, 500), "ns" },
		{ "lifetime_p90", dms_histogram_quantile(histogram, 900), "ns" },
		{ "lifetime_p99", dms_histogram_quantile(histogram, 990), "ns" },
		{ "lifetime_p999", dms_histogram_quantile(histogram, 999), "ns" },
		{ "lifetime_max", histogram->max, "ns" },
	};
	struct dms_error *err = NULL;

	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows) && !err; i++)
		err = dms_store_counter(store, device_row, rows[i].name, dms_count(rows[i].value),
					rows[i].unit);
	return err;
}

/* Addresses are no counts: they may have all 64 bits. */
static struct dms_error *tell_addresses(struct dms_store *store, uint64_t device_row,
					const struct dms_device_stats *stats)
{
	uint64_t low = stats->iova_low, high = stats->iova_high;
	struct dms_error *err;

	if (low >= high)
		return NULL; /* none is known */
	if ((err = dms_store_counter(store, device_row, "iova_low", dms_int(low), "address")) ||
	    (err = dms_store_counter(store, device_row, "iova_high", dms_int(high), "address")))
		return err;
	return dms_store_counter(store, device_row, "iova_span_bytes",
				 dms_count(high - low < INT64_MAX ? high - low + 1 : INT64_MAX),
				 "bytes");
}

struct dms_error *dms_store_device(struct dms_store *store, const struct dms_names *names,
				   const struct dms_device *device,
				   const struct dms_device_facts *facts,
				   const struct dms_device_stats *stats)
{
	static const struct dms_device_facts none = { .iommu_group = -1 };
	const struct dms_device_facts *known = facts ? facts : &none;
	uint64_t mask = known->dma_mask ? known->dma_mask : device->dma_mask;
	int32_t group = device->iommu_group >= 0 ? device->iommu_group : known->iommu_group;
	uint64_t row = (uint64_t)device->index + 1;
	const struct dms_value values[] = {
		dms_int(row),
		dms_text(dms_strtab_get(names->devices, device->name)),
		dms_text(known->bus),
		dms_text(known->driver),
		dms_int(device->generation),
		dms_text(dms_address_mode_name(device->mode)),
		dms_int_if(mask, mask),
		dms_int_if(group >= 0, (uint64_t)group),
		dms_int(later_of(device->first_ts, known->since_ts)),
		dms_int_if(stats, stats ? later_of(stats->last_ts, known->since_ts) : 0),
	};
	struct dms_error *err = DMS_STORE_TELL(store, DMS_SQL_DEVICE, values);
	const struct dms_histogram *lifetime;

	if (err || !stats)
		return err;
	lifetime = stats->histograms[DMS_DIST_LIFETIME];
	if ((err = tell_counters(store, row, stats)) ||
	    (err = tell_peaks(store, row, stats, known->since_ts)) ||
	    (err = tell_addresses(store, row, stats)) ||
	    (lifetime && lifetime->count && (err = tell_lifetimes(store, row, lifetime))))
		return err;
	return dms_store_figures(store, row, stats);
}
