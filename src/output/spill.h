/* SPDX-License-Identifier: LGPL-2.1-only */
/* Many streams of bytes in one temporary file, each read back from its beginning. */
#ifndef DMS_OUTPUT_SPILL_H
#define DMS_OUTPUT_SPILL_H

#include <dmascope/base.h>

/* A slot of the file: the number of the stream's next one, then its bytes. */
#define SPILL_SLOT_BYTES 16384u
#define SPILL_HEAD_BYTES 8u

/** The temporary file. It has no name: it is gone however the program ends. */
struct spill {
	int fd;
	uint64_t n_slots;
};

/** One stream. Its last slot is in memory; those before are a chain in the file. */
struct spill_log {
	uint8_t *slot; /* NULL: nothing was written yet */
	uint32_t filled;
	uint64_t first, current; /* numbers of slots */
};

/** Where reading a stream stands. */
struct spill_reader {
	const struct spill *spill;
	const struct spill_log *log;
	uint8_t *slot; /* buffer for those from the file */
	const uint8_t *at, *end;
	uint64_t next;	 /* slot after this one */
	bool is_last;
};

/** Make the temporary file in the folder of the file @beside. */
struct dms_error *spill_open(struct spill *spill, const char *beside);
void spill_close(struct spill *spill);

struct dms_error *spill_append(struct spill *spill, struct spill_log *log, const void *data,
			       size_t bytes);
void spill_log_deinit(struct spill_log *log);

struct dms_error *spill_reader_init(struct spill_reader *reader, const struct spill *spill,
				    const struct spill_log *log);
void spill_reader_deinit(struct spill_reader *reader);
/** Is there no more? */
bool spill_reader_at_end(const struct spill_reader *reader);
/** The next @bytes, which must have been written, into @to. */
struct dms_error *spill_read(struct spill_reader *reader, void *to, size_t bytes);

#endif
