#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# What the scripts of the guest share.
ns_pid=/tmp/ns

# disk_of SERIAL: the virtio disk of that serial number
disk_of() {
	for disk in /sys/block/vd*; do
		[ "$(cat $disk/serial)" = "$1" ] && echo ${disk##*/}
	done
}
# pci_of PATH: the PCI device below which something of sysfs hangs
pci_of() { readlink -f "$1" | grep -oE '[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]' | tail -1; }
driver_of() { basename "$(readlink -f /sys/bus/pci/devices/$1/driver)"; }
# devices of a driver of the PCI bus
pci_devices() {
	for device in /sys/bus/pci/drivers/$1/*:*; do
		[ -e $device ] && basename $device
	done
}
# two cards on one cable: the second lives in another network, or packets would not leave
net_devices() {
	for device in /sys/class/net/*; do
		[ -e $device/device ] && basename $device
	done
}
in_ns() { nsenter --net="/proc/$(cat $ns_pid)/ns/net" "$@"; }
set_up_net() {
	local number=1 name
	unshare -n sleep 100000 &
	echo $! >$ns_pid
	sleep 1
	for name in $(net_devices); do
		echo "$name $(pci_of /sys/class/net/$name/device)" >>/out/nets
		if [ $number -eq 1 ]; then
			ip addr add 10.0.0.1/24 dev $name && ip link set $name up
		else
			ip link set $name netns "$(cat $ns_pid)"
			in_ns ip addr add 10.0.0.2/24 dev $name && in_ns ip link set $name up
		fi
		number=$((number + 1))
	done
	for number in 1 2 3 4 5 6 7 8 9 10; do
		ping -c 1 -W 1 10.0.0.2 && return
	done
	return 1
}
# lines "DEVICE DRIVER"
list_devices() {
	for device in /sys/bus/pci/devices/*; do
		[ -e $device/driver ] && echo "${device##*/} $(driver_of ${device##*/})"
	done
	return 0
}
# until the next boot
hide_dma_events() {
	insmod /dmshide.ko "events=$(cd /sys/kernel/tracing/events && echo dma/*/ | sed 's#/ #,#g; s#/$##')" || return
	[ ! -e /sys/kernel/tracing/events/dma ]
}
