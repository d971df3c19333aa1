#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boot a kernel in QEMU, run workload.sh in it under `dmascope record`, bring the recording out:
# OUT.dat, and what `record` leaves beside it, OUT.dat.iomem, which some rules need.
#
# usage: record-in-qemu.sh KERNEL OUT.dat
#   KERNEL    bzImage with CONFIG_TRACING, CONFIG_DMA_API tracepoints (Linux 6.12 or newer), virtio-blk
#             and initramfs support; what else is needed is built in or listed in MODULES
#   MODULES   .ko files to be loaded, in that order (default: none)
#   DMASCOPE  the program (default: dmascope in PATH)
#   APPEND    more kernel parameters, such as "swiotlb=force"
#   QEMU_ARGS more devices, such as "-device e1000e" (default: one NVMe disk of 64 MiB)
#   ACCEL     kvm where that works (default: software emulation, about a minute slower)
#   LIMIT     seconds until the guest is killed (default: 600)
# Needs qemu-system-x86_64, a static busybox, cpio. No root. Exit: 0 recorded, 3 not.
set -euo pipefail
[ $# -eq 2 ] || {
	sed -n '5,17s/^# \{0,1\}//p' "$0" >&2
	exit 2
}
kernel=$1 out=$2
here=$(dirname "$(realpath "$0")")
dmascope=$(command -v "${DMASCOPE:-dmascope}")
busybox=$(command -v busybox)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() {
	echo "record-in-qemu.sh: $*" >&2
	exit 3
}

# The guest's root: busybox, dmascope with the libraries it is linked to, modules, the workload.
make_root() {
	local root=$work/root applet library module
	mkdir -p "$root"/{bin,dev,proc,sys,tmp,lib64,modules}
	ldd "$busybox" >/dev/null 2>&1 && die "$busybox is not static: install busybox-static"
	cp "$busybox" "$root/bin/busybox"
	for applet in $("$busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
	done
	cp "$dmascope" "$root/bin/dmascope"
	ldd "$dmascope" | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$root$(dirname "$library")"
		cp -L "$library" "$root$library"
	done
	: >"$root/modules.order"
	for module in ${MODULES:-}; do
		cp "$module" "$root/modules/"
		echo "/modules/$(basename "$module")" >>"$root/modules.order"
	done
	cp "$here/workload.sh" "$root/workload.sh"
	cp "$here/guest-init.sh" "$root/init"
	chmod +x "$root/init"
	(cd "$root" && find . | cpio -o -H newc -R 0:0 --quiet) >"$work/initrd"
}

boot() {
	truncate -s 64M "$work/nvme.img"
	truncate -s 512M "$work/out.img"
	# no_timer_check: on a busy host the timer of the guest is late, which the kernel takes for broken
	# shellcheck disable=SC2086 # several arguments
	timeout "${LIMIT:-600}" qemu-system-x86_64 -M q35 -accel "${ACCEL:-tcg,thread=multi}" -cpu max -smp 2 -m 1G \
		-nodefaults -no-reboot -display none -serial "file:$work/console.log" \
		-kernel "$kernel" -initrd "$work/initrd" \
		-append "console=ttyS0 panic=-1 no_timer_check ${APPEND:-}" \
		-drive if=none,id=nvme,file="$work/nvme.img",format=raw \
		-device nvme,drive=nvme,serial=1 \
		-drive if=none,id=out,file="$work/out.img",format=raw \
		-device virtio-blk-pci,drive=out ${QEMU_ARGS:-} </dev/null
}

make_root
boot || die "the guest did not come to an end; its console: $(tail -n 5 "$work/console.log")"
mkdir "$work/got"
tar -x -C "$work/got" -f "$work/out.img" 2>/dev/null || true
[ -s "$work/got/trace.dat" ] || {
	cat "$work/got/record.log" >&2 2>/dev/null || tail -n 20 "$work/console.log" >&2
	die "no recording came out of the guest"
}
# the memory map lies beside it
for file in "$work"/got/trace.dat*; do
	cp "$file" "$out${file#"$work"/got/trace.dat}"
done
cat "$work/got/record.log" >&2
