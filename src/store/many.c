// SPDX-License-Identifier: LGPL-2.1-only
/* Rows of figures that may be many: series, histograms, call sites. They come in order of their keys. */
#include "store.h"

/* ---- series ---------------------------------------------------------------------------------- */

static const char *measure_name(unsigned int measure)
{
	return dms_measure_name((enum dms_measure)measure);
}

static struct dms_error *add_measure(struct dms_store *store, const struct dms_device *device,
				     const struct dms_series *series, enum dms_measure measure)
{
	bool is_level = measure == DMS_MEASURE_LIVE || measure == DMS_MEASURE_LIVE_BYTES;
	uint64_t length = dms_series_bucket_ns(series);
	struct dms_error *err = NULL;

	for (uint32_t i = 0; i < dms_series_count(series) && !err; i++) {
		uint64_t value = dms_series_value(series, device->index, measure, i);
		const struct dms_value values[] = {
			dms_int((uint64_t)device->index + 1),
			dms_int(DMS_WORD_MEASURE + measure),
			dms_int(dms_series_start(series) + i * length),
			dms_int(length),
			dms_count(value),
			dms_int(DMS_WORD_MEASURE_UNIT + measure),
		};

		if (value || is_level)
			err = dms_store_row(store, DMS_BULK_SERIES, values);
	}
	return err;
}

struct dms_error *dms_store_series(struct dms_store *store, const struct dms_device *device,
				   const struct dms_series *series)
{
	uint8_t measures[DMS_N_MEASURES];
	struct dms_error *err = NULL;

	dms_store_by_name(DMS_N_MEASURES, measure_name, measures);
	for (int i = 0; i < DMS_N_MEASURES && !err; i++)
		err = add_measure(store, device, series, (enum dms_measure)measures[i]);
	return err;
}

/* ---- histograms ------------------------------------------------------------------------------ */

static const char *distribution_name(unsigned int distribution)
{
	return dms_distribution_name((enum dms_distribution)distribution);
}

static struct dms_error *add_buckets(struct dms_store *store, uint64_t device_row,
				     enum dms_distribution measure,
				     const struct dms_histogram *histogram)
{
	struct dms_error *err = NULL;
	uint64_t low, high;

	for (uint32_t i = 0; i < DMS_HISTOGRAM_BUCKETS && !err; i++) {
		if (!histogram->buckets[i])
			continue;
		dms_histogram_bounds(i, &low, &high);
		const struct dms_value values[] = {
			dms_int(device_row),
			dms_int(DMS_WORD_DISTRIBUTION + measure),
			dms_count(low),
			dms_count(high),
			dms_int(histogram->buckets[i]),
			dms_int(DMS_WORD_DISTRIBUTION_UNIT + measure),
		};

		err = dms_store_row(store, DMS_BULK_HISTOGRAM, values);
	}
	return err;
}

struct dms_error *dms_store_histograms(struct dms_store *store, const struct dms_device *device,
				       const struct dms_device_stats *stats)
{
	uint8_t distributions[DMS_N_DISTRIBUTIONS];
	struct dms_error *err = NULL;

	dms_store_by_name(DMS_N_DISTRIBUTIONS, distribution_name, distributions);
	for (int i = 0; stats && i < DMS_N_DISTRIBUTIONS && !err; i++) {
		const struct dms_histogram *histogram = stats->histograms[distributions[i]];

		if (histogram && histogram->count)
			err = add_buckets(store, (uint64_t)device->index + 1,
					  (enum dms_distribution)distributions[i], histogram);
	}
	return err;
}

/* ---- call sites ------------------------------------------------------------------------------ */

/* At least @permille of the lifetimes are no longer: the end of a bucket, a power of two. */
static uint64_t lifetime_quantile(const struct dms_site *site, unsigned int permille)
{
	uint64_t rank = (site->unmapped * permille + 999) / 1000, passed = 0;

	for (unsigned int i = 0; i < DMS_ARRAY_SIZE(site->lifetimes); i++) {
		uint64_t last = (2ull << i) - 1; /* of the bucket; of the last one all ones */

		passed += site->lifetimes[i];
		if (passed >= rank)
			return last < site->lifetime_max_ns ? last : site->lifetime_max_ns;
	}
	return site->lifetime_max_ns;
}

static struct dms_error *tell_lifetimes(struct dms_store *store, uint64_t number,
					const struct dms_site *site)
{
	struct dms_error *err = NULL;

	for (unsigned int i = 0; i < DMS_ARRAY_SIZE(site->lifetimes) && !err; i++) {
		const struct dms_value values[] = {
			dms_int(number),
			dms_count(i ? 1ull << i : 0),
			dms_count((2ull << i) - 1),
			dms_count(site->lifetimes[i]),
		};

		if (site->lifetimes[i])
			err = dms_store_row(store, DMS_BULK_CALL_SITE_LIFETIME, values);
	}
	return err;
}

struct dms_error *dms_store_site(struct dms_store *store, uint64_t number,
				 const struct dms_site *site)
{
	bool has_ended = site->unmapped > 0;
	uint64_t bounced = site->bounced_forced + site->bounced_mask + site->bounced_other;
	const struct dms_value values[] = {
		dms_int(number),
		dms_int((uint64_t)site->device + 1),
		dms_int_if(site->stack != DMS_ID_NONE, (uint64_t)site->stack + 1),
		dms_int(DMS_WORD_KIND + site->kind),
		dms_int(DMS_WORD_DIR + site->dir),
		dms_count(site->maps),
		dms_count(site->unmapped),
		dms_count(site->n_buckets ? site->live_series[site->n_buckets - 1] : 0),
		dms_count(site->size_bytes),
		dms_count(site->min_size),
		dms_count(site->max_size),
		dms_int_if(has_ended, lifetime_quantile(site, 500)),
		dms_int_if(has_ended, lifetime_quantile(site, 900)),
		dms_int_if(has_ended, lifetime_quantile(site, 990)),
		dms_int_if(has_ended, site->lifetime_max_ns),
		dms_count(site->syncs_for_cpu),
		dms_count(site->syncs_for_device),
		dms_count(site->remaps),
		dms_count(bounced),
		dms_count(site->bounced_forced),
		dms_count(site->bounced_mask),
		dms_count(site->bounced_other),
		dms_count(site->bounced_bytes),
		dms_count(site->first_ts),
		dms_count(site->last_ts),
	};

	struct dms_error *err = dms_store_row(store, DMS_BULK_CALL_SITE, values);

	return err ? err : tell_lifetimes(store, number, site);
}
