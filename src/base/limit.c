// SPDX-License-Identifier: LGPL-2.1-only
/* A bound on the memory of the whole process, libraries and threads among it, kept by the kernel. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sys/resource.h>

#include <dmascope/base.h>

/* Less does not carry the program, its libraries and its threads. */
#define LEAST_BYTES (16u << 20)
/* A thread's stack counts in full; ours are a tenth of this at most. */
#define STACK_BYTES (512u << 10)

/*
 * RLIMIT_DATA counts what is private and writable (Linux 4.7 and later; before, only the heap):
 * what is beyond it is refused at the time of asking, and never killed for later. RLIMIT_AS would
 * count mapped files, which the kernel can drop; RLIMIT_RSS does nothing.
 */
struct dms_error *dms_memory_limit(uint64_t bytes)
{
	struct rlimit limit;
	pthread_attr_t attr;

	if (bytes < LEAST_BYTES)
		return dms_error_new(DMS_ERROR_USAGE, "%" PRIu64 " bytes are too little to begin with: "
				     "at least %u MiB", bytes, LEAST_BYTES >> 20);
	if (getrlimit(RLIMIT_DATA, &limit))
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "asking for the limit of memory");
	if (bytes < limit.rlim_cur)
		limit.rlim_cur = bytes;
	if (setrlimit(RLIMIT_DATA, &limit))
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "limiting the memory");
	if (!pthread_attr_init(&attr)) {
		pthread_attr_setstacksize(&attr, STACK_BYTES);
		pthread_setattr_default_np(&attr);
		pthread_attr_destroy(&attr);
	}
	return NULL;
}
