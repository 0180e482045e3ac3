#!/bin/bash
# The answers to pushes, which git receive-pack gives without git http-backend
# before it: byte for byte those that git http-backend gives, and nothing of
# them when git says nothing.
. "${SOURCE:?}/t/lib.sh"

conf <<-END
	[repo "lab/*"]
		hosted = $T/hosted
	[access]
		allow = fetch,push * *
END
for name in empty many; do
	git init -q --bare -b main "$T/hosted/lab/$name.git"
done
git init -q -b main "$T/work"
commit "$T/work" file "a line"
for i in $(seq 100); do echo "create refs/tags/t$i HEAD"; done |
	git -C "$T/work" update-ref --stdin
git -C "$T/work" push -q --tags "$T/hosted/lab/many.git" main
start_gate

# ours NAME OPTION...: what git-gated writes, without what it adds
ours() {
	local name=$1
	shift
	perl "$HERE/fcgi.pl" "$T/gate.sock" "$@" REMOTE_USER=ada \
		REMOTE_ADDR=127.0.0.1 >"$T/ours.$name" || return
	like "$name: is good" $'^Status: 200 OK\r' "$T/ours.$name"
	sed -i -e '1{/^Status: /d}' -e '2{/^X-Accel-Buffering: /d}' \
		"$T/ours.$name"
}
# theirs NAME VARIABLE...: what git http-backend writes
theirs() {
	local name=$1
	shift
	env REMOTE_USER=ada REMOTE_ADDR=127.0.0.1 GIT_HTTP_EXPORT_ALL=1 \
		GIT_PROJECT_ROOT="$T/hosted" GIT_CONFIG_COUNT=1 \
		GIT_CONFIG_KEY_0=http.receivepack GIT_CONFIG_VALUE_0=true "$@" \
		timeout 20 "$(git --exec-path)/git-http-backend" >"$T/theirs.$name"
}
same() {
	ok "$1: both say something" test -s "$T/theirs.$1"
	ok "$1: the same" cmp "$T/ours.$1" "$T/theirs.$1"
}

for name in empty many; do
	for protocol in '' version=1 version=2 one:version=2:two version=22; do
		what="$name${protocol:+ $protocol}"
		ask=(REQUEST_METHOD=GET QUERY_STRING=service=git-receive-pack)
		ours "$what" "/lab/$name/info/refs" "${ask[@]}" \
			HTTP_GIT_PROTOCOL="$protocol"
		theirs "$what" "${ask[@]}" PATH_INFO="/lab/$name.git/info/refs" \
			GIT_PROTOCOL="$protocol"
		same "$what"
	done
done
like "references are told" ' refs/tags/t77$' "$T/ours.many"

# post NAME: $T/body, to both
post() {
	local ask=(REQUEST_METHOD=POST
		CONTENT_TYPE=application/x-git-receive-pack-request)
	theirs "$1" "${ask[@]}" PATH_INFO=/lab/many.git/git-receive-pack \
		CONTENT_LENGTH="$(wc -c <"$T/body")" <"$T/body"
	ours "$1" -body "$T/body" /lab/many/git-receive-pack "${ask[@]}"
	same "$1"
}
# body REF: its creation, with an empty pack
body() {
	local line="$(printf '%040d' 0) $(tip "$T/work" HEAD) $1"
	perl -e '$s = "$ARGV[0]\0 report-status side-band-64k";
		printf "%04x%s0000", 4 + length $s, $s' "$line"
	git -C "$T/work" pack-objects -q --stdout </dev/null
}
printf 0000 >"$T/body"
post "a probe"
# a pack that is cut is refused before any hook is asked
body refs/heads/cut | head -c -9 >"$T/body"
post "a pack that is cut"
like "a pack that is cut: it was refused" 'ng refs/heads/cut ' \
	"$T/ours.a pack that is cut"

# --- git that says nothing ----------------------------------------------------

# It fails before its first byte: what is to stand there is not sent.
git -C "$T/hosted/lab/empty.git" config receive.unpackLimit none
perl "$HERE/fcgi.pl" "$T/gate.sock" /lab/empty/info/refs REQUEST_METHOD=GET \
	QUERY_STRING=service=git-receive-pack >"$T/out"
like "git that fails is an answer of ours" 'refused code=internal' "$T/out"
unlike "and not the beginning of git's" 'service=git-receive-pack' "$T/out"

# --- who did it ---------------------------------------------------------------

git -C "$T/hosted/lab/many.git" config core.logAllRefUpdates always
ok "a push is taken" perl "$HERE/fcgi.pl" "$T/gate.sock" -body \
	<(body refs/heads/by) /lab/many/git-receive-pack REQUEST_METHOD=POST \
	CONTENT_TYPE=application/x-git-receive-pack-request REMOTE_USER=ada \
	REMOTE_ADDR=127.0.0.1
like "the reference's log says by whom" ' ada <ada@http\.127\.0\.0\.1> ' \
	"$T/hosted/lab/many.git/logs/refs/heads/by"
done_testing
