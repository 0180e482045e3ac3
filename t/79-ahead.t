#!/bin/bash
# A large push that comes fast: git is at work before the body is whole, and
# what the client does then, dawdle, leave, say more, decides as if it were not.
. "${SOURCE:?}/t/lib.sh"

mkdir -p "$T/hosted/lab" "$T/up"
hook_for_strace
# gate_conf ONE OTHER: settings of sessions
gate_conf() {
	conf <<-END
		[session]
			$1
			$2
		[repo "lab/*"]
			hosted = $T/hosted
		[repo "far"]
			upstream = file
		[access]
			allow = * * *
	END
}
gate_conf "queueTimeout = 2s" "maxPerClient = 2"
for bare in hosted/lab/a hosted/lab/b up/far; do
	git init -q --bare -b main "$T/$bare.git"
done

# A body: a push of a new commit with a file of 12 MB that do not compress.
git init -q -b main "$T/w"
head -c 12000000 /dev/urandom >"$T/w/noise"
git -C "$T/w" add noise
git -C "$T/w" commit -qm large
id=$(tip "$T/w" main)
zero=$(printf '%040d' 0)
# body FILE REF ID: to $T/FILE
body() {
	local line="$zero $3 $2"
	{
		printf '%04x%s\0 report-status side-band-64k0000' \
			$((4 + ${#line} + 29)) "$line"
		git -C "$T/w" pack-objects -q --revs --stdout <<<"$3"
	} >"$T/$1"
}
body good refs/heads/main "$id"
some=10000000

# --- what is looked at -----------------------------------------------------------

# gits: those that receive, and what they have
gits() { pgrep -f "receive-pack --stateless-rpc $T/" || true; }
at_work() { [ -n "$(gits)" ]; }
none() { [ -z "$(gits)" ]; }
incoming() { find "$T/hosted" "$T/state" -name 'incoming-*' -o -name 'tmp_objdir-*'; }
clean() { none && [ -z "$(incoming)" ]; }
free() { "$BUILD/git-gate" status -c "$T/gate.conf" | grep -q '^0 of .* 0 at work'; }
hook() { pgrep -P "$(gits | paste -sd,)" -f 'hooks/pre-receive|gate-hook'; }

# begin NAME REPO FILE: a push that is told what to do by `say`
declare -A TO
begin() {
	mkfifo "$T/$1.fifo"
	start "$1" bash -c 'exec perl "$0" "$1" "$2" <"$3"' \
		"$SOURCE/t/pieces.pl" "$GATE/$2" "$T/$3" "$T/$1.fifo"
	exec {fd}>"$T/$1.fifo"
	TO[$1]=$fd
	SAID[$1]=0
}
declare -A SAID
said() { [ "$(grep -c '^done' "$T/$1.log")" -ge "${SAID[$1]}" ]; }
# say NAME WORD...: and wait until it is done
say() {
	echo "${*:2}" >&"${TO[$1]}"
	SAID[$1]=$((SAID[$1] + 1))
	case $2 in
	end | leave) wait_for 30 gone "${PID[$1]}"
		exec {TO[$1]}>&- ;;
	*) wait_for 30 said "$1" ;;
	esac
}
# ahead NAME REPO FILE: such a push, of which so much has come that git is at
# work. Where the machine stood still meanwhile, it may not be: then another.
ahead() {
	local round from
	for round in 1 2 3 4 5; do
		from=$EPOCHREALTIME
		begin "$@"
		say "$1" to $some
		stood_still "$from" || { wait_for 20 at_work; return; }
		wait_for 10 at_work && return
		again "$1"
	done
	return 1
}
# stood_still FROM: what takes a tenth of a second took a half of one
stood_still() { [ $((${EPOCHREALTIME/./} - ${1/./})) -ge 500000 ]; }
again() {
	say "$1" leave
	rm "$T/$1.fifo" "$T/$1.log"
	wait_for 20 clean
}

start_gate
start_web nginx

# --- a good one ------------------------------------------------------------------

ok "git is at work before the body is whole" ahead good lab/a good
is "nothing has moved" "$(tip "$T/hosted/lab/a.git" main)" ""
say good to 0
say good end
like "its client is told" "000eunpack ok" "$T/good.log"
like "and of the reference" "ok refs/heads/main" "$T/good.log"
is "it is there" "$(tip "$T/hosted/lab/a.git" main)" "$id"
ok "nothing is left" wait_for 20 clean
ok "nor a place" wait_for 20 free

try refs "$GATE/far"
ok "so it is where there is an upstream" ahead far far good
say far to 0
say far end
like "upstream: its client is told" "ok refs/heads/main" "$T/far.log"
is "the upstream has it" "$(tip "$T/up/far.git" main)" "$id"

# --- who dawdles, or leaves ------------------------------------------------------

ok "slow: git is at work" ahead slow lab/b good
say slow wait 1.2
say slow to $((some + 1))
ok "slow: it is ended when the client goes on" wait_for 20 clean
ok "slow: its place is free" wait_for 20 \
	sh -c "'$BUILD/git-gate' status -c '$T/gate.conf' | grep -q ' 0 at work'"
say slow to 0
say slow end
like "slow: it is taken all the same" "ok refs/heads/main" "$T/slow.log"
is "slow: it is there" "$(tip "$T/hosted/lab/b.git" main)" "$id"

git -C "$T/hosted/lab/b.git" update-ref -d refs/heads/main
ok "gone: git is at work" ahead gone lab/b good
say gone leave
ok "gone: nothing is left" wait_for 20 clean
ok "gone: nor a place" wait_for 20 free
is "gone: nothing has moved" "$(tip "$T/hosted/lab/b.git" main)" ""

# --- who says more than a push ---------------------------------------------------

# until_hook NAME: a push, all of it, and so much more that the hook is there
until_hook() {
	local n round from
	for round in 1 2 3 4 5; do
		from=$EPOCHREALTIME
		ahead "$1" lab/b good || return
		say "$1" to 0
		# git gets what a pipe holds each time
		for ((n = 0; n < 400; n++)); do
			at_work || break
			! hook || return 0
			say "$1" junk 9000
		done
		stood_still "$from" || break
		again "$1"
	done
	return 1
}
ok "more: the hook is there" until_hook more
is "more: it has let nothing pass" "$(tip "$T/hosted/lab/b.git" main)" ""
ok "more: it waits no longer than queueTimeout" wait_for 20 none
say more end
like "more: the client is told why" "more follows behind" \
	"$T/more.log"
like "more: and that it was not taken" "ng refs/heads/main" "$T/more.log"
is "more: nothing has moved" "$(tip "$T/hosted/lab/b.git" main)" ""
ok "more: nothing is left" wait_for 20 clean

# Whether git writes the objects one by one or keeps the pack (its unpackLimit is
# 100), and whether it began before the end or once all was there.
for i in {1..120}; do echo "$i" >"$T/w/file$i"; done
git -C "$T/w" add .
git -C "$T/w" commit -qm many
body many refs/heads/main "$(tip "$T/w" main)"
# behind NAME BODY FAST-OR-SLOW N: a push with N bytes more, refused for that
behind() {
	ok "$1: git is at work" ahead "$1" lab/b "$2"
	if [ "$3" = slow ]; then
		say "$1" wait 1.2
		say "$1" to $((some + 1))
		ok "$1: it is ended" wait_for 20 none
	fi
	say "$1" to 0
	say "$1" junk "$4"
	say "$1" end
	like "$1: the client is told why" "more follows behind" "$T/$1.log"
	like "$1: and that it was not taken" "ng refs/heads/main" "$T/$1.log"
	is "$1: nothing has moved" "$(tip "$T/hosted/lab/b.git" main)" ""
	ok "$1: nothing is left" wait_for 20 clean
}
for how in fast slow; do
	for n in 1 3000 3000000; do
		behind "few, $how, $n behind" good $how $n
		behind "many, $how, $n behind" many $how $n
	done
done
begin many lab/b many
say many to 0
say many end
like "many: without that it is taken" "ok refs/heads/main" "$T/many.log"
git -C "$T/hosted/lab/b.git" update-ref -d refs/heads/main

# --- what git refuses early, and what the hook does ------------------------------

cp "$T/good" "$T/bad"
printf 'damage' | dd of="$T/bad" bs=1 seek=200 conv=notrunc status=none
begin bad lab/b bad
say bad to $some
ok "bad: git has ended before the body has" wait_for 20 none
say bad to 0
say bad end
like "bad: the client is told of the pack" "unpack unpack-objects" "$T/bad.log"
ok "bad: nothing is left" wait_for 20 clean

secret >"$T/w/token"
git -C "$T/w" add token
git -C "$T/w" commit -qm "and a token"
body secret refs/heads/main "$(tip "$T/w" main)"
ok "secret: git is at work" ahead secret lab/b secret
say secret to 0
say secret end
like "secret: it is refused" "code=secret-found" "$T/secret.log"
is "secret: nothing has moved" "$(tip "$T/hosted/lab/b.git" main)" ""

# --- places ----------------------------------------------------------------------

begin one lab/a good
begin two lab/b good
begin three lab/b good
# of git's own children it does not depend how many there are
started() { pgrep -P "${PID[gate]}" -f "receive-pack --stateless-rpc $T/" | wc -l; }
begun() { [ "$(started)" -eq "$1" ]; }
# taken REPO N: of so many bodies this much is there
taken() {
	[ "$("$BUILD/git-gate" status -c "$T/gate.conf" |
		awk -v r="$1" -v n=$some '$3 == r && $7 >= n' | wc -l)" -eq "$2" ]
}
say one to $some
ok "places: git is at work" wait_for 20 begun 1
say two to $some
ok "places: twice" wait_for 20 begun 2
say three to $some
wait_for 20 taken lab/b 2
is "not more of them than a client's places" "$(started)" 2
for name in three two one; do
	say $name to 0
	say $name end
	like "$name: answered" "unpack ok" "$T/$name.log"
done
ok "places: nothing is left" wait_for 20 clean
ok "places: all are free" wait_for 20 free
stop gate
is "the gate ends cleanly" $rc 0

# --- who is cut off while its hook asks: slow to end it --------------------------

start_gate strace -D -f -qq --seccomp-bpf -o "$T/trace" -e trace=kill \
	-e inject=kill:delay_enter=1000000
start_web nginx
git -C "$T/hosted/lab/b.git" update-ref -d refs/heads/main
ok "cut: the hook is there" until_hook cut
say cut leave
ok "cut: nothing is left" wait_for 20 clean
is "cut: nothing has moved" "$(tip "$T/hosted/lab/b.git" main)" ""
stop gate

# --- whose place is another's while it waits for its client -----------------------

# the only place is that of a push whose hook does not go on
mkdir "$T/waits"
cat >"$T/waits/pre-receive" <<END
#!/bin/sh
[ "\$1" != --check ] || exit 0
[ "\$GIT_GATE_REPO" != lab/b ] || {
	touch "$T/held"
	until [ -e "$T/go" ]; do sleep 0.02; done
}
exec "$BUILD/git-gate-hook" "\$@"
END
chmod +x "$T/waits/pre-receive"
ln -s "$BUILD/git-gate-proc-receive" "$T/waits/proc-receive"
# of the body of who pushes there
came() {
	[ "$("$BUILD/git-gate" status -c "$T/gate.conf" |
		awk -v r="$1" '$3 == r { print $7 }')" -ge \
		"$(stat -c %s "$T/good")" ]
}
HOOKS=$T/waits gate_conf "queueTimeout = 20s" "maxSessions = 1"
start_gate
start_web nginx
for repo in a b; do
	git -C "$T/hosted/lab/$repo.git" update-ref -d refs/heads/main
done
ok "late: git is at work" ahead late lab/a good
begin holds lab/b good
say holds to 0
say late to $((some + 1))
echo end >&"${TO[holds]}"
ok "late: its place is another's" wait_for 20 test -e "$T/held"
echo to 0 >&"${TO[late]}"
ok "late: its body is taken in all the same" wait_for 20 came lab/a
touch "$T/go"
SAID[late]=$((SAID[late] + 1))
say late end
like "late: it is taken" "ok refs/heads/main" "$T/late.log"
ok "late: so is the other" wait_for 20 gone "${PID[holds]}"
like "late: its client is told" "ok refs/heads/main" "$T/holds.log"
ok "late: nothing is left" wait_for 20 clean

git -C "$T/hosted/lab/a.git" update-ref -d refs/heads/main
ok "paces: git is at work" ahead paces lab/a good
echo pace 60000000 >&"${TO[paces]}"
ok "paces: another has not to wait for its body" \
	timeout 16 git ls-remote "$GATE/lab/b"
kill "${PID[paces]}"
ok "paces: nothing is left" wait_for 20 clean
stop gate
done_testing
