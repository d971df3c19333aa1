#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Print the cluster's tables, made of those of a single node (the argument). POSIX tools only.
set -eu
export LC_ALL=C

cat <<'END'
-- SPDX-License-Identifier: LGPL-2.1-only
-- dmascope's tables in ClickHouse, for a cluster. Made by cluster.sh of single.sql: edit that.
--
-- The cluster is called dmascope in remote_servers, every server has the macros shard and replica.
-- A table's rows lie in <table>_local of each shard and its replicas, all rows of one run on one
-- shard; the table itself is Distributed and holds nothing.

CREATE DATABASE IF NOT EXISTS dmascope ON CLUSTER dmascope;
END
awk '
	/^CREATE TABLE/ {
		table = $6
		print "\nCREATE TABLE IF NOT EXISTS dmascope." table "_local ON CLUSTER dmascope ("
		inside = 1
		next
	}
	/^\) ENGINE = ReplacingMergeTree/ {
		version = /\(/ ? ", " substr($4, index($4, "(") + 1) : ")"
		print ") ENGINE = ReplicatedReplacingMergeTree("
		print "\t'"'"'/clickhouse/tables/{shard}/dmascope/" table "'"'"', '"'{replica}'"'" version
		next
	}
	/;$/ && inside {
		print
		key = table == "runs" ? "capture" : "run_id"
		print "\nCREATE TABLE IF NOT EXISTS dmascope." table " ON CLUSTER dmascope"
		print "AS dmascope." table "_local"
		print "ENGINE = Distributed(dmascope, dmascope, " table "_local, cityHash64(" key "));"
		inside = 0
		next
	}
	inside' "$1"
