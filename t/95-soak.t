#!/bin/bash
# Many requests, one after another and beside each other, good and bad: no
# descriptor, process, thread or temporary file more than before, and no
# memory that grows. Then bench/soak, for SOAK seconds, 16 by default.
. "${SOURCE:?}/t/lib.sh"

upstream acme/web
fill acme/web
conf <<-END
	[repo "acme/*"]
		upstream = file
		fresh = 1h
	[access]
		allow = fetch,push * acme/*
END
start_gate
start_web nginx
pid=${PID[gate]}
git clone -q "$GATE/acme/web" "$T/web"

urls() {
	local i
	for i in {1..150}; do
		echo "url = \"$GATE/acme/web/info/refs?service=git-upload-pack\""
		echo "output = /dev/null"
		echo "url = \"$GATE/acme/no$i/info/refs?service=git-shell\""
		echo "output = /dev/null"
		echo "url = \"$GATE/none/web/info/refs?service=git-receive-pack\""
		echo "output = /dev/null"
	done
}
urls >"$T/urls"
round() {
	local i
	timeout 120 curl -s --parallel --parallel-max 8 -w '%{http_code}\n' \
		-K "$T/urls" >"$T/codes"
	for i in 1 2 3; do
		commit "$T/web" soak "$1 $i"
		git -C "$T/web" push -q origin main || return 1
		commit "$T/web" soak "$(secret)"
		! git -C "$T/web" push -q origin main 2>/dev/null || return 1
		git -C "$T/web" reset -q --hard HEAD~1
	done
	wait_for 10 quiet
}
quiet() { [ -z "$(cat /proc/"$pid"/task/*/children)" ]; }
descriptors() { find /proc/"$pid"/fd -type l | wc -l; }
threads() { find /proc/"$pid"/task -mindepth 1 -maxdepth 1 | wc -l; }
kilobytes() { awk '/^VmRSS/ { print $2 }' /proc/"$pid"/status; }
settled() { [ "$(descriptors)" -le "$fds" ]; }

ok "first round" round 1
is "first round: 150 were served" "$(grep -c 200 "$T/codes")" 150
is "first round: 300 were refused" "$(grep -cE '40[34]' "$T/codes")" 300
fds=$(descriptors) tasks=$(threads) rss=$(kilobytes)
for i in 2 3; do ok "round $i" round $i; done
ok "no descriptor more" wait_for 10 settled
no_more() { [ "$(threads)" -le "$tasks" ]; }
ok "no thread more" wait_for 10 no_more || diag "$(threads), $tasks"
diag "resident: $rss kB, then $(kilobytes) kB"
if ldd "$BUILD/git-gated" | grep -q libasan; then
	diag "memory is not compared: a sanitizer keeps what was freed"
else
	ok "memory does not grow" test "$(kilobytes)" -le $((rss + 4096))
fi
is "no temporary file" "$(find "$T/state/spool" -type f)" ""
is "no quarantine" "$(find "$T/state/mirrors" -name '*incoming*')" ""
is "upstream has what was pushed" "$(tip "$T/up/acme/web.git" main)" \
	"$(tip "$T/web" main)"
stop gate
is "the gate ends cleanly" $rc 0

# real clients, some of which are killed
SOAK=${SOAK:-${LIGHT:+8}}
ok "a soak of ${SOAK:-16} s: nothing fails but what was killed, nothing grows" \
	"$SOURCE/bench/soak" "${SOAK:-16}s" "$BUILD"
cp "$T/out" "$T/soak"
diag "$(grep operations "$T/soak")"
like "it has clones, fetches and pushes, some of them killed" \
	' [1-9][0-9]* clones, [1-9][0-9]* fetches, [1-9][0-9]* pushes; [1-9]' \
	"$T/soak"
is "each of its statements is met" "$(grep -c '| no |$' "$T/soak")" 0
done_testing
