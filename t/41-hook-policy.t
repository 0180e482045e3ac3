#!/bin/bash
# Each reference of a push needs a rule that allows it, and what cannot be
# told is refused in words of its own. By plain `git push`.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/hook.sh"

access() { cat <<-END
	[access]
		allow = create         agent-* *      refs/heads/agent/*
		allow = update         agent-* *      refs/heads/main
		deny  = rewind,delete  agent-* *      *
		allow = *              root    *      *
		allow = create         -       lab/*  refs/heads/anon
END
}
access | hook_conf
line() { grep -n "$1" "$CONF" | cut -d: -f1; }
start_notes
bare=$T/hosted/lab/r.git
w=$T/w
git init -q --bare -b main "$bare"
git init -q -b main "$w"
for i in 1 2 3; do commit "$w" file "line $i"; done
git -C "$w" push -q "$bare" main main:other
git -C "$w" tag base
again() { git -C "$w" reset -q --hard base; }
# words: the client hears that it could not be told
unknown() {
	like "$1: it says that it could not tell" \
		"^remote: git-gate: could not tell whether this push may pass: $2"
	unlike "$1: it does not say that it found something" "secret-found"
	refused "$3"
	is "$1: nothing arrived" "$(tip "$bare" main)" "$(tip "$w" base)"
}

# --- rules ---------------------------------------------------------------
ok "what a rule allows passes" push "$w" lab/r main:refs/heads/agent/1
no "what no rule allows is refused" push "$w" lab/r main:refs/heads/new
like "with the reference and operation" \
	"refs/heads/new: create is not allowed for agent-1"
refused denied
comes "no rule: no line in the log" \
	"audit verdict=refused code=denied op=create repo=lab/r \
ref=refs/heads/new who=agent-1 detail=0{40}\.\.[0-9a-f]{40} " "$T/notes"
no "a rewind is refused" push "$w" lab/r +main~1:main
like "as a rewind" "refs/heads/main: rewind is not allowed"
comes "the log names the rule" \
	"code=denied op=rewind .*rule=$CONF:$(line rewind,delete)" "$T/notes"
unlike "the client does not learn the file" "$CONF"
no "a deletion is refused" push "$w" lab/r :other
like "as a deletion" "refs/heads/other: delete is not allowed"
comes "the log names its rule" \
	"code=denied op=delete .*rule=$CONF:$(line rewind,delete)" "$T/notes"
commit "$w" file more
no "one of two references refused" push "$w" lab/r main main:refs/heads/x
is "refuses both" "$(tip "$bare" main)" "$(tip "$w" base)"
ok "an update passes" push "$w" lab/r main
comes "and is in the log with its rule" \
	"verdict=allowed op=update .*rule=$CONF:$(line 'update  ')" "$T/notes"
git -C "$w" tag -f base >/dev/null
WHO=root
ok "a rewind passes where it is allowed" push "$w" lab/r +main~1:main
ok "and back" push "$w" lab/r main
git -C "$w" tag moving base~1
ok "a tag is made" push "$w" lab/r moving
git -C "$w" tag -f moving base >/dev/null
ok "a tag that moves on passes where rewinds do" push "$w" lab/r +moving
WHO=agent-1
git -C "$w" tag -f -am again moving >/dev/null
no "but is no update" push "$w" lab/r +moving
like "it is a rewind" "refs/tags/moving: rewind is not allowed"
WHO=
ok "nobody is -" push "$w" lab/r main:anon
no "and may no more than its rules say" push "$w" lab/r main:agent/2
like "nobody has a name" "not allowed for anonymous clients"
WHO=root
ok "a deletion passes where it is allowed" push "$w" lab/r :anon

# --- could not tell --------------------------------------------------------
commit "$w" file next
mv "$CONF" "$CONF.away"
no "without configuration it is refused" push "$w" lab/r main
unknown "no configuration" "the gate's configuration cannot be read" gate-fault
mv "$CONF.away" "$CONF"
{ printf '[scan]\n\trules = %s/none.toml\n' "$T"; access; } | hook_conf
no "without its rule file it is refused" push "$w" lab/r main
unknown "no rule file" "" '(cannot-scan|gate-fault)'
printf '[[rules]]\nid = "x"\nregex = "("\n' >"$T/bad.toml"
{ printf '[scan]\n\trules = %s/bad.toml\n' "$T"; access; } | hook_conf
no "with a bad rule file it is refused" push "$w" lab/r main
unknown "a bad rule file" "" '(cannot-scan|gate-fault)'
comes "the log says which line" "log $ID error .*bad.toml:3" "$T/notes"
access | hook_conf
sed -i '/"\*"/,+1d' "$CONF"
git init -q --bare "$T/hosted/stranger.git"
no "a repository that is not configured is refused" push "$w" stranger main
unknown "no such repository" "the repository is not configured" gate-fault

access | hook_conf
{ printf '[scan]\n\tmaxObject = 64k\n'; access; } | hook_conf
head -c 70000 /dev/zero >"$w/zero"
git -C "$w" add -A && git -C "$w" commit -qm large
no "an object that is too large is refused" push "$w" lab/r main
unknown "a large object" \
	"[^ ]+: object [0-9a-f]{40} is larger than what is scanned: 70000 bytes, and maxObject of \[scan\] is 65536" cannot-scan
like "with a remedy" "nothing was taken; leave that out of what is pushed"
is "in lines that fit a terminal" "$(sed 's/ *$//' "$T/said" |
	perl -ne 'print if /^remote/ && length > 81 && !/refused code=/')" ""
comes "and is in the log" "verdict=failed code=cannot-scan" "$T/notes"
commit "$w" file "is $(token 30)"
no "a secret beside a large object is refused" push "$w" lab/r main
like "the secret is named" "file:[0-9]+:4"
like "and that not all was scanned" \
	"Not everything could be scanned: zero: object [0-9a-f]{40} is larger than"
refused secret-found
again
{ printf '[scan]\n\ttimeout = 1ms\n'; access; } | hook_conf
for i in 1 2 3 4 5 6 7 8; do
	seq "$i" 8 400000 | tr '\n' x | fold -w 99 >"$w/seq$i"
done
git -C "$w" add -A && git -C "$w" commit -qm slow
no "a scan that takes too long is refused" push "$w" lab/r main
unknown "no time" "the time for scanning ran out" cannot-scan
access | hook_conf
ok "the same push passes with time" push "$w" lab/r main

# --- the upstream ------------------------------------------------------------
upstream repo
git clone -q --mirror "$T/up/repo.git" "$T/hosted/repo.git" 2>/dev/null
ok "a clean push is handed on" push "$w" repo main
is "and is upstream" "$(tip "$T/up/repo.git" main)" "$(tip "$w" main)"
like "the upstream's words are heard" \
	"upstream: .*Create a pull request at https://forge.example/new"
comes "the gate was asked before" "^ask $ID$" "$T/notes"
printf no >"$T/may"
no "a session that has ended forwards nothing" push "$w" repo main:late
like "an ended session: it is told" "the gate has given up this push"
refused gate-fault
is "and the upstream has nothing of it" "$(tip "$T/up/repo.git" late)" ""
printf yes >"$T/may"
stop notes
no "nor does one whose gate is gone" push "$w" repo main:late
like "no gate: it is told" "the gate has given up this push"
refused gate-fault
is "and the upstream has nothing of it either" "$(tip "$T/up/repo.git" late)" ""
rm "$T/state/notes"
start_notes
no "the upstream's refusal is one" push "$w" repo main:blocked
like "its words are heard" "closed by its owners"
refused upstream-rejected
is "and the mirror does not look ahead" \
	"$(tip "$T/hosted/repo.git" blocked)" ""
commit "$w" file "is $(token 31)"
no "a secret is not handed on" push "$w" repo main
is "and not upstream" "$(tip "$T/up/repo.git" main)" "$(tip "$w" main~1)"
again
mv "$T/up/repo.git" "$T/up/away.git"
no "an upstream that is gone refuses" push "$w" repo main:more
refused upstream-not-found
ok "no secret was said or logged" hidden 30 31
done_testing
