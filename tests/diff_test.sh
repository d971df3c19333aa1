#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# dmascope diff: two sides of runs, what is said of them, and by which exit code.
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}"
DMASCOPE=$(realpath "$DMASCOPE")
SRCDIR=$(realpath "$SRCDIR")
fixtures=$SRCDIR/tests/fixtures
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

ok() { echo "ok - diff: $1"; }
not_ok() {
	echo "not ok - diff: $1: $2"
	failed=1
}
# gives NAME CODE ARGUMENT...: the exit code of diff; its outputs in out and err
gives() {
	local name=$1 wanted=$2 code
	shift 2
	"$DMASCOPE" diff "$@" >out 2>err
	code=$?
	if [ $code -eq "$wanted" ]; then ok "$name"; else
		not_ok "$name" "exit code $code, not $wanted: $(head -1 err)"
	fi
}
# has NAME TEXT FILE
has() {
	if grep -qF -- "$2" "$3"; then ok "$1"; else not_ok "$1" "no '$2' in $(head -c 200 "$3" | tr '\n' '|')"; fi
}
# one_line NAME: err holds a single line
one_line() {
	if [ "$(wc -l <err)" -eq 1 ]; then ok "$1"; else not_ok "$1" "$(wc -l <err) lines: $(head -2 err | tr '\n' '|')"; fi
}
analyze() { "$DMASCOPE" analyze "$fixtures/$1.dat" -o "$2" >/dev/null 2>err || not_ok "analyze $1" "$(head -1 err)"; }

analyze stock-6.12-zoo zoo.db
analyze oracle-unmap_size_small bad.db
analyze oracle-ctl_sg.iommu good.db
analyze twin-7.2 twin.db
analyze twin-7.2-overrun lossy.db

# ---- the same
gives 'a run and itself' 0 zoo.db zoo.db
gives 'a faulty run and itself: nothing is new' 0 bad.db bad.db
gives 'options instead of operands' 0 --base zoo.db --head zoo.db
gives 'several runs' 0 --base zoo.db --base zoo.db --head zoo.db --head zoo.db

# ---- new, suppressed, fixed
gives 'a new error' 1 good.db bad.db --no-metrics
has 'a new error is told' 'unmap-size-mismatch' out
gives 'never' 0 good.db bad.db --no-metrics --fail-on never
has 'never: the state is told all the same' 'unmap-size-mismatch' out
gives 'the error has gone' 0 bad.db good.db --no-metrics
gives 'suppressions are written' 1 good.db bad.db --no-metrics --write-suppressions s.yaml
has 'suppressions say what to do' 'TODO: ' s.yaml
gives 'suppressions are read' 0 good.db bad.db --no-metrics --suppressions s.yaml
has 'what is suppressed is told' 'uppressed' out
sed 's/^  reason:.*/&\n  expires: 2026-01-01/' s.yaml >old.yaml
gives 'an expired suppression' 1 good.db bad.db --no-metrics --config old.yaml --today 2026-01-02
has 'an expired suppression is told' 'xpired' out
gives 'its last day' 0 good.db bad.db --no-metrics --config old.yaml --today 2026-01-01
SOURCE_DATE_EPOCH=1767225600 gives 'SOURCE_DATE_EPOCH' 0 good.db bad.db --no-metrics --config old.yaml
SOURCE_DATE_EPOCH=1767312000 gives 'SOURCE_DATE_EPOCH, a day later' 1 good.db bad.db --no-metrics --config old.yaml
SOURCE_DATE_EPOCH=x gives 'SOURCE_DATE_EPOCH that is none' 2 good.db bad.db
gives 'suppressions that are read are kept' 2 good.db bad.db --suppressions s.yaml --write-suppressions s.yaml

# ---- losses: what is not seen is not fixed
gives 'head has lost events' 3 twin.db lossy.db --no-metrics
has 'lost events are told' 'lost' out
gives 'lost events, allowed' 0 twin.db lossy.db --no-metrics --allow-lossy

# ---- outputs
for format in text markdown json junit sarif github gitlab tap html; do
	gives "--format $format" 1 good.db bad.db --no-metrics --format $format
	cp out out.1
	gives "--format $format into a file" 1 good.db bad.db --no-metrics "--format=$format=out.2"
	if [ -s out.1 ] && cmp -s out.1 out.2; then ok "$format: the same in a file"; else not_ok "$format" 'not the same in a file'; fi
	if [ -s out ]; then not_ok "$format" 'something on stdout'; fi
done
has 'all into files: why is on stderr' 'new' err
gives 'several formats' 1 good.db bad.db --no-metrics --format text --format json=a.json --format junit=a.xml
if [ -s out ] && [ -s a.json ] && [ -s a.xml ]; then ok 'several formats are there'; else
	not_ok 'several formats' 'missing'
fi
gives 'no such folder for an output' 4 good.db good.db --format json=no/such/a.json
gives 'a full disk' 4 good.db good.db --format json=/dev/full
cp good.db kept.db
gives 'an output over an input' 2 kept.db bad.db --format json=kept.db
cmp -s good.db kept.db || not_ok 'an output over an input' 'it is overwritten'

# ---- usage
for arguments in '' 'good.db' 'good.db bad.db x.db' '--base good.db' '--head good.db' 'good.db bad.db --format xml' \
	'good.db bad.db --format text --format json' 'good.db bad.db --format text=' 'good.db bad.db --alpha 2' \
	'good.db bad.db --today 2026-02-30' 'good.db bad.db --threshold lifetime_p98=1' 'good.db bad.db --kind x' \
	'good.db bad.db --fail-on fatal'; do
	# shellcheck disable=SC2086 # words
	gives "usage: '$arguments'" 2 $arguments
	one_line "usage: '$arguments': one line"
done
gives 'the example of a configuration' 0 zoo.db zoo.db --config "$SRCDIR/examples/ci/dmascope.yaml"
printf 'thresholds:\n  lifetime_p9: off\n' >wrong.yaml
gives 'a wrong configuration' 2 good.db bad.db --config wrong.yaml
has 'file, line and the nearest' "wrong.yaml:2: unknown metric 'lifetime_p9'; did you mean" err
mkdir folder
: >empty
for run in folder no-such-file empty wrong.yaml "$fixtures/stock-6.12-zoo.dat"; do
	gives "base is ${run##*/}" 3 "$run" good.db
	one_line "base is ${run##*/}: one line"
	has "base is ${run##*/}: it is named" "${run##*/}" err
done
exit $failed
