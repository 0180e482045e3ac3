#!/bin/bash
# The configuration: read as git reads it, every error with file and line, all
# at once; what it names on disk is checked too.
. "${SOURCE:?is the source directory}/t/lib.sh"

gate() { "$BUILD/git-gate" "$@"; }
check() { gate check -c "$T/conf"; }

# --- our lexer and git's ------------------------------------------------

# agrees NAME TEXT: printf's format; both take it and list the same, or both
# refuse it.
agrees() {
	# shellcheck disable=SC2059
	printf "$2" >"$T/odd"
	compare
	result $? "as git reads it: $1"
}
compare() {
	local theirs ours
	git config --list -f "$T/odd" >"$T/theirs" 2>/dev/null
	theirs=$?
	gate check --list -c "$T/odd" >"$T/ours" 2>"$T/said"
	ours=$?
	[ $ours -le 1 ] || return 1
	if [ $theirs -eq 0 ] && [ $ours -eq 0 ]; then
		cmp "$T/theirs" "$T/ours" >>"$T/said" 2>&1
	else
		[ $theirs -ne 0 ] && [ $ours -ne 0 ]
	fi
}

agrees 'nothing' ''
agrees 'comments' '# a\n; b\n\n \t\n[a] # c\n k = v # c\n l = w;c\n'
agrees 'no newline at the end' '[a]\nk = v'
agrees 'a byte order mark' '\xef\xbb\xbf[a]\nk = v\n'
agrees 'half a byte order mark' '\xef\xbb[a]\nk = v\n'
agrees 'CR LF' '[a]\r\nk = v\r\nl = w \\\r\n x\r\n'
agrees 'a lone CR' '[a]\nk = v\rw\n\rl = x\n'
agrees 'case' '[SeC "SuB"]\nKeY = VaL\n'
agrees 'a dotted section' '[a.B.c]\nk = v\n'
agrees 'a dotted and quoted section' '[a.B "C.d"]\nk = v\n'
agrees 'an empty subsection' '[a ""]\nk = v\n'
agrees 'escapes in a subsection' '[a "b\\"c\\\\d\\e"]\nk = v\n'
agrees 'several things in one line' '[a] k = v\n[b]l=1\n[c]m\n'
agrees 'keys without a value' '[a]\nk\nl \nm=\nn = \n'
agrees 'spaces inside and around' '[a]\nk =   x   y   \n'
agrees 'quoted spaces' '[a]\nk = "  x  " y "z"\n'
agrees 'quotes in the middle' '[a]\nk = a"b c"d\n'
agrees 'quoted comment signs' '[a]\nk = "a;b#c";d\n'
agrees 'an empty string' '[a]\nk = ""\n'
agrees 'escapes' '[a]\nk = \\\\ \\" \\n \\t \\b .\n'
agrees 'continued lines' '[a]\nk = a\\\nb\\\n  c\nl = \\\n d\n'
agrees 'a continued comment' '[a]\nk = a ; b \\\nl = c\n'
agrees 'a continued quote' '[a]\nk = "a \\\n b"\n'
agrees 'a backslash at the end' '[a]\nk = v\\'
agrees 'many equal signs' '[a]\nk = v = w == x\n'
agrees 'bytes past ASCII' '[a "\xc3\xa4\xff"]\nk = \xe2\x82\xac\xff\n'
agrees 'a long value' "[a]\nk = $(printf '%5000s' x | tr ' ' y)\n"
agrees 'bad: no closing bracket' '[a\nk = v\n'
agrees 'bad: no closing quote in a section' '[a "b]\nk = v\n'
agrees 'bad: no quotes in a section' '[a b]\nk = v\n'
agrees 'bad: a space behind the quote' '[a "b" ]\nk = v\n'
agrees 'bad: an underscore' '[a_b]\nk = v\n'
agrees 'bad: an underscore in a key' '[a]\nk_l = v\n'
agrees 'bad: a key that begins with a digit' '[a]\n1k = v\n'
agrees 'bad: no closing quote' '[a]\nk = "v\nl = w\n'
agrees 'bad: an unknown escape' '[a]\nk = \\q\n'
agrees 'bad: no equal sign' '[a]\nk v\n'
agrees 'bad: a comment after a bare key' '[a]\nk # c\n'
agrees 'bad: an empty section' '[]\nk = v\n'
agrees 'bad: a NUL byte' '[a]\nk\0 = v\n'

# One byte of a file full of oddities replaced, each time another. Where git is
# more lenient (a section without a name, a key without a section, a NUL in
# a value), ours may refuse; it may never read something else.
printf '[a "b\\"c"]\r\nk = "v;" w \\\n x ; y\n[d.E]l\nm=\\t#z\n' >"$T/base"
text=$(od -An -v -to1 "$T/base" | tr -d '\n' | sed 's/ /\\/g')
bad=0 first=0
for byte in '\012' '\042' '\134' '\135' '\075' '\073'; do
	first=$((first + 4))
	for ((i = first; i < ${#text}; i += 28)); do
		# shellcheck disable=SC2059
		printf "${text:0:i}$byte${text:i+4}" >"$T/odd"
		git config --list -f "$T/odd" >"$T/theirs" 2>/dev/null
		theirs=$?
		gate check --list -c "$T/odd" >"$T/ours" 2>/dev/null || continue
		[ $theirs -eq 0 ] && cmp -s "$T/theirs" "$T/ours" && continue
		bad=$((bad + 1))
		cat -v "$T/odd" >"$T/said"
	done
done
is 'no change of one byte makes ours read something else' $bad 0

# --- a good configuration ----------------------------------------------

mkdir "$T/srv" "$T/state"
chmod 700 "$T/state"
echo not-a-key | tee "$T/key" >"$T/hosts"
chmod 600 "$T/key"
chmod 644 "$T/hosts"
good() {
	cat <<-END
		[gate]
			state = $T/state
			hooks = $BUILD/hooks
			libexec = $BUILD
		[upstream "forge"]
			url = ssh://git@forge.example/
			identityFile = $T/key
			knownHosts = $T/hosts
		[repo "acme/*"]
			upstream = forge
		[repo "lab/*"]
			hosted = $T/srv
		[access]
			allow = fetch * *
	END
}
good >"$T/conf"
ok 'a good configuration is good' check
is 'and says so in one line' "$(wc -l <"$T/out")" 1
like 'with what is in it' "^$T/conf: good: upstreams 1, repo sections 2, access rules 1, secret rules [1-9]" "$T/out"
is 'no word on standard error' "$(cat "$T/err")" ''
is 'nothing is made by a check, which another user may run' \
	"$(ls -d "$T"/state/* 2>/dev/null)" ''
gate_t() { "$BUILD/git-gated" -t -c "$T/conf"; }
ok 'git-gated -t agrees' gate_t
is 'and makes nothing either' "$(ls -d "$T"/state/* 2>/dev/null)" ''
(umask 077 && mkdir -p "$T/state/mirrors" "$T/state/spool")
PATH=$BUILD:$PATH ok 'git gate works as well' git gate check -c "$T/conf"

# --- errors, all at once ------------------------------------------------

cat >"$T/conf" <<'END'
k = before any section
[gate]
	state = relative
	workers = many
	statte = /x
[session]
	readTimeout = 15
	readTimeout = 15s
[sesion]
	readTimeout = 15
[scan
[gate "name"]
[upstream "a"]
	url = ssh://ada:geheim@forge.example/
	identityFile = "/unclosed
[upstream "a"]
	url = git@forge.example:acme
[upstream "b"]
	url = ssh://forge.example/
[upstream "c"]
	url = http://forge.example/
	tokenFile = /t
	tokenCommand = /t
	agentSocket = /a
[repo "x"]
	upstream = nowhere
	fresh = never
[repo "y"]
[access]
	allow = fetch
	allow = read * *
	deny = push * * main
	allow = fetch * * refs/heads/x
END
no 'a bad configuration is refused' check
is 'with every error in its line' \
	"$(sed -n "s|^git-gate: error: $T/conf:\([0-9]*\): .*|\1|p" "$T/err" |
		sort -n | tr '\n' ' ')" \
	'1 3 4 5 7 8 9 11 12 14 15 16 17 18 18 22 23 24 26 27 28 30 31 32 33 '
is 'and exit status 1' $rc 1
unlike 'and no password' geheim
is 'and no word on standard output' "$(cat "$T/out")" ''

# --- the file itself, and files that it names ---------------------------

# refuses NAME REGEX
refuses() {
	no "$1" check
	like "$1: says so" "$2"
}
good >"$T/conf"
chmod g+w "$T/conf"
refuses 'a file that the group can write' "$T/conf:1: .*chmod go-w"
chmod g-w "$T/conf"
no 'a file that is not there' gate check -c "$T/none"
like 'is named' "$T/none: cannot be opened"
no 'a directory' gate check -c "$T"
like 'is not a file' "$T: not a regular file"

chmod 644 "$T/key"
refuses 'a key that others can read' "$T/conf:7: identityFile $T/key .*chmod 0600"
chmod 600 "$T/key"
mv "$T/hosts" "$T/gone"
refuses 'missing known_hosts' "$T/conf:8: knownHosts $T/hosts .*No such file"
mv "$T/gone" "$T/hosts"
chmod 770 "$T/state"
refuses 'a state directory that others can write' "state $T/state .*0700"
chmod 700 "$T/state"
chmod 777 "$T/state/mirrors"
refuses 'mirrors that others can write' "mirrors $T/state/mirrors .*0700"
chmod 700 "$T/state/mirrors"
rmdir "$T/srv"
refuses 'a hosted directory that is not there' "$T/conf:12: hosted $T/srv "
mkdir "$T/srv"

# with SECTION LINE: the good one with a line more in a section.
with() { good | sed "/^\[$1/a $2" >"$T/conf"; }
with gate "git = $T/none"
refuses 'a git that is not there' "git $T/none "
with gate "git = $T/hosts"
refuses 'a git that is no program' "git $T/hosts .*executable"
good | sed "1i [scan]\nrules = $T/none" >"$T/conf"
refuses 'rules that are not there' "rules $T/none "
good | sed "s|hooks = .*|hooks = $T/srv|" >"$T/conf"
refuses 'hooks without ours' \
	"$T/conf:3: hooks $T/srv/pre-receive is not there; .* or remove the line"
good | sed "s|libexec = .*|libexec = $T/srv|" >"$T/conf"
refuses 'libexec without git-gate-ssh' \
	"$T/conf:4: libexec $T/srv/git-gate-ssh is not there; .* or remove the line"
good | sed '/hooks = /d' >"$T/conf"
refuses 'hooks that were not installed where they should be' \
	"error: $T/conf: hooks /.*/hooks/pre-receive is not there; it comes with git-gate: install that again, or set gate.hooks"
good | sed "s|state = .*|state = $T/none/state|" >"$T/conf"
refuses 'a state directory whose parent is missing' "state $T/none/state .*No such"
: >"$T/empty"
good | sed "s|knownHosts.*|knownHosts = $T/empty|" >"$T/conf"
refuses 'an empty knownHosts, as ssh-keyscan leaves it' "knownHosts $T/empty is empty"
good | sed "s|state = .*|state = /$(printf '%99s' | tr ' ' s)|" >"$T/conf"
refuses 'a state directory too long for sockets' "$T/conf:2: state .*shorter"
good | sed "s|identityFile.*|agentSocket = $T/key|" >"$T/conf"
refuses 'an agent that is no socket' "agentSocket $T/key .*not a socket"
good | sed "s|identityFile.*|agentSocket = $T/agent|" >"$T/conf"
ok 'an agent that is not there yet is a warning' check
like 'with the path' "warning: $T/conf:7: agentSocket $T/agent: No such file"
perl -MIO::Socket::UNIX -e \
	'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die' "$T/agent"
ok 'so is one that has ended' check
like 'which is said' "warning: $T/conf:7: agentSocket $T/agent: nobody listens"
rm "$T/agent"
start agent ssh-agent -D -a "$T/agent"
wait_for 20 test -S "$T/agent"
ok 'and one without a key' check
like 'which is said too' "agentSocket $T/agent: the agent there holds no key"
ssh-keygen -q -t ed25519 -N '' -f "$T/held"
SSH_AUTH_SOCK=$T/agent ssh-add -q "$T/held"
ok 'but not one that has one' check
unlike 'of which nothing is said' 'agentSocket'
stop agent
good | sed '/allow/d' >"$T/conf"
ok 'no rule at all is a warning' check
like 'that says what follows' 'warning: .*everything is denied'

# --- [scan] ------------------------------------------------------------------

# scan_key LINE: the good one with this line in [scan]
scan_key() { { good; printf '[scan]\n%b\n' "$1"; } >"$T/conf"; }
for line in 'threads = 0' 'threads = 64' 'memory = 32m' 'memory = 1g' \
	'decode = 0' 'decode = 8' 'archives = 0' 'archives = 8' \
	'unknown = note' 'unknown = refuse' 'deadline = 30s' 'timeout = 30s'; do
	scan_key "$line"
	ok "[scan] $line" check
done
# scan_refuses LINE REGEX: in its line
scan_refuses() {
	scan_key "$1"
	refuses "[scan] ${1//\\n/, }" "$T/conf:1[6-9]: $2"
}
scan_refuses 'threads = 65' 'threads = 65: write a number from 0 to 64'
scan_refuses 'threads = all' 'threads = all: write a number'
scan_refuses 'memory = 1m' 'memory = 1m: too small; the least is 33554432 bytes'
scan_refuses 'memory = much' 'memory = much: not a size'
scan_refuses 'decode = 9' 'decode = 9: write a number from 0 to 8'
scan_refuses 'archives = -1' 'archives = -1: write a number from 0 to 8'
scan_refuses 'unknown = pass' 'unknown = pass: write refuse or note'
scan_refuses 'deadline = 5' 'deadline = 5: not a time'
scan_refuses 'timeout = 5s\ndeadline = 6s' \
	'deadline is already in line 16 as timeout; remove one of the two'
scan_refuses 'exceptions = here' 'exceptions = here: not an absolute path'
scan_refuses "ignore = $T/none" "ignore $T/none .*No such file"
scan_refuses "exceptions = $T/none/x" "exceptions $T/none/x .*parent directory"
scan_refuses 'thread = 1' "unknown key"
: >"$T/ignore"
scan_key "ignore = $T/ignore"
ok 'an empty file of fingerprints is good' check

# --- what decides or runs can be written by its owner alone --------------

chmod 775 "$T"
refuses 'a file in a directory that the group can write' \
	"$T/conf:1: the directory $T/ .*chmod go-w"
chmod 1777 "$T"
good >"$T/conf"
ok 'a sticky directory is all right' check
chmod 755 "$T"
mkdir "$T/own" "$T/own/hooks"
for name in git-gate-ssh git-gate-askpass git-gate-nothing git-gate-pack; do
	cp "$BUILD/$name" "$T/own"
done
cp "$BUILD/git-gate-hook" "$T/own/hooks/pre-receive"
cp "$BUILD/git-gate-proc-receive" "$T/own/hooks/proc-receive"
printf '#!/bin/sh\n' | tee "$T/own/git" "$T/own/ssh" >"$T/own/token"
chmod 755 "$T/own/git" "$T/own/ssh" "$T/own/token"
echo not-one | tee "$T/own/cert" >"$T/own/ca"
printf '[extend]\nuseDefault = true\n' >"$T/own/rules"
closed() {
	good | sed "s|= $BUILD|= $T/own|
		/knownHosts/a certificateFile = $T/own/cert"
	sed "s|DIR|$T/own|" <<-'END'
		[gate]
			git = DIR/git
			ssh = DIR/ssh
		[scan]
			rules = DIR/rules
		[upstream "web"]
			url = https://web.example/
			tokenCommand = DIR/token
			caFile = DIR/ca
	END
}
closed >"$T/conf"
ok 'files of our own are good' check
# opened KEY PATH MODE: with this mode the path is refused under its key
opened() {
	local was
	was=$(stat -c %a "$2")
	chmod "$3" "$2"
	refuses "$1 ${2##*/} that others can write" \
		"error: $T/conf:[0-9]*: $1 $2 can be written .*chmod go-w"
	chmod "$was" "$2"
}
opened knownHosts "$T/hosts" g+w
opened certificateFile "$T/own/cert" o+w
opened caFile "$T/own/ca" g+w
opened tokenCommand "$T/own/token" o+w
closed | sed 's|^tokenCommand = .*|& --now|' >"$T/conf"
refuses 'a command with arguments' \
	"$T/conf:[0-9]*: tokenCommand $T/own/token --now .*without arguments; name a program"
closed >"$T/conf"
chmod g+w "$T/own/rules"
refuses 'rules that others can write' \
	"error: $T/own/rules:1: .*can be written .*chmod go-w"
chmod g-w "$T/own/rules"
opened git "$T/own/git" g+w
opened ssh "$T/own/ssh" o+w
opened hooks "$T/own/hooks/pre-receive" g+w
opened hooks "$T/own/hooks/proc-receive" o+w
opened hooks "$T/own/hooks" g+w
opened hooks "$T/own/hooks" 1777
opened libexec "$T/own/git-gate-ssh" g+w
opened libexec "$T/own/git-gate-askpass" o+w
opened libexec "$T/own/git-gate-nothing" g+w
opened libexec "$T/own" o+w
# own NAME REGEX: a program of ours that is as it has just been made
program=$T/own/hooks/pre-receive
mv "$program" "$T/own/kept"
own() {
	refuses "$1" "error: $T/conf:[0-9]+: hooks $program $2"
	rm -rf "$program"
}
own 'a hook that is not there' 'is not there; git-gate installs it'
cp "$T/own/kept" "$program"
chmod a-x "$program"
own 'a hook that is not executable' 'is not executable; chmod 0755 it'
mkdir "$program"
own 'a hook that is a directory' 'is not a program; git-gate installs it'
: >"$program"
own 'a hook that is empty' 'is not a program; git-gate installs it'
ln -s "$T/none" "$program"
own 'a hook that leads nowhere' \
	"is a link to $T/none, which is not there; git-gate installs it"
ln -s "$program" "$program"
own 'a hook that leads to itself' 'cannot be reached: Too many levels'
mv "$T/own/kept" "$program"
ok 'and all is good again' check

# --- a path that a shell would read ----------------------------------------

mkdir "$T/an other"
for name in git-gate-nothing git-gate-ssh git-gate-pack git-gate-askpass; do
	ln -s "$BUILD/$name" "$T/an other/$name"
done
good | sed "s|libexec = .*|libexec = \"$T/an other\"|" >"$T/conf"
ok 'a libexec that no shell takes for one word' check
like 'is warned of' \
	"warning: $T/conf:[0-9]+: libexec $T/an other has a ' '.*no packs are kept"
sed -i 's/^\[gate\]/[backend]\n\tpacks = 0\n&/' "$T/conf"
ok 'and without packs' check
is 'it does not matter' "$(cat "$T/err")" ''

# --- names without regard to case -----------------------------------------

for host in github.com ssh.GitHub.com gitlab.com bitbucket.org codeberg.org; do
	good | sed "s/forge.example/$host/" >"$T/conf"
	ok "$host without ignoreCase is a warning" check
	like 'with file, line and remedy' \
		"warning: $T/conf:5: .upstream \"forge\".: .*ignoreCase = true"
	sed -i '/knownHosts/a ignoreCase = true' "$T/conf"
	ok "$host with it is good" check
	is 'and nothing is said' "$(cat "$T/err")" ''
done
good | sed 's/forge.example/github.com/' >"$T/conf"
ok 'git-gated -t takes it too' gate_t
is 'and warns once' "$(grep -c 'warning: .*ignoreCase = true' "$T/err")" 1
good | sed 's/forge.example/notgithub.com/' >"$T/conf"
ok 'other hosts are not known to need it' check
is 'and nothing is said either' "$(cat "$T/err")" ''

# --- as whom it is checked ----------------------------------------------------

# the programs may lie where the other user cannot reach them
cp "$BUILD/git-gate" "$T/a-copy"
as_gate() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
	else
		"$@"
	fi
}
gate_check() { as_gate "$T/a-copy" check -c "$T/conf"; }
mkdir -p "$T/theirs.d"
[ "$(id -u)" -ne 0 ] || chown 65534 "$T/theirs.d"
good | sed "s,$T/state,$T/theirs.d," >"$T/conf"
chmod 0500 "$T/theirs.d"
no 'a state directory that its owner cannot write is an error' gate_check
like 'whose remedy is the mode, not the owner' \
	"state $T/theirs.d cannot be used: Permission denied; chmod 0700 it"
chmod 0700 "$T/theirs.d"
chmod 0200 "$T/conf"
no 'a configuration that the gate cannot read is an error' gate_check
like 'whose remedy is the file, too, not who asks alone' \
	"$T/conf: cannot be opened: Permission denied; run this as the gate's user, who must be able to read it"
chmod 0644 "$T/conf"
try check
if [ "$(id -u)" -eq 0 ]; then
	like 'root is told whom to check as' \
		"warning: $T/conf: checked as root, .* owner of $T/theirs.d \(user id 65534\): check as that user"
else
	unlike 'the owner is told of nothing' 'checked as root'
fi

# --- what can match no name ------------------------------------------------

good >"$T/conf"
cat >>"$T/conf" <<-'END'
	[repo "acme/web.git"]
		upstream = forge
	[repo "/lab"]
		upstream = forge
	[access]
		deny = * * acme/secret.git
		deny = fetch * acme/
END
line_of() { grep -nF -e "$1" "$T/conf" | cut -d: -f1; }
ok 'patterns for names that there are none of are warnings' check
like 'a name with .git' \
	"warning: $T/conf:$(line_of web.git): \[repo \"acme/web.git\"\] matches no repository: names are without .git"
like 'a name with a slash in front' \
	"warning: $T/conf:$(line_of /lab): .*matches no repository: names begin without a slash"
like 'a rule' \
	"warning: $T/conf:$(line_of secret.git): deny = \* \* acme/secret.git: the rule matches no repository"
like 'and one with a slash behind' \
	"warning: $T/conf:$(line_of 'acme/' | tail -n 1): .*names end without a slash"
good | sed 's,forge.example[^"]*,forge.example/acme/web.git,' >"$T/conf"
ok 'an url of one repository is a warning' check
like 'with file, line and why' \
	"warning: $T/conf:[0-9]+: \[upstream \"forge\"\]: the url ends in .git"

# --- what is parked, and what cannot be -----------------------------------

{ good; printf '[push]\npark = %s\n' "$T/park"; } >"$T/conf"
park_line=$(grep -n '^park' "$T/conf" | cut -d: -f1)
repo_line=$(grep -n 'repo "acme' "$T/conf" | cut -d: -f1)
ok 'park with strict repositories is a warning' check
like 'with both lines and the remedy' \
	"warning: $T/conf:$park_line: park is set, but \[repo \"acme/\*\"\] \(line $repo_line\) has fresh = strict, .*set fresh = offline-ok"
is 'said once' "$(grep -c 'park is set' "$T/err")" 1
mkdir -m 700 "$T/park"
ok 'git-gated -t takes it too' gate_t
is 'and warns once' "$(grep -c 'park is set' "$T/err")" 1
for fresh in offline-ok 10m; do
	sed "/upstream = forge/a fresh = $fresh" "$T/conf" >"$T/conf2"
	ok "with fresh = $fresh" gate check -c "$T/conf2"
	is 'nothing is said' "$(cat "$T/err")" ''
done
{ good; printf '[push]\nparkMax = 3\nparkSize = 1m\n'; } >"$T/conf"
ok 'parkMax without park is a warning' check
like 'with its line' "warning: $T/conf:[0-9]*: parkMax is set, but park is not"
like 'so is parkSize' "warning: $T/conf:[0-9]*: parkSize is set, but park is not"
good >"$T/conf"

# --- the command line --------------------------------------------------------

for command in deliver sync status; do
	ok "help of $command" gate help $command
	like 'begins as the others' "^usage: git-gate $command \\[-c FILE\\]"
	like 'lists options' '^  -c, --config FILE '
done
no 'check with a word too many' gate check -c "$T/conf" x
is 'is a usage error' $rc 2
no 'an unknown option' gate check --frob
is 'is a usage error too' $rc 2
no 'an unknown command' gate frobnicate
is 'is one as well' $rc 2
ok 'help' gate help
like 'lists the commands' '^  explain '
ok 'help of one' gate check --help
like 'shows its arguments' 'usage: git-gate check \[-c FILE\]'
ok 'version' gate --version

done_testing
