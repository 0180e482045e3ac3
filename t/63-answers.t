#!/bin/bash
# Answers that git receive-pack and git upload-pack give without git
# http-backend before them: byte for byte those that git http-backend gives, and
# nothing of them when git says nothing. Where that program would not have
# started git upload-pack, it is not started.
. "${SOURCE:?}/t/lib.sh"

# A git whose upload-pack without http-backend is counted.
cat >"$T/git" <<-END
	#!/bin/sh
	[ "\$1" != upload-pack ] || echo "\$2" >>"$T/direct"
	exec "$(type -P git)" "\$@"
END
chmod +x "$T/git"
conf <<-END
	[gate]
		git = $T/git
	[backend]
		advertisements = 0
		packs = 0
		threads = 1
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
		GIT_PROJECT_ROOT="$T/hosted" GIT_CONFIG_COUNT=3 \
		GIT_CONFIG_KEY_0=http.receivepack GIT_CONFIG_VALUE_0=true \
		GIT_CONFIG_KEY_1=uploadpack.allowFilter GIT_CONFIG_VALUE_1=1 \
		GIT_CONFIG_KEY_2=pack.threads GIT_CONFIG_VALUE_2=1 "$@" \
		timeout 20 "$(git --exec-path)/git-http-backend" >"$T/theirs.$name"
}
# A pack comes in packets as its bytes came; they are joined.
same() {
	local whose
	ok "$1: both say something" test -s "$T/theirs.$1"
	for whose in ours theirs; do
		perl -0777 -pe '/\r?\n\r?\n/g or last; my ($out, $pack) = ("", "");
			while (/\G([0-9a-f]{4})/gc) {
				my $n = hex $1;
				if ($n < 5) { $out .= $1; next }
				my $p = substr $_, pos, $n - 4;
				pos() += $n - 4;
				$p =~ s/^\x01// ? $pack .= $p : ($out .= "$1$p");
			}
			substr($_, $-[0]) = "\n" . $out . $pack . substr $_, pos' \
			<"$T/$whose.$1" >"$T/$whose.joined"
	done
	ok "$1: the same" cmp "$T/ours.joined" "$T/theirs.joined"
}

for service in receive upload; do for name in empty many; do
	for protocol in '' version=1 version=2 one:version=2:two version=22; do
		what="$service $name${protocol:+ $protocol}"
		ask=(REQUEST_METHOD=GET "QUERY_STRING=service=git-$service-pack")
		ours "$what" "/lab/$name/info/refs" "${ask[@]}" \
			HTTP_GIT_PROTOCOL="$protocol"
		theirs "$what" "${ask[@]}" PATH_INFO="/lab/$name.git/info/refs" \
			GIT_PROTOCOL="$protocol"
		same "$what"
	done
done; done
like "references are told" ' refs/tags/t77$' "$T/ours.receive many"
like "and to who fetches" ' refs/tags/t77$' "$T/ours.upload many"

# post NAME [SERVICE [PROTOCOL]]: $T/body, to both
post() {
	local ask=(REQUEST_METHOD=POST
		"CONTENT_TYPE=application/x-git-${2:-receive}-pack-request")
	theirs "$1" "${ask[@]}" GIT_PROTOCOL="${3:-}" \
		PATH_INFO="/lab/many.git/git-${2:-receive}-pack" \
		CONTENT_LENGTH="$(wc -c <"$T/body")" <"$T/body"
	ours "$1" -body "$T/body" "/lab/many/git-${2:-receive}-pack" \
		"${ask[@]}" HTTP_GIT_PROTOCOL="${3:-}"
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

# --- fetches -----------------------------------------------------------------

# lines LINE...: packets; "-" and "|" are a flush and a delimiter
lines() {
	perl -e 'for (@ARGV) { print $_ eq "-" ? "0000" : $_ eq "|" ? "0001"
		: sprintf "%04x%s", 5 + length $_, "$_\n" }' "$@" >"$T/body"
}
id=$(tip "$T/work" HEAD)
: >"$T/direct"
lines command=ls-refs '|' peel symrefs -
post "references" upload version=2
lines command=fetch '|' no-progress ofs-delta "want $id" "done" -
post "a pack" upload version=2
lines command=fetch '|' no-progress "want $id" "have $id" -
post "what both have" upload version=2
lines command=fetch '|' no-progress deepen\ 1 "want $id" "done" -
post "a shallow one" upload version=2
lines "want $id side-band-64k no-progress ofs-delta" - "done"
post "a pack by version 0" upload
post "a pack by version 1" upload version=1
lines "want $id no-progress" - "done"
post "a pack without a side-band" upload
printf 0000 >"$T/body"
post "no pack" upload version=2
is "git upload-pack was asked for all of them" "$(wc -l <"$T/direct")" 8

# What git upload-pack refuses; the end of what was begun is ours.
# refused WHAT [PROTOCOL]: $T/body
refused() {
	theirs "$1" REQUEST_METHOD=POST GIT_PROTOCOL="${2:-}" \
		CONTENT_TYPE=application/x-git-upload-pack-request \
		PATH_INFO=/lab/many.git/git-upload-pack \
		CONTENT_LENGTH="$(wc -c <"$T/body")" <"$T/body" 2>"$T/theirs.err"
	perl "$HERE/fcgi.pl" "$T/gate.sock" -body "$T/body" \
		/lab/many/git-upload-pack REQUEST_METHOD=POST \
		CONTENT_TYPE=application/x-git-upload-pack-request \
		HTTP_GIT_PROTOCOL="${2:-}" >"$T/refused" 2>&1
	sed -i 's/^fatal: //' "$T/theirs.err"
	ok "$1: git says why" test -s "$T/theirs.err"
	ok "$1: to the operator, too" grep -qF -f "$T/theirs.err" "$T/gate.log"
}
no=$(printf '%040d' 7)
lines command=fetch '|' no-progress "want $no" "done" -
refused "not there" version=2
like "the client has git's words" "ERR upload-pack: not our ref $no" "$T/refused"
like "and they do not look whole" '^\[broken\]' "$T/refused"
lines "want $no side-band-64k" - "done"
refused "not there by version 0"
like "the client has git's words" "ERR upload-pack: not our ref $no" "$T/refused"
lines command=delete '|' -
refused "no such command" version=2

# What git http-backend would have refused, or would have had to be asked.
lines command=ls-refs '|' peel symrefs -
# set LINE...: to the end of its configuration
cp "$T/hosted/lab/many.git/config" "$T/config"
set_config() {
	cp "$T/config" "$T/hosted/lab/many.git/config"
	printf '%s\n' "$@" >>"$T/hosted/lab/many.git/config"
	: >"$T/direct"
}
# disabled WHAT: neither an answer to a fetch
disabled() {
	perl "$HERE/fcgi.pl" "$T/gate.sock" -body "$T/body" \
		/lab/many/git-upload-pack REQUEST_METHOD=POST \
		CONTENT_TYPE=application/x-git-upload-pack-request \
		HTTP_GIT_PROTOCOL=version=2 >"$T/out"
	unlike "$1: tells nothing" 'refs/tags/t77' "$T/out"
	perl "$HERE/fcgi.pl" "$T/gate.sock" /lab/many/info/refs \
		REQUEST_METHOD=GET QUERY_STRING=service=git-upload-pack >"$T/out"
	like "$1: nor what may be asked" 'refused code=' "$T/out"
	is "$1: git upload-pack is not asked" "$(wc -l <"$T/direct")" 0
}
set_config '[http]' 'uploadpack = false'
disabled "http.uploadpack"
set_config '[core] [HTTP] uploadPack = no'
disabled "another way to write it"
set_config "[include] path = $T/more"
printf '[http]\n\tuploadpack = false\n' >"$T/more"
disabled "in another file"
set_config '[extensions] worktreeConfig = true'
cp "$T/more" "$T/hosted/lab/many.git/config.worktree"
disabled "in a work tree's"
rm "$T/hosted/lab/many.git/config.worktree"
set_config '[http] maxRequestBuffer = 10'
refused "a bound on requests" version=2
set_config '[http] uploadpack = true'
post "with a setting of its own" upload version=2
is "git http-backend is asked" "$(wc -l <"$T/direct")" 0
set_config
post "without one" upload version=2
is "it is not" "$(wc -l <"$T/direct")" 1

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
