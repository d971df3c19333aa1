// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walk a run database: its devices, its findings with the calls that broke the rules, its leaks.
 *
 *	cc run.c -o run $(pkg-config --cflags --libs libdmascope)
 *	./run run.db
 */
#include <inttypes.h>
#include <stdio.h>

#include <dmascope/dmascope.h>

static struct dmascope_error *print_stack(struct dmascope_db *db, uint64_t stack_id)
{
	const struct dmascope_frame *frame;
	struct dmascope_frames *frames;
	struct dmascope_error *error = dmascope_frames_open(db, stack_id, &frames);

	if (error)
		return error;
	while (!(error = dmascope_frames_next(frames, &frame)) && frame)
		printf("    %s%s%s\n", frame->function ? frame->function : "?",
		       frame->module ? " " : "", frame->module ? frame->module : "");
	dmascope_frames_close(frames);
	return error;
}

static struct dmascope_error *print_devices(struct dmascope_db *db)
{
	const struct dmascope_device *device;
	struct dmascope_summary *summary;
	struct dmascope_error *error = dmascope_db_summary(db, &summary);

	if (error)
		return error;
	for (size_t i = 0; (device = dmascope_summary_device(summary, i)); i++)
		printf("device %s (%s, %s): %" PRIu64 " maps\n", device->name,
		       device->driver ? device->driver : "driver not known", device->address_mode,
		       device->maps);
	dmascope_summary_destroy(summary);
	return NULL;
}

static struct dmascope_error *print_findings(struct dmascope_db *db)
{
	const struct dmascope_finding *finding;
	struct dmascope_findings *findings;
	struct dmascope_error *error = dmascope_findings_open(db, NULL, &findings);

	if (error)
		return error;
	while (!(error = dmascope_findings_next(findings, &finding)) && finding) {
		printf("finding %" PRIu64 " %s: %s\n", finding->id, finding->fingerprint,
		       finding->message);
		error = print_stack(db, finding->stack_id);
		if (error)
			break;
	}
	dmascope_findings_close(findings);
	return error;
}

static struct dmascope_error *print_live(struct dmascope_db *db)
{
	const struct dmascope_query live = {.size = sizeof(live), .end = "live"};
	const struct dmascope_mapping *mapping;
	struct dmascope_mappings *mappings;
	struct dmascope_error *error = dmascope_mappings_open(db, &live, &mappings);

	if (error)
		return error;
	while (!(error = dmascope_mappings_next(mappings, &mapping)) && mapping)
		printf("live %s 0x%" PRIx64 " %" PRIu64 " bytes since %" PRIu64 " ns\n",
		       mapping->device ? mapping->device : "-", mapping->dma_addr,
		       mapping->size_bytes, mapping->map_ns);
	dmascope_mappings_close(mappings);
	return error;
}

int main(int argc, char **argv)
{
	struct dmascope_db *db = NULL;
	struct dmascope_error *error;
	const char *kernel;
	int code;

	if (argc != 2) {
		fprintf(stderr, "usage: run DATABASE\n");
		return 2;
	}
	error = dmascope_db_open(argv[1], &db);
	if (!error) {
		kernel = dmascope_db_fact(db, "kernel");
		printf("kernel %s\n", kernel ? kernel : "not recorded");
		error = print_devices(db);
	}
	if (!error)
		error = print_findings(db);
	if (!error)
		error = print_live(db);
	if (error)
		fprintf(stderr, "run: %s\n", dmascope_error_message(error));
	code = (int)dmascope_error_code(error);
	dmascope_error_free(error);
	dmascope_db_close(db);
	return code;
}
