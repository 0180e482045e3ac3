#!/bin/bash
# What a push brings besides honest objects: options for the upstream, trees
# that unfold without end, names that stand for other references, and
# references that a mirror must not keep. By plain `git push`.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/hook.sh"

# pushOptions of the hosted repositories, then of the mirrored ones
conf() {
	hook_conf <<-END
		[access]
			allow = create,update,delete agent-* lab/* refs/heads/agent/*
			allow = * root * *
			allow = * agent-* repo *
	END
	[ -z "$1" ] || sed -i "/hosted =/a pushOptions = $1" "$CONF"
	[ -z "$2" ] || sed -i "/upstream = file/a pushOptions = $2" "$CONF"
}
sed -i -e 's/COUNT=4/COUNT=6/' -e '/^exec/i\
export GIT_CONFIG_KEY_4=receive.procReceiveRefs GIT_CONFIG_VALUE_4=refs/\
export GIT_CONFIG_KEY_5=receive.advertisePushOptions GIT_CONFIG_VALUE_5=true' \
	"$T/receive"
conf "" ""
start_notes
bare=$T/hosted/lab/r.git
w=$T/w
git init -q --bare -b main "$bare"
git init -q -b main "$w"
commit "$w" file "line 1"
git -C "$w" push -q "$bare" main
WHO=root

# --- push options ----------------------------------------------------------
no "without pushOptions an option is refused" push "$w" lab/r -o ci.skip main:x
like "and named" "^remote: git-gate: the push option ci.skip is not allowed"
refused denied
is "nothing arrived" "$(tip "$bare" x)" ""
comes "it is in the log" "verdict=refused code=denied op=create .*refs/heads/x" \
	"$T/notes"
no "a denied option with a secret is refused" \
	push "$w" lab/r -o "key=$(token 1)" main:x
like "and not named" "^remote: git-gate: a push option is not allowed"
refused denied
conf 'ci.skip topic=*' 'topic=*'
ok "options that are allowed pass" \
	push "$w" lab/r -o ci.skip -o topic=a/b -o topic= main:a
no "one that is not refuses the push" \
	push "$w" lab/r -o ci.skip -o ci.skip2 main:x
like "it alone is named" "the push option ci.skip2 is not allowed"
no "an empty option is one too" push "$w" lab/r -o "" main:x
refused denied
no "a secret in an allowed option is refused" \
	push "$w" lab/r -o ci.skip -o "topic=$(token 2)" main:x
like "where it was is said" "^remote: .*push option:1:"
refused secret-found
is "nothing arrived then" "$(tip "$bare" x)" ""
many=()
for i in $(seq 101); do many+=(-o "topic=$i"); done
no "too many options are refused" push "$w" lab/r "${many[@]}" main:x
refused bad-request
# the hook by itself: what git would never set
alone() {
	(cd "$bare" && echo "$(printf '%040d' 0) $(tip "$w" main) refs/heads/x" |
		env GIT_GATE_CONFIG="$CONF" GIT_GATE_REPO=lab/r GIT_GATE_WHO=root \
		GIT_GATE_ID=$ID "$@" "$BUILD/hooks/pre-receive")
}
ok "the hook by itself lets it pass" alone GIT_PUSH_OPTION_COUNT=0
for count in 1 -1 +1 0x1 '' ' 1' 1x 99999999999999999999; do
	no "a count of '$count' with nothing behind it does not pass" \
		alone GIT_PUSH_OPTION_COUNT="$count"
	like "it is said" "code=bad-request"
done
upstream repo
git clone -q --mirror "$T/up/repo.git" "$T/hosted/repo.git" 2>/dev/null
ok "an allowed option passes to the upstream" \
	push "$w" repo -o topic=hello main
is "which gets it" "$(cat "$T/up/repo.git/options")" "topic=hello"
no "one that is not allowed there does not" push "$w" repo -o ci.skip main:x
refused denied
no "nor one with a secret" push "$w" repo -o "topic=$(token 3)" main:x
refused secret-found
is "and the upstream saw none of them" \
	"$(cat "$T/up/repo.git/options")" "topic=hello"

# --- references that a mirror does not follow --------------------------------
commit "$w" file "for review"
new=$(tip "$w" main)
ok "a push to refs/for/ passes" push "$w" repo main:refs/for/main
is "the upstream took it" "$(tip "$T/up/repo.git" refs/for/main)" "$new"
is "the mirror does not keep it" "$(tip "$T/hosted/repo.git" refs/for/main)" ""
git -C "$w" tag v1
ok "branches and tags do pass" push "$w" repo main v1
is "the mirror keeps branches" "$(tip "$T/hosted/repo.git" main)" "$new"
is "and tags" "$(tip "$T/hosted/repo.git" refs/tags/v1)" "$new"
ok "a hosted repository" push "$w" lab/r main:refs/for/main
is "keeps all" "$(tip "$bare" refs/for/main)" "$new"

# --- symbolic references -----------------------------------------------------
WHO=agent-1
old=$(tip "$bare" main)
git -C "$bare" symbolic-ref refs/heads/agent/sym refs/heads/main
no "a push through a symbolic reference is refused" \
	push "$w" lab/r main:agent/sym
like "and says why" "refs/heads/agent/sym: it is a symbolic reference"
refused denied
is "what it names did not move" "$(tip "$bare" main)" "$old"
no "nor is it deleted" push "$w" lab/r :agent/sym
refused denied
is "what it names is there" "$(tip "$bare" main)" "$old"
git -C "$bare" symbolic-ref refs/heads/agent/none refs/heads/unborn
no "nor one that names nothing yet" push "$w" lab/r main:agent/none
is "which nothing made" "$(tip "$bare" unborn)" ""
ln -s ../main "$bare/refs/heads/agent/link"
no "nor one that is a link" push "$w" lab/r main:agent/link
is "what it links to did not move" "$(tip "$bare" main)" "$old"
rm "$bare/refs/heads/agent/"*
ok "any other is taken" push "$w" lab/r main:agent/plain

# --- trees that unfold -------------------------------------------------------
# nest MODE ID DEPTH WIDTH: a tree of trees, the same WIDTH times at each level
nest() {
	local id=$2 mode=$1 type=blob level i
	for level in $(seq "$3"); do
		id=$(for i in $(seq "$4"); do
			printf '%s %s %s\td%d\n' "$mode" "$type" "$id" "$i"
		done | git -C "$w" mktree)
		mode=040000 type=tree
	done
	echo "$id"
}
blob=$(echo text | git -C "$w" hash-object -w --stdin)
made() { git -C "$w" commit-tree -m "${2:-made}" "$1"; }
# soon NAME COMMAND...: it fails within 20 s of processor time; to unfold all of
# it takes minutes, or for ever
LIMIT=240
soon() {
	local name=$1 from
	shift
	spent
	from=$SPENT
	no "$name is refused" "$@"
	spent
	[ $((SPENT - from)) -lt 20000 ]
	result $? "$name: at once" || diag "$((SPENT - from)) ms"
	like "$name: it could not be told" "could not tell whether .*unfolds"
	refused cannot-scan
}
bomb=$(nest 100644 "$blob" 9 10)
soon "a tree of 10^9 files" push "$w" lab/r "$(made "$bomb"):refs/heads/agent/b"
deep=$(nest 100644 "$blob" 40 2)
soon "a tree of 2^40 files" push "$w" lab/r "$(made "$deep"):refs/heads/agent/b"
git -C "$w" tag bomb "$bomb"
WHO=root
soon "a tag of such a tree" push "$w" lab/r bomb
WHO=agent-1
twice=$(nest 100644 "$blob" 3 10)
ok "a small one passes" push "$w" lab/r "$(made "$twice"):refs/heads/agent/ok"
# what is in it is found at each of its places, where a rule looks at them
printf 'extend\n[[rules]]\nid = "p"\nregex = "word-[0-9]{4}"\npath = "d7/d3$"\n' |
	sed 1d >"$T/path.toml"
conf "" ""
printf '[scan]\n\trules = %s\n' "$T/path.toml" >>"$CONF"
word=$(echo word-1234 | git -C "$w" hash-object -w --stdin)
twice=$(nest 100644 "$word" 2 10)
no "a path matters in the same tree elsewhere" \
	push "$w" lab/r "$(made "$twice"):refs/heads/agent/p"
like "it is said" "d7/d3:1:1"
like "and no other" "findings=1"
ok "no secret was said or logged" hidden 1 2 3

# --- what is packed, and encoded as text -------------------------------------
conf "" ""
WHO=root
# told_not NAME WHY: what comes on standard input, as a file, is refused soon
told_not() {
	local from
	C=$(made "$(printf '100644 blob %s\ta.yaml\n' \
		"$(git -C "$w" hash-object -w --stdin)" | git -C "$w" mktree)")
	spent
	from=$SPENT
	no "$1 is refused" push "$w" lab/r "$C:refs/heads/packed"
	spent
	[ $((SPENT - from)) -lt 20000 ]
	result $? "$1: at once" || diag "$((SPENT - from)) ms"
	like "$1: it could not be told" "$2"
	refused cannot-scan
}
zeros() { head -c "$1" /dev/zero | gzip; }
zeros 200000000 >"$T/bomb"
told_not "a bomb in base64" "larger|too many times" < <(base64 "$T/bomb")
told_not "one in hexadecimal" "larger|too many times" \
	< <(od -An -v -tx1 "$T/bomb" | tr -d ' \n')
zeros 3000000 | base64 -w0 >"$T/small"
told_not "a thousand small ones" "limit|too many times" \
	< <(for i in $(seq 1000); do echo "x$i: $(<"$T/small")"; done)
told_not "one within four others" "deeper" \
	< <(seq 50 | gzip | base64 | gzip | base64 | gzip | base64 |
		gzip | base64)
told_not "an archive of 200,000 files" "more entries" \
	< <(perl -e 'for (1 .. 200000) { my $h = pack "a100 a8 a8 a8 a12 a12 " .
		"A8 a1 a100 a6 a2 a247", "f$_", "0000644", "0000000", "0000000",
		"00000000000", "00000000000", "", "0", "", "ustar", "00", "";
		substr($h, 148, 8) = sprintf "%06o\0 ", unpack "%32C*", $h;
		print $h } print "\0" x 1024' | gzip | base64)
told_not "70,000 of them" "more in it" \
	< <(seq 50 | gzip | base64 -w0 >"$T/one"; perl -e 'local $/;
		my $one = <STDIN>; print "$_: $one\n" for 1 .. 70000' <"$T/one")
perl -e 'srand 3; print pack "N*", map rand 4294967296, 1 .. 5000000' |
	gzip >"$T/large"
told_not "one of 20 MB" "more than 16 MiB" \
	< <(od -An -v -tx1 "$T/large" | tr -d ' \n')
told_not "forty zips whose directories leave most of them out" "larger" \
	< <(perl -MIO::Compress::Zip=:all -e 'sub one {
			my $z; zip \$_[1] => \$z, Name => $_[0], Minimal => 1; $z }
		srand 5;
		my $big = one("big", "0123456789abcde\n" x 655360);
		$big = substr $big, 0, index $big, "PK\1\2";
		my $all = IO::Compress::Zip->new("-", Name => "noise",
			Method => ZIP_CM_STORE);
		$all->print(pack "N*", map rand 4294967296, 1 .. 262144);
		for (1 .. 40) {
			$all->newStream(Name => "$_.zip");
			$all->print($big . one("small", "this is $_"));
		}
		$all->close')
told_not "three thousand that begin again and again" "broken|too many|larger" \
	< <(perl -MMIME::Base64 -e 'print encode_base64("\x1f\x8b\x08\0" x 60 .
		$_, ""), "\n" for 1 .. 3000')
told_not "one with an encrypted rest" "encrypted|unpacked" \
	< <(printf 'PK\3\4\24\0\1\0\10\0%0100d' 7 | base64 -w0)
for at in 300 600 5000; do
	told_not "one that is cut off after $at bytes" "broken|unpacked" \
		< <(seq 40000 | gzip | head -c $at | base64)
done
# short ones are examples: what comes out of them is looked at
for at in 20 30 60 100 200; do
	seq 40000 | gzip | head -c $at | base64
	echo
	{ seq 40000 | gzip | head -c $at; head -c 50 "$T/large"; } | base64
	echo
done >"$T/short"
ok "short ones that are cut off or damaged pass" push "$w" lab/r \
	"$(made "$(printf '100644 blob %s\ta.yaml\n' \
		"$(git -C "$w" hash-object -w "$T/short")" |
		git -C "$w" mktree)"):refs/heads/short"
done_testing
