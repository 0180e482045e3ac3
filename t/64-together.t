#!/bin/bash
# Many clients at once: first clones that meet, pushes beside each other, a
# race for one branch that exactly one wins, an upstream that moves between
# the advertisement and the push; and whoever pushed sees the push at once.
. "${SOURCE:?}/t/lib.sh"

start_sshd
upstream acme/web
fill acme/web
up=$T/up/acme/web.git
conf <<-END
	[repo "acme/*"]
		upstream = ssh
	[access]
		allow = fetch,push * *
END
start_gate
start_web nginx
web=$GATE/acme/web

# all NAME COMMAND...: eight at once, each with its number as last argument;
# their statuses go to $statuses, their words to $T/NAME.N
all() {
	local name=$1 i pids=()
	shift
	for i in 1 2 3 4 5 6 7 8; do
		"$@" $i >"$T/$name.$i" 2>&1 &
		pids+=($!)
	done
	statuses=
	for i in "${pids[@]}"; do
		wait "$i"
		statuses="$statuses $?"
	done
	cat "$T/$name".? >"$T/said"
}
none=' 0 0 0 0 0 0 0 0'

clone() { git clone -q "$web" "$T/c$1"; }
all clone clone
is "eight first clones at once" "$statuses" "$none"
is "all have the same" "$(cat "$T"/c?/.git/refs/heads/main | sort -u)" \
	"$(tip "$up" main)"

own() {
	commit "$T/c$1" "file$1" "by $1"
	git -C "$T/c$1" push -q origin "HEAD:refs/heads/own$1" &&
		[ "$(git ls-remote "$web" "refs/heads/own$1" | cut -f1)" = \
			"$(tip "$T/c$1" HEAD)" ]
}
all own own
is "eight pushes at once, each seen by who pushed it" "$statuses" "$none"
for i in 1 2 3 4 5 6 7 8; do tip "$up" "own$i"; done >"$T/said"
is "all are upstream" "$(sort -u <"$T/said" | grep -c .)" 8

race() { git -C "$T/c$1" push -q origin HEAD:main; }
all race race
is "eight pushes to one branch: one wins" \
	"$(grep -o ' 0' <<<"$statuses" | grep -c .)" 1
is "each of the others is told" "$(grep -lE 'rejected\]' "$T"/race.? |
	grep -c .)" 7
main=$(tip "$up" main)
winner=0
for i in 1 2 3 4 5 6 7 8; do
	[ "$(tip "$T/c$i" HEAD)" != "$main" ] || winner=$i
done
is "upstream has the winner's" "$(tr ' ' '\n' <<<"$statuses" | sed 1d |
	sed -n "${winner}p")" 0
is "the gate shows it" "$(refs "$web")" "$(refs "$up")"

# somebody pushes past the gate between the advertisement and the push
git clone -q "$web" "$T/late"
commit "$T/late" late "mine"
commit "$T/author/acme/web" other "theirs"
git -C "$T/author/acme/web" pull -q --rebase origin main
cat >"$T/late/.git/hooks/pre-push" <<-END
	#!/bin/sh
	env -u GIT_DIR git -C "$T/author/acme/web" push -q origin HEAD:main
END
chmod +x "$T/late/.git/hooks/pre-push"
no "upstream moved meanwhile: the push is refused" \
	git -C "$T/late" push origin main
like "upstream moved meanwhile: the machine's line says try again" \
	'git-gate: refused code=upstream-stale retry=yes'
is "upstream moved meanwhile: theirs stays" "$(tip "$up" main)" \
	"$(tip "$T/author/acme/web" HEAD)"
is "upstream moved meanwhile: the gate shows theirs" "$(refs "$web")" \
	"$(refs "$up")"
rm "$T/late/.git/hooks/pre-push"
ok "fetch and rebase" git -C "$T/late" pull -q --rebase origin main
ok "then the push works" git -C "$T/late" push origin main
is "then both are upstream" "$(tip "$up" main)" "$(tip "$T/late" main)"

# fetches beside pushes: each push is seen at once, none is taken back
fetches() { local i; for i in 1 2 3 4 5; do refs "$web" >/dev/null; done; }
turns() {
	[ "$1" -le 2 ] || { fetches; return; }
	[ "$1" -eq 2 ] && set -- late || set -- again
	[ "$1" = late ] || git clone -q "$web" "$T/$1"
	local i
	for i in 1 2 3 4 5; do
		commit "$T/$1" "$1" "turn $i"
		git -C "$T/$1" push -q origin "HEAD:refs/heads/turn-$1" || return 1
		[ "$(git ls-remote "$web" "refs/heads/turn-$1" | cut -f1)" = \
			"$(tip "$T/$1" HEAD)" ] || return 2
	done
}
all turns turns
is "pushes among fetches: each is seen at once" "$statuses" "$none"
is "pushes among fetches: the gate shows all" "$(refs "$web")" "$(refs "$up")"
mirror=$(find "$T/state/mirrors" -name '*.git' -prune)
ok "the mirror passes fsck" git -C "$mirror" fsck --no-dangling
unlike "the log is free of sanitizer reports" \
	'Sanitizer|runtime error' "$T/gate.log"
stop gate
is "the gate ends cleanly" $rc 0
done_testing
