# shellcheck shell=bash
# For t/46-hiding.t: a repository with one commit, ways to make others of it
# that no `git commit` makes, and to push them. Sourced after hook.sh.

hook_conf <<-END
	[access]
		allow = * * *
END
sed -i "/hosted =/a pushOptions = topic=*" "$CONF"
sed -i -e 's/COUNT=4/COUNT=5/' -e '/^exec/i\
export GIT_CONFIG_KEY_4=receive.advertisePushOptions GIT_CONFIG_VALUE_4=true' \
	"$T/receive"
start_notes
bare=$T/hosted/lab/r.git
w=$T/w
git init -q --bare -b main "$bare"
git init -q -b main "$w"
git -C "$w" config core.looseCompression 1
git -C "$w" config pack.compression 1

# next: a token of its own for each place, in S
N=0
next() { N=$((N + 1)) S=$(token $N); }
g() { command git -C "$w" "$@"; }
object() { g hash-object -t "$1" -w --literally --stdin; }
# index ENTRY: a tree like the base's and with the entry, MODE,ID,PATH
index() {
	GIT_INDEX_FILE=$T/index g read-tree base
	GIT_INDEX_FILE=$T/index g update-index --add --cacheinfo "$1"
	GIT_INDEX_FILE=$T/index g write-tree
}
# tree PATH [MODE]: the same with what comes on standard input
tree() { index "${2:-100644},$(object blob),$1"; }
commit_of() { g commit-tree -p base -m "a change" "$1"; }
# put PATH [MODE]: a commit C that has it
put() { C=$(commit_of "$(tree "$@")"); }
# told NAME PLACE: what was said of a push that was refused
told() {
	[ "$rc" -ne 0 ] && [ "$rc" -lt 124 ] &&
		grep -Eaq "^remote: git-gate: refused code=secret-found" \
			"$T/said" &&
		grep -Eaq "^(remote:)? *$2" "$T/said" &&
		grep -Eaq "^(remote:)? +$RULE" "$T/said"
	result $? "$1"
}
# found NAME PLACE [PUSH...]: PLACE is a regex, before the line and column
RULE=github-classic-token
found() {
	local name=$1 place=$2
	shift 2
	try push "$w" lab/r "${@:-$C:refs/heads/x$N}"
	told "$name" "$place"
	next
}
# unsure NAME REGEX [PUSH...]: could not tell, and says why
unsure() {
	local name=$1 why=$2
	shift 2
	try push "$w" lab/r "${@:-$C:refs/heads/x$N}"
	[ "$rc" -ne 0 ] && grep -Eaq "refused code=cannot-scan" "$T/said" &&
		grep -Eaq "$why" "$T/said"
	result $? "$name"
	next
}
# in_file NAME [PATH]: what comes on standard input, as a file. It goes to one
# first, as the end of a pipe would be a shell of its own.
in_file() {
	put "${2:-file}" <"$T/text"
	found "$1" "${2:-file}[:!]"
}
# encoded_in NAME [PATH]: the same, and a scan of the file alone finds it too
encoded_in() {
	in_file "$@"
	g update-ref "refs/encoded/$N" "$C"
	"$BUILD/git-gate" scan - <"$T/text" >"$T/said" 2>&1
	[ $? -eq 1 ] && grep -Eaq "^ +$RULE" "$T/said"
	result $? "$1: by a scan of the file"
}
# sent COMMIT ID...: a push of what git would not send, by hand
sent() {
	local line
	printf -v line '%s %s refs/heads/x' "$(printf %040d 0)" "$1"
	# four digits of length, a NUL before what is asked for
	{
		printf '%04x%s\0report-status0000' $((${#line} + 18)) "$line"
		printf '%s\n' "$@" | g pack-objects -q --stdout
	} >"$T/sent"
	try push "$w" lab/r base:refs/heads/main # for $T/vars
	"$T/receive" "$bare" <"$T/sent" >"$T/out" 2>"$T/err"
	rc=0
	grep -aq "^....ng refs/heads/x" "$T/out" && rc=1
	sed 's/^git-gate: refused/remote: &/' "$T/err" >"$T/said"
	cat "$T/said" >>"$T/all"
}
each_byte() { perl -e 'local $/; $_ = <STDIN>;
	print join "", map { sprintf $ARGV[0], ord } split //' "$1"; }
utf16() { perl -MEncode -e 'print encode($ARGV[1], $ARGV[0])' "$1" "$2"; }
# pem TYPE: a private key of nobody's
pem() {
	printf -- '-----BEGIN %s-----\n' "$1 PRIVATE KEY"
	perl -e 'srand 7; my @c = ("A" .. "Z", "a" .. "z", 0 .. 9, "+", "/");
		for (1 .. 12) { print map($c[rand @c], 1 .. 64), "\n" }'
	printf -- '-----END %s-----\n' "$1 PRIVATE KEY"
}
# zipped NAME [store]: standard input as a zip
zipped() {
	perl -MIO::Compress::Zip=:all -e 'local $/; my $d = <STDIN>;
		zip \$d => "-", Name => $ARGV[0], Minimal => 1, Method =>
			$ARGV[1] ? ZIP_CM_STORE : ZIP_CM_DEFLATE or die' "$@"
}
# zstd_of: one frame of Zstandard (RFC 8878), whose blocks part amid the text
zstd_of() {
	perl -e 'local $/; my $d = <STDIN>; my $h = int(length($d) / 2);
		my @b = (substr($d, 0, $h), substr $d, $h);
		print pack("VCV", 0xfd2fb528, 0xa0, length $d);
		for (0, 1) { my $v = $_ | length($b[$_]) << 3;
			print substr(pack("V", $v), 0, 3), $b[$_] }'
}
# words: ordinary lines, so that there is something to be packed or copied
words() { seq -f "line %g of many, none of which says much" "${1:-60}"; }
# noise: lines that cannot be packed much
noise() { perl -e 'srand 5; print map(chr 97 + rand 26, 1 .. 60), "\n"
	for 1 .. 60'; }
