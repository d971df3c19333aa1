// SPDX-License-Identifier: LGPL-2.1-only
/*
 * Option lifetimes: what an event ends and what is wrong with it, told on its own line. The model
 * gets each event at once, and so before its call stack, which is the next record.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <dmascope/model.h>
#include <dmascope/rules.h>
#include <dmascope/symbols.h>

#include "../src/decode/decoder.h"

#include "plugin.h"

/* Who mapped is remembered of so many maps, the last ones. */
#define MAX_ORIGINS 65536
/* CPUs beyond have events without origins. */
#define MAX_CPUS 8192

/** Who made a map. */
struct origin {
	uint64_t serial;      /* of the mapping; 0: none */
	uint32_t function;    /* in the follower's functions; DMS_STR_NONE: not known */
};

/** What is remembered of a CPU. */
struct lane {
	uint64_t last_ts;
	uint64_t serial; /* of the mapping that its last event began; 0: none */
};

struct follow {
	struct tep_handle *tep;
	struct dms_decoder *decoder;
	const struct dms_names *names;
	struct dms_model *model;
	struct dms_rules *rules;
	struct dms_strtab *functions;
	struct origin *origins; /* by serial % MAX_ORIGINS */
	struct lane *lanes;
	size_t n_lanes;
	const struct dms_event *event; /* being followed */
	struct text text;
	uint64_t kinds_seen, last_ts;
	bool is_in_ns, is_memory_short;
};

/* ---- what is said ---------------------------------------------------------------------------- */

static void say(struct follow *follow, const char *fmt, ...) _printf_(2, 3);
static void say(struct follow *follow, const char *fmt, ...)
{
	char *said;
	va_list args;

	va_start(args, fmt);
	said = dms_vasprintf(fmt, args);
	va_end(args);
	if (!said || !text_add(&follow->text, "%s", said))
		follow->is_memory_short = true;
	dms_free(said);
}

const char *follow_text(struct follow *follow)
{
	bool is_silent = !follow->text.bytes;

	follow->text.bytes = 0;
	return is_silent ? "" : follow->text.at;
}

/* "12.3 us", or "123 ticks" */
static const char *ago(const struct follow *follow, uint64_t from, uint64_t to, char *buf,
		       size_t size)
{
	if (follow->is_in_ns)
		return dms_format_ns(to - from, buf, size);
	snprintf(buf, size, "%" PRIu64 " ticks", to - from);
	return buf;
}

/* "[mapped 12.3 us ago on CPU 1 by nvme_map_data, fio-371]" */
static void say_life(struct follow *follow, const struct dms_step *step)
{
	const struct dms_mapping *mapping = step->mapping;
	const struct origin *origin = &follow->origins[mapping->serial % MAX_ORIGINS];
	const char *comm = tep_data_comm_from_pid(follow->tep, (int)mapping->map_pid);
	const char *word = mapping->kind < DMS_MAPPING_COHERENT ? "mapped" : "allocated";
	char when[32];

	if (mapping->is_seeded || step->ts < mapping->map_ts)
		return;
	say(follow, " [%s %s ago on CPU %" PRIu32, word,
	    ago(follow, mapping->map_ts, step->ts, when, sizeof(when)), mapping->map_cpu);
	if (origin->serial == mapping->serial && origin->function != DMS_STR_NONE)
		say(follow, " by %s", dms_strtab_get(follow->functions, origin->function));
	say(follow, ", %s-%" PRIu32 "]", comm ? comm : "<...>", mapping->map_pid);
}

/* Facts that come in pairs say it all, and in less than the message: the line has the rest. */
static const struct {
	const char *map, *unmap;
} pairs[] = {
	{"map_size_bytes", "unmap_size_bytes"}, {"mapped_as", "unmapped_as"},
	{"map_count", "unmap_count"},		{"map_dir", "unmap_dir"},
	{"map_attrs", "unmap_attrs"},		{"cpu_alloc_addr", "cpu_free_addr"},
};

static const struct dms_fact *find_fact(const struct dms_facts *facts, const char *key)
{
	for (size_t i = 0; i < facts->n_items; i++) {
		if (!strcmp(facts->items[i].key, key))
			return &facts->items[i];
	}
	return NULL;
}

static void say_fact(struct follow *follow, const char *before, const struct dms_fact *fact)
{
	if (fact->type == DMS_FACT_WORD)
		say(follow, "%s%s", before, fact->word);
	else if (fact->type == DMS_FACT_ADDRESS)
		say(follow, "%s0x%" PRIx64, before, fact->number);
	else
		say(follow, "%s%" PRIu64, before, fact->number);
}

/* "mapped 4096, unmapped 2048"; false if there is no such pair. */
static bool say_pair(struct follow *follow, const struct dms_facts *facts)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(pairs); i++) {
		const struct dms_fact *map = find_fact(facts, pairs[i].map);
		const struct dms_fact *unmap = find_fact(facts, pairs[i].unmap);

		if (!map || !unmap)
			continue;
		say_fact(follow, ": mapped ", map);
		say_fact(follow, ", unmapped ", unmap);
		return true;
	}
	return false;
}

static struct dms_error *take_finding(void *context, const struct dms_finding *finding)
{
	struct follow *follow = context;
	const struct dms_step *step = finding->step;
	bool is_here = step->event && step->event == follow->event;
	bool is_sure = finding->confidence == DMS_CERTAIN;
	char *message;

	if (finding->severity == DMS_SEVERITY_INFO)
		return NULL;
	say(follow, " <== %s%s%s%s", finding->rule->id, is_sure ? "" : " (",
	    is_sure ? "" : dms_confidence_name(finding->confidence), is_sure ? "" : ")");
	/* The model waits for what may explain it: its line has been printed. */
	if (!is_here && follow->is_in_ns)
		say(follow, " at %" PRIu64 ".%06" PRIu64, step->ts / 1000000000,
		    step->ts % 1000000000 / 1000);
	else if (!is_here)
		say(follow, " at %" PRIu64, step->ts);
	if (is_here && say_pair(follow, finding->facts))
		return NULL;
	message = dms_finding_message(finding, follow->model, follow->names);
	if (!message)
		return &dms_error_nomem;
	say(follow, ": %s", message);
	dms_free(message);
	return NULL;
}

/* ---- what is followed ------------------------------------------------------------------------ */

static struct lane *lane_of(struct follow *follow, uint32_t cpu)
{
	if (cpu >= MAX_CPUS || !dms_grow(&follow->lanes, &follow->n_lanes, (size_t)cpu + 1,
					 sizeof(*follow->lanes)))
		return NULL;
	return &follow->lanes[cpu];
}

static struct dms_error *take_step(void *context, const struct dms_step *step)
{
	struct follow *follow = context;
	bool is_here = step->event && step->event == follow->event;

	if (step->kind == DMS_STEP_MAP && is_here) {
		struct lane *lane = lane_of(follow, step->event->cpu);

		follow->origins[step->mapping->serial % MAX_ORIGINS] =
			(struct origin){step->mapping->serial, DMS_STR_NONE};
		if (lane)
			lane->serial = step->mapping->serial;
	}
	if (step->kind == DMS_STEP_UNMAP && is_here)
		say_life(follow, step);
	if (step->kind == DMS_STEP_UNMAP_UNMATCHED && is_here && step->end == DMS_END_PRE_TRACE)
		say(follow, " [mapped before the trace]");
	return dms_rules_step(follow->rules, step);
}

struct dms_error *follow_event(struct follow *follow, const struct dms_event *event)
{
	struct lane *lane = lane_of(follow, event->cpu);
	struct dms_error *err;

	if (event->kind == DMS_EV_MARKER)
		return NULL; /* an inventory is for the database */
	if (lane) {
		lane->serial = 0;
		lane->last_ts = event->ts;
	}
	if (!(follow->kinds_seen >> event->kind & 1)) {
		follow->kinds_seen |= 1ull << event->kind;
		dms_model_add_inputs(follow->model, dms_decoder_inputs(follow->decoder));
	}
	follow->last_ts = event->ts;
	follow->event = event;
	err = dms_model_event(follow->model, event);
	follow->event = NULL;
	return !err && follow->is_memory_short ? &dms_error_nomem : err;
}

/* The file's symbols tell what is beyond the last one; the host's do not, but may be all there is. */
static bool find_function(struct follow *follow, uint64_t address, struct dms_symbol *ret)
{
	const char *name;

	if (caller_symbol(follow->decoder, address, ret))
		return true;
	if (!follow->decoder->has_no_symbols)
		return false;
	name = tep_find_function(follow->tep, address);
	*ret = (struct dms_symbol){.name = name, .name_len = name ? (uint32_t)strlen(name) : 0};
	return name != NULL;
}

struct dms_error *follow_stack(struct follow *follow, uint32_t cpu, const uint64_t *frames,
			       uint32_t n_frames)
{
	struct lane *lane = lane_of(follow, cpu);
	struct dms_symbol symbol;
	struct origin *origin;

	if (!lane || !lane->serial)
		return NULL;
	origin = &follow->origins[lane->serial % MAX_ORIGINS];
	lane->serial = 0;
	for (uint32_t i = 0; i < n_frames && origin->function == DMS_STR_NONE; i++) {
		if (find_function(follow, frames[i], &symbol) &&
		    !dms_symbol_is_core(symbol.name, symbol.name_len))
			origin->function =
				dms_strtab_add(follow->functions, symbol.name, symbol.name_len);
	}
	return NULL;
}

struct dms_error *follow_gap(struct follow *follow, const struct dms_gap *gap)
{
	return dms_model_gap(follow->model, gap);
}

struct dms_error *follow_lost(struct follow *follow, uint64_t ts, uint32_t cpu, uint64_t lost)
{
	struct lane *lane = lane_of(follow, cpu);
	const struct dms_gap gap = {
		.after_ts = lane ? lane->last_ts : 0, .before_ts = ts, .lost = lost, .cpu = cpu};

	return follow_gap(follow, &gap);
}

struct dms_error *follow_end(struct follow *follow)
{
	return dms_model_end(follow->model, follow->last_ts);
}

/* ---- its life -------------------------------------------------------------------------------- */

static void configure(struct follow *follow, const struct dms_source_info *info)
{
	const struct dms_model_config config = {
		.inputs = dms_decoder_inputs(follow->decoder),
		.never_elides = !dms_decoder_may_elide(follow->decoder),
		.page_bytes = info->page_size,
	};

	dms_model_configure(follow->model, &config);
}

struct dms_error *follow_create(struct tep_handle *tep, struct dms_decoder *decoder,
				const struct dms_names *names, const struct dms_source_info *info,
				struct follow **ret)
{
	struct follow *follow = dms_zalloc(sizeof(*follow));
	struct dms_error *err;

	if (!follow)
		return &dms_error_nomem;
	follow->tep = tep;
	follow->decoder = decoder;
	follow->names = names;
	follow->is_in_ns = info->clock_is_ns;
	follow->origins = dms_zalloc(MAX_ORIGINS * sizeof(*follow->origins));
	follow->functions = dms_strtab_create();
	err = follow->origins && follow->functions ? dms_rules_create(take_finding, follow, &follow->rules)
			      : &dms_error_nomem;
	if (!err)
		err = dms_model_create(names, take_step, follow, &follow->model);
	if (err) {
		follow_destroy(follow);
		return err;
	}
	configure(follow, info);
	*ret = follow;
	return NULL;
}

void follow_destroy(struct follow *follow)
{
	if (!follow)
		return;
	dms_model_destroy(follow->model);
	dms_rules_destroy(follow->rules);
	dms_strtab_destroy(follow->functions);
	dms_free(follow->origins);
	dms_free(follow->lanes);
	dms_free(follow->text.at);
	dms_free(follow);
}
