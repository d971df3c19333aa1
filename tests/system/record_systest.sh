#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# record on the kernel that runs: what it records, and that tracing is as it was, however it ends.
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}"
T=/sys/kernel/tracing
unset DMASCOPE_ROOT
failed=0

ok() { echo "ok - record: $1"; }
not_ok() {
	echo "not ok - record: $1: $2"
	failed=1
}
skip() {
	echo "skip - record: $1"
	exit 0
}
[ "$(id -u)" -eq 0 ] || skip 'needs root'
[ -w $T/instances ] || mount -t tracefs tracefs $T 2>/dev/null || skip "no tracefs at $T"
[ -d $T/instances ] || skip 'this kernel has no trace instances'
[ -d $T/events/dma ] || [ -e $T/kprobe_events ] || skip 'this kernel has neither dma events nor probes'

work=$(mktemp -d) || exit 1
trap 'umount "$work/full" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 1

# all that a recording might leave changed
state() {
	cat $T/{trace_clock,buffer_size_kb,tracing_on,current_tracer,set_event,saved_cmdlines_size}
	cat $T/kprobe_events $T/dynamic_events 2>/dev/null
	ls $T/instances
	cat $T/trace_options
}
# whoever first uses the top buffer after a boot makes it grow, and nothing makes it small again
size=$(sed -n 's/.*expanded: \([0-9]*\).*/\1/p' $T/buffer_size_kb)
[ -z "$size" ] || echo "$size" >$T/buffer_size_kb
state >before
# restored NAME: within 5 seconds
restored() {
	local tries
	for tries in $(seq 50); do
		state >after
		if cmp -s before after; then
			ok "$1: tracing is as it was"
			return
		fi
		sleep 0.1
	done
	not_ok "$1" "tracing is not as it was after $tries looks: $(diff before after | head -5 | tr '\n' ' ')"
}
# started PID: its instance is there and switched on
started() {
	local tries
	for tries in $(seq 100); do
		[ "$(cat "$T/instances/dmascope-$1/tracing_on" 2>/dev/null)" = 1 ] && return
		sleep 0.05
	done
	not_ok 'start' "no recording after $tries looks: $(cat err)"
}
# says NAME WORDS
says() {
	if grep -qF -- "$2" err; then ok "$1"; else not_ok "$1" "no '$2' in: $(tr '\n' ' ' <err)"; fi
}

# ---- a command --------------------------------------------------------------------------------------
"$DMASCOPE" record -o a.dat -e raw_syscalls -- \
	sh -c 'dd if=/dev/zero of=/dev/null bs=1 count=100000 status=none; exit 3' 2>err
code=$?
[ $code -eq 0 ] && ok 'a command' || not_ok 'a command' "exit code $code: $(cat err)"
says 'the code of the command' 'sh ended with exit code 3'
says 'what to do next' "dmascope analyze 'a.dat'"
restored 'a command'
if "$DMASCOPE" analyze -q --format json a.dat >out 2>err2; then ok 'analyze reads it'; else
	not_ok 'analyze reads it' "$(cat err2)"
fi
if command -v trace-cmd >/dev/null; then
	# dd makes two system calls for each of its blocks
	calls=$(trace-cmd report a.dat 2>/dev/null | grep -c ' dd-[0-9].*sys_enter:')
	if [ "$calls" -ge 200000 ]; then ok "trace-cmd reads all of it ($calls calls)"; else
		not_ok 'trace-cmd reads it' "$calls calls of dd, not 200000 and more"
	fi
	# each line has its mark: a reader of traces sees lines, not texts
	trace-cmd report a.dat 2>/dev/null | sed -n 's/.*dmascope-inventory: //p' >inventory
	cmp -s inventory a.dat.devices && ok 'the inventory is in it' ||
		not_ok 'the inventory' "$(diff inventory a.dat.devices | head -3)"
fi
cmp -s a.dat.iomem <(cat /proc/iomem) && ok 'iomem' || not_ok 'iomem' 'is not that of this machine'
[ -s a.dat.devices ] && ok 'devices' || not_ok 'devices' 'no inventory'

# ---- stacks of what is asked for only ----------------------------------------------------------------
"$DMASCOPE" record -q -o b.dat -e sched:sched_switch --stacks all --subbuf-size 16 --duration 1 2>err ||
	not_ok 'a duration' "$(cat err)"
restored 'a duration'
if "$DMASCOPE" doctor b.dat | grep -q '^call stacks  good'; then ok 'call stacks'; else
	not_ok 'call stacks' 'none'
fi
"$DMASCOPE" record -q -o c.dat --device none -- true 2>err || not_ok 'a filter' "$(cat err)"
restored 'a filter'
if grep -q refused err; then not_ok 'a filter' "$(cat err)"; else ok 'the kernel takes the filters'; fi

# ---- however it ends ---------------------------------------------------------------------------------
for signal in INT TERM HUP; do
	# a background job of a script ignores SIGINT
	env --default-signal=INT "$DMASCOPE" record -o s.dat 2>err &
	started $!
	kill -$signal $!
	wait $!
	code=$?
	[ $code -eq 0 ] && [ -s s.dat ] && ok "SIG$signal" || not_ok "SIG$signal" "exit code $code: $(cat err)"
	restored "SIG$signal"
done
"$DMASCOPE" record -q -o t.dat -- sleep 60 2>err &
started $!
kill -TERM $!
wait $! && ok 'the command is ended as well' || not_ok 'the command' "$(cat err)"
"$DMASCOPE" record -q -o k.dat -- sleep 2 2>err &
started $!
kill -KILL $!
wait $! 2>/dev/null
restored 'SIGKILL'
"$DMASCOPE" record -q -o n.dat -- /nonexistent 2>err
[ $? -eq 2 ] && ok 'no such command' || not_ok 'no such command' "$(cat err)"
restored 'no such command'
"$DMASCOPE" record -o x.dat -- sh -c 'kill -SEGV $$' 2>err || not_ok 'a crash' "$(cat err)"
says 'a crash of the command' 'ended by signal 11'
restored 'a crash of the command'

mkdir full
if mount -t tmpfs -o size=64m none full 2>/dev/null; then
	"$DMASCOPE" record -q -o full/f.dat -e raw_syscalls -- \
		dd if=/dev/zero of=/dev/null bs=1 count=4000000 status=none 2>err
	[ $? -eq 4 ] && ok 'a full disk' || not_ok 'a full disk' "exit code: $(cat err)"
	restored 'a full disk'
	"$DMASCOPE" doctor full/f.dat >out 2>err && ok 'what was recorded until then is kept' ||
		not_ok 'what was recorded' "$(cat err)"
	umount full
fi

# ---- two at once -------------------------------------------------------------------------------------
"$DMASCOPE" record -q -o 1.dat --duration 2 2>err1 &
first=$!
"$DMASCOPE" record -q -o 2.dat --duration 1 2>err2 && wait $first && [ -s 1.dat ] && [ -s 2.dat ] &&
	ok 'two recordings at once' || not_ok 'two at once' "$(cat err1 err2)"
restored 'two at once'

# ---- the lines of --dry-run --------------------------------------------------------------------------
if command -v trace-cmd >/dev/null; then
	"$DMASCOPE" record -q --dry-run -o d.dat -- sleep 0.1 >lines 2>err
	sh -e lines >out 2>err
	code=$?
	[ $code -eq 0 ] && [ -s d.dat ] && ok 'its lines do it' || not_ok 'its lines' "$code: $(tail -3 err)"
	restored 'lines for a shell'
fi
exit $failed
