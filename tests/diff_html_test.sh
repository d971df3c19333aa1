#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The HTML page of a diff: what it is made of, hostile names, its size; and all of it in a real browser.
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}" "${BUILD:=build}"
DMASCOPE=$(realpath "$DMASCOPE")
SRCDIR=$(realpath "$SRCDIR")
BUILD=$(realpath "$BUILD")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

ok() { echo "ok - $1"; }
not_ok() {
	echo "not ok - $1: $2"
	failed=1
}
# equal NAME GOT WANTED
equal() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "'$2', not '$3'"; fi
}
data_of() { sed -n '/^<script type="application\/json" id="data">$/,/^<\/script>$/p' "$1" | sed '1d;$d'; }
# sha256-BASE64 of the text on stdin, by another way than the build's
hash_of() {
	printf 'sha256-%s' "$(sha256sum | cut -d' ' -f1 | tr -d '\n' | sed 's/../\\x&/g' | xargs -0 printf '%b' | base64)"
}
diff_html() { "$DMASCOPE" diff "$@" --format html 2>err; }

fixtures=$SRCDIR/tests/fixtures
for pair in base:twin-6.12 head:twin-7.2 fault:oracle-unmap_size_small; do
	"$DMASCOPE" analyze -q "$fixtures/${pair#*:}.dat" -o "${pair%%:*}.db" >/dev/null 2>err ||
		{ not_ok 'diff html: analyze a fixture' "$(head -1 err)"; exit 1; }
done

# ---- the file
diff_html base.db head.db >page.html
equal 'diff html: twins pass' $? 0
diff_html base.db head.db >again.html
if cmp -s page.html again.html; then ok 'diff html: same runs, same bytes'; else
	not_ok 'diff html: same runs, same bytes' 'they differ'; fi
if grep -qE '(src|href)="?(https?:)?//|@import|url\(' <(grep -v '^\s*\*' page.html | sed '/^!function/d'); then
	not_ok 'diff html: names nothing outside of it' "$(grep -nE '(src|href)="?(https?:)?//' page.html | head -1)"
else
	ok 'diff html: names nothing outside of it'
fi
csp=$(sed -n 's/.*http-equiv="Content-Security-Policy" content="\([^"]*\)".*/\1/p' page.html)
awk '/^<script>/ { n++; print "" >("script" n); inside = 1; next }
	/^<\/script>/ { inside = 0 }
	inside { print >("script" n) }' page.html
equal 'diff html: two scripts' "$(find . -name 'script*' | wc -l)" 2
for script in script1 script2; do
	case $csp in
	"default-src 'none'; script-src 'sha256-"*"'$(hash_of <$script)'"*) ok "diff html: hash of $script" ;;
	"default-src 'none'; script-src '$(hash_of <$script)'"*) ok "diff html: hash of $script" ;;
	*) not_ok "diff html: hash of $script" "$(hash_of <$script) is not in $csp" ;;
	esac
done
# what is drawn is what the database holds
if command -v sqlite3 >/dev/null && command -v jq >/dev/null; then
	for side in base head; do
		equal "diff html: lifetimes of $side are all" \
			"$(data_of page.html | jq "[.${side}Charts[].lifetime[]?[1]] | add")" \
			"$(sqlite3 $side.db "SELECT sum(count) FROM histogram WHERE measure = 'lifetime'")"
	done
	equal 'diff html: peak of live bytes' "$(data_of page.html | jq '[.headCharts[].live[]? | values] | max')" \
		"$(sqlite3 head.db "SELECT max(n) FROM (SELECT sum(value) AS n FROM series WHERE measure = 'live_bytes' GROUP BY start_ns)")"
fi
diff_html base.db fault.db >fault.html
equal 'diff html: a fault fails' $? 1
if data_of fault.html | grep -q '"state":"new"'; then ok 'diff html: it is on the page'; else
	not_ok 'diff html: it is on the page' 'it is not'; fi

# ---- hostile names: comparisons made by hand, every state
mkdir samples
DMS_CI_SAMPLES=$work/samples "$BUILD/tests/check_diff_ci" >log 2>&1 ||
	not_ok 'diff html: samples' "$(grep -m1 check_diff_ci log)"
data_of samples/0.html >data
equal 'diff html: data is one line' "$(wc -l <data)" 1
if grep -q '[<>&]' data; then not_ok 'diff html: no markup in the data' "$(grep -o '.\{20\}[<>&].\{20\}' data | head -1)"
else ok 'diff html: no markup in the data'; fi
if LC_ALL=C grep -q '[^ -~]' data; then not_ok 'diff html: data is ASCII' 'it is not'; else ok 'diff html: data is ASCII'; fi
equal 'diff html: as many script elements as ever' "$(grep -ic '<script' samples/0.html)" "$(grep -ic '<script' page.html)"
if sed -n '/<noscript>/,/<\/noscript>/p' samples/0.html | grep -qE '<(img|script|iframe|svg|style)'; then
	not_ok 'diff html: its text is text' 'markup in it'; else ok 'diff html: its text is text'; fi
size=$(wc -c <samples/flood.html)
if [ "$size" -lt 2000000 ] && [ "$size" -gt 300000 ]; then ok "diff html: a flood fits ($size bytes)"; else
	not_ok 'diff html: a flood fits' "$size bytes"; fi

# ---- a real browser
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
missing=
[ -n "$chromium" ] || missing=chromium
command -v node >/dev/null || missing="${missing:+$missing, }node"
if [ -n "$missing" ]; then
	echo "skip - diff html in chromium: not installed: $missing"
	exit $failed
fi
# browse NAME PAGE TEXT...: the cases of the browser, with NAME before them
browse() {
	local name=$1
	shift
	CHROMIUM=$chromium timeout 120 node "$SRCDIR/tests/tools/html_check.mjs" diff "$@" >cases 2>&1 || failed=1
	sed -E "s/^(ok|not ok) - html in chromium/\\1 - diff html in chromium, $name/" cases | grep -E '^(not )?ok - '
	[ -s cases ] || not_ok "diff html in chromium, $name" 'it said nothing'
}
browse twins page.html 'Lifetimes, base' 'Live bytes, head'
browse 'hostile names' samples/0.html '<script>alert(1)</script>' '::error::pwned\r\n%0A' 'rx_refill [ethdrv]'
browse 'nothing to tell' samples/2.html 'There are none to compare.' 'charts need the databases'
exit $failed
