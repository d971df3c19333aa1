// SPDX-License-Identifier: LGPL-2.1-only
/* What is UTF-8 and what is not. */
#include <string.h>

#include <dmascope/base.h>

size_t dms_utf8_sequence(const unsigned char *text, size_t bytes, uint32_t *ret_code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len;

	if (text[0] < 0x80) {
		*ret_code = text[0];
		return 1;
	}
	len = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	if (text[0] < 0xc0 || text[0] > 0xf4 || len > bytes)
		return 0;
	*ret_code = text[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*ret_code = *ret_code << 6 | (text[i] & 0x3f);
	}
	if (*ret_code < least[len] || *ret_code > 0x10ffff ||
	    (*ret_code >= 0xd800 && *ret_code < 0xe000))
		return 0;
	return len;
}

bool dms_is_utf8(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t left = strlen(text), len;
	uint32_t code;

	for (; left; at += len, left -= len) {
		len = dms_utf8_sequence(at, left, &code);
		if (!len)
			return false;
	}
	return true;
}
