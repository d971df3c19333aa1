#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# End to end: stock Debian kernels in QEMU, `dmascope record` inside, analysis and judgement outside.
#
# Each kernel boots with an Intel IOMMU, without one, and with swiotlb=force. Inside, real drivers
# move a known amount of data, are unbound, and a driver of ours breaks rules on purpose. Needs
# QEMU, apt and the network at first; what was downloaded is kept. Environment:
#   DMASCOPE_SYSTEST_CACHE	where downloads are kept (build/systest-cache)
#   DMASCOPE_SYSTEST_KERNELS	kernels to boot ("6.12 newest old"); old is 6.1, which has no dma events
#   DMASCOPE_SYSTEST_MODES	"iommu none swiotlb standin"; standin: without dma events (6.12: hidden), with
#				swiotlb=force, of 6.12 and old
#   DMASCOPE_SYSTEST_ACCEL	QEMU's -accel (tcg,thread=single)
#   DMASCOPE_SYSTEST_SECONDS	a guest that takes longer hangs (900)
#   DMASCOPE_SYSTEST_KEEP	a folder for what the guests recorded; else it is removed
set -u
LC_ALL=C
export LC_ALL
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}" "${BUILD:=build}"
: "${DMASCOPE_SYSTEST_KERNELS:=6.12 newest old}" "${DMASCOPE_SYSTEST_MODES:=iommu none swiotlb standin}"
here=$SRCDIR/tests/system
cache=${DMASCOPE_SYSTEST_CACHE:-$BUILD/systest-cache}
guest_seconds=${DMASCOPE_SYSTEST_SECONDS:-900}
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
	echo "guest: $passed passed, $failed failed, $skipped skipped in $((SECONDS - begin)) s${1+, $1 s of CPU}"
	[ $failed -eq 0 ]
	exit
}

# ---- what is needed ---------------------------------------------------------------------------------
where=setup
modules='nvme ahci sd_mod xhci_pci usb_storage uas e1000e virtio_pci virtio_blk virtio_net'
for program in qemu-system-x86_64 make gcc cpio depmod modprobe tar xz zstd; do
	command -v $program >/dev/null && continue
	skip "no $program here: nothing is booted"
	close
done
work=$(mktemp -d "${TMPDIR:-/tmp}/systest.XXXXXX") || exit 1
guest_pid=
trap '[ -z "$guest_pid" ] || kill "$guest_pid" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 143' HUP INT TERM
for mode in $DMASCOPE_SYSTEST_MODES; do
	[[ " iommu none swiotlb standin " == *" $mode "* ]] && continue
	not_ok "DMASCOPE_SYSTEST_MODES" "no mode $mode"
	close
done
bash "$here/guest/fetch.sh" "$cache" "$DMASCOPE_SYSTEST_KERNELS" 2>"$work/err"
case $? in
0) ;;
3)
	skip "nothing to boot: $(tail -1 "$work/err")"
	close
	;;
*)
	not_ok downloads "$(tail -1 "$work/err")"
	close
	;;
esac
cache=$(cd "$cache" && pwd) || exit 1
# shellcheck source=tests/system/guest/judge.sh
. "$here/guest/judge.sh"

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
		>"$tree.log" 2>&1 && cp "$tree/dmsfault.ko" "$work/$1.ko" && cp "$tree/dmshide.ko" "$work/$1-hide.ko"
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
	cp "$here"/guest/{init,guest.sh,load.sh,bind.sh,fault.sh,beside.sh} "$tree/"
	chmod 755 "$tree/init"
}

# initrd KERNEL
initrd() {
	modules_of "$1"
	rm -f "$work"/user/dms*.ko
	if driver_of "$1"; then
		cp "$work/$1.ko" "$work/user/dmsfault.ko"
		cp "$work/$1-hide.ko" "$work/user/dmshide.ko"
	fi
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
	standin) line+=' intel_iommu=off swiotlb=force dms_standin' ;;
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
		-append "$line" "${devices[@]}" </dev/null 2>"$out/qemu.err" &
	guest_pid=$! # a signal to us is taken while we wait, and ends it as well
	wait "$guest_pid"
	guest_pid=
	tar x -C "$out" -f "$images/out" 2>/dev/null
	grep -aq '^DONE' "$out/console.log"
}

# came_up KERNEL MODE: another try for what emulation spoils: no start at all, or a command that QEMU's NVMe
# lost, after which the driver asks the controller anew who it is, and what it maps for that is counted
came_up() {
	boot "$1" "$2" || { ! grep -aq '^UP' "$out/console.log" && boot "$1" "$2"; } || return
	! grep -q 'nvme.*timeout, reset controller' "$out/dmesg.txt" || boot "$1" "$2"
}

# ---- all of them ------------------------------------------------------------------------------------
# cpu_seconds: what the guests and all else took of CPUs so far, into $cpu (a subshell begins anew)
cpu_seconds() {
	times >"$work/times"
	cpu=$(awk -F'[ms ]' 'NR == 2 { print int($1 * 60 + $2 + $4 * 60 + $5) }' "$work/times")
}
# kernels are packed once and booted in each mode
run_all() {
	local kernel start cpu cpu_start
	user_land
	for kernel in $DMASCOPE_SYSTEST_KERNELS; do
		initrd "$kernel"
		for mode in $DMASCOPE_SYSTEST_MODES; do
			# newer kernels have other functions, and all have the events
			[ "$kernel $mode" != 'newest standin' ] || continue
			[ "$kernel" != old ] || [ "$mode" = standin ] || continue
			where="$(cat "$cache/kernels/$kernel/version") $mode"
			out=$work/out
			[ -z "${DMASCOPE_SYSTEST_KEEP:-}" ] || out=$DMASCOPE_SYSTEST_KEEP/$kernel-$mode
			cpu_seconds
			start=$SECONDS cpu_start=$cpu
			if came_up "$kernel" "$mode"; then
				cpu_seconds
				echo "# $where: the guest ran $((SECONDS - start)) s, $((cpu - cpu_start)) s of CPU"
				judge "$kernel"
			else
				not_ok boot "not finished after $((SECONDS - start)) s: $(tail -n 3 "$out/console.log" |
					tr -d '\r' | tr '\n' ' ') $(head -1 "$out/qemu.err")"
			fi
		done
	done
	cpu_seconds
	close "$cpu"
}
run_all
