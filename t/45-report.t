#!/bin/bash
# What a scan says: to people in lines that fit, with advice that works when it
# is followed; to programs as gitleaks' JSON and as SARIF; of rules, all of
# them and their examples; and never the secret.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/hook.sh"

: >"$T/notes"
gate() { "$BUILD/git-gate" "$@"; }
w=$T/w
# scan STATUS NAME ARG...: in the repository
scan() {
	local want=$1 name=$2
	shift 2
	try timeout 60 sh -c 'cd "$0" && exec "$@"' "$w" \
		"$BUILD/git-gate" scan "$@"
	cat "$T/said" >>"$T/all"
	[ "$rc" -eq "$want" ]
	result $? "$name" || diag "status $rc, not $want"
}
# tty COLUMNS COMMAND...: on a terminal; its words, as they came, to $T/out
tty() {
	local columns=$1
	shift
	# a terminal says how wide it is; the shell that starts must not
	printf '%q ' "$@" >"$T/command"
	TERM=xterm timeout 60 script -qec \
		"stty cols $columns; cd '$w'; $(cat "$T/command")" /dev/null \
		</dev/null >"$T/out" 2>"$T/err"
	rc=$?
	cp "$T/out" "$T/said"
	cat "$T/said" >>"$T/all"
}
wide() { tr -d '\r' <"$T/out" | sed 's/\x1b\[[0-9;]*[mK]//g' |
	perl -CSD -ne 'chomp; print "$_\n" if length > '"$1"; }

# --- people ---------------------------------------------------------------

git init -q -b main "$w"
commit "$w" README "nothing"
dir="a rather/long directory/with blanks/in its name"
commit "$w" "$dir/file" "key = $(token 1)"
old=$(tip "$w" HEAD)
commit "$w" clean "nothing"
commit "$w" last "key = $(token 2)" "a message"
scan 1 "findings are shown as text"
like "with file, place, commit, author and date" \
	"^  last:1:7  in $(tip "$w" HEAD | cut -c1-12) by Ada <ada@example.org> 20[0-9-]+\$"
like "rule and redacted secret" "^    github-classic-token: ghp_.* \(40 bytes\)"
like "and fingerprint" "^    fingerprint [0-9a-f]{40}\$"
is "in lines that fit" "$(grep -v 'git add\|edit ' "$T/out" |
	perl -CSD -ne 'chomp; print "$_\n" if length > 80')" ""
unlike "without colours" $'\033'
like "the last commit is known" \
	"$(tip "$w" HEAD | cut -c1-12), the last commit of its branch"
like "as is what to do for an older one" "git rebase -i ${old:0:12}\^\$"
like "revoking is named" "Revoke a real secret"
like "a path is quoted for a shell" "git add '$dir/file'"

# Follow it to the letter.
sed -n '/, the last commit/,/--amend/p' "$T/out" | grep -o 'git .*' >"$T/todo"
is "the commands for the last commit" "$(cat "$T/todo")" \
	"git add last"$'\n'"git commit --amend --no-edit"
echo "key = none" >"$w/last"
ok "can be run" sh -ec 'cd "$0" && . "$1"' "$w" "$T/todo"
scan 1 "then one is left"
like "which is said" "^1 secret found"
is "with a rebase, and what to do when it stops" \
	"$(sed -n '/git rebase -i/,$p' "$T/out" | grep -o 'git [a-f].*\|git rebase.*' |
		grep -v allow)" \
	"git rebase -i ${old:0:12}^
git add '$dir/file'
git commit --amend --no-edit
git rebase --continue"
ok "the rebase" env GIT_SEQUENCE_EDITOR="sed -i '1s/^pick/edit/'" \
	git -C "$w" rebase -i "${old:0:12}^"
echo "key = none" >"$w/$dir/file"
cat >"$T/todo" <<-END
	git add '$dir/file'
	git commit --amend --no-edit
	git rebase --continue
END
ok "and the rest" sh -ec 'cd "$0" && . "$1"' "$w" "$T/todo"
scan 0 "and it is clean" main
git -C "$w" commit -q --allow-empty -m "said $(token 3)"
scan 1 "a secret in a message" HEAD~1..
like "wants another message" "^       git commit --amend\$"
git -C "$w" commit -q --amend --allow-empty -m "said nothing"

git -C "$w" tag -am "with $(token 4)" v1
scan 1 "one in a tag" v1
like "wants another tag" "git tag -f -a NAME"
git -C "$w" tag -d v1 >/dev/null
commit "$w" more "nothing"
printf '%s\n' "$(token 5)" >"$w/it's"
scan 1 "a path that a shell could take for something else" .
unlike "is in no command" "git add .*it's"
rm "$w/it's"

# --- a terminal ------------------------------------------------------------

for i in 6 7; do commit "$w" "file$i" "$(token $i)"; done
tty 60 "$BUILD/git-gate" scan
is "on a terminal, the status is the same" $rc 1
like "colours" $'\033\\[31mgithub-classic-token:\033\\[m'
is "and what fits its columns" "$(wide 60 | grep -v 'git-gate allow')" ""
tty 80 env NO_COLOR=1 "$BUILD/git-gate" scan
unlike "NO_COLOR is heeded" $'\033\\[31m'
tty 80 env TERM=dumb "$BUILD/git-gate" scan
unlike "so is a dumb terminal" $'\033\\[31m'

# a rule that takes its time, so that the bar has something to show
printf '[[rules]]\nid = "slow"\nregex = "(x+x+)+[0-9]"\n' >"$T/slow.toml"
git init -q -b main "$T/slow"
head -c 2000 /dev/zero | tr '\0' x >"$T/xs"
for i in $(seq 6); do
	{ cat "$T/xs"; echo "$i"; } >"$T/slow/f"
	sed 's/[0-9]*$//' -i "$T/slow/f"; echo "#$i#" | tr 0-9 a-j >>"$T/slow/f"
	git -C "$T/slow" add f
	git -C "$T/slow" commit -qm "$(tr 0-9 a-j <<<"$i")"
done
w=$T/slow tty 80 "$BUILD/git-gate" scan --rules "$T/slow.toml"
like "a scan that takes long shows how far it is" \
	'\[[#.]+\] +[0-9]+%  [0-9]+ of [0-9]+'
tail -c +1 "$T/out" | tr '\r' '\n' | grep -a . | grep -aq 'of [0-9]*.*secret'
is "and wipes it before the report" $? 1
like "by what wipes a line" $'\r\033\\[K'
w=$T/slow scan 3 "and none of it elsewhere" --rules "$T/slow.toml"
unlike "to a pipe" '%  [0-9]+ of'

# --- at most so many ---------------------------------------------------------

printf '[scan]\n\treport = 1\n[access]\n\tallow = * * *\n' | hook_conf
scan 1 "a configuration says how many" -c "$CONF"
is "are shown" "$(grep -c '^    fingerprint' "$T/out")" 1
like "the rest is counted" "^  and 1 more\$"
like "the operator's command has its name" "^         -c '$CONF'\$"

# --- programs -----------------------------------------------------------------

git -C "$w" tag -am "again $(token 8)" v2
printf 'path "quoted" \\ \x01 \xff:%s\n' "$(token 9)" >"$w/odd \"name\" \\ é"
git -C "$w" add -A; git -C "$w" commit -qm 'with "quotes" \ and é'
scan 1 "SARIF" --format sarif
cp "$T/out" "$T/sarif"
ok "is as the standard wants it" perl -MJSON::PP -0777 -e '
	open my $in, "<", $ARGV[0] or die;
	my $s = decode_json(<$in>);
	die "version" unless $s->{version} eq "2.1.0";
	die "schema" unless $s->{"\$schema"} =~ m{sarif-2\.1\.0};
	die "runs" unless @{$s->{runs}} == 1;
	my $r = $s->{runs}[0];
	my $d = $r->{tool}{driver};
	die "driver" unless $d->{name} eq "git-gate" &&
		$d->{semanticVersion} =~ /^\d+\.\d+\.\d+/;
	my (%ids, $n);
	for (@{$d->{rules}}) {
		die "rule" unless length $_->{id} &&
			length $_->{shortDescription}{text};
		die "twice" if exists $ids{$_->{id}};
		$ids{$_->{id}} = $n++;
	}
	die "rules: $n" unless $n >= 300;
	die "invocation" unless
		$r->{invocations}[0]{executionSuccessful} == JSON::PP::true;
	die "results" unless @{$r->{results}} == 4;
	my %prints;
	for (@{$r->{results}}) {
		die "level" unless $_->{level} eq "error";
		die "message" unless length $_->{message}{text};
		die "index" unless $ids{$_->{ruleId}} == $_->{ruleIndex};
		my $p = $_->{partialFingerprints}{"gitGateFingerprint/v1"};
		die "print" unless $p =~ /^[0-9a-f]{40}$/ && !$prints{$p}++;
		die "locations" unless @{$_->{locations}} == 1;
		my $l = $_->{locations}[0]{physicalLocation};
		my $u = $l->{artifactLocation}{uri};
		die "uri $u" unless
			$u =~ m{^(?:[A-Za-z0-9._~!\$&\x27()*+,;=\@/-]|%[0-9A-F]{2})+$};
		my $g = $l->{region};
		die "region" unless $g->{startLine} >= 1 &&
			$g->{startColumn} >= 1 &&
			$g->{endLine} >= $g->{startLine} &&
			($g->{endLine} > $g->{startLine} ||
			 $g->{endColumn} > $g->{startColumn});
		die "snippet" unless $g->{snippet}{text} =~ /bytes\)$/;
	}
	die "no odd name" unless grep { $_->{locations}[0]{physicalLocation}
		{artifactLocation}{uri} eq "odd%20%22name%22%20%5C%20%C3%A9" }
		@{$r->{results}}' "$T/sarif"
scan 0 "clean SARIF" --format sarif HEAD~5..HEAD~4
cp "$T/out" "$T/copy"
ok "has an empty array" perl -MJSON::PP -0777 -e '
	open my $in, "<", $ARGV[0] or die;
	my $r = decode_json(<$in>)->{runs}[0];
	exit !(ref $r->{results} eq "ARRAY" && !@{$r->{results}})' "$T/copy"
w=$T/slow scan 3 "SARIF of what could not be told" --format sarif \
	--rules "$T/slow.toml"
cp "$T/out" "$T/copy"
ok "says so" perl -MJSON::PP -0777 -e '
	open my $in, "<", $ARGV[0] or die;
	my $i = decode_json(<$in>)->{runs}[0]{invocations}[0];
	exit !(!$i->{executionSuccessful} &&
		$i->{toolExecutionNotifications}[0]{message}{text} =~ /slow/)' \
	"$T/copy"
cat >"$T/tags.toml" <<-'END'
	[[rules]]
	id = "tagged"
	description = 'with "quotes" and \ é'
	regex = '''key=([a-z0-9]{8})'''
	tags = ["one", "two \"2\""]
END
echo 'key=a1b2c3d4' >"$T/tagged"
scan 1 "JSON of a rule with tags" --format json --rules "$T/tags.toml" \
	"$T/tagged"
cp "$T/out" "$T/copy"
ok "has them, and every key of gitleaks'" perl -MJSON::PP -0777 -e '
	open my $in, "<", $ARGV[0] or die;
	my $f = decode_json(<$in>)->[0];
	my @keys = qw(RuleID Description StartLine EndLine StartColumn
		EndColumn Match Secret File SymlinkFile Commit Link Entropy
		Author Email Date Message Tags Fingerprint);
	for (@keys) { die "no $_" unless exists $f->{$_} }
	die "tags" unless "@{$f->{Tags}}" eq "one two \"2\"";
	exit !($f->{StartColumn} == 1 && $f->{EndColumn} == 12 &&
		$f->{Secret} eq $f->{Match} && $f->{Secret} !~ /a1b2c3/)' \
	"$T/copy"
scan 1 "a report in a file" --format sarif --report "$T/report"
ok "is the same" cmp "$T/report" "$T/sarif"
is "and nothing is printed" "$(cat "$T/out")" ""
scan 3 "one that cannot be written" --report "$T/none/report"
like "says which" "report $T/none/report: cannot be written: No such file"

# --- a baseline --------------------------------------------------------------

scan 1 "a report of all" --format json --report "$T/known.json"
scan 0 "as a baseline leaves out all" --baseline "$T/known.json"
like "and counts them" "^left out: 4 in the baseline\$"
commit "$w" new "$(token 10)"
scan 1 "but not what is new" --baseline "$T/known.json"
like "which is one" "^1 secret found"
scan 1 "in JSON" --baseline "$T/known.json" --format json
like "the count is beside it" "left out: 4 in the baseline" "$T/err"
is "one finding" "$(grep -c RuleID "$T/out")" 1
git -C "$w" commit -q --amend -m "as if rebased"
scan 0 "a rebase changes nothing" --baseline "$T/known.json" HEAD~1..HEAD~1
cat >"$T/gitleaks.json" <<-END
	[{"RuleID": "github-pat", "Description": "d", "StartLine": 1,
	  "Match": "$(token 10)", "Secret": "$(token 10)", "File": "new",
	  "Commit": "", "Tags": [], "Fingerprint": "x:new:github-pat:1"}]
END
scan 0 "gitleaks' own report will do, whatever its rules are called" \
	--baseline "$T/gitleaks.json" HEAD~1..
scan 3 "no report" --baseline "$T/slow.toml"
like "is refused with file, line and remedy" \
	"$T/slow.toml:[0-9]+: .*"
scan 3 "one that is not there" --baseline "$T/none.json"
like "is named" "$T/none.json: cannot be read: No such file"
echo "no report" >"$T/none.json"
scan 3 "a baseline that is none" --baseline "$T/none.json"
like "is told so" "none.json:1: not JSON; name a JSON report, of git-gate"
echo '{"RuleID": "x"}' >"$T/object.json"
scan 3 "another program's JSON" --baseline "$T/object.json"
like "is told from a report" "object.json:1: not an array of findings; name a"

# --- why ----------------------------------------------------------------------

cat >"$T/why.toml" <<-'END'
	[[rules]]
	id = "k"
	regex = '''key=([a-z0-9]{8})'''
	keywords = ["key"]
	entropy = 2.5
	[[rules.allowlists]]
	stopwords = ["abcd"]
END
printf 'key=aaaaaaab\nkey=abcd1234\nkey=q1w2e3r4\n' >"$T/why"
scan 1 "explain" --explain --rules "$T/why.toml" "$T/why"
like "shows the rule, with its line" "rule +k, $T/why.toml:1\$"
like "the keyword" "keyword +key=?\$"
like "entropy that is too low" "entropy +0\.54 bits a byte; the rule wants more than 2.5"
like "and that it decided" "so +not reported: its entropy is too low"
like "an allow-list, with its line" \
	"allowed +allow-list of the rule, $T/why.toml:6\$"
like "and what is left" "so +reported\$"
is "each match once" "$(grep -c 'rule  ' "$T/out")" 3
unlike "without the secret" "q1w2e3r4|abcd1234|aaaaaaab"
fp=$(sed -n 's/^ *fingerprint *//p' "$T/out" | head -n 1)
scan 1 "explain one" --explain "$fp" --rules "$T/why.toml" "$T/why"
is "alone" "$(grep -c 'rule  ' "$T/out")" 1
scan 3 "one that is not there" --explain "${fp//[0-9]/0}" \
	--rules "$T/why.toml" "$T/why"
like "says what to scan" "scan what its report was of, with the same rules"
scan 2 "half a fingerprint" --explain="${fp:0:9}" "$T/why"
like "is none" "copy|40 digits"
scan 2 "explain is for people" --explain --format json
like "and says so" "leave out --format, or --explain"
echo x >>"$w/last"
git -C "$w" add -A; git -C "$w" commit -qm "touched"
echo y >>"$w/file6"
git -C "$w" add -A; git -C "$w" commit -qm "touched too"
scan 0 "what an older version has" --explain HEAD~1..
like "is explained so" "so +not reported: the version before has it too"

# --- rules --------------------------------------------------------------------

ok "rules are listed" gate rules
[ "$(wc -l <"$T/out")" -ge 300 ]
result $? "all of them"
is "in columns with tabs between" \
	"$(awk -F'\t' 'NF != 6 || $1 == "" || $6 == ""' "$T/out")" ""
tty 80 "$BUILD/git-gate" rules
is "on a terminal, in its columns" "$(wide 80)" ""
like "with id, keyword and description" '^github-classic-token +ghp_ +GitHub'
ok "those of a file" gate rules --rules "$T/tags.toml"
is "have their place and tags" "$(cat "$T/out")" \
	"tagged		0	one,two \"2\"	$T/tags.toml:1	with \"quotes\" and \\ é"
ok "those of a gate" gate rules -c "$CONF"
ok "the built-in rules pass their examples" gate rules test
like "of which there are many" "^[0-9]+ rules, [0-9]{3,} examples, 0 wrong\$"
cat >"$T/examples" <<-'END'
	# mine
	tagged + key={lower:8}

	tagged - key={lower:7}
	tagged + {nl}{nl}key=00000000{nl}
END
ok "a file's rules pass theirs" gate rules test --rules "$T/tags.toml" \
	"$T/examples"
is "which are counted" "$(cat "$T/out")" "1 rules, 3 examples, 0 wrong"
cat >"$T/examples" <<-'END'
	tagged + key={lower:7}
	tagged - key={lower:8}
	other + key
	tagged
END
no "those that do not" gate rules test --rules "$T/tags.toml" "$T/examples"
is "are a refusal" $rc 1
like "a true one" "$T/examples:1: tagged: does not find this example"
like "a false one" "$T/examples:2: tagged: finds this, and should not"
like "one of no rule" "$T/examples:3: other: there is no such rule; correct"
like "and what is none" "$T/examples:4: .*no '\+ ' or '- ' behind"
: >"$T/examples"
no "an empty file" gate rules test --rules "$T/tags.toml" "$T/examples"
like "tests nothing, which is said" "no examples in it"
# misuse NAME REGEX ARG...
misuse() {
	local name=$1 regex=$2
	shift 2
	try gate rules "$@"
	is "$name: a mistake" $rc 2
	like "$name: the remedy" "$regex"
}
misuse "rules of one's own without examples" "name a file of them" \
	test --rules "$T/tags.toml"
misuse "another word" "write test, or --rules FILE" list
misuse "two files" "leave out '.*why'" test "$T/examples" "$T/why"
misuse "two sources" "leave out --rules, or -c" --rules "$T/x" -c "$CONF"
try gate rules test "$T/none"
is "a file that is not there: could not tell" $rc 3
like "and which" "$T/none: cannot be read"

# --- what is in an archive ------------------------------------------------

w=$T/archive
git init -q -b main "$w"
commit "$w" README "nothing"
mkdir "$T/zip"
token 3 >"$T/zip/in"
tar -C "$T/zip" -czf "$w/z.tar.gz" in
git -C "$w" add -A
scan 1 "what is staged, in an archive" --staged
like "names what is in it" "z.tar.gz!data!in"
like "and what takes it out of the index" "git restore --staged FILE"
git -C "$w" commit -qm archive
scan 1 "an archive in a commit"
like "it is the archive that is to be made anew" \
	"^       make anew z.tar.gz\$"
like "and added" "^       git add z.tar.gz\$"
commit "$w" README "more"
scan 1 "an older commit"
like "a merge is thought of" "with --rebase-merges if a merge"

ok "no secret was said" hidden 1 2 3 4 5 6 7 8 9 10
done_testing
