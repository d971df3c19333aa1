// SPDX-License-Identifier: LGPL-2.1-only
/*
 * What stands before the records in a trace.dat, out of the running kernel's tracefs.
 * Source of the format: man page trace-cmd.dat.v6.5.
 */
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "local.h"

#define MAGIC "\x17\x08\x44tracing"

enum { OPTION_CPUSTAT = 2, OPTION_CLOCK = 4, OPTION_UNAME = 5, OPTION_VERSION = 9 };

/* ---- numbers: we write on the machine that is recorded, so in its own byte order ------------- */

static void put_u16(struct text *text, uint16_t value)
{
	text_put(text, (const char *)&value, sizeof(value));
}

static void put_u32(struct text *text, uint32_t value)
{
	text_put(text, (const char *)&value, sizeof(value));
}

static void put_u64(struct text *text, uint64_t value)
{
	text_put(text, (const char *)&value, sizeof(value));
}

static void put_string(struct text *text, const char *string)
{
	text_put(text, string, strlen(string) + 1);
}

/* A file of tracefs behind its size; of the instance, where it has its own. */
static struct dms_error *put_file(struct text *text, const struct head_source *source,
				  const char *path)
{
	_cleanup_(dms_freep) char *own = dms_asprintf("%s/%s", source->plan->folder, path);
	_cleanup_(dms_freep) char *data = NULL;
	size_t size;

	if (!own)
		return &dms_error_nomem;
	data = dms_kernel_read_tracefs(source->kernel, own, &size);
	if (!data)
		data = dms_kernel_read_tracefs(source->kernel, path, &size);
	if (!data)
		return dms_error_new(DMS_ERROR_INPUT, "%s/%s cannot be read",
				     dms_kernel_tracefs(source->kernel), path);
	put_u64(text, size);
	text_put(text, data, size);
	return NULL;
}

/* ---- formats --------------------------------------------------------------------------------- */

/* All events of @system, behind their number. */
static struct dms_error *put_system(struct text *text, const struct head_source *source,
				    const char *system)
{
	_cleanup_(dms_freep) char *folder = dms_asprintf("events/%s", system);
	size_t count_at = text->size;
	struct dms_list events;
	struct dms_error *err;
	uint32_t n_events = 0;

	if (!folder)
		return &dms_error_nomem;
	if ((err = dms_kernel_list_tracefs(source->kernel, folder, &events)))
		return err;
	put_u32(text, 0);
	for (size_t i = 0; !err && i < events.n_items; i++) {
		_cleanup_(dms_freep) char *path =
			dms_asprintf("%s/%s/format", folder, events.items[i]);

		if (!path || !dms_kernel_has_tracefs(source->kernel, path))
			continue;
		err = put_file(text, source, path);
		n_events++;
	}
	dms_list_free(&events);
	if (!text->is_broken)
		memcpy(text->data + count_at, &n_events, sizeof(n_events));
	return err;
}

static struct dms_error *put_formats(struct text *text, const struct head_source *source)
{
	const struct dms_list *systems = &source->plan->systems;
	struct dms_error *err = put_system(text, source, "ftrace");
	size_t count_at = text->size;
	uint32_t n_systems = 0;

	put_u32(text, 0);
	for (size_t i = 0; !err && i < systems->n_items; i++) {
		/* probes that were refused have none */
		if (!dms_kernel_has_event(source->kernel, systems->items[i], NULL))
			continue;
		put_string(text, systems->items[i]);
		err = put_system(text, source, systems->items[i]);
		n_systems++;
	}
	if (!text->is_broken)
		memcpy(text->data + count_at, &n_systems, sizeof(n_systems));
	return err;
}

/* ---- symbols and tasks ----------------------------------------------------------------------- */

static void put_names(struct text *text, const struct head_source *source)
{
	_cleanup_(dms_freep) char *printk = NULL;
	size_t size = 0;

	put_u32(text, (uint32_t)source->symbols->lines.size);
	text_put(text, source->symbols->lines.data, source->symbols->lines.size);
	printk = dms_kernel_read_tracefs(source->kernel, "printk_formats", &size);
	put_u32(text, printk ? (uint32_t)size : 0);
	text_put(text, printk, printk ? size : 0);
	put_u64(text, source->tasks->lines.size);
	text_put(text, source->tasks->lines.data, source->tasks->lines.size);
	text->is_broken |= source->tasks->lines.is_broken | source->symbols->lines.is_broken;
}

/* ---- options --------------------------------------------------------------------------------- */

static void put_option(struct text *text, uint16_t id, const char *string)
{
	if (!string)
		return;
	put_u16(text, id);
	put_u32(text, (uint32_t)strlen(string) + 1);
	put_string(text, string);
}

static void put_options(struct text *text, const struct head_source *source)
{
	_cleanup_(dms_freep) char *path = dms_asprintf("%s/trace_clock", source->plan->folder);
	_cleanup_(dms_freep) char *clock =
		path ? dms_kernel_read_tracefs(source->kernel, path, NULL) : NULL;
	_cleanup_(dms_freep) char *machine = NULL;
	struct utsname name;

	text_put(text, "options  ", 10);
	put_option(text, OPTION_CLOCK, clock);
	if (!uname(&name))
		machine = dms_asprintf("%s %s %s %s", name.sysname, name.nodename, name.release,
				       name.machine);
	put_option(text, OPTION_UNAME, machine);
	put_option(text, OPTION_VERSION, "dmascope " DMS_VERSION);
	for (size_t i = 0; i < source->drain->n_cpus; i++) {
		const struct drain_cpu *cpu = &source->drain->cpus[i];
		_cleanup_(dms_freep) char *stats =
			dms_asprintf("CPU: %u\n%s", cpu->number, cpu->stats ? cpu->stats : "");

		put_option(text, OPTION_CPUSTAT, stats);
	}
	put_u16(text, 0);
}

struct dms_error *head_build(const struct head_source *source, struct text *ret)
{
	const uint16_t one = 1;
	const uint8_t shape[] = {!*(const uint8_t *)&one, sizeof(long)};
	struct dms_error *err;

	text_put(ret, MAGIC, strlen(MAGIC));
	put_string(ret, "6");
	text_put(ret, (const char *)shape, sizeof(shape));
	/* version 6 has one size for the machine's pages and for those of the buffers */
	put_u32(ret, source->drain->subbuf_bytes);
	put_string(ret, "header_page");
	if ((err = put_file(ret, source, "events/header_page")))
		return err;
	put_string(ret, "header_event");
	if ((err = put_file(ret, source, "events/header_event")) ||
	    (err = put_formats(ret, source)))
		return err;
	put_names(ret, source);
	put_u32(ret, drain_n_rows(source->drain));
	put_options(ret, source);
	return ret->is_broken ? &dms_error_nomem : NULL;
}
