// SPDX-License-Identifier: LGPL-2.1-only
/* The events of a text dump, by the fields they give: a made-up event format for each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shape.h"

#define N_SLOTS (4 * TEXT_MAX_SHAPES)
/* Rows of body.c whose last shape is remembered: all there are. */
#define N_RECENT 64

/* "unknown": tracefs names no system, and no row of ours knows the event. */
static const char no_system[] = "unknown";

struct text_shapes {
	struct dms_arena *arena;
	struct text_shape **shapes; /* in order of first sight */
	size_t capacity;
	uint32_t n_shapes;
	uint16_t slots[N_SLOTS]; /* shape + 1, 0 is empty; open addressing */
	struct text_shape *recent[N_RECENT]; /* by text_body.row: mostly the one, or NULL */
	struct dms_format *formats;
	char **texts; /* of the formats; one for each shape */
};

struct text_shapes *text_shapes_create(void)
{
	struct text_shapes *shapes = dms_zalloc(sizeof(*shapes));

	if (!shapes)
		return NULL;
	shapes->arena = dms_arena_create();
	if (!shapes->arena) {
		dms_free(shapes);
		return NULL;
	}
	return shapes;
}

void text_shapes_destroy(struct text_shapes *shapes)
{
	if (!shapes)
		return;
	for (uint32_t i = 0; shapes->texts && i < shapes->n_shapes; i++)
		dms_free(shapes->texts[i]);
	dms_free(shapes->texts);
	dms_free(shapes->formats);
	dms_free(shapes->shapes);
	dms_arena_destroy(shapes->arena);
	dms_free(shapes);
}

/* ---- finding one ----------------------------------------------------------------------------- */

static struct text_piece system_of(const struct text_head *head, const struct text_body *body)
{
	const char *name = body->system ? body->system : no_system;

	if (!body->system && head->system.len)
		return head->system;
	return (struct text_piece){name, (uint32_t)strlen(name)};
}

static struct text_piece name_of(const struct text_head *head, const struct text_body *body)
{
	return body->name ? (struct text_piece){body->name, (uint32_t)strlen(body->name)}
			  : head->name;
}

static uint64_t hash_of(const struct text_head *head, const struct text_body *body)
{
	struct text_piece name = name_of(head, body);
	uint64_t hash = dms_hash_bytes(name.str, name.len) + head->has_flags;

	for (uint32_t i = 0; i < body->n_values; i++) {
		const struct text_value *value = &body->values[i];

		hash = hash * 0x9e3779b97f4a7c15ull + value->name_len * 4u + value->type;
	}
	return hash ^ hash >> 32;
}

static bool is_word(struct text_piece piece, const char *word)
{
	return strlen(word) == piece.len && !memcmp(piece.str, word, piece.len);
}

static bool fits(const struct text_shape *shape, const struct text_head *head,
		 const struct text_body *body)
{
	if (shape->n_fields != body->n_values || shape->has_flags != head->has_flags ||
	    !is_word(name_of(head, body), shape->name) || !is_word(system_of(head, body), shape->system))
		return false;
	for (uint32_t i = 0; i < body->n_values; i++) {
		const struct text_value *value = &body->values[i];
		const struct text_field *field = &shape->fields[i];

		if (field->name_len != value->name_len || field->type != value->type ||
		    memcmp(field->name, value->name, value->name_len) != 0)
			return false;
	}
	return true;
}

/* The slot of the shape, or the empty one where it belongs. */
static uint32_t find_slot(const struct text_shapes *shapes, uint64_t hash,
			  const struct text_head *head, const struct text_body *body)
{
	uint32_t slot = hash % N_SLOTS;

	while (shapes->slots[slot]) {
		const struct text_shape *shape = shapes->shapes[shapes->slots[slot] - 1];

		if (shape->hash == hash && fits(shape, head, body))
			break;
		slot = (slot + 1) % N_SLOTS;
	}
	return slot;
}

/*
 * The last shape of @body's row, if it is this one's: the row tells system and name, and its words'
 * names are the same pointers each time. NULL: look for it by hash.
 */
static struct text_shape *find_recent(const struct text_shapes *shapes,
				      const struct text_head *head, const struct text_body *body)
{
	struct text_shape *shape = body->row < N_RECENT ? shapes->recent[body->row] : NULL;

	if (!shape || shape->n_fields != body->n_values || shape->has_flags != head->has_flags)
		return NULL;
	for (uint32_t i = 0; i < body->n_values; i++) {
		if (shape->fields[i].origin != body->values[i].name ||
		    shape->fields[i].type != body->values[i].type)
			return NULL;
	}
	return shape;
}

const struct text_shape *text_shapes_find(const struct text_shapes *shapes,
					  const struct text_head *head,
					  const struct text_body *body)
{
	const struct text_shape *recent = find_recent(shapes, head, body);
	uint32_t slot;

	if (recent)
		return recent;
	slot = find_slot(shapes, hash_of(head, body), head, body);
	return shapes->slots[slot] ? shapes->shapes[shapes->slots[slot] - 1] : NULL;
}

bool text_shapes_have(const struct text_shapes *shapes, const char *name)
{
	for (uint32_t i = 0; i < shapes->n_shapes; i++) {
		const struct text_shape *shape = shapes->shapes[i];

		for (uint32_t j = 0; j < shape->n_fields; j++) {
			if (!strcmp(shape->fields[j].name, name))
				return true;
		}
	}
	return false;
}

/* ---- making one ------------------------------------------------------------------------------ */

static const char *copy(struct text_shapes *shapes, const char *str, size_t len)
{
	char *text = dms_arena_alloc(shapes->arena, len + 1);

	if (text)
		memcpy(text, str, len); /* the arena's memory is zeroed */
	return text;
}

/*
 * Flags of an allocation are printed by their names, or as a number, whose bits mean what they
 * mean in a kernel we do not know.
 */
static bool fill_field(struct text_shapes *shapes, const struct text_body *body,
		       const struct text_value *value, struct text_field *ret)
{
	bool is_flags = body->system && !strcmp(body->system, "dma") &&
			is_word((struct text_piece){value->name, value->name_len}, "flags");

	ret->origin = value->name;
	ret->name_len = value->name_len;
	ret->type = value->type;
	ret->bytes = value->bytes;
	ret->is_signed = value->is_signed;
	ret->is_gfp = is_flags && value->type == TEXT_STRING;
	ret->name = copy(shapes, value->name, value->name_len);
	ret->is_hidden = is_flags && value->type == TEXT_NUMBER;
	return ret->name != NULL;
}

static struct text_shape *make_shape(struct text_shapes *shapes, const struct text_head *head,
				     const struct text_body *body)
{
	struct text_shape *shape = dms_arena_alloc(shapes->arena, sizeof(*shape));
	struct text_piece system = system_of(head, body), name = name_of(head, body);

	if (!shape || !dms_grow(&shapes->shapes, &shapes->capacity, shapes->n_shapes + 1,
				sizeof(struct text_shape *)))
		return NULL;
	shape->system = copy(shapes, system.str, system.len);
	shape->name = copy(shapes, name.str, name.len);
	if (!shape->system || !shape->name)
		return NULL;
	for (uint32_t i = 0; i < body->n_values; i++) {
		if (!fill_field(shapes, body, &body->values[i], &shape->fields[i]))
			return NULL;
	}
	shape->n_fields = body->n_values;
	shape->has_flags = head->has_flags;
	shapes->shapes[shapes->n_shapes++] = shape;
	shape->id = shapes->n_shapes;
	return shape;
}

/* A number is as wide as the widest that was seen. */
static void widen(struct text_shape *shape, const struct text_body *body)
{
	for (uint32_t i = 0; i < shape->n_fields; i++) {
		if (body->values[i].bytes > shape->fields[i].bytes)
			shape->fields[i].bytes = body->values[i].bytes;
		shape->fields[i].is_signed |= body->values[i].is_signed;
	}
}

/* *@ret NULL: there are too many. */
static struct dms_error *find_or_make(struct text_shapes *shapes, const struct text_head *head,
				      const struct text_body *body, struct text_shape **ret)
{
	uint64_t hash = hash_of(head, body);
	uint32_t slot = find_slot(shapes, hash, head, body);
	struct text_shape *shape;

	*ret = NULL;
	if (!shapes->slots[slot]) {
		if (shapes->n_shapes == TEXT_MAX_SHAPES)
			return NULL;
		shape = make_shape(shapes, head, body);
		if (!shape)
			return &dms_error_nomem;
		shape->hash = hash;
		shapes->slots[slot] = (uint16_t)shape->id;
	}
	shape = shapes->shapes[shapes->slots[slot] - 1];
	if (body->row && body->row < N_RECENT)
		shapes->recent[body->row] = shape;
	*ret = shape;
	return NULL;
}

struct dms_error *text_shapes_add(struct text_shapes *shapes, const struct text_head *head,
				  const struct text_body *body, const struct text_shape **ret)
{
	struct text_shape *shape = find_recent(shapes, head, body);
	struct dms_error *err;

	*ret = NULL;
	if (!shape && (err = find_or_make(shapes, head, body, &shape)))
		return err;
	if (!shape)
		return NULL;
	widen(shape, body);
	shape->n_events++;
	*ret = shape;
	return NULL;
}

/* ---- torn ones ------------------------------------------------------------------------------- */

static bool has_dir(const struct text_shape *shape)
{
	for (uint32_t i = 0; i < shape->n_fields; i++) {
		if (!strcmp(shape->fields[i].name, "dir"))
			return true;
	}
	return false;
}

/* Events called as @shape that have a direction. */
static uint64_t count_with_dir(const struct text_shapes *shapes, const struct text_shape *shape)
{
	uint64_t n_events = 0;

	for (uint32_t i = 0; i < shapes->n_shapes; i++) {
		const struct text_shape *other = shapes->shapes[i];

		if (has_dir(other) && !strcmp(other->name, shape->name) &&
		    !strcmp(other->system, shape->system))
			n_events += other->n_events;
	}
	return n_events;
}

/* The first field of a probe's event is its place: see probe.c. */
static bool is_of_probe(const struct text_shape *shape)
{
	return shape->n_fields && !strncmp(shape->fields[0].name, "__probe_", 8);
}

/* Do the fields of @longer begin with those of @shape, and go on? */
static bool goes_on(const struct text_shape *longer, const struct text_shape *shape)
{
	if (longer->n_fields <= shape->n_fields || strcmp(longer->name, shape->name) != 0 ||
	    strcmp(longer->system, shape->system) != 0)
		return false;
	for (uint32_t i = 0; i < shape->n_fields; i++) {
		if (strcmp(longer->fields[i].name, shape->fields[i].name) != 0)
			return false;
	}
	return true;
}

/* Events of the probe of @shape that have all of its arguments, and more. */
static uint64_t count_longer(const struct text_shapes *shapes, const struct text_shape *shape)
{
	uint64_t n_events = 0;

	for (uint32_t i = 0; i < shapes->n_shapes; i++) {
		if (goes_on(shapes->shapes[i], shape))
			n_events += shapes->shapes[i]->n_events;
	}
	return n_events;
}

uint64_t text_shapes_mark_torn(struct text_shapes *shapes)
{
	uint64_t n_torn = 0;

	for (uint32_t i = 0; i < shapes->n_shapes; i++) {
		struct text_shape *shape = shapes->shapes[i];

		if (!strcmp(shape->system, "dma") && !has_dir(shape))
			shape->is_torn = count_with_dir(shapes, shape) >= shape->n_events;
		else if (is_of_probe(shape)) /* the arguments of one probe are always the same */
			shape->is_torn = count_longer(shapes, shape) >= shape->n_events;
		n_torn += shape->is_torn ? shape->n_events : 0;
	}
	return n_torn;
}

/* ---- formats --------------------------------------------------------------------------------- */

static const char *type_of(const struct text_field *field)
{
	static const char *const signed_types[] = {"s8", "s16", "s32", "s64"};
	static const char *const unsigned_types[] = {"u8", "u16", "u32", "u64"};
	unsigned int width = (unsigned int)__builtin_ctz(field->bytes ? field->bytes : 8) & 3;

	if (field->is_gfp)
		return "gfp_t";
	if (field->type == TEXT_STRING)
		return "__data_loc char[]";
	if (field->type == TEXT_LIST)
		return field->bytes == 4 ? "__data_loc u32[]" : "__data_loc u64[]";
	return field->is_signed ? signed_types[width] : unsigned_types[width];
}

static uint32_t size_of(const struct text_field *field)
{
	return field->type == TEXT_NUMBER && field->bytes ? field->bytes
	       : field->type == TEXT_NUMBER		  ? 8
							  : 4;
}

/*
 * decode takes the width of a failed mapping's address from a bounce's dev_addr, whose type is
 * dma_addr_t; as text it has no width (include/trace/events/swiotlb.h).
 */
static void narrow(struct text_shape *shape)
{
	for (uint32_t i = 0; i < shape->n_fields; i++) {
		if (!strcmp(shape->fields[i].name, "dev_addr") && shape->fields[i].bytes == 8)
			shape->fields[i].bytes = 4;
	}
}

static void lay_out(struct text_shape *shape)
{
	shape->fixed_bytes = 8; /* the common fields */
	for (uint32_t i = 0; i < shape->n_fields; i++) {
		shape->fields[i].offset = shape->fixed_bytes;
		shape->fixed_bytes += size_of(&shape->fields[i]);
	}
}

/* The common fields stand where they stand in every kernel. */
static const char common_text[] = "\tfield:unsigned short common_type;\toffset:0;\tsize:2;"
				  "\tsigned:0;\n";
static const char flags_text[] =
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n";
static const char pid_text[] = "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n";

static bool write_text(FILE *out, const struct text_shape *shape)
{
	bool has_gfp = false;

	fprintf(out, "name: %s\nID: %u\nformat:\n%s%s%s", shape->name, shape->id, common_text,
		shape->has_flags ? flags_text : "", pid_text);
	for (uint32_t i = 0; i < shape->n_fields; i++) {
		const struct text_field *field = &shape->fields[i];

		fprintf(out, "\tfield:%s %s;\toffset:%u;\tsize:%u;\tsigned:%d;\n", type_of(field),
			field->is_hidden ? "number" : field->name, field->offset, size_of(field),
			field->is_signed);
		has_gfp |= field->is_gfp;
	}
	fputs("\nprint fmt: \"\"", out);
	if (has_gfp) {
		_cleanup_(dms_freep) char *bits = text_gfp_print_format();

		if (!bits)
			return false;
		fprintf(out, ", __print_flags(REC->flags, \"|\", %s)", bits);
	}
	fputc('\n', out);
	return !ferror(out);
}

static bool make_format(struct text_shapes *shapes, uint32_t index)
{
	const struct text_shape *shape = shapes->shapes[index];
	struct dms_format *format = &shapes->formats[index];
	struct dms_text text = {0};
	FILE *out = dms_text_open(&text);
	bool is_written;

	if (!out)
		return false;
	is_written = write_text(out, shape);
	is_written &= dms_text_close(&text, out);
	shapes->texts[index] = is_written ? text.bytes : NULL;
	if (!is_written)
		dms_free(text.bytes);
	*format = (struct dms_format){
		.system = shape->system,
		.name = shape->name,
		.text = shapes->texts[index],
		.size = text.n_bytes,
		.id = shape->id,
	};
	return shapes->texts[index] != NULL;
}

struct dms_error *text_shapes_formats(struct text_shapes *shapes, bool is_32bit,
				      const struct dms_format **ret, uint32_t *ret_n)
{
	shapes->formats = dms_zalloc((shapes->n_shapes + 1) * sizeof(*shapes->formats));
	shapes->texts = dms_zalloc((shapes->n_shapes + 1) * sizeof(*shapes->texts));
	if (!shapes->formats || !shapes->texts)
		return &dms_error_nomem;
	for (uint32_t i = 0; i < shapes->n_shapes; i++) {
		if (is_32bit)
			narrow(shapes->shapes[i]);
		lay_out(shapes->shapes[i]);
		if (!make_format(shapes, i))
			return &dms_error_nomem;
	}
	*ret = shapes->formats;
	*ret_n = shapes->n_shapes;
	return NULL;
}
