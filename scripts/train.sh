#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What runs how often: runs the counting build in PROFILE, which writes its counts beside its objects.
#
# train.sh PROFILE. Deterministic: one thread, generated traces and fixtures. Where the program cannot
# run (it is another machine's, say) there are no counts, and the build goes on without.
set -u
LC_ALL=C
export LC_ALL DMASCOPE_THREADS=1
profile=$1
work=$(mktemp -d -p "$profile") || exit 4 # where a build writes, and nowhere else
trap 'rm -rf "$work"' EXIT

# analyze FILE...: its exit code says what it found; above 1 it did not run
analyze() {
	"$profile/dmascope" analyze "$@" >"$work/stdout" 2>"$work/stderr"
	[ $? -le 1 ]
}

generate() { "$profile/tools/tracegen" "$@" >/dev/null; }

generate -o "$work/mixed.dat" --events 150000 --cpus 4 --devices 8 &&
	generate -o "$work/stacks.dat" --events 30000 --cpus 4 --devices 4 --stacks &&
	analyze "$work/mixed.dat" &&
	analyze "$work/mixed.dat" -o "$work/run.db" &&
	analyze "$work/stacks.dat" ||
	echo "train: $profile/dmascope does not run here: the build goes on without a profile" >&2
for file in tests/fixtures/stock-*.dat tests/fixtures/lab-*.dat; do
	analyze "$file"
done
exit 0
