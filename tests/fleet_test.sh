#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dmascope push and fleet: against Debian's ClickHouse on loopback, over good and bad networks.
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}"
DMASCOPE=$(realpath "$DMASCOPE")
SRCDIR=$(realpath "$SRCDIR")
BUILD=$(realpath "${BUILD:-build}")
fixtures=$SRCDIR/tests/fixtures
unset DMASCOPE_FLEET_USER DMASCOPE_FLEET_PASSWORD DMASCOPE_FLEET_CREDENTIALS http_proxy https_proxy
. "$SRCDIR/tests/lib/clickhouse.sh"
work=$(mktemp -d) || exit 1
proxy=
finish() {
	[ -n "$proxy" ] && kill "$proxy" 2>/dev/null
	clickhouse_stop_all
	rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1
failed=0

ok() { echo "ok - fleet: $1"; }
not_ok() {
	echo "not ok - fleet: $1: $2"
	failed=1
}
# gives NAME CODE COMMAND...: the exit code of dmascope COMMAND; its outputs in out and err
gives() {
	local name=$1 wanted=$2 code
	shift 2
	"$DMASCOPE" "$@" >out 2>err </dev/null
	code=$?
	if [ $code -eq "$wanted" ]; then ok "$name"; else
		not_ok "$name" "exit code $code, not $wanted: $(head -1 err)"
	fi
}
has() {
	if grep -qF -- "$2" "$3"; then ok "$1"; else not_ok "$1" "no '$2' in $(head -c 300 "$3" | tr '\n' '|')"; fi
}
lacks() {
	if grep -qF -- "$2" "$3"; then not_ok "$1" "'$2' in $(head -c 300 "$3" | tr '\n' '|')"; else ok "$1"; fi
}
one_line() {
	if [ "$(wc -l <err)" -eq 1 ]; then ok "$1"; else not_ok "$1" "$(wc -l <err) lines: $(head -2 err | tr '\n' '|')"; fi
}
same() { # NAME WANTED GOT
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "'$3', not '$2'"; fi
}
analyze() {
	local from=$1 to=$2
	shift 2
	"$DMASCOPE" analyze -q "$fixtures/$from.dat" -o "$to" "$@" >/dev/null 2>err || not_ok "analyze $from" "$(head -1 err)"
}
# bad_network ARGUMENT...: clickhouse-proxy.pl; its port into $proxy_port
bad_network() {
	[ -n "$proxy" ] && kill "$proxy" 2>/dev/null && wait "$proxy" 2>/dev/null
	: >proxy.port
	perl "$SRCDIR/tests/lib/clickhouse-proxy.pl" "$@" >proxy.port 2>proxy.err &
	proxy=$!
	until [ -s proxy.port ] || ! kill -0 "$proxy" 2>/dev/null; do sleep 0.05; done
	proxy_port=$(head -n 1 proxy.port)
}

analyze stock-6.12-zoo zoo.db
analyze lab-7.2-probes probes.db
analyze twin-7.2-overrun lossy.db
here=http://127.0.0.1:1 # nobody listens there

# ---- what needs no server: usage, secrets, counting, the spool
gives 'no operand' 2 push
one_line 'no operand: one line'
gives 'no URL' 2 push zoo.db
gives 'not http' 2 push zoo.db ftp://127.0.0.1/x
gives 'a table there is not' 2 push zoo.db $here --without maping
has 'the nearest table' "did you mean 'mappings'" err
gives 'without its row a run is none' 2 push zoo.db $here --without runs
gives 'a time that is none' 2 push zoo.db $here --taken yesterday
gives 'a word instead of a database' 3 push nosuch.db $here
gives 'a trace instead of a database' 3 push "$fixtures/twin-7.2.dat" $here --host x
gives 'a password in the URL' 2 push zoo.db http://joe:t0psecret@127.0.0.1/
lacks 'is not repeated' t0psecret err
printf 'user joe\npassword t0psecret\n' >secrets
chmod 644 secrets
gives 'credentials that others can read' 3 push zoo.db $here --credentials secrets
has 'chmod is named' 'chmod 600' err
lacks 'are not repeated' t0psecret err
chmod 600 secrets
gives 'a password in the clear to another machine' 3 push zoo.db http://192.0.2.1 --credentials secrets
has 'https is named' https err
printf 'password\n' >empty
chmod 600 empty
gives 'a file of credentials that is none' 3 push zoo.db $here --credentials empty
has 'its line is named' 'empty:1:' err
gives 'nobody listens' 3 push zoo.db $here --host h --retry 1 --credentials secrets
has 'it was tried again' 'trying again' err
lacks 'the password is in no message' t0psecret err
gives 'counted only' 0 push --dry-run zoo.db --host h
for pair in mappings:mapping devices:device counters:device_counter series:series \
	histograms:histogram findings:finding finding_groups:finding_group call_sites:call_site; do
	same "dry run counts ${pair%:*}" "$(sqlite3 zoo.db "SELECT count(*) FROM ${pair#*:}")" \
		"$(awk -v t="${pair%:*}" '$1 == t { print $2 }' out)"
done
gives 'counted without mappings' 0 push -n zoo.db --host h --without mappings --without series
same 'none are counted' '0 0' "$(awk '$1 == "mappings" || $1 == "series" { print $2 }' out | xargs)"

gives 'into the spool' 0 push zoo.db probes.db --spool spool --host "o'host" --build 'b\1' --taken 2026-03-01
gives 'into the spool again' 0 push zoo.db --spool spool --host "o'host" --build 'b\1' --taken 2026-03-01
same 'the same run is one file' 2 "$(find spool -name '*.db' | wc -l)"
same 'nobody else looks into the spool' '700 600' \
	"$(stat -c %a spool "$(find spool -name '*.db' | head -1)" | xargs)"
touch spool/half.db.part
gives 'the spool waits for the server' 0 push --spool spool $here --retry 1
has 'it is said what waits' '2 runs wait' out
same 'nothing is lost' 2 "$(find spool -name '*.db' | wc -l)"
same 'a leftover is removed' '' "$(find spool -name '*.part')"
(exec 9>spool/.lock && flock 9 && exec sleep 60) &
holder=$!
sleep 0.3
gives 'two do not send one spool' 3 push --spool spool $here --retry 1
kill $holder
wait $holder 2>/dev/null

gives 'the list of queries' 0 fleet --list
has 'a query' 'lifetimes' out
gives 'a query there is not' 2 fleet lifetime $here
has 'the nearest query' "did you mean 'lifetimes'" err
gives 'a query without a server' 2 fleet leaks
gives 'a word is missing' 2 fleet diff $here --base 6.1
has 'which one' '--head' err
gives 'the SQL' 0 fleet diff --print --base "a'b\\" --head x
has 'words are quoted' "build = 'a\\'b\\\\'" out
gives 'the schema' 0 fleet --init --print
has 'a table' 'CREATE TABLE IF NOT EXISTS mappings' out
gives 'the schema of a cluster' 0 fleet --init --print --cluster
has 'replicated' 'ReplicatedReplacingMergeTree' out
same 'the schema of a cluster is made of the other' '' \
	"$(sh "$SRCDIR/schemas/clickhouse/cluster.sh" "$SRCDIR/schemas/clickhouse/single.sql" |
		diff - "$SRCDIR/schemas/clickhouse/cluster.sql" | head -3)"

# ---- what a server may say
printf 'HTTP/1.0 500 No\r\n\r\nCode: 62, e.displayText() = \033[31mDB::\007Exception\nsecond\n' >answer
bad_network answer answer
gives 'an error of the server' 3 push zoo.db "http://127.0.0.1:$proxy_port" --host h
one_line 'an error is one line'
has 'it is shown with what it holds' '\x1b[31mDB::\x07Exception' err
printf 'HTTP/1.0 200 OK\r\n\r\nname\nString\nno end' >answer
gives 'an answer that is cut' 3 fleet runs "http://127.0.0.1:$proxy_port"
printf 'HTTP/1.0 200 OK\r\n\r\n' >answer
gives 'an empty answer' 3 fleet runs "http://127.0.0.1:$proxy_port"

# More than 256 MiB: refused when that is certain, and not asked for again.
too_long='the answer is longer than 256 MiB'
printf 'HTTP/1.0 200 OK\r\nContent-Length: 268435457\r\n\r\n' >answer
bad_network answer answer
gives 'an answer that says it is too long' 3 fleet runs "http://127.0.0.1:$proxy_port"
one_line 'it is refused in one line'
has 'the limit is named' "$too_long" err
printf 'HTTP/1.0 200 OK\r\n\r\n' >answer
bad_network answer answer mib 512
enough=(--max-memory 384M) # 256, and all else
grep -q -e __asan_init -e __tsan_init "$DMASCOPE" && enough=() # a sanitizer's own is counted
gives 'an answer that goes on' 3 "${enough[@]}" fleet runs "http://127.0.0.1:$proxy_port"
one_line 'it is refused in one line too'
has 'the limit is named too' "$too_long" err
gives 'an answer to a push that goes on' 3 "${enough[@]}" push zoo.db "http://127.0.0.1:$proxy_port" \
	--host h --retry 20
has 'the same limit' "$too_long" err
for _ in $(seq 100); do # the proxy learns a moment later that nobody listens
	[ "$(wc -l <proxy.port)" -ge 3 ] && break
	sleep 0.05
done
same 'asked once each, and not read to the end' '2 of 2' \
	"$(awk 'NR > 1 && $1 < 400 { n++ } END { print n + 0 " of " NR - 1 }' proxy.port)"

# ---- with a server
if ! clickhouse_find; then
	echo 'skip - fleet: with a server: clickhouse-server is not installed (./dev deps)'
	exit $failed
fi
tls=
if command -v openssl >/dev/null; then
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
		-addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
		-keyout key.pem -out cert.pem 2>/dev/null
	tls_port=$(clickhouse_ports 1)
	tls="<https_port>$tls_port</https_port><openSSL><server>
		<certificateFile>$work/cert.pem</certificateFile><privateKeyFile>$work/key.pem</privateKeyFile>
		<verificationMode>none</verificationMode></server></openSSL>"
fi
if ! clickhouse_start "$work/server" "$tls"; then
	not_ok 'the server starts' "$(tail -n 1 "$work/server/out")"
	exit 1
fi
port=$clickhouse_port
url=http://127.0.0.1:$port/lab
ask() { clickhouse_ask "$port" "$1" lab; }
tables=$(sed -n 's/^CREATE TABLE IF NOT EXISTS \([a-z_]*\) (/\1/p' "$SRCDIR/schemas/clickhouse/single.sql")
declare -A columns
# all there is, but the time it was pushed at; of a host: what does not depend on its name
content() {
	local table
	for table in $tables; do
		: "${columns[$table]:=$(ask "SELECT name FROM system.columns WHERE database = 'lab' AND
			table = '$table' AND name NOT IN ('pushed', 'run_id', 'host')" | paste -sd,)}"
		echo "$table"
		ask "SELECT ${columns[$table]} FROM $table FINAL ${1:+WHERE host = '$1'} ORDER BY ${columns[$table]}"
	done | md5sum
}

gives 'no tables' 3 push zoo.db "$url" --host h
has 'no tables: what makes them' 'dmascope fleet --init' err
gives 'the tables are made' 0 fleet --init "$url"
gives 'once is enough' 0 fleet --init "$url"
gives 'a wrong password' 3 push zoo.db "$url" --host h --credentials secrets
lacks 'a wrong password is not told' t0psecret err

gives 'a run' 0 push zoo.db "$url" --host alpha --build 6.12-a --taken '2026-03-01 12:00:00'
for pair in mappings:mapping devices:device counters:device_counter series:series \
	histograms:histogram distributions:distribution call_sites:call_site findings:finding \
	finding_groups:finding_group not_judged:not_judged; do
	same "rows of ${pair%:*}" "$(sqlite3 zoo.db "SELECT count(*) FROM ${pair#*:}")" \
		"$(ask "SELECT count() FROM ${pair%:*}")"
done
ask 'SELECT mapping_id, dma_addr, phys_addr, size_bytes, attrs, segments, entries, map_ns, unmap_ns,
	map_cpu, unmap_cpu, kind, direction, ending, confidence, truncated, bounced, syncs_for_cpu,
	device, device_id FROM mappings ORDER BY mapping_id' >there
sqlite3 -separator $'\t' -nullvalue '\N' zoo.db "SELECT m.id,
	iif(dma_addr IS NULL, NULL, printf('%llu', dma_addr)), iif(phys_addr IS NULL, NULL, printf('%llu', phys_addr)),
	size_bytes, attrs, segments, entries, map_ns, unmap_ns, map_cpu, unmap_cpu, kind, direction, end,
	confidence, truncated, bounced, syncs_for_cpu, coalesce(d.name, ''), coalesce(device_id, 0)
	FROM mapping AS m LEFT JOIN device AS d ON d.id = m.device_id ORDER BY m.id" >sent
if [ -s sent ] && diff sent there >differences; then ok 'every mapping, value by value'; else
	not_ok 'every mapping, value by value' "$(grep -c '^[<>]' differences) lines differ: $(sed -n 2p differences)"
fi
same 'sums of counters' \
	"$(sqlite3 -separator $'\t' zoo.db "SELECT name, sum(value) FROM device_counter WHERE unit <> 'address' GROUP BY 1 ORDER BY 1" | md5sum)" \
	"$(ask "SELECT counter, sum(value) FROM counters WHERE unit <> 'address' GROUP BY counter ORDER BY counter" | md5sum)"
same 'sums of histograms' "$(sqlite3 -separator $'\t' zoo.db 'SELECT measure, sum(count), sum(low), sum(high) FROM histogram GROUP BY 1 ORDER BY 1' | md5sum)" \
	"$(ask 'SELECT measure, sum(count), sum(low), sum(high) FROM histograms GROUP BY measure ORDER BY measure' | md5sum)"
same 'sums of series' "$(sqlite3 -separator $'\t' zoo.db 'SELECT measure, sum(value), sum(start_ns) FROM series GROUP BY 1 ORDER BY 1' | md5sum)" \
	"$(ask 'SELECT measure, sum(value), sum(start_ns) FROM series GROUP BY measure ORDER BY measure' | md5sum)"

before=$(content)
gives 'the same run again' 0 push zoo.db "$url" --host alpha --build 6.12-a --taken '2026-03-01 12:00:00'
has 'it is there already' '1 there already' out
same 'the same run again: nothing changes' "$before" "$(content)"
ask 'TRUNCATE TABLE runs' # as if the first push had been cut before its end
gives 'a push repeated from the beginning' 0 push zoo.db "$url" --host alpha --build 6.12-a --taken '2026-03-01 12:00:00'
same 'a push repeated from the beginning: nothing is twice' "$before" "$(content)"

gives 'the labels are put right' 0 push zoo.db "$url" --host alpha --build 6.12-b --taken '2026-03-01 12:00:00'
gives 'asking for runs' 0 fleet runs "$url" --format csv
same 'the later one stands, once' '"6.12-b"' "$(sed 1d out | cut -d, -f1 | xargs -0 printf %s)"
gives 'asking for mappings' 0 fleet mappings "$url" --format csv
same 'mappings count once' "$(sqlite3 zoo.db 'SELECT count(*) FROM mapping')" \
	"$(sed 1d out | awk -F, '{ n += $4 } END { print n }')"
analyze stock-6.12-zoo later.db -W no-unmap-not-mapped
gives 'a later analysis of the same trace' 0 push later.db "$url" --host alpha --build 6.12-b --taken '2026-03-01 12:00:00'
gives 'asking for findings' 0 fleet findings "$url" --format csv
lacks 'its findings stand' unmap-not-mapped out
same 'the trace is one run' 1 "$(ask 'SELECT count() FROM runs FINAL')"

# ---- a push that is cut anywhere, and repeated
cut_runs=(lossy.db small.db)
analyze oracle-unmap_size_small small.db
gives 'the whole' 0 push "${cut_runs[@]}" "$url" --host whole --taken 2026-03-02
whole=$(content whole)
bytes=$("$DMASCOPE" push -n "${cut_runs[@]}" --host h | awk 'NR > 1 && NF == 4 { n += $3 } END { print n }')
cuts=0 wrong=0 counted=0
for ((at = 400; at < bytes + 8000; at += bytes / 13)); do
	bad_network to "$port" cut "$at"
	"$DMASCOPE" push "${cut_runs[@]}" "http://127.0.0.1:$proxy_port/lab" --host "cut$at" \
		--taken 2026-03-02 --retry 1 >out 2>err
	[ $? -eq 3 ] && cuts=$((cuts + 1)) &&
		[ "$(ask "SELECT count() FROM runs WHERE host = 'cut$at'")" -gt 0 ] && counted=$((counted + 1))
	"$DMASCOPE" push "${cut_runs[@]}" "$url" --host "cut$at" --taken 2026-03-02 >out 2>err
	[ "$(content "cut$at")" = "$whole" ] || wrong=$((wrong + 1))
done
if [ "$cuts" -gt 8 ]; then ok 'pushes were cut'; else not_ok 'pushes were cut' "only $cuts"; fi
same 'a run that is cut does not count' 0 "$counted"
same 'a push that was cut and repeated ends right' 0 "$wrong"
bad_network to "$port" refuse 3
gives 'a server that comes back' 0 push zoo.db "http://127.0.0.1:$proxy_port/lab" --host alpha --retry 20
same 'it was waited for' 3 "$(grep -c 'trying again' err)"

# ---- the spool arrives
gives 'the spool is sent' 0 push --spool spool "$url"
same 'the spool is empty' '' "$(find spool -name '*.db')"
same 'labels have travelled' "o'host b\\1 1772323200" \
	"$(ask "SELECT host, build, toUInt32(taken) FROM runs FINAL WHERE host LIKE 'o%' FORMAT TabSeparatedRaw" | sort -u | tr '\t' ' ')"
cp zoo.db bad.db
sqlite3 bad.db 'UPDATE mapping SET map_cpu = -7 WHERE id = 5; UPDATE run SET value = 1 WHERE key = '"'records'"
gives 'one of three is bad' 3 push lossy.db bad.db probes.db "$url" --host gamma
has 'which one' 'bad.db' err
same 'the others have arrived' 2 "$(ask "SELECT count() FROM runs FINAL WHERE host = 'gamma'")"

# ---- questions
while read -r query; do
	gives "asking: $query" 0 fleet "$query" "$url" --base 6.12-a --head 6.12-b
done < <("$DMASCOPE" fleet --list --format csv | sed -n '1d; s/^"\([^"]*\)".*/\1/p')
gives 'audit' 0 fleet audit "$url" --format csv
same 'all rows are there' 1 "$(wc -l <out)"
"$DMASCOPE" fleet lifetimes "$url" --host gamma --format csv >out 2>err
sqlite3 -separator , probes.db "ATTACH 'lossy.db' AS l;
	SELECT '\"' || release || '\"', sum(count), min(high) FILTER (WHERE passed >= (total * 990 + 999) / 1000)
	FROM (SELECT release, high, count, sum(count) OVER (PARTITION BY release) AS total,
			sum(count) OVER (PARTITION BY release ORDER BY high) AS passed
		FROM (SELECT release, high, sum(count) AS count
			FROM (SELECT r.value AS release, h.* FROM main.histogram AS h JOIN main.run AS r ON r.key = 'kernel'
				UNION ALL
				SELECT r.value, h.* FROM l.histogram AS h JOIN l.run AS r ON r.key = 'kernel')
			WHERE measure = 'lifetime' GROUP BY 1, 2))
	GROUP BY release ORDER BY release" >sent
sed 1d out | cut -d, -f2,5,7 >there
if [ -s sent ] && diff sent there >differences; then ok 'p99 of merged histograms'; else
	not_ok 'p99 of merged histograms' "$(head -c 300 differences | tr '\n' '|')"
fi

# ---- right answers: ten hosts, build v2 leaks, host 9 maps and bounces more, v3 could not look
for i in 1 2 3 4 5 6 7 8 9 10; do
	cp small.db "made$i.db"
	sqlite3 "made$i.db" "UPDATE input_file SET hash = 'made:$i'; UPDATE device SET driver = 'drv';
		DELETE FROM finding_group; DELETE FROM not_judged; DELETE FROM device_counter;
		INSERT INTO device_counter VALUES (1, 'maps', iif($i = 9, 5000, 100 + $i), 'mappings'),
			(1, 'bounced_maps', iif($i = 9, 1000, 0), 'mappings'),
			(1, 'bounced_bytes', iif($i = 9, 4096, 0), 'bytes');
		INSERT INTO finding_group SELECT 1, 'leak-growth', 'error', 'certain', NULL, 1, 'print', $i, 5, NULL
			WHERE $i BETWEEN 6 AND 9;
		INSERT INTO not_judged SELECT 1, 'leak-growth', NULL, 'blind' WHERE $i = 10"
	build=v1
	[ "$i" -gt 5 ] && build=v2
	[ "$i" -gt 9 ] && build=v3
	"$DMASCOPE" push "made$i.db" "$url" --host "made$i" --build $build --taken "2026-04-$((i + 10))" >out 2>err ||
		not_ok "made$i" "$(head -1 err)"
done
# answer NAME WANTED QUERY OPTION...: the rows, without quotes
answer() {
	local name=$1 wanted=$2
	shift 2
	"$DMASCOPE" fleet "$1" "$url" --driver drv --since 2026-04-01 --format csv "${@:2}" >out 2>err
	same "$name" "$wanted" "$(sed 1d out | tr -d '"\r' | paste -sd' ')"
}
answer 'which builds leak, and since which' \
	"drv,v1,2026-04-11 00:00:00,5,0,0,0,0,2026-04-16 00:00:00,v2 $(
	)drv,v2,2026-04-16 00:00:00,4,4,0,4,30,2026-04-16 00:00:00,v2 $(
	)drv,v3,2026-04-20 00:00:00,1,0,1,0,0,2026-04-16 00:00:00,v2" leaks
answer 'which machines bounce' 'made9,drv,1,5000,1000,20,4096,0,0,0' bounces
answer 'who stands out' 'drv,bounced_bytes,made9,4096,0,0,0,10 drv,maps,made9,5000,103,106,108,10' outliers
answer 'findings over hosts' \
	'error,leak-growth,4,4,30,2026-04-16 00:00:00,v2,2026-04-19 00:00:00,v2,print' findings
answer 'new in a build' 'new,error,leak-growth,0,5,4,4,0,30,print' diff --base v1 --head v2
answer 'fixed in a build' 'fixed,error,leak-growth,4,4,0,5,30,0,print' diff --base v2 --head v1
answer 'a build that could not look' 'not judged,error,leak-growth,4,4,0,1,30,0,print' diff --base v2 --head v3
answer 'a build there is not' 'not judged,error,leak-growth,4,4,0,0,30,0,print' diff --base v2 --head v4
answer 'only one host' 'error,leak-growth,1,1,7,2026-04-17 00:00:00,v2,2026-04-17 00:00:00,v2,print' \
	findings --host made7
answer 'only until a day' '' findings --until 2026-04-15

# ---- who we are, and that the server is the one we mean
printf 'user pusher\npassword s3cret\n' >secrets
gives 'credentials of a file' 0 push zoo.db "$url" --host delta --credentials secrets
DMASCOPE_FLEET_USER=pusher DMASCOPE_FLEET_PASSWORD=s3cret gives 'credentials of the environment' 0 \
	push -v -v zoo.db "$url" --host epsilon
lacks 'talk does not tell the password' s3cret err
printf 'user reader\n' >reader
chmod 600 reader
gives 'a user who may only read asks' 0 fleet findings "$url" --credentials reader
gives 'and does not push' 3 push zoo.db "$url" --host eta --credentials reader
if grep -rqF s3cret server/log server/err 2>/dev/null; then not_ok 'the log does not tell it' 'it does'; else ok 'the log does not tell it'; fi
if [ -n "$tls" ]; then
	gives 'a server that nobody vouches for' 3 push zoo.db "https://127.0.0.1:$tls_port/lab" --host zeta
	one_line 'it is not tried again'
	gives 'a server that is vouched for' 0 push zoo.db "https://127.0.0.1:$tls_port/lab" \
		--host zeta --cacert cert.pem --credentials secrets
else
	echo 'skip - fleet: TLS: openssl is not installed'
fi
exit $failed
