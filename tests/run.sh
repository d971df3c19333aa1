#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs every test program and shell test of one build, as many beside each other as there are CPUs,
# and sums them up; what they say is printed in the order of their names.
#
# Environment: BUILD, SRCDIR, DMASCOPE as the tests get them; DMS_SUM, if set, names a file for
# "passed failed skipped"; DMS_TEST_JOBS how many run at a time. Arguments: names (check_stats, cli_test.sh) to run only these.
# Exit: 0 all passed, 1 not.
set -u
LC_ALL=C
: "${BUILD:?}" "${SRCDIR:?}" "${DMASCOPE:=$BUILD/dmascope}"
export LC_ALL BUILD SRCDIR DMASCOPE
logs=$BUILD/tests/logs
limit_seconds=${DMS_TEST_SECONDS:-300}
# Check gives a case 4 seconds: too few under sanitizers on a busy machine
export CK_DEFAULT_TIMEOUT=${CK_DEFAULT_TIMEOUT:-60}
n_jobs=${DMS_TEST_JOBS:-$(nproc)}
passed=0 failed=0 skipped=0
mkdir -p "$logs" || exit 1
rm -f "$logs"/*.said "$logs"/*.sum

# add NAME PASSED FAILED SKIPPED SECONDS
add() {
	printf '%-28s %4d passed %3d failed %3d skipped %4d s\n' "$@"
	echo "$2 $3 $4" >"$logs/$1.sum"
}

started=() n_told=0
# Print what has ended, up to the first that has not.
tell() {
	local name p f s
	while [ $n_told -lt ${#started[@]} ] && name=${started[n_told]} && [ -s "$logs/$name.sum" ]; do
		cat "$logs/$name.said"
		read -r p f s <"$logs/$name.sum"
		passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
		n_told=$((n_told + 1))
	done
}

# start FUNCTION TEST: as soon as there is room
start() {
	while [ "$(jobs -rp | wc -l)" -ge "$n_jobs" ]; do
		wait -n
	done
	tell
	"$1" "$2" >"$logs/${2##*/}.said" 2>&1 &
	started+=("${2##*/}")
}

# A program of the Check library: its closing line counts, and without one it has crashed.
run_program() {
	local name=${1##*/} log=$logs/${1##*/}.log begin=$SECONDS code sums total=0 bad=0
	timeout "$limit_seconds" "$1" </dev/null >"$log" 2>&1
	code=$?
	sums=$(sed -nE 's/^[0-9]+%: Checks: ([0-9]+), Failures: ([0-9]+), Errors: ([0-9]+)$/\1 \2 \3/p' \
		"$log" | awk '{ n += $1; bad += $2 + $3 } END { if (NR) print n, bad }')
	[ -n "$sums" ] && read -r total bad <<<"$sums"
	grep -E '^[^ ]+:[0-9]+:[EF]:' "$log" | sed "s/^/not ok - $name: /"
	if [ "$total" -eq 0 ] || { [ $code -ne 0 ] && [ "$bad" -eq 0 ]; }; then
		echo "not ok - $name: ended with code $code after $total cases; its last words:"
		tail -n 20 "$log" | sed 's/^/    /'
		total=$((total + 1)) bad=$((bad + 1))
	fi
	add "$name" $((total - bad)) "$bad" 0 $((SECONDS - begin))
}

# A shell test: its lines "ok - ", "not ok - " and "skip - " count.
run_script() {
	local name=${1##*/} log=$logs/${1##*/}.log begin=$SECONDS code good bad skips
	timeout "$limit_seconds" bash "$1" </dev/null >"$log" 2>"$log.stderr"
	code=$?
	good=$(grep -c '^ok - ' "$log")
	bad=$(grep -c '^not ok - ' "$log")
	skips=$(grep -c '^skip - ' "$log")
	grep -E '^(not ok|skip) - ' "$log"
	if [ $((good + bad + skips)) -eq 0 ] || { [ $code -ne 0 ] && [ "$bad" -eq 0 ]; }; then
		echo "not ok - $name: ended with code $code after $good good cases"
		bad=$((bad + 1))
	fi
	[ "$bad" -gt 0 ] && tail -n 20 "$log.stderr" | sed 's/^/    /'
	add "$name" "$good" "$bad" "$skips" $((SECONDS - begin))
}

# wanted FILE: it is there, and named if names were given
wanted() {
	local name
	[ -f "$1" ] || return 1
	[ ${#only[@]} -eq 0 ] && return 0
	for name in "${only[@]}"; do
		[ "$name" = "${1##*/}" ] && return 0
	done
	return 1
}

only=("$@")
for source in "$SRCDIR"/tests/check_*.c; do
	name=${source##*/}
	wanted "$BUILD/tests/${name%.c}" && start run_program "$BUILD/tests/${name%.c}"
done
for script in "$SRCDIR"/tests/*_test.sh; do
	wanted "$script" && start run_script "$script"
done
wait
tell
if [ $n_told -ne ${#started[@]} ]; then
	echo "not ok - ${started[n_told]}: its runner died"
	failed=$((failed + 1))
fi
if [ $((passed + failed + skipped)) -eq 0 ]; then
	echo "not ok - run.sh: no test ran"
	failed=1
fi
[ -n "${DMS_SUM-}" ] && echo "$passed $failed $skipped" >"$DMS_SUM"
echo "tests: $passed passed, $failed failed, $skipped skipped; logs in $logs"
[ "$failed" -eq 0 ]
