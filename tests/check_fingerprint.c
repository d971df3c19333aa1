// SPDX-License-Identifier: GPL-2.0-only
/* Fingerprints: what they are made of, and what must not get into them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <dmascope/diff.h>

static const struct {
	const char *name, *kind;
} kinds[] = {
	{"0000:00:1f.2", "pci"},
	{"10000:e1:00.0", "pci"},
	{"0000:00:1f.8", "#:#:#f.#"}, /* no such function */
	{"0000:00:1f.2x", "#:#:#f.#x"},
	{"serial8250.3", "serial#.#"},
	{"1-1.2:1.0", "#-#.#:#.#"},
	{"fe300000.mmc", "#.mmc"},
	{"ff0d0000.ethernet", "#.ethernet"},
	{"ff0e0000.ethernet", "#.ethernet"},
	{"facade.dev", "facade.dev"}, /* a word */
	{"soc@0", "soc@#"},
	{"virtio0", "virtio#"},
	{"alsa", "alsa"},
	{"7", "#"},
	{"", ""},
};

START_TEST(kind_of_a_name)
{
	char *kind = dms_device_kind(kinds[_i].name);

	ck_assert_str_eq(kind, kinds[_i].kind);
	dms_free(kind);
}
END_TEST

static const struct {
	const char *name;
	size_t length;
} functions[] = {
	{"e1000_xmit_frame", 16},
	{"e1000_xmit_frame.isra.0", 16},
	{"e1000_xmit_frame.constprop.0.isra.0", 16},
	{"e1000_xmit_frame.part.0.cold", 16},
	{"e1000_xmit_frame.cold", 16},
	{"e1000_xmit_frame.llvm.1234567890", 16},
	{".e1000_xmit_frame", 17}, /* 64-bit PowerPC */
	{".e1000_xmit_frame.cold", 17},
	{".", 1},
	{"", 0},
};

START_TEST(length_of_a_function)
{
	ck_assert_uint_eq(dms_function_length(functions[_i].name), functions[_i].length);
}
END_TEST

static const struct {
	struct dms_fingerprint parts;
	const char *text;
} texts[] = {
	{{"double-unmap", "e1000e", {"map_it", "e1000e"}, {"unmap_it", "e1000e"}, "TO_DEVICE", 1514},
	 "double-unmap:e1000e:map_it[e1000e]:unmap_it[e1000e]:TO_DEVICE:2^10"},
	/* the same, as another compiler built it */
	{{"double-unmap", "e1000e", {"map_it.isra.0", "e1000e"}, {"unmap_it.cold", "e1000e"},
	  "TO_DEVICE", 2047},
	 "double-unmap:e1000e:map_it[e1000e]:unmap_it[e1000e]:TO_DEVICE:2^10"},
	/* of the kernel itself, and not known */
	{{"leak-at-unbind", "pci", {"usb_hcd_map", NULL}, {NULL, "no_name"}, NULL, 0},
	 "leak-at-unbind:pci:usb_hcd_map:-:-:-"},
	{{"leak-at-unbind", NULL, {"", NULL}, {NULL, NULL}, NULL, 1}, "leak-at-unbind:-:-:-:-:2^0"},
	{{"r", "k", {NULL, NULL}, {NULL, NULL}, NULL, UINT64_MAX}, "r:k:-:-:-:2^63"},
	/* names come from a trace: nothing in them ends a part, a line or a quoted text early */
	{{"r", "a:b\n\x1b[31m\x7f\xc3\xa9", {"f:g", "m\r"}, {"f.cold:g", NULL}, "d\t", 4096},
	 "r:a_b__[31m___:f_g[m_]:f:d_:2^12"},
};

START_TEST(text_of_parts)
{
	char *text = dms_fingerprint_text(&texts[_i].parts);

	ck_assert_str_eq(text, texts[_i].text);
	dms_free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fingerprint");
	TCase *tests = tcase_create("fingerprint");
	SRunner *runner = srunner_create(suite);
	int n_failed;

	tcase_add_loop_test(tests, kind_of_a_name, 0, DMS_ARRAY_SIZE(kinds));
	tcase_add_loop_test(tests, length_of_a_function, 0, DMS_ARRAY_SIZE(functions));
	tcase_add_loop_test(tests, text_of_parts, 0, DMS_ARRAY_SIZE(texts));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed != 0;
}
