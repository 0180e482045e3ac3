# shellcheck shell=bash
# A table of upstreams that behave in some way, and what comes of a push to
# each: rows of data, run beside each other, each with a repository of its own.
# Sourced after lib.sh.
#
# reach NAME URL [KEY=VALUE]...   an [upstream], of the repositories NAME/*;
#                 of "lazy..." the upstream is asked once, and then pushed to
# row "WHAT IT DOES" KEY=VALUE... one line of the table:
#   via=NAME      the upstream
#   push=SPECS    what is pushed, from $T/web: see make_seed
#   does=SHELL    what makes it so, run in its bare repository after the mirror
#                 was made: any command, and hook, rogue, config (below)
#   code=CODE     the push is refused with it; else it succeeds
#   why=REF:ERE;  the reason at the reference's line, for those named; "*"
#                 stands for all
#   says=ERE;     there is such a line of remote: ("!ERE": there is none)
#   taken=REFS    those that it takes although others are refused
#   refs=REF=REV  how the upstream's references differ afterwards: REV is one
#                 of $T/web, or nothing
#   at=advert     it is refused before anything is sent
#   then=SHELL    after the push, before references are compared
#   lost=yes      it cannot be asked afterwards: the mirror is as it was
#   gate=hasty    the gate that waits for an upstream for 4 seconds
#   seed=NAME     copied in place of seed
#   args=OPTIONS  of git push
#   from=DIR      the clone, in place of $T/web
# run_rows runs them: one line of TAP for each.

rows=() jobs=12

# The stable codes, whether to try again, and what people read.
declare -A told=(
	[upstream-unreachable]="yes the upstream server cannot be reached"
	[upstream-auth]="no the upstream does not accept the gate's credential"
	[upstream-host-key]="no the upstream does not prove that it is the"
	[upstream-agent]="yes the gate's SSH agent is not available"
	[upstream-not-found]="no the upstream has no such repository"
	[not-found]="no "
	[upstream-forbidden]="no the upstream does not let the gate's account"
	[upstream-moved]="no the upstream says that the repository has moved"
	[upstream-rejected]="no the upstream refused the push"
	[upstream-stale]="yes a reference has moved on the upstream meanwhile"
	[upstream-not-atomic]="no the upstream cannot take several references"
	[upstream-unknown]="yes .*whether it took the push is not known"
	[upstream-no-space]="yes there is no space left on the gate or upstream"
	[upstream-timeout]="yes the upstream did not answer in time"
	[upstream-error]="no the upstream gave an answer that the gate does not"
)

reach() {
	local name=$1 line
	printf '[upstream "%s"]\n\turl = %s\n' "$1" "$2"
	shift 2
	for line; do printf '\t%s\n' "$line"; done
	printf '[repo "%s/*"]\n\tupstream = %s\n\tpushOptions = *\n' \
		"$name" "$name"
	case $name in lazy*) printf '\tfresh = 1h\n' ;; esac
}

# Once: the repository that each row gets a copy of, and the clone that all
# push from: next and other follow main, and differ; big is next with 300 KB;
# back is before main; deep is three commits on.
make_seed() {
	local web=$T/web i
	upstream seed
	fill seed
	rm "$T/up/seed.git/hooks/pre-receive"
	git clone -q "$T/up/seed.git" "$web" 2>/dev/null
	git -C "$web" branch -q back HEAD~2
	git -C "$web" branch -q side origin/side
	git -C "$web" checkout -q -b other main
	commit "$web" src/file1 "other"
	git -C "$web" checkout -q -b next main
	commit "$web" src/file1 "next"
	git -C "$web" tag -am "release two" v2
	git -C "$web" checkout -q -b big
	head -c 300000 /dev/urandom >"$web/random"
	commit "$web" src/file2 "big"
	git -C "$web" checkout -q -b deep main
	for i in 1 2 3; do commit "$web" "deep$i" "$i"; done
	git clone -q --depth 2 -b next "file://$web" "$T/shallow" 2>/dev/null
	git init -q --bare -b main "$T/up/empty.git"
	git clone -q "$T/up/seed.git" "$T/up/work.git" 2>/dev/null
	# known there, but for a row to move to
	git -C "$web" push -q "$T/up/seed.git" other 2>/dev/null
	git -C "$T/up/seed.git" branch -qD other
	# how an account is let in: a row may put itself between
	cat >"$T/account" <<-'END'
		#!/bin/sh
		eval "set -- $SSH_ORIGINAL_COMMAND"
		case $1 in git-receive-pack) rogue=$2/rogue ;;
		*) rogue=$2/rogue-fetch ;; esac
		[ ! -e "$rogue" ] || . "$rogue"
		exec "$@"
	END
	chmod +x "$T/account"
}
# only the account's program, for whoever has the key
let_in() {
	printf 'command="%s" %s\n' "$T/account" "$(cat "$T/ssh/id.pub")" \
		>"$T/ssh/authorized_keys"
}

# --- what a row does to its upstream -------------------------------------

# hook NAME SHELL
hook() {
	printf '#!/bin/sh\n%s\n' "$2" >"hooks/$1"
	chmod +x "hooks/$1"
}
# rogue POINT ACTION [TIMES]: see rogue.pl; of pushes, over ssh
rogue() {
	printf "%sset -- perl '%s' '%s' '%s' \"\$@\"\n" \
		"${3:+export COUNT='$PWD/times'; }" \
		"$HERE/rogue.pl" "$1" "$2" >rogue
	[ $# -lt 3 ] || seq "$3" >times
}
# Undone, while what was ended there may still remove its own.
writable() { wait_for 10 chmod -R u+w "$up" || wrong "chmod: $up"; }
# What its account may not change; of root, that of nobody.
read_only() {
	if [ "$(id -u)" -ne 0 ]; then
		chmod -R a-w objects
	else
		cat >rogue <<-'END'
			export GIT_CONFIG_COUNT=1 GIT_CONFIG_VALUE_0=*
			export GIT_CONFIG_KEY_0=safe.directory
			set -- setpriv --reuid 65534 --regid 65534 \
				--clear-groups "$@"
		END
	fi
}
# What its account may not even see.
no_entry() {
	read_only
	chmod 700 .
	[ "$(id -u)" -eq 0 ] || cat >rogue <<-'END'
		chmod 0 "$2"
		"$@"
		status=$?
		chmod 700 "$2"
		exit $status
	END
}
# A disk of 100 KB, which only its git-receive-pack sees.
alone=-m
[ "$(id -u)" -eq 0 ] || alone=-Urm
full_disk() {
	mv objects all
	mkdir -p objects/info
	echo "$PWD/all" >objects/info/alternates
	cat >rogue <<-END
		set -- unshare $alone sh -c '
			mount -t tmpfs -o size=100k none "\$2/objects" &&
			mkdir "\$2/objects/info" &&
			echo "\$2/all" >"\$2/objects/info/alternates" &&
			exec "\$@"' sh "\$@"
	END
}
config() { git config "$@"; }

# --- one row -------------------------------------------------------------

row() { rows+=("$(printf '%q ' "$@")"); }

heads_and_tags() {
	git -C "$1" for-each-ref --format='%(refname) %(objectname)' \
		refs/heads refs/tags 2>/dev/null
}
# what an address advertises of them, HEAD included; fails as git does
asked() {
	local said
	said=$(git ls-remote --symref "$1" 2>"$dir/asked") || return 1
	grep -E $'\tHEAD$|^[0-9a-f]+\trefs/(heads|tags)/' <<<"$said"
	return 0
}
# the references of before with the row's changes
expected() {
	local pair name rev
	local -A all=()
	while read -r name rev; do
		[ -z "$name" ] || all[$name]=$rev
	done <<<"$1"
	for pair in $refs; do
		name=refs/${pair%%=*} rev=${pair#*=}
		unset "all[$name]"
		[ -z "$rev" ] || all[$name]=$(tip "$T/web" "$rev")
	done
	for name in "${!all[@]}"; do echo "$name ${all[$name]}"; done |
		LC_ALL=C sort
}
# then: the same push once more finds all of it there
repeated() {
	# shellcheck disable=SC2086 # words of the row
	LIMIT=30 git -C "$T/web" push "${at_gate[$gate]}/$name" \
		$(printf '%s ' "$push" | sed 's/:\([^ ]\)/:refs\/\1/g') 2>&1 |
		grep -q 'Everything up-to-date' || wrong "it is not up to date"
}
# then: it has it in the end
takes() { wait_for 15 has "$1" "$2" || wrong "it does not take it"; }
has() { [ "$(tip "$up" "refs/$1")" = "$(tip "$T/web" "$2")" ]; }
wrong() { printf '%s\n' "$*" >>"$dir/wrong"; }
# The processes that have to do with the row.
its_processes() {
	grep -lazE -e "$name(\.git|$)" /proc/[0-9]*/{environ,cmdline} \
		2>/dev/null | cut -d/ -f3 | sort -u | grep -vx "$$\|$BASHPID"
}
none_left() { [ -z "$(its_processes)" ]; }

check_words() {
	local word
	word=$(tr -d '\11\12\40-\176' <"$dir/said" | od -An -c | head -n 1)
	[ -z "$word" ] || wrong "control characters reach the client: $word"
	while read -r word; do
		case $word in
		'') ;;
		!*) ! grep -Eaq -e "${word#!}" "$dir/err" ||
			wrong "is said: ${word#!}" ;;
		*) grep -Eaq -e "$word" "$dir/err" ||
			wrong "is not said: $word" ;;
		esac
	done < <(tr ';' '\n' <<<"$says")
}
# The line of git's for each reference: porcelain, flag TAB names TAB what.
check_refs() {
	local spec ref line mark reason pair
	for spec in $push; do
		ref=${spec#*:}
		line=$(grep -P "^.\t[^\t]*:refs/$ref\t" "$dir/out")
		mark=${code:-ok}
		[[ " $taken " != *" $ref "* ]] || mark=ok
		case $mark/$line in
		ok/!*|ok/) wrong "no success at the line of $ref: $line" ;;
		ok/*) ;;
		*"/!"*"[remote rejected] ("?*")") ;;
		*) wrong "no refusal at the line of $ref: $line" ;;
		esac
		reason=${line##*\[remote rejected\] }
		while read -r pair; do
			case $pair in
			"*:"*|"$ref:"*)
				grep -Eaq -e "${pair#*:}" <<<"$reason" ||
					wrong "the reason of $ref is $reason" ;;
			esac
		done < <(tr ';' '\n' <<<"$why")
	done
}
check_code() {
	local lines want word
	lines=$(grep -a '^remote: git-gate: refused ' "$dir/err")
	if [ -z "$code" ]; then
		[ -z "$lines" ] || wrong "refused: $lines"
		[ "$status" -eq 0 ] || wrong "git's exit status is $status"
		return
	fi
	want=${told[$code]}
	word="refused code=$code retry=${want%% *} .*id=[0-9a-f]{16}"
	grep -Exq "remote: git-gate: $word *" <<<"$lines" ||
		wrong "the last line is: $lines"
	grep -aq "^remote: git-gate: .*${want#* }" "$dir/err" ||
		wrong "no sentence for people: ${want#* }"
	[ "$status" -eq "$([ "$at" = advert ] && echo 128 || echo 1)" ] ||
		wrong "git's exit status is $status"
}
# What did not succeed leaves the mirror as it was, or as the upstream is.
check_unmoved() {
	local now
	[ -n "$code" ] || return 0
	now=$([ -z "$mirror" ] || heads_and_tags "$mirror")
	[ "$now" = "$mirror_before" ] ||
		[ "$now" = "$(heads_and_tags "$up")" ] ||
		wrong "the mirror is neither as it was nor as the upstream"
}
check_mirror() {
	local now
	if now=$(asked "${at_gate[$gate]}/$name"); then
		[ -z "$lost" ] || wrong "it can still be asked"
		[ "$now" = "$(asked "$up")" ] ||
			wrong "the mirror: $now; the upstream: $(asked "$up")"
	elif [ -z "$lost" ]; then
		wrong "the mirror cannot be asked: $(cat "$dir/asked")"
	elif [ -n "$mirror" ]; then
		[ "$(heads_and_tags "$mirror")" = "$mirror_before" ] ||
			wrong "the mirror is not as it was"
	fi
	[ -n "$mirror" ] || return 0
	now=$(find "$mirror" -name '*.lock' -o -name 'tmp_*' \
		-o -name 'incoming-*' | head -n 3)
	[ -z "$now" ] || wrong "left in the mirror: $now"
}
# others come and go beside it
mirror() { find "$T/$gate/mirrors" -name "*.git" -prune -path "*/$name.git" \
	-print 2>/dev/null; }

run_row() {
	local name dir up status before mirror mirror_before now
	local via='' push='' does='' code='' why='' says='' refs='' at='' \
		then=: lost='' gate=state seed=seed args='' taken='' \
		from=$T/web word
	eval "set -- ${rows[$1]}" "$1"
	for word in "${@:2:$#-2}"; do local "${word?}"; done
	name=$via/r${*: -1}
	dir=$T/rows/$name up=$T/up/$name.git
	mkdir -p "$dir" "$T/up/$via"
	echo "$1" >"$dir/title"
	cp -r "$T/up/$seed.git" "$up"
	git ls-remote "${at_gate[$gate]}/$name" >/dev/null 2>&1
	{ cd "$up" && eval "$does"; } >"$dir/does" 2>&1 ||
		wrong "it does not: $(cat "$dir/does")"
	# nothing that the row starts from now on shows its name
	cd / && OLDPWD=/
	before=$(heads_and_tags "$up")
	mirror=$(mirror)
	mirror_before=$([ -z "$mirror" ] || heads_and_tags "$mirror")
	# shellcheck disable=SC2086 # words of the row
	set -- $(printf '%s ' "$push" | sed 's/:\([^ ]\)/:refs\/\1/g')
	# shellcheck disable=SC2086
	LIMIT=60 git -C "$from" push --porcelain $args \
		"${at_gate[$gate]}/$name" "$@" \
		>"$dir/out" 2>"$dir/err" </dev/null
	status=$?
	cat "$dir/out" "$dir/err" >"$dir/said"
	check_code
	check_words
	[ "$at" = advert ] || check_refs
	mirror=$(mirror)
	check_unmoved
	eval "$then"
	now=$(heads_and_tags "$up")
	[ "$now" = "$(expected "$before")" ] || wrong "the upstream has: $now"
	check_mirror
	wait_for 10 none_left ||
		wrong "it runs: $(its_processes | xargs ps -o pid,args -p)"
	touch "$dir/done"
}

# Each takes the next row that nobody has taken.
take_rows() {
	local i taken
	for i; do
		# one makes it, without a process
		set -C
		{ : >"$T/rows/$i"; } 2>/dev/null
		taken=$?
		set +C
		[ $taken -eq 0 ] || continue
		(
			mine=() # what the row has started
			run_row "$i"
			[ ${#mine[@]} -eq 0 ] || kill "${mine[@]}" 2>/dev/null
		)
	done
}

# LIGHT: every third.
run_rows() {
	local i step=1 dir pids=() all=()
	[ -z "${LIGHT:-}" ] || step=3
	for ((i = 0; i < ${#rows[@]}; i += step)); do all+=("$i"); done
	mkdir -p "$T/rows"
	for ((i = 0; i < jobs; i++)); do
		take_rows "${all[@]}" &
		pids+=($!)
	done
	# the shell says "Killed" of what a row has ended for its own ends
	{ wait "${pids[@]}"; } 2>/dev/null
	for i in "${all[@]}"; do
		dir=$(echo "$T"/rows/*/"r$i")
		cp "$dir/said" "$T/said" 2>/dev/null
		[ -e "$dir/done" ] && [ ! -e "$dir/wrong" ]
		result $? "$(cat "$dir/title")" ||
			diag "$dir: $(cat "$dir/wrong" 2>&1)"
	done
}

# --- the gates -----------------------------------------------------------

declare -A at_gate=()

# gate_for NAME SERVER [KEY=VALUE]...: a gate behind a web server of its own,
# with these times; its upstreams from standard input.
gate_for() {
	local name=$1 server=$2 line
	shift 2
	{
		printf '[gate]\n\tstate = %s\n\thooks = %s\n\tlibexec = %s\n' \
			"$T/$name" "$BUILD/hooks" "$BUILD"
		printf '[session]\n'
		for line; do printf '\t%s\n' "$line"; done
		cat
		printf '[access]\n\tallow = * * *\n'
	} >"$T/$name.conf"
	start "$name" "$BUILD/git-gated" -f -c "$T/$name.conf" \
		-s "$T/$name.sock"
	wait_for 20 perl "$HERE/fcgi.pl" "$T/$name.sock" /-/health ||
		die "git-gated does not answer"
	# where lighttpd looks; nginx is told
	[ "$server" != lighttpd ] || ln -s "$name.sock" "$T/gate.sock"
	GATE_AT=unix:$T/$name.sock start_web "$server"
	at_gate[$name]=$GATE
}
# start_gates: both, with the upstreams that "upstreams" names. 4 seconds are
# enough to find a machine that hangs, and too few to wait for a busy one.
start_gates() {
	upstreams >"$T/upstreams"
	gate_for hasty lighttpd "forwardTimeout = 4s" "refreshTimeout = 30s" \
		<"$T/upstreams"
	gate_for state nginx "forwardTimeout = 60s" "refreshTimeout = 30s" \
		<"$T/upstreams"
}
# end_gates: nothing is left of what the rows have done
end_gates() {
	local name mirror unsound=''
	for name in hasty state; do
		while read -r mirror; do
			git -C "$mirror" fsck --no-dangling --no-progress \
				>"$T/fsck" 2>&1 || unsound+=" $mirror"
		done < <(find "$T/$name/mirrors" -name '*.git' -prune)
		is "$name: its mirrors are sound" "$unsound" ""
		is "$name: its spool is empty" \
			"$(find "$T/$name/spool" -type f)" ""
		ok "$name: it tells its status" \
			"$BUILD/git-gate" status -c "$T/$name.conf"
		like "$name: nobody is served any more" '^0 of'
		unlike "$name: no sanitizer speaks" \
			'AddressSanitizer|runtime error|LeakSanitizer' \
			"$T/$name.log"
		stop "$name"
		is "$name: it ends cleanly" "$rc" 0
		ok "$name: and leaves no process" wait_for 10 ended "$name"
	done
}
# no process has its state in its arguments, or in its environment
ended() {
	! grep -qazF "$T/$1/" /proc/[0-9]*/{cmdline,environ} 2>/dev/null
}
