#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The figures of a run against sums made another way: by SQL over the tables of mappings and
# events, and by awk over what trace-cmd prints of the recording.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${BUILD:?}" "${SRCDIR:?}"
tracegen=$BUILD/tools/tracegen
fixtures=$SRCDIR/tests/fixtures
shared=$SRCDIR/../shared/traces
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - figures: $1"; }
not_ok() {
	echo "not ok - figures: $1: $2"
	failed=1
}

if ! command -v sqlite3 >/dev/null; then
	echo "skip - figures: sqlite3 is not installed"
	exit 0
fi

sql() { sqlite3 -separator ' ' "$work/run.db" "$1" 2>&1; }

# analyze FILE [OPTION]...
analyze() { "$DMASCOPE" analyze "$@" -o "$work/run.db" --events --quiet >/dev/null 2>"$work/err"; }

# Both ways of each figure in one table: what, device, key, and its value as told and as summed up.
# A figure that one side lacks is 0 there.
cat >"$work/sums.sql" <<'END'
-- Only what was counted: with --since not from the beginning.
CREATE TEMP VIEW begun AS SELECT * FROM mapping WHERE map_ns >= (SELECT from_ns FROM counting);
CREATE TEMP VIEW ended AS SELECT * FROM mapping WHERE unmap_ns >= (SELECT from_ns FROM counting);
CREATE TEMP VIEW matched AS SELECT * FROM ended WHERE end = 'unmapped' AND map_ns IS NOT NULL;
CREATE TEMP VIEW called AS SELECT * FROM event WHERE ts_ns >= (SELECT from_ns FROM counting);
CREATE TEMP TABLE summed AS
	SELECT 'kind maps' AS what, device_id, kind AS key, count(*) AS value FROM begun GROUP BY 2, 3
	UNION ALL SELECT 'kind bytes', device_id, kind, sum(size_bytes) FROM begun GROUP BY 2, 3
	UNION ALL SELECT 'kind unmaps', device_id, kind, count(*) FROM ended GROUP BY 2, 3
	UNION ALL SELECT 'direction maps', device_id, direction, count(*) FROM begun GROUP BY 2, 3
	UNION ALL SELECT 'direction bytes', device_id, direction, sum(size_bytes) FROM begun GROUP BY 2, 3
	UNION ALL SELECT 'direction unmaps', device_id, direction, count(*) FROM ended GROUP BY 2, 3
	UNION ALL SELECT 'cpu maps', device_id, map_cpu, count(*) FROM begun GROUP BY 2, 3
	UNION ALL SELECT 'cpu bytes', device_id, map_cpu, sum(size_bytes) FROM begun GROUP BY 2, 3
	UNION ALL SELECT 'cpu unmaps', device_id, unmap_cpu, count(*) FROM ended GROUP BY 2, 3
	UNION ALL SELECT 'cpu syncs', device_id, cpu, count(*) FROM called WHERE kind LIKE 'sync%'
		GROUP BY 2, 3
	UNION ALL SELECT 'cpu failed', device_id, cpu, count(*) FROM called WHERE failed GROUP BY 2, 3
	UNION ALL SELECT 'pair', device_id, map_cpu || '>' || unmap_cpu, count(*) FROM matched
		WHERE map_cpu <> unmap_cpu GROUP BY 2, 3
	UNION ALL SELECT 'pair bytes', device_id, map_cpu || '>' || unmap_cpu, sum(size_bytes)
		FROM matched WHERE map_cpu <> unmap_cpu GROUP BY 2, 3
	UNION ALL SELECT 'counter', device_id, 'handovers', sum(map_cpu <> unmap_cpu) FROM matched
		GROUP BY 2
	UNION ALL SELECT 'counter', device_id, 'unmaps_matched', count(*) FROM matched GROUP BY 2
	UNION ALL SELECT 'counter', device_id, 'bounced_maps', sum(bounced) FROM begun GROUP BY 2
	UNION ALL SELECT 'counter', device_id, 'bounces', count(*) FROM called
		WHERE kind = 'swiotlb_bounced' GROUP BY 2
	UNION ALL SELECT 'counter', device_id, 'bounced_bytes', sum(size_bytes) FROM called
		WHERE kind = 'swiotlb_bounced' GROUP BY 2
	UNION ALL SELECT 'counter', device_id, 'bounced_largest_bytes', max(size_bytes) FROM called
		WHERE kind = 'swiotlb_bounced' GROUP BY 2
	UNION ALL SELECT 'reasons', device_id, '', sum(bounced) FROM begun GROUP BY 2
	UNION ALL SELECT 'counter', device_id, 'remaps', sum(remaps) FROM call_site
		WHERE (SELECT from_ns FROM counting) =
			(SELECT CAST(value AS INTEGER) FROM run WHERE key = 'first_ns') GROUP BY 2
	UNION ALL SELECT 'counter', device_id, 'sg_entries', sum(entries) FROM begun
		WHERE kind = 'sg' GROUP BY 2
	UNION ALL SELECT 'counter', device_id, 'sg_segments', sum(segments) FROM begun
		WHERE kind = 'sg' GROUP BY 2
	UNION ALL SELECT 'counter', device_id, 'iova_low', min(dma_addr) FROM (
		SELECT device_id, dma_addr FROM begun WHERE size_bytes > 0
		UNION ALL SELECT m.device_id, s.dma_addr FROM begun AS m JOIN mapping_segment AS s
			ON s.mapping_id = m.id WHERE s.size_bytes > 0) GROUP BY 2
	UNION ALL SELECT 'counter', device_id, 'iova_high', max(last) FROM (
		SELECT device_id, dma_addr + size_bytes - 1 AS last FROM begun
			WHERE size_bytes > 0 AND kind <> 'sg'
		UNION ALL SELECT m.device_id, s.dma_addr + s.size_bytes - 1 FROM begun AS m
			JOIN mapping_segment AS s ON s.mapping_id = m.id WHERE s.size_bytes > 0) GROUP BY 2;
CREATE TEMP VIEW site_key AS SELECT *, coalesce(stack_id, '-') || ' ' || kind || ' ' || direction AS key
	FROM call_site;
CREATE TEMP VIEW begun_key AS SELECT *, coalesce(map_stack_id, '-') || ' ' || kind || ' ' || direction
	AS key FROM mapping WHERE map_ns IS NOT NULL;
INSERT INTO summed SELECT 'site maps', device_id, key, count(*) FROM begun_key GROUP BY 2, 3
	UNION ALL SELECT 'site unmapped', device_id, key, sum(end = 'unmapped') FROM begun_key GROUP BY 2, 3
	UNION ALL SELECT 'site live', device_id, key, sum(end = 'live') FROM begun_key GROUP BY 2, 3
	UNION ALL SELECT 'site bytes', device_id, key, sum(size_bytes) FROM begun_key GROUP BY 2, 3
	UNION ALL SELECT 'site min', device_id, key, min(size_bytes) FROM begun_key GROUP BY 2, 3
	UNION ALL SELECT 'site max', device_id, key, max(size_bytes) FROM begun_key GROUP BY 2, 3
	UNION ALL SELECT 'site longest', device_id, key, max(unmap_ns - map_ns, 0) FROM (SELECT *
		FROM begun_key WHERE end = 'unmapped' ORDER BY unmap_ns - map_ns DESC) GROUP BY 2, 3
	UNION ALL SELECT 'site syncs', device_id, key, sum(syncs_for_cpu + 1000 * syncs_for_device)
		FROM begun_key GROUP BY 2, 3
	UNION ALL SELECT 'site bounced', device_id, key, sum(bounced) FROM begun_key GROUP BY 2, 3
	UNION ALL SELECT 'site first', device_id, key, min(map_ns) FROM begun_key GROUP BY 2, 3
	UNION ALL SELECT 'site last', device_id, key, max(map_ns) FROM begun_key GROUP BY 2, 3;
CREATE TEMP TABLE told AS
	SELECT dimension || ' maps' AS what, device_id, key, maps AS value FROM breakdown
		WHERE dimension <> 'cpu_pair'
	UNION ALL SELECT dimension || ' bytes', device_id, key, bytes FROM breakdown
		WHERE dimension <> 'cpu_pair'
	UNION ALL SELECT dimension || ' unmaps', device_id, key, unmaps FROM breakdown
		WHERE dimension <> 'cpu_pair'
	UNION ALL SELECT 'cpu syncs', device_id, key, syncs FROM breakdown WHERE dimension = 'cpu'
	UNION ALL SELECT 'cpu failed', device_id, key, failed FROM breakdown WHERE dimension = 'cpu'
	UNION ALL SELECT 'pair', device_id, map_cpu || '>' || unmap_cpu, mappings FROM handovers
	UNION ALL SELECT 'pair bytes', device_id, map_cpu || '>' || unmap_cpu, bytes FROM handovers
	UNION ALL SELECT 'counter', device_id, name, value FROM device_counter
		WHERE name IN (SELECT key FROM summed WHERE what = 'counter')
	UNION ALL SELECT 'reasons', device_id, '', forced + mask + other FROM bounces
	UNION ALL SELECT 'site maps', device_id, key, maps FROM site_key
	UNION ALL SELECT 'site unmapped', device_id, key, unmapped FROM site_key
	UNION ALL SELECT 'site live', device_id, key, live FROM site_key
	UNION ALL SELECT 'site bytes', device_id, key, size_bytes FROM site_key
	UNION ALL SELECT 'site min', device_id, key, min_size_bytes FROM site_key
	UNION ALL SELECT 'site max', device_id, key, max_size_bytes FROM site_key
	UNION ALL SELECT 'site longest', device_id, key, lifetime_max_ns FROM site_key
	UNION ALL SELECT 'site syncs', device_id, key, syncs_for_cpu + 1000 * syncs_for_device FROM site_key
	UNION ALL SELECT 'site bounced', device_id, key, bounced FROM site_key
	UNION ALL SELECT 'site first', device_id, key, first_ns FROM site_key
	UNION ALL SELECT 'site last', device_id, key, last_ns FROM site_key;
CREATE TEMP TABLE both AS SELECT what, device_id, key, sum(told) AS told, sum(summed) AS summed FROM (
	SELECT what, device_id, CAST(key AS TEXT) AS key, coalesce(value, 0) AS told, 0 AS summed FROM told
	UNION ALL SELECT what, device_id, CAST(key AS TEXT), 0, coalesce(value, 0) FROM summed)
	GROUP BY 1, 2, 3;
-- every value that a distribution is made of, and what it is made of them
CREATE TEMP TABLE value AS
	SELECT 'lifetime' AS measure, device_id, max(unmap_ns - map_ns, 0) AS value FROM matched
		WHERE kind IN ('page', 'resource', 'sg')
	UNION ALL SELECT 'size', device_id, coalesce(size_bytes, 0) FROM begun
	UNION ALL SELECT 'entries', device_id, entries FROM begun WHERE kind = 'sg'
	UNION ALL SELECT 'segments', device_id, segments FROM begun WHERE kind = 'sg'
	UNION ALL SELECT measure, device_id, value FROM (
		SELECT device_id, ts_ns - before_ns AS value, CASE
			WHEN before = 'swiotlb_bounced' AND kind IN ('map', 'map_resource') AND
				before_phys = phys_addr THEN 'bounce_to_map'
			WHEN before = 'swiotlb_bounced' AND kind = 'map_sg' THEN 'bounce_to_map'
			WHEN before = 'iommu_map' AND kind IN ('map', 'map_resource') AND
				dma_addr BETWEEN before_dma AND before_dma + before_size - 1
				THEN 'iommu_map_to_map'
			WHEN before = 'iommu_map' AND kind = 'map_sg' THEN 'iommu_map_to_map'
			WHEN before = 'iommu_unmap' AND kind IN ('unmap', 'unmap_resource') AND
				dma_addr BETWEEN before_dma AND before_dma + before_size - 1
				THEN 'iommu_unmap_to_unmap' END AS measure
		FROM (SELECT device_id, kind, ts_ns, pid, dma_addr, phys_addr, failed,
				lag(kind) OVER w AS before, lag(ts_ns) OVER w AS before_ns,
				lag(pid) OVER w AS before_pid, lag(dma_addr) OVER w AS before_dma,
				lag(phys_addr) OVER w AS before_phys, lag(size_bytes) OVER w AS before_size
			FROM event WHERE kind NOT IN ('marker', 'console')
			WINDOW w AS (PARTITION BY cpu ORDER BY id))
		WHERE before_pid = pid AND NOT failed AND ts_ns >= (SELECT from_ns FROM counting))
		WHERE measure IS NOT NULL
	UNION ALL SELECT 'unmap_sg_to_iommu_unmap', before_device, ts_ns - before_ns FROM (
		SELECT kind, ts_ns, pid, lag(kind) OVER w AS before, lag(ts_ns) OVER w AS before_ns,
			lag(pid) OVER w AS before_pid, lag(device_id) OVER w AS before_device
		FROM event WHERE kind NOT IN ('marker', 'console')
		WINDOW w AS (PARTITION BY cpu ORDER BY id))
		WHERE kind = 'iommu_unmap' AND before = 'unmap_sg' AND before_pid = pid
			AND ts_ns >= (SELECT from_ns FROM counting);
CREATE TEMP TABLE ranked AS SELECT measure, device_id, value,
	row_number() OVER (PARTITION BY measure, device_id ORDER BY value) AS rank,
	count(*) OVER (PARTITION BY measure, device_id) AS count FROM value;
CREATE TEMP TABLE exact AS SELECT measure, device_id, count(*) AS count, sum(value) AS sum,
	min(value) AS min, max(value) AS max,
	max(value) FILTER (WHERE rank = max((count * 500 + 999) / 1000, 1)) AS p50,
	max(value) FILTER (WHERE rank = max((count * 900 + 999) / 1000, 1)) AS p90,
	max(value) FILTER (WHERE rank = max((count * 990 + 999) / 1000, 1)) AS p99,
	max(value) FILTER (WHERE rank = max((count * 999 + 999) / 1000, 1)) AS p999
	FROM ranked GROUP BY 1, 2;
CREATE TEMP VIEW wrong AS
	SELECT what || ' ' || key || ' of device ' || device_id || ' is ' || told || ', not ' || summed AS text
		FROM both WHERE told <> summed
	UNION ALL SELECT 'no ' || measure || ' of device ' || device_id FROM exact AS e
		WHERE NOT EXISTS (SELECT 1 FROM distribution AS d WHERE d.measure = e.measure
			AND d.device_id = e.device_id)
	UNION ALL SELECT measure || ' of device ' || device_id || ' comes from nowhere'
		FROM distribution AS d WHERE measure <> 'reuse' AND NOT EXISTS (SELECT 1 FROM exact AS e
			WHERE d.measure = e.measure AND d.device_id = e.device_id)
	UNION ALL SELECT d.measure || ' of device ' || d.device_id || ': ' || d.count || ' ' || d.sum ||
		' ' || d.min || ' ' || d.max || ', not ' || e.count || ' ' || e.sum || ' ' || e.min ||
		' ' || e.max FROM distribution AS d JOIN exact AS e USING (measure, device_id)
		WHERE d.count <> e.count OR d.sum <> e.sum OR d.min <> e.min OR d.max <> e.max
	UNION ALL SELECT 'buckets of ' || measure || ' of device ' || device_id FROM distribution AS d
		WHERE count <> (SELECT sum(h.count) FROM histogram AS h
			WHERE h.measure = d.measure AND h.device_id = d.device_id)
	UNION ALL SELECT 'percentiles of ' || d.measure || ' of device ' || d.device_id || ': ' || d.p50 ||
		' ' || d.p90 || ' ' || d.p99 || ' ' || d.p999 || ', not ' || e.p50 || ' ' || e.p90 ||
		' ' || e.p99 || ' ' || e.p999
		FROM distributions AS d JOIN exact AS e USING (measure, device_id)
		WHERE d.p50 NOT BETWEEN e.p50 AND e.p50 + e.p50 / 32
			OR d.p90 NOT BETWEEN e.p90 AND e.p90 + e.p90 / 32
			OR d.p99 NOT BETWEEN e.p99 AND e.p99 + e.p99 / 32
			OR d.p999 NOT BETWEEN e.p999 AND e.p999 + e.p999 / 32;
SELECT text FROM wrong LIMIT 3;
SELECT 'compared', (SELECT count(*) FROM both), (SELECT count(*) FROM exact);
END

# sums NAME FILE [OPTION]...: every figure of FILE is what the tables say
sums() {
	local said name=$1
	shift
	if ! analyze "$@"; then
		not_ok "$name" "$(head -1 "$work/err")"
		return
	fi
	said=$(sqlite3 -separator ' ' "$work/run.db" <"$work/sums.sql" 2>&1 | tr '\n' ';')
	case $said in
	'compared '[1-9]*) ok "$name (${said%;})" ;;
	*) not_ok "$name" "$said" ;;
	esac
}

for file in stock-6.12-rmmod stock-7.2-swiotlb-bind stock-6.12-zoo armhf-7.2-mid lab-7.2-fault \
	oracle-ctl_irq_reuse.iommu oracle-ctl_sg.iommu oracle-ctl_sg-stack s390x-7.2-v7-zstd; do
	sums "$file" "$fixtures/$file.dat"
done
for seed in 1 2 3; do
	case $seed in
	1) set -- --mode iommu --iommu-events --syncs --cpus 8 ;;
	2) set -- --mix sg:1 --stacks --drain ;;
	*) set -- --kernel 6.12 --fail 0.1 --devices 7 --stacks --syncs ;;
	esac
	"$tracegen" -o "$work/t.dat" --events 20000 --seed $seed "$@" >/dev/null 2>"$work/err"
	sums "generated: $*" "$work/t.dat"
done

# ---- a part of the time: half of what there is
for file in stock-6.12-zoo lab-7.2-fault oracle-ctl_irq_reuse.iommu s390x-7.2-v7-zstd; do
	analyze "$fixtures/$file.dat"
	middle=$(sql "SELECT (from_ns + to_ns) / 2 FROM counting")
	sums "$file since its middle" "$fixtures/$file.dat" --since "${middle}ns"
	whole=$(sql "SELECT count(*) FROM mapping WHERE map_ns >= $middle")
	told=$(sql "SELECT sum(maps) FROM breakdown WHERE dimension = 'cpu'")
	if [ "$whole" = "$told" ] && [ "$told" -gt 0 ]; then
		ok "$file since its middle: $told maps"
	else
		not_ok "$file since its middle" "$told maps, not $whole"
	fi
	sums "$file until its middle" "$fixtures/$file.dat" --until "${middle}ns"
done

# ---- addresses that come back: all that are told did, and most that did are told
analyze "$fixtures/oracle-ctl_irq_reuse.iommu.dat"
got=$(sql "WITH life AS (SELECT device_id, dma_addr, map_ns AS ts_ns, 1 AS is_map FROM mapping
		UNION ALL SELECT device_id, dma_addr, unmap_ns, 0 FROM mapping),
	turn AS (SELECT *, lag(is_map) OVER w AS before, lag(ts_ns) OVER w AS before_ns FROM life
		WINDOW w AS (PARTITION BY device_id, dma_addr ORDER BY ts_ns, is_map)),
	reuse AS (SELECT ts_ns - before_ns AS value FROM turn WHERE is_map AND before = 0)
	SELECT d.count <= (SELECT count(*) FROM reuse), d.count >= (SELECT count(*) * 0.9 FROM reuse),
		d.min = (SELECT min(value) FROM reuse), d.max = (SELECT max(value) FROM reuse),
		d.sum <= (SELECT sum(value) FROM reuse), d.sum >= (SELECT sum(value) * 0.9 FROM reuse)
	FROM distribution AS d WHERE measure = 'reuse'")
if [ "$got" = "1 1 1 1 1 1" ]; then ok "addresses that come back"; else not_ok "addresses that come back" "$got"; fi

# ---- rates: what is counted, by the time it took
for view in rates driver_rates breakdown_rates cpu_rates; do
	got=$(sql "SELECT count(*), sum(abs(maps_per_s * seconds - maps) > 1e-6),
		sum(abs(unmaps_per_s * seconds - unmaps) > 1e-6),
		sum(abs(bytes_per_s * seconds - bytes) > 1e-3),
		sum(seconds <> (SELECT (max(value) FILTER (WHERE key = 'last_ns') - max(value)
			FILTER (WHERE key = 'first_ns')) / 1e9 FROM run)) FROM $view")
	case $got in
	[1-9]*' 0 0 0 0') ok "$view" ;;
	*) not_ok "$view" "$got" ;;
	esac
done

# the same time, whichever view tells of it: one site's maps alone begin and end sooner
got=$(sql "SELECT count(*), sum(abs(s.maps_per_s * r.seconds - s.maps) > 1e-6),
	sum(abs(s.bytes_per_s * r.seconds - s.size_bytes) > 1e-3), sum(s.seconds <> r.seconds)
	FROM call_site_rates AS s JOIN rates AS r ON r.device_id = s.device_id")
case $got in
[1-9]*' 0 0 0') ok "call_site_rates" ;;
*) not_ok "call_site_rates" "$got" ;;
esac

# ---- counted again from what trace-cmd prints
# Of single mappings: maps, bytes and unmaps by device, direction and CPU; and the times from one
# event to the next of its CPU, which have to be of one task and of the same pages.
cat >"$work/recount.awk" <<'EOF'
function hex(text,   value, i) {
	sub(/^0x/, "", text)
	for (i = 1; i <= length(text); i++)
		value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
	return value
}
function field(name) {
	if (!match(rest, name "=[^ ]+")) return ""
	return substr(rest, RSTART + length(name) + 1, RLENGTH - length(name) - 1)
}
function took(measure, device) { n[device " " measure]++; ns[device " " measure] += time - last_time[cpu] }
!/^cpus=/ && match($0, /-[0-9]+ +\[[0-9]+\] +[0-9]+\.[0-9]+: +[a-z_]+: /) {
	head = substr($0, RSTART + 1, RLENGTH - 1)
	rest = substr($0, RSTART + RLENGTH)
	sub(/^ +/, "", rest)
	pid = head + 0
	split(head, part, /[][]/)
	cpu = part[2] + 0
	split(part[3], word, /[ :]+/)
	time = word[2]
	sub(/\./, "", time)
	event = word[3]
	if (event !~ /^(dma_.*|map|unmap|swiotlb_bounced)$/)
		next
	device = rest
	sub(/^dev_name: /, "", device)
	sub(/ .*/, "", device)
	if (match(rest, / device=[^ ]+/))
		device = substr(rest, RSTART + 8, RLENGTH - 8)
	before = last_pid[cpu] == pid ? last[cpu] : ""
	low = last_low[cpu]; high = last_high[cpu]
	last[cpu] = event; last_pid[cpu] = pid
	if (event ~ /^dma_map_(page|phys)$/) {
		size = field("size"); dir = field("dir"); addr = hex(field("dma_addr"))
		maps[device " cpu " cpu]++; maps[device " direction " dir]++
		bytes[device " cpu " cpu] += size; bytes[device " direction " dir] += size
		if (before == "map" && addr >= low && addr < high) took("iommu_map_to_map", device)
		if (before == "swiotlb_bounced" && low == hex(field("phys_addr"))) took("bounce_to_map", device)
	}
	# lists are printed as bytes: their addresses are left out
	if (event == "dma_map_sg" && before == "map") took("iommu_map_to_map", device)
	if (event == "dma_map_sg" && before == "swiotlb_bounced") took("bounce_to_map", device)
	if (event ~ /^dma_unmap_(page|phys)$/) {
		addr = hex(field("dma_addr"))
		unmaps[device " cpu " cpu]++; unmaps[device " direction " field("dir")]++
		if (before == "unmap" && addr >= low && addr < high) took("iommu_unmap_to_unmap", device)
	}
	last_time[cpu] = time
	last_low[cpu] = hex(event == "swiotlb_bounced" ? field("dev_addr") : field("iova"))
	last_high[cpu] = last_low[cpu] + field("size")
}
END {
	for (key in maps) printf "maps %s %d %d\n", key, maps[key], bytes[key]
	for (key in unmaps) printf "unmaps %s %d\n", key, unmaps[key]
	for (key in n) printf "took %s %d %.0f\n", key, n[key], ns[key]
}
EOF

# recount NAME FILE LEAST PATTERN: the figures that match, of a recording of single mappings; or
# only times, then there may be others. At least so many of them.
n_recounted=0
recount() {
	local difference
	trace-cmd report -t "$2" 2>/dev/null | awk -f "$work/recount.awk" | grep -E "$4" | sort >"$work/want"
	analyze "$2"
	sql "SELECT 'maps', device, dimension, key, maps, bytes FROM breakdown_rates
			WHERE maps AND dimension IN ('cpu', 'direction');
		SELECT 'unmaps', device, dimension, key, unmaps FROM breakdown_rates
			WHERE unmaps AND dimension IN ('cpu', 'direction');
		SELECT 'took', device, measure, count, sum FROM distributions
			WHERE measure LIKE '%_to_%' AND measure NOT LIKE 'unmap_sg%'" | grep -E "$4" |
		sort >"$work/got"
	n_recounted=$((n_recounted + $(wc -l <"$work/want")))
	if [ "$(wc -l <"$work/want")" -lt "$3" ]; then
		not_ok "$1 counted by awk" "only $(wc -l <"$work/want") figures"
	elif difference=$(diff "$work/want" "$work/got"); then
		ok "$1 counted by awk ($(wc -l <"$work/want") figures)"
	else
		not_ok "$1 counted by awk" "$(echo "$difference" | head -4 | tr '\n' ';')"
	fi
}

if ! command -v trace-cmd >/dev/null; then
	echo "skip - figures: counted by awk: no trace-cmd"
	exit $failed
fi
recount irq_reuse "$fixtures/oracle-ctl_irq_reuse.iommu.dat" 6 .
recount lab-fault "$fixtures/lab-7.2-fault.dat" 15 .
recount armhf "$fixtures/armhf-7.2-mid.dat" 10 .
recount bounces "$fixtures/stock-7.2-swiotlb-bind.dat" 3 '^took'
if [ ! -d "$shared" ]; then
	echo "skip - figures: recordings: no ../shared/traces here"
	exit $failed
fi
# Under sanitizers all is ten times slower: every fourth file must do.
step=1 number=0
if grep -q __asan_init "$DMASCOPE"; then step=4; fi
n_recounted=0
for file in "$shared"/stock/*/iommu*/*.dat "$shared"/stock/*/swiotlb*/*.dat; do
	number=$((number + 1))
	[ $((number % step)) -eq 0 ] || continue
	sums "${file#"$shared/"}" "$file"
	recount "${file#"$shared/"}" "$file" 0 '^took'
done
if [ $n_recounted -ge $((60 / step)) ]; then
	ok "recordings counted by awk: $n_recounted figures"
else
	not_ok "recordings counted by awk" "only $n_recounted figures"
fi
exit $failed
