#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A fleet in little: two shards under Distributed tables, RUNS generated runs pushed by 4 processes at
# once, a server killed in the middle, and every count and sum as in the databases of SQLite.
#
# `make fleettest`; as anybody, on loopback only. FLEET_RUNS: how many runs (200).
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}" "${BUILD:=build}" "${FLEET_RUNS:=200}"
DMASCOPE=$(realpath "$DMASCOPE")
SRCDIR=$(realpath "$SRCDIR")
BUILD=$(realpath "$BUILD")
. "$SRCDIR/tests/lib/clickhouse.sh"
. "$SRCDIR/tests/lib/fleet.sh"
work=$(mktemp -d) || exit 1
trap 'clickhouse_stop_all; rm -rf "$work"' EXIT
cd "$work" || exit 1
suite=fleettest failed=0
if ! clickhouse_find; then
	echo 'skip - fleettest: clickhouse-server is not installed (./dev deps)'
	exit 0
fi

# ---- two shards; without ZooKeeper, so the tables are not replicated, and made on each of them
mapfile -t ports < <(clickhouse_ports 4)
shards="<remote_servers><dmascope>
	<shard><internal_replication>true</internal_replication>
	<replica><host>127.0.0.1</host><port>${ports[1]}</port></replica></shard>
	<shard><internal_replication>true</internal_replication>
	<replica><host>127.0.0.1</host><port>${ports[3]}</port></replica></shard>
	</dmascope></remote_servers>"
for i in 0 1; do
	clickhouse_config "$work/server$i" "${ports[2 * i]}" "${ports[2 * i + 1]}" "$shards"
	clickhouse_run "$work/server$i" "${ports[2 * i]}" ||
		{ not_ok "server $i starts" "$(tail -n 1 "server$i/out")"; exit 1; }
	"$DMASCOPE" fleet --init --cluster --print | perl -0pe '
		s/ ON CLUSTER dmascope//g;
		s/ReplicatedReplacingMergeTree\(\s*\x27[^\x27]*\x27, \x27\{replica\}\x27(?:, (\w+))?\)/
			"ReplacingMergeTree" . ($1 ? "($1)" : "")/ge;
		s/;\n/\0/g' >schema
	while IFS= read -r -d '' statement; do
		clickhouse_ask "${ports[2 * i]}" "$statement" >said ||
			{ not_ok "the tables of server $i" "$(head -c 300 said)"; exit 1; }
	done <schema
done
ask() { clickhouse_ask "${ports[0]}" "$1" dmascope; }
url=http://127.0.0.1:${ports[0]}/dmascope

# ---- runs
fleet_runs "$FLEET_RUNS" 500
fleet_count

# ---- pushed by four at once, from both servers; one of these dies and comes back
pusher() { # NUMBER: every fourth run, a host's ten together
	local run i url=http://127.0.0.1:${ports[2 * ($1 % 2)]}/dmascope
	local -a runs=() group
	for run in run*.db; do
		i=$((10#${run//[!0-9]/}))
		[ $((i % 4)) -eq "$1" ] && runs+=("$run")
	done
	for ((i = 0; i < ${#runs[@]}; i += 10)); do
		group=("${runs[@]:i:10}")
		"$DMASCOPE" push "${group[@]}" "$url" --host "host$(($1 * 100 + i / 10))" \
			--build "build$((i / 10 % 3))" --taken 2026-03-01 --retry 300 >>"out$1" 2>>"err$1" ||
			echo "$1: exit code $?" >>failures
	done
}
: >failures
SECONDS=0
for i in 0 1 2 3; do
	pusher $i &
	pushers[i]=$!
done
# in the middle: something is there, and not all
until n=$(ask 'SELECT count() FROM runs' 2>/dev/null) && [ "${n:-0}" -ge $((FLEET_RUNS / 10)) ]; do
	kill -0 "${pushers[0]}" 2>/dev/null || break
	sleep 0.05
done
clickhouse_kill "$work/server1"
ok "a server was killed with $n of $FLEET_RUNS runs there"
sleep 3
clickhouse_run "$work/server1" "${ports[2]}" || not_ok 'the server comes back' "$(tail -n 1 server1/out)"
wait "${pushers[@]}"
echo "# pushing took $SECONDS s" >&2
same 'every push came to a good end' 'none' "$([ -s failures ] && cat failures failures || echo none)"
if [ "$n" -lt "$FLEET_RUNS" ] && grep -q 'trying again' err?; then ok 'pushes had to wait for it'; else
	not_ok 'pushes had to wait for it' "killed with $n runs there"
fi

# ---- counts and sums
same 'runs' "$FLEET_RUNS" "$(ask 'SELECT count() FROM runs FINAL')"
for i in 0 1; do
	n=$(clickhouse_ask "${ports[2 * i]}" 'SELECT count() FROM runs_local' dmascope)
	if [ "$n" -gt $((FLEET_RUNS / 5)) ]; then ok "shard $i has its part"; else not_ok "shard $i has its part" "$n"; fi
done
fleet_compare 'both shards'

# ---- the same again: nothing changes
before=$(ask 'SELECT count(), sum(cityHash64(run_id)) FROM runs FINAL')
for run in run0001.db run0002.db run0003.db; do
	"$DMASCOPE" push "$run" "$url" --host "host$((10#${run:3:4} % 4 * 100))" --build build0 \
		--taken 2026-03-01 >>again 2>&1
done
same 'pushed again: there already' 3 "$(grep -c '1 there already' again)"
same 'pushed again: nothing changes' "$before" "$(ask 'SELECT count(), sum(cityHash64(run_id)) FROM runs FINAL')"

# ---- the shipped queries, over both shards
fleet_questions "$url"
clickhouse_stop_all

# ---- the same with replicas; and on a release of today
for more in replicated today; do
	bash "$SRCDIR/tests/system/fleettest_$more.sh" || failed=1
done
exit $failed
