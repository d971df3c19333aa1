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
gate 'a recording that is none' 3 README.md
exit $failed
