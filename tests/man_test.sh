#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every command has a page, every page renders without a warning, and its OPTIONS are those of --help.
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - $1"; }
not_ok() {
	echo "not ok - $1: $2"
	failed=1
}

# "-o, --output DB" of each option, from --help on stdin
help_options() {
	sed -n 's/^ \{2,6\}\(-[^ ]*\(, --[^ ]*\)\{0,1\}\( [A-Z]\{1,\}\)\{0,1\}\)\( .*\)\{0,1\}$/\1/p' | sort
}
# the same from a rendered page on stdin: the tags of its section OPTIONS
page_options() {
	sed -n '/^OPTIONS$/,/^[A-Z]/{/^       -/p;}' |
		sed -n 's/^ *\(-[^ ]*\(, --[^ ]*\)\{0,1\}\( [A-Z]\{1,\}\)\{0,1\}\)\( .*\)\{0,1\}$/\1/p' |
		sort
}
render() {
	groff -ww -man -Tascii -P-cbou -rLL=100n "$1"
}

if ! command -v groff >/dev/null; then
	echo 'skip - man pages: groff is not installed'
	exit 0
fi

for page in "$SRCDIR"/man/*.[1-8]; do
	name=${page##*/}
	render "$page" >"$work/page" 2>"$work/warnings"
	if [ -s "$work/warnings" ]; then
		not_ok "$name renders" "$(head -1 "$work/warnings")"
	else
		ok "$name renders"
	fi
done

commands=$("$DMASCOPE" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ -n "$commands" ] || not_ok 'commands are listed' 'none in --help'
for command in '' $commands; do
	page=$SRCDIR/man/dmascope${command:+-$command}.1
	if [ "$command" = completion ]; then # told in dmascope(1): it has no options of its own
		if grep -q '^\.BI completion' "$SRCDIR/man/dmascope.1"; then ok 'completion'; else
			not_ok 'completion' 'not in dmascope.1'
		fi
		continue
	fi
	if [ ! -e "$page" ]; then
		not_ok "page of ${command:-dmascope}" 'missing'
		continue
	fi
	for section in NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
		grep -qx "\.SH $section" "$page" || not_ok "${page##*/}" "no section $section"
	done
	# shellcheck disable=SC2086 # no command is no argument
	"$DMASCOPE" $command --help | help_options >"$work/help"
	render "$page" 2>/dev/null | page_options >"$work/man"
	if [ ! -s "$work/help" ]; then
		not_ok "options of ${page##*/}" 'no option found in --help'
	elif ! diff "$work/help" "$work/man" >"$work/diff"; then
		not_ok "options of ${page##*/}" "$(grep '^[<>]' "$work/diff" | tr '\n' ';')"
	else
		ok "options of ${page##*/}"
	fi
	# each command is named in the overview
	if [ -n "$command" ] && ! grep -q "^\.BR dmascope..$command (1)" "$SRCDIR/man/dmascope.1"; then
		not_ok "dmascope.1 names $command" 'it does not'
	fi
done
exit $failed
