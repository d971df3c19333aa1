#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The shell job of examples/ci as a project would run it, on two recordings made elsewhere.
set -u
: "${DMASCOPE:?}" "${SRCDIR:?}"
DMASCOPE=$(realpath "$DMASCOPE")
SRCDIR=$(realpath "$SRCDIR")
export DMASCOPE
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - ci example: $1"; }
not_ok() {
	echo "not ok - ci example: $1: $2"
	failed=1
}

# gate NAME EXIT-CODE TRACE [VARIABLE=VALUE]...: one run of the job, in a checkout of its own
gate() {
	local name=$1 code=$2 trace=$3 got
	shift 3
	(cd "$work" && env TRACE="$SRCDIR/tests/fixtures/$trace" BASELINE="$work/base.json" "$@" \
		"$SRCDIR/examples/ci/dma-gate.sh" >"$work/out" 2>"$work/err" </dev/null)
	got=$?
	if [ $got -eq "$code" ]; then ok "$name"; else not_ok "$name" "exit $got: $(tail -1 "$work/err")"; fi
}

gate 'no baseline yet, a healthy driver' 0 oracle-ctl_sg-stack.dat
gate 'a baseline is made' 0 oracle-ctl_sg-stack.dat UPDATE=1
if [ -s "$work/base.json" ]; then ok 'for git'; else not_ok 'for git' 'there is none'; fi
gate 'the same driver passes' 0 oracle-ctl_sg-stack.dat
gate 'the next commit breaks a rule' 1 oracle-unmap_size_small.dat GITHUB_ACTIONS=true
if grep -q '^::error .*unmap-size-mismatch' "$work/out"; then
	ok 'annotation'
else
	not_ok 'annotation' "$(head -1 "$work/out")"
fi
for file in comment.md junit.xml dma.sarif code-quality.json diff.html run.db; do
	if [ -s "$work/dma-reports/$file" ]; then ok "$file"; else not_ok "$file" 'was not written'; fi
done
# what `record` leaves beside a recording is used: without a memory map that rule cannot judge
cp "$SRCDIR/tests/fixtures/oracle-ctl_sg-stack.dat" "$work/beside.dat"
# unjudged WANTED NAME: is map-kernel-text named among what could not be judged?
unjudged() {
	gate "$2" 0 none TRACE="$work/beside.dat" BASELINE="$work/none.json"
	if grep -q 'name="map-kernel-text"' "$work/dma-reports/junit.xml" &&
		[ "$(grep -A1 'name="map-kernel-text"' "$work/dma-reports/junit.xml" | grep -c '<skipped')" -eq "$1" ]; then
		ok "$2: map-kernel-text"
	else
		not_ok "$2: map-kernel-text" "$(grep -A1 -m1 'name="map-kernel-text"' "$work/dma-reports/junit.xml" | tail -1)"
	fi
}
unjudged 1 'no memory map'
printf '00001000-0009fbff : System RAM\n00100000-7ffdffff : System RAM\n  01000000-01ffffff : Kernel code\n  02000000-023fffff : Kernel rodata\n  02400000-026fffff : Kernel data\n' >"$work/beside.dat.iomem"
unjudged 0 'a memory map beside the recording'
gate 'a recording that is none' 3 README.md
exit $failed
