#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Print an HTML page as C: what stands before the summary, between it and the data, and behind the
# data, as NAME_head, NAME_middle and NAME_tail. POSIX tools, sha256sum and base64.
#
# Usage: embed-html.sh [-n NAME] [-c CSS]... PAGE CSS CHART LICENCE SCRIPT...
# NAME is "html" if it is not given; styles of -c stand behind the others.
# Lines @CSS@, @LICENCE@, @CHART@ and @SCRIPT@ of PAGE stand for the files, @CSP@ for the hashes of
# the two scripts, @SUMMARY@ and @DATA@ for what the program puts there.
set -eu
export LC_ALL=C

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

name=html
: >"$work/more.css"
while getopts n:c: option; do
	case $option in
	n) name=$OPTARG ;;
	c) cat "$OPTARG" >>"$work/more.css" ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
page=$1 css=$2 chart=$3 licence=$4
shift 4
cat "$css" "$work/more.css" >"$work/css"

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
r '"$work/css"'
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
printf '/* Made by scripts/embed-html.sh; edit %s instead. */\n' "$page"
printf 'extern const char %s_head[], %s_middle[], %s_tail[];\n\n' "$name" "$name" "$name"
printf 'const char %s_head[] =\n' "$name"
sed '/^@SUMMARY@$/,$d' "$work/whole" | literals
printf '	;\n\nconst char %s_middle[] =\n' "$name"
sed -e '1,/^@SUMMARY@$/d' -e '/^@DATA@$/,$d' "$work/whole" | literals
printf '	;\n\nconst char %s_tail[] =\n' "$name"
sed '1,/^@DATA@$/d' "$work/whole" | literals
printf '	;\n'
