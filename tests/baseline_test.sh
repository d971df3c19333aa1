#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The baseline of a run: its figures are those of the database, and it comes back from its file as it was.
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}"
DMASCOPE=$(realpath "$DMASCOPE")
SRCDIR=$(realpath "$SRCDIR")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

ok() { echo "ok - baseline: $1"; }
not_ok() {
	echo "not ok - baseline: $1: $2"
	failed=1
}
# equal NAME GOT WANTED
equal() {
	if [ -n "$3" ] && [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "'$2', not '$3'"; fi
}
analyze() { "$DMASCOPE" analyze "$1" -o "$2" >/dev/null 2>err || not_ok "analyze $1" "$(head -1 err)"; }
baseline() { "$DMASCOPE" baseline "$@" 2>err; }
query() { "$DMASCOPE" query "$1" "$2" --format csv | sed 1d | tr -d '\r"'; }
# metric FILE SCOPE SUBJECT METRIC: its value and samples
metric() {
	python3 - "$@" <<'PY'
import json, sys
for m in json.load(open(sys.argv[1]))["metrics"]:
    if [m["scope"], m["subject"], m["metric"]] == sys.argv[2:]:
        print("%.6g,%d" % (m["value"], m["samples"]))
PY
}

# ---- every recording: into a file, back from it, and again from another database of the same trace
for name in stock-6.12-zoo stock-7.2-swiotlb-bind oracle-unmap_size_small lab-7.2-fault \
	twin-6.12 twin-7.2 twin-7.2-overrun twin-7.2-stack oracle-ctl_sg.iommu s390x-7.2-v6; do
	cp "$SRCDIR/tests/fixtures/$name.dat" "$name.dat"
	analyze "$name.dat" "$name.db"
	mkdir -p elsewhere
	cp "$name.dat" elsewhere/other.dat
	analyze "$work/elsewhere/other.dat" other.db
	baseline "$name.db" -o "$name.json" || not_ok "$name" "$(head -1 err)"
	baseline "$name.json" -o again.json || not_ok "$name, read back" "$(head -1 err)"
	baseline other.db >other.json
	if [ -s "$name.json" ] && cmp -s "$name.json" again.json; then ok "$name comes back as it was"; else
		not_ok "$name comes back as it was" "$(diff "$name.json" again.json | head -2)"; fi
	if [ -s "$name.json" ] && cmp -s "$name.json" other.json; then ok "$name again is the same"; else
		not_ok "$name again is the same" "$(diff "$name.json" other.json | head -2)"; fi
	if [ ! -s "$name.json" ] || grep -qE "$name|other\.dat|$work|0x[0-9a-f]{6}" "$name.json"; then
		not_ok "$name without paths and addresses" "$(grep -E "$name|$work|0x[0-9a-f]{6}" "$name.json" | head -1)"
	else ok "$name without paths and addresses"; fi
done

# ---- damage names the file in the database; a baseline does not
head -c 300000 stock-6.12-zoo.dat >cut.dat
"$DMASCOPE" analyze --salvage cut.dat -o cut.db >/dev/null 2>&1
baseline cut.db >cut.json
query cut.db 'SELECT reason FROM not_judged' | grep -q cut.dat || not_ok 'a cut trace' 'it is not told'
if [ ! -s cut.json ] || grep -q cut.dat cut.json; then not_ok 'no path in a reason' "$(grep cut.dat cut.json)"; else ok 'no path in a reason'; fi

# ---- the schema
if python3 -c 'import jsonschema' 2>/dev/null; then
	for file in *.json; do
		python3 - "$SRCDIR/schemas/baseline.schema.json" "$file" >out 2>&1 <<'PY'
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.Draft202012Validator(schema).validate(json.load(open(sys.argv[2])))
PY
		code=$?
		if [ $code = 0 ]; then ok "schema: $file"; else not_ok "schema: $file" "$(tail -1 out)"; fi
	done
else
	echo 'skip - baseline: schema: python3-jsonschema is not here'
fi

# ---- figures, against SQL that reads the mappings themselves
# figures DB SCOPE SUBJECT COLUMN: those of the devices whose COLUMN is SUBJECT
figures() {
	local json=${1%.db}.json where="FROM mapping AS m JOIN device AS d ON d.id = m.device_id
		WHERE d.$4 = '$3' AND m.map_ns IS NOT NULL" rest="WHERE ${4/name/device} = '$3'"
	equal "$3: live_at_end" "$(metric "$json" "$2" "$3" live_at_end)" \
		"$(query "$1" "SELECT printf('%.6g', sum(m.end = 'live')), count(*) $where")"
	equal "$3: bytes_per_map" "$(metric "$json" "$2" "$3" bytes_per_map)" \
		"$(query "$1" "SELECT printf('%.6g', avg(m.size_bytes)), count(*) $where")"
	equal "$3: bounced_share" "$(metric "$json" "$2" "$3" bounced_share)" \
		"$(query "$1" "SELECT printf('%.6g', avg(m.bounced)), count(*) $where AND m.kind IN ('page', 'resource', 'sg')")"
	equal "$3: peak_live_bytes" "$(metric "$json" "$2" "$3" peak_live_bytes | cut -d, -f1)" \
		"$(query "$1" "SELECT printf('%.6g', sum(peak_live_bytes)) FROM device_summary $rest")"
	equal "$3: failed_share" "$(metric "$json" "$2" "$3" failed_share)" \
		"$(query "$1" "SELECT printf('%.6g', 1.0 * sum(failed) / sum(failed + maps)), sum(failed + maps) FROM device_summary $rest")"
	equal "$3: maps_per_s" "$(metric "$json" "$2" "$3" maps_per_s)" \
		"$(query "$1" "SELECT printf('%.6g', sum(maps_per_s)), sum(maps) FROM rates $rest")"
}
figures lab-7.2-fault.db driver e1000e driver
figures stock-6.12-zoo.db device "$(query stock-6.12-zoo.db 'SELECT device FROM device_summary ORDER BY maps DESC LIMIT 1')" name
for percentile in p50 p99; do
	equal "lifetime_$percentile" "$(metric lab-7.2-fault.json driver e1000e lifetime_$percentile)" \
		"$(query lab-7.2-fault.db "SELECT printf('%.6g', $percentile), count FROM driver_distributions WHERE driver = 'e1000e' AND measure = 'lifetime'")"
done
db=lab-7.2-fault.db json=lab-7.2-fault.json
site=$(query $db "SELECT driver || ' ' || function || coalesce('[' || module || ']', '') FROM call_site_rates
	WHERE driver IS NOT NULL AND function IS NOT NULL AND function NOT LIKE '%.%' GROUP BY 1 ORDER BY sum(unmapped) DESC LIMIT 1")
equal 'a call site' "$(metric $json site "$site" bytes_per_map)" \
	"$(query $db "SELECT printf('%.6g', 1.0 * sum(size_bytes) / sum(maps)), sum(maps) FROM call_site_rates
	WHERE driver || ' ' || function || coalesce('[' || module || ']', '') = '$site'")"
equal 'lifetimes of a call site end at a power of two' "$(metric $json site "$site" lifetime_p50)" \
	"$(query $db "SELECT printf('%.6g', min(high)), max(n) FROM (SELECT high_ns AS high,
	sum(sum(count)) OVER (ORDER BY high_ns) AS passed, sum(sum(count)) OVER () AS n
	FROM call_site_lifetime AS l JOIN call_site_rates AS r ON r.id = l.call_site_id
	WHERE r.driver || ' ' || r.function || coalesce('[' || r.module || ']', '') = '$site'
	GROUP BY high_ns) WHERE passed >= (n * 500 + 999) / 1000")"

# ---- findings: every one is counted, and under the name the database gives it
for name in oracle-unmap_size_small lab-7.2-fault stock-6.12-zoo; do
	equal "findings of $name" "$(python3 -c 'import json, sys
for f in json.load(open(sys.argv[1]))["findings"]: print("%s,%s" % (f["fingerprint"], f["count"]))' "$name.json")" \
		"$(query "$name.db" 'SELECT fingerprint, sum(count) FROM finding_group GROUP BY fingerprint ORDER BY fingerprint')"
done

# ---- mappings are not read: a run of millions is opened as fast as any other
if command -v python3 >/dev/null; then
	cp lab-7.2-fault.db bare.db
	python3 -c 'import sqlite3, sys
db = sqlite3.connect("bare.db")
db.execute("DELETE FROM mapping")
db.commit()'
	baseline bare.db >bare.json
	if [ -s bare.json ] && cmp -s bare.json lab-7.2-fault.json; then ok 'without mappings'; else not_ok 'without mappings' "$(diff bare.json lab-7.2-fault.json | head -2)"; fi
fi

# ---- kinds of devices that a project names itself
device=$(query stock-6.12-zoo.db 'SELECT device FROM device_summary ORDER BY maps DESC LIMIT 1')
baseline stock-6.12-zoo.db --kind "$device=my:disk" >kind.json
equal 'a kind of its own' "$(metric kind.json driver my:disk live_at_end | wc -l)" 1
equal 'and no other of it' "$(grep -c "\"kind\": \"my:disk\", \"devices\": 1" kind.json)" 1
device=$(query lab-7.2-fault.db 'SELECT d.name FROM finding_group AS g JOIN device AS d ON d.id = g.device_id ORDER BY g.id LIMIT 1')
baseline lab-7.2-fault.db --kind "$device=my:disk" >kind.json
if grep -q '"fingerprint": "[a-z-]*:my_disk:' kind.json; then ok 'in fingerprints, too'; else not_ok 'in fingerprints, too' "$device"; fi

# ---- what is refused
baseline "$SRCDIR/README.md"
equal 'neither a database nor a baseline' $? 3
baseline nowhere.db
equal 'no such file' $? 3
sed 's/"schema": 1,/"schema": 99,/' stock-6.12-zoo.json >newer.json
baseline newer.json
equal 'of a newer schema' $? 3
grep -q 'newer.json has baseline schema 99; this dmascope reads schema 1' err || not_ok 'of a newer schema, said so' "$(cat err)"
baseline stock-6.12-zoo.db -o twin-6.12.db
equal 'a database is not overwritten' $? 2
head -c 40000 stock-6.12-zoo.db >torn.db
baseline torn.db
equal 'a torn database' $? 3
exit $failed
