#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The test driver is loaded, breaks one rule after the other on its second device, and is removed.
# /out/faults gets a line for each: "NAME done" or "NAME cannot".
. /guest.sh
insmod /dmsfault.ko || exit
other=$(pci_devices dmsfault | head -1) ours=$(pci_devices dmsfault | tail -1)
echo "$other $ours" >/out/fault_devices
for fault in none double_unmap size direction list_length other_device unchecked free_in_atomic \
	overlap late_sync leak; do
	if echo $fault >/sys/bus/pci/devices/$ours/fault; then result="done"; else result=cannot; fi
	echo "$fault $result" >>/out/faults
	sleep 0.1
done
echo "$ours" >/sys/bus/pci/drivers/dmsfault/unbind
# whoever reads the recording wants to see that nothing is unmapped later
sleep 1
# the recorder reads the symbols of a module that has come, which under emulation takes it seconds; us as well
for _ in 1 2 3; do grep -c dmsfault /proc/kallsyms; done
rmmod dmsfault
sleep 1
