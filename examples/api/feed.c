// SPDX-License-Identifier: GPL-2.0-only
/*
 * Feed records instead of a file. A tracer of one's own would take them from a ring buffer, and the
 * formats from tracefs; here a driver maps two buffers, unmaps one with the wrong size, and
 * forgets the other.
 *
 *	cc feed.c -o feed $(pkg-config --cflags --libs libdmascope)
 *	./feed [run.db]
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <dmascope/dmascope.h>

/* As in events/dma/dma_map_phys/format, where a string's word is its offset and its length. */
#define COMMON                                                                                     \
	"format:\n"                                                                                \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"             \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"                               \
	"\tfield:__data_loc char[] device;\toffset:8;\tsize:4;\tsigned:0;\n"

static const char map_format[] =
	"name: dma_map_phys\nID: 300\n" COMMON
	"\tfield:u64 phys_addr;\toffset:16;\tsize:8;\tsigned:0;\n"
	"\tfield:u64 dma_addr;\toffset:24;\tsize:8;\tsigned:0;\n"
	"\tfield:size_t size;\toffset:32;\tsize:8;\tsigned:0;\n"
	"\tfield:enum dma_data_direction dir;\toffset:40;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned long attrs;\toffset:48;\tsize:8;\tsigned:0;\n";
static const char unmap_format[] =
	"name: dma_unmap_phys\nID: 301\n" COMMON
	"\tfield:u64 addr;\toffset:24;\tsize:8;\tsigned:0;\n"
	"\tfield:size_t size;\toffset:32;\tsize:8;\tsigned:0;\n"
	"\tfield:enum dma_data_direction dir;\toffset:40;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned long attrs;\toffset:48;\tsize:8;\tsigned:0;\n";

struct raw {
	uint16_t type;
	uint8_t flags, preempt_count;
	int32_t pid;
	uint32_t device_loc, pad;
	uint64_t phys_addr, dma_addr, size;
	uint32_t dir, pad2;
	uint64_t attrs;
	char device[16];
};

static struct dmascope_error *feed(struct dmascope_analysis *analysis, uint64_t ts, uint16_t type,
				   uint64_t addr, uint64_t bytes)
{
	struct raw raw = {
		.type = type,
		.pid = 4711,
		.device_loc = sizeof("0000:00:1f.2") << 16 | offsetof(struct raw, device),
		.phys_addr = addr,
		.dma_addr = addr,
		.size = bytes,
		.dir = 2, /* DMA_FROM_DEVICE */
		.device = "0000:00:1f.2",
	};
	const struct dmascope_record record = {
		.size = sizeof(record),
		.ts = ts,
		.data = &raw,
		.data_bytes = sizeof(raw),
	};

	return dmascope_feed_record(analysis, &record);
}

static struct dmascope_error *feed_all(struct dmascope_analysis *analysis)
{
	const uint16_t endian = 1;
	const struct dmascope_feed_head head = {
		.size = sizeof(head),
		.release = "7.0.0-example",
		.clock = "mono",
		.long_bytes = 8,
		.is_big_endian = !*(const char *)&endian,
	};
	struct dmascope_error *error;

	if ((error = dmascope_feed_format(analysis, "dma", map_format, strlen(map_format))) ||
	    (error = dmascope_feed_format(analysis, "dma", unmap_format, strlen(unmap_format))) ||
	    (error = dmascope_feed_begin(analysis, &head)) ||
	    (error = feed(analysis, 1000, 300, 0x10000, 4096)) ||
	    (error = feed(analysis, 2000, 300, 0x20000, 4096)) ||
	    (error = feed(analysis, 3000, 301, 0x10000, 2048)))
		return error;
	return dmascope_feed_end(analysis);
}

static int print_mapping(void *context, const struct dmascope_mapping *mapping)
{
	(void)context;
	printf("%s 0x%" PRIx64 " %s\n", mapping->device, mapping->dma_addr, mapping->end);
	return 0;
}

static int print_finding(void *context, const struct dmascope_finding *finding)
{
	(void)context;
	printf("%s: %s\n", finding->rule, finding->message);
	return 0;
}

int main(int argc, char **argv)
{
	struct dmascope_options options = {
		.size = sizeof(options),
		.output = argc > 1 ? argv[1] : NULL,
		.on_mapping = print_mapping,
		.on_finding = print_finding,
	};
	struct dmascope_analysis *analysis = NULL;
	struct dmascope_error *error = dmascope_analysis_create(&options, &analysis);
	int code;

	if (!error)
		error = feed_all(analysis);
	if (error)
		fprintf(stderr, "feed: %s\n", dmascope_error_message(error));
	code = (int)dmascope_error_code(error);
	dmascope_error_free(error);
	dmascope_analysis_destroy(analysis);
	return code;
}
