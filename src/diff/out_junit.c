// SPDX-License-Identifier: LGPL-2.1-only
/* A comparison as JUnit XML: a suite for each device kind, a case for each rule, and metrics apart.
 */
#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../report/local.h"
#include "junit.h"
#include "local.h"

/* ---- XML ------------------------------------------------------------------------------------- */

/* libxml2 says of memory that was short on stderr, and leaves out what it was for. */
static void note_error(void *junit, const xmlError *error)
{
	(void)error;
	((struct junit *)junit)->has_failed = true;
}

static void note_words(void *junit, const char *fmt, ...)
{
	(void)fmt;
	((struct junit *)junit)->has_failed = true;
}

/* The stream remembers what went wrong: libxml2 would print it, and without its reason. */
static int write_bytes(void *context, const char *bytes, int n_bytes)
{
	fwrite(bytes, 1, (size_t)n_bytes, context);
	return n_bytes;
}

/* What is not a character of XML 1.0 becomes visible, or "?". NULL: memory. */
static char *xml_text(const char *text)
{
	static const char *const no_characters[] = {"\xef\xbf\xbe", "\xef\xbf\xbf"};
	char *clean = dms_escape(text, strlen(text), DMS_ESCAPE_JSON);

	for (char *at = clean; at && *at; at++) {
		unsigned char c = (unsigned char)*at;

		if ((c < 0x20 && c != '\n') || c == 0x7f)
			*at = '?';
		for (size_t i = 0; i < DMS_ARRAY_SIZE(no_characters); i++) {
			if (!strncmp(at, no_characters[i], 3))
				memcpy(at, "???", 3);
		}
	}
	return clean;
}

static void put_attribute(struct junit *junit, const char *name, const char *value)
{
	_cleanup_(dms_freep) char *clean = xml_text(value);

	junit->has_failed |= !clean || xmlTextWriterWriteAttribute(junit->xml, BAD_CAST name,
								   BAD_CAST clean) < 0;
}

static void put_number(struct junit *junit, const char *name, size_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", value);
	put_attribute(junit, name, text);
}

static void begin(struct junit *junit, const char *name)
{
	junit->has_failed |= xmlTextWriterStartElement(junit->xml, BAD_CAST name) < 0;
}

static void end(struct junit *junit)
{
	junit->has_failed |= xmlTextWriterEndElement(junit->xml) < 0;
}

static void put_text(struct junit *junit, const char *text)
{
	_cleanup_(dms_freep) char *clean = xml_text(text);

	junit->has_failed |= !clean || xmlTextWriterWriteString(junit->xml, BAD_CAST clean) < 0;
}

/* ---- suites and cases --------------------------------------------------------------------------
 */

static void add_case(struct junit *junit, size_t index)
{
	/* clang-format off */
	static const struct {
		const char *element, *type;
		bool has_message;
	} rows[] = {
		[JUNIT_PASS] = {"system-out", NULL, false},
		[JUNIT_SKIP] = {"skipped", NULL, true},
		[JUNIT_FAIL] = {"failure", "regression", true},
		[JUNIT_ERROR] = {"error", "not judged", true},
	};
	/* clang-format on */
	const struct junit_case *one = &junit->cases[index];

	begin(junit, "testcase");
	put_attribute(junit, "classname", one->class);
	put_attribute(junit, "name", one->name);
	if (one->outcome != JUNIT_PASS || one->text) {
		begin(junit, rows[one->outcome].element);
		if (rows[one->outcome].type)
			put_attribute(junit, "type", rows[one->outcome].type);
		if (rows[one->outcome].has_message)
			put_attribute(junit, "message", one->message ? one->message : "");
		if (one->text)
			put_text(junit, one->text);
		end(junit);
	}
	end(junit);
}

static void put_counts(struct junit *junit, size_t first, size_t n)
{
	size_t counts[JUNIT_OUTCOMES] = {0};

	for (size_t i = 0; i < n; i++)
		counts[junit->cases[first + i].outcome]++;
	put_number(junit, "tests", n);
	put_number(junit, "failures", counts[JUNIT_FAIL]);
	put_number(junit, "errors", counts[JUNIT_ERROR]);
	put_number(junit, "skipped", counts[JUNIT_SKIP]);
}

/* The cases of one suite stand together: they have one class. */
static size_t suite_length(const struct junit *junit, size_t first)
{
	size_t n = 1;

	while (first + n < junit->n_cases &&
	       !strcmp(junit->cases[first + n].class, junit->cases[first].class))
		n++;
	return n;
}

static void put_suites(struct junit *junit)
{
	begin(junit, "testsuites");
	put_attribute(junit, "name", "dmascope");
	put_counts(junit, 0, junit->n_cases);
	for (size_t i = 0; i < junit->n_cases;) {
		size_t n = suite_length(junit, i);

		begin(junit, "testsuite");
		put_attribute(junit, "name", junit->cases[i].class);
		put_counts(junit, i, n);
		for (size_t last = i + n; i < last; i++)
			add_case(junit, i);
		end(junit);
	}
	end(junit);
}

static struct dms_error *put_document(struct junit *junit, FILE *out)
{
	xmlOutputBufferPtr buffer = xmlOutputBufferCreateIO(write_bytes, NULL, out, NULL);

	junit->xml = buffer ? xmlNewTextWriter(buffer) : NULL;
	if (!junit->xml) {
		if (buffer)
			xmlOutputBufferClose(buffer);
		return &dms_error_nomem;
	}
	xmlTextWriterSetIndent(junit->xml, 1);
	junit->has_failed |= xmlTextWriterStartDocument(junit->xml, NULL, "UTF-8", NULL) < 0;
	put_suites(junit);
	junit->has_failed |= xmlTextWriterEndDocument(junit->xml) < 0;
	xmlFreeTextWriter(junit->xml);
	return junit->has_failed ? &dms_error_nomem : dms_check_written(out);
}

struct dms_error *dms_diff_print_junit(const struct dms_comparison *comparison, FILE *out,
				       unsigned int width, bool colour)
{
	struct junit junit = {.comparison = comparison, .arena = dms_arena_create()};
	struct dms_error *err = &dms_error_nomem;

	(void)width;
	(void)colour;
	xmlSetStructuredErrorFunc(&junit, (xmlStructuredErrorFunc)note_error);
	xmlSetGenericErrorFunc(&junit, note_words);
	if (junit.arena && junit_gather(&junit))
		err = put_document(&junit, out);
	xmlSetStructuredErrorFunc(NULL, NULL);
	xmlSetGenericErrorFunc(NULL, NULL);
	dms_free(junit.cases);
	dms_arena_destroy(junit.arena);
	return err;
}
