/* SPDX-License-Identifier: LGPL-2.1-only */
/* What cannot be read at any offset, compressed files and pipes, copied into a temporary file. */
#ifndef DMS_INPUT_UNPACK_H
#define DMS_INPUT_UNPACK_H

#include "file.h"

/** More than any trace has, and less than a compressed file made to fill disks. */
#define UNPACK_MAX_BYTES (16ull << 30)
/** So much of a file's beginning tells how it is compressed. */
#define UNPACK_SNIFF_BYTES 8

/** How data that begins with @head is compressed: "gzip", "zstd", "xz"; NULL: not at all. */
const char *unpack_packing(const void *head, size_t bytes);

/**
 * Read @file from where it stands to its end into a temporary file in $TMPDIR, or /tmp, unpacked
 * if it is compressed; fd, size and origin of @file become the copy's. All members of a file of
 * several are read. Memory: what the formats need, 128 MiB at most.
 * Errors: reading failed; INPUT: more than @max_bytes, or than DMASCOPE_MAX_UNPACKED allows, or 200
 * times what it was packed in; DMS_ERROR_INTERNAL: no room. Damage is told by the origin. The error
 * names the file.
 */
struct dms_error *unpack_file(struct file *file, uint64_t max_bytes);

void file_origin_destroy(struct file_origin *origin);

#endif
