#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The command line: help, options, exit codes, stdout and stderr, completion; query and live.
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}"
DMASCOPE=$(realpath "$DMASCOPE")
SRCDIR=$(realpath "$SRCDIR")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - $1"; }
not_ok() {
	echo "not ok - $1: $2"
	failed=1
}

# expect NAME CODE STDOUT-PATTERN STDERR-PATTERN ARG...: "-" stands for nothing at all.
# A pattern is a regular expression that some line must match.
expect() {
	local name=$1 code=$2 out=$3 err=$4 got
	shift 4
	"$DMASCOPE" "$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	if [ $got -ne "$code" ]; then
		not_ok "$name" "exit $got, not $code: $(head -1 "$work/err")"
	elif ! matches "$out" "$work/out"; then
		not_ok "$name" "stdout: $(head -2 "$work/out")"
	elif ! matches "$err" "$work/err"; then
		not_ok "$name" "stderr: $(head -2 "$work/err")"
	else
		ok "$name"
	fi
}

matches() {
	if [ "$1" = - ]; then [ ! -s "$2" ]; else grep -Eq -e "$1" "$2"; fi
}

# One line of talk, and it names us.
expect_one_line() {
	if [ "$(wc -l <"$work/err")" = 1 ] && grep -q '^dmascope: ' "$work/err"; then
		ok "$1"
	else
		not_ok "$1" "$(wc -l <"$work/err") lines"
	fi
}

# ---- help, version, unknown words
expect 'help' 0 '^  analyze  +read traces' - --help
expect 'help of a command' 0 '^Usage: dmascope live \[OPTION\]\.\.\. RUN\.DB$' - live --help
expect 'short help of a command' 0 '^Usage: dmascope query' - query -h
expect 'help before the command' 0 '^Usage: dmascope query' - -h query
expect 'help wins over missing operands' 0 '^Usage: dmascope analyze' - analyze -v --help
expect 'version' 0 '^dmascope [0-9]+\.[0-9]+' - --version
expect 'version of a command' 0 '^dmascope [0-9]' - live --version
expect 'no command' 2 - 'no command given'
expect 'unknown command, near' 2 - "unknown command 'analyse'; did you mean 'analyze'\?" analyse
expect_one_line 'unknown command says one line'
expect 'unknown command, far' 2 - "unknown command 'zzzzzz'; see" zzzzzz
expect 'unknown option, near' 2 - "unknown option '--devise'; did you mean '--device'\?" \
	live --devise=x
expect 'unknown option, begun' 2 - "did you mean '--output'\?" analyze --out x
expect 'unknown option, far' 2 - "unknown option '--zzzzzz'; see --help" live --zzzzzz
expect 'unknown letter' 2 - "unknown option '-Z'" live -vZ
expect 'missing argument' 2 - '--at needs an argument: TIME' live x --at
expect 'argument too many' 2 - '--list takes no argument' query --list=yes
expect 'word not known, near' 2 - "unknown word 'jsno'; did you mean 'json'\?" \
	query --list --format jsno
expect 'word not known, far' 2 - "unknown word 'x'; it takes table, csv or json$" query --list --format=x
expect 'one of many words' 2 - "did you mean 'error:likely'\?" analyze x --fail-on eror:likely
expect 'all of many words' 2 - 'it takes never, info, .* error:likely or error:certain$' check x --fail-on zzzzzz
expect 'too few operands' 2 - 'analyze: too few arguments' analyze
expect 'too many operands' 2 - "live: unexpected argument 'b'" live a b --at 1
# every kind of word there is a list of: what is typed, and what is meant
trace=$SRCDIR/tests/fixtures/twin-7.2.txt
"$DMASCOPE" analyze -q "$trace" -o "$work/words.db" >/dev/null
while IFS='|' read -r kind typed meant arguments; do
	# shellcheck disable=SC2086 # words
	expect "nearest: $kind" 2 - "$typed.*did you mean ['\"]${meant}['\"]\?" $arguments
done <<END
a rule to judge by|duble-unmap|double-unmap|analyze $trace -W duble-unmap
a rule not to judge by|duble-unmap|double-unmap|check $trace --warn no-duble-unmap
a rule to tell of|duble-unmap|double-unmap|analyze $trace --rule duble-unmap
a rule to explain|duble-unmap|double-unmap|rules duble-unmap
a query|devcies|devices|query $work/words.db --name devcies
a question to a fleet|lekas|leaks|fleet lekas http://127.0.0.1:1
a table of a fleet|mappngs|mappings|push $work/words.db http://127.0.0.1:1 --without mappngs
a column|lifetme_p50_ns|lifetime_p50_ns|report $work/words.db --columns maps,lifetme_p50_ns
a column to sort by|bytes_to_devise|bytes_to_device|report $work/words.db --sort bytes_to_devise:asc
a metric|lifetime_p9|lifetime_p99|diff $work/words.db $work/words.db --threshold lifetime_p9=2
a format|markdwon|markdown|diff $work/words.db $work/words.db --format markdwon
a format with a file|sariff|sarif|check $trace --format sariff=x
a shell|zhs|zsh|completion zhs
stacks|map|maps|record --dry-run --stacks map
END
expect 'hostile argument is shown harmless' 2 - 'unknown command .\\x1b\[31m' $'\033[31m'
while IFS='|' read -r file how; do
	expect "doctor: probes, $file" 0 "and record with $how as well" - doctor "$SRCDIR/tests/fixtures/$file"
done <<'END'
twin-7.2.dat|-e dmascope
twin-6.12-perf.data.xz|-e 'dmascope:[*]'
twin-7.2.txt|echo 1 > events/dmascope/enable
END
for command in analyze query live doctor completion; do
	expect "listed: $command" 0 "^  $command " - --help
done
for command in $("$DMASCOPE" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
	expect "exists: $command" 0 "^Usage: dmascope $command" - "$command" --help
done

# ---- --help fits a screen of 24 lines with its prompt; --help-all explains every option
# names WHAT: of the options in WHAT, the output of a help
names() {
	grep -oE -- '(^|[ ,])--?[a-zA-Z][a-z-]*' "$1" | tr -d ' ,' | grep '^--' | sort -u
}
for command in '' $("$DMASCOPE" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
	# shellcheck disable=SC2086 # no command is no argument
	"$DMASCOPE" $command --help >"$work/brief" && "$DMASCOPE" $command --help-all >"$work/all"
	# shellcheck disable=SC2086
	"$DMASCOPE" $command --help -h --help-all >"$work/last"
	lines=$(wc -l <"$work/brief") columns=$(wc -L <"$work/brief") all=$(wc -L <"$work/all")
	bad=
	[ "$lines" -ge 10 ] && [ "$lines" -le 23 ] || bad="$lines lines"
	[ "$columns" -le 80 ] && [ "$all" -le 80 ] || bad="$bad $columns and $all columns"
	cmp -s "$work/all" "$work/last" || bad="$bad, not the last one given"
	# every option is named by --help, and explained, at the beginning of a line, by --help-all
	names "$work/all" >"$work/wanted"
	names "$work/brief" | comm -13 - "$work/wanted" >"$work/unnamed"
	sed -nE 's/^  (-[a-zA-Z],|   ) (--[a-z-]+).*/\2/p' "$work/all" | sort >"$work/explained"
	sed -E -n '/^(More|See)/,$p' "$work/brief" | grep -oE -- '--[a-z][a-z-]*' | sort -u |
		comm -23 - "$work/explained" >>"$work/unnamed"
	[ ! -s "$work/unnamed" ] || bad="$bad, without $(tr '\n' ' ' <"$work/unnamed")"
	if [ -z "$bad" ]; then ok "help fits a screen: ${command:-dmascope}"; else
		not_ok "help fits a screen: ${command:-dmascope}" "$bad"
	fi
done

# ---- a database made by hand
if command -v sqlite3 >/dev/null; then
	db=$work/run.db
	cat "$SRCDIR"/schemas/0*.sql | sqlite3 "$db" >/dev/null
	sqlite3 "$db" "INSERT INTO run VALUES ('complete','1'),('clock_is_ns','1'),
		('first_ns','7000000000'),('last_ns','8000000000');
		INSERT INTO device VALUES (1,'dev0',NULL,'drv',1,'direct',NULL,NULL,1,2);
		INSERT INTO mapping(id,device_id,kind,dma_addr,phys_addr,size_bytes,direction,map_ns,
		unmap_ns,end,confidence,truncated,bounced,syncs_for_cpu,syncs_for_device) VALUES
		(1,1,'page',4096,4096,64,'TO_DEVICE',7046780703,7500000000,'unmapped','certain',
		0,0,0,0);"
	cp "$db" "$work/before.db"
	expect 'query' 0 '^"dev0"' - query "$db" 'SELECT name FROM device' --format csv
	expect 'options before operands' 0 '^"dev0"' - query --format=csv "$db" \
		'SELECT name FROM device'
	expect 'operand behind --' 0 '^1$' - query "$db" -- '-- comment
SELECT 1 AS x'
	expect 'query by name' 0 '^\[' - query "$db" --name devices --format json
	expect 'query near a table' 2 - "no such table: mapings \(did you mean 'mappings'" query "$db" \
		'SELECT 1 FROM mapings'
	expect 'query near a column' 2 - "no such column: m.devise.*\(did you mean 'device'" query "$db" \
		'SELECT m.devise FROM mappings AS m'
	expect 'query near a name' 2 - "did you mean 'latencies'" query "$db" --name latency
	expect 'query list beside a database' 0 '^latencies ' - query "$db" --list
	COLUMNS=60 "$DMASCOPE" analyze -q "$SRCDIR/tests/fixtures/twin-7.2.txt" >"$work/narrow"
	if [ -s "$work/narrow" ] && ! grep -Eq '^(device|0000:).{56}' "$work/narrow"; then
		ok 'COLUMNS is the width'
	else
		not_ok 'COLUMNS is the width' "$(grep '^device' "$work/narrow" | head -1)"
	fi
	expect 'query by unknown name' 2 - "no query 'nosuch'" query "$db" --name nosuch
	expect 'query list' 0 '^devices +[A-Z]' - query --list
	expect 'query list as csv' 0 '^"devices",' - query --list --format csv
	expect 'query with neither' 2 - 'give SQL, or --name' query "$db"
	expect 'query with both' 2 - 'not both' query "$db" 'SELECT 1' --name devices
	expect 'query writes not' 2 - 'only SQL that reads' query "$db" 'DELETE FROM run'
	expect 'query attaches not' 2 - 'only SQL that reads' query "$db" \
		"ATTACH '$work/other.db' AS o"
	expect 'query vacuums not' 2 - 'only SQL that reads' query "$db" "VACUUM INTO '$work/v.db'"
	if [ -e "$work/other.db" ] || [ -e "$work/v.db" ] || ! cmp -s "$db" "$work/before.db"; then
		not_ok 'nothing was written' 'a file appeared or changed'
	else
		ok 'nothing was written'
	fi
	expect 'query with bad SQL' 2 - 'syntax error, at offset 0' query "$db" 'SELEC 1'
	expect_one_line 'bad SQL says one line'
	expect 'live at exact time' 0 '^drv dev0 single idx 0 P=0x0000000000001000 D=1000 L=40 ' - \
		live "$db" --at 7.046780703
	expect 'live in ns' 0 '^drv dev0' - live --at=7046780703ns "$db"
	expect 'live just before' 0 - - live "$db" --at 7.046780702
	expect 'live at its unmap' 0 - - live "$db" --at 7.5
	expect 'live at start' 0 - - live "$db" --at start
	expect 'live at end' 0 - - live "$db" --at end
	expect 'live of a device' 0 '^drv' - live "$db" --at 7.1 --device dev0
	expect 'live of no device' 2 - "dev1: none in this run, did you mean 'dev0'" live "$db" --at 7.1 --device dev1
	expect 'live outside warns' 0 - 'outside the trace' live "$db" --at 9
	expect 'live outside, quiet' 0 - - live "$db" --at 9 -q
	expect 'live without a time' 2 - '--at TIME is needed' live "$db"
	for time in '' x -1 7. .5 7.0467807031 7.5ns 1e3 99999999999999999999 10000000000 0x10; do
		expect "live at no time: '$time'" 2 - 'is not a time' live "$db" "--at=$time"
	done
	head -c 5000 "$db" >"$work/cut.db"
	expect 'damaged database' 3 - '^dmascope: ' query "$work/cut.db" 'SELECT * FROM device'

	# Ctrl-C ends a query that would never end; the shell would ignore SIGINT for "&"
	timeout --signal=INT -k 5 1 "$DMASCOPE" query "$db" "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL
		SELECT i + 1 FROM n) SELECT count(*) FROM n" >"$work/out" 2>"$work/err"
	code=$?
	if [ $code -eq 124 ]; then ok 'Ctrl-C'; else not_ok 'Ctrl-C' "exit $code"; fi
	"$DMASCOPE" query "$db" "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL
		SELECT i + 1 FROM n) SELECT i FROM n" --format csv 2>"$work/err" | head -2 >"$work/out"
	if [ ! -s "$work/err" ]; then ok 'closed pipe'; else not_ok 'closed pipe' "$(cat "$work/err")"; fi
	"$DMASCOPE" query "$db" "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL
		SELECT i + 1 FROM n) SELECT i FROM n" --format csv >/dev/full 2>"$work/err"
	code=$?
	if [ $code -eq 4 ]; then ok 'full disk stops a query'; else
		not_ok 'full disk stops a query' "exit $code"
	fi
else
	echo 'skip - query and live: sqlite3 is not installed'
fi
expect 'no such database' 3 - 'No such file' query "$work/none.db" 'SELECT 1'
expect 'not a database' 3 - 'not a dmascope database' live "$0" --at 1

# ---- stdout that cannot be written
"$DMASCOPE" --help >/dev/full 2>"$work/err"
code=$?
if [ $code -eq 4 ]; then ok 'stdout full'; else not_ok 'stdout full' "exit $code"; fi
expect_one_line 'stdout full says one line'
"$DMASCOPE" --help >&- 2>"$work/err"
code=$?
if [ $code -eq 4 ]; then ok 'stdout closed'; else not_ok 'stdout closed' "exit $code"; fi

# ---- completion
# complete_words WORD...: what bash would offer for the last word
complete_words() {
	COMPREPLY=()
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_dmascope
	echo " ${COMPREPLY[*]} "
}
offers() {
	local name=$1 wanted=$2
	shift 2
	case $(complete_words "$@") in
	*" $wanted "*) ok "completion: $name" ;;
	*) not_ok "completion: $name" "offers $(complete_words "$@")" ;;
	esac
}
# shellcheck disable=SC2317 # the completion of --name calls it
dmascope() { "$DMASCOPE" "$@"; }
if eval "$("$DMASCOPE" completion bash)"; then ok 'completion loads'; else
	not_ok 'completion loads' 'eval failed'
fi
offers 'commands' analyze dmascope an
offers 'long options' --format dmascope analyze --f
offers 'common options' --verbose dmascope live --v
offers 'all of the help' --help-all dmascope live --help-
offers 'options that are not usual' --kernel-log dmascope analyze --kern
offers 'words' json dmascope query --format j
offers 'words behind =' json dmascope query --format = j
offers 'words behind a bare =' csv dmascope query --format =
offers 'named queries' devices dmascope query --name dev
offers 'shells' bash dmascope completion b
offers 'rule ids' double-unmap dmascope analyze --rule dou
offers 'side files' "$work/out" dmascope analyze --iomem "$work/ou"
offers 'files' "$work/out" dmascope analyze "$work/ou"
offers 'after a common option' query dmascope -v que
expect 'completion of an unknown shell' 2 - "no script for shell 'tcsh'" completion tcsh

# ---- the device inventory, and drivers told by call stacks
zoo=$SRCDIR/tests/fixtures/stock-6.12-zoo.dat
printf '%s\n' '# of a test' '0000:00:01.0 nvme bus=pci dma_mask_bits=40 iommu_group=5' \
	'0000:00:05.0 - bus=pci' 'nic eth0 e1000e pair 0 side 0' >"$work/devices"
expect 'inventory: driver in the summary' 0 '^0000:00:01\.0 +nvme +' - \
	analyze -q "$zoo" --inventory "$work/devices"
expect 'inventory: no driver' 0 '^0000:00:05\.0 +- +' - \
	analyze -q "$zoo" --inventory "$work/devices"
expect 'without inventory and stacks no driver' 0 '^device +mode ' - analyze -q "$zoo"
printf 'a b\n0000:00:01.0\n' >"$work/bad-devices"
expect 'inventory: malformed line' 3 - 'bad-devices: line 2: no driver behind' \
	analyze "$zoo" --inventory "$work/bad-devices"
expect_one_line 'inventory: one line of talk'
expect 'inventory: no such file' 3 - 'nosuch: No such file' \
	analyze "$zoo" --inventory "$work/nosuch"
if command -v sqlite3 >/dev/null; then
	"$DMASCOPE" analyze -q "$zoo" --inventory "$work/devices" -o "$work/zoo.db" >/dev/null
	got=$(sqlite3 "$work/zoo.db" "SELECT bus, driver, dma_mask, iommu_group FROM device
		WHERE name = '0000:00:01.0'; SELECT bus, driver IS NULL FROM device
		WHERE name = '0000:00:05.0'" | tr '\n' ' ')
	if [ "$got" = 'pci|nvme|1099511627775|5 pci|1 ' ]; then ok 'inventory: in the database'; else
		not_ok 'inventory: in the database' "$got"
	fi
fi

# ---- the JSON schema of the summary
validate() {
	python3 - "$SRCDIR/schemas/summary.schema.json" "$1" <<-'PY'
		import json, sys, jsonschema
		jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).validate(json.load(open(sys.argv[2])))
	PY
}
if python3 -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null; then
	for file in tame hostile; do
		if validate "$SRCDIR/tests/golden/report/$file.json" 2>"$work/err"; then
			ok "schema: $file"
		else
			not_ok "schema: $file" "$(tail -1 "$work/err")"
		fi
	done
	# what analyze prints, with a finding and, if we have one, with call stacks
	for file in "$SRCDIR/tests/fixtures/oracle-unmap_size_small.dat" \
		"$SRCDIR/../shared/traces/oracle/double_unmap/trace-stack.dat"; do
		[ -e "$file" ] || continue
		"$DMASCOPE" analyze -q --format json "$file" >"$work/run.json"
		if validate "$work/run.json" 2>"$work/err" && grep -q '"what": "map"' "$work/run.json"; then
			ok "schema: analyze ${file##*/}"
		else
			not_ok "schema: analyze ${file##*/}" "$(tail -1 "$work/err")"
		fi
	done
	sed 's/"maps": 10,/"maps": -10,/' "$SRCDIR/tests/golden/report/tame.json" >"$work/bad.json"
	if validate "$work/bad.json" 2>/dev/null; then
		not_ok 'schema refuses a negative count' 'it did not'
	else
		ok 'schema refuses a negative count'
	fi
else
	echo 'skip - schema: python3-jsonschema is not installed'
fi
exit $failed
