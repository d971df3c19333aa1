// SPDX-License-Identifier: GPL-2.0-only
/* Counts records per tracepoint through libtracecmd alone: the tests' independent oracle. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trace-cmd.h>

#define IDS 65536

struct tally {
	uint64_t by_id[IDS];
	uint64_t lost, lost_unknown;
	struct tep_handle *tep;
};

struct line {
	char name[128];
	uint64_t count;
};

static int count_one(struct tracecmd_input *handle, struct tep_record *record, int cpu, void *data)
{
	struct tally *tally = data;

	(void)handle;
	(void)cpu;
	tally->by_id[tep_data_type(tally->tep, record) & (IDS - 1)]++;
	return 0;
}

static int missed_one(struct tracecmd_input *handle, struct tep_event *event,
		      struct tep_record *record, int cpu, void *data)
{
	struct tally *tally = data;

	(void)handle;
	(void)event;
	(void)cpu;
	if (record->missed_events > 0)
		tally->lost += (uint64_t)record->missed_events;
	else
		tally->lost_unknown++;
	return 0;
}

static int ignore_one(struct tracecmd_input *handle, struct tep_record *record, int cpu,
		      void *data)
{
	(void)handle;
	(void)record;
	(void)cpu;
	(void)data;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->name, ((const struct line *)b)->name);
}

static void print_tally(struct tally *tally)
{
	struct line *lines = calloc(IDS, sizeof(*lines));
	size_t n = 0;

	if (!lines)
		exit(4);
	for (int id = 0; id < IDS; id++) {
		struct tep_event *event;

		if (!tally->by_id[id])
			continue;
		event = tep_find_event(tally->tep, id);
		if (event)
			snprintf(lines[n].name, sizeof(lines[n].name), "%s:%s", event->system,
				 event->name);
		else
			snprintf(lines[n].name, sizeof(lines[n].name), "unknown:%d", id);
		lines[n++].count = tally->by_id[id];
	}
	qsort(lines, n, sizeof(*lines), compare);
	for (size_t i = 0; i < n; i++)
		printf("%s %" PRIu64 "\n", lines[i].name, lines[i].count);
	printf("lost %" PRIu64 "\nlost_unknown %" PRIu64 "\n", tally->lost, tally->lost_unknown);
	free(lines);
}

/* The top buffer is one handle, each named buffer another; with -B the top one is empty. */
static int walk(struct tracecmd_input *handle, struct tally *tally, int iterate_only)
{
	if (iterate_only)
		return tracecmd_iterate_events(handle, NULL, 0, ignore_one, NULL);
	tracecmd_follow_missed_events(handle, missed_one, tally);
	return tracecmd_iterate_events(handle, NULL, 0, count_one, tally);
}

int main(int argc, char **argv)
{
	int iterate_only = argc > 1 && !strcmp(argv[1], "--iterate");
	struct tracecmd_input *handle;
	struct tally *tally;

	if (argc != 2 + iterate_only) {
		fputs("usage: count_events [--iterate] TRACE\n", stderr);
		return 2;
	}
	tally = calloc(1, sizeof(*tally));
	handle = tracecmd_open(argv[argc - 1], TRACECMD_FL_LOAD_NO_PLUGINS);
	if (!handle || !tally) {
		fprintf(stderr, "count_events: %s: cannot open\n", argv[argc - 1]);
		return 3;
	}
	tally->tep = tracecmd_get_tep(handle);
	walk(handle, tally, iterate_only);
	for (int i = 0; i < tracecmd_buffer_instances(handle); i++) {
		struct tracecmd_input *buffer = tracecmd_buffer_instance_handle(handle, i);

		if (!buffer)
			continue;
		walk(buffer, tally, iterate_only);
		tracecmd_close(buffer);
	}
	if (!iterate_only)
		print_tally(tally);
	tracecmd_close(handle);
	free(tally);
	return 0;
}
