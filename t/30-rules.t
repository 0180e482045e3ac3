#!/bin/bash
# A user's rule file means what gitleaks takes it to mean, or is refused with
# file and line; the rules that are built in find what they should.
. "${SOURCE:?}/t/lib.sh"

# A token in GitHub's form, made here so that none stands in this file.
token=ghp_$(printf 'a1B2c3D4e5F6%.0s' 1 2 3)
scan() { "$BUILD/git-gate" scan "$@" >"$T/said" 2>&1; }

printf 'token = "%s"\n' "$token" >"$T/bad.txt"
scan - <"$T/bad.txt"
is "the built-in rules find a token" $? 1
like "and name the rule" github-classic-token
unlike "and do not print it" "$token"
echo 'int main(void) { return 0; }' | scan -
is "ordinary code is clean" $? 0
printf 'token = "%s" # gitleaks:allow\n' "$token" | scan -
is "a comment in the text excuses nothing" $? 1
head -c 3000000 /dev/urandom >"$T/random"
scan - <"$T/random"
is "random bytes are scanned and clean" $? 0
{ cat "$T/random"; printf '\0\n %s \0' "$token"; } | scan -
is "a token behind megabytes of them is found" $? 1

cat >"$T/mine.toml" <<'EOF'
title = "mine"
[[rules]]
id = "my-key"
description = "A key of mine"
regex = '''\bmine-([a-z0-9]{8})\b'''
keywords = ["mine-"]
[[rules.allowlists]]
regexes = ['''^0{8}$''']
EOF
echo 'mine-1a2b3c4d' | scan --rules "$T/mine.toml" -
is "a rule file of one's own finds" $? 1
like "by its own id" my-key
echo 'mine-00000000' | scan --rules "$T/mine.toml" -
is "its allow-list excuses" $? 0
scan --rules "$T/mine.toml" - <"$T/bad.txt"
is "it replaces the built-in rules" $? 0
printf '[extend]\nuseDefault = true\n' >"$T/both.toml"
cat "$T/mine.toml" >"$T/tail" && tail -n +2 "$T/tail" >>"$T/both.toml"
scan --rules "$T/both.toml" - <"$T/bad.txt"
is "unless it extends them" $? 1

# refused NAME REGEX: the rules on standard input do not load, and why.
refused() {
	cat >"$T/wrong.toml"
	echo 'clean' | scan --rules "$T/wrong.toml" -
	is "$1: could not tell" $? 3
	like "$1: where and why" "$2"
}
refused "an unknown key" 'wrong\.toml:4: .*filter' <<'EOF'
[[rules]]
id = "a"
regex = "a"
filter = "b"
EOF
refused "look-around" 'wrong\.toml:3: .*look-around' <<'EOF'
[[rules]]
id = "a"
regex = "(?<=a)b"
EOF
refused "allow-lists and no rules" 'no rules' <<'EOF'
[allowlist]
paths = ["a"]
EOF
refused "a regex that does not compile" 'wrong\.toml:3: .*compile' <<'EOF'
[[rules]]
id = "a"
regex = "[z-a]"
EOF
refused "TOML that is none" 'wrong\.toml:2:' <<'EOF'
[[rules]]
id = "a
EOF
printf '[[rules]]\nid = "a"\nregex = "(a+a+)+[0-9]"\n' >"$T/slow.toml"
head -c 40000 /dev/zero | tr '\0' a | scan --rules "$T/slow.toml" -
is "a regex past its limit: could not tell" $? 3

refused "a backslash in a basic string" \
	"wrong.toml:3: unknown escape.*as in a regex, write '''" <<'EOF'
[[rules]]
id = "a"
regex = "\d+"
EOF
refused "JSON" "wrong.toml:1: this is JSON; rules are TOML" <<'EOF'
{ "rules": [] }
EOF
refused "a file that extends itself" "wrong.toml:1: extends itself" <<EOF
[extend]
path = "$T/wrong.toml"
EOF
for i in {1..30}; do
	printf '[[rules]]\nid = "r%d"\nregex = "a"\nfilter = "x"\n' "$i"
done >"$T/many.toml"
refused "a file of betterleaks'" \
	"wrong.toml:4: .*filter is of betterleaks' format" <"$T/many.toml"
is "is told in one line" "$(grep -c error: "$T/said")" 1
sed 's/^filter/other/' "$T/many.toml" >"$T/others.toml"
refused "many errors" "wrong.toml: and 10 more errors" <"$T/others.toml"
is "are not all told" "$(grep -c error: "$T/said")" 21
refused "a group that there is not" "wrong.toml:2: rule 'a': secretGroup is 2, \
the regex has 1 groups" <<'EOF'

[[rules]]
id = "a"
regex = '''k\(([(]x?)(?:b)\('''
secretGroup = 2
EOF
cat >"$T/group.toml" <<'EOF'
[[rules]]
id = "a"
regex = '''pass(x)?=(?P<v>[a-z]*);'''
secretGroup = 1
EOF
mkdir "$T/r1"
echo 'pass=abcdefghij;' >"$T/r1/pass=one;.cfg"
echo 'pass=klmnopqrst;' >"$T/r1/pass=one;.cfg.2"
try "$BUILD/git-gate" scan --rules "$T/group.toml" --format json "$T/r1"
is "a group without text: the whole match is the secret" \
	"$(grep -c '"Secret": "pass' "$T/out")" 2
is "each with a fingerprint of its own" "$(grep '"Fingerprint"' "$T/out" |
	sort -u | wc -l)" 2
unlike "and no name has nothing redacted in it" "\(0 bytes\)"

# warned NAME REGEX: rules on standard input load, but are warned of
warned() {
	cat >"$T/trap.toml"
	chmod go-w "$T/trap.toml"
	echo 'clean' | scan --rules "$T/trap.toml" -
	is "$1: the rules are used" $? 0
	like "$1: scan warns" "warning: $T/trap.toml:$2"
	printf '[scan]\n\trules = %s\n[upstream "a"]\n\turl = file:///a/\n[repo "*"]\n\tupstream = a\n' \
		"$T/trap.toml" >"$T/trap.conf"
	try "$BUILD/git-gate" check -c "$T/trap.conf"
	like "$1: check warns" "warning: $T/trap.toml:$2"
}
warned "half an anchor" "3: .*'\^' and '[$]' hold for the first" <<'EOF'
[[rules]]
id = "a"
regex = '''^key|word$'''
EOF
own='[[rules]]
id = "a"
regex = "mine-[0-9]{8}"'
warned "flags in a list" "5: .*gitleaks takes them to hold for those" <<EOF
$own
[[rules.allowlists]]
regexes = ["(?i)abc", "def"]
EOF
warned "every path" "5: .*'\.\*' of paths matches everything.*all that" <<EOF
$own
[[rules.allowlists]]
paths = ['.*']
EOF
warned "the empty regex" "5: .*'' of regexes matches everything.*every secret" <<EOF
$own
[[allowlists]]
regexes = ['abc', '']
EOF
warned "a letter for a stopword" "4: .*stopword 'e' is in nearly" <<EOF
$own
[[rules.allowlists]]
stopwords = ["example", "e"]
EOF
warned "rules of gitleaks' that are not here" \
	"1: disabledRules: .*'generic-api-key'; useDefault brings git-gate's own" \
	<<'EOF'
[extend]
useDefault = true
disabledRules = ["generic-api-key"]
EOF
cat >"$T/trap.toml" <<EOF
$own
[[rules.allowlists]]
condition = "AND"
paths = [".*"]
regexes = ["abc", "(?i)ghi"]
EOF
echo clean | scan --rules "$T/trap.toml" -
unlike "what excuses only together with another is in order" warning
refused "allow-lists for rules of gitleaks'" \
	"wrong.toml:3: .*'generic-api-key'; useDefault .*extend a copy" <<'EOF'
[extend]
useDefault = true
[[allowlists]]
targetRules = ["generic-api-key"]
paths = ["abc"]
EOF

# What the built-in rules cost: each waits for words that are rare, and none
# can match without end. Prints what is wrong, a line each.
costs() {
	perl -ne '
	sub judge {
		return if !defined $id;
		$rules++;
		print "$id: no keyword\n" if !@words;
		print "$id: keyword \"$_\"\n" for grep { length() < 2 } @words;
		# outside of classes, and without what is escaped
		(my $bare = $re) =~ s/\\.//g;
		$bare =~ s/\[[^\]]*\]/C/g;
		print "$id: repeats without end: $re\n"
		    if $bare =~ /[*+]|\{[0-9]+,\}/;
		push @{ $wakes{lc $_} }, $id for @words;
		undef $id;
	}
	if (/^\[\[rules\]\]/) {
		judge();
		($id, $re, @words) = ("?", "");
	}
	judge() if /^\[\[rules\.allow/;
	next if !defined $id;
	$id = $1 if /^id = "(.*)"/;
	$re = $1 if /^regex = \x27{3}(.*)\x27{3}$/;
	if (/^keywords = \[/ .. /\]$/) {
		(my $list = $_) =~ s/^keywords = \[//;
		push @words, $1 while $list =~ /"((?:[^"\\]|\\.)*)"/g;
	}
	END {
		judge();
		print "$rules rules\n" if $rules < 300;
		for my $word (keys %wakes) {
			my %all = map { $_ => 1 } map { @{ $wakes{$_} } }
			    grep { index($word, $_) >= 0 } keys %wakes;
			my $n = keys %all;
			print "\"$word\" wakes $n rules\n" if $n > 12;
		}
	}' "$1"
}
is "each built-in rule has rare keywords and an end" \
	"$(costs "$SOURCE/rules/git-gate.toml")" ""
rule() { printf "[[rules]]\nid = \"%s\"\nregex = '''%s'''\nkeywords = [\"key\"]\n" "$@"; }
for i in {1..13}; do rule "r$i" 'key[a-z]{4}'; done >"$T/many.toml"
is "a keyword of too many rules would be noticed" \
	"$(costs "$T/many.toml" | tail -n 1)" '"key" wakes 13 rules'
rule r 'key[a-z]*' >"$T/endless.toml"
is "a repeat without end would be, too" \
	"$(costs "$T/endless.toml" | head -n 1)" \
	'r: repeats without end: key[a-z]*'

# A made-up credential of a test is none, but a provider's token is one there.
mkdir -p "$T/repo/tests" "$T/repo/src"
printf 'password = "x7Kq2mWp9Z"\n' | tee "$T/repo/tests/a.c" >"$T/repo/src/a.c"
printf 'token = "%s"\n' "$token" >"$T/repo/tests/b.c"
pushd "$T/repo" >/dev/null || exit
scan src/a.c
is "a password in a source file is found" $? 1
scan tests/a.c
is "in a test it is taken for a made-up one" $? 0
scan tests/b.c
is "a provider's token is found in a test, too" $? 1
popd >/dev/null || exit
done_testing
