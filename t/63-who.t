#!/bin/bash
# Who asks: names come from a password that the web server has checked, and
# from nothing that a client can write; nobody is "-". And the other ways that
# the shipped files offer: git-gated over TCP, git-gated started by lighttpd.
. "${SOURCE:?}/t/lib.sh"

upstream acme/web
fill acme/web
for who in agent guest; do
	echo "$who:$(openssl passwd -apr1 "$who-word")"
done >"$T/htpasswd"
conf <<-END
	[repo "acme/*"]
		upstream = file
	[access]
		allow = fetch agent acme/*
		allow = fetch guest acme/*
		allow = create,update agent acme/* refs/heads/agent/*
		allow = create - acme/* refs/heads/anonymous/*
END
start_gate
as() { echo "http://$1:$1-word@${GATE#http://}/acme/web"; }
service="info/refs?service=git-upload-pack"
status() { curl -s -o "$T/said" -w '%{http_code}' --max-time 20 "$@"; }

for server in nginx lighttpd; do
	start_web $server auth
	is "$server: health needs no password" "$(status "$GATE/-/health")" 200
	is "$server: no password: 401" "$(status "$GATE/acme/web/$service")" 401
	is "$server: a wrong password: 401" \
		"$(status -u agent:wrong "$GATE/acme/web/$service")" 401
	is "$server: a name without a password: 401" \
		"$(status -u agent: "$GATE/acme/web/$service")" 401
	no "$server: git without a password" git ls-remote "$GATE/acme/web"
	ok "$server: guest clones" git clone -q "$(as guest)" "$T/$server-guest"
	no "$server: guest does not push" git -C "$T/$server-guest" push \
		"$(as guest)" main:agent/x
	like "$server: guest sees that it is denied" 'refused code=denied'
	ok "$server: agent clones" git clone -q "$(as agent)" "$T/$server-agent"
	commit "$T/$server-agent" hello "by agent"
	no "$server: agent does not push to main" \
		git -C "$T/$server-agent" push origin main
	like "$server: agent sees which reference" 'rejected\].* main -> main'
	ok "$server: agent pushes where it may" \
		git -C "$T/$server-agent" push origin "main:agent/$server"
	is "$server: upstream has it" \
		"$(tip "$T/up/acme/web.git" "agent/$server")" \
		"$(tip "$T/$server-agent" main)"
	like "$server: the log has the name" 'audit .*who=agent' "$T/gate.log"
	stop $server

	# the files for everybody alike: a name that was only claimed is none
	start_web $server
	push="acme/web/info/refs?service=git-receive-pack"
	for header in 'Remote-User: agent' 'REMOTE_USER: agent' 'X-Who: agent' \
		'X-Remote-User: agent' 'Remote_User: agent' \
		'Authorization: Basic YWdlbnQ6YWdlbnQtd29yZA=='; do
		is "$server: ${header%% *} names nobody" "$(status \
			-H "$header" "$GATE/acme/web/$service")" 404
	done
	is "$server: nobody may begin what '-' may" "$(status "$GATE/$push")" 200
	no "$server: nobody does not push where agent may" \
		git -C "$T/$server-agent" push "$GATE/acme/web" main:agent/other
	like "$server: nobody sees that it is denied" 'refused code=denied'
	ok "$server: nobody pushes where '-' may" git -C "$T/$server-agent" \
		push "$GATE/acme/web" "main:anonymous/$server"
	stop $server
done
stop gate

# --- other ways to the gate --------------------------------------------------------

conf <<-END
	[repo "acme/*"]
		upstream = file
	[access]
		allow = fetch,push * *
END
port=$(free_port)
start gate "$BUILD/git-gated" -f -c "$T/gate.conf" -s "127.0.0.1:$port"
GATE_AT=127.0.0.1:$port start_web nginx
ok "TCP: clone" git clone -q "$GATE/acme/web" "$T/tcp"
commit "$T/tcp" hello "over TCP"
ok "TCP: push" git -C "$T/tcp" push -q origin main
stop nginx
stop gate
is "TCP: the gate ends cleanly" $rc 0

SPAWN=spawn start_web lighttpd
ok "started by lighttpd: clone" git clone -q "$GATE/acme/web" "$T/spawned"
commit "$T/spawned" hello "spawned"
ok "started by lighttpd: push" git -C "$T/spawned" push -q origin main
is "started by lighttpd: upstream has it" "$(tip "$T/up/acme/web.git" main)" \
	"$(tip "$T/spawned" main)"
gated() { cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' |
	grep -qF -e "-c $T/gate.conf"; }
ok "started by lighttpd: it runs" gated
stop lighttpd
ok "started by lighttpd: it ends with lighttpd" \
	wait_for 15 eval '! gated'
done_testing
