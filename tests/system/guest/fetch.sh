#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# fetch.sh CACHE [KERNELS]: stock Debian kernels, their headers and what those need, unpacked below CACHE.
#
# Nothing is installed: packages are downloaded with a package list of our own and unpacked. What
# CACHE holds already is not asked for again; remove the folder to get newer kernels. Exit code 3
# and one line on standard error: this machine cannot download.
set -eu
cache=$1
fail() {
	echo "$1" >&2
	exit 3
}

# Kernels by the name of their folder, the suite, and what the version must look like.
kernels='
old	bookworm		6\.1\.0-[0-9]+
6.12	bookworm-backports	6\.12\.[0-9.]+\+deb12
newest	sid			[0-9.]+\+deb[0-9]+'

# Where this machine gets Debian from, unless told.
mirror() {
	[ -n "${DMASCOPE_SYSTEST_MIRROR:-}" ] && echo "$DMASCOPE_SYSTEST_MIRROR" && return
	apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(SUITE)' 'Created-By: Packages' |
		awk '$2 == "Debian" && $3 !~ /security/ { print $1; exit }'
}

apt=$cache/apt
# apt_ COMMAND ARGUMENT...: apt with lists, cache and status below CACHE; the machine's stay as they are
apt_() {
	local command=$1
	shift
	"$command" -q -oDir::Etc::sourcelist="$apt/sources.list" -oDir::Etc::sourceparts=/dev/null \
		-oDir::State::Lists="$apt/lists" -oDir::Cache="$apt/cache" \
		-oDir::State::status="$apt/status" -oAPT::Sandbox::User=root -oDebug::NoLocking=1 \
		-oAPT::Install-Recommends=0 -oAcquire::Languages=none "$@"
}

update() {
	local url suite
	[ -e "$apt/is_updated" ] && return
	command -v apt-get >/dev/null && command -v dpkg >/dev/null || fail 'no apt-get or dpkg here'
	url=$(mirror)
	[ -n "$url" ] || fail 'apt knows no Debian mirror; DMASCOPE_SYSTEST_MIRROR may name one'
	mkdir -p "$apt"/{lists,cache/archives}/partial
	: >"$apt/status"
	for suite in bookworm bookworm-backports sid; do
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $url $suite main"
	done >"$apt/sources.list"
	apt_ apt-get -oAPT::Update::Error-Mode=any update >"$apt/log" 2>&1 ||
		fail "no package lists: $(grep -m1 '^[EW]:' "$apt/log")"
	touch "$apt/is_updated"
}

# unpack FOLDER SUITE PACKAGE...: these only, without what they depend on
unpack() {
	local folder=$1 suite=$2
	shift 2
	mkdir -p "$folder" "$cache/debs"
	(cd "$cache/debs" && apt_ apt-get -t "$suite" download "$@" >"$apt/log" 2>&1) ||
		fail "no $*: $(grep -m1 '^E:' "$apt/log" || tail -1 "$apt/log")"
	for deb in "$cache"/debs/*.deb; do dpkg -x "$deb" "$folder"; done
	rm -rf "$cache/debs"
}

has() { apt_ apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }

# image VERSION: the packages of a kernel, which are several since 7.0, without the signed ones
image() {
	if has "linux-modules-$1"; then
		echo "linux-modules-$1" "linux-binary-$1"
	elif has "linux-image-$1-unsigned"; then
		echo "linux-image-$1-unsigned"
	else
		echo "linux-image-$1"
	fi
}

# Programs of another Debian than this one run with its loader and libraries.
wrap_programs() {
	local root=$1 program
	local lib=$root/usr/lib/x86_64-linux-gnu loader
	loader=$(find "$root/usr/lib64" -name 'ld-linux*' 2>/dev/null | head -1)
	[ -n "$loader" ] || return 0
	find "$root"/usr/lib/linux-kbuild-* -type f -perm /100 | while read -r program; do
		head -c 4 "$program" | grep -q ELF || continue
		mv "$program" "$program.elf"
		printf '#!/bin/sh\nexec %s --argv0 "$0" --library-path %s %s.elf "$@"\n' \
			"$loader" "$lib" "$program" >"$program"
		chmod 755 "$program"
	done
}

# The links of a header package point to /usr/src and /usr/lib, where it is not.
move_headers() {
	local root=$1 version=$2 file
	for file in "$root/usr/src/linux-headers-$version/Makefile" \
		"$root"/usr/src/linux-headers-*-common/scripts/Makefile.*; do
		if [ -f "$file" ]; then sed -i "s#/usr/src/linux-headers-#$root&#" "$file"; fi
	done
	find "$root/usr/src" "$root/usr/lib/modules" "$root/lib/modules" -maxdepth 3 -type l 2>/dev/null |
		while read -r file; do
			case $(readlink "$file") in
			/usr/*) ln -sfn "$root$(readlink "$file")" "$file" ;;
			esac
		done
}

kernel() {
	local name=$1 suite=$2 form=$3 folder version kbuild
	folder=$cache/kernels/$name
	[ -e "$folder/version" ] && return
	update
	version=$(apt_ apt-cache pkgnames linux-headers- | sed 's/^linux-headers-//' |
		grep -xE "$form-amd64" | sort -V | tail -1)
	[ -n "$version" ] || fail "the lists have no linux-headers-$form-amd64"
	kbuild=linux-kbuild-${version%-amd64}
	has "$kbuild" || kbuild=linux-kbuild-${version%%.0-*}
	rm -rf "$folder"
	# shellcheck disable=SC2046
	unpack "$folder" "$suite" $(image "$version") "linux-headers-$version" \
		"linux-headers-${version%-amd64}-common" "$kbuild"
	if [ "$suite" = sid ]; then
		unpack "$folder" sid libc6 libelf1t64 libssl3t64 zlib1g libzstd1 libbz2-1.0 liblzma5
		wrap_programs "$folder"
	fi
	move_headers "$folder" "$version"
	echo "$version" >"$folder/version"
}

for name in ${2:-}; do
	grep -q "^$name	" <<<"$kernels" && continue
	echo "no kernel is called $name" >&2
	exit 1
done
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
apt=$cache/apt
echo "$kernels" | while read -r name suite form; do
	[ -z "$name" ] || [[ " ${2:-6.12 newest} " != *" $name "* ]] || kernel "$name" "$suite" "$form"
done
if ! [ -e "$cache/busybox" ]; then
	update
	unpack "$cache/tools" bookworm busybox-static
	mv "$cache/tools/bin/busybox" "$cache/" 2>/dev/null || mv "$cache/tools/usr/bin/busybox" "$cache/"
	rm -rf "$cache/tools"
fi
