#!/bin/bash
# Overload: places in all, for each client and each repository; a queue that is
# bounded and fair; an answer with a reason at once when it is full. Nobody who
# is slow, silent or greedy keeps others from being served.
. "${SOURCE:?}/t/lib.sh"

for name in one two three four; do
	git init -q --bare -b main "$T/hosted/$name.git"
done
git init -q -b main "$T/author"
bulk "$T/author" 32M
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
# there_are N: so many sessions; who has his answer may still be at its end
there_are() { state && grep -q "^$1 of" "$T/sessions"; }
idle() { there_are 0; }

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
like "it is told so" 'you have too many requests under way' "$T/a6.log"
like "in git's own terms" 'ng refs/heads/agent-a6 overloaded' "$T/a6.log"
like "and for programs" 'refused code=overloaded retry=yes id=' "$T/a6.log"
try refs_as ann three
like "an advertisement: 503" '^Status: 503 '
like "with Retry-After" '^Retry-After: [0-9]+'
like "and a sentence" 'you have too many requests under way'
push d1 dan two
ok "others still find room to wait" wait_for 10 state_is 4 5
push e1 eve three
ok "until the queue is full" wait_for 10 state_is 4 6
try refs_as fay four
like "then everybody is told" 'refused code=overloaded retry=yes'
ok "health is answered" fcgi /-/health

# who leaves the queue is gone at once
stop a5 KILL
ok "who leaves the queue makes room at once" wait_for 20 state_is 4 5

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
ok "another's wait has an end" wait_for 20 ended b1
like "it is told why" 'waited too long for its turn' "$T/b1.log"
like "the reason is in the log" \
	'no place, session.maxSessions = 1, within session.queueTimeout = 500ms' \
	"$T/gate.log"
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
# all of them take up speed: their backends wait for a turn again
for i in 1 2 3 4 5 6; do
	stop slow$i
	start slow$i curl -s --limit-rate 1k -o /dev/null --max-time 60 -H \
		'Content-Type: application/x-git-upload-pack-request' \
		--data-binary "@$T/want" "$GATE/four/git-upload-pack"
done
ok "six slow readers again" wait_for 20 reading
at_work() { sed -n 's/.* sessions, \([0-9]*\) at work.*/\1/p' "$T/sessions"; }
for i in 1 2 3 4 5 6; do
	stop slow$i
	start fast$i curl -s -o "$T/fast$i.out" --max-time 60 -H \
		'Content-Type: application/x-git-upload-pack-request' \
		--data-binary "@$T/want" "$GATE/four/git-upload-pack"
done
most=0
while alive fast1 || alive fast6; do
	state && [ "$(at_work)" -gt "$most" ] && most=$(at_work)
done
ok "never more than two at work" test "$most" -le 2
for i in 1 2 3 4 5 6; do stop fast$i 0 20; done
ok "they leave nothing" wait_for 10 idle
stop nginx

# --- all workers are taken -------------------------------------------------------------

setup 8 'readTimeout = 30s'
# half NAME WHO: a push that says a little and then no more
half() {
	local name=$1 who=$2
	shift 2
	rm -f "$T/$name.log"
	start "$name" timeout 60 perl "$HERE/fcgi.pl" "$T/gate.sock" -body \
		"$T/a1.body" -half 50 "/one/git-receive-pack" \
		REQUEST_METHOD=POST REMOTE_USER="$who" \
		CONTENT_TYPE=application/x-git-receive-pack-request "$@"
}
in_body() { state && [ "$(grep -c ' body ' "$T/sessions")" -eq "$1" ]; }
for i in 1 2 3 4; do half a$i ann; done
ok "one client has half of the workers" wait_for 10 in_body 4
try refs_as ann one
like "and gets no more" 'too many requests under way'
wait_for 10 there_are 4
for i in 1 2 3; do half b$i bob; done
ok "all workers but the last are taken" wait_for 10 in_body 7
ok "health is answered" fcgi /-/health
served() { refs_as cyd one >"$T/out" 2>&1 && grep -q '^Status: 200' "$T/out"; }
ok "the slowest makes room" wait_for 10 served
like "the log says so" 'the slowest request is ended' "$T/gate.log"
# told REGEX FILE...: in one of them, which may be written a little later
told() { cat "${@:2}" >"$T/said" && grep -Eaq -e "$1" "$T/said"; }
reason='of all requests this one came slowest|session was ended'
wait_for 10 told "$reason" "$T"/[ab][0-9].log "$T/gate.log"
like "and its end has a reason" "$reason"
for name in "${!PID[@]}"; do [ "$name" = gate ] || stop "$name"; done
ok "all end" wait_for 20 idle

# --- whoever is refused and still sends -------------------------------------------------

# drip NAME WHO PATH [PARAMETER...]: a body of which a byte comes now and then
drip() {
	local name=$1 who=$2 path=$3
	shift 3
	rm -f "$T/$name.log"
	start "$name" timeout 60 perl "$HERE/fcgi.pl" "$T/gate.sock" -body \
		"$T/a1.body" -drip 50 "$path" REQUEST_METHOD=POST \
		REMOTE_USER="$who" "$@"
}
held_by() { state && [ "$(grep -c " $1 " "$T/sessions")" -le "$2" ]; }
calm() { wait_for 10 served; }
for i in 1 2 3 4 5 6 7; do
	drip d$i dan /one/git-receive-pack CONTENT_TYPE=text/plain
done
ok "one client, refused, that goes on sending" wait_for 5 held_by dan 4
ok "keeps nobody out" wait_for 5 served
for i in 1 2 3 4 5 6 7; do stop d$i; done
for i in 1 2 3 4 5 6 7; do drip d$i dan$i /one/git-receive-pack CONTENT_TYPE=x; done
ok "seven of them make room" calm
for i in 1 2 3 4 5 6 7; do stop d$i; done
for i in 1 2 3 4 5 6 7; do drip d$i fay$i /no/such CONTENT_TYPE=x; done
ok "so do seven strangers" calm
for i in 1 2 3 4 5 6 7; do stop d$i; done
for i in 1 2 3 4 5 6 7 8; do drip d$i eve$i /-/health; done
ok "and who drips at our own pages" calm
for i in 1 2 3 4 5 6 7 8; do stop d$i; done
for i in 1 2 3 4 5 6 7; do
	drip d$i gus$i /one/info/refs QUERY_STRING=service=git-upload-pack \
		REQUEST_METHOD=GET
done
ok "and who drips behind a GET" calm
for i in 1 2 3 4 5 6 7; do stop d$i; done
ok "all end" wait_for 20 idle

# clients by address: IPv6 by its network, IPv4 by itself also where it is mapped
for i in 1 2 3 4; do half m$i '' REMOTE_ADDR=::ffff:198.51.100.7; done
wait_for 10 in_body 4
from() { fcgi /one/info/refs QUERY_STRING=service=git-upload-pack \
	REMOTE_ADDR="$1"; }
ok "a mapped address" from ::ffff:203.0.113.9
like "is a client by itself" '^Status: 200'
ok "and the same" from ::ffff:198.51.100.7
like "one client" 'too many requests under way'
for i in 1 2 3 4; do stop m$i; done
wait_for 10 idle
for i in 1 2 3 4; do half m$i '' REMOTE_ADDR=2001:db8:1:2::$i; done
wait_for 10 in_body 4
ok "another address of one IPv6 network" from 2001:db8:1:2:3::9
like "is one client" 'too many requests under way'
ok "of another network" from 2001:db8:1:3::9
like "it is not" '^Status: 200'
for i in 1 2 3 4; do stop m$i; done
ok "all end" wait_for 20 idle
threads() { find "/proc/${PID[gate]}/task" -mindepth 1 -maxdepth 1 | wc -l; }
few() { [ "$(threads)" -le 10 ]; }
ok "threads that are not needed end" wait_for 10 few
stop gate
is "the gate ends cleanly" $rc 0

# --- an upstream that hangs ---------------------------------------------------------------

# a server that takes connections and says nothing
start hang perl -MIO::Socket::INET -e '
	my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 50)
		or die; open my $f, ">", $ARGV[0] or die; print $f $s->sockport;
	close $f; my @held; push @held, $_ while $_ = $s->accept' "$T/port"
wait_for 10 test -s "$T/port"
conf <<-END
	[gate]
		workers = 12
	[session]
		maxPerRepository = 2
		queueTimeout = 10s
		refreshTimeout = 60s
	[upstream "hangs"]
		url = git://127.0.0.1:$(cat "$T/port")/
	[repo "away/*"]
		upstream = hangs
	[repo "*"]
		hosted = $T/hosted
	[access]
		allow = fetch,push * *
END
start_gate
for i in 1 2 3 4 5 6; do
	start h$i timeout 60 perl "$HERE/fcgi.pl" "$T/gate.sock" \
		/away/web/info/refs QUERY_STRING=service=git-upload-pack \
		REMOTE_USER=who$i
done
asking() { state && [ "$(grep -c ' mirror ' "$T/sessions")" -eq 2 ] &&
	[ "$(grep -c ' queue ' "$T/sessions")" -eq 4 ]; }
ok "of six who ask it for one repository two may, the others wait" \
	wait_for 10 asking
ok "other repositories are served" served
waited() { state && ! grep -q ' queue ' "$T/sessions"; }
ok "the wait has an end" wait_for 30 waited
wait_for 10 told 'waited too long for its turn' "$T"/h[1-6].log
like "with a reason" 'waited too long for its turn'
for i in 1 2 3 4 5 6; do stop h$i; done
ok "when they leave, all end" wait_for 10 idle
stop gate
is "the gate ends cleanly" $rc 0
done_testing
