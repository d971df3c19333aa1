#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every command has a page, every page renders without a warning, and its OPTIONS are those of --help-all.
set -u
: "${DMASCOPE:=build/dmascope}" "${SRCDIR:=.}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - $1"; }
not_ok() {
	echo "not ok - $1: $2"
	failed=1
}

# "-o, --output DB" of each option, from --help-all on stdin
help_options() {
	sed -n 's/^ \{2,6\}\(-[^ ]*\(, --[^ ]*\)\{0,1\}\( [A-Z]\{1,\}\)\{0,1\}\)\( .*\)\{0,1\}$/\1/p' | sort
}
# the same from a rendered page on stdin: the tags of its section OPTIONS
page_options() {
	sed -n '/^OPTIONS$/,/^[A-Z]/{/^       -/p;}' |
		sed -n 's/^ *\(-[^ ]*\(, --[^ ]*\)\{0,1\}\( [A-Z]\{1,\}\)\{0,1\}\)\( .*\)\{0,1\}$/\1/p' |
		sort
}
render() {
	groff -ww -man -Tascii -P-cbou -rLL=100n "$1"
}

if ! command -v groff >/dev/null; then
	echo 'skip - man pages: groff is not installed'
	exit 0
fi

for page in "$SRCDIR"/man/*.[1-8]; do
	name=${page##*/}
	render "$page" >"$work/page" 2>"$work/warnings"
	if [ -s "$work/warnings" ]; then
		not_ok "$name renders" "$(head -1 "$work/warnings")"
	else
		ok "$name renders"
	fi
	# what is to be pasted: no word in two parts, no hyphen for a minus
	for width in 60 78 100; do
		groff -man -Tutf8 -P-cbou -rLL=${width}n "$page" 2>/dev/null | sed -n '/^EXAMPLES$/,/^[A-Z]/{/^ /p;}'
	done >"$work/examples"
	if [ "${name%.1}" != "$name" ] && LC_ALL=C grep -q $'\xe2\x80\x90' "$work/examples"; then
		not_ok "$name: examples" "$(LC_ALL=C grep -m 1 $'\xe2\x80\x90' "$work/examples")"
	fi
	if grep -nE '^[A-Z][a-z0-9]*_[a-z0-9*]+' "$page" >"$work/capitals"; then
		not_ok "$name: names of C" "$(head -1 "$work/capitals")"
	fi
done
ok 'examples can be pasted, names of C are as they are'

commands=$("$DMASCOPE" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ -n "$commands" ] || not_ok 'commands are listed' 'none in --help'
for command in '' $commands; do
	page=$SRCDIR/man/dmascope${command:+-$command}.1
	if [ "$command" = completion ]; then # told in dmascope(1): it has no options of its own
		if grep -q '^\.BI completion' "$SRCDIR/man/dmascope.1"; then ok 'completion'; else
			not_ok 'completion' 'not in dmascope.1'
		fi
		continue
	fi
	if [ ! -e "$page" ]; then
		not_ok "page of ${command:-dmascope}" 'missing'
		continue
	fi
	for section in NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
		grep -qx "\.SH $section" "$page" || not_ok "${page##*/}" "no section $section"
	done
	# shellcheck disable=SC2086 # no command is no argument
	"$DMASCOPE" $command --help-all | help_options >"$work/help"
	render "$page" 2>/dev/null | page_options >"$work/man"
	if [ ! -s "$work/help" ]; then
		not_ok "options of ${page##*/}" 'no option found in --help-all'
	elif ! diff "$work/help" "$work/man" >"$work/diff"; then
		not_ok "options of ${page##*/}" "$(grep '^[<>]' "$work/diff" | tr '\n' ';')"
	else
		ok "options of ${page##*/}"
	fi
	# each command is named in the overview
	if [ -n "$command" ] && ! grep -q "^\.BR dmascope..$command (1)" "$SRCDIR/man/dmascope.1"; then
		not_ok "dmascope.1 names $command" 'it does not'
	fi
done

# ---- pages that are referred to are there, and each page is referred to by another
grep -ohE '^\.(BR|RB|Xr|RB \() ?\(?(dm|libdm)ascope[^ ]* ?\(?[1-8]' "$SRCDIR"/man/*.[1-8] |
	sed -E 's/^\.[A-Z][A-Za-z] \(? ?//; s/\\-/-/g; s/ \(?([1-8])$/.\1/' | grep -v _ | sort -u >"$work/named"
[ "$(wc -l <"$work/named")" -ge 25 ] || not_ok 'references' "only $(wc -l <"$work/named") pages are named"
(cd "$SRCDIR/man" && printf '%s\n' *.[1-8]) | sort >"$work/pages"
if [ -z "$(comm -3 "$work/named" "$work/pages")" ]; then ok 'references between pages'; else
	not_ok 'references between pages' "named, but not there, or there and not named: $(comm -3 "$work/named" "$work/pages" | tr -d '\t' | tr '\n' ' ')"
fi

# ---- the format pages: each member of each schema is told where its object is, and nothing else is.
# Objects that several documents share are under SHARED OBJECTS, by the last part of their place.
cat >"$work/members.py" <<'PY'
import json, re, sys

def page_lists(path):
    lists, section, place = {}, '', ''
    for line in open(path):
        words = line.rstrip('\n').split(' ', 1)
        if words[0] == '.Sh':
            section, place = words[1], ''
        elif words[0] == '.Ss':
            place = words[1]
        elif line.startswith('.It Va '):
            lists.setdefault((section, place), []).append(line[len('.It Va '):].strip())
    return lists

def objects(node, place, schema):
    """Each object of a schema with its place; what has a name among $defs is a place of its own."""
    while node.get('type') == 'array' and isinstance(node.get('items'), dict) and '$ref' not in node:
        node, place = node['items'], place + '[]'
    if 'properties' in node:
        yield place, set(node['properties'])
        for key, value in node['properties'].items():
            yield from objects(value, (place + '.' if place else '') + key, schema)
    if isinstance(node.get('additionalProperties'), dict):
        yield from objects(node['additionalProperties'], place + '.*', schema)

def check(lists, section, schema, renamed):
    wanted, bad = dict(objects(schema, '', schema)), []
    for name, node in schema.get('$defs', {}).items():
        wanted.update(objects(node, renamed.get(name, name), schema))
    shared = {place: set(names) for (where, place), names in lists.items() if where == 'SHARED OBJECTS'}
    for place, members in wanted.items():
        told = set(lists.get((section, place), []))
        last = place.split('.')[-1]
        if place == '' and section == 'SUMMARY':
            told |= shared['run']
        elif not told:
            told = shared.get(last, set())
        for name in members ^ told:
            bad.append('%s of %s %s' % (name, place or section, 'is not told' if name in members else 'is none'))
    for where, place in lists:
        if where == section and place not in wanted:
            bad.append('no object ' + place)
    return len(wanted), bad

root, man = sys.argv[1], sys.argv[1] + '/man/'
documents = [
    ('baseline', man + 'dmascope-baseline.5', 'MEMBERS', {}),
    ('summary', man + 'dmascope-json.5', 'SUMMARY', {}),
    ('report', man + 'dmascope-json.5', 'REPORT', {'distribution': 'devices[].distributions[]'}),
    ('diff', man + 'dmascope-json.5', 'COMPARISON', {}),
]
for name, page, section, renamed in documents:
    schema = json.load(open('%s/schemas/%s.schema.json' % (root, name)))
    count, bad = check(page_lists(page), section, schema, renamed)
    if bad or count < 3:
        print('not ok - members of %s: %s' % (name, '; '.join(sorted(bad)) or 'no objects found'))
    else:
        print('ok - members of %s: %d objects' % (name, count))
doctor = page_lists(man + 'dmascope-json.5')
written = json.load(open(sys.argv[2]))
bad = set(written) - set(doctor['DOCTOR', '']) | set(written['checks'][0]) ^ set(doctor['DOCTOR', 'checks[]'])
print('not ok - members of doctor: %s' % sorted(bad) if bad else 'ok - members of doctor')
PY
if command -v python3 >/dev/null; then
	"$DMASCOPE" doctor --format json "$SRCDIR/tests/fixtures/twin-7.2.txt" >"$work/doctor.json"
	if ! python3 "$work/members.py" "$SRCDIR" "$work/doctor.json" >"$work/members" 2>"$work/err"; then
		not_ok 'members of JSON documents' "$(tail -1 "$work/err")"
	fi
	cat "$work/members"
	! grep -q '^not ok' "$work/members" || failed=1
else
	echo 'skip - members of JSON documents: python3 is not installed'
fi
exit $failed
