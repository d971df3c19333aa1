#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What analyze makes of small real recordings, byte by byte: a dump of the tables that hold the
# lives, and the summary. UPDATE=1 writes tests/golden/*.dump and *.summary anew: read the diff.
set -u
LC_ALL=C
TZ=UTC
export LC_ALL TZ
: "${DMASCOPE:?}" "${SRCDIR:?}"
golden=$SRCDIR/tests/golden
fixtures=$SRCDIR/tests/fixtures
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - golden: $1"; }
not_ok() {
	echo "not ok - golden: $1: $2"
	failed=1
}

if ! command -v sqlite3 >/dev/null; then
	echo "skip - golden: sqlite3 is not installed"
	exit 0
fi

# The tables in an order of their own, without row numbers: those may change with the writer.
dump() {
	sqlite3 -header -nullvalue - -separator '|' "$1" "
	SELECT name, bus, driver, generation, address_mode, dma_mask, iommu_group, first_ns, last_ns
		FROM device ORDER BY name, generation;
	SELECT cpu, instance, after_ns, before_ns, lost FROM gap ORDER BY cpu, instance, before_ns;
	SELECT device, kind, dma_addr, phys_addr, virt_addr, size_bytes, direction, attrs, segments,
		entries, map_ns, unmap_ns, ended_ns, map_cpu, unmap_cpu, map_comm, unmap_comm,
		map_function, unmap_function, end, confidence, reason, truncated, bounced,
		syncs_for_cpu, syncs_for_device
		FROM mappings ORDER BY coalesce(map_ns, unmap_ns), unmap_ns, device, dma_addr, kind;
	SELECT d.name, h.measure, h.low, h.high, h.count, h.unit FROM histogram AS h
		JOIN device AS d ON d.id = h.device_id ORDER BY d.name, d.generation, h.measure, h.low;
	SELECT d.name, c.name, c.value, c.unit FROM device_counter AS c
		JOIN device AS d ON d.id = c.device_id WHERE c.value <> 0
		ORDER BY d.name, d.generation, c.name;
	SELECT rule, severity, confidence, reason, device, ts_ns, dma_addr, size_bytes, message
		FROM findings ORDER BY ts_ns, rule, device, dma_addr, message;"
}

# compare NAME GOT: with the file of that name, or make that the file
compare() {
	if [ "${UPDATE-}" = 1 ]; then
		cp "$2" "$golden/$1"
		ok "$1 written"
	elif [ ! -s "$golden/$1" ]; then
		not_ok "$1" "no such file; UPDATE=1 makes it"
	elif cmp -s "$golden/$1" "$2"; then
		ok "$1"
	else
		not_ok "$1" "$(diff "$golden/$1" "$2" | head -4 | tr '\n' ';' | cut -c1-400)"
	fi
}

for name in oracle-ctl_sg.iommu oracle-ctl_sg-stack oracle-unmap_size_small \
	oracle-ctl_fail_coherent stock-6.12-rmmod stock-7.2-swiotlb-bind armhf-7.2-mid \
	lab-7.2-fault; do
	# from within its folder, so that no path of this machine is in the summary
	if ! (cd "$fixtures" && "$DMASCOPE" analyze "$name.dat" -o "$work/1.db" --quiet) \
		>"$work/summary" 2>"$work/err"; then
		not_ok "$name" "$(head -1 "$work/err")"
		continue
	fi
	if ! dump "$work/1.db" >"$work/dump" 2>"$work/err"; then
		not_ok "$name.dump" "$(head -1 "$work/err")"
		continue
	fi
	compare "$name.dump" "$work/dump"
	compare "$name.summary" "$work/summary"
	(cd "$fixtures" && "$DMASCOPE" analyze "$name.dat" -o "$work/2.db" --quiet) >/dev/null 2>&1
	if cmp -s "$work/1.db" "$work/2.db"; then
		ok "$name twice: the same bytes"
	else
		not_ok "$name twice" "the databases differ"
	fi
done

# A file of many batches and several CPUs: threads must not show.
for i in 1 2; do
	"$DMASCOPE" analyze "$fixtures/stock-6.12-zoo.dat" "$fixtures/stock-6.12-rmmod.dat" --events \
		-o "$work/$i.db" --quiet >"$work/$i.txt" 2>&1
	sleep 1 # a clock in it would show
done
if cmp "$work/1.db" "$work/2.db" >"$work/err" 2>&1 && cmp "$work/1.txt" "$work/2.txt" >"$work/err"; then
	ok "two files with --events twice: the same bytes"
else
	not_ok "two files with --events twice" "$(cat "$work/err")"
fi
exit $failed
