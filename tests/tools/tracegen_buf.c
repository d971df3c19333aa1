// SPDX-License-Identifier: GPL-2.0-only
/* A growing piece of file, written number by number in the trace's byte order. */
#include "tracegen.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void tg_buf_bytes(struct tg_buf *b, const void *data, size_t size)
{
	if (b->size + size > b->room) {
		b->room = (b->size + size) * 2;
		b->data = tg_realloc(b->data, b->room);
	}
	if (data)
		memcpy(b->data + b->size, data, size);
	else
		memset(b->data + b->size, 0, size);
	b->size += size;
}

void tg_buf_number(struct tg_buf *b, unsigned int size, uint64_t value)
{
	uint8_t bytes[8];

	tg_put(bytes, size, value, b->big_endian);
	tg_buf_bytes(b, bytes, size);
}

void tg_buf_string(struct tg_buf *b, const char *text)
{
	tg_buf_bytes(b, text, strlen(text) + 1);
}

void tg_buf_write(const struct tg_buf *b, int fd, uint64_t offset, const char *path)
{
	size_t done = 0;

	while (done < b->size) {
		ssize_t n = pwrite(fd, b->data + done, b->size - done, (off_t)(offset + done));

		if (n < 0 && errno != EINTR)
			tg_die("%s: %s", path, strerror(errno));
		if (n > 0)
			done += (size_t)n;
	}
}
