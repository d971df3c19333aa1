#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# End to end: stock Debian kernels in QEMU, `dmascope record` inside, analysis and judgement outside.
#
# Each kernel boots with an Intel IOMMU, without one, and with swiotlb=force. Inside, real drivers
# move a known amount of data, are unbound, and a driver of ours breaks rules on purpose. Needs
# QEMU, apt and the network at first; what was downloaded is kept. Environment:
#   DMASCOPE_SYSTEST_CACHE	where downloads are kept (build/systest-cache)
#   DMASCOPE_SYSTEST_KERNELS	kernels to boot: old, 6.12, newest ("6.12 newest")
#   DMASCOPE_SYSTEST_MODES	"iommu none swiotlb"
#   DMASCOPE_SYSTEST_ACCEL	QEMU's -accel (tcg,thread=single)
#   DMASCOPE_SYSTEST_KEEP	a folder for what the guests recorded; else it is removed
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}" "${BUILD:=build}"
: "${DMASCOPE_SYSTEST_KERNELS:=6.12 newest}" "${DMASCOPE_SYSTEST_MODES:=iommu none swiotlb}"
here=$SRCDIR/tests/system
cache=${DMASCOPE_SYSTEST_CACHE:-$BUILD/systest-cache}
guest_seconds=${DMASCOPE_SYSTEST_SECONDS:-300}
passed=0 failed=0 skipped=0
begin=$SECONDS

ok() {
	echo "ok - guest: $where: $1"
	passed=$((passed + 1))
}
not_ok() {
	echo "not ok - guest: $where: $1: $2"
	failed=$((failed + 1))
}
skip() {
	echo "skip - guest: $where: $1"
	skipped=$((skipped + 1))
}
# is NAME WANTED GOT
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "$3, not $2"; fi; }
close() {
	echo "guest: $passed passed, $failed failed, $skipped skipped in $((SECONDS - begin)) s"
	[ $failed -eq 0 ]
	exit
}

# ---- what is needed ---------------------------------------------------------------------------------
where=setup
modules='nvme ahci sd_mod xhci_pci usb_storage uas e1000e virtio_pci virtio_blk virtio_net'
for program in qemu-system-x86_64 make gcc cpio depmod modprobe tar; do
	command -v $program >/dev/null && continue
	skip "no $program here: nothing is booted"
	close
done
work=$(mktemp -d "${TMPDIR:-/tmp}/systest.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
if ! bash "$here/guest/fetch.sh" "$cache" "$DMASCOPE_SYSTEST_KERNELS" 2>"$work/err"; then
	skip "nothing to boot: $(tail -1 "$work/err")"
	close
fi
cache=$(cd "$cache" && pwd) || exit 1

pack() { (cd "$1" && find . | cpio --quiet -o -H newc -R 0:0); }

# modules_of KERNEL: its drivers, as a cpio archive in the cache
modules_of() {
	local root=$cache/kernels/$1 version tree=$work/modules-$1 libs path file
	version=$(cat "$root/version")
	[ -s "$root/modules.cpio" ] && return
	libs=$root/usr/lib/modules
	[ -d "$libs/$version/kernel" ] || libs=$root/lib/modules
	depmod -b "${libs%/lib/modules}" "$version" 2>/dev/null
	mkdir -p "$tree/lib/modules/$version/kernel"
	for path in $modules; do
		modprobe -d "${libs%/lib/modules}" -S "$version" -D "$path" 2>/dev/null
	done | awk '$1 == "insmod" { print $2 }' | sort -u | while read -r file; do
		cp "$file" "$tree/lib/modules/$version/kernel/"
	done
	find "$tree" -name '*.xz' -exec xz -d {} +
	find "$tree" -name '*.zst' -exec zstd -q -d --rm {} +
	cp "$libs/$version"/modules.{builtin,order,builtin.modinfo} "$tree/lib/modules/$version/" 2>/dev/null
	depmod -b "$tree" "$version" 2>/dev/null
	pack "$tree" >"$root/modules.part" && mv "$root/modules.part" "$root/modules.cpio"
}

# driver_of KERNEL: our driver for it in $work/KERNEL.ko; it needs no BTF, nor the compiler of the kernel
driver_of() {
	local root=$cache/kernels/$1 version tree=$work/driver-$1
	version=$(cat "$root/version")
	cp -r "$here/dmsfault" "$tree"
	make -s -C "$root/usr/src/linux-headers-$version" M="$tree" CC=gcc HOSTCC=gcc KCFLAGS=-w \
		CONFIG_DEBUG_INFO_BTF_MODULES= CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT= modules \
		>"$tree.log" 2>&1 && cp "$tree/dmsfault.ko" "$work/$1.ko"
}

# The part of the guest that all kernels share: busybox, dmascope with its libraries, scripts.
user_land() {
	local tree=$work/user library
	mkdir -p "$tree"/{bin,dev,proc,sys,tmp,run,out,etc}
	cp "$cache/busybox" "$DMASCOPE" "$tree/bin/"
	ldd "$DMASCOPE" | grep -oE '/[^ ]+' | while read -r library; do
		mkdir -p "$tree$(dirname "$library")"
		cp -L "$library" "$tree$library"
	done
	cp "$here"/guest/{init,guest.sh,load.sh,bind.sh,fault.sh} "$tree/"
	chmod 755 "$tree/init"
}

# initrd KERNEL
initrd() {
	modules_of "$1"
	rm -f "$work/user/dmsfault.ko"
	if driver_of "$1"; then cp "$work/$1.ko" "$work/user/dmsfault.ko"; fi
	{ cat "$cache/kernels/$1/modules.cpio" && pack "$work/user"; } >"$work/initrd"
}

# boot KERNEL MODE: what the guest hands over is in $out; false: it never finished
boot() {
	local kernel mode=$2 images=$work/images disk ats='' line='console=ttyS0,115200 panic=-1'
	line+=' no_timer_check' # it fails where the machine has other work than the guest
	local devices=()
	kernel=$(find "$cache/kernels/$1" -name 'vmlinuz*' -type f | head -1)
	rm -rf "$images" "$out"
	mkdir -p "$images" "$out"
	for disk in nvme ahci usb load; do truncate -s 128M "$images/$disk"; done
	truncate -s 512M "$images/out"
	case $mode in
	iommu)
		devices+=(-device 'intel-iommu,intremap=on,device-iotlb=on')
		line+=' intel_iommu=on iommu.strict=1'
		ats=,ats=on
		;;
	none) line+=' intel_iommu=off' ;;
	swiotlb) line+=' intel_iommu=off swiotlb=force' ;;
	esac
	for disk in nvme ahci usb load out; do
		devices+=(-drive "if=none,id=$disk,file=$images/$disk,format=raw,cache=unsafe")
	done
	# the way out has no iommu_platform: the DMA API, and so the trace, do not know it
	devices+=(-device 'nvme,drive=nvme,serial=nvme' -device 'ide-hd,drive=ahci,bus=ide.0'
		-device qemu-xhci -device 'usb-storage,drive=usb'
		-device "virtio-blk-pci,drive=load,serial=load,iommu_platform=on,disable-legacy=on$ats"
		-device 'virtio-blk-pci,drive=out,serial=out'
		-netdev 'hubport,id=one,hubid=0' -device 'e1000e,netdev=one'
		-netdev 'hubport,id=two,hubid=0'
		-device "virtio-net-pci,netdev=two,iommu_platform=on,disable-legacy=on$ats"
		-device edu -device edu)
	timeout "$guest_seconds" qemu-system-x86_64 -M q35,kernel-irqchip=split -cpu max -smp 2 -m 900M \
		-accel "${DMASCOPE_SYSTEST_ACCEL:-tcg,thread=single}" -nodefaults -no-reboot -display none \
		-monitor none -serial "file:$out/console.log" -kernel "$kernel" -initrd "$work/initrd" \
		-append "$line" "${devices[@]}" 2>"$out/qemu.err"
	tar x -C "$out" -f "$images/out" 2>/dev/null
	grep -aq '^DONE' "$out/console.log"
}

# ---- judging ----------------------------------------------------------------------------------------
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

# judge KERNEL MODE
judge() {
	local step code
	while read -r step code; do
		is "step $step in the guest" 0 "$code"
	done <"$out/steps"
	analyzed load && judge_load
	analyzed bind && judge_bind
	if [ -e "$out/fault.dat" ]; then
		analyzed fault && judge_faults
	else
		skip "the test driver cannot be built: $(grep -m1 -iE 'error' "$work/driver-$1.log")"
	fi
}

# ---- all of them ------------------------------------------------------------------------------------
# kernels are packed once and booted in each mode
run_all() {
	local kernel start
	user_land
	for kernel in $DMASCOPE_SYSTEST_KERNELS; do
		initrd "$kernel"
		for mode in $DMASCOPE_SYSTEST_MODES; do
			where="$(cat "$cache/kernels/$kernel/version") $mode"
			out=$work/out
			[ -z "${DMASCOPE_SYSTEST_KEEP:-}" ] || out=$DMASCOPE_SYSTEST_KEEP/$kernel-$mode
			start=$SECONDS
			# a kernel that did not come up at all, under emulation, gets another try
			if boot "$kernel" "$mode" || { ! grep -aq '^UP' "$out/console.log" && boot "$kernel" "$mode"; }; then
				echo "# $where: the guest ran $((SECONDS - start)) s"
				judge "$kernel"
			else
				not_ok boot "not finished after $((SECONDS - start)) s: $(tail -n 3 "$out/console.log" |
					tr -d '\r' | tr '\n' ' ') $(head -1 "$out/qemu.err")"
			fi
		done
	done
	close
}
run_all
