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
done_testing
