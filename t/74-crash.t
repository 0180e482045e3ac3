#!/bin/bash
# Pushes of three references at once in which one process, drawn by lot, is
# ended by SIGKILL: of the gate, of git here and upstream, of ssh and sshd, of
# the web server, of the client. Each time the upstream has all of the push or
# nothing, the gate shows what the upstream has, the client was told of success
# only if the upstream has it, the push sent again ends well, and nothing is
# left. SEED=N repeats the lots, COUNT=N says how many are killed, UPSTREAMS
# names those that the pushes go to, KINDS those that are drawn from (kill.pl).
. "${SOURCE:?}/t/lib.sh"
. "$SOURCE/t/sessions.sh"

seed=${SEED:-$RANDOM}
count=${COUNT:-${LIGHT:+9}}
count=${count:-27}
read -ra upstreams <<<"${UPSTREAMS:-ssh file alone}"
diag "SEED=$seed COUNT=$count"
git_path=$(type -P git)

# --- what is pushed to -------------------------------------------------------

# Hooks take a moment where $T/nap says so, so that a blow can fall there.
nap() {
	printf 'read -r nap 2>/dev/null <"%s" && sleep "$nap"\n' "$T/nap.$1"
}
naps() { # SECONDS for each place
	local place
	for place in pre refs post mirror; do echo "$1" >"$T/nap.$place"; done
}
start_sshd
for name in "${upstreams[@]}"; do
	upstream "acme/$name"
	git -C "$T/up/acme/$name.git" config receive.autogc false
	fill "acme/$name"
	dir=$T/up/acme/$name.git/hooks
	{ echo '#!/bin/sh'; nap pre; echo 'cat >/dev/null'; } >"$dir/pre-receive"
	{ echo '#!/bin/sh'; nap post; echo 'echo taken'; } >"$dir/post-receive"
	{ echo '#!/bin/sh'; echo '[ "$1" = prepared ] || exit 0'; nap refs
		echo 'exit 0'; } >"$dir/reference-transaction"
	chmod +x "$dir"/*
done
# ssh with a connection that is shared, and "alone" with one for each command
conf <<-END
	[upstream "alone"]
		url = ssh://$ME@127.0.0.1:$SSHD_PORT$T/up/
		identityFile = $T/ssh/id
		knownHosts = $T/ssh/known_hosts
		controlPersist = 0
	$(for name in "${upstreams[@]}"; do
		printf '[repo "acme/%s"]\n\tupstream = %s\n' "$name" "$name"
	done)
	[access]
		allow = * * *
END

# The commits that are pushed: every other one with more objects than are
# unpacked one by one, each third one not a child of the one before.
commits() {
	local i j
	for ((i = 1; i <= 2 * count + 40; i++)); do
		echo "commit refs/heads/c$i"
		echo "committer Ada <ada@example.org> $((1600000000 + i)) +0000"
		printf 'data <<E\ncommit %s\nE\nfrom %s\n' "$i" \
			"$([ $((i % 3)) -eq 0 ] || [ "$i" -eq 1 ] &&
				echo "$1" || echo "refs/heads/c$((i - 1))")"
		j=$((i % 2 * 110 + 1))
		while [ $((j -= 1)) -ge 0 ]; do
			printf 'M 100644 inline %s/%s\ndata <<E\n%s %s %s\nE\n' \
				"$((j % 7))" "$j" "$i" "$j" "$seed"
		done
	done
}
declare -A OLDN=() # the reference that the next push deletes
for name in "${upstreams[@]}"; do
	work=$T/work/$name
	git clone -q "$T/up/acme/$name.git" "$work"
	commits "$(tip "$work" HEAD)" | git -C "$work" fast-import --quiet ||
		die "no commits"
	git -C "$work" push -q "$T/up/acme/$name.git" c1:refs/heads/agent/u \
		c1:refs/heads/agent/n0 2>/dev/null
	OLDN[$name]=agent/n0
done

# --- the gate ----------------------------------------------------------------

# settle: what it has when it has just begun is what rested compares with
declare -A URL=()
settle() {
	local name
	for name in "${upstreams[@]}"; do
		refs "${URL[$name]}" >"$T/out" || return 1
	done
	wait_for 20 no_session && measure
} 2>/dev/null
rested() { no_session && [ "$(descriptors)" -le "$FDS" ]; }
start_gate
start_web nginx
for name in "${upstreams[@]}"; do URL[$name]=$GATE/acme/$name; done
ok "the gate serves" settle
# and in the mirrors, so that git's own transactions there are slow as well
for dir in $(find "$T/state/mirrors" -name '*.git' -prune); do
	mkdir -p "$dir/hooks"
	{ echo '#!/bin/sh'; echo '[ "$1" = prepared ] || exit 0'; nap mirror
		echo 'exit 0'; } >"$dir/hooks/reference-transaction"
	chmod +x "$dir/hooks/reference-transaction"
done

revive() {
	start_gate
	settle || complain left "the gate does not come back: $(held)"
}

watch=(perl "$HERE/kill.pl")
# where NAME: what kill.pl has to know
where() {
	WHERE=(gate="${PID[gate]}" web="${PID[nginx]}" sshd="${PID[sshd]}"
		up="$T/up/acme/$1.git" state="$T/state")
}
idle() { where "$1"; "${watch[@]}" idle "${WHERE[@]}" bound=30; }

# --- one push ----------------------------------------------------------------

here='gate gate receive-pack receive-pack unpack check hook hook proc-receive
	update-ref push push send-pack pack-objects refresh web client client-http
	up-receive-pack up-receive-pack up-unpack up-hook'
declare -A far=([file]=""
	[ssh]='gate-ssh gate-ssh master master sshd up-upload-pack'
	[alone]='gate-ssh ssh ssh ssh sshd sshd')
kinds() { xargs <<<"${KINDS:-$here ${far[$1]}}" | tr ' ' ,; }
# has DIR: what the upstream has of what is pushed
has() { git -C "$1" for-each-ref --format='%(objectname) %(refname)' \
	refs/heads/agent; }
# complain STATEMENT WHY: the round has failed
declare -A wrong=([part]=0 [shown]=0 [told]=0 [again]=0 [left]=0)
complain() {
	wrong[$1]=$((wrong[$1] + 1))
	shift
	echo "$*" >>"$T/complaints"
}

# told NAME: each reference that was reported as done is as it was wanted
told() {
	local flag ref to
	while IFS=$'\t' read -r flag ref _; do
		to=${ref##*:}
		case $flag in
		'-') ! grep -q " $to$" "$T/has" ;;
		' ' | '+' | '*' | '=') grep -qx "${WANT[$to]} $to" "$T/has" ;;
		*) continue ;;
		esac || complain told "told that $to is done, which it is not"
	done <"$T/push.out"
}

# What lies about upstream when its own git was killed is its operator's work.
tidy_upstream() {
	find "$1" \( -name '*.lock' -o -name 'tmp_objdir-*' -o -name 'tmp_*' \) \
		-prune -print -exec rm -rf {} + >"$T/upstream-left"
}

# judge NAME DIR STATUS: the statements, when nothing of the push runs any more
judge() {
	local name=$1 dir=$2 status=$3 state=torn
	has "$dir" >"$T/has"
	cmp -s "$T/has" "$T/before" && state=none
	cmp -s "$T/has" "$T/wanted" && state=all
	tidy_upstream "$dir"
	if [ $state = torn ] && grep -q '\.lock$' "$T/upstream-left"; then
		# killed between two references of one transaction, which git
		# itself does not repair: no client may hear of success
		state="torn by its own end"
		torn=$((torn + 1))
	fi
	[ "$state" != torn ] || complain part "the upstream has a part: $(cat "$T/has")"
	git -C "$dir" fsck --connectivity-only --no-dangling >"$T/fsck" 2>&1 ||
		complain part "upstream: $(cat "$T/fsck")"
	shows "$name" "$dir"
	[ "$status" != hangs ] || complain told "the client's push does not end"
	[ "$status" != 0 ] || [ "$state" = all ] ||
		complain told "the client was told of success, the upstream has $state"
	told "$name"
	STATE=$state
}
# shows NAME DIR: the gate's next advertisement is the upstream's
shows() {
	LIMIT=40 git ls-remote --symref "${URL[$1]}" >"$T/shown" 2>"$T/err" ||
		complain shown "the gate shows nothing: $(cat "$T/err")"
	refs "$2" | diff - "$T/shown" >"$T/differs" ||
		complain shown "the gate shows another: $(cat "$T/differs")"
}
# again NAME URL: the same push; a deletion that was taken is not asked again
again() {
	local name=$1 specs=("${SPECS[@]}")
	# plain git, too, sends the deletion of what is not there; see below
	[ "$STATE" != all ] || unset 'specs[2]'
	LIMIT=40 try git -C "$T/work/$name" push "${URL[$name]}" "${specs[@]}" ||
		complain again "the push sent again fails: $(cat "$T/said")"
	[ "$STATE" != all ] || grep -q '^Everything up-to-date' "$T/said" ||
		complain again "not up to date: $(cat "$T/said")"
	has "$T/up/acme/$name.git" | cmp -s - "$T/wanted" ||
		complain again "the push sent again has not come: $(has \
			"$T/up/acme/$name.git")"
}
# mend NAME DIR: as if the round had gone well, for those that follow
mend() {
	has "$2" | sed 's/[^ ]* /delete /' | git -C "$2" update-ref --stdin
	git -C "$2" fetch -q "$T/work/$1" 'refs/heads/c*:refs/mend/*'
	awk '{ print "create", $2, $1 }' "$T/wanted" |
		git -C "$2" update-ref --stdin
	git -C "$2" for-each-ref --format='delete %(refname)' refs/mend |
		git -C "$2" update-ref --stdin
	xargs -r rm -rf <"$T/left"
}
# left: what may not be there when all is at rest
left() {
	find "$T/state" \( -name 'tmp_objdir-*' -o -name '*incoming-*' -o \
		-name '*.lock' -o -name 'tmp_*' -o -name '*.tmp-*' -o \
		-path "$T/state/spool/*" -o -path "$T/state/passed/*" \) \
		>"$T/left" 2>/dev/null
	[ ! -s "$T/left" ]
}

# strike N NAME KINDS: a push and a blow: LINE, VICTIM, STATUS. The shell has a
# word to say, at a moment of its choice, when the gate dies
strike() {
	local n=$1 name=$2
	where "$name"
	LINE=$("${watch[@]}" push "${WHERE[@]}" seed=$((seed * 1000 + n)) \
		kinds="$3" span="$SPAN" out="$T/push" -- "$git_path" -C \
		"$T/work/$name" push --porcelain "${URL[$name]}" "${SPECS[@]}")
	VICTIM=${LINE#victim=}
	VICTIM=${VICTIM%% *}
	STATUS=$(sed 's/.* status=\([^ ]*\).*/\1/' <<<"$LINE")
	[ "$VICTIM" != gate ] || stop gate KILL
	cp "$T/push.err" "$T/push.said"
}
# round N NAME [KINDS]: one push, one blow, what is then the case
round() {
	local n=$1 name=$2 dir=$T/up/acme/$2.git nap
	local old=${OLDN[$name]} new=agent/n$1
	declare -gA WANT=([refs/heads/$new]=$(tip "$T/work/$name" "c$n")
		[refs/heads/agent/u]=$(tip "$T/work/$name" "c$n"))
	declare -ga SPECS=("c$n:refs/heads/$new" "+c$n:refs/heads/agent/u"
		":refs/heads/$old")
	: >"$T/complaints"
	has "$dir" >"$T/before"
	{
		echo "${WANT[refs/heads/$new]} refs/heads/$new"
		echo "${WANT[refs/heads/agent/u]} refs/heads/agent/u"
	} >"$T/wanted"
	nap=0.0$((n * 7 % 5))
	naps $nap
	strike "$n" "$name" "${3:-$(kinds "$name")}" 2>"$T/shell"
	naps 0
	[ "$VICTIM" != gate ] || revive
	idle "$name" >"$T/said" || complain left "$(cat "$T/said")"
	judge "$name" "$dir" "$STATUS"
	echo "$n $name $LINE upstream=$STATE" >>"$T/kills"
	[ "$VICTIM" != none ] || [ "$STATUS" = 0 ] ||
		complain told "nothing was killed, and it failed"
	again "$name"
	shows "$name" "$dir"
	wait_for 10 rested || complain left "not at rest: $(held)"
	wait_for 10 left || complain left "left: $(cat "$T/left")"
	OLDN[$name]=$new
	[ ! -s "$T/complaints" ] || mend "$name" "$dir"
	if [ -s "$T/complaints" ]; then
		{ echo "SEED=$seed round $n: $LINE upstream=$STATE nap=$nap"
			echo "client:"; cat "$T/push.out" "$T/push.said"
			echo "gate:"; tail -n 14 "$T/gate.log"; } >"$T/failed"
		cp "$T/complaints" "$T/said"
		return 1
	fi
}

# --- all of them -------------------------------------------------------------

torn=0 killed=0 SPAN=0 n=1
: >"$T/kills"
for name in "${upstreams[@]}"; do
	n=$((n + 1))
	ok "$name: a push in which nothing is killed" round $n "$name" none
	took=$(sed 's/.* took=\([0-9]*\).*/\1/' <<<"$LINE")
	[ "$took" -le "$SPAN" ] || SPAN=$took
done
for ((n += 1; killed < count && n < 2 * count + 40; n++)); do
	name=${upstreams[n % ${#upstreams[@]}]}
	round $n "$name"
	result $? "$n, $name: $VICTIM in $(sed \
		's/.* stage=\([^ ]*\).*/\1/' <<<"$LINE")" ||
		diag "$(cut -c1-240 "$T/failed")"
	[ "$VICTIM" = none ] || killed=$((killed + 1))
done
ok "$count were killed" test "$killed" -ge "$count"
pushes="$((n - 2 - ${#upstreams[@]})) pushes to ${upstreams[*]}, $killed killed"
diag "$pushes; upstream torn by its own end: $torn; SEED=$seed"
# row STATEMENT WHICH...: how often it did not hold
row() {
	local name=$1 bad=0 which
	shift
	for which; do bad=$((bad + wrong[$which])); done
	[ $bad -eq 0 ]
	figure "$pushes: $name" "never otherwise" "$bad otherwise"
}
row "the upstream has all of the push or nothing, and passes fsck" part
row "the gate's next advertisement is the upstream's" shown
row "told of success only if the upstream has it, and told in time" told
row "sent again it ends well, \"Everything up-to-date\" if it had come" again
row "at rest nothing is held or left" left
diag "$(sed -E 's/.*victim=([^ ]*) stage=([^ ]*).*/\1 \2/' "$T/kills" |
	sort | uniq -c | awk '{ n[$2] += $1; s[$2] = s[$2] " " $3 ":" $1 }
		END { for (k in n) print n[k], k ":" s[k] }' | sort -rn)"
diag "told of success: $(grep -c 'status=0 ' "$T/kills"), of failure: $(grep \
	-vc 'status=0 ' "$T/kills"); taken: $(grep -c 'upstream=all' "$T/kills")"
for name in "${upstreams[@]}"; do
	ok "$name: a deletion whose answer was lost, sent again" git -C \
		"$T/work/$name" push "${URL[$name]}" :refs/heads/agent/n0
done
for dir in "$T"/up/acme/*.git $(find "$T/state/mirrors" -name '*.git' -prune)
do
	ok "$(basename "$dir") passes fsck" git -C "$dir" fsck --no-dangling
done
unlike "no sanitizer reports" 'Sanitizer|runtime error' "$T/gate.log"
stop gate
is "the gate ends cleanly" $rc 0
marked() { grep -lsz "^GIT_GATE_STATE=$T/state\$" /proc/[0-9]*/environ; }
# a master has a file of ours in its arguments; so has no grep
named() { grep -lsa "${T}[/]state" /proc/[0-9]*/cmdline; }
nothing() { [ -z "$(marked; named)" ]; }
ok "no process is left" wait_for 10 nothing

# What the lots seldom find: git push dies before it has told pack-objects all,
# which then sends a whole pack of less, and the upstream's git takes of an
# atomic push what that pack allows. Here it takes a deletion.
upstream acme/part
fill acme/part
up=$T/up/acme/part.git
cat >"$T/git" <<-END
	#!/bin/sh
	[ "\$1" = push ] && [ -e "$T/cut" ] || exec "$git_path" "\$@"
	rm "$T/cut"
	"$git_path" push --porcelain "file://$up" :refs/heads/side
	kill -KILL \$\$
END
chmod +x "$T/git"
conf <<-END
	[gate]
		git = $T/git
	[repo "acme/*"]
		upstream = file
	[access]
		allow = * * *
END
start_gate
ok "a clone" git clone -q "$GATE/acme/part" "$T/part"
commit "$T/part" README "all of it"
touch "$T/cut"
ok "git push dies and the upstream has a part: the rest is sent" git -C \
	"$T/part" push "$GATE/acme/part" HEAD:refs/heads/agent/new :side
is "the upstream has all of the push" \
	"$(tip "$up" agent/new) $(tip "$up" side)" "$(tip "$T/part" HEAD) "
is "the gate shows it" "$(refs "$GATE/acme/part")" "$(refs "$up")"
stop gate
is "the gate ends cleanly" $rc 0
done_testing
