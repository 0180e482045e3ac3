# shellcheck shell=bash
# What people do with git, through one web server (SERVER: nginx, lighttpd)
# and over one kind of upstream (VIA: ssh, file). Sourced by the tests of each
# pair, so that they can run beside each other. After each step the gate
# shows what the upstream has, and the clone is sound.

. "$SOURCE/t/lib.sh"

# same NAME REPO: the gate's references are the upstream's.
same() { is "$1" "$(refs "$GATE/$2")" "$(refs "$T/up/$2.git")"; }
# sound NAME CLONE REPO: both of it.
sound() {
	ok "$1: the clone passes fsck" git -C "$2" fsck --strict --no-dangling
	same "$1: the gate has the upstream's references" "$3"
}
# landed NAME CLONE REF: the upstream of web has the clone's object there.
landed() {
	is "$1" "$(tip "$T/up/acme/web.git" "$3")" "$(tip "$2" "$3")"
}
push() { git -C "$T/web" push "$@"; }

[ "$VIA" = file ] || start_sshd
upstream acme/web
upstream acme/empty
fill acme/web
conf <<-END
	[repo "acme/*"]
		upstream = $VIA
		pushOptions = ci.skip title=*
	[access]
		allow = fetch * *
		deny = * * * refs/heads/closed/*
		allow = push,delete * acme/*
		allow = rewind * acme/* refs/heads/wip/*
END
start_gate
start_web "$SERVER"
up=$T/up/acme/web.git
author=$T/author/acme/web
web=$GATE/acme/web

# --- reading -----------------------------------------------------------------

same "ls-remote before any clone" acme/web
is "ls-remote shows something" "$(git ls-remote "$web" refs/heads/main |
	cut -f1)" "$(tip "$up" main)"
ok "the name with .git" git ls-remote --exit-code "$web.git" main

ok "clone" git clone "$web" "$T/web"
sound "clone" "$T/web" acme/web
is "clone: the files are there" "$(cat "$T/web/src/file5")" "line 5"
is "clone: its tags" "$(git -C "$T/web" tag | xargs)" "light v1"

commit "$author" README "someone else's"
git -C "$author" push -q origin main 2>/dev/null
ok "fetch" git -C "$T/web" fetch
is "fetch: what someone else pushed is seen at once" \
	"$(tip "$T/web" origin/main)" "$(tip "$author" HEAD)"
git -C "$T/web" reset -q --hard origin/main
sound "fetch" "$T/web" acme/web

ok "shallow clone" git clone --depth 1 "$web" "$T/shallow"
is "shallow clone: one commit" \
	"$(git -C "$T/shallow" rev-list --count HEAD)" 1
ok "shallow clone deepened" git -C "$T/shallow" fetch --deepen 2
is "shallow clone deepened: three commits" \
	"$(git -C "$T/shallow" rev-list --count HEAD)" 3
ok "shallow clone made whole" git -C "$T/shallow" fetch --unshallow
is "shallow clone made whole: all commits" \
	"$(git -C "$T/shallow" rev-list --count HEAD)" \
	"$(git -C "$up" rev-list --count main)"
sound "shallow clone" "$T/shallow" acme/web

missing() {
	git -C "$T/partial" rev-list --objects --all --missing=print |
		grep -c '^?'
}
ok "partial clone" git clone --filter=blob:none --no-checkout "$web" \
	"$T/partial"
is "partial clone: no file yet" "$(missing)" 6
ok "partial clone: a file on demand" git -C "$T/partial" show HEAD:src/file3
is "partial clone: its bytes" "$(cat "$T/out")" "line 3"
is "partial clone: that file only" "$(missing)" 5
ok "partial clone: the rest on demand" git -C "$T/partial" checkout main
sound "partial clone" "$T/partial" acme/web

# --- writing -----------------------------------------------------------------

commit "$T/web" src/file1 "through the gate"
ok "push to a branch" push origin main
landed "push to a branch: the same object is upstream" "$T/web" \
	refs/heads/main
like "push: the upstream's words reach the client" \
	'^remote: .*Create a pull request at https://forge\.example/new'
is "push: the next ls-remote shows it" \
	"$(git ls-remote "$web" refs/heads/main | cut -f1)" "$(tip "$T/web" main)"
sound "push to a branch" "$T/web" acme/web
ok "push of nothing new" push origin main
like "push of nothing new says so" 'Everything up-to-date'

git -C "$T/web" checkout -q -b topic/one
commit "$T/web" src/file2 "on a branch"
ok "push of a new branch" push -u origin topic/one
landed "push of a new branch: upstream has it" "$T/web" refs/heads/topic/one
ok "push of a branch of known objects" push origin HEAD~1:refs/heads/old
sound "push of new branches" "$T/web" acme/web

git -C "$T/web" tag plain
git -C "$T/web" tag -am "release two" v2
ok "push of tags" push origin plain v2
landed "push of tags: the light one" "$T/web" refs/tags/plain
landed "push of tags: the annotated one" "$T/web" refs/tags/v2
sound "push of tags" "$T/web" acme/web

ok "deletion of a branch and a tag" push origin :topic/one :refs/tags/plain
no "deletion: the branch is gone upstream" tip "$up" refs/heads/topic/one
no "deletion: the tag is gone upstream" tip "$up" refs/tags/plain
sound "deletion" "$T/web" acme/web

git -C "$T/web" checkout -q -b wip/a main
commit "$T/web" src/file3 "first try"
ok "push before a rewind" push origin wip/a
git -C "$T/web" reset -q --hard HEAD~1
commit "$T/web" src/file3 "second try"
no "rewind without force: git refuses" push origin wip/a
ok "rewind allowed" push --force origin wip/a
landed "rewind allowed: upstream has it" "$T/web" refs/heads/wip/a
before=$(refs "$up")
no "rewind refused" push --force origin wip/a~2:refs/heads/main
like "rewind refused: the reference is named" 'remote rejected.* main'
like "rewind refused: a machine can read it" \
	'git-gate: refused code=denied retry=no .*id=[0-9a-f]{16}'
is "rewind refused: nothing changed upstream" "$(refs "$up")" "$before"
sound "rewind" "$T/web" acme/web

git -C "$T/web" checkout -q main
commit "$T/web" src/file4 "several"
no "push of several references, one not allowed" \
	push origin main main:more main:closed/x
for ref in main more closed/x; do
	like "several: $ref is refused by name" "rejected\].* -> $ref"
done
is "several: nothing changed upstream" "$(refs "$up")" "$before"
sound "several refused" "$T/web" acme/web
ok "push of several references" push origin main main:more v2:refs/tags/v3
landed "several: upstream has them" "$T/web" refs/heads/main
sound "several" "$T/web" acme/web

no "push that the upstream refuses" push origin main:blocked
like "upstream's refusal: its words reach the client" 'closed by its owners'
like "upstream's refusal: the reference is named" 'rejected.* blocked'
like "upstream's refusal: a machine can read it" \
	'git-gate: refused code=upstream-rejected retry=no'
no "upstream's refusal: it does not have it" tip "$up" refs/heads/blocked
commit "$T/web" src/file4 "with another"
before=$(refs "$up")
no "push that the upstream refuses in part" push origin main main:blocked
is "upstream's refusal in part: all or nothing" "$(refs "$up")" "$before"
sound "upstream's refusal" "$T/web" acme/web

ok "push options" push -o ci.skip -o "title=two words" origin main
is "push options reach the upstream" "$(cat "$up/options")" \
	"ci.skip"$'\n'"title=two words"

git -C "$T/web" checkout -q -b leak
commit "$T/web" config.env "TOKEN=$(secret)"
git -C "$T/web" rm -q config.env
git -C "$T/web" commit -qm "take it out again"
leak=$(tip "$T/web" leak~1)
no "push of a secret" push origin leak
like "secret: the client sees where" 'config\.env:1'
like "secret: a machine can read it" \
	'git-gate: refused code=secret-found retry=no'
unlike "secret: it is not shown" "$(secret)"
no "secret: nothing of it is upstream" git -C "$up" cat-file -e "$leak"
git -C "$T/web" checkout -q main
git -C "$T/web" branch -qD leak
sound "secret" "$T/web" acme/web

# --- an empty repository -----------------------------------------------------

ok "clone of an empty repository" git clone "$GATE/acme/empty" "$T/empty"
git -C "$T/empty" checkout -qB main
commit "$T/empty" README "first"
ok "first push" git -C "$T/empty" push origin main
is "first push: upstream has it" "$(tip "$T/up/acme/empty.git" main)" \
	"$(tip "$T/empty" main)"
ok "clone after the first push" git clone "$GATE/acme/empty" "$T/empty2"
sound "first push" "$T/empty2" acme/empty

# --- protocol versions ---------------------------------------------------------

for v in 0 2; do
	GIT_TRACE_PACKET=$T/packets$v git -c protocol.version=$v \
		ls-remote "$web" >/dev/null 2>&1
	ok "protocol v$v: clone" git -c protocol.version=$v clone "$web" \
		"$T/v$v"
	commit "$T/v$v" "by-v$v" "text"
	ok "protocol v$v: push" git -C "$T/v$v" -c protocol.version=$v \
		push origin main
	ok "protocol v$v: fetch" git -C "$T/web" -c protocol.version=$v \
		fetch origin
	git -C "$T/web" reset -q --hard origin/main
	sound "protocol v$v" "$T/v$v" acme/web
done
unlike "protocol v0 is what was asked for" 'version 2' "$T/packets0"
like "protocol v2 is what was asked for" 'version 2' "$T/packets2"

# --- the upstream changes ------------------------------------------------------

git -C "$author" fetch -q
git -C "$author" push -q origin origin/main:refs/heads/trunk :side 2>/dev/null
git -C "$up" symbolic-ref HEAD refs/heads/trunk
ok "fetch after the default branch changed" git -C "$T/web" fetch --prune
no "a branch deleted upstream disappears" tip "$T/web" origin/side
ok "clone after the default branch changed" git clone "$web" "$T/trunk"
is "the default branch is followed" \
	"$(git -C "$T/trunk" symbolic-ref --short HEAD)" trunk
sound "upstream changed" "$T/trunk" acme/web

# --- size ----------------------------------------------------------------------

upstream acme/many
perl -e 'for (1 .. 1000) {
	print "commit refs/heads/b$_\ncommitter A <a\@example.org> $_ +0000\n",
		"data 2\nb\n", "M 644 inline f\ndata <<E\n$_\nE\n\n" }' |
	git -C "$T/up/acme/many.git" fast-import --quiet
git -C "$T/up/acme/many.git" symbolic-ref HEAD refs/heads/b1
for v in 0 2; do
	GIT_TRACE_CURL=$T/curl$v GIT_TRACE_CURL_NO_DATA=1 \
		ok "1,000 branches, protocol v$v: clone" \
		git -c protocol.version=$v clone "$GATE/acme/many" "$T/many$v"
	like "1,000 branches, protocol v$v: requests were gzip'd" \
		'Content-Encoding: gzip' "$T/curl$v"
	is "1,000 branches, protocol v$v: all arrived" \
		"$(git -C "$T/many$v" branch -r | grep -c "^  origin/b")" 1000
	commit "$T/many$v" "by-v$v" text
	ok "1,000 branches, protocol v$v: push" git -C "$T/many$v" \
		-c protocol.version=$v push origin "HEAD:refs/heads/new$v"
done
ok "1,000 branches: fetch" git -C "$T/many0" fetch
sound "1,000 branches" "$T/many0" acme/many

# a pack of BULK MB, 20 unless the test says more: bytes that no compression makes
# smaller, in files for which the client's git need not look for likeness
[ -z "${LIGHT:-}" ] || BULK=20
BULK=${BULK:-20}
for ((i = 0; i * 8 < BULK * 10; i++)); do
	head -c 800k /dev/urandom >"$T/web/random$i"
done
git -C "$T/web" config core.bigFileThreshold 500k
git -C "$T/web" -c core.compression=0 add -A
git -C "$T/web" commit -qm "$BULK MB"
LIMIT=300 GIT_TRACE_CURL=$T/curl-big GIT_TRACE_CURL_NO_DATA=1 \
	ok "push of $BULK MB in chunks" push --no-progress origin main:big
like "$BULK MB: it was chunked" 'Transfer-Encoding: chunked' "$T/curl-big"
landed_big() { [ "$(tip "$up" big)" = "$(tip "$T/web" main)" ]; }
ok "$BULK MB: upstream has it" landed_big
ok "$BULK MB: upstream passes fsck" git -C "$up" fsck --no-dangling
same "$BULK MB: the gate has the upstream's references" acme/web

# --- afterwards ------------------------------------------------------------------

for mirror in $(find "$T/state/mirrors" -name '*.git' -prune); do
	ok "fsck of the mirror ${mirror##*/}" git -C "$mirror" fsck --no-dangling
done
is "no quarantine is left" \
	"$(find "$T/state/mirrors" -name '*incoming*' | head -n 3)" ""
is "nothing is left in the spool" "$(find "$T/state/spool" -type f)" ""
like "decisions are in the log" 'audit .*acme/web' "$T/gate.log"
unlike "the log is free of sanitizer reports" \
	'AddressSanitizer|runtime error|LeakSanitizer' "$T/gate.log"
stop gate
is "the gate ends cleanly" "$rc" 0
done_testing
