#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Names made to hurt whoever prints them: devices, drivers, tasks, functions, modules and files with
# escapes, line ends, markup, formulas, commands of CI. Each output is asked whether it was hurt.
set -u
LC_ALL=C.UTF-8
export LC_ALL
: "${DMASCOPE:?}" "${BUILD:?}" "${SRCDIR:?}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - hostile: $1"; }
not_ok() {
	echo "not ok - hostile: $1: $2"
	failed=1
}

if ! python3 -c 'import sqlite3, json, csv, xml.etree' 2>/dev/null; then
	echo "skip - hostile: no python3 that reads SQLite"
	exit 0
fi
python3 "$SRCDIR/tests/tools/hostile.py" "$DMASCOPE" "$SRCDIR/tests/fixtures" "$work" || failed=1
exit $failed
