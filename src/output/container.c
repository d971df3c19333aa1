// SPDX-License-Identifier: LGPL-2.1-only
/*
 * The parts of a trace.dat in their order, and where each CPU's data lie.
 * Source of the format: man pages trace-cmd.dat.v6.5 and trace-cmd.dat.v7.5.
 */
#include <errno.h>
#include <string.h>

#include <zstd.h>

#include "local.h"

#define MAGIC	   "\x17\x08\x44tracing"
#define KIND_BYTES 10 /* "flyrecord" with its end */
/* No smaller alignment can be mapped on most machines, whatever the traced one has. */
#define MIN_ALIGNMENT 4096u

enum { SECTION_OPTIONS = 0, SECTION_BUFFER = 3, OPTION_CPUCOUNT = 8 };
#define SECTION_HEAD_BYTES 16u
#define SECTION_COMPRESSED 1u

static struct dms_error *write_error(void)
{
	return dms_error_errno(DMS_ERROR_INTERNAL, errno, "writing the trace");
}

struct dms_error *container_write(struct container *container, const void *data, size_t bytes)
{
	if (bytes && fwrite(data, bytes, 1, container->out) != 1)
		return write_error();
	container->position += bytes;
	return NULL;
}

struct dms_error *container_align(struct container *container)
{
	static const uint8_t zeros[MIN_ALIGNMENT];
	uint32_t page_size = container->output->shape.page_size;
	uint32_t alignment = page_size > MIN_ALIGNMENT ? page_size : MIN_ALIGNMENT;
	struct dms_error *err = NULL;

	while (!err && container->position % alignment) {
		uint64_t left = alignment - container->position % alignment;

		err = container_write(container, zeros,
				      left < sizeof(zeros) ? left : sizeof(zeros));
	}
	return err;
}

struct dms_error *container_patch(struct container *container, uint64_t at, const void *data,
				  size_t bytes)
{
	if (fseeko(container->out, (off_t)at, SEEK_SET) ||
	    fwrite(data, bytes, 1, container->out) != 1 ||
	    fseeko(container->out, (off_t)container->position, SEEK_SET))
		return write_error();
	return NULL;
}

static void put_magic(const struct dms_output *output, struct blob *head)
{
	const struct dms_source_info *info = output_info(output);
	bool is_v6 = output->report.version == 6;

	blob_put(head, MAGIC, strlen(MAGIC));
	blob_string(head, is_v6 ? "6" : "7");
	blob_number(head, 1, output->shape.big_endian);
	blob_number(head, 1, output->shape.long_size);
	/* version 6 has one size for both; in version 7 each buffer has its own */
	blob_number(head, 4, is_v6 || !info->page_size ? output->shape.page_size : info->page_size);
}

/* ---- version 6: one part after the other --------------------------------------------------- */

/* "flyrecord", and room for offset and size of each CPU's data: filled in behind them. */
static size_t put_table(const struct dms_output *output, struct blob *head)
{
	size_t table_at;

	blob_put(head, "flyrecord", KIND_BYTES);
	table_at = head->size;
	for (uint32_t i = 0; i < output->n_cpus; i++) {
		blob_number(head, 8, 0);
		blob_number(head, 8, 0);
	}
	head_put_clock(output, head);
	return table_at;
}

static void put_v6_instance_option(const struct output_instance *instance, struct blob *head)
{
	blob_number(head, 2, OPTION_BUFFER);
	blob_number(head, 4, 8 + strlen(instance->name) + 1);
	blob_number(head, 8, 0); /* where its table is: filled in when it is */
	blob_string(head, instance->name);
}

/* @ret_tables: where each instance's table is in @head. */
static struct dms_error *build_v6_head(const struct dms_output *output, struct blob *head,
				       size_t *ret_tables)
{
	struct dms_error *err;

	put_magic(output, head);
	for (size_t i = 0; i < HEAD_PARTS; i++) {
		if ((err = head_parts[i].put(output, head)))
			return err;
	}
	blob_number(head, 4, output->n_cpus);
	blob_put(head, "options  ", KIND_BYTES);
	if ((err = head_put_options(output, head)))
		return err;
	for (uint32_t i = 1; i < output->n_instances; i++) {
		ret_tables[i] = head->size + 2 + 4;
		put_v6_instance_option(&output->instances[i], head);
	}
	blob_number(head, 2, OPTION_DONE);
	ret_tables[0] = put_table(output, head);
	for (uint32_t i = 1; i < output->n_instances; i++) {
		blob_patch(head, ret_tables[i], 8, head->size);
		ret_tables[i] = put_table(output, head);
	}
	return head->is_broken ? &dms_error_nomem : NULL;
}

static struct dms_error *write_v6_data(struct container *container, struct blob *head,
				       const size_t *tables)
{
	struct dms_output *output = container->output;

	for (uint32_t i = 0; i < output->n_instances; i++) {
		for (uint32_t cpu = 0; cpu < output->n_cpus; cpu++) {
			size_t row = tables[i] + 16 * (size_t)cpu;
			struct cpu_extent extent;
			struct dms_error *err =
				cpu_write(container, &output->instances[i], cpu, &extent);

			if (err)
				return err;
			if (!extent.bytes)
				extent.offset = container->position;
			blob_patch(head, row, 8, extent.offset);
			blob_patch(head, row + 8, 8, extent.bytes);
		}
	}
	return NULL;
}

struct dms_error *container_write_v6(struct container *container)
{
	struct dms_output *output = container->output;
	_cleanup_(dms_freep) size_t *tables = dms_zalloc(output->n_instances * sizeof(*tables));
	struct blob head = {.big_endian = output->shape.big_endian};
	struct dms_error *err;

	if (!tables)
		return &dms_error_nomem;
	err = build_v6_head(output, &head, tables);
	if (!err)
		err = container_write(container, head.data, head.size);
	if (!err) /* also where no CPU has data: empty ones begin there */
		err = container_align(container);
	if (!err)
		err = write_v6_data(container, &head, tables);
	if (!err)
		err = container_patch(container, 0, head.data, head.size);
	blob_deinit(&head);
	return err;
}

/* ---- version 7: sections, found through options -------------------------------------------- */

static void put_section_head(struct blob *blob, uint32_t id, bool is_compressed, uint64_t bytes)
{
	blob_number(blob, 2, id);
	blob_number(blob, 2, is_compressed ? SECTION_COMPRESSED : 0);
	blob_number(blob, 4, 0); /* no description */
	blob_number(blob, 8, bytes);
}

/* Append section @id with @content to @head. */
static struct dms_error *put_section(const struct dms_output *output, struct blob *head, uint32_t id,
				     const struct blob *content)
{
	size_t room = ZSTD_compressBound(content->size), packed_bytes;
	_cleanup_(dms_freep) uint8_t *packed = NULL;

	if (!output->options.is_zstd) {
		put_section_head(head, id, false, content->size);
		blob_put(head, content->data, content->size);
		return NULL;
	}
	packed = dms_alloc(room);
	if (!packed)
		return &dms_error_nomem;
	packed_bytes = ZSTD_compress(packed, room, content->data, content->size, 3);
	if (ZSTD_isError(packed_bytes))
		return dms_error_new(DMS_ERROR_INTERNAL, "zstd: %s",
				     ZSTD_getErrorName(packed_bytes));
	put_section_head(head, id, true, packed_bytes + 8);
	blob_number(head, 4, packed_bytes);
	blob_number(head, 4, content->size);
	blob_put(head, packed, packed_bytes);
	return NULL;
}

/* @ret_options_at: where in @head the offset of the options goes. */
static struct dms_error *build_v7_head(const struct dms_output *output, struct blob *head,
				       struct blob *options, size_t *ret_options_at)
{
	struct dms_error *err = NULL;

	put_magic(output, head);
	blob_string(head, output->options.is_zstd ? "zstd" : "none");
	blob_string(head, output->options.is_zstd ? ZSTD_versionString() : "");
	*ret_options_at = head->size;
	blob_number(head, 8, 0);
	for (size_t i = 0; !err && i < HEAD_PARTS; i++) {
		struct blob content = {.big_endian = head->big_endian};

		blob_number(options, 2, head_parts[i].id);
		blob_number(options, 4, 8);
		blob_number(options, 8, head->size);
		err = head_parts[i].put(output, &content);
		if (!err)
			err = put_section(output, head, head_parts[i].id, &content);
		blob_deinit(&content);
	}
	if (err || (err = head_put_options(output, options)))
		return err;
	blob_number(options, 2, OPTION_CPUCOUNT);
	blob_number(options, 4, 4);
	blob_number(options, 4, output->n_cpus);
	return head->is_broken ? &dms_error_nomem : NULL;
}

/* The data of all CPUs of @instance; @rows: what the option says of them. */
static struct dms_error *write_v7_data(struct container *container,
				       const struct output_instance *instance, struct blob *rows,
				       uint32_t *ret_n_rows)
{
	*ret_n_rows = 0;
	for (uint32_t cpu = 0; cpu < container->output->n_cpus; cpu++) {
		struct cpu_extent extent;
		struct dms_error *err = cpu_write(container, instance, cpu, &extent);

		if (err)
			return err;
		if (!extent.bytes)
			continue;
		blob_number(rows, 4, cpu);
		blob_number(rows, 8, extent.offset);
		blob_number(rows, 8, extent.bytes);
		++*ret_n_rows;
	}
	return NULL;
}

static struct dms_error *write_v7_instance(struct container *container,
					   const struct output_instance *instance,
					   struct blob *options)
{
	const struct dms_output *output = container->output;
	const char *clock = output_clock(output) ? output_clock(output) : "local";
	struct blob rows = {.big_endian = options->big_endian}, head = rows;
	uint64_t at = container->position;
	struct dms_error *err;
	uint32_t n_rows;

	put_section_head(&head, SECTION_BUFFER, output->options.is_zstd, 0);
	err = head.is_broken ? &dms_error_nomem : container_write(container, head.data, head.size);
	if (!err)
		err = write_v7_data(container, instance, &rows, &n_rows);
	if (!err) {
		blob_patch(&head, 8, 8, container->position - at - SECTION_HEAD_BYTES);
		err = container_patch(container, at, head.data, head.size);
	}
	if (!err) {
		blob_number(options, 2, OPTION_BUFFER);
		blob_number(options, 4, 8 + strlen(instance->name) + 1 + strlen(clock) + 1 + 4 + 4 +
						rows.size);
		blob_number(options, 8, at);
		blob_string(options, instance->name);
		blob_string(options, clock);
		blob_number(options, 4, output->shape.page_size);
		blob_number(options, 4, n_rows);
		blob_put(options, rows.data, rows.size);
		options->is_broken |= rows.is_broken;
	}
	blob_deinit(&rows);
	blob_deinit(&head);
	return err;
}

static struct dms_error *write_v7_options(struct container *container, struct blob *options,
					  size_t offset_at)
{
	struct blob section = {.big_endian = options->big_endian};
	uint64_t at = container->position;
	struct dms_error *err;
	uint8_t offset[8];

	blob_number(options, 2, OPTION_DONE);
	blob_number(options, 4, 8);
	blob_number(options, 8, 0); /* there are no more */
	put_section_head(&section, SECTION_OPTIONS, false, options->size);
	blob_put(&section, options->data, options->size);
	err = section.is_broken || options->is_broken
		      ? &dms_error_nomem
		      : container_write(container, section.data, section.size);
	blob_deinit(&section);
	if (err)
		return err;
	ring_store(offset, sizeof(offset), at, options->big_endian);
	return container_patch(container, offset_at, offset, sizeof(offset));
}

struct dms_error *container_write_v7(struct container *container)
{
	struct dms_output *output = container->output;
	struct blob head = {.big_endian = output->shape.big_endian}, options = head;
	struct dms_error *err;
	size_t offset_at;

	err = build_v7_head(output, &head, &options, &offset_at);
	if (!err)
		err = container_write(container, head.data, head.size);
	for (uint32_t i = 0; !err && i < output->n_instances; i++)
		err = write_v7_instance(container, &output->instances[i], &options);
	if (!err)
		err = write_v7_options(container, &options, offset_at);
	blob_deinit(&head);
	blob_deinit(&options);
	return err;
}
