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
	local found
	found=$(ask "$1" "SELECT rule, device, message FROM findings WHERE severity <> 'info'" | head -3)
	is "$1: no warning and no error" '' "$found"
	is "$1: no event is lost" 0 "$(ask "$1" 'SELECT count(*) FROM gap')"
}

# near NAME WANTED GOT: within one percent
near() {
	if [ $((($3 - $2) * 100)) -le "$2" ] && [ $((($2 - $3) * 100)) -le "$2" ]; then
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

judge_disk() {
	local kind=$1 device=$2 from to tables
	read -r from to <<<"$(moved load "$device")"
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
	is "$kind: bounces" "$([ "$mode" = swiotlb ]; echo $((1 - $?)))" "$bounces"
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
# devices skip the traced call of a sync, unless they bounce.
rules='
double_unmap	iommu,none,swiotlb	double-unmap		 finding
size		iommu,none,swiotlb	unmap-size-mismatch	 finding
direction	iommu,none,swiotlb	unmap-direction-mismatch finding
list_length	iommu,none,swiotlb	unmap-sg-count-mismatch	 finding
other_device	none,swiotlb		unmap-wrong-device	 finding
other_device	iommu			unmap-not-mapped	 finding
unchecked	none,swiotlb		unmap-invalid-address	 finding
free_in_atomic	iommu,none,swiotlb	free-in-atomic		 finding
overlap		iommu,none,swiotlb	overlapping-cacheline	 finding
late_sync	iommu,none		none			 finding
late_sync	swiotlb			sync-after-unmap	 finding
leak		iommu,none,swiotlb	leak-at-unbind		 mapping'

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
		# without an IOMMU, drivers of kernels that have dma_need_unmap() may skip unmaps
		if [ "$mode" = iommu ] ||
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
		if ! grep -qx "$fault done" "$out/faults"; then
			not_ok "fault $fault" 'was not committed'
		elif [ "$rule" != none ]; then
			is "fault $fault is reported: $rule" "$(severity "$rule") fault_${fault}[dmsfault]" \
				"$(found "$rule" "$stack")"
		fi
		expected="$expected'$rule',"
	done <<<"$rules"
	# only a bounce makes a sync of a coherent device a traced call
	is 'faults: syncs' "$([ "$mode" = swiotlb ] && echo '1,1' || echo '0,0')" \
		"$(ask fault "SELECT total(syncs_for_cpu), total(syncs_for_device) FROM mapping
			JOIN device AS d ON d.id = device_id WHERE d.name = '${devices[1]}'" | sed 's/\.0//g')"
	others=$(ask fault "SELECT rule, device, message FROM findings WHERE severity <> 'info'
		AND rule NOT IN ($expected '')" | head -3)
	is 'faults: nothing else is reported' '' "$others"
	others=$(ask fault "SELECT rule, message FROM findings WHERE severity <> 'info'
		AND device IS NOT '${devices[1]}' AND rule <> 'unmap-wrong-device'" | head -3)
	is 'faults: nothing is reported of other devices' '' "$others"
}

# Return probes see arguments since Linux 6.9 only: before, nothing can stand in for the events, and all are told so.
judge_refusal() {
	local step code wanted
	while read -r step code; do
		case $step in
		devices | net) wanted=0 ;;
		*) wanted=3 ;;
		esac
		is "step $step in the guest" "$wanted" "$code"
		[ "$step" = load ] || [ "$step" = bind ] || continue
		if tail -1 "$out/$step.log" | grep -q 'which Linux 6.9 was the first to'; then
			ok "$step: its last line says why it is refused"
		else
			not_ok "$step: its last line says why it is refused" "$(tail -1 "$out/$step.log")"
		fi
		if [ -e "$out/$step.dat" ]; then not_ok "$step: no file" 'there is one'; else ok "$step: no file"; fi
	done <"$out/steps"
	if tr -s ' \n' ' ' <"$out/doctor.log" | grep -q 'cannot stand in for maps'; then ok 'doctor says it'; else
		not_ok 'doctor says it' "$(head -5 "$out/doctor.log" | tr '\n' ' ')"
	fi
}

# judge KERNEL MODE
judge() {
	local step code
	is 'tracing is as it was' '' "$(cat "$out/left")"
	if [ "$1" = old ]; then
		judge_refusal
		return
	fi
	while read -r step code; do
		is "step $step in the guest" 0 "$code"
	done <"$out/steps"
	analyzed load && judge_load
	analyzed bind && judge_bind
	if [ -e "$out/fault.dat" ]; then
		analyzed fault && judge_faults
	else
		not_ok 'the test driver' "cannot be built: $(grep -m1 -iE 'error' "$work/driver-$1.log")"
	fi
}
