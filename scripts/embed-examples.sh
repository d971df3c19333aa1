#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Print the first case of each event script tests/scripts/rules/ID-fire.txt as C: the examples of
# `dmascope rules ID`. POSIX tools only.
set -eu
export LC_ALL=C

# Events up to the rule's own first finding, as a newcomer reads them, on a page of 80 columns.
# first_case ID FILE
first_case() {
	awk -v id="$1" '
		# words of @text behind @head; further lines begin with @next_head
		function fill(head, text, next_head,    words, n, i, line, indent) {
			indent = length(next_head)
			n = split(text, words, " ")
			line = head
			for (i = 1; i <= n; i++) {
				if (i > 1 && length(line) > indent && length(line) + length(words[i]) >= 80) {
					sub(/ +$/, "", line)
					lines[n_lines++] = line
					line = next_head
				}
				line = line words[i] (i < n ? " " : "")
			}
			sub(/ +$/, "", line)
			lines[n_lines++] = line
		}
		# the same below the end of @head or, if that is far right, at 6
		function put(head, text) {
			fill(head, text, sprintf("%" (length(head) < 46 ? length(head) : 6) "s", ""))
		}
		BEGIN { n_lines = 0 }
		comment != "" && !/^#/ {
			fill("  # ", comment, "  # ")
			comment = ""
		}
		/^! / {
			told = told || $2 == id
			put("  => " $3 ", " $4 ": " $2, "")
			next
		}
		/^= / { put("     ", substr($0, 3)); next }
		told { exit }
		/^#/ { comment = comment (comment == "" ? "" : " ") substr($0, 3); next }
		/^@(inputs|never-elides)/ { next } # what the test knows, not the trace
		/^@[a-z]/ { side[n_lines] = $2; put("  ", $0); next }
		{ seen[$2] = 1 }
		$2 == "unbind" { put(sprintf("  %10s  %s  (the driver is unbound)", $1, $3), ""); next }
		$2 == "gap" || $2 == "end" {
			what = $2 == "end" ? "the trace ends" : "events are lost"
			put(sprintf("  %10s  (%s)", $1, what), "")
			next
		}
		NF >= 3 {
			rest = $0
			sub(/^[^ ]+ +[^ ]+ +[^ ]+ */, "", rest)
			put(sprintf("  %10s  %s  %-13s ", $1, $2, $3), rest)
		}
		END {
			for (i = 0; i < n_lines; i++) {
				# an inventory may tell of devices that come later
				if (!(i in side) || lines[i] !~ /@inventory/ || side[i] in seen)
					print lines[i]
			}
		}' "$2"
}

literals() {
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/	/\\t/g' \
		-e 's/^/	 "/' -e 's/$/\\n"/'
}

printf '/* Made by scripts/embed-examples.sh; edit the event scripts instead. */\n'
printf '#include "src/cli/cli.h"\n\nconst struct dms_example dms_examples[] = {\n'
for script; do
	id=${script##*/}
	id=${id%-fire.txt}
	printf '	{"%s",\n' "$id"
	first_case "$id" "$script" | literals
	printf '	 },\n'
done
printf '};\nconst size_t dms_n_examples = %d;\n' $#
