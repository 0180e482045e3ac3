#!/bin/bash
# What a client is told is what the upstream did: reference by reference, by
# plain `git push` through receive-pack with our hooks into a mirror, before
# real upstreams that take, refuse, hang up and lie down.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/hook.sh"

start_sshd
w=$T/w
git init -q -b main "$w"
commit "$w" readme "some words"
commit "$w" src/a.c "int a;"
git -C "$w" branch base
DEAD=$(free_port) HTTP=$(free_port)

{
	printf '[gate]\n\tstate = %s\n\tlibexec = %s\n' "$T/state" "$BUILD"
	printf '[session]\n\tforwardTimeout = 30s\n'
	for up in "file file://$T/up/" "prefer file://$T/up/" \
		"ssh ssh://$ME@127.0.0.1:$SSHD_PORT$T/up/" \
		"dead ssh://$ME@127.0.0.1:$DEAD/" \
		"stranger ssh://$ME@127.0.0.1:$SSHD_PORT$T/up/" \
		"agent ssh://$ME@127.0.0.1:$SSHD_PORT$T/up/" \
		"http http://127.0.0.1:$HTTP/"; do
		printf '[upstream "%s"]\n\turl = %s\n' "${up%% *}" "${up#* }"
		case $up in
		prefer*) printf '\tatomic = prefer\n' ;;
		ssh*|dead*) printf '\tidentityFile = %s\n\tknownHosts = %s\n' \
			"$T/ssh/id" "$T/ssh/known_hosts" ;;
		stranger*) printf '\tidentityFile = %s\n\tknownHosts = %s\n' \
			"$T/ssh/id" /dev/null ;;
		agent*) printf '\tagentSocket = %s\n\tknownHosts = %s\n' \
			"$T/no-agent" "$T/ssh/known_hosts" ;;
		http*) printf '\ttokenCommand = %s\n' "$T/token-command" ;;
		esac
	done
	for up in prefer ssh dead stranger agent http; do
		printf '[repo "%s/*"]\n\tupstream = %s\n' "$up" "$up"
	done
	printf '[repo "lab/*"]\n\thosted = %s\n' "$T/hosted"
	printf '[repo "*"]\n\tupstream = file\n[access]\n\tallow = * * *\n'
} >"$CONF"
cat >"$T/receive" <<END
#!/bin/sh
. "$T/vars"
export GIT_GATE_CONFIG GIT_GATE_REPO GIT_GATE_WHO
export GIT_GATE_ID=$ID GIT_GATE_CONTROL=yes GIT_GATE_ANSWERS=yes
exec git -c core.hooksPath="$BUILD/hooks" -c receive.procReceiveRefs=refs/ \
	-c receive.denyDeleteCurrent=ignore -c receive.autogc=false \
	-c receive.unpackLimit=\$LIMIT receive-pack "\$@"
END
start_notes

# rows of which LIGHT does the first alone
unpack=1 ways=ssh/cut codes='401:auth 403:forbidden 404:not-found 301:moved'
[ -n "${LIGHT:-}" ] || {
	unpack='1 100' ways='ssh/cut cut' codes="$codes 500:unreachable"
}

# new NAME: an upstream with main, one, two, three at base, and its mirror.
new() {
	upstream "$1"
	up=$T/up/$1.git mirror=$T/hosted/$1.git name=$1
	rm -f "$up/hooks/post-receive"
	git -C "$w" push -q "$up" base:refs/heads/main base:refs/heads/one \
		base:refs/heads/two base:refs/heads/three
	mkdir -p "${mirror%/*}"
	git clone -q --mirror "$up" "$mirror"
	git -C "$w" checkout -q --detach base
	OLD=$(tip "$w" base)
	commit "$w" src/a.c "of $1"
	NEW=$(tip "$w" HEAD)
}
# hook NAME: of the upstream, its text from standard input
hook() {
	{ echo '#!/bin/sh'; cat; } >"$up/hooks/$1"
	chmod +x "$up/hooks/$1"
}
files() { (cd "$1/objects" && find . -type f | sort); }
heads() { git -C "$1" for-each-ref --format='%(refname:short) %(objectname)'; }

# taken NAME REF...: the push succeeds, and both sides have it.
# fails NAME CODE: it fails so, and the mirror is as it was, file by file.
going() {
	files "$mirror" >"$T/files" && heads "$mirror" >"$T/heads"
	try push "$w" "$name" "$@"
}
takes() {
	local what=$1
	shift
	going "$@"
	result $rc "$what" 
	is "$what: the mirror is as the upstream" "$(heads "$mirror")" \
		"$(heads "$up")"
}
fails() {
	local what=$1 code=$2
	shift 2
	going "$@"
	[ $rc -ne 0 ] && [ $rc -ne 124 ]
	result $? "$what: fails"
	refused "$code"
	is "$what: the mirror is as it was" \
		"$(files "$mirror"; heads "$mirror")" "$(cat "$T/files" "$T/heads")"
	unlike "$what: nothing is called a hook's word of ours" \
		'\(fail to run proc-receive hook\)|unable to migrate'
}
# answered REF REASON: as git push says it
answered() { like "$1: $2" "^ ! \[remote rejected\] (.*-> )?$1 \($2\)"; }

new plain
takes "an update" HEAD:main
is "it is upstream" "$(tip "$up" main)" "$NEW"
takes "a repeated push" HEAD:main
like "has nothing to do" 'Everything up-to-date'
takes "several: an update, a new one, a deletion, a tag" HEAD:one \
	HEAD:refs/heads/new HEAD:refs/tags/t :two
takes "a rewind" --force base:main
is "is so" "$(tip "$up" main)" "$OLD"

new again
git -C "$w" push -q "$up" HEAD:refs/heads/one HEAD:refs/heads/also
takes "what the upstream already has" HEAD:one HEAD:refs/heads/also HEAD:two

# --- refused ---------------------------------------------------------------

new refuses
hook update <<-'END'
	[ "$1" != refs/heads/two ] || { printf 'no\033[31m this\001one\n'; exit 1; }
END
for UNPACK in $unpack; do
	fails "a hook refuses one of three, limit $UNPACK" upstream-rejected \
		HEAD:one HEAD:two HEAD:three HEAD:refs/tags/t
	answered two "hook declined"
	answered three "another reference of this push was refused"
	like "its words are marked and clean" \
		'^remote: upstream: no.\[31m this.one'
	! grep -q "$(printf '[\001\033]')" "$T/pushed"
	result $? "no control character of it is left"
	is "nothing is upstream" "$(heads "$up" | grep "$NEW")" ""
done
unset UNPACK
hook pre-receive <<-'END'
	line=$(printf '%0100d' 7)
	yes "$line" | head -n 3300
	exit 1
END
fails "a hook says 330 KB and refuses" upstream-rejected HEAD:one
answered one "pre-receive hook declined"
is "each line of it is relayed" \
	"$(grep -c '^remote: upstream: 0*7 *$' "$T/pushed")" 3300
rm "$up/hooks/pre-receive"
fails "a hook refuses one of three" upstream-rejected HEAD:one HEAD:two
like "the refusals are said by the gate" \
	'^remote: git-gate: upstream refused refs/heads/two: '
fails "the same by a client's --atomic" upstream-rejected --atomic HEAD:one \
	HEAD:two
answered two "hook declined"
fails "the same in porcelain" upstream-rejected --porcelain HEAD:two
like "names the reference" \
	'^!	HEAD:refs/heads/two	\[remote rejected\] \(hook declined\)$'
fails "a deletion alone" upstream-rejected :two
answered two "hook declined"
is "and it is there" "$(tip "$up" two)" "$OLD"

new forward
git -C "$up" config receive.denyNonFastForwards true
git -C "$w" checkout -q --detach base
git -C "$w" commit -q --amend -m "another past"
fails "a rewind that the upstream denies" upstream-rejected --force HEAD:main
answered main "non-fast-forward"

new moved
other=$(git -C "$w" commit-tree -m other -p base "base^{tree}")
git -C "$w" push -q "$up" "$other:refs/heads/main"
fails "a reference that has moved" upstream-stale HEAD:main
answered main "it has moved on the upstream; fetch first"
fails "and one beside it" upstream-stale HEAD:main HEAD:one
answered main "it has moved on the upstream; fetch first"
answered one "another reference of this push was refused"
is "the upstream keeps its own" "$(tip "$up" main)" "$other"

# --- deletions ---------------------------------------------------------------

new gone
git -C "$up" config receive.denyDeleteCurrent ignore
takes "the default branch is deleted where the upstream allows it" :main
git -C "$up" update-ref -d refs/heads/one
takes "what is gone already" :one
like "that is said" 'the upstream is so already'
git -C "$up" update-ref -d refs/heads/two
takes "what is gone already, and more" :two HEAD:three
is "which is there" "$(tip "$up" three)" "$NEW"

# --- several, of an upstream that takes nothing atomic ------------------------

new apart
git -C "$up" config receive.advertiseAtomic false
fails "several, and no atomic push" upstream-not-atomic HEAD:one HEAD:two
answered one "the upstream cannot take several references as one.*"
line=$(grep -n '^.upstream "file"' "$CONF" | cut -d: -f1)
comes "the log names the remedy" \
	"upstream \"file\"\] \($CONF:$line\): set atomic = prefer" "$T/notes"
is "nothing is upstream" "$(heads "$up" | grep "$NEW")" ""
takes "one alone" HEAD:one
new prefer/apart
git -C "$up" config receive.advertiseAtomic false
takes "preferred: several" HEAD:one HEAD:two
hook update <<-'END'
	[ "$1" != refs/heads/two ]
END
going --force HEAD:main base:two HEAD:three
[ $rc -ne 0 ]
result $? "preferred: a hook refuses one of three"
refused upstream-rejected
answered two "hook declined"
like "preferred: the others are taken" '^ .*HEAD -> main$'
like "preferred: how many is said" 'took 2 of its 3 references'
is "preferred: and are upstream" "$(tip "$up" main) $(tip "$up" three)" \
	"$NEW $NEW"
is "preferred: the mirror is as the upstream" "$(heads "$mirror")" "$(heads "$up")"

# --- the mirror is no reason -----------------------------------------------------

new conflict
git -C "$up" update-ref -d refs/heads/one
going HEAD:refs/heads/one/more HEAD:two
result $rc "a stale name in the mirror is in the way of nothing"
is "the upstream has both" "$(tip "$up" one/more) $(tip "$up" two)" "$NEW $NEW"
is "the mirror what it can have" "$(tip "$mirror" two)" "$NEW"
comes "the log tells of the other" \
	'warning .*refs/heads/one/more: the mirror does not follow' "$T/notes"
new ahead
git -C "$w" push -q "$mirror" HEAD:refs/heads/one
git -C "$mirror" update-ref refs/heads/two "$NEW"
git -C "$up" update-ref refs/heads/none "$OLD"
going HEAD:refs/heads/ready/for/more HEAD:three
result $rc "a mirror that is ahead"
is "is kept so" "$(tip "$mirror" one) $(tip "$mirror" three)" "$NEW $NEW"

new seen
hook post-receive <<-END
	unset GIT_DIR GIT_QUARANTINE_PATH
	git -C "$mirror" update-ref refs/heads/main "$other"
END
git -C "$w" push -q "$mirror" "$other:refs/tags/other"
going HEAD:main
result $rc "a refresh that sees what comes after the push, before its end"
is "the upstream has the push" "$(tip "$up" main)" "$NEW"
is "the mirror is not moved back to it" "$(tip "$mirror" main)" "$other"

# --- cut off ---------------------------------------------------------------------

for over in $ways; do
	new "$over"
	hook post-receive <<-'END'
		kill -9 $PPID
	END
	takes "$over: the report is lost" HEAD:main HEAD:refs/heads/new :two
	like "$over: that is said" "the upstream's answer was lost, but it has"
	is "$over: and it is there" "$(tip "$up" new)" "$NEW"
	takes "$over: a repeated push" HEAD:main
	like "$over: has nothing to do" 'Everything up-to-date'
	hook pre-receive <<-END
		echo >>"$T/tries.${over%/*}"
		[ "\$(wc -l <"$T/tries.${over%/*}")" -gt 2 ] || kill -9 \$PPID
	END
	takes "$over: lost before, twice" HEAD:three
	like "$over: it was tried again" 'trying again \(3 of 5\)'
done
new cut/always
hook pre-receive <<-END
	echo >>"$T/tries"
	kill -9 \$PPID
END
fails "lost before, each time" upstream-unreachable HEAD:main HEAD:one
answered main "the upstream server cannot be reached"
is "it was tried five times" "$(wc -l <"$T/tries")" 5
new cut/away
hook post-receive <<-END
	mv "$up" "$up.away"
	kill -9 \$PPID
END
fails "lost, and then the upstream too" upstream-unknown HEAD:main
like "it is said that it is not known" 'whether it took the push is not known'
mv "$up.away" "$up"
is "and it had taken it" "$(tip "$up" main)" "$NEW"
rm "$up/hooks/post-receive"
git --git-dir="$mirror" fetch -q
takes "a repeated push" HEAD:main
like "has nothing to do" 'Everything up-to-date'

CONF=$T/soon.conf
sed 's/forwardTimeout = 30s/forwardTimeout = 2s/' "$T/hook.conf" >"$CONF"
new slow
hook pre-receive <<-END
	touch "$T/slow.began"
	until [ -e "$T/slow.go" ]; do sleep 0.05; done
END
fails "an upstream that is too slow" upstream-timeout HEAD:main
answered main "the upstream did not answer in time"
touch "$T/slow.go"
CONF=$T/hook.conf

# --- not reached ------------------------------------------------------------------

new dead/x
mkdir -m 700 "$T/park"
CONF=$T/park.conf
{ cat "$T/hook.conf"; printf '[push]\n\tpark = %s\n' "$T/park"; } >"$CONF"
fails "nobody listens" upstream-unreachable HEAD:main
like "it is parked" "it is kept for the gate's operator as $ID; "
like "which the last line says" "refused code=.* parked=yes id=$ID"
is "with what it brings" "$(git bundle list-heads "$T"/park/*.bundle |
	cut -d' ' -f1)" "$NEW"
CONF=$T/hook.conf
like "it is tried again" 'cannot be reached; trying again \(5 of 5\)'
answered main "the upstream server cannot be reached"
new stranger/x
fails "an unknown host key" upstream-host-key HEAD:main
unlike "is tried once" 'trying again'
new ssh/away
rm -rf "$up"
fails "a repository that is gone" upstream-not-found HEAD:main
unlike "is tried once" 'trying again'
new agent/x
: >"$T/notes"
late_agent() {
	wait_for 20 grep -q upstream-agent "$T/notes"
	exec ssh-agent -D -a "$T/late-agent"
}
start agent late_agent
late_key() {
	wait_for 20 test -S "$T/late-agent"
	SSH_AUTH_SOCK=$T/late-agent ssh-add -q "$T/ssh/id"
	ln -s late-agent "$T/no-agent"
}
start key late_key
takes "an agent that comes late" HEAD:main
like "is named" "the gate's SSH agent is not available; trying again"
stop key
stop agent

# --- over http ------------------------------------------------------------------------

# Answers what the number after /http/ says; "lost" after it has done what was
# asked of it, "early" before, twice; "token" only those who have the new one.
cat >"$T/httpd.pl" <<'END'
use strict; use IO::Socket::INET; use MIME::Base64;
my ($port, $t) = @ARGV;
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $port,
	Listen => 50, ReuseAddr => 1) or die "listen: $!";
my %said;
sub run {
	my ($in, @command) = @_;
	open my $f, ">", "$t/http.in" or die; binmode $f; print $f $in; close $f;
	open STDIN, "<", "$t/http.in" or die;
	open my $p, "-|", @command or die; binmode $p; local $/;
	my $out = <$p>; close $p;
	return $out;
}
while (my $c = $s->accept) {
	my ($head, $body) = ("", "");
	while ($head !~ /\r\n\r\n/) { sysread $c, $head, 4096, length $head or last }
	$head =~ s/\r\n\r\n(.*)//s and $body = $1;
	my ($length) = $head =~ /^Content-Length: (\d+)/mi;
	while (length $body < ($length || 0)) {
		sysread $c, $body, 65536, length $body or last;
	}
	my ($path, $mode, $service) =
		$head =~ m{^\w+ (/http/([^/]+)\.git)/.*?git-(\w+-pack)} or next;
	my ($code, $type, $more, $out) = ($mode, "text/plain", "", "no\n");
	my $dir = "$t/up$path";
	my $token = $head =~ /^Authorization: Basic (\S+)/mi ?
		decode_base64($1) : "";
	open my $log, ">>", "$t/http.log"; print $log "$mode $head\n\n"; close $log;
	$more = "Location: http://127.0.0.1:$port/http/200.git/info/refs?" .
		"service=git-$service\r\n" if $mode eq "301";
	if ($mode !~ /^\d+$/) { $code = 200 }
	if ($mode eq "token" && $token ne "git:new" || $mode eq "401") {
		$code = 401;
		$more = "WWW-Authenticate: Basic realm=\"git\"\r\n";
	} elsif ($code == 200 && $head =~ /^GET/) {
		$type = "application/x-git-$service-advertisement";
		$out = sprintf("%04x# service=git-%s\n0000", 19 + length $service,
			$service);
		$out .= run("", "git", $service, "--http-backend-info-refs", $dir);
	} elsif ($code == 200) {
		$type = "application/x-git-$service-result";
		if ($mode eq "early" && $body ne "0000" && $said{early}++ < 2) {
			$code = 503; $out = "later\n"; $type = "text/plain";
		} else {
			$out = run($body, "git", $service, "--stateless-rpc", $dir);
		}
		if ($mode eq "lost" && $body ne "0000") {
			$code = 502; $out = "lost\n"; $type = "text/plain";
		}
	}
	print $c "HTTP/1.1 $code Said\r\nContent-Type: $type\r\n$more",
		"Content-Length: ", length $out, "\r\nConnection: close\r\n\r\n", $out;
	close $c;
}
END
cat >"$T/token-command" <<-END
	#!/bin/sh
	echo x >>"$T/minted"
	[ "\$(wc -l <"$T/minted")" -gt 1 ] && echo new || echo old
END
chmod 700 "$T/token-command"
start httpd perl "$T/httpd.pl" "$HTTP" "$T"
wait_for 10 listens "$HTTP" || die "the server of http does not start"
for mode in $codes; do
	new "http/${mode%:*}"
	fails "http, ${mode%:*}" "upstream-${mode#*:}" HEAD:main
done
new http/lost
takes "http, the report is lost" HEAD:main HEAD:refs/heads/new :two
like "http, that is said" "the upstream's answer was lost, but it has"
new http/early
takes "http, unavailable twice" HEAD:main
like "http, it is tried again" 'trying again \(3 of 5\)'
rm -f "$T/minted"
new http/token
takes "http, a token that is not accepted is made anew" HEAD:main
is "http, once" "$(wc -l <"$T/minted")" 2

# --- what is emptied ------------------------------------------------------------------

new empty
hook update <<-'END'
	exit 1
END
by_hand() {
	echo "$OLD $NEW refs/heads/main" | (
		cd "$mirror" && env -i PATH="$PATH" GIT_GATE_CONFIG="$CONF" \
			GIT_GATE_REPO=empty GIT_GATE_ID=$ID GIT_DIR=. \
			GIT_GATE_ANSWERS=yes \
			GIT_OBJECT_DIRECTORY="$1" GIT_QUARANTINE_PATH="$1" \
			GIT_ALTERNATE_OBJECT_DIRECTORIES="$mirror/objects" \
			"$BUILD/hooks/pre-receive"
	)
}
mkdir "$mirror/tmp_objdir-incoming-1" "$mirror/objects/tmp_objdir-incoming-2"
git -C "$w" push -q "$mirror" HEAD:refs/heads/here
for dir in objects tmp_objdir-incoming-1; do
	files "$mirror" >"$T/files"
	no "$dir is no quarantine" by_hand "$mirror/$dir"
	is "nothing in it is touched" "$(files "$mirror")" "$(cat "$T/files")"
done
dir=$mirror/objects/tmp_objdir-incoming-2
mkdir -p "$dir/pack/more" "$T/elsewhere"
touch "$dir/pack/a" "$T/elsewhere/b"
ln -s "$T/elsewhere" "$dir/link"
ln -s "$T/elsewhere" "$dir/pack/link"
ok "a quarantine is emptied" by_hand "$dir"
is "wholly" "$(ls -A "$dir")" ""
ok "and no link is followed" test -e "$T/elsewhere/b"

# --- through the gate ------------------------------------------------------------------

stop notes
rm "$T/state/notes"
conf <<-END
	[upstream "prefer"]
		url = file://$T/up/
		atomic = prefer
	[repo "prefer/*"]
		upstream = prefer
	[repo "*"]
		upstream = file
	[access]
		allow = * * *
END
start_gate
start_web nginx
new by/web
hook update <<-'END'
	[ "$1" != refs/heads/two ] || { echo "not this one"; exit 1; }
END
mirror=$T/state/mirrors/file_local_0$up
ok "through the gate: an update" git -C "$w" push -q "$GATE/by/web" HEAD:one
files "$mirror" >"$T/files"
no "through the gate: a hook refuses one of two" \
	git -C "$w" push "$GATE/by/web" HEAD:two base:refs/heads/new HEAD:main
answered two "hook declined"
like "its words are heard" '^remote: upstream: not this one'
is "the mirror got nothing" "$(files "$mirror")" "$(cat "$T/files")"
new prefer/web
git -C "$up" config receive.advertiseAtomic false
no "an upstream that takes several apart: no client is promised more" \
	git -C "$w" push --atomic "$GATE/prefer/web" HEAD:one HEAD:two
like "that is said" 'does not support --atomic'
ok "several apart" git -C "$w" push "$GATE/prefer/web" HEAD:one HEAD:two
is "and a read shows them" "$(git ls-remote "$GATE/prefer/web" | sort)" \
	"$(git ls-remote "$up" | sort)"
done_testing
