#!/bin/bash
# The upstream's side by itself: mirrors, the push onward, ssh, agent, https,
# git and file, with real servers. The rooms are called by upstream-drive.
. "$(dirname "$0")/lib.sh"

drive() { timeout -k 5 60 "$BUILD/upstream-drive" "$T/gate.conf" "$@"; }
mirror_of() { drive path "$1" | sed 's/^rc=0 //'; }

# Counts what is asked of git, and can make it slow.
cat >"$T/git" <<END
#!/bin/sh
case \$1 in -c) echo fsck ;; *) echo "\$1" ;; esac >>"$T/calls"
[ "\$1" != ls-remote ] || [ ! -e "$T/slow" ] || sleep 0.5
exec $(command -v git) "\$@"
END
chmod +x "$T/git"
calls() { sort "$T/calls" 2>/dev/null | uniq -c | xargs; }

start_sshd
for r in a df empty moving push hung slow; do upstream "$r"; done
fill a
DEAD=$(free_port)
KEYS="$T/ssh/with space 100%u \"q\""
mkdir "$KEYS"
cp "$T/ssh/id" "$T/ssh/known_hosts" "$KEYS"
ssh-keygen -q -t ed25519 -N '' -f "$T/ssh/other"
printf '[127.0.0.1]:%s %s\n' "$SSHD_PORT" \
	"$(cut -d' ' -f1,2 "$T/ssh/other.pub")" >"$T/ssh/wrong_hosts"
: >"$T/ssh/no_hosts"

# up NAME URL [KEY=VALUE]...: an upstream, and the repositories NAME/*.
up() {
	local name=$1 url=$2 line
	shift 2
	printf '[upstream "%s"]\n\turl = %s\n' "$name" "$url"
	for line; do printf '\t%s\n' "$line"; done
}
quoted() { printf '"%s"' "$(printf %s "$1" | sed 's/[\\"]/\\&/g')"; }
repo() { printf '[repo "%s"]\n\tupstream = %s\n\tfresh = %s\n' "$@"; }
SSH=ssh://$ME@127.0.0.1:$SSHD_PORT$T/up/
ID="identityFile = $T/ssh/id" KNOWN="knownHosts = $T/ssh/known_hosts"
{
	printf '[gate]\n\tstate = %s\n\tlibexec = %s\n\tgit = %s\n' \
		"$T/state" "$BUILD" "$T/git"
	printf '[session]\n\tforwardTimeout = 3s\n'
	up file "file://$T/up/"
	up ssh "$SSH" "$ID" "$KNOWN"
	up space "$SSH" "identityFile = $(quoted "$KEYS/id")" \
		"knownHosts = $(quoted "$KEYS/known_hosts")"
	up dead "ssh://$ME@127.0.0.1:$DEAD/" "$ID" "$KNOWN"
	up stranger "$SSH" "$ID" "knownHosts = $T/ssh/no_hosts"
	up changed "$SSH" "$ID" "knownHosts = $T/ssh/wrong_hosts"
	up nokey "$SSH" "identityFile = $T/ssh/other" "$KNOWN"
	up agent "$SSH" "agentSocket = $(quoted "$KEYS/agent")" "$KNOWN"
	for u in dead stranger changed nokey agent; do
		repo "a-$u" $u strict
	done
	repo bound ssh 1h
	repo moving file offline-ok
	repo space/* space strict
	repo none ssh strict
	repo a ssh strict
	repo 'f/*' file strict
	repo df file strict
	repo empty file strict
	repo push ssh strict
	repo hung ssh strict
	repo slow file strict
	printf '[repo "h/*"]\n\thosted = %s/hosted\n' "$T"
	printf '[access]\n\tallow = * * *\n'
} >"$T/gate.conf"

# --- mirrors -------------------------------------------------------------

ok "a first clone over ssh" drive refresh a
M=$(mirror_of a)
is "the mirror has the upstream's references" "$(refs "$M")" \
	"$(refs "$T/up/a.git")"
ok "the mirror is sound" git -C "$M" fsck --strict
is "a mirror served by mistake takes no push" \
	"$(git -C "$M" config http.receivepack)" false
rm -f "$T/calls"
ok "the second time" drive refresh a
# each of these is a process of its own, which looks once if a mirror is whole
is "nothing is fetched when nothing has changed" "$(calls)" "1 fsck 1 ls-remote"
commit "$T/author/a" new "one more"
git -C "$T/author/a" push -q origin main 2>/dev/null
drive refresh a >/dev/null
is "a new commit is fetched" "$(refs "$M")" "$(refs "$T/up/a.git")"
ok "a partial clone of the mirror" git clone -q --filter=blob:none \
	"file://$M" "$T/partial"

git clone -q "$T/up/a.git" "$T/w" 2>/dev/null
A=$(tip "$T/w" origin/side) B=$(tip "$T/w" origin/main)
git -C "$T/w" push -q 2>/dev/null "$T/up/df.git" "$B:refs/heads/main" \
	"$B:refs/heads/dir" "$B:refs/heads/x/y" v1
drive refresh df >/dev/null
git -C "$T/up/df.git" update-ref -d refs/heads/dir
git -C "$T/up/df.git" update-ref -d refs/heads/x/y
git -C "$T/up/df.git" update-ref refs/heads/dir/file "$A"
git -C "$T/up/df.git" update-ref refs/heads/x "$A"
git -C "$T/up/df.git" update-ref refs/pull/1/head "$A"
git -C "$T/up/df.git" tag -d v1 >/dev/null
git -C "$T/up/df.git" symbolic-ref HEAD refs/heads/dir/file
ok "directories and references change places" drive refresh df
is "references are pruned, HEAD follows, refs/pull stays out" \
	"$(refs "$(mirror_of df)")" \
	"$(refs "$T/up/df.git" | grep -v refs/pull)"
D=$(mirror_of df)
: >"$D/packed-refs.lock"
touch -d '1 hour ago' "$D/packed-refs.lock"
git -C "$T/up/df.git" update-ref -d refs/heads/x
ok "a lock that a killed fetch left is no obstacle" drive refresh df
for ref in $(git -C "$T/up/df.git" for-each-ref --format='%(refname)'); do
	git -C "$T/up/df.git" update-ref -d "$ref"
done
ok "an upstream that was emptied" drive refresh df
is "leaves an empty mirror" "$(git -C "$D" for-each-ref)" ""

git -C "$T/up/empty.git" symbolic-ref HEAD refs/heads/trunk
ok "an empty upstream" drive refresh empty
E=$(mirror_of empty)
is "its default branch is followed before it is born" \
	"$(cat "$E/HEAD")" "ref: refs/heads/trunk"
ok "and again" drive refresh empty
git -C "$T/w" push -q 2>/dev/null "$T/up/empty.git" "$B:refs/heads/trunk"
ok "its first commit" drive refresh empty
is "arrives" "$(tip "$E" HEAD)" "$B"

# --- freshness and turns ---------------------------------------------------

no "what the upstream has not" drive refresh none
like "is not found" 'fault=upstream-not-found'
is "and leaves nothing behind" "$(find "$T/state/mirrors" -name 'none*')" ""

# what may hide references is asked by git, which can be made slow here
git -C "$T/up/moving.git" config transfer.hideRefs refs/hidden
git -C "$T/w" push -q 2>/dev/null "$T/up/moving.git" "$B:refs/heads/main"
drive refresh moving >/dev/null
mv "$T/up/moving.git" "$T/up/away.git"
no "an upstream that says no is not offline" drive refresh moving
mv "$T/up/away.git" "$T/up/moving.git"
: >"$T/slow"
try drive refresh moving 100
is "offline-ok serves what there is, and its age" "$(cat "$T/out")" \
	"rc=1 fault=upstream-timeout age=some"
rm -f "$T/slow"

cp -r "$T/up/a.git" "$T/up/bound.git"
drive refresh bound >/dev/null
rm -f "$T/calls"
try drive refresh bound
is "within the bound nobody is asked" "$rc/$(calls)" "0/1 fsck"
drive begin bound
drive refresh bound >/dev/null
is "but after a push" "$(calls | grep -c ls-remote)" 1

rm -f "$T/calls"
: >"$T/slow"
ok "many at once" drive many a 12
like "all are served" '^good=12$'
n=$(grep -c ls-remote "$T/calls")
[ "$n" -ge 1 ] && [ "$n" -le 3 ]
result $? "by few questions to the upstream" || diag "$n questions"
rm -f "$T/slow"
ok "pushes and refreshes" drive exclude a 300
like "a refresh waits for no push, scanned or forwarded" \
	'^push=0 push=0 none=-1 forward=1 scanned: rc=0 fault=none age=0$'
like "but for one of megabytes of references" \
	'^forward=1 while: rc=-1 fault=overloaded age=0$'
like "its wait is bounded" '^waited=1$'
like "no push comes before one that waits, which then runs" \
	'^asked=0 after: good=1$'

H=$T/state/mirrors/file_local_0/x.git
mkdir -p "$H.tmp-999999999-0/objects" "$H/refs/heads" \
	"$H/objects/incoming-abc" "$H/objects/pack" "$T/keep.git.tmp-1-0"
ln -s "$T/keep.git.tmp-1-0" "$T/state/mirrors/link.git.tmp-999999999-1"
touch "$H/HEAD.lock" "$H/refs/heads/m.lock" "$H/objects/pack/tmp_pack_x" \
	"$H/HEAD" "$T/keep.git.tmp-1-0/file"
ok "cleaning at start" drive clean a
is "removes what was left half-made, and nothing else" \
	"$(cd "$T/state/mirrors/file_local_0" && find . -path '*x.git*' -type f)" \
	"./x.git/HEAD"
ok "and follows no link" test -e "$T/keep.git.tmp-1-0/file"

mkdir -p "$T/hosted/h"
git init -q --bare "$T/hosted/h/real.git"
ln -s real.git "$T/hosted/h/link.git"
mkdir "$T/hosted/h/plain.git"
ok "a hosted repository" drive path h/real
no "not behind a link" drive path h/link
no "not what is none" drive path h/plain

# --- ssh ---------------------------------------------------------------

mkdir "$T/up/space" && cp -r "$T/up/a.git" "$T/up/space/"
ok "paths with blanks, quotes and percent signs" drive refresh space/a
for u in dead:unreachable stranger:host-key changed:host-key nokey:auth \
	agent:agent; do
	no "${u%:*}: it fails" drive refresh "a-${u%:*}"
	like "${u%:*}: as upstream-${u#*:}" "fault=upstream-${u#*:} "
	[ "$u" != nokey:auth ] || like "the log names the key" \
		"upstream-auth: .*Permission denied .*\(identityFile $T/ssh/other\)" \
		"$T/err"
done
like "the agent is dialled three times" 'attempt 3 of 3' "$T/err"
cp -r "$T/up/a.git" "$T/up/a-agent.git"
start agent ssh-agent -D -a "$KEYS/agent"
wait_for 20 test -S "$KEYS/agent"
SSH_AUTH_SOCK=$KEYS/agent ssh-add -q "$T/ssh/id"
ok "a key that the agent holds" drive refresh a-agent
stop agent
# An agent that takes connections and never answers.
rm -f "$KEYS/agent"
start wedged perl -MIO::Socket::UNIX -e '
	my $s = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 9) or die;
	sleep 100' "$KEYS/agent"
wait_for 20 test -S "$KEYS/agent"
end_shared # it needs no agent
no "an agent that is wedged" drive refresh a-agent
like "is told as such" 'fault=upstream-agent '
stop wedged

helper() {
	local upstream=$1
	shift
	env -i "GIT_GATE_CONFIG=$T/gate.conf" "GIT_GATE_UPSTREAM=$upstream" "$@"
}
cmd="git-upload-pack '$T/up/a.git'"
sshp() { helper "ssh" "$BUILD/git-gate-ssh" "$@"; }
try sshp -o SendEnv=GIT_PROTOCOL -p "$SSHD_PORT" \
	"$ME@127.0.0.1" "$cmd"
like "ssh: as git asks" 'refs/heads/main$'
for to in "$SSHD_PORT $ME@localhost" "$DEAD $ME@127.0.0.1" \
	"$SSHD_PORT other@127.0.0.1" "$SSHD_PORT 127.0.0.1"; do
	no "ssh: not to $to" sshp -p $to "$cmd"
	like "is refused" "not the upstream's address"
done
no "ssh: an option" sshp -o ProxyCommand=id -p "$SSHD_PORT" \
	"$ME@127.0.0.1" "$cmd"
like "is refused before ssh" 'to be run by git'
no "ssh: another command" sshp -p "$SSHD_PORT" "$ME@127.0.0.1" "id"
like "is refused before ssh, too" 'to be run by git'

# --- the push onward -------------------------------------------------------

# The driver as the mirror's pre-receive; P is what is upstream.
mkdir "$T/hooks"
cat >"$T/hooks/pre-receive" <<END
#!/bin/sh
exec "$BUILD/upstream-drive" "$T/gate.conf" push \$REPO
END
chmod +x "$T/hooks/pre-receive"
onward() {
	local name=$1
	shift
	drive refresh "$name" >/dev/null
	REPO=$name GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0=core.hooksPath \
		GIT_CONFIG_VALUE_0=$T/hooks \
		GIT_CONFIG_KEY_1=receive.advertisePushOptions \
		GIT_CONFIG_VALUE_1=true \
		git -C "$T/w" push --receive-pack="git -c core.hooksPath=$T/hooks \
			-c receive.advertisePushOptions=true receive-pack" \
		"file://$(mirror_of "$name")" "$@"
}
P=$T/up/push.git
git -C "$T/w" fetch -q
ok "a new branch" onward push "$A:refs/heads/main"
is "lands upstream" "$(tip "$P" main)" "$A"
like "the upstream's words are relayed" 'upstream: Create a pull request'
ok "an update, with push options" onward push -o one -o "two words" \
	"$B:refs/heads/main"
is "the options arrive" "$(cat "$P/options")" $'one\ntwo words'
ok "a rewind" onward push --force "$A:refs/heads/main"
is "the lease allows it" "$(tip "$P" main)" "$A"
ok "several at once, a tag and a deletion" onward push \
	"$B:refs/heads/b1" "$B:refs/heads/b2" v1
ok "a deletion" onward push :refs/heads/b2
is "all arrived" "$(git -C "$P" for-each-ref --format='%(refname)' | xargs)" \
	"refs/heads/b1 refs/heads/main refs/tags/v1"
no "what the upstream refuses" onward push "$B:refs/heads/blocked" \
	"$B:refs/heads/b3"
like "is told with its words" 'upstream: closed by its owners'
like "and by reference" 'upstream refused refs/heads/blocked: pre-receive hook'
like "and by kind" 'fault=upstream-rejected'
no "nothing of it is upstream" tip "$P" b3
no "nor in the mirror" tip "$(mirror_of push)" b3
# The upstream moves after the advertisement: no fetch in between.
push_late() {
	git -C "$P" update-ref refs/heads/main "$B"
	(
		drive() { :; }
		mirror_of() { echo "$M"; }
		M=$1
		onward push --force "$2:refs/heads/main"
	)
}
C=$(git -C "$T/w" commit-tree -m other -p "$A" "$A^{tree}")
drive refresh push >/dev/null
no "a reference that moved meanwhile" push_late "$(mirror_of push)" "$C"
like "is stale" 'fault=upstream-stale'
is "and is not overwritten" "$(tip "$P" main)" "$B"
git -C "$P" config receive.advertiseAtomic false
ok "an upstream without atomic pushes, one reference" onward push \
	"$C:refs/heads/b4"
is "takes it" "$(tip "$P" b4)" "$C"
no "two references" onward push "$C:refs/heads/b5" "$C:refs/heads/b6"
is "are not taken apart" "$(git -C "$P" branch --list b5 b6)" ""
ok "the first push to an empty upstream, over file" onward slow \
	"$B:refs/heads/main"
is "lands" "$(tip "$T/up/slow.git" main)" "$B"
drive refresh slow >/dev/null
is "and the mirror shows it" "$(refs "$(mirror_of slow)")" \
	"$(refs "$T/up/slow.git")"
printf '#!/bin/sh\nsleep 60\n' >"$T/up/hung.git/hooks/pre-receive"
began=$SECONDS
no "an upstream that hangs" onward hung "$B:refs/heads/main"
like "is left at the bound" 'fault=upstream-timeout'
[ $((SECONDS - began)) -lt 20 ]
result $? "soon"

# --- https -------------------------------------------------------------

WEB=$(free_port)
mkdir "$T/web"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$T/web/key.pem" -out "$T/web/cert.pem" -days 2 \
	-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null
cat "$T/web/key.pem" "$T/web/cert.pem" >"$T/web/both.pem"
TOKEN=$(head -c 18 /dev/urandom | od -An -tx1 | tr -d ' \n')
printf 'robot:%s\n' "$TOKEN" >"$T/web/users"
(umask 077
 printf '%s\n' "$TOKEN" >"$T/web/token"
 printf 'wrong\n' >"$T/web/bad-token"
 printf '#!/bin/sh\necho %s\n' "$TOKEN" >"$T/web/token-command"
 chmod +x "$T/web/token-command")
cat >"$T/web/conf" <<END
server.modules = ( "mod_openssl", "mod_auth", "mod_authn_file",
	"mod_setenv", "mod_alias", "mod_cgi", "mod_accesslog" )
server.bind = "127.0.0.1"
server.port = $WEB
server.document-root = "$T/web"
server.upload-dirs = ( "$T/web" )
ssl.engine = "enable"
ssl.pemfile = "$T/web/both.pem"
auth.backend = "plain"
auth.backend.plain.userfile = "$T/web/users"
auth.require = ( "/git/" => ( "method" => "basic", "realm" => "git",
	"require" => "valid-user" ) )
alias.url = ( "/git" => "$(git --exec-path)/git-http-backend" )
cgi.assign = ( "git-http-backend" => "" )
setenv.add-environment = ( "GIT_PROJECT_ROOT" => "$T/up",
	"GIT_HTTP_EXPORT_ALL" => "1", "HOME" => "$T/home" )
END
start web lighttpd -D -f "$T/web/conf"
wait_for 10 listens "$WEB" || die "lighttpd does not start"
U=https://127.0.0.1:$WEB/git/ CA="caFile = $T/web/cert.pem"
{
	printf '[gate]\n\tstate = %s\n\tlibexec = %s\n' "$T/state2" "$BUILD"
	up web "$U" "username = robot" "tokenFile = $T/web/token" "$CA"
	up command "$U" "username = robot" \
		"tokenCommand = $T/web/token-command" "$CA"
	up wrong "$U" "username = robot" "tokenFile = $T/web/bad-token" "$CA"
	up noca "$U" "username = robot" "tokenFile = $T/web/token"
	repo push web strict
	repo a command strict
	repo df wrong strict
	repo empty noca strict
	repo none web strict
	printf '[access]\n\tallow = * * *\n'
} >"$T/gate.conf"
ok "https, a token from a file" drive refresh push
is "the mirror has the upstream's references" \
	"$(refs "$(mirror_of push)")" "$(refs "$P")"
ok "https, a token from a command" drive refresh a
no "https, a wrong token" drive refresh df
like "is told as such" 'fault=upstream-auth '
like "the log names its file" "\(tokenFile $T/web/bad-token\)" "$T/err"
no "https, an unknown authority" drive refresh empty
like "is a matter of the host's key" 'fault=upstream-host-key '
no "https, missing" drive refresh none
like "is not found" 'fault=upstream-not-found '
git -C "$P" config http.receivepack true
git -C "$P" config receive.advertiseAtomic true
ok "https, a push" onward push "$C:refs/heads/by-https"
is "lands" "$(tip "$P" by-https)" "$C"
no "the token is in no file but its own" grep -rlF "$TOKEN" "$T" \
	--exclude-dir=web
ask() { helper web "$BUILD/git-gate-askpass" "$@"; }
try ask "Password for 'https://robot@127.0.0.1:$WEB': "
is "askpass: the token for its upstream" "$(cat "$T/out")" "$TOKEN"
try ask "Username for 'https://127.0.0.1:$WEB': "
is "askpass: the name for its upstream" "$(cat "$T/out")" robot
no "askpass: another host" ask "Password for 'https://robot@127.0.0.2:$WEB': "
no "askpass: another port" ask "Password for 'https://robot@127.0.0.1': "
no "askpass: another scheme" ask "Password for 'http://robot@127.0.0.1:$WEB': "
no "askpass: a host in a user's place" \
	ask "Password for 'https://127.0.0.1:$WEB@evil.example': "
no "askpass: a question" ask "Are you sure (yes/no)? "
is "askpass: says nothing to it" "$(cat "$T/out")" ""
# A sanitizer's look for leaks does not work under strace.
mkdir "$T/libexec"
for p in git-gate-ssh git-gate-askpass git-gate-nothing; do
	cat >"$T/libexec/$p" <<-END
		#!/bin/sh
		ASAN_OPTIONS=detect_leaks=0 exec "$BUILD/$p" "\$@"
	END
	chmod +x "$T/libexec/$p"
done

# --- git, and what is read -------------------------------------------------

DAEMON=$(free_port)
start daemon git daemon --listen=127.0.0.1 --port="$DAEMON" --export-all \
	--base-path="$T/up" --reuseaddr
wait_for 10 listens "$DAEMON" || die "git daemon does not start"
{
	printf '[gate]\n\tstate = %s\n\tlibexec = %s\n' "$T/state3" "$T/libexec"
	up git "git://127.0.0.1:$DAEMON/"
	# strace waits for the shared connection's process too
	up ssh "$SSH" "$ID" "$KNOWN" "controlPersist = 1s"
	up web "$U" "username = robot" "tokenFile = $T/web/token" "$CA"
	repo a git strict
	repo none git strict
	repo push ssh strict
	repo bound web strict
	printf '[access]\n\tallow = * * *\n'
} >"$T/gate.conf"
ok "git://" drive refresh a
no "git://, missing" drive refresh none
like "is not found" 'fault=upstream-not-found '

# As if the account had all of these; its home is passwd's, not \$HOME.
account=$(getent passwd "$ME" | cut -d: -f6)
for r in a push bound; do
	ok "traced: $r" strace -f -o "$T/trace.$r" \
		-e trace=open,openat,openat2,stat,lstat,access,newfstatat,execve \
		env HOME="$account" ASAN_OPTIONS=detect_leaks=0 \
		"$BUILD/upstream-drive" "$T/gate.conf" refresh $r
done
# The sanitizers and the test's own directories may be named, nothing else.
is "no process reads a home, or the system's git and ssh configuration" \
	"$(cat "$T"/trace.* | sed 's/^[0-9]* *//' | grep -E \
	"\"($account|$T/home)/[^\"]|/etc/gitconfig|/etc/ssh|/etc/gitattributes|\.netrc|\.curlrc" |
	grep -v -e '"/nonexistent/' -e "\"$T/\(up\|state\|ssh\|web\)" \
		-e "\"$BUILD" -e "\"$SOURCE" | sort -u | head -20)" ""
done_testing
