#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The driver code that `dmascope rules ID` prints: each rule has some, it breaks and it keeps the
# rule, and both sides compile against the declarations of the DMA API in tests/lib/dma_api.h.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${SRCDIR:?}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - rule code: $1"; }
not_ok() {
	echo "not ok - rule code: $1: $2"
	failed=1
}

code_of() { "$DMASCOPE" rules "$1" | awk '/^code / { inside = 1; next } /^$/ { inside = 0 } inside'; }
# side SIGN: the lines of that side, as C
side() { grep "^[ $1]" | cut -c2-; }

compiler=$(command -v "${CC:-gcc}" || command -v gcc || command -v clang)
"$DMASCOPE" rules | sed 's/ .*//' >"$work/ids"
lacks='' same='' long=''
printf '#include "dma_api.h"\n' >"$work/all.c"
while read -r id; do
	code_of "$id" >"$work/code"
	[ -s "$work/code" ] || lacks="$lacks $id"
	side - <"$work/code" >"$work/breaks"
	side + <"$work/code" >"$work/keeps"
	cmp -s "$work/breaks" "$work/keeps" && same="$same $id"
	[ "$(expand "$work/code" | awk 'length > 100' | wc -l)" -eq 0 ] || long="$long $id"
	for which in breaks keeps; do
		printf '\nint %s_%s(void);\nint %s_%s(void)\n{\n' "$which" "${id//-/_}" "$which" "${id//-/_}"
		printf '#line 1 "%s, what %s it"\n' "$id" "$which"
		cat "$work/$which"
		printf '\treturn 0;\n}\n'
	done >>"$work/all.c"
done <"$work/ids"

if [ -z "$lacks" ]; then ok "$(wc -l <"$work/ids") rules have some"; else not_ok 'each rule has some' "not$lacks"; fi
if [ -z "$same" ]; then ok 'the two sides differ'; else not_ok 'the two sides differ' "not$same"; fi
if [ -z "$long" ]; then ok 'no line is too long'; else not_ok 'no line is too long' "$long"; fi
if [ -z "$compiler" ]; then
	echo 'skip - rule code: compiles: no compiler'
elif "$compiler" -std=gnu11 -fsyntax-only -Wall -Wno-unused-const-variable -Wno-unused-variable -Werror \
	-I "$SRCDIR/tests/lib" "$work/all.c" 2>"$work/err"; then
	ok "$(grep -c '^int.*;' "$work/all.c") pieces compile"
else
	not_ok 'compiles' "$(grep -m1 -E 'error' "$work/err")"
fi

# the manual page has it as well
if grep -q '^+        tx\\->len = 0;$\|^+       tx\\->len = 0;$' "$SRCDIR/man/dmascope-rules.7"; then
	ok 'in dmascope-rules(7)'
else
	not_ok 'in dmascope-rules(7)' 'run scripts/rules-man.sh'
fi
exit $failed
