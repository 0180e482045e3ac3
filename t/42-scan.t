#!/bin/bash
# git gate scan: the operator's eye on a repository, a range, files, a stream;
# with the hook's scanner and statuses, and without anybody's configuration.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/hook.sh"

: >"$T/notes"
w=$T/w
git init -q -b main "$w"
commit "$w" dir/a "nothing"
commit "$w" dir/a "is $(token 1)" "a subject"
found=$(tip "$w" HEAD)
git -C "$w" checkout -q HEAD~1 -- dir/a
git -C "$w" commit -qm "taken out"
git -C "$w" branch old HEAD~2
# scan STATUS NAME ARG...: in the repository
scan() {
	local want=$1 name=$2
	shift 2
	try timeout 60 sh -c 'cd "$0" && exec "$@"' "${DIR:-$w}" \
		"$BUILD/git-gate" scan "$@"
	cat "$T/said" >>"$T/all"
	[ "$rc" -eq "$want" ]
	result $? "$name" || diag "status $rc, not $want"
}

scan 1 "the history of all references is looked at"
like "commit and place are named" "dir/a:2:4 +in ${found:0:12} by Ada"
scan 1 "as with --all" --all
scan 1 "from a directory below" --all
DIR=$w/dir scan 1 "and from a directory below"
scan 0 "a range without it" main~1..main
like "says what was looked at" "no secrets found in [0-9]+ objects"
scan 1 "a range with it" old..main
scan 1 "a range of ids" "${found:0:8}^..${found:0:8}"
scan 0 "one branch" old
scan 3 "no such range" old..nothing
like "says so" "old\.\.nothing is neither a file nor a range of commits"
scan 3 "no such file" no-such-file
like "says so" "no-such-file is neither a file nor a range of commits"
scan 2 "an unknown option is a mistake" --what
scan 2 "so is a range with --all" --all old
like "which is named" "leave it out, or 'old'"
scan 2 "so is another format" --format xml
like "says which there are" "xml: the formats are text, json and sarif"
scan 0 "help" --help
like "is the usage" "^usage: git-gate scan" "$T/out"
is "and no complaint" "$(cat "$T/err")" ""
scan 0 "files" dir
token 2 >"$w/dir/loose"
scan 1 "a file below a directory" dir
like "is named" "dir/loose:1:1"
ln -s "$T/all" "$w/dir/link"
mkfifo "$w/dir/fifo"
rm "$w/dir/loose"
scan 0 "links and pipes below a directory are left alone" dir
scan 3 "a file that is not there, with another" dir no-such-file
like "is named" "no-such-file: No such file"
ln -s "../$(token 4)" "$w/dir/to"
scan 1 "but where a link leads is text, as it is to git" dir
like "and scanned" "dir/to:1:4"
rm "$w/dir/to"
mkdir "$w/dir/z" "$w/dir/b"
for i in z/1 b/2 b/1 a2; do token 5 >"$w/dir/$i"; done
scan 1 "several, by other names for them" ".//dir/./" "$w//dir/z"
is "are called as git calls them, in order" \
	"$(sed -n 's/^  \(dir.*\):1:1.*/\1/p' "$T/out" | tr '\n' ' ')" \
	"dir/a2 dir/b/1 dir/b/2 dir/z/1 "
rm -r "$w/dir/z" "$w/dir/b" "$w/dir/a2"
rm "$w/dir/fifo" "$w/dir/link"
DIR=$T scan 3 "no repository: could not tell"
like "says why" "no repository is here.*git -C DIRECTORY gate scan"
GIT_DIR=$w/.git DIR=$T scan 3 "GIT_DIR is not looked at"
like "which is said" "GIT_DIR is not looked at"
stream() { token 3 | "$BUILD/git-gate" scan -; }
try stream
is "standard input" "$rc" 1
ok "clean standard input" "$BUILD/git-gate" scan -

scan 1 "JSON" --format json
cp "$T/out" "$T/json"
ok "is JSON with gitleaks' keys" perl -MJSON::PP -0777 -e '
	open my $in, "<", $ARGV[1] or die;
	my $l = decode_json(<$in>); exit 1 unless @$l == 1;
	for (qw(RuleID Description StartLine EndLine StartColumn EndColumn
		Match Secret File SymlinkFile Commit Entropy Author Email Date
		Message Tags Fingerprint)) {
		die "no $_" unless exists $l->[0]{$_}
	}
	my $f = $l->[0];
	die unless $f->{StartLine} == 2 && $f->{File} eq "dir/a" &&
		$f->{Author} eq "Ada" && $f->{Email} eq "ada\@example.org" &&
		$f->{Message} eq "a subject" && $f->{Commit} eq $ARGV[0] &&
		$f->{EndColumn} == 43 && $f->{Entropy} > 4' "$found" "$T/json"
scan 0 "clean JSON" --format json main~1..main
is "is an empty array" "$(cat "$T/out")" "[]"
scan 1 "a report in a file" --format json --report "$T/report.json"
ok "is there" grep -q '"RuleID"' "$T/report.json"
cp "$T/report.json" "$T/before.json"
for wrong in main..nothing no-such-file; do
	scan 3 "$wrong and a report" --format json --report "$T/report.json" \
		"$wrong"
	ok "leaves the one that is there" cmp "$T/report.json" "$T/before.json"
done
scan 3 "one of several arguments that is no file" \
	--report "$T/report.json" dir main
like "is told before anything is scanned" \
	"main: No such file.*; several arguments are files"
ok "and leaves the report" cmp "$T/report.json" "$T/before.json"
chmod 600 "$T/report.json"
scan 0 "another scan" --format json --report "$T/report.json" main~1..main
is "replaces it" "$(cat "$T/report.json")" "[]"
is "with the mode that it had" "$(stat -c %a "$T/report.json")" 600
is "and leaves nothing beside it" "$(ls "$T"/report.json*)" "$T/report.json"
cp "$T/before.json" "$T/report.json"
cp "$T/report.json" "$T/kept"; cat "$T/kept" >>"$T/all"

cat >"$T/own.toml" <<-'END'
	[[rules]]
	id = "own"
	description = "own rule"
	regex = '''noth[i]ng'''
END
scan 1 "another rule file" --rules "$T/own.toml"
like "is the one that counts" "own: n.* \(7 bytes\)"
scan 3 "a rule file that is not there" --rules "$T/none.toml"

git clone -q --bare "$w" "$T/bare.git" 2>/dev/null
DIR=$T/bare.git scan 1 "a bare, packed repository"
scan 3 "named as a path it is not scanned as files" "$T/bare.git"
like "the message says what scans it" \
	"bare.git: is a .*git -C $T/bare.git +gate scan --all"
scan 3 "nor is a repository's own directory" .git
mkdir "$T/above" && cp -r "$T/bare.git" "$T/above/"
scan 3 "nor one further down" "$T/above"
scan 0 "a work tree as a path is its files" "$w"
like "with a note of its history" "warning: .*git -C $w gate scan --all"
scan 0 "files without a history" dir
unlike "have no such note" "gate scan --all"
git -C "$w" worktree add -q "$T/tree" old 2>/dev/null
DIR=$T/tree scan 1 "a work tree of another repository"
git clone -q --depth 1 "file://$w" "$T/shallow" 2>/dev/null
DIR=$T/shallow scan 0 "a shallow clone has only what it has"
like "and is called one" "warning: .*shallow: .*git fetch --unshallow"
git -C "$T/shallow" worktree add -q "$T/shallow-2" 2>/dev/null
DIR=$T/shallow-2 scan 0 "so has a second work tree of it"
like "which is called one" "warning: .*shallow: .*git fetch --unshallow"
DIR=$T/shallow scan 0 "what the next commit brings is all there" --staged
unlike "of that it is not said" "shallow"
git clone -q --shared "$w" "$T/shared" 2>/dev/null
DIR=$T/shared scan 1 "objects of an alternate are found"
git init -q "$T/empty"
DIR=$T/empty scan 0 "an empty repository is clean"
cp -r "$w" "$T/broken"
rm -f "$T/broken/.git/objects/${found:0:2}/${found:2}"
DIR=$T/broken scan 3 "a missing object: could not tell"
like "says which, and what to do" \
	"object $found cannot be read: .*of a partial clone, fetch"

# the repository's configuration may be anybody's
git -C "$w" config include.path "$T/evil"
printf '[core\n' >"$w/.git/config.bad"
cp "$w/.git/config.bad" "$w/.git/config"
scan 1 "the repository's configuration is not read"
try strace -f -e trace=file -o "$T/trace" \
	sh -c 'cd "$0" && exec "$1" scan' "$w" "$BUILD/git-gate"
like "the trace is of a scan" "1 secret found"
unlike "no configuration of git's is opened, anybody's" \
	"gitconfig|/config(\.worktree)?\"|$T/home" "$T/trace"
ok "no secret was said" hidden 1 2 3
done_testing
