// SPDX-License-Identifier: LGPL-2.1-only
/* Names of tasks: tracefs keeps few (128), so those that run are asked as well. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "local.h"

struct dms_error *tasks_init(struct tasks *tasks)
{
	*tasks = (struct tasks){.pids = dms_strtab_create()};
	return tasks->pids ? NULL : &dms_error_nomem;
}

void tasks_deinit(struct tasks *tasks)
{
	dms_strtab_destroy(tasks->pids);
	dms_free(tasks->lines.data);
	*tasks = (struct tasks){0};
}

static void add(struct tasks *tasks, const char *line, size_t size, size_t pid_size)
{
	uint32_t n_pids = dms_strtab_count(tasks->pids);
	uint32_t number = dms_strtab_add(tasks->pids, line, pid_size);

	tasks->lines.is_broken |= number == DMS_STR_NONE;
	if (number != n_pids)
		return;
	text_put(&tasks->lines, line, size);
	text_put(&tasks->lines, "\n", 1);
}

void tasks_add_lines(struct tasks *tasks, const char *text)
{
	const char *next;

	for (const char *line = text && *text ? text : NULL; line; line = next) {
		size_t size = text_line(line, &next), pid_size = strspn(line, "0123456789");

		if (pid_size && pid_size + 1 < size && line[pid_size] == ' ')
			add(tasks, line, size, pid_size);
	}
}

static void add_task(struct tasks *tasks, const struct dms_kernel *kernel, const char *folder,
		     const char *pid)
{
	_cleanup_(dms_freep) char *path = dms_asprintf("%s/%s/comm", folder, pid);
	_cleanup_(dms_freep) char *name = path ? dms_kernel_read(kernel, path, NULL) : NULL;
	_cleanup_(dms_freep) char *line = name ? dms_asprintf("%s %s", pid, name) : NULL;

	tasks->lines.is_broken |= !path || (name && !line) || (!name && errno == ENOMEM);
	if (line) /* it may have ended by now */
		add(tasks, line, strcspn(line, "\n"), strlen(pid));
}

static struct dms_error *add_process(struct tasks *tasks, const struct dms_kernel *kernel,
				     const char *process)
{
	_cleanup_(dms_freep) char *folder = dms_asprintf("/proc/%s/task", process);
	struct dms_list threads;
	struct dms_error *err;

	if (!folder)
		return &dms_error_nomem;
	if ((err = dms_kernel_list(kernel, folder, &threads)))
		return err;
	for (size_t i = 0; i < threads.n_items; i++)
		add_task(tasks, kernel, folder, threads.items[i]);
	dms_list_free(&threads);
	return NULL;
}

struct dms_error *tasks_add_running(struct tasks *tasks, const struct dms_kernel *kernel)
{
	struct dms_list processes;
	struct dms_error *err = dms_kernel_list(kernel, "/proc", &processes);

	for (size_t i = 0; !err && i < processes.n_items; i++) {
		if (isdigit((unsigned char)processes.items[i][0]))
			err = add_process(tasks, kernel, processes.items[i]);
	}
	dms_list_free(&processes);
	return err;
}
