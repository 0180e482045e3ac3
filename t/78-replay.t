#!/bin/bash
# Fetches that are answered without git: the same answer that git would give,
# after every kind of change; really without git; and whatever happens to the
# pack's file, the client or the responder meanwhile, no client gets what looks
# whole and is not.
# STEPS=N for another number of random steps, SEED=N.
# shellcheck disable=SC2034,SC2119,SC2154,SC2317
. "${SOURCE:?}/t/lib.sh"

steps=${STEPS:-100} seed=${SEED:-$RANDOM}
[ -z "${LIGHT:-}" ] || steps=${STEPS:-40}
store=$T/state/packs
mkdir -p "$T/hosted" "$T/ctl"

# Commits of files that do not compress: a pack of 1.3 MB.
git init -q -b main "$T/author"
for i in $(seq 1 40); do
	head -c 24000 /dev/urandom | base64 >"$T/author/file$i"
	git -C "$T/author" add -A
	git -C "$T/author" commit -qm "commit $i"
done
git -C "$T/author" branch side main~3
git -C "$T/author" tag -am "release" v1
git clone -q --bare "$T/author" "$T/template.git"
git -C "$T/template.git" repack -adq

# A git that tells of each run.
real=$(type -P git)
mkdir "$T/exec"
ln -s "$(git --exec-path)/git" "$T/exec/git"
printf '#!/bin/sh\necho http-backend >>"%s"\nexec "%s"\n' "$T/runs" \
	"$(git --exec-path)/git-http-backend" >"$T/exec/git-http-backend"
cat >"$T/git" <<-END
	#!/bin/sh
	case " \$* " in
	*" --exec-path "*) echo "$T/exec"; exit ;;
	*" upload-pack "* | *" pack-objects "*) echo "\$*" >>"$T/runs" ;;
	esac
	exec "$real" "\$@"
END
chmod +x "$T/git" "$T/exec/git-http-backend"

# setup [KEY...]: the gate anew, with these in [backend] or [session]
setup() {
	[ -z "${PID[gate]:-}" ] || stop gate
	conf <<-END
		[gate]
			git = $T/git
		[backend]
			threads = 1
		$(printf '\t%s\n' "$@")
		[repo "acme/*"]
			upstream = file
		[repo "one"]
			hosted = $T/hosted
		[access]
			deny = fetch eve *
			allow = fetch,push * *
	END
	start_gate
}
fresh() {
	rm -rf "$T/hosted/one.git"
	cp -a "$T/template.git" "$T/hosted/one.git"
}
repo=$T/hosted/one.git

# body LINE...: packets; "-" and "|" are a flush and a delimiter
body() {
	perl -e 'for (@ARGV) { print $_ eq "-" ? "0000" : $_ eq "|" ? "0001"
		: sprintf "%04x%s", 5 + length $_, "$_\n" }' "$@" >"$T/body"
}
# joined FILE: an answer's packets, those of a side-band as one
joined() {
	perl -0777 -pe 's/^.*?\r\n\r\n//s if /^Status:/;
		my ($out, @band) = ("", "", "", "", "");
		while (/\G([0-9a-f]{4})/gc) {
			my $n = hex $1;
			if ($n < 5) { $out .= "$1\n"; next }
			my $p = substr $_, pos, $n - 4;
			pos() += $n - 4;
			$p =~ s/^([\x01\x02\x03])// ? $band[ord $1] .= $p
				: ($out .= "$1$p");
		}
		$_ = "$out$band[1]$band[3]" . substr $_, pos // 0' "$1"
}
# ask: the gate's answer, in $T/got; sets n to how often git ran
ask() {
	: >"$T/runs"
	fcgi -body "$T/body" /one/git-upload-pack \
		REQUEST_METHOD=POST GIT_PROTOCOL="$protocol" \
		CONTENT_TYPE=application/x-git-upload-pack-request \
		>"$T/got" 2>"$T/got.err"
	n=$(wc -l <"$T/runs")
}
# What git says, without any of ours.
theirs() {
	GIT_PROTOCOL=$protocol GIT_CONFIG_COUNT=2 \
		GIT_CONFIG_KEY_0=uploadpack.allowFilter GIT_CONFIG_VALUE_0=1 \
		GIT_CONFIG_KEY_1=pack.threads GIT_CONFIG_VALUE_1=1 \
		timeout 30 "$real" upload-pack --stateless-rpc "$repo" \
		<"$T/body" >"$T/theirs" 2>"$T/theirs.err"
}
# packed FILE: what is before the pack in a joined answer, and its objects
packed() {
	perl -0777 -ne 'my ($text, $pack) = /^(.*?)(PACK\0\0\0\x02.*)/s or exit;
		print STDERR $text; print $pack' "$1" >"$T/packed.pack" &&
		git index-pack -o "$T/packed.idx" "$T/packed.pack" >"$T/said" &&
		git show-index <"$T/packed.idx" | cut -d' ' -f2 | sort
}
# A pack that is kept stays as it was when git would pack it otherwise.
same() {
	cmp -s "$T/theirs.joined" "$T/got.joined" && return
	packed "$T/theirs.joined" >"$T/theirs.packed" 2>&1 &&
		packed "$T/got.joined" >"$T/got.packed" 2>&1 &&
		[ -s "$T/packed.pack" ] &&
		cmp "$T/theirs.packed" "$T/got.packed"
}
# Is the answer git's? One that git cannot end has our words at its end.
right() {
	theirs
	ask
	joined "$T/theirs" >"$T/theirs.joined"
	joined "$T/got" >"$T/got.joined"
	if [ -s "$T/theirs.err" ]; then
		grep -qaF "$(grep -aom1 'ERR [^:]*: .*[0-9a-f]\{40\}' \
			"$T/theirs")" "$T/got" && [ "$n" -gt 0 ]
	else
		same
	fi
}
# right, and without git
hit() { right && [ "$n" = 0 ]; }
miss() { right && [ "$n" -gt 0 ]; }
# known WHAT: it becomes known, and nothing is wrong meanwhile
known() { ok "$1: is answered without git" wait_for 20 hit; }

all() { body command=fetch '|' ofs-delta no-progress "want $id" "done" -; }
id=$(tip "$T/template.git" main)
base=$(tip "$T/template.git" main~2)
protocol=version=2

# --- the same ----------------------------------------------------------------

fresh
setup
while read -r name protocol lines; do
	[ "$protocol" != 0 ] || protocol=''
	IFS=, read -ra list <<<"$lines"
	body "${list[@]}"
	ok "$name: is git's answer" miss
	known "$name"
	ok "$name: has a pack" grep -qa PACK "$T/got.joined"
done <<-END
	a-clone version=2 command=fetch,|,ofs-delta,no-progress,want $id,done,-
	with-words version=2 command=fetch,|,ofs-delta,want $id,done,-
	thin version=2 command=fetch,|,thin-pack,no-progress,want $id,have $base,done,-
	what-both-have version=2 command=fetch,|,no-progress,want $id,have $base,-
	shallow version=2 command=fetch,|,no-progress,deepen 1,want $id,done,-
	deeper version=2 command=fetch,|,no-progress,shallow $id,deepen 2,want $id,have $id,done,-
	partial version=2 command=fetch,|,no-progress,filter blob:none,want $id,done,-
	version-0 0 want $id side-band-64k no-progress ofs-delta,-,done
	version-1 version=1 want $id side-band-64k no-progress ofs-delta,-,done
	small-packets 0 want $id side-band no-progress filter,filter blob:none,-,done
	shallow-version-0 0 want $id side-band-64k no-progress,deepen 1,-,done
END
is "no packet is too large for its client" "$(perl -0777 -ne 's/.*?\r\n\r\n//s;
	my $most = 0;
	while (s/^([0-9a-f]{4})//) {
		my $n = hex $1;
		$most = $n if $n > $most;
		substr $_, 0, $n - 4, "" if $n > 4;
	}
	print $most <= 65520 ? "no" : $most' "$T/got")" no
protocol=''
body "want $id side-band no-progress" - "done"
ok "a large pack in small packets" miss
known "a large pack in small packets"
is "of at most 1000 bytes" "$(perl -0777 -ne 's/.*?\r\n\r\n//s;
	while (s/^([0-9a-f]{4})//) {
		my $n = hex $1;
		print "$n " if $n > 1000;
		substr $_, 0, $n - 4, "" if $n > 4;
	}' "$T/got")" ''
body "want $id no-progress" - "done"
ok "a pack without a side-band" miss
ok "is git's each time" miss
protocol=version=2
all
known "a clone"
like "the log has it as any other" \
	'verdict=served op=fetch repo=one .* out=[0-9]{7}' "$T/gate.log" ||
	diag "$(tail -n 2 "$T/gate.log")"
start_web nginx
clone() { rm -rf "$T/clone" && git clone -q "$@" "$T/clone"; }
sound() { git -C "$T/clone" fsck --strict --full; }
silent() { : >"$T/runs" && clone "$@" && [ ! -s "$T/runs" ]; }
ok "a whole clone takes no git" wait_for 20 silent "$GATE/one"
ok "and is sound" sound
"$BUILD/git-gate" status -c "$T/gate.conf" >"$T/said" 2>&1
like "status counts them" 'given without git: [1-9][0-9]+$' "$T/said"

# --- after each change -------------------------------------------------------

# changed WHAT COMMAND...: right at once, and again without git
changed() {
	local what=$1 i
	shift
	wait_for 20 hit || diag "$what: git is asked"
	"$@" >"$T/said" 2>&1 || diag "$what: $(cat "$T/said")"
	ok "$what: right at once" right
	for i in 1 2 3; do right || result 1 "$what: right again"; done
	known "$what"
}
all
changed "a reference from elsewhere" git -C "$repo" update-ref refs/heads/x side
commit "$T/author" more "more"
changed "a push" git -C "$T/author" push -q "$repo" main
changed "one through the gate" git -C "$T/author" push -q "$GATE/one" HEAD:new
changed "another configuration" git -C "$repo" config pack.compression 1
changed "HEAD" git -C "$repo" symbolic-ref HEAD refs/heads/side
changed "references packed" git -C "$repo" pack-refs --all
changed "a loose object" sh -c "echo x | git -C '$repo' hash-object -w --stdin"
changed "gc" git -C "$repo" gc -q --prune=now
changed "repack" git -C "$repo" repack -adfq
changed "the pack removed" sh -c "rm -f '$store'/*"
is "which is kept once more" "$(find "$store" -type f | wc -l)" 1
changed "the pack too old" sh -c "touch -d '2 hours ago' '$store'/*"
changed "the gate's configuration" sh -c "kill -HUP ${PID[gate]}; until
	grep -q 'read anew' '$T/gate.log'; do :; done"
body command=fetch '|' no-progress include-tag "want $id" "done" -
changed "a tag that comes along" git -C "$repo" tag -am two v2 main~3
changed "and goes" git -C "$repo" tag -d v2

# What is not to be had any more; another loose object stays in its directory,
# which so does not come or go.
git -C "$repo" prune --expire=now
stays=$(git -C "$repo" commit-tree -m stays "main^{tree}")
git -C "$repo" update-ref refs/heads/stays "$stays"
git -C "$repo" cat-file commit "$stays" >"$T/commit"
for ((i = 0; i < 20000; i++)); do
	gone=$(git -C "$repo" hash-object -t commit "$T/commit")
	[ "${gone:0:2}" != "${stays:0:2}" ] || [ "$gone" = "$stays" ] || break
	echo "$i" >>"$T/commit"
done
git -C "$repo" hash-object -w -t commit "$T/commit" >"$T/said"
git -C "$repo" update-ref refs/heads/gone "$gone"
body command=fetch '|' no-progress "want $gone" "done" -
known "what will be pruned"
git -C "$repo" update-ref -d refs/heads/gone
ok "without its reference" right
wait_for 20 hit
set -- "$repo"/objects/*; n=$#
git -C "$repo" prune --expire=now
is "pruned, no directory has gone" "$(set -- "$repo"/objects/*; echo $#)" "$n"
ok "git says that it is not there" miss
like "it does" 'ERR .*not our ref' "$T/got"
protocol=''
hidden=$(git -C "$repo" commit-tree -m hidden "main^{tree}")
git -C "$repo" update-ref refs/heads/hidden "$hidden"
body "want $hidden side-band-64k no-progress" - "done"
known "what will be hidden"
git -C "$repo" config uploadpack.hideRefs refs/heads/hidden
ok "hidden: git says that it is not there" miss
like "it does" 'ERR .*not our ref' "$T/got"
git -C "$repo" config --unset uploadpack.hideRefs
known "what is to be seen again"
git -C "$repo" update-ref -d refs/heads/hidden
ok "its reference removed: it is not there" miss
like "so git says" 'ERR .*not our ref' "$T/got"
protocol=version=2
all
known "a clone"
git -C "$repo" config http.uploadpack false
ask
unlike "fetches forbidden: no pack" PACK "$T/got"
git -C "$repo" config --unset http.uploadpack
known "a clone again"
rm -rf "$repo"
ask
unlike "removed: no pack" PACK "$T/got"
git init -q --bare -b main "$repo"
ok "made anew, without it" miss
git -C "$T/author" push -q "$repo" main
known "made anew"
fresh
mkdir "$T/other.git"
git init -q --bare -b main "$T/other.git"
git -C "$T/author" push -q "$T/other.git" side:main
all
known "before another is put there"
mv "$repo" "$T/away.git"
mv "$T/other.git" "$repo"
ok "another in its place: what is not in that" miss
rm -rf "$repo"
mv "$T/away.git" "$repo"
known "the first one back"
echo "$T/template.git/objects" >"$repo/objects/info/alternates"
ok "with objects from elsewhere" miss
ok "git is asked each time" miss
rm "$repo/objects/info/alternates"
git -C "$repo" config include.path more
ok "with a configuration from elsewhere" miss
ok "it is, too" miss
git -C "$repo" config --unset include.path

# Who may not.
known "for all others"
: >"$T/runs"
fcgi -body "$T/body" /one/git-upload-pack REQUEST_METHOD=POST REMOTE_USER=eve \
	GIT_PROTOCOL=version=2 \
	CONTENT_TYPE=application/x-git-upload-pack-request >"$T/got"
unlike "who may not fetch gets nothing of it" PACK "$T/got"
like "but a refusal" 'refused code=not-found' "$T/got"

# --- the pack's file ---------------------------------------------------------

rm -f "$store"/*
known "a clone"
ok "a clone by git" clone "$GATE/one"
for key in "$store"/*; do
	chmod 600 "$key"
	printf 'xxxxxxxx' | dd of="$key" bs=1 seek=500000 conv=notrunc 2>"$T/dd"
	chmod 400 "$key"
done
no "a pack that is damaged: a client sees it" clone "$GATE/one"
for key in "$store"/*; do truncate -s 500000 "$key"; done
no "a pack that is cut: likewise" clone "$GATE/one"
rm -f "$store"/*
ok "and when it is gone all is well" clone "$GATE/one"
ok "sound" sound

# late NAME: a client that does not read on before ctl/NAME is there
late() {
	start "$1" perl "$HERE/fcgi.pl" "$T/gate.sock" -body "$T/body" \
		-late "$T/ctl/$1" /one/git-upload-pack REQUEST_METHOD=POST \
		GIT_PROTOCOL=version=2 \
		CONTENT_TYPE=application/x-git-upload-pack-request
}
sessions() { "$BUILD/git-gate" status -c "$T/gate.conf" >"$T/sessions" &&
	grep -q "^$1 of" "$T/sessions"; }
# its pack is being given: the gate has it open
giving() { find "/proc/${PID[gate]}/fd" -lname "$store/*" | grep -q .; }
# broken NAME: it does not look whole
broken() {
	touch "$T/ctl/$1"
	wait "${PID[$1]}"
	unset "PID[$1]"
	grep -aq '\[broken\]' "$T/$1.log" && ! grep -aq 'refused.*0000$' "$T/$1.log"
}
known "a clone"
: >"$T/runs"
late cut
ok "a slow client's pack" wait_for 10 giving
truncate -s 700000 "$store"/*
ok "is cut while it is given: that is visible" broken cut
like "and said" 'git-gate: the gate could not do this' "$T/cut.log"
like "to the operator, too" 'the pack that is kept was cut' "$T/gate.log"
is "git was not asked" "$(wc -l <"$T/runs")" 0
rm -f "$store"/*
known "a clone"
late gone
ok "a slow client's pack" wait_for 10 giving
rm -f "$store"/*
touch "$T/ctl/gone"
wait "${PID[gone]}"
is "is removed while it is given: it gets all" "$?" 0
unset "PID[gone]"
joined "$T/gone.log" >"$T/gone.joined"
ok "which is right" cmp "$T/gone.joined" "$T/theirs.joined"

# --- never wrong -------------------------------------------------------------

# One change, of which some change the answer; nobody waits after it.
names=(a b c d e)
change() {
	local name=refs/heads/${names[RANDOM % 5]} rev=main~$((RANDOM % 30))
	case $((RANDOM % 12)) in
	0 | 1) git -C "$repo" update-ref "$name" "$(tip "$repo" "$rev")" ;;
	2) git -C "$repo" update-ref -d "$name" ;;
	3) git -C "$repo" update-ref -d refs/heads/gone
		git -C "$repo" prune --expire=now ;;
	4) git -C "$repo" hash-object -w -t commit "$T/commit" &&
		git -C "$repo" update-ref refs/heads/gone "$gone" ;;
	5) git -C "$repo" pack-refs --all --prune ;;
	6) git -C "$repo" repack -adq ;;
	7) git -C "$repo" config uploadpack.hideRefs "$name" ;;
	8) git -C "$repo" config --unset uploadpack.hideRefs ;;
	9) rm -f "$store"/* ;;
	10) git -C "$repo" tag -f "t$((RANDOM % 3))" "$rev" ;;
	11) git -C "$repo" rev-parse main >"$repo/shallow"; rm "$repo/shallow" ;;
	esac >"$T/change" 2>&1
	return 0
}
request() {
	protocol=version=2
	case $((RANDOM % 6)) in
	0) all ;;
	1) body command=fetch '|' no-progress include-tag "want $id" "done" - ;;
	2) body command=fetch '|' no-progress "deepen 2" "want $id" "done" - ;;
	3) body command=fetch '|' no-progress "want $gone" "done" - ;;
	4) body command=fetch '|' no-progress "want $id" "have $base" \
		"have $gone" "done" - ;;
	5) protocol=''
		body "want $gone side-band-64k no-progress" - "done" ;;
	esac
}
RANDOM=$seed
wrong=0 hits=0
git -C "$T/hosted/one.git" gc -q --prune=now
for ((step = 0; step < steps; step++)); do
	[ $((RANDOM % 3)) != 0 ] || change
	request
	right || {
		wrong=$((wrong + 1))
		diag "step $step: $(cat "$T/change" "$T/theirs.err"); got $n, $(
			wc -c <"$T/theirs") $(wc -c <"$T/got")"
	}
	[ "$n" != 0 ] || hits=$((hits + 1))
done
is "$steps random steps (SEED=$seed): none is wrong" "$wrong" 0
diag "$hits of $steps without git"
[ "$hits" -gt 0 ]
result $? "some were answered without git"
git -C "$repo" config --unset uploadpack.hideRefs
protocol=version=2
all

# --- clients and ends --------------------------------------------------------

known "a clone"
for i in 1 2 3; do late "dead$i"; done
ok "clients under way" wait_for 10 giving
for i in 1 2 3; do stop "dead$i" KILL; done
ok "are killed: nothing of them is left" wait_for 10 sessions 0
no "no file is open" giving
ok "others go on" hit
setup "packsAge = 1h" "[session]" "stopTimeout = 1s" "writeTimeout = 2s"
known "a clone"
late still
ok "a client that takes nothing" wait_for 10 giving
ok "is waited for as long as others" wait_for 10 sessions 0
ok "its answer is broken, visibly" broken still
like "and the log says why" 'took nothing for session.writeTimeout' \
	"$T/gate.log"
late term
ok "a client under way" wait_for 10 giving
kill -TERM "${PID[gate]}"
wait_for 10 gone "${PID[gate]}"
ok "when the gate ends: its answer is broken, visibly" broken term
stop gate
setup
known "a clone"
late killed
ok "a client under way" wait_for 10 giving
stop gate KILL
ok "when the gate is killed: likewise" broken killed

# --- without -----------------------------------------------------------------

for key in packs advertisements; do
	setup "$key = 0"
	ok "$key = 0: right" miss
	ok "$key = 0: by git each time" miss
done

# --- mirrors -----------------------------------------------------------------

setup
upstream acme/web
fill acme/web
bulk "$T/author/acme/web" 1M
commit "$T/author/acme/web" README "large"
git -C "$T/author/acme/web" push -q origin main 2>/dev/null
ok "a mirror's clone takes no git" wait_for 20 silent "$GATE/acme/web"
ok "and is sound" sound
commit "$T/author/acme/web" README "news"
git -C "$T/author/acme/web" push -q origin main 2>/dev/null
ok "what is new upstream" clone "$GATE/acme/web"
is "is had at once" "$(tip "$T/clone" main)" "$(tip "$T/author/acme/web" main)"
ok "and again without git" wait_for 20 silent "$GATE/acme/web"
ok "sound" sound
mv "$T/up/acme/web.git" "$T/up/acme/gone.git"
no "an upstream that is gone" clone "$GATE/acme/web"

# --- at once -----------------------------------------------------------------

fresh
rm -f "$store"/*
protocol=version=2
all
theirs
joined "$T/theirs" >"$T/theirs.joined"
: >"$T/runs"
for i in 1 2 3 4 5 6 7 8; do
	start "crowd$i" curl -sf -o "$T/crowd.$i" -H 'Git-Protocol: version=2' \
		-H 'Content-Type: application/x-git-upload-pack-request' \
		--data-binary "@$T/body" "$GATE/one.git/git-upload-pack"
done
bad=0
for i in 1 2 3 4 5 6 7 8; do
	wait "${PID[crowd$i]}" || bad=$((bad + 1))
	unset "PID[crowd$i]"
	joined "$T/crowd.$i" | cmp - "$T/theirs.joined" || bad=$((bad + 1))
done >"$T/said"
is "eight at once: all have it" "$bad" 0
is "it was packed once" "$(grep -c pack-objects "$T/runs")" 1
diag "$(grep -c upload-pack "$T/runs") of 8 by git"
done_testing
