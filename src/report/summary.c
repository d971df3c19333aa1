// SPDX-License-Identifier: LGPL-2.1-only
/* The summary of a run for programs: JSON and CSV; and the choice between the formats. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "local.h"

/* 15 digits are those of the value, not of its binary form */
#define FLAGS (JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15))

/** An object being filled; failed: some member could not be made, memory is short. */
struct object {
	json_t *json;
	bool failed;
};

static void put(struct object *object, const char *key, json_t *value)
{
	/* takes the reference to value, also when it fails */
	object->failed |= json_object_set_new(object->json, key, value) != 0;
}

/* NULL: null */
static void put_text(struct object *object, const char *key, const char *text)
{
	put(object, key, text ? dms_json_text(text, strlen(text)) : json_null());
}

/* UINT64_MAX: null, for times */
static void put_time(struct object *object, const char *key, uint64_t ts)
{
	put(object, key, ts == UINT64_MAX ? json_null() : dms_json_u64(ts));
}

/* The object's value, or NULL when memory was short. */
static json_t *finish(struct object *object)
{
	if (object->failed) {
		json_decref(object->json);
		return NULL;
	}
	return object->json;
}

static void put_figure(struct object *object, const struct dms_column *column,
		       const struct dms_device_summary *device, bool is_ns)
{
	uint64_t value;

	if (column->type == DMS_COLUMN_TEXT) {
		put_text(object, column->key, dms_column_text(column, device));
		return;
	}
	value = dms_column_u64(column, device);
	if (!dms_column_is_known(column, value, is_ns))
		put(object, column->key, json_null());
	else if (dms_column_is_rate(column))
		put(object, column->key, json_real((double)value / 1000));
	else
		put(object, column->key, dms_json_u64(value));
}

static json_t *device_json(const struct dms_summary *summary,
			   const struct dms_device_summary *device)
{
	struct object object = {.json = json_object()};
	uint8_t columns[DMS_MAX_COLUMNS];
	size_t n_columns = dms_layout_columns(summary->layout, columns);

	for (size_t i = 0; i < n_columns; i++)
		put_figure(&object, &dms_device_columns[columns[i]], device, summary->clock_is_ns);
	return finish(&object);
}

static json_t *totals_json(const struct dms_summary *summary)
{
	struct object object = {.json = json_object()};
	struct dms_device_summary total;

	dms_device_total(summary, &total);
	for (size_t i = 0; i < dms_n_device_columns; i++) {
		const struct dms_column *column = &dms_device_columns[i];

		if (column->total && !column->sql)
			put(&object, column->key, dms_json_u64(dms_column_u64(column, &total)));
	}
	return finish(&object);
}

static json_t *input_json(const struct dms_summary *summary, size_t index)
{
	struct object object = {.json = json_object()};

	put_text(&object, "path", summary->inputs[index]);
	put_text(&object, "format", summary->formats[index]);
	return finish(&object);
}

static json_t *note_json(const struct dms_note *note)
{
	struct object object = {.json = json_object()};

	put_text(&object, "rule", note->rule);
	put_text(&object, "device", note->device);
	put_text(&object, "reason", note->reason);
	return finish(&object);
}

static json_t *frame_json(const struct dms_frame_summary *frame)
{
	struct object object = {.json = json_object()};
	char address[20];

	snprintf(address, sizeof(address), "0x%016" PRIx64, frame->address);
	put_text(&object, "address", frame->address ? address : NULL);
	put_text(&object, "function", frame->function);
	put_text(&object, "module", frame->module);
	put(&object, "offset_bytes",
	    frame->function && frame->offset != UINT64_MAX ? dms_json_u64(frame->offset)
							   : json_null());
	return finish(&object);
}

static json_t *call_json(const struct dms_call_summary *call)
{
	struct object object = {.json = json_object()};
	json_t *frames = json_array();

	for (size_t i = 0; i < call->n_frames; i++)
		object.failed |= json_array_append_new(frames, frame_json(&call->frames[i])) != 0;
	put_text(&object, "what", dms_call_name(call->what));
	put_time(&object, "ts_ns", call->ts);
	put(&object, "cpu", call->has_task ? json_integer(call->cpu) : json_null());
	put(&object, "pid", call->has_task ? json_integer(call->pid) : json_null());
	put_text(&object, "comm", call->comm);
	put_text(&object, "device", call->device);
	put(&object, "stack", frames);
	return finish(&object);
}

json_t *dms_calls_json(const struct dms_finding_summary *finding)
{
	json_t *calls = json_array();

	for (size_t i = 0; i < finding->n_calls; i++) {
		if (json_array_append_new(calls, call_json(&finding->calls[i]))) {
			json_decref(calls);
			return NULL;
		}
	}
	return calls;
}

static json_t *finding_json(const struct dms_finding_summary *finding)
{
	struct object object = {.json = json_object()};

	put_text(&object, "rule", finding->rule);
	put_text(&object, "severity", finding->severity);
	put_text(&object, "confidence", finding->confidence);
	put_text(&object, "reason", finding->reason);
	put_text(&object, "device", finding->device);
	put_text(&object, "message", finding->message);
	put_text(&object, "fingerprint", finding->fingerprint);
	put(&object, "count", dms_json_u64(finding->count));
	put_time(&object, "first_ns", finding->first_ts);
	put(&object, "calls", dms_calls_json(finding));
	return finish(&object);
}

static void put_lists(struct object *object, const struct dms_summary *summary)
{
	json_t *inputs = json_array(), *devices = json_array(), *notes = json_array();
	json_t *findings = json_array();

	for (size_t i = 0; i < summary->n_inputs; i++)
		object->failed |= json_array_append_new(inputs, input_json(summary, i)) != 0;
	for (size_t i = 0; i < summary->n_devices; i++)
		object->failed |=
			json_array_append_new(devices, device_json(summary, &summary->devices[i])) != 0;
	for (size_t i = 0; i < summary->n_notes; i++)
		object->failed |= json_array_append_new(notes, note_json(&summary->notes[i])) != 0;
	put(object, "inputs", inputs);
	put(object, "devices", devices);
	for (size_t i = 0; i < summary->n_findings; i++)
		object->failed |= json_array_append_new(
					  findings, finding_json(&summary->findings[i])) != 0;
	put(object, "notes", notes);
	put(object, "findings", findings);
}

json_t *dms_summary_object(const struct dms_summary *summary)
{
	struct object object = {.json = json_object()};
	bool has_span = summary->records && summary->first_ts != UINT64_MAX &&
			summary->last_ts >= summary->first_ts;

	put_lists(&object, summary);
	put_text(&object, "kernel", summary->kernel);
	put_text(&object, "clock", summary->clock);
	put(&object, "clock_is_ns", json_boolean(summary->clock_is_ns));
	put(&object, "complete", json_boolean(summary->complete));
	put_time(&object, "first_ns", has_span ? summary->first_ts : UINT64_MAX);
	put_time(&object, "last_ns", has_span ? summary->last_ts : UINT64_MAX);
	put(&object, "records", dms_json_u64(summary->records));
	put(&object, "events", dms_json_u64(summary->events));
	put(&object, "malformed", dms_json_u64(summary->malformed));
	put(&object, "gaps", dms_json_u64(summary->gaps));
	put(&object, "clock_gaps", dms_json_u64(summary->clock_gaps));
	put(&object, "lost_events", dms_json_u64(summary->lost_events));
	put(&object, "totals", totals_json(summary));
	return finish(&object);
}

struct dms_error *dms_summary_json(const struct dms_summary *summary, FILE *out)
{
	json_t *json = dms_summary_object(summary);
	int failed;

	if (!json)
		return &dms_error_nomem;
	failed = json_dumpf(json, out, FLAGS);
	json_decref(json);
	fputc('\n', out);
	return failed && !ferror(out) ? &dms_error_nomem : NULL;
}

/* ---- CSV ---------------------------------------------------------------------------------------
 */

static struct dms_error *csv_cell(const struct dms_column *column, bool is_first,
				  const struct dms_device_summary *device, bool is_ns, FILE *out)
{
	const char *text = NULL;
	uint64_t value = 0;
	char number[32] = "";

	if (column->type == DMS_COLUMN_TEXT)
		text = dms_column_text(column, device);
	else
		value = dms_column_u64(column, device);
	if (text)
		return dms_csv_text(out, is_first, text, strlen(text));
	if (column->type != DMS_COLUMN_TEXT && dms_column_is_known(column, value, is_ns)) {
		if (dms_column_is_rate(column))
			snprintf(number, sizeof(number), "%.15g", (double)value / 1000);
		else
			snprintf(number, sizeof(number), "%" PRIu64, value);
	}
	dms_csv_plain(out, is_first, number);
	return NULL;
}

struct dms_error *dms_summary_csv(const struct dms_summary *summary, FILE *out)
{
	struct dms_error *err = NULL;
	uint8_t columns[DMS_MAX_COLUMNS];
	size_t n_columns = dms_layout_columns(summary->layout, columns);

	for (size_t i = 0; i < n_columns; i++)
		dms_csv_plain(out, i == 0, dms_device_columns[columns[i]].key);
	dms_csv_end_line(out);
	for (size_t i = 0; !err && i < summary->n_devices; i++) {
		for (size_t j = 0; !err && j < n_columns; j++)
			err = csv_cell(&dms_device_columns[columns[j]], j == 0,
				       &summary->devices[i], summary->clock_is_ns, out);
		dms_csv_end_line(out);
	}
	return err;
}

struct dms_error *dms_summary_print(const struct dms_summary *summary, enum dms_output format,
				    FILE *out, unsigned int width, bool colour)
{
	struct dms_error *err = NULL;

	switch (format) {
	case DMS_FORMAT_TEXT:
		err = dms_summary_text(summary, out, width, colour);
		break;
	case DMS_FORMAT_JSON:
		err = dms_summary_json(summary, out);
		break;
	case DMS_FORMAT_CSV:
		err = dms_summary_csv(summary, out);
		break;
	}
	return err ? err : dms_check_written(out);
}
