#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The shared library as others get it: its symbols, its examples by pkg-config, C++, its pages.
set -u
LC_ALL=C
export LC_ALL
: "${BUILD:?}" "${SRCDIR:?}" "${DMASCOPE:?}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
root=$work/root prefix=/opt/dms
header=$SRCDIR/include/dmascope/dmascope.h
library=$BUILD/libdmascope.so.1
fixtures=$SRCDIR/tests/fixtures
failed=0

# is NAME COMMAND...: the case passes if the command does
is() {
	local name=$1
	shift
	if "$@" >"$work/said" 2>&1; then
		echo "ok - api: $name"
	else
		echo "not ok - api: $name: $(tail -n 3 "$work/said" | tr '\n' ' ')"
		failed=1
	fi
}

skip() { echo "skip - api: $1: $2"; }

# ---- what it is made of ----
declared() { grep -oE '\bdmascope_[a-z_]+\(' "$header" | tr -d '(' | sort -u; }
exported() { nm -D --defined-only "$library" | awk '{print $NF}' | sed 's/@@/@/' | sort; }
functions() { exported | sed -n 's/^\(dmascope_.*\)@DMASCOPE_1$/\1/p'; }
# the header speaks of one function's pair in a comment; what counts are declarations
declared >"$work/declared"
functions >"$work/functions"
exports_what_is_declared() {
	[ -s "$work/functions" ] && diff "$work/declared" "$work/functions"
}
package_lists_them() {
	diff <(sed -n 's/^ \([^ ]*\) .*/\1/p' "$SRCDIR/debian/libdmascope1.symbols" | sort) \
		<(exported | sed 's/^DMASCOPE_1$/&@&/' | sort)
}
# the map names them one by one: what is not meant to be public does not slip out
map_lists_them() { diff <(grep -oE '\bdmascope_[a-z_]+' "$SRCDIR/src/api/libdmascope.map" | sort) "$work/declared"; }
# a library does not talk, end its host, or change what is his
has_manners() {
	local bad
	bad=$(nm -D --undefined-only "$library" | sed -E 's/^ *U //; s/@.*//' | grep -xE \
		'exit|_exit|quick_exit|v?printf|__v?printf_chk|puts|putchar|perror|setlocale|chdir|signal|sigaction|setenv|putenv|umask|srand|strtok|stdout')
	[ -z "$bad" ] || { echo "$bad"; return 1; }
}
has_soname() { objdump -p "$library" | grep -q 'SONAME *libdmascope\.so\.1$'; }
knows_no_tracer() { ! ldd "$library" | grep -E 'libtrace|libdmascope'; }
stands_alone() { ldd -r "$library" 2>&1 | awk '/undefined symbol/ { print; bad = 1 } END { exit bad }'; }
each_has_a_page() {
	local name bad=0
	while read -r name; do
		grep -qE "^\.B \".*\b$name\(" "$SRCDIR"/man/libdmascope*.3 || {
			echo "no SYNOPSIS has $name"
			bad=1
		}
		sed -n '/^\.SH NAME/,/^\.SH SYN/p' "$SRCDIR"/man/libdmascope*.3 | grep -q "\b$name\b" || {
			echo "no NAME has $name"
			bad=1
		}
	done <"$work/declared"
	return $bad
}

# declarations inside of structs, without comments and layout, as the header and as the pages have them
members() { sed -E 's,/\*([^*]|\*[^/])*\*/,,g' | tr -s '\n\t ' ' ' | sed 's/ *;/;/g'; }
structs_have_pages() {
	local name bad=0 body
	sed -E 's/\\-/-/g; s/\\&//g; s/\\e/\\/g' "$SRCDIR"/man/libdmascope*.3 | members >"$work/pages"
	grep -oE '^struct dmascope_[a-z_]+ \{' "$header" | cut -d' ' -f2 >"$work/structs"
	[ "$(wc -l <"$work/structs")" -ge 11 ] || return 1
	while read -r name; do
		# comments of several lines are prose, which pages have elsewhere
		body=$(sed -n "/^struct $name {/,/^};/p" "$header" | sed -E '/^\t\/\*\*?$/,/\*\//d' | members)
		grep -qF "$body" "$work/pages" || {
			echo "no page has struct $name as it is"
			bad=1
		}
	done <"$work/structs"
	return $bad
}

# instrumented, it wants programs that are, too; and adds symbols of its own
sanitizers=
if nm -D "$library" | grep -q __asan_; then
	sanitizers="-fsanitize=address,undefined"
	skip "symbols" "sanitizers add theirs"
else
	is "exports what the header declares" exports_what_is_declared
	is "the package's list of symbols" package_lists_them
	is "no symbol is missing" stands_alone
	is "it does not print, and does not exit" has_manners
fi
is "the map's list of symbols" map_lists_them
is "soname" has_soname
is "no library of the tracer is needed" knows_no_tracer
is "each function has its page" each_has_a_page
is "each struct has its page" structs_have_pages

# ---- as it is installed ----
run_make() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
		make -s -C "$SRCDIR" B="${BUILD#"$SRCDIR"/}" DESTDIR="$root" PREFIX="$prefix" "$@"
}
is "make install" run_make install
export PKG_CONFIG_PATH=$root$prefix/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
export LD_LIBRARY_PATH=$root$prefix/lib
# the sysroot goes before every -I and -L, so that a link finds the installed one only
read -ra flags < <(pkg-config --cflags --libs libdmascope)
header_alone() { [ "$(find "$root$prefix/include" -type f)" = "$root$prefix/include/dmascope/dmascope.h" ]; }
flags_are_few() { [ "$(pkg-config --libs libdmascope | sed 's/ *$//')" = "-L$root$prefix/lib -ldmascope" ]; }
same_version() { [ "$(pkg-config --modversion libdmascope)" = "$(cat "$SRCDIR/VERSION")" ]; }
compile() {
	# shellcheck disable=SC2086 # no flag is no word
	"${CC:-gcc}" -std=c11 -Wall -Wextra -Wshadow -Werror $sanitizers \
		"$SRCDIR/examples/api/$1.c" -o "$work/$1" "${flags[@]}"
}
as_cxx() {
	cat >"$work/cxx.cc" <<-'END'
	#include <cstdio>
	#include <dmascope/dmascope.h>
	static int count(void *context, const struct dmascope_mapping *mapping)
	{
		*static_cast<unsigned long *>(context) += mapping->id > 0;
		return 0;
	}
	int main(int, char **argv)
	{
		unsigned long n = 0;
		dmascope_options options{};
		dmascope_analysis *analysis = nullptr;
		options.size = sizeof(options);
		options.context = &n;
		options.on_mapping = count;
		dmascope_error *error = dmascope_analysis_create(&options, &analysis);
		if (!error)
			error = dmascope_analysis_files(analysis, argv + 1, 1);
		std::printf("%lu %s\n", n, dmascope_error_message(error));
		dmascope_error_free(error);
		dmascope_analysis_destroy(analysis);
	}
	END
	# shellcheck disable=SC2086
	g++ -std=c++11 -Wall -Wextra -Wpedantic -Werror $sanitizers "$work/cxx.cc" -o "$work/cxx" \
		"${flags[@]}" && [ "$("$work/cxx" "$fixtures/stock-6.12-zoo.dat")" = "2702 " ]
}
# the header by itself, as an old and a new program see it
alone() {
	"${CC:-gcc}" -x "$1" -std="$2" -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only \
		"$root$prefix/include/dmascope/dmascope.h"
}
# the program that the overview page shows
page_program() {
	sed -n '/^\.SH EXAMPLES/,/^\.EE/p' "$SRCDIR/man/libdmascope.3" |
		sed -e '1,/^\.EX/d; /^\.EE/d' -e 's/\\-/-/g' -e 's/\\e/\\/g' >"$work/page.c"
	# shellcheck disable=SC2086 # no flag is no word
	"${CC:-gcc}" -std=c11 -Wall -Wextra -Wpedantic -Werror $sanitizers "$work/page.c" -o "$work/page" \
		"${flags[@]}" && code 0 "$work/page" "$fixtures/oracle-unmap_size_small.dat" &&
		says '^unmap-size-mismatch: ' && code 3 "$work/page" /nonexistent &&
		grep -q nonexistent "$work/err.txt"
}
# the static library needs what pkg-config --static says, and nothing of libdmascope.so
linked_statically() {
	local static
	read -ra static < <(pkg-config --static --cflags --libs libdmascope | sed 's/-ldmascope/-l:libdmascope.a/')
	# shellcheck disable=SC2086 # no flag is no word
	"${CC:-gcc}" -std=c11 -fno-lto $sanitizers "$SRCDIR/examples/api/mappings.c" -o "$work/static" "${static[@]}" &&
		! ldd "$work/static" | grep libdmascope &&
		[ "$("$work/static" "$fixtures/stock-6.12-zoo.dat" | tail -n 1)" = "2702 mappings" ]
}
# nothing of any library is shared; where all of them have a static one
all_static() {
	local static
	read -ra static < <(pkg-config --static --cflags --libs libdmascope)
	"${CC:-gcc}" -std=c11 -fno-lto -static "$SRCDIR/examples/api/mappings.c" -o "$work/all" "${static[@]}" &&
		[ "$("$work/all" "$fixtures/stock-6.12-zoo.dat" | tail -n 1)" = "2702 mappings" ]
}

is "one header" header_alone
is "pkg-config asks for no other library" flags_are_few
is "pkg-config tells the version" same_version
is "the header is C99" alone c c99
is "the header is C11" alone c c11
for source in "$SRCDIR"/examples/api/*.c; do
	name=${source##*/}
	is "example ${name%.c} compiles" compile "${name%.c}"
done
if command -v g++ >/dev/null; then
	is "the header is C++11" alone c++ c++11
	is "the header is C++17" alone c++ c++17
	is "from C++" as_cxx
else
	skip "from C++" "no g++"
fi

# ---- what the examples do ----
# code CODE COMMAND...: it ends so, with what it says in out.txt
code() {
	local wanted=$1
	shift
	"$@" >"$work/out.txt" 2>"$work/err.txt"
	local got=$?
	[ $got -eq "$wanted" ] || {
		echo "exit $got: $(head -2 "$work/err.txt")"
		return 1
	}
}
says() { grep -qE "$1" "$work/out.txt" || { head -5 "$work/out.txt"; return 1; }; }
lives_of_a_trace() {
	code 0 "$work/mappings" "$fixtures/stock-6.12-zoo.dat" && says '^2702 mappings$' &&
		[ "$(grep -c ' dma=0x' "$work/out.txt")" -eq 2702 ]
}
# the same figures as the program's
as_the_program() {
	code 1 "$work/findings" "$fixtures/oracle-unmap_size_small.dat" "$work/small.db" &&
		says '^error unmap-size-mismatch on .*: 1 times$' &&
		"$DMASCOPE" analyze "$fixtures/oracle-unmap_size_small.dat" -o "$work/cli.db" &&
		"$DMASCOPE" query "$work/small.db" 'SELECT * FROM mapping ORDER BY id' >"$work/a" &&
		"$DMASCOPE" query "$work/cli.db" 'SELECT * FROM mapping ORDER BY id' >"$work/b" &&
		[ -s "$work/a" ] && cmp "$work/a" "$work/b" && cmp "$work/small.db" "$work/cli.db"
}
walks() {
	code 0 "$work/run" "$work/small.db" && says '^kernel 6' && says '^finding 1 unmap-size-mismatch:' &&
		code 0 "$DMASCOPE" analyze "$fixtures/lab-7.2-fault.dat" -o "$work/fault.db" &&
		code 0 "$work/run" "$work/fault.db" && says '^finding .* use-after-unmap:' &&
		says '^    e1000_clean_rx_irq e1000e$' && says '^device 0000:00:05\.0 \(e1000e, iommu\)'
}
feeds() {
	code 0 "$work/feed" "$work/fed.db" && says '^unmap-size-mismatch: device driver frees' &&
		code 0 "$work/run" "$work/fed.db" &&
		says '^live 0000:00:1f\.2 0x20000 4096 bytes since 2000 ns$'
}
refuses() {
	code 3 "$work/mappings" /nonexistent && grep -q 'nonexistent' "$work/err.txt" &&
		code 3 "$work/run" "$SRCDIR/Makefile" && grep -q 'not a dmascope database' "$work/err.txt"
}
is "mappings: every life of a trace" lives_of_a_trace
is "findings: the program's database, byte for byte" as_the_program
is "run: devices, findings, stacks" walks
is "feed: a mistake and a leak are found" feeds
is "what cannot be read is an error" refuses
is "the program of libdmascope(3)" page_program
is "linked to libdmascope.a" linked_statically
if [ -n "$sanitizers" ]; then
	skip "linked to nothing that is shared" "sanitizers are"
elif [ -e "$("${CC:-gcc}" -print-file-name=libicuuc.a)" ]; then
	is "linked to nothing that is shared" all_static
else
	skip "linked to nothing that is shared" "no static libraries here"
fi
exit $failed
