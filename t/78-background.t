#!/bin/bash
# Without -f: git-gated answers and forwards from the background, and who
# started it learns by its status whether it did.
. "${SOURCE:?}/t/lib.sh"

start_sshd
upstream acme/web
fill acme/web
up=$T/up/acme/web.git
rules() {
	conf <<-END
		[repo "acme/*"]
			upstream = ${1:-ssh}
		[access]
			allow = fetch,push * acme/*
	END
}
gated() {
	timeout -k 5 30 "$BUILD/git-gated" -c "$T/gate.conf" \
		-s "$T/gate.sock" 2>"$T/gate.log"
}
found() { PID[gate]=$(pgrep -f "^$BUILD/git-gated -c $T/gate.conf"); }

rules
ok "it starts, and says so" gated
# not after a while: who has its status may connect
ok "it answers at once" fcgi /-/health
ok "it is in the background" found
# the parent, by whose id something could be named, is no more
start_web nginx
ok "a clone, by a helper that reads the configuration" \
	git clone -q "$GATE/acme/web" "$T/web"
commit "$T/web" new "from here"
ok "a push" git -C "$T/web" push -q origin main
is "the upstream has it" "$(tip "$up" main)" "$(tip "$T/web" main)"
rules file
kill -HUP "${PID[gate]}"
ok "a new configuration is read" wait_for 10 \
	grep -q "read anew" "$T/gate.log"
commit "$T/web" new "from there"
ok "and serves a push" git -C "$T/web" push -q origin main

# --- what does not start ---------------------------------------------------

other() {
	timeout -k 5 30 "$BUILD/git-gated" -c "$T/gate.conf" \
		-s "$T/other.sock"
}
no "not on a state directory that is in use" other
is "its status says so" $rc 1
like "so do its words" 'another git-gated runs on this state directory'
ok "the first one serves on" git ls-remote "$GATE/acme/web"
stop gate
rules
at() {
	timeout -k 5 30 "$BUILD/git-gated" -c "$T/gate.conf" -s "$1"
}
no "not on a socket whose directory is not there" at "$T/none/gate.sock"
like "which is said, and what to do" \
	"$T/none/gate.sock: cannot listen: .*; make its directory"
no "not on a port that is in use" at "127.0.0.1:${GATE##*:}"
like "which is said, too" "127.0.0.1:${GATE##*:}: cannot listen: .*; choose another"
rules nobody
no "not with a configuration that is bad" gated
is "its status says so, too" $rc 1
like "and its words" 'there is no \[upstream "nobody"\]' "$T/gate.log"
{ echo '[[rules]]'; echo 'id = "a"'; echo "regex = '(a'"; } >"$T/rules.toml"
rules
printf '[scan]\n\trules = %s\n' "$T/rules.toml" >>"$T/gate.conf"
no "nor with rules that are bad" gated
like "the line is named, and nothing is put behind it" \
	"the scanner does not work: .*$T/rules.toml:3: rule 'a': .*[a-z]$" \
	"$T/gate.log"
done_testing
