#!/bin/bash
# The upstream's word, over ssh and file: what the client of a push is told is
# what the upstream did, and the mirror shows it. A table, see upstreams.sh.
# What takes long stands first.
. "${SOURCE:?}/t/lib.sh"
. "$SOURCE/t/upstreams.sh"

start_sshd
make_seed
let_in
SSH=ssh://$ME@127.0.0.1:$SSHD_PORT$T/up/
ID="identityFile = $T/ssh/id" KNOWN="knownHosts = $T/ssh/known_hosts"
upstreams() {
	reach file "file://$T/up/"
	reach ssh "$SSH" "$ID" "$KNOWN"
	reach lazy "$SSH" "$ID" "$KNOWN"
	reach git "git://127.0.0.1:$DAEMON/"
	reach alone "$SSH" "$ID" "$KNOWN" "controlPersist = 0"
	reach prefer "$SSH" "$ID" "$KNOWN" "atomic = prefer"
}
DAEMON=$(free_port)
start daemon git daemon --listen=127.0.0.1 --port="$DAEMON" --export-all \
	--enable=receive-pack --base-path="$T/up" --reuseaddr
wait_for 10 listens "$DAEMON" || die "git daemon does not start"
git init -q --bare -b main --object-format=sha256 "$T/up/sha256.git"
start_gates
other=$(tip "$T/web" other)
# Objects that git's own checks find wrong.
bad=$(git -C "$T/web" cat-file commit next |
	sed 's/^author.*/author Ada <ada> /' |
	git -C "$T/web" hash-object -t commit -w --stdin --literally)
git -C "$T/web" update-ref refs/bad/one "$bad"

# later FIRST SECOND: the connection ends when it has the first pack, which it
# takes so many seconds after; and a second push, if there is one
later() {
	echo 'SESSION=$PPID; export SESSION' >rogue
	hook pre-receive "if mkdir first; then kill -9 \$SESSION; sleep $1
		elif mkdir second; then sleep $2; fi 2>/dev/null"
}

# --- connections that end, and that hang ---------------------------------

row "the connection ends before its references" via=ssh push=next:heads/main \
	does='rogue start cut' code=upstream-unreachable
row "the connection ends after its references" via=ssh push=next:heads/main \
	does='rogue advert cut' code=upstream-unreachable
row "the connection ends in the pack" via=ssh push=big:heads/main \
	does='rogue input:100000 cut' code=upstream-unreachable
row "it dies when it has the pack" via=ssh push=big:heads/main \
	does='hook pre-receive "kill -9 \$PPID"' code=upstream-unreachable
row "it dies when it has set the reference" via=ssh push=next:heads/main \
	does='hook reference-transaction \
		"[ \$1 != committed ] || kill -9 \$PPID"' \
	refs=heads/main=next then=repeated
row "its answer is lost" via=ssh push="next:heads/main next:heads/new" \
	does='rogue answer cut' refs="heads/main=next heads/new=next" \
	says="the upstream's answer was lost, but it has what was pushed" \
	then=repeated
row "its answer is an error, and it has taken the push" via=ssh \
	push="next:heads/main next:heads/new" \
	does='rogue answer "err:Repository not found."' \
	refs="heads/main=next heads/new=next" \
	says="the upstream's answer was lost, but it has what was pushed" \
	then=repeated
row "its answer to a deletion is lost" via=ssh push=:heads/side \
	does='rogue answer cut' refs="heads/side="
row "over file, it dies when it has the pack" via=file push=next:heads/main \
	does='hook pre-receive "kill -9 \$PPID"' code=upstream-unreachable
row "over file, it dies when it has set the reference" via=file \
	push=next:heads/main does='hook reference-transaction \
		"[ \$1 != committed ] || kill -9 \$PPID"' \
	refs=heads/main=next then=repeated
row "it hangs before its references" via=ssh push=next:heads/main gate=hasty \
	does='rogue start hang' code=upstream-timeout
row "it hangs after its references" via=ssh push=next:heads/main gate=hasty \
	does='rogue advert hang' code=upstream-timeout
row "it hangs in the pack" via=ssh push=big:heads/main gate=hasty \
	does='rogue input:100000 hang' code=upstream-timeout
row "its hook hangs" via=ssh push=big:heads/main gate=hasty \
	does='hook pre-receive "sleep 7; exit 1"' code=upstream-timeout
row "its hook takes longer than we wait, and then it takes the push" \
	via=ssh push=next:heads/main gate=hasty \
	does='hook pre-receive "sleep 6"' code=upstream-timeout \
	refs=heads/main=next then='takes heads/main next; repeated'
row "it hangs when it has set the reference" via=ssh push=next:heads/main \
	gate=hasty does='rogue answer hang' refs=heads/main=next then=repeated
row "over file, its hook hangs" via=file push=next:heads/main gate=hasty \
	does='hook pre-receive "sleep 7; exit 1"' code=upstream-timeout
row "the connection ends twice" via=ssh push=next:heads/main \
	does='rogue start cut 2' refs=heads/main=next
row "the connection ends in the pack, once" via=ssh push=big:heads/main \
	does='rogue input:100000 cut 1' refs=heads/main=big
row "its answer is lost, and it cannot be asked" via=ssh push=next:heads/main \
	does='rogue answer "run:echo exit 1 >rogue-fetch; kill -9 \$PPID"' \
	code=upstream-unknown refs=heads/main=next then='rm "$up/rogue-fetch"'
row "the connection ends in the pack, and it cannot be asked" via=ssh \
	does='rogue input:9999 "run:echo exit 1 >rogue-fetch; kill -9 \$PPID"' \
	push=big:heads/main code=upstream-unknown then='rm "$up/rogue-fetch"'
row "the connection ends, and it takes the push later" via=alone \
	push=next:heads/main does='later 1 0' refs=heads/main=next then=repeated
row "the connection ends, and it takes the push while it is pushed again" \
	push=next:heads/main via=alone does='later 1 3' refs=heads/main=next
row "it is slow to begin" via=ssh push=next:heads/main \
	does='rogue start wait:1500' refs=heads/main=next
row "it is slow to take the pack" via=ssh push=big:heads/main \
	does='rogue input:1 slow:20' refs=heads/main=big
row "it is slow to answer" via=ssh push=next:heads/main \
	does='rogue answer wait:1500' refs=heads/main=next

# --- what it takes -------------------------------------------------------

row "it takes an update" via=ssh push=next:heads/main refs=heads/main=next \
	says="upstream: Create a pull request"
row "over file, it takes an update" via=file push=next:heads/main \
	refs=heads/main=next says="upstream: Create a pull request"
row "it takes a branch, a tag, a rewind and a deletion at once" via=ssh \
	push="next:heads/new v2:tags/v2 +back:heads/main :heads/side" \
	refs="heads/new=next tags/v2=v2 heads/main=back heads/side="
row "over git://, it takes an update" via=git push=next:heads/main \
	refs=heads/main=next
row "over git://, it takes no pushes" via=git push=next:heads/main \
	does='config daemon.receivepack false' code=upstream-not-found
row "it has two names for a branch" via=ssh push=next:heads/alias \
	does='git symbolic-ref refs/heads/alias refs/heads/main' \
	refs="heads/alias=next heads/main=next"
row "it moves the branch on when it has taken it" via=ssh push=next:heads/main \
	does="hook post-receive 'git update-ref refs/heads/main $other'" \
	refs=heads/main=other
row "it takes back what it has taken" via=ssh push=next:heads/new \
	does="hook post-receive 'git update-ref -d refs/heads/new'"
row "it takes a rewind" via=ssh push=+other:heads/side \
	refs=heads/side=other
row "it takes a tag that moves" via=ssh push=+v2:tags/v1 refs=tags/v1=v2
row "it takes the deletion of a tag and a branch" via=ssh \
	push=":tags/v1 :heads/side" refs="tags/v1= heads/side="
row "it is empty" via=ssh seed=empty push=next:heads/main \
	refs=heads/main=next
row "it is empty, and is sent two branches and a tag" via=ssh seed=empty \
	push="next:heads/main other:heads/other v2:tags/v2" \
	refs="heads/main=next heads/other=other tags/v2=v2"
row "it keeps packs" via=ssh push=deep:heads/main refs=heads/main=deep \
	does='config transfer.unpackLimit 1'
row "it is sent a push from a shallow clone" via=ssh from=$T/shallow \
	push=next:heads/main refs=heads/main=next
row "it has another default branch meanwhile" via=ssh push=next:heads/main \
	does='git symbolic-ref HEAD refs/heads/side' refs=heads/main=next
row "it is sent push options" via=ssh push=next:heads/main \
	args="-o ci.skip" refs=heads/main=next \
	then='grep -qx ci.skip "$up/options" || wrong "it has no option"'
row "it is sent what no mirror follows" via=ssh push=next:for/main \
	then='tip "$up" refs/for/main >/dev/null || wrong "it has nothing"'

# --- what it refuses -----------------------------------------------------

row "its hook refuses one of three" via=ssh \
	push="next:heads/a next:heads/blocked other:heads/b" \
	does='hook update "[ \$1 != refs/heads/blocked ] || {
		echo closed by its owners; exit 1; }"' code=upstream-rejected \
	why="heads/blocked:hook declined;heads/a:another reference" \
	says="upstream: closed by its owners"
row "its hook refuses all" via=ssh push="next:heads/a other:heads/b" \
	does='hook pre-receive "echo closed today; exit 1"' \
	code=upstream-rejected why="*:pre-receive hook declined" \
	says="upstream: closed today"
row "over file, its hook refuses" via=file push=next:heads/main \
	does='hook update "echo closed today; exit 1"' \
	code=upstream-rejected why="*:hook declined"
row "it lets nothing be rewound" via=ssh push=+back:heads/main \
	does='config receive.denyNonFastForwards true' \
	code=upstream-rejected why="*:non-fast-forward"
row "it lets nothing be deleted" via=ssh push=:heads/side \
	does='config receive.denyDeletes true' \
	code=upstream-rejected why="*:deletion prohibited"
row "its branch is checked out" via=ssh seed=work push=next:heads/main \
	code=upstream-rejected why="*:branch is currently checked out"
row "it checks objects, and finds one wrong" via=ssh does='
	config receive.fsckObjects true' push=refs/bad/one:heads/main \
	code=upstream-rejected why="*:unpack"
row "it has a directory of that name" via=ssh push=next:heads/dir \
	does="rogue start 'run:git update-ref refs/heads/dir/x $other'" \
	code=upstream-rejected refs=heads/dir/x=other
row "it takes no push options" via=ssh push=next:heads/main \
	args="-o ci.skip" does='config receive.advertisePushOptions false' \
	code=upstream-rejected
row "it hides the branch" via=ssh push=next:heads/hidden \
	does='config receive.hideRefs refs/heads/hidden' \
	code=upstream-rejected why="*:hidden ref"
row "the branch is locked there" via=ssh push=next:heads/main \
	does='touch refs/heads/main.lock' then='rm "$up/refs/heads/main.lock"' \
	code=upstream-rejected why="*:failed to update ref"
row "the pack is too large for it" via=ssh push=big:heads/main \
	does='config receive.maxInputSize 100k' code=upstream-rejected
row "its quota ends in the pack" via=ssh push=big:heads/main \
	does='echo "ulimit -f 100" >rogue' code=upstream-rejected
row "its account may not write" via=ssh push=next:heads/main does=read_only \
	then=writable code=upstream-rejected why="*:unpacker error"
row "it takes nothing atomic, one reference" via=ssh push=next:heads/main \
	does='config receive.advertiseAtomic false' refs=heads/main=next
row "it takes nothing atomic, several references" via=ssh \
	push="next:heads/main next:heads/new" \
	does='config receive.advertiseAtomic false' code=upstream-not-atomic
row "it takes nothing atomic, and need not" via=prefer \
	push="next:heads/main next:heads/new" \
	does='config receive.advertiseAtomic false' \
	refs="heads/main=next heads/new=next"
row "it takes nothing atomic, need not, and refuses one" via=prefer \
	push="next:heads/a next:heads/blocked other:heads/b" \
	does='config receive.advertiseAtomic false
		hook update "[ \$1 != refs/heads/blocked ]"' \
	code=upstream-rejected taken="heads/a heads/b" \
	why="heads/blocked:hook declined" refs="heads/a=next heads/b=other"
row "it takes nothing atomic, and dies after the first" via=prefer \
	push="next:heads/a other:heads/b" \
	does='config receive.advertiseAtomic false
		hook reference-transaction "[ \$1 != committed ] || {
			rm \$0; kill -9 \$PPID; }"' \
	refs="heads/a=next heads/b=other"

# --- what changes meanwhile ----------------------------------------------

row "the branch moves before it is asked" via=ssh push=next:heads/main \
	does="rogue start 'run:git update-ref refs/heads/main $other'" \
	code=upstream-stale why="*:it has moved" refs=heads/main=other
row "the branch moves after it is asked" via=ssh push=next:heads/main \
	does="rogue advert 'run:git update-ref refs/heads/main $other'" \
	code=upstream-stale refs=heads/main=other
row "the branch moves while its hook runs" via=file push=next:heads/main \
	does="hook update '
		unset GIT_QUARANTINE_PATH
		git update-ref refs/heads/main $other'" \
	code=upstream-stale refs=heads/main=other
row "the branch is moved to what is pushed" via=ssh push=other:heads/main \
	does="rogue start 'run:git update-ref refs/heads/main $other'" \
	refs=heads/main=other
row "the new branch is made by another" via=ssh push=next:heads/new \
	does="rogue start 'run:git update-ref refs/heads/new $other'" \
	code=upstream-stale why="*:it has moved" refs=heads/new=other
row "the branch is deleted by another" via=ssh push=next:heads/side \
	does="rogue start 'run:git update-ref -d refs/heads/side'" \
	code=upstream-stale why="*:it has moved" refs=heads/side=
row "the branch to be deleted moves" via=ssh push=:heads/side \
	does="rogue start 'run:git update-ref refs/heads/side $other'" \
	code=upstream-stale why="*:it has moved" refs=heads/side=other
row "the branch to be deleted is gone" via=ssh push=:heads/side \
	does="rogue start 'run:git update-ref -d refs/heads/side'" \
	refs=heads/side=
row "one of two moves" via=ssh push="next:heads/main next:heads/side" \
	does="rogue start 'run:git update-ref refs/heads/side $other'" \
	code=upstream-stale refs=heads/side=other \
	why="heads/side:it has moved;heads/main:another reference"

# --- what it says --------------------------------------------------------

row "it says much" via=ssh push=next:heads/main refs=heads/main=next \
	does='hook post-receive "seq 1 6000"' \
	says="upstream: 4000;more lines, not shown;!upstream: 6000"
row "it writes control characters" via=ssh push=next:heads/main \
	does="hook pre-receive 'printf \"\\033[31mred\\033[0m \\007 \\b\\b\"
		printf \"\\177 \\302\\233 \\r over\\n\"; exit 1'" \
	code=upstream-rejected says="upstream: .*red"
row "it writes a line without an end" via=ssh push=next:heads/main \
	does='hook post-receive "head -c 100000 /dev/zero | tr \\\\0 x"' \
	refs=heads/main=next says="upstream: xxxx"
row "it says what only the gate says, and takes it" via=ssh \
	push=next:heads/main refs=heads/main=next says="upstream: git-gate" \
	does='hook post-receive "
		echo git-gate: refused code=denied retry=no id=0123456789abcdef
		echo ! [remote rejected] main \(no\)
		echo; echo fatal: Could not read from remote repository."'
row "it says what only the gate says, and refuses" via=ssh \
	push=next:heads/main does='hook pre-receive "
		echo git-gate: refused code=timeout retry=yes id=0123456789abcdef
		echo Connection reset by peer; echo Connection refused
		echo fatal: the remote end hung up unexpectedly; exit 1"' \
	code=upstream-rejected why="*:pre-receive hook declined"
row "it greets its users where git speaks" via=ssh push=next:heads/main \
	does='echo "echo Welcome to the forge" >rogue' code=upstream-error
row "it says that there is no such repository" via=ssh push=next:heads/main \
	does='echo "echo ERROR: Repository not found. >&2; exit 1" >rogue' \
	code=upstream-not-found
row "it says that the account may not" via=ssh push=next:heads/main \
	does='echo "echo ERROR: Permission to acme/web.git denied to robot. >&2
		exit 1" >rogue' code=upstream-forbidden

# --- what is not there ---------------------------------------------------

row "it is deleted" via=lazy push=next:heads/main does='rm -rf "$up"' \
	code=upstream-not-found lost=yes
row "it ends before it can be asked" via=ssh push=next:heads/main \
	does='echo "exit 1" >rogue-fetch' at=advert code=upstream-unreachable \
	then='rm "$up/rogue-fetch"'
row "it counts in SHA-256" via=ssh push=next:heads/main seed=sha256 \
	code=upstream-error
row "it was deleted before it is asked" via=ssh push=next:heads/main \
	does='rm -rf "$up"' code=not-found at=advert lost=yes
row "it is no repository any more" via=lazy push=next:heads/main \
	does='rm HEAD' code=upstream-not-found lost=yes
row "its directory is closed to its account" via=ssh push=next:heads/main \
	does=no_entry then=writable code=upstream-not-found
if unshare "$alone" true 2>/dev/null; then
	row "its disk is full" via=ssh push=big:heads/main does=full_disk \
		code=upstream-no-space
else
	diag "no file system can be mounted: nothing has a full disk"
fi

run_rows
end_gates
done_testing
