#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the compiler and the linker were asked to do against the consequences of a bug is in the
# program, the shared library and the plugin as they were built.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${BUILD:?}"
failed=0

ok() { echo "ok - hardening: $1"; }
not_ok() {
	echo "not ok - hardening: $1: $2"
	failed=1
}

if ! command -v readelf >/dev/null; then
	echo "skip - hardening: no readelf"
	exit 0
fi
if grep -q -e __asan_init -e __tsan_init "$DMASCOPE"; then
	echo "skip - hardening: built for a sanitizer"
	exit 0
fi

# has NAME FILE PATTERN ARG...: readelf ARG... FILE prints a line that fits
has() {
	local name=$1 file=$2 pattern=$3
	shift 3
	if readelf -W "$@" "$file" 2>/dev/null | grep -qE -- "$pattern"; then ok "$name"; else
		not_ok "$name" "readelf $* has no '$pattern'"; fi
}

hasnt() {
	local name=$1 file=$2 pattern=$3
	shift 3
	if readelf -W "$@" "$file" 2>/dev/null | grep -qE -- "$pattern"; then
		not_ok "$name" "$(readelf -W "$@" "$file" | grep -E -m 1 -- "$pattern")"
	else
		ok "$name"
	fi
}

for file in "$DMASCOPE" "$BUILD/libdmascope.so.1" "$BUILD/plugins/dmascope.so"; do
	what=${file##*/}
	if [ ! -f "$file" ]; then
		echo "skip - hardening: $what: not built"
		continue
	fi
	has "$what may lie anywhere" "$file" '^ *Type: +DYN' -h
	has "$what is bound at start" "$file" 'BIND_NOW|FLAGS.*NOW' -d
	has "$what: its tables are read-only then" "$file" 'GNU_RELRO' -l
	has "$what: no stack is code" "$file" 'GNU_STACK .* RW +0x' -l
	hasnt "$what: nothing is writable and code" "$file" 'LOAD .* RWE ' -l
	has "$what: stacks are guarded" "$file" 'UND __stack_chk_fail' --dyn-syms
	has "$what: copies are checked" "$file" 'UND __[a-z]+_chk' --dyn-syms
	hasnt "$what: text is not relocated" "$file" 'TEXTREL' -d
	hasnt "$what: no folder of the builder's to load from" "$file" 'R(UN)?PATH' -d
done
exit $failed
