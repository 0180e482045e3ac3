#!/bin/bash
# The limits of [backend]: a repository far larger than memory is served, what
# goes past a limit is refused with words, nothing of it stays, and the log
# says what happened.
. "${SOURCE:?}/t/lib.sh"

mkdir -p "$T/hosted/lab" "$T/hooks"
for name in big own; do
	git init -q --bare -b main "$T/hosted/lab/$name.git"
done
own=$T/hosted/lab/own.git
# conf_with LINE...: these lines in [backend].
conf_with() {
	{
		printf '[backend]\n'
		printf '\t%s\n' "$@"
		printf '[repo "lab/*"]\n\thosted = %s\n' "$T/hosted"
		printf '[access]\n\tallow = * * *\n'
	} | conf
}
restart() {
	stop gate
	conf_with "$@"
	: >"$T/gate.log"
	start_gate
}
children() { cat /proc/"${PID[gate]}"/task/*/children | xargs; }
childless() { [ -z "$(children)" ]; }
left() { find "$T/hosted" -name 'tmp_*' -o -name '*.lock'; }
sanitized() { ldd "$BUILD/git-gate-hook" | grep -q libasan; }

# --- what a backend is given -----------------------------------------------------

# A hook that tells its limits and git's settings, in place of ours.
cat >"$T/hooks/pre-receive" <<'END'
#!/bin/sh
[ "$1" = --check ] && exit 0
cat /proc/self/limits
for key in pack.threads pack.windowMemory pack.deltaCacheSize \
	core.packedGitWindowSize core.packedGitLimit core.bigFileThreshold \
	core.deltaBaseCacheLimit receive.maxInputSize; do
	echo "$key=$(git config "$key")"
done
exit 1
END
chmod +x "$T/hooks/pre-receive"
ln -s "$BUILD/git-gate-proc-receive" "$T/hooks/proc-receive"
git init -q -b main "$T/work"
commit "$T/work" file "a line"
HOOKS=$T/hooks conf_with 'memory = 1g' 'cpu = 90s' 'fileSize = 200m' \
	'processes = 30000' 'files = 200' 'threads = 3'
start_gate
start_web nginx
push() { git -C "$T/work" push "$GATE/lab/own" "$@"; }
no "a hook tells what it was given" push main
like "cpu" 'Max cpu time +90 +95 '
like "fileSize" 'Max file size +209715200 +209715200 '
like "processes" 'Max processes +30000 +30000 '
like "files" 'Max open files +200 +200 '
sanitized || {
	like "memory" 'Max data size +1073741824 +1073741824 '
	like "address space" 'Max address space +68719476736 +68719476736 '
}
like "threads" 'pack.threads=3 *$'
like "each thread has its share" 'pack.windowMemory=89478485 *$'
like "a push is no larger than a file may be" 'receive.maxInputSize=209715200'
HOOKS=$T/hooks restart 'memory = 0' 'processes = 0' 'fileSize = 0'
no "without limits" push main
like "no memory" 'Max data size +unlimited'
like "no fileSize" 'Max file size +unlimited'
like "there are settings all the same" 'pack.windowMemory=[0-9]+ *$'
cores=$(nproc)
like "a push has all processors, up to 8" \
	"pack.threads=$((cores < 8 ? cores : 8)) *\$"
HOOKS=$T/hooks restart 'memory = 300m'
no "little memory" push main
like "and so few threads" 'pack.threads=1 *$'

# --- a pack far larger than memory --------------------------------------------------

# 300 MB that nothing compresses; the first commit is at the pack's beginning,
# so that whoever maps from there to the end has all of it.
perl -e 'open my $r, "<", "/dev/urandom" or die;
	sub commit { print "commit refs/heads/$_[0]\n",
		"committer A <a\@example.org> 1 +0000\ndata 2\nx\n" }
	commit("first"); print "\n";
	for my $i (1 .. 60) {
		read $r, my $b, 5 << 20;
		print "blob\nmark :$i\ndata ", length $b, "\n", $b, "\n" }
	commit("main");
	print "M 100644 :$_ f$_\n" for 1 .. 60; print "\ndone\n"' |
	git -C "$T/hosted/lab/big.git" -c core.compression=0 \
		-c core.bigFileThreshold=1m \
		-c fastimport.unpackLimit=1 fast-import --quiet --done
is "a pack of 300 MB is there" "$(find "$T/hosted/lab/big.git" -size +299M \
	-name '*.pack' | wc -l)" 1
HOOKS=$T/hooks restart 'memory = 64m'
ok "memory = 64m: it is cloned" git -c core.bigFileThreshold=1m \
	clone -q --bare "$GATE/lab/big" "$T/big"
is "all of it" "$(tip "$T/big" main)" "$(tip "$T/hosted/lab/big.git" main)"
unlike "without a complaint" '(warning|error)' "$T/gate.log"
rm -rf "$T/big" "$T/hosted/lab/big.git"

# --- too little -----------------------------------------------------------------------

# refused NAME REF: a push is, with words, and nothing stays
refused() {
	no "$1: the push fails" push "$2"
	like "$1: with a sentence" "$3"
	is "$1: the repository has nothing of it" "$(tip "$own" "$2")" ""
	is "$1: nothing is left behind" "$(left)" ""
	ok "$1: no process is left" wait_for 10 childless
}
names() { like "the log names $1" "audit verdict=(failed|refused) code=limit .*detail=.*backend\.$1" "$T/gate.log"; }
sanitized || {
	git -C "$own" fetch -q "$T/work" main:refs/heads/base
	restart 'memory = 1m'
	no "memory: a fetch fails" git clone -q "$GATE/lab/own" "$T/none"
	like "memory: with a sentence" 'git-gate: git met a limit of this gate'
	names memory
	restart 'memory = 9m'
	commit "$T/work" file "more"
	# the hook needs as little as git does: whoever meets the limit says so
	refused "a hook without memory" main \
		'remote: git-gate: (could not tell|git met a limit)'
	restart 'memory = 4m'
	no "git without memory" push main
	names processes
	like "git without memory: with a last line" 'remote: git-gate: refused code=limit retry=no id='
}
head -c 3M /dev/urandom >"$T/work/large"
commit "$T/work" file "large"
restart 'fileSize = 1m'
refused "fileSize" main 'remote: git-gate: the request is larger than this gate takes'
git -C "$T/work" checkout -q --orphan flat
git -C "$T/work" rm -rqf .
commit "$T/work" file "small"
printf '#!/bin/sh\n[ "$1" = --check ] && exit 0\nwhile :; do :; done\n' \
	>"$T/hooks/pre-receive"
HOOKS=$T/hooks restart 'cpu = 1s'
refused "cpu" flat 'pre-receive hook declined'
names cpu
no "cpu: again" push flat
like "cpu: a last line says so, too" \
	'remote: git-gate: refused code=limit retry=no id='
restart 'files = 64'
ok "what is within its limits is taken" push main

# --- the watch over sessions -----------------------------------------------------

# it sleeps until the first deadline, and looks again at the next one
looks() {
	awk '/^voluntary/ { print $2 }' "/proc/${PID[gate]}/task/${PID[gate]}/status"
}
before=$(looks) began=$SECONDS
asked=0
for i in {1..40}; do
	fcgi /lab/own/info/refs REQUEST_METHOD=GET \
		QUERY_STRING=service=git-upload-pack | grep -q refs/heads &&
		asked=$((asked + 1))
done
is "forty requests" "$asked" 40
# who takes longer has deadlines that pass: one a second, on a busy machine
ok "do not wake who watches over them" \
	test $(($(looks) - before)) -lt $((20 + SECONDS - began))
done_testing
