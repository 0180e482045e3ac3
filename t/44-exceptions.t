#!/bin/bash
# What the operator has accepted passes, and leaves a record; what has expired,
# is for another repository, or stands in a file that is not in order does not.
# Nothing that the pushing side brings grants an exception.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/hook.sh"

gate() { "$BUILD/git-gate" "$@"; }
X=$T/etc/exceptions
mkdir "$T/etc"
# conf LINE...: with these lines in [scan]
conf() {
	{ printf '[scan]\n'; printf '\t%s\n' "$@"
	  printf '[access]\n\tallow = * * *\n'; } | hook_conf
}
conf "exceptions = $X"
start_notes
repo() {
	git init -q --bare -b main "$T/hosted/lab/$1.git"
	git init -q -b main "$T/$1"
	commit "$T/$1" README "nothing"
	push "$T/$1" "lab/$1" main >/dev/null
}
repo a
repo b

# refused NAME: the last push found something; its fingerprint is in $FP
refused() {
	grep -q 'code=secret-found' "$T/pushed"
	result $? "$1" || cp "$T/pushed" "$T/said"
	FP=$(sed -n 's/.*fingerprint \([0-9a-f]\{40\}\).*/\1/p' "$T/pushed" |
		head -n 1)
}
pushes() { push "$T/$1" "lab/$1" main; }

commit "$T/a" config/key "key = $(token 1)"
pushes a >/dev/null
refused "a push with a token is refused"
like "and shows how the operator can allow it" \
	"git-gate allow $FP --reason" "$T/pushed"
is "in lines that fit a terminal of 80 columns" "$(sed 's/ *$//' "$T/pushed" |
	perl -CSD -ne 'chomp; print "$_\n"
		if /^remote/ && length > 80 && !/refused code=/')" ""

# --- allow ----------------------------------------------------------------

ok "the operator allows it" gate allow -c "$CONF" "$FP" --reason \
	"made up; for a test of the parser, see docs/testing"
like "and is told so" "^$X: $FP is allowed\$" "$T/out"
is "the file is readable, and writable by its owner alone" \
	"$(stat -c %a "$X")" 644
is "git can read it" \
	"$(git config -f "$X" "exception.$FP.reason")" \
	"made up; for a test of the parser, see docs/testing"
like "who allowed it is recorded" "by = \"$(id -un)" "$X"
like "and when" 'date = 20[0-9-]*T[0-9:]*Z$' "$X"
ok "the push passes now" pushes a
comes "and the log has the use" "audit verdict=allowed code=exception op=scan repo=lab/a who=agent-1 rule=$X:3 detail=\"github-classic-token fingerprint=$FP reason=made up; for a test of the parser, see docs/testing\"" \
	"$T/notes"
ok "allowed once more" gate allow -c "$CONF" "$FP" --reason again
like "is nothing new" "^$X:3: $FP is allowed already" "$T/out"
is "and writes nothing" "$(grep -c '^\[exception' "$X")" 1

# the same secret in another file is another finding
commit "$T/a" other "another = $(token 1)"
pushes a >/dev/null
refused "the same secret elsewhere is refused"
git -C "$T/a" reset -q --hard HEAD~1
# and a rebase does not change the fingerprint
git -C "$T/b" fetch -q "$T/a" main 2>/dev/null
git -C "$T/b" cherry-pick FETCH_HEAD >/dev/null 2>&1
ok "it passes in another repository, by another commit" pushes b
ok "scan -c leaves it out too" \
	sh -c 'cd "$0" && exec "$1" scan -c "$2"' "$T/b" "$BUILD/git-gate" "$CONF"
like "and counts it" "left out: 1 by exceptions" "$T/out"
no "scan without it does not" \
	sh -c 'cd "$0" && exec "$1" scan' "$T/b" "$BUILD/git-gate"

# --- for some repositories, for some time ---------------------------------

commit "$T/a" two "$(token 2)"
commit "$T/b" two "$(token 2)"
pushes a >/dev/null
refused "another one"
ok "is allowed in one repository, for a time" gate allow -c "$CONF" "$FP" \
	--reason "of one" --repo 'lab/a*' --expires 30d
like "which is said" "$FP is allowed in lab/a\* until 20" "$T/out"
ok "it passes there" pushes a
pushes b >/dev/null
refused "and not in the other"
scan_b() { (cd "$T/$1" && shift && "$BUILD/git-gate" scan -c "$CONF" "$@"); }
no "scan does not know which one it is" scan_b a
ok "unless it is told" scan_b a --repo lab/a
no "the other one" scan_b b --repo lab/b
try scan_b a --repo nowhere/x/y
is "any name has an upstream or none here" $rc 1

# expire FP: yesterday
expire() {
	perl -pi -e 'BEGIN { $fp = shift } $in = /\Q$fp\E/ if /^\[/;
		s/= 20\S+/= 2020-01-31/ if $in && /expires/' "$1" "$X"
}
expire "$FP"
# what the repository has is never new again: one that has nothing yet
rm -rf "$T/hosted/lab/a.git"
git init -q --bare -b main "$T/hosted/lab/a.git"
pushes a >/dev/null
refused "one that has expired does not pass"
comes "the log says why" \
	"^log $ID warning $X:[0-9]+: the exception for $FP expired at 2020-01-31T23:59:59Z, so that" \
	"$T/notes"
try gate check -c "$CONF"
like "check warns of it, with the line" \
	"warning: $X:[0-9]+: the exception for $FP expired at 2020-01-31"
ok "exceptions lists both" gate exceptions -c "$CONF"
is "each in a line" "$(wc -l <"$T/out")" 2
like "the expired one" "^expired	2020-01-31T23:59:59Z	$FP	lab/a\*	" "$T/out"
like "the active one" "^active	-	[0-9a-f]{40}	-	.*made up; for" "$T/out"
ok "it can be allowed again" gate allow -c "$CONF" "$FP" \
	--reason "of one" --repo 'lab/a*' --expires 3d
ok "both are listed" gate exceptions -c "$CONF"
like "the old one as renewed" "^renewed	" "$T/out"
like "the new one as expiring soon" "^soon	" "$T/out"
try gate check -c "$CONF"
unlike "check does not warn of the old one" "expired at"
like "but of the new one" "expires at"
ok "and the push passes" pushes a

# on a terminal, for people
ok "exceptions on a terminal" script -qec \
	"stty cols 80; '$BUILD/git-gate' exceptions -c '$CONF'" /dev/null
like "fits its columns" "renewed +$FP"
is "all of it" "$(tr -d '\r' <"$T/out" | awk 'length($0) > 80')" ""

# --- what a user might do wrong -------------------------------------------

# wrong STATUS NAME REGEX ARG...: of allow; the message has the remedy
wrong() {
	local want=$1 name=$2 regex=$3
	shift 3
	try gate allow -c "$CONF" "$@"
	is "$name" $rc "$want"
	like "$name: the remedy" "$regex"
}
cp "$X" "$T/before"
wrong 2 "no reason" "say why, with --reason TEXT" "$FP"
wrong 2 "an empty reason" "reason is empty" "$FP" --reason ' '
wrong 2 "half a fingerprint" "copy the 40 digits" "${FP:0:12}" --reason x
wrong 2 "a fingerprint of gitleaks'" "the file of \[scan\] ignore" \
	"dir/a:rule:3" --reason x
wrong 2 "a reason without quotes" "quote it" "$FP" --reason a key
wrong 2 "a time without a unit" "such as 30d, or a date" "$FP" --reason x \
	--expires 30
wrong 2 "a date that is past" "write a later date" "$FP" --reason x \
	--expires 2020-01-01
wrong 3 "the secret in the reason" "say it without that" "$FP" --reason \
	"it is $(token 2)"
cmp -s "$X" "$T/before"
result $? "nothing of it was written"
wrong 0 "a repository that nobody has" \
	"warning: allow: --repo up/x/y/z: no \[repo\]|is allowed in" \
	"$FP" --reason x --repo up/x/y/z
conf "report = 20"
wrong 3 "a configuration without the file" \
	"add to \[scan\]: exceptions = /" "$FP" --reason x
try gate exceptions -c "$CONF"
is "so is exceptions" $rc 3
like "with the remedy" "exceptions = /.*/exceptions, and have the gate reload"
try gate exceptions -c "$CONF" "$FP"
is "exceptions takes no more" $rc 2
like "but names what does" "git-gate allow"

# --- the file -----------------------------------------------------------

conf "exceptions = $X"
commit "$T/b" clean "nothing at all"
git -C "$T/b" reset -q --hard HEAD~2
commit "$T/b" clean "nothing at all"
# faulty NAME REGEX: the file as it is now refuses every push, and check
faulty() {
	: >"$T/notes"
	no "$1: a push is refused" push "$T/b" lab/b "main:refs/heads/$((n++))"
	comes "$1: the log has the verdict" "^log $ID info audit verdict=failed \
code=cannot-scan op=create repo=lab/b ref=refs/heads/$((n - 1)) who=agent-1" \
		"$T/notes"
	like "$1: as one that cannot be told" "code=cannot-scan" "$T/pushed"
	try gate check -c "$CONF"
	is "$1: check refuses it" $rc 1
	like "$1: with file, line and remedy" "$2"
	try gate allow -c "$CONF" "$FP" --reason x --expires 300d
	is "$1: and nothing is added" $rc 3
}
n=1
cp "$X" "$T/good"
echo '[exception "abc"]' >>"$X"
faulty "a line that is none" \
	"$X:[0-9]+: \[exception \"abc\"\]: not a fingerprint; a report"
cp "$T/good" "$X"
chmod g+w "$X"
faulty "a file that others can write" "$X:1: .*chmod go-w"
chmod g-w "$X"
chmod 777 "$T/etc"
faulty "a directory that others can write" "$X:1: the directory .*chmod go-w"
chmod 755 "$T/etc"
cp "$CONF" "$T/kept.conf"
rules() { printf '[extend]\npath = "%s"\n' "$1" >"$T/etc/rules.toml"; }
printf '[[rules]]\nid = "r"\nregex = "never[0-9]{9}"\n' >"$T/etc/base.toml"
rules base.toml
conf "exceptions = $X" "rules = $T/etc/rules.toml"
ok "rules of one's own" push "$T/b" lab/b main:refs/heads/own
chmod o+w "$T/etc/base.toml"
faulty "rules that are extended, and others can write" \
	"$T/etc/base.toml:1: .*chmod go-w"
chmod o-w "$T/etc/base.toml"
chmod g+w "$T/etc/rules.toml"
faulty "rules that others can write" "$T/etc/rules.toml:1: .*chmod go-w"
chmod g-w "$T/etc/rules.toml"
mkdir -m 777 "$T/open"
cp "$T/etc/base.toml" "$T/open"
rules ../open/base.toml
faulty "rules that others can replace" "/open/base.toml:1: the directory"
rules none.toml
faulty "rules that are not there" "none.toml: .*No such file"
rm -r "$T/etc/rules.toml" "$T/etc/base.toml" "$T/open"
cp "$T/kept.conf" "$CONF"
ok "and all is well again" push "$T/b" lab/b main:refs/heads/well
mv "$X" "$T/etc/real"
ln -s real "$X"
ok "a link to it will do" gate allow -c "$CONF" \
	"0123456789012345678901234567890123456789" --reason "a link"
ok "and stays one" test -L "$X"
like "what it leads to is changed" "a link" "$T/etc/real"
rm "$X" "$T/etc/real"
ok "a file that is not there yet is empty" \
	push "$T/b" lab/b main:refs/heads/none
try gate check -c "$CONF"
like "of which check warns" \
	"warning: $CONF:[0-9]+: exceptions $X is not there yet; git-gate allow"
mkdir "$T/state2"; chmod 777 "$T/state2"
conf "exceptions = $T/state2/x"
try gate allow -c "$CONF" "$FP" --reason x
is "none is made where others could replace it" $rc 3
no "really" test -e "$T/state2/x"
conf "exceptions = $T/none/x"
try gate check -c "$CONF"
is "a directory that is not there is an error" $rc 1
like "that says so" "exceptions $T/none/x .*make its parent directory"
conf "exceptions = $X"
two() {
	local i
	for i in 1 2 3 4 5 6 7 8; do
		"$BUILD/git-gate" allow -c "$CONF" --reason "number $i" \
			"00000000000000000000000000000000000000$1$i"
	done
}
two 1 >/dev/null &
first=$!
two 2 >/dev/null
wait "$first"
is "many at once are all there" "$(grep -c '^\[exception' "$X")" 16
ok "and the file is whole" gate exceptions -c "$CONF"
is "with nothing left behind" "$(ls "$T/etc")" exceptions
# whoever else writes has the directory's lock until a byte is written to held
mkfifo "$T/held"
hold() { start holder flock "$T/etc" cat "$T/held" && wait_for 10 taken; }
taken() { ! flock -n "$T/etc" true; }
let_go() { echo >"$T/held" && wait "${PID[holder]}"; }
waits() { readlink "/proc/${PID[late]}/fd/"* | grep -qx "$T/etc"; }
late=00000000000000000000000000000000000000ff
hold
start late "$BUILD/git-gate" allow -c "$CONF" --reason "after him" $late
ok "another's turn is waited for" wait_for 10 waits
let_go
wait "${PID[late]}"
is "and then it is ours" $? 0
like "to the end" "after him" "$X"
hold
try gate allow -c "$CONF" --reason "for nothing" "$FP"
is "not for ever" $rc 3
like "which is said" "$X: somebody else has locked its directory"
let_go
unlike "and nothing is changed" "for nothing" "$X"

# --- a .gitleaksignore, of the operator's ----------------------------------

rm "$X"
commit "$T/b" leaks "$(token 3)"
commit "$T/b" leaks "$(token 4)"
printf '# known\n%s:leaks:github-classic-token:2\n' \
	"$(tip "$T/b" HEAD)" >"$T/etc/ignore"
echo 'leaks:github-classic-token:1' >>"$T/etc/ignore"
conf "ignore = $T/etc/ignore"
echo "nonsense" >>"$T/etc/ignore"
ok "fingerprints of gitleaks' in [scan] ignore pass" pushes b
comes "each use is in the log" "audit verdict=allowed code=ignore op=scan repo=lab/b who=agent-1 rule=$T/etc/ignore:2 detail=\"github-classic-token fingerprint=[0-9a-f]{40}\"" \
	"$T/notes"
comes "of the other line as well" "code=ignore .*rule=$T/etc/ignore:3" "$T/notes"
comes "and the line that is none" \
	"^log $ID warning $T/etc/ignore:4: not a fingerprint" "$T/notes"
conf "report = 20"
no "scan finds them" scan_b b HEAD~2..
try scan_b b --ignore "$T/etc/ignore" HEAD~2..
is "but not with --ignore" $rc 0
like "and counts them" "left out: 2 by their fingerprints"
conf "ignore = $T/etc/ignore"
ok "a line that is none is only warned of" scan_b b HEAD~2..
like "with file and line" "warning: $T/etc/ignore:4: .*PATH:RULE:LINE"
chmod o+w "$T/etc/ignore"
no "but the file is the gate's: nobody else may write it" scan_b b HEAD~2..
try gate check -c "$CONF"
is "check says so" $rc 1
like "with the remedy" "ignore $T/etc/ignore can be written.*chmod go-w"

# --- what the pushing side brings grants nothing ---------------------------

conf "exceptions = $X"
commit "$T/b" mine "$(token 5) # gitleaks:allow"
pushes b >/dev/null
refused "a comment grants nothing"
echo "$FP" >"$T/b/.gitleaksignore"
printf '[exception "%s"]\n\treason = mine\n' "$FP" >"$T/b/exceptions"
commit "$T/b" note "git-gate allow $FP"
pushes b >/dev/null
refused "nor do files of the names that ours have"
no "nor in a scan" scan_b b
cat "$T/before" >>"$T/all"
ok "no secret is in what was said, logged or written" hidden 1 2 3 4 5
done_testing
