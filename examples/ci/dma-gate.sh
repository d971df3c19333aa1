#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The plain shell job: record the workload on the kernel just built, and gate on what it did to DMA.
#
# usage: dma-gate.sh [KERNEL]
#   TRACE     a recording made elsewhere (on a board, say): nothing is booted then
#   BASELINE  what the project keeps in git (default: dma-baseline.json beside this file)
#   CONFIG    thresholds and suppressions (default: dmascope.yaml beside this file)
#   REPORTS   folder for what CI shows (default: dma-reports)
#   UPDATE=1  do not gate: write BASELINE from this run, to be reviewed and committed
# Exit: that of `dmascope check`: 0 clean, 1 findings or regression, 2 usage, 3 could not judge.
set -euo pipefail
here=$(dirname "$(realpath "$0")")
dmascope=${DMASCOPE:-dmascope}
reports=${REPORTS:-dma-reports}
baseline=${BASELINE:-$here/dma-baseline.json}
config=${CONFIG:-$here/dmascope.yaml}
trace=${TRACE:-$reports/trace.dat}

mkdir -p "$reports"
if [ -z "${TRACE:-}" ]; then
	[ $# -eq 1 ] || {
		sed -n '4,11s/^# \{0,1\}//p' "$0" >&2
		exit 2
	}
	"$here/record-in-qemu.sh" "$1" "$trace"
fi

# what lies beside the recording, some rules need: see dmascope-record(1)
inputs=("$trace")
for beside in iomem dump; do
	[ ! -e "$trace.$beside" ] || inputs+=("$trace.$beside")
done
if [ "${UPDATE:-0}" = 1 ]; then
	"$dmascope" analyze "${inputs[@]}" -o "$reports/run.db"
	exec "$dmascope" baseline "$reports/run.db" --config "$config" -o "$baseline"
fi
# without a baseline every finding is new: the first run judges by the rules alone
base=()
[ -e "$baseline" ] && base=(--baseline "$baseline")
# GitHub makes annotations of what it finds in the job's log; people read the text beside it
shown=(--format text)
[ -n "${GITHUB_ACTIONS:-}" ] && shown=(--format github --format text="$reports/diff.txt")
"$dmascope" check "${inputs[@]}" "${base[@]}" --config "$config" -o "$reports/run.db" \
	"${shown[@]}" --format markdown="$reports/comment.md" \
	--format junit="$reports/junit.xml" --format sarif="$reports/dma.sarif" \
	--format gitlab="$reports/code-quality.json" --format html="$reports/diff.html"
