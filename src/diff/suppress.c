// SPDX-License-Identifier: LGPL-2.1-only
/* Suppressions written: a block for each finding that would fail, as dms_config_read() reads them. */
#include <errno.h>
#include <string.h>

#include "suppress.h"

/* What dms_config_read() takes, and room for each byte to be escaped. */
#define PATTERN_BYTES 512
#define NAME_BYTES    256

/** A YAML document being made. A node is a number above 0; 0: memory was short once. */
struct making {
	yaml_document_t document;
	bool has_failed;
};

static int add_text(struct making *making, const char *text)
{
	int node = yaml_document_add_scalar(&making->document, NULL, (const yaml_char_t *)text,
					    (int)strlen(text), YAML_ANY_SCALAR_STYLE);

	making->has_failed |= !node;
	return node;
}

static int add_list(struct making *making, yaml_sequence_style_t style)
{
	int node = yaml_document_add_sequence(&making->document, NULL, style);

	making->has_failed |= !node;
	return node;
}

static int add_mapping(struct making *making)
{
	int node = yaml_document_add_mapping(&making->document, NULL, YAML_BLOCK_MAPPING_STYLE);

	making->has_failed |= !node;
	return node;
}

static void add_item(struct making *making, int list, int item)
{
	making->has_failed = making->has_failed ||
			     !yaml_document_append_sequence_item(&making->document, list, item);
}

static void add_pair(struct making *making, int mapping, const char *key, int value)
{
	int key_node = add_text(making, key);

	making->has_failed = making->has_failed ||
			     !yaml_document_append_mapping_pair(&making->document, mapping,
								key_node, value);
}

/* ---- a finding as patterns -------------------------------------------------------------------- */

/* Whether char is signed is the machine's choice. */
static bool is_plain(char byte)
{
	return (unsigned char)byte >= ' ' && (unsigned char)byte < 0x7f;
}

/*
 * A glob that fits @text, cut short by a star where it is long. Bytes that are no plain text, which
 * YAML might not carry, fit a "?".
 */
static const char *literal(const char *text, char *buf)
{
	size_t used = 0;

	for (; text && *text; text++) {
		if (used + 3 > PATTERN_BYTES) {
			buf[used++] = '*';
			break;
		}
		if (strchr("*?[\\", *text))
			buf[used++] = '\\';
		buf[used++] = is_plain(*text) ? *text : '?';
	}
	if (!used)
		buf[used++] = '*';
	buf[used] = '\0';
	return buf;
}

/* "unmap-size-mismatch in e1000 at e1000_clean": what a reader looks for. */
static const char *block_name(const struct dms_base_finding *finding,
			      const struct dms_function *site, char *buf)
{
	bool has_site = site && site->name;

	snprintf(buf, NAME_BYTES, "%s in %s%s%s", finding->rule, finding->device_kind,
		 has_site ? " at " : "", has_site ? site->name : "");
	for (char *at = buf; *at; at++) {
		if (!is_plain(*at))
			*at = '_';
	}
	return buf;
}

/* Who broke the rule, or, of what nobody did, who mapped; NULL: not known. */
static const struct dms_function *finding_site(const struct dms_base_finding *finding)
{
	if (finding->n_frames)
		return finding->frames;
	return finding->n_map_frames ? finding->map_frames : NULL;
}

/* Do rule, kind and site of @finding fit another one, too? */
static bool fits_others(const struct dms_comparison *comparison,
			const struct dms_base_finding *finding,
			const struct dms_suppression *block)
{
	for (size_t i = 0; i < comparison->n_findings; i++) {
		const struct dms_finding_change *change = &comparison->findings[i];

		if (change->head == finding || change->base == finding)
			continue;
		if ((change->head && suppress_fits(block, change->head)) ||
		    (change->base && suppress_fits(block, change->base)))
			return true;
	}
	return false;
}

/* The innermost frame alone: deeper ones differ from call to call, from kernel to kernel. */
static void add_block(struct making *making, int list, const struct dms_comparison *comparison,
		      const struct dms_base_finding *finding)
{
	char rule[PATTERN_BYTES + 3], kind[PATTERN_BYTES + 3], frame[PATTERN_BYTES + 3];
	char fingerprint[PATTERN_BYTES + 3], name[NAME_BYTES];
	const struct dms_function *site = finding_site(finding);
	const char *frames[] = {literal(site ? site->name : NULL, frame)};
	const struct dms_suppression block = {
		.rule = literal(finding->rule, rule),
		.driver = literal(finding->device_kind, kind),
		.frames = frames,
		.n_frames = site && site->name ? 1 : 0,
	};
	int mapping = add_mapping(making);

	add_pair(making, mapping, "name", add_text(making, block_name(finding, site, name)));
	add_pair(making, mapping, "rule", add_text(making, rule));
	add_pair(making, mapping, "driver", add_text(making, kind));
	if (block.n_frames) {
		int inner = add_list(making, YAML_FLOW_SEQUENCE_STYLE);

		add_item(making, inner, add_text(making, frame));
		add_pair(making, mapping, "frames", inner);
	}
	/* without a site all of the kind would be meant */
	if (!block.n_frames || fits_others(comparison, finding, &block))
		add_pair(making, mapping, "fingerprint",
			 add_text(making, literal(finding->fingerprint, fingerprint)));
	add_pair(making, mapping, "reason", add_text(making, "TODO: why this may stay"));
	add_item(making, list, mapping);
}

/* ---- the file ------------------------------------------------------------------------------------ */

static int write_bytes(void *out, unsigned char *bytes, size_t size)
{
	return fwrite(bytes, 1, size, out) == size;
}

/* Takes the document, whatever happens. */
static struct dms_error *write_document(struct making *making, FILE *out)
{
	struct dms_error *err = NULL;
	yaml_emitter_t emitter;

	if (!yaml_emitter_initialize(&emitter)) {
		yaml_document_delete(&making->document);
		return &dms_error_nomem;
	}
	yaml_emitter_set_output(&emitter, write_bytes, out);
	yaml_emitter_set_width(&emitter, -1);
	if (!yaml_emitter_open(&emitter))
		yaml_document_delete(&making->document);
	else if (yaml_emitter_dump(&emitter, &making->document))
		yaml_emitter_close(&emitter);
	if (emitter.error == YAML_WRITER_ERROR)
		err = dms_error_errno(DMS_ERROR_INTERNAL, errno, "writing suppressions");
	else if (emitter.error != YAML_NO_ERROR)
		err = dms_error_new(DMS_ERROR_INTERNAL, "writing suppressions: %s",
				    emitter.problem ? emitter.problem : "out of memory");
	yaml_emitter_delete(&emitter);
	return err;
}

struct dms_error *dms_suppressions_print(const struct dms_comparison *comparison, FILE *out)
{
	struct making making = {.has_failed = false};
	int root, list;

	if (!yaml_document_initialize(&making.document, NULL, NULL, NULL, 1, 1))
		return &dms_error_nomem;
	root = add_mapping(&making);
	list = add_list(&making, YAML_ANY_SEQUENCE_STYLE);
	for (size_t i = 0; !making.has_failed && i < comparison->n_findings; i++) {
		const struct dms_finding_change *change = &comparison->findings[i];

		if (change->fails)
			add_block(&making, list, comparison,
				  change->head ? change->head : change->base);
	}
	add_pair(&making, root, "suppressions", list);
	if (making.has_failed) {
		yaml_document_delete(&making.document);
		return &dms_error_nomem;
	}
	return write_document(&making, out);
}
