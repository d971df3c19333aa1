#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The lint itself: in a small tree with one offence of each kind, each must be seen, and no more.
set -u
: "${SRCDIR:?}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
spdx='// SPDX-License-Identifier: LGPL-2.1-only'

# put FILE: standard input, below the licence line
put() {
	mkdir -p "$(dirname "$work/$1")"
	{ echo "$spdx" && cat; } >"$work/$1"
}

# sees RULE TEXT: the rule is broken, and its offenders are exactly TEXT, a regular expression
sees() {
	local seen
	seen=$(awk -v rule="not ok - lint: $1" '$0 == rule { on = 1; next } !/^    / { on = 0 } on' \
		"$work.out")
	if [ "$(grep -cE "$2" <<<"$seen")" = 1 ] && [ "$(wc -l <<<"$seen")" = 1 ]; then
		echo "ok - lint sees: $1"
	else
		echo "not ok - lint sees: $1: ${seen:-nothing}" | tr '\n' ' '
		echo
		failed=1
	fi
}

mkdir -p "$work/scripts"
cp "$SRCDIR/scripts/lint.sh" "$work/scripts/"
put src/model/up.c <<<'#include <dmascope/store.h>'
put src/store/down.c <<<'#include <dmascope/model.h>'
put src/model/heap.c <<'END'
/* free(this) in a comment, and "malloc(3)" in a string, are none */
const char *text = "malloc(3)";
void leak(void) { dms_free(text); calloc(1, 2); }
END
put src/base/heap.c <<<'void *block(void) { return malloc(3); }'
put include/dmascope/base.h <<'END'
/** Told of. */
int dms_told(void);
int dms_told_as_well(void);

int dms_silent(void);
END
{ echo "int long_one(void)" && echo "{" && yes ';' | head -n 60 && echo "}"; } | put src/base/long.c
yes '/* x */' | head -n 601 | put src/base/file.c
echo 'echo no licence' >"$work/scripts/bare.sh"
printf '# SPDX-License-Identifier: GPL-2.0-only\nx=1 \n' >"$work/scripts/blank.sh"
printf 'see /%s/main for more\n' work >"$work/README.md"
bash "$work/scripts/lint.sh" >"$work.out" 2>&1
code=$?

sees "includes point upstream only" '/up\.c:2: model may not know store'
sees "only src/base allocates" '/model/heap\.c:4: '
sees "no file over 600 lines" '/file\.c has 602 lines'
sees "each file names its licence" '/bare\.sh$'
sees "each public function has its comment" 'base\.h:6: int dms_silent'
sees "no path of one machine" 'README\.md:1:'
sees "no trailing whitespace" 'blank\.sh:2:'
if command -v ctags >/dev/null; then
	sees "no function over 60 lines" 'long\.c:2: long_one\(\) has 63 lines'
else
	echo "skip - lint sees: no function over 60 lines: no ctags"
fi
if [ $code -eq 1 ]; then
	echo "ok - lint fails when it sees something"
else
	echo "not ok - lint fails when it sees something: code $code"
	failed=1
fi
rm -f "$work.out"
exit $failed
