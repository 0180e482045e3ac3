#!/bin/bash
# Clients that leave in the middle, in every way and at every stage: what they
# held is free again in time, nothing is left behind, nobody else is delayed.
# SEED=N repeats a storm, COUNT=N makes it another size, GITS=N says how many
# of it are real git clients, STORM_ONLY=1 leaves out all but the storm.
. "${SOURCE:?}/t/lib.sh"
. "$SOURCE/t/sessions.sh"

make_repos
seed=${SEED:-$RANDOM}
# a busy machine is no fault: only bench/sessions holds times to the bar. With
# this much more, a gate that waits for keep-alive (4 s) to be written is still seen.
SLACK=1500
[ -z "${STRICT:-}" ] || SLACK=0
count=${COUNT:-${LIGHT:+100}}
count=${count:-180}
gits=${GITS:-$((count * 4 / 100))}
first=$((count < 200 ? count / 2 : 100))
diag "SEED=$seed"

# --- a storm: requests that break off ----------------------------------------------

# storm FIRST COUNT: so many, 8 at once, and silent ones beside them
storm() {
	local repo args=()
	for repo in "${REPOS[@]}"; do
		args+=("repo=$repo,${TIP[$repo]},$T/work/$repo")
	done
	client storm seed=$((seed + $1)) first="$1" count="$2" \
		git=$(($2 * gits / count)) bound=$BOUND dir="$T" log="$T/storm" \
		server="${URL[nginx]}" server="${URL[lighttpd]}" "${args[@]}"
}
session_conf
start_gate
start_webs
for server in nginx lighttpd; do
	for repo in "${REPOS[@]}"; do
		try refs "${URL[$server]}/$repo"
		ok "$server, $repo: a push" one_push $server "$repo" \
			"refs/heads/agent/first-$server"
	done
done
ok "all is quiet" wait_for 20 no_session
measure
storm 0 $first
from=$(now_ms)
ok "after the first $first: free again in $BOUND + 3 s" since "$from" \
	$((BOUND + 3)) at_rest || diag "$(held)"
rss=$(resident)
storm $first $((count - first))
from=$(now_ms)
ok "after all: free again in $BOUND + 3 s" since "$from" $((BOUND + 3)) at_rest
figure "$count interrupted, $gits of them git: what they held is free after" \
	"$BOUND + 3 s" "$MS ms"
diag "after $MS ms: $(held)"
diag "$count interrupted in $SECONDS s; resident after $first: $rss KiB"
is "all were there" "$(grep -c '^[0-9]* http' "$T/storm")" "$count"
for how in kill reset half silent; do
	[ "$gits" -lt $((count / 2)) ] || break
	n=$(grep -c " $how " "$T/storm")
	ok "$how: $n times" test "$n" -ge $((count / 8))
done
now=$(resident)
is "every connection was taken" "$(grep -c no-connection "$T/storm")" 0
if sanitized; then
	diag "memory is not compared: a sanitizer keeps what was freed"
else
	ok "resident grew by at most 1 MiB" \
		test "$now" -le $((rss + 1024))
	figure "they: resident memory, against after the first $first" \
		"+ 1024 KiB" "+ $((now - rss)) KiB"
fi
left=$(leftovers)
n=$(grep -c . <<<"$left")
is "nothing is left" "$left" ""
[ "$n" -eq 0 ]
figure "they: files left behind" 0 "$n"
ok "every repository passes git fsck" fsck_all
figure "they: every repository passes git fsck" "exit 0" "exit $rc"
for server in nginx lighttpd; do
	ok "$server: the gate shows what is there" agree $server
	for repo in "${REPOS[@]}"; do
		ok "$server, $repo: the next push works" one_push $server \
			"$repo" "refs/heads/agent/last-$server"
		is "$server, $repo: it is there" \
			"$(tip "$(origin "$repo")" "agent/last-$server")" "$ID"
	done
done
# what a client was told is true, although it left
grep ' pushed ' "$T/storm" >"$T/told"
diag "$(wc -l <"$T/told") pushes were told that they are done"
while read -r _ _ repo ref id; do
	[ "$(tip "$(origin "$repo")" "$ref")" = "$id" ] || echo "$repo $ref"
done <"$T/told" >"$T/lies"
is "what was said to be pushed is there" "$(cat "$T/lies")" ""
stop gate
is "the gate ends cleanly" $rc 0
[ -z "${STORM_ONLY:-}" ] || done_testing

# --- a client frozen in mid-push ----------------------------------------------------

BOUND=15
session_conf
start_gate
ok "all is quiet" wait_for 10 no_session
measure
alone=() beside=()
for server in nginx lighttpd nginx lighttpd; do
	took one_push $server acme/two "refs/heads/agent/alone-$RANDOM"
	alone+=("$MS")
done
declare -A large=()
for server in nginx lighttpd; do
	large_push large-$server $server acme/one refs/heads/agent/large-$server
	large[$server]=$ID
	ok "$server: a large push is in mid-pack" wait_for 15 sent $server
	freeze large-$server
	[ $server = lighttpd ] || from=$(now_ms)
done
for server in nginx lighttpd nginx lighttpd; do
	ok "frozen: another pushes through $server" took one_push $server \
		acme/one "refs/heads/agent/beside-$RANDOM"
	beside+=("$MS")
done
a=$(printf '%s\n' "${alone[@]}" | median)
b=$(printf '%s\n' "${beside[@]}" | median)
diag "a push alone: $a ms; beside the frozen ones: $b ms"
ok "undelayed" test "$b" -le $((a * 3 / 2 + 1000 + SLACK))
figure "a push frozen in mid-pack (SIGSTOP): another push meanwhile" \
	"$((a * 3 / 2 + 1000)) ms (1.5 of $a ms alone, + 1 s)" "$b ms"
ok "frozen: all is free in $BOUND + 3 s" since "$from" $((BOUND + 3)) at_rest
figure "it: what it held is free after" "$BOUND + 3 s" "$MS ms"
diag "after $MS ms: $(held)"
is "frozen: nothing is left" "$(leftovers)" ""
for server in nginx lighttpd; do
	ok "$server: the frozen one is still there" \
		kill -0 "${PID[large-$server]}"
	thaw large-$server
	stop large-$server 0 60
	status=$rc
	ok "$server: it ends in time" test "$status" -lt 128
	there=$(tip "$(origin acme/one)" "agent/large-$server")
	if [ $server = nginx ]; then
		ok "nginx: with an error" test "$status" -ne 0
		like "nginx: that says why" 'refused code=timeout' \
			"$T/large-nginx.log"
		is "nginx: and is not there" "$there" ""
	else
		# lighttpd had kept it, and hands it on once it is complete
		is "lighttpd: with success" "$status" 0
		is "lighttpd: and is there" "$there" "${large[lighttpd]}"
	fi
done
# the same, killed while frozen
large_push large nginx acme/one refs/heads/agent/large
ok "a large push is in mid-pack" wait_for 15 sent nginx
freeze large
from=$(now_ms)
slay large
ok "killed: all is free in 2 s" since "$from" 4 at_rest
ok "killed: noticed in $MS ms" test "$MS" -lt $((2000 + SLACK))
figure "a push killed in mid-pack: what it held is free after" "2 s" "$MS ms"
stop gate
is "the gate ends cleanly" $rc 0

# --- a client gone while the gate works ------------------------------------------------

# leaves SERVER HOOK LIMIT_MS WHAT: its push is killed when the hook has begun
leaves() {
	push_as push "$1" "${5:-acme/one}" "refs/heads/agent/gone-$1-$2"
	ok "$1, $4: is reached" wait_for 15 began "$2"
	local from
	from=$(now_ms)
	slay push
	ok "$1, $4: free again" since "$from" 20 at_rest
	ok "$1, $4: noticed in $MS ms, of $3" test "$MS" -lt $(($3 + SLACK))
	figure "$1: client killed while the backend computes ($4): free after" \
		"$3 ms" "$MS ms"
	is "$1, $4: nothing is left" "$(leftovers)" ""
}
BOUND=3
hook sleeps 'exec sleep 60'
HOOKS=$T/sleeps session_conf
start_gate
ok "all is quiet" wait_for 10 no_session
measure
for repo in acme/one lab/own; do
	leaves nginx sleeps 2000 "a hook that sleeps for $repo" $repo
	leaves lighttpd sleeps 5000 "a hook that sleeps for $repo" $repo
done
stop gate
# a shell waits for its child before it minds a signal: neither ends at TERM
hook stubborn "trap '' TERM" 'sleep 60' 'sleep 60'
HOOKS=$T/stubborn session_conf
start_gate
leaves nginx stubborn 4000 "a hook that ignores SIGTERM"
stop gate

# An upstream that takes connections and says nothing.
start dead perl -MIO::Socket::INET -e '$| = 1;
	my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 9)
		or die "$!\n";
	print $s->sockport, "\n"; my @c; push @c, $s->accept while 1'
wait_for 20 test -s "$T/dead.log"
session_conf "refreshTimeout = 8s
	[upstream \"dead\"]
		url = git://127.0.0.1:$(cat "$T/dead.log")/
	[repo \"dead/*\"]
		upstream = dead"
start_gate
asking() { status | grep -q 'mirror'; }
for server in nginx lighttpd; do
	start asks curl -s --max-time 60 \
		"${URL[$server]}/dead/web/info/refs?service=git-upload-pack"
	ok "$server: an upstream that hangs is asked" wait_for 5 asking
	from=$(now_ms)
	stop asks KILL
	ok "$server, asking the upstream: free again" since "$from" 12 at_rest
	# lighttpd shows nothing before something is written
	[ $server = nginx ] && limit=2000 || limit=11000
	ok "$server, asking the upstream: noticed in $MS ms, of $limit" \
		test "$MS" -lt $((limit + SLACK))
	figure "$server: client killed while an upstream that hangs is asked" \
		"$limit ms" "$MS ms"
	is "$server, asking the upstream: nothing is left" "$(leftovers)" ""
done
stop gate

# What has begun to go upstream is finished.
for repo in acme/one acme/two; do
	printf '#!/bin/sh\n: >"%s"\nsleep 6\n' "$T/forward.began" \
		>"$(origin $repo)/hooks/pre-receive"
done
session_conf
start_gate
for server in nginx lighttpd; do
	leaves $server forward 10000 forwarding
	name=agent/gone-$server-forward
	is "$server, forwarding: it was finished" \
		"$(tip "$(origin acme/one)" $name)" "$ID"
	ok "$server, forwarding: not before the upstream was done" \
		test "$MS" -gt 2500
	is "$server, forwarding: the gate shows it" "$(git ls-remote \
		"${URL[$server]}/acme/one" refs/heads/$name | cut -f1)" "$ID"
	like "$server, forwarding: and has recorded it" \
		"audit verdict=(allowed|forwarded).*$name" "$T/gate.log"
done
ok "every repository passes git fsck" fsck_all
unlike "the log is free of sanitizer reports" \
	'Sanitizer|runtime error' "$T/gate.log"
stop gate
is "the gate ends cleanly" $rc 0
done_testing
