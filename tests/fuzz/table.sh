#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The table of docs/reliability.md: what run.sh has added to BUILD/fuzz/runs.tsv, summed up by target.
#
# table.sh [RUNS.TSV]. Seconds and inputs are of all runs, features of the last one, as the instrumented
# program has them.
set -u
LC_ALL=C
export LC_ALL
runs=${1:-${BUILD:?}/fuzz/runs.tsv}

sort -s -k 1,1 "$runs" | awk -F '\t' '
	# 1234567: "1,234,567"
	function commas(number,  text) {
		for (; number >= 1000; number = int(number / 1000))
			text = sprintf(",%03d", number % 1000) text
		return number text
	}
	function row(name, seconds, inputs, features) {
		printf "| %s | %s | %s | %s |\n", name, commas(seconds), commas(inputs), features
	}
	function flush() {
		if (name != "")
			row(name, seconds, inputs, commas(features))
	}
	BEGIN {
		print "| target | CPU seconds | inputs run | features |"
		print "|---|---|---|---|"
	}
	$1 != name { flush(); name = $1; seconds = inputs = 0 }
	{
		seconds += $2; inputs += $3; features = $4
		all_seconds += $2; all_inputs += $3
	}
	END { flush(); row("all", all_seconds, all_inputs, "") }'
