#!/bin/bash
# Many clients at once: who reads slowly or says nothing keeps nobody from
# being served; at SIGTERM what is in progress is finished or told why not;
# after SIGKILL the next start serves, with nothing left over. STRICT=1 also
# holds the times of clones to the bar.
. "${SOURCE:?}/t/lib.sh"
. "$SOURCE/t/sessions.sh"

make_repos
# more than a client's and a server's sockets hold
bulk "$T/author/acme/one" 24M
commit "$T/author/acme/one" README larger
git -C "$T/author/acme/one" push -q origin main 2>/dev/null
TIP[acme/one]=$(tip "$(origin acme/one)" main)
git -C "$T/work/acme/one" pull -q

# --- slow and idle clients ------------------------------------------------------

# clones SERVER N: a clone of a small repository, N times; median in MEDIAN
clones() {
	local i times=()
	for ((i = 0; i < $2; i++)); do
		rm -rf "$T/clone"
		LIMIT=30 took git clone -q "${URL[$1]}/acme/two" "$T/clone" ||
			return 1
		times+=("$MS")
	done
	MEDIAN=$(printf '%s\n' "${times[@]}" | median)
}
# hold NAME ...: client.pl in the background, once it is ready
hold() {
	local name=$1
	shift
	start "$name" perl "$HERE/client.pl" "$@"
	wait_for 30 grep -q ready "$T/$name.log"
}
fetching() { [ "$(status | grep -c ' acme/one  *fetch ')" -ge "$1" ]; }
# their packs are made as far as anybody takes them
reading() { fetching "$1" && status | grep -q '^.* 0 at work, 0 waiting'; }
BOUND=30
session_conf
start_gate
start_webs
measure
for server in nginx lighttpd; do
	url=${URL[$server]}
	ok "$server: a clone alone" clones $server 5
	alone=$MEDIAN
	ok "$server: 100 who say nothing" hold idle-$server idle "$url" 100
	ok "$server: 100 who stop in their body" \
		hold stalled-$server stalled "$url/acme/one" 100
	ok "$server: 50 who read at 1 KB/s" \
		hold slow-$server slow "$url/acme/one" "${TIP[acme/one]}" 50
	ok "$server: they are under way" wait_for 60 reading 50
	ok "$server: a clone beside them is served" clones $server 5
	ok "$server: they are still under way" fetching 50
	diag "$server: a clone alone: $alone ms; beside them: $MEDIAN ms"
	if [ -n "${STRICT:-}" ]; then
		ok "$server: in at most 1.5 times what it takes alone" \
			test $((MEDIAN * 2)) -le $((alone * 3))
		figure "$server: 50 clones at 1 KB/s, 200 idle: a small clone" \
			"$((alone * 3 / 2)) ms (1.5 of $alone ms alone)" \
			"$MEDIAN ms"
	fi
	for name in idle stalled slow; do
		stop $name-$server KILL
		rm "$T/$name-$server.log"
	done
	from=$(now_ms)
	ok "$server: when they leave, all is free" since "$from" 15 at_rest ||
		diag "$(held)"
done
stop gate
is "the gate ends cleanly" $rc 0

# one client, known by its address, takes all it can get
hook waits "case \$GIT_GATE_REPO in lab/*) exec sleep 60 ;; esac" \
	"exec '$BUILD/git-gate-hook'"
HOOKS=$T/waits BOUND=30 session_conf "maxPerClient = 4
		maxPerRepository = 4"
start_gate
measure
pushing() { [ "$(status | grep -c ' lab/own  *push ')" -ge "$1" ]; }
for i in 1 2 3 4 5 6; do
	FROM=127.0.0.2 start greedy-$i perl "$HERE/client.pl" push \
		"${URL[nginx]}/lab/own" refs/heads/agent/greedy-$i \
		"${TIP[lab/own]}"
done
ok "six pushes of one client, of which four may run" wait_for 20 pushing 6
FROM=127.0.0.2 hold stalled stalled "${URL[nginx]}/lab/own" 300
FROM=127.0.0.2 hold slow slow "${URL[nginx]}/acme/one" "${TIP[acme/one]}" 20
ok "another client is served beside all that" clones nginx 3
ok "and its push is" one_push nginx acme/two refs/heads/agent/beside
ok "while they are still there" pushing 6
for name in stalled slow greedy-{1..6}; do stop $name KILL; done
from=$(now_ms)
ok "when they leave, all is free" since "$from" 15 at_rest || diag "$(held)"
is "and nothing is left" "$(leftovers)" ""
stop gate
is "the gate ends cleanly" $rc 0

# --- SIGTERM under load ------------------------------------------------------------

# load: pushes that are in their hook, and clones at 1 KB/s, through both
load() {
	local server repo
	names=()
	rm -f "$T"/lasts.{began,go} "$T"/push-*.log "$T"/clone-*.log
	for server in nginx lighttpd; do
		for repo in lab/own acme/two; do
			push_as push-$server-${repo#*/} $server $repo \
				refs/heads/agent/load-$server-$RANDOM
			names+=("push-$server-${repo#*/}")
		done
		start clone-$server perl "$HERE/client.pl" slow \
			"${URL[$server]}/acme/one" "${TIP[acme/one]}" 1
	done
	wait_for 20 loaded
}
loaded() {
	[ "$(status | grep -c -e ' push ' -e ' fetch ')" -eq 6 ] &&
		[ "$(grep -c . "$T/lasts.began")" -eq 4 ]
}
# they last until the gate is being stopped
hook lasts "until [ -e '$T/lasts.go' ]; do sleep 0.1; done" \
	"exec '$BUILD/git-gate-hook'"
HOOKS=$T/lasts BOUND=60 session_conf "stopTimeout = 15s"
start_gate
ok "clones and pushes are in progress" load
# term LIMIT: ends the gate; the clones then read what was sent to them
term() {
	local from gate=${PID[gate]}
	from=$(now_ms)
	kill -TERM "$gate"
	touch "$T/lasts.go"
	[ $# -lt 2 ] || kill -USR1 "${PID[clone-nginx]}" "${PID[clone-lighttpd]}"
	ok "SIGTERM: the gate ends in time" since "$from" "$1" gone "$gate"
	figure "SIGTERM with ${#names[@]} pushes and 2 clones in progress: ended" \
		"stopTimeout $(($1 - 5)) s + 5 s" "$MS ms"
	kill -USR1 "${PID[clone-nginx]}" "${PID[clone-lighttpd]}" 2>/dev/null
	stop gate
	is "SIGTERM: exit status" $rc 0
}
term 20 read
for name in "${names[@]}"; do
	stop "$name" 0 20
	is "SIGTERM: $name is finished" $rc 0
done
for server in nginx lighttpd; do
	wait_for 20 grep -q over "$T/clone-$server.log"
	like "SIGTERM: the clone through $server is finished" '1 whole' \
		"$T/clone-$server.log"
	stop clone-$server
done

# what does not end in stopTimeout is ended, and not as if it were whole
hook lasts 'exec sleep 60'
HOOKS=$T/lasts BOUND=60 session_conf "stopTimeout = 3s"
start_gate
ok "some that last are in progress" load
# so long that git has begun to answer pushes: receive.keepAlive
answered() { [ "$(status | awk '$4 == "push" && $8 > 0' | wc -l)" -eq 4 ]; }
ok "they have been answered in part" wait_for 20 answered
term 8
for name in "${names[@]}"; do
	stop "$name" 0 15
	ok "SIGTERM: $name is told of it" test $rc -ne 0 -a $rc -lt 128
	ok "SIGTERM: $name says so" grep -q . "$T/$name.log"
done
for server in nginx lighttpd; do
	wait_for 20 grep -q over "$T/clone-$server.log"
	like "SIGTERM: the clone through $server is seen to be cut" '1 cut' \
		"$T/clone-$server.log"
	stop clone-$server
done
is "SIGTERM: nothing is left" "$(leftovers)" ""

# --- SIGKILL under load -------------------------------------------------------------

# every process below one
below() {
	local pid
	for pid in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
		echo "$pid"
		below "$pid"
	done
}
living() {
	local pid
	for pid in "$@"; do
		[ ! -d "/proc/$pid" ] || grep -q '^State:.Z' "/proc/$pid/status" ||
			echo "$pid"
	done
}
none_living() { [ -z "$(living "$@")" ]; }
start_gate
ok "again clones and pushes are in progress" load
hold stalled stalled "${URL[nginx]}/acme/one" 10
mapfile -t pids < <(below "${PID[gate]}")
ok "they have processes" test "${#pids[@]}" -ge 5
stop gate KILL
from=$(now_ms)
HOOKS='' session_conf
start_gate
ok "SIGKILL: the next one serves" git ls-remote "${URL[nginx]}/acme/two"
MS=$(($(now_ms) - from))
# a busy machine is no fault; their hooks would go on for a minute
limit=20000
[ -z "${STRICT:-}" ] || limit=5000
ok "SIGKILL: at once" test "$MS" -lt $limit
figure "SIGKILL under load: the next start has served after" "5 s" "$MS ms"
ok "SIGKILL: no process of the last one is left" \
	wait_for 10 none_living "${pids[@]}"
n=$(living "${pids[@]}" | grep -c .)
[ "$n" -eq 0 ]
figure "SIGKILL: of ${#pids[@]} processes there are left" 0 "$n"
for name in "${names[@]}" clone-nginx clone-lighttpd stalled; do
	stop "$name" KILL
done
left=$(leftovers)
n=$(grep -c . <<<"$left")
is "SIGKILL: nothing is left" "$left" ""
[ "$n" -eq 0 ]
figure "SIGKILL: files left behind" 0 "$n"
for repo in "${REPOS[@]}"; do
	ok "SIGKILL: a push to $repo" one_push nginx "$repo" \
		refs/heads/agent/after
done
ok "every repository passes git fsck" fsck_all
unlike "the log is free of sanitizer reports" \
	'Sanitizer|runtime error' "$T/gate.log"
stop gate
is "the gate ends cleanly" $rc 0
done_testing
