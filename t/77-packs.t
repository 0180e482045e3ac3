#!/bin/bash
# One pack for many: it is made once, given from disk or while it is being made,
# is the very same, and whoever dies meanwhile, client, maker or responder,
# nobody else gets a pack that is not whole. CLIENTS=N, of the crowd at the end.
# shellcheck disable=SC2034,SC2154
. "${SOURCE:?}/t/lib.sh"

clients=${CLIENTS:-200}
[ -z "${LIGHT:-}" ] || clients=${CLIENTS:-60}
store=$T/state/packs
mkdir -p "$T/hosted" "$T/ctl"

# Commits of files that do not compress: a pack of 1.3 MB.
git init -q -b main "$T/author"
for i in $(seq 1 40); do
	head -c 24000 /dev/urandom | base64 >"$T/author/file$i"
	git -C "$T/author" add -A
	git -C "$T/author" commit -qm "commit $i"
done
git -C "$T/author" tag -am "release" v1
git clone -q --bare "$T/author" "$T/hosted/one.git"
git -C "$T/hosted/one.git" repack -adq
cp -a "$T/hosted/one.git" "$T/hosted/two.git"

# A git whose pack-objects are counted. With ctl/hold it gives that many bytes
# and waits for ctl/go; with ctl/fail that many, and fails; with ctl/other its
# bytes are not those of before.
real=$(type -P git)
cat >"$T/git" <<-END
	#!/bin/bash
	case " \$* " in *" pack-objects "*) ;; *) exec "$real" "\$@" ;; esac
	echo "\$\$" >>"$T/runs"
	cd . # where git has us
	if [ -s "$T/ctl/fail" ]; then
		"$real" "\$@" | head -c "\$(cat "$T/ctl/fail")"
		exit 1
	fi
	[ -s "$T/ctl/hold" ] || [ -s "$T/ctl/other" ] || exec "$real" "\$@"
	pack=\$(mktemp "$T/pack.XXXXXX")
	"$real" "\$@" >"\$pack" || exit
	if [ -s "$T/ctl/other" ]; then
		printf other | dd of="\$pack" bs=1 seek=50 conv=notrunc 2>"$T/dd"
		cat "\$pack"
		exit
	fi
	n=\$(cat "$T/ctl/hold")
	head -c "\$n" "\$pack"
	echo "\$\$" >>"$T/held"
	until [ -e "$T/ctl/go" ]; do read -rt 0.05 <>"$T/fifo"; done
	tail -c "+\$((n + 1))" "\$pack"
END
chmod +x "$T/git"
mkfifo "$T/fifo"

# setup [KEY...]: the gate anew, with these in [backend]
setup() {
	[ -z "${PID[gate]:-}" ] || stop gate
	conf <<-END
		[gate]
			git = $T/git
			workers = 512
		[session]
			maxSessions = 400
			maxPerClient = 400
			maxPerRepository = 400
		[backend]
			threads = 1
		$(printf '\t%s\n' "$@")
		[repo "*"]
			hosted = $T/hosted
		[access]
			allow = fetch * *
	END
	start_gate
}
reset() { rm -f "$T"/ctl/* "$T/runs" "$T/held" "$T"/got.*; : >"$T/runs"; }
runs() { wc -l <"$T/runs"; }
kept() { find "$store" -type f -perm 0400 | wc -l; }
files() { find "$store" -type f | wc -l; }

# What git asks for a pack: want NAME [LINE...]
want() {
	perl -e 'sub line { printf "%04x%s", 4 + length $_[0], $_[0] }
		my $tip = shift;
		line("command=fetch"); line("object-format=sha1"); print "0001";
		line($_) for "thin-pack", "no-progress", "ofs-delta", @ARGV;
		line("want $tip\n"); line("done\n"); print "0000"' \
		"$(tip "$T/hosted/$1.git" main)" "${@:2}" >"$T/want.$1"
}
# fetch N NAME: in the background, its answer to got.N
fetch() {
	start "fetch$1" curl -sf --no-buffer -o "$T/got.$1" \
		-H 'Git-Protocol: version=2' -H \
		'Content-Type: application/x-git-upload-pack-request' \
		--data-binary "@$T/want.$2" "$GATE/$2.git/git-upload-pack"
}
# ended N: it has come to its end, well
ended() {
	wait "${PID[fetch$1]}"
	rc=$?
	unset "PID[fetch$1]"
	return $rc
}
# pack FILE: the pack in an answer, without its packets
pack() {
	perl -e 'local $/; my ($d, $out) = (<STDIN>, "");
		while ($d =~ s/^([0-9a-f]{4})//) {
			my $n = hex $1;
			next if $n < 4;
			my $p = substr $d, 0, $n - 4, "";
			$out .= $p if $p =~ s/^\x01//;
		}
		print $out' <"$1"
}
sum() { pack "$1" | sha256sum | cut -d' ' -f1; }
whole() { pack "$1" >"$T/whole.pack" &&
	git -C "$T/hosted/one.git" index-pack -o "$T/whole.idx" \
		"$T/whole.pack"; }
size() { [ "$(stat -c %s "$1" 2>/dev/null || echo 0)" -ge "$2" ]; }
makers() { pgrep -P "${PID[gate]}" git-gate-pack; }
nobody() { ! grep -qsz "^GIT_GATE_PACKS=$store\$" /proc/[0-9]*/environ; }
one_maker() { [ "$(makers | wc -l)" = 1 ]; }
held() { [ -s "$T/held" ]; }
clone() { rm -rf "$T/clone" && git clone -q "$@" "$T/clone"; }
sound() { git -C "$T/clone" fsck --strict --full; }
# readers N: so many have the file open that is being made
readers() {
	local n
	n=$(find /proc/[0-9]*/fd -lname "$store/*" 2>/dev/null |
		cut -d/ -f3 | sort -u | while read -r pid; do
			[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = git-gate-pack ] &&
				! makers | grep -qx "$pid" && echo "$pid"
		done | wc -l)
	[ "$n" = "$1" ]
}

# --- the same pack -------------------------------------------------------------

setup
start_web nginx
want one
reset
fetch 1 one
ok "a pack is made" ended 1
fetch 2 one
ok "and asked for again" ended 2
is "git made it once" "$(runs)" 1
is "both have the very same" "$(sum "$T/got.2")" "$(sum "$T/got.1")"
ok "which is whole" whole "$T/got.2"
is "the directory is private" "$(stat -c %a "$store")" 700
is "so are its files" "$(find "$store" -type f -perm /077)" ""
is "whose names are keys" \
	"$(ls "$store" | grep -vEx '[0-9a-f]{64}')" ""
reset
ok "a clone" clone "$GATE/one"
ok "is sound" sound
ok "so is the next" clone "$GATE/one"
ok "is sound, too" sound
is "one run of git for two" "$(runs)" 1
ok "a clone that wants to see how far it is" clone --progress "$GATE/one"
like "is told what was" 'remote: Total [0-9]+'
is "has the same pack" "$(runs)" 1
ok "a client that wants nothing told" clone "$GATE/one"
unlike "is told nothing" 'remote:'
"$BUILD/git-gate" status -c "$T/gate.conf" >"$T/said" 2>&1
like "status counts them" '^packs kept: 2, [0-9]+ bytes'

# --- another -------------------------------------------------------------------

want two
reset
fetch 1 two
ok "of another repository" ended 1
is "another is made" "$(runs)" 1
is "though it is the same" "$(sum "$T/got.1")" \
	"$(fetch 2 one; ended 2; sum "$T/got.2")"
for args in '--depth=1' '--depth=2' '--filter=blob:none --no-checkout' \
	'--filter=blob:limit=1k --no-checkout' '--no-tags'; do
	reset
	# shellcheck disable=SC2086 # several
	ok "clone $args" clone $args "$GATE/one"
	n=$(runs)
	[ "$n" -ge 1 ] || [ "$args" = --no-tags ]
	result $? "is not the pack of another"
done
# A filter that is named by a reference says something else when that moves.
git init -q "$T/spec"
echo /file1 >"$T/spec/spec"
git -C "$T/spec" add spec
git -C "$T/spec" commit -qm spec
for filter in sparse:oid=spec:spec combine:sparse:oid=spec:spec+blob:limit=1g \
	combine:%73parse:oid=spec:spec; do
	git -C "$T/spec" push -qf "$T/hosted/one.git" HEAD:spec
	reset
	ok "clone --filter=$filter" \
		clone --filter="$filter" --no-checkout "$GATE/one"
	ok "again" clone --filter="$filter" --no-checkout "$GATE/one"
	is "is packed each time" "$(runs)" 2
done
git -C "$T/hosted/one.git" update-ref -d refs/heads/spec
reset
ok "what a shallow one has" clone --depth=1 "$GATE/one"
is "is given again, too" "$(runs)" 0
git -C "$T/clone" fetch -q --unshallow || die "cannot unshallow"
is "but not what it asks for next" "$(runs)" 1
ok "and is sound" sound
clone "$GATE/one"
commit "$T/author" more "more"
git -C "$T/author" push -q "$T/hosted/one.git" main
reset
ok "a fetch of what is new" git -C "$T/clone" fetch -q
is "runs git" "$(runs)" 1
ok "and is sound" sound
want one include-tag
reset
fetch 1 one
ended 1
fetch 2 one
ended 2
is "with tags that come along it is kept" "$(runs)" 1
git -C "$T/hosted/one.git" tag -am "one more" v2 main~3
fetch 3 one
ended 3
is "until there are others" "$(runs)" 2
want one
reset
git -C "$T/hosted/one.git" config pack.compression 1
fetch 1 one
ended 1
is "with another configuration it is made anew" "$(runs)" 1
touch "$T/git"
fetch 1 one
ended 1
is "and by another git" "$(runs)" 2

# More input than is held: handed on to git, twice the pipe and more.
direct() {
	(cd "$T/hosted/one.git" && env GIT_DIR=. GIT_GATE_GIT="$real" \
		GIT_GATE_PACKS="$store" GIT_GATE_PACKS_SIZE=100000000 \
		GIT_GATE_PACKS_AGE=3600000 GIT_GATE_PACKS_TOTAL=60000 \
		GIT_GATE_PACKS_PID=$$ "$BUILD/git-gate-pack" git pack-objects \
		--revs --thin --stdout --delta-base-offset)
}
perl -e 'print "$ARGV[0]\n" x 120000, "--not\n\n"' \
	"$(tip "$T/hosted/one.git" main)" >"$T/input"
n=$(files)
direct <"$T/input" >"$T/direct"
is "a request that is too long to be held" \
	"$(sha256sum <"$T/direct")" "$(git -C "$T/hosted/one.git" \
	pack-objects -q --revs --thin --stdout --delta-base-offset \
	<"$T/input" | sha256sum)"
is "goes to git" "$(files)" "$n"

# --- while it is made -----------------------------------------------------------

# begin N HOLD: the first client of a pack, held after so many bytes
begin() {
	rm -f "$store"/*
	reset
	echo "$2" >"$T/ctl/hold"
	fetch "$1" one
	wait_for 20 held || die "git is not held"
}
begin 1 600000
ok "one process makes it, of no session" one_maker
fetch 2 one
ok "who comes later has what there is" wait_for 20 size "$T/got.2" 500000
is "from one run of git" "$(runs)" 1
stop fetch1 KILL
ok "the first one's end is seen" wait_for 20 readers 1
touch "$T/ctl/go"
ok "and does not end it" ended 2
ok "it is whole" whole "$T/got.2"
is "git ran once" "$(runs)" 1
is "it is kept" "$(kept)" 1

begin 1 600000
stop fetch1 KILL
ok "when nobody waits for it, its making ends" wait_for 10 nobody
is "and nothing is left" "$(files)" 0

begin 1 600000
for i in 2 3 4 5 6 7 8; do fetch $i one; done
ok "eight have what there is" wait_for 20 size "$T/got.8" 500000
for i in 1 3 5; do stop fetch$i KILL; done
touch "$T/ctl/go"
for i in 2 4 6 7 8; do
	ended $i && sum "$T/got.$i"
done >"$T/sums"
uniq -c "$T/sums" >"$T/said"
like "three of them are killed, five have the same" '^ *5 '
is "git ran once" "$(runs)" 1

# All at once, and nothing is there: by turns, for who is quickest is luck.
ran=''
for round in 1 2 3; do
	rm -f "$store"/*
	reset
	echo 600000 >"$T/ctl/hold"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do fetch $i one; done
	wait_for 20 readers 12
	ran=$ran$(runs)
	touch "$T/ctl/go"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do ended $i || ran=${ran}bad; done
done
is "twelve come at once: git runs once" "$ran" 111

# --- its maker dies ---------------------------------------------------------------

# The second run of git is not held.
kill_maker() {
	local pid
	pid=$(makers)
	rm "$T/ctl/hold"
	kill -KILL "$pid"
}
begin 1 0
fetch 2 one
ok "nothing has been made" wait_for 20 readers 2
kill_maker
ok "its maker is killed: the first has a pack" ended 1
ok "which is whole" whole "$T/got.1"
ok "the other has one" ended 2
ok "which is whole" whole "$T/got.2"
ok "nothing of before is left" wait_for 10 nobody

begin 1 600000
fetch 2 one
ok "two have half of it" wait_for 20 size "$T/got.2" 500000
kill_maker
ok "its maker is killed: the first has all" ended 1
ok "which is whole" whole "$T/got.1"
ok "so has the other" ended 2
is "the very same" "$(sum "$T/got.2")" "$(sum "$T/got.1")"
is "each from a git of its own" "$(runs)" 3

begin 1 600000
fetch 2 one
ok "half of it has been given" wait_for 20 size "$T/got.2" 500000
ok "to both" wait_for 20 size "$T/got.1" 500000
echo yes >"$T/ctl/other"
kill_maker
ended 1
ended 2
no "what does not go with it is not given: not to the first" whole "$T/got.1"
no "nor to the other" whole "$T/got.2"
like "and the operator is told" 'git-pack-objects died with error' \
	"$T/gate.log"
is "and it is not kept" "$(kept)" 0

for n in 1 600000; do
	rm -f "$store"/*
	reset
	echo "$n" >"$T/ctl/fail"
	no "git fails after $n bytes: so does a clone" clone "$GATE/one"
	is "and nothing is kept" "$(kept)" 0
	reset
	ok "then it does not" clone "$GATE/one"
	ok "and it is sound" sound
done

# A file that nobody makes.
rm -f "$store"/*
reset
fetch 1 one
ended 1
key=$(find "$store" -type f)
chmod 600 "$key"
truncate -s 500000 "$key"
fetch 2 one
ok "what nobody makes any more is made anew" ended 2
ok "and is whole" whole "$T/got.2"
is "by git" "$(runs)" 2
is "and kept" "$(kept)" 1

# --- bounds ------------------------------------------------------------------------

setup "packs = 4m"
for i in 1 2 3 4; do
	cp -a "$T/hosted/two.git" "$T/hosted/b$i.git"
	want b$i
done
reset
for i in 1 2 3; do fetch 1 b$i; ended 1; done
is "three fit in" "$(kept)" 3
oldest=$(ls -tr "$store" | head -n 1)
touch "$store/$oldest"
fetch 1 b4
ended 1
is "a fourth does not" "$(kept)" 3
ok "the one that was used last stays" test -e "$store/$oldest"
ok "all are within the bound" \
	test "$(du -s --block-size=1 "$store" | cut -f1)" -le $((4 << 20))
# One that somebody reads does not go: its bytes would stay.
reset
for key in "$store"/*; do
	start "slow${key##*/}" perl -MFcntl -e 'open my $f, "<", $ARGV[0] or die;
		my $lock = pack "ssx4qqlx4", F_RDLCK, 0, 1, 0, 0;
		fcntl $f, 37, $lock or die; # F_OFD_SETLK
		open my $w, ">", $ARGV[1]; sleep 60' "$key" "$T/ctl/${key##*/}"
	wait_for 10 test -e "$T/ctl/${key##*/}" || die "no lock"
done
inodes=$(ls -i "$store")
want one
fetch 1 one
ok "all are being read, and another is wanted" ended 1
ok "it is whole" whole "$T/got.1"
is "and not kept: none goes" "$(ls -i "$store")" "$inodes"
for key in "$store"/*; do stop "slow${key##*/}" KILL; done
setup "packs = 1m"
reset
fetch 1 b1
ok "one that is larger than all" ended 1
ok "is whole" whole "$T/got.1"
is "and not kept" "$(files)" 0
setup "packs = 10m" "packsAge = 1h"
reset
fetch 1 b1
ended 1
touch -d '2 hours ago' "$store"/*
fetch 2 b1
ended 2
is "an old one is made anew" "$(runs)" 2
touch -d '2 hours ago' "$store"/*
fetch 3 b2
ended 3
is "and goes when another comes" "$(kept)" 1
setup "fileSize = 200k"
reset
fetch 1 b1
ok "no file may be that large" ended 1
ok "it is whole" whole "$T/got.1"
setup "packs = 0"
reset
fetch 1 b1
ok "with 0" ended 1
is "nothing is kept, and nobody asks us" "$(files)$(runs)" 00
mkdir "$T/with space"
for f in git-gate-pack git-gate-ssh git-gate-askpass git-gate-nothing; do
	ln -s "$BUILD/$f" "$T/with space/$f"
done
LIBEXEC="$T/with space" setup
fetch 1 b1
ok "where git would need a shell to find us" ended 1
is "nothing is kept" "$(files)" 0

# A disk that is full.
stop gate
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=900k,mode=700 packs "$store"
then
	setup
	reset
	fetch 1 b1
	ok "the disk is full" ended 1
	ok "the pack is whole" whole "$T/got.1"
	is "and not kept" "$(kept)" 0
	stop gate
	umount "$store"
else
	diag "no file system can be mounted: nothing has a full disk"
fi

# --- the responder ------------------------------------------------------------------

setup
begin 1 600000
stop gate KILL
ok "killed, it leaves nothing running" wait_for 30 nobody ||
	diag "$(ps -o pid,ppid,pgid,stat,args -p "$(grep -lsz \
		"^GIT_GATE_PACKS=$store\$" /proc/[0-9]*/environ |
		cut -d/ -f3 | paste -sd,)")"
ok "but a file" test "$(files)" -gt 0
ended 1
start_gate
is "which the next one removes" "$(files)" 0
reset
fetch 1 one
ok "and serves" ended 1
ok "a whole one" whole "$T/got.1"
begin 1 600000
stop fetch1 KILL
stop gate
ok "stopped, it leaves nothing running" wait_for 10 nobody

# --- a crowd -------------------------------------------------------------------------

setup
reset
rm -rf "$T/clone"
mkdir "$T/crowd"
crowd() {
	local i pids=() killed=0 bad=0
	for ((i = 0; i < clients; i++)); do
		timeout -k 5 120 "$real" clone -q --bare "$GATE/one" \
			"$T/crowd/$i" >"$T/crowd/$i.log" 2>&1 &
		pids[i]=$!
		# those that came first, as it is made; others as they like
		if [ $((RANDOM % 4)) = 0 ] && [ "$i" -gt 0 ]; then
			kill -KILL "${pids[RANDOM % i]}" 2>/dev/null &&
				killed=$((killed + 1))
		fi
		[ $((i % 50)) != 7 ] || rm -f "$store"/*
	done
	for ((i = 0; i < clients; i++)); do
		wait "${pids[i]}"
		case $? in
		137) continue ;;
		0) git -C "$T/crowd/$i" fsck --strict --no-dangling \
			>"$T/crowd/$i.log" 2>&1 && continue ;;
		esac
		bad=$((bad + 1))
		diag "client $i: $(tail -n 2 "$T/crowd/$i.log")"
	done
	echo "$clients clients, $killed killed, $bad bad, git ran $(runs) times"
	[ $bad = 0 ]
}
{ crowd >"$T/out"; } 2>"$T/err"
result $? "$clients clones, some killed: all others are sound"
diag "$(cat "$T/out")"
ok "nothing is left being made" wait_for 10 nobody
done_testing
