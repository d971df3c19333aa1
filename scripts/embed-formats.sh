#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Print event formats as C. Usage: embed-formats.sh RELEASE/SYSTEM/EVENT.format... (paths may be
# longer in front). POSIX tools only.
set -eu
export LC_ALL=C

printf '/* Made by scripts/embed-formats.sh; edit schemas/formats instead. */\n'
printf '#include "input/perf/perf.h"\n\nconst struct perf_shipped_format perf_shipped_formats[] = {\n'
for path; do
	event=${path##*/}
	folder=${path%/*}
	system=${folder##*/}
	folder=${folder%/*}
	printf '	{"%s", "%s", "%s",\n' "${folder##*/}" "$system" "${event%.format}"
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/	/\\t/g' \
		-e 's/^/	"/' -e 's/$/\\n"/' "$path"
	printf '	},\n'
done
printf '	{0},\n};\n'
