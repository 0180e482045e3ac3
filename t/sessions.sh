# shellcheck shell=bash
# What tests and benchmarks of interrupted and crowded sessions share: three
# repositories behind both web servers, what the responder holds, and clients
# that are frozen or killed with all their processes. Sourced after t/lib.sh.

declare -A URL=() TIP=()
REPOS=(acme/one acme/two lab/own)
BOUND=3
GIT=$(type -P git)

# session_conf [EXTRA]: readTimeout and writeTimeout are BOUND; EXTRA is more
# text of the configuration, which may begin with keys of [session].
session_conf() {
	conf <<-END
		[session]
			readTimeout = ${BOUND}s
			writeTimeout = ${BOUND}s
			${1:-}
		[repo "acme/*"]
			upstream = file
		[repo "lab/*"]
			hosted = $T/hosted
		[access]
			allow = fetch * *
			allow = create,update * * refs/heads/agent/*
	END
}

# Two repositories with an upstream, one hosted, and a clone of each below
# $T/work; acme/one has 400 KB.
make_repos() {
	local name
	for name in acme/one acme/two; do
		upstream "$name"
		# a collection in the background is no part of a session
		git -C "$T/up/$name.git" config receive.autogc false
		fill "$name"
	done
	head -c 400k /dev/urandom >"$T/author/acme/one/random"
	commit "$T/author/acme/one" README large
	git -C "$T/author/acme/one" push -q origin main 2>/dev/null
	mkdir -p "$T/hosted/lab" "$T/work"
	git clone -q --bare "$T/up/acme/two.git" "$T/hosted/lab/own.git"
	git -C "$T/hosted/lab/own.git" remote remove origin
	for name in "${REPOS[@]}"; do
		TIP[$name]=$(tip "$(origin "$name")" main)
		git clone -q "$(origin "$name")" "$T/work/$name"
	done
}
# origin REPO: the directory of what is behind the gate
origin() {
	case $1 in
	lab/*) echo "$T/hosted/$1.git" ;;
	*) echo "$T/up/$1.git" ;;
	esac
}
start_webs() {
	local server
	for server in nginx lighttpd; do
		start_web $server
		URL[$server]=$GATE
	done
}

# --- what the responder holds ----------------------------------------------

status() { "$BUILD/git-gate" status -c "$T/gate.conf"; }
no_session() { status >"$T/sessions" && grep -q '^0 of' "$T/sessions"; }
session_count() { status | sed -n '1s/ .*//p'; }
# These are asked again and again while something is waited for: no process.
children() {
	local file some all=''
	for file in /proc/"${PID[gate]}"/task/*/children; do
		read -r some 2>/dev/null <"$file" || :
		all+=${some:+ $some}
	done
	echo "${all# }"
} 2>/dev/null
# count FILE...: how many there are; of a pattern that nothing matches, none
count() { [ -e "$1" ] || [ -L "$1" ] || shift; echo $#; }
descriptors() { count /proc/"${PID[gate]}"/fd/*; }
threads() { count /proc/"${PID[gate]}"/task/*; }
resident() { awk '/^VmRSS/ { print $2 }' /proc/"${PID[gate]}"/status; }
sanitized() { ldd "$BUILD/git-gated" | grep -q libasan; }

# measure: what it has now is what at_rest compares with
measure() { FDS=$(descriptors) TASKS=$(threads) RSS=$(resident); }
at_rest() {
	[ -z "$(children)" ] && [ "$(descriptors)" -le "$FDS" ] &&
		[ "$(threads)" -le "$TASKS" ] && no_session
}
held() {
	echo "$(descriptors) descriptors (at first $FDS)," \
		"$(threads) threads ($TASKS), children: $(children)," \
		"$(resident) KiB ($RSS), $(status | head -n 1)"
}
# Whatever sessions may leave on disk, and bodies that are still open.
leftovers() {
	find "$T/state" "$T/hosted" "$T/up" \( -name 'tmp_objdir-*' -o \
		-name '*incoming-*' -o -name '*.lock' -o -name 'tmp_*' -o \
		-path "$T/state/spool/*" -o -path "$T/state/passed/*" \)
	[ -z "${PID[gate]:-}" ] ||
		find /proc/"${PID[gate]}"/fd -lname "$T/state/spool/*" \
			-printf '%l\n'
}
# each repository of the gate and behind it: what fsck has to say
fsck_all() {
	local dir rc=0
	for dir in $(find "$T/state/mirrors" "$T/hosted" "$T/up" \
		-name '*.git' -prune); do
		git -C "$dir" fsck --no-dangling --no-progress 2>&1 ||
			{ echo "fsck failed: $dir"; rc=1; }
	done
	return $rc
}
# agree SERVER: the gate shows what is behind it
agree() {
	local name
	for name in "${REPOS[@]}"; do
		[ "$(refs "${URL[$1]}/$name")" = "$(refs "$(origin "$name")")" ] ||
			{ echo "$name through $1"; return 1; }
	done
}

# --- time ----------------------------------------------------------------------

now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
# took COMMAND...: its time in MS, its status
took() {
	local from
	from=$(now_ms)
	try "$@"
	MS=$(($(now_ms) - from))
	return "$rc"
}
# since FROM SECONDS COMMAND...: until it succeeds, at most so long after FROM;
# MS is how long it was
since() {
	local from=$1 end=$(($1 + 1000 * $2)) status=0
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ "$(now_ms)" -lt $end ] || { status=1; break; }
		sleep 0.02
	done
	MS=$(($(now_ms) - from))
	return $status
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# --- clients ---------------------------------------------------------------------

client() { perl "$HERE/client.pl" "$@"; }

# one_push SERVER REPO REF: a new commit on main, by git; its id in ID
one_push() {
	new_commit "$2"
	git -C "$T/work/$2" push -q "${URL[$1]}/$2" "$ID:$3"
}
new_commit() {
	local dir=$T/work/$1
	ID=$(git -C "$dir" commit-tree -p "${TIP[$1]}" -m "$RANDOM $RANDOM" \
		"${TIP[$1]}^{tree}")
}
# push_as NAME SERVER REPO REF: the same in the background, in a process group
# of its own, as PID[NAME]
push_as() {
	new_commit "$3"
	start "$1" setsid "$GIT" -C "$T/work/$3" push "${URL[$2]}/$3" "$ID:$4"
}
# slay NAME: it and all its processes; freeze, thaw
slay() { kill -KILL -- "-${PID[$1]}"; stop "$1" KILL; } 2>/dev/null
freeze() { kill -STOP -- "-${PID[$1]}"; }
thaw() { kill -CONT -- "-${PID[$1]}"; }

# A git that sends its packs at 4 MB/s, as GIT_EXEC_PATH.
make_slow_git() {
	mkdir "$T/slow-git"
	ln -s "$("$GIT" --exec-path)"/* "$T/slow-git/"
	rm -f "$T/slow-git/git"
	cat >"$T/slow-git/git" <<-END
		#!/bin/sh
		case \$1 in
		pack-objects)
			"$GIT" "\$@" | exec perl -e '\$| = 1;
				while (sysread STDIN, \$b, 65536) {
					print \$b;
					select undef, undef, undef, 0.016;
				}' ;;
		*) exec "$GIT" "\$@" ;;
		esac
	END
	chmod +x "$T/slow-git/git"
}
# large_push NAME SERVER REPO REF: 12 MB, as PID[NAME], slowly; its id in ID
large_push() {
	[ -d "$T/slow-git" ] || make_slow_git
	[ -d "$T/large" ] || git clone -q "$T/work/$3" "$T/large"
	head -c 12M /dev/urandom >"$T/large/large"
	# nothing makes it smaller
	git -C "$T/large" -c core.compression=0 add -A
	git -C "$T/large" -c core.compression=0 commit -qm large
	ID=$(tip "$T/large" HEAD)
	start "$1" setsid env GIT_EXEC_PATH="$T/slow-git" "$GIT" \
		-C "$T/large" -c core.compression=0 -c http.postBuffer=65536 \
		push "${URL[$2]}/$3" "$ID:$4"
}
# sent SERVER: more than a megabyte of a body lies at the gate, or at lighttpd
sent() {
	case $1 in
	nginx) find -L /proc/"${PID[gate]}"/fd -type f -size +1M 2>/dev/null ;;
	lighttpd) find "$T/lighttpd" -name 'lighttpd-upload-*' -size +1M ;;
	esac | grep -q .
}

# hook NAME LINE...: a directory $T/NAME for HOOKS whose pre-receive says
# so in $T/NAME.began, a line each time, then does the lines
hook() {
	local dir=$T/$1 name=$1
	shift
	mkdir -p "$dir"
	{
		printf '#!/bin/sh\n[ "$1" != --check ] || exit 0\n'
		printf 'echo began >>"%s.began"\n' "$T/$name"
		printf '%s\n' "$@"
	} >"$dir/pre-receive"
	ln -sf "$BUILD/git-gate-proc-receive" "$dir/proc-receive"
	chmod +x "$dir/pre-receive"
}
# began NAME: the hook has begun; forgets it
began() { [ -e "$T/$1.began" ] && rm "$T/$1.began"; }
