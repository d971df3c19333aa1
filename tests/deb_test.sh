#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The Debian packages: what they say of themselves; and with `make debtest`, as root, built twice,
# looked at by lintian, built in a clean root with their Build-Depends and no network, installed into
# another, used there, and removed without a trace.
#
# Environment: DMS_DEBS, the folder of built packages; without it only the first part runs.
# DMS_DEBROOT: a root of Debian to use, and to leave as it was, in place of a new one.
set -u
LC_ALL=C
export LC_ALL
: "${BUILD:?}" "${SRCDIR:?}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# is NAME COMMAND...: the case passes if the command does
is() {
	local name=$1
	shift
	if "$@" >"$work/said" 2>&1; then
		echo "ok - deb: $name"
	else
		echo "not ok - deb: $name: $(tail -n 3 "$work/said" | tr '\n' ' ')"
		failed=1
	fi
}
skip() { echo "skip - deb: $1: $2"; }

# ---- what the tree says ----
same_version() { [ "$(sed -n '1s/.*(\(.*\)).*/\1/p' "$SRCDIR/debian/changelog")" = "$(cat "$SRCDIR/VERSION")" ]; }
# what ./dev installs to build, but for what every Debian build has
wants_what_dev_wants() {
	local package bad=0
	for package in $(sed -n '/^build_packages=(/,/)/p' "$SRCDIR/dev" | tr '()' '  ' | sed 's/^build_packages=//'); do
		case $package in gcc | libc6-dev | make) continue ;; esac
		grep -qE "^ +$package( <!nocheck>)?,?$" "$SRCDIR/debian/control" || {
			echo "$package is not in Build-Depends"
			bad=1
		}
	done
	return $bad
}
# licence_of FILE: by debian/copyright, where the last fitting paragraph counts
licence_of() {
	local i found=
	for i in "${!globs[@]}"; do
		# shellcheck disable=SC2053 # it is a pattern
		[[ $1 == ${globs[i]} ]] && found=${licences[i]}
	done
	echo "$found"
}
licences_agree() {
	local file spdx bad=0 glob licence
	globs=() licences=()
	while read -r glob licence; do
		globs+=("$glob") licences+=("$licence")
	done < <(awk '
		/^Files:/ { n = 0; sub(/^Files:/, ""); reading = 1 }
		/^Copyright:/ { reading = 0 }
		reading { for (i = 1; i <= NF; i++) names[n++] = $i }
		/^License:/ && n { for (i = 0; i < n; i++) print names[i], $2; n = 0 }' \
		"$SRCDIR/debian/copyright")
	while IFS=: read -r file spdx; do
		case $spdx in
		*LGPL-2.1-only*) spdx=LGPL-2.1 ;;
		*GPL-2.0-only*) spdx=GPL-2 ;;
		esac
		[ "$(licence_of "${file#./}")" = "$spdx" ] && continue
		echo "$file is $spdx, and $(licence_of "${file#./}") by debian/copyright"
		bad=1
	done < <(cd "$SRCDIR" && find . \( -path ./.git -o -path './build*' -o -path ./LICENSES \
		-o -path ./tests/fixtures/fuzz \) -prune -o \
		-type f -print0 | xargs -0 awk '
		FNR > 2 { nextfile }
		/SPDX-License-Identifier: / { print FILENAME ":" $0; nextfile }')
	[ ${#globs[@]} -gt 3 ] && return $bad
}

is "the changelog has the version" same_version
is "Build-Depends are those of dev" wants_what_dev_wants
is "debian/copyright agrees with the files" licences_agree
if [ -z "${DMS_DEBS-}" ]; then
	skip "packages" "make debtest builds, installs and removes them, as root"
	exit $failed
fi

# ---- what was built ----
debs=("$DMS_DEBS"/*.deb)
packages=(dmascope libdmascope-dev libdmascope1 libtraceevent-plugin-dmascope)
all_there() {
	local package
	for package in "${packages[@]}"; do
		ls "$DMS_DEBS/${package}_"*.deb || return 1
	done
}
# another folder, time zone, language and umask
again() {
	(
		umask 077
		TZ=Asia/Kathmandu LC_ALL=C.UTF-8 bash "$SRCDIR/debian/build.sh" "$work/second/$RANDOM/deb"
	) >"$work/again.log" 2>&1 || {
		tail -n 3 "$work/again.log"
		return 1
	}
	local deb
	for deb in "${debs[@]}"; do
		cmp "$deb" "$work"/second/*/deb/"${deb##*/}" || return 1
	done
}
clean_by_lintian() {
	lintian --allow-root -viIL +pedantic --fail-on error,warning --no-tag-display-limit \
		"$DMS_DEBS"/*.changes >"$work/lintian" 2>&1
	local code=$?
	grep -E '^[EW]:' "$work/lintian"
	return $code
}
is "four packages" all_there
is "built twice, the same bytes" again
pages_of_all_commands() {
	local name bad=0
	dpkg-deb -x "$DMS_DEBS"/dmascope_[0-9]*.deb "$work/unpacked" || return 1
	"$work/unpacked/usr/bin/dmascope" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]\{1,\}\) .*/\1/p' >"$work/commands"
	[ "$(wc -l <"$work/commands")" -gt 8 ] || return 1
	while read -r name; do
		[ -e "$work/unpacked/usr/share/man/man1/dmascope-$name.1.gz" ] || {
			echo "no page of $name"
			bad=1
		}
	done <"$work/commands"
	return $bad
}
completions_are_there() {
	local shell found n=0
	for found in bash=bash-completion/completions/dmascope zsh=zsh/vendor-completions/_dmascope \
		fish=fish/vendor_completions.d/dmascope.fish; do
		shell=${found%%=*}
		"$work/unpacked/usr/bin/dmascope" completion "$shell" >"$work/$shell" || return 1
		cmp "$work/$shell" "$work/unpacked/usr/share/${found#*=}" || return 1
		n=$((n + 1))
	done
	[ $n -eq 3 ]
}
is "a page of each command" pages_of_all_commands
is "completion scripts" completions_are_there
if command -v lintian >/dev/null; then
	is "lintian finds no error and no warning" clean_by_lintian
	sed -nE 's/^([IP]: .*)/# lintian \1/p' "$work/lintian"
else
	skip "lintian" "not installed"
fi

# ---- in a root of its own ----
if [ "$(id -u)" -ne 0 ]; then
	skip "installed, used, removed" "needs root"
	exit $failed
fi
root=${DMS_DEBROOT-}
if [ -z "$root" ]; then
	root=$work/root
	if ! command -v debootstrap >/dev/null; then
		skip "installed, used, removed" "no debootstrap"
		exit $failed
	fi
	suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	if ! debootstrap --variant=minbase "$suite" "$root" >"$work/debootstrap.log" 2>&1; then
		skip "installed, used, removed" "debootstrap: $(tail -n 1 "$work/debootstrap.log")"
		exit $failed
	fi
fi

# in_root COMMAND...: with a /proc of its own, which goes with it
in_root() {
	# shellcheck disable=SC2016,SC2086 # the inner shell's; no flag is no word
	unshare --mount --propagation private ${offline-} sh -c '
		mount -t proc proc "$1/proc" || exit 1
		root=$1
		shift
		exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
			LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"' sh "$root" "$@"
}
apt() { in_root apt-get -qq -y --no-install-recommends "$@" </dev/null; }
# What it takes to build is what debian/control says, and no network: in a copy of the root.
build_there() {
	root=$work/buildroot
	cp -a "$1" "$root" && mkdir "$root/tmp/source" &&
		(cd "$SRCDIR" && tar --exclude=./.git --exclude='./build*' -cf - .) | tar -xf - -C "$root/tmp/source" &&
		apt update && apt install build-essential && apt build-dep /tmp/source/ || return 1
	offline=--net in_root sh -c 'cd /tmp/source && DEB_BUILD_OPTIONS="nocheck parallel=2" dpkg-buildpackage -us -uc' \
		>"$work/build_there.log" 2>&1 </dev/null || {
		tail -n 3 "$work/build_there.log"
		return 1
	}
	[ "$(find "$root/tmp" -maxdepth 1 -name '*.deb' ! -name '*-dbgsym_*' | wc -l)" -eq 4 ]
}
builds_in_a_clean_root() { (build_there "$root"); }
# a minbase root drops documentation only if it is told so; pages are wanted
tools() {
	apt update && apt install g++ gcc libc6-dev man-db pkg-config sqlite3 trace-cmd
}
# all files but those that packages leave by their nature: caches, logs, their own databases
files() {
	(cd "$root" && find . \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp -o -path ./run \
		-o -path ./var/cache -o -path ./var/log -o -path ./var/lib/dpkg -o -path ./var/lib/apt \) \
		-prune -o -print | sort)
}
install_debs() {
	local names=("${debs[@]##*/}")
	rm -rf "$root/tmp/dmascope" && mkdir -p "$root/tmp/dmascope/tests" &&
		cp "${debs[@]}" "$root/tmp/dmascope" &&
		cp -r "$SRCDIR/tests/fixtures" "$root/tmp/dmascope/tests" &&
		cp -r "$SRCDIR/debian" "$SRCDIR/examples" "$root/tmp/dmascope" &&
		apt install "${names[@]/#//tmp/dmascope/}"
}
autopkgtest_says() { in_root sh -c "cd /tmp/dmascope && sh debian/tests/$1" | tee /dev/stderr | grep -q 'works$'; }
consistent() { [ -z "$(in_root dpkg --audit)" ] && in_root dpkg --verify "${packages[@]}"; }
page_of_a_function() { in_root man -P cat dmascope_db_open | grep -q 'dmascope_db_close'; }
purge() { apt purge "${packages[@]}" && apt autoremove --purge; }
no_trace() {
	rm -rf "$root/tmp/dmascope"
	files >"$work/after"
	diff "$work/before" "$work/after"
}

is "built with Build-Depends alone, offline" builds_in_a_clean_root
rm -rf "$work/buildroot"
is "a clean root with tools" tools
files >"$work/before"
is "apt-get install ./*.deb" install_debs
is "what is installed is what was packed" consistent
for name in analyze plugin library; do
	is "autopkgtest $name" autopkgtest_says $name
done
is "the page of a function is found" page_of_a_function
is "apt-get purge" purge
is "nothing is left" no_trace
exit $failed
