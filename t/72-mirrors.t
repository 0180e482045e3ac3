#!/bin/bash
# Mirrors follow their upstreams, whatever happens there: names, the default
# branch, what is gone or closed. They say how old they are, are repacked when
# it is quiet, removed when nobody uses them, and the operator sees and moves
# all of it.
. "${SOURCE:?}/t/lib.sh"

upstream acme/web
fill acme/web
up=$T/up/acme/web.git
author=$T/author/acme/web
write_conf() { # MAINTENANCE...
	conf <<-END
		[upstream "other"]
			url = file://$T/other/
		[repo "acme/*"]
			upstream = file
		[repo "off/*"]
			upstream = file
			fresh = offline-ok
		[repo "o/*"]
			upstream = other
		[repo "lab/*"]
			hosted = $T/hosted
		[access]
			allow = * * *
		[maintenance]
			$(printf '%s\n' "$@")
	END
}
write_conf "auto = false"
git init -q --bare -b main "$T/hosted/lab/own.git"
gate() { "$BUILD/git-gate" "$1" -c "$T/gate.conf" "${@:2}"; }
# what the gate shows is what the upstream has, HEAD too
same() {
	is "$1" "$(refs "$GATE/${2:-acme/web}")" \
		"$(refs "$T/up/${2:-acme/web}.git" | grep -v refs/pull/)"
}
mirror_of() { find "$T/state/mirrors" -path "*/$1.git" -prune; }
start_gate
start_web nginx
same "a mirror shows what its upstream has"
mirror=$(mirror_of acme/web)

# --- names ---------------------------------------------------------------------

git -C "$author" checkout -qb trunk
commit "$author" README "the trunk"
git -C "$author" push -q origin trunk 2>/dev/null
git -C "$up" symbolic-ref HEAD refs/heads/trunk
git -C "$up" update-ref -d refs/heads/main
same "the default branch is renamed"
ok "a clone follows" git clone -q "$GATE/acme/web" "$T/web"
is "with the new branch checked out" \
	"$(git -C "$T/web" symbolic-ref HEAD)" refs/heads/trunk

git -C "$up" update-ref refs/tags/side v1
same "a tag has a branch's name"
ok "a fetch of the branch by its full name" \
	git -C "$T/web" fetch -q origin refs/heads/side
is "brings the branch" "$(tip "$T/web" FETCH_HEAD)" \
	"$(tip "$up" refs/heads/side)"
git -C "$T/web" checkout -q -B side refs/remotes/origin/side
commit "$T/web" README "on the side"
ok "a push to the branch" git -C "$T/web" push -q origin \
	HEAD:refs/heads/side
is "moves the branch upstream" "$(tip "$up" refs/heads/side)" \
	"$(tip "$T/web" HEAD)"
is "and not the tag" "$(tip "$up" refs/tags/side)" "$(tip "$up" refs/tags/v1)"
ok "a push of a tag" git -C "$T/web" push -q origin HEAD:refs/tags/trunk
is "makes the tag upstream" "$(tip "$up" refs/tags/trunk)" \
	"$(tip "$T/web" HEAD)"
is "and leaves the branch" "$(tip "$up" refs/heads/trunk)" \
	"$(tip "$author" trunk)"
same "and the gate shows both"

git -C "$up" update-ref refs/heads/topic refs/heads/trunk
same "a branch"
git -C "$up" update-ref -d refs/heads/topic
git -C "$up" update-ref refs/heads/topic/one refs/heads/trunk
git -C "$up" update-ref refs/heads/topic/two/deep refs/heads/trunk
same "makes place for those below it"
git -C "$up" update-ref -d refs/heads/topic/one
git -C "$up" update-ref -d refs/heads/topic/two/deep
git -C "$up" update-ref refs/heads/topic refs/heads/trunk
same "and comes back"
git -C "$up" update-ref refs/pull/1/head refs/heads/trunk
is "what is neither branch nor tag is not fetched" \
	"$(git ls-remote "$GATE/acme/web" 'refs/pull/*')" ""

# --- an empty one -----------------------------------------------------------------

git init -q --bare -b first "$T/up/acme/new.git"
ok "an empty upstream" git clone -q "$GATE/acme/new" "$T/new"
is "tells its default branch" "$(git -C "$T/new" symbolic-ref HEAD)" \
	refs/heads/first
commit "$T/new" README "first"
ok "takes a first push" git -C "$T/new" push -q origin HEAD:refs/heads/first
same "and shows it" acme/new

# --- one of many references, and one that hides some --------------------------------

upstream acme/many
fill acme/many
many=$T/up/acme/many.git
seq -f "create refs/tags/release-candidate/of-long-ago-%04g main" 3000 |
	git -C "$many" update-ref --stdin
same "an upstream of very many references" acme/many
packed() { grep -c ' refs/tags/release-candidate/' "$1/packed-refs"; }
loose() { find "$1/refs" -type f | wc -l; }
is "they come into one file" "$(packed "$(mirror_of acme/many)")" 3000
is "and no other" "$(loose "$(mirror_of acme/many)")" 0
git -C "$many" update-ref refs/heads/later main~1
same "what comes later" acme/many

upstream acme/hides
fill acme/hides
hides=$T/up/acme/hides.git
git -C "$hides" update-ref refs/heads/hidden main~1
git -C "$hides" config uploadpack.hideRefs refs/heads/hidden
same "an upstream that hides a branch" acme/hides
unlike "which is not shown" hidden <(refs "$GATE/acme/hides")
saved=$(mirror_of acme/hides)/git-gate-upstream
like "its answer is known" 'refs/heads/side' "$saved"
unlike "without that" hidden "$saved"

# --- two of the same path ------------------------------------------------------------

mkdir -p "$T/other/o" "$T/up/o"
git clone -q --bare "$up" "$T/other/o/web.git"
git -C "$T/other/o/web.git" update-ref refs/heads/mark HEAD
# the same paths below, behind two ports
for name in one two; do
	mkdir -p "$T/$name/acme"
	git clone -q --bare "$up" "$T/$name/acme/web.git"
	git -C "$T/$name/acme/web.git" update-ref "refs/heads/$name" HEAD
	port=$(free_port)
	start "daemon$name" "$(git --exec-path)/git-daemon" --listen=127.0.0.1 \
		--port="$port" --base-path="$T/$name" --export-all \
		--access-hook="$T/access-$name" --reuseaddr
	wait_for 10 listens "$port" || die "git daemon does not start"
	declare "port_$name=$port"
	printf '#!/bin/sh\nexit 0\n' >"$T/access-$name"
	chmod +x "$T/access-$name"
done
stop gate
two_ports() { # FRESH
	conf <<-END
		[upstream "one"]
			url = git://127.0.0.1:$port_one/
		[upstream "two"]
			url = git://127.0.0.1:$port_two/
		[repo "acme/web"]
			upstream = $1
			fresh = ${2:-strict}
		[access]
			allow = * * *
	END
}
two_ports one
start_gate
like "a repository of one port" "refs/heads/one" <(refs "$GATE/acme/web")
two_ports two
kill -HUP "${PID[gate]}"
two() { refs "$GATE/acme/web" | grep -q refs/heads/two; }
ok "of another port with the same path" wait_for 10 two
unlike "shares no mirror with it" "refs/heads/one" <(refs "$GATE/acme/web")
is "each has its own" "$(find "$T/state/mirrors" -path '*git_127*/acme/web.git' \
	-prune | wc -l)" 2

# --- joiners -------------------------------------------------------------------------

# Each connection is noted, and takes its time.
cat >"$T/access-two" <<-END
	#!/bin/sh
	echo asked >>"$T/asked"
	until [ -e "$T/go" ]; do sleep 0.02; done
END
rm -f "$T/asked" "$T/go"
start first git ls-remote -q "$GATE/acme/web"
ok "somebody asks" wait_for 10 test -s "$T/asked"
for i in 1 2 3 4 5 6; do
	start "join$i" git ls-remote -q "$GATE/acme/web"
done
waiting() { gate status | grep -c ' mirror  '; }
seven() { [ "$(waiting)" = 7 ]; }
ok "six more come meanwhile" wait_for 15 seven
touch "$T/go"
good=0
for name in first join1 join2 join3 join4 join5 join6; do
	stop "$name" 0 20
	[ "$rc" -eq 0 ] && good=$((good + 1))
done
is "all are served" "$good" 7
is "and the upstream was asked twice" "$(wc -l <"$T/asked")" 2

# --- staleness ------------------------------------------------------------------------

two_ports two offline-ok
: >"$T/gate.log"
kill -HUP "${PID[gate]}"
wait_for 10 grep -q "read anew" "$T/gate.log"
ok "an upstream that answers" git clone -q "$GATE/acme/web" "$T/fresh"
unlike "is not called old" "cannot be asked"
stop daemontwo
ok "one that has just gone: what there is is served" \
	git clone "$GATE/acme/web" "$T/just"
like "and called old" \
	'^remote: git-gate: the upstream cannot be asked; .* [0-9]+ seconds? ago'
find "$T/state/mirrors" -name git-gate-asked -exec touch -d '5 minutes ago' {} +
for version in 0 1 2; do
	ok "v$version: one that is gone: what there is is served" git \
		-c protocol.version=$version clone "$GATE/acme/web" \
		"$T/stale$version"
	like "v$version: and called old" \
		'^remote: git-gate: the upstream cannot be asked; this is what it had 5 minutes ago'
	ok "v$version: the clone is whole" git -C "$T/stale$version" fsck --strict
done
stop nginx
start_web lighttpd
for version in 0 2; do
	ok "lighttpd, v$version: likewise" git -c protocol.version=$version \
		clone -q "$GATE/acme/web" "$T/light$version"
	is "it is said once" "$(grep -c 'cannot be asked' "$T/said")" 1
	ok "and whole" git -C "$T/light$version" fsck --strict
done
stop lighttpd
start_web nginx
ok "a fetch of nothing new" git -C "$T/stale2" fetch \
	"$GATE/acme/web"
gate status >"$T/status"
like "status shows the error" 'upstream-unreachable/[0-9]+s +acme/web \(two\)' \
	"$T/status"

# --- gone and closed --------------------------------------------------------------------

stop gate
write_conf "auto = false"
start_gate
same "the first upstream again"
mv "$up" "$T/hidden"
no "an upstream that is deleted" git ls-remote "$GATE/acme/web"
like "is called so" 'code=not-found retry=no'
gate status >"$T/status"
like "and in status" 'upstream-not-found/[0-9]+s +acme/web \(file\)' "$T/status"
no "one that never was" git ls-remote "$GATE/acme/never"
gate status >"$T/status"
like "too" '^- .*upstream-not-found/[0-9]+s +acme/never' "$T/status"
mv "$T/hidden" "$up"
same "it comes back"
gate status >"$T/status"
unlike "and the error is gone" 'upstream-not-found.*acme/web' "$T/status"

# An http server that answers with nothing but a status.
cat >"$T/status.pl" <<-'END'
	use IO::Socket::INET;
	my ($port, $file) = @ARGV;
	my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
		LocalPort => $port, Listen => 20, ReuseAddr => 1) or die $!;
	while (my $c = $s->accept) {
		while (<$c>) { last if /^\r?$/ }
		open my $f, "<", $file; my $answer = <$f>; close $f;
		chomp $answer;
		print $c "HTTP/1.1 $answer\r\nContent-Length: 0\r\n",
			"Location: http://127.0.0.1:$port/elsewhere\r\n",
			"WWW-Authenticate: Basic realm=x\r\n",
			"Connection: close\r\n\r\n";
		close $c;
		open my $n, ">>", "$file.count"; print $n "x\n"; close $n;
	}
END
port=$(free_port)
echo "404 Not Found" >"$T/answer"
start answer perl "$T/status.pl" "$port" "$T/answer"
wait_for 10 listens "$port" || die "no http server"
printf '#!/bin/sh\necho minted >>%s/minted\necho word\n' "$T" >"$T/token"
chmod 700 "$T/token"
stop gate
write_conf "auto = false"
cat >>"$T/gate.conf" <<-END
	[upstream "http"]
		url = http://127.0.0.1:$port/
		tokenCommand = $T/token
	[repo "web/*"]
		upstream = http
END
start_gate
while read -r status code words; do
	echo "$status Whatever" >"$T/answer"
	rm -f "$T/answer.count" "$T/minted"
	no "http: $status" git ls-remote "$GATE/web/x"
	like "http: $status: $code" "code=$code "
	like "http: $status: $words" "$words"
	[ "$status" != 401 ] ||
		is "a new token is asked for, once" "$(wc -l <"$T/minted")" 2
	case $status in
	503) is "it is asked three times" "$(wc -l <"$T/answer.count")" 3 ;;
	404|403|301) is "it is asked once" "$(wc -l <"$T/answer.count")" 1 ;;
	esac
done <<-END
	404 not-found no such repository
	403 upstream-forbidden made private
	401 upstream-auth credential
	301 upstream-moved has moved
	503 upstream-unreachable cannot be reached
END
stop answer

# --- maintenance ---------------------------------------------------------------------

stop gate
write_conf "auto = false"
start_gate
packs() { find "$mirror/objects/pack" -name '*.pack' | wc -l; }
bitmaps() { find "$mirror/objects/pack" -name '*.bitmap' | wc -l; }
# many TEXT [NAME]: a hundred objects and more, which are kept as a pack
many() {
	local j name=${2:-acme/web} dir=$T/author/${2:-acme/web}
	for j in $(seq 110); do echo "$1 $j" >"$dir/many$j"; done
	git -C "$dir" add -A
	git -C "$dir" commit -qm "many $1"
	git -C "$dir" push -q origin HEAD:refs/heads/trunk 2>/dev/null
	refs "$GATE/$name" >/dev/null
}
for i in 1 2 3 4 5; do many "$i"; done
ok "packs come together" test "$(packs)" -ge 5
is "and stay without maintenance" "$(bitmaps)" 0
stop gate
write_conf "delay = 300ms" "packs = 4"
start_gate
many 6
has_bitmap() { [ "$(bitmaps)" = 1 ] && [ "$(packs)" -le 2 ]; }
ok "a mirror with many packs is repacked" wait_for 100 has_bitmap
ok "with a commit-graph" test -s "$mirror/objects/info/commit-graph"
quiet() { grep -q " acme/web: maintenance: [0-9]* packs" "$T/gate.log"; }
ok "which is logged" wait_for 100 quiet
same "and shows the same as before"
ok "it is whole" git -C "$mirror" fsck --strict
ok "and so is a clone" git clone -q --bare "$GATE/acme/web" "$T/repacked"
ok "of it" git -C "$T/repacked" fsck --strict

# One that takes too long, while another waits. Nearly all that makes it worth
# while has come before: else a refresh of ours could end a repack, or come
# when all of it is done but not yet logged, and then there is nothing to do.
stop gate
write_conf "auto = false"
start_gate
for i in 1 2 3 4; do
	many "long $i"
	many "other $i" acme/many
done
cat >"$T/git" <<-END
	#!/bin/sh
	case "\$GIT_DIR \$*" in
	"$mirror repack"*geometric*)
		echo part >>"$T/repacks"
		sleep 1 ;;
	"$mirror repack"*)
		echo all >>"$T/repacks"
		exec sleep 300 ;;
	"$mirror pack-refs"* | "$mirror commit-graph"*)
		# on a busy machine it, too, takes long
		[ -e "$T/given-up" ] || exit 0 ;;
	esac
	exec "$(command -v git)" "\$@"
END
chmod +x "$T/git"
patience() { # MAINTENANCE...
	stop gate
	write_conf "delay = 300ms" "packs = 4" "$@"
	sed -i "s|^\\[gate\\]|&\n\tgit = $T/git|" "$T/gate.conf"
	start_gate
}
: >"$T/repacks"
patience "timeout = 6s"
many "long 5"
ok "a repack begins" wait_for 100 grep -q all "$T/repacks"
many "other 5" acme/many
late() { grep -q 'acme/web: .* longer than maintenance.timeout' "$T/gate.log"; }
ok "it takes too long and is given up" wait_for 100 late
other_done() { grep -q ' acme/many: maintenance: ' "$T/gate.log"; }
ok "the other has its turn" wait_for 100 other_done
# From now on what has come is packed alone, which takes a second here, and
# pushes that come without a pause wait for that when it is overdue.
touch "$T/given-up"
patience
: >"$T/gate.log"
many "long 6"
# to its end: git removes old packs one by one
in_part() { [ "$(packs)" -lt 4 ] && quiet; }
ok "the first one is packed in part" wait_for 200 in_part
is "and once as a whole" "$(grep -c all "$T/repacks")" 1
ok "it is whole" git -C "$mirror" fsck --strict
no_pause() {
	local n=0
	while [ ! -e "$T/enough" ]; do
		n=$((n + 1))
		commit "$T/web" README "again $n"
		git -C "$T/web" push -q "$GATE/acme/web" HEAD:refs/heads/often ||
			return 1
		echo "$n" >"$T/pushes"
	done
}
# nothing that the log says of before
: >"$T/gate.log"
start pusher no_pause
for i in 1 2 3 4 5; do many "often $i"; done
turn() { grep -q ' acme/web: maintenance: ' "$T/gate.log"; }
ok "pushes without a pause do not keep it out" wait_for 200 turn
touch "$T/enough"
wait_for 60 gone "${PID[pusher]}"
stop pusher 0
is "and they succeed" "$rc" 0
ok "all of them" test "$(cat "$T/pushes")" -gt 3
same "the mirror shows what came of it"

# A repack that takes for ever: a git that waits stands in for a large mirror.
cat >"$T/git" <<-END
	#!/bin/sh
	case \$1 in repack)
		ps -o nice= -p \$\$ >"$T/nice"
		ionice -p \$\$ >"$T/ionice"
		echo >"$mirror/objects/pack/tmp_pack_\$\$"
		echo "\$\$" >"$T/repacking"
		exec sleep 300 ;;
	esac
	exec "$(command -v git)" "\$@"
END
patience
# slow TEXT: objects come, and a repack begins that nothing has ended
slow() {
	rm -f "$T/repacking"
	for i in 1 2 3 4 5; do many "$1 $i"; done
	wait_for 100 repacking
}
repacking() { kill -0 "$(cat "$T/repacking")"; }
ok "a repack that lasts" slow one
is "is nice" "$(xargs <"$T/nice")" 19
is "to the disk too" "$(cat "$T/ionice")" idle
ok "a clone meanwhile" git clone -q --bare "$GATE/acme/web" "$T/during"
ok "is whole" git -C "$T/during" fsck --strict
same "a refresh that finds nothing new"
ok "lets it go on" repacking
# of this one: the next may have begun by the time that we look
it=$(cat "$T/repacking")
ok "it is half-written" test -e "$mirror/objects/pack/tmp_pack_$it"
git -C "$up" update-ref refs/heads/newer refs/heads/trunk
same "a refresh that does"
no "has ended it" kill -0 "$it"
ok "nothing half-written is left" wait_for 10 \
	test ! -e "$mirror/objects/pack/tmp_pack_$it"
ok "and it is tried again" wait_for 100 repacking
it=$(cat "$T/repacking")
commit "$T/web" README "through the gate"
ok "a push" git -C "$T/web" push -q "$GATE/acme/web" HEAD:refs/heads/agent
no "has ended it, too" kill -0 "$it"
is "and is upstream" "$(tip "$up" refs/heads/agent)" "$(tip "$T/web" HEAD)"
ok "it is tried again" wait_for 100 repacking
stop gate
is "SIGTERM ends it and the gate" "$rc" 0
no "at once" repacking

# --- sync and status -------------------------------------------------------------------

write_conf "auto = false" "[push]" "park = $T/park"
start_gate
git -C "$up" update-ref refs/heads/synced refs/heads/trunk
ok "sync" gate sync acme/web
like "says so" '^acme/web: ok$'
is "the mirror has it" "$(tip "$mirror" synced)" "$(tip "$up" synced)"
no "sync of what is not there" gate sync /acme/new.git acme/never lab/own ../x
is "is status 1" "$rc" 1
like "a name as clients write it" '^/acme/new.git: ok$'
like "another" '^acme/never: failed: upstream-not-found: .* \(.*acme/never.*\)$'
like "hosted" '^lab/own: failed: hosted: '
like "no name" '^\.\./x: failed: bad-name: '
no "words that are none" gate sync '' 'acme/*' acme/web
is "are status 1" "$rc" 1
like "one is named" "^'': failed: bad-name: "
like "a pattern too" "^'acme/\*': failed: bad-name: patterns are not taken; use --all"
like "and the others are asked for" '^acme/web: ok$'
mv "$T/up/acme/new.git" "$T/hidden"
no "all of them, one being gone" gate sync --all
is "is status 1" "$rc" 1
like "which is told, with git's words" \
	'^acme/new: failed: upstream-not-found: .* \(.*acme/new.*\)$'
like "that the log has" 'acme/new: upstream "file".*upstream-not-found: .*acme/new' \
	"$T/gate.log"
mv "$T/hidden" "$T/up/acme/new.git"
like "those that the configuration names" '^acme/web: ok$'
unlike "and no others" '127\.0\.0\.1'
no "no arguments" gate sync
is "are an error of usage" "$rc" 2
no "as are both kinds" gate sync --all acme/web
is "too" "$rc" 2
ok "status" gate status
like "has a line for a mirror" '^[0-9]+s +[0-9]+[sm] +[0-9]+ +[0-9]+ +- +acme/web \(file\)$'
like "and for one that nobody names" ' /.*/git_127\.0\.0\.1_[0-9]+/acme/web\.git$'
like "and what is parked" '^parked: 0 pushes, 0 bytes$'
like "under a word for each" '^ASKED +USED +PACKED +PACKS +ERROR +REPOSITORY$'
printf 'x\33[31m\n' >"$mirror/git-gate-error"
ok "status" gate status
like "shows no control characters" 'x\?\[31m'
# An upstream that takes its time.
stop gate
two_ports one
rm -f "$T/asked" "$T/go"
cp "$T/access-two" "$T/access-one"
start_gate
start sync "$BUILD/git-gate" sync -c "$T/gate.conf" acme/web
ok "a sync that lasts" wait_for 15 test -s "$T/asked"
stop sync TERM
no_child() { ! pgrep -P "${PID[gate]}"; }
ok "is over when nobody waits for it" wait_for 15 no_child
rm -f "$T/asked"
start sync "$BUILD/git-gate" sync -c "$T/gate.conf" acme/web
ok "another" wait_for 15 test -s "$T/asked"
stop gate
is "keeps the gate from nothing" "$rc" 0
stop sync 0 15
is "and is told" "$rc" 1
like "that it was not done" '^acme/web: failed: upstream-timeout' "$T/sync.log"
touch "$T/go"
stop daemonone
write_conf "auto = false"
no "sync without a responder" gate sync acme/web
is "is status 3" "$rc" 3
like "and says what to do" \
	"no git-gated is running for $T/gate.conf \(its socket .*: .*\); start it"
no "of all, too" gate sync --all
is "it is" "$rc" 3

# --- removal ------------------------------------------------------------------------------

mirrors() { find "$T/state/mirrors" -name '*.git' -prune | wc -l; }
before=$(mirrors)
old=$(mirror_of acme/new)
used() { touch -d "$1" "$2/git-gate-used"; }
used '3 hours ago' "$old"
write_conf "removeUnused = 2h"
start_gate
ok "a mirror that nobody uses is removed" wait_for 15 test ! -e "$old"
is "and no other" "$(mirrors)" $((before - 1))
same "it is made anew when it is wanted" acme/new
stop gate
used '3 hours ago' "$mirror"
used '2 hours ago' "$old"
size=$(find "$T/state/mirrors" -name '*.git' -prune -exec \
	du -s --block-size=1 {} + | awk '{ n += $1 } END { print n }')
write_conf "maxSize = $((size - 1000))"
start_gate
ok "too large: the least recently used goes" wait_for 15 test ! -e "$mirror"
ok "the others stay" test -e "$old"
same "and it comes back"
stop gate
write_conf "maxSize = 1k"
start_gate
removed() { grep -q "all others are in use" "$T/gate.log"; }
ok "what was used within the hour stays" wait_for 15 removed
ok "this one" test -e "$mirror"
ok "that is older goes" test ! -e "$old"
is "nothing half-removed is left" \
	"$(find "$T/state/mirrors" -name '*.tmp-*')" ""
stop gate
is "the gate ends cleanly" "$rc" 0
done_testing
