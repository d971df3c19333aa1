#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What the driver under test is made to do, in the guest. The same on every commit: replace it by
# your own, but keep it repeatable. This one writes and reads the first NVMe disk, which is empty.
set -eu
disk=/dev/nvme0n1
[ -b "$disk" ] || {
	echo "workload.sh: no $disk: is the driver built in, or in MODULES?" >&2
	exit 1
}
for round in 1 2 3 4; do
	dd if=/dev/zero of="$disk" bs=64k count=64 seek=$((round * 64)) oflag=direct
	dd if="$disk" of=/dev/null bs=4k count=1024 skip=$((round * 1024)) iflag=direct
done
