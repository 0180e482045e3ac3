#!/bin/bash
# git-gated is killed while it answers: no web server takes what it had sent for
# a whole answer, so that every client's git ends, with an error. The process
# that sees to this is nobody's child, holds nothing, and ends with it.
# shellcheck source=t/lib.sh disable=SC2016,SC2317
. "${SOURCE:?}/t/lib.sh"

for name in talks silent large; do
	upstream acme/$name
	fill acme/$name
done
# Upstreams that take their time, after a word or without; so long that no other
# sleep on the machine is taken for it.
nap=121.$$
for name in talks silent; do
	{ echo '#!/bin/sh'
		echo "[ ! -e '$T/slow' ] && exit 0"
		[ $name = silent ] || echo 'echo "a word before"'
		echo "touch '$T/at.$name'; exec sleep $nap"
	} >"$T/up/acme/$name.git/hooks/pre-receive"
done
bulk "$T/author/acme/large" 40M
commit "$T/author/acme/large" README "large"
git -C "$T/author/acme/large" push -q origin main 2>/dev/null
# Nor does git say anything meanwhile to keep the connection alive: an answer
# that has not begun does not begin.
cat >"$T/git" <<END
#!/bin/sh
case "\$*" in receive-pack*/acme/silent.git*)
	set -- -c receive.keepAlive=600 "\$@" ;;
esac
exec "$(type -P git)" "\$@"
END
chmod +x "$T/git"
conf <<-END
	[gate]
		git = $T/git
	[repo "acme/*"]
		upstream = file
	[access]
		allow = * * *
END

# A program of our own is one that nobody else runs.
cp "$BUILD/git-gated" "$T/git-gated"
cat >"$T/run" <<END
#!/bin/sh
shift
exec "$T/git-gated" "\$@"
END
chmod +x "$T/run"
ours() { find /proc/[0-9]*/exe -lname "$T/git-gated" 2>/dev/null | cut -d/ -f3; }
is_witness() { [ "$(cat "/proc/$1/comm")" = gate-witness ]; } 2>/dev/null
witness() { local pid; for pid in $(ours); do is_witness "$pid" && echo "$pid"; done; }
alone() { [ -z "$(ours)" ]; }
one() { [ "$(witness | wc -l)" -eq 1 ]; }
files() { ls "/proc/$1/fd" | xargs; }
empty_handed() { [ "$(files "$1")" = "0 1 2 3" ]; }
parent() { awk '/^PPid/ { print $2 }' "/proc/$1/status"; }
sent() { # BYTES REPO: that many have been sent to a client of it
	"$BUILD/git-gate" status --config "$T/gate.conf" >"$T/sessions" &&
		awk -v n="$1" -v repo="$2" '$3 == repo && $8 >= n { found = 1 }
			END { exit !found }' "$T/sessions"
}

# --- what it is ----------------------------------------------------------------

start_gate "$T/run"
ok "there is a witness" wait_for 20 one
w=$(witness)
is "it is no child of the gate" "$(cat /proc/"${PID[gate]}"/task/*/children)" ""
ok "and has another parent" test "$(parent "$w")" != "${PID[gate]}"
ok "it has no descriptor but its end of the pair" wait_for 20 empty_handed "$w"
is "0 to 2 are /dev/null" "$(readlink "/proc/$w/fd/"{0,1,2} | sort -u)" /dev/null
is "no argument is to be seen" "$(tr -d '\0' <"/proc/$w/cmdline" |
	grep -c gate.conf)" 0
is "nor an environment" "$(tr -d '\0' <"/proc/$w/environ")" ""
for signal in TERM INT HUP; do kill -$signal "$w"; done
start_web nginx
ok "a clone" git clone -q "$GATE/acme/talks" "$T/talks"
ok "signals do not end it" kill -0 "$w"
ok "after an answer it holds nothing" wait_for 20 empty_handed "$w"
stop nginx
kill -HUP "${PID[gate]}"
ok "SIGHUP" wait_for 10 grep -q 'read anew' "$T/gate.log"
is "leaves it" "$(witness)" "$w"
stop gate
is "the gate ends cleanly" $rc 0
ok "and the witness with it" wait_for 20 alone

# without it all goes on
start_gate "$T/run"
kill -KILL "$(witness)"
start_web nginx
ok "without it: a clone" git clone -q "$GATE/acme/talks" "$T/more"
stop nginx
like "and a warning" 'warn.* the witness has ended' "$T/gate.log"
stop gate

# in the background, where git-gated forks as well
"$T/git-gated" -c "$T/gate.conf" -s "$T/gate.sock" 2>>"$T/gate.log"
ok "in the background: there is one" wait_for 20 one
w=$(witness)
wait_for 20 fcgi /-/health
kill -TERM $(ours | grep -vx "$w")
ok "in the background: it ends with the gate" wait_for 15 alone

# --- killed within an answer ---------------------------------------------------

printf '0032want %s\n00000009done\n' \
	"$(tip "$T/up/acme/large.git" main)" >"$T/want"
# killed_in_record NAME SOCKET: a client that takes nothing until then
killed_in_record() {
	local gate=$2
	rm -f "$T/gate.sock" "$T/take" "$T/late.log"
	start gate "$T/git-gated" -f -c "$T/gate.conf" -s "$gate"
	wait_for 20 perl "$HERE/fcgi.pl" "$gate" /-/health
	LIMIT=20 fetch_large /acme/large/info/refs REQUEST_METHOD=GET \
		QUERY_STRING=service=git-upload-pack >/dev/null
	start late timeout 90 perl "$HERE/fcgi.pl" "$gate" -late "$T/take" \
		-body "$T/want" /acme/large/git-upload-pack REQUEST_METHOD=POST \
		CONTENT_TYPE=application/x-git-upload-pack-request
	ok "$1: the answer is under way" wait_for 60 sent 32768 acme/large
	stop gate KILL
	touch "$T/take"
	wait_for 15 gone "${PID[late]}"
	stop late
	like "$1: killed in mid-record: the answer is broken" '\[broken\]$' \
		"$T/late.log"
	ok "$1: nothing of it is left" wait_for 20 alone
}
fetch_large() { perl "$HERE/fcgi.pl" "$gate" "$@"; }
killed_in_record "a Unix socket" "$T/gate.sock"
killed_in_record "TCP" "127.0.0.1:$(free_port)"

# --- through the web servers ---------------------------------------------------

# where BUFFER is set, with the other buffering
eval "$(declare -f conf_nginx conf_lighttpd | sed 's/^conf_/plain_/')"
conf_nginx() {
	plain_nginx "$@"
	[ -n "$BUFFER" ] || return
	rm "$T/nginx/git-gate-params"
	sed '/^fastcgi_buffering/s/off;/on; fastcgi_max_temp_file_size 0;/' \
		"$SOURCE/nginx-conf/git-gate-params" >"$T/nginx/git-gate-params"
}
conf_lighttpd() {
	local shipped=$SOURCE/lighttpd-conf/git-gate-${SPAWN:-socket}.conf
	sed "s/\(stream-response-body = \)2/\1${BUFFER:-2}/" "$shipped" \
		>"$T/lighttpd/shipped.conf"
	plain_lighttpd "$@" | sed "s|$shipped|$T/lighttpd/shipped.conf|"
}

# Between a client and the web server, 1 MB a second, so that the pack of 40 MB
# lasts: what nginx is to send unbuffered it does not limit.
narrow() {
	rm -f "$T/narrow.port"
	start narrow perl -MIO::Select -MIO::Socket::INET -e '
		my ($port, $file) = @ARGV;
		my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
			Listen => 16) or die "listen: $!";
		open my $f, ">", "$file.new" or die;
		print $f $l->sockport, "\n";
		close $f;
		rename "$file.new", $file;
		$SIG{CHLD} = "IGNORE";
		while (my $client = $l->accept) {
			next if fork;
			my $server = IO::Socket::INET->new(
				PeerAddr => "127.0.0.1:$port") or exit;
			my $both = IO::Select->new($client, $server);
			while (my @from = $both->can_read) {
				for my $from (@from) {
					sysread $from, my $data, 16384 or exit;
					my $to = $from == $client ? $server : $client;
					while (length $data) {
						my $n = syswrite $to, $data or exit;
						substr $data, 0, $n, "";
					}
					select undef, undef, undef, 0.016
						if $from == $server;
				}
			}
		}' "${GATE##*:}" "$T/narrow.port"
	wait_for 10 test -s "$T/narrow.port"
}
# client NAME COMMAND...: its status goes to $T/NAME.rc
client() {
	local name=$1
	shift
	rm -f "$T/$name.rc"
	: >"$T/$name.log"
	start "$name" bash -c '"$@"; echo $? >"$0"' "$T/$name.rc" \
		timeout -k 2 120 git "$@"
}
# frozen STOP|CONT: the clone takes nothing; timeout(1) leads its process group
frozen() {
	[ -n "${WHOLE:-}" ] || kill "-$1" -- "-$(pgrep -P "${PID[large]}")"
}
# failed NAME WHAT: it ends soon, by itself, with an error
failed() {
	wait_for 30 test -s "$T/$1.rc"
	is "$2 ends soon, with an error" "$(tr -d '[:space:]' <"$T/$1.rc" |
		sed 's/^1$\|^128$/error/')" error || diag "$(tail -n 5 "$T/$1.log")"
	stop "$1" 0
}
pushes=0
# killed WHAT: three clients, one blow
killed() {
	local what=$1 name
	rm -f "$T"/at.* && touch "$T/slow"
	rm -rf "$T/large"
	for name in talks silent; do
		[ -d "$T/$name" ] || git clone -q "$T/up/acme/$name.git" "$T/$name"
		commit "$T/$name" README "for $what"
	done
	narrow
	[ -n "${WHOLE:-}" ] || client large clone -q \
		"http://127.0.0.1:$(cat "$T/narrow.port")/acme/large" "$T/large"
	client talks -C "$T/talks" push "$GATE/acme/talks" \
		HEAD:refs/heads/agent/$((pushes += 1))
	[ -n "${WHOLE:-}" ] ||
		ok "$what: a pack is under way" wait_for 40 sent 1000000 acme/large
	# a machine may stand still for longer than 40 s
	frozen STOP
	ok "$what: an answer has begun" wait_for 30 sent 200 acme/talks
	client silent -C "$T/silent" push "$GATE/acme/silent" \
		HEAD:refs/heads/agent/$pushes
	ok "$what: a push waits" wait_for 30 test -e "$T/at.silent"
	no "$what: its answer has not begun" sent 1 acme/silent
	rm "$T/slow"
	killer
	frozen CONT
	failed talks "$what: a push whose answer had begun"
	failed silent "$what: one whose answer had not"
	[ -n "${WHOLE:-}" ] || failed large "$what: a clone in its pack"
	stop narrow
}
killer() {
	stop gate KILL
	ok "$what: the witness ends" wait_for 20 alone
}
through() { # WHAT SERVER BUFFER
	local web=$2
	BUFFER=$3
	: >"$T/gate.log"
	start_gate "$T/run"
	start_web "$web"
	killed "$1"
	: >"$T/gate.log"
	start_gate "$T/run"
	ok "$1: the next start serves" git -C "$T/talks" push -q \
		"$GATE/acme/talks" "HEAD:refs/heads/agent/next$pushes"
	stop gate
	is "$1: and ends cleanly" $rc 0
	stop "$web"
}
through nginx nginx ''
through "nginx, buffered" nginx on
through lighttpd lighttpd ''
# the whole pack would wait in lighttpd
WHOLE=yes through "lighttpd, buffered" lighttpd 0

# lighttpd starts it, with the socket as descriptor 0
BUFFER='' SPAWN=spawn
eval "$(declare -f plain_lighttpd | sed 's|\$BUILD/git-gated|$T/git-gated|')"
start_web lighttpd
ok "spawned: there is a witness" wait_for 20 one
w=$(witness)
ok "spawned: it does not hold the socket" wait_for 20 empty_handed "$w"
killer() {
	kill -KILL "$(ours | grep -vx "$w")"
	ok "$what: the witness ends" wait_for 20 gone "$w"
}
killed spawned
stop lighttpd
ok "spawned: nothing is left" wait_for 15 alone
unlike "no sanitizer reports" 'Sanitizer|runtime error' "$T/gate.log"
done_testing
