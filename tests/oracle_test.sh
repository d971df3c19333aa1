#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the kernel's own dma-debug said of each recording of the oracle, and what our rules say of
# it: what the events can carry must be said, and nothing must be said of correct code.
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:?}" "${SRCDIR:?}"
oracle=$SRCDIR/../shared/traces/oracle
match=$SRCDIR/tests/tools/oracle_match.awk
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - oracle: $1"; }
not_ok() {
	echo "not ok - oracle: $1: $2"
	failed=1
}

if [ ! -f "$oracle/expected.tsv" ]; then
	echo "skip - oracle: no ../shared/traces/oracle here"
	exit 0
fi
if ! command -v sqlite3 >/dev/null; then
	echo "skip - oracle: sqlite3 is not installed"
	exit 0
fi

"$DMASCOPE" rules | sed 's/^\([^ ]*\) .*/R\t\1/' >"$work/rules"

# What a user knows of the device whose limits two cases are about, and no event tells.
echo '0000:00:05.0 dmafault max_seg_size=4096' >"$work/inventory-sg_seg_too_long"
echo '0000:00:05.0 dmafault seg_boundary=0xfff' >"$work/inventory-sg_boundary"

# findings FILE: what we find in it, as F rows, and what cannot be judged, as N rows; every address
# of a list is given. The memory map is that of the recording's boot.
findings() {
	local folder=${1%/*} case boot
	case=${folder##*/}
	boot=$(sed -n 's/.* boot=\([a-z0-9]*\) .*/\1/p' "$folder"/info*.txt | head -1)
	set -- "$1" --iomem "$oracle/iomem-$boot.txt"
	[ ! -f "$work/inventory-$case" ] || set -- "$@" --inventory "$work/inventory-$case"
	rm -f "$work/run.db"
	if ! "$DMASCOPE" analyze "$@" -o "$work/run.db" --events --quiet >/dev/null 2>"$work/err"; then
		grep -q 'it has no events at all' "$work/err" # a map that is refused has none
		return
	fi
	sqlite3 -separator '	' "$work/run.db" "SELECT 'N', n.rule, coalesce(d.name, '-'), n.reason
		FROM not_judged AS n LEFT JOIN device AS d ON d.id = n.device_id
		WHERE n.rule IS NOT NULL"
	sqlite3 -separator '	' "$work/run.db" "SELECT 'F', f.rule, f.severity, f.confidence, d.name,
		coalesce((SELECT group_concat(printf('0x%016x', s.dma_addr))
			FROM mapping_segment AS s WHERE s.dma_addr IS NOT NULL AND s.mapping_id =
			(SELECT max(m.id) FROM mapping AS m WHERE m.kind = 'sg' AND
				m.device_id = f.device_id AND m.dma_addr = f.dma_addr AND
				f.rule <> 'sync-not-mapped' AND m.map_ns <= f.ts_ns)),
			printf('0x%016x', f.dma_addr)), f.message, coalesce(f.reason, '')
		FROM finding AS f JOIN device AS d ON d.id = f.device_id ORDER BY f.id"
}

# expected CASE VARIANT: dma-debug's words, as E rows
expected() {
	awk -F'\t' -v OFS='\t' -v what="$1" -v variant="$2" '$1 == what && $2 == variant && $3 != "-" {
		print "E", $3, $4, $5, $7 }' "$oracle/expected.tsv"
}

# seeds DMESG: the mistakes a stress case made, as S rows
seeds() {
	sed -n 's/.* dmafault: seeded op=[0-9]* kind=\([a-z_]*\) dma=\([0-9a-f]*\).*/\1 \2/p' "$1" |
		while read -r kind dma; do printf 'S\t%s\t0x%016x\n' "$kind" "0x$dma"; done
}

# ---- every recording, one line each into $work/all: CASE VARIANT STATUS KIND TEXT
seen=0 clean=0
for file in "$oracle"/*/*.dat; do
	case=${file%/*} case=${case##*/}
	variant=${file##*/trace} variant=${variant%.dat} variant=${variant#-}
	dmesg=$oracle/$case/dmesg${variant:+-$variant}.txt
	variant=${variant:-base}
	if ! findings "$file" >"$work/found"; then
		not_ok "$case $variant" "$(head -1 "$work/err")"
		continue
	fi
	seen=$((seen + 1))
	case $case in ctl_* | real_*) clean=$((clean + 1)) ;; esac
	{
		cat "$work/rules" "$work/found"
		expected "$case" "$variant"
		case $case in stress_*) seeds "$dmesg" ;; esac
	} | awk -v recording="$case $variant" -f "$match" >"$work/matched"
	sed "s/^/$case	$variant	/" "$work/matched" >>"$work/all"
	sed "s/^/$case	$variant	/" "$work/found" >>"$work/all-found"
done
if [ $seen -ge 200 ]; then
	ok "recordings are read ($seen)"
else
	not_ok "recordings are read" "only $seen"
fi

# rows STATUS [CASES]: those rows of $work/all; CASES is a regular expression
rows() { awk -F'\t' -v status="$1" -v cases="${2-.}" '$3 == status && $1 ~ cases' "$work/all"; }

# ---- the table: dma-debug's mistakes by check
awk -F'\t' '
	$3 ~ /^(reproduced|underivable|no-rule|missed)$/ { kinds[$4] = 1; n[$4, $3]++ }
	$3 == "no-rule" { split($5, word, " "); $5 = "no rule yet: " word[1] }
	$3 ~ /^(underivable|no-rule)$/ && !told[$4, $5]++ { why[$4] = why[$4] (why[$4] ? "; " : "") $5 }
	END {
		printf "%-26s %10s %11s %8s %6s\n", "dma-debug says", "reproduced", "underivable",
			"no rule", "missed"
		for (kind in kinds)
			printf "%-26s %10d %11d %8d %6d  %s\n", kind, n[kind, "reproduced"],
				n[kind, "underivable"], n[kind, "no-rule"], n[kind, "missed"],
				why[kind] | "sort"
	}' "$work/all"

# ---- what the events carry is said
# count STATUS: of dma-debug's mistakes
count() { rows "$1" | wc -l; }

rows missed >"$work/missed"
if [ -s "$work/missed" ]; then
	while IFS='	' read -r case variant _ kind text; do
		not_ok "$case $variant" "dma-debug's $kind is missed: $text"
	done <"$work/missed"
elif [ "$(count reproduced)" -lt 130 ]; then
	not_ok "dma-debug is reproduced" "only $(count reproduced)"
else
	ok "dma-debug is reproduced ($(count reproduced); $(count underivable) are not in the events, \
$(count no-rule) have no rule yet)"
fi

# ---- correct code is left alone
bad=$(rows extra '^(ctl|real)_' | cut -f1,2,4,5 | tr '\t' ' ')
if [ -n "$bad" ]; then
	not_ok "correct code" "$(echo "$bad" | head -3 | tr '\n' ';')"
elif [ "$clean" -lt 80 ]; then
	not_ok "correct code" "only $clean recordings"
else
	ok "correct code has no warning and no error ($clean recordings)"
fi
echo "information of correct code:"
awk -F'\t' '$3 == "F" && $1 ~ /^(ctl|real)_/ { n[$1 " " $2 ": " $4 " (" $6 ")"]++ }
	END { for (what in n) print "    " what, n[what] | "sort" }' "$work/all-found"

# ---- where dma-debug is silent or has other words, and we speak
echo "mistakes dma-debug does not report:"
for case in "$oracle"/beyond_* "$oracle"/map_text "$oracle"/map_rodata "$oracle"/resource_on_ram; do
	awk -F'\t' -v what="${case##*/}" '$1 == what && $3 == "F" { print "    " what, $2 ": " $4, $5, $6; n++ }
		END { if (!n) print "    " what ": silent" }' "$work/all-found"
done
# speaks CASE RULE: ours says it, as an error or warning
speaks() {
	if awk -F'\t' -v what="$1" -v rule="$2" '$1 == what && $3 == "F" && $4 == rule && $5 != "info" { n++ }
		END { exit !n }' "$work/all-found"; then
		ok "$1 is $2"
	else
		not_ok "$1 is $2" "it is not told"
	fi
}
speaks beyond_attrs_mismatch unmap-attrs-mismatch
speaks beyond_noncontig_as_sg unmap-wrong-function
speaks beyond_zero_len map-zero-size
speaks beyond_overlap_interior overlapping-cacheline
speaks map_text map-kernel-text
speaks map_rodata map-kernel-text
speaks resource_on_ram map-resource-ram
speaks beyond_maperr_late map-error-unchecked
speaks beyond_sync_coherent sync-not-streaming
speaks beyond_sync_resource sync-not-streaming

bad=$(rows extra '^[abd-qs-z]|^c[^t]|^r[^e]|^res' | awk -F'\t' '$1 !~ /^(beyond_|map_text|map_rodata|resource_on_ram)/' | cut -f1,2,4,5 |
	tr '\t' ' ')
if [ -n "$bad" ]; then
	not_ok "nothing but dma-debug's mistakes" "$(echo "$bad" | head -3 | tr '\n' ';')"
else
	ok "nothing but dma-debug's mistakes is told"
fi

# ---- thousands of correct calls with seeded mistakes
for variant in $(rows seed-found | cut -f2 | sort -u); do
	awk -F'\t' -v variant="$variant" '$2 == variant && $3 ~ /^seed-/ { n[$3]++; kinds[$4 "\t" $3]++ }
		END {
			printf "%d %d %d %d\n", n["seed-found"], n["seed-missed"], n["seed-extra"],
				n["seed-underivable"] + n["seed-no-rule"]
			for (kind in kinds) print "    " kind, kinds[kind] | "sort"
		}' "$work/all" >"$work/seeds"
	read -r found missed extra silent <"$work/seeds"
	echo "seeded mistakes of stress_s1 $variant:"
	sed 1d "$work/seeds"
	if [ "$missed" -eq 0 ] && [ "$extra" -eq 0 ] && [ "$found" -gt 0 ]; then
		ok "stress_s1 $variant: $found of $((found + silent)) seeded mistakes found, \
$silent not in the events or without a rule, none missed, nothing else"
	else
		not_ok "stress_s1 $variant" "found $found, missed $missed, extra $extra: $(rows seed-missed |
			cut -f4,5 | head -2 | tr '\n\t' '; ') $(rows seed-extra | cut -f4,5 |
			head -2 | tr '\n\t' '; ')"
	fi
done
[ -n "$(rows seed-found)" ] || not_ok "stress_s1" "no seed was found"
exit $failed
