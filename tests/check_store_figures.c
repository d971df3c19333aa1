// SPDX-License-Identifier: GPL-2.0-only
/* Tests of src/store: findings counted, lifetimes of call sites, databases without mappings. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "lib/store_room.h"

START_TEST(counted_findings)
{
	struct dms_finding_group group = {
		.rule = "double-unmap",
		.severity = "error",
		.confidence = "likely",
		.fingerprint = "double-unmap:pci:-:-:TO_DEVICE:2^12",
		.reason = "lost",
		.device = 0,
		.count = UINT64_MAX,
		.first_ts = 7,
	};
	struct room room;

	room_enter(&room);
	room_begin(&room, false);
	room_must(dms_store_finding_group(room.store, &group));
	group.device = DMS_ID_NONE;
	group.confidence = "certain";
	group.reason = NULL;
	group.count = 3;
	room_must(dms_store_finding_group(room.store, &group));
	room_finish(&room);
	ASK(&room, "SELECT id, reason, device, fingerprint, count, first_ns, finding_id"
		   " FROM finding_groups",
	    "1|lost|0000:00:1f.2|double-unmap:pci:-:-:TO_DEVICE:2^12|9223372036854775807|7|- "
	    "2|-|-|double-unmap:pci:-:-:TO_DEVICE:2^12|3|7|-");
	room_assert_sound(&room);
	room_leave(&room);
}
END_TEST

START_TEST(lifetimes_of_call_sites)
{
	struct dms_site site = {.stack = DMS_ID_NONE, .maps = 9, .unmapped = 8, .min_size = 1};
	struct room room;

	site.lifetimes[0] = 1;
	site.lifetimes[1] = 2;
	site.lifetimes[10] = 4;
	site.lifetimes[63] = 1;
	room_enter(&room);
	room_begin(&room, false);
	room_must(dms_store_site(room.store, 1, &site));
	room_finish(&room);
	ASK(&room, "SELECT * FROM call_site_lifetime",
	    "1|0|1|1 1|2|3|2 1|1024|2047|4 1|9223372036854775807|9223372036854775807|1");
	room_assert_sound(&room);
	room_leave(&room);
}
END_TEST

/* Two devices' figures, in which two measures are told in another order than that of their names. */
static void tell_figures(struct room *room, const uint32_t *devices)
{
	struct dms_device_stats *stats = dms_zalloc(sizeof(*stats));
	struct dms_series *series = dms_series_create();
	struct dms_step step = {.kind = DMS_STEP_MAP, .mapping = &room->mapping, .ts = 1000};

	stats->histograms[DMS_DIST_LIFETIME] = dms_zalloc(sizeof(struct dms_histogram));
	stats->histograms[DMS_DIST_ENTRIES] = dms_zalloc(sizeof(struct dms_histogram));
	dms_histogram_add(stats->histograms[DMS_DIST_LIFETIME], 7);
	dms_histogram_add(stats->histograms[DMS_DIST_ENTRIES], 3);
	dms_histogram_add(stats->histograms[DMS_DIST_ENTRIES], 1);
	for (int i = 0; i < 2; i++) {
		room->device.index = devices[i];
		room->device.generation = devices[i] + 1;
		step.device = &room->device;
		room_must(dms_series_step(series, &step));
	}
	for (int i = 0; i < 2; i++) {
		room->device.index = devices[i];
		room_must(dms_store_series(room->store, &room->device, series));
		room_must(dms_store_histograms(room->store, &room->device, stats));
	}
	for (int i = 0; i < 2; i++) {
		room->device.index = (uint32_t)i;
		room->device.generation = (uint32_t)i + 1;
		room_must(dms_store_device(room->store, &room->names, &room->device, NULL, NULL));
	}
	dms_series_destroy(series);
	dms_free(stats->histograms[DMS_DIST_LIFETIME]);
	dms_free(stats->histograms[DMS_DIST_ENTRIES]);
	dms_free(stats);
}

/* In order they go straight to the file; out of it SQLite puts some of them in their places. */
START_TEST(figures_in_any_order)
{
	static const uint32_t orders[][2] = {{0, 1}, {1, 0}};
	struct room room;

	room_enter(&room);
	room_begin(&room, false);
	tell_figures(&room, orders[_i]);
	room_finish(&room);
	ASK(&room, "SELECT device_id, measure, low, count, unit FROM histogram",
	    "1|entries|1|1|entries 1|entries|3|1|entries 1|lifetime|7|1|ns "
	    "2|entries|1|1|entries 2|entries|3|1|entries 2|lifetime|7|1|ns");
	ASK(&room, "SELECT measure, start_ns, length_ns, value, unit FROM series WHERE device_id = 2",
	    "bytes_to_device|0|16384|4096|bytes live|0|16384|1|mappings "
	    "live_bytes|0|16384|4096|bytes maps|0|16384|1|mappings");
	ASK(&room, "SELECT count(*), count(DISTINCT device_id) FROM series", "8|2");
	room_assert_sound(&room);
	room_leave(&room);
}
END_TEST

/* Stack 1 is a mapping's only, 2 a call site's, 3 a finding's and 4 one of its facts. */
static void tell_stacks(struct room *room)
{
	const struct dms_site site = {.stack = 1, .maps = 1, .min_size = 1};
	const struct dms_finding_row row = {
		.rule = "double-unmap", .severity = "error", .confidence = "certain",
		.mapping_row = 1, .stack = 2, .message = "twice",
		.facts = "{\"map_stack_id\":4,\"size_bytes\":1}", .fingerprint = "f",
	};

	for (uint64_t i = 1; i <= 4; i++)
		dms_stacks_add(room->names.stacks, &i, 1);
	room_must(dms_store_site(room->store, 1, &site));
	room_must(dms_store_finding(room->store, &row));
	room_must(dms_store_stacks(room->store, room->names.stacks, NULL));
}

START_TEST(figures_only)
{
	const struct dms_store_options options = {.figures_only = true, .keep_events = true};
	struct dms_gap gap = {.after_ts = 10, .before_ts = 20, .lost = 3};
	struct dms_step step = {.kind = DMS_STEP_GAP, .gap = &gap};
	sqlite3 *db = NULL;
	struct room room;

	room_enter(&room);
	room_must(dms_store_create(room.path, &options, &room.store));
	room.mapping.map_stack = 0;
	room_must(room_complete(&room, DMS_STEP_UNMAP, DMS_END_UNMAPPED));
	room_must(dms_store_event(room.store, &room.event, 0));
	room_must(dms_store_step(room.store, room.model, &step));
	tell_stacks(&room);
	room_must(dms_store_run(room.store, "mappings_stored", "0"));
	room_finish(&room);
	ASK(&room, "SELECT (SELECT count(*) FROM mapping), (SELECT count(*) FROM event),"
		   " (SELECT count(*) FROM gap)", "0|0|1");
	ASK(&room, "SELECT stack_id, mapping_id FROM finding", "3|-");
	ASK(&room, "SELECT id FROM stack", "2 3 4");
	room_assert_sound(&room);
	room_must(dms_db_open(room.path, false, &db));
	room_must_fail(dms_db_need_mappings(db, "live"), DMS_ERROR_INPUT, "live needs mappings");
	dms_db_close(db);
	room_leave(&room);
}
END_TEST

/* A run that says nothing is one of those that have them. */
START_TEST(mappings_are_there)
{
	sqlite3 *db = NULL;
	struct room room;

	room_enter(&room);
	room_begin(&room, false);
	tell_stacks(&room);
	room.mapping.map_stack = 0;
	room_must(room_complete(&room, DMS_STEP_UNMAP, DMS_END_UNMAPPED));
	room_finish(&room);
	ASK(&room, "SELECT stack_id, mapping_id FROM finding", "3|1");
	ASK(&room, "SELECT id FROM stack", "1 2 3 4");
	room_must(dms_db_open(room.path, false, &db));
	room_must(dms_db_need_mappings(db, "live"));
	dms_db_close(db);
	room_leave(&room);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_figures");
	TCase *tests = tcase_create("store");
	SRunner *runner = srunner_create(suite);
	int n_failed;

	tcase_add_test(tests, counted_findings);
	tcase_add_test(tests, lifetimes_of_call_sites);
	tcase_add_loop_test(tests, figures_in_any_order, 0, 2);
	tcase_add_test(tests, figures_only);
	tcase_add_test(tests, mappings_are_there);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
