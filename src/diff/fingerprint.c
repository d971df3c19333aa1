// SPDX-License-Identifier: LGPL-2.1-only
/* Fingerprints: what the same defect has in common in any run, on any machine, as one line of text. */
#include <stdio.h>
#include <string.h>

#include <dmascope/diff.h>

/* What stands for a part that is not known. */
#define UNKNOWN "-"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* As the kernel prints addresses of buses: lower case. */
static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

/* ---- functions -------------------------------------------------------------------------------- */

/*
 * A dot is in no name of C or Rust: compilers put it before what they add. One at the beginning is
 * the entry point's own, as 64-bit PowerPC names them.
 */
size_t dms_function_length(const char *name)
{
	const char *dot = name[0] ? strchr(name + 1, '.') : NULL;

	return dot ? (size_t)(dot - name) : strlen(name);
}

/* ---- kinds of devices ------------------------------------------------------------------------- */

static size_t count_hex(const char *text)
{
	size_t n = 0;

	while (is_hex(text[n]))
		n++;
	return n;
}

/* "0000:00:1f.2", also "10000:e1:00.0" behind a volume management device. */
static bool is_pci_address(const char *name)
{
	size_t domain = count_hex(name);
	const char *rest = name + domain;

	return domain >= 4 && rest[0] == ':' && count_hex(rest + 1) == 2 && rest[3] == ':' &&
	       count_hex(rest + 4) == 2 && rest[6] == '.' && rest[7] >= '0' && rest[7] <= '7' &&
	       !rest[8];
}

/* Of a device tree's "fe300000.mmc": how long the address is; 0: @name begins with none. */
static size_t unit_address_length(const char *name)
{
	size_t len = count_hex(name);

	return len >= 6 && name[len] == '.' && strcspn(name, "0123456789") < len ? len : 0;
}

char *dms_device_kind(const char *name)
{
	char *kind = is_pci_address(name) ? dms_strdup("pci") : dms_strdup(name);
	size_t from = unit_address_length(name), to = 0;

	if (!kind || is_pci_address(name))
		return kind;
	if (from)
		kind[to++] = '#';
	for (; name[from]; from++) {
		if (!is_digit(name[from]))
			kind[to++] = name[from];
		else if (!to || kind[to - 1] != '#')
			kind[to++] = '#';
	}
	kind[to] = '\0';
	return kind;
}

/* ---- the text --------------------------------------------------------------------------------- */

/* A copy of the first @len bytes of @text, fit for one part. NULL: memory. */
static char *part_of(const char *text, size_t len)
{
	char *part = dms_asprintf("%.*s", (int)len, text);

	for (char *at = part; at && *at; at++) {
		if (*at < ' ' || *at > '~' || *at == ':')
			*at = '_';
	}
	return part;
}

static char *whole_part_of(const char *text)
{
	return text && text[0] ? part_of(text, strlen(text)) : dms_strdup(UNKNOWN);
}

static char *site_text(const struct dms_function *site)
{
	_cleanup_(dms_freep) char *name = NULL, *module = NULL;

	if (!site->name || !site->name[0])
		return dms_strdup(UNKNOWN);
	name = part_of(site->name, dms_function_length(site->name));
	if (!name || !site->module || !site->module[0])
		return name ? dms_strdup(name) : NULL;
	module = whole_part_of(site->module);
	return module ? dms_asprintf("%s[%s]", name, module) : NULL;
}

static void size_text(uint64_t size_bytes, char *buf, size_t size)
{
	if (size_bytes)
		snprintf(buf, size, "2^%u", 63 - (unsigned int)__builtin_clzll(size_bytes));
	else
		snprintf(buf, size, UNKNOWN);
}

char *dms_fingerprint_text(const struct dms_fingerprint *fingerprint)
{
	_cleanup_(dms_freep) char *rule = whole_part_of(fingerprint->rule);
	_cleanup_(dms_freep) char *kind = whole_part_of(fingerprint->device_kind);
	_cleanup_(dms_freep) char *map_site = site_text(&fingerprint->map_site);
	_cleanup_(dms_freep) char *site = site_text(&fingerprint->site);
	_cleanup_(dms_freep) char *direction = whole_part_of(fingerprint->direction);
	char size[8];

	if (!rule || !kind || !map_site || !site || !direction)
		return NULL;
	size_text(fingerprint->size_bytes, size, sizeof(size));
	return dms_asprintf("%s:%s:%s:%s:%s:%s", rule, kind, map_site, site, direction, size);
}
