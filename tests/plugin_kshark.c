// SPDX-License-Identifier: GPL-2.0-only
/* Prints each record of a trace as KernelShark's library shows it; plugin_test.sh compiles it. */
#include <stdio.h>
#include <stdlib.h>

#include <libkshark.h>

int main(int argc, char **argv)
{
	struct kshark_context *context = NULL;
	struct kshark_entry **rows = NULL;
	ssize_t n_rows;
	int stream;

	if (argc != 2 || !kshark_instance(&context))
		return 2;
	stream = kshark_open(context, argv[1]);
	if (stream < 0)
		return 3;
	n_rows = kshark_load_entries(context, stream, &rows);
	/* the other way round: a user clicks where he likes */
	for (ssize_t i = n_rows - 1; i >= 0; i--) {
		char *name = kshark_get_event_name(rows[i]), *info = kshark_get_info(rows[i]);

		printf("%s: %s\n", name, info);
		free(name);
		free(info);
		free(rows[i]);
	}
	free(rows);
	kshark_close_all(context);
	kshark_free(context);
	return n_rows > 0 ? 0 : 4;
}
