// SPDX-License-Identifier: LGPL-2.1-only
/* Names of tasks by pid, as the lines of a text dump tell them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "survey.h"

#define MAX_TASKS 0x100000 /* a hostile file shall not fill memory with tasks */
#define MAX_COMM  64	   /* TASK_COMM_LEN is 16; names of workers are longer in some tools */

struct task {
	uint32_t pid, comm; /* comm: in names, plus 1; 0: an empty slot */
};

struct text_comms {
	struct dms_strtab *names;
	struct task *tasks; /* open addressing, by pid */
	size_t n_tasks, n_slots;
};

struct text_comms *text_comms_create(void)
{
	struct text_comms *comms = dms_zalloc(sizeof(*comms));

	if (!comms)
		return NULL;
	comms->names = dms_strtab_create();
	if (!comms->names) {
		dms_free(comms);
		return NULL;
	}
	return comms;
}

void text_comms_destroy(struct text_comms *comms)
{
	if (!comms)
		return;
	dms_strtab_destroy(comms->names);
	dms_free(comms->tasks);
	dms_free(comms);
}

static struct task *find(struct task *tasks, size_t n_slots, uint32_t pid)
{
	size_t slot = dms_hash64(pid) & (n_slots - 1);

	while (tasks[slot].comm && tasks[slot].pid != pid)
		slot = (slot + 1) & (n_slots - 1);
	return &tasks[slot];
}

/* Keep the table at most half full. */
static bool make_room(struct text_comms *comms)
{
	size_t n_slots = comms->n_slots ? comms->n_slots * 2 : 64;
	struct task *tasks;

	if (comms->n_tasks < comms->n_slots / 2)
		return true;
	tasks = dms_zalloc(n_slots * sizeof(*tasks));
	if (!tasks)
		return false;
	for (size_t i = 0; i < comms->n_slots; i++) {
		if (comms->tasks[i].comm)
			*find(tasks, n_slots, comms->tasks[i].pid) = comms->tasks[i];
	}
	dms_free(comms->tasks);
	comms->tasks = tasks;
	comms->n_slots = n_slots;
	return true;
}

/* tracefs prints "<...>" for a task whose name was overwritten, perf ":pid". */
static bool is_name(struct text_piece comm)
{
	return comm.str && comm.len && comm.len <= MAX_COMM && comm.str[0] != ':' &&
	       !(comm.len == 5 && !memcmp(comm.str, "<...>", 5)) &&
	       !memchr(comm.str, '\0', comm.len);
}

bool text_comms_note(struct text_comms *comms, uint32_t pid, struct text_piece comm)
{
	const char *known;
	struct task *task;
	uint32_t name;

	if (!is_name(comm))
		return true;
	if (!make_room(comms))
		return false;
	task = find(comms->tasks, comms->n_slots, pid);
	known = task->comm ? dms_strtab_get(comms->names, task->comm - 1) : NULL;
	if (known && strlen(known) == comm.len && !memcmp(known, comm.str, comm.len))
		return true;
	if (!known && comms->n_tasks >= MAX_TASKS)
		return true;
	name = dms_strtab_add(comms->names, comm.str, comm.len);
	if (name == DMS_STR_NONE)
		return false;
	comms->n_tasks += !known;
	*task = (struct task){pid, name + 1};
	return true;
}

static int compare_tasks(const void *left, const void *right)
{
	const struct task *a = left, *b = right;

	if (!a->comm || !b->comm) /* empty slots last */
		return !a->comm - !b->comm;
	return (a->pid > b->pid) - (a->pid < b->pid);
}

char *text_comms_text(const struct text_comms *comms)
{
	_cleanup_(dms_freep) struct task *tasks = dms_alloc(comms->n_slots * sizeof(*tasks));
	size_t bytes = 1, used = 0;
	char *text;

	if (!tasks)
		return NULL;
	if (comms->n_slots) {
		memcpy(tasks, comms->tasks, comms->n_slots * sizeof(*tasks));
		qsort(tasks, comms->n_slots, sizeof(*tasks), compare_tasks);
	}
	for (size_t i = 0; i < comms->n_tasks; i++)
		bytes += strlen(dms_strtab_get(comms->names, tasks[i].comm - 1)) + 12;
	text = dms_zalloc(bytes);
	for (size_t i = 0; text && i < comms->n_tasks; i++)
		used += (size_t)sprintf(text + used, "%u %s\n", tasks[i].pid,
					dms_strtab_get(comms->names, tasks[i].comm - 1));
	return text;
}
