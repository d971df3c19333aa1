// SPDX-License-Identifier: LGPL-2.1-only
/* Many streams of bytes in one temporary file, each read back from its beginning. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spill.h"

struct dms_error *spill_open(struct spill *spill, const char *beside)
{
	*spill = (struct spill){.fd = dms_open_nameless(beside)};
	return spill->fd >= 0 ? NULL : dms_error_errno(DMS_ERROR_INTERNAL, errno,
						       "making a temporary file beside %s", beside);
}

void spill_close(struct spill *spill)
{
	if (spill->fd >= 0)
		close(spill->fd);
	spill->fd = -1;
}

static struct dms_error *write_slot(const struct spill *spill, const struct spill_log *log)
{
	uint64_t to = log->current * SPILL_SLOT_BYTES;
	size_t done = 0;

	while (done < SPILL_SLOT_BYTES) {
		ssize_t n = pwrite(spill->fd, log->slot + done, SPILL_SLOT_BYTES - done,
				   (off_t)(to + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return dms_error_errno(DMS_ERROR_INTERNAL, n ? errno : ENOSPC,
					       "writing the temporary file");
		done += (size_t)n;
	}
	return NULL;
}

/* Each stream owns the slot it will write next: so a full one can name the one after it. */
static struct dms_error *next_slot(struct spill *spill, struct spill_log *log)
{
	uint64_t next = spill->n_slots++;

	if (!log->slot) {
		log->slot = dms_alloc(SPILL_SLOT_BYTES);
		if (!log->slot)
			return &dms_error_nomem;
		log->first = next;
	} else {
		struct dms_error *err;

		memcpy(log->slot, &next, sizeof(next));
		if ((err = write_slot(spill, log)))
			return err;
	}
	log->current = next;
	log->filled = SPILL_HEAD_BYTES;
	return NULL;
}

struct dms_error *spill_append(struct spill *spill, struct spill_log *log, const void *data,
			       size_t bytes)
{
	const uint8_t *from = data;

	while (bytes) {
		size_t part;

		if (!log->slot || log->filled == SPILL_SLOT_BYTES) {
			struct dms_error *err = next_slot(spill, log);

			if (err)
				return err;
		}
		part = SPILL_SLOT_BYTES - log->filled;
		if (part > bytes)
			part = bytes;
		memcpy(log->slot + log->filled, from, part);
		log->filled += (uint32_t)part;
		from += part;
		bytes -= part;
	}
	return NULL;
}

void spill_log_deinit(struct spill_log *log)
{
	dms_free(log->slot);
	log->slot = NULL;
}

static struct dms_error *load_slot(struct spill_reader *reader)
{
	off_t from = (off_t)(reader->next * SPILL_SLOT_BYTES);
	size_t done = 0;

	if (reader->next == reader->log->current) {
		reader->is_last = true;
		reader->at = reader->log->slot + SPILL_HEAD_BYTES;
		reader->end = reader->log->slot + reader->log->filled;
		return NULL;
	}
	while (done < SPILL_SLOT_BYTES) {
		ssize_t n = pread(reader->spill->fd, reader->slot + done, SPILL_SLOT_BYTES - done,
				  from + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return dms_error_errno(DMS_ERROR_INTERNAL, n ? errno : EIO,
					       "reading the temporary file");
		done += (size_t)n;
	}
	memcpy(&reader->next, reader->slot, sizeof(reader->next));
	reader->at = reader->slot + SPILL_HEAD_BYTES;
	reader->end = reader->slot + SPILL_SLOT_BYTES;
	return NULL;
}

struct dms_error *spill_reader_init(struct spill_reader *reader, const struct spill *spill,
				    const struct spill_log *log)
{
	*reader = (struct spill_reader){.spill = spill, .log = log, .next = log->first};
	if (!log->slot) {
		reader->is_last = true;
		return NULL;
	}
	reader->slot = dms_alloc(SPILL_SLOT_BYTES);
	return reader->slot ? load_slot(reader) : &dms_error_nomem;
}

void spill_reader_deinit(struct spill_reader *reader)
{
	dms_free(reader->slot);
	reader->slot = NULL;
}

/* A full slot has a next one only once something is written to it. */
bool spill_reader_at_end(const struct spill_reader *reader)
{
	return reader->is_last && reader->at == reader->end;
}

struct dms_error *spill_read(struct spill_reader *reader, void *to, size_t bytes)
{
	uint8_t *out = to;

	while (bytes) {
		size_t part = (size_t)(reader->end - reader->at);

		if (!part) {
			struct dms_error *err;

			if (reader->is_last)
				return dms_error_new(DMS_ERROR_INTERNAL,
						     "the temporary file is too short");
			if ((err = load_slot(reader)))
				return err;
			continue;
		}
		if (part > bytes)
			part = bytes;
		memcpy(out, reader->at, part);
		reader->at += part;
		out += part;
		bytes -= part;
	}
	return NULL;
}
