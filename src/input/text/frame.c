// SPDX-License-Identifier: LGPL-2.1-only
/* The lines of a call stack, as kernels, trace-cmd and perf write them. */
#include "local.h"

static bool is_symbol_char(char c)
{
	return is_word_char(c) || c == '.' || c == '$' || c == '@';
}

/* "0x1f"; false: it is none, or cut off */
static bool read_prefixed_hex(struct scan *scan, uint64_t *ret)
{
	return scan_word(scan, "0x") && scan_hex(scan, ret);
}

/* "dma_map_phys+0x1e5/0x210" or only a part of it */
static bool read_symbol(struct scan *scan, struct text_frame *frame)
{
	const char *start = scan->at;
	uint64_t size;

	if (scan_begins(scan, "0x", 2) || !is_symbol_char(scan_is_end(scan) ? ' ' : *scan->at))
		return false;
	while (scan->at < scan->end && is_symbol_char(*scan->at))
		scan->at++;
	frame->symbol = (struct text_piece){start, (uint32_t)(scan->at - start)};
	if (!scan_char(scan, '+'))
		return true;
	if (!read_prefixed_hex(scan, &frame->offset))
		return false;
	return !scan_char(scan, '/') || read_prefixed_hex(scan, &size);
}

static bool read_module(struct scan *scan, struct text_frame *frame)
{
	const char *at = memchr(scan->at, ']', scan_left(scan));

	if (!at)
		return false;
	frame->module = trimmed(scan->at, at);
	scan->at = at + 1;
	return true;
}

/* Behind the symbol: "[e1000]" and "<ffffffff8123>" of the kernel, "(ffffffff8123)" of trace-cmd */
static bool read_tail(struct scan *scan, struct text_frame *frame)
{
	for (;;) {
		bool is_ok = true;

		scan_blanks(scan);
		if (scan_is_end(scan))
			return true;
		if (scan_char(scan, '['))
			is_ok = read_module(scan, frame);
		else if (scan_char(scan, '<'))
			is_ok = frame->has_address = scan_hex(scan, &frame->address) &&
						     scan_char(scan, '>');
		else if (scan_char(scan, '('))
			is_ok = frame->has_address = scan_hex(scan, &frame->address) &&
						     scan_char(scan, ')');
		else
			return false;
		if (!is_ok)
			return false;
	}
}

/* Behind "=> ". What is no symbol stays an address, or nothing. */
static bool read_kernel_frame(struct scan *scan, struct text_frame *frame)
{
	if (scan_word(scan, "[unknown/kretprobe'd]") || scan_word(scan, "[FTRACE TRAMPOLINE]") ||
	    scan_word(scan, "??"))
		return read_tail(scan, frame);
	if (scan_begins(scan, "0x", 2))
		frame->has_address = read_prefixed_hex(scan, &frame->address);
	else if (!scan_is(scan, '<') && !scan_is(scan, '(') && !read_symbol(scan, frame))
		return false;
	return read_tail(scan, frame) && (frame->symbol.str || frame->has_address);
}

#define IS(piece, word)	  piece_is(piece, word, sizeof(word) - 1)
#define BEGINS(piece, word) piece_begins(piece, word, sizeof(word) - 1)

/* "/lib/modules/6.12.95/kernel/drivers/net/e1000.ko.xz": what is between the last bar and ".ko" */
static bool read_module_path(struct text_piece path, struct text_frame *frame)
{
	const char *end = memmem(path.str, path.len, ".ko", 3), *start = end;

	if (!end)
		return false;
	while (start > path.str && start[-1] != '/')
		start--;
	frame->module = (struct text_piece){start, (uint32_t)(end - start)};
	return true;
}

/* perf's "([e1000])", "([kernel.kallsyms])", "(/usr/bin/dd)". False: a program's. */
static bool take_object(struct text_piece object, struct text_frame *frame)
{
	if (BEGINS(&object, "[kernel.") || BEGINS(&object, "[guest.kernel.") ||
	    IS(&object, "[unknown]") || BEGINS(&object, "[bpf") || BEGINS(&object, "bpf_"))
		return true;
	if (IS(&object, "[vdso]") || IS(&object, "[vsyscall]") || IS(&object, "[heap]") ||
	    BEGINS(&object, "[stack"))
		return false;
	if (object.len < 3 || object.str[0] != '[' || object.str[object.len - 1] != ']')
		return BEGINS(&object, "/boot/") || BEGINS(&object, "vmlinux") ||
		       read_module_path(object, frame);
	frame->module = (struct text_piece){object.str + 1, object.len - 2};
	return true;
}

/* "([kernel.kallsyms])" up to its end, which is the line's, but for a word behind it */
static bool read_object(struct scan *scan, bool *ret_is_user, struct text_frame *frame)
{
	const char *close;

	scan_blanks(scan);
	if (!scan_char(scan, '('))
		return scan_is_end(scan);
	close = memrchr(scan->at, ')', scan_left(scan));
	if (close && close + 1 == scan->end && scan_left(scan) > 10 &&
	    !memcmp(scan->end - 10, " (inlined)", 10))
		close = memrchr(scan->at, ')', (size_t)(close - scan->at));
	if (!close)
		return false;
	*ret_is_user = !take_object(trimmed(scan->at, close), frame);
	scan->at = close + 1;
	scan_blanks(scan);
	return scan_is_end(scan) || scan_word(scan, "(inlined)");
}

/*
 * perf script: "\tffffffff9099aff9 dma_map_page_attrs+0x189 ([kernel.kallsyms])". What it cannot
 * name is "[unknown]".
 */
static bool read_perf_frame(struct scan *scan, bool *ret_is_user, struct text_frame *frame)
{
	const char *start;

	scan_blanks(scan);
	start = scan->at;
	if (!scan_hex(scan, &frame->address) || scan->at - start < 4)
		return false;
	frame->has_address = true;
	if (scan_is_end(scan))
		return true;
	if (!is_blank(*scan->at))
		return false;
	scan_blanks(scan);
	if (!scan_word(scan, "[unknown]") && !scan_is(scan, '(') &&
	    (!read_symbol(scan, frame) || !(scan_is_end(scan) || is_blank(*scan->at)))) {
		/* a program's symbol may hold anything: "std::sort<int>(int*)+0x12" */
		frame->symbol = (struct text_piece){0};
		scan->at = memrchr(scan->at, '(', scan_left(scan));
		if (!scan->at)
			return false;
	}
	return read_object(scan, ret_is_user, frame);
}

bool read_frame(struct scan scan, bool *ret_is_user, struct text_frame *ret)
{
	bool has_tab = scan_is(&scan, '\t'), has_arrow;

	scan.at = skip_column(scan.at, scan.end);
	has_arrow = scan_word(&scan, "=> ");
	if (!has_tab && !has_arrow)
		return false;
	*ret = (struct text_frame){0};
	*ret_is_user = false;
	return has_arrow ? read_kernel_frame(&scan, ret) : read_perf_frame(&scan, ret_is_user, ret);
}
