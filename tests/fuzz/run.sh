#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fuzz targets one after the other, seeded, for FUZZ_SECONDS each; what was found stays in
# BUILD/fuzz/found. One line a target: executions, features, cases found. Exit: 1 if any was.
# Each run adds a row to BUILD/fuzz/runs.tsv, which table.sh sums up for docs/reliability.md.
#
# run.sh TARGET...; BUILD, SRCDIR as tests get them; the targets lie in BUILD/fuzz.
set -u
LC_ALL=C
export LC_ALL
: "${BUILD:?}" "${SRCDIR:?}"
export LSAN_OPTIONS=suppressions=$SRCDIR/tests/lsan.supp:print_suppressions=0
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
# a hang is more than a second a KiB; this is for the largest inputs, which are few
limit_seconds=${FUZZ_LIMIT_SECONDS:-20}
found=0
TIMEFORMAT='%U %S'

# files FOLDER: how many there are
files() { find "$1" -type f 2>/dev/null | wc -l; }

for target; do
	corpus=$BUILD/fuzz/corpus-$target seeds=$BUILD/fuzz/seeds-$target
	cases=$BUILD/fuzz/found/$target log=$BUILD/fuzz/$target.log
	mkdir -p "$corpus" "$cases" "$SRCDIR/tests/fixtures/fuzz/$target"
	[ -d "$seeds" ] || bash "$SRCDIR/tests/fuzz/seeds.sh" "$target" "$seeds"
	before=$(files "$cases")
	case $target in
	baseline | database | perf | tracedat | unpack) most=262144 ;;
	*) most=16384 ;; # lines and more lines: long inputs are slow and reach nothing else
	esac
	{
		time "$BUILD/fuzz/fuzz_$target" -max_len="${FUZZ_MAX_BYTES:-$most}" \
			-timeout="$limit_seconds" -rss_limit_mb=1500 \
			-max_total_time="${FUZZ_SECONDS:-60}" -print_final_stats=1 \
			-artifact_prefix="$cases/" \
			"$corpus" "$seeds" "$SRCDIR/tests/fixtures/fuzz/$target" >"$log" 2>&1
		code=$?
	} 2>"$log.time"
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	features=$(sed -nE 's/.* ft: ([0-9]+).*/\1/p' "$log" | tail -1)
	printf '%s\t%s\t%s\t%s\n' "$target" "$(awk '{ printf "%.0f", $1 + $2 }' "$log.time")" \
		"${runs:-0}" "${features:-0}" >>"$BUILD/fuzz/runs.tsv"
	echo "fuzz: $target: ${runs:-no} runs, ${features:-no} features, exit $code, log $log"
	if [ $code -ne 0 ] || [ "$(files "$cases")" -gt "$before" ]; then
		grep -m 3 -E 'ERROR|SUMMARY|runtime error' "$log"
		found=1
	fi
done
exit $found
