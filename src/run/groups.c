// SPDX-License-Identifier: LGPL-2.1-only
/* Findings counted, all of them, by what their fingerprint is made of; told as table finding_group. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/diff.h>

#include "run.h"

/*
 * While the trace is read no function has a name, so findings are counted by stacks, and those that
 * come to the same fingerprint are added up at the end. Beyond this many the sites are forgotten:
 * what is left to tell findings apart grows with the devices only.
 */
#define MAX_COMBINATIONS 65536

/** What findings have in common. No padding: it is compared and hashed as bytes. */
struct key {
	const struct dms_rule *rule;
	const char *reason; /* one of dms_doubt_reason(); NULL: certain */
	uint32_t device;
	uint32_t site_stack, map_stack; /* DMS_ID_NONE: not known, or there is none */
	uint8_t severity, confidence, dir;
	uint8_t size_class; /* bits of the size: 0 for none */
};
_Static_assert(sizeof(struct key) == 2 * sizeof(void *) + 16, "struct key has padding");

struct combination {
	struct key key;
	uint64_t count, first_ts;
	uint32_t group;		 /* once settled */
	const char *fingerprint; /* the same; in the run's arena */
};

/** Combinations that came to the same: a row to be. */
struct merged {
	uint32_t first; /* combination */
	uint64_t count, first_ts, finding_row;
};

struct dms_run_groups {
	struct combination *items;
	size_t n_items, items_capacity;
	uint32_t *slots; /* open addressing: number of the item, from 1; 0: free */
	size_t n_slots;	 /* a power of two */
	struct merged *merged;
	size_t n_merged;
	uint64_t n_siteless; /* findings whose sites were forgotten */
};

/* ---- counting --------------------------------------------------------------------------------- */

struct dms_run_groups *dms_run_groups_create(void)
{
	return dms_zalloc(sizeof(struct dms_run_groups));
}

void dms_run_groups_destroy(struct dms_run_groups *groups)
{
	if (!groups)
		return;
	dms_free(groups->items);
	dms_free(groups->slots);
	dms_free(groups->merged);
	dms_free(groups);
}

/* Where @key is, or where it is to be. */
static uint32_t *find_slot(const struct dms_run_groups *groups, const struct key *key)
{
	size_t mask = groups->n_slots - 1;
	size_t at = dms_hash_bytes(key, sizeof(*key)) & mask;

	while (groups->slots[at] &&
	       memcmp(&groups->items[groups->slots[at] - 1].key, key, sizeof(*key)) != 0)
		at = (at + 1) & mask;
	return &groups->slots[at];
}

/* Slots for one more, half of them free. */
static bool make_room(struct dms_run_groups *groups)
{
	size_t n_slots = groups->n_slots ? groups->n_slots * 2 : 64;
	uint32_t *slots;

	if (groups->n_items * 2 < groups->n_slots)
		return true;
	slots = dms_zalloc(n_slots * sizeof(*slots));
	if (!slots)
		return false;
	dms_free(groups->slots);
	groups->slots = slots;
	groups->n_slots = n_slots;
	for (size_t i = 0; i < groups->n_items; i++)
		*find_slot(groups, &groups->items[i].key) = (uint32_t)i + 1;
	return true;
}

static struct dms_error *count(struct dms_run_groups *groups, struct key *key, uint64_t ts,
			       uint32_t *ret_number)
{
	struct combination *item;
	uint32_t *slot;

	if (!make_room(groups))
		return &dms_error_nomem;
	slot = find_slot(groups, key);
	if (!*slot && groups->n_items >= MAX_COMBINATIONS) {
		groups->n_siteless++;
		key->site_stack = key->map_stack = DMS_ID_NONE;
		key->size_class = 0;
		slot = find_slot(groups, key);
	}
	if (!*slot) {
		if (!dms_grow(&groups->items, &groups->items_capacity, groups->n_items + 1,
			      sizeof(*groups->items)))
			return &dms_error_nomem;
		groups->items[groups->n_items++] =
			(struct combination){.key = *key, .first_ts = ts};
		*slot = (uint32_t)groups->n_items;
	}
	item = &groups->items[*slot - 1];
	item->count++;
	if (ts < item->first_ts) /* an unmatched unmap may be told late */
		item->first_ts = ts;
	*ret_number = *slot - 1;
	return NULL;
}

/* ---- what a finding is about ------------------------------------------------------------------ */

#define ON(step) DMS_BIT(DMS_STEP_##step)
/* Steps whose event is the call that broke the rule, or one the kernel made within it. */
#define CALLS                                                                                      \
	(ON(MAP) | ON(MAP_FAILED) | ON(UNMAP) | ON(UNMAP_UNMATCHED) | ON(SYNC) | ON(SYNC_UNMATCHED) | \
	 ON(CHECK) | ON(OVERLAP) | ON(IOMMU))

/* A rule that also judges lives without an unmap is about the map, whatever ends it. */
static uint32_t site_stack_of(const struct dms_finding *finding)
{
	const struct dms_step *step = finding->step;

	if (!(CALLS & DMS_BIT(step->kind)) || finding->rule->on & ON(ENDED) || !step->event)
		return DMS_ID_NONE;
	return step->event->stack;
}

static uint32_t stack_of_fact(const struct dms_facts *facts, const char *key)
{
	for (size_t i = 0; i < facts->n_items; i++) {
		if (!strcmp(facts->items[i].key, key) && facts->items[i].number)
			return (uint32_t)(facts->items[i].number - 1);
	}
	return DMS_ID_NONE;
}

static uint32_t map_stack_of(const struct dms_finding *finding)
{
	const struct dms_step *step = finding->step;

	if (step->kind == DMS_STEP_SITE)
		return step->site->stack;
	if (step->kind == DMS_STEP_OVERLAP)
		return step->related ? step->related->map_stack : DMS_ID_NONE;
	if ((step->kind == DMS_STEP_MAP || step->kind == DMS_STEP_MAP_FAILED) && step->event)
		return step->event->stack;
	return stack_of_fact(finding->facts, "map_stack_id");
}

/** What a fingerprint needs of a mapping. */
struct memory {
	uint8_t kind, dir;
	uint64_t size;
};

static struct memory memory_of(const struct dms_mapping *mapping)
{
	return (struct memory){mapping->kind, mapping->dir, mapping->size};
}

/* Of the call alone, as far as it tells. */
static struct memory memory_of_call(const struct dms_step *step)
{
	const struct dms_event *event = step->event;
	uint8_t kind = step->mapping ? step->mapping->kind : DMS_MAPPING_PAGE;

	if (!event)
		return (struct memory){.dir = DMS_DIR_UNKNOWN};
	return (struct memory){
		kind,
		event->has & DMS_HAS_DIR ? event->dir : DMS_DIR_UNKNOWN,
		event->has & DMS_HAS_SIZE ? event->size : 0,
	};
}

/*
 * The whole mapping, not the part that a call or a fault hit, which differs from run to run. Where
 * many mappings or failed ones are concerned, and of two that overlap, no size is typical.
 */
static struct memory concerned(const struct dms_finding *finding)
{
	const struct dms_step *step = finding->step;
	const struct dms_past *past = step->past;

	if (step->kind == DMS_STEP_SITE)
		return (struct memory){step->site->kind, step->site->dir, 0};
	if (step->kind == DMS_STEP_OVERLAP)
		return (struct memory){.dir = DMS_DIR_UNKNOWN};
	if (step->kind == DMS_STEP_MAP_FAILED) {
		struct memory failed = memory_of_call(step);

		failed.size = 0;
		return failed;
	}
	if (past && (finding->rule->ends == DMS_ENDS_PAST ||
		     (!step->related && !(step->mapping && step->mapping->has))))
		return (struct memory){past->kind, past->dir, past->size};
	if (step->mapping && step->mapping->has)
		return memory_of(step->mapping);
	if (step->related)
		return memory_of(step->related);
	if (step->elsewhere)
		return memory_of(step->elsewhere);
	return memory_of_call(step);
}

struct dms_error *dms_run_groups_add(struct dms_run_groups *groups,
				     const struct dms_finding *finding, uint32_t device,
				     uint32_t *ret_number)
{
	struct memory memory = concerned(finding);
	struct key key = {
		.rule = finding->rule,
		.reason = finding->reason,
		.device = device,
		.site_stack = site_stack_of(finding),
		.map_stack = map_stack_of(finding),
		.severity = (uint8_t)finding->severity,
		.confidence = (uint8_t)finding->confidence,
		/* older kernels do not tell it of allocations */
		.dir = memory.kind == DMS_MAPPING_COHERENT ? DMS_DIR_UNKNOWN : memory.dir,
		.size_class = memory.size ? (uint8_t)(64 - __builtin_clzll(memory.size)) : 0,
	};

	return count(groups, &key, finding->step->ts, ret_number);
}

/* ---- before anything is told ------------------------------------------------------------------- */

void dms_run_groups_doubt(struct dms_run *run)
{
	struct dms_run_groups *groups = run->groups;

	for (size_t i = 0; i < groups->n_items; i++) {
		struct key *key = &groups->items[i].key;

		if (!dms_run_is_overturned(run, key->rule, key->device))
			continue;
		key->severity = DMS_SEVERITY_INFO;
		key->confidence = DMS_POSSIBLE;
		key->reason = dms_doubt_reason(DMS_DOUBT_UNTRACED);
	}
}

/* The numbers of the others stay what they are: kept findings know them. */
void dms_run_groups_filter(struct dms_run *run)
{
	for (size_t i = 0; i < run->groups->n_items; i++) {
		if (!dms_run_tells_device(run, run->groups->items[i].key.device))
			run->groups->items[i].count = 0;
	}
}

/** Names out of the symbol table, which does not terminate them. */
struct site {
	char *name, *module;
};

static void site_destroy(struct site *site)
{
	dms_free(site->name);
	dms_free(site->module);
}

/* The first frame outside the DMA core that has a name. */
static struct dms_error *find_site(const struct dms_run *run, uint32_t stack, struct site *ret)
{
	struct dms_symbol symbol;
	const uint64_t *frames;
	uint32_t n_frames;

	if (stack == DMS_ID_NONE || !run->symbols || !run->names.stacks)
		return NULL;
	frames = dms_stacks_get(run->names.stacks, stack, &n_frames);
	for (uint32_t i = 0; i < n_frames; i++) {
		if (!dms_symbols_find(run->symbols, frames[i], &symbol) ||
		    dms_symbol_is_core(symbol.name, symbol.name_len))
			continue;
		ret->name = dms_strndup(symbol.name, symbol.name_len);
		if (symbol.module)
			ret->module = dms_strndup(symbol.module, symbol.module_len);
		return ret->name && (ret->module || !symbol.module) ? NULL : &dms_error_nomem;
	}
	return NULL;
}

/* As the inventory or stacks tell it; otherwise of its name. *@ret NULL: no device is concerned. */
static struct dms_error *kind_of(const struct dms_run *run, uint32_t device, char **ret)
{
	const char *driver;

	if (device == DMS_ID_NONE)
		return NULL;
	driver = run->device_facts ? run->device_facts[device].driver : NULL;
	*ret = driver ? dms_strdup(driver)
		      : dms_device_kind(dms_strtab_get(run->names.devices,
						       dms_model_device(run->model, device)->name));
	return *ret ? NULL : &dms_error_nomem;
}

/* Which of two mappings of one memory came first is chance: their sites stand in order of name. */
static void order_sites(struct dms_fingerprint *fingerprint)
{
	struct dms_function map_site = fingerprint->map_site;

	if (strcmp(map_site.name ?: "", fingerprint->site.name ?: "") <= 0)
		return;
	fingerprint->map_site = fingerprint->site;
	fingerprint->site = map_site;
}

static struct dms_error *keep_text(struct dms_run *run, const struct dms_fingerprint *fingerprint,
				   const char **ret)
{
	_cleanup_(dms_freep) char *text = dms_fingerprint_text(fingerprint);
	char *kept = text ? dms_arena_alloc(run->arena, strlen(text) + 1) : NULL;

	*ret = kept ? strcpy(kept, text) : NULL;
	return kept ? NULL : &dms_error_nomem;
}

static struct dms_error *settle(struct dms_run *run, struct combination *item)
{
	const struct key *key = &item->key;
	_cleanup_(dms_freep) char *kind = NULL;
	_cleanup_(site_destroy) struct site site = {0}, map_site = {0};
	struct dms_fingerprint fingerprint = {.rule = key->rule->id};
	struct dms_error *err;

	if ((err = find_site(run, key->site_stack, &site)) ||
	    (err = find_site(run, key->map_stack, &map_site)) ||
	    (err = kind_of(run, key->device, &kind)))
		return err;
	fingerprint.device_kind = kind;
	fingerprint.site = (struct dms_function){site.name, site.module};
	fingerprint.map_site = (struct dms_function){map_site.name, map_site.module};
	if (key->dir != DMS_DIR_UNKNOWN)
		fingerprint.direction = dms_dir_name((enum dms_dir)key->dir);
	if (key->size_class)
		fingerprint.size_bytes = 1ull << (key->size_class - 1);
	if (key->rule->on & ON(OVERLAP))
		order_sites(&fingerprint);
	return keep_text(run, &fingerprint, &item->fingerprint);
}

/* Order of rows in the database: nothing in it depends on the order in which stacks were seen. */
static int compare(const struct combination *a, const struct combination *b)
{
	int order = strcmp(a->key.rule->id, b->key.rule->id);

	if (order)
		return order;
	if (a->key.device != b->key.device)
		return a->key.device < b->key.device ? -1 : 1;
	if ((order = strcmp(a->fingerprint, b->fingerprint)))
		return order;
	if (a->key.severity != b->key.severity)
		return a->key.severity > b->key.severity ? -1 : 1;
	if (a->key.confidence != b->key.confidence)
		return a->key.confidence > b->key.confidence ? -1 : 1;
	return strcmp(a->key.reason ?: "", b->key.reason ?: "");
}

static int compare_numbers(const void *left, const void *right, void *context)
{
	const struct combination *items = context;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return compare(&items[a], &items[b]);
}

/* @order: the combinations that count, sorted. */
static void merge(struct dms_run_groups *groups, const uint32_t *order, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct combination *item = &groups->items[order[i]];
		struct merged *group;

		if (!i || compare(&groups->items[order[i - 1]], item) != 0)
			groups->merged[groups->n_merged++] =
				(struct merged){.first = order[i], .first_ts = item->first_ts};
		group = &groups->merged[groups->n_merged - 1];
		group->count += item->count;
		if (item->first_ts < group->first_ts)
			group->first_ts = item->first_ts;
		item->group = (uint32_t)(groups->n_merged - 1);
	}
}

struct dms_error *dms_run_groups_settle(struct dms_run *run)
{
	struct dms_run_groups *groups = run->groups;
	_cleanup_(dms_freep) uint32_t *order = dms_alloc((groups->n_items + 1) * sizeof(*order));
	struct dms_error *err = NULL;
	size_t n = 0;

	dms_free(groups->merged);
	groups->n_merged = 0;
	groups->merged = dms_alloc((groups->n_items + 1) * sizeof(*groups->merged));
	if (!order || !groups->merged)
		return &dms_error_nomem;
	for (size_t i = 0; i < groups->n_items && !err; i++) {
		if (!groups->items[i].count)
			continue;
		err = settle(run, &groups->items[i]);
		order[n++] = (uint32_t)i;
	}
	if (err)
		return err;
	qsort_r(order, n, sizeof(*order), compare_numbers, groups->items);
	merge(groups, order, n);
	return NULL;
}

/* ---- telling ----------------------------------------------------------------------------------- */

const char *dms_run_groups_row(struct dms_run_groups *groups, uint32_t number, uint64_t finding_row)
{
	struct merged *group = &groups->merged[groups->items[number].group];

	if (!group->finding_row)
		group->finding_row = finding_row;
	return groups->items[number].fingerprint;
}

const char *dms_run_groups_fingerprint(const struct dms_run_groups *groups, uint32_t number)
{
	return groups->items[number].fingerprint;
}

struct dms_error *dms_run_groups_store(struct dms_run *run)
{
	const struct dms_run_groups *groups = run->groups;
	struct dms_error *err = NULL;

	for (size_t i = 0; i < groups->n_merged && !err; i++) {
		const struct merged *group = &groups->merged[i];
		const struct combination *first = &groups->items[group->first];

		err = dms_store_finding_group(
			run->store,
			&(struct dms_finding_group){
				.rule = first->key.rule->id,
				.severity = dms_severity_name(first->key.severity),
				.confidence = dms_confidence_name(first->key.confidence),
				.fingerprint = first->fingerprint,
				.reason = first->key.reason,
				.device = first->key.device,
				.count = group->count,
				.first_ts = group->first_ts,
				.finding_row = group->finding_row,
			});
	}
	return err;
}

struct dms_error *dms_run_groups_note(struct dms_run *run)
{
	if (!run->groups->n_siteless)
		return NULL;
	return dms_run_add_note(
		run, NULL, DMS_ID_NONE,
		dms_asprintf("%" PRIu64 " findings have fingerprints without call sites: more than %d "
			     "combinations of rules and call stacks",
			     run->groups->n_siteless, MAX_COMBINATIONS));
}
