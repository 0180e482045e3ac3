#!/bin/bash
# What a push brings is scanned, wherever in it a secret hides; what was there
# before is no reason to refuse. By plain `git push` into a hosted repository.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/hook.sh"

hook_conf <<-END
	[access]
		allow = * * *
END
start_notes
bare=$T/hosted/lab/r.git
w=$T/w
git init -q --bare -b main "$bare"
git init -q -b main "$w"

# again: the work tree is at what the repository has.
again() { git -C "$w" reset -q --hard base && git -C "$w" checkout -q main &&
	git -C "$w" reset -q --hard base; }
# clean_of NAME N: the token is nowhere in the repository.
clean_of() {
	! git -C "$bare" cat-file --batch-all-objects --batch --unordered |
		grep -aqF "$(token "$2")" &&
		! find "$bare" -name 'tmp_objdir*' | grep -q . &&
		! grep -raqF "$(token "$2")" "$bare"
	result $? "$1: nothing of it was kept"
}
# caught NAME N REGEX PUSH...: refused, and said as REGEX.
caught() {
	local name=$1 n=$2 regex=$3
	shift 3
	no "$name is refused" push "$w" lab/r "$@"
	like "$name: where" "$regex"
	refused secret-found
	clean_of "$name" "$n"
}

commit "$w" readme "some words"
commit "$w" src/a.c "int a;"
ok "a clean push passes" push "$w" lab/r main
is "it arrived" "$(tip "$bare" main)" "$(tip "$w" main)"
ok "a push that brings nothing passes" push "$w" lab/r main:copy
git -C "$w" tag base

for UNPACK in 100 1; do
	say="unpackLimit $UNPACK"
	again
	commit "$w" src/a.c "key = $(token 1)"
	sha=$(tip "$w" HEAD | cut -c1-12)
	git -C "$w" checkout -q base -- src/a.c
	commit "$w" src/b.c "removed again"
	caught "$say: a secret that the next commit removes" 1 \
		"src/a.c:2:7 +in $sha by Ada" main
	like "the rule and fingerprint are named" "fingerprint [0-9a-f]{40}"
	like "what to do is said" "git rebase -i"
done
unset UNPACK
again
commit "$w" x x "log in with $(token 2)"
caught "a secret in a commit message" 2 "commit message:1:13" main

again
git -C "$w" tag -f -am "opens with $(token 3)" t3 >/dev/null
caught "a secret in a tag message" 3 "tag message:1:12" t3

again
commit "$w" "dir/$(token 4)/file" text
caught "a secret in a path name" 4 "path name dir/ghp_" main

again
git -C "$w" branch -f "x-$(token 5)" base
try push "$w" lab/r "x-$(token 5)"
[ $rc -ne 0 ] && grep -aq "ref refs/heads/x-ghp_.* (40 bytes):1" "$T/said"
result $? "a secret in a reference name is refused"
refused secret-found
# git's client itself repeats the name of the reference; the gate must not
! grep '^remote: [^e]' "$T/said" | grep -aqF "$(token 5)"
result $? "the gate does not repeat it"
grep -avF "$(token 5)" "$T/all" >"$T/kept" && cp "$T/kept" "$T/all"

again
git -C "$w" checkout -qb side base
commit "$w" src/a.c "side"
git -C "$w" checkout -q main
commit "$w" src/a.c "main"
git -C "$w" merge -q side >/dev/null 2>&1
printf 'int a;\nboth %s\n' "$(token 6)" >"$w/src/a.c"
git -C "$w" commit -qam "merge side"
caught "a secret in a merge's resolution" 6 "src/a.c:2:6" main

again
printf '\0\1\2bin\0%s\0\377' "$(token 7)" >"$w/blob.bin"
git -C "$w" add -A && git -C "$w" commit -qm binary
caught "a secret in a binary file" 7 "blob.bin:1:8" main

again
ln -s "/x/$(token 8)" "$w/link"
git -C "$w" add -A && git -C "$w" commit -qm link
caught "a secret in a symbolic link" 8 "link:1:4" main

# a pack may hold more than its references reach
pkt() { printf '%04x%s' $((${#1} + 4)) "$1"; }
again
commit "$w" plain text
blob=$(token 9 | git -C "$w" hash-object -w --stdin)
new=$(tip "$w" main)
{ git -C "$w" rev-list --objects base..main | cut -d' ' -f1; echo "$blob"; } |
	git -C "$w" pack-objects -q --stdout >"$T/pack" 2>/dev/null
line="$(tip "$bare" main) $new refs/heads/main"
{
	printf '%04x%s\0report-status' $((${#line} + 18)) "$line"
	printf 0000
	cat "$T/pack"
} >"$T/request"
sneak() { "$T/receive" "$bare" <"$T/request" >"$T/answer" 2>&1; cat "$T/answer"; }
try sneak
cat "$T/said" >>"$T/all"
like "an unreachable object of the pack is scanned" \
	"unreachable object $blob:1:1"
like "that push is refused" "code=secret-found retry=no findings=1 id=$ID"
is "and did not arrive" "$(tip "$bare" main)" "$(tip "$w" base)"
clean_of "the unreachable object" 9

again
for i in 1 2 3; do commit "$w" "f$i" "is $(token 1$i)"; done
caught "several secrets" 11 "^remote: 3 secrets found" main
like "are all named" "f3:1:4"
like "and counted" "findings=3"

# an old leak: it came before there was a gate
again
commit "$w" old.txt "was here $(token 20)"
commit "$w" old.txt "second line"
git -C "$w" push -q "$bare" main
git -C "$w" tag -f base >/dev/null
commit "$w" old.txt "third line"
ok "an old secret in an untouched line passes" push "$w" lab/r main
sed -i 's/^was here/	&/' "$w/old.txt"
git -C "$w" commit -qam "re-indent"
ok "an old secret in a re-indented line passes" push "$w" lab/r main
git -C "$w" rm -q old.txt && git -C "$w" commit -qm "remove it"
ok "removing an old secret passes" push "$w" lab/r main
git -C "$w" revert --no-edit HEAD >/dev/null
ok "bringing back an old file passes" push "$w" lab/r main
git -C "$w" tag -f base >/dev/null
sed -i "s/^second/$(token 21)/" "$w/old.txt"
git -C "$w" commit -qam "another"
no "a new secret beside an old one is refused" push "$w" lab/r main
like "and it alone" "^remote: 1 secret found"
again
commit "$w" copy.txt "same $(token 20)"
no "an old secret in another file is refused" push "$w" lab/r main

# left over: in the store, but of no reference
again
commit "$w" left "over $(token 22)"
git -C "$w" push -q "$bare" main:gone && git -C "$bare" branch -qD gone
no "an object that only was left in the store is scanned" \
	push "$w" lab/r main
like "and found" "left:1:6"
# a packed reference that is out of date hides nothing
git -C "$w" push -q "$bare" main:late
git -C "$bare" pack-refs --all
git -C "$bare" update-ref refs/heads/late "$(tip "$w" base)"
no "nor does a packed reference that has been rewound hide it" \
	push "$w" lab/r main
like "it is found again" "left:1:6"
git -C "$bare" gc -q --prune=now

ok "a refused push leaves the branch as it was" \
	test "$(tip "$bare" main)" = "$(tip "$w" base)"
ok "no secret was said or logged" \
	hidden 1 2 3 4 5 6 7 8 9 11 12 13 20 21 22
comes "the log has the audit record" \
	"^log $ID info audit verdict=refused code=secret-found.*fingerprint=" \
	"$T/notes"
comes "and each reference's" \
	"info audit verdict=refused code=secret-found op=update repo=lab/r \
ref=refs/heads/main who=agent-1 rule=$CONF:[0-9]+ detail=[0-9a-f]{40}\.\." \
	"$T/notes"
comes "the gate hears of the stage" "^stage $ID scan$" "$T/notes"
done_testing
