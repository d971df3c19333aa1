// SPDX-License-Identifier: LGPL-2.1-only
/* The findings of the HTML page one by one: what was seen, the calls behind it, their stacks. */
#include <inttypes.h>
#include <string.h>

#include "html.h"

#define MAX_FRAMES 40
#define MAX_FACTS  32

static const char findings_sql[] =
	"SELECT f.id, f.rule, f.severity, f.confidence, f.reason, f.device_id,"
	" f.ts_ns - :base AS t, iif(f.dma_addr IS NULL, NULL, printf('0x%x', f.dma_addr)) AS addr,"
	" f.size_bytes AS size, f.message, f.fingerprint, f.cpu, f.pid, f.stack_id, f.facts"
	" FROM finding AS f JOIN temp.html_finding AS h USING (id) ORDER BY h.place";
/* columns of findings_sql that are told as they stand, and those calls are made of */
enum { N_PLAIN = 11, COLUMN_CPU = 11, COLUMN_PID, COLUMN_STACK, COLUMN_FACTS };

static const char frames_sql[] =
	"SELECT y.name, y.module, f.offset_bytes, f.address FROM frame AS f"
	" LEFT JOIN symbol AS y ON y.id = f.symbol_id WHERE f.stack_id = ?1 ORDER BY f.depth";

/* ---- stacks ---------------------------------------------------------------------------------- */

/* "function+0x1c [module]", or the address: harmless, for dms_free(); NULL: memory. */
static char *frame_text(sqlite3_stmt *stmt)
{
	const char *name = (const char *)sqlite3_column_text(stmt, 0);
	const char *module = (const char *)sqlite3_column_text(stmt, 1);
	_cleanup_(dms_freep) char *text = NULL;
	char offset[24] = "";

	if (sqlite3_column_type(stmt, 2) != SQLITE_NULL)
		snprintf(offset, sizeof(offset), "+0x%" PRIx64,
			 (uint64_t)sqlite3_column_int64(stmt, 2));
	if (name)
		text = dms_asprintf("%.200s%s%s%.60s%s", name, offset, module ? " [" : "",
				    module ? module : "", module ? "]" : "");
	else
		text = dms_asprintf("0x%" PRIx64, (uint64_t)sqlite3_column_int64(stmt, 3));
	return text ? dms_escape(text, strlen(text), DMS_ESCAPE_TEXT) : NULL;
}

/* Append the number of the frame's text to @stack; each text is told once. */
static bool add_frame(struct html_page *page, json_t *stack, sqlite3_stmt *stmt)
{
	_cleanup_(dms_freep) char *text = frame_text(stmt);
	json_t *frames = json_object_get(page->root, "frames"), *number;

	if (!text)
		return false;
	number = json_object_get(page->frame_numbers, text);
	if (!number) {
		number = json_integer((json_int_t)json_array_size(frames));
		if (json_object_set_new(page->frame_numbers, text, number) ||
		    json_array_append_new(frames, json_string(text)))
			return false;
	}
	return !json_array_append(stack, number);
}

struct dms_error *html_add_stack(struct html_page *page, int64_t stack_id)
{
	json_t *stacks = json_object_get(page->root, "stacks"), *stack;
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err;
	bool has_row = true;
	char key[24];

	snprintf(key, sizeof(key), "%" PRId64, stack_id);
	if (!stack_id || json_object_get(stacks, key))
		return NULL;
	stack = json_array();
	if (json_object_set_new(stacks, key, stack))
		return &dms_error_nomem;
	err = html_prepare(page, frames_sql, &stmt);
	if (!err)
		sqlite3_bind_int64(stmt, 1, stack_id);
	while (!err && json_array_size(stack) < MAX_FRAMES &&
	       !(err = html_step(page, stmt, &has_row)) && has_row) {
		if (!add_frame(page, stack, stmt))
			err = &dms_error_nomem;
	}
	sqlite3_finalize(stmt);
	return err;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static bool set_text(json_t *object, const char *key, const char *text)
{
	_cleanup_(dms_freep) char *harmless = NULL;

	if (!text)
		return true;
	harmless = dms_escape(text, strnlen(text, 200), DMS_ESCAPE_TEXT);
	return harmless && !json_object_set_new(object, key, json_string(harmless));
}

static struct dms_error *set_task(struct html_page *page, json_t *object, uint32_t pid)
{
	sqlite3_stmt *stmt = NULL;
	bool has_row = false;
	struct dms_error *err =
		html_prepare(page, "SELECT comm FROM task WHERE pid = ?1", &stmt);

	if (!err) {
		sqlite3_bind_int64(stmt, 1, pid);
		err = html_step(page, stmt, &has_row);
	}
	if (has_row && !set_text(object, "comm", (const char *)sqlite3_column_text(stmt, 0)))
		err = &dms_error_nomem;
	sqlite3_finalize(stmt);
	return err;
}

static struct dms_error *add_call(struct html_page *page, json_t *calls,
				  const struct dms_call_summary *call)
{
	json_t *object = json_pack("{s:s, s:I}", "what", dms_call_name(call->what), "stack",
				   (json_int_t)call->stack_id);
	struct dms_error *err;

	if (!object || json_array_append_new(calls, object) ||
	    !set_text(object, "device", call->device))
		return &dms_error_nomem;
	if (call->ts != UINT64_MAX &&
	    json_object_set_new(object, "t", json_integer((json_int_t)call->ts - page->base_ns)))
		return &dms_error_nomem;
	if (call->has_task) {
		if (json_object_set_new(object, "cpu", json_integer(call->cpu)) ||
		    json_object_set_new(object, "pid", json_integer(call->pid)))
			return &dms_error_nomem;
		if ((err = set_task(page, object, call->pid)))
			return err;
	}
	return html_add_stack(page, (int64_t)call->stack_id);
}

/* The call that broke the rule, then those its facts tell of. */
static struct dms_error *add_calls(struct html_page *page, sqlite3_stmt *stmt, json_t *finding)
{
	struct dms_call_summary calls[DMS_MAX_CALLS] = {0};
	struct dms_arena *arena = dms_arena_create();
	json_t *list = json_array();
	struct dms_error *err = NULL;
	size_t n_calls = 1;

	if (json_object_set_new(finding, "calls", list) || !arena) {
		dms_arena_destroy(arena);
		return &dms_error_nomem;
	}
	calls[0] = (struct dms_call_summary){
		.what = DMS_CALL_BROKE,
		.ts = (uint64_t)sqlite3_column_int64(stmt, 6) + (uint64_t)page->base_ns,
		.cpu = (uint32_t)sqlite3_column_int64(stmt, COLUMN_CPU),
		.pid = (uint32_t)sqlite3_column_int64(stmt, COLUMN_PID),
		.has_task = sqlite3_column_type(stmt, COLUMN_PID) != SQLITE_NULL,
		.stack_id = (uint64_t)sqlite3_column_int64(stmt, COLUMN_STACK),
	};
	err = dms_calls_of_facts((const char *)sqlite3_column_text(stmt, COLUMN_FACTS), arena,
				 calls, &n_calls);
	for (size_t i = 0; !err && i < n_calls; i++)
		err = add_call(page, list, &calls[i]);
	dms_arena_destroy(arena);
	return err;
}

/* ---- facts ----------------------------------------------------------------------------------- */

/* Facts that are told as calls already. */
static bool is_of_call(const char *key)
{
	static const char *const ends[] = {"_stack_id", "_cpu", "_pid"};
	static const char *const whole[] = {"map_ns", "unmap_ns", "other_ns"};
	size_t len = strlen(key);

	for (size_t i = 0; i < DMS_ARRAY_SIZE(ends); i++) {
		if (len > strlen(ends[i]) && !strcmp(key + len - strlen(ends[i]), ends[i]))
			return true;
	}
	for (size_t i = 0; i < DMS_ARRAY_SIZE(whole); i++) {
		if (!strcmp(key, whole[i]))
			return true;
	}
	return false;
}

static bool add_fact(json_t *facts, const char *key, json_t *value)
{
	_cleanup_(dms_freep) char *harmless = dms_escape(key, strnlen(key, 80), DMS_ESCAPE_TEXT);

	if (!harmless)
		return false;
	if (json_is_string(value))
		return set_text(facts, harmless, json_string_value(value));
	if (json_is_integer(value) || json_is_boolean(value))
		return !json_object_set(facts, harmless, value);
	return true; /* facts are plain values; nothing else is ours */
}

static bool add_facts(json_t *finding, const char *text)
{
	json_t *facts = json_object(), *read, *value;
	bool failed = json_object_set_new(finding, "facts", facts) || dms_facts_read(text, &read);
	const char *key;

	if (failed)
		return false;

	json_object_foreach(read, key, value) {
		if (!failed && !is_of_call(key) && json_object_size(facts) < MAX_FACTS)
			failed = !add_fact(facts, key, value);
	}
	json_decref(read);
	return !failed;
}

static struct dms_error *add_finding(struct html_page *page, sqlite3_stmt *stmt, json_t *findings)
{
	json_t *finding = json_object();

	if (json_array_append_new(findings, finding))
		return &dms_error_nomem;
	for (int i = 0; i < N_PLAIN; i++) {
		if (sqlite3_column_type(stmt, i) != SQLITE_NULL &&
		    json_object_set_new(finding, sqlite3_column_name(stmt, i), html_value(stmt, i)))
			return &dms_error_nomem;
	}
	if (!add_facts(finding, (const char *)sqlite3_column_text(stmt, COLUMN_FACTS)))
		return &dms_error_nomem;
	return add_calls(page, stmt, finding);
}

struct dms_error *html_add_findings(struct html_page *page)
{
	json_t *findings = json_array();
	sqlite3_stmt *stmt = NULL;
	struct dms_error *err;
	bool has_row = true;

	if (json_object_set_new(page->root, "findings", findings) ||
	    json_object_set_new(page->root, "stacks", json_object()) ||
	    json_object_set_new(page->root, "frames", json_array()))
		return &dms_error_nomem;
	err = html_prepare(page, findings_sql, &stmt);
	while (!err && !(err = html_step(page, stmt, &has_row)) && has_row)
		err = add_finding(page, stmt, findings);
	sqlite3_finalize(stmt);
	return err;
}
