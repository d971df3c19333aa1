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
	for part in says cause cure source; do
		grep -q "^$part  *[^ ]" "$work/one" || bad="$bad $id:$part"
	done
done <"$work/ids"
if [ -z "$bad" ]; then ok 'each explained'; else not_ok 'each explained' "lacks$bad"; fi
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
healthy=$fixtures/oracle-ctl_irq_reuse.iommu.dat # nothing
exits 'an error alone fails nobody' 0 "$broken"
exits 'fail on error' 1 --fail-on error "$broken"
exits 'fail on warning: an error is above' 1 --fail-on warning "$broken"
exits 'fail on info' 1 --fail-on info "$doubtful"
exits 'information does not fail on warning' 0 --fail-on warning "$doubtful"
exits 'nothing does not fail on info' 0 --fail-on info "$healthy"
exits 'a rule switched off does not fail' 0 --fail-on info -W no-unmap-size-mismatch "$broken"
exits 'switched off and on again' 1 --fail-on error -W no-unmap-size-mismatch \
	--rule unmap-size-mismatch "$broken"
exits 'another one switched off' 1 --fail-on error --rule no-double-unmap "$broken"
exits 'switching what is no rule' 2 -W no-such-rule "$broken"
grep -q 'such-rule' "$work/err" || not_ok 'switching what is no rule' "$(head -1 "$work/err")"
exits 'no severity' 2 --fail-on fatal "$broken"

# ---- a finding in the summary, and in the database
if command -v sqlite3 >/dev/null; then
	"$DMASCOPE" analyze "$broken" -o "$work/run.db" >"$work/out"
	got=$(sqlite3 "$work/run.db" "SELECT rule, severity, confidence, size_bytes,
		json_extract(facts, '\$.unmap_size_bytes'), fingerprint FROM finding")
	case $got in
	'unmap-size-mismatch|error|certain|4096|2048|unmap-size-mismatch:'*) ok 'database' ;;
	*) not_ok 'database' "$got" ;;
	esac
	if grep -q '^- error unmap-size-mismatch: 1 time on 0000' "$work/out"; then ok 'summary'; else
		not_ok 'summary' 'no finding in it'
	fi
else
	echo 'skip - rules: database: sqlite3 is not installed'
fi

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
