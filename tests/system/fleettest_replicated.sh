#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The cluster's schema as it is: ON CLUSTER and Replicated tables on two shards of two replicas each, by
# ZooKeeper; a replica dies while runs are pushed and comes back, and then the one beside it dies.
#
# `make fleettest` runs it; on loopback only. FLEET_RUNS: how many runs (40).
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}" "${BUILD:=build}" "${FLEET_RUNS:=40}"
DMASCOPE=$(realpath "$DMASCOPE")
SRCDIR=$(realpath "$SRCDIR")
BUILD=$(realpath "$BUILD")
. "$SRCDIR/tests/lib/clickhouse.sh"
. "$SRCDIR/tests/lib/zookeeper.sh"
. "$SRCDIR/tests/lib/fleet.sh"
work=$(mktemp -d) || exit 1
suite=replicated failed=0 zookeeper_pid='' pushers=()
finish() {
	[ ${#pushers[@]} -eq 0 ] || kill -KILL -- "${pushers[@]/#/-}" 2>/dev/null
	clickhouse_stop_all
	[ -z "$zookeeper_pid" ] || { kill -KILL "$zookeeper_pid" && wait "$zookeeper_pid"; } 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1
if ! clickhouse_find; then
	echo 'skip - replicated: clickhouse-server is not installed (./dev deps)'
	exit 0
fi
if ! zookeeper_find 2>why; then
	echo "skip - replicated: $(head -1 why)"
	exit 0
fi

# ---- ZooKeeper, and servers 0 and 1 (shard 1), 2 and 3 (shard 2)
mapfile -t ports < <(clickhouse_ports 13)
http=("${ports[@]:0:4}") tcp=("${ports[@]:4:4}") between=("${ports[@]:8:4}")
zookeeper_start "$work/zookeeper" "${ports[12]}" ||
	{ not_ok 'ZooKeeper starts' "$(tail -n 1 zookeeper/out)"; exit 1; }
replica() { echo "<replica><host>127.0.0.1</host><port>${tcp[$1]}</port></replica>"; }
# Who dies between a part and its name in ZooKeeper sets it aside when it comes back; 18.16 does not start
# where that is half of a table, which in tables as small as these one part is: merge_tree.
cluster="<zookeeper><node><host>127.0.0.1</host><port>${ports[12]}</port></node>
	<session_timeout_ms>10000</session_timeout_ms></zookeeper>
	<distributed_ddl><path>/clickhouse/task_queue/ddl</path></distributed_ddl>
	<merge_tree><replicated_max_ratio_of_wrong_parts>1</replicated_max_ratio_of_wrong_parts></merge_tree>
	<remote_servers><dmascope>
	<shard><internal_replication>true</internal_replication>$(replica 0)$(replica 1)</shard>
	<shard><internal_replication>true</internal_replication>$(replica 2)$(replica 3)</shard>
	</dmascope></remote_servers>"
for i in 0 1 2 3; do
	clickhouse_config "$work/server$i" "${http[i]}" "${tcp[i]}" "$cluster
		<interserver_http_port>${between[i]}</interserver_http_port>
		<interserver_http_host>127.0.0.1</interserver_http_host>
		<macros><shard>$((i / 2 + 1))</shard><replica>server$i</replica></macros>"
	clickhouse_run "$work/server$i" "${http[i]}" ||
		{ not_ok "server $i starts" "$(tail -n 1 "server$i/out")"; exit 1; }
done
on() { clickhouse_ask "${http[$1]}" "$2" dmascope; }
asked=0
ask() { on "$asked" "$1"; }
url() { echo "http://127.0.0.1:${http[$1]}/dmascope"; }

# ---- the tables, made by one server on all
if "$DMASCOPE" fleet --init --cluster "$(url 0)" 2>err; then ok 'the tables are made'; else
	not_ok 'the tables are made' "$(head -1 err)"
	exit 1
fi
"$DMASCOPE" fleet --init --cluster "$(url 3)" 2>err
same 'made again, by another server: nothing changes' 0 $?
mapfile -t tables < <(sed -n 's/^CREATE TABLE IF NOT EXISTS \([a-z_]*\) (/\1/p' "$SRCDIR/schemas/clickhouse/single.sql")
n_tables=${#tables[@]}
for i in 0 1 2 3; do
	same "server $i has them" "$n_tables $n_tables" "$(on $i "SELECT
		countIf(engine = 'ReplicatedReplacingMergeTree'), countIf(engine = 'Distributed')
		FROM system.tables WHERE database = 'dmascope'" | tr '\t' ' ')"
done

# copied SERVER: it has all that its shard has; one that just started says so before it has read what is to do
copied() {
	local table tries
	for table in "${tables[@]}"; do
		for ((tries = 0; tries < 300; tries++)); do
			on "$1" "SYSTEM SYNC REPLICA ${table}_local" >said || break
			on "$1" "SELECT numChildren FROM system.zookeeper WHERE name = 'queue'
				AND path = '/clickhouse/tables/$(($1 / 2 + 1))/dmascope/$table/replicas/server$1'" >said || break
			[ "$(cat said)" = 0 ] && continue 2
			sleep 0.2
		done
		not_ok "server $1: $table" "$(head -c 300 said)"
	done
}

# ---- pushed by two at once; a replica dies, and the pushes go on without it
fleet_runs "$FLEET_RUNS" 2100
fleet_count
pusher() { # NUMBER: every second run, five together, by way of server 0 or 2
	local i
	local -a runs=()
	for ((i = 1 + $1; i <= FLEET_RUNS; i += 2)); do runs+=("$(printf 'run%04d.db' "$i")"); done
	for ((i = 0; i < ${#runs[@]}; i += 5)); do
		"$DMASCOPE" push "${runs[@]:i:5}" "$(url $((2 * $1)))" --host "host$1$i" --build "build$((i / 5 % 2))" \
			--taken 2026-03-01 --retry 300 >>"out$1" 2>>"err$1" || echo "$1: exit code $?" >>failures
	done
}
: >failures
set -m # a pusher and the push it runs are one group
pusher 0 &
pushers=($!)
pusher 1 &
pushers+=($!)
set +m
until n=$(ask 'SELECT count() FROM runs' 2>/dev/null) && [ "${n:-0}" -ge $((FLEET_RUNS / 10)) ]; do
	kill -0 "${pushers[0]}" 2>/dev/null || break
	sleep 0.05
done
# What a replica alone has goes with it until it is back: pushes stand still until all is copied, and it dies
# in the middle of them.
kill -STOP -- "${pushers[@]/#/-}"
sleep 1
copied 2
clickhouse_kill "$work/server3"
kill -CONT -- "${pushers[@]/#/-}"
wait "${pushers[@]}"
pushers=()
for i in 0 2; do copied $i; done
if [ "${n:-0}" -lt "$FLEET_RUNS" ]; then ok "a replica was killed with $n of $FLEET_RUNS runs there"; else
	not_ok 'a replica was killed in the middle' "all runs were there"
fi
same 'every push came to a good end without it' 'none' "$([ -s failures ] && cat failures failures || echo none)"
same 'runs' "$FLEET_RUNS" "$(ask 'SELECT count() FROM runs FINAL')"
fleet_compare 'without it'

# ---- it comes back, and has all of it
clickhouse_run "$work/server3" "${http[3]}" ||
	{ not_ok 'the replica comes back' "$(grep -o 'Application: .*' server3/err | tail -n 1 | head -c 500)"; exit 1; }
for i in 0 1 2 3; do copied $i; done
# all that a server itself has of a table, in order
content() {
	local columns
	columns=$(on "$1" "SELECT name FROM system.columns WHERE database = 'dmascope' AND table = '$2_local'" | paste -sd,)
	on "$1" "SELECT $columns FROM $2_local FINAL ORDER BY $columns" | md5sum
}
for table in "${tables[@]}"; do
	same "replicas have the same: $table" "$(content 0 "$table") $(content 2 "$table")" \
		"$(content 1 "$table") $(content 3 "$table")"
done
for i in 0 2; do
	n=$(on $i 'SELECT count() FROM runs_local FINAL')
	if [ "$n" -gt $((FLEET_RUNS / 5)) ]; then ok "shard $((i / 2 + 1)) has its part"; else
		not_ok "shard $((i / 2 + 1)) has its part" "$n"
	fi
done

# ---- the servers that took everything die: the others have it
clickhouse_kill "$work/server2"
clickhouse_kill "$work/server0"
asked=1
fleet_compare 'of the others'
fleet_questions "$(url 1)"
before=$(ask 'SELECT count(), sum(cityHash64(run_id)) FROM runs FINAL')
if "$DMASCOPE" push run0001.db "$(url 3)" --host host00 --build build0 --taken 2026-03-01 >out 2>err &&
	grep -q '1 there already' out; then ok 'pushed again: there already'; else
	not_ok 'pushed again: there already' "$(cat out err | head -1)"
fi
same 'pushed again: nothing changes' "$before" "$(ask 'SELECT count(), sum(cityHash64(run_id)) FROM runs FINAL')"

# ---- rows that were deleted and are pushed once more must not be taken for a repetition
for table in "${tables[@]}"; do
	for i in 1 3; do on $i "ALTER TABLE ${table}_local DELETE WHERE 1" >said || not_ok "deleting from $table" "$(head -c 300 said)"; done
done
for i in 1 3; do
	for ((n = 0; n < 600; n++)); do
		[ "$(on $i 'SELECT count() FROM system.mutations WHERE NOT is_done')" = 0 ] && break
		sleep 0.2
	done
done
same 'all is deleted' '0' "$(ask 'SELECT count() FROM mappings')"
: >failures
pusher_again() { # as pusher, the servers that live
	http[0]=${http[1]} http[2]=${http[3]}
	pusher "$1"
}
pusher_again 0
pusher_again 1
same 'pushed again after that' 'none' "$([ -s failures ] && cat failures failures || echo none)"
fleet_compare 'pushed again after that'
exit $failed
