#!/bin/bash
# Advertisements that are given from memory are, byte for byte, what git
# http-backend would say: after every kind of change, within one tick of the
# file system's clock too; and they are given from memory, which is bounded.
# STEPS=N for another number of random steps, SEED=N.
. "${SOURCE:?}/t/lib.sh"

steps=${STEPS:-160} seed=${SEED:-$RANDOM}
[ -z "${LIGHT:-}" ] || steps=${STEPS:-120}
git init -q -b main "$T/author"
for i in 1 2 3 4 5 6 7 8; do
	commit "$T/author" "file$i" "line $i"
	git -C "$T/author" branch "b$i"
	[ $((i % 3)) != 0 ] || git -C "$T/author" tag -am "tag $i" "t$i"
done
git clone -q --bare "$T/author" "$T/template.git"
rm -rf "$T/template.git"/hooks
mkdir "$T/hosted"

real=$(type -P git)
# A git whose http-backend, upload-pack and receive-pack are counted.
mkdir "$T/exec"
ln -s "$(git --exec-path)/git" "$T/exec/git"
backend=$(git --exec-path)/git-http-backend
printf '#!/bin/sh\necho >>"%s"\nexec "%s"\n' "$T/runs" "$backend" \
	>"$T/exec/git-http-backend"
cat >"$T/git" <<-END
	#!/bin/sh
	case \$1 in
	--exec-path) echo "$T/exec"; exit ;;
	receive-pack | upload-pack) echo "\$2" >>"$T/runs" ;;
	esac
	exec "$real" "\$@"
END
chmod +x "$T/git" "$T/exec/git-http-backend"

# setup [KEY...]: the gate anew, with these in [backend]
setup() {
	[ -z "${PID[gate]:-}" ] || stop gate
	conf <<-END
		[gate]
			git = $T/git
		[backend]
		$(printf '\t%s\n' "$@")
		[repo "acme/*"]
			upstream = file
		[repo "*"]
			hosted = $T/hosted
		[access]
			allow = fetch,push * *
			allow = rewind,delete * *
	END
	start_gate env ${PRELOAD:+"LD_PRELOAD=$PRELOAD"}
}
# runs COMMAND...: sets n to how often git was started for it
runs() {
	: >"$T/runs"
	try "$@"
	n=$(wc -l <"$T/runs")
}
# times N COMMAND...
times() {
	local i n=$1
	shift
	for ((i = 0; i < n; i++)); do "$@" || return 1; done
}
v2() { fcgi "/$1.git/info/refs" QUERY_STRING=service=git-upload-pack \
	GIT_PROTOCOL=version=2; }
v0() { fcgi "/$1.git/info/refs" QUERY_STRING=service=git-upload-pack; }
v1() { fcgi "/$1.git/info/refs" QUERY_STRING=service=git-upload-pack \
	GIT_PROTOCOL=version=1; }
recv() { fcgi "/$1.git/info/refs" QUERY_STRING=service=git-receive-pack \
	"${@:2}"; }
printf '0014command=ls-refs\n0001000csymrefs\n0000' >"$T/ls-refs"
ls_refs() { fcgi -body "$T/ls-refs" "/$1.git/git-upload-pack" \
	REQUEST_METHOD=POST GIT_PROTOCOL=version=2 \
	CONTENT_TYPE=application/x-git-upload-pack-request; }

# --- from memory -------------------------------------------------------------

setup
cp -a "$T/template.git" "$T/hosted/one.git"
sleep 0.1 # no change is as young as a tick
for ask in v2 v0 v1 recv ls_refs; do
	runs times 5 "$ask" one
	is "$ask: git is asked once" "$n" 1
	like "$ask: and has answered" '^Status: 200 OK'
done
git -C "$T/hosted/one.git" update-ref refs/heads/new HEAD
sleep 0.1
runs times 5 v0 one
is "after a change git is asked once more" "$n" 1
like "and tells it" 'refs/heads/new'
runs v2 one
is "capabilities do not depend on references" "$n" 0
cp "$T/exec/git-http-backend" "$T/exec/new"
mv "$T/exec/new" "$T/exec/git-http-backend"
sleep 0.1
runs times 3 v2 one
is "another git is asked anew" "$n" 1
kill -HUP "${PID[gate]}"
wait_for 10 grep -q 'read anew' "$T/gate.log"
runs times 3 v2 one
is "so is one with another configuration" "$n" 1

# What one waits for, all get.
git -C "$T/hosted/one.git" update-ref refs/heads/more HEAD
sleep 0.1
crowd() {
	local i pids=()
	for i in 1 2 3 4 5 6 7 8; do
		v0 one >"$T/crowd.$i" &
		pids+=($!)
	done
	wait "${pids[@]}"
}
runs crowd
is "eight at once: git is asked once" "$n" 1
is "and all have the same answer" "$(md5sum <"$T/crowd.1")$(cat "$T"/crowd.* |
	grep -c refs/heads/more)" "$(md5sum <"$T/crowd.8")8"

# --- mirrors ---------------------------------------------------------------

# The upstream is asked each time; where it has nothing new, git is not.
upstream acme/web
fill acme/web
ok "a mirror is made" v0 acme/web
sleep 0.1
for ask in v2 v0 ls_refs; do
	try "$ask" acme/web
	runs times 3 "$ask" acme/web
	is "$ask of a mirror: from memory" "$n" 0
done
commit "$T/author/acme/web" README "news"
git -C "$T/author/acme/web" push -q origin main 2>/dev/null
ok "what is new upstream" v0 acme/web
like "is seen at once" "$(tip "$T/author/acme/web" main) refs/heads/main"
mv "$T/up/acme/web.git" "$T/up/acme/gone.git"
sleep 0.1
v0 acme/web >"$T/said" 2>&1
like "and an upstream that is gone" '^git-gate: refused code='
mv "$T/up/acme/gone.git" "$T/up/acme/web.git"

# --- after a push ------------------------------------------------------------

# What the next push will ask for first is asked of git before it comes.
start_web nginx
ok "a clone to push from" git clone -q "$GATE/acme/web" "$T/pusher"
# one more push; is git, told to answer it, the first that is started?
pushes=0
quick() {
	: >"$T/runs"
	commit "$T/pusher" "pushed.$((++pushes))" "line" &&
		git -C "$T/pusher" push -q origin main &&
		[ "$(head -n 1 "$T/runs")" = --stateless-rpc ]
}
# is what was asked after it answered? A push that comes before that asks itself
asked_again() {
	awk '/--http-backend-info-refs/ { n = NR } /--stateless-rpc/ { n = 0 }
		END { exit !n }' "$T/runs" && ! pgrep -P "${PID[gate]}"
}
found() { quick || { wait_for 5 asked_again; return 1; }; }
no "a first push asks git for references" found
ok "which another finds" wait_for 30 found
# what is there without anyone having asked, and what git says to who asks
unasked() {
	quick
	wait_for 5 asked_again
	: >"$T/runs"
	recv_web >"$T/unasked" && [ ! -s "$T/runs" ]
}
recv_web() { recv acme/web SERVER_PROTOCOL=HTTP/1.1; }
ok "it is there before one asks" wait_for 30 unasked
kill -HUP "${PID[gate]}"
wait_for 10 sh -c "[ \$(grep -c 'read anew' '$T/gate.log') -ge 2 ]"
runs recv_web
is "and, byte for byte, what who asks is told" \
	"$n $(md5sum <"$T/unasked")" "1 $(md5sum <"$T/out")"
commit "$T/author/acme/web" README "more news" &&
	git -C "$T/author/acme/web" pull -q --rebase origin main 2>/dev/null
git -C "$T/author/acme/web" push -q origin main 2>/dev/null
ok "what is new upstream since then" recv_web
like "is seen at once" "$(tip "$T/author/acme/web" main) refs/heads/main"
stop nginx

# --- what may not be kept ----------------------------------------------------

git -C "$T/hosted/one.git" config transfer.advertiseSID true
sleep 0.1
runs times 3 v2 one
is "a session's id is made anew" "$n" 3
git -C "$T/hosted/one.git" config --unset transfer.advertiseSID
git -C "$T/hosted/one.git" config include.path more
sleep 0.1
runs times 3 v0 one
is "files that a configuration includes are not known" "$n" 3
git init -q --bare "$T/hosted/wide.git"
git -C "$T/author" rev-list --all | head -n 1 | while read -r id; do
	for i in $(seq 1100); do echo "create refs/heads/d$i/x $id"; done
done >"$T/creates"
git -C "$T/author" push -q "$T/hosted/wide.git" main
git -C "$T/hosted/wide.git" update-ref --stdin <"$T/creates"
sleep 0.1
runs times 3 v0 wide
is "too many loose references to look at" "$n" 3
git -C "$T/hosted/wide.git" pack-refs --all
setup
sleep 0.1
runs times 3 v0 wide
is "packed, they are kept" "$n" 1

# --- memory ------------------------------------------------------------------

# 1,100 references take about 70 KB
setup "advertisements = 128k"
sleep 0.1
runs times 3 v0 wide
is "an answer that is too large for the bound is not kept" "$n" 3
runs times 3 v2 wide
is "a small one is" "$n" 1
setup "advertisements = 0"
runs times 3 v2 wide
is "with 0 none is" "$n" 3

# --- never wrong -------------------------------------------------------------

# Linux 6.13 and later give a file that somebody has looked at a time of its
# own; those before it, that of their last tick, at most 10 ms ago.
cat >"$T/ticks.c" <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <sys/stat.h>
	#define TICKS(name, type)                                              \
	int name(int dir, const char *path, struct type *st, int flags)        \
	{                                                                      \
		int (*real)(int, const char *, struct type *, int) =           \
			(__typeof__(real))dlsym(RTLD_NEXT, #name);             \
		int rc = real(dir, path, st, flags);                           \
		if (rc == 0) {                                                 \
			st->st_ctim.tv_nsec -= st->st_ctim.tv_nsec % 10000000; \
			st->st_mtim.tv_nsec -= st->st_mtim.tv_nsec % 10000000; \
			/* not a whole second */                               \
			st->st_ctim.tv_nsec++;                                 \
		}                                                              \
		return rc;                                                     \
	}
	TICKS(fstatat, stat)
	TICKS(fstatat64, stat64)
END
PRELOAD=$T/ticks.so
"${CC:-cc}" -shared -fPIC -o "$PRELOAD" "$T/ticks.c" ||
	die "a file system's clock cannot be made coarse"
# a build with sanitizers has their library first, or none
! grep -q libasan <(ldd "$BUILD/git-gated") || PRELOAD=
setup
start_web nginx
mkdir "$T/hosted/random"
drive() { LIMIT=3000 timeout -k 5 3000 perl "$HERE/adverts.pl" "$T/gate.sock" \
	"$T/hosted" "$T/template.git" "$backend" "$@"; }
ok "changes within one tick, and while git runs" drive race "$seed"
diag "$(tail -n 1 "$T/out")"
PRELOAD=
setup
runs drive "$steps" "$seed" "$GATE" "$T/author"
# shellcheck disable=SC2154 # rc is set by try
result "$rc" "$steps random steps (SEED=$seed)"
asked=$(sed -n 's/.*steps, \([0-9]*\) answers/\1/p' "$T/out")
diag "$(tail -n 1 "$T/out"), $n of them by git"
[ "${asked:-0}" -gt 0 ] && [ "$n" -lt "$asked" ]
result $? "some of the answers were from memory"
done_testing
