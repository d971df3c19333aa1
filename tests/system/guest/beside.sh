#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The dma events and the probes that stand in for them count the same load, at the same time.
# /out/beside gets a line for each device of each: "dma|stand EVENT DEVICE TIMES BYTES SUM_OF_ADDRESSES".
tracefs=/sys/kernel/tracing
fields() { sed -nE 's/.*field:.* (size|addr|dma_addr);.*/\1/p' $event/format | sort -r | paste -sd,; }
# record sets probes where it finds no dma events; what it would do is asked for while nobody can see them
mkdir -p /tmp/none
mount --bind /tmp/none $tracefs/events || exit
dmascope record --dry-run -- true >/out/beside.plan
umount $tracefs/events || exit
sed -nE "s#^echo '([rpf][^']*:)dma/([^']*)' >> .*#\1stand/\2#p" /out/beside.plan >/out/beside.probes
while read -r probe; do
	echo "$probe" >>$tracefs/dynamic_events || echo "refused: $probe"
done </out/beside.probes
for event in $tracefs/events/dma/* $tracefs/events/stand/*; do
	# lists have no size
	[ -e $event/format ] && fields | grep -q size || continue
	echo "hist:keys=device:vals=$(fields)" >$event/trigger || exit
done
sh /load.sh
mv /out/moved /out/beside.moved
for event in $tracefs/events/dma/* $tracefs/events/stand/*; do
	grep -qs '^hist' $event/trigger || continue
	name=${event#"$tracefs/events/"}
	tr -d '{}' <$event/hist | awk -v name="${name%/*} ${name#*/}" '
		$1 == "device:" {
			for (i = 1; i < NF; i++) value[$i] = $(i + 1)
			print name, $2, value["hitcount:"], value["size:"], value["dma_addr:"] value["addr:"]
		}' >>/out/beside
	echo "!hist:keys=device:vals=$(fields)" >$event/trigger
done
grep -E '^ *(stand/|dma_)' $tracefs/kprobe_profile >/out/beside.missed
cat /out/beside.missed
sed -nE 's#^[rpf][^:]*:(stand/[^ ]+) .*#-:\1#p' $tracefs/dynamic_events >/tmp/undo
while read -r probe; do echo "$probe" >>$tracefs/dynamic_events; done </tmp/undo
! grep stand/ $tracefs/dynamic_events
