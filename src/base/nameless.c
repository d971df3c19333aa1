// SPDX-License-Identifier: LGPL-2.1-only
/* Files without a name: nothing of them is left behind, whatever ends us. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <dmascope/base.h>

/* Others may make the same name at the same moment; so often it is somebody else's for good. */
#define MOST_TRIES 100

/* What stands there is left from a process that was killed between the two calls below. */
static int open_and_unlink(const char *name)
{
	for (int i = 0; i < MOST_TRIES; i++) {
		int fd = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

		if (fd < 0 && errno != EEXIST)
			return -1;
		if (unlink(name) && fd < 0 && errno != ENOENT)
			return -1;
		if (fd >= 0)
			return fd;
	}
	errno = EEXIST;
	return -1;
}

int dms_open_nameless(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(dms_freep) char *folder =
		slash ? dms_strndup(path, (size_t)(slash - path) + 1) : dms_strdup(".");
	int fd = folder ? open(folder, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600) : -1;
	_cleanup_(dms_freep) char *name = NULL;

	if (fd >= 0)
		return fd;
	name = dms_asprintf("%s.nameless.part", path); /* not every file system has O_TMPFILE */
	if (!folder || !name) {
		errno = ENOMEM;
		return -1;
	}
	return open_and_unlink(name);
}
