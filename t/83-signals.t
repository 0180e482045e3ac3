#!/bin/bash
# Ends and starts: SIGTERM lets what runs finish, SIGHUP takes a new
# configuration or keeps the old, a client that dies in mid-push leaves
# nothing behind, and each way to get the socket works.
. "${SOURCE:?}/t/lib.sh"

upstream acme/web
fill acme/web
up=$T/up/acme/web.git
author=$T/author/acme/web
bulk "$author" 20M
commit "$author" README "large"
git -C "$author" push -q origin main 2>/dev/null
plain() {
	conf <<-END
		[session]
			readTimeout = ${1:-15s}
		[repo "acme/*"]
			upstream = file
		[access]
			allow = fetch,push * acme/*
	END
}
sessions() { "$BUILD/git-gate" status --config "$T/gate.conf"; }
no_session() { sessions >"$T/sessions" && grep -q "^0 of" "$T/sessions"; }
children() { cat /proc/"${PID[gate]}"/task/*/children | xargs; }
idle() { [ -z "$(children)" ]; }
spooled() { [ -n "$(find "$T/state/spool" "$T/$1" -type f -size +1k \
	-newer "$T/began" | grep -v '\.\(log\|conf\)$')" ] || open_spool; }
# the gate's spool is unlinked: it shows as a deleted file that is open
open_spool() {
	find /proc/"${PID[gate]}"/fd -lname "*$T/state/spool/*" | grep -q .
}

plain
start_gate
start_web nginx
nginx=$GATE
ok "health" curl -sf "$GATE/-/health"
is "health says ok" "$(cat "$T/out")" ok
ok "clone" git clone -q "$GATE/acme/web" "$T/web"

# --- SIGTERM ---------------------------------------------------------------------

want=$(tip "$up" main)
printf '0032want %s\n00000009done\n' "$want" >"$T/want"
size() { [ "$(stat -c %s "$T/answer" 2>/dev/null || echo 0)" -ge "$1" ]; }
start slow curl -s --limit-rate 2M --max-time 60 -o "$T/answer" \
	-H 'Content-Type: application/x-git-upload-pack-request' \
	--data-binary "@$T/want" "$GATE/acme/web/git-upload-pack"
wait_for 10 size 1000000
no "the slow clone is under way" size 15000000
kill -TERM "${PID[gate]}"
stop slow 0 40
is "SIGTERM: the clone under way is finished" $rc 0
git init -q --bare "$T/check"
tail -c +9 "$T/answer" >"$T/one.pack"
ok "SIGTERM: its pack is whole" git -C "$T/check" index-pack "$T/one.pack"
wait_for 15 gone "${PID[gate]}"
stop gate
is "SIGTERM: exit status" $rc 0
no "SIGTERM: nobody listens any more" fcgi /-/health

start_gate
stop gate INT
is "SIGINT ends it too" $rc 0

# --- SIGHUP ----------------------------------------------------------------------

start_gate
pid=${PID[gate]}
no "before SIGHUP: unknown repository" git ls-remote "$GATE/new/web"
upstream new/web
cat >>"$T/gate.conf" <<-END
	[repo "new/*"]
		upstream = file
	[access]
		allow = fetch * new/*
END
kill -HUP "$pid"
ok "SIGHUP: the new configuration holds" \
	wait_for 10 git ls-remote "$GATE/new/web"
cp "$T/gate.conf" "$T/good.conf"
echo 'colour = blue' >>"$T/gate.conf"
line=$(wc -l <"$T/gate.conf")
kill -HUP "$pid"
ok "SIGHUP with a bad one: an error with file and line" \
	wait_for 10 grep -q "$T/gate.conf:$line: .*colour" "$T/gate.log"
ok "SIGHUP with a bad one: the old one holds" git ls-remote "$GATE/new/web"
ok "SIGHUP with a bad one: the process lives" kill -0 "$pid"
cp "$T/good.conf" "$T/gate.conf"

# a clone under way keeps the configuration that it began with
rm -f "$T/answer"
start slow curl -s --limit-rate 8M --max-time 60 -o "$T/answer" \
	-H 'Content-Type: application/x-git-upload-pack-request' \
	--data-binary "@$T/want" "$GATE/acme/web/git-upload-pack"
wait_for 10 size 1000000
for i in 1 2 3 4 5; do kill -HUP "$pid"; ok "SIGHUP $i under load" fcgi /-/health; done
stop slow 0 40
is "SIGHUP: a clone under way is finished" $rc 0
tail -c +9 "$T/answer" >"$T/two.pack"
ok "SIGHUP: its pack is whole" git -C "$T/check" index-pack "$T/two.pack"
stop gate
is "the gate ends cleanly" $rc 0

# --- clients that die or fall silent in mid-push -----------------------------------

# A git whose pack stops after 3 MB, for ever.
mkdir "$T/slow"
real=$(type -P git)
core=$(git --exec-path)
ln -s "$core"/* "$T/slow/"
rm -f "$T/slow/git"
cat >"$T/slow/git" <<-END
	#!/bin/sh
	case \$1 in
	pack-objects) "$real" "\$@" | { head -c 3M; exec sleep 100; } ;;
	*) exec "$real" "\$@" ;;
	esac
END
chmod +x "$T/slow/git"
# stalled: such a push, in a process group of its own, as PID[push]
stalled() {
	head -c 6M /dev/urandom >"$T/web/random2"
	commit "$T/web" README "more to push"
	: >"$T/began"
	start push setsid env GIT_EXEC_PATH="$T/slow" "$real" -C "$T/web" \
		-c http.postBuffer=65536 -c core.compression=0 \
		push origin main:stalled
}
slay() { kill -KILL -- "-${PID[push]}"; stop push KILL; } 2>/dev/null
plain 3s
start_gate
for server in nginx lighttpd; do
	[ $server = nginx ] || start_web $server
	git -C "$T/web" remote set-url origin "$GATE/acme/web"
	stalled
	ok "$server: a push is in mid-pack" wait_for 15 spooled $server
	# what is asked for the next push after the last one may still be at its end
	ok "$server: no backend waits for it" wait_for 10 idle
	slay
	ok "$server: killed: no process is left" wait_for 10 idle
	ok "$server: killed: no session is left" wait_for 10 no_session
	ok "$server: killed: the next push works" \
		git -C "$T/web" push -q origin "main:after-$server"
	is "$server: it is upstream" "$(tip "$up" "after-$server")" \
		"$(tip "$T/web" main)"
	no "$server: nothing of the killed one is" tip "$up" stalled
done
# through nginx, which hands the push on as it comes
git -C "$T/web" remote set-url origin "$nginx/acme/web"
stalled
ok "silent: its push is in mid-pack" wait_for 15 open_spool
ok "silent: ended in time though its client stays" wait_for 15 no_session
ok "silent: its client is still there" kill -0 "${PID[push]}"
like "silent: the log says why" '(audit|warn|error).*(timeout|time)' "$T/gate.log"
slay
is "no quarantine is left" \
	"$(find "$T/state/mirrors" -name '*incoming*')" ""
stop gate
is "the gate ends cleanly" $rc 0

# --- where the socket comes from ------------------------------------------------------

plain
gated=("$BUILD/git-gated" -f -c "$T/gate.conf")
rm -f "$T/gate.sock"
start gate spawn-fcgi -n -s "$T/gate.sock" -- "${gated[@]}"
ok "socket as descriptor 0" wait_for 20 fcgi /-/health
ok "socket as descriptor 0: a fetch" git ls-remote "$GATE/acme/web"
stop gate
is "socket as descriptor 0: ends cleanly" $rc 0

rm -f "$T/gate.sock"
start gate systemd-socket-activate -l "$T/gate.sock" "${gated[@]}"
ok "LISTEN_FDS" wait_for 20 fcgi /-/health
ok "LISTEN_FDS: a fetch" git ls-remote "$GATE/acme/web"
stop gate
is "LISTEN_FDS: ends cleanly" $rc 0

port=$(free_port)
start gate "${gated[@]}" -s "127.0.0.1:$port"
ok "HOST:PORT" wait_for 20 timeout 10 perl "$HERE/fcgi.pl" \
	"127.0.0.1:$port" /-/health
stop gate
is "HOST:PORT: ends cleanly" $rc 0

# a socket that a killed process left behind is no obstacle
start_gate
stop gate KILL
ok "after kill -9 its socket file is still there" test -S "$T/gate.sock"
start gate "${gated[@]}" -s "$T/gate.sock"
ok "and the next one starts" wait_for 20 fcgi /-/health
unlike "the log is free of sanitizer reports" \
	'AddressSanitizer|runtime error|LeakSanitizer' "$T/gate.log"
done_testing
