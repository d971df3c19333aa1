// SPDX-License-Identifier: LGPL-2.1-only
/* The calls a finding is about: read out of its facts, and printed as dma-debug prints them. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include <dmascope/symbols.h>

#include "local.h"

/** One kind of call, as the facts name it. The order is that of the summary. */
static const struct call_row {
	const char *key;    /* in JSON */
	const char *text;   /* in the summary */
	const char *device; /* fact that names its device; NULL: the finding's own */
	const char *ns, *cpu, *pid, *stack_id; /* facts */
} call_rows[] = {
	[DMS_CALL_BROKE] = {"call", "Called at", NULL, NULL, NULL, NULL, NULL},
	[DMS_CALL_MAPPED] = {"map", "Mapped at", "owner_device", "map_ns", "map_cpu", "map_pid",
			     "map_stack_id"},
	[DMS_CALL_OTHER] = {"other_map", "The other was mapped at", "other_device", "other_ns",
			    "other_cpu", "other_pid", "other_stack_id"},
	[DMS_CALL_UNMAPPED] = {"unmap", "Already unmapped at", NULL, "unmap_ns", "unmap_cpu",
			       "unmap_pid", "unmap_stack_id"},
	[DMS_CALL_SITE] = {"site", "Mapped from", NULL, NULL, NULL, NULL, "site_stack_id"},
};

const char *dms_call_name(enum dms_call_kind kind)
{
	return call_rows[kind].key;
}

static uint64_t u64_of(const json_t *facts, const char *key)
{
	const json_t *value = key ? json_object_get(facts, key) : NULL;

	return json_is_integer(value) && json_integer_value(value) > 0
		       ? (uint64_t)json_integer_value(value)
		       : 0;
}

/* *@ret NULL: none is named. False: memory. */
static bool take_text(const json_t *facts, const char *key, struct dms_arena *arena,
		      const char **ret)
{
	const char *text = key ? json_string_value(json_object_get(facts, key)) : NULL;
	char *copy = text ? dms_arena_alloc(arena, strlen(text) + 1) : NULL;

	*ret = copy ? strcpy(copy, text) : NULL;
	return copy || !text;
}

struct dms_error *dms_facts_read(const char *facts, json_t **ret)
{
	json_error_t why;

	*ret = NULL;
	return facts ? dms_json_read(facts, strlen(facts), JSON_DECODE_ANY, ret, &why) : NULL;
}

struct dms_error *dms_calls_of_facts(const char *facts, struct dms_arena *arena,
				     struct dms_call_summary *calls, size_t *n_calls)
{
	json_t *json;
	struct dms_error *err = dms_facts_read(facts, &json);

	for (size_t i = DMS_CALL_MAPPED; !err && i < DMS_ARRAY_SIZE(call_rows); i++) {
		const struct call_row *row = &call_rows[i];
		const char *device;

		if (!json_object_get(json, row->ns ? row->ns : row->stack_id))
			continue;
		if (!take_text(json, row->device, arena, &device))
			err = &dms_error_nomem;
		calls[(*n_calls)++] = (struct dms_call_summary){
			.what = (enum dms_call_kind)i,
			.ts = row->ns ? u64_of(json, row->ns) : UINT64_MAX,
			.cpu = (uint32_t)u64_of(json, row->cpu),
			.pid = (uint32_t)u64_of(json, row->pid),
			.has_task = row->pid && json_object_get(json, row->pid),
			.stack_id = u64_of(json, row->stack_id),
			.device = device,
		};
	}
	json_decref(json);
	return err;
}

/* ---- as text ----------------------------------------------------------------------------------
 */

#define SHOWN_FRAMES 5 /* as many as dma-debug keeps of a map */

/* Frame of the call site: the innermost outside the DMA core; n_frames: there is none. */
static size_t site_frame(const struct dms_call_summary *call)
{
	for (size_t i = 0; i < call->n_frames; i++) {
		const char *function = call->frames[i].function;

		if (function && !dms_symbol_is_core(function, strlen(function)))
			return i;
	}
	return call->n_frames;
}

/* Where a stack becomes interesting: the function of the API that was called. */
static size_t first_frame(const struct dms_call_summary *call)
{
	size_t site = site_frame(call);

	return site && site < call->n_frames ? site - 1 : 0;
}

static bool put_frame(const struct dms_frame_summary *frame, FILE *out)
{
	_cleanup_(dms_freep) char *text = NULL, *harmless = NULL;
	char offset[24] = "";

	if (frame->offset != UINT64_MAX)
		snprintf(offset, sizeof(offset), "+0x%" PRIx64, frame->offset);
	if (!frame->function)
		text = dms_asprintf("0x%016" PRIx64, frame->address);
	else if (frame->module)
		text = dms_asprintf("%s%s [%s]", frame->function, offset, frame->module);
	else
		text = dms_asprintf("%s%s", frame->function, offset);
	if (text)
		harmless = dms_escape(text, strlen(text), DMS_ESCAPE_TEXT);
	if (harmless)
		fprintf(out, "      %s\n", harmless);
	return harmless != NULL;
}

/* " on CPU 1, sh-87"; "" where no task is known. NULL: memory. */
static char *format_task(const struct dms_call_summary *call)
{
	if (!call->has_task)
		return dms_strdup("");
	if (!call->comm)
		return dms_asprintf(" on CPU %" PRIu32 ", pid %" PRIu32, call->cpu, call->pid);
	return dms_asprintf(" on CPU %" PRIu32 ", %s-%" PRIu32, call->cpu, call->comm, call->pid);
}

/* Without its stack a call site is still known by its function. NULL: memory. */
static char *format_site(const struct dms_call_summary *call, bool has_stack)
{
	const char *text = call_rows[DMS_CALL_SITE].text;
	size_t site = site_frame(call);
	const struct dms_frame_summary *frame = &call->frames[site];

	if (has_stack)
		return dms_asprintf("    %s:", text);
	if (site == call->n_frames)
		return dms_asprintf("    %s a function that is not known", text);
	return frame->module ? dms_asprintf("    %s %s [%s]", text, frame->function, frame->module)
			     : dms_asprintf("    %s %s", text, frame->function);
}

static bool put_head(const struct dms_finding_summary *finding, const struct dms_call_summary *call,
		     bool is_ns, bool has_stack, FILE *out)
{
	bool is_own = !call->device || (finding->device && !strcmp(call->device, finding->device));
	_cleanup_(dms_freep) char *task = format_task(call), *text = NULL, *harmless = NULL;
	char ts[32];

	if (task && call->what == DMS_CALL_SITE)
		text = format_site(call, has_stack);
	else if (task)
		text = dms_asprintf("    %s %s%s%s%s%s", call_rows[call->what].text,
				    dms_format_time(call->ts, is_ns, ts, sizeof(ts)), task,
				    is_own ? "" : ", for ", is_own ? "" : call->device,
				    has_stack && call->n_frames ? ":" : "");
	if (text)
		harmless = dms_escape(text, strlen(text), DMS_ESCAPE_TEXT);
	if (harmless)
		fprintf(out, "%s\n", harmless);
	return harmless != NULL;
}

/* What is only information, as most of a trace that began late, is told without its stacks. */
static bool has_stacks(const struct dms_finding_summary *finding, bool all)
{
	return all || strcmp(finding->severity, "info") != 0;
}

/* Whoever acts on a finding wants its name: for git, a suppression, a search. */
static bool put_fingerprint(const struct dms_finding_summary *finding, FILE *out)
{
	_cleanup_(dms_freep) char *harmless = NULL;

	if (!finding->fingerprint)
		return true;
	harmless = dms_escape(finding->fingerprint, strlen(finding->fingerprint), DMS_ESCAPE_TEXT);
	if (harmless)
		fprintf(out, "    Fingerprint %s\n", harmless);
	return harmless != NULL;
}

bool dms_calls_print(const struct dms_finding_summary *finding, bool is_ns, bool all, FILE *out)
{
	bool is_whole = has_stacks(finding, all);

	for (size_t i = 0; i < finding->n_calls; i++) {
		const struct dms_call_summary *call = &finding->calls[i];
		size_t begin = all ? 0 : first_frame(call);
		size_t end = all || call->n_frames - begin < SHOWN_FRAMES ? call->n_frames
									  : begin + SHOWN_FRAMES;

		if (call->what == DMS_CALL_BROKE && !call->has_task)
			continue; /* no call, and the finding told the time */
		if (!put_head(finding, call, is_ns, is_whole, out))
			return false;
		for (size_t frame = begin; is_whole && frame < end; frame++) {
			if (!put_frame(&call->frames[frame], out))
				return false;
		}
	}
	return !is_whole || put_fingerprint(finding, out);
}
