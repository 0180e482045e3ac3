#!/bin/bash
# After kill -9 of the responder the next one ends what it left running, and
# only that, removes what lay about, says so, and serves at once.
. "${SOURCE:?}/t/lib.sh"

mkdir -p "$T/hosted/lab" "$T/hooks"
git init -q --bare -b main "$T/hosted/lab/own.git"
upstream acme/web
fill acme/web
up=$T/up/acme/web.git
# An upstream that takes its time, but for what comes later; so long that no
# other sleep on the machine is taken for it.
nap=60.$$
printf '#!/bin/sh\n[ -e "%s/quick" ] || sleep %s\n' "$T" $nap >"$up/hooks/pre-receive"
# So does the hook of the hosted one, and will not be told to end.
cat >"$T/hooks/pre-receive" <<END
#!/bin/sh
[ "\$GIT_GATE_REPO" != lab/own ] || [ -e "$T/quick" ] ||
	{ trap '' TERM; touch "$T/deaf"; sleep $nap; sleep $nap; }
exec "$BUILD/git-gate-hook" "\$@"
END
chmod +x "$T/hooks/pre-receive"
ln -s "$BUILD/git-gate-proc-receive" "$T/hooks/proc-receive"
HOOKS=$T/hooks conf <<-END
	[repo "acme/*"]
		upstream = file
	[repo "lab/*"]
		hosted = $T/hosted
	[access]
		allow = * * *
END
start_gate
start_web nginx

# Processes of a state directory.
marked() { grep -lsz "^GIT_GATE_STATE=$1\$" /proc/[0-9]*/environ; }
sleeps() { pgrep -f "^sleep $nap\$" | wc -l; }
quarantines() { find "$T/state/mirrors" "$T/hosted" -name 'tmp_objdir-*'; }
# bystander NAME MARK [SETSID]: in a process group of its own
bystander() {
	start "$1" env GIT_GATE_STATE="$2" perl -MPOSIX -e \
		'$ARGV[0] ? POSIX::setsid() : setpgrp 0, 0; sleep 120' "${3:-}"
}
bystander other "$T/state2"
bystander longer "$T/state/x"
bystander daemon "$T/state" setsid

ok "a clone" git clone -q "$GATE/acme/web" "$T/web"
commit "$T/web" README "under way"
for to in acme/web lab/own; do
	start "push-${to%/*}" git -C "$T/web" push -q "$GATE/$to" \
		HEAD:refs/heads/agent/cut
done
forwards() { marked "$T/state" | xargs -I{} dirname {} |
	xargs -I{} cat {}/cmdline | tr '\0' ' ' | grep -q 'push --porcelain'; }
ok "one push is being forwarded" wait_for 20 forwards
ok "one is in its hook, and deaf" wait_for 20 test -e "$T/deaf"
ok "there are quarantines" test -n "$(quarantines)"
old=$(marked "$T/state" | wc -l)
mirror=$(find "$T/state/mirrors" -name web.git)
stop gate KILL
ok "after kill -9 some still run" test -n "$(marked "$T/state")"
diag "of $old processes $(marked "$T/state" | wc -l) are left"
# and locks, as of a git that was killed too
touch "$mirror/packed-refs.lock" "$T/hosted/lab/own.git/packed-refs.lock"

touch "$T/quick"
: >"$T/gate.log"
began=$SECONDS
start_gate
ok "the next start is soon there" test $((SECONDS - began)) -le 8
is "nothing of the old one runs" \
	"$(marked "$T/state" | grep -v "/${PID[daemon]}/")" ""
is "nor what it would not end" "$(sleeps)" 0
like "the log says how many" \
	'earlier git-gated was killed; [1-9][0-9]* processes' "$T/gate.log"
unlike "all were ended" 'cannot be ended' "$T/gate.log"
is "no quarantine is left" "$(quarantines)" ""
is "no lock is left" "$(find "$mirror" "$T/hosted" -name '*.lock')" ""
is "nothing in the spool" "$(ls -A "$T/state/spool")" ""
for name in other longer daemon; do
	ok "a bystander, $name, still runs" alive $name
done
for to in acme/web lab/own; do
	ok "$to: the next push works at once" env LIMIT=10 timeout 10 \
		git -C "$T/web" push -q "$GATE/$to" HEAD:refs/heads/agent/next
done
is "it is upstream" "$(tip "$up" agent/next)" "$(tip "$T/web" HEAD)"
# what some upstream's hook has started goes on over a clean end
bystander job "$T/state"
stop gate
: >"$T/gate.log"
start_gate
unlike "a start after a clean end ends nothing" 'earlier git-gated' \
	"$T/gate.log"
ok "really nothing" alive job
unlike "no sanitizer reports" \
	'AddressSanitizer|runtime error|LeakSanitizer' "$T/gate.log"
done_testing
