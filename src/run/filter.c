// SPDX-License-Identifier: LGPL-2.1-only
/* Filters: by device, driver, rule and time. They choose what is told, never what is seen. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pump.h"
#include "run.h"

/* A module's name is its driver's but for dashes: sdhci_pci, sdhci-pci. */
static bool is_same_driver(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b)))
			return false;
	}
	return *a == *b;
}

static bool is_same_name(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static bool lists(const struct dms_strings *list, const char *name,
		  bool (*is_same)(const char *a, const char *b))
{
	for (size_t i = 0; name && i < list->n_items; i++) {
		if (is_same(list->items[i], name))
			return true;
	}
	return false;
}

static const char *device_name(const struct dms_run *run, uint32_t device)
{
	return dms_strtab_get(run->names.devices, dms_model_device(run->model, device)->name);
}

bool dms_run_tells_rule(const struct dms_run *run, const char *id)
{
	return !run->filter || !run->filter->rules.n_items ||
	       lists(&run->filter->rules, id, is_same_name);
}

bool dms_run_tells_device(const struct dms_run *run, uint32_t device)
{
	const struct dms_run_filter *filter = run->filter;

	if (!filter || (!filter->devices.n_items && !filter->drivers.n_items))
		return true;
	if (device == DMS_ID_NONE)
		return false; /* it is not of a device that was asked for */
	if (filter->devices.n_items &&
	    !lists(&filter->devices, device_name(run, device), is_same_name))
		return false;
	return !filter->drivers.n_items || !run->device_facts ||
	       lists(&filter->drivers, run->device_facts[device].driver, is_same_driver);
}

bool dms_run_tells_time(const struct dms_run *run, uint64_t ts)
{
	return ts >= run->since_ts && ts <= run->until_ts;
}

uint64_t dms_run_limit(const struct dms_run *run)
{
	return run->filter && run->filter->limit ? run->filter->limit : DMS_FILTER_LIMIT;
}

/* ---- the window ------------------------------------------------------------------------------ */

/* "start" and "end" are the trace's own: no limit on their side, and nothing on the other. */
static struct dms_error *read_time(const struct dms_run *run, const char *option, const char *text,
				   uint64_t *ret)
{
	if (!text || !strcmp(text, !strcmp(option, "since") ? "start" : "end"))
		return NULL;
	return dms_time_parse(option, text, run->clock_is_ns, ret);
}

struct dms_error *dms_run_filter_open(struct dms_run *run, const struct dms_run_filter *filter)
{
	struct dms_error *err;

	for (size_t i = 0; i < filter->rules.n_items; i++) {
		if (!dms_rule_find(filter->rules.items[i]))
			return dms_error_wrap(dms_rule_unknown(filter->rules.items[i]), "--rule");
	}
	run->filter = filter;
	if ((err = read_time(run, "since", filter->since, &run->since_ts)) ||
	    (err = read_time(run, "until", filter->until, &run->until_ts)))
		return err;
	if (run->since_ts > run->until_ts)
		return dms_error_new(DMS_ERROR_USAGE, "--since %s is later than --until %s",
				     filter->since, filter->until);
	return NULL;
}

bool dms_run_window_at(struct dms_run *run, uint64_t ts)
{
	if (run->since_ts && !run->is_window_begun && ts >= run->since_ts) {
		run->is_window_begun = true;
		dms_stats_restart(run->stats, run->since_ts);
	}
	return ts <= run->until_ts;
}

bool dms_run_window(struct dms_run *run, const struct dms_item *item)
{
	return dms_run_window_at(run, dms_item_ts(item));
}

/* ---- what the filters left out ----------------------------------------------------------------
 */

/* The device's name, or its driver's; NULL: not known. */
static const char *name_of(const struct dms_run *run, uint32_t device, bool is_driver)
{
	return is_driver ? run->device_facts[device].driver : device_name(run, device);
}

static bool is_in_trace(const struct dms_run *run, const char *wanted, bool is_driver)
{
	for (uint32_t i = 0; i < dms_model_n_devices(run->model); i++) {
		const char *name = name_of(run, i, is_driver);

		if (name && (is_driver ? is_same_driver : is_same_name)(wanted, name))
			return true;
	}
	return false;
}

static struct dms_error *check_names(const struct dms_run *run, const struct dms_strings *list,
				     bool is_driver)
{
	const char *option = is_driver ? "driver" : "device";
	char known[256] = "";
	size_t used = 0, n_found = 0;

	for (size_t i = 0; i < list->n_items; i++)
		n_found += is_in_trace(run, list->items[i], is_driver);
	for (size_t i = 0; n_found && i < list->n_items; i++) {
		if (!is_in_trace(run, list->items[i], is_driver))
			dms_log(DMS_LOG_WARN, "--%s %s: none in this trace", option,
				list->items[i]);
	}
	for (uint32_t i = 0; i < dms_model_n_devices(run->model); i++) {
		const char *name = name_of(run, i, is_driver);

		if (name && used < sizeof(known) && !strstr(known, name))
			used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
						 used ? ", " : "", name);
	}
	if (n_found || !list->n_items)
		return NULL;
	return dms_error_new(DMS_ERROR_INPUT, "--%s %s: none in this trace%s%s", option,
			     list->items[0], used ? is_driver ? "; known are " : "; it has " : "",
			     known);
}

struct dms_error *dms_run_filter_check(const struct dms_run *run)
{
	struct dms_error *err;

	if (!run->filter)
		return NULL;
	err = check_names(run, &run->filter->devices, false);
	return err ? err : check_names(run, &run->filter->drivers, true);
}

static bool is_filtering(const struct dms_run *run)
{
	const struct dms_run_filter *filter = run->filter;

	return filter &&
	       (filter->devices.n_items || filter->drivers.n_items || filter->rules.n_items);
}

struct dms_error *dms_run_note_filter(struct dms_run *run, uint64_t n_filtered, uint64_t n_outside)
{
	bool is_cut = run->until_ts != UINT64_MAX;
	struct dms_error *err = NULL;
	char count[24] = "no";

	if (n_filtered)
		snprintf(count, sizeof(count), "%" PRIu64, n_filtered);
	if (is_filtering(run))
		err = dms_run_add_note(run, NULL, DMS_ID_NONE,
				       dms_asprintf("%s finding%s on other devices or by other "
						    "rules %s filtered out",
						    count, n_filtered <= 1 ? "" : "s",
						    n_filtered <= 1 ? "was" : "were"));
	if (err || (!run->since_ts && run->until_ts == UINT64_MAX))
		return err;
	return dms_run_add_note(run, NULL, DMS_ID_NONE,
				dms_asprintf("only the time from %s to %s is told: %" PRIu64
					     " finding%s outside%s",
					     run->since_ts ? run->filter->since : "the start",
					     is_cut ? run->filter->until : "the end", n_outside,
					     n_outside == 1 ? " lies" : "s lie",
					     is_cut ? ", and what came later was not read" : ""));
}
