#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Write the section RULES of man/dmascope-rules.7 anew from what the program says of its rules.
# Usage: scripts/rules-man.sh [PROGRAM]
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=${1:-build/dmascope}
page=man/dmascope-rules.7
[ -x "$program" ] || { echo "$program is not there: make, or name it" >&2; exit 1; }

# One rule as roff, from `dmascope rules ID` on standard input.
entry() {
	awk '
		function roff(text) {
			gsub(/\\/, "\\e", text)
			gsub(/-/, "\\-", text)
			gsub(/\047/, "\\(aq", text)
			if (text ~ /^\./)
				text = "\\\\&" text
			return text
		}
		# a line for each sentence and clause, as roff sources are best kept
		function fill(text, words, n, i, line) {
			n = split(text, words, " ")
			line = ""
			for (i = 1; i <= n; i++) {
				if (line != "" && length(line) + length(words[i]) > 95) {
					print roff(line)
					line = ""
				}
				line = line (line == "" ? "" : " ") words[i]
				if (words[i] ~ /[.:;]$/) {
					print roff(line)
					line = ""
				}
			}
			if (line != "")
				print roff(line)
		}
		function part(label, key) {
			if (!(key in text))
				return
			print ".PP"
			if (label != "")
				print ".I " label
			if (key == "yields to")
				gsub(/ /, ", ", text[key])
			fill(text[key])
		}
		NR == 1 { id = $1; severity = $2; next }
		NR == 2 { title = $0; next }
		/^example/ { exit }
		/^code / { in_code = 1; next }
		in_code {
			# roff has no tabs of 8 columns
			if ($0 != "") {
				gsub(/\t/, "        ")
				sub(/        /, "       ")
			}
			code = code $0 "\n"
			next
		}
		/^[a-z]/ {
			key = substr($0, 1, 10)
			sub(/ +$/, "", key)
			text[key] = substr($0, 12)
			next
		}
		/^ / { text[key] = text[key] " " substr($0, 12) }
		END {
			print ".TP"
			print ".BR " roff(id) " \" " severity "\""
			if (title !~ /^[a-z]+_/) # a function keeps its name
				title = toupper(substr(title, 1, 1)) substr(title, 2)
			print roff(title) "."
			print ".RS"
			part("", "cause")
			part("Cure:", "cure")
			part("Limits:", "limits")
			part("Needs:", "needs")
			part("Yields to:", "yields to")
			part("Source:", "source")
			sub(/\n+$/, "", code)
			if (code != "") {
				print ".PP\n.nf"
				count = split(code, lines, "\n")
				for (i = 1; i <= count; i++)
					print lines[i] ~ /^ *$/ ? ".sp" : roff(lines[i])
				print ".fi"
			}
			print ".RE"
		}'
}

# Which part of the page a rule stands in: the first pattern that fits.
family() {
	case $1 in
	sync-*) echo 3 ;;
	*fault*|use-after-unmap|iommu-*|page-freed*) echo 4 ;;
	leak-*|live-*) echo 5 ;;
	bounce-*|hot-*|small-*|cacheline-*) echo 6 ;;
	*unmap*|free-*) echo 1 ;;
	*) echo 2 ;;
	esac
}

headings=('' 'Unmaps and frees' 'Maps and allocations' Syncs 'Faults and memory that is gone'
	'Lives that do not end' 'What could be done better')

rules() {
	local family_wanted id
	for family_wanted in 1 2 3 4 5 6; do
		echo ".SS ${headings[family_wanted]}"
		"$program" rules | sed 's/ .*//' | while read -r id; do
			[ "$(family "$id")" = $family_wanted ] || continue
			"$program" rules "$id" | entry
		done
	done
}

new=$(mktemp)
trap 'rm -f "$new"' EXIT
sed '/^\.SH RULES$/q' "$page" >"$new"
rules >>"$new"
sed -n '/^\.SH RULES$/,$p' "$page" | sed 1d | sed -n '/^\.SH /,$p' >>"$new"
cat "$new" >"$page"
