// SPDX-License-Identifier: LGPL-2.1-only
/* What each byte may be part of: a look at a table costs less than asking for ranges. */
#include "scan.h"

#define WORD   TEXT_CHAR_WORD
#define NAME   TEXT_CHAR_NAME
#define DEVICE TEXT_CHAR_DEVICE

/* clang-format off */
#define DIGITS	WORD | NAME | DEVICE
#define LETTERS	WORD | NAME | DEVICE

const uint8_t text_chars[256] = {
	['0' ... '9'] = DIGITS,
	['A' ... 'Z'] = LETTERS,
	['a' ... 'z'] = LETTERS,
	['_'] = WORD | NAME | DEVICE,
	['$'] = NAME | DEVICE, ['+'] = NAME | DEVICE, ['.'] = NAME | DEVICE, ['/'] = NAME | DEVICE,
	/* in names of devices all but control characters and what lists and words are made of */
	[' ' ... '#'] = DEVICE, ['%' ... '*'] = DEVICE, [','] = DEVICE, ['-'] = DEVICE,
	[':'] = DEVICE, [';'] = DEVICE, ['<'] = DEVICE, ['>' ... '@'] = DEVICE, ['\\'] = DEVICE,
	['^'] = DEVICE, ['`'] = DEVICE, ['|'] = DEVICE, ['~'] = DEVICE, [0x80 ... 0xff] = DEVICE,
};

const uint8_t text_hex[256] = {
	['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8,
	['8'] = 9, ['9'] = 10,
	['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};
/* clang-format on */
