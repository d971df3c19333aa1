#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tables and every shipped query on a ClickHouse of today: the library in npm's package chdb, which
# brings it prebuilt. The same runs are pushed to it and to Debian's server; rows and answers are equal.
#
# `make fleettest` runs it: the package takes 550 MB in build/cache, so `make check` does not fetch it.
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}" "${BUILD:=build}" "${FLEET_RUNS:=12}"
DMASCOPE=$(realpath "$DMASCOPE")
SRCDIR=$(realpath "$SRCDIR")
BUILD=$(realpath "$BUILD")
. "$SRCDIR/tests/lib/clickhouse.sh"
. "$SRCDIR/tests/lib/npm.sh"
. "$SRCDIR/tests/lib/fleet.sh"
work=$(mktemp -d) || exit 1
suite=today failed=0 today=
finish() {
	clickhouse_stop_all
	[ -z "$today" ] || { kill -KILL "$today" && wait "$today"; } 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1
if ! clickhouse_find; then
	echo 'skip - today: clickhouse-server is not installed (./dev deps)'
	exit 0
fi
if ! command -v node >/dev/null; then
	echo 'skip - today: node is not installed'
	exit 0
fi
if ! module=$(npm_package chdb 3.4.0 2>why); then
	echo "skip - today: chdb of npm: $(head -1 why)"
	exit 0
fi

mkdir today
node "$SRCDIR/tests/lib/clickhouse-today.js" "$module" "$work/today" >port 2>today/err &
today=$!
for ((i = 0; i < 600; i++)); do
	[ -s port ] && break
	kill -0 "$today" 2>/dev/null || break
	sleep 0.1
done
if ! [ -s port ]; then # such as glibc being too old for it
	echo "skip - today: chdb does not run here: $(grep -m 1 Error today/err)"
	exit 0
fi
clickhouse_start "$work/debian" || { not_ok 'the server starts' "$(tail -n 1 debian/out)"; exit 1; }
debian_port=$clickhouse_port today_port=$(cat port)
port=$today_port
ask() { clickhouse_ask "$port" "$1" lab; }
release() { clickhouse_ask "$1" 'SELECT version()'; }
echo "# Debian's $(release "$debian_port"), today's $(release "$today_port")" >&2
if [ "$(release "$today_port" | cut -d. -f1)" -ge 25 ]; then ok 'it is of today'; else
	not_ok 'it is of today' "$(release "$today_port")"
fi

# ---- the same runs into both
fleet_runs "$FLEET_RUNS" 2100
cp "$SRCDIR"/tests/fixtures/*.dat .
n=9000
for trace in stock-6.12-zoo lab-7.2-fault lab-7.2-probes twin-7.2-overrun stock-7.2-swiotlb-bind; do
	n=$((n + 1))
	"$DMASCOPE" analyze -q $trace.dat -o run$n.db >/dev/null || not_ok "analyze $trace" 'it failed'
done
rm -f ./*.dat
fleet_count
push_all() { # each as another host's or another day's
	local run n=0
	for run in run*.db; do
		n=$((n + 1))
		"$DMASCOPE" push "$run" "$url" --host "host$((n % 12))" --build "build$((n / 2 % 2))" \
			--taken "2026-03-$((10 + n % 9))" --retry 5 >>out 2>err || not_ok "$port: pushing $run" "$(head -1 err)"
	done
}
for port in $debian_port $today_port; do
	url=http://127.0.0.1:$port/lab
	"$DMASCOPE" fleet --init "$url" 2>err && "$DMASCOPE" fleet --init "$url" 2>err
	same "$port: the tables are made" 0 $?
	push_all
	"$DMASCOPE" push run0001.db "$url" --host host1 --build build0 --taken 2026-03-11 >again 2>err
	same "$port: pushed again" '0 runs pushed, 1 there already' "$(grep -o '^0 runs pushed, 1 there already' again)"
	# as if the first push had been cut before its end
	ask 'TRUNCATE TABLE runs' >said
	push_all
	fleet_compare "$port"
done

# ---- rows, and the answers of every query with and without words
n_rows=0
while read -r table; do
	port=$debian_port
	columns=$(ask "SELECT name FROM system.columns WHERE database = 'lab' AND table = '$table'
		AND name NOT IN ('pushed', 'run_id', 'capture')" | paste -sd,)
	for port in $debian_port $today_port; do
		ask "SELECT lower(hex(run_id)), $columns FROM $table FINAL ORDER BY run_id, $columns" >"$table.$port"
	done
	n_rows=$((n_rows + $(wc -l <"$table.$debian_port")))
	if [ -s "$table.$debian_port" ] && diff "$table.$debian_port" "$table.$today_port" >differences; then
		ok "the same rows: $table"
	else
		not_ok "the same rows: $table" "$(head -3 differences | cut -c1-200 | tr '\n' '|')"
	fi
done < <(sed -n 's/^CREATE TABLE IF NOT EXISTS \([a-z_]*\) (/\1/p' "$SRCDIR/schemas/clickhouse/single.sql")
if [ "$n_rows" -gt 10000 ]; then ok "$n_rows rows"; else not_ok 'many rows' "only $n_rows"; fi
n_rows=0
while read -r query; do
	for words in '' '--driver e1000e --since 2026-03-11' '--host host1 --until 2026-03-15'; do
		for port in $debian_port $today_port; do
			# shellcheck disable=SC2086 # words
			"$DMASCOPE" fleet "$query" "http://127.0.0.1:$port/lab" --base build0 --head build1 $words \
				--format csv >"answer.$port" 2>"err.$port" || not_ok "$query $words" "$(head -1 "err.$port")"
		done
		n_rows=$((n_rows + $(wc -l <"answer.$debian_port") - 1))
		if [ -s "answer.$debian_port" ] && diff "answer.$debian_port" "answer.$today_port" >differences; then
			ok "the same answer: $query $words"
		else
			not_ok "the same answer: $query $words" "$(head -4 differences | tr '\n' '|')"
		fi
	done
done < <("$DMASCOPE" fleet --list --format csv | sed -n '1d; s/^"\([^"]*\)".*/\1/p')
if [ "$n_rows" -gt 200 ]; then ok "$n_rows rows of answers"; else not_ok 'many answers' "only $n_rows rows"; fi
"$DMASCOPE" fleet nosuch "http://127.0.0.1:$today_port/lab" 2>err
"$DMASCOPE" fleet runs "http://127.0.0.1:$today_port/nosuch" 2>err
same 'an error of it is understood' 1 "$(grep -c 'are the tables there' err)"
exit $failed
