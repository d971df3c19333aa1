// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of what the words of an event in a text dump are taken for: bodies of every dialect, wrong
 * ones, torn ones, and whole lines cut at every byte.
 */
#include "lib/textwords.h"

#define MAP_FIELDS \
	"device=\"0000:00:05.0\" dir=1 dma_addr=4294539574 size=74 phys_addr=2083866934 attrs=0"

/* ---- bodies -------------------------------------------------------------------------------------- */

struct body_case {
	const char *system, *name, *body, *fields; /* "!..." what is wrong */
};

static const struct body_case body_cases[] = {
	{"", "dma_map_page", MAP_BODY, MAP_FIELDS},
	{"dma", "dma_map_phys", MAP_BODY, MAP_FIELDS},
	{"drm", "dma_map_phys", MAP_BODY, ""},
	{"", "dma_map_phys",
	 "device=0000:00:05.0 phys_addr=7c354936 dma_addr=fff97936 size=74 dir=1 attrs=0x0",
	 "device=\"0000:00:05.0\" phys_addr=2083866934 dma_addr=4294539574 size=74 dir=1 attrs=0"},
	{"", "dma_map_phys",
	 "attrs=0x0 (0) dir=0x1 (1) size=0x4a (74) dma_addr=0xfff (4095) phys_addr=0x1 (1) device=a b",
	 "attrs=0 dir=1 size=74 dma_addr=4095 phys_addr=1 device=\"a b\""},
	{"", "dma_map_phys",
	 "Fixed MDIO bus.0 dir=NONE dma_addr=1 size=2 phys_addr=3 attrs=MMIO|0x4000",
	 "device=\"Fixed MDIO bus.0\" dir=3 dma_addr=1 size=2 phys_addr=3 attrs=17408"},
	{"", "dma_map_phys", "(null) dir=NONE dma_addr=1 size=2 phys_addr=3 attrs=0x4000",
	 "device=\"(null)\" dir=3 dma_addr=1 size=2 phys_addr=3 attrs=16384"},
	{"", "dma_unmap_phys", "0000:00:06.0 dir=FROM_DEVICE dma_addr=fff6ac00 size=1536 attrs=",
	 "device=\"0000:00:06.0\" dir=2 addr=4294355968 size=1536 attrs=0"},
	{"", "dma_unmap_page", "device=a addr=ffe1 size=48 dir=1 attrs=0x0",
	 "device=\"a\" addr=65505 size=48 dir=1 attrs=0"},
	{"", "dma_alloc",
	 "0000:00:01.0 dir=BIDIRECTIONAL dma_addr=fffba000 size=4096 virt_addr=0xff463b8348f4d000 "
	 "flags=GFP_KERNEL|__GFP_ZERO attrs=",
	 "device=\"0000:00:01.0\" dir=0 dma_addr=4294680576 size=4096 virt_addr=18394455163092127744 "
	 "flags=\"GFP_KERNEL|__GFP_ZERO\" attrs=0"},
	{"", "dma_alloc", "a dma_addr=0 size=1 virt_addr=00000000d3a1f2c4 flags=none attrs=",
	 "device=\"a\" dma_addr=0 size=1 virt_addr_hash=3550606020 flags=\"none\" attrs=0"},
	{"", "dma_free", "a dma_addr=0 size=0 virt_addr=(nil) attrs=",
	 "device=\"a\" dma_addr=0 size=0 virt_addr=0 attrs=0"},
	{"", "dma_free", "a dma_addr=0 size=0 virt_addr=0000000000000000 attrs=",
	 "device=\"a\" dma_addr=0 size=0 virt_addr=0 attrs=0"},
	{"", "dma_free", "a dma_addr=0 size=0 virt_addr=(____ptrval____) attrs=",
	 "device=\"a\" dma_addr=0 size=0 attrs=0"},
	{"", "dma_free", "a dma_addr=0 size=0 virt_addr=00000000d3a1 attrs=", "!"},
	{"", "dma_map_sg",
	 "0000:00:01.0 dir=FROM_DEVICE nents=2/130 ents=1/1 [TRUNCATED] dma_addrs={0xfff40000} "
	 "sizes={0x10000} phys_addrs={0xd6e5000,0x8320000} attrs=NO_WARN",
	 "device=\"0000:00:01.0\" dir=2 full_nents=130 full_ents=1 truncated=1 dma_addrs=fff40000 "
	 "lengths=10000 phys_addrs=d6e5000,8320000 attrs=256"},
	{"", "dma_map_sg", "a dir=NONE dma_addrs={} sizes={} phys_addrs={} attrs=",
	 "device=\"a\" dir=3 dma_addrs= lengths= phys_addrs= attrs=0"},
	{"", "dma_map_sg",
	 "[FAILED TO PARSE] device=a full_nents=1 full_ents=1 truncated=0 phys_addrs=ARRAY[00, 40, "
	 "1a, 04, 00, 00, 00, 00] dma_addrs=ARRAY[00, 00, f4, ff, 00, 00, 00, 00] lengths=ARRAY[00, "
	 "00, 01, 00] dir=2 attrs=0x100",
	 "device=\"a\" full_nents=1 full_ents=1 truncated=0 phys_addrs=41a4000 dma_addrs=fff40000 "
	 "lengths=10000 dir=2 attrs=256"},
	{"", "dma_map_sg",
	 "[FAILED TO PARSE] device=a phys_addrs=ARRAY[00, 00, 00, 00, 04, 1a, 40, 00] "
	 "dma_addrs=ARRAY[00, 00, 00, 00, ff, f4, 00, 00] lengths=ARRAY[00, 00, 10, 00] dir=2 "
	 "attrs=0x0",
	 "device=\"a\" phys_addrs=41a4000 dma_addrs=fff40000 lengths=1000 dir=2 attrs=0"},
	{"", "dma_unmap_sg", "device=a addrs=ARRAY[00, 40, 1a, 04, 00, 00, 00] dir=2 attrs=0x0", "!"},
	{"", "dma_unmap_sg", "a dir=FROM_DEVICE phys_addrs={0x429d000,0x7f3ce000} attrs=",
	 "device=\"a\" dir=2 addrs=429d000,7f3ce000 attrs=0"},
	{"", "dma_unmap_sg", "device=a addrs=00,40,1a,04,00,00,00,00 dir=0x2 (2) attrs=0x0 (0)",
	 "device=\"a\" addrs=41a4000 dir=2 attrs=0"},
	{"", "dma_map_sg_err", "a dir=NONE dma_addrs={0x1000} err=-5 attrs=",
	 "device=\"a\" dir=3 phys_addrs=1000 err=-5 attrs=0"},
	{"", "dma_free_sgt", "a dir=NONE dma_addr=10 size=2 phys_addrs={0x1000}",
	 "device=\"a\" dir=3 dma_addr=16 size=2 phys_addrs=1000"},
	{"", "dma_free_sgt",
	 "[FAILED TO PARSE] device=a phys_addrs=ARRAY[00, 40, 1a, 04, 00, 00, 00, 00] dma_addr=10 "
	 "size=2 dir=3",
	 "device=\"a\" phys_addrs=41a4000 dma_addr=10 size=2 dir=3"},
	{"", "dma_free_sgt",
	 "device=a phys_addrs=ARRAY[00, 40, 1a, 04, 00, 00, 00, 00] dma_addr=10 size=2 dir=3", "!"},
	{"", "dma_sync_single_for_cpu", "0000:00:06.0 dir=FROM_DEVICE dma_addr=74c51000 size=86",
	 "device=\"0000:00:06.0\" dir=2 dma_addr=1959071744 size=86"},
	{"", "dma_sync_sg_for_cpu", "a dir=NONE dma_addrs={0x1} sizes={0x2}",
	 "device=\"a\" dir=3 dma_addrs=1 lengths=2"},
	{"", "swiotlb_bounced",
	 "dev_name: 0000:00:03.0 dma_mask=ffffffffffffffff dev_addr=7f097bf8 size=16 FORCE",
	 "dev_name=\"0000:00:03.0\" dma_mask=18446744073709551615 dev_addr=2131327992 size=16 "
	 "force=1"},
	{"", "swiotlb_bounced", "dev_name: a dma_mask=ff dev_addr=7f size=16", "!"},
	{"", "map",
	 "IOMMU: iova=0x00000000fff34000 - 0x00000000fff35000 paddr=0x000000007e89e000 size=4096",
	 "iova=4294131712 paddr=2122964992 size=4096"},
	{"", "map",
	 "IOMMU: iova=0x00000000fff34000 - 0x00000000fff35000 paddr=0x000000007e89e000 size=40", "!"},
	{"", "map", "iova=0x00000000ffff9000 paddr=0x000000007ec12000 size=4096",
	 "iova=4294938624 paddr=2126585856 size=4096"},
	{"", "map", "something else of another subsystem", ""},
	{"", "unmap",
	 "IOMMU: iova=0x00000000fff35000 - 0x00000000fff36000 size=4096 unmapped_size=4096",
	 "iova=4294135808 size=4096 unmapped_size=4096"},
	{"", "io_page_fault",
	 "IOMMU:ahci Fixed MDIO bus.0 iova=0x00000000fff35000 flags=0x0001",
	 "driver=\"ahci\" device=\"Fixed MDIO bus.0\" iova=4294135808 flags=1"},
	{"", "add_device_to_group", "IOMMU: groupID=7 device=0000:00:03.0",
	 "gid=7 device=\"0000:00:03.0\""},
	{"", "attach_device_to_domain", "IOMMU: device=0000:00:03.0", "device=\"0000:00:03.0\""},
	{"", "module_load", "e1000e OE", "name=\"e1000e\""},
	{"", "module_free", "nvme", "name=\"nvme\""},
	{"", "mm_page_free", "page=0x45b0f pfn=0x45b0f order=0", "pfn=285455 order=0"},
	{"", "page_pool_state_hold",
	 "page_pool=0xff301f7c085a6800 netmem=0xfff71fc680274b80 is_net_iov=0, pfn=0x9d2e hold=129",
	 "pfn=40238 hold=129"},
	{"", "devres_log",
	 "0000:00:01.0 ffffffff976cad87 0xff301f7c02619700 msi_device_data_release (64 bytes)",
	 "devname=\"0000:00:01.0\""},
	{"", "devres_log", "Fixed MDIO bus.0 ADD 00000000d3a1f2c4 devm_kzalloc_release (72 bytes)",
	 "devname=\"Fixed MDIO bus.0\""},
	{"printk", "console", "sd 0:0:0:0: [sda] a=b", "msg=\"sd 0:0:0:0: [sda] a=b\""},
	{"", "tracing_mark_write", "lab: start", "buf=\"lab: start\""},
	{"", "print", "dma_common_free_remap: lab: start", "buf=\"lab: start\""},
	{"", "my_map", "(ffffffff88e9a864) dev=0x10 name=\"a b\" len=16 off=-3 bad=(fault)",
	 "__probe_ip=18446744071711598692 dev=16 name=\"a b\" len=16 off=-3 bad=\"(fault)\""},
	{"", "my_ret", "(ffffffff88e9a864 <- ffffffff8975ce02) ret=0x1",
	 "__probe_func=18446744071711598692 __probe_ret_ip=18446744071720783362 ret=1"},
	{"", "dma_map_phys", "(dma_map_phys+0x4/0x50) dev=0x10",
	 "__probe_func=\"dma_map_phys+0x4/0x50\" dev=16"},
	{"kprobes", "my_ret", "(e1000_xmit+0x1d/0x40 [e1000] <- dma_map_phys) arg1=5",
	 "__probe_func=\"dma_map_phys\" __probe_caller=\"e1000_xmit+0x1d/0x40\" arg1=5"},
	{"", "create", "__probe_ip=ffffffff88e9a864 name=nvme descriptor page size=4096",
	 "__probe_ip=18446744071711598692 name=\"nvme descriptor page\" size=4096"},
	{"", "my_map", "(ffffffff88e9a864) name=\"a b", "!"},
	{"", "my_map", "(ffffffff88e9", "!"},
	{"", "sched_switch", "prev_comm=a prev_pid=1", ""},
	/* torn, and numbers that are none */
	{"", "dma_map_page", "0000:00:05.0 dir=TO_DEVICE dma_addr=fff97936 size=74 phys_addr=7c3", "!"},
	{"", "dma_map_page", "0000:00:05.0 dir=TO_DE[  191.6] usb 1-1: new " MAP_BODY, "!"},
	{"", "dma_map_page", "0000:0      nc-879       0b..1. 650659us : dma_map_page: " MAP_BODY, "!"},
	{"", "dma_map_page", MAP_BODY "      nc-879       0b..1. 650659us : dma_map_page: " MAP_BODY,
	 "!"},
	{"", "dma_map_page", MAP_BODY " size=5", "!"},
	{"", "dma_map_page", MAP_BODY "NO_WAR", "!"},
	{"", "dma_map_page", "a dir=TO_DEVICE dma_addr=xyz size=74 phys_addr=7c attrs=", "!"},
	{"", "dma_map_page", "a dir=TO_DEVICE dma_addr= size=74 phys_addr=7c attrs=", "!"},
	{"", "dma_map_page", "a dir=TO_DEVICE dma_addr=12345678901234567 size=7 phys_addr=7 attrs=", "!"},
	{"", "dma_map_page", "a dir=SIDEWAYS dma_addr=1 size=7 phys_addr=7 attrs=", "!"},
	{"", "dma_map_page", "a dir=TO_DEVICE dma_addr=1 size=7c phys_addr=7 attrs=", "!"},
	{"", "dma_map_page", "", "!"},
	{"", "dma_unmap_sg", "a dir=FROM_DEVICE phys_addrs={0x429d000,0x7f attrs=", "!"},
};

START_TEST(test_bodies)
{
	const struct body_case *it = &body_cases[_i];
	char *text = exact(it->body, strlen(it->body));
	struct text_head head = {
		.system = {it->system, (uint32_t)strlen(it->system)},
		.name = {it->name, (uint32_t)strlen(it->name)},
		.body = {text, (uint32_t)strlen(it->body)},
	};
	struct text_body body = {0};
	struct buffer got = {.len = 0};
	const char *wrong = text_read_body(&head, &body);

	if (*it->fields == '!') {
		ck_assert_msg(wrong != NULL, "nothing wrong with: %s", it->body);
	} else {
		ck_assert_msg(!wrong, "%s: %s", wrong, it->body);
		for (uint32_t i = 0; i < body.n_values; i++)
			put_value(&got, &body.values[i]);
		ck_assert_str_eq(got.text, it->fields);
	}
	dms_free(body.numbers);
	free(text);
}
END_TEST

/* ---- cut at every byte ------------------------------------------------------------------------- */

static const char *const whole_lines[] = {
	"              nc-879     [000] b..1.   178.152885: dma_map_page: " MAP_BODY "NO_WARN|MMIO",
	"[  191.639746]       nc-879       0b..1. 650659us : dma_unmap_page: 0000:00:06.0 dir=FROM_DEVICE "
	"dma_addr=fff6ac00 size=1536 attrs=",
	"             cat     257 [000]    28.024003:               dma:dma_map_page: " MAP_BODY,
	"             cat-318   [000]    50.833538: map:                  IOMMU: iova=0x00000000ffff7000 "
	"- 0x00000000ffff8000 paddr=0x000000007e790000 size=4096",
	"              dd-681     [000] .....   150.584207: dma_map_sg: 0000:00:01.0 dir=FROM_DEVICE "
	"nents=2/2 ents=1/1 dma_addrs={0xfff40000} sizes={0x10000} phys_addrs={0xd6e5000,0x8320000} "
	"attrs=NO_WARN",
	"             cat-411     [000] d..1.    65.511226: swiotlb_bounced: dev_name: 0000:00:03.0 "
	"dma_mask=ffffffffffffffff dev_addr=7f097bf8 size=16 FORCE",
	"          <idle>-0     [001]    62.745761: dma_sync_single_for_cpu: 0000:00:06.0 "
	"dir=FROM_DEVICE dma_addr=74c51000 size=86",
	"             cat-826   [000]   144.572306: my_map_ret:           (ffffffff88e9a864 <- "
	"ffffffff8975ce02) ret=0xffe17c80",
};

static bool is_same(const struct text_value *a, const struct text_value *b)
{
	struct buffer first = {.len = 0}, second = {.len = 0};

	put_value(&first, a);
	put_value(&second, b);
	return !strcmp(first.text, second.text);
}

/* The head of a part of @whole is the whole one's, or there is none. */
static bool has_same_head(const struct text_item *part, const struct text_item *whole)
{
	struct buffer first = {.len = 0}, second = {.len = 0};

	put_head(&first, &part->head);
	put_head(&second, &whole->head);
	return !strcmp(first.text, second.text);
}

START_TEST(test_cut)
{
	const char *text = whole_lines[_i];
	size_t len = strlen(text), n_events = 0;
	struct text_state state = {0};
	struct text_body whole = {0};
	struct text_item whole_item;

	text_read_line(&state, text, len, &whole_item);
	ck_assert_int_eq(whole_item.kind, TEXT_EVENT);
	ck_assert_ptr_null(text_read_body(&whole_item.head, &whole));
	for (size_t n = 0; n < len; n++) {
		struct text_state fresh = {0};
		struct text_body body = {0};
		struct text_item item;
		char *line = exact(text, n);

		text_read_line(&fresh, line, n, &item);
		ck_assert(item.kind == TEXT_EVENT || item.kind == TEXT_CUT ||
			  item.kind == TEXT_FOREIGN);
		if (item.kind == TEXT_EVENT) {
			ck_assert(has_same_head(&item, &whole_item));
			if (!text_read_body(&item.head, &body) && body.n_values) {
				/* nothing but the line's end tells that the last word is short */
				n_events++;
				ck_assert_uint_le(whole.n_values - 1, body.n_values);
				for (uint32_t i = 0; i + 1 < whole.n_values; i++)
					ck_assert(is_same(&body.values[i], &whole.values[i]));
			}
		}
		dms_free(body.numbers);
		free(line);
	}
	ck_assert_uint_le(n_events, 24);
	dms_free(whole.numbers);
}
END_TEST

/* Another line's beginning in the middle of a line: never an event with other numbers. */
START_TEST(test_torn)
{
	static const char other[] = "      nc-879       1b..1. 650999us : dma_map_page: 0000:00:07.0 "
				    "dir=FROM_DEVICE dma_addr=1000 size=4 phys_addr=2000 attrs=MMIO";
	const char *text = whole_lines[0];
	size_t len = strlen(text);

	for (size_t n = 70; n < len; n++) {
		struct text_state state = {0};
		struct text_body body = {0};
		struct text_item item;
		char all[512], *line;
		int total = snprintf(all, sizeof(all), "%.*s%s", (int)n, text, other);

		line = exact(all, (size_t)total);
		text_read_line(&state, line, (size_t)total, &item);
		ck_assert_int_eq(item.kind, TEXT_EVENT);
		ck_assert_msg(text_read_body(&item.head, &body) != NULL, "%s", all);
		dms_free(body.numbers);
		free(line);
	}
}
END_TEST

START_TEST(test_bytes)
{
	/* NUL bytes, and bytes beyond ASCII, anywhere */
	for (size_t i = 0; i < DMS_ARRAY_SIZE(whole_lines); i++) {
		size_t len = strlen(whole_lines[i]);

		for (size_t n = 0; n < len; n++) {
			char *line = exact(whole_lines[i], len);
			struct text_state state = {0};
			struct text_body body = {0};
			struct text_item item;

			line[n] = (n & 1) ? '\0' : '\xff';
			text_read_line(&state, line, len, &item);
			if (item.kind == TEXT_EVENT)
				text_read_body(&item.head, &body);
			ck_assert_int_ne(item.kind, TEXT_FRAME);
			dms_free(body.numbers);
			free(line);
		}
	}
}
END_TEST

/* ---- dumps of bytes: read many digits at once, and one by one ------------------------------------ */

/** A body with one dump, and how many bytes each of its numbers has. */
static const struct dump_case {
	const char *event, *body;
	const char *dump; /* as it stands in the body */
	unsigned int bytes, value; /* number of the list among the values */
} dump_cases[] = {
	{"dma_unmap_sg",
	 "[FAILED TO PARSE] device=a addrs=ARRAY[00, 40, 1a, 04, 00, 00, 00, 00, 12, 34, 56, 78, 9a, bc, "
	 "de, f0] dir=2 attrs=0x0",
	 "00, 40, 1a, 04, 00, 00, 00, 00, 12, 34, 56, 78, 9a, bc, de, f0", 8, 1},
	{"dma_unmap_sg", "device=a dir=2 attrs=0x0 addrs=ARRAY[00, 40, 1a, 04, 00, 00, 00, 00]",
	 "00, 40, 1a, 04, 00, 00, 00, 00", 8, 3},
	{"dma_sync_sg_for_cpu",
	 "[FAILED TO PARSE] device=a dma_addrs=ARRAY[] lengths=ARRAY[00, 10, 00, 00, 01, 23, 45, 67] dir=2",
	 "00, 10, 00, 00, 01, 23, 45, 67", 4, 2},
	{"dma_sync_sg_for_cpu", "device=a dir=2 dma_addrs=ARRAY[] lengths=ARRAY[00, 10, 00, 00]",
	 "00, 10, 00, 00", 4, 3},
};

/* The @number'th element of @dump, byte by byte. */
static uint64_t element_of(const char *dump, unsigned int bytes, unsigned int number)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < bytes; i++) {
		const char *at = dump + 4 * (number * bytes + i);
		const char digits[] = {at[0], at[1], '\0'};

		value |= (uint64_t)strtoul(digits, NULL, 16) << (8 * i);
	}
	return value;
}

/* The body with its byte at @at being @c: all numbers as expected, or it is said to be wrong. */
static void check_dump(const struct dump_case *it, size_t at, char c)
{
	size_t len = strlen(it->body), start = (size_t)(strstr(it->body, it->dump) - it->body);
	bool is_digit_here = (at - start) % 4 < 2;
	char *text = exact(it->body, len);
	struct text_head head = {
		.name = {it->event, (uint32_t)strlen(it->event)},
		.body = {text, (uint32_t)len},
	};
	struct text_body body = {.order = -1000}; /* of a little-endian machine, for sure */
	const char *wrong;

	text[at] = c;
	wrong = text_read_body(&head, &body);
	if (is_digit_here ? !c || !strchr("0123456789abcdefABCDEF", c) : c != it->body[at]) {
		ck_assert_msg(wrong != NULL, "nothing wrong with: %.*s", (int)len, text);
	} else {
		const struct text_value *value = &body.values[it->value];

		ck_assert_msg(!wrong, "%s: %.*s", wrong, (int)len, text);
		ck_assert_uint_eq(value->type, TEXT_LIST);
		ck_assert_uint_eq(value->n_list, (strlen(it->dump) + 2) / 4 / it->bytes);
		for (unsigned int i = 0; i < value->n_list; i++)
			ck_assert_uint_eq(value->list[i], element_of(text + start, it->bytes, i));
	}
	dms_free(body.numbers);
	free(text);
}

START_TEST(test_dump)
{
	const struct dump_case *it = &dump_cases[_i];
	size_t start = (size_t)(strstr(it->body, it->dump) - it->body);

	for (size_t at = start; at < start + strlen(it->dump); at++) {
		for (int c = 0; c < 256; c++)
			check_dump(it, at, (char)c);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("textbody");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failures;

	tcase_add_loop_test(tcase, test_bodies, 0, (int)DMS_ARRAY_SIZE(body_cases));
	tcase_add_loop_test(tcase, test_cut, 0, (int)DMS_ARRAY_SIZE(whole_lines));
	tcase_add_test(tcase, test_torn);
	tcase_add_test(tcase, test_bytes);
	tcase_add_loop_test(tcase, test_dump, 0, (int)DMS_ARRAY_SIZE(dump_cases));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures ? 1 : 0;
}
