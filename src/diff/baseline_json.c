// SPDX-License-Identifier: LGPL-2.1-only
/* A run as a file for git: JSON with a line for each thing, so that a diff of it can be read. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>

#include "baseline.h"

/** The file, and whether all went well so far. */
struct writer {
	FILE *out;
	bool is_short; /* of memory */
};

/* As JSON. What is no UTF-8, which only a made-up run has, is told as far as it is ASCII. */
static void put_text(struct writer *writer, const char *text)
{
	_cleanup_(dms_freep) char *ascii = NULL;
	json_t *value = text ? json_string(text) : json_null();

	if (!value && !dms_is_utf8(text) && (ascii = dms_strdup(text))) {
		for (char *at = ascii; *at; at++)
			*at = *at < ' ' || *at > '~' ? '_' : *at;
		value = json_string(ascii);
	}
	if (!value || json_dumpf(value, writer->out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII))
		writer->is_short |= !value || !ferror(writer->out);
	json_decref(value);
}

static void put_member(struct writer *writer, const char *key, const char *text)
{
	fprintf(writer->out, "\"%s\": ", key);
	put_text(writer, text);
}

/* JSON's numbers end at 2^63 - 1 for many readers, and ours. */
static void put_count(struct writer *writer, const char *key, uint64_t count)
{
	fprintf(writer->out, "\"%s\": %" PRIu64, key, count < INT64_MAX ? count : INT64_MAX);
}

/* 6 digits are all there are: large numbers are written out, "1234560", not "1.23456e+06". */
static void put_figure(struct writer *writer, const char *key, double figure)
{
	fprintf(writer->out, figure >= 1e6 && figure < 1e15 ? "\"%s\": %.0f" : "\"%s\": %.6g", key,
		figure);
}

static void put_frames(struct writer *writer, const char *key, const struct dms_function *frames,
		       size_t n_frames)
{
	fprintf(writer->out, "     \"%s\": [", key);
	for (size_t i = 0; i < n_frames; i++) {
		const struct dms_function *frame = &frames[i];
		_cleanup_(dms_freep) char *text = dms_asprintf(
			"%s%s%s%s", frame->name ? frame->name : "-", frame->module ? "[" : "",
			frame->module ? frame->module : "", frame->module ? "]" : "");

		fputs(i ? ", " : "", writer->out);
		if (text)
			put_text(writer, text);
		writer->is_short |= !text;
	}
	fputs("]", writer->out);
}

/* ---- items -------------------------------------------------------------------------------------
 */

static void put_rule_off(struct writer *writer, const struct dms_baseline *run, size_t i)
{
	put_text(writer, run->rules_off[i]);
}

static void put_kind(struct writer *writer, const struct dms_baseline *run, size_t i)
{
	fputs("{", writer->out);
	put_member(writer, "kind", run->kinds[i].name);
	fputs(", ", writer->out);
	put_count(writer, "devices", run->kinds[i].devices);
	fputs(", ", writer->out);
	put_count(writer, "maps", run->kinds[i].maps);
	fputs("}", writer->out);
}

static void put_blind_spot(struct writer *writer, const struct dms_baseline *run, size_t i)
{
	fputs("{", writer->out);
	put_member(writer, "rule", run->blind_spots[i].rule);
	fputs(", ", writer->out);
	put_member(writer, "kind", run->blind_spots[i].device_kind);
	fputs(", ", writer->out);
	put_member(writer, "reason", run->blind_spots[i].reason);
	fputs("}", writer->out);
}

static void put_finding(struct writer *writer, const struct dms_baseline *run, size_t i)
{
	const struct dms_base_finding *finding = &run->findings[i];
	const struct {
		const char *key, *text;
	} members[] = {
		{"rule", finding->rule},
		{"kind", finding->device_kind},
		{"direction", finding->direction},
		{"severity", dms_severity_name(finding->severity)},
		{"confidence", dms_confidence_name(finding->confidence)},
		{"reason", finding->reason},
	};

	fputs("{", writer->out);
	put_member(writer, "fingerprint", finding->fingerprint);
	fputs(",\n     ", writer->out);
	for (size_t j = 0; j < DMS_ARRAY_SIZE(members); j++) {
		put_member(writer, members[j].key, members[j].text);
		fputs(", ", writer->out);
	}
	put_count(writer, "count", finding->count);
	fputs(",\n", writer->out);
	put_frames(writer, "frames", finding->frames, finding->n_frames);
	fputs(",\n", writer->out);
	put_frames(writer, "map_frames", finding->map_frames, finding->n_map_frames);
	fputs("}", writer->out);
}

static void put_metric(struct writer *writer, const struct dms_baseline *run, size_t i)
{
	static const char *const better[] = {
		[DMS_NEITHER] = "neither",
		[DMS_LESS_IS_BETTER] = "less",
		[DMS_MORE_IS_BETTER] = "more",
	};
	const struct dms_measurement *measurement = &run->measurements[i];
	const struct {
		const char *key, *text;
	} members[] = {
		{"scope", dms_scope_name(measurement->scope)},
		{"subject", measurement->subject},
		{"metric", measurement->metric->name},
		{"unit", measurement->metric->unit},
		{"better", better[measurement->metric->polarity]},
	};

	fputs("{", writer->out);
	for (size_t j = 0; j < DMS_ARRAY_SIZE(members); j++) {
		put_member(writer, members[j].key, members[j].text);
		fputs(", ", writer->out);
	}
	put_figure(writer, "value", measurement->value);
	fputs(", ", writer->out);
	put_count(writer, "samples", measurement->samples);
	fputs("}", writer->out);
}

/* ---- all of it ---------------------------------------------------------------------------------
 */

static void put_head(struct writer *writer, const struct dms_baseline *run)
{
	const struct {
		const char *key;
		uint64_t count;
	} counts[] = {
		{"events", run->events},
		{"gaps", run->gaps},
		{"lost_events", run->lost_events},
	};

	fprintf(writer->out, "{\n  \"format\": \"%s\",\n  \"schema\": %d,\n  ", DMS_BASELINE_FORMAT,
		DMS_BASELINE_SCHEMA);
	put_member(writer, "version", run->version);
	fputs(",\n  ", writer->out);
	put_member(writer, "kernel", run->kernel);
	fprintf(writer->out, ",\n  \"complete\": %s,\n  \"has_stacks\": %s,\n  ",
		run->is_complete ? "true" : "false", run->has_stacks ? "true" : "false");
	for (size_t i = 0; i < DMS_ARRAY_SIZE(counts); i++) {
		put_count(writer, counts[i].key, counts[i].count);
		fputs(",\n  ", writer->out);
	}
	put_figure(writer, "seconds", run->seconds);
}

struct dms_error *dms_baseline_print(const struct dms_baseline *baseline, FILE *out)
{
	struct writer writer = {.out = out};
	const struct {
		const char *key;
		size_t n_items;
		void (*put)(struct writer *writer, const struct dms_baseline *run, size_t i);
	} lists[] = {
		{"rules_off", baseline->n_rules_off, put_rule_off},
		{"kinds", baseline->n_kinds, put_kind},
		{"blind_spots", baseline->n_blind_spots, put_blind_spot},
		{"findings", baseline->n_findings, put_finding},
		{"metrics", baseline->n_measurements, put_metric},
	};

	put_head(&writer, baseline);
	for (size_t i = 0; i < DMS_ARRAY_SIZE(lists); i++) {
		fprintf(out, ",\n  \"%s\": [", lists[i].key);
		for (size_t j = 0; j < lists[i].n_items; j++) {
			fputs(j ? ",\n    " : "\n    ", out);
			lists[i].put(&writer, baseline, j);
		}
		fputs(lists[i].n_items ? "\n  ]" : "]", out);
	}
	fputs("\n}\n", out);
	if (writer.is_short)
		return &dms_error_nomem;
	if (fflush(out) || ferror(out))
		return dms_error_errno(DMS_ERROR_INTERNAL, errno, "writing a baseline");
	return NULL;
}
