#!/bin/bash
# An upstream over https: tokens from a file or a command, kept in the
# responder's memory alone and made anew when they are not accepted; seen
# nowhere but in git-gate-askpass and in the git that asked it. Authorities,
# client certificates, a proxy, redirections.
. "${SOURCE:?}/t/lib.sh"
. "$HERE/https.sh"

start_https
# All tokens of this test have it in them. 24 bytes, so that its base64 is
# found wherever it stands in what is encoded.
MARK=$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')
{
	echo "$MARK"
	printf %s "$MARK" | base64
	printf 'x%s' "$MARK" | base64 | cut -c3-32
	printf 'xx%s' "$MARK" | base64 | cut -c5-32
} >"$T/https/marks"

# minter NAME LINE...: a tokenCommand NAME, which makes another token each
# time, the only one of user NAME from then on, and says so in NAME.count. LINE
# is of what it prints then, with \$now.
minter() {
	local name=$1
	shift
	printf '%s\n' '#!/bin/sh' "cd '$T/https' || exit 1" \
		"echo made >>$name.count" \
		"[ ! -e $name.slow ] || sleep 1" \
		"[ ! -e $name.fails ] || { echo $MARK-half; cat $name.fails >&2; exit 3; }" \
		"token=$MARK-$name-\$(grep -c . $name.count)" \
		"[ -e $name.wrong ] || {" \
		"	grep -v '^$name:' users >users.$name" \
		"	printf '$name:{PLAIN}%s\\n' \$token >>users.$name" \
		"	mv users.$name users; }" \
		'now=$(date +%s)' "echo \$token" "$@" >"$T/https/$name"
	chmod 700 "$T/https/$name"
}
made() { grep -c . "$T/https/$1.count" 2>/dev/null; }

(umask 077 && printf '%s\nits second line\n' "$MARK-file" >"$T/https/token")
https_takes "$MARK-file"
minter hour 'echo expires=$((now + 3600))'
minter short 'echo "password_expiry_utc=$((now + 6))"'
minter loose 'echo note=none'
minter wrong 'echo expires=$((now + 3600))'
minter many 'echo expires=$((now + 3600))'
minter later "date -u -d '1 hour' +expires=%Y-%m-%dT%H:%M:%SZ"
minter crowd 'echo expires=$((now + 3600))'
minter bad 'echo expires=tomorrow'
minter json 'echo unused'
sed -i 's/^echo \$token/echo "{\\"token\\": \\"$token\\"}"/' "$T/https/json"
PROXY_PORT=$(free_port)
start proxy perl "$HERE/connect.pl" "$PROXY_PORT" "$T/proxied"
wait_for 10 listens "$PROXY_PORT" || die "the proxy does not start"
DEAD=$(free_port)

upstream template
fill template
# up NAME URL LINE...: an upstream, and the repository NAME/web
up() {
	printf '[upstream "%s"]\n\turl = %s\n' "$1" "$2"
	mkdir -p "$T/up/$1"
	cp -r "$T/up/template.git" "$T/up/$1/web.git"
	printf '[repo "%s/*"]\n\tupstream = %s\n' "$1" "$1" >>"$T/repos"
	[ "$1" != loose ] || printf '\tfresh = offline-ok\n' >>"$T/repos"
	shift 2
	printf '\t%s\n' "$@"
}
CA="caFile = $T/https/ca.pem"
ROBOT="username = robot" FILE="tokenFile = $T/https/token"
{
	up plain "$HTTPS" "$CA" "$ROBOT" "$FILE"
	for name in hour short loose many later wrong crowd bad json; do
		up $name "$HTTPS" "$CA" "username = $name" \
			"tokenCommand = $T/https/$name"
	done
	up stranger "$HTTPS" "caFile = $T/https/other.pem" "$ROBOT" "$FILE"
	up cert "$CERT" "$CA" "clientCert = $T/https/client.pem" \
		"clientKey = $T/https/client.key"
	up nocert "$CERT" "$CA"
	up proxied "$HTTPS" "$CA" "$ROBOT" "$FILE" \
		"proxy = http://127.0.0.1:$PROXY_PORT"
	up noproxy "$HTTPS" "$CA" "$ROBOT" "$FILE" \
		"proxy = http://127.0.0.1:$DEAD"
	up follows "$HTTPS" "$CA" "$ROBOT" "$FILE" 'followRedirects = true'
	cat "$T/repos"
	cat <<-END
		[access]
			allow = * * *
	END
} >"$T/conf"
hook_for_strace
conf <"$T/conf"

# --- nowhere: strace, and a look at all processes all the time --------------

# Who has one of the lines of FILE on its command line or in its environment,
# and who of those that may hold a token could leave a core file.
cat >"$T/look" <<'END'
use strict;
use warnings;
my ($marks, $out) = @ARGV;
open my $in, '<', $marks or die;
chomp(my @marks = <$in>);
my $mark = join '|', map { quotemeta } @marks;
sub all { open my $f, '<', $_[0] or return ''; local $/; <$f> // '' }
open my $hits, '>>', $out or die;
$hits->autoflush(1);
my ($rounds, $end) = (0, time + 600);
while (time < $end && !-e "$out.stop") {
	for my $dir (glob '/proc/[0-9]*') {
		for my $what ('cmdline', 'environ') {
			all("$dir/$what") =~ $mark and
				print $hits "$what ", all("$dir/comm");
		}
		all("$dir/comm") =~ /^git-(remote-http|gate-askpass)/ or next;
		my $limits = all("$dir/limits") or next;
		print $hits $limits =~ /Max core file size +0 / ? "seen\n"
			: "core " . all("$dir/comm");
	}
	open my $n, '>', "$out.rounds" or die;
	print $n ++$rounds, "\n";
	close $n;
	# strace has every environment; this leaves the others the processor
	select undef, undef, undef, 0.1;
}
END
start look perl "$T/look" "$T/https/marks" "$T/looked"
start_gate env http_proxy="http://127.0.0.1:$DEAD" \
	https_proxy="http://127.0.0.1:$DEAD" ALL_PROXY="http://127.0.0.1:$DEAD" \
	GIT_TRACE="$T/traced" GIT_CURL_VERBOSE=1 GIT_TRACE_CURL="$T/traced" \
	GIT_TRACE_REDACT=0 GIT_GATE_NEW_TOKEN=yes ASAN_OPTIONS=detect_leaks=0 \
	strace -D -f -qq --seccomp-bpf -s 65536 -e 'abbrev=!execve' \
	-e trace=execve,write,writev,pwrite64,sendto,sendmsg,sendmmsg,prctl \
	-o "$T/trace"
start_web nginx

# work NAME: a clone, a push; how often the upstream has the pushed commit
work() {
	git clone -q "$GATE/$1/web" "$T/work/$1" &&
		commit "$T/work/$1" README "of $1" &&
		git -C "$T/work/$1" push -q origin main
}
# arrived NAME: the upstream has what was pushed
arrived() {
	is "$1: the upstream has it" "$(tip "$T/up/$1/web.git" main)" \
		"$(tip "$T/work/$1" main)"
}

ok "a token from a file: clone and push" work plain
arrived plain
like "nobody is told a token before it was asked for" \
	'401 "GET /git/plain/web.git/info/refs.* anonymous' "$T/https/requests"
https_takes "$MARK-other"
(umask 077 && printf '%s\n' "$MARK-other" >"$T/https/token")
ok "a new one in the file counts at once" git -C "$T/work/plain" fetch -q
https_takes "$MARK-file"
no "one that is not accepted" git -C "$T/work/plain" fetch
like "is said to be so" 'code=upstream-auth retry=no'
(umask 077 && printf '%s\n' "$MARK-file" >"$T/https/token")

ok "a token from a command: clone and push" work hour
arrived hour
for i in 1 2 3; do git -C "$T/work/hour" fetch -q; done
is "it is made once" "$(made hour)" 1
ok "a token that cannot be kept: clone and push" work loose
arrived loose
n=$(made loose)
[ "$n" -ge 3 ]
result $? "it is made each time" || diag "$n times"

for name in short many later; do
	ok "$name: clone and push" work $name
	arrived $name
done

# --- a crowd -----------------------------------------------------------------

: >"$T/https/crowd.slow"
crowd=${LIGHT:+6}
crowd=${crowd:-16}
for ((i = 0; i < crowd; i++)); do
	mkdir -p "$T/up/crowd"
	cp -r "$T/up/template.git" "$T/up/crowd/$i.git"
done
for ((i = 0; i < crowd; i++)); do
	git ls-remote -q "$GATE/crowd/$i" >/dev/null 2>"$T/crowd.$i" &
	askers[i]=$!
done
good=0
for ((i = 0; i < crowd; i++)); do wait "${askers[i]}" && good=$((good + 1)); done
is "$crowd that ask at once all get an answer" $good $crowd
is "by one token" "$(made crowd)" 1

# --- authorities, certificates, proxies, redirections ------------------------

no "a server that another authority vouches for" \
	git clone "$GATE/stranger/web" "$T/work/stranger"
like "is not believed" 'code=upstream-host-key retry=no'
ok "a client certificate" work cert
arrived cert
no "without one" git clone "$GATE/nocert/web" "$T/work/nocert"
like "it fails" 'git-gate: refused code=upstream-'

ok "through a proxy" work proxied
arrived proxied
like "which was asked" "^CONNECT 127.0.0.1:$HTTPS_PORT HTTP/1.1$" "$T/proxied"
n=$(grep -c . "$T/proxied")
ok "others go without" git -C "$T/work/plain" fetch -q
is "and it is not asked" "$(grep -c . "$T/proxied")" "$n"
no "a proxy that is not there" git clone "$GATE/noproxy/web" "$T/work/noproxy"
like "is no way" 'code=upstream-unreachable retry=yes'

https_nginx moved
no "a redirection" git -C "$T/work/plain" fetch
like "is refused" 'git-gate: refused code=upstream-(moved|error) retry=no'
ok "where it is configured" work follows
arrived follows
https_well
https_nginx away
for name in plain follows; do
	no "$name: a redirection to another server" git -C "$T/work/$name" fetch
	like "$name: fails" 'git-gate: refused code=upstream-'
done
https_well
# after the password, when git knows the token already
https_does '*' "printf 'Status: 302 Found\\r\\nLocation: ${AWAY}plain/web.git/info/refs?service=git-upload-pack\\r\\n\\r\\n'
exit"
for name in plain follows; do
	no "$name: one after the password" git -C "$T/work/$name" fetch
	like "$name: fails too" 'git-gate: refused code=upstream-'
done
https_well
away=${AWAY#https://localhost:} away=${away%/git/}
like "the other server was asked" "^$away 401 .* anonymous$" "$T/https/requests"
unlike "but has read no token" "^$away .* password$" "$T/https/requests"

# --- what an upstream says ----------------------------------------------------

for status in 403 404 500; do
	https_says $status '*' "these are words of the upstream's"
	no "$status at a fetch" git -C "$T/work/hour" fetch
	like "$status: the gate says why" \
		'git-gate: refused code=(upstream-|not-found)'
	https_well
done

# --- 401 --------------------------------------------------------------------

# revoke NAME: what was given to it is not accepted any more
revoke() {
	grep -v "^$1:" "$T/https/users" >"$T/https/users.less"
	mv "$T/https/users.less" "$T/https/users"
}
# One that was made within 10 seconds is thought to be another's new one.
old() { [ $(($(date +%s) - $(stat -c %Y "$T/https/later.count"))) -gt 11 ]; }
wait_for 20 old
revoke hour
n=$(made hour)
ok "one that is accepted no more: a fetch" git -C "$T/work/hour" fetch -q
is "is made anew, once" "$(made hour)" $((n + 1))

revoke many
commit "$T/work/many" README "again"
for i in 1 2 3 4; do
	git -C "$T/work/many" ls-remote -q >"$T/fetch.$i" 2>&1 &
	fetches[i]=$!
done
ok "a push, and fetches" git -C "$T/work/many" push -q origin main
arrived many
good=0
for i in 1 2 3 4; do wait "${fetches[i]}" && good=$((good + 1)); done
is "all succeed" $good 4
is "and one was made for all of them" "$(made many)" 2

# not accepted any more once the mirror has been refreshed
https_does 'POST*later*upload-pack*' "grep -v ^later: '$T/https/users' \
	>'$T/https/users.less'; mv '$T/https/users.less' '$T/https/users'"
commit "$T/work/later" README "again"
ok "one that ends between the question and the push" \
	git -C "$T/work/later" push -q origin main
https_well
arrived later
is "is made anew, once" "$(made later)" 2

: >"$T/https/wrong.wrong"
no "one that is never accepted" git clone "$GATE/wrong/web" "$T/work/wrong"
like "is said to be so" 'code=upstream-auth retry=no'
n=$(made wrong)
[ "$n" -ge 1 ] && [ "$n" -le 2 ]
result $? "one or two are made" || diag "$n"
asked=$(grep -c 'GET /git/wrong/web.git/info/refs.* password' \
	"$T/https/requests")
is "the upstream is asked twice with one" "$asked" 2

printf 'trying\nthe vault is sealed\n\n' >"$T/https/short.fails"
no "a command that fails" git -C "$T/work/short" fetch
like "is one of the token" 'code=upstream-token retry=yes'
like "which people can read" 'the gate cannot get its token for the upstream'
line=$(grep -n "tokenCommand = $T/https/short\$" "$T/gate.conf" | cut -d: -f1)
like "which the log explains" "upstream-token: .upstream \"short\"\] tokenCommand\
 $T/https/short \($T/gate.conf:$line\) ended with status 3: the vault is sealed\$" \
	"$T/gate.log"
echo "no good: $MARK-half" >"$T/https/short.fails"
no "one that says its token" git -C "$T/work/short" fetch
like "is not quoted" 'ended with status 3: its last words may hold the token' \
	"$T/gate.log"
cp "$T/https/short.fails" "$T/https/loose.fails"
ok "an offline-ok mirror is served all the same" \
	git ls-remote "$GATE/loose/web"
like "and why is in the log" 'upstream-token: .upstream "loose"' "$T/gate.log"
rm "$T/https/loose.fails"
rm "$T/https/short.fails"
n=$(made short)
ok "and is run again the next time" git -C "$T/work/short" fetch -q
[ "$(made short)" -gt "$n" ]
result $? "a token that ends soon is not given out to its end"
no "a time that is none" git clone "$GATE/bad/web" "$T/work/bad"
like "is named in the log" \
	"https/bad \(.*\) when it expires is neither .*: tomorrow\$" "$T/gate.log"
no "JSON" git clone "$GATE/json/web" "$T/work/json"
like "is no token" 'code=upstream-token'
like "and the log says so" \
	"https/json \(.*\) gives JSON; its first line must be the token alone" \
	"$T/gate.log"

# --- other settings ----------------------------------------------------------

n=$(made many)
touch -d '1 hour ago' "$T/https/many"
ok "another program in the command's place" git -C "$T/work/many" fetch -q
is "is asked for its own token" "$(made many)" $((n + 1))
sed -i "s#tokenCommand = .*/many\$#tokenCommand = $T/https/crowd#
	s/username = many/username = crowd/" "$T/gate.conf"
kill -HUP "${PID[gate]}"
made_more() { git -C "$T/work/many" fetch -q && [ "$(made crowd)" -gt "$n" ]; }
n=$(made crowd)
ok "another command and user, once the configuration is read anew" \
	wait_for 10 made_more
is "have a token of their own" "$(made crowd)" $((n + 1))

# --- nowhere: what was seen ---------------------------------------------------

touch "$T/looked.stop"
wait "${PID[look]}"
unset "PID[look]"
like "many looks were taken" '^[0-9]{2,}$' "$T/looked.rounds"
like "at those that hold a token" '^seen$' "$T/looked"
is "no process had a token in its environment or arguments, or may leave a core" \
	"$(grep -v '^seen$' "$T/looked" | sort | uniq -c)" ""
# what this relies on: it finds what is there
rm -f "$T/looked" "$T"/looked.*
start look perl "$T/look" "$T/https/marks" "$T/looked"
start bearer env "SOME=x$MARK" sleep 30
ok "the look finds a token that is there" \
	wait_for 10 grep -q '^environ sleep' "$T/looked"
stop look
stop bearer

stop gate
is "the gate ends cleanly" $rc 0
wait_for 20 strace_ended "$T/trace"
ok "strace saw git-gate-askpass" \
	grep -q 'execve("[^"]*git-gate-askpass"' "$T/trace"
# Lines of the trace with a token, each with the program that its process runs.
awk -v marks="$T/https/marks" '
	BEGIN { while ((getline m < marks) > 0) mark[++n] = m }
	/ execve\(/ { split($0, part, "\""); name = part[2]
		sub(/.*\//, "", name); program[$1] = name }
	/ execve\(0x/ { program[$1] = "hidden" }
	{ for (i = 1; i <= n; i++) if (index($0, mark[i])) {
		call = $2; sub(/\(.*/, "", call)
		what = $0; sub(/^[^"]*"/, "", what); sub(/[ "].*/, "", what)
		if (index(what, mark[i])) what = "token"
		print program[$1], call, what; break } }' "$T/trace" |
	sort | uniq >"$T/carried"
cp "$T/carried" "$T/said"
if [ "$(id -u)" -eq 0 ]; then
	like "askpass tells git" '^git-gate-askpass write token$' "$T/carried"
	like "askpass tells the responder" \
		'^git-gate-askpass sendto keep$' "$T/carried"
else
	# nor can what it starts be seen until that has its own program
	unlike "askpass is closed to all but root" '^git-gate-askpass ' \
		"$T/carried"
fi
like "the responder tells askpass" '^(git-gated)? ?sendto have$' "$T/carried"
is "tokens are in no other call" "$(grep -Ev \
	-e '^git-gate-askpass (write token|sendto keep)$' \
	-e '^(git-gated)? ?sendto have$' \
	-e '^(hour|short|loose|many|later|wrong|crowd|bad|grep) write [^ ]*$' \
	-e '^(hidden write token|cat write no|json write .*)$' \
	"$T/carried")" ""
is "tokens are in no file but the upstream's" \
	"$(grep -rlaFf "$T/https/marks" "$T" --exclude-dir=https \
		--exclude=trace --exclude=carried --exclude=said)" ""
is "nor in the configuration's own" "$(grep -laFf "$T/https/marks" \
	"$T/gate.conf" "$T"/*.log)" ""
no "no trace was written" test -e "$T/traced"
is "no core file" "$(find "$T" -name 'core*' -type f)" ""

# --- an upstream that shows what it was sent -----------------------------------

# Here the upstream's own processes have the token, so nobody looks.
start_gate
https_tells
cat >"$T/up/plain/web.git/hooks/pre-receive" <<'END'
#!/bin/sh
echo "I was sent $HTTP_AUTHORIZATION"
printf 'which is %s\n' "$(printf %s "${HTTP_AUTHORIZATION#Basic }" | base64 -d)"
END
git -C "$T/work/plain" reset -q --hard origin/main
commit "$T/work/plain" README "shown"
ok "an upstream whose hook shows the token: a push" \
	git -C "$T/work/plain" push origin main
like "its words come" 'remote: upstream: I was sent Basic \[token\]'
like "without the token" 'remote: upstream: which is robot:\[token\]'
unlike "however it is written" "$(paste -sd '|' "$T/https/marks")"
cat >"$T/up/plain/web.git/hooks/update" <<'END'
#!/bin/sh
echo "no: $HTTP_AUTHORIZATION" >&2
exit 1
END
chmod +x "$T/up/plain/web.git/hooks/update"
commit "$T/work/plain" README "refused"
no "one that refuses" git -C "$T/work/plain" push origin main
like "its words come, too" 'remote: upstream: no: Basic \[token\]'
rm "$T/up/plain/web.git/hooks/"{pre-receive,update}
https_does 'GET*' "printf 'Status: 403 No\\r\\nContent-Type: text/plain\\r\\n\\r\\n'
env; exit"
no "an error page that shows the request" git -C "$T/work/plain" fetch
https_well
like "is in the log" "remote: HTTP_AUTHORIZATION=Basic \[token\]" "$T/gate.log"
unlike "and the token is not" "$(paste -sd '|' "$T/https/marks")" "$T/gate.log"
done_testing
