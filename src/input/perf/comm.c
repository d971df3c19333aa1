// SPDX-License-Identifier: LGPL-2.1-only
/* Names of tasks out of a perf.data's COMM and FORK records, kept for those that do DMA. */
#include <stdio.h>

#include "perf.h"

#define COMM_BYTES 16 /* TASK_COMM_LEN, terminator included */
/* More tasks than a default pid_max; what comes then stays unnamed. */
#define MAX_TASKS (1u << 16)
#define MAX_TEXT  (4u << 20)

struct perf_task {
	uint32_t pid;
	bool is_used, is_told;
	char comm[COMM_BYTES];
};

void perf_comms_deinit(struct perf_comms *comms)
{
	dms_free(comms->tasks);
	dms_free(comms->text);
}

/* The slot of @pid, or the free one where it would be. */
static struct perf_task *slot_of(struct perf_task *tasks, size_t capacity, uint32_t pid)
{
	size_t at = dms_hash64(pid) & (capacity - 1);

	while (tasks[at].is_used && tasks[at].pid != pid)
		at = (at + 1) & (capacity - 1);
	return &tasks[at];
}

static bool grow(struct perf_comms *comms)
{
	size_t capacity = comms->capacity ? 2 * comms->capacity : 256;
	struct perf_task *tasks = dms_zalloc(capacity * sizeof(*tasks));

	if (!tasks)
		return false;
	for (size_t i = 0; i < comms->capacity; i++) {
		if (comms->tasks[i].is_used)
			*slot_of(tasks, capacity, comms->tasks[i].pid) = comms->tasks[i];
	}
	dms_free(comms->tasks);
	comms->tasks = tasks;
	comms->capacity = capacity;
	return true;
}

static const struct perf_task *find(const struct perf_comms *comms, uint32_t pid)
{
	const struct perf_task *task;

	if (!comms->capacity)
		return NULL;
	task = slot_of(comms->tasks, comms->capacity, pid);
	return task->is_used ? task : NULL;
}

static bool set(struct perf_comms *comms, uint32_t pid, const char *comm, size_t bytes)
{
	struct perf_task *task;
	char name[COMM_BYTES] = {0};

	memcpy(name, comm, strnlen(comm, bytes < COMM_BYTES ? bytes : COMM_BYTES - 1));
	name[strcspn(name, "\n")] = '\0'; /* it goes into a line */
	if (2 * (comms->n_tasks + 1) > comms->capacity && comms->n_tasks < MAX_TASKS &&
	    !grow(comms))
		return false;
	task = slot_of(comms->tasks, comms->capacity, pid);
	if (!task->is_used && comms->n_tasks >= MAX_TASKS)
		return true;
	if (task->is_used && !memcmp(task->comm, name, COMM_BYTES))
		return true;
	comms->n_tasks += !task->is_used;
	*task = (struct perf_task){.pid = pid, .is_used = true};
	memcpy(task->comm, name, COMM_BYTES);
	comms->has_last = false;
	return true;
}

/* COMM: pid, tid, name; FORK: pid, ppid, tid, ptid: the child is called as its parent is. */
bool perf_comms_record(struct perf_comms *comms, const struct perf_head *head,
		       const struct perf_raw *raw)
{
	const uint8_t *body = raw->data + PERF_HEADER_BYTES;
	uint32_t bytes = raw->size - PERF_HEADER_BYTES;
	const struct perf_task *parent;
	char name[COMM_BYTES];

	if (raw->type == PERF_COMM)
		return bytes <= 8 ||
		       set(comms, load32(body + 4, head->swap), (const char *)body + 8, bytes - 8);
	if (bytes < 16)
		return true;
	parent = find(comms, load32(body + 12, head->swap));
	if (!parent)
		return true;
	memcpy(name, parent->comm, COMM_BYTES); /* the table may move */
	return set(comms, load32(body + 8, head->swap), name, COMM_BYTES);
}

bool perf_comms_want(struct perf_comms *comms, uint32_t pid)
{
	char line[COMM_BYTES + 16];
	struct perf_task *task;
	int bytes;

	if (comms->has_last && comms->last_pid == pid)
		return true;
	comms->has_last = true;
	comms->last_pid = pid;
	task = (struct perf_task *)find(comms, pid);
	if (!task || task->is_told || !task->comm[0] || comms->n_text > MAX_TEXT)
		return true;
	bytes = snprintf(line, sizeof(line), "%u %.15s\n", pid, task->comm);
	if (!dms_grow(&comms->text, &comms->text_capacity, comms->n_text + (size_t)bytes + 1, 1))
		return false;
	memcpy(comms->text + comms->n_text, line, (size_t)bytes + 1);
	comms->n_text += (size_t)bytes;
	task->is_told = true;
	return true;
}
