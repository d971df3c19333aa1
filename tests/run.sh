#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs every test program and shell test of one build and sums them up.
#
# Environment: BUILD, SRCDIR, DMASCOPE as the tests get them; DMS_SUM, if set, names a file for
# "passed failed skipped". Arguments: names (check_stats, cli_test.sh) to run only these.
# Exit: 0 all passed, 1 not.
set -u
LC_ALL=C
: "${BUILD:?}" "${SRCDIR:?}" "${DMASCOPE:=$BUILD/dmascope}"
export LC_ALL BUILD SRCDIR DMASCOPE
logs=$BUILD/tests/logs
limit_seconds=${DMS_TEST_SECONDS:-300}
# Check gives a case 4 seconds: too few under sanitizers on a busy machine
export CK_DEFAULT_TIMEOUT=${CK_DEFAULT_TIMEOUT:-60}
passed=0 failed=0 skipped=0
mkdir -p "$logs" || exit 1

# add NAME PASSED FAILED SKIPPED SECONDS
add() {
	passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
	printf '%-28s %4d passed %3d failed %3d skipped %4d s\n' "$@"
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
	wanted "$BUILD/tests/${name%.c}" && run_program "$BUILD/tests/${name%.c}"
done
for script in "$SRCDIR"/tests/*_test.sh; do
	wanted "$script" && run_script "$script"
done
if [ $((passed + failed + skipped)) -eq 0 ]; then
	echo "not ok - run.sh: no test ran"
	failed=1
fi
[ -n "${DMS_SUM-}" ] && echo "$passed $failed $skipped" >"$DMS_SUM"
echo "tests: $passed passed, $failed failed, $skipped skipped; logs in $logs"
[ "$failed" -eq 0 ]
