#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Healthy drivers break no rule: recordings of unmodified kernels, begun in the middle of work, with
# lost events or filtered, and generated traces may yield information, never a warning or an error.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${BUILD:?}" "${SRCDIR:?}"
tracegen=$BUILD/tools/tracegen
shared=$SRCDIR/../shared/traces
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - healthy: $1"; }
not_ok() {
	echo "not ok - healthy: $1: $2"
	failed=1
}

if ! command -v sqlite3 >/dev/null; then
	echo "skip - healthy: sqlite3 is not installed"
	exit 0
fi
# Under sanitizers all is ten times slower: every fourth file must do.
step=1
if grep -q __asan_init "$DMASCOPE"; then step=4; fi

# judge FILE: its warnings and errors into $work/bad, the number of infos into $information.
# 1: it could not be analyzed. --fail-on must say the same as the database.
judge() {
	rm -f "$work/run.db"
	"$DMASCOPE" analyze "$1" -o "$work/run.db" --fail-on warning --quiet \
		>/dev/null 2>"$work/err"
	code=$?
	case $code in
	0 | 1) ;;
	*) return 1 ;;
	esac
	sqlite3 -separator ' ' "$work/run.db" "SELECT rule, severity, confidence, device, dma_addr
		FROM findings WHERE severity <> 'info'" >"$work/bad" || return 1
	information=$(sqlite3 "$work/run.db" "SELECT count(*) FROM finding")
	if [ -s "$work/bad" ] || [ $code -ne 0 ]; then
		echo "exit code $code" >>"$work/bad"
	fi
}

# healthy NAME AT-LEAST FILE...: none of the files has a warning or an error
healthy() {
	local name=$1 least=$2 number=0 seen=0 bad=0 total=0 file
	shift 2
	for file in "$@"; do
		[ -f "$file" ] || continue
		number=$((number + 1))
		[ $((number % step)) -eq 0 ] || continue
		if ! judge "$file"; then
			not_ok "$name: ${file#"$shared/"}" "$(head -1 "$work/err")"
			bad=1
			continue
		fi
		seen=$((seen + 1)) total=$((total + information))
		[ -s "$work/bad" ] || continue
		not_ok "$name: ${file#"$shared/"}" "$(wc -l <"$work/bad"): $(head -3 "$work/bad" |
			tr '\n' ';')"
		bad=1
	done
	[ $bad -eq 1 ] && return
	if [ $seen -ge $((least / step)) ]; then
		ok "$name ($seen files, $total times information)"
	else
		not_ok "$name" "only $seen files"
	fi
}

# ---- generated: a healthy driver from a seed, and what a tracer may do to its trace
# generated OPTIONS...
generated() {
	if ! "$tracegen" -o "$work/t.dat" "$@" >/dev/null; then
		not_ok "generated: $*" 'tracegen failed'
	elif ! judge "$work/t.dat"; then
		not_ok "generated: $*" "$(head -1 "$work/err")"
	elif [ -s "$work/bad" ]; then
		not_ok "generated: $*" "$(wc -l <"$work/bad"): $(head -3 "$work/bad" | tr '\n' ';')"
	else
		ok "generated: $* ($information times information)"
	fi
}

for seed in 1 2 3 4 5; do
	for mode in direct iommu mixed; do
		generated --seed $seed --mode $mode --events $((20000 / step)) --syncs
		generated --seed $seed --mode $mode --events $((20000 / step)) --syncs --lost 0.01
	done
done
generated --seed 6 --mode iommu --syncs --reorder 0.2 --drain
generated --seed 7 --mode iommu --reorder 0.2 --lost 0.02 --cpus 16
generated --seed 8 --mode direct --syncs --duplicate 0.2
generated --seed 9 --mode direct --syncs --duplicate 0.2 --lost 0.05
generated --seed 10 --mode mixed --fail 0.1 --iommu-events --syncs
generated --seed 11 --mix sg:1 --lost 0.02 --syncs
generated --seed 12 --kernel 6.12 --leak 20 --lost 0.3 --discard 0.01
generated --seed 13 --devices 100 --live 16 --reorder 0.1 --duplicate 0.1 --lost 0.01

# ---- recordings
healthy 'fixtures of stock kernels' 6 "$SRCDIR"/tests/fixtures/stock-*.dat \
	"$SRCDIR"/tests/fixtures/armhf-*.dat "$SRCDIR"/tests/fixtures/s390x-*.dat
if [ ! -d "$shared/stock" ]; then
	echo 'skip - healthy: recordings: no ../shared/traces here'
	exit $failed
fi
healthy 'stock kernels' 25 "$shared"/stock/*/*/*.dat
healthy 'other architectures' 10 "$shared"/arch/*/*/*.dat
exit $failed
