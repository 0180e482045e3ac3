#!/bin/bash
# While a push is on its way to a slow upstream: others fetch what the upstream
# has, and push; the push's own reference is as it was until the push has
# ended, and then as the upstream has it, whatever was refreshed meanwhile.
. "${SOURCE:?}/t/lib.sh"

upstream acme/web
fill acme/web
up=$T/up/acme/web.git
author=$T/author/acme/web
# It takes its time over refs/heads/agent/slow alone.
cat >"$up/hooks/pre-receive" <<-END
	#!/bin/sh
	grep -q agent/slow || exit 0
	echo >"$T/asked"
	until [ -e "$T/go" ]; do sleep 0.02; done
END
conf <<-END
	[repo "acme/*"]
		upstream = file
	[access]
		allow = * * *
END
start_gate
start_web nginx
ok "a clone" git clone -q "$GATE/acme/web" "$T/web"
commit "$T/web" README "slow"
# what the gate advertises for a reference, in time
gate_ref() {
	env LIMIT=10 timeout 10 git ls-remote -q "$GATE/acme/web" "$1" | cut -f1
}
ok "a push" git -C "$T/web" push -q "$GATE/acme/web" HEAD:refs/heads/agent/old
# slowly REFSPEC...: such a push, until its upstream is busy with it
slowly() {
	rm -f "$T/go" "$T/asked"
	start slow git -C "$T/web" push "$GATE/acme/web" "$@"
	wait_for 15 test -e "$T/asked"
}
ended() {
	touch "$T/go"
	stop slow 0 20
	[ $rc -eq 0 ]
}

# --- a branch that is made -------------------------------------------------------

ok "a push that the upstream is slow to take" slowly HEAD:refs/heads/agent/slow
commit "$author" src/file1 "meanwhile"
git -C "$author" push -q origin main :side 2>/dev/null
is "others see what the upstream has" "$(gate_ref refs/heads/main)" \
	"$(tip "$up" main)"
is "and has no more" "$(gate_ref refs/heads/side)" ""
is "but not what it has not taken" "$(gate_ref refs/heads/agent/slow)" ""
ok "another push does not wait" env LIMIT=10 timeout 10 \
	git -C "$T/web" push -q "$GATE/acme/web" HEAD:refs/heads/agent/quick
is "and is seen" "$(gate_ref refs/heads/agent/quick)" "$(tip "$T/web" HEAD)"
ok "the slow one succeeds" ended
is "and is upstream" "$(tip "$up" agent/slow)" "$(tip "$T/web" HEAD)"
is "and is seen" "$(gate_ref refs/heads/agent/slow)" "$(tip "$T/web" HEAD)"

# --- of many references ----------------------------------------------------------

commit "$T/web" README "of many branches"
ok "a push of 400 branches" slowly HEAD:refs/heads/agent/slow \
	$(seq -f HEAD:refs/heads/agent/many/%g 400)
commit "$author" src/file1 "meanwhile, again"
git -C "$author" push -q origin main 2>/dev/null
is "others see what the upstream has" "$(gate_ref refs/heads/main)" \
	"$(tip "$up" main)"
is "but nothing of it" "$(gate_ref 'refs/heads/agent/many/*')" ""
ok "another push does not wait" env LIMIT=10 timeout 10 \
	git -C "$T/web" push -q "$GATE/acme/web" HEAD:refs/heads/agent/quick2
ok "the large one succeeds" ended
is "and all of it is seen" \
	"$(gate_ref 'refs/heads/agent/many/*' | sort | uniq -c | xargs)" \
	"400 $(tip "$T/web" HEAD)"

# --- that moves, and goes --------------------------------------------------------

old=$(tip "$T/web" HEAD)
commit "$T/web" README "slow again"
ok "an update" slowly HEAD:refs/heads/agent/slow
is "is not seen before" "$(gate_ref refs/heads/agent/slow)" "$old"
# while git waits the hook makes what git would make next
mirror=$(find "$T/state/mirrors" -name web.git)
coming=$(cd "$mirror/objects" && ls -d ./*incoming-*/[0-9a-f][0-9a-f])
no "its objects wait" test -z "$coming"
ok "for directories that are there" wait_for 10 \
	ls -d $(sed "s|.*/|$mirror/objects/|" <<<"$coming")
ok "succeeds" ended
is "and is seen after" "$(gate_ref refs/heads/agent/slow)" "$(tip "$T/web" HEAD)"
# the upstream goes back by itself: what was known before the push is no news
git -C "$up" update-ref refs/heads/agent/slow "$old"
is "a change upstream to what it was is seen" \
	"$(gate_ref refs/heads/agent/slow)" "$old"
ok "a deletion" slowly :refs/heads/agent/slow
is "is not seen before" "$(gate_ref refs/heads/agent/slow)" "$old"
ok "succeeds" ended
is "and is seen after" "$(gate_ref refs/heads/agent/slow)" ""

# --- what an upstream on this machine runs -----------------------------------------

# It would list its own references as those that its quarantine borrows, by a
# program; those of another repository that it borrows from it is to list.
git -C "$up" config core.alternateRefsCommand "echo >>$T/listed; true"
try_new() {
	commit "$T/web" README "$1"
	git -C "$T/web" push -q "$GATE/acme/web" "HEAD:refs/heads/agent/$1"
}
ok "a push to one that borrows from none" try_new alone
no "which lists its own once" test -e "$T/listed"
git clone -q --bare "$up" "$T/lender"
echo "$T/lender/objects" >"$up/objects/info/alternates"
ok "a push to one that borrows" try_new borrower
ok "which lists the other's" test -e "$T/listed"
rm "$up/objects/info/alternates"
git -C "$up" config --unset core.alternateRefsCommand

# --- that is refused upstream ------------------------------------------------------

cat >>"$up/hooks/pre-receive" <<-END
	exit 1
END
ok "one that the upstream will not take" slowly HEAD:refs/heads/agent/slow
is "others are served" "$(gate_ref refs/heads/main)" "$(tip "$up" main)"
no "it fails" ended
is "and is not seen" "$(gate_ref refs/heads/agent/slow)" ""
is "the mirror has what the upstream has" \
	"$(git ls-remote -q "$GATE/acme/web" | sort)" \
	"$(git ls-remote -q "$up" | sort)"
stop gate
is "the gate ends cleanly" $rc 0
done_testing
