#!/bin/bash
# A machine lost power: files of a mirror are empty, cut off or full of zeros,
# and the gate starts anew. The next advertisement shows what the upstream has,
# and a clone is whole. Without the upstream nothing damaged is served.
. "${SOURCE:?}/t/lib.sh"

upstream acme/web
fill acme/web
up=$T/up/acme/web.git
author=$T/author/acme/web
port=$(free_port)
start daemon "$(git --exec-path)/git-daemon" --listen=127.0.0.1 --port="$port" \
	--base-path="$T/up" --export-all --reuseaddr
wait_for 10 listens "$port" || die "git daemon does not start"
conf <<-END
	[upstream "daemon"]
		url = git://127.0.0.1:$port/
	[repo "acme/*"]
		upstream = file
	[repo "off/*"]
		upstream = daemon
		fresh = offline-ok
	[repo "aged/*"]
		upstream = daemon
		fresh = 1h
	[repo "lab/*"]
		hosted = $T/hosted
	[access]
		allow = * * *
	[maintenance]
		auto = false
END
mkdir -p "$T/hosted/lab"
for name in off aged; do
	mkdir "$T/up/$name"
	git clone -q --bare "$up" "$T/up/$name/web.git"
done
mirror_of() { find "$T/state/mirrors" -path "*/$1.git" -prune; }
start_gate
start_web nginx
for name in acme off aged; do refs "$GATE/$name/web" >/dev/null; done
m=$(mirror_of acme/web)
ok "there is a mirror" test -d "$m/objects"

# cut FILE: half of it; zero FILE: as long, nothing of it
cut_off() {
	may_damage "$1"
	truncate -s "$(($(stat -c %s "$1") / 2))" "$1"
}
zero() {
	local n
	may_damage "$1"
	n=$(stat -c %s "$1")
	: >"$1"
	truncate -s "$n" "$1"
}
empty() {
	may_damage "$1"
	: >"$1"
}
vanish() {
	may_damage "$1"
	rm "$1"
}
# what is not there cannot be damaged, and would heal all the same
may_damage() { chmod u+w "$1" || die "there is no $1 to be damaged"; }
object() { # REVISION
	tip "$m" "$1" | sed "s|^..|$m/objects/&/|"
}
loose() { # every object in a file of its own, every reference too
	local pack
	rm -rf "$m"
	refs "$GATE/acme/web" >/dev/null
	# of a hundred and more a fetch keeps the pack
	for pack in $(pack pack); do
		mv "$pack" "$T/pack"
		rm -f "${pack%.pack}".*
		git -C "$m" unpack-objects -q <"$T/pack"
	done
}
packed() {
	loose
	git -C "$m" repack -adq
	git -C "$m" prune-packed
	git -C "$m" pack-refs --all
}
pack() { find "$m/objects/pack" -name "*.$1"; }

whole() {
	is "$1: it shows what the upstream has" "$(refs "$GATE/acme/web")" \
		"$(refs "$up")"
	rm -rf "$T/clone"
	ok "$1: a clone" git clone -q --mirror "$GATE/acme/web" "$T/clone"
	ok "$1: is whole" git -C "$T/clone" fsck --strict
	is "$1: it has all" "$(git -C "$T/clone" for-each-ref)" \
		"$(git -C "$up" for-each-ref)"
	ok "$1: and so is the mirror" git -C "$m" fsck --strict
}
# heals NAME [MOVES]: the gate starts after the damage
heals() {
	stop gate
	[ -z "${2:-}" ] || {
		commit "$author" README "$1"
		git -C "$author" push -q origin main 2>/dev/null
	}
	start_gate
	whole "$1"
	is "$1: nothing is left beside it" \
		"$(find "$T/state/mirrors" -name '*.tmp-*')" ""
}
# each twice: nothing new upstream, and something
for moves in '' yes; do
	also=${moves:+, upstream moved}
	for how in empty cut_off zero; do
		loose
		$how "$m/refs/heads/main"
		heals "a reference, $how$also" $moves
		loose
		$how "$m/HEAD"
		heals "HEAD, $how$also" $moves
		loose
		$how "$m/config"
		heals "config, $how$also" $moves
		loose
		$how "$(object main)"
		heals "a commit, $how$also" $moves
		loose
		$how "$(object main~1:src/file1)"
		heals "an old file, $how$also" $moves
		packed
		$how "$m/packed-refs"
		heals "packed-refs, $how$also" $moves
		packed
		$how "$(pack pack)"
		heals "a pack, $how$also" $moves
		packed
		$how "$(pack idx)"
		heals "its index, $how$also" $moves
		loose
		for file in upstream asked used whole; do
			[ ! -s "$m/git-gate-$file" ] || $how "$m/git-gate-$file"
		done
		heals "our own files, $how$also" $moves
		[ -z "${LIGHT:-}" ] || break
	done
done
loose
vanish "$m/HEAD"
heals "no HEAD"
loose
vanish "$(object main)"
heals "a commit that is not there"
loose
vanish "$m/refs/heads/main"
heals "a reference that is not there"
packed
vanish "$(pack pack)"
heals "no pack"
packed
: >"$m/shallow"
heals "an empty file of shallow commits"
packed
git -C "$m" commit-graph write --reachable 2>/dev/null
empty "$m/objects/info/commit-graph"
heals "an empty commit-graph"
loose
like "the log has the cause" "$m: damaged, as by a power cut: refs/heads/main: no reference; it is brought back by a fetch" "$T/gate.log"
like "and that of what is made anew" "$m: damaged, .*; it is made anew" \
	"$T/gate.log"

# --- what is not damaged ------------------------------------------------------------

loose
inode=$(stat -c %i "$m")
rm -f "$T/gate.log"
stop gate
start_gate
whole "a start without damage"
is "keeps the mirror" "$(stat -c %i "$m")" "$inode"
unlike "and says nothing" damaged "$T/gate.log"

# git fsck says of an object what is in it, line feeds and all.
git clone -q "$up" "$T/odd"
for value in path=-x url=-x update='!x'; do
	loose
	printf '[submodule "a"]\n\t%s = "%s\\nmissing blob"\n' "${value%=*}" \
		"${value#*=}" >"$T/odd/.gitmodules"
	git -C "$T/odd" add -A
	git -C "$T/odd" commit -qm "odd $value"
	git -C "$T/odd" push -qf origin HEAD:odd 2>/dev/null
	refs "$GATE/acme/web" >/dev/null
	try git -C "$m" fsck
	like "words in .gitmodules that look like damage, ${value%=*}" \
		'^missing blob'
	inode=$(stat -c %i "$m")
	stop gate
	start_gate
	refs "$GATE/acme/web" >/dev/null
	is "are none: the mirror is kept" "$(stat -c %i "$m")" "$inode"
	unlike "and nothing is said" damaged "$T/gate.log"
done
git -C "$up" update-ref -d refs/heads/odd
loose

# --- without a new start -------------------------------------------------------------

empty "$m/refs/heads/main"
commit "$author" README "while it runs"
git -C "$author" push -q origin main 2>/dev/null
whole "a reference, while the gate runs"
loose
empty "$(object main)"
commit "$author" README "again"
git -C "$author" push -q origin main 2>/dev/null
whole "a commit, while the gate runs"

# --- pushes ----------------------------------------------------------------------------

for what in refs/heads/main config; do
	loose
	rm -rf "$T/work"
	git clone -q "$GATE/acme/web" "$T/work"
	commit "$T/work" README "to a damaged one: $what"
	stop gate
	empty "$m/$what"
	start_gate
	ok "a push, $what being empty" git -C "$T/work" push -q origin main
	is "arrives" "$(tip "$up" main)" "$(tip "$T/work" main)"
	whole "after it"
done

# --- without the upstream ---------------------------------------------------------------

stop gate
stop daemon
for name in off aged; do
	m=$(mirror_of "$name/web")
	cp -a "$m" "$T/kept"
	for damage in "empty refs/heads/main" "rm refs/heads/main" \
		"empty config" "cut_off HEAD" \
		"empty main"; do
		rm -rf "$m"
		cp -a "$T/kept" "$m"
		read -r how file <<<"$damage"
		[ "$file" != main ] || file=$(object main) file=${file#"$m/"}
		$how "$m/$file"
		rm -f "$T/gate.log"
		start_gate
		no "$name: $damage: without its upstream it is not served" \
			git ls-remote "$GATE/$name/web"
		like "$name: $damage: and that is said" \
			'code=upstream-unreachable retry=yes'
		like "$name: $damage: and why, in the log" \
			"$name/web.git: damaged, and not served" "$T/gate.log"
		stop gate
	done
	rm -rf "$m"
	mv "$T/kept" "$m"
	start_gate
	ok "$name: one that is whole is served" git clone -q \
		"$GATE/$name/web" "$T/$name.clone"
	ok "$name: whole" git -C "$T/$name.clone" fsck --strict
	stop gate
done

# --- hosted ------------------------------------------------------------------------------

git clone -q --bare "$up" "$T/hosted/lab/own.git"
empty "$T/hosted/lab/own.git/config"
before=$(cd "$T/hosted" && find . -type f -exec md5sum {} + | sort)
start_gate
try git ls-remote "$GATE/lab/own"
is "a hosted repository is left alone" \
	"$(cd "$T/hosted" && find . -type f -exec md5sum {} + | sort)" "$before"
stop gate
is "the gate ends cleanly" "$rc" 0
done_testing
