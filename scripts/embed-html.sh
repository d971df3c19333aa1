#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Print the HTML report's page as C: what stands before the summary, between it and the data, and
# behind the data. POSIX tools, sha256sum and base64.
#
# Usage: embed-html.sh PAGE CSS CHART LICENCE SCRIPT...
# Lines @CSS@, @LICENCE@, @CHART@ and @SCRIPT@ of PAGE stand for the files, @CSP@ for the hashes of
# the two scripts, @SUMMARY@ and @DATA@ for what the program puts there.
set -eu
export LC_ALL=C

page=$1 css=$2 chart=$3 licence=$4
shift 4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for file in "$chart" "$licence"; do
	[ -r "$file" ] || {
		echo "embed-html.sh: $file is missing: install libjs-chart.js (Debian), or say" \
			"make CHART_JS=... CHART_LICENCE=..." >&2
		exit 1
	}
done

# A script as it stands in the page, between <script> and </script>: a newline, then its lines.
as_script() {
	echo
	cat "$@" | awk 1
}
# A page's parser would see an end where the script means text; it also reads CR as LF.
check_script() {
	if grep -qi -e '</script' -e '<!--' "$1" || grep -q "$(printf '\r')" "$1"; then
		echo "embed-html.sh: $2 cannot stand in a page: </script, <!-- or CR in it" >&2
		exit 1
	fi
}
# sha256-BASE64 as Content-Security-Policy wants it: sha256sum's hex digits as bytes first
hash_of() {
	octal=$(sha256sum "$1" | awk '{
		for (i = 1; i < 65; i += 2) {
			byte = 16 * (index("0123456789abcdef", substr($1, i, 1)) - 1) + \
				index("0123456789abcdef", substr($1, i + 1, 1)) - 1
			printf "\\%03o", byte
		}
	}')
	# shellcheck disable=SC2059
	printf "$octal" | base64
}

as_script "$chart" >"$work/chart"
as_script "$@" >"$work/script"
check_script "$work/chart" "$chart"
check_script "$work/script" "$*"
# two hyphens may not stand in a comment of a page
sed -e 's/--/- -/g' "$licence" >"$work/licence"
csp="'sha256-$(hash_of "$work/chart")' 'sha256-$(hash_of "$work/script")'"

sed -e '/^@CSS@$/{
r '"$css"'
d
}' -e '/^@LICENCE@$/{
r '"$work/licence"'
d
}' -e "s|@CSP@|$csp|" "$page" >"$work/page"

# No newline of the page's own between the tags and the script: the hash covers all of it.
assemble() {
	while IFS= read -r line; do
		case $line in
		'<script>@CHART@</script>') printf '<script>' && cat "$work/chart" && echo '</script>' ;;
		'<script>@SCRIPT@</script>') printf '<script>' && cat "$work/script" && echo '</script>' ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$work/page"
}
# The text on stdin as C string literals, one a line.
literals() {
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/	/\\t/g' \
		-e 's/^/	"/' -e 's/$/\\n"/'
}

assemble >"$work/whole"
printf '/* Made by scripts/embed-html.sh; edit src/report/html instead. */\n'
printf "extern const char html_head[], html_middle[], html_tail[];\n\nconst char html_head[] =\n"
sed '/^@SUMMARY@$/,$d' "$work/whole" | literals
printf '	;\n\nconst char html_middle[] =\n'
sed -e '1,/^@SUMMARY@$/d' -e '/^@DATA@$/,$d' "$work/whole" | literals
printf '	;\n\nconst char html_tail[] =\n'
sed '1,/^@DATA@$/d' "$work/whole" | literals
printf '	;\n'
