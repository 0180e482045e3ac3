#!/bin/bash
# A clean push that could not be delivered since the upstream could not be
# reached is refused, and kept for the operator where that is configured, within
# its bounds; `git gate deliver` sends it as it was meant, or says why not. The
# upstream is an sshd that is stopped and started again.
. "${SOURCE:?}/t/lib.sh"

start_sshd
for r in acme/web acme/new acme/big; do upstream $r; done
fill acme/web
up=$T/up/acme/web.git
author=$T/author/acme/web
git clone -q --bare "$up" "$T/copy"
git -C "$T/copy" push -q --all "$T/up/acme/big.git" 2>/dev/null
mkdir -p "$T/tmpfs"
PARK=$T/park
# park_conf LINES: [push] and more from the arguments. The upstream is asked by
# who pushes; each command has a connection of its own, so that none outlives
# its sshd.
park_conf() {
	local line
	conf <<-END
		$(for line; do printf '\t%s\n' "$line"; done)
		[session]
			forwardTimeout = ${FORWARD:-1s}
		[upstream "net"]
			url = ssh://$ME@127.0.0.1:$SSHD_PORT$T/up/
			identityFile = $T/ssh/id
			knownHosts = $T/ssh/known_hosts
			controlPersist = ${PERSIST:-0s}
		[repo "acme/*"]
			upstream = net
			fresh = offline-ok
		[access]
			allow = * * *
	END
	# for the operator's command, which may take its time
	sed 's/forwardTimeout = 1s/forwardTimeout = 30s/' "$T/gate.conf" \
		>"$T/deliver.conf"
}
deliver() {
	timeout -k 5 60 "$BUILD/git-gate" deliver -c "${CONF:-$T/deliver.conf}" "$@"
}
# exits STATUS NAME COMMAND...
exits() {
	local want=$1 name=$2
	shift 2
	try "$@"
	[ $rc -eq "$want" ]
	result $? "$name" || diag "its exit status is $rc"
}
down() { stop sshd; }
up() {
	start sshd /usr/sbin/sshd -D -e -f "$T/ssh/sshd_config"
	wait_for 10 listens "$SSHD_PORT" || die "sshd does not start again"
}
# What is kept: "ID.bundle ID.push ..."
kept() { (cd "$PARK" && ls | grep -v lock | xargs); }
# The id of the push that was just refused.
id_of() { sed -n 's/.*refused .*id=\([0-9a-f]*\).*/\1/p' "$T/said" | tail -n 1; }
heads() { git -C "${1:-$up}" for-each-ref --format='%(refname) %(objectname)'; }

# --- off by default ----------------------------------------------------------------

park_conf
start_gate
start_web nginx
for r in web new big; do
	ok "a clone of $r" git clone -q "$GATE/acme/$r" "$T/$r"
	git -C "$T/$r" checkout -qB main
done
w=$T/web
mirror=$(echo "$T"/state/mirrors/*"$T/up/acme/web.git")
commit "$w" README "one"
down
before=$(heads "$mirror")
no "a push is refused while the upstream is down" \
	git -C "$w" push "$GATE/acme/web" HEAD:main
like "with its code" 'refused code=upstream-(unreachable|timeout) retry=yes'
# of a second two are through, and the pause; what is left is too short
unlike "and no try is begun that could not be ended" 'trying again \(3 of 5\)'
unlike "and nothing is said of parking" 'park'
exits 3 "nothing can be delivered without [push] park" deliver
like "which is said" 'has no \[push\] park'
is "nothing is written" "$(find "$T/state" -name '*.bundle*' -o -name '*.push*')" ""
stop gate

# --- kept ----------------------------------------------------------------------------

park_conf "[push]" "park = $PARK" "parkMax = 6" "parkSize = 100k"
start_gate
is "the directory is made, for its user alone" "$(stat -c %a "$PARK")" 700
git -C "$w" branch topic HEAD~2
odd="refs/heads/a;b\$(x)'\"#|é"
no "a push of three references" git -C "$w" push "$GATE/acme/web" \
	HEAD:main topic "HEAD~1:$odd"
like "it is refused" 'refused code=upstream-(unreachable|timeout) retry=yes'
like "and said to be parked" \
	'remote: git-gate: (it is not on the upstream; )?it is kept .* as [0-9a-f]{16}; pushing again'
like "for programs too" 'refused code=.* parked=yes.* id='
first=$(id_of)
is "there is a bundle and a note" "$(kept)" "$first.bundle $first.push"
is "that others cannot read" "$(stat -c %a "$PARK"/*[hn] | sort -u)" 600
ok "the bundle is one" git -C "$mirror" bundle verify "$PARK/$first.bundle"
is "of what was pushed" "$(git bundle list-heads "$PARK/$first.bundle" | sort)" \
	"$({
		echo "$(tip "$w" HEAD) refs/heads/main"
		echo "$(tip "$w" topic) refs/heads/topic"
		echo "$(tip "$w" HEAD~1) $odd"
	} | sort)"
is "and builds on what the upstream has" \
	"$(sed -n '/^$/q; s/^-//p' "$PARK/$first.bundle" | sort)" \
	"$({ tip "$up" main; tip "$w" topic; } | sort -u)"
zero=0000000000000000000000000000000000000000
is "the note says of whom, where to, and what" \
	"$(sed 's/^time 20..-..-..T..:..:..Z$/time/' "$PARK/$first.push" | sort)" \
	"$({
		printf '%s\n' 'git-gate push 1' "id $first" time 'who -' \
			'repository acme/web' 'upstream net' \
			"bundle $(stat -c %s "$PARK/$first.bundle")"
		echo "update $(tip "$up" main) $(tip "$w" HEAD) refs/heads/main"
		echo "create $zero $(tip "$w" topic) refs/heads/topic"
		echo "create $zero $(tip "$w" HEAD~1) $odd"
	} | sort)"
is "the mirror is as it was" "$(heads "$mirror")" "$before"
no "the same push again" git -C "$w" push "$GATE/acme/web" \
	HEAD:main topic "HEAD~1:$odd"
like "is parked already" "it is parked already for .* as $first; "
like "which programs are told" 'refused code=.* parked=yes.* id='
is "and not kept twice" "$(kept)" "$first.bundle $first.push"
git -C "$w" tag -am one one HEAD~3
no "a deletion with a tag and push options" git -C "$w" push -o 'ci "x" \y' \
	"$GATE/acme/web" :side one
unlike "whose options are not allowed is not kept" 'parked|kept'
no "without them" git -C "$w" push "$GATE/acme/web" :side one
second=$(id_of)
no "a deletion alone" git -C "$w" push "$GATE/acme/web" :light
third=$(id_of)
ok "has no bundle" test ! -e "$PARK/$third.bundle" -a -e "$PARK/$third.push"
git -C "$w" checkout -q --orphan other
git -C "$w" commit -qm "of nothing"
no "a rewind to what builds on nothing" git -C "$w" push -f "$GATE/acme/web" \
	HEAD:side
fourth=$(id_of)
like "is kept as one" '^rewind ' "$PARK/$fourth.push"
ok "its bundle is whole" git -C "$mirror" bundle verify "$PARK/$fourth.bundle"
git -C "$w" checkout -q main

# --- counted -------------------------------------------------------------------------

try "$BUILD/git-gate" status -c "$T/gate.conf"
like "status counts them" 'parked: 4 pushes, [1-9][0-9]* bytes'
ok "a list" deliver --list
is "has a line for each, oldest first" "$(cut -d' ' -f1 "$T/out" | xargs)" \
	"ID $first $second $third $fourth"
like "with client, repository and references" \
	"^$third +[0-9]+s +[0-9]+ +- +acme/web +delete refs/tags/light\$|^$third .*light"
before=$(heads)
exits 1 "delivering while the upstream is down" deliver
like "says so" "$first: not delivered: .*cannot be reached"
like "and does not try it for each" "$second: not tried"
like "with the cause" "$first: not delivered: .*\(upstream-[a-z]*: .*[Cc]onn"
like "and the sum" '^0 delivered, 1 not delivered, 3 not tried$'
unlike "and no word of it twice" 'trying again|warning|audit'
like "the client has a name" "^$first: acme/web, 3 references by nobody \(-\)"
exits 1 "an id that there is none of" deliver nosuchid
like "is said here" 'no parked push has the id nosuchid'
unlike "and not in the gate's log" 'nosuchid' "$T/gate.log"
is "all of them stay" "$(kept | wc -w)" 7

# --- bounds ----------------------------------------------------------------------------

head -c 120000 /dev/urandom >"$T/big/random"
commit "$T/big" README "large"
no "a push that is larger than parkSize" git -C "$T/big" push "$GATE/acme/big" \
	HEAD:large
like "is refused" 'refused code=upstream-(unreachable|timeout)'
like "and not parked, which is said" 'not parked: there is no room'
is "nothing of it is left" "$(kept | wc -w)" 7
git -C "$T/big" reset -q --hard HEAD~1
# four at once, while one writes: they find two places
failed_pushes() {
	grep -cE 'acme/big: push to upstream .net.: upstream-' "$T/gate.log"
}
all_wait() { [ "$(failed_pushes)" -ge $((before_them + 4)) ]; }
before_them=$(failed_pushes)
start holder perl -e 'open F, ">>", shift or die; flock F, 2 or die;
	open F2, ">", shift or die; sleep 60' "$PARK/lock" "$T/locked"
wait_for 10 test -e "$T/locked"
for i in 1 2 3 4; do
	start "bound$i" git -C "$T/big" push "$GATE/acme/big" "HEAD:refs/heads/b$i"
done
wait_for 8 all_wait
is "nothing is kept while another writes" "$(kept | wc -w)" 7
stop holder
for i in 1 2 3 4; do
	wait_for 30 gone "${PID[bound$i]}"
	stop "bound$i"
	[ $rc -ne 0 ] || diag "push $i was not refused"
done
is "of four at once, as many are kept as parkMax allows" \
	"$(ls "$PARK"/*.push | wc -l) $(cat "$T"/bound?.log | grep -c 'it is kept for')" \
	"6 2"
is "and the others are told" "$(cat "$T"/bound?.log | grep -c 'no room')" 2
comes "the log names the key" 'parkMax' "$T/gate.log"
ok "one is removed" deliver --drop "$(deliver --list | tail -n 1 | cut -d' ' -f1)"
ok "and another" deliver --drop "$(deliver --list | tail -n 1 | cut -d' ' -f1)"
exits 1 "but none twice" deliver --drop 0123456789abcdef
exits 2 "nor all for a word too few" deliver --drop
like "which is said" 'drop needs at least one ID'

# What was ended half-way is removed by the next that is kept.
touch "$PARK/00000000000000aa.bundle.tmp" "$PARK/00000000000000aa.push.tmp"
sed "s/$first/00000000000000ab/" "$PARK/$first.push" >"$PARK/00000000000000ab.push"
commit "$T/big" README "small"
no "the next push" git -C "$T/big" push "$GATE/acme/big" HEAD:small
small=$(id_of)
is "leaves what is whole" "$(kept)" "$(printf '%s\n' "$first.bundle" "$first.push" \
	"$second.bundle" "$second.push" "$third.push" "$fourth.bundle" \
	"$fourth.push" "$small.bundle" "$small.push" | sort | xargs)"

# A disk that is full, where one can be mounted; parkSize is a limit that each
# write meets, too.
for i in $(seq 40); do head -c 3000 /dev/urandom >"$T/big/r$i"; done
commit "$T/big" README "many"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=64k,mode=700 park "$T/tmpfs" \
	2>/dev/null; then
	stop gate
	park_conf "[push]" "park = $T/tmpfs"
	start_gate
	no "a push for which the disk is full" git -C "$T/big" push \
		"$GATE/acme/big" HEAD:many
	like "is not parked" 'not parked: there is no room'
	is "and leaves nothing" "$(ls "$T/tmpfs" | xargs)" "lock"
	stop gate
	umount "$T/tmpfs"
	start_gate
fi
rm -f "$T"/big/r*
git -C "$T/big" reset -q --hard HEAD~1

# --- delivered -----------------------------------------------------------------------

stop gate
park_conf "[push]" "park = $PARK"
start_gate
up
# The configuration of now decides.
sed 's/allow = .*/allow = fetch,push,rewind * */' "$T/deliver.conf" >"$T/less.conf"
CONF=$T/less.conf exits 1 "what is not allowed any more" deliver "$third"
like "is refused" "$third: refused: delete of refs/tags/light is not allowed"
like "by no rule, and stays" "nobody \(-\) any more \(no rule\); it stays parked"
sed 's/allow = .*/deny = delete * *\n&/' "$T/deliver.conf" >"$T/deny.conf"
CONF=$T/deny.conf exits 1 "what a rule denies" deliver "$third"
like "names the rule" "\($T/deny.conf:[0-9]*: deny = delete \* \*\); it stays"
sed 's/"acme/"other/' "$T/deliver.conf" >"$T/none.conf"
CONF=$T/none.conf exits 1 "and what is not configured" deliver "$third"
sed 's/"net"/"web"/;s/= net/= web/' "$T/deliver.conf" >"$T/moved.conf"
CONF=$T/moved.conf exits 1 "and what goes elsewhere" deliver "$third"
like "which is said" 'it was for the upstream "net"'
is "nothing has gone" "$(heads)" "$before"

ok "one of them" env GIT_DIR=/nowhere GIT_PUSH_OPTION_COUNT=1 \
	GIT_PUSH_OPTION_0=x timeout 60 "$BUILD/git-gate" deliver \
	-c "$T/deliver.conf" "$first"
like "says so" "^$first: delivered"
like "for each reference" "^$first: create refs/heads/topic: delivered\$"
is "once" "$(grep -c "refs/heads/topic" "$T/said")" 1
like "and in all" '^1 delivered, 0 not delivered, 0 not tried$'
unlike "the record is the gate's" 'audit' "$T/err"
like "with the upstream's words" "^$first: upstream: Create a pull request"
is "brings exactly its references" "$(heads)" "$({
	sed "/^refs.heads.main /d" <<<"$before"
	echo "refs/heads/main $(tip "$w" HEAD)"
	echo "refs/heads/topic $(tip "$w" topic)"
	echo "$odd $(tip "$w" HEAD~1)"
} | sort)"
ok "whole" git -C "$up" fsck --connectivity-only
is "is removed" "$(ls "$PARK" | grep -c "$first")" 0
wait_for 10 grep -q "code=delivered.*id=$first" "$T/gate.log"
like "and is in the gate's log" \
	"audit verdict=allowed code=delivered op=update repo=acme/web .*id=$first" \
	"$T/gate.log"
is "leaves no repository" "$(ls "$T/state" | grep -c deliver)" 0

# The upstream's branch moves: the rewind's lease is lost. Its mirror is gone.
commit "$author" file "meanwhile"
git -C "$author" push -qf origin HEAD:side 2>/dev/null
moved=$(tip "$up" side)
rm -rf "$mirror"
exits 1 "all others but those whose reference has moved" deliver
like "that with a deletion too many says so" \
	"$second: delete refs/heads/side: it has moved on the upstream\$"
unlike "and no word for its client" 'fetch first'
like "and what to do" "$second: not delivered: .*push again, .*--drop $second"
like "and the sum" '^2 delivered, 2 not delivered, 0 not tried$'
like "so does the rewind" "$fourth: not delivered: a reference has moved"
like "a deletion is delivered" "$third: delivered"
is "it is gone" "$(tip "$up" refs/tags/light)" ""
is "what moved is untouched" "$(tip "$up" side)" "$moved"
is "all or nothing" "$(tip "$up" refs/tags/one)" ""
is "a branch of another repository is there" "$(tip "$T/up/acme/big.git" small)" \
	"$(tip "$T/big" HEAD)"
is "those two stay" "$(ls "$PARK"/*.push | wc -l)" 2
ok "and are dropped" deliver --drop "$second" "$fourth"
ok "then there is nothing to do" deliver
like "which is said" '^nothing is parked'
is "nothing is left" "$(kept)" ""

# --- without a mirror; twice at once; killed ----------------------------------------

down
commit "$w" README "two"
no "a push to be fetched for" git -C "$w" push "$GATE/acme/big" HEAD:late
up
# the upstream is slow, so that there are two at once
cat >"$T/up/acme/big.git/hooks/pre-receive" <<-END
	#!/bin/sh
	touch "$T/asked"
	n=0
	until [ -e "$T/go" ] || [ \$n -gt 1500 ]; do sleep 0.02; n=\$((n + 1)); done
END
rm -rf "$T"/state/mirrors/*"$T"/up/acme/big.git
start slow "$BUILD/git-gate" deliver -c "$T/deliver.conf"
ok "a delivery that takes time" wait_for 20 test -e "$T/asked"
exits 3 "keeps another away" deliver
like "which is told" 'another git-gate deliver is at work'
ok "but not its list" deliver --list
{ kill -KILL "${PID[slow]}"; wait "${PID[slow]}"; } 2>/dev/null
unset "PID[slow]"
touch "$T/go"
wait_for 20 tip "$T/up/acme/big.git" late
ok "one that was killed is taken up by the next" deliver
like "which finds it delivered" ': already upstream; removed'
is "it is there" "$(tip "$T/up/acme/big.git" late)" "$(tip "$w" HEAD)"
is "and not kept" "$(kept)" ""
is "nor is its repository" "$(ls "$T/state" | grep -c deliver)" 0

# Push options go along; and a connection that is shared does not hold it up.
stop gate
PERSIST=10m park_conf "[push]" "park = $PARK"
sed -i 's/^fresh = offline-ok/&\npushOptions = */' "$T/gate.conf" "$T/deliver.conf"
start_gate
git -C "$T/new" commit -q --allow-empty -m first
down
no "the first push to an empty repository" git -C "$T/new" push \
	-o 'ci "x" \y' -o plain "$GATE/acme/new" HEAD:main
like "is kept" 'it is kept for'
up
ok "and delivered" bash -c '"$@" | cat; exit "${PIPESTATUS[0]}"' - \
	timeout -k 5 60 "$BUILD/git-gate" deliver -c "$T/deliver.conf"
is "it is there" "$(tip "$T/up/acme/new.git" main)" "$(tip "$T/new" HEAD)"
is "with its options" "$(cat "$T/up/acme/new.git/options")" \
	"$(printf '%s\n' 'ci "x" \y' plain)"
is "and the gate shows it" "$(git ls-remote -q "$GATE/acme/new" main | cut -f1)" \
	"$(tip "$T/new" HEAD)"

# --- delivered by others ---------------------------------------------------------------

# with connections that end with their sshd again
stop gate
is "the gate ends cleanly" $rc 0
park_conf "[push]" "park = $PARK"
start_gate
commit "$w" README "three"
ok "a mirror to begin from" git ls-remote -q "$GATE/acme/web"
down
no "a push that its client does again" git -C "$w" push "$GATE/acme/web" HEAD:main
again=$(id_of)
no "a rewind" git -C "$w" push -f "$GATE/acme/web" HEAD~3:main
back=$(id_of)
up
ok "when the upstream is back" git -C "$w" push -q "$GATE/acme/web" HEAD:main
commit "$w" README "four"
ok "and more upon it" git -C "$w" push -q "$GATE/acme/web" HEAD:main
ok "is no failure later" deliver "$again"
like "but there already" "^$again: already upstream; removed\$"
like "and counted" '^1 delivered, 0 not delivered'
is "and gone" "$(kept)" "$back.bundle $back.push"
exits 1 "the rewind is not" deliver "$back"
is "and does nothing" "$(tip "$up" main)" "$(tip "$w" HEAD)"
ok "it is dropped" deliver --drop "$back"

# --- damaged ---------------------------------------------------------------------------

down
for i in 1 2 3 4; do
	no "push $i" git -C "$w" push "$GATE/acme/web" "HEAD:refs/heads/d$i"
	declare "d$i=$(id_of)"
done
up
rm "$PARK/$d1.bundle" "$PARK/$d2.push"
echo "x" >>"$PARK/$d3.push"
exits 3 "a list of what is damaged" deliver --list
like "has what is whole" "^$d4 "
like "and names a note alone" "^$d1: the note has no bundle.*--drop $d1\$"
like "a bundle alone" "^$d2: the bundle has no note.*bundle verify .*--drop $d2\$"
like "a bad note" "^$d3: .*is damaged and cannot be delivered.*verify .*--drop $d3\$"
try "$BUILD/git-gate" status -c "$T/gate.conf"
like "status counts likewise" '^parked: 1 push, [0-9]+ bytes, and 3 damaged; '
exits 3 "delivering" deliver
like "sends what is whole" "^$d4: delivered"
like "and names the rest" "^$d3: .*is damaged"
ok "they are dropped" deliver --drop "$d1" "$d2" "$d3"
is "and nothing is left" "$(kept)" ""
ok "an empty list" deliver --list
is "says nothing in a pipe" "$(cat "$T/said")" ""

# --- a directory that goes, or is another's ----------------------------------------------

mv "$PARK" "$T/park.old"
try "$BUILD/git-gate" status -c "$T/gate.conf"
like "no directory, nothing parked" '^parked: 0 pushes, 0 bytes$'
echo >"$PARK"
try "$BUILD/git-gate" status -c "$T/gate.conf"
like "one that cannot be read is no empty one" \
	'^parked: cannot be read: Not a directory$'
rm "$PARK"
down
no "a push" git -C "$w" push "$GATE/acme/web" HEAD:refs/heads/e1
like "makes it again" 'it is kept for'
is "for its user alone" "$(stat -c %a "$PARK")" 700
comes "which is logged" 'park: was not there any more; made again' "$T/gate.log"
up
stop gate
ok "without a responder" deliver
like "the record is on standard error" 'audit verdict=allowed code=delivered' "$T/err"
if [ "$(id -u)" -eq 0 ]; then
	chown nobody "$PARK"
	exits 3 "as another user" deliver
	like "says whose it is and what to do" \
		"$T/deliver.conf:[0-9]+: park $PARK belongs to nobody, .*su -s .* nobody\$"
fi
done_testing
