#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The load: each disk is read and written past the page cache, then TCP goes both ways over the wire.
# /out/moved gets a line for each: "KIND DEVICE READ_BYTES WRITTEN_BYTES", for a network card
# "net DEVICE PAYLOAD_IN PAYLOAD_OUT INTERFACE_IN INTERFACE_OUT".
. /guest.sh
mib=1048576

# disk KIND NAME READ_MIB WRITE_MIB [BLOCK_KIB]: in blocks of 64 pages, as the kernel logs 128 entries of a list at most
disk() {
	kib=${5:-256}
	dd if=/dev/$2 of=/dev/null bs=${kib}k count=$(($3 * 1024 / kib)) iflag=direct 2>&1 || return
	dd if=/dev/zero of=/dev/$2 bs=${kib}k count=$(($4 * 1024 / kib)) oflag=direct 2>&1 || return
	echo "$1 $(pci_of /sys/block/$2/device) $(($3 * mib)) $(($4 * mib))" >>/out/moved
}
# more than can be bounced at once would be two requests, the second of which QEMU's NVMe loses now and then
disk nvme nvme0n1 64 16 128
for name in sda sdb; do
	case $(readlink -f /sys/block/$name) in
	*/usb*) disk usb $name 16 4 ;;
	*) disk ahci $name 64 16 ;;
	esac
done
disk virtio "$(disk_of load)" 16 4

name=$(head -1 /out/nets | cut -d' ' -f1)
statistic() { cat /sys/class/net/$name/statistics/$1_bytes; }
net_bytes=$((4 * mib))
before_in=$(statistic rx) before_out=$(statistic tx)
# who listens answers with the number of bytes that came
in_ns nc -l -p 5001 -e wc -c &
nc -l -p 5002 -e wc -c &
sleep 1
went_out=$(head -c $net_bytes /dev/zero | nc -w 5 10.0.0.2 5001)
came_in=$(head -c $net_bytes /dev/zero | in_ns nc -w 5 10.0.0.1 5002)
wait
echo "net $(pci_of /sys/class/net/$name/device) $came_in $went_out" \
	"$(($(statistic rx) - before_in)) $(($(statistic tx) - before_out))" >>/out/moved
