#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# First process of the guest: record what the workload does, hand the recording out, power off.
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
mount -t tracefs trace /sys/kernel/tracing
for module in $(cat /modules.order); do
	insmod "$module" || echo "guest: insmod $module failed"
done
sleep 2 # disks appear a while after their driver
mkdir /tmp/out
dmascope record -o /tmp/out/trace.dat -- sh /workload.sh >/tmp/out/record.log 2>&1
echo "guest: dmascope record: exit $?"
dmesg >/tmp/out/dmesg.txt
# the virtio disk does not use the DMA API: it is not in the recording
tar -c -C /tmp/out . >/dev/vda && sync
echo o >/proc/sysrq-trigger
sleep 60
