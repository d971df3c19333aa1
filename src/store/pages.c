// SPDX-License-Identifier: LGPL-2.1-only
/* The end of a database file, to which whole pages are appended in large blocks. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leaf.h"

/* The file's header. */
enum {
	FILE_PAGE_BYTES = 16, FILE_RESERVED_BYTES = 20, FILE_CHANGES = 24, FILE_N_PAGES = 28,
	FILE_AUTO_VACUUM = 52, FILE_ENCODING = 56, FILE_VERSION_VALID_FOR = 92, FILE_HEAD_BYTES = 100,
	ENCODING_UTF8 = 1,
};

/* SQLite locks this byte of a file and leaves its page alone. */
#define LOCK_BYTE 0x40000000u
/* Large enough that the system call is nothing beside the copy. */
#define BLOCK_BYTES (1u << 20)
static struct dms_error *write_at(const struct dms_pages *pages, const unsigned char *data,
				  size_t bytes, uint64_t offset)
{
	ssize_t n;

	while (bytes) {
		n = pwrite(pages->fd, data, bytes, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return dms_error_errno(DMS_ERROR_INTERNAL, n ? errno : ENOSPC,
					       "%s: writing the database", pages->name);
		data += n;
		bytes -= (size_t)n;
		offset += (uint64_t)n;
	}
	return NULL;
}

static struct dms_error *read_head(const struct dms_pages *pages, unsigned char *head)
{
	ssize_t n = pread(pages->fd, head, FILE_HEAD_BYTES, 0);

	if (n == FILE_HEAD_BYTES)
		return NULL;
	return dms_error_errno(DMS_ERROR_INTERNAL, n < 0 ? errno : EIO, "%s: reading the database",
			       pages->name);
}

/* True if the file is as SQLite makes it by default; it can be built to make it otherwise. */
static bool read_shape(struct dms_pages *pages, const unsigned char *head)
{
	uint32_t page_bytes = (uint32_t)head[FILE_PAGE_BYTES] << 8 | head[FILE_PAGE_BYTES + 1];
	struct stat st;

	pages->page_bytes = page_bytes == 1 ? 65536 : page_bytes; /* it has 16 bits */
	pages->n_pages = dms_get32(head + FILE_N_PAGES);
	pages->lock_page = LOCK_BYTE / pages->page_bytes + 1;
	pages->block_offset = (uint64_t)pages->n_pages * pages->page_bytes;
	return !head[FILE_RESERVED_BYTES] && !dms_get32(head + FILE_AUTO_VACUUM) &&
	       dms_get32(head + FILE_ENCODING) == ENCODING_UTF8 && !fstat(pages->fd, &st) &&
	       (uint64_t)st.st_size == pages->block_offset;
}

struct dms_error *dms_pages_create(int fd, const char *name, struct dms_pages **ret)
{
	struct dms_pages *pages = dms_zalloc(sizeof(*pages));
	unsigned char head[FILE_HEAD_BYTES];
	struct dms_error *err = NULL;

	*ret = NULL;
	if (!pages)
		return &dms_error_nomem;
	pages->fd = fd;
	pages->name = name;
	pages->block = dms_alloc(BLOCK_BYTES);
	if (!pages->block)
		err = &dms_error_nomem;
	else
		err = read_head(pages, head);
	if (err || !read_shape(pages, head)) {
		dms_pages_destroy(pages);
		return err;
	}
	*ret = pages;
	return NULL;
}

void dms_pages_destroy(struct dms_pages *pages)
{
	if (!pages)
		return;
	dms_free(pages->block);
	dms_free(pages);
}

static struct dms_error *write_block(struct dms_pages *pages)
{
	struct dms_error *err;

	err = write_at(pages, pages->block, pages->block_used, pages->block_offset);
	/* on its way to the disk: the fsync() at the end then has little left to wait for */
	sync_file_range(pages->fd, (off_t)pages->block_offset, (off_t)pages->block_used,
			SYNC_FILE_RANGE_WRITE);
	pages->block_offset += pages->block_used;
	pages->block_used = 0;
	return err;
}

struct dms_error *dms_pages_append(struct dms_pages *pages, const unsigned char *page,
				   uint32_t *ret)
{
	struct dms_error *err;

	if (pages->block_used + 2 * pages->page_bytes > BLOCK_BYTES && (err = write_block(pages)))
		return err;
	if (++pages->n_pages == pages->lock_page) {
		memset(pages->block + pages->block_used, 0, pages->page_bytes);
		pages->block_used += pages->page_bytes;
		pages->n_pages++;
	}
	memcpy(pages->block + pages->block_used, page, pages->page_bytes);
	pages->block_used += pages->page_bytes;
	*ret = pages->n_pages;
	return NULL;
}

struct dms_error *dms_pages_put(struct dms_pages *pages, uint32_t number,
				const unsigned char *page)
{
	return write_at(pages, page, pages->page_bytes,
			(uint64_t)(number - 1) * pages->page_bytes);
}

struct dms_error *dms_pages_finish(struct dms_pages *pages)
{
	unsigned char head[FILE_HEAD_BYTES];
	struct dms_error *err = write_block(pages);

	if (err || (err = read_head(pages, head)))
		return err;
	/* The size counts only where both of these agree. */
	dms_put32(head + FILE_CHANGES, dms_get32(head + FILE_CHANGES) + 1);
	memcpy(head + FILE_VERSION_VALID_FOR, head + FILE_CHANGES, sizeof(uint32_t));
	dms_put32(head + FILE_N_PAGES, pages->n_pages);
	return write_at(pages, head, sizeof(head), 0);
}
