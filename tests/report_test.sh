#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What report tells: columns, order, lists cut short, exit codes, a part of the time, what mapping costs.
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}"
DMASCOPE=$(realpath "$DMASCOPE")
SRCDIR=$(realpath "$SRCDIR")
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
# has NAME TEXT FILE
has() {
	if grep -qF -- "$2" "$3"; then ok "$1"; else not_ok "$1" "no '$2' in $(head -c 200 "$3" | tr '\n' '|')"; fi
}
report() { "$DMASCOPE" report "$@" 2>err; }
analyze() { "$DMASCOPE" analyze "$SRCDIR/tests/fixtures/$1.dat" -o "$2" >/dev/null 2>err || not_ok "report: analyze $1" "$(head -1 err)"; }
# The summary, without what mapping costs below it.
summary() { report "$@" | sed '/^\(rates\|latencies\|scatter lists\|bounces through swiotlb\|reuse\)$/,$d'; }
# The table of devices without its titles and sum.
devices() { summary "$@" | sed -n '/^device/,/^$/p' | sed '/^device/d;/^all devices/d;/^$/d'; }

analyze stock-6.12-zoo zoo.db
analyze oracle-unmap_size_small bad.db
analyze stock-7.2-swiotlb-bind bounce.db
analyze oracle-ctl_sg.iommu iommu.db

# ---- columns
report --columns help >columns
has 'report: --columns help' 'lifetime_p999_ns' columns
report zoo.db --columns no_such_column
equal 'report: no such column' $? 2
has 'report: no such column, and which there are' 'lifetime_p50_ns' err
report zoo.db --columns maps,maps
equal 'report: a column twice' $? 2
report zoo.db --columns maps,
equal 'report: an empty column' $? 2
equal 'report: columns asked for' "$(summary zoo.db --columns maps,size_p99,handovers | grep '^device' | tr -s ' ')" \
	'device maps size p99 hand-overs'
report zoo.db --columns device,maps --sort maps --csv csv
equal 'report: columns in CSV' "$(head -1 csv/device_table.csv | tr -d '\r')" device,maps
report zoo.db --csv csv
equal 'report: all columns in CSV' "$(head -1 csv/device_table.csv | tr -d '\r' | tr ',' '\n')" \
	"$(cut -d' ' -f1 columns)"
report zoo.db --json all.json
if command -v jq >/dev/null; then
	equal 'report: all columns in JSON' "$(jq -r '.devices[0].figures | keys_unsorted | sort[]' all.json)" \
		"$(cut -d' ' -f1 columns | sort)"
	report zoo.db --columns device,maps --sort maps:asc --json some.json
	equal 'report: columns in JSON' "$(jq -r '[.devices[].figures | keys[]] | unique | join(",")' some.json)" device,maps
	equal 'report: sorted JSON' "$(jq -c '[.devices[].figures.maps] | . == sort' some.json)" true
else
	echo 'skip - report: columns in JSON: jq is not installed'
fi

# ---- unmaps that may have been skipped: a page map from 70 buffers, the first two of them unmapped
awk 'BEGIN {
	print "# tracer: nop"
	for (i = 0; i < 72; i++)
		printf "  drv-7 [000] ..... %d.%06d: %s\n", 100 + int(i / 10), i % 10 * 1000, i < 70 ? \
			sprintf("dma_map_phys: 0000:00:07.0 dir=TO_DEVICE dma_addr=%x000 size=512 phys_addr=%x000 attrs=", i + 4096, i + 4096) : \
			sprintf("dma_unmap_phys: 0000:00:07.0 dir=TO_DEVICE dma_addr=%x000 size=512 attrs=", i + 4096 - 70)
}' >elided.txt
"$DMASCOPE" analyze elided.txt -o elided.db >elided.out 2>err || not_ok 'report: analyze elided.txt' "$(head -1 err)"
report elided.db >again.out
for told in elided again; do
	equal "report: unmaps that may have been skipped, $told" \
		"$(awk '/^device /,/^$/ { gsub(/  +/, "|"); print }' $told.out | cut -d'|' -f1,5,7 | head -2 | tr '\n' ' ')" \
		'device|live at end|maybe elided 0000:00:07.0|68|68 '
done
has 'report: and why' '68 mappings were never unmapped: without an IOMMU' elided.out
equal 'report: no such column where there are none' "$(summary iommu.db | grep -c 'maybe elided')" 0
# when the maps of two seconds had been made, none of them unmapped: of the first two it is known
report elided.db --until 101.999 --csv csv --columns live_at_end,maybe_elided
equal 'report: a part of the time, those skipped' "$(tail -n +2 csv/device_table.csv | tr -d '\r')" 20,18
report elided.db --html elided.html
equal 'report: those skipped in HTML' "$(grep -o '"devices":{"columns":\[[^]]*' elided.html | grep -c maybe_elided)" 1

# ---- order
for column in maps lifetime_p99_ns peak_live_bytes handovers; do
	report zoo.db --columns "device,$column" --sort "$column" --csv csv
	tail -n +2 csv/device_table.csv | tr -d '\r' | cut -d, -f2 | grep -v '^$' >order
	equal "report: largest $column first" "$(cat order)" "$(sort -rn order)"
	report zoo.db --columns "device,$column" --sort "$column:asc" --csv csv
	tail -n +2 csv/device_table.csv | tr -d '\r' | cut -d, -f2 | grep -v '^$' >order
	equal "report: smallest $column first" "$(cat order)" "$(sort -n order)"
done
equal 'report: names from a' "$(devices zoo.db --columns device,maps --sort device | cut -d' ' -f1)" \
	"$(devices zoo.db --columns device,maps | cut -d' ' -f1 | sort)"
equal 'report: a key cut short' "$(report zoo.db --sort live_b:asc | head -60)" "$(report zoo.db --sort live_bytes_at_end:asc | head -60)"
report zoo.db --sort maps:upwards
equal 'report: no such order' $? 2
report zoo.db --sort life
equal 'report: an ambiguous key' $? 2
report zoo.db --sort maps:asc --html sorted.html
first=$(devices zoo.db --sort maps:asc | head -1 | cut -d' ' -f1)
equal 'report: sorted HTML' "$(grep -o '"devices":{.*' sorted.html | grep -o '"rows":\[\[[0-9]*,"[^"]*"' | head -1 | cut -d'"' -f4)" "$first"

# ---- lists cut short
report zoo.db >all
report zoo.db --top 1 >top
equal 'report: --top keeps the sums of all' "$(grep '^all devices' top | tr -s ' ')" "$(grep '^all devices' all | tr -s ' ')"
has 'report: --top says what it hides' 'more devices, left out by --top 1' top
notes() { sed -n '/^not judged/,/^$/p' "$1"; }
equal 'report: --top cuts nothing of what was not judged' "$(notes top)" "$(notes all)"
equal 'report: the busiest devices first' "$(devices zoo.db --columns maps,unmaps | tr -d , | awk '{ print $2 + $3 }')" \
	"$(devices zoo.db --columns maps,unmaps | tr -d , | awk '{ print $2 + $3 }' | sort -rn)"
report zoo.db --device 0000:00:05.9
equal 'report: an unknown device' $? 3
has 'report: an unknown device, a near one' "did you mean '0000:00:" err
report iommu.db --driver no_such_driver
equal 'report: an unknown driver' $? 3
report zoo.db --columns maps,unmasp
has 'report: a near column' "did you mean 'unmaps'?" err
report zoo.db --sort livetime_p99
has 'report: --sort, a near column' "did you mean" err

# ---- exit codes
report bad.db --fail-on error >/dev/null
equal 'report: --fail-on, an error' $? 1
report bad.db --fail-on error:certain >/dev/null
equal 'report: --fail-on, a certain error' $? 1
report bad.db >/dev/null
equal 'report: no --fail-on' $? 0
report zoo.db --fail-on warning >/dev/null
equal 'report: --fail-on, no such finding' $? 0
report zoo.db --fail-on fatal >/dev/null
equal 'report: --fail-on, no such severity' $? 2
report bad.db --fail-on info --until start >/dev/null
equal 'report: --fail-on, what is told' $? 0
report bad.db --fail-on info --since 100000 >out
equal 'report: --fail-on, nothing is no clean bill' "$? $(cat out)" '3 '
report bad.db --fail-on error --html bad.html
equal 'report: --fail-on beside a page' $? 1
report
equal 'report: no database' $? 2

# ---- what mapping costs
report bounce.db >costs
has 'report: rates' 'maps' <(sed -n '/^rates$/,$p' costs)
has 'report: bounces' 'above mask' costs
report iommu.db >costs
has 'report: latencies of the IOMMU' 'IOMMU entries made' costs
COLUMNS=80 report iommu.db >narrow
equal 'report: each part of a split table names device and time' \
	"$(sed -n '/^latencies$/,/^bounces\|^scatter\|^reuse/p' narrow | grep '^device ' | awk '{ print $1, $2 }' | sort -u)" 'device from'
equal 'report: no line is too long' "$(awk 'length($0) > 80' narrow | grep -v '^input' | head -3)" ''

if ! command -v sqlite3 >/dev/null; then
	echo 'skip - report: a part of the time: sqlite3 is not installed'
	exit $failed
fi
ask() { sqlite3 "$@"; }

# ---- notes: the same of several devices in one line, with or without a rule
cp zoo.db notes.db
ask notes.db "DELETE FROM not_judged;
	INSERT INTO not_judged SELECT 2 * id, NULL, id, 'something is missing' FROM device WHERE id < 4;
	INSERT INTO not_judged SELECT 2 * id + 1, 'double-unmap', id, 'something is missing' FROM device WHERE id < 3;
	INSERT INTO not_judged VALUES (20, NULL, NULL, 'something is missing'), (21, NULL, NULL, 'something is missing')"
COLUMNS=200 report notes.db | sed -n '/^not judged/,/^$/p' | grep '^-' >got
names=$(ask notes.db "SELECT group_concat(name, ', ') FROM (SELECT name FROM device WHERE id < 4 ORDER BY id)")
some=$(ask notes.db "SELECT group_concat(name, ', ') FROM (SELECT name FROM device WHERE id < 3 ORDER BY id)")
equal 'report: notes of several devices' "$(cat got)" "- $names: something is missing
- double-unmap, $some: something is missing
- something is missing
- something is missing"
lost=$SRCDIR/../shared/traces/stock/6.12/iommu-tc/lost.dat
if [ -f "$lost" ]; then
	"$DMASCOPE" analyze "$lost" 2>&1 | tr -s '\n ' '  ' >out
	equal 'report: losses are not blamed on a filter' "$(grep -o 'as [a-z ,]* leaves\{0,1\} them: what' out)" 'as lost events leave them: what'
	has 'report: one is one' ': 1 mapping ended without a recorded unmap: its address was' out
	has 'report: which key of the inventory' 'or give --inventory (dma_mask_bits=)' out
fi

# ---- losses and databases that are not ours to judge
cp zoo.db lossy.db
ask lossy.db "UPDATE run SET value = '3' WHERE key IN ('gaps', 'lost_events')"
report lossy.db --fail-on error >/dev/null
equal 'report: --fail-on, a few lost' $? 0
has 'report: --fail-on, a few lost, says so' 'gaps' err
ask lossy.db "UPDATE run SET value = '99999999' WHERE key = 'lost_events'"
report lossy.db --fail-on error >/dev/null
equal 'report: --fail-on, most lost' $? 3
ask lossy.db "UPDATE run SET value = '0' WHERE key = 'complete'"
report lossy.db --fail-on error >/dev/null
equal 'report: --fail-on, not complete' $? 3
cp zoo.db old.db
ask old.db 'PRAGMA user_version = 1'
report old.db --html old.html
equal 'report: an older database' $? 3
has 'report: an older database, in words' 'schema 1' err

# ---- a part of the time: the same as sums over the mappings
middle=$(ask zoo.db "SELECT (min(map_ns) + max(map_ns)) / 2 FROM mapping")
last=$(ask zoo.db "SELECT max(map_ns) FROM mapping")
report zoo.db --since "${middle}ns" --until "${last}ns" --csv part --columns \
	device,maps,unmaps,bytes_to_device,bytes_from_device,lifetime_max_ns,live_at_end --sort device
ask -csv zoo.db "
	WITH m AS (SELECT d.name, m.*, m.map_ns BETWEEN $middle AND $last AS begun, m.unmap_ns BETWEEN $middle AND $last AS ended
		FROM device AS d LEFT JOIN mapping AS m ON m.device_id = d.id)
	SELECT name, ifnull(sum(begun), 0), ifnull(sum(ended), 0),
		ifnull(sum(size_bytes) FILTER (WHERE begun AND direction = 'TO_DEVICE' AND kind IN ('page', 'sg', 'resource')), 0),
		ifnull(sum(size_bytes) FILTER (WHERE begun AND direction = 'FROM_DEVICE' AND kind IN ('page', 'sg', 'resource')), 0),
		max(unmap_ns - map_ns) FILTER (WHERE ended AND end = 'unmapped' AND kind IN ('page', 'sg', 'resource')),
		ifnull(sum(end <> 'unmatched' AND ifnull(map_ns, 0) <= $last AND coalesce(unmap_ns, ended_ns, $last + 1) > $last), 0)
	FROM m GROUP BY name ORDER BY name" | tr -d '\r' >want
tail -n +2 part/device_table.csv | tr -d '\r"' >got
equal 'report: a part of the time is counted anew' "$(cat got)" "$(cat want)"
# live tells a list segment by segment, so only devices without lists are compared; lives older than the trace are among them
pre=$(ask zoo.db "SELECT (min(unmap_ns) + max(unmap_ns)) / 2 FROM mapping WHERE end = 'pre-trace'")
report zoo.db --until "${pre}ns" --csv part --columns device,live_at_end --sort device
lists=$(ask zoo.db "SELECT group_concat(DISTINCT d.name) FROM device AS d JOIN mapping AS m ON m.device_id = d.id WHERE m.kind = 'sg'")
tail -n +2 part/device_table.csv | tr -d '\r"' | grep -v ',0$' | tr , ' ' | grep -vF -- "${lists//,/$'\n'}" >got
"$DMASCOPE" live zoo.db --at "${pre}ns" | cut -d' ' -f2 | sort | uniq -c | awk '{ print $2, $1 }' | grep -vF -- "${lists//,/$'\n'}" >want
equal 'report: what is live is what live --at tells' "$(cat got)" "$(cat want)"
report zoo.db --since "${middle}ns" --csv part --columns device,peak_live_bytes_ns
equal 'report: no peak before the time asked for' \
	"$(tail -n +2 part/device_table.csv | tr -d '\r' | awk -F, -v from="$middle" '$2 != "" && $2 < from')" ''
report zoo.db --since "${middle}ns" >part.txt
from="${middle::-9}.${middle: -9}"
has 'report: a part of the time is named' "of it, from $from to " part.txt
equal 'report: the whole is no part' "$(report zoo.db --since start | grep -c '^told')" 0
has 'report: a part of the time, and what is not known of it' 'only a part of the time is told' part.txt
report zoo.db --since start --until end --columns device,maps,unmaps,lifetime_p50_ns,lifetime_p99_ns,size_p50_bytes,size_max_bytes,handovers --csv all.csv
report zoo.db --columns device,maps,unmaps,lifetime_p50_ns,lifetime_p99_ns,size_p50_bytes,size_max_bytes,handovers --csv whole.csv
equal 'report: all of the time is the whole' "$(cat all.csv/device_table.csv)" "$(cat whole.csv/device_table.csv)"
for format in html json openmetrics trace-json; do
	report zoo.db --since "${middle}ns" --$format part.$format || not_ok "report: a part of the time, $format" "$(head -1 err)"
done
exit $failed
