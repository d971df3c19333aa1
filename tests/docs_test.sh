#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every command in README.md and docs/*.md is run, and prints what the page shows.
#
# Commands are the lines "$ COMMAND" of blocks ```console, and those behind until a line ends without
# a backslash and no double quote is open; what follows up to the next one is its output, on both
# channels. A line "..." stands for any lines, " ..." at the end of a line for its
# rest. Those of one page run in one shell, from a folder that has the bundled files of the
# repository. A comment "<!-- not run: WHY -->" before a block says why it is not run. In other
# blocks and in EXAMPLES of man/*.1, the options of dmascope must at least be its own.
#   docs_test.sh --show FILE	prints FILE; what is no longer so is shown whole, as it is now
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}"
SRCDIR=$(cd "$SRCDIR" && pwd) || exit 1
DMASCOPE=$(realpath "$DMASCOPE")
export COLUMNS=100
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - docs: $1"; }
not_ok() {
	echo "not ok - docs: $1: $2"
	failed=1
}
skip() { echo "skip - docs: $1: $2"; }

# blocks FILE: each command into $work/case/N.cmd, what it shows into N.out, its line into N.line;
# those that are not run into N.not with the reason.
blocks() {
	rm -rf "$work/case"
	mkdir "$work/case"
	awk -v to="$work/case/" '
		function begin() { n++; name = sprintf("%s%04d", to, n); printf "" >(name ".out") }
		/^<!-- not run: .* -->$/ { why = substr($0, 15, length($0) - 18); next }
		/^```/ && !inside { inside = 1; console = /^```console$/; open = 0; next }
		/^```/ { inside = 0; why = ""; next }
		!inside { if ($0 !~ /^$/) why = ""; next }
		!console { next }
		more || /^\$ / {
			if (!more) {
				begin()
				open = 1
				print NR >(name ".line")
				if (why != "")
					print why >(name ".not")
			}
			text = more ? $0 : substr($0, 3)
			quotes = (more ? quotes : 0) + gsub(/"/, "\"", text)
			more = text ~ /\\$/ || quotes % 2
			print text >(name ".cmd")
			next
		}
		open { print >(name ".out") }' "$1"
}

# shown WANTED GOT: the first line that is not as shown, or nothing
shown() {
	awk -v got_file="$2" '
		function is_like(want, got) {
			if (want ~ / \.\.\.$/)
				return index(got, substr(want, 1, length(want) - 4)) == 1
			return want == got
		}
		BEGIN { while ((getline line <got_file) > 0) got[++n] = line; at = 1 }
		failed { next }
		$0 == "..." { loose = 1; next }
		{
			while (loose && at <= n && !is_like($0, got[at]))
				at++
			if (at > n || !is_like($0, got[at])) {
				print "shows \"" $0 "\", is \"" (loose || at > n ? "nowhere" : got[at]) "\""
				failed = 1
			}
			loose = 0
			at++
		}
		END { if (!failed && !loose && at <= n) print "more: \"" got[at] "\"" }' "$1"
}

# room NAME: an empty folder that looks like the root of the repository to commands
room() {
	mkdir -p "$work/rooms/$1" && cd "$work/rooms/$1" || exit 1
	ln -s "$SRCDIR/tests" "$SRCDIR/examples" "$SRCDIR/docs" .
}

# missing COMMAND...: the first program that is not here and the tests may do without
missing() {
	local program
	for program in sqlite3 trace-cmd perf jq; do
		grep -qw -- "$program" "$1" && ! command -v "$program" >/dev/null && echo "$program" && return
	done
}

mkdir "$work/bin"
ln -s "$DMASCOPE" "$work/bin/dmascope"
PATH=$work/bin:$PATH

# run_page NAME: the commands of $work/case in their order, in one shell
run_page() {
	local page=$1 command name why code=0 line text difference
	room "${page##*/}"
	for command in "$work"/case/*.cmd; do
		[ -e "$command" ] || { not_ok "$page" 'has no command'; return; }
		name=${command%.cmd} line=$(cat "${command%.cmd}.line")
		why=$(cat "$name.not" 2>/dev/null || missing "$command")
		if [ -n "$why" ]; then
			skip "$page:$line" "$why"
			continue
		fi
		text=$(cat "$command")
		(exit $code)
		eval "$text" >"$name.got" 2>&1 </dev/null
		code=$?
		difference=$(shown "$name.out" "$name.got")
		# a cut may hide what went wrong
		if [ -z "$difference" ] && [ $code -ge 2 ] && ! grep -q '^dmascope: ' "$name.out"; then
			difference="exit code $code: $(head -1 "$name.got")"
		fi
		if [ -z "$difference" ]; then
			ok "$page:$line $(head -1 "$command" | cut -c1-60)"
		else
			not_ok "$page:$line $(head -1 "$command" | cut -c1-60)" "$difference"
		fi
	done
}

# options_of COMMAND: a file of those that its --help-all has; false: there is no such command
options_of() {
	options=$work/options/$1
	[ -e "$options" ] && return
	"$DMASCOPE" "$1" --help-all >"$work/help" 2>&1 || return
	mkdir -p "$work/options"
	grep -oE -- '(^|[ ,])--?[a-zA-Z][a-z-]*' "$work/help" | tr -d ' ,' | sort -u >"$options"
}

# check_options NAME: lines "dmascope COMMAND ..." of standard input; their options must exist
check_options() {
	local line command word words options count=0 bad=''
	while read -r line; do
		command=$(sed -nE 's/^dmascope ((-v|-q|--verbose|--quiet) )*([a-z]+).*/\3/p' <<<"$line")
		[ -n "$command" ] || continue
		if ! options_of "$command"; then
			bad="$bad; no command $command"
			continue
		fi
		# what a record runs is not ours, nor what stands behind a pipe or a comment
		read -r -a words < <(sed -E -e 's/ (--|[#|;>&]+) .*//' -e "s/'[^']*'|\"[^\"]*\"//g" <<<"$line")
		for word in "${words[@]}"; do
			case $word in --?* | -[a-zA-Z]) ;; *) continue ;; esac
			count=$((count + 1))
			grep -qx -- "${word%%=*}" "$options" || bad="$bad; $command has no $word"
		done
	done
	if [ -z "$bad" ]; then ok "$1: $count options exist"; else not_ok "$1: options" "${bad#; }"; fi
}

# commands of a page that no test runs: examples of a manual page, and other blocks of Markdown
man_examples() {
	sed -n '/^\.SH EXAMPLES/,/^\.SH [^E]/p' "$1" | sed -e 's/\\-/-/g' -e 's/\\(aq/'"'"'/g' -e 's/\\&//g' \
		-e 's/^\.B[RI]* //' | grep -E '^dmascope '
}
other_blocks() {
	awk '/^```/ { inside = !inside; console = /^```console$/; next }
		inside && console { sub(/^\$ /, "") }
		inside || /^    / { sub(/^ +/, ""); if (/^dmascope /) print }' "$1"
}

if [ "${1-}" = --show ]; then
	page=$(realpath "$2")
	blocks "$page"
	run_page show >&2
	for got in "$work"/case/*.got; do
		[ -n "$(shown "${got%.got}.out" "$got")" ] || cp "${got%.got}.out" "$got"
	done
	awk -v from="$work/case/" '
		function put(file,    line) { while ((getline line <file) > 0) print line }
		/^```/ && !inside { inside = 1; console = /^```console$/; print; next }
		/^```/ { inside = open = 0; print; next }
		inside && console && (more || /^\$ /) {
			print
			if (!more)
				n++
			quotes = (more ? quotes : 0) + gsub(/"/, "\"")
			more = /\\$/ || quotes % 2
			open = 1
			name = sprintf("%s%04d", from, n)
			if (!more)
				put(name ((getline line <(name ".not")) > 0 ? ".out" : ".got"))
			next
		}
		!open { print }' "$page"
	exit
fi

for page in "$SRCDIR"/README.md "$SRCDIR"/docs/*.md; do
	[ -e "$page" ] || continue
	name=${page#"$SRCDIR"/}
	blocks "$page"
	[ -z "$(ls "$work/case")" ] || run_page "$name"
	other_blocks "$page" | check_options "$name"
done
for page in "$SRCDIR"/man/*.1; do
	man_examples "$page" | check_options "${page##*/}"
done

# a link inside the repository leads somewhere
for page in "$SRCDIR"/README.md "$SRCDIR"/docs/*.md; do
	grep -oE '\]\([^)#]+' "$page" | cut -c3- | grep -v '^https*:' | while read -r link; do
		[ -e "$(dirname "$page")/$link" ] || echo "${page##*/}: $link"
	done
done >"$work/links"
if [ -s "$work/links" ]; then not_ok links "$(head -3 "$work/links" | tr '\n' ';')"; else ok links; fi
exit $failed
