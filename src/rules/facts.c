// SPDX-License-Identifier: LGPL-2.1-only
/* Facts of a finding: gathered by rules, told in a message or as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "rows.h"

static void add(struct dms_facts *facts, struct dms_fact fact)
{
	if (facts->n_items < DMS_MAX_FACTS)
		facts->items[facts->n_items++] = fact;
}

void fact_number(struct dms_facts *facts, const char *key, uint64_t number)
{
	add(facts, (struct dms_fact){ key, DMS_FACT_NUMBER, number, NULL });
}

void fact_address(struct dms_facts *facts, const char *key, uint64_t address)
{
	add(facts, (struct dms_fact){ key, DMS_FACT_ADDRESS, address, NULL });
}

void fact_word(struct dms_facts *facts, const char *key, const char *word)
{
	add(facts, (struct dms_fact){ key, DMS_FACT_WORD, 0, word });
}

void fact_dir(struct dms_facts *facts, const char *key, uint8_t dir)
{
	static const char *const names[] = {
		[DMS_DIR_BIDIRECTIONAL] = "DMA_BIDIRECTIONAL", [DMS_DIR_TO_DEVICE] = "DMA_TO_DEVICE",
		[DMS_DIR_FROM_DEVICE] = "DMA_FROM_DEVICE",     [DMS_DIR_NONE] = "DMA_NONE",
		[DMS_DIR_UNKNOWN] = "unknown",
	};

	fact_word(facts, key, names[dir]);
}

const char *debug_kind_name(uint8_t kind)
{
	static const char *const names[DMS_MAPPING_N_KINDS] = {
		[DMS_MAPPING_PAGE] = "single",
		[DMS_MAPPING_RESOURCE] = "resource",
		[DMS_MAPPING_SG] = "scatter-gather",
		[DMS_MAPPING_COHERENT] = "coherent",
		[DMS_MAPPING_PAGES] = "noncoherent",
		[DMS_MAPPING_NONCONTIGUOUS] = "noncontiguous",
	};

	return names[kind];
}

const char *dms_severity_name(enum dms_severity severity)
{
	static const char *const names[] = { "info", "warning", "error" };

	return names[severity];
}

/** Whose numbers of devices the facts hold. */
struct namer {
	const struct dms_model *model;
	const struct dms_names *names;
};

/* NULL: it has no name that is known here. */
static const char *device_name(const struct namer *namer, uint64_t index)
{
	if (!namer->model || !namer->names || index >= dms_model_n_devices(namer->model))
		return NULL;
	return dms_strtab_get(namer->names->devices,
			      dms_model_device(namer->model, (uint32_t)index)->name);
}

static int print_fact(const struct dms_fact *fact, const struct namer *namer, char *buf, size_t size)
{
	const char *name;

	switch (fact->type) {
	case DMS_FACT_ADDRESS:
		return snprintf(buf, size, "0x%016" PRIx64, fact->number);
	case DMS_FACT_WORD:
		return snprintf(buf, size, "%s", fact->word);
	case DMS_FACT_DEVICE:
		name = device_name(namer, fact->number);
		if (name)
			return snprintf(buf, size, "%s", name);
		return snprintf(buf, size, "number %" PRIu64, fact->number + 1);
	case DMS_FACT_NUMBER:
		break;
	}
	return snprintf(buf, size, "%" PRIu64, fact->number);
}

/* In a message a duration is for people; in JSON it stays a number. */
static int print_in_message(const struct dms_fact *fact, const struct namer *namer, char *buf,
			    size_t size)
{
	size_t bytes = strlen(fact->key);
	char duration[32];

	if (fact->type != DMS_FACT_NUMBER || bytes < 3 || strcmp(fact->key + bytes - 3, "_ns") != 0)
		return print_fact(fact, namer, buf, size);
	if (namer->names && namer->names->is_in_ticks)
		return snprintf(buf, size, "%" PRIu64 " ticks of the clock", fact->number);
	return snprintf(buf, size, "%s", dms_format_ns(fact->number, duration, sizeof(duration)));
}

static const struct dms_fact *find_fact(const struct dms_facts *facts, const char *key,
					size_t key_len)
{
	for (size_t i = 0; i < facts->n_items; i++) {
		if (strlen(facts->items[i].key) == key_len &&
		    !memcmp(facts->items[i].key, key, key_len))
			return &facts->items[i];
	}
	return NULL;
}

void fact_number_once(struct dms_facts *facts, const char *key, uint64_t number)
{
	if (!find_fact(facts, key, strlen(key)))
		fact_number(facts, key, number);
}

void fact_device_once(struct dms_facts *facts, const char *key, uint32_t index)
{
	if (!find_fact(facts, key, strlen(key)))
		add(facts, (struct dms_fact){key, DMS_FACT_DEVICE, index, NULL});
}

/* Where the message goes on if a fact is not known: "[key={fact}]" is left out, with its blank. */
static const char *leave_out(const char *at, const char *text, size_t *used)
{
	size_t begin = *used;

	while (begin && text[begin - 1] != '[' && text[begin - 1] != ']')
		begin--;
	if (!begin || text[begin - 1] != '[' || !strchr(at, ']'))
		return at;
	begin--;
	*used = begin && text[begin - 1] == ' ' ? begin - 1 : begin;
	return strchr(at, ']') + 1;
}

char *dms_finding_message(const struct dms_finding *finding, const struct dms_model *model,
			  const struct dms_names *names)
{
	const struct namer namer = {model, names};
	char text[1024];
	size_t used = 0;
	const char *at = finding->rule->message;

	while (*at && used < sizeof(text) - 1) {
		const char *close = *at == '{' ? strchr(at, '}') : NULL;
		const struct dms_fact *fact;

		if (!close) {
			text[used++] = *at++;
			continue;
		}
		fact = find_fact(finding->facts, at + 1, (size_t)(close - at - 1));
		at = close + 1;
		if (fact)
			used += (size_t)print_in_message(fact, &namer, text + used,
							 sizeof(text) - used);
		else
			at = leave_out(at, text, &used);
	}
	text[used < sizeof(text) ? used : sizeof(text) - 1] = '\0';
	return dms_strdup(text);
}

/* Addresses are text: JSON's numbers do not hold 64 bits everywhere. */
static json_t *json_fact(const struct dms_fact *fact, const struct namer *namer)
{
	const char *name;
	char text[32];

	switch (fact->type) {
	case DMS_FACT_WORD:
		return json_string(fact->word);
	case DMS_FACT_DEVICE:
		name = device_name(namer, fact->number);
		if (name) /* the trace may hold any bytes: what is no UTF-8 is a question mark */
			return dms_is_utf8(name) ? json_string(name) : json_string("?");
		return json_integer((json_int_t)fact->number + 1);
	case DMS_FACT_NUMBER:
		if (fact->number <= INT64_MAX)
			return json_integer((json_int_t)fact->number);
		break;
	case DMS_FACT_ADDRESS:
		break;
	}
	print_fact(fact, namer, text, sizeof(text));
	return json_string(text);
}

char *dms_finding_json(const struct dms_finding *finding, const struct dms_model *model,
		       const struct dms_names *names)
{
	const struct namer namer = {model, names};
	json_t *object = json_object();
	size_t n_bytes;
	char *text;

	for (size_t i = 0; object && i < finding->facts->n_items; i++) {
		const struct dms_fact *fact = &finding->facts->items[i];

		if (json_object_set_new(object, fact->key, json_fact(fact, &namer))) {
			json_decref(object);
			return NULL;
		}
	}
	/* json_dumps() leaves out what it has no room for */
	n_bytes = object ? json_dumpb(object, NULL, 0, JSON_COMPACT) : 0;
	text = n_bytes ? dms_alloc(n_bytes + 1) : NULL;
	if (text && json_dumpb(object, text, n_bytes, JSON_COMPACT) != n_bytes)
		dms_freep(&text);
	if (text)
		text[n_bytes] = '\0';
	json_decref(object);
	return text;
}
