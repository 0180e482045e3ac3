#!/bin/bash
# What goes wrong is said: to the operator with file:line or host, at start
# where it can be known; to the client in a sentence and the machine's line,
# in time. A scanner that cannot run lets nothing through.
. "${SOURCE:?}/t/lib.sh"

LIMIT=30
start_sshd
upstream acme/web
fill acme/web
commit "$T/author/acme/web" later "one more"
up=$T/up/acme/web.git

# --- at start ------------------------------------------------------------------

# refused NAME REGEX: git-gated -t, and its start, refuse $T/gate.conf
gated() { timeout -k 2 20 "$BUILD/git-gated" -f -c "$T/gate.conf" "$@"; }
refused() {
	no "$1: -t refuses" gated -t
	like "$1: -t says where and what" "$2"
	unlike "$1: without a sanitizer's report" 'Sanitizer|runtime error'
	no "$1: no start" gated -s "$T/gate.sock"
	like "$1: the start says the same" "$2"
}
plain() {
	conf <<-END
		[repo "acme/*"]
			upstream = ${1:-file}
		[access]
			allow = * * *
	END
}
# add TEXT...: lines at the end; their number in $line
add() {
	printf '%s\n' "$@" >>"$T/gate.conf"
	line=$(wc -l <"$T/gate.conf")
}
at() { printf '%s:%s: ' "$T/gate.conf" "$line"; }

plain
ok "a good configuration passes -t" gated -t
add '[gate]' 'colour = blue'
refused "unknown key" "$(at).*colour"
plain
add '[gates]'
refused "unknown section" "$(at).*gates"
plain
add '[session]' 'readTimeout = 15'
refused "a time without a unit" "$(at).*"
plain
add '[access]' 'allow = fetch,steal * *'
refused "unknown operation" "$(at).*steal"
plain
add '[repo "x/*"]' 'upstream = elsewhere'
refused "unknown upstream" "$T/gate.conf:[0-9]+: .*elsewhere"
plain
add 'this is no configuration'
refused "a syntax error" "$(at)"
plain
add '[gate]' 'workers = many' '[session]' 'maxBody = -1'
no "several errors" gated -t
like "several errors: the first" "$T/gate.conf:$((line - 2)): "
like "several errors: the second" "$T/gate.conf:$line: "
plain
chmod 666 "$T/gate.conf"
refused "a file that others can write" "$T/gate.conf.*writ"
rm "$T/gate.conf"
refused "no configuration" "$T/gate.conf"
plain
add '[scan]' "rules = $T/absent.toml"
refused "a missing rules file" "$(at).*absent\.toml"
: >"$T/empty.toml"
plain
add '[gate]' "mirrors = $T/empty.toml"
refused "mirrors is a file" "$T/gate.conf:[0-9]+: .*empty\.toml"
plain
add '[gate]' "spool = $T/empty.toml/spool"
refused "spool cannot be made" "$T/gate.conf:[0-9]+: .*empty\.toml"
plain
add '[gate]' "git = $T/no-git"
refused "a git that is not there" "$T/gate.conf:[0-9]+: .*no-git"
plain
sed -i "s|/ssh/known_hosts|/ssh/unknown_hosts|" "$T/gate.conf"
refused "known_hosts is missing" "$T/gate.conf:[0-9]+: .*unknown_hosts"
plain
sed -i "s|/ssh/id\$|/ssh/no-id|" "$T/gate.conf"
refused "the identity file is missing" "$T/gate.conf:[0-9]+: .*no-id"
mkdir -p "$T/hooks"
printf '#!/bin/sh\nexit 0\n' >"$T/hooks/pre-receive"
HOOKS=$T/hooks plain
refused "a hook that cannot be executed" "$T/gate.conf:[0-9]+: .*hook"
plain
no "an address that cannot be" gated -s "$T/no/such/dir/sock"
like "an address that cannot be: it is named" 'no/such/dir'
no "no address" gated
like "no address: says what is needed" '-s|socket'

# --- while it runs: the client is told --------------------------------------------

# told NAME CODE RETRY: the last command's words for people and programs
told() {
	like "$1: the client sees a sentence" '^(remote|fatal): .*[a-z]+ [a-z]+ '
	like "$1: the machine's line" \
		"git-gate: refused code=$2 retry=$3 .*id=[0-9a-f]{16}"
	unlike "$1: no bare 500" 'error: 500|HTTP code = 50|returned error: 50[^234]'
}

start_nginx() { start_web nginx; }
plain
start_gate
start_nginx
mv "$T/up" "$T/away"
no "upstream's repository is gone" git ls-remote "$GATE/acme/web"
told "upstream's repository is gone" '[a-z-]+' '[a-z]+'
mv "$T/away" "$T/up"
ok "and it is back" git clone -q "$GATE/acme/web" "$T/web"
commit "$T/web" hello "a change"
mv "$T/up" "$T/away"
no "fetch from a mirror whose upstream is gone: strict says so" \
	git -C "$T/web" fetch
told "strict" '[a-z-]+' '[a-z]+'
mv "$T/away" "$T/up"

# the upstream goes away between the advertisement and the push
# git runs pre-push after the advertisement
mkdir -p "$T/web/.git/hooks"
printf "#!/bin/sh\nmv '%s' '%s'\n" "$T/up" "$T/away" \
	>"$T/web/.git/hooks/pre-push"
chmod +x "$T/web/.git/hooks/pre-push"
no "upstream goes away in mid-push" git -C "$T/web" push origin main
told "upstream goes away in mid-push" 'upstream-[a-z-]+' '(yes|no)'
rm "$T/web/.git/hooks/pre-push"
mv "$T/away" "$T/up"
ok "the next push works" git -C "$T/web" push origin main
is "and is upstream" "$(tip "$up" main)" "$(tip "$T/web" main)"
stop gate

plain ssh
start_gate
ok "over ssh" git ls-remote "$GATE/acme/web"
stop sshd
end_shared
no "sshd is down" git ls-remote "$GATE/acme/web"
told "sshd is down" upstream-unreachable yes
like "sshd is down: the log names host and port" "127\.0\.0\.1.*$SSHD_PORT" \
	"$T/gate.log"
start sshd /usr/sbin/sshd -D -e -f "$T/ssh/sshd_config"
wait_for 10 listens "$SSHD_PORT"
ok "sshd is back" git ls-remote "$GATE/acme/web"

cp "$T/ssh/known_hosts" "$T/ssh/good_hosts"
ssh-keygen -q -t ed25519 -N '' -f "$T/ssh/other"
sed -i "s| ssh-.*| $(cut -d' ' -f1,2 "$T/ssh/other.pub")|" "$T/ssh/known_hosts"
no "another host key" git ls-remote "$GATE/acme/web"
told "another host key" upstream-host-key no
: >"$T/ssh/known_hosts"
no "an unknown host key" git ls-remote "$GATE/acme/web"
told "an unknown host key" upstream-host-key no
like "an unknown host key: the log names the host" \
	'[Hh]ost key.*127\.0\.0\.1|127\.0\.0\.1.*[Hh]ost key' "$T/gate.log"
is "known_hosts was not added to" "$(cat "$T/ssh/known_hosts")" ""
cp "$T/ssh/good_hosts" "$T/ssh/known_hosts"
mv "$T/ssh/authorized_keys" "$T/ssh/nobody"
no "a key that the upstream does not take" git ls-remote "$GATE/acme/web"
told "a key that the upstream does not take" upstream-auth no
mv "$T/ssh/nobody" "$T/ssh/authorized_keys"
no "a repository that the upstream does not have" git ls-remote "$GATE/acme/no"
told "a repository that the upstream does not have" '[a-z-]*not-found' no
stop gate

# an upstream that takes connections and says nothing
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr =>
	"127.0.0.1", Listen => 9) or die; $| = 1; print $s->sockport, "\n";
	while ($c = $s->accept) { push @c, $c }' >"$T/mute.port" &
PID[mute]=$!
wait_for 20 test -s "$T/mute.port"
conf <<-END
	[upstream "mute"]
		url = git://127.0.0.1:$(cat "$T/mute.port")/
	[session]
		refreshTimeout = 2s
	[repo "acme/*"]
		upstream = mute
	[access]
		allow = * * *
END
start_gate
no "a mute upstream" git ls-remote "$GATE/acme/web"
told "a mute upstream" upstream-timeout yes
stop gate
stop mute

# --- the scanner cannot run --------------------------------------------------------

# unscanned NAME: a push is refused, and nothing of it arrives
unscanned() {
	before=$(refs "$up")
	no "$1: the push is refused" git -C "$T/web" push origin main
	told "$1" '(cannot-scan|gate-fault|internal)' '(yes|no)'
	like "$1: it says that it could not tell" 'could not tell'
	like "$1: its reference is named" 'rejected\].* main'
	is "$1: nothing is upstream" "$(refs "$up")" "$before"
	no "$1: nothing of it is in the mirror" git -C "$mirror" \
		cat-file -e "$(tip "$T/web" HEAD)"
	is "$1: the gate shows nothing of it" "$(refs "$GATE/acme/web")" "$before"
	# where there is no upstream that would show the truth again
	no "$1: a push to a hosted repository is refused" \
		git -C "$T/web" push "$GATE/hosted/own" \
		"HEAD:refs/heads/new$tests"
	no "$1: the hosted repository has nothing of it" \
		git -C "$T/hosted/own.git" cat-file -e "$(tip "$T/web" HEAD)"
	rm -rf "$T/hosted/own.git"
	git init -q --bare "$T/hosted/own.git"
}
git init -q --bare -b main "$T/hosted/own.git"
cat >"$T/rules.toml" <<'END'
title = "ours"
[[rules]]
id = "word"
description = "a word"
regex = '''forbidden-[0-9]{6}'''
END
ln -sf "$BUILD/git-gate-hook" "$T/hooks/pre-receive"
ln -sf "$BUILD/git-gate-proc-receive" "$T/hooks/proc-receive"
HOOKS=$T/hooks plain
add '[scan]' "rules = $T/rules.toml" 'maxObject = 100k' \
	'[repo "hosted/*"]' "hosted = $T"
start_gate
commit "$T/web" hello "scanned by the named rules"
mirror=$(find "$T/state/mirrors" -path "*/file*/web.git" -prune)
ok "the mirror is known" test -d "$mirror/objects"
ok "rules from a file" git -C "$T/web" push origin main
commit "$T/web" hello "forbidden-$((123456))"
no "rules from a file find" git -C "$T/web" push origin main
told "rules from a file find" secret-found no
git -C "$T/web" reset -q --hard origin/main

commit "$T/web" hello "another change"
mv "$T/rules.toml" "$T/vanished.toml"
unscanned "the rules have vanished"
comes "the rules have vanished: the log says which" 'rules\.toml' "$T/gate.log"
echo '[[rules]' >"$T/rules.toml"
unscanned "the rules are broken"
mv "$T/vanished.toml" "$T/rules.toml"
ok "the rules are back" git -C "$T/web" push origin main

head -c 200000 /dev/zero | tr '\0' 'a' >"$T/web/large"
git -C "$T/web" add -A
git -C "$T/web" commit -qm "too large"
unscanned "an object too large to scan"
git -C "$T/web" reset -q --hard origin/main

commit "$T/web" hello "a third change"
rm "$T/hooks/pre-receive"
cp "$BUILD/git-gate-hook" "$T/hooks/pre-receive"
chmod -x "$T/hooks/pre-receive"
unscanned "the hook cannot be executed"
like "the hook cannot be executed: the log says what to do" \
	"$T/hooks/pre-receive: Permission denied; .*git-gate check" "$T/gate.log"
rm "$T/hooks/pre-receive"
mkdir "$T/hooks/pre-receive"
unscanned "the hook is a directory"
like "the hook is a directory: the log says so" \
	"$T/hooks/pre-receive: Is a directory; .*git-gate check" "$T/gate.log"
rmdir "$T/hooks/pre-receive"
unscanned "the hook has vanished"
like "the hook has vanished: the log says so" \
	"$T/hooks/pre-receive: No such file or directory; .*git-gate check" \
	"$T/gate.log"
ln -s "$BUILD/git-gate-hook" "$T/hooks/pre-receive"
ok "the hook is back" git -C "$T/web" push origin main
unlike "the log is free of sanitizer reports" \
	'AddressSanitizer|runtime error|LeakSanitizer' "$T/gate.log"
stop gate
is "the gate ends cleanly" $rc 0
done_testing
