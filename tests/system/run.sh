#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs the system tests, one after the other, and sums them up in the last line.
#
# Environment: BUILD, SRCDIR, DMASCOPE as the tests get them; DMS_SUM, if set, names a file for
# "passed failed skipped". Arguments: names (guest_systest.sh) to run only these.
# Exit: 0 none failed, 1 not.
set -u
: "${SRCDIR:=.}" "${BUILD:=build}"
here=$SRCDIR/tests/system
logs=$BUILD/systest-logs
passed=0 failed=0 skipped=0
mkdir -p "$logs" || exit 1

# run SCRIPT: what it says is shown while it says it
run() {
	local log=$logs/${1##*/}.log code bad
	bash "$1" </dev/null | tee "$log"
	code=${PIPESTATUS[0]}
	bad=$(grep -c '^not ok - ' "$log")
	if ! grep -qE '^(not ok|ok|skip) - ' "$log" || { [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
		echo "not ok - ${1##*/}: ended with code $code"
		bad=$((bad + 1))
	fi
	passed=$((passed + $(grep -c '^ok - ' "$log")))
	failed=$((failed + bad))
	skipped=$((skipped + $(grep -c '^skip - ' "$log")))
}

for script in "$here"/*_systest.sh; do
	[ $# -eq 0 ] || [[ " $* " == *" ${script##*/} "* ]] || continue
	run "$script"
done
if [ $((passed + failed + skipped)) -eq 0 ]; then
	echo "not ok - run.sh: no test ran"
	failed=1
fi
[ -n "${DMS_SUM-}" ] && echo "$passed $failed $skipped" >"$DMS_SUM"
echo "systest: $passed passed, $failed failed, $skipped skipped; logs in $logs"
[ "$failed" -eq 0 ]
