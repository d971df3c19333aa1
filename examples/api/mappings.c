// SPDX-License-Identifier: GPL-2.0-only
/*
 * Print the life of every mapping of a trace, as it ends, and every broken rule, as it is found.
 *
 *	cc mappings.c -o mappings $(pkg-config --cflags --libs libdmascope)
 *	./mappings trace.dat
 */
#include <inttypes.h>
#include <stdio.h>

#include <dmascope/dmascope.h>

static int print_mapping(void *context, const struct dmascope_mapping *mapping)
{
	uint64_t *n_mappings = context;

	++*n_mappings;
	printf("%s %s %s dma=0x%" PRIx64 " bytes=%" PRIu64 " %s",
	       mapping->device ? mapping->device : "-", mapping->kind, mapping->direction,
	       mapping->dma_addr, mapping->size_bytes, mapping->end);
	if (mapping->map_ns != DMASCOPE_UNKNOWN && mapping->unmap_ns != DMASCOPE_UNKNOWN &&
	    mapping->unmap_ns >= mapping->map_ns)
		printf(" after %" PRIu64 " ns", mapping->unmap_ns - mapping->map_ns);
	putchar('\n');
	return 0; /* anything else would stop the run */
}

static int print_finding(void *context, const struct dmascope_finding *finding)
{
	(void)context;
	printf("%s %s (%s): %s\n", dmascope_severity_name(finding->severity), finding->rule,
	       dmascope_confidence_name(finding->confidence), finding->message);
	return 0;
}

static void print_message(void *context, enum dmascope_level level, const char *line)
{
	(void)context;
	if (level <= DMASCOPE_LOG_WARN)
		fprintf(stderr, "mappings: %s\n", line);
}

int main(int argc, char **argv)
{
	uint64_t n_mappings = 0;
	struct dmascope_options options = {
		.size = sizeof(options),
		.context = &n_mappings,
		.on_mapping = print_mapping,
		.on_finding = print_finding,
		.on_message = print_message,
	};
	struct dmascope_analysis *analysis = NULL;
	struct dmascope_error *error;
	int code;

	if (argc < 2) {
		fprintf(stderr, "usage: mappings TRACE...\n");
		return 2;
	}
	error = dmascope_analysis_create(&options, &analysis);
	if (!error)
		error = dmascope_analysis_files(analysis, (const char *const *)argv + 1,
						(size_t)argc - 1);
	if (error)
		fprintf(stderr, "mappings: %s\n", dmascope_error_message(error));
	else
		printf("%" PRIu64 " mappings\n", n_mappings);
	code = (int)dmascope_error_code(error);
	dmascope_error_free(error);
	dmascope_analysis_destroy(analysis);
	return code;
}
