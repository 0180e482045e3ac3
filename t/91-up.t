#!/bin/bash
# git gate up: one command serves an upstream through lighttpd or nginx on a
# loopback address, says when it answers, and leaves nothing behind. What
# cannot work is said at once, with what to do.
# shellcheck source=t/lib.sh disable=SC2016,SC2317
. "${SOURCE:?}/t/lib.sh"

upstream one
fill one
mkdir "$T/up/team"
cp -r "$T/up/one.git" "$T/up/team/two.git"

# up ARGUMENT...: in the background; gives GATE when it answers.
up() {
	: >"$T/up.out"
	rm -f "$T/up.log"
	"$BUILD/git-gate" up --listen 127.0.0.1:0 "$@" >"$T/up.out" \
		2>"$T/up.log" </dev/null &
	PID[up]=$!
	wait_for 20 first_line
	GATE=$(sed -n '1s|^git-gate: serving \(http://127\.0\.0\.1:[0-9]*\)/ .*|\1|p' \
		"$T/up.out")
	STATE=$(sed -n '1s|.*configuration \(.*\)/git-gate\.conf,.*|\1|p' "$T/up.out")
	[ -n "$GATE" ]
}
first_line() { [ -s "$T/up.out" ] || gone "${PID[up]}"; }
# Processes whose arguments name the state directory.
left() { grep -lsaF -f - /proc/[0-9]*/cmdline <<<"$1" | wc -l; }
none_left() { [ "$(left "$1")" -eq 0 ]; }
refused() { # NAME REGEX ARGUMENT...
	local name=$1 words=$2
	shift 2
	try timeout -k 2 20 "$BUILD/git-gate" up "$@"
	[ $rc -eq 1 ] || [ $rc -eq 2 ]
	result $? "$name: refused ($rc)"
	like "$name: says why" "$words" "$T/err"
	is "$name: serves nothing" "$(cat "$T/out")" ''
}

for server in lighttpd nginx; do
	up --server $server --upstream "file://$T/up/one.git"
	result $? "$server: it says where it serves" || diag "$(cat "$T/up.log")"
	is "$server: the state is private" "$(stat -c %a "$STATE")" 700
	ok "$server: the command that it prints clones" \
		git clone -q "$(sed -n '2s/^git clone //p' "$T/up.out")" "$T/$server"
	is "$server: the upstream's tip" "$(tip "$T/$server" HEAD)" \
		"$(tip "$T/up/one.git" main)"
	commit "$T/$server" new "through $server"
	no "$server: nobody may push unless it is said" \
		git -C "$T/$server" push origin HEAD:refs/heads/main
	like "$server: and is told" 'code=denied'
	ok "$server: status answers" \
		"$BUILD/git-gate" status -c "$STATE/git-gate.conf"
	stop up TERM
	is "$server: SIGTERM ends it well" "$rc" 0
	is "$server: no process is left" "$(left "$STATE")" 0
	ok "$server: no file is left" test ! -e "$STATE"
done

# All below a URL, pushes allowed to some branches, a directory of one's own.
up --upstream "file://$T/up/" --allow-push 'refs/heads/agent/*' --state "$T/kept"
result $? "a URL that ends in a slash" || diag "$(cat "$T/up.log")"
is "what to clone has a word in place of the pattern" \
	"$(sed -n 's|^git clone .*/||p' "$T/up.out")" NAME
# (so that counting none below means something)
ok "its processes can be counted" test "$(left "$T/kept")" -ge 3
ok "a repository further below" git clone -q "$GATE/team/two" "$T/two"
commit "$T/two" new "more"
ok "a push where it is allowed" \
	git -C "$T/two" push -q origin HEAD:refs/heads/agent/1
is "lands upstream" "$(tip "$T/up/team/two.git" refs/heads/agent/1)" \
	"$(tip "$T/two" HEAD)"
no "not elsewhere" git -C "$T/two" push origin HEAD:refs/heads/main
like "with a reason" 'code=denied'
commit "$T/two" token "$(secret)"
no "nor a secret" git -C "$T/two" push origin HEAD:refs/heads/agent/2
mark=$(grep -ao 'git-gate allow [0-9a-f]\{40\}' "$T/said" | cut -d' ' -f3)
ok "which is allowed as the refusal says" "$BUILD/git-gate" allow "$mark" \
	-c "$T/kept/git-gate.conf" --reason 'made up'
ok "and passes then" git -C "$T/two" push -q origin HEAD:refs/heads/agent/2
refused "a directory in use" 'another git gate up' \
	--listen 127.0.0.1:0 --upstream "file://$T/up/" --state "$T/kept"
refused "a port in use" 'cannot listen on .*--listen' \
	--listen "${GATE#http://}" --upstream "file://$T/up/"
stop up INT
is "SIGINT ends it well" "$rc" 0
ok "a directory that was named is kept" test -s "$T/kept/git-gated.log"
is "no process is left" "$(left "$T/kept")" 0
up --upstream "file://$T/up/" --state "$T/kept"
result $? "and serves again" || diag "$(cat "$T/up.log")"
ok "what was allowed is kept" grep -q "$mark" "$T/kept/exceptions"

# One of the two dies: the other is ended, and the reason told.
for name in git-gated lighttpd; do
	[ -n "${PID[up]:-}" ] || up --upstream "file://$T/up/" --state "$T/kept"
	victim=$(pgrep -P "${PID[up]}" -x "$name")
	kill -KILL "${victim:-0}"
	wait_for 50 gone "${PID[up]}"
	stop up
	is "$name dies: exit status" "$rc" 1
	like "$name dies: it is named" "$name ended with status 137" "$T/up.log"
	is "$name dies: no process is left" "$(left "$T/kept")" 0
done

# Killed, it can end nothing itself.
for server in lighttpd nginx; do
	up --server $server --upstream "file://$T/up/" --state "$T/kept"
	ok "$server: there is something to leave" test "$(left "$T/kept")" -ge 2
	stop up KILL
	ok "$server: up is killed: no process is left" wait_for 15 none_left "$T/kept"
done

# A configuration of one's own.
conf <<-END
	[repo "one"]
		upstream = file
	[access]
		allow = fetch - one
END
up --config "$T/gate.conf"
result $? "--config" || diag "$(cat "$T/up.log")"
ok "serves what it says" git ls-remote "$GATE/one"
no "and no more" git ls-remote "$GATE/team/two"
stop up TERM
ok "its state is not removed" test -d "$T/state"

# What cannot work.
url=file://$T/up/one.git
refused "nothing to serve" 'upstream'
refused "both" 'either' --config "$T/gate.conf" --upstream "$url"
refused "a stranger's address" 'loopback' --listen 0.0.0.0:0 --upstream "$url"
refused "no address" '127\.0\.0\.1:8080' --listen here --upstream "$url"
refused "no port" '127\.0\.0\.1:8080' --listen 127.0.0.1:99999 --upstream "$url"
refused "no such server" 'lighttpd and nginx' --server apache --upstream "$url"
refused "no scheme" 'ssh://' --listen 127.0.0.1:0 --upstream git@host:one.git
refused "no path" 'names no path' --listen 127.0.0.1:0 --upstream https://host
refused "ssh without a key" '--identity-file' --listen 127.0.0.1:0 \
	--upstream ssh://git@127.0.0.1/one.git
refused "a pattern of two words" 'space' --listen 127.0.0.1:0 \
	--upstream "$url" --allow-push 'refs/heads/a refs/heads/b'
refused "a short reference" '^git-gate: error: --allow-push: .main. .*refs/' \
	--listen 127.0.0.1:0 --upstream "$url" --allow-push main
refused "a password in the URL" 'token-file' --listen 127.0.0.1:0 \
	--upstream https://ada:hush-hush@127.0.0.1/one.git
unlike "which is not repeated" 'hush-hush'
chmod 755 "$T/kept"
refused "a directory open to others" 'yours alone' --listen 127.0.0.1:0 \
	--upstream "$url" --state "$T/kept"
refused "an unknown option" 'usage' --sever nginx --upstream "$url"
refused "a word too many" "'more'" --upstream "$url" more

for ask in 'help up' 'up --help' 'up -h'; do
	# shellcheck disable=SC2086 # words
	ok "git-gate $ask" "$BUILD/git-gate" $ask
	like "$ask: shows every option" '--token-file' "$T/out"
	is "$ask: complains of nothing" "$(cat "$T/err")" ''
done

done_testing
