#!/bin/bash
# What a request may leave behind, and what it may lean on: an aborted push
# leaves no quarantine, a stranger holds no worker, an edit of the
# configuration changes nothing until it is loaded, a fetch is never served
# from an answer of long ago.
. "${SOURCE:?}/t/lib.sh"

upstream acme/web
fill acme/web
up=$T/up/acme/web.git
git init -q --bare -b main "$T/hosted/lab/own.git"
write_conf() {
	conf <<-END
		[session]
			readTimeout = 3s
			maxRequest = 100k
			backendTimeout = ${1:-10m}
		[repo "acme/*"]
			upstream = file
		[repo "lab/*"]
			hosted = $T/hosted
		[access]
			allow = fetch * *
			allow = create,update * * refs/heads/agent/*
	END
}
write_conf
start_gate
start_web nginx
state() { "$BUILD/git-gate" status -c "$T/gate.conf"; }
no_session() { state >"$T/sessions" && grep -q '^0 of' "$T/sessions"; }
children() { cat /proc/"${PID[gate]}"/task/*/children | xargs; }
# but for a moment after a push, in which git is asked for the next one
childless() { [ -z "$(children)" ]; }
mirror=$(git ls-remote -q "$GATE/acme/web" >/dev/null &&
	find "$T/state/mirrors" -name web.git)
ok "a clone" git clone -q "$GATE/acme/web" "$T/web"

# --- quarantines ----------------------------------------------------------------

quarantines() { find "$mirror/objects" "$T/hosted" -name 'tmp_objdir-*' | xargs; }
# A hook that waits stands in for a long scan.
mkdir -p "$T/slow"
printf '#!/bin/sh\n[ "$1" = --check ] && exit 0\nexec sleep 60\n' \
	>"$T/slow/pre-receive"
ln -s "$BUILD/git-gate-proc-receive" "$T/slow/proc-receive"
chmod +x "$T/slow/pre-receive"
stop gate
HOOKS=$T/slow write_conf
start_gate
head -c 3M /dev/urandom >"$T/web/large"
commit "$T/web" README "to be cut off"
for to in acme/web lab/own; do
	start "push" git -C "$T/web" push -q "$GATE/$to" HEAD:refs/heads/agent/cut
	ok "$to: a push is in quarantine" \
		wait_for 15 sh -c "find '$mirror/objects' '$T/hosted' \
			-name 'tmp_objdir-*' | grep -q ."
	ok "$to: it keeps nobody waiting" env LIMIT=10 timeout 10 \
		git ls-remote "$GATE/$to"
	kill -9 "${PID[push]}"
	stop push KILL
	# git's own children, git-remote-http among them, hold the connection
	pkill -9 -f "git-remote-http.*$GATE/$to"
	ok "$to: its end is noticed" wait_for 10 no_session
	is "$to: no quarantine is left" "$(quarantines)" ""
	ok "$to: no child is left" wait_for 10 childless
done
stop gate
write_conf

# git receive-pack is killed, and what takes its pack in has hardly begun: git
# index-pack makes the directories of its first file anew, if they are gone
# when it has looked at the repository.
mkdir "$T/exec"
git_path=$(type -P git)
ln -s "$("$git_path" --exec-path)"/* "$T/exec/"
rm -f "$T/exec/git"
cat >"$T/exec/git" <<-END
	#!/bin/sh
	case \$1 in
	receive-pack) export GIT_EXEC_PATH=$T/exec ;;
	index-pack) echo \$\$ >"$T/late"
		kill -KILL \$PPID
		sleep 1
		mkdir -p "\$GIT_OBJECT_DIRECTORY/pack" ;;
	esac
	exec "$git_path" "\$@"
END
chmod +x "$T/exec/git"
sed -i "s|^\\[gate\\]|&\n\tgit = $T/exec/git|" "$T/gate.conf"
start_gate
for i in {1..110}; do echo "$i" >"$T/web/many$i"; done
commit "$T/web" README "to be killed"
for to in acme/web lab/own; do
	no "$to: git receive-pack is killed" git -C "$T/web" push -q \
		"$GATE/$to" HEAD:refs/heads/agent/cut
	like "$to: the client is told" 'refused code=internal'
	ok "$to: what it had begun ends" wait_for 10 gone "$(cat "$T/late")"
	is "$to: no quarantine is left" "$(quarantines)" ""
done
stop gate
write_conf
start_gate

# --- strangers ------------------------------------------------------------------

# Thirty-two who may do nothing here, and send a byte now and then, which no
# read time-out ends.
start strangers perl -MIO::Socket::INET -e '
	$SIG{PIPE} = "IGNORE";
	my @s = map { IO::Socket::INET->new($ARGV[0]) or die $! } 1 .. 32;
	my $type = "application/x-git-receive-pack-request";
	syswrite $_, "POST /no/such/git-receive-pack HTTP/1.1\r\nHost: x\r\n" .
		"Content-Type: $type\r\nContent-Length: 1000000\r\n\r\n0" for @s;
	for (1 .. 80) {
		select undef, undef, undef, 0.5;
		syswrite $_, "0" for @s;
	}' "${GATE#http://}"
busy() { state >"$T/sessions" && grep -q '^32 of' "$T/sessions"; }
ok "strangers take every place" wait_for 10 busy
ok "but do not keep others out" env LIMIT=12 timeout 12 \
	git ls-remote "$GATE/acme/web"
stop strangers

# --- bounds of a fetch's request ---------------------------------------------------

head -c 200000 /dev/zero >"$T/zeros"
post() {
	local service=$1 body=$2
	shift 2
	curl -s --max-time 20 -H "Content-Type: application/x-$service-request" \
		--data-binary "@$body" "$@" "$GATE/acme/web/$service"
}
ok "a fetch's request over maxRequest is answered" post git-upload-pack "$T/zeros"
like "and refused" 'refused code=too-large'
ok "a push of that size is not" post git-receive-pack "$T/zeros"
unlike "too large" 'code=too-large'

printf 'this is not gzip' >"$T/text"
for service in git-upload-pack git-receive-pack; do
	gzipped() { post "$service" "$T/text" -H 'Content-Encoding: gzip'; }
	ok "$service: no gzip, though it says so" gzipped
	like "$service: is refused, not answered by nothing" 'refused code='
done
printf 0000 >"$T/flush"
ok "git's probe, a lone flush, is" post git-receive-pack "$T/flush"
is "answered by nothing" "$(cat "$T/out")" ""

# --- freshness of an RPC ------------------------------------------------------------

printf '0014command=ls-refs\n00010000' >"$T/ls-refs"
ls_refs() {
	curl -s --max-time 20 -H 'Git-Protocol: version=2' -H \
		'Content-Type: application/x-git-upload-pack-request' \
		--data-binary "@$T/ls-refs" "$GATE/acme/web/git-upload-pack"
}
ok "ls-refs after an advertisement" ls_refs
like "is served" 'refs/heads/main'
mv "$up" "$T/away.git"
ok "ls-refs soon after" ls_refs
like "is served from the mirror" 'refs/heads/main'
touch -d '-2 minutes' "$mirror/git-gate-asked"
ok "ls-refs long after" ls_refs
unlike "asks the upstream, which has none" 'refs/heads/main'
like "and says so" 'no such repository'
mv "$T/away.git" "$up"
ok "it is back" git ls-remote "$GATE/acme/web"

# --- the configuration in force -------------------------------------------------------

git -C "$T/web" reset -q --hard origin/main
commit "$T/web" README "under the loaded configuration"
cp "$T/gate.conf" "$T/good.conf"
echo '[nonsense' >>"$T/gate.conf"
ok "a broken edit changes nothing for a push" \
	git -C "$T/web" push "$GATE/acme/web" HEAD:refs/heads/agent/e1
is "it is upstream" "$(tip "$up" agent/e1)" "$(tip "$T/web" HEAD)"
sed "/acme/{n;s|upstream = file|hosted = $T/hosted|}" "$T/good.conf" >"$T/gate.conf"
commit "$T/web" README "still"
ok "nor does another upstream, until it is loaded" \
	git -C "$T/web" push "$GATE/acme/web" HEAD:refs/heads/agent/e2
is "it is upstream too" "$(tip "$up" agent/e2)" "$(tip "$T/web" HEAD)"
comes "the hook's record names the operator's file" \
	"audit verdict=allowed .*rule=$T/gate.conf:[0-9]+" "$T/gate.log"
cp "$T/good.conf" "$T/gate.conf"

# --- what gets into the log -------------------------------------------------------------

token=$(secret)
no "a reference that may not be" \
	git -C "$T/web" push "$GATE/acme/web" "HEAD:refs/heads/x-$token"
no "a path" git ls-remote "$GATE/$token/web"
curl -s -o /dev/null "$GATE/foo/$token/HEAD"
no "nothing of a token is in the log" grep -q "$token" "$T/gate.log"
like "the record of a push that ended is no verdict" \
	'audit verdict=served op=push' "$T/gate.log"

# --- a backend that says nothing while the hook forwards -------------------------------------

stop gate
# sooner than git's four seconds, after which it does say something
write_conf 3s
printf '#!/bin/sh\nsleep 6\n' >"$up/hooks/pre-receive"
chmod +x "$up/hooks/pre-receive"
start_gate
commit "$T/web" README "slowly"
ok "a slow upstream is waited for" git -C "$T/web" -c push.default=current \
	push "$GATE/acme/web" HEAD:refs/heads/agent/slow
is "and has it" "$(tip "$up" agent/slow)" "$(tip "$T/web" HEAD)"
ok "no child is left" wait_for 10 childless
copies=$(find "$T/state" -maxdepth 1 -name 'config-*' | wc -l)
is "one copy of the configuration is there" "$copies" 1
stop gate
is "the gate ends cleanly" $rc 0
is "and takes it along" \
	"$(find "$T/state" -maxdepth 1 -name 'config-*')" ""
is "nothing else is left in the state directory" \
	"$(ls "$T/state" | xargs)" "mirrors packs passed spool"
done_testing
