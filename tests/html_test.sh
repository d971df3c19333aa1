#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The HTML report: what it is made of, hostile names, its size; and all of it in a real browser.
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
report() { "$DMASCOPE" report "$@" 2>err; }

# The JSON in the page on stdin.
data_of() { sed -n '/^<script type="application\/json" id="data">$/,/^<\/script>$/p' "$1" | sed '1d;$d'; }
# sha256-BASE64 of the text on stdin, by another way than the build's
hash_of() {
	printf 'sha256-%s' "$(sha256sum | cut -d' ' -f1 | tr -d '\n' | sed 's/../\\x&/g' | xargs -0 printf '%b' | base64)"
}

fixture=$SRCDIR/tests/fixtures/oracle-unmap_size_small.dat
"$DMASCOPE" analyze "$fixture" -o run.db >/dev/null 2>err ||
	{ not_ok 'html: analyze a fixture' "$(head -1 err)"; exit 1; }

# ---- the file
report run.db --html page.html || not_ok 'html: written' "$(head -1 err)"
report run.db --html again.html
if cmp -s page.html again.html; then ok 'html: same database, same bytes'; else
	not_ok 'html: same database, same bytes' 'they differ'; fi
report run.db --html - >stdout.html
if cmp -s page.html stdout.html; then ok 'html: to standard output'; else
	not_ok 'html: to standard output' 'differs from the file'; fi
if [ -e page.html.part ]; then not_ok 'html: no leftover' 'page.html.part'; else ok 'html: no leftover'; fi
report run.db --html /nowhere/page.html
equal 'html: a folder that is not there' $? 4
if grep -qE '(src|href)="?(https?:)?//|@import|url\(' <(grep -v '^\s*\*' page.html | sed '/^!function/d'); then
	not_ok 'html: names nothing outside of it' "$(grep -nE '(src|href)="?(https?:)?//' page.html | head -1)"
else
	ok 'html: names nothing outside of it'
fi

# ---- each script's hash stands in the policy, and no other
csp=$(sed -n 's/.*http-equiv="Content-Security-Policy" content="\([^"]*\)".*/\1/p' page.html)
case $csp in
"default-src 'none'; script-src 'sha256-"*"style-src 'unsafe-inline'; img-src data:;"*) ok 'html: policy' ;;
*) not_ok 'html: policy' "$csp" ;;
esac
awk '/^<script>/ { n++; print "" >("script" n); inside = 1; next }
	/^<\/script>/ { inside = 0 }
	inside { print >("script" n) }' page.html
equal 'html: two scripts' "$(ls script* | wc -l)" 2
for script in script1 script2; do
	case $csp in
	*"'$(hash_of <$script)'"*) ok "html: hash of $script" ;;
	*) not_ok "html: hash of $script" "$(hash_of <$script) is not in $csp" ;;
	esac
done

# ---- the points of a chart come to what the mappings come to
if command -v sqlite3 >/dev/null; then
	maps=$(data_of page.html | sed 's/.*"series":{//; s/}}.*//' | grep -o '"maps":\[[0-9,]*\]' |
		sed 's/.*\[//; s/\]//' | tr ',' '\n' | awk '{ n += $1 } END { print n + 0 }')
	equal 'html: maps over time are all maps' "$maps" \
		"$(sqlite3 run.db "SELECT sum(value) FROM device_counter WHERE name IN ('maps', 'allocs')")"
	sites=$(data_of page.html | sed 's/.*"sites":{//; s/"site_counts".*//; s/.*"rows"://' |
		grep -o '\[[0-9]*,[^,]*,[^,]*,[0-9]*' | awk -F, '{ n += $4 } END { print n + 0 }')
	equal 'html: call sites are all mappings' "$sites" \
		"$(sqlite3 run.db "SELECT count(*) FROM mapping WHERE map_ns IS NOT NULL")"
fi

# ---- text instead of a page, a part of the run, what there is not
report run.db >text.txt
"$DMASCOPE" analyze "$fixture" >summary.txt 2>/dev/null
if diff <(head -n "$(wc -l <summary.txt)" text.txt) summary.txt >diff.txt; then ok 'report: text begins with the summary'; else
	not_ok 'report: text begins with the summary' "$(head -3 diff.txt)"; fi
device=$(sqlite3 run.db "SELECT d.name FROM finding JOIN device AS d ON d.id = device_id LIMIT 1" 2>/dev/null)
if [ -n "$device" ]; then
	report run.db --html part.html --device "$device" --until start
	equal 'html: no finding before its time' "$(data_of part.html | grep -o '"findings":\[\]')" '"findings":[]'
fi
"$DMASCOPE" analyze "$SRCDIR/tests/fixtures/stock-6.12-zoo.dat" -o zoo.db >/dev/null 2>err
devices() { report zoo.db "$@" | sed -n '/^device/,/^$/p' | sed '/^device/d;/^all devices/d;/^$/d;s/ .*//' | sort -u; }
# devices with as many calls as each other stand as in text: as they were first seen
html_devices() { data_of "$1" | grep -o '"devices":{.*' | sed 's/"total":.*//' | grep -o '\[[0-9]*,"[^"]*"' | cut -d'"' -f2 | tr '\n' ' '; }
cp zoo.db equal.db
if command -v sqlite3 >/dev/null; then
	sqlite3 equal.db "DELETE FROM finding; DELETE FROM finding_group; DELETE FROM device_counter WHERE name IN ('allocs', 'frees');
		UPDATE device_counter SET value = 5 WHERE name IN ('maps', 'unmaps'); UPDATE device SET name = 'z' || (9 - id) WHERE id < 9;"
	report equal.db --html equal.html
	equal 'html: equal devices as in text' "$(html_devices equal.html)" \
		"$(report equal.db --columns device,maps | sed -n '/^device/,/^$/p;/^all devices/q' | sed '/^device/d;/^all devices/d;/^$/d;s/ .*//' | tr '\n' ' ')"
	"$DMASCOPE" analyze "$SRCDIR/tests/fixtures/oracle-ctl_sg-stack.dat" -o stacks.db >/dev/null 2>err
	equal 'html: stacks are used' "$(sqlite3 stacks.db "SELECT decoded FROM tracepoint WHERE name = 'kernel_stack'")" 1
fi
one=$(devices | head -1)
equal 'report: one device' "$(devices --device "$one")" "$one"
equal 'report: there are others' "$(($(devices | wc -l) > 1))" 1
report zoo.db --html top.html --top 1
equal 'html: a list of one' "$(data_of top.html | grep -o '"devices":{.*"rows":\[\[[^]]*\]\],"total"' | wc -l)" 1
report run.db --device no-such-device
equal 'report: no such device' $? 3
report run.db --driver no-such-driver --html none.html
equal 'report: no such driver' $? 3
if [ -e none.html ]; then not_ok 'html: nothing on error' 'a file is there'; else ok 'html: nothing on error'; fi
report run.db --since 9 --until 8
equal 'report: a span that ends before it begins' $? 2

if ! command -v sqlite3 >/dev/null; then
	echo 'skip - html: hostile names: sqlite3 is not installed'
	exit $failed
fi

# ---- names that want to be more than text
cp run.db hostile.db
sqlite3 hostile.db "
	UPDATE device SET name = '</script><script>window.hacked=1</script>', driver = '<img src=x onerror=hacked=1>'
		WHERE id = (SELECT device_id FROM finding LIMIT 1);
	UPDATE symbol SET name = '\"><b onclick=alert(1)>''&amp;' WHERE id = (SELECT min(id) FROM symbol);
	UPDATE task SET comm = CAST(x'3c212d2d1b5b33316dff' AS TEXT);
	UPDATE input_file SET path = '/tmp/' || char(0x202e, 0x2028, 10, 7) || '<svg onload=hacked=1>.dat';
	UPDATE finding SET message = '</SCRIPT ><!--<script>' || char(0x2029) || CAST(x'c328' AS TEXT), fingerprint = '{{x}}',
		facts = json_set(facts, '\$.\"<i>\"', '</script>');
	UPDATE not_judged SET reason = '<style>*{display:none}</style>' WHERE id = 1;
	UPDATE run SET value = '<iframe>' WHERE key = 'kernel';" ||
	not_ok 'html: hostile database' 'sqlite3 failed'
report hostile.db --html hostile.html || not_ok 'html: hostile names' "$(head -1 err)"
data_of hostile.html >data
equal 'html: data is one line' "$(wc -l <data)" 1
if grep -q '[<>&]' data; then not_ok 'html: no markup in the data' "$(grep -o '.\{20\}[<>&].\{20\}' data | head -1)"
else ok 'html: no markup in the data'; fi
if LC_ALL=C grep -q '[^ -~]' data; then not_ok 'html: data is ASCII' 'it is not'; else ok 'html: data is ASCII'; fi
equal 'html: as many script elements as ever' "$(grep -ic '<script' hostile.html)" "$(grep -ic '<script' page.html)"
if sed -n '/<noscript>/,/<\/noscript>/p' hostile.html | grep -qE '<(img|script|iframe|svg|style)'; then
	not_ok 'html: summary is text' 'markup in it'; else ok 'html: summary is text'; fi
if command -v python3 >/dev/null; then
	if python3 -c 'import json, sys; json.load(sys.stdin)' <data; then ok 'html: data is JSON'; else
		not_ok 'html: data is JSON' 'it does not parse'; fi
fi

# ---- a run too large to show: many devices, long names, floods of findings
sqlite3 hostile.db "
	CREATE TEMP TABLE many AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT i FROM n;
	INSERT INTO device SELECT 1000 + i, printf('%.*c<%d', 300, '<', i), NULL, 'driver', 1, 'direct', NULL, NULL, 1, 2 FROM many;
	INSERT INTO device_counter SELECT 1000 + i, 'maps', i, 'calls' FROM many;
	INSERT INTO finding SELECT 100000 + a.i * 10 + b.i, 'rule-' || b.i, 'error', 'certain', NULL, 1000 + a.i, NULL, 5, 0, 0,
		NULL, 5, 5, printf('%.*c', 2000, '<'), '{\"a\":\"' || printf('%.*c', 2000, '&') || '\"}', 'f'
		FROM many AS a JOIN many AS b ON b.i < 10;
	INSERT INTO series SELECT 1000 + a.i, m.value, b.i * 16384, 16384, 9000000000000000 + b.i, 'bytes'
		FROM many AS a JOIN many AS b ON b.i <= 700
		JOIN json_each('[\"live\",\"live_bytes\",\"maps\",\"unmaps\",\"bytes_to_device\"]') AS m WHERE a.i > 2940;"
report hostile.db --html flood.html --top 1000 || not_ok 'html: a flood' "$(head -1 err)"
size=$(wc -c <flood.html)
if [ "$size" -lt 2000000 ] && [ "$size" -gt 300000 ]; then ok "html: a flood fits ($size bytes)"; else
	not_ok 'html: a flood fits' "$size bytes"; fi

# ---- a real browser
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
missing=
[ -n "$chromium" ] || missing=chromium
command -v node >/dev/null || missing="${missing:+$missing, }node"
if [ -n "$missing" ]; then
	echo "skip - html in chromium: not installed: $missing"
	exit $failed
fi
# browse NAME PAGE TEXT...: the cases of the browser, with NAME before them
browse() {
	local name=$1
	shift
	CHROMIUM=$chromium timeout 120 node "$SRCDIR/tests/tools/html_check.mjs" check "$@" >cases 2>&1 || failed=1
	sed -E "s/^(ok|not ok) - html in chromium/\\1 - html in chromium, $name/" cases | grep -E '^(not )?ok - '
	[ -s cases ] || not_ok "html in chromium, $name" 'it said nothing'
}
browse 'a finding' page.html
browse 'hostile names' hostile.html '</script><script>window.hacked=1</script>' '<img src=x onerror=hacked=1>' \
	'</SCRIPT ><!--<script>' '<style>*{display:none}</style>' '<iframe>'
browse 'a flood' flood.html
report zoo.db --html window.html --since 74 --until 75
browse 'a part of the time' window.html 'of it, from 74.000000000 to 75.000000000'
exit $failed
