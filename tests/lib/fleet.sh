# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What the tests of a fleet have in common: runs made by tracegen, sums of theirs, verdicts (sourced).
#
# A script that sources this sets $suite, and $failed to 0; ask SQL gives a server's answer.

# shellcheck disable=SC2154 # whoever sources this sets it
ok() { echo "ok - $suite: $1"; }
# shellcheck disable=SC2034 # for whoever sources this
not_ok() {
	echo "not ok - $suite: $1: $2"
	failed=1
}
same() { # NAME WANTED GOT
	if [ -n "$2" ] && [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "'$3', not '$2'"; fi
}

# fleet_runs COUNT EVENTS: databases run0001.db and so on in the folder we are in, each of another
# trace, of that many events and more
fleet_runs() {
	local i
	for ((i = 1; i <= $1; i++)); do
		"$BUILD/tools/tracegen" -o trace.dat --seed "$i" --events $(($2 + i * 10)) --devices 3 \
			--leak $((i % 7)) --live 40 --stacks >/dev/null &&
			"$DMASCOPE" analyze -q trace.dat -o "$(printf 'run%04d.db' "$i")" >/dev/null ||
			{ not_ok 'runs are made' "number $i"; exit 1; }
	done
	rm -f trace.dat
}

all_of() { # SQL: the numbers it gives of each run, added up
	local run
	for run in run*.db; do sqlite3 -separator ' ' "$run" "$1"; done | awk '
		{ for (i = 1; i <= NF; i++) sum[i] += $i }
		END { for (i = 1; i in sum; i++) printf "%s%.0f", (i > 1 ? " " : ""), sum[i]; print "" }'
}

# table, what SQLite counts and adds up of it, and the same of ClickHouse
fleet_figures='
mappings|SELECT count(*), sum(size_bytes), sum(map_cpu), sum(end = '\''live'\''), sum(unmap_ns - map_ns) FILTER (WHERE end = '\''unmapped'\'') FROM mapping|count(), sum(size_bytes), sum(map_cpu), sum(ending = '\''live'\''), sum(lifetime_ns)
devices|SELECT count(*), sum(generation) FROM device|count(), sum(generation)
counters|SELECT count(*), sum(value) FILTER (WHERE unit IN ('\''calls'\'', '\''mappings'\'')) FROM device_counter|count(), sumIf(value, unit IN ('\''calls'\'', '\''mappings'\''))
distributions|SELECT count(*), sum(count), sum(sum) FROM distribution|count(), sum(count), sum(sum)
histograms|SELECT count(*), sum(count) FROM histogram|count(), sum(count)
series|SELECT count(*), sum(value) FROM series|count(), sum(value)
call_sites|SELECT count(*), sum(maps), sum(live) FROM call_site|count(), sum(maps), sum(live)
findings|SELECT count(*), sum(ts_ns % 1000) FROM finding|count(), sum(ts_ns % 1000)
finding_groups|SELECT count(*), sum(count) FROM finding_group|count(), sum(count)
not_judged|SELECT count(*) FROM not_judged|count()'

# fleet_count: what SQLite says of each table, into the file wanted; once
fleet_count() {
	local table sqlite clickhouse
	while IFS='|' read -r table sqlite clickhouse; do
		[ -n "$table" ] && echo "$table $(all_of "$sqlite")"
	done <<<"$fleet_figures" >wanted
}

# fleet_compare NAME: every table has what the runs have
fleet_compare() {
	local table sqlite clickhouse
	while IFS='|' read -r table sqlite clickhouse; do
		[ -n "$table" ] || continue
		same "$1: $table" "$(sed -n "s/^$table //p" wanted)" \
			"$(ask "SELECT $clickhouse FROM $table FINAL" | tr '\t' ' ')"
	done <<<"$fleet_figures"
}

# fleet_questions URL: every query that is shipped is answered, into QUERY.csv, and as the runs have it
fleet_questions() {
	local query
	while read -r query; do
		if "$DMASCOPE" fleet "$query" "$1" --base build0 --head build1 --format csv >"$query.csv" 2>err; then
			ok "asking: $query"
		else
			not_ok "asking: $query" "$(head -1 err)"
		fi
	done < <("$DMASCOPE" fleet --list --format csv | sed -n '1d; s/^"\([^"]*\)".*/\1/p')
	same 'audit finds nothing' 1 "$(wc -l <audit.csv)"
	same 'findings by fingerprint add up' "$(all_of 'SELECT sum(count) FROM finding_group')" \
		"$(sed 1d findings.csv | awk -F, '{ n += $5 } END { print n }')"
	same 'lifetimes add up' "$(all_of "SELECT sum(count) FROM histogram WHERE measure = 'lifetime'")" \
		"$(sed 1d lifetimes.csv | awk -F, '{ n += $5 } END { print n }')"
}
