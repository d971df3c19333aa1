#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What `dmascope report` writes for other programs, read by programs that are not ours: sqlite3,
# python's csv and json, jsonschema, jq.
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}" "${BUILD:=build}"
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
has() { command -v "$1" >/dev/null || { echo "skip - $2: no $1"; return 1; }; }
report() { "$DMASCOPE" report "$@" 2>err; }
ask() { sqlite3 "$1" "$2"; }

runs="oracle-unmap_size_small oracle-ctl_sg-stack stock-6.12-zoo stock-7.2-swiotlb-bind"
runs="$runs oracle-ctl_fail_coherent stock-7.2-tsc"
for run in $runs; do
	"$DMASCOPE" analyze -q "$SRCDIR/tests/fixtures/$run.dat" -o "$run.db" >/dev/null 2>err ||
		not_ok "export: analyze $run" "$(head -1 err)"
done
all="--csv DIR --json FILE --trace-json FILE --folded-bytes FILE --folded-count FILE
	--openmetrics FILE"
# write_all RUN PREFIX
write_all() {
	report "$1.db" --csv "$2.csv" --json "$2.json" --trace-json "$2.trace.json" \
		--folded-bytes "$2.bytes" --folded-count "$2.count" --openmetrics "$2.om"
}

# ---- files
for run in $runs; do
	if write_all "$run" "$run" >out && [ ! -s out ]; then ok "export: $run"; else
		not_ok "export: $run" "$(head -1 err out)"; fi
done
run=oracle-ctl_sg-stack
write_all $run again
write_all $run again
bad=
for file in csv json trace.json bytes count om; do
	diff -r "$run.$file" "again.$file" >/dev/null || bad="$bad $file"
done
equal 'export: same database, same bytes' "$bad" ''
equal 'export: no leftovers' "$(find . -name '*part*')" ''
report $run.db --json - >stdout.json
if cmp -s $run.json stdout.json; then ok 'export: to standard output'; else
	not_ok 'export: to standard output' 'differs from the file'; fi
report $run.db --json - --openmetrics - >out
equal 'export: one standard output only' "$? $(cat out)" '2 '
report $run.db --json /nowhere/x
equal 'export: a folder that is not there' $? 4
# a rename would replace what is no regular file: as root /dev/null was one, once
mkfifo pipe
timeout 20 cat pipe >got &
report $run.db --json pipe
wait $!
if [ -p pipe ] && cmp -s got $run.json; then ok 'export: a pipe stays a pipe'; else
	not_ok 'export: a pipe stays a pipe' "$(head -1 err; ls -l pipe)"; fi
: >target.json
ln -s target.json link.json
report $run.db --json link.json
if [ -L link.json ] && cmp -s target.json $run.json; then ok 'export: a link is followed'; else
	not_ok 'export: a link is followed' "$(ls -l link.json target.json)"; fi
mkfifo page
timeout 20 cat page >got &
report $run.db --html page
wait $!
if [ -p page ] && [ -s got ]; then ok 'html: a pipe stays a pipe'; else
	not_ok 'html: a pipe stays a pipe' "$(ls -l page)"; fi
mkdir foreign
report $run.db --json foreign
equal 'export: a file that is a folder' $? 4
echo mine >foreign/mapping.csv
report $run.db --csv foreign
equal 'export: a folder of others' "$? $(cat foreign/mapping.csv)" '2 mine'
"$DMASCOPE" report --help >help
for option in $all; do
	case $option in --*) grep -q -- "$option" help || not_ok 'export: help' "no $option" ;; esac
done

# ---- CSV: sqlite3 reads it; what it reads is what the database holds
if has sqlite3 'export: CSV into sqlite3'; then
	for run in $runs; do
		bad=
		for file in "$run.csv"/*.csv; do
			table=${file##*/}
			table=${table%.csv}
			[ "$table" != device_table ] || continue # of no table: report_test.sh
			rm -f new.db
			sqlite3 new.db ".import --csv $file $table" 2>>err || bad="$bad $table(import)"
			# these texts need no escapes, and NULL is read as an empty text
			columns=$(ask "$run.db" "SELECT group_concat('ifnull(\"' || name || '\",'''')')
				FROM pragma_table_info('$table')")
			ask "$run.db" "SELECT $columns FROM $table" | sort >want
			ask new.db "SELECT $columns FROM $table" | sort >got
			cmp -s want got || bad="$bad $table"
		done
		equal "export: CSV of $run into sqlite3" "$bad" ''
	done
fi
tables=$(grep -cE '^CREATE TABLE ' "$SRCDIR/schemas/001-init.sql")
equal 'export: a file for each table, 13 views, the table of devices and README' \
	"$(find oracle-ctl_sg-stack.csv -type f | wc -l)" $((tables + 15))

# ---- JSON
validate() {
	python3 - "$SRCDIR/schemas/report.schema.json" "$1" <<-'PY'
		import json, sys, jsonschema
		jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).validate(json.load(open(sys.argv[2])))
	PY
}
if python3 -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null; then
	for run in $runs; do
		if validate "$run.json" 2>err; then ok "export: schema, $run"; else
			not_ok "export: schema, $run" "$(tail -1 err)"; fi
	done
	sed 's/"severity":"error"/"severity":"grave"/' oracle-unmap_size_small.json >bad.json
	if cmp -s bad.json oracle-unmap_size_small.json || validate bad.json 2>/dev/null; then
		not_ok 'export: schema refuses a severity' 'it did not'
	else
		ok 'export: schema refuses a severity'
	fi
else
	echo 'skip - export: schema: python3-jsonschema is not installed'
fi
if has jq 'export: JSON against SQL' && has sqlite3 'export: JSON against SQL'; then
	for run in $runs; do
		got=$(jq -r '[(.devices | length), ([.devices[].counters.maps.value // 0] | add),
			(.findings | length), ([.call_sites[].mappings] | add // 0),
			([.series[].points | length] | add // 0), (.not_judged | length)] | @tsv' \
			"$run.json" | tr '\t' '|')
		want=$(ask "$run.db" "SELECT (SELECT count(*) FROM device), (SELECT sum(value) FROM
			device_counter WHERE name = 'maps'), (SELECT count(*) FROM finding),
			(SELECT count(*) FROM mapping WHERE map_ns IS NOT NULL),
			(SELECT count(*) FROM series), (SELECT count(*) FROM not_judged)")
		equal "export: JSON of $run against SQL" "$got" "$want"
		got=$(jq -r '.devices[] | [.device, .generation] + (.distributions[] |
			[.measure, .count, .p50, .p90, .p99, .p99_9, .max]) | map(tostring) | join("|")' \
			"$run.json" | sort)
		want=$(ask "$run.db" "SELECT device, generation, measure, count, p50, p90, p99, p999, max
			FROM distributions" | sort)
		equal "export: percentiles of $run as in view distributions" "$got" "$want"
	done
	# p50 of the distribution is that of the counters
	equal 'export: quantiles of one kind' "$(jq -c '[.devices[] | .counters as $c |
		.distributions[] | select(.measure == "lifetime") | ($c.lifetime_p50.value == .p50) and
		($c.lifetime_p99.value == .p99) and ($c.lifetime_count.value == .count)] | unique' \
		stock-6.12-zoo.json)" '[true]'
fi

# ---- trace events, folded stacks and OpenMetrics: each by its own rules
cat >judge.py <<'EOP'
import json, re, sqlite3, sys
from decimal import Decimal

run = sys.argv[1]
db = sqlite3.connect(run + ".db")
ask = lambda sql: db.execute(sql).fetchone()

def trace():
    text = open(run + ".trace.json").read()
    events = json.loads(text, parse_float=Decimal)["traceEvents"]
    first, last = (int(ask("SELECT value FROM run WHERE key = '%s_ns'" % k)[0]) for k in ("first", "last"))
    open_slices, before, slices, instants, counters = {}, Decimal(-1), 0, 0, []
    pids = {e["pid"] for e in events if e["ph"] == "M"}
    for e in events:
        assert e["pid"] in pids, "a process without a name"
        if e["ph"] == "M":
            continue
        assert e["ts"] >= before, "not sorted"
        before = e["ts"]
        if e["ph"] == "b":
            assert e["id"] not in open_slices
            open_slices[e["id"]] = e
            slices += 1
        elif e["ph"] == "e":
            begin = open_slices.pop(e["id"])
            assert (begin["name"], begin["cat"], begin["pid"]) == (e["name"], e["cat"], e["pid"])
            row = ask("SELECT map_ns, unmap_ns, device_id, size_bytes, end FROM mapping WHERE id = %d"
                      % int(e["id"], 16))
            assert begin["ts"] * 1000 == (first if row[0] is None else row[0]), "begin"
            if row[1] is not None and (row[0] is None or row[1] >= row[0]):
                assert e["ts"] * 1000 == row[1], "end"
            if row[4] == "live":
                assert e["ts"] * 1000 == last, "live, but not to the end"
            assert e["pid"] == (row[2] or 0)
            assert begin["args"].get("size_bytes") == row[3]
        elif e["ph"] == "i":
            instants += 1
        elif e["ph"] == "C":
            counters.append((e["pid"], int(e["ts"] * 1000), e["args"]["bytes"]))
        else:
            raise AssertionError("phase " + e["ph"])
    assert not open_slices, "slices without end"
    assert slices == ask("SELECT count(*) FROM mapping WHERE end <> 'unmatched'")[0], "slices"
    assert instants == ask("SELECT count(*) FROM finding")[0], "instants"
    assert sorted(counters) == db.execute("SELECT device_id, start_ns, value FROM series"
        " WHERE measure = 'live_bytes' ORDER BY 1, 2, 3").fetchall(), "counters"

def folded(name, expression):
    total = 0
    for line in open(run + "." + name):
        stack, number = line.rstrip("\n").rsplit(" ", 1)
        frames = stack.split(";")
        assert len(frames) >= 2 and all(frames), line
        total += int(number)
    assert total == ask("SELECT %s FROM mapping WHERE map_ns IS NOT NULL" % expression)[0], name

def openmetrics():
    text = open(run + ".om").read()
    assert text.endswith("\n# EOF\n")
    label = r'[a-z_][a-z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
    sample = re.compile(r'([a-z_][a-z0-9_]*)(?:\{((?:%s(?:,%s)*)?)\})? ([0-9.]+)$' % (label, label))
    ends = {"counter": ["_total"], "gauge": [""], "info": ["_info"], "summary": ["", "_count", "_sum"],
        "histogram": ["_bucket", "_count", "_sum"]}
    last = {}
    seen, samples, family, kind, unit, total = set(), set(), None, None, None, 0
    for line in text.splitlines()[:-1]:
        if line.startswith("# TYPE "):
            family, kind = line.split()[2:]
            assert family not in seen
            seen.add(family)
        elif line.startswith("# UNIT "):
            assert line.split()[2] == family and family.endswith("_" + line.split()[3])
        elif line.startswith("# HELP "):
            assert line.split()[2] == family
        else:
            m = sample.match(line)
            assert m, line
            assert m[1] in [family + end for end in ends[kind]], line
            assert (m[1], m[2]) not in samples, "twice: " + line
            samples.add((m[1], m[2]))
            if m[1].endswith("_bucket"):
                whose = (m[1], re.sub(r',le=".*', "", m[2]))
                bound = float(re.search(r'le="([^"]*)"', m[2])[1])
                assert last.get(whose, (-1, 0)) < (bound, int(m[3]) + 1), "falls: " + line
                assert last.get(whose, (-1, 0))[1] <= int(m[3]), "falls: " + line
                last[whose] = (bound, int(m[3]))
            if kind == "histogram" and m[1].endswith("_count"):
                assert last[(family + "_bucket", m[2])] == (float("inf"), int(m[3])), line
            if m[1] == "dmascope_maps_total":
                total += int(m[3])
    assert total == ask("SELECT ifnull(sum(value), 0) FROM device_counter WHERE name = 'maps'")[0], "maps"

{"trace": trace, "openmetrics": openmetrics,
 "folded": lambda: (folded("count", "count(*)"), folded("bytes", "ifnull(sum(size_bytes), 0)"))}[sys.argv[2]]()
EOP
if has python3 'export: judged by python'; then
	for run in $runs; do
		for what in trace folded openmetrics; do
			if python3 judge.py "$run" $what 2>err; then ok "export: $what of $run"; else
				not_ok "export: $what of $run" "$(tail -1 err)"; fi
		done
	done
	if /usr/bin/python3 -c 'import prometheus_client.openmetrics.parser' 2>/dev/null; then
		for run in $runs; do
			if /usr/bin/python3 -c 'import sys; from prometheus_client.openmetrics.parser import text_fd_to_metric_families as f
list(f(open(sys.argv[1])))' "$run.om" 2>err; then ok "export: openmetrics of $run, by the parser of Prometheus"; else
				not_ok "export: openmetrics of $run, by the parser of Prometheus" "$(tail -1 err)"; fi
		done
	else
		echo 'skip - export: openmetrics, by the parser of Prometheus: python3-prometheus-client is not installed'
	fi
	# the judge sees what is wrong
	cp oracle-ctl_sg-stack.db bad.db
	grep -v '"ph":"e"' oracle-ctl_sg-stack.trace.json >bad.trace.json
	sed '0,/_total{/s/_total{/{/' oracle-ctl_sg-stack.om >bad.om
	sed '1d' oracle-ctl_sg-stack.count >bad.count
	cp oracle-ctl_sg-stack.bytes bad.bytes
	bad=
	for what in trace folded openmetrics; do
		python3 judge.py bad $what 2>/dev/null && bad="$bad $what"
	done
	equal 'export: what is damaged is seen' "$bad" ''
fi

# ---- trace events: opened by the trace engine of Chrome's DevTools, an npm package
# shellcheck source=tests/lib/npm.sh
. "$SRCDIR/tests/lib/npm.sh"
if ! command -v node >/dev/null; then
	echo 'skip - export: trace events in the trace engine of DevTools: node is not installed'
elif ! engine=$(npm_package @paulirish/trace_engine 0.0.65 2>err); then
	echo "skip - export: trace events in the trace engine of DevTools: $(head -1 err)"
elif has sqlite3 'export: trace events in the trace engine of DevTools'; then
	for run in $runs; do
		equal "export: $run in the trace engine of DevTools" \
			"$(node "$SRCDIR/tests/tools/trace_engine_check.mjs" "$engine" "$run.trace.json" 2>err || tail -3 err)" \
			"$(ask "$run.db" "SELECT (SELECT count(*) || ' ' || ifnull(sum(
				max(coalesce(unmap_ns, ended_ns, last), coalesce(map_ns, first)) - coalesce(map_ns, first)), 0)
				FROM mapping WHERE end <> 'unmatched') || ' ' || (SELECT count(*) FROM finding) || ' ' ||
				(SELECT count(*) FROM series WHERE measure = 'live_bytes') || ' ' || (SELECT count(*) + 1 FROM device)
				FROM (SELECT max(value) FILTER (WHERE key = 'first_ns') + 0 AS first,
				max(value) FILTER (WHERE key = 'last_ns') + 0 AS last FROM run)")"
	done
	grep -v '"ph":"e"' stock-6.12-zoo.trace.json >bad.trace.json
	equal 'export: the engine sees no slices without their ends' \
		"$(node "$SRCDIR/tests/tools/trace_engine_check.mjs" "$engine" bad.trace.json 2>/dev/null | grep -c '^2702 ')" 0
fi

# ---- a slip of the fingers does not cost the run
cp $run.db precious.db
report precious.db --json precious.db >out 2>err
equal 'export: a database is not overwritten' \
	"$? $(cmp -s $run.db precious.db && grep -o 'it is not overwritten' err)" '2 it is not overwritten'

# ---- a part of a run
device=0000:00:05.0
report stock-6.12-zoo.db --json part.json --csv part.csv --openmetrics part.om --device $device
if has jq 'export: a part'; then
	equal 'export: of one device' "$(jq -c '[.devices[].device, .call_sites[].device,
		.series[].device] | unique' part.json)" "[\"$device\"]"
fi
equal 'export: CSV of one device' \
	"$(cut -d, -f2 part.csv/device.csv part.csv/device_summary.csv | sort -u | tr -d '\r' |
		tr '\n' ' ')" "\"$device\" \"device\" \"name\" "
exit $failed
