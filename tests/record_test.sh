#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# record and doctor on made-up machines: what they plan, refuse and say. Nothing is recorded.
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
export DMASCOPE_ROOT=$work/root
T=$DMASCOPE_ROOT/sys/kernel/tracing

ok() { echo "ok - $1"; }
not_ok() {
	echo "not ok - $1: $2"
	failed=1
}
# same NAME: standard input is what $work/out holds
same() {
	if diff -u - "$work/out" >"$work/diff"; then ok "$1"; else
		not_ok "$1" "differs"
		head -40 "$work/diff" | sed 's/^/    /'
	fi
}
# has NAME WORDS: $work/out or $work/err holds them, line breaks apart
has() {
	if cat "$work/out" "$work/err" | tr -s ' \n' ' ' | grep -qF -- "$2"; then ok "$1"; else
		not_ok "$1" "no '$2' in: $(cat "$work/out" "$work/err" | tr -s ' \n' ' ' | cut -c1-600)"
	fi
}
# run CODE NAME ARGUMENT...: its exit code is CODE
run() {
	local code=$1 name=$2 got
	shift 2
	"$DMASCOPE" "$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	if [ $got -eq "$code" ]; then ok "$name: exit code $code"; else
		not_ok "$name" "exit code $got, not $code: $(head -c 300 "$work/err")"
	fi
}

event() { # event SYSTEM NAME...
	local system=$1 name
	shift
	for name; do
		mkdir -p "$T/events/$system/$name"
		touch "$T/events/$system/$name"/{enable,filter,format,trigger}
	done
}
device() { # device BUS NAME DRIVER MASK COHERENT-MASK GROUP TYPE
	local d=$DMASCOPE_ROOT/sys/devices/$2
	mkdir -p "$d" "$DMASCOPE_ROOT/sys/bus/$1/devices" "$DMASCOPE_ROOT/sys/kernel/iommu_groups/$6"
	ln -s "../../../devices/$2" "$DMASCOPE_ROOT/sys/bus/$1/devices/$2"
	ln -s ../../bus/"$1" "$d/subsystem"
	ln -s "../../kernel/iommu_groups/$6" "$d/iommu_group"
	echo "$7" >"$DMASCOPE_ROOT/sys/kernel/iommu_groups/$6/type"
	echo "$4" >"$d/dma_mask_bits"
	echo "$5" >"$d/consistent_dma_mask_bits"
	[ "$3" = - ] && return
	mkdir -p "$DMASCOPE_ROOT/sys/bus/$1/drivers/$3"
	touch "$DMASCOPE_ROOT/sys/bus/$1/drivers/$3/bind"
	ln -s "../../bus/$1/drivers/$3" "$d/driver"
	ln -s "../../../../devices/$2" "$DMASCOPE_ROOT/sys/bus/$1/drivers/$3/$2"
}
symbols() {
	for name; do echo "ffffffff81000000 T $name"; done >"$DMASCOPE_ROOT/proc/kallsyms"
}

# a machine of Linux 6.18 with kprobes, two CPUs and an IOMMU
machine() {
	rm -rf "$DMASCOPE_ROOT"
	mkdir -p "$T/instances" "$T"/per_cpu/cpu{0,1} "$T/options" "$DMASCOPE_ROOT/proc/sys/kernel" \
		"$DMASCOPE_ROOT/boot" "$DMASCOPE_ROOT/sys/class/iommu/dmar0"
	echo 'local [global] counter mono x86-tsc' >"$T/trace_clock"
	touch "$T/kprobe_events" "$T/options/stacktrace" "$T/buffer_subbuf_size_kb" "$T/README"
	event dma dma_map_phys dma_unmap_phys dma_sync_single_for_cpu dma_map_sg
	echo 'field:int full_nents;' >"$T/events/dma/dma_map_sg/format"
	event swiotlb swiotlb_bounced
	event iommu map unmap io_page_fault
	event printk console
	event sched sched_switch
	echo 6.18.1-test >"$DMASCOPE_ROOT/proc/sys/kernel/osrelease"
	echo x86_64 >"$DMASCOPE_ROOT/proc/sys/kernel/arch"
	echo 'MemAvailable:   8000000 kB' >"$DMASCOPE_ROOT/proc/meminfo"
	echo 'quiet intel_iommu=on swiotlb=force' >"$DMASCOPE_ROOT/proc/cmdline"
	printf 'CONFIG_TRACING=y\nCONFIG_STACKTRACE=y\nCONFIG_DMA_NEED_SYNC=y\n' \
		>"$DMASCOPE_ROOT/boot/config-6.18.1-test"
	symbols dma_set_mask device_unbind_cleanup debug_dma_mapping_error dma_map_sg_attrs_not
	device pci 0000:00:01.0 nvme 64 32 5 DMA-FQ
	device pci 0000:00:02.0 nvme 32 32 6 DMA
	device pci 0000:00:03.0 - 32 32 6 DMA
}

# ---- what would be done ---------------------------------------------------------------------------
machine
run 0 'dry run' record --dry-run --device 'usb*' --driver nvme -o "out 1.dat" -- dd 'of=a b'
sed -i "s|$DMASCOPE_ROOT||" "$work/out"
F='"usb*" || DEV == "0000:00:01.0" || DEV == "0000:00:02.0"'
filter() { echo "'$1 ~ ${F//DEV/$1}'"; }
I=\$T/instances/dmascope
same 'steps of a filtered recording' <<END
# What dmascope record would do; as root:
T=/sys/kernel/tracing
mkdir $I
echo 0 > $I/tracing_on
echo mono > $I/trace_clock
echo 32768 > $I/buffer_size_kb
echo 'p:dmascope/device_unbind_cleanup device_unbind_cleanup device=+0(+0(\$arg1)):string' >> \$T/kprobe_events
echo 'p:dmascope/dma_set_mask dma_set_mask device=+0(+0(\$arg1)):string mask=\$arg2:x64' >> \$T/kprobe_events
echo 'p:dmascope/debug_dma_mapping_error debug_dma_mapping_error device=+0(+0(\$arg1)):string dma_addr=\$arg2:x64 caller=\$stack0:symbol' >> \$T/kprobe_events || \\
  echo 'p:dmascope/debug_dma_mapping_error debug_dma_mapping_error device=+0(+0(\$arg1)):string dma_addr=\$arg2:x64' >> \$T/kprobe_events
echo $(filter device) > $I/events/dma/dma_map_phys/filter
echo 1 > $I/events/dma/dma_map_phys/enable
echo 'stacktrace if device ~ ${F//DEV/device}' > $I/events/dma/dma_map_phys/trigger
echo $(filter device) > $I/events/dma/dma_map_sg/filter
echo 1 > $I/events/dma/dma_map_sg/enable
echo 'stacktrace if device ~ ${F//DEV/device}' > $I/events/dma/dma_map_sg/trigger
echo $(filter device) > $I/events/dma/dma_sync_single_for_cpu/filter
echo 1 > $I/events/dma/dma_sync_single_for_cpu/enable
echo $(filter device) > $I/events/dma/dma_unmap_phys/filter
echo 1 > $I/events/dma/dma_unmap_phys/enable
echo 'stacktrace if device ~ ${F//DEV/device}' > $I/events/dma/dma_unmap_phys/trigger
echo $(filter dev_name) > $I/events/swiotlb/swiotlb_bounced/filter
echo 1 > $I/events/swiotlb/swiotlb_bounced/enable
echo $(filter device) > $I/events/iommu/io_page_fault/filter
echo 1 > $I/events/iommu/io_page_fault/enable
echo 1 > $I/events/printk/console/enable
echo $(filter device) > $I/events/dmascope/device_unbind_cleanup/filter
echo 1 > $I/events/dmascope/device_unbind_cleanup/enable
echo $(filter device) > $I/events/dmascope/dma_set_mask/filter
echo 1 > $I/events/dmascope/dma_set_mask/enable
echo $(filter device) > $I/events/dmascope/debug_dma_mapping_error/filter
echo 1 > $I/events/dmascope/debug_dma_mapping_error/enable
echo 1 > $I/tracing_on
dd 'of=a b'
echo 0 > $I/tracing_on
# what the buffers still hold; dmascope record moves it to the disk all the time
trace-cmd extract -B dmascope -o 'out 1.dat'
[ ! -d $I ] || rmdir $I
echo -:dmascope/device_unbind_cleanup >> \$T/kprobe_events
echo -:dmascope/dma_set_mask >> \$T/kprobe_events
echo -:dmascope/debug_dma_mapping_error >> \$T/kprobe_events

# The same by trace-cmd alone, the probes apart:
# trace-cmd record -B dmascope -o 'out 1.dat' -C mono -b 32768 -e dma:dma_map_phys -f $(filter device) -R 'stacktrace if device ~ ${F//DEV/device}' -e dma:dma_map_sg -f $(filter device) -R 'stacktrace if device ~ ${F//DEV/device}' -e dma:dma_sync_single_for_cpu -f $(filter device) -e dma:dma_unmap_phys -f $(filter device) -R 'stacktrace if device ~ ${F//DEV/device}' -e swiotlb:swiotlb_bounced -f $(filter dev_name) -e iommu:io_page_fault -f $(filter device) -e printk:console dd 'of=a b'
END
if sh -n "$work/out"; then ok 'its lines are those of a shell'; else not_ok 'its lines' 'no shell takes them'; fi
has 'what is left out is said' 'iommu:map and iommu:unmap name no device'
has 'a function that is missing is said' 'no probe tells coherent DMA masks set while recording'

symbols dma_map_sg_attrs
run 0 'lists' record --dry-run --driver nvme
has 'only failures of lists' '|| device == "0000:00:02.0") && ret == 0'
run 0 'all devices' record --dry-run --duration 7 --stacks all -e sched
has 'iommu events of all devices' "echo 1 > $I/events/iommu/map/enable"
has 'no filter' "tracing_on echo mono"
has 'stacks of all events' "echo 1 > $I/options/stacktrace"
has 'further events' "echo 1 > $I/events/sched/sched_switch/enable"
has 'duration' 'sleep 7'
if grep -q '^# trace-cmd record .* sleep 7$' "$work/out"; then ok 'duration, by trace-cmd'; else
	not_ok 'duration, by trace-cmd' "$(grep '^# trace-cmd' "$work/out")"; fi
if grep -q trigger "$work/out"; then not_ok 'stacks all' 'has triggers as well'; else ok 'no stack is recorded twice'; fi

run 0 'settings' record --dry-run --stacks none --no-probes --clock local -b 512 --subbuf-size 64
has 'clock' 'echo local >'
has 'sub-buffers before buffers' "echo 64 > $I/buffer_subbuf_size_kb echo 512 > $I/buffer_size_kb"
if grep -qE 'kprobe_events|stacktrace' "$work/out"; then not_ok 'neither' 'probes or stacks'; else ok 'neither probes nor stacks'; fi
echo 'MemAvailable: 64000 kB' >"$DMASCOPE_ROOT/proc/meminfo"
run 0 'little memory' record --dry-run
has 'smaller buffers' 'echo 4000 >'
echo arm64 >"$DMASCOPE_ROOT/proc/sys/kernel/arch"
run 0 'another architecture' record --dry-run
if grep -q 'stack0' "$work/out"; then not_ok 'the caller' 'on the stack of an arm64'; else ok 'no caller where none is on the stack'; fi

# ---- memory that is short once ----------------------------------------------------------------------
# lacks NAME ARGUMENT...: each allocation fails alone: then the plan is the same, or there is none
lacks() {
	local name=$1 n count code
	shift
	"$DMASCOPE" "$@" >"$work/whole" 2>"$work/said" || { not_ok "$name" 'no plan'; return; }
	lacking 0 "$@"
	count=$(cat "$work/count")
	[ "${count:-0}" -gt 0 ] || { not_ok "$name" 'no allocation was counted'; return; }
	for n in $(seq "$count"); do
		lacking "$n" "$@"
		code=$?
		[ $code -eq 4 ] && grep -qx 'dmascope: out of memory' "$work/err" && continue
		[ $code -eq 0 ] && cmp -s "$work/out" "$work/whole" && cmp -s "$work/err" "$work/said" && continue
		not_ok "$name" "allocation $n of $count: exit code $code: $(head -c 200 "$work/err"), $(diff "$work/out" "$work/whole" | head -c 200)"
		return
	done
	ok "$name ($count allocations)"
}
lacking() {
	local n=$1
	shift
	timeout 20 env "DMS_FAULT=lack:$n" "DMS_FAULT_COUNT=$work/count" "LD_PRELOAD=$work/faults.so" \
		"$DMASCOPE" "$@" >"$work/out" 2>"$work/err" </dev/null
}
if grep -q -e __asan_init -e __tsan_init "$DMASCOPE"; then
	echo 'skip - short of memory: a sanitizer has its own allocator and wants to be first'
elif ! "${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -O1 -shared -fPIC -o "$work/faults.so" "$SRCDIR/tests/tools/faults.c"; then
	not_ok 'short of memory' 'tests/tools/faults.c does not compile'
else
	machine
	lacks 'short of memory' record --dry-run --device 'usb*' --device 0000:00:03.0 --driver nvme -e sched -- dd 'of=a b'
	rm -r "$T/events/dma"
	symbols dma_map_page_attrs dma_unmap_page_attrs dma_alloc_attrs
	lacks 'short of memory for stand-ins' record --dry-run --stacks all
	rm "$T/kprobe_events"
	echo 'f[:[<group>/][<event>]] <func-name>[%return] [<args>]' >"$T/README"
	lacks 'short of memory for fprobes' record --dry-run
fi

# ---- kernels that lack something --------------------------------------------------------------------
machine
rm -r "$T/kprobe_events"
run 0 'no probes' record --dry-run
has 'no probes' 'this kernel has no probes'
echo 'f[:[<group>/][<event>]] <func-name>[%return] [<args>]' >"$T/README"
run 0 'fprobes' record --dry-run
has 'fprobes' "echo 'f:dmascope/dma_set_mask dma_set_mask device=+0(+0(\$arg1)):string mask=\$arg2:x64' >> \$T/dynamic_events"

machine
rm -r "$T/events/dma"
symbols dma_map_page_attrs dma_unmap_page_attrs dma_alloc_attrs dma_free_attrs
run 0 'no dma events' record --dry-run
has 'probes stand in for maps' "echo 'r72:dma/dma_map_page dma_map_page_attrs device=+0(+0(\$arg1)):string dma_addr=\$retval:x64 size=\$arg4:u64 dir=\$arg5:s32 attrs=\$arg6:x64' >> \$T/kprobe_events"
has 'they have stacks' "echo stacktrace > $I/events/dma/dma_map_page/trigger"
has 'they are removed' 'echo -:dma/dma_free >> $T/kprobe_events'
touch "$T/dynamic_events"
echo 'f[:[<group>/][<event>]] <func-name>[%return] [<args>]' >"$T/README"
run 0 'fprobes stand in where there are some' record --dry-run
has 'fprobes, which miss nothing' "echo 'f72:dma/dma_map_page dma_map_page_attrs%return device=+0(+0(\$arg1)):string dma_addr=\$retval:x64 size=\$arg4:u64 dir=\$arg5:s32 attrs=\$arg6:x64' >> \$T/dynamic_events || \\ echo 'r72:dma/dma_map_page dma_map_page_attrs device=+0"
has 'they are removed' 'echo -:dma/dma_free >> $T/dynamic_events'
echo 'r72:dma/dma_map_page dma_map_page_attrs device=+0(+0($arg1)):string' >"$T/dynamic_events"
event dma dma_map_page dma_unmap_page
run 3 'another recording has stand-ins' record --dry-run
has 'it is said' 'only one recording at a time'
run 0 'doctor beside it' doctor
has 'doctor does not take them for events' 'no dma events (Linux 6.12 was the first to have them): record sets probes'
rm -r "$T/events/dma"
: >"$T/dynamic_events"
: >"$T/README"
symbols dma_set_mask
run 3 'no function of maps' record --dry-run
has 'it is said' 'no function dma_map_page_attrs to be probed in their place'
run 3 'no function of maps: doctor' doctor
has 'doctor says so' 'no function dma_map_page_attrs to be probed'
symbols dma_map_page_attrs dma_unmap_page_attrs dma_alloc_attrs dma_free_attrs
run 0 'no dma events' record --dry-run
has 'what is lost is said' 'scatter lists, physical addresses of pages'
run 0 'doctor without dma events' doctor
has 'doctor says what is lost' 'Lost are scatter lists'
echo 6.1.0-50-amd64 >"$DMASCOPE_ROOT/proc/sys/kernel/osrelease"
run 0 'doctor before Linux 6.9' doctor
has 'doctor before Linux 6.9 says what is lost' 'physical addresses of pages, coherent memory (its address is known on return only'
run 0 'before Linux 6.9' record --dry-run --device 0000:01:00.0
has 'its return knows no arguments: the entry does' "echo 'p:dma/dma_map_page_entry dma_map_page_attrs device=+0(+0(\$arg1)):string size=\$arg4:u64 dir=\$arg5:s32 attrs=\$arg6:x64 sp=\$stack:x64' >> \$T/kprobe_events echo 'r72:dma/dma_map_page dma_map_page_attrs dma_addr=\$retval:x64 sp=\$stack:x64' >> \$T/kprobe_events"
has 'the device filters entries' "> $I/events/dma/dma_map_page_entry/filter"
has 'returns are not filtered, and have the stack' "echo 1 > $I/events/dma/dma_map_page/enable echo stacktrace > $I/events/dma/dma_map_page/trigger"
has 'entries are removed as well' 'echo -:dma/dma_map_page_entry >> $T/kprobe_events'
if grep -q 'dma_alloc\|dma_free\|dma_map_page/filter\|dma_map_page_entry/trigger' "$work/out"; then
	not_ok 'nothing else of pairs' "$(grep 'dma_alloc\|dma_free\|dma_map_page/filter' "$work/out")"
else ok 'nothing else of pairs'; fi
has 'what is lost is said' 'physical addresses of pages, coherent memory and failures'
echo 6.9.1-test >"$DMASCOPE_ROOT/proc/sys/kernel/osrelease"
run 0 'doctor on Linux 6.9' doctor
rm "$T/kprobe_events"
run 3 'neither events nor probes' record --dry-run
has 'says so' 'no probes that could stand in'
run 3 'doctor: nothing can be recorded' doctor
rm -r "$T/instances"
run 3 'no instances' record --dry-run
rm -r "$T"
run 3 'no tracefs' record --dry-run
run 0 'doctor without tracefs' doctor

# ---- what is refused ---------------------------------------------------------------------------------
machine
run 2 'a copy of a machine records nothing' record -- true
run 2 'unknown clock' record --dry-run --clock sun
has 'the clocks there are' 'this kernel has local [global]'
run 2 'unknown driver' record --dry-run --driver ahci
run 2 'driver that is a path' record --dry-run --driver ../nvme
run 2 'unknown event' record --dry-run -e sched:nothing
run 2 'event nearly of the kernel' record --dry-run -e iommu:io_page_falt
has 'the event that may be meant' "did you mean 'iommu:io_page_fault'?"
run 2 'system nearly of the kernel' record --dry-run -e swiotbl:swiotlb_bounced
has 'the system that may be meant' "did you mean 'swiotlb'?"
run 2 'event that is a path' record --dry-run -e ../events
run 2 'event without a name' record --dry-run -e sched:
run 2 'device with a quote' record --dry-run --device 'a"b'
machine
run 0 'names of devices' record --dry-run --device 0000:00:01 --device '0000:00:0[1' --device '0000:*' --device 0000:00:03.0
absent=$(grep -o 'no device is called [^ ]*' "$work/err" | tr '\n' ' ')
if [ "$absent" = 'no device is called 0000:00:01 no device is called 0000:00:0[1 ' ]; then
	ok 'names that no device has are told'
else
	not_ok 'names that no device has are told' "$absent"
fi
run 2 'output to a folder' record --dry-run -o "$work"
run 2 'output to a pipe' record --dry-run -o -
rm "$T/buffer_subbuf_size_kb"
run 2 'sub-buffers of a kernel without' record --dry-run --subbuf-size 16

# ---- doctor ------------------------------------------------------------------------------------------
machine
mkdir -p "$T/instances/dmascope-4194305" "$DMASCOPE_ROOT/sys/kernel/debug/swiotlb" \
	"$DMASCOPE_ROOT/sys/kernel/debug/dma-api" "$DMASCOPE_ROOT/sys/kernel/security"
echo 32768 >"$DMASCOPE_ROOT/sys/kernel/debug/swiotlb/io_tlb_nslabs"
echo 30000 >"$DMASCOPE_ROOT/sys/kernel/debug/swiotlb/io_tlb_used"
echo N >"$DMASCOPE_ROOT/sys/kernel/debug/dma-api/disabled"
echo 'none integrity [confidentiality]' >"$DMASCOPE_ROOT/sys/kernel/security/lockdown"
run 0 doctor doctor
has 'kernel' 'This kernel: 6.18.1-test, x86_64'
has 'events' 'dma events good 4 dma events'
has 'domains' '1 IOMMUs, 2 groups, domains: DMA-FQ, DMA; booted with intel_iommu=on'
has 'lazy flushes' '-> iommu.strict=1'
has 'bounce buffers nearly full' '65536 KiB of bounce buffers, 60000 KiB in use; booted with swiotlb=force'
has 'dma-debug' 'dma-debug is on'
has 'lockdown' 'locked down (confidentiality)'
has 'leftovers' "rmdir $T/instances/dmascope-4194305"
has 'probes' 'kprobes can be set on 3 of 8 functions'
cp "$DMASCOPE_ROOT/proc/kallsyms" "$work/symbols"
{ echo '0000000000000000 A fixed_percpu_data'; cat "$work/symbols"; } >"$DMASCOPE_ROOT/proc/kallsyms"
run 0 'doctor: a variable of each CPU' doctor
has 'doctor: a variable of each CPU' 'call stacks good'
sed 's/^f*[0-9]*/0000000000000000/' "$work/symbols" >"$DMASCOPE_ROOT/proc/kallsyms"
run 0 'doctor: hidden symbols' doctor
has 'doctor: hidden symbols' 'the addresses in /proc/kallsyms are hidden'
# a kernel's command line may have 2048 bytes and more
long=$(printf 'arm-smmu.word%04d=1 ' $(seq 200))
echo "quiet $long intel_iommu=on swiotlb=force" >"$DMASCOPE_ROOT/proc/cmdline"
run 0 'doctor: a long command line' doctor
has 'doctor: no word of it is lost' "; booted with ${long}intel_iommu=on "
cp "$work/symbols" "$DMASCOPE_ROOT/proc/kallsyms"
run 0 'doctor in JSON' doctor --format json
if jq -e '.kernel == "6.18.1-test" and (.checks | length) == 19 and
	([.checks[].verdict] | unique | inside(["good", "missing", "partly", "unknown"]))' \
	"$work/out" >/dev/null; then ok 'JSON of doctor'; else not_ok 'JSON of doctor' "$(head -c 300 "$work/out")"; fi
printf 'a\033[31mb' >"$DMASCOPE_ROOT/sys/kernel/iommu_groups/5/type"
run 0 'hostile type' doctor
if grep -q $'\033' "$work/out"; then not_ok 'control characters' 'printed'; else ok 'control characters are not printed'; fi

# ---- doctor of a file --------------------------------------------------------------------------------
printf '# tracer: nop\n#\n          a-1       [000] d..2.    71.719556: sched_wakeup: comm=b pid=2 prio=120\n' >"$work/none.txt"
for format in text json; do
	run 3 "doctor: no event of DMA ($format)" doctor --format $format "$work/none.txt"
	# with an exit code that is not 0 comes one line that says why, and still the examination
	if [ "$(grep -c 'none.txt: no dma events in it' "$work/err")" -eq 1 ] && [ "$(wc -l <"$work/err")" -eq 1 ] &&
		grep -q 'there is no dma event' "$work/out"; then ok "doctor: no event of DMA is said ($format)"; else
		not_ok "doctor: no event of DMA is said ($format)" "$(cat "$work/err")"
	fi
done

exit $failed
