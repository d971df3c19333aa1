#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fingerprints and exact counts: a flood of findings beyond what is stored one by one, told alike by
# analyze and by every reader; and the same defect under other addresses, tasks, builds and kernels.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${SRCDIR:?}"
fixtures=$SRCDIR/tests/fixtures
shared=$SRCDIR/../shared/traces
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - fingerprint: $1"; }
not_ok() {
	echo "not ok - fingerprint: $1: $2"
	failed=1
}
# is NAME GOT WANTED
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "'$2', not '$3'"; fi
}

for tool in sqlite3 jq; do
	if ! command -v $tool >/dev/null; then
		echo "skip - fingerprint: $tool is not installed"
		exit 0
	fi
done

# flood N BASE PID SUFFIX OFFSET: N buffers mapped, unmapped, and unmapped again; one in three of
# them from another function and of another size
flood() {
	awk -v n="$1" -v base="$2" -v pid="$3" -v suffix="$4" -v offset="$5" '
		function call(event, site, rest,	stamp) {
			stamp = sprintf("            lab-%d    [000] b..1.  %5d.%06d: ", pid,
				100 + int(now / 1000000), now % 1000000)
			print stamp event ": 0000:00:07.0 dir=TO_DEVICE dma_addr=" addr " size=" size rest
			print stamp "<stack trace>"
			printf " => %s_attrs+0x31/0xa0\n => %s%s+0x%s [lab]\n => lab_ioctl+0x10/0x20 [lab]\n",
				event, site, suffix, offset
			now += 10
		}
		BEGIN {
			print "# tracer: nop"
			for (i = 0; i < n; i++) {
				at = base + i * 8192 # in two parts: not every awk has %x beyond 31 bits
				addr = sprintf("%x%07x", int(at / 268435456), at % 268435456)
				size = i % 3 ? 1500 : 4096
				who = i % 3 ? "tx" : "ctl"
				call("dma_map_page", who "_map", " phys_addr=" addr " attrs=")
				call("dma_unmap_page", who "_unmap", " attrs=")
				call("dma_unmap_page", who "_clean", " attrs=")
			}
		}' >"$work/flood.txt"
}
# analyze NAME FILE [OPTION]...
analyze() {
	"$DMASCOPE" analyze "$2" -o "$work/$1.db" --format json "${@:3}" >"$work/$1.json" \
		2>"$work/err" || not_ok "analyze $1" "$(head -1 "$work/err")"
}
sql() { sqlite3 -separator ' ' "$work/$1.db" "$2" 2>&1; }
report() { "$DMASCOPE" report "$work/flood.db" "$@" 2>"$work/err"; }

# ---- a flood

flood 2400 268435456 77 '' 18/0x90
analyze flood "$work/flood.txt"
wanted='double-unmap:pci:ctl_map[lab]:ctl_clean[lab]:TO_DEVICE:2^12 800
double-unmap:pci:tx_map[lab]:tx_clean[lab]:TO_DEVICE:2^10 1600'
is 'exact, by what tells two defects apart' "$(sql flood 'SELECT fingerprint, sum(count)
	FROM finding_group GROUP BY fingerprint')" "$wanted"
is 'rows are limited' "$(sql flood 'SELECT count(*) FROM finding')" 1000
is 'the first row of each' "$(sql flood 'SELECT count(*) FROM finding_group AS g JOIN finding AS f
	ON f.id = g.finding_id AND f.fingerprint = g.fingerprint AND f.ts_ns = g.first_ns')" 2
is 'analyze counts all' "$(jq -c '[.findings[].count]' "$work/flood.json")" '[2400]'
report --json "$work/report.json"
is 'report --json: groups' "$(jq '[.finding_groups[].count] | add' "$work/report.json")" 2400
text=$(report | grep -c 'double-unmap.*2,400 times')
is 'report tells the same number' "$text" 1
is '--device' "$(report --device 0000:00:07.0 | grep -c '2,400 times')" 1
is 'error-count' "$("$DMASCOPE" query "$work/flood.db" --name error-count --format csv |
	tail -1 | tr -d '\r' | cut -d, -f6,8)" '2400,2'
is 'OpenMetrics' "$(report --openmetrics - | awk '/^dmascope_findings[{]/ { n += $NF } END { print n }')" \
	2400
report --html "$work/report.html"
is 'HTML' "$(grep -c '"double-unmap",1,"0000:00:07.0",2400,' "$work/report.html")" 1
# the first 600 buffers; then the last 600, none of which is stored
is 'a part of the time' "$(report --until 100.018 | grep -c '600 times')" 1
is 'that says what it does not know' "$(report --until 100.018 |
	grep -c 'stored one by one; when the other 1400 were is not known')" 1
analyze window "$work/flood.txt" --since 100.018
is 'analyze of a part counts all of it' "$(sql window 'SELECT sum(count) FROM finding_group')" 1800
analyze off "$work/flood.txt" --rule use-after-unmap
is 'what is filtered out is not counted' "$(sql off 'SELECT count(*) FROM finding_group')" 0

# ---- what is told late: overlaps, once both lives have ended

# nested N: N buffers, each mapped for two devices, and unmapped from the last to the first
nested() {
	awk -v n="$1" '
		function call(event, device, i, rest) {
			printf "            lab-77    [000] b..1.  %5d.%06d: %s: 0000:00:0%d.0 dir=FROM_DEVICE dma_addr=1%07x size=4096%s attrs=\n",
				100 + int(now / 1000000), now % 1000000, event, device, i * 4096, rest
			now += 10
		}
		BEGIN {
			print "# tracer: nop"
			for (i = 0; i < n; i++)
				for (device = 7; device < 9; device++)
					call("dma_map_page", device, i, sprintf(" phys_addr=1%07x", i * 4096))
			while (i--)
				for (device = 7; device < 9; device++)
					call("dma_unmap_page", device, i, "")
		}' >"$work/nested.txt"
}
for n in 3 3000; do # beyond what is stored one by one, too
	nested $n
	analyze nested "$work/nested.txt"
	is "$n overlaps: the first is the first" "$(jq -c '[.findings[].first_ns]' "$work/nested.json")" '[100000010000]'
	is "$n overlaps: analyze and report agree" "$("$DMASCOPE" analyze "$work/nested.txt" 2>&1 | grep -A2 '^- [a-z]* overlapping')" \
		"$("$DMASCOPE" report "$work/nested.db" 2>&1 | grep -A2 '^- [a-z]* overlapping')"
done

# ---- what is not known is NULL; address 0 is one where it was given

stamp='            lab-77    [000] b..1.   100.0000'
printf '%s\n' '# tracer: nop' \
	"${stamp}10: dma_unmap_sg: 0000:00:07.0 dir=TO_DEVICE phys_addrs={0x7000,0x8000} attrs=" \
	"${stamp}20: dma_unmap_page: 0000:00:07.0 dir=TO_DEVICE dma_addr=0 size=64 attrs=" >"$work/zero.txt"
analyze zero "$work/zero.txt"
is 'a list without an address' "$(sql zero "SELECT ifnull(dma_addr, '-'), ifnull(size_bytes, '-'),
	message LIKE '%not allocated [list at physical address=0x0000000000007000]' FROM finding WHERE ts_ns = 100000010000")" '- - 1'
is 'address 0' "$(sql zero "SELECT ifnull(dma_addr, '-'), ifnull(size_bytes, '-')
	FROM finding WHERE ts_ns = 100000020000")" '0 64'

# ---- the same defect in another run

flood 30 11744051200 4711 .isra.0 7/0x3c
analyze other "$work/flood.txt"
is 'other addresses, tasks, offsets and suffixes' "$(sql other 'SELECT fingerprint, sum(count)
	FROM finding_group GROUP BY 1')" "$(sed 's/800$/10/; s/1600$/20/' <<<"$wanted")"

# ---- a driver that is known stands for its device

analyze driver "$fixtures/lab-7.2-fault.dat"
is 'of a driver' "$(sql driver "SELECT fingerprint, count FROM finding_groups WHERE severity = 'error'")" \
	'use-after-unmap:e1000e:e1000_xmit_frame[e1000e]:-:TO_DEVICE:2^9 3'
for option in --driver=e1000e --device=0000:00:05.0; do
	is "$option" "$("$DMASCOPE" report "$work/driver.db" "$option" --json - |
		jq '[.finding_groups[].count] | add')" "$(sql driver 'SELECT count(*) FROM finding')"
done

# ---- the same workload on two kernels

errors="SELECT DISTINCT severity, fingerprint FROM finding_group WHERE severity <> 'info' ORDER BY 1, 2"
for kernel in 6.12 7.2; do
	analyze "twin-$kernel" "$fixtures/twin-$kernel.dat"
	sql "twin-$kernel" "$errors" >"$work/$kernel"
done
if [ -s "$work/6.12" ] && cmp -s "$work/6.12" "$work/7.2"; then
	ok '6.12 and 7.2'
else
	not_ok '6.12 and 7.2' "$(diff "$work/6.12" "$work/7.2" | tr '\n' ';')"
fi

# ---- the same fault with and without an IOMMU, and through bounce buffers

for file in "$shared"/oracle/*.iommu/trace.dat "$shared"/oracle/*.swiotlb/trace.dat; do
	mode=${file%/trace.dat}
	mode=${mode##*/}
	[ -f "$file" ] && [ "${mode#ctl_}" = "$mode" ] || continue
	analyze a "$shared/oracle/${mode%.*}/trace.dat"
	analyze b "$file"
	is "$mode" "$(sql b "$errors")" "$(sql a "$errors")"
done
exit $failed
