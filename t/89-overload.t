#!/bin/bash
# Overload: places in all, for each client and each repository; a queue that is
# bounded and fair; an answer with a reason at once when it is full. Nobody who
# is slow, silent or greedy keeps others from being served.
. "${SOURCE:?}/t/lib.sh"

for name in one two three four; do
	git init -q --bare -b main "$T/hosted/$name.git"
done
git init -q -b main "$T/author"
head -c 32M /dev/urandom >"$T/author/large"
commit "$T/author" README "first"
git -C "$T/author" push -q "$T/hosted/four.git" main
small=$T/small
git init -q -b main "$small"
commit "$small" README "first"
git -C "$small" push -q "$T/hosted/one.git" main

# A hook that waits until $T/go is there, and writes down whose turn it was.
mkdir "$T/hooks"
cat >"$T/hooks/pre-receive" <<-END
	#!/bin/sh
	[ "\$1" = --check ] && exit 0
	echo "\$GIT_GATE_WHO" >>"$T/turns"
	until [ -e "$T/go" ] || [ -e "$T/go.\$GIT_GATE_WHO" ]; do sleep 0.02; done
	exit 1
END
ln -s "$BUILD/git-gate-proc-receive" "$T/hooks/proc-receive"
chmod +x "$T/hooks/pre-receive"
HOOKS=$T/hooks

# setup KEYS...: the gate anew, with these in [session] and workers first
setup() {
	local workers=$1
	shift
	[ -z "${PID[gate]:-}" ] || stop gate
	rm -f "$T"/go* "$T/turns"
	: >"$T/turns"
	conf <<-END
		[gate]
			workers = $workers
		[session]
		$(printf '\t%s\n' "$@")
		[repo "*"]
			hosted = $T/hosted
		[access]
			allow = fetch,push * *
	END
	start_gate
}
state() { "$BUILD/git-gate" status -c "$T/gate.conf" >"$T/sessions"; }
# state_is WORKING WAITING
state_is() { state && grep -q "^[0-9]* of [0-9]* sessions, $1 at work, $2 waiting" "$T/sessions"; }
idle() { state && grep -q '^0 of' "$T/sessions"; }

# The body of a push that creates a branch, with the pack of $small.
new=$(tip "$small" main)
git -C "$small" rev-parse main | git -C "$small" pack-objects -q --revs --stdout \
	>"$T/pack"
body() {
	local line
	line=$(printf '%040d %s refs/heads/%s' 0 "$new" "$1")
	# the capabilities follow a NUL, and a newline ends the line
	printf '%04x%s\0 report-status side-band-64k\n0000' \
		$((${#line} + 4 + 1 + 28 + 1)) "$line"
	cat "$T/pack"
}
# push NAME WHO REPO: in the background; its answer in $T/NAME.log
push() {
	body "agent-$1" >"$T/$1.body"
	rm -f "$T/$1.log"
	start "$1" perl "$HERE/fcgi.pl" "$T/gate.sock" -body "$T/$1.body" \
		"/$3/git-receive-pack" REQUEST_METHOD=POST REMOTE_USER="$2" \
		CONTENT_TYPE=application/x-git-receive-pack-request
}
# ended NAME: the answer is there
ended() { gone "${PID[$1]}"; }
refs_as() { fcgi "/$2/info/refs" QUERY_STRING=service=git-upload-pack \
	REMOTE_USER="$1"; }

# --- caps and the queue ------------------------------------------------------------

setup 64 'maxSessions = 4' 'maxPerClient = 2' 'maxPerRepository = 3' \
	'maxWaiting = 6' 'queueTimeout = 60s'
for i in 1 2 3; do push a$i ann one; done
ok "one client: two at work, the third waits" wait_for 10 state_is 2 1
push b1 bob one
ok "another: at work" wait_for 10 state_is 3 1
push c1 cyd one
ok "a repository's cap: the next waits" wait_for 10 state_is 3 2
push c2 cyd two
ok "not on another repository" wait_for 10 state_is 4 2
like "status shows who waits" "ann +one +push +queue" "$T/sessions"
like "and who is at work" "bob +one +push +(backend|scan).* [0-9]+$" "$T/sessions"
push a4 ann two
ok "no place in all: another waits" wait_for 10 state_is 4 3
push a5 ann three
wait_for 10 state_is 4 4
push a6 ann three
ok "a client's half of the queue is full" wait_for 10 ended a6
like "it is told so" 'the gate is full' "$T/a6.log"
like "in git's own terms" 'ng refs/heads/agent-a6 overloaded' "$T/a6.log"
like "and for programs" 'refused code=overloaded retry=yes id=' "$T/a6.log"
try refs_as ann three
like "an advertisement: 503" '^Status: 503 '
like "with Retry-After" '^Retry-After: [0-9]+'
like "and a sentence" 'the gate is full'
push d1 dan two
ok "others still find room to wait" wait_for 10 state_is 4 5
push e1 eve three
ok "until the queue is full" wait_for 10 state_is 4 6
try refs_as fay four
like "then everybody is told" 'refused code=overloaded retry=yes'
ok "health is answered" fcgi /-/health

# who leaves the queue is gone at once
stop a5 KILL
ok "who leaves the queue makes room at once" wait_for 2 state_is 4 5

# fair: ann waits longest, but has places; dan and eve have none
wc -l <"$T/turns" >"$T/before"
touch "$T/go.bob" # his place, on repository one, is given back
ok "a place is given back" wait_for 10 ended b1
turns_are() { [ "$(wc -l <"$T/turns")" -ge "$1" ]; }
ok "and taken" wait_for 10 turns_are 5
touch "$T/go.cyd"
wait_for 10 ended c2
ok "two more" wait_for 10 turns_are 7
is "those who had the fewest came first" \
	"$(sed -n 5,7p "$T/turns" | sort | xargs)" "cyd dan eve"
touch "$T/go"
ok "all end" wait_for 20 idle
for name in "${!PID[@]}"; do [ "$name" = gate ] || stop "$name"; done
is "everybody in the queue had a turn" "$(sort "$T/turns" | xargs)" \
	"ann ann ann ann bob cyd cyd dan eve"

# --- waiting too long -----------------------------------------------------------------

setup 64 'maxSessions = 1' 'queueTimeout = 500ms'
push a1 ann one
ok "one is at work" wait_for 10 state_is 1 0
push b1 bob two
ok "another's wait has an end" wait_for 5 ended b1
like "it is told why" 'waited too long for its turn' "$T/b1.log"
like "the reason is in the log" 'no place within session.queueTimeout' "$T/gate.log"
touch "$T/go"
ok "all end" wait_for 20 idle

# --- readers that are slow need no place ----------------------------------------------

setup 64 'maxSessions = 2' 'queueTimeout = 20s' 'writeTimeout = 60s'
start_web nginx
printf '0032want %s\n00000009done\n' "$(git -C "$T/author" rev-parse main)" \
	>"$T/want"
for i in 1 2 3 4 5 6; do
	start slow$i curl -s --limit-rate 1k -o /dev/null --max-time 60 -H \
		'Content-Type: application/x-git-upload-pack-request' \
		--data-binary "@$T/want" "$GATE/four/git-upload-pack"
done
reading() { state && [ "$(grep -c ' four .* backend ' "$T/sessions")" -eq 6 ]; }
ok "six slow readers where two may be at work" wait_for 20 reading
for i in 1 2 3; do ok "others are served" git ls-remote "$GATE/one"; done
for i in 1 2 3 4 5 6; do stop slow$i; done
ok "they leave nothing" wait_for 10 idle
stop nginx

# --- all workers are taken -------------------------------------------------------------

setup 8 'readTimeout = 30s'
# half NAME WHO: a push that says a little and then no more
half() {
	rm -f "$T/$1.log"
	start "$1" timeout 60 perl "$HERE/fcgi.pl" "$T/gate.sock" -body \
		"$T/a1.body" -half 50 "/one/git-receive-pack" \
		REQUEST_METHOD=POST REMOTE_USER="$2" \
		CONTENT_TYPE=application/x-git-receive-pack-request
}
in_body() { state && [ "$(grep -c ' body ' "$T/sessions")" -eq "$1" ]; }
for i in 1 2 3 4; do half a$i ann; done
ok "one client has half of the workers" wait_for 10 in_body 4
try refs_as ann one
like "and gets no more" 'too many requests under way'
for i in 1 2 3; do half b$i bob; done
ok "all workers but the last are taken" wait_for 10 in_body 7
ok "health is answered" fcgi /-/health
served() { refs_as cyd one >"$T/out" 2>&1 && grep -q '^Status: 200' "$T/out"; }
ok "the slowest makes room" wait_for 10 served
like "the log says so" 'the slowest request is ended' "$T/gate.log"
like "and its end has a reason" 'of all requests this one came slowest|session was ended' \
	<(cat "$T"/[ab][0-9].log "$T/gate.log")
for name in "${!PID[@]}"; do [ "$name" = gate ] || stop "$name"; done
ok "all end" wait_for 20 idle
threads() { find "/proc/${PID[gate]}/task" -mindepth 1 -maxdepth 1 | wc -l; }
few() { [ "$(threads)" -le 10 ]; }
ok "threads that are not needed end" wait_for 10 few
stop gate
is "the gate ends cleanly" $rc 0
done_testing
