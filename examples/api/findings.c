// SPDX-License-Identifier: GPL-2.0-only
/*
 * Count the findings of a trace by rule and device, and say what could not be judged.
 * Exit: 0 nothing graver than info, 1 a warning or an error, else the library's error code.
 *
 *	cc findings.c -o findings $(pkg-config --cflags --libs libdmascope)
 *	./findings trace.dat [run.db]
 */
#include <inttypes.h>
#include <stdio.h>

#include <dmascope/dmascope.h>

static void print(const struct dmascope_summary *summary)
{
	const struct dmascope_figures *figures = dmascope_summary_figures(summary);

	printf("%" PRIu64 " events, %" PRIu64 " lost, %zu devices\n", figures->events,
	       figures->lost_events, figures->n_devices);
	for (size_t i = 0; i < figures->n_devices; i++) {
		const struct dmascope_device *device = dmascope_summary_device(summary, i);

		printf("%s: %" PRIu64 " maps, %" PRIu64 " live at the end\n", device->name,
		       device->maps, device->live_at_end);
	}
	for (size_t i = 0; i < figures->n_findings; i++) {
		const struct dmascope_finding_group *finding = dmascope_summary_finding(summary, i);

		printf("%s %s on %s: %" PRIu64 " times\n", dmascope_severity_name(finding->severity),
		       finding->rule, finding->device ? finding->device : "-", finding->count);
	}
	for (size_t i = 0; i < figures->n_notes; i++) {
		const struct dmascope_note *note = dmascope_summary_note(summary, i);

		printf("not judged: %s: %s\n", note->rule ? note->rule : "the run", note->reason);
	}
}

int main(int argc, char **argv)
{
	struct dmascope_options options = {
		.size = sizeof(options),
		.output = argc > 2 ? argv[2] : NULL,
	};
	struct dmascope_analysis *analysis = NULL;
	struct dmascope_summary *summary = NULL;
	struct dmascope_error *error;
	int code;

	if (argc < 2) {
		fprintf(stderr, "usage: findings TRACE [DATABASE]\n");
		return 2;
	}
	error = dmascope_analysis_create(&options, &analysis);
	if (!error)
		error = dmascope_analysis_files(analysis, (const char *const *)&argv[1], 1);
	if (!error)
		error = dmascope_analysis_summary(analysis, &summary);
	if (error) {
		fprintf(stderr, "findings: %s\n", dmascope_error_message(error));
		code = (int)dmascope_error_code(error);
	} else {
		print(summary);
		code = dmascope_summary_count(summary, DMASCOPE_WARNING, DMASCOPE_POSSIBLE) > 0;
	}
	dmascope_summary_destroy(summary); /* before what it was made from */
	dmascope_analysis_destroy(analysis);
	dmascope_error_free(error);
	return code;
}
