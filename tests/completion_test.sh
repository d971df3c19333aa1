#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Completion in zsh and fish, by these shells; that of bash is tested in cli_test.sh.
#
# Each case: what is typed, and what the line, or one of the offers, is then.
set -u
LC_ALL=C.UTF-8
export LC_ALL
: "${DMASCOPE:?}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

ok() { echo "ok - completion: $1"; }
not_ok() {
	echo "not ok - completion: $1: $2"
	failed=1
}

mkdir -p "$work/bin" "$work/zsh" "$work/here/folder" "$work/home"
ln -s "$(realpath "$DMASCOPE")" "$work/bin/dmascope"
PATH=$work/bin:$PATH
export HOME="$work/home" XDG_CONFIG_HOME="$work/home" XDG_DATA_HOME="$work/home"
cd "$work/here" || exit 1
touch run.db

# name, what is typed, what it becomes; in zsh the whole line, in fish one of the offers
cases='
a command|dmascope ana|analyze
a long option|dmascope analyze --kern|--kernel-log
an option of every command|dmascope live --verb|--verbose
a word|dmascope query --format c|csv
words with a colon|dmascope analyze --fail-on error:l|error:likely
a rule|dmascope analyze --rule double-|double-unmap
a switch|dmascope analyze -W no-double-|no-double-unmap
a query|dmascope query --name high|high-water
an operand that is a rule|dmascope rules iommu-u|iommu-unmap-mismatch
a shell|dmascope completion fi|fish
a file|dmascope report ru|run.db
a folder|dmascope report --csv fo|folder/
a file of an option|dmascope analyze --iomem ru|run.db
behind an option of every command|dmascope -v ana|analyze
words, not those of another command|dmascope doctor --format j|json'

# ---- fish
if command -v fish >/dev/null; then
	"$DMASCOPE" completion fish >"$work/dmascope.fish"
	if fish -n "$work/dmascope.fish" 2>"$work/err"; then ok 'fish: a script'; else
		not_ok 'fish: a script' "$(head -1 "$work/err")"
	fi
	while IFS='|' read -r name typed want; do
		[ -n "$name" ] || continue
		fish -c "source $work/dmascope.fish; complete -C '$typed'" 2>&1 | cut -f1 >"$work/offers"
		if grep -qxF -- "$want" "$work/offers"; then ok "fish: $name"; else
			not_ok "fish: $name" "offers $(head -5 "$work/offers" | tr '\n' ' ')"
		fi
	done <<<"$cases"
	fish -c "source $work/dmascope.fish; complete -C 'dmascope analyze --kernel-l'" >"$work/offers" 2>&1
	if grep -q 'output of dmesg' "$work/offers"; then ok 'fish: with the help'; else
		not_ok 'fish: with the help' "$(head -1 "$work/offers")"
	fi
else
	echo 'skip - completion: fish: not installed'
fi

# ---- zsh, which completes in a terminal only
zsh_driver() {
	cat <<-'END'
	zmodload zsh/zpty || exit 2
	zpty line "zsh -f" || exit 4
	zpty -w line "source $1/setup"
	zpty -r line text '*is-ready*'
	while IFS='|' read -r name typed want; do
		[[ -n $name ]] || continue
		zpty -w -n line "$typed"$'\t\x18'
		zpty -r line text '*<<*>>*' || exit 3
		text=${text##*<<}
		print -r -- "$name|$typed|$want|${text%%>>*}"
	done
	zpty -d line
	END
}
zsh_setup() {
	cat <<-'END'
	PS1= PS2= TERM=dumb LISTMAX=0
	stty -echo
	fpath=(${0:h} $fpath)
	autoload -Uz compinit && compinit -u -D
	show() { print -r -- "<<$BUFFER>>"; BUFFER=; }
	zle -N show
	bindkey '^X' show
	bindkey '^I' complete-word
	print is-ready
	END
}
# judge_zsh ZSH...: what the driver says under this shell
judge_zsh() {
	local name typed want got
	timeout 60 "$@" -f "$work/driver.zsh" "$work/zsh" <<<"$cases" >"$work/lines" 2>"$work/err"
	if [ $? -eq 4 ]; then
		echo "skip - completion: zsh: $(head -1 "$work/err")"
		return
	fi
	while IFS='|' read -r name typed want got; do
		want="${typed% *} $want" got=${got% }
		if [ "$got" = "$want" ]; then ok "zsh: $name"; else not_ok "zsh: $name" "becomes \"$got\""; fi
	done <"$work/lines"
	if [ "$(wc -l <"$work/lines")" -ne "$(grep -c '|' <<<"$cases")" ]; then
		not_ok 'zsh: all cases' "only $(wc -l <"$work/lines"): $(head -1 "$work/err")"
	fi
}
if command -v zsh >/dev/null; then
	"$DMASCOPE" completion zsh >"$work/zsh/_dmascope"
	if zsh -fn "$work/zsh/_dmascope" 2>"$work/err"; then ok 'zsh: a script'; else
		not_ok 'zsh: a script' "$(head -1 "$work/err")"
	fi
	zsh_setup >"$work/zsh/setup"
	zsh_driver >"$work/driver.zsh"
	judge_zsh zsh
	# the same where /dev/pts is empty; who may not mount is not asked
	if unshare -rm mount -t tmpfs none /dev/pts 2>/dev/null; then
		said=$(judge_zsh unshare -rm sh -c 'mount -t tmpfs none /dev/pts && exec zsh "$@"' zsh)
		if [[ $said == 'skip - '*'pseudo terminal'* && $said != *$'\n'* ]]; then
			ok 'zsh: without a terminal'
		else
			not_ok 'zsh: without a terminal' "$(head -1 <<<"$said")"
		fi
	fi
else
	echo 'skip - completion: zsh: not installed'
fi
exit $failed
