#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Static analysis of src and plugins: cppcheck over all, then gcc -fanalyzer and clang's analyzer
# over each file, or over FILE...; what each is wrong about stands here or in cppcheck.supp.
#
# static.sh [FILE...]; BUILD has gen/. One line a tool. Exit: 0 nothing found, 1 something.
set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
build=${BUILD:-build}
failed=0
flags=(-Iinclude -Isrc "-I$build/gen" -D_GNU_SOURCE '-DDMS_VERSION="0"' -std=gnu11)
read -ra includes <<<"$(pkg-config --cflags-only-I libxml-2.0 libtracefs)"
flags+=("${includes[@]}")
# Each tells of a NULL, and none can be. kallsyms.c, unpack.c, driver.c: a length of 0 goes with it;
# options.c: an option's value, there for every kind that takes one; part.c: a name, there once its
# file is open; rows.c: an argument that api_need(), in another file, has looked at; config.c: the
# first part of a text, which strsep() gives even of ""; completion_fish.c: words come with options,
# and this is told of operands; src/api: api_need() again; begin.c: twins are settled where there are
# some; incident.c: the older one lives until this tells that it ends; engine.c: maps have an event;
# ledger.c: an event that is copied is there. yaml.c, output.c: what a function of another file, or
# further up, sets unless it fails. result.c: _cleanup_ reads it.
clang_wrong='src/input/(kallsyms|unpack)\.c.*core\.NullDereference|src/symbols/driver\.c.*NonNullParam'
clang_wrong+="|src/api/.*core\.NullDereference|src/cli/completion_fish\.c.*variable 'word'"
clang_wrong+='|src/(model/(begin|incident)|rules/engine)\.c.*core\.NullDereference'
clang_wrong+="|src/run/ledger\.c.*NonNullParam|src/(diff/yaml|output/output)\.c.*CallAndMessage"
clang_wrong+="|src/fleet/result\.c.*'names_data'"
gcc_wrong='^src/((input/unpack|cli/options|store/part)\.c.*NULL'
gcc_wrong+="|api/rows\.c.*NULL 'ret'|cli/completion_fish\.c.*NULL 'word'|diff/config\.c.*NULL 'relative')"
clang_checks='-*,clang-analyzer-*,-clang-analyzer-security.insecureAPI.*,-clang-analyzer-valist.*'
if [ $# -gt 0 ]; then files=("$@"); else mapfile -t files < <(find src -name '*.c' | sort); fi

# verdict NAME: by what is on standard input
verdict() {
	local found
	found=$(cat)
	if [ -z "$found" ]; then echo "ok - static: $1"; else
		echo "not ok - static: $1"
		printf '%s\n' "$found" | sed 's/^/    /'
		failed=1
	fi
}

if command -v cppcheck >/dev/null; then
	verdict cppcheck < <(cppcheck -q --std=c11 --language=c --enable=warning,performance,portability \
		--suppressions-list=<(grep -v '^#' tests/tools/cppcheck.supp) -Iinclude -Isrc -D_GNU_SOURCE \
		'-DDMS_VERSION="0"' --template='{file}:{line}: {id}: {message}' "${files[@]}" 2>&1)
else
	echo "skip - static: cppcheck: not installed"
fi
if "${CC:-gcc}" -fanalyzer -x c -c -o /dev/null /dev/null 2>/dev/null; then
	verdict "gcc -fanalyzer" < <(for file in "${files[@]}"; do
		"${CC:-gcc}" -fanalyzer -O1 -fdiagnostics-plain-output "${flags[@]}" -c -o /dev/null \
			"$file" 2>&1 | grep Wanalyzer | grep -vE "$gcc_wrong"
	done)
else
	echo "skip - static: gcc -fanalyzer: this compiler has none"
fi
if command -v clang-tidy >/dev/null; then
	verdict "clang's analyzer" < <(for file in "${files[@]}"; do
		clang-tidy --quiet --checks="$clang_checks" "$file" -- "${flags[@]}" 2>/dev/null |
			grep -E 'warning:|error:' | grep -vE "$clang_wrong"
	done)
else
	echo "skip - static: clang's analyzer: no clang-tidy"
fi
[ $failed -eq 0 ] && echo "static: ${#files[@]} files, nothing found"
exit $failed
