// SPDX-License-Identifier: LGPL-2.1-only
/* The ring buffers of an instance, moved to files without name, one for each CPU. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <tracefs.h>

#include "local.h"

/* Kept back on the disk, so that a full one can still take what stands before the records. */
#define RESERVE_BYTES (32ll << 20)
/* More than any kernel can be built for; no trace.dat may have more. */
#define MAX_CPUS 65536

/* ---- opening --------------------------------------------------------------------------------- */

/* "field: char data;\toffset:16;\tsize:4080;": both together are a sub-buffer. */
static uint32_t find_subbuf_bytes(const char *instance)
{
	_cleanup_(dms_freep) char *path = dms_asprintf("%s/events/header_page", instance);
	_cleanup_(dms_freep) char *own = path ? text_file(path, NULL) : NULL;
	_cleanup_(dms_freep) char *top_path = dms_asprintf("%s/../../events/header_page", instance);
	_cleanup_(dms_freep) char *top = !own && top_path ? text_file(top_path, NULL) : NULL;
	const char *text = own ? own : top, *data = text ? strstr(text, "char data;") : NULL;
	unsigned int offset, size;

	if (data && sscanf(data, "char data; offset:%u; size:%u;", &offset, &size) == 2 &&
	    offset < 64 && size && size <= (16u << 20))
		return offset + size;
	return (uint32_t)sysconf(_SC_PAGESIZE);
}

static struct dms_error *open_cpu(struct drain *drain, const char *instance, const char *output,
				  unsigned int number)
{
	_cleanup_(dms_freep) char *path =
		dms_asprintf("%s/per_cpu/cpu%u/trace_pipe_raw", instance, number);
	struct drain_cpu *cpu;

	if (!path ||
	    !dms_grow(&drain->cpus, &drain->capacity, drain->n_cpus + 1, sizeof(*drain->cpus)))
		return &dms_error_nomem;
	cpu = &drain->cpus[drain->n_cpus++];
	*cpu = (struct drain_cpu){.number = number, .raw = -1, .spool = -1};
	cpu->raw = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (cpu->raw < 0)
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path);
	cpu->spool = dms_open_nameless(output);
	if (cpu->spool < 0)
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "a temporary file beside %s",
				       output);
	cpu->cpu = tracefs_cpu_alloc_fd(cpu->raw, (int)drain->subbuf_bytes, true);
	return cpu->cpu ? NULL : dms_error_errno(DMS_ERROR_INTERNAL, errno, "%s", path);
}

/** Of CPUs. */
struct numbers {
	unsigned int *items;
	size_t n_items, capacity;
};

static int by_number(const void *left, const void *right)
{
	unsigned int a = *(const unsigned int *)left, b = *(const unsigned int *)right;

	return a < b ? -1 : a > b;
}

uint32_t drain_n_rows(const struct drain *drain)
{
	return drain->n_cpus ? drain->cpus[drain->n_cpus - 1].number + 1 : 0;
}

/* Three or four descriptors for each CPU. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* CPUs that are not there, or were not when tracing began, leave holes between the numbers. */
static struct dms_error *list_cpus(const char *instance, struct numbers *ret)
{
	_cleanup_(dms_freep) char *path = dms_asprintf("%s/per_cpu", instance);
	DIR *folder = path ? opendir(path) : NULL;
	struct dms_error *err = NULL;
	struct dirent *entry;

	if (!path)
		return &dms_error_nomem;
	if (!folder)
		return dms_error_errno(DMS_ERROR_INPUT, errno, "%s", path);
	while (!err && (entry = readdir(folder))) {
		unsigned int number;
		char end;

		if (sscanf(entry->d_name, "cpu%u%c", &number, &end) != 1 || number >= MAX_CPUS)
			continue;
		if (dms_grow(&ret->items, &ret->capacity, ret->n_items + 1, sizeof(*ret->items)))
			ret->items[ret->n_items++] = number;
		else
			err = &dms_error_nomem;
	}
	closedir(folder);
	if (!err && !ret->n_items)
		err = dms_error_new(DMS_ERROR_INPUT, "%s: no CPU", path);
	if (!err)
		qsort(ret->items, ret->n_items, sizeof(*ret->items), by_number);
	return err;
}

static struct dms_error *open_cpus(struct drain *drain, const char *instance, const char *output)
{
	struct numbers numbers = {0};
	struct dms_error *err = list_cpus(instance, &numbers);

	for (size_t i = 0; !err && i < numbers.n_items; i++)
		err = open_cpu(drain, instance, output, numbers.items[i]);
	dms_free(numbers.items);
	return err;
}

struct dms_error *drain_open(struct drain *drain, const char *instance, const char *output)
{
	*drain = (struct drain){.subbuf_bytes = find_subbuf_bytes(instance)};
	raise_file_limit();
	drain->reserve = dms_open_nameless(output);
	if (drain->reserve < 0)
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "a temporary file beside %s",
				       output);
	if (posix_fallocate(drain->reserve, 0, RESERVE_BYTES) == ENOSPC)
		return dms_error_errno(DMS_ERROR_INTERNAL, ENOSPC, "a recording at %s", output);
	drain->page = dms_alloc(drain->subbuf_bytes);
	if (!drain->page)
		return &dms_error_nomem;
	return open_cpus(drain, instance, output);
}

void drain_detach(struct drain *drain)
{
	for (size_t i = 0; i < drain->n_cpus; i++) {
		struct drain_cpu *cpu = &drain->cpus[i];

		if (cpu->cpu)
			tracefs_cpu_free_fd(cpu->cpu);
		if (cpu->raw >= 0)
			close(cpu->raw);
		cpu->cpu = NULL;
		cpu->raw = -1;
	}
	if (drain->reserve >= 0)
		close(drain->reserve);
	drain->reserve = -1;
}

void drain_close(struct drain *drain)
{
	drain_detach(drain);
	for (size_t i = 0; i < drain->n_cpus; i++) {
		if (drain->cpus[i].spool >= 0)
			close(drain->cpus[i].spool);
		dms_free(drain->cpus[i].stats);
	}
	dms_free(drain->cpus);
	dms_free(drain->page);
	*drain = (struct drain){.reserve = -1};
}

/* ---- moving ---------------------------------------------------------------------------------- */

static struct dms_error *moved(struct drain_cpu *cpu, ssize_t got, bool *ret_full)
{
	if (got >= 0) {
		cpu->bytes += (uint64_t)got;
		return NULL;
	}
	if (errno == EAGAIN || errno == EINTR)
		return NULL;
	*ret_full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
	if (*ret_full)
		return NULL;
	return dms_error_errno(DMS_ERROR_INTERNAL, errno, "the buffer of CPU %u", cpu->number);
}

struct dms_error *drain_some(struct drain *drain, bool *ret_full)
{
	for (size_t i = 0; i < drain->n_cpus && !*ret_full; i++) {
		struct drain_cpu *cpu = &drain->cpus[i];
		struct dms_error *err;
		ssize_t got;

		do {
			got = tracefs_cpu_write(cpu->cpu, cpu->spool, true);
			if ((err = moved(cpu, got, ret_full)))
				return err;
		} while (got > 0);
	}
	return NULL;
}

static struct dms_error *write_page(struct drain *drain, struct drain_cpu *cpu, size_t size,
				    bool *ret_full)
{
	if (size < drain->subbuf_bytes)
		memset(drain->page + size, 0, drain->subbuf_bytes - size);
	for (size_t done = 0; done < drain->subbuf_bytes && !*ret_full;) {
		ssize_t got = write(cpu->spool, drain->page + done, drain->subbuf_bytes - done);
		struct dms_error *err = moved(cpu, got, ret_full);

		if (err)
			return err;
		done += got > 0 ? (size_t)got : 0;
	}
	return NULL;
}

static char *read_stats(const char *instance, unsigned int number)
{
	_cleanup_(dms_freep) char *path = dms_asprintf("%s/per_cpu/cpu%u/stats", instance, number);

	return path ? text_file(path, NULL) : NULL;
}

struct dms_error *drain_rest(struct drain *drain, const char *instance, bool *ret_full)
{
	struct dms_error *err = drain_some(drain, ret_full);

	for (size_t i = 0; !err && i < drain->n_cpus; i++) {
		struct drain_cpu *cpu = &drain->cpus[i];
		ssize_t got = 1;

		while (!err && !*ret_full && got > 0) {
			got = tracefs_cpu_flush(cpu->cpu, drain->page);
			if (got > 0)
				err = write_page(drain, cpu, (size_t)got, ret_full);
		}
		/* on a full disk the last one may be there in part */
		cpu->bytes -= cpu->bytes % drain->subbuf_bytes;
		cpu->stats = read_stats(instance, cpu->number);
	}
	return err;
}
