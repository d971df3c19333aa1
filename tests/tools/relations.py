#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What must stay true of findings when a recording is changed in a way that is known.

relations.py DMASCOPE SECONDS SEED FOLDER FILE...: prints "ok - " and "not ok - " lines; exit 1 if one is not.
Nobody has to know what is wrong in a recording for that: it may be of any driver. Each FILE is a
trace.dat, printed by trace-cmd; what is changed is the text. FOLDER is for files that come and go; what
broke a relation stays there. It goes on for SECONDS, and tries each relation once at least.
"""
import collections
import copy
import os
import random
import re
import sqlite3
import subprocess
import sys
import time

LINE = re.compile(r"^\s*(.+)-(\d+)\s+\[(\d+)\]\s+(\d+)\.(\d{9}): (.*)$", re.S)
ADDRESS = re.compile(r"(\b(?:dma_addr=|phys_addr=|paddr=|iova=|fault addr )(?:0x)?)([0-9a-f]{4,16})(?![0-9a-f])")
FRAME = re.compile(r"(\bp(?:age|fn)=0x)([0-9a-f]+)")
RANGE_END = re.compile(r"(iova=0x[0-9a-f]+ - 0x)([0-9a-f]+)")
LIST = re.compile(r"((?:dma_addrs|phys_addrs)=\{)([^}]*)\}")
BYTES = re.compile(r"((?:dma_addrs|phys_addrs|addrs)=ARRAY\[)([^\]]*)\]")
LOSS = re.compile(r"^CPU:(\d+) (?=\[)")
PCI = re.compile(r"\b0000(:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\b")
SEVERITY = {"info": 0, "warning": 1, "error": 2}
CONFIDENCE = {"possible": 0, "likely": 1, "certain": 2}
ALL_ONES = (1 << 64) - 1


class Event:
    """A line of `trace-cmd report -t`, and those without a head behind it: a call stack."""

    def __init__(self, match):
        self.task, self.pid, self.cpu = match[1], int(match[2]), int(match[3])
        self.ts = int(match[4]) * 10**9 + int(match[5])
        self.body, self.behind = match[6], []

    def text(self):
        return (f"{self.task:>16}-{self.pid:<5} [{self.cpu:03d}] {self.ts // 10**9:5d}.{self.ts % 10**9:09d}: "
                f"{self.body}" + "".join(self.behind))


def read_events(name):
    events = []
    with open(name, encoding="utf-8", errors="replace") as file:
        for line in file:
            match = LINE.match(line)
            if match:
                events.append(Event(match))
            elif events:
                events[-1].behind.append(line)
    return events


def write_events(name, events):
    with open(name, "w", encoding="utf-8") as file:
        file.writelines(event.text() for event in events)


class Findings:
    """What is found in one file: rows of rule, device, severity, confidence, time in ns."""

    def __init__(self, program, folder, *args):
        database = os.path.join(folder, "relations.db")
        if os.path.exists(database):
            os.unlink(database)
        self.code = subprocess.run([program, "analyze", "-q", "-o", database, *args], check=False,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
        self.rows, self.has_lacks = [], True
        if os.path.exists(database):
            connection = sqlite3.connect(database)
            self.rows = connection.execute(
                "SELECT rule, device, severity, confidence, ts_ns FROM findings").fetchall()
            self.has_lacks = connection.execute(
                "SELECT 1 FROM run WHERE key IN ('filtered_devices', 'gaps') AND value > 0").fetchone() is not None
            connection.close()

    def count(self, moved_ns=0):
        """The rows; a refusal is one, too, where the same is expected."""
        rows = collections.Counter(row[:4] + (row[4] - moved_ns,) for row in self.rows)
        if self.code:
            rows[("exit code", self.code)] += 1
        return rows

    def has_as_sure(self, row, late_ns):
        """Is there one like @row, no less grave and no less sure? Generations of a device may differ."""
        return any(mine[0] == row[0] and mine[4] in (row[4], row[4] - late_ns) and
                   SEVERITY[mine[2]] >= SEVERITY[row[2]] and CONFIDENCE[mine[3]] >= CONFIDENCE[row[3]]
                   for mine in self.rows)


def difference(before, after):
    """The first of what only one of two counters has; None: they are equal."""
    for sign, rest in (("-", before - after), ("+", after - before)):
        for row in rest:
            return f"{sign} {row}"
    return None


def first_surer(before, after, late_ns=0):
    """What @after says, up to @late_ns late, and @before did not, or less gravely, or less surely."""
    for row in after.rows:
        if SEVERITY[row[2]] > 0 and not before.has_as_sure(row, late_ns):
            return f"+ {row}"
    return None


def without_place(rows):
    """But for what depends on where memory lies."""
    return collections.Counter({row: n for row, n in rows.items()
                                if row[0] not in ("map-exceeds-mask", "bounce-avoidable")})


# ---- addresses -----------------------------------------------------------------------------------

def add_hex(digits, shift):
    value = int(digits, 16)
    if value in (0, ALL_ONES):  # no address, and DMA_MAPPING_ERROR
        return digits
    return f"{value + shift & ALL_ONES:x}".rjust(len(digits), "0")


def add_list(match, shift):
    return match[1] + ",".join("0x" + add_hex(entry[2:], shift) if entry else entry
                               for entry in match[2].split(",")) + "}"


def add_bytes(match, shift):
    data = bytes(int(byte, 16) for byte in match[2].split(",") if byte.strip())
    entries = (int.from_bytes(data[i:i + 8], "little") + shift & ALL_ONES for i in range(0, len(data), 8))
    return match[1] + ", ".join(f"{byte:02x}" for entry in entries
                                for byte in entry.to_bytes(8, "little")) + "]"


def shift_addresses(events, shift):
    for event in events:
        body = RANGE_END.sub(lambda m: m[1] + add_hex(m[2], shift), event.body)
        body = ADDRESS.sub(lambda m: m[1] + add_hex(m[2], shift), body)
        body = FRAME.sub(lambda m: m[1] + add_hex(m[2], shift >> 12), body)
        body = LIST.sub(lambda m: add_list(m, shift), body)
        event.body = BYTES.sub(lambda m: add_bytes(m, shift), body)


def renumber_cpus(events, cpus):
    """CPU n becomes @cpus[n], in the marks of losses, too."""
    for event in events:
        event.cpu = cpus[event.cpu]
        event.behind = [LOSS.sub(lambda m: f"CPU:{cpus[int(m[1])]} ", line) for line in event.behind]


# ---- relations: each changes events and says what of the findings is wrong then, or None -----------

def moved(trial, events):
    """Other CPUs, other tasks, another day, other events between: the same is found."""
    shift_ns = trial.random.choice((3600, 86400)) * 10**9 + trial.random.randrange(10**9)
    cpus = list(range(max(event.cpu for event in events) + 1))
    trial.random.shuffle(cpus)
    noise = []
    renumber_cpus(events, cpus)
    for event in events:
        event.ts += shift_ns
        event.pid += 70000 if event.pid else 0
        noise.append(event)
        if trial.random.random() < .1:
            noise.append(copy.copy(event))
            noise[-1].body, noise[-1].behind = "sched_wakeup: comm=x pid=1 prio=120 target_cpu=000\n", []
    return difference(trial.whole.count(), trial.find(noise).count(shift_ns))


def shifted(trial, events):
    """All memory lies elsewhere: the same is found."""
    shift_addresses(events, 1 << 38)
    return difference(without_place(trial.whole.count()), without_place(trial.find(events).count()))


def coarse(trial, events):
    """Times are told to the microsecond, as tracefs prints them: the same is found."""
    for event in events:
        event.ts -= event.ts % 1000
    before = collections.Counter(row[:4] + (row[4] - row[4] % 1000,) for row in trial.whole.rows)
    return difference(before, trial.find(events).count())


def skewed(trial, events):
    """One CPU's clock is some microseconds late: nothing is graver or surer."""
    cpu, late_ns = trial.random.choice(events).cpu, trial.random.choice((1, 5, 20, 30)) * 1000
    for event in events:
        event.ts += late_ns if event.cpu == cpu else 0
    return first_surer(trial.whole, trial.find(sorted(events, key=lambda event: event.ts)), late_ns)


def disabled(trial, events):
    """An event or two were not enabled: nothing is graver or surer."""
    kinds = sorted({event.body.split(":")[0] for event in events})
    off = trial.random.sample(kinds, min(trial.random.choice((1, 1, 2, 3)), len(kinds)))
    return first_surer(trial.whole, trial.find([event for event in events
                                                if event.body.split(":")[0] not in off]))


def split(trial, events):
    """Each CPU's events in a file of their own: the same is found."""
    cpus, apart = sorted({event.cpu for event in events}), []
    for cpu in cpus[1:]:
        apart.append(os.path.join(trial.folder, f"cpu{cpu}.txt"))
        write_events(apart[-1], (event for event in events if event.cpu == cpu))
    first = [event for event in events if event.cpu == cpus[0]]
    return difference(trial.whole.count(), trial.find(first, *apart).count())


def chosen(trial, events):
    """Only one device is asked for: of it the same is found."""
    devices = sorted({row[1] for row in trial.whole.rows if row[1]})
    if not devices:
        return None
    device = trial.random.choice(devices)
    return difference(collections.Counter(row for row in trial.whole.rows if row[1] == device),
                      trial.find(events, "--device", device).count())


def until(trial, events):
    """--until is where it could as well have ended: the same is found."""
    end = trial.random.choice(events).ts
    asked = trial.find(events, "--until", f"{end // 10**9}.{end % 10**9:09d}")
    return difference(trial.find([event for event in events if event.ts <= end]).count(), asked.count())


def cut(trial, events):
    """It begins later and ends earlier: nothing is graver or surer."""
    first = trial.random.randrange(len(events) * 2 // 3)
    last = trial.random.randrange(first + len(events) // 4, len(events) + 1)
    return first_surer(trial.whole, trial.find(events[first:last]))


def torn(trial, events):
    """Some lines end too early: nothing is graver or surer."""
    for event in trial.random.sample(events, min(len(events), trial.random.choice((1, 3, 20)))):
        event.body = event.body[:trial.random.randrange(len(event.body))].rstrip("\n") + "\n"
    return first_surer(trial.whole, trial.find(events))


def lost(trial, events):
    """A CPU's buffer ran over, and says so: nothing is graver or surer."""
    first = trial.random.randrange(len(events))
    cpu, n_wanted, n_lost, kept = events[first].cpu, trial.random.choice((1, 2, 5, 20, 100)), 0, events[:first]
    for event in events[first:]:
        if event.cpu == cpu and 0 <= n_lost < n_wanted:
            n_lost += 1
            continue
        if event.cpu == cpu and n_lost > 0 and kept:
            kept[-1].behind.append(f"CPU:{cpu} [{n_lost} EVENTS DROPPED]\n")
            n_lost = -1
        kept.append(event)
    return None if n_lost > 0 else first_surer(trial.whole, trial.find(kept))  # > 0: it ends with the loss


def joined(trial, events):
    """Beside another machine's devices, on CPUs and in memory of their own: of each the same is found."""
    others = read_events(trial.printed(trial.random.choice(trial.names)))
    # the kernel's messages may name a device without its domain
    others = [event for event in others if not event.body.startswith("console:")]
    if not others:
        return None
    for event in others:
        event.cpu, event.ts = event.cpu + 64, event.ts + events[0].ts - others[0].ts
        event.pid += 100000 if event.pid else 0
        event.body = PCI.sub(r"00ab\1", event.body)
    shift_addresses(others, 1 << 38)
    alone = trial.find(others)
    both = trial.find(sorted(events + others, key=lambda event: event.ts))
    if alone.has_lacks or both.has_lacks or trial.whole.has_lacks:  # these are of all devices
        return None
    return difference(trial.whole.count() + alone.count(), both.count())


RELATIONS = (moved, shifted, coarse, skewed, disabled, split, chosen, until, cut, torn,
             lost, joined)


class Trial:
    """One recording after the other, changed, and looked at again."""

    def __init__(self, program, folder, names, seed):
        self.program, self.folder, self.names = program, folder, names
        self.random = random.Random(seed)
        self.changed = os.path.join(folder, "changed.txt")
        self.wholes = {}
        self.whole = None
        self.bad_code = None  # neither an answer nor a refusal

    def printed(self, name):
        text = os.path.join(self.folder, f"{self.names.index(name)}.txt")
        if not os.path.exists(text):
            with open(text, "wb") as file:
                subprocess.run(["trace-cmd", "report", "-t", "-i", name], check=False, stdout=file,
                               stderr=subprocess.DEVNULL)
        return text

    def find(self, events, *args):
        """What is found in @events, by a command line with @args: options, and other files."""
        write_events(self.changed, events)
        findings = Findings(self.program, self.folder, self.changed, *args)
        if findings.code not in (0, 3):
            self.bad_code = findings.code
        return findings

    def load(self, name):
        """The events of a recording that can be judged as it is; None: it cannot."""
        events = read_events(self.printed(name))
        if len(events) >= 12 and name not in self.wholes:
            self.wholes[name] = self.find(events)
        self.whole = self.wholes.get(name)
        if self.bad_code is not None:
            sys.exit(f"relations: {name}: exit code {self.bad_code}")
        return events if self.whole and self.whole.code == 0 else None

    def run(self, relation, events):
        fault = relation(self, events)
        if self.bad_code is not None:
            fault, self.bad_code = f"exit code {self.bad_code}", None
        return fault


def main():
    program, seconds, seed, folder = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    trial = Trial(program, folder, sys.argv[5:], seed)
    tried, broken, n_unusable = collections.Counter(), collections.Counter(), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(tried) < len(RELATIONS):
        relation = RELATIONS[sum(tried.values()) % len(RELATIONS)]
        name = trial.random.choice(trial.names)
        events = trial.load(name)
        if events is None:
            n_unusable += 1
            if n_unusable > 1000 and not tried:
                sys.exit("relations: none of the recordings can be judged")
            continue
        fault = trial.run(relation, events)
        tried[relation] += 1
        if fault:
            broken[relation] += 1
            kept = os.path.join(folder, f"{relation.__name__}-{broken[relation]}.txt")
            os.replace(trial.changed, kept)
            print(f"not ok - relations: {relation.__name__}: {os.path.basename(name)}: {fault} ({kept})")
    for relation in RELATIONS:
        if not broken[relation]:
            print(f"ok - relations: {relation.__name__}, {tried[relation]} times: {relation.__doc__.split(': ')[1]}")
    sys.exit(1 if broken else 0)


main()
