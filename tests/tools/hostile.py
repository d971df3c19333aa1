#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Names made to hurt whoever prints them, through every output: one table of names, one of outputs.

hostile.py DMASCOPE FIXTURES FOLDER: prints "ok - " and "not ok - " lines; exit 1 if one is not.
A run's database gets each name for its devices, drivers, tasks, functions, modules and files, as a
kernel, or whoever wrote the database, could have given it; then each output is asked what became of it.
"""
import csv
import html.parser
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import xml.etree.ElementTree

# What a name may do to get out of its place. INJECTED stands where a new line, row or command would be.
NAMES = {
    "escapes": b"\x1b]0;owned\x07\x1b[31mred\x1b[0m\x1b[2J\x08\x7f",
    "line ends": b"eth0\nINJECTED\r\nINJECTED\x0b\x0cINJECTED",
    "markup": b'"><script>alert(1)</script><img src=x onerror=alert(1)>',
    "end of a script": b"</script><script>alert(1)</script><!--<script>",
    "a formula": b'=HYPERLINK("http://x";"y")',
    "another formula": b"+1+cmd|' /C calc'!A0",
    "at": b"@SUM(1)\t=1",
    "commands of CI": b"::error file=x::INJECTED%0A\n::set-output name=INJECTED::1\n##[error]INJECTED",
    "markdown": b"a|b`c`**d**[x](javascript:alert(1))<b>_e_\n# INJECTED\n| INJECTED |",
    "quotes": b"a\"b'c\\d\\",
    "hidden text": "\u202eevil\u2066\u200b\u009b31m\u2028INJECTED\ufeff".encode(),
    "no UTF-8": b"\xff\xfe\xc3(\xe2\x82\xed\xa0\x80\x9b31m",
    "a label": b'a"} 1\nINJECTED{x="',
    "a folded stack": b"a;b c;INJECTED 99",
    "a test": b"x # SKIP\nok 99 INJECTED # TODO\n  ---\n  INJECTED: 1\n  ...",
    "yaml": b"a: [b\n- INJECTED: {c\n'\"",
    "xml": b"]]><x a='1'>&lol;</x><!DOCTYPE INJECTED>",
    "only blanks": b"   ",
    "a long one": b"A" * 3000,
}

STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
FILE = "wicked {}.dat"


def text_fault(data):
    """Whatever is for a terminal or an editor: nothing steers, no line is anybody else's."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"no UTF-8: {data[error.start - 20:error.start + 10]!r}"
    found = STEERING.search(text)
    if found:
        return f"U+{ord(found.group()):04x} at {found.start()}"
    for line in text.split("\n"):
        if re.match(r"([#|>*-] ?)?INJECTED", line):  # what was wrapped is indented
            return f"a line of its own: {line[:60]!r}"
    return None


def no_commands(data):
    """GitHub's runner takes lines of any output for commands."""
    for line in data.decode("utf-8").split("\n"):
        if line.lstrip().startswith(("::set-output", "::error file=x::INJ", "##[error]")):
            return f"a command: {line[:60]!r}"
    return text_fault(data)


def github_fault(data):
    for line in data.decode("utf-8").split("\n"):
        if line.startswith("::") and not re.match(r"::(error|warning|notice|group|endgroup)[ :]", line):
            return f"a command: {line[:60]!r}"
    return no_commands(data)


def csv_fault(data):
    """Rows are as wide as the first one, and no cell is a formula."""
    rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
    for row in rows:
        if len(row) != len(rows[0]):
            return f"{len(row)} cells, not {len(rows[0])}: {row!r:.80}"
        for cell in row:
            if cell[:1] in "=+@\t\r" and len(cell) > 1 or re.match(r"-[^0-9.]", cell):
                return f"a formula: {cell[:40]!r}"
            if "\x1b" in cell or "\x00" in cell:
                return f"an escape: {cell[:40]!r}"
    return None


def json_fault(data):
    """JSON is JSON, in UTF-8."""
    json.loads(data.decode("utf-8"))
    found = re.search(rb"[\x00-\x08\x0b-\x1f]", data)
    return f"byte {found.group()!r} in it" if found else None


class Tags(html.parser.HTMLParser):
    """What a browser would make of a page: its elements, handlers, and addresses."""

    def __init__(self):
        super().__init__()
        self.tags, self.fault = {}, None

    def handle_starttag(self, tag, attrs):
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.fault = f"<{tag} {name}={value!r:.40}>"


def html_fault(data, harmless):
    """The elements are those of a page with harmless names."""
    pages = []
    for page in (data, harmless):
        tags = Tags()
        tags.feed(page.decode("utf-8"))
        pages.append(tags)
    if pages[0].fault:
        return pages[0].fault
    for tag in ("script", "img", "b", "style", "iframe", "x"):
        if pages[0].tags.get(tag) != pages[1].tags.get(tag):
            return f"<{tag}>: {pages[0].tags.get(tag)}, not {pages[1].tags.get(tag)}"
    return None


def markdown_fault(data):
    """No raw markup but what we write ourselves, tables as wide as their heads."""
    text, width, is_code = data.decode("utf-8"), None, False
    for line in text.split("\n"):
        if line.startswith("```"):
            is_code = not is_code
        if is_code:
            continue
        if re.search(r"(?<!\\)<(script|img|b|x|!)", line):
            return f"markup: {line[:80]!r}"
        if re.search(r"(?<!\\)\]\(javascript", line):
            return f"a link: {line[:80]!r}"
        if not line.startswith("|"):
            width = None
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        if width and cells != width:
            return f"{cells} cells, not {width}: {line[:80]!r}"
        width = cells
    return text_fault(data)


def xml_fault(data):
    root = xml.etree.ElementTree.fromstring(data)
    known = {"testsuites", "testsuite", "testcase", "failure", "skipped", "error", "system-out",
             "system-err", "properties", "property"}
    strange = {element.tag for element in root.iter()} - known
    return f"elements {strange}" if strange else None


def tap_fault(data):
    lines = data.decode("utf-8").split("\n")
    plan = [line for line in lines if re.match(r"1\.\.\d+", line)]
    tests = [line for line in lines if re.match(r"(not )?ok\b", line)]
    if len(plan) != 1 or int(re.match(r"1\.\.(\d+)", plan[0]).group(1)) != len(tests):
        return f"{len(tests)} tests, plan {plan}"
    return text_fault(data)


def folded_fault(data):
    for line in data.decode("utf-8").splitlines():
        if not re.fullmatch(r".+ \d+", line) or ";INJECTED" in line:
            return f"no folded stack: {line[:80]!r}"
    return text_fault(data)


METRIC = re.compile(
    r'[a-z_:][a-z0-9_:]*(\{([a-z_][a-z0-9_]*="([^"\\\n]|\\["\\n])*",?)*\})? [0-9.eE+-]+( [0-9.]+)?')


def openmetrics_fault(data):
    for line in data.decode("utf-8").split("\n"):
        if line and not line.startswith("# ") and not METRIC.fullmatch(line):
            return f"no sample: {line[:80]!r}"
    return None if data.endswith(b"# EOF\n") else "no end"


# Output, its arguments ({db} the run, {file} where it goes; without it: standard output), its judge.
OUTPUTS = [
    ("text", "report {db}", text_fault),
    ("HTML", "report {db} --html {file}", html_fault),
    ("JSON", "report {db} --json {file}", json_fault),
    ("Perfetto", "report {db} --trace-json {file}", json_fault),
    ("folded bytes", "report {db} --folded-bytes {file}", folded_fault),
    ("folded counts", "report {db} --folded-count {file}", folded_fault),
    ("OpenMetrics", "report {db} --openmetrics {file}", openmetrics_fault),
    ("live", "live {db} --at end", text_fault),
    ("query as table", "query {db} --format table @", text_fault),
    ("query as CSV", "query {db} --format csv @", csv_fault),
    ("query as JSON", "query {db} --format json @", json_fault),
    ("baseline", "baseline {db} -o {file}", json_fault),
    ("diff as text", "diff {was} {db} --fail-on never", text_fault),
    ("diff as Markdown", "diff {was} {db} --fail-on never --format markdown", markdown_fault),
    ("diff as JSON", "diff {was} {db} --fail-on never --format json", json_fault),
    ("diff as JUnit", "diff {was} {db} --fail-on never --format junit", xml_fault),
    ("diff as SARIF", "diff {was} {db} --fail-on never --format sarif", json_fault),
    ("diff as GitHub", "diff {was} {db} --fail-on never --format github", github_fault),
    ("diff as GitLab", "diff {was} {db} --fail-on never --format gitlab", json_fault),
    ("diff as TAP", "diff {was} {db} --fail-on never --format tap", tap_fault),
    ("diff as HTML", "diff {was} {db} --fail-on never --format html={file}", html_fault),
]
SQL = "SELECT * FROM findings UNION ALL SELECT * FROM findings LIMIT 40"
COLUMNS = [("device", "name"), ("device", "driver"), ("device", "bus"), ("task", "comm"),
           ("symbol", "name"), ("symbol", "module"), ("input_file", "path"), ("finding", "message"),
           ("finding", "reason"), ("finding", "fingerprint"), ("finding_group", "reason"),
           ("finding_group", "fingerprint"), ("not_judged", "reason"), ("not_judged", "rule"),
           ("instance", "name"), ("gap", "cause"), ("device", "address_mode"), ("frame", "function")]


class Bench:
    def __init__(self, program, fixtures, folder):
        self.program, self.fixtures, self.folder = program, fixtures, folder
        self.failed = False

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *args):
        return subprocess.run([self.program, *args], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60, check=False)

    def poison(self, name, to):
        """The good run under other names."""
        with open(self.path("good.db"), "rb") as good, open(to, "wb") as bad:
            bad.write(good.read())
        db = sqlite3.connect(to)
        for table, column in COLUMNS:
            if db.execute("SELECT count(*) FROM pragma_table_info(?) WHERE name = ?",
                          (table, column)).fetchone()[0]:
                db.execute(f"UPDATE OR IGNORE {table} SET {column} = CAST(? AS TEXT)", (name,))
        db.commit()
        db.close()

    def output(self, row, db, file):
        args = row[1].format(db=db, was=self.path("was.db"), file=file).split()
        done = self.run(*[SQL if arg == "@" else arg for arg in args])
        if done.returncode < 0 or done.returncode > 3:
            raise ValueError(f"exit {done.returncode}: {done.stderr[:100]!r}")
        fault = text_fault(done.stderr)
        if fault:
            raise ValueError(f"standard error: {fault}")
        if "{file}" not in row[1]:
            return done.stdout
        with open(file, "rb") as out:
            return out.read()

    def judge(self, row, harmless):
        try:
            data = self.output(row, self.path("bad.db"), self.path("out"))
            if not data:
                return "nothing came"
            return row[2](data, harmless) if row[2] is html_fault else row[2](data)
        except Exception as error:  # what a reader cannot read is what we look for
            return f"{type(error).__name__}: {error}"

    def test_outputs(self):
        faults = [[] for row in OUTPUTS]
        self.poison(b"harmless", self.path("bad.db"))
        harmless = [self.output(row, self.path("bad.db"), self.path("out")) for row in OUTPUTS]
        for what, name in NAMES.items():
            self.poison(name, self.path("bad.db"))
            for i, row in enumerate(OUTPUTS):
                fault = self.judge(row, harmless[i])
                if fault:
                    faults[i].append(f"{what}: {fault}")
        for i, row in enumerate(OUTPUTS):
            self.tell(f"{len(NAMES)} names in {row[0]}", faults[i])

    def tell(self, name, faults):
        self.failed |= bool(faults)
        if faults:
            print(f"not ok - hostile: {name}: " + ascii("; ".join(faults)[:600]))
        else:
            print(f"ok - hostile: {name}")

    def test_files(self):
        """A file's own name: in the summary, in errors, in warnings."""
        with open(os.path.join(self.fixtures, "oracle-unmap_size_small.dat"), "rb") as file:
            trace = file.read()
        faults = []
        for what, name in NAMES.items():
            path = os.path.join(os.fsencode(self.folder), name.replace(b"/", b"_")[:200] + b".dat")
            for data in (trace, b"nothing"):
                with open(path, "wb") as file:
                    file.write(data)
                for args in (["analyze"], ["check", "--format", "json"]):
                    done = self.run(*args, path)
                    judge = json_fault if "json" in args and done.stdout else text_fault
                    fault = judge(done.stdout) or text_fault(done.stderr)
                    if done.returncode not in (0, 1, 3):
                        fault = f"exit {done.returncode}"
                    if fault:
                        faults.append(f"{what}: {args}: {fault}")
            os.unlink(path)
        self.tell("names of files", faults)

    def test_csv_folder(self):
        faults = []
        for what, name in NAMES.items():
            self.poison(name, self.path("bad.db"))
            done = self.run("report", self.path("bad.db"), "--csv", self.path("csv"))
            if done.returncode:
                faults.append(f"{what}: exit {done.returncode}: {done.stderr[:80]!r}")
                continue
            for file in sorted(os.listdir(self.path("csv"))):
                with open(os.path.join(self.path("csv"), file), "rb") as out:
                    fault = None if file == "README" else csv_fault(out.read())
                if fault:
                    faults.append(f"{what}: {file}: {fault}")
        self.tell(f"{len(NAMES)} names in a folder of CSV files", faults)

    def test_suppressions(self):
        """What we write for such names, we read again."""
        faults = []
        for what, name in NAMES.items():
            self.poison(name, self.path("bad.db"))
            file = self.path("s.yaml")
            self.run("diff", self.path("was.db"), self.path("bad.db"), "--write-suppressions", file)
            done = self.run("diff", self.path("was.db"), self.path("bad.db"), "--config", file)
            if done.returncode not in (0, 1, 3) or b"s.yaml" in done.stderr:
                faults.append(f"{what}: exit {done.returncode}: {done.stderr[:120]!r}")
        self.tell(f"{len(NAMES)} names in suppressions", faults)


def main():
    bench = Bench(*sys.argv[1:4])
    for trace, db in (("lab-7.2-fault.dat", "good.db"), ("oracle-ctl_sg-stack.dat", "was.db")):
        done = bench.run("analyze", os.path.join(bench.fixtures, trace), "-o", bench.path(db), "-q")
        if done.returncode:
            print(f"not ok - hostile: analyze {trace}: {done.stderr!r}")
            return 1
    bench.test_outputs()
    bench.test_csv_folder()
    bench.test_suppressions()
    bench.test_files()
    return bench.failed


if __name__ == "__main__":
    sys.exit(main())
