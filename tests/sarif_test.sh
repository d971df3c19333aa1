#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What CI systems read of a diff: SARIF by Microsoft's validator, JUnit XML by python3-junitparser.
#
# The validator is an npm package that carries its own program; it is kept in build/cache/. Without
# npm, or where its registry is out of reach, that part is skipped.
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}" "${BUILD:=build}"
DMASCOPE=$(realpath "$DMASCOPE")
SRCDIR=$(realpath "$SRCDIR")
BUILD=$(realpath "$BUILD")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

ok() { echo "ok - $1"; }
not_ok() {
	echo "not ok - $1: $2"
	failed=1
}

# ---- what there is to look at: comparisons made by hand, and one of two recordings
mkdir samples
if ! DMS_CI_SAMPLES=$work/samples "$BUILD/tests/check_diff_ci" >log 2>&1; then
	not_ok 'ci formats: samples' "$(grep -m1 check_diff_ci log)"
	exit 1
fi
"$DMASCOPE" analyze -q "$SRCDIR/tests/fixtures/oracle-ctl_sg-stack.dat" -o base.db >/dev/null 2>err
"$DMASCOPE" analyze -q "$SRCDIR/tests/fixtures/oracle-unmap_size_small.dat" -o head.db >/dev/null 2>err
"$DMASCOPE" diff base.db head.db --format sarif >samples/real.sarif 2>err
"$DMASCOPE" diff base.db head.db --format junit >samples/real.xml 2>err
if [ ! -s samples/real.sarif ] || [ ! -s samples/real.xml ]; then
	not_ok 'ci formats: of two recordings' "$(head -1 err)"
fi

if grep -q 'error, 1 time, was' samples/real.sarif && ! grep -qh ' 1 times' samples/*; then ok 'ci formats: one is one'; else
	not_ok 'ci formats: one is one' "$(grep -oh '.\{20\} 1 times.\{20\}' samples/* | head -1)"
fi

# ---- JUnit
# counts as its reader has them, against the elements as they stand in the file
junit() {
	/usr/bin/python3 - "$1" <<-'PY'
		import sys
		from junitparser import JUnitXml, Failure, Error, Skipped
		xml = JUnitXml.fromfile(sys.argv[1])
		cases = [case for suite in xml for case in suite]
		def having(kind):
		    return sum(any(isinstance(each, kind) for each in case.result) for case in cases)
		told = (xml.tests, xml.failures, xml.errors, xml.skipped)
		found = (len(cases), having(Failure), having(Error), having(Skipped))
		sys.exit(f"told {told}, found {found}" if told != found or not cases else 0)
	PY
}
if /usr/bin/python3 -c 'import junitparser' 2>/dev/null; then
	for file in samples/*.xml; do
		if junit "$file" 2>err; then ok "junit: ${file##*/}"; else
			not_ok "junit: ${file##*/}" "$(tail -1 err)"; fi
	done
	sed 's/ failures="4"/ failures="3"/' samples/0.xml >bad.xml
	if junit bad.xml 2>err; then not_ok 'junit: wrong counts are seen' 'they are not'; else
		ok 'junit: wrong counts are seen'; fi
else
	echo 'skip - junit: python3-junitparser is not installed'
fi

# ---- SARIF
# shellcheck source=tests/lib/npm.sh
. "$SRCDIR/tests/lib/npm.sh"
tool=
install_tool() {
	local folder
	folder=$(npm_package @microsoft/sarif-multitool-linux 5.7.0 2>err) || return 1
	tool=$folder/Sarif.Multitool
	chmod +x "$tool"
}
# Errors the validator has about FILES, one a line. It is to ask no network; ICU is not needed.
validate() {
	DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 \
		DOTNET_BUNDLE_EXTRACT_BASE_DIR="${tool%/*}/extracted" \
		http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 \
		timeout 200 "$tool" validate "$@" --rule-kind 'Sarif;Ghas' --level Error --kind Fail \
		-o "$work/verdict.sarif" --log ForceOverwrite >tool.log 2>&1
	if ! jq -e '.runs[0].results' verdict.sarif >/dev/null 2>&1; then
		echo "the validator gave no verdict: $(tail -1 tool.log)"
	else
		jq -r '.runs[0].results[] | "\(.ruleId) \(.message.text // .message.id) \(.message.arguments // [] | join(" "))"' \
			verdict.sarif
	fi
	rm -f verdict.sarif
}

if ! install_tool; then
	echo "skip - sarif: the validator is not to be had: $(head -1 err)"
	exit $failed
elif ! command -v jq >/dev/null; then
	echo 'skip - sarif: jq is not installed'
	exit $failed
fi
wrong=$(validate samples/*.sarif)
if [ -z "$wrong" ]; then ok "sarif: $(find samples -name '*.sarif' | wc -l) files are valid"; else
	not_ok 'sarif: all are valid' "$(head -1 <<<"$wrong")"; fi
# it does see what is wrong
jq '.runs[0].results[0].ruleIndex = 9999' samples/0.sarif >bad.sarif
wrong=$(validate bad.sarif)
if [ -n "$wrong" ] && [[ $wrong != 'the validator gave'* ]]; then ok 'sarif: a wrong ruleIndex is seen'; else
	not_ok 'sarif: a wrong ruleIndex is seen' "${wrong:-it is not}"; fi
exit $failed
