#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build the Debian packages out of a copy of this tree, into a folder: debian/build.sh FOLDER
#
# The copy leaves out what is built and git's own; nothing of the tree itself is touched.
set -eu
out=$(realpath -m "${1:?usage: debian/build.sh FOLDER}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
for tool in dpkg-buildpackage dh; do
	command -v $tool >/dev/null || {
		echo "debian/build.sh: no $tool: apt-get install dpkg-dev debhelper" >&2
		exit 2
	}
done
rm -rf "$out"
mkdir -p "$out/source"
tar --exclude=./.git --exclude='./build*' --exclude='*.part' -cf - . | tar -xf - -C "$out/source"
cd "$out/source"
unset MAKEFLAGS MFLAGS MAKELEVEL B
dpkg-buildpackage -us -uc -b
cd ..
rm -rf source
