#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Healthy drivers are unbound and bound again; /out/unbound names the devices.
. /guest.sh
for driver in nvme ahci e1000e xhci_hcd; do
	for device in $(pci_devices $driver); do
		echo $device >/sys/bus/pci/drivers/$driver/unbind || continue
		echo "$device $driver" >>/out/unbound
		sleep 1
		echo $device >/sys/bus/pci/drivers/$driver/bind
		sleep 1
		# a card that is down maps nothing
		for name in $(net_devices); do ip link set $name up; done
	done
done
sleep 1
