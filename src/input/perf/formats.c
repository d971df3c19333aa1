// SPDX-License-Identifier: LGPL-2.1-only
/* Event formats for a perf.data that has none: a folder the user names, or those we ship. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "perf.h"

#define MAX_FORMAT_BYTES (64u << 10)
#define MAX_SCAN_BYTES	 (8u << 20) /* of the data, looking for one sample of each event */
#define MAX_SLACK	 16u	    /* padding behind what the kernel wrote, bytes */

/* One tracepoint without a format. */
struct orphan {
	uint64_t config;
	const char *name; /* "dma:dma_map_phys", or NULL */
	uint8_t *payload; /* of its first sample, or NULL */
	uint32_t payload_size;
	bool is_found;
};

struct orphans {
	struct orphan *rows;
	size_t n_rows, capacity;
};

static void orphans_deinit(struct orphans *orphans)
{
	for (size_t i = 0; i < orphans->n_rows; i++)
		dms_free(orphans->rows[i].payload);
	dms_free(orphans->rows);
}

static bool has_format(const struct perf_head *head, uint64_t config)
{
	for (size_t i = 0; i < head->n_formats; i++) {
		if (head->formats[i].id == config)
			return true;
	}
	return false;
}

static struct orphan *find_orphan(const struct orphans *orphans, uint64_t config)
{
	for (size_t i = 0; i < orphans->n_rows; i++) {
		if (orphans->rows[i].config == config)
			return &orphans->rows[i];
	}
	return NULL;
}

static struct dms_error *find_orphans(const struct perf_head *head, struct orphans *ret)
{
	for (size_t i = 0; i < head->n_attrs; i++) {
		const struct perf_attr *attr = &head->attrs[i];
		struct orphan *orphan;

		if (!attr->is_tracepoint || has_format(head, attr->config) ||
		    find_orphan(ret, attr->config))
			continue;
		if (!dms_grow(&ret->rows, &ret->capacity, ret->n_rows + 1, sizeof(*orphan)))
			return &dms_error_nomem;
		orphan = &ret->rows[ret->n_rows++];
		orphan->config = attr->config;
		for (size_t j = 0; j < head->n_names; j++) {
			if (head->names[j].config == attr->config)
				orphan->name = head->names[j].name;
		}
	}
	return NULL;
}

/* ---- taking a format ---------------------------------------------------------------------------
 */

/* "name: X" opens a format file; "ID: N" follows, which is that of the machine it came from. */
static bool read_title(const char *text, const char **ret_name, size_t *ret_len, uint64_t *ret_id)
{
	const char *id = strstr(text, "\nID: ");

	if (strncmp(text, "name: ", 6) != 0 || !id)
		return false;
	*ret_name = text + 6;
	*ret_len = strcspn(text + 6, "\n");
	*ret_id = strtoull(id + 5, NULL, 10);
	return true;
}

static char *copy(struct perf_head *head, const char *text, size_t bytes)
{
	char *at = dms_arena_alloc(head->arena, bytes + 1);

	return at ? memcpy(at, text, bytes) : NULL;
}

static struct dms_error *adopt(struct perf_head *head, struct orphan *orphan, const char *system,
			       const char *text)
{
	struct dms_format *format;
	const char *name;
	uint64_t id;
	size_t len;

	if (!read_title(text, &name, &len, &id))
		return NULL;
	if (!dms_grow(&head->formats, &head->formats_capacity, head->n_formats + 1,
		      sizeof(*format)))
		return &dms_error_nomem;
	format = &head->formats[head->n_formats];
	*format = (struct dms_format){
		.system = copy(head, system, strlen(system)),
		.name = copy(head, name, len),
		.text = copy(head, text, strlen(text)),
		.size = strlen(text),
		.id = (uint32_t)orphan->config,
	};
	if (!format->system || !format->name || !format->text)
		return &dms_error_nomem;
	head->n_formats++;
	orphan->is_found = true;
	return NULL;
}

/* ---- does a format fit a sample? ---------------------------------------------------------------
 */

/* A number behind @key in the line @at; false if the line has none. */
static bool number_in_line(const char *at, const char *key, uint32_t *ret)
{
	const char *end = at + strcspn(at, "\n"), *found = strstr(at, key);

	if (!found || found > end)
		return false;
	*ret = (uint32_t)strtoul(found + strlen(key), NULL, 10);
	return true;
}

struct extent {
	uint32_t fixed, first, last; /* ends of the fields; begin and end of what they point to */
};

/* False if a field lies, or points, beyond the payload. */
static bool measure(const struct perf_head *head, const struct orphan *orphan, const char *text,
		    struct extent *ret)
{
	*ret = (struct extent){.first = UINT32_MAX};
	for (const char *at = text; (at = strstr(at, "field:")); at++) {
		uint32_t offset, size, where;

		if (!number_in_line(at, "offset:", &offset) || !number_in_line(at, "size:", &size))
			return false;
		if (offset > orphan->payload_size || size > orphan->payload_size - offset)
			return false;
		if (offset + size > ret->fixed)
			ret->fixed = offset + size;
		if (strncmp(at, "field:__data_loc", 16) != 0 || size != 4)
			continue;
		where = load32(orphan->payload + offset, head->swap);
		if ((where & 0xffff) + (where >> 16) > orphan->payload_size)
			return false;
		if ((where & 0xffff) < ret->first)
			ret->first = where & 0xffff;
		if ((where & 0xffff) + (where >> 16) > ret->last)
			ret->last = (where & 0xffff) + (where >> 16);
	}
	return true;
}

/*
 * The kernel puts strings and arrays right behind the last field, and nothing behind them but
 * padding: a spelling with one field more or less does not fit.
 */
static bool fits(const struct perf_head *head, const struct orphan *orphan, const char *text)
{
	struct extent extent;

	if (!orphan->payload)
		return true; /* no sample, nothing to decode wrongly */
	if (!measure(head, orphan, text, &extent))
		return false;
	if (extent.first == UINT32_MAX)
		return orphan->payload_size - extent.fixed < MAX_SLACK;
	return extent.first == extent.fixed && orphan->payload_size - extent.last < MAX_SLACK;
}

/* One sample of each: the first in the file. */
static struct dms_error *sample_orphans(const struct perf_head *head, struct orphans *orphans)
{
	_cleanup_(dms_freep) uint64_t *chain = dms_alloc(PERF_MAX_CHAIN * sizeof(*chain));
	size_t n_left = orphans->n_rows;
	struct perf_reader reader;
	struct dms_error *err;
	struct perf_raw raw;

	if (!chain)
		return &dms_error_nomem;
	err = perf_reader_open(&reader, head);
	while (!err && n_left && reader.position - head->data_offset < MAX_SCAN_BYTES &&
	       !(err = perf_reader_next(&reader, &raw)) && raw.data) {
		const struct perf_attr *attr =
			raw.type == PERF_SAMPLE ? perf_record_attr(head, raw.data) : NULL;
		struct dms_record record;
		struct orphan *orphan;

		if (!attr || !attr->is_tracepoint || raw.size < attr->layout.rest ||
		    perf_sample_read(head, attr, raw.data, &record, chain) || record.size < 8)
			continue;
		orphan = find_orphan(orphans, load16(record.data, head->swap));
		if (!orphan || orphan->payload)
			continue;
		orphan->payload = dms_alloc(record.size);
		if (!orphan->payload) {
			err = &dms_error_nomem;
			break;
		}
		memcpy(orphan->payload, record.data, record.size);
		orphan->payload_size = record.size;
		n_left--;
	}
	perf_reader_close(&reader);
	return err;
}

/* ---- from a folder -----------------------------------------------------------------------------
 */

/* The text at @path, in memory of the caller; NULL without an error if there is none. */
static struct dms_error *read_text(const char *path, char **ret)
{
	_cleanup_(dms_freep) char *text = dms_alloc(MAX_FORMAT_BYTES + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t bytes = 0;
	ssize_t got = 1;

	*ret = NULL;
	if (fd < 0)
		return NULL;
	while (text && bytes < MAX_FORMAT_BYTES &&
	       (got = read(fd, text + bytes, MAX_FORMAT_BYTES - bytes)) > 0)
		bytes += (size_t)got;
	close(fd);
	if (!text)
		return &dms_error_nomem;
	if (got < 0)
		return NULL;
	text[bytes] = '\0';
	*ret = text;
	text = NULL;
	return NULL;
}

/* Both spellings: tracefs has EVENT/format, copies of it often EVENT.format. */
static struct dms_error *read_event_file(const char *folder, const char *system, const char *event,
					 char **ret)
{
	static const char *const tails[] = {"/format", ".format", ""};

	*ret = NULL;
	for (size_t i = 0; i < DMS_ARRAY_SIZE(tails) && !*ret; i++) {
		_cleanup_(dms_freep) char *path =
			dms_asprintf("%s/%s/%s%s", folder, system, event, tails[i]);
		struct dms_error *err;

		if (!path)
			return &dms_error_nomem;
		if ((err = read_text(path, ret)))
			return err;
	}
	return NULL;
}

/* By name where the file tells names, which a kernel built anew keeps; else by number. */
static struct orphan *whose_format(const struct orphans *orphans, const char *system,
				   const char *text)
{
	const char *name;
	uint64_t id;
	size_t len;

	if (!read_title(text, &name, &len, &id))
		return NULL;
	for (size_t i = 0; i < orphans->n_rows; i++) {
		struct orphan *row = &orphans->rows[i];
		size_t at = strlen(system);

		if (row->is_found)
			continue;
		if (!row->name && row->config == id)
			return row;
		if (row->name && !strncmp(row->name, system, at) && row->name[at] == ':' &&
		    strlen(row->name + at + 1) == len && !memcmp(row->name + at + 1, name, len))
			return row;
	}
	return NULL;
}

static struct dms_error *read_system(struct perf_head *head, struct orphans *orphans,
				     const char *folder, const char *system)
{
	_cleanup_(dms_freep) char *path = dms_asprintf("%s/%s", folder, system);
	struct dms_error *err = NULL;
	struct dirent *entry;
	DIR *dir;

	if (!path)
		return &dms_error_nomem;
	dir = opendir(path);
	while (dir && !err && (entry = readdir(dir))) {
		_cleanup_(dms_freep) char *text = NULL;
		struct orphan *orphan;

		if (entry->d_name[0] == '.' ||
		    (err = read_event_file(folder, system, entry->d_name, &text)) || !text)
			continue;
		orphan = whose_format(orphans, system, text);
		if (!orphan)
			continue;
		if (!fits(head, orphan, text))
			err = dms_error_new(DMS_ERROR_INPUT,
					    "%s: the format of %s:%s in %s does not fit its "
					    "samples: expected that of the traced kernel",
					    head->file.path, system, entry->d_name, folder);
		else
			err = adopt(head, orphan, system, text);
	}
	if (dir)
		closedir(dir);
	return err;
}

static struct dms_error *read_folder(struct perf_head *head, struct orphans *orphans,
				     const char *folder)
{
	struct dms_error *err = NULL;
	struct dirent *entry;
	DIR *dir = opendir(folder);

	if (!dir)
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s: reading event formats", folder);
	while (!err && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			err = read_system(head, orphans, folder, entry->d_name);
	}
	closedir(dir);
	return err;
}

/* ---- those we ship -----------------------------------------------------------------------------
 */

/* "6.12.95+deb12" as 6012; 0 if it is no release. */
static unsigned long release_number(const char *release)
{
	char *end;
	unsigned long major = release ? strtoul(release, &end, 10) : 0;

	return major && *end == '.' ? major * 1000 + strtoul(end + 1, NULL, 10) % 1000 : 0;
}

/* The one of the release that is nearest, among those that fit. */
static const struct perf_shipped_format *nearest(const struct perf_head *head,
						 const struct orphan *orphan)
{
	const struct perf_shipped_format *best = NULL;
	const char *event = strchr(orphan->name, ':') + 1;
	size_t system_len = (size_t)(event - orphan->name) - 1;
	unsigned long wanted = release_number(head->release), best_distance = 0;

	for (const struct perf_shipped_format *row = perf_shipped_formats; row->release; row++) {
		unsigned long have = release_number(row->release), distance;

		if (strlen(row->system) != system_len || strcmp(row->name, event) != 0 ||
		    memcmp(row->system, orphan->name, system_len) != 0 ||
		    !fits(head, orphan, row->text))
			continue;
		distance = have > wanted ? have - wanted : wanted - have;
		if (!best || distance < best_distance) {
			best = row;
			best_distance = distance;
		}
	}
	return best;
}

static struct dms_error *take_shipped(struct perf_head *head, struct orphans *orphans)
{
	for (size_t i = 0; i < orphans->n_rows; i++) {
		struct orphan *orphan = &orphans->rows[i];
		const struct perf_shipped_format *row;
		struct dms_error *err;

		/* a big-endian or 32-bit kernel prints others */
		if (orphan->is_found || !orphan->name || head->big_endian ||
		    !(row = nearest(head, orphan)))
			continue;
		if ((err = adopt(head, orphan, row->system, row->text)))
			return err;
	}
	return NULL;
}

/* ---- together ----------------------------------------------------------------------------------
 */

static size_t count_missing(const struct orphans *orphans)
{
	size_t n_missing = 0;

	for (size_t i = 0; i < orphans->n_rows; i++)
		n_missing += !orphans->rows[i].is_found;
	return n_missing;
}

static struct dms_error *no_formats(const struct perf_head *head)
{
	const char *why = head->tracing_error ? dms_error_message(head->tracing_error) : NULL;

	if (head->is_pipe_cut)
		why = "they stand before the first event, and the file ends there: it is cut off";
	else if (!why && head->missing_bytes)
		why = "they stand at its end, which is cut off";
	else if (!why && head->is_unfinished)
		why = "perf was killed before it wrote them";
	return dms_error_new(DMS_ERROR_INPUT,
			     "%s: holds no event formats%s%s%s%s; give those of the traced kernel "
			     "with --formats DIR (a copy of its tracefs events folder)",
			     head->file.path, head->n_names ? "" : ", nor names of its events",
			     why ? " (" : "", why ? why : "", why ? ")" : "");
}

/* What was taken from elsewhere, and what could not be had. */
static struct dms_error *note_orphans(struct perf_head *head, const struct orphans *orphans,
				      size_t n_shipped, const char *folder)
{
	size_t n_missing = count_missing(orphans);
	size_t n_found = orphans->n_rows - n_missing - n_shipped;
	struct dms_error *err = NULL;

	if (head->tracing_error)
		err = perf_head_note(head, dms_strdup(dms_error_message(head->tracing_error)));
	if (!err && n_found)
		err = perf_head_note(head, dms_asprintf("the file holds no formats of %zu events: "
							"they were read from %s",
							n_found, folder));
	if (!err && n_shipped)
		err = perf_head_note(
			head, dms_asprintf("the file holds no formats of %zu events: those this "
					   "program knows of kernels near %s were taken, and fit",
					   n_shipped, head->release ? head->release : "6.12"));
	if (!err && n_missing)
		err = perf_head_note(head, dms_asprintf("%zu events were recorded whose formats "
							"the file does not hold: they are not read",
							n_missing));
	return err;
}

struct dms_error *perf_formats_complete(struct perf_head *head,
					const struct dms_source_options *options)
{
	struct orphans orphans = {0};
	size_t n_before = head->n_formats, n_left;
	struct dms_error *err;

	if ((err = find_orphans(head, &orphans)))
		goto out;
	if (orphans.n_rows && (err = sample_orphans(head, &orphans)))
		goto out;
	if (orphans.n_rows && options->formats_dir &&
	    (err = read_folder(head, &orphans, options->formats_dir)))
		goto out;
	n_left = count_missing(&orphans);
	if ((err = take_shipped(head, &orphans)))
		goto out;
	if (!n_before && count_missing(&orphans) == orphans.n_rows)
		err = no_formats(head);
	else
		err = note_orphans(head, &orphans, n_left - count_missing(&orphans),
				   options->formats_dir);
out:
	orphans_deinit(&orphans);
	return err;
}
