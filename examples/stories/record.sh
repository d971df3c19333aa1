#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# record.sh MODULE JOB COUNT: record the driver while it does a job and is unbound; as root, in a
# guest of QEMU that has the devices "edu" and, but for the bounces, "intel-iommu".
set -eu
module=$1 job=$2 count=$3
drivers=/sys/bus/pci/drivers/edu_xfer
cat >workload.sh <<END
insmod "$module"
for run in $drivers/*:*/run; do echo "$job $count" >"\$run"; done
sleep 1
for device in $drivers/*:*; do echo "\${device##*/}" >$drivers/unbind; done
# whoever reads the recording wants to see that nothing is unmapped later
sleep 1
rmmod edu_xfer
END
dmascope record -o "$job.dat" -- sh workload.sh
