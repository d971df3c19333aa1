#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Rules on the command line: the list, the explanations, the manual page, switches and exit codes.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${SRCDIR:?}"
fixtures=$SRCDIR/tests/fixtures
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - rules: $1"; }
not_ok() {
	echo "not ok - rules: $1: $2"
	failed=1
}

"$DMASCOPE" rules >"$work/rules"
sed 's/ .*//' "$work/rules" >"$work/ids"
if [ "$(wc -l <"$work/ids")" -ge 26 ] && sort -cu "$work/ids" 2>/dev/null &&
	! grep -Evq '^[a-z-]+ +(info|warning|error) +[a-z].*[A-Za-z]$' "$work/rules"; then
	ok "list ($(wc -l <"$work/ids") rules)"
else
	not_ok 'list' "$(head -1 "$work/rules")"
fi

# ---- one explained
bad=
while read -r id; do
	"$DMASCOPE" rules "$id" >"$work/one" || bad="$bad $id"
	grep -q "^$id (" "$work/one" || bad="$bad $id:id"
	grep -q '^example ' "$work/one" || [ ! -e "$SRCDIR/tests/scripts/rules/$id-fire.txt" ] ||
		bad="$bad $id:example"
	for part in says cause cure source; do
		grep -q "^$part  *[^ ]" "$work/one" || bad="$bad $id:$part"
	done
done <"$work/ids"
if [ -z "$bad" ]; then ok 'each explained'; else not_ok 'each explained' "lacks$bad"; fi
"$DMASCOPE" rules unmap-size 2>"$work/err"
if grep -q 'did you mean "unmap-size-mismatch"' "$work/err"; then
	ok 'the nearest id'
else
	not_ok 'the nearest id' "$(cat "$work/err")"
fi
"$DMASCOPE" rules no-such-rule >"$work/out" 2>"$work/err"
code=$?
if [ $code -eq 2 ] && [ ! -s "$work/out" ] && grep -q '"no-such-rule"' "$work/err"; then
	ok 'unknown rule'
else
	not_ok 'unknown rule' "code $code: $(head -1 "$work/err")"
fi

# ---- dmascope-rules(7) has each rule with its severity and title, and no other
if command -v groff >/dev/null; then
	groff -ww -man -Tascii -P-cbou -rLL=200n "$SRCDIR/man/dmascope-rules.7" 2>/dev/null |
		awk '/^       [a-z-]+ \((info|warning|error)\)$/ { head = $1 " " substr($2, 2, length($2) - 2)
				getline
				sub(/^ */, ""); sub(/\.$/, "")
				gsub(/  +/, " ")
				print head, tolower($0) }' | sort >"$work/page"
	sed 's/  */ /g' "$work/rules" | tr '[:upper:]' '[:lower:]' | sort >"$work/want"
	if difference=$(diff "$work/want" "$work/page"); then
		ok "manual page ($(wc -l <"$work/page") rules)"
	else
		not_ok 'manual page' "$(echo "$difference" | grep '^[<>]' | head -3 | tr '\n' ';')"
	fi
else
	echo 'skip - rules: manual page: groff is not installed'
fi

# ---- switches and exit codes
# exits NAME CODE ARGUMENTS...
exits() {
	local name=$1 want=$2 code
	shift 2
	"$DMASCOPE" analyze --quiet "$@" >"$work/out" 2>"$work/err"
	code=$?
	if [ $code -eq "$want" ]; then ok "$name"; else
		not_ok "$name" "code $code, not $want: $(head -1 "$work/err")"
	fi
}

broken=$fixtures/oracle-unmap_size_small.dat    # an error
doubtful=$fixtures/armhf-7.2-mid.dat            # only information
healthy=$fixtures/oracle-ctl_sg.iommu.dat # nothing
exits 'an error alone fails nobody' 0 "$broken"
exits 'fail on error' 1 --fail-on error "$broken"
exits 'fail on warning: an error is above' 1 --fail-on warning "$broken"
exits 'fail on info' 1 --fail-on info "$doubtful"
exits 'information does not fail on warning' 0 --fail-on warning "$doubtful"
exits 'nothing does not fail on info' 0 --fail-on info "$healthy"
exits 'a rule switched off does not fail' 0 --fail-on info -W no-unmap-size-mismatch "$broken"
exits 'switched off and on again' 1 --fail-on error -W no-unmap-size-mismatch \
	--warn unmap-size-mismatch "$broken"
exits 'another one switched off' 1 --fail-on error --warn no-double-unmap "$broken"
exits 'switching what is no rule' 2 -W no-such-rule "$broken"
grep -q 'such-rule' "$work/err" || not_ok 'switching what is no rule' "$(head -1 "$work/err")"
exits 'no severity' 2 --fail-on fatal "$broken"
exits 'no confidence' 2 --fail-on error:sure "$broken"
exits 'fail on what is certain' 1 --fail-on error:certain "$broken"
exits 'only possible does not fail on likely' 0 --fail-on info:likely "$doubtful"

# ---- filters: what is told, and by what the exit code goes
zoo=$fixtures/stock-6.12-zoo.dat # possible findings on two devices, 253 and 304
exits 'rule: of another rule' 0 --fail-on info --rule double-unmap "$broken"
exits 'rule: of this rule or another' 1 --fail-on error --rule double-unmap \
	--rule unmap-size-mismatch "$broken"
exits 'rule: unknown' 2 --rule no-unmap-size-mismatch "$broken"
exits 'device: of another one' 0 --fail-on info --device 0000:00:05.0 "$zoo"
exits 'device: unknown is not clean' 3 --device 0000:00:77.0 "$zoo"
grep -q 'none in this trace; it has 0000:00:03.0' "$work/err" ||
	not_ok 'device: unknown names the known' "$(head -1 "$work/err")"
exits 'driver: unknown is not clean' 3 --driver nosuch "$zoo"
exits 'since: no time' 2 --since yesterday "$zoo"
exits 'since later than until' 2 --since 77 --until 76 "$zoo"
exits 'until: nothing before' 3 --until 1 "$zoo"
exits 'since: nothing behind' 3 --since 999 "$zoo"
exits 'until: before the finding' 0 --fail-on info --until 15.3198 "$broken"
exits 'until: behind the finding' 1 --fail-on info --until 15.319870011 "$broken"
exits 'since: behind the finding' 0 --fail-on info --since 78.3 --rule unmap-not-mapped \
	--device 0000:00:10.0 "$zoo"

# told NAME PATTERN ARGUMENTS...: the summary has such a line
told() {
	local name=$1 pattern=$2
	shift 2
	if "$DMASCOPE" analyze --quiet "$@" 2>"$work/err" | tr '\n' ' ' | grep -Eq -- "$pattern"; then
		ok "$name"
	else
		not_ok "$name" "no $pattern: $(head -1 "$work/err")"
	fi
}
told 'device: its findings' 'unmap-not-mapped: 253 times on 0000:00:06.0' --device 0000:00:06.0 "$zoo"
told 'device: the others are counted' '304 findings on other devices or by other rules were filt' \
	--device 0000:00:06.0 "$zoo"
printf '0000:00:06.0 net-a bus=pci\n0000:00:10.0 netb bus=pci\n' >"$work/devices"
told 'driver: a dash is an underscore' '253 times on .* 304 findings on other' --driver net_a \
	--inventory "$work/devices" "$zoo"
told 'limit: the rest is counted' '303 more findings were counted' --limit 1 "$zoo"
told 'until: what came later' 'to 76 is told: 0 findings lie outside, and what came later was not' \
	--until 76 "$zoo"
told 'since: statistics begin there' '0000:00:06.0 +direct +33 +17 +242 ' --since 76 --until 77 "$zoo"
if [ "$("$DMASCOPE" analyze -q --device 0000:00:06.0 "$zoo" | grep -c '^0000:00:')" = 2 ]; then
	ok 'device: no other row' # the table of devices is in two parts
else
	not_ok 'device: no other row' "$("$DMASCOPE" analyze -q --device 0000:00:06.0 "$zoo" | grep -c '^0000')"
fi

# ---- a finding in the summary, and in the database
if command -v sqlite3 >/dev/null; then
	"$DMASCOPE" analyze "$broken" -o "$work/run.db" >"$work/out"
	got=$(sqlite3 "$work/run.db" "SELECT rule, severity, confidence, size_bytes,
		json_extract(facts, '\$.unmap_size_bytes'), fingerprint FROM finding")
	case $got in
	'unmap-size-mismatch|error|certain|4096|2048|unmap-size-mismatch:'*) ok 'database' ;;
	*) not_ok 'database' "$got" ;;
	esac
	"$DMASCOPE" analyze -q --limit 2 --device 0000:00:10.0 "$zoo" -o "$work/few.db" >/dev/null
	got=$(sqlite3 "$work/few.db" "SELECT count(*), min(d.name) FROM finding AS f
		JOIN device AS d ON d.id = f.device_id; SELECT count(*) FROM mapping WHERE map_ns
		IS NOT NULL; SELECT count(*) FROM not_judged WHERE reason LIKE '253 findings on other%'" |
		tr '\n' ' ')
	if [ "$got" = '2|0000:00:10.0 2145 1 ' ]; then ok 'filtered database'; else
		not_ok 'filtered database' "$got"
	fi
	if grep -q '^- error unmap-size-mismatch: once on 0000' "$work/out"; then ok 'summary'; else
		not_ok 'summary' 'no finding in it'
	fi
else
	echo 'skip - rules: database: sqlite3 is not installed'
fi

# ---- what is not judged, and why
"$DMASCOPE" analyze -q "$broken" -o "$work/why.db" >"$work/out"
missing=$("$DMASCOPE" query "$work/why.db" --format csv \
	"SELECT rule FROM not_judged WHERE reason LIKE 'needs %' ORDER BY rule" |
	sed -e 1d -e 's/[^a-z-]//g' | tr '\n' ' ')
needy=
while read -r id; do
	"$DMASCOPE" rules "$id" | grep -q '^needs  *[^ ].*: ' && needy="$needy$id "
done <"$work/ids"
for id in $missing; do
	case " $needy" in *" $id "*) ;; *) not_ok 'not judged' "$id needs nothing" ;; esac
done
ok "not judged: ${missing:-nothing}"

# ---- both ends of a finding, by the query that comes with it
stacks=$SRCDIR/../shared/traces/oracle/double_unmap/trace-stack.dat
if [ -f "$stacks" ]; then
	"$DMASCOPE" analyze "$stacks" -o "$work/both.db" >/dev/null
	got=$("$DMASCOPE" query "$work/both.db" --name findings --format csv | tr -d '"' |
		sed -n 's/^\(error,[a-z]*,double-unmap\),.*,\(c_double_unmap,dmafault,map1,dmafault\),.*/\1 \2/p')
	if [ "$got" = 'error,likely,double-unmap c_double_unmap,dmafault,map1,dmafault' ]; then
		ok 'both ends'
	else
		not_ok 'both ends' "${got:-no such row}"
	fi
else
	echo 'skip - rules: both ends: no ../shared recordings'
fi
exit $failed
