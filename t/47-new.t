#!/bin/bash
# What is new: a finding counts when no parent's version of that path has the
# secret, renames followed; a merge counts what none of its parents has; a new
# branch is judged against all that is there. By plain `git push`.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/hook.sh"

hook_conf <<-END
	[access]
		allow = * * *
	[scan]
		maxObject = 1M
END
start_notes
bare=$T/hosted/lab/r.git
w=$T/w
git init -q --bare -b main "$bare"
git init -q -b main "$w"
text() { seq -f "line %g of $1, and some words more" 1 20; }
save() { git -C "$w" add -A && git -C "$w" commit -qm "${1:-change}"; }
# again: the work tree is at what the repository has.
again() { git -C "$w" merge --abort 2>/dev/null; git -C "$w" reset -q --hard &&
	git -C "$w" checkout -qB main base; }
# store REF...: as if it had come before there was a gate
store() { git -C "$w" push -qf "$bare" "$@"; }
# passes NAME [REFSPEC], fails NAME REGEX [REFSPEC]; the branch is reset
passes() {
	ok "$1 passes" push "$w" lab/r "${2:-main:refs/heads/topic}"
	git -C "$bare" update-ref -d refs/heads/topic
}
fails() {
	no "$1 is refused" push "$w" lab/r "${3:-main:refs/heads/topic}"
	like "$1: where" "$2"
}
# only N: it was the one finding, or so many
only() { like "and ${1:-1} found in all" "code=secret-found .*findings=${1:-1} "; }
short() { git -C "$w" rev-parse --short=12 "$1"; }

# what was there before: a leak in a file, one that was removed, one in a name
text old >"$w/old.txt"
echo "key = $(token 1)" >>"$w/old.txt"
text b >"$w/plain.txt"
mkdir -p "$w/dir/sub" "$w/$(token 2)"
text c >"$w/dir/sub/deep.txt"
echo "key = $(token 3)" >>"$w/dir/sub/deep.txt"
echo x >"$w/$(token 2)/file"
echo "gone = $(token 4)" >"$w/gone.txt"
save "the beginning"
git -C "$w" tag first
git -C "$w" rm -q gone.txt && git -C "$w" commit -qm "gone.txt goes"
echo more >>"$w/plain.txt" && save
store main
git -C "$w" tag base

# --- the parent's version of the path ----------------------------------------
sed -i '1i first line' "$w/old.txt"
sed -i "s/^key = .*/ key: \"$(token 1)\";/" "$w/old.txt" && save
passes "a leak that is re-indented and quoted"
again
{ tail -n 1 "$w/old.txt"; text old; } >"$T/x" && cp "$T/x" "$w/old.txt" && save
passes "one that moves within its file"
again
echo "two = $(token 5)" >>"$w/old.txt" && save
sed -i 5d "$w/old.txt" && save
fails "a second one beside it" "old.txt:22:7 +in $(short main~1) by Ada"
only
again
echo "key = $(token 1)" >>"$w/plain.txt" && save
fails "the same in another file" "plain.txt:22:7"
only
again
git -C "$w" revert --no-edit HEAD~1 >/dev/null
passes "a file that is brought back as it was"
again
{ echo changed; echo "gone = $(token 4)"; } >"$w/gone.txt" && save
fails "one that is brought back otherwise" "gone.txt:2:8"
again
echo y >"$w/$(token 2)/other" && save
passes "a file in a directory whose name is a leak"
again
mkdir "$w/$(token 6)" && echo y >"$w/$(token 6)/f" && save
fails "a directory whose name is a new one" "path name ghp_"
only
again
for i in 1 2 3 4; do
	echo "$i $(token 7)" >>"$w/new.txt" && save "step $i"
done
git -C "$w" rm -q new.txt && git -C "$w" commit -qm "away"
fails "a leak of several commits" "new.txt:1:3 +in $(short main~4) by Ada"
only

# --- renames -----------------------------------------------------------------
again
git -C "$w" mv old.txt new-name.txt && save
passes "a file that is renamed"
again
git -C "$w" mv old.txt dir/moved.txt
sed -i '3d;7s/words/things/' "$w/dir/moved.txt" && save
passes "one that is renamed and changed"
again
git -C "$w" mv dir other && sed -i 2d "$w/other/sub/deep.txt" && save
passes "a directory that is renamed, with a change"
again
git -C "$w" mv old.txt new-name.txt
echo "new = $(token 8)" >>"$w/new-name.txt" && save
fails "a leak that comes with a rename" "new-name.txt:22:7"
only
again
git -C "$w" rm -q old.txt
{ text quite-another | tac; echo "key = $(token 1)"; } |
	sed 's/line/entry/' >"$w/another.txt" && save
fails "another file with the leak of one that goes" "another.txt:21:7"
again
cp "$w/old.txt" "$w/copy.txt" && echo >>"$w/copy.txt" && save
fails "a copy" "copy.txt:21:7"
again
git -C "$w" rm -q old.txt && git -C "$w" commit -qm "first it goes"
git -C "$w" show base:old.txt >"$w/late.txt" && echo >>"$w/late.txt" && save
fails "a file that comes a commit after the other went" "late.txt:21:7"

# --- merges ------------------------------------------------------------------
again
git -C "$w" checkout -qb side base && text side >"$w/side.txt" && save
git -C "$w" checkout -qb third base && text third >"$w/third.txt" && save
git -C "$w" checkout -q main && text main >"$w/main.txt" && save
git -C "$w" tag -f here >/dev/null
git -C "$w" merge -q --no-edit side 2>/dev/null
passes "a merge"
git -C "$w" reset -q --hard here
git -C "$w" merge -q --no-edit side third >/dev/null 2>&1
is "git made an octopus" "$(git -C "$w" cat-file -p main | grep -c ^parent)" 3
passes "an octopus"
echo "evil = $(token 9)" >>"$w/main.txt"
git -C "$w" commit -qa --amend --no-edit
fails "what an octopus itself brings" "main.txt:21:8 +in $(short main)"
only
git -C "$w" reset -q --hard here
git -C "$w" merge -q --no-commit side >/dev/null 2>&1
echo "evil = $(token 10)" >"$w/slipped.txt" && save "evil"
fails "a file that only the merge brings" "slipped.txt:1:8 +in $(short main)"
git -C "$w" reset -q --hard here
git -C "$w" checkout -q side && echo "s $(token 11)" >>"$w/side.txt" && save
at=$(short side)
git -C "$w" checkout -q main
git -C "$w" merge -q --no-edit side 2>/dev/null
fails "what a branch brings, merged" "side.txt:21:3 +in $at by Ada"
only
# both sides change the leak's line: the resolution takes neither
again
git -C "$w" checkout -qB side base
sed -i 's/^key = /left = /' "$w/old.txt" && save
git -C "$w" checkout -q main
sed -i 's/^key = /right = /' "$w/old.txt" && save
git -C "$w" merge -q side >/dev/null 2>&1
git -C "$w" checkout -q --ours old.txt
sed -i 's/^right = /both = /' "$w/old.txt" && save "resolved"
passes "a resolution with an old leak"
sed -i "s/^both = .*/& $(token 12)/" "$w/old.txt"
git -C "$w" commit -qa --amend --no-edit
fails "a resolution with a new one" "old.txt:21:49"
only
# a rename that only the merge makes
again
git -C "$w" checkout -qB side base && text s >"$w/s.txt" && save
git -C "$w" checkout -q main && text m >"$w/m.txt" && save
git -C "$w" merge -q --no-commit side >/dev/null 2>&1
git -C "$w" mv old.txt renamed.txt && sed -i 1d "$w/renamed.txt" && save "merge"
passes "a rename that a merge makes"

# --- new branches --------------------------------------------------------------
again
git -C "$w" checkout -qB main first && echo x >>"$w/plain.txt" && save
passes "a branch from the middle, with old leaks in it"
git -C "$w" checkout -qB main base
git -C "$w" commit -q --allow-empty -m empty
passes "a commit that changes nothing"
git -C "$w" checkout -q --orphan lone && git -C "$w" commit -qm lone
passes "a root commit with files that are there" lone:refs/heads/topic
echo >>"$w/old.txt" && git -C "$w" commit -qa --amend -m lone
fails "a root commit with the leak of another file's version" "old.txt:21:7" \
	lone:refs/heads/topic
only
for i in 1 2 3; do
	again
	git -C "$w" checkout -qB "many$i" base && echo "$i" >"$w/many" && save
	store "many$i"
done
git -C "$w" tag -am "a tag" annotated many2
store annotated
git -C "$bare" pack-refs --all
store ":many2"
echo "$i" >>"$w/many" && save
passes "what a tag alone reached before, with a commit more"
git -C "$w" checkout -qB main many2 && echo tagged >>"$w/many" && save
passes "a branch from an annotated tag's commit"

# --- left over in the store ------------------------------------------------------
again
echo "left = $(token 13)" >"$w/left.txt" && save
store main:gone && git -C "$bare" update-ref -d refs/heads/gone
fails "a commit that no reference reaches" "left.txt:1:8 +in $(short main)"
only
echo more >>"$w/plain.txt" && save
fails "a commit after it" "left.txt:1:8 +in $(short main~1)"
git -C "$bare" gc -q --prune=now
git init -q --bare "$T/alternate"
git -C "$w" push -q "$T/alternate" main
echo "$T/alternate/objects" >"$bare/objects/info/alternates"
fails "objects of an alternate that no reference reaches" "left.txt:1:8"
rm "$bare/objects/info/alternates"

# --- unreachable ---------------------------------------------------------------
pkt() { printf '%04x%s' $((${#1} + 4)) "$1"; }
# sneak OBJECT...: a push of main with more objects in its pack
sneak() {
	local line old new
	old=$(tip "$bare" main) new=$(tip "$w" main)
	line="$old $new refs/heads/main"
	{
		printf '%04x%s\0report-status0000' $((${#line} + 18)) "$line"
		{ git -C "$w" rev-list --objects "base..main" | cut -d' ' -f1
			printf '%s\n' "$@"; } |
			git -C "$w" pack-objects -q --stdout 2>/dev/null
	} >"$T/request"
	cat >"$T/vars" <<-END
		GIT_GATE_CONFIG='$CONF' GIT_GATE_REPO='lab/r'
		GIT_GATE_WHO='$WHO' LIMIT='${UNPACK:-100}'
	END
	"$T/receive" "$bare" <"$T/request" >"$T/answer" 2>&1
	cat "$T/answer" | tee -a "$T/all"
	! grep -q 'code=secret-found\|code=cannot-scan' "$T/answer"
}
object() { git -C "$w" hash-object -w -t "$1" --literally --stdin; }
for UNPACK in 100 1; do
	again
	echo "$UNPACK" >>"$w/plain.txt" && save
	tree=$(tip "$w" 'main^{tree}')
	no "a blob that nothing reaches" sneak "$(token 14 | object blob)"
	like "is found" "unreachable object .*:1:1"
	only
	no "nor a commit" sneak "$(git -C "$w" commit-tree \
		-m "with $(token 15)" "$tree")"
	like "is found" "unreachable object .*:5:6"
	no "nor a tag" sneak "$(printf \
		'object %s\ntype tree\ntag x\ntagger A <a@b.example> 1 +0000\n\n%s\n' \
		"$tree" "$(token 16)" | object tag)"
	like "is found" "unreachable object .*:6:1"
	no "nor a tree" sneak "$(printf '040000 tree %s\t%s\n' "$tree" \
		"$(token 17)" | git -C "$w" mktree)"
	like "is found" "path name ghp_.*:1:1"
	only
	ok "one with nothing in it passes" sneak "$(echo harmless | object blob)"
	store base:main
done
unset UNPACK

# --- trees as git does not make them ----------------------------------------------
raw() { perl -e 'print pack "H*", shift' "$1"; }
# entry MODE NAME ID
entry() { printf '%s %s\0' "$1" "$2"; raw "$3"; }
made() { git -C "$w" commit-tree -p base -m made "$1"; }
again
bad=$(token 18 | object blob) good=$(echo good | object blob)
plain=$(tip "$w" base:plain.txt) old=$(tip "$w" base:old.txt)
# it NAME PASSES|FAILS ENTRIES
it() {
	local new
	new=$(object tree <"$T/tree")
	git -C "$w" update-ref refs/heads/made "$(made "$new")"
	if [ "$2" = passes ]; then
		passes "$1" made:refs/heads/topic
	else
		fails "$1" "$2" made:refs/heads/topic
		like "could tell" "code=secret-found"
	fi
}
{ entry 100644 z "$good"; entry 100644 old.txt "$old"
	entry 100644 a "$bad"; } >"$T/tree"
it "a leak in a tree out of order" "a:1:1"
{ entry 100644 plain.txt "$plain"; entry 100644 old.txt "$old"
	entry 100644 a "$good"; } >"$T/tree"
it "an old leak in a tree out of order" passes
{ entry 100644 a "$good"; entry 100644 a "$bad"; } >"$T/tree"
it "a leak in the second of two of one name" "a:1:1"
{ entry 100644 old.txt "$old"; entry 100644 old.txt "$bad"; } >"$T/tree"
it "beside one that is there" "old.txt:1:1"
entry 100777 .. "$bad" >"$T/tree"
it "a leak in '..'" "\.\.:1:1"
for mode in 160000 170000 644; do
	again
	entry $mode odd "$bad" >"$T/tree"
	git -C "$w" reset -q --soft "$(made "$(object tree <"$T/tree")")"
	no "a leak in an entry of mode $mode, no file's" sneak "$bad"
	like "is found" "unreachable object $bad:1:1"
done
printf '100644 cut\0abc' >"$T/tree"
git -C "$w" update-ref refs/heads/made "$(made "$(object tree <"$T/tree")")"
no "a tree that is cut off" push "$w" lab/r made:refs/heads/topic

# --- what cannot be read ----------------------------------------------------------
again
head -c 1500000 /dev/zero | tr '\0' 'a' >"$w/large" && save
no "a file that is too large" push "$w" lab/r main:topic
like "could not be told" "could not tell whether .*larger than"
like "has its code" "code=cannot-scan"
store main && git -C "$w" tag -f base >/dev/null
git -C "$w" mv large larger && save
passes "one that is there under another name"

# --- ids of SHA-256 ------------------------------------------------------------------
git init -q --bare -b main --object-format=sha256 "$T/hosted/lab/s.git"
git init -q -b main --object-format=sha256 "$T/s"
commit "$T/s" a.txt clean
ok "a push of SHA-256 objects passes" push "$T/s" lab/s main
git -C "$T/s" tag base
commit "$T/s" a.txt "is $(token 19)"
commit "$T/s" b.txt more
no "one with a leak is refused" push "$T/s" lab/s main
like "is found" "a.txt:2:4 +in $(git -C "$T/s" rev-parse --short=12 HEAD~1)"
no "a rewind too, packed" env UNPACK=1 bash -c "$(declare -f push git); \
	w=$T/s T=$T CONF=$CONF WHO=$WHO; push $T/s lab/s +main"
git -C "$T/s" reset -q --hard base && commit "$T/s" c.txt clean
ok "the next one passes" push "$T/s" lab/s main
# --- in delta order, or one by one -------------------------------------------------
# 300 versions of files whose lines come, go, move and change; packed
git init -q --bare -b main "$T/d.git"
perl -e 'srand 7; my @l = map { "line $_ of a file with some words" } 1 .. 400;
	for my $c (1 .. 300) {
		for (1 .. 6) {
			my $at = int rand @l;
			my $k = sprintf "%08x%08x", rand 2**32, rand 2**32;
			my $r = rand;
			if ($r < .3) { splice @l, $at, 1, "key-$k" }
			elsif ($r < .5) { splice @l, $at, 0, "ke", "y-$k" }
			elsif ($r < .7) { my ($x) = splice @l, $at, 1;
				splice @l, int rand @l, 0, $x }
			elsif ($r < .8) { $l[$at] =~ s/key-/key=/ }
			elsif ($r < .9) { $l[$at] .= " " . (pop(@l) // "") }
			else { splice @l, $at, 1 + int rand 5,
				"more words $c" }
		}
		my $t = join "\n", @l;
		printf "commit refs/heads/main\ncommitter A <a\@b.example> " .
			"%d +0000\ndata 2\nc\nM 644 inline f%d\ndata %d\n%s\n",
			1e9 + $c, $c % 3, length $t, $t
	}' | git -C "$T/d.git" fast-import --quiet
git -C "$T/d.git" repack -qadf --depth=50 --window=20
cat >"$T/keys.toml" <<-'END'
	[[rules]]
	id = "key"
	regex = '''key-([0-9a-f]{16})\b'''
	keywords = ["key-"]
	[[rules]]
	id = "two-lines"
	regex = '''(?s)words\nke\ny-[0-9a-f]+'''
END
found() {
	(cd "$T/d.git" && "$BUILD/git-gate" scan --rules "$T/keys.toml" \
		--format json --report "$T/json" "$@") >"$T/said" 2>&1
	perl -MJSON::PP -0777 -ne 'print sort map {
		"$_->{RuleID} $_->{File}:$_->{StartLine} $_->{Commit}\n" }
		@{decode_json $_}' "$T/json"
}
found >"$T/deltas"
ok "a history of deltas has findings" test "$(wc -l <"$T/deltas")" -gt 300
like "of both rules" "^two-lines" "$T/deltas"
found main~0 >"$T/whole"
ok "the same as its files, read one by one" cmp "$T/deltas" "$T/whole"

# --- one version at several paths, some of which the rules do not mind -------------
again
mkdir -p "$w/tests" "$w/zsrc"
echo "passw""ord = \"Xk29fjQ8mZpL4vB7tR\"" >"$w/tests/a.py" && save
# gate NAME STATUS ARG...: git gate scan, without a sweep
gate() {
	local name=$1 want=$2
	shift 2
	try sh -c 'cd "$0" && exec "$@"' "$w" "$BUILD/git-gate" scan "$@"
	cat "$T/said" >>"$T/all"
	is "$name" "$rc" "$want"
}
gate "a password in tests is excused" 0 HEAD~1..HEAD
passes "it"
cp "$w/tests/a.py" "$w/zsrc/s.py" && save
gate "a copy of it elsewhere is not" 1 HEAD~2..HEAD
like "it is found there" "zsrc/s.py:1:"
store main:gone && git -C "$bare" update-ref -d refs/heads/gone
fails "the same when the objects are there" "zsrc/s.py:1:"
git -C "$w" reset -q --soft base
gate "nor are both at once, staged" 1 --staged
like "it is found there" "zsrc/s.py:1:"

# --- an author and a subject as long as a commit may be ----------------------------
again
for i in 1 2 3; do echo "$i $(token 2$i)" >"$w/long$i"; done && save
{ git -C "$w" cat-file commit main | sed '/^author/,$d'
	perl -e 'print "author ", "\xc3\xa9" x 300000, " <a\@b.example> 1 +0000\n",
		"committer A <a\@b.example> 1 +0000\n\n", "w" x 500,
		$ARGV[0], "w" x 300000, "\n"' " $(token 24) "
} | git -C "$w" hash-object -t commit -w --stdin >"$T/id"
git -C "$w" update-ref refs/heads/main "$(cat "$T/id")"
gate "a commit of very long lines" 1 --format json --report "$T/long" base..main
ok "what is kept of them is short, and whole characters" \
	perl -MJSON::PP -0777 -e 'my $all = decode_json <>;
	exit !(@$all >= 4 && !grep { my ($a, $m) = @$_{qw(Author Message)};
		utf8::encode $a; utf8::encode $m;
		$a !~ /^(\xc3\xa9)+$/ || length $a < 500 || length $a > 512 ||
		length $m < 500 || length $m > 512 } @$all)' "$T/long"
cat "$T/long" >>"$T/all"
ok "no secret was said or logged" hidden 21 22 23 24 1 3 4 5 7 8 9 10 11 12 13 14 15 16 17 18 19
done_testing
