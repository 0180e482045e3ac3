#!/bin/bash
# Connections to an upstream over ssh: operations share one; one that is dead,
# stuck, old or full is replaced and never waited for; an agent is needed only
# to make one; nothing of it is left when the responder stops.
. "${SOURCE:?}/t/lib.sh"

start_sshd
start stall perl "$HERE/stall.pl" "$SSHD_PORT" "$T/net"
wait_for 20 test -e "$T/net.port" || die "the proxy does not start"
NET=$(cat "$T/net.port")
sed "s/:$SSHD_PORT /:$NET /;s/]:$SSHD_PORT/]:$NET/" "$T/ssh/known_hosts" \
	>"$T/ssh/net_hosts"
for r in acme/web net/web agent/web kept/web many/{1..6}; do upstream $r; done
fill acme/web
for r in net/web agent/web kept/web many/{1..6}; do
	git -C "$T/author/acme/web" push -q "$T/up/$r.git" main 2>/dev/null
done
# If any of this were read, nothing could be reached.
mkdir -m 700 "$T/home/.ssh"
printf 'Host *\n\tProxyCommand /bin/false\n' >"$T/home/.ssh/config"
export SSH_AUTH_SOCK=$T/nowhere

# sshd_up NAME PORT KEYS...: an upstream by ssh
sshd_up() {
	printf '[upstream "%s"]\n\turl = ssh://%s@127.0.0.1:%s%s/up/\n' \
		"$1" "$ME" "$2" "$T"
	shift 2
	printf '\t%s\n' "$@"
}
# repo PATTERN UPSTREAM FRESH
repo() { printf '[repo "%s"]\n\tupstream = %s\n\tfresh = %s\n' "$@"; }
KNOWN="knownHosts = $T/ssh/known_hosts"
gate_conf() {
	conf <<-END
		$(sshd_up net "$NET" "identityFile = $T/ssh/id" \
			"knownHosts = $T/ssh/net_hosts")
		$(sshd_up agent "$SSHD_PORT" "agentSocket = $T/agent" "$KNOWN" \
			"controlPersist = ${PERSIST:-10m}")
		$(repo 'net/*' net strict; repo 'agent/*' agent strict)
		$(repo 'kept/*' agent 1h; repo '*' ssh strict)
		[access]
			allow = * * *
	END
}
gate_conf
start_gate
start_web nginx

accepted() { grep -c 'Accepted publickey' "$T/sshd.log"; }
masters() {
	grep -lsz "^GIT_GATE_SHARE=$T/state/ssh/" /proc/[0-9]*/environ |
		cut -d/ -f3
}
# holds PID: is that the process of a shared connection?
holds() { grep -qsz '^GIT_GATE_SHARE=' "/proc/$1/environ"; }
ended() { ! holds "$1"; }
ask() { git ls-remote "$GATE/$1" refs/heads/main; }
# made N NAME COMMAND...: it succeeds, and opens so many connections
made() {
	local n=$1 name=$2 before
	shift 2
	before=$(accepted)
	ok "$name" "$@"
	is "$name: connections made" $(($(accepted) - before)) "$n"
}
descriptors() { find /proc/"$1"/fd -type l | wc -l; }

# --- one connection for all -------------------------------------------------

made 1 "a first refresh makes a connection" ask acme/web
M=$(masters)
is "there is one master" "$(wc -w <<<"$M")" 1
made 0 "a second refresh uses it" ask acme/web
made 0 "so does a clone" git clone -q "$GATE/acme/web" "$T/w"
commit "$T/w" README more
made 0 "so does a push" git -C "$T/w" push -q origin HEAD:refs/heads/one
is "which arrives" "$(tip "$T/up/acme/web.git" one)" "$(tip "$T/w" HEAD)"
git -C "$T/w" checkout -q -b refused
commit "$T/w" x y
no "what the upstream refuses" git -C "$T/w" push origin HEAD:refs/heads/blocked
like "is told in its words" 'closed by its owners'
no "a repository that is not there" ask nothing/here
like "is told as such" 'code=(upstream-)?not-found'
is "the socket's directory is private" "$(stat -c %a "$T/state/ssh")" 700
count=40
[ -z "${LIGHT:-}" ] || count=10
before=$(descriptors "$M")
mine=$(descriptors "${PID[gate]}")
many() { local i; for ((i = 0; i < count; i++)); do ask acme/web || return; done; }
made 0 "$count in a row" many
is "by the same master" "$(masters)" "$M"
# what has been answered may still be at its end
at_most() { [ "$(descriptors "$1")" -le "$2" ]; }
ok "which has no more descriptors" wait_for 10 at_most "$M" "$before"
ok "nor has the responder" wait_for 10 at_most "${PID[gate]}" "$mine"

# --- dead, stopped, stuck, full ------------------------------------------------

kill -KILL "$M"
made 1 "after kill -9 of the master" ask acme/web
M=$(masters)
kill -STOP "$M"
made 1 "with the master stopped" ask acme/web
ok "that one is ended" wait_for 20 ended "$M"
like "and the log says so" 'shared connection.* does not answer' "$T/gate.log"
is "there is one master again" "$(masters | wc -l)" 1
git -C "$T/w" checkout -q -b two origin/main
kill -KILL "$(masters)"
made 1 "through a proxy" ask net/web
M=$(masters)
: >"$T/net.old"
made 1 "with the network of the shared connection gone" ask net/web
rm -f "$T/net.old"
ok "its master ends" wait_for 10 ended "$M"
made 0 "the next uses the new one" ask net/web

# Six fetches, each of which lasts, where two sessions are allowed.
printf '#!/bin/sh\nsleep 1\nexec "$@"\n' >"$T/slow"
chmod +x "$T/slow"
printf '[uploadpack]\n\tpackObjectsHook = %s\n' "$T/slow" >"$T/home/.gitconfig"
echo 'MaxSessions 2' >>"$T/ssh/sshd_config"
# the old one listens until it is the new one
listened() { grep -c '^Server listening' "$T/sshd.log"; }
again() { [ "$(listened)" -gt "$before" ] && listens "$SSHD_PORT"; }
before=$(listened)
kill -HUP "${PID[sshd]}"
wait_for 20 again
six() {
	local i pids=() rc=0
	for i in 1 2 3 4 5 6; do
		ask many/$i >"$T/six.$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do wait "$i" || rc=1; done
	cat "$T"/six.*
	return $rc
}
before=$(accepted)
ok "six at once, where a connection has two sessions" six
[ $(($(accepted) - before)) -ge 3 ]
result $? "take connections of their own" || diag "$before, $(accepted)"
rm -f "$T/home/.gitconfig"

# --- the agent -------------------------------------------------------------

start_agent() {
	start agent ssh-agent -D -a "$1"
	wait_for 20 test -S "$1"
	SSH_AUTH_SOCK=$1 ssh-add -q "$T/ssh/id"
}
no_master() { [ -z "$(masters)" ]; }
end_masters() { kill -KILL $(masters); wait_for 20 no_master; }
# since LINE-COUNT REGEX: lines of the log after that line
lines() { wc -l <"$T/gate.log"; }
since() { tail -n +"$(($1 + 1))" "$T/gate.log" | grep -Ec -e "$2"; }
dialled="warn.*$T/agent: the SSH agent does not answer: No such file"

start_agent "$T/agent"
made 1 "a key that the agent holds" ask agent/web
ask kept/web >/dev/null
stop agent
made 0 "without the agent, while there is a connection" ask agent/web
rm -f "$T/agent"
end_masters
at=$(lines)
no "without either" ask agent/web
like "the client is told" "the gate's SSH agent is not available"
like "with a code" 'code=upstream-agent retry=yes'
unlike "and not another thing" "Permission denied|$T/agent"
is "each attempt is in the log" "$(since "$at" "$dialled.*attempt [123] of 3")" 1
is "all three" "$(since "$at" 'attempt 1 of 3.*attempt 2 of 3.*attempt 3 of 3')" 1
at=$(lines)
no "a push without either" git -C "$T/w" push "$GATE/kept/web" \
	HEAD:refs/heads/two
like "is told the same" "the gate's SSH agent is not available"
like "with the same code" 'code=upstream-agent retry=yes'
ok "and logged" test "$(since "$at" "$dialled.*attempt 3 of 3")" -ge 1
is "each try of it in one line" "$(since "$at" "$dialled")" \
	"$(since "$at" 'warn.*push to upstream.*upstream-agent: /')"
is "without what follows from it" \
	"$(since "$at" 'git-gate-ssh:|Could not read from remote')" 0
start_agent "$T/agent"
made 1 "an agent that was started anew" ask agent/web
# The socket is moved: for a while nobody is at its path, or an agent without
# a key, as between ssh-agent and ssh-add.
nobody() { :; }
keyless() {
	start empty ssh-agent -D -a "$T/agent"
	wait_for 20 test -S "$T/agent"
}
# late NAME HOW REGEX COMMAND...: with the agent there 0.3 s after its begin it
# succeeds, by one connection, and the first dial, which failed, is in the log.
# On a busy machine either may be too late, hence the rounds.
late() {
	local name=$1 how=$2 regex=$3 at before pid status good=1
	shift 3
	for round in 1 2 3 4 5; do
		mv "$T/agent" "$T/agent.away"
		end_masters
		$how
		at=$(lines) before=$(accepted)
		{ trap - EXIT; sleep 0.3; mv "$T/agent.away" "$T/agent"; } &
		pid=$!
		try "$@"
		status=$rc
		wait "$pid"
		# with TERM it would remove what is at its path
		[ "$how" != keyless ] || stop empty KILL
		[ $status -eq 0 ] && [ $(($(accepted) - before)) -eq 1 ] &&
			[ "$(since "$at" "$regex.*attempt 1 of 3")" -eq 1 ] &&
			good=0 && break
	done
	result $good "$name"
}
push_two() {
	git -C "$T/w" push -q "$GATE/kept/web" "HEAD:refs/heads/two$round"
}
late "an agent that comes late, for a refresh" nobody "$dialled" ask agent/web
late "one that has its key late" keyless 'the SSH agent has no key: ' \
	ask agent/web
late "an agent that comes late, for a push" nobody "$dialled" push_two
is "the push has arrived" "$(tip "$T/up/kept/web.git" "two$round")" \
	"$(tip "$T/w" HEAD)"
made 0 "a connection that a push made outlives it" ask agent/web

# One that ends between the dial and ssh's own; another takes its place.
mv "$T/agent" "$T/agent.away"
end_masters
start short perl -MIO::Socket::UNIX -e '
	my ($path, $next) = @ARGV;
	my $s = IO::Socket::UNIX->new(Local => $path, Listen => 9) or die;
	my $c = $s->accept;
	syswrite $c, pack "NCN", 5, 12, 1;
	$s->accept;
	rename $next, $path' "$T/agent" "$T/agent.away"
wait_for 20 test -S "$T/agent"
at=$(lines)
made 1 "an agent that ends while it is needed" ask agent/web
is "is logged" "$(since "$at" 'SSH agent ended meanwhile; it is dialled again')" 1

# --- another configuration, other files --------------------------------------

made 1 "a connection with the key's file" ask acme/web
made 0 "is kept" ask acme/web
cp "$T/ssh/id" "$T/ssh/id.new"
mv "$T/ssh/id.new" "$T/ssh/id"
made 1 "the key's file replaced" ask acme/web
made 0 "once" ask acme/web
touch "$T/ssh/known_hosts"
made 1 "the known hosts changed" ask acme/web
masters >"$T/before"
PERSIST=3s gate_conf
kill -HUP "${PID[gate]}"
ok "the configuration is read anew" wait_for 20 grep -q 'read anew' "$T/gate.log"
made 1 "with another configuration" ask agent/web
new=$(masters | grep -vxFf "$T/before")
made 0 "what it does not change is kept" ask acme/web
is "there is one more" "$(wc -w <<<"$new")" 1
ok "a connection that nobody uses ends" wait_for 10 ended "$new"

no "nothing of it is an orphan's" grep -l 'PPid:[[:space:]]*1$' \
	$(masters | sed 's|.*|/proc/&/status|')
stop gate
is "the responder ends well" $rc 0
is "and leaves no master" "$(masters)" ""
is "and no socket" "$(find "$T/state/ssh" -type s -o -type f)" ""

# One that is killed leaves them to the next.
start_gate
ok "a connection" ask acme/web
M=$(masters)
stop gate KILL
ok "is left by a responder that is killed" holds "$M"
kill -STOP "$M"
start_gate
ok "and ended by the next, even stopped" wait_for 20 ended "$M"
is "with its socket" "$(find "$T/state/ssh" -type s)" ""
stop gate

# --- the socket's path ---------------------------------------------------------

long=$(printf 'x%.0s' $(seq $((70 - ${#T} - 1))))
sed "s|state = .*|state = $T/$long|" "$T/gate.conf" >"$T/long.conf"
check() { "$BUILD/git-gate" check -c "$T/long.conf"; }
no "a state directory whose sockets have too long names" check
like "is an error of the configuration" \
	"long.conf:2: state = .*: 70 bytes long; .* at most 69"
sed -i "s|^\(\s*knownHosts.*\)|\1\n\tcontrolPersist = 0|;/controlPersist = 3s/d" \
	"$T/long.conf"
mkdir -m 700 "$T/$long"
ok "but not without sharing" check
done_testing
