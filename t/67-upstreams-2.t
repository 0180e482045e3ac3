#!/bin/bash
# The upstream's word, 2: the way to it. Keys, agents, connections of ssh, and
# https; a table as in 67-upstreams.t, see upstreams.sh.
. "${SOURCE:?}/t/lib.sh"
. "$SOURCE/t/upstreams.sh"
. "$SOURCE/t/https.sh"

start_sshd
make_seed
let_in
start_https
DEAD=$(free_port)
ssh-keygen -q -t ed25519 -N '' -f "$T/ssh/other"
other=$(tip "$T/web" other)

# keys NAME: its own files, so that its connection is its own, too
keys() {
	mkdir "$T/ssh/$1"
	cp "$T/ssh/id" "$T/ssh/known_hosts" "$T/ssh/$1"
}
# own NAME [KEY=VALUE]...: by ssh, with files of its own
own() {
	local name=$1
	shift
	[ -d "$T/ssh/$name" ] || keys "$name"
	reach "$name" "ssh://$ME@127.0.0.1:${port:-$SSHD_PORT}$T/up/" \
		"identityFile = $T/ssh/$name/id" \
		"knownHosts = $T/ssh/$name/known_hosts" "$@"
}
# server NAME: an sshd of its own, which its row stops
declare -A port_of=()
server() {
	port_of[$1]=$(free_port)
	sed "s/^ListenAddress.*/ListenAddress 127.0.0.1:${port_of[$1]}/" \
		"$T/ssh/sshd_config" >"$T/ssh/$1.conf"
	start "$1" /usr/sbin/sshd -D -e -f "$T/ssh/$1.conf"
	wait_for 20 listens "${port_of[$1]}" || die "sshd does not start"
	mkdir "$T/ssh/$1"
	cp "$T/ssh/id" "$T/ssh/$1"
	printf '[127.0.0.1]:%s %s\n' "${port_of[$1]}" \
		"$(cut -d' ' -f1,2 "$T/ssh/host.pub")" >"$T/ssh/$1/known_hosts"
}
# in its place SHELL: perl, for each connection $c
instead() {
	stop "$1"
	cd / && OLDPWD=/
	start "$1" perl -MIO::Socket::INET -MSocket -e 'alarm 100;
		my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
			LocalPort => shift, ReuseAddr => 1, Listen => 9) or die;
		my @kept;
		while (my $c = $l->accept) { '"$2"' }' "${port_of[$1]}"
	mine+=("${PID[$1]}")
	wait_for 20 listens "${port_of[$1]}"
}
reset='setsockopt($c, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0)); close $c'
# agent NAME [KEY]: one that has it, "id" if not given; none if it is empty
agent() {
	mkdir "$T/ssh/$1"
	start "$1" ssh-agent -D -a "$T/ssh/$1/agent"
	wait_for 20 test -S "$T/ssh/$1/agent" || die "ssh-agent does not start"
	[ -z "${2-id}" ] ||
		SSH_AUTH_SOCK=$T/ssh/$1/agent ssh-add -q "$T/ssh/${2-id}"
}
with_agent() {
	reach "$1" "ssh://$ME@127.0.0.1:$SSHD_PORT$T/up/" \
		"agentSocket = $T/ssh/$1/agent" \
		"knownHosts = $T/ssh/known_hosts" "controlPersist = 0"
}
# away NAME: its agent's socket, until it has been missed
away() {
	mv "$T/ssh/$1/agent" "$T/ssh/$1/away"
	(
		wait_for 20 asking "$1"
		sleep 0.1
		mv "$T/ssh/$1/away" "$T/ssh/$1/agent"
	) &
} >/dev/null 2>&1
asking() { grep -qazx "GIT_GATE_UPSTREAM=$1" /proc/[0-9]*/environ; }
# drop POINT [TIMES]: there the connection of ssh is cut, by the end of its
# process, which is the parent of the account's, and nothing more gets through
drop() {
	rogue "$1" 'run:kill -9 $SESSION $PPID' "${@:2}"
	sed -i '1i SESSION=$PPID; export SESSION' rogue
}
# redirect PATTERN: to the same place by another name
redirect() {
	local there=https://127.0.0.1:$HTTPS_PORT/moved
	https_does "$1" "case \$REQUEST_URI in /moved/*) ;; *)
		printf 'Status: 301 Moved\r\nLocation: $there%s\r\n\r\n' \
			\"\$REQUEST_URI\"
		exit ;; esac"
}

for name in lazy-closed lazy-reset lazy-silent lazy-mute \
	lazy-other reset; do server $name; done
for name in agent lazy-dead lazy-again lazy-late lazy-wedged; do
	agent $name
done
agent lazy-keyless ""
agent lazy-other-key other
upstreams() {
	local name port
	for name in lazy-key lazy-unknown lazy-changed drop1 drop2 \
		drop3 drop4; do
		own $name
	done
	own stranger
	own alone "controlPersist = 0"
	for name in "${!port_of[@]}"; do
		port=${port_of[$name]} own "$name" "controlPersist = 0"
	done
	reach nowhere "ssh://$ME@nowhere.invalid$T/up/" \
		"identityFile = $T/ssh/id" "knownHosts = $T/ssh/known_hosts"
	for name in agent lazy-dead lazy-again lazy-late lazy-wedged \
		lazy-keyless lazy-other-key; do
		with_agent $name
	done
	reach https "$HTTPS" "username = robot" "tokenFile = $T/https/token" \
		"caFile = $T/https/ca.pem"
	reach follow "$HTTPS" "username = robot" "tokenFile = $T/https/token" \
		"caFile = $T/https/ca.pem" "followRedirects = true"
	reach cert "$CERT" "clientCert = $T/https/client.pem" \
		"clientKey = $T/https/client.key" "caFile = $T/https/ca.pem"
	reach no-cert "$CERT" "caFile = $T/https/ca.pem"
	reach bad-token "$HTTPS" "username = robot" \
		"tokenFile = $T/https/bad-token" "caFile = $T/https/ca.pem"
	reach bad-ca "$HTTPS" "username = robot" \
		"tokenFile = $T/https/token" "caFile = $T/https/other.pem"
	reach bad-name "https://wrong.localhost:$HTTPS_PORT/git/" \
		"username = robot" "tokenFile = $T/https/token" \
		"caFile = $T/https/ca.pem"
	reach web-reset "https://127.0.0.1:${port_of[reset]}/git/" \
		"username = robot" "tokenFile = $T/https/token" \
		"caFile = $T/https/ca.pem"
	reach no-web "https://127.0.0.1:$DEAD/git/" "username = robot" \
		"tokenFile = $T/https/token" "caFile = $T/https/ca.pem"
}
instead reset "$reset"
(umask 077; echo nonsense >"$T/https/bad-token")
keys stranger
unknown="other.example $(cut -d' ' -f1,2 "$T/ssh/host.pub")"
echo "$unknown" >"$T/ssh/stranger/known_hosts"
start_gates

# --- ssh: keys -----------------------------------------------------------

row "ssh: its host key is not the one that is known" via=lazy-key lost=yes \
	push=next:heads/main code=upstream-host-key \
	does='cut -d" " -f1 "$T/ssh/known_hosts" | tr "\n" " " >"$T/new"
		cut -d" " -f1,2 "$T/ssh/other.pub" >>"$T/new"
		mv "$T/new" "$T/ssh/lazy-key/known_hosts"'
row "ssh: its host is not known any more" via=lazy-unknown lost=yes \
	push=next:heads/main code=upstream-host-key \
	does='echo "$unknown" >"$T/ssh/lazy-unknown/known_hosts"'
row "ssh: its host was never known" via=stranger push=next:heads/main \
	code=upstream-host-key at=advert lost=yes
row "ssh: it refuses the key" via=lazy-changed push=next:heads/main \
	code=upstream-auth lost=yes \
	does='cp "$T/ssh/other" "$T/ssh/lazy-changed/id"'

# --- ssh: agents ---------------------------------------------------------

row "agent: it has the key" via=agent push=next:heads/main \
	refs=heads/main=next
row "agent: it is dead" via=lazy-dead push=next:heads/main \
	code=upstream-agent lost=yes \
	does='stop lazy-dead; rm -f "$T/ssh/lazy-dead/agent"'
row "agent: it is away for a moment" via=lazy-again push=next:heads/main \
	refs=heads/main=next does='away lazy-again'
row "agent: it answers late" via=lazy-late push=next:heads/main \
	refs=heads/main=next does='kill -STOP "${PID[lazy-late]}"
		(sleep 1; kill -CONT "${PID[lazy-late]}") >/dev/null 2>&1 &'
row "agent: it does not answer, and ends" via=lazy-wedged lost=yes \
	push=next:heads/main code=upstream-agent \
	does='kill -STOP "${PID[lazy-wedged]}"
		(sleep 8; kill -KILL "${PID[lazy-wedged]}") >/dev/null 2>&1 &'
row "agent: it has no key" via=lazy-keyless push=next:heads/main \
	code=upstream-agent at=advert lost=yes
row "agent: it has another key" via=lazy-other-key push=next:heads/main \
	code=upstream-auth at=advert lost=yes

# --- ssh: connections ----------------------------------------------------

row "ssh: nobody listens" via=lazy-closed push=next:heads/main lost=yes \
	does='stop lazy-closed' code=upstream-unreachable
row "ssh: connections are reset" via=lazy-reset push=next:heads/main lost=yes \
	does='instead lazy-reset "$reset"' code=upstream-unreachable
row "ssh: a connection stays silent, the next ones end" via=lazy-silent \
	push=next:heads/main lost=yes code=upstream-unreachable \
	does='instead lazy-silent "push @kept, \$c if !@kept"'
row "ssh: connections stay silent for longer than we wait" via=lazy-mute \
	push=next:heads/main gate=hasty lost=yes code=upstream-unknown \
	does='instead lazy-mute "push @kept, \$c"' then='stop lazy-mute'
row "ssh: something else listens" via=lazy-other push=next:heads/main lost=yes \
	code=upstream-unreachable does='instead lazy-other \
		"print \$c qq(HTTP/1.1 400 No\r\n\r\n); close \$c"'
row "ssh: its name means nothing" via=nowhere push=next:heads/main \
	code=upstream-unreachable at=advert lost=yes
row "ssh: the connection is cut before its references" via=alone \
	push=next:heads/main does='drop start' code=upstream-unreachable
row "ssh: the connection is cut after its references" via=alone \
	push=next:heads/main does='drop advert' code=upstream-unreachable
row "ssh: the connection is cut in the pack" via=alone push=big:heads/main \
	does='drop input:100000' code=upstream-unreachable
row "ssh: the connection is cut before the answer" via=alone \
	push=next:heads/main does='drop answer' refs=heads/main=next \
	then=repeated
row "ssh: a shared connection is cut before its references, once" via=drop1 \
	push=next:heads/main does='drop start 1' refs=heads/main=next
row "ssh: a shared connection is cut after its references, once" via=drop2 \
	push=next:heads/main does='drop advert 1' refs=heads/main=next
row "ssh: a shared connection is cut in the pack, once" via=drop3 \
	push=big:heads/main does='drop input:100000 1' refs=heads/main=big
row "ssh: a shared connection is cut before the answer" via=drop4 \
	push=next:heads/main does='drop answer' refs=heads/main=next \
	then=repeated

# --- https ---------------------------------------------------------------

# its requests: METHOD PATTERN, as https_does and https_says take them
PUSH='POST\ */$name.git/git-receive-pack*'
ASKS='GET\ */$name.git/info/refs*receive-pack*'
move="git -C '\$PWD' update-ref refs/heads/main $other"
row "https: it takes an update" via=https push=next:heads/main \
	refs=heads/main=next says="upstream: Create a pull request"
row "https: it takes a branch, a tag, a rewind and a deletion at once" \
	via=https refs="heads/new=big tags/v2=v2 heads/main=back heads/side=" \
	push="big:heads/new v2:tags/v2 +back:heads/main :heads/side"
row "https: it knows a client certificate" via=cert push=next:heads/main \
	refs=heads/main=next
row "https: it wants a client certificate" via=no-cert push=next:heads/main \
	code=upstream-error at=advert lost=yes
row "https: its hook refuses one of three" via=https \
	push="next:heads/a next:heads/blocked other:heads/b" \
	does='hook update "[ \$1 != refs/heads/blocked ]"' \
	code=upstream-rejected \
	why="heads/blocked:hook declined;heads/b:another reference"
row "https: the branch moves before it is asked" via=https \
	push=next:heads/main code=upstream-stale refs=heads/main=other \
	does="https_does \"$ASKS\" \"$move\""
row "https: the branch moves after it is asked" via=https \
	push=next:heads/main code=upstream-stale refs=heads/main=other \
	does="https_does \"$PUSH\" \"$move\""
for how in "401 upstream-auth" "403 upstream-forbidden" \
	"404 upstream-not-found" "410 upstream-not-found" \
	"500 upstream-unreachable" "502 upstream-unreachable" \
	"503 upstream-unreachable" "429 upstream-unreachable" \
	"200 upstream-not-found" "301 upstream-moved"; do
	row "https: ${how% *} for the push's references" via=https \
		push=next:heads/main code="${how#* }" \
		does="https_says ${how% *} \"$ASKS\""
done
for how in "403 upstream-forbidden" "413 upstream-rejected" \
	"500 upstream-unreachable"; do
	row "https: ${how% *} for the push itself" via=https \
		push=next:heads/main code="${how#* }" \
		does="https_says ${how% *} \"$PUSH\""
done
row "https: 503, once" via=https push=next:heads/main refs=heads/main=next \
	does="https_does \"$PUSH\" \"if mkdir '\$PWD/once'; then
		printf 'Status: 503 Busy\\r\\n\\r\\n'; exit; fi\""
row "https: its answer is lost" via=https push=next:heads/main \
	refs=heads/main=next then=repeated \
	does="https_does \"$PUSH\" 'git http-backend >/dev/null; exit'"
row "https: its answer is cut" via=https push=next:heads/main \
	refs=heads/main=next then=repeated \
	does="https_does \"$PUSH\" 'git http-backend | head -c 300; exit'"
row "https: it is slow" via=https push=next:heads/main refs=heads/main=next \
	does="https_does \"$PUSH\" 'sleep 1.5'"
row "https: it hangs" via=https push=next:heads/main gate=hasty \
	does="https_does \"$ASKS\" 'sleep 6'" code=upstream-timeout
row "https: it has moved, and may not be followed" via=https \
	push=next:heads/main does="redirect \"$ASKS\"" code=upstream-moved
row "https: it has moved, and may be followed" via=follow push=next:heads/main \
	does="redirect \"$ASKS\"" refs=heads/main=next
row "https: it moves its users to another place before the mirror is asked" \
	via=https push=next:heads/main code=upstream-moved at=advert lost=yes \
	does="redirect \"GET\\ */\$name.git/info/refs*\""
row "https: it does not take the token" via=bad-token push=next:heads/main \
	code=upstream-auth at=advert lost=yes
row "https: nobody vouches for its certificate" via=bad-ca at=advert lost=yes \
	push=next:heads/main code=upstream-host-key
row "https: its certificate is another name's" via=bad-name at=advert lost=yes \
	push=next:heads/main code=upstream-host-key
row "https: nobody listens" via=no-web push=next:heads/main at=advert \
	lost=yes code=upstream-unreachable
row "https: connections are reset" via=web-reset push=next:heads/main \
	at=advert lost=yes code=upstream-unreachable
row "https: it is deleted" via=https push=next:heads/main at=advert lost=yes \
	does='rm -rf "$up"' code=not-found

run_rows
end_gates
done_testing
