# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# npm packages that tests read our output with, kept in build/cache/ (sourced).

# npm_package PACKAGE VERSION: print the folder it is installed in; why not goes to standard error.
# Into a folder of its own, which gets its name when it is whole; no script of a package is run.
npm_package() {
	local cache=${DMS_CACHE:-$BUILD/cache}/${1##*/}-$2 part log code
	if ! [ -d "$cache" ]; then
		command -v npm >/dev/null || { echo 'npm is not installed' >&2; return 1; }
		mkdir -p "${cache%/*}" && part=$(mktemp -d "$cache.XXXXXX") || return 1
		log=$(timeout 180 npm install --prefix "$part" --no-save --no-audit --no-fund \
			--ignore-scripts "$1@$2" 2>&1 </dev/null)
		code=$?
		if [ $code -ne 0 ] || ! [ -d "$part/node_modules/$1" ]; then
			rm -rf "$part"
			grep -v '^npm warn' <<<"$log" | head -1 >&2
			return 1
		fi
		# another test may have been faster
		mv -T "$part" "$cache" 2>/dev/null || rm -rf "$part"
	fi
	echo "$cache/node_modules/$1"
}
