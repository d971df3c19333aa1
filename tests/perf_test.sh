#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# perf.data against perf itself: counts, fields, lists and stacks as `perf script` decodes them (or
# did where the file was recorded, if this perf is too old for it); and what the rules make of it.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${BUILD:?}" "${SRCDIR:?}"
shared=${SHARED:-$SRCDIR/../shared}/traces
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - perf: $1"; }
not_ok() {
	echo "not ok - perf: $1: $2"
	failed=1
}
skip() { echo "skip - perf: $1: $2"; }

command -v sqlite3 >/dev/null || {
	skip all "sqlite3 is not installed"
	exit 0
}
[ -d "$shared" ] || {
	skip all "the shared recordings are not here"
	exit 0
}
# under sanitizers all is ten times slower: every fourth file must do
step=1
if grep -q __asan_init "$DMASCOPE"; then step=4; fi

analyze() {
	rm -f "$work/run.db"
	"$DMASCOPE" analyze "$1" -o "$work/run.db" --events --quiet >/dev/null 2>"$work/err"
}
sql() { sqlite3 -separator ' ' "$work/run.db" "$1" 2>&1; }

# What perf says of the file, into $work/script; false if there is nothing to hear.
listen() {
	perf script -i "$1" >"$work/script" 2>/dev/null
	grep -q ': *\(dma\|swiotlb\|iommu\):' <(sed 's/^[^:]*\] */: /' "$work/script") && return 0
	[ -s "${1%.data}.script.txt" ] && cp "${1%.data}.script.txt" "$work/script"
}

# One line an event: cpu, microseconds, event, direction, then fields; lists as hex numbers.
cat >"$work/events.awk" <<'AWK'
function field(name,    at) {
	at = index($0, " " name "=")
	if (!at) return "-"
	at = substr($0, at + length(name) + 2)
	if (name == "dir" && at ~ /^[0-9]/) return dirs[substr(at, 1, 1)]
	sub(/ .*/, "", at)
	return at
}
function list(name, width,    at, n, bytes, i, j, one, all) {
	at = index($0, " " name "=ARRAY[")
	if (!at) return "-"
	at = substr($0, at + length(name) + 8)
	sub(/\].*/, "", at)
	n = split(at, bytes, ", ")
	for (i = 1; i <= n; i += width) {
		one = ""
		for (j = width - 1; j >= 0; j--) one = one bytes[i + j]
		sub(/^0+/, "", one)
		all = all (all == "" ? "" : ",") (one == "" ? "0" : one)
	}
	return all
}
BEGIN {
	dirs[0] = "BIDIRECTIONAL"; dirs[1] = "TO_DEVICE"; dirs[2] = "FROM_DEVICE"; dirs[3] = "NONE"
}
/ dma:dma_[a-z_]*: / {
	match($0, /\[[0-9]+\] +[0-9]+\.[0-9]+: /)
	split(substr($0, RSTART, RLENGTH), where, /[\[\].: ]+/)
	match($0, / dma:dma_[a-z_]*: /)
	name = substr($0, RSTART + 9, RLENGTH - 11)
	head = (where[2] + 0) " " where[3] where[4] " " name " " field("dir")
	if (name ~ /sg/)
		print head, list("phys_addrs", 8), list("dma_addrs", 8), list("lengths", 4)
	else
		print head, field("dma_addr"), field("size"), field("phys_addr")
}
AWK
event_sql="WITH lists AS (SELECT mapping_id,
		group_concat(iif(phys_addr IS NULL, NULL, printf('%llx', phys_addr))) AS phys,
		group_concat(iif(dma_addr IS NULL, NULL, printf('%llx', dma_addr))) AS dma,
		group_concat(iif(dma_addr IS NULL, NULL, printf('%llx', size_bytes))) AS sizes FROM (SELECT * FROM mapping_segment
		ORDER BY mapping_id, number) GROUP BY mapping_id)
	SELECT e.cpu, e.ts_ns / 1000, kind, e.direction,
		iif(kind = 'map_sg', coalesce(lists.phys, '-'), printf('%llx', e.dma_addr)),
		iif(kind = 'map_sg', coalesce(lists.dma, '-'), e.size_bytes),
		iif(kind = 'map_sg', coalesce(lists.sizes, '-'),
			iif(e.phys_addr IS NULL, '-', printf('%llx', e.phys_addr)))
	FROM event e LEFT JOIN lists ON lists.mapping_id = e.mapping_id"

# Both sides speak of the same calls: events of one kind have the kernel's newest names apart.
theirs() {
	awk -f "$work/events.awk" "$work/script" | sed -E \
		-e 's/ ((un)?map)_(page|phys) / \1 /' -e 's/ sync_single_for_/ sync_for_/' |
		grep -E ' ((un)?map|map_sg|sync_for_cpu|sync_for_device|alloc|free|alloc_pages|free_pages|(un)?map_resource) ' |
		sort
}
ours() {
	sql "$event_sql WHERE kind IN ('map', 'unmap', 'map_sg', 'sync_for_cpu', 'sync_for_device',
		'alloc', 'free', 'alloc_pages', 'free_pages', 'map_resource', 'unmap_resource')" |
		awk '{ if ($3 !~ /^map(_resource)?$/ && $3 != "map_sg") $7 = "-"; print }' |
		sort
}

# compare FILE NAME; a text beside the file is cut after 4000 lines
compare() {
	local count
	if [ "$(wc -l <"$work/script")" -lt 4000 ] || [ ! -f "${1%.data}.script.txt" ]; then
		diff <(sed -nE 's/.*[]] +[0-9]+\.[0-9]+: +[0-9]* *((dma|swiotlb|iommu):[a-z_]*): .*/\1/p' \
			"$work/script" | sort | uniq -c | sed 's/^ *//') \
			<(sql "SELECT sum(records), system || ':' || name FROM tracepoint WHERE records > 0
			AND system IN ('dma', 'swiotlb', 'iommu') GROUP BY 2 ORDER BY 2") >"$work/diff" ||
			not_ok "$2" "counts differ from perf script's: $(sed -n 2,3p "$work/diff" | tr '\n' ';')"
	fi
	theirs >"$work/theirs"
	ours >"$work/ours"
	count=$(grep -c . "$work/theirs")
	# a script that was cut must be part of ours
	if comm -23 "$work/theirs" "$work/ours" | grep -q .; then
		not_ok "$2" "perf script has what we have not: $(comm -23 "$work/theirs" "$work/ours" |
			sed -n 1p) | $(comm -13 "$work/theirs" "$work/ours" | sed -n 1p)"
	else
		ok "$2: $count events as perf script has them"
	fi
}

# Kernel frames of each sample, as one line of addresses each.
stacks() {
	local theirs ours
	theirs=$(awk '/^\t/ { if ($NF != "([unknown])" && $1 ~ /^ffff/) s = s " " $1; next }
		/^$/ { if (s != "") print s; s = "" }' "$work/script" | sed '$d' | sort | uniq -c |
		awk '{ $1 = ""; print }' | sort)
	ours=$(sql "SELECT group_concat(printf('%llx', address), ' ') FROM (SELECT * FROM frame
		ORDER BY stack_id, depth) GROUP BY stack_id" | sed 's/^/ /' | sort)
	[ -n "$theirs" ] && [ -z "$(comm -23 <(echo "$theirs") <(echo "$ours"))" ]
}

judged() { sql "SELECT DISTINCT rule FROM finding WHERE severity <> 'info' ORDER BY 1" | tr '\n' ' '; }

command -v perf >/dev/null || skip "perf script" "perf is not installed: recorded texts only"
n=0
for file in "$shared"/stock/*/*/perf*.data "$shared"/oracle/*/perf*.data; do
	n=$((n + 1))
	[ -f "$file" ] && [ $((n % step)) -eq 0 ] || continue
	name=${file#"$shared"/}
	if ! analyze "$file"; then
		grep -q 'it has no events at all' "$work/err" && ok "$name: has no events" ||
			not_ok "$name" "$(head -n 1 "$work/err")"
		continue
	fi
	if listen "$file"; then
		compare "$file" "$name"
	else
		skip "$name" "this perf cannot read it, and no text is beside it"
	fi
	case $file in
	*perf-g.data)
		stacks && ok "$name: stacks" || not_ok "$name" "stacks differ from perf script's"
		;;
	esac
	[ -z "$(sql 'SELECT 1 FROM tracepoint WHERE malformed > 0')" ] ||
		not_ok "$name" "malformed records"
	case $file in
	*/stock/* | */ctl_*)
		[ -z "$(judged)" ] && ok "$name: nothing found in a healthy driver" ||
			not_ok "$name" "false alarm: $(judged)"
		;;
	esac
done

# What dma-debug said of the same call: the rule that must be found, CASE RULE.
while read -r case rule; do
	file=$shared/oracle/$case/perf.data
	[ -f "$file" ] || continue
	if ! grep -q 'DMA-API: ' "${file%/*}/dmesg-perf.txt"; then
		not_ok "$case" "dma-debug was silent: the test is wrong"
	elif ! analyze "$file"; then
		not_ok "$case" "$(head -n 1 "$work/err")"
	elif [ "$(judged)" = "$rule " ]; then
		ok "$case: $rule, as dma-debug says"
	else
		not_ok "$case" "expected $rule, found: $(judged)"
	fi
done <<'EOF'
coherent_cpuaddr free-cpu-address-mismatch
double_unmap double-unmap
fn_sg_as_single unmap-wrong-function
overlap_same overlapping-cacheline
sync_outside sync-outside-range
unmap_dir unmap-direction-mismatch
unmap_size_small unmap-size-mismatch
EOF

# Without its tracing data: spellings we ship, or a folder's, give the same run.
file=$shared/oracle/ctl_stress_s3/perf.data
if [ -f "$file" ] && analyze "$file"; then
	ours >"$work/whole"
	# TRACING_DATA is bit 1 of the bitmap at 72; its row in the table is the first one. With bit
	# 200 in its place, which nobody has, the others keep their rows.
	cp "$file" "$work/stripped.data"
	at=$(od -An -tu8 -j40 -N16 "$file" | awk '{ print $1 + $2 }')
	printf '\0\0\0\0\0\0\0\377' | dd of="$work/stripped.data" bs=1 seek="$at" conv=notrunc 2>/dev/null
	chmod u+w "$work/stripped.data"
	printf '\0\0\0\0\0\0\0\377' | dd of="$work/stripped.data" bs=1 seek="$at" conv=notrunc 2>/dev/null
	if analyze "$work/stripped.data" && ours | cmp -s - "$work/whole"; then
		ok "without tracing data: the same events by formats we ship"
	else
		not_ok "without tracing data" "other events by formats we ship: $(head -n 1 "$work/err")"
	fi
	rm -f "$work/run.db"
	if "$DMASCOPE" analyze "$work/stripped.data" --formats "$shared/stock/6.12/formats" \
		-o "$work/run.db" --events --quiet >/dev/null 2>"$work/err" &&
		ours | cmp -s - "$work/whole"; then
		ok "without tracing data: the same events by --formats"
	else
		not_ok "without tracing data" "--formats: $(head -n 1 "$work/err")"
	fi
fi

# A clock that stood still is no loss: nowhere, and a larger buffer would not help.
file=$shared/stock/7.2/swiotlb-short/perf-plain.data
if [ -f "$file" ] && analyze "$file"; then
	"$DMASCOPE" report "$work/run.db" >"$work/text" 2>&1
	"$DMASCOPE" report "$work/run.db" --html "$work/page.html" --json "$work/page.json" 2>&1
	"$DMASCOPE" doctor "$file" >"$work/doctor" 2>&1
	# told NAME FILE TEXT...: they stand there
	told() {
		local name=$1 file=$work/$2
		shift 2
		for text in "$@"; do
			grep -qF -- "$text" "$file" || { not_ok "$name" "no '$text'"; return; }
		done
		ok "$name"
	}
	told 'a still clock, text' text 'clock     perf (stood still in 3 places: the order of events is not known there)' \
		'losses    none'
	told 'a still clock, page' page.html '["clock_gaps","3"]'
	told 'a still clock, JSON' page.json '"clock_gaps":3,' '"lost_events":0,'
	told 'a still clock, doctor' "doctor" 'no event was lost' 'stood still in 3 places' '-k mono'
	if grep -q 'events may be missing\|larger buffer' "$work/text" "$work/doctor"; then
		not_ok 'a still clock is no loss' "$(grep -h 'may be missing\|larger buffer' "$work/text" "$work/doctor" | head -1)"
	else
		ok 'a still clock is no loss'
	fi
	if [ "$(sql 'SELECT count(*) FROM gap')" = 3 ]; then ok 'a still clock: gaps'; else not_ok 'a still clock: gaps' "$(sql 'SELECT count(*) FROM gap')"; fi
fi
exit $failed
