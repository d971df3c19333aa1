#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# make install into an empty root gives a program that works from there; uninstall leaves nothing.
set -u
: "${BUILD:?}" "${SRCDIR:?}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
root=$work/root prefix=/opt/dms
failed=0

# is NAME COMMAND...: the case passes if the command does
is() {
	local name=$1
	shift
	if "$@" >"$work/said" 2>&1; then
		echo "ok - install: $name"
	else
		echo "not ok - install: $name: $(tail -n 3 "$work/said" | tr '\n' ' ')"
		failed=1
	fi
}

# make keeps the flags of the build it is called from out of this one
run_make() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
		make -s -C "$SRCDIR" B="${BUILD#"$SRCDIR"/}" DESTDIR="$root" PREFIX="$prefix" "$@"
}

every_header_compiles() {
	local header
	for header in "$root$prefix"/include/dmascope/*.h; do
		"${CC:-gcc}" -std=gnu11 -Wall -Werror -fsyntax-only -I"$root$prefix/include" -x c "$header" ||
			return 1
	done
}

same_version() { [ "$("$root$prefix/bin/dmascope" --version)" = "$("$BUILD/dmascope" --version)" ]; }
every_man_page() {
	local page
	for page in "$SRCDIR"/man/*.[1-8]; do
		cmp "$page" "$root$prefix/share/man/man${page##*.}/${page##*/}" || return 1
	done
}
nothing_left() { [ -z "$(find "$root" ! -type d)" ]; }
completion_parses() { bash -n "$root$prefix/share/bash-completion/completions/dmascope"; }
only_under_prefix() { [ -z "$(find "$root" ! -type d ! -path "$root$prefix/*")" ]; }

is "make install" run_make install
is "nothing outside the prefix" only_under_prefix
is "the installed program runs" same_version
is "each header compiles by itself" every_header_compiles
is "each man page is in its section" every_man_page
is "the completion is a bash script" completion_parses
is "make uninstall" run_make uninstall
is "nothing is left" nothing_left
exit $failed
