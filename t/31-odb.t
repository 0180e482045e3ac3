#!/bin/bash
# Object stores are read as git reads them: every object of packs, loose ones
# and alternates, of either hash, one by one and all in order of their deltas;
# and what git has broken is said to be so. odb-drive shows what is read.
. "${SOURCE:?}/t/lib.sh"
drive=$BUILD/odb-drive

# history: for git fast-import; files that grow, change in the middle, are
# copied, empty ones, large ones, and tags.
history() {
	perl -e '
		use strict; srand(7);
		my @lines = map { "line $_ " . int(rand(1e9)) } 1 .. 300;
		sub data { print "data ", length($_[0]), "\n", $_[0], "\n" }
		for my $i (1 .. 150) {
			my $at = int(rand(@lines));
			splice @lines, $at, int(rand(3)), "change $i " . rand;
			splice @lines, int(rand(@lines)), 40 if $i % 20 == 0;
			push @lines, reverse @lines[0 .. 60] if $i % 31 == 0;
			print "commit refs/heads/main\nmark :$i\n",
				"committer A <a\@example.org> ", 1e9 + $i, " +0000\n";
			data("Commit $i\n");
			print "M 100644 inline a/file.txt\n";
			data(join("\n", @lines) . "\n");
			print "M 100644 inline b", $i % 7, "/other.txt\n";
			data(join("\n", @lines[0 .. 30], $i) . "\n");
			if ($i % 50 == 0) {
				print "M 100644 inline empty\n"; data("");
				print "M 100644 inline large$i\n";
				data(join("", map { chr(rand(256)) } 1 .. 200000));
				print "M 100644 inline long\n";
				data("0123456789\n" x (90000 + $i));
				print "tag v$i\nfrom :$i\n",
					"tagger A <a\@example.org> 1000000000 +0000\n";
				data("Tag $i\n");
			}
		}'
}

# all DIR: every object's id, type and size, in order.
all() { git -C "$1" cat-file --batch-all-objects --batch-check | sort; }
raw() { echo $(($(git -C "$1" rev-parse HEAD | tr -d '\n' | wc -c) / 2)); }

# same NAME DIR: reading gives what git gives, however it is done.
same() {
	local name=$1 dir=$2 raw args
	raw=$(raw "$dir")
	all "$dir" >"$T/want"
	cut -d' ' -f1 "$T/want" >"$T/ids"
	git -C "$dir" cat-file --batch <"$T/ids" >"$T/texts"
	for args in 100000000 3000; do
		"$drive" "$dir/objects" "$raw" read $args <"$T/ids" 2>&1 |
			cmp - "$T/texts" >"$T/said" 2>&1
		result $? "$name: every object, with $args bytes of cache"
	done
	for args in "sweep 1 100000000" "sweep 3 100000000" "sweep 2 40000" \
		"helped 2 100000000" "helped 3 40000"; do
		# shellcheck disable=SC2086 # three words
		"$drive" "$dir/objects" "$raw" $args 0 30 >"$T/out" 2>&1
		rc=$?
		sort "$T/out" | diff - "$T/want" >"$T/said" && [ $rc -eq 0 ]
		result $? "$name: a sweep with threads and bytes: $args"
	done
}

pack_of() { find "$1/objects/pack" -name '*.pack'; }
history >"$T/history"
is "there is a history" "$(grep -c '^commit ' "$T/history")" 150

# --- packs of every kind -------------------------------------------------------

for hash in sha1 sha256; do
	dir=$T/$hash.git
	git init -q --bare --object-format=$hash -b main "$dir"
	git -C "$dir" fast-import --quiet <"$T/history"
	same "$hash, as fast-import packs" "$dir"
	git -C "$dir" repack -adfq --depth=40 --window=20
	same "$hash, repacked" "$dir"
done
dir=$T/sha1.git
ok "deltas come in chains" test "$(git verify-pack -v \
	"$dir"/objects/pack/*.idx | awk 'NF == 7 { print $6 }' | sort -n |
	tail -n 1)" -gt 10

cp -r "$dir" "$T/ref.git"
git -C "$T/ref.git" -c repack.useDeltaBaseOffset=false repack -adfq --depth=40
same "deltas by id" "$T/ref.git"

reindex() { # OPTIONS...: the pack with another index
	local pack
	rm -rf "$T/index.git"
	cp -r "$dir" "$T/index.git"
	pack=$(pack_of "$T/index.git")
	rm -f "${pack%.pack}".{idx,rev,bitmap}
	git -C "$T/index.git" index-pack "$@" "$pack" >/dev/null
}
reindex --index-version=1
same "an index of version 1" "$T/index.git"
reindex --index-version=2,0x400
same "offsets of 64 bits" "$T/index.git"

git init -q --bare -b main "$T/loose.git"
git -C "$T/loose.git" unpack-objects -q <"$(pack_of "$dir")"
git -C "$T/loose.git" update-ref HEAD "$(git -C "$dir" rev-parse HEAD)"
same "loose objects" "$T/loose.git"

git init -q --bare -b main "$T/stored.git"
for n in 0 1 65000 65520 65535 65536 70000 300000; do
	head -c $n /dev/urandom | git -C "$T/stored.git" \
		-c core.looseCompression=0 hash-object -w --stdin
done >"$T/hashes"
git -C "$T/stored.git" update-ref refs/tags/some "$(head -n 1 "$T/hashes")"
git -C "$T/stored.git" symbolic-ref HEAD refs/tags/some
same "loose objects that are not compressed" "$T/stored.git"

# a push of the last commit alone: a thin pack, completed
git init -q --bare -b main "$T/thin.git"
echo "$(git -C "$dir" rev-parse main~1)" >"$T/old"
git -C "$dir" pack-objects --revs --stdout -q <"$T/old" 2>/dev/null |
	git -C "$T/thin.git" index-pack --stdin >/dev/null
printf 'main\n^%s\n' "$(cat "$T/old")" |
	git -C "$dir" pack-objects --revs --thin --stdout -q |
	git -C "$T/thin.git" index-pack -v --stdin --fix-thin >/dev/null 2>"$T/said"
like "a thin pack is completed" 'completed with [0-9]+ local object'
git -C "$T/thin.git" update-ref refs/heads/main "$(git -C "$dir" rev-parse main)"
# bases that were added to it are in both packs, and shown twice
"$drive" "$T/thin.git/objects" 20 sweep 2 1000000 0 30 | sort >"$T/got"
all "$T/thin.git" | diff - <(uniq "$T/got") >"$T/said"
result $? "a thin pack, completed: a sweep shows all"
ok "an object in two packs is shown for each" test -n "$(uniq -d "$T/got")"
all "$T/thin.git" | cut -d' ' -f1 >"$T/ids"
"$drive" "$T/thin.git/objects" 20 read 1000000 <"$T/ids" |
	cmp - <(git -C "$T/thin.git" cat-file --batch <"$T/ids") >"$T/said" 2>&1
result $? "a thin pack, completed: every object"

# 100,000 small objects
git init -q --bare -b main "$T/many.git"
perl -e 'print "blob\ndata ", length($_), "\n$_\n" for map { "object $_\n" }
	1 .. 100000; print "commit refs/heads/main\n",
	"committer A <a\@example.org> 1000000000 +0000\ndata 0\n"' |
	git -C "$T/many.git" fast-import --quiet
same "100,000 objects" "$T/many.git"

# --- alternates -------------------------------------------------------------------

for i in 1 2; do
	git init -q --bare -b main "$T/alt$i.git"
	echo "alternate $i" |
		git -C "$T/alt$i.git" hash-object -w --stdin >"$T/id$i"
done
printf '# a comment\n../../sha1.git/objects\n' \
	>"$T/alt1.git/objects/info/alternates"
printf '%s\n%s\n' "$T/alt1.git/objects" "$T/alt2.git/objects" \
	>"$T/alt2.git/objects/info/alternates"
in_alt2() { "$drive" "$T/alt2.git/objects" 20 "$@"; }
all "$dir" | cut -d' ' -f1 | cat - "$T/id1" "$T/id2" >"$T/ids"
in_alt2 read 1000000 <"$T/ids" |
	cmp - <(git -C "$T/alt2.git" cat-file --batch <"$T/ids") >"$T/said" 2>&1
result $? "alternates of alternates, relative ones, one that is itself"
is "what they have is not listed" "$(in_alt2 list)" "$(cat "$T/id2")"
is "nor shown by a sweep" "$(in_alt2 sweep 1 1000000 0 30)" \
	"$(cat "$T/id2") blob 12"
echo "$T/nowhere" >"$T/alt1.git/objects/info/alternates"
ok "one that is not there is left out" in_alt2 has "$(cat "$T/id1")"
like "and said to be" 'nowhere: not a directory of objects'
no "a store that is not there is none" "$drive" "$T/nowhere" 20 list

# --- short names ------------------------------------------------------------------

for i in $(seq 1 700); do echo "short $i"; done >"$T/words"
mkdir "$T/w" && (cd "$T/w" && split -l 1 -a 3 ../words w.)
git init -q --bare -b main "$T/short.git"
find "$T/w" -type f | git -C "$T/short.git" hash-object -w --stdin-paths |
	sort >"$T/ids"
two=$(cut -c1-4 "$T/ids" | uniq -d | head -n 1)
one=$(head -n 1 "$T/ids")
ok "two of them begin alike" test -n "$two"
short() { "$drive" "$T/short.git/objects" 20 short "$@" | cut -d' ' -f2-; }
try_short() {
	is "$1: one" "$(short "${one:0:7}")" "1 $one"
	is "$1: upper case" "$(short "${one^^}")" "1 $one"
	is "$1: several" "$(short "$two")" "-1 "
	is "$1: none, too short, no digits" \
		"$(short ffffffffff "${one:0:3}" "${one:0:6}g" "${one}0" | xargs)" \
		"0 0 0 0"
}
try_short "loose"
git -C "$T/short.git" pack-objects -q "$T/short.git/objects/pack/pack" \
	<"$T/ids" >/dev/null
try_short "in a pack and loose"
git -C "$T/short.git" prune-packed
try_short "packed"

# --- while git repacks ------------------------------------------------------------

cp -r "$T/loose.git" "$T/gc.git"
mkfifo "$T/ask"
all "$T/gc.git" | cut -d' ' -f1 >"$T/ids"
"$drive" "$T/gc.git/objects" 20 read 1000 <"$T/ask" >"$T/read" 2>&1 &
reader=$!
exec 7>"$T/ask"
head -n 1 "$T/ids" >&7
for _ in $(seq 100); do [ -s "$T/read" ] && break; sleep 0.05; done
ok "one object is read" test -s "$T/read"
git -C "$T/gc.git" pack-objects -q "$T/gc.git/objects/pack/pack" \
	<"$T/ids" >/dev/null
git -C "$T/gc.git" prune-packed
is "the others are packed now" "$(git -C "$T/gc.git" count-objects)" \
	"0 objects, 0 kilobytes"
sed 1d "$T/ids" >&7
exec 7>&-
wait $reader
git -C "$T/gc.git" cat-file --batch <"$T/ids" | cmp - "$T/read" >"$T/said" 2>&1
result $? "they are read all the same"

# --- broken stores ------------------------------------------------------------------

# break_at FILE OFFSET: one byte is another.
break_at() {
	chmod u+w "$1"
	perl -e 'open my $f, "+<", $ARGV[0] or die; seek $f, $ARGV[1], 0;
		read $f, my $c, 1; seek $f, $ARGV[1], 0;
		print $f chr(ord($c) ^ 0x55); close $f or die' "$1" "$2"
}
fresh() {
	rm -rf "$T/bad.git"
	cp -r "$dir" "$T/bad.git"
	pack=$(pack_of "$T/bad.git")
	idx=${pack%.pack}.idx
}
bad_sweep() { "$drive" "$T/bad.git/objects" 20 sweep 2 1000000 "${1:-0}" 30; }

fresh
git verify-pack -v "$idx" | grep -E '^[0-9a-f]{40} ' >"$T/entries"
# a whole object with many deltas on it, by the number that name its like
base=$(awk 'NF == 7 && $6 == 1 { n[$7]++ } END { for (b in n) print n[b], b }' \
	"$T/entries" | sort -n | tail -n 1 | cut -d' ' -f2)
offset=$(awk -v b="$base" '$1 == b { print $5 }' "$T/entries")
break_at "$pack" $((offset + 30))
ok "a sweep of a pack with a broken object ends" bad_sweep
cp "$T/out" "$T/got"
like "the object is broken" "^$base broken: it cannot be inflated" "$T/got"
like "so are its deltas" "broken: what it is made from cannot be read" "$T/got"
is "every object is shown, once" "$(cut -c1-40 "$T/got" | sort)" \
	"$(cut -c1-40 "$T/entries" | sort)"
is "the others are read" "$(grep -v broken "$T/got" | sort)" \
	"$(grep -v broken "$T/got" | cut -d' ' -f1 |
		git -C "$dir" cat-file --batch-check | sort)"
bad_reads() { "$drive" "$T/bad.git/objects" 20 read 100000; }
is "odb_read says so too" "$(echo "$base" | bad_reads)" \
	"$base: it cannot be inflated"

ok "a sweep up to a size ends" bad_sweep 5000
is "what is larger is not shown" "$(awk '!/: / && $3 > 5000' "$T/out")" ""
like "but said to be" 'too large: it is too large'

fresh
break_at "$idx" 9
no "an index that counts backwards" bad_sweep
like "is told" 'its fan-out table goes backwards'
fresh
break_at "$idx" 4
no "an index of another version" bad_sweep
like "is told" 'it is of an unknown version'
fresh
truncate -s -8 "$idx"
no "an index that is cut" bad_sweep
like "is told" 'it has not the size of its number of objects'
fresh
truncate -s -1 "$pack"
no "a pack that is cut" bad_sweep
like "is told" 'it is the index of another pack'
fresh
: >"$pack"
no "an empty pack" bad_sweep
fresh
rm "$pack"
mkdir "$pack"
no "a pack that is none" bad_sweep
fresh
break_at "$pack" 11
no "a pack that counts otherwise" bad_sweep
like "is told" 'its pack has another number of objects'
fresh
rm "$pack"
ok "an index whose pack is gone is left out" bad_sweep
is "as git does" "$(cat "$T/said")" ""

rm -rf "$T/bad.git"
cp -r "$T/stored.git" "$T/bad.git"
id=$(sed -n 6p "$T/hashes")
file=$T/bad.git/objects/${id:0:2}/${id:2}
break_at "$file" 3000
ok "a sweep with a broken loose object" bad_sweep
like "tells it" "^$id broken: it cannot be inflated"
chmod u+w "$file" && : >"$file"
ok "an empty one" bad_sweep
like "is broken" "^$id broken: its file cannot be read"
rm "$file" && ln -s /dev/zero "$file"
ok "one that is a device" bad_sweep
like "is broken too" "^$id broken: its file cannot be read"
done_testing
