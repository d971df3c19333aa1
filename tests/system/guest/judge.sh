#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # its variables and verdicts are those of guest_systest.sh
# What a guest recorded, judged outside: $out has it, $mode is how the guest was booted.

# ask DATABASE SQL: rows without a head, columns apart by commas
ask() { "$DMASCOPE" query --format csv "$out/$1.db" "$2" 2>>"$out/err" | tail -n +2 | tr -d '\r"'; }

# analyzed NAME
analyzed() {
	if "$DMASCOPE" analyze "$out/$1.dat" "$out/$1.dat.iomem" -o "$out/$1.db" >"$out/$1.txt" 2>"$out/err"; then
		ok "$1: analyzed"
	else
		not_ok "$1: analyzed" "$(tail -1 "$out/err")"
		return 1
	fi
}

healthy() {
	local found missed=0
	found=$(ask "$1" "SELECT rule, device, message FROM findings WHERE severity <> 'info'" | head -3)
	is "$1: no warning and no error" '' "$found"
	grep -q 'probes missed' "$out/$1.log" && missed=1
	is "$1: no event is lost, but by probes that say so" $missed "$(ask "$1" 'SELECT count(*) > 0 FROM gap')"
}

# near NAME WANTED GOT: within one percent; kprobes alone, as of old kernels, miss some calls
near() {
	local percent=1
	[ "$kernel" != old ] || percent=4
	if [ $((($3 - $2) * 100)) -le $(($2 * percent)) ] && [ $((($2 - $3) * 100)) -le $(($2 * percent)) ]; then
		ok "$1 ($3 of $2 bytes)"
	else
		not_ok "$1" "$3 bytes mapped, $2 moved"
	fi
}

# moved DATABASE DEVICE: "FROM TO", bytes mapped
moved() {
	ask "$1" "SELECT sum(bytes_from_device) || ' ' || sum(bytes_to_device) FROM device_summary
		WHERE device = '$2'"
}

# NVMe of newer kernels maps through the IOVA API where an IOMMU translates: only iommu events tell of it.
iova_api() {
	local text bytes
	text=$(ask load "SELECT reason FROM not_judged WHERE reason LIKE '%IOVA API%'")
	bytes=$(sed -nE 's/.*events \(([0-9]+) bytes\).*/\1/p' <<<"$text")
	if [ "${bytes:-0}" -ge $(($1 * 99 / 100)) ]; then ok "nvme: told as not covered ($bytes of $1 bytes)"; else
		not_ok 'nvme: told as not covered' "${bytes:-no} bytes of $1: $text"
	fi
}

# What was in lists, which no probe tells: never more than was moved, as far as it went that way all of it.
judge_list_disk() {
	local kind=$1 from=$3 to=$4
	if [ "$from" -le "$5" ] && [ "$to" -le "$6" ]; then
		ok "$kind: no more than was moved ($from of $5 bytes read, $to of $6 written; the others in lists)"
	else
		not_ok "$kind: no more than was moved" "$from of $5 bytes read, $to of $6 written"
	fi
}

judge_disk() {
	local kind=$1 device=$2 from to tables
	read -r from to <<<"$(moved load "$device")"
	if [ "$mode" = standin ] && [ "$kind" != virtio ]; then
		judge_list_disk "$kind" "$device" "${from:-0}" "${to:-0}" "$3" "$4"
		return
	fi
	near "$kind: bytes read" "$3" "${from:-0}"
	if [ "$kind" = virtio ]; then
		# it maps a head and a table for each request as well, of 16 bytes for each page, or pages in a row
		tables=$(ask load "SELECT total(size_bytes) FROM mappings WHERE device = '$device'
			AND direction = 'TO_DEVICE' AND size_bytes < 4096" | cut -d. -f1)
		if [ "$tables" -le $((($3 + $4) * 105 / 25600)) ]; then ok 'virtio: tables'; else
			not_ok 'virtio: tables' "$tables bytes"
		fi
		to=$((to - tables))
	fi
	near "$kind: bytes written" "$4" "${to:-0}"
}

# Received is what the card's buffers hold, so only sent bytes can be told; the interface counts a head a segment.
judge_net() {
	local device=$1 out_bytes=$3 counted=$5 to
	read -r _ to <<<"$(moved load "$device")"
	if [ "${to:-0}" -ge "$out_bytes" ] && [ "${to:-0}" -le $((counted * 101 / 100)) ]; then
		ok "e1000e: bytes sent ($out_bytes of payload, $to mapped, $counted counted by the card)"
	else
		not_ok 'e1000e: bytes sent' "$out_bytes of payload, ${to:-0} mapped, $counted counted by the card"
	fi
	is 'e1000e: TCP arrived both ways' "$net_bytes $net_bytes" "$2 $3"
}

# Where all that is mapped are whole pages, a trace cannot tell an IOMMU, and says so.
is_mode() {
	case $mode in
	iommu) [ "$1" = iommu ] || [ "$1" = unknown ] ;;
	none) [ "$1" = direct ] ;;
	swiotlb) [ "$1" = bounced ] ;;
	standin) [ "$1" = unknown ] ;; # probes tell no physical addresses of pages
	esac
}

judge_device() {
	local kind=$1 device=$2 driver bounces found
	driver=$(awk -v device="$device" '$1 == device { print $2 }' "$out/devices.log")
	IFS=, read -r found bounces <<<"$(ask load "SELECT group_concat(DISTINCT address_mode), sum(bounces) > 0
		FROM device_summary WHERE device = '$device'")"
	is "$kind: its driver" "$driver" \
		"$(ask load "SELECT DISTINCT driver FROM device WHERE name = '$device'")"
	if is_mode "$found"; then ok "$kind: address mode $found"; else not_ok "$kind: address mode" "$found"; fi
	is "$kind: bounces" "$([ "$mode" = swiotlb ] || [ "$mode" = standin ]; echo $((1 - $?)))" "$bounces"
}

judge_load() {
	local kind device rest net_bytes=4194304
	healthy load
	while read -r -a rest; do
		kind=${rest[0]} device=${rest[1]} rest=("${rest[@]:2}")
		if [ "$kind $mode" = 'nvme iommu' ] && [ -z "$(moved load "$device")" ]; then
			iova_api $((rest[0] + rest[1]))
			continue
		fi
		judge_device "$kind" "$device"
		case $kind in
		net) judge_net "$device" "${rest[@]}" ;;
		*) judge_disk "$kind" "$device" "${rest[@]}" ;;
		esac
	done <"$out/moved"
	is 'load: all that was to move did' 'ahci net nvme usb virtio' \
		"$(cut -d' ' -f1 "$out/moved" | sort | tr '\n' ' ' | sed 's/ $//')"
}

judge_bind() {
	local device driver
	healthy bind
	while read -r device driver; do
		# what a driver but allocates, or maps as lists, makes no device of it
		[ "$kernel" != old ] || [ "$driver" = e1000e ] || continue
		is "$driver: unbound and bound" "1,$driver 2,$driver" \
			"$(ask bind "SELECT generation, driver FROM device WHERE name = '$device'
				ORDER BY generation" | tr '\n' ' ' | sed 's/ $//')"
	done <"$out/unbound"
	is 'bind: four drivers' 4 "$(wc -l <"$out/unbound")"
	is 'bind: unbinds are told' 1 "$("$DMASCOPE" doctor "$out/bind.dat" | grep -c '^unbinds *good')"
	is 'bind: leaks are judged' 0 \
		"$(ask bind "SELECT count(*) FROM not_judged WHERE rule = 'leak-at-unbind'
			AND NOT (reason LIKE '%dma_need_unmap%' AND '$mode' <> 'iommu')")"
}

# Fault, modes, rule (or none), which stack tells the call site: that of the finding, or of its mapping.
# An IOMMU gives each device addresses of its own, so that no other device can be meant. Coherent
# devices skip the traced call of a sync, unless they bounce, as they do in mode standin. Probes that stand in tell no lists,
# and no physical addresses, by which memory is known whatever device it was mapped for.
rules='
double_unmap	iommu,none,swiotlb,standin double-unmap		 finding
size		iommu,none,swiotlb,standin unmap-size-mismatch	 finding
direction	iommu,none,swiotlb,standin unmap-direction-mismatch finding
list_length	iommu,none,swiotlb	unmap-sg-count-mismatch	 finding
list_length	standin			none			 finding
other_device	none,swiotlb		unmap-wrong-device	 finding
other_device	iommu,standin		unmap-not-mapped	 finding
unchecked	none,swiotlb,standin	unmap-invalid-address	 finding
free_in_atomic	iommu,none,swiotlb,standin free-in-atomic		 finding
overlap		iommu,none,swiotlb	overlapping-cacheline	 finding
overlap		standin			none			 finding
late_sync	iommu,none		none			 finding
late_sync	swiotlb,standin		sync-after-unmap	 finding
leak		iommu,none,swiotlb,standin leak-at-unbind		 mapping'

# found RULE STACK: "SEVERITY FUNCTION[MODULE]" of the findings of that rule
found() {
	local stack=f.stack_id
	[ "$2" = mapping ] && stack=m.map_stack_id
	ask fault "SELECT DISTINCT f.severity || ' ' || y.name || '[' || y.module || ']' FROM finding AS f
		LEFT JOIN mapping AS m ON m.id = f.mapping_id
		LEFT JOIN stack AS s ON s.id = $stack LEFT JOIN symbol AS y ON y.id = s.site_symbol_id
		WHERE f.rule = '$1'" | paste -sd ' '
}

# severity RULE
severity() {
	case $1 in
	overlapping-cacheline) echo warning ;;
	unmap-not-mapped) echo info ;;
	leak-at-unbind)
		# without an IOMMU, drivers of kernels that have dma_need_unmap() may skip unmaps of what is not bounced
		if [ "$mode" = iommu ] || [ "$mode" = swiotlb ] ||
			tr -s ' \n' ' ' <"$out/doctor.log" | grep -q 'may skip its unmaps'; then
			echo error
		else
			echo info
		fi
		;;
	*) echo error ;;
	esac
}

judge_faults() {
	local fault modes rule stack others devices expected=''
	read -r -a devices <"$out/fault_devices"
	while read -r fault modes rule stack; do
		[[ ",$modes," == *",$mode,"* ]] || continue
		[ "$kernel $fault" != 'old free_in_atomic' ] || rule=none # no coherent memory
		if ! grep -qx "$fault done" "$out/faults"; then
			not_ok "fault $fault" 'was not committed'
		elif [ "$rule" != none ]; then
			is "fault $fault is reported: $rule" "$(severity "$rule") fault_${fault}[dmsfault]" \
				"$(found "$rule" "$stack")"
		fi
		expected="$expected'$rule',"
	done <<<"$rules"
	# only a bounce makes a sync of a coherent device a traced call
	is 'faults: syncs' "$([ "$mode" = swiotlb ] || [ "$mode" = standin ] && echo '1,1' || echo '0,0')" \
		"$(ask fault "SELECT total(syncs_for_cpu), total(syncs_for_device) FROM mapping
			JOIN device AS d ON d.id = device_id WHERE d.name = '${devices[1]}'" | sed 's/\.0//g')"
	others=$(ask fault "SELECT rule, device, message FROM findings WHERE severity <> 'info'
		AND rule NOT IN ($expected '')" | head -3)
	is 'faults: nothing else is reported' '' "$others"
	others=$(ask fault "SELECT rule, message FROM findings WHERE severity <> 'info'
		AND device IS NOT '${devices[1]}' AND rule <> 'unmap-wrong-device'" | head -3)
	is 'faults: nothing is reported of other devices' '' "$others"
}

# told NAME FILE WORDS: said there, whatever the line breaks
told() {
	if tr -s ' \n' ' ' <"$2" | grep -qF -- "$3"; then ok "$1"; else
		not_ok "$1" "no '$3' in $(head -c 300 "$2" | tr -s ' \n' ' ')"
	fi
}

# lines "EVENT DEVICE TIMES BYTES SUM" of what system $1 counted of what both tell
counted() { sed -n "s/^$1 //p" "$out/beside" | grep -v '_sg ' | sort; }

# The events and their probes saw the same load: as often, as many bytes, at the same addresses. A card that
# gets a packet while the counters are switched on, one after the other, may differ by that.
judge_beside() {
	local cards kinds
	cards=$(cut -d' ' -f2 "$out/nets" | paste -sd '|')
	kinds=$(counted dma | cut -d' ' -f1 | sort -u | paste -sd ' ')
	is 'beside: all kinds of events have probes' "$kinds" "$(counted stand | cut -d' ' -f1 | sort -u | paste -sd ' ')"
	is 'beside: what was mapped for disks is the same' "$(counted dma | grep -vE "$cards")" \
		"$(counted stand | grep -vE "$cards")"
	is 'beside: of cards as well, but for a few at the beginning' '' \
		"$(join -j 1 <(counted dma | sed 's/ /:/') <(counted stand | sed 's/ /:/') | grep -E "$cards" |
			awk '{ d = $2 - $5; if (d < 0) d = -d; if (d > 8) print }')"
	is 'beside: probes stood beside events' 1 "$(($(counted stand | wc -l) >= 6))"
}

# Without dma events, or before they came: what stands in for them, and what is lost.
judge_standin() {
	[ ! -e "$out/beside" ] || judge_beside
	told 'doctor tells what is lost' "$out/doctor.log" 'Lost are scatter lists, physical addresses of pages'
	told 'record tells what is lost' "$out/load.log" 'probes stand in for them; scatter lists, physical addresses'
	[ "$kernel" = old ] || is 'no probe missed a call' '' "$(grep -h 'probes missed' "$out"/*.log)"
}

# judge KERNEL MODE
judge() {
	local step code
	is 'tracing is as it was' '' "$(cat "$out/left")"
	while read -r step code; do
		is "step $step in the guest" 0 "$code"
	done <"$out/steps"
	[ "$mode" != standin ] || judge_standin
	analyzed load && judge_load
	[ "$mode" != standin ] || told 'the analysis tells what is lost' "$out/load.txt" \
		'probes stood in for the dma events, which the kernel did not have: scatter lists'
	analyzed bind && judge_bind
	if [ -e "$out/fault.dat" ]; then
		analyzed fault && judge_faults
	else
		not_ok 'the test driver' "cannot be built: $(grep -m1 -iE 'error' "$work/driver-$1.log")"
	fi
}
