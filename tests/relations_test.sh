#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Recordings changed in known ways: moved in time, memory and among CPUs, cut, with events lost or not
# enabled, beside another machine's. What is found must be the same, or no surer.
#
# RELATIONS_SECONDS: how long (10); RELATIONS_SEED (1); RECORDINGS: a folder whose trace.dat are taken
# besides the fixtures. `make relations` takes longer, and another seed each time.
set -u
: "${DMASCOPE:?}" "${SRCDIR:?}"
work=$(mktemp -d) || exit 1
failed=0

if ! command -v trace-cmd >/dev/null || ! python3 -c 'import sqlite3' 2>/dev/null; then
	echo "skip - relations: no trace-cmd, or no python3 that reads SQLite"
	rmdir "$work"
	exit 0
fi
mapfile -t files < <(find "$SRCDIR/tests/fixtures" ${RECORDINGS:+"$RECORDINGS"} -name '*.dat' -size -8M | sort)
python3 "$SRCDIR/tests/tools/relations.py" "$DMASCOPE" "${RELATIONS_SECONDS:-10}" "${RELATIONS_SEED:-1}" "$work" \
	"${files[@]}" || failed=1
# what broke a relation is kept to be looked at
if [ $failed -eq 0 ]; then rm -rf "$work"; else echo "relations: see $work" >&2; fi
exit $failed
