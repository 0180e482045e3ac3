#!/bin/bash
# A body that is not what it says: cut, longer, silent, not gzip, a gzip bomb.
# Each is refused with a sentence, raw and through both web servers as far as
# they let it through; the log names what was met, no backend runs on it, and
# nothing computes afterwards. What git itself compresses works.
. "${SOURCE:?}/t/lib.sh"

LIMIT=60
mkdir -p "$T/hosted/lab" "$T/b"
bare=$T/hosted/lab/web.git
git init -q --bare -b main "$bare"
git init -q -b main "$T/w"
commit "$T/w" hello "line 1"
git -C "$T/w" push -q "$bare" main
tip=$(tip "$bare" main)
# settings LINES [READ-TIMEOUT]
settings() {
	conf <<-END
		[session]
			readTimeout = ${2:-2s}
			maxBody = 64m
			$1
		[repo "lab/*"]
			hosted = $T/hosted
		[access]
			deny = * * * refs/heads/closed/*
			allow = * * lab/*
	END
}
settings ""

# --- bodies --------------------------------------------------------------------

zero=$(printf '%040d' 0)
pkt() { printf '%04x%s' $((4 + ${#1})) "$1"; }
# head NEW REF: the commands of a push
head_of() {
	local line
	printf -v line '%s %s %s' "$zero" "$1" "$2"
	printf '%04x%s\0 report-status side-band-64k0000' \
		$((4 + ${#line} + 29)) "$line"
}
cd "$T/b" || exit 1
commit "$T/w" hello "line 2"
new=$(tip "$T/w" main)
git -C "$T/w" pack-objects -q --stdout --revs <<<"$new"$'\n'"^$tip" >pack 2>/dev/null
fetch_of() { pkt "want $tip"$'\n'; printf 0000; pkt $'done\n'; }
fetch_of >fetch
{ head_of "$new" refs/heads/plain; cat pack; } >push
{ head_of "$new" refs/heads/zipped; cat pack; } >zipped
{ head_of "$new" refs/heads/closed/x; cat pack; } >closed
for name in fetch zipped closed; do gzip -kn $name; done
head -c -9 fetch.gz >cut.gz
cat fetch.gz fetch.gz >twice.gz
{ cat zipped.gz; echo x; } >behind.gz
perl -0777 -pe 'substr($_, -8, 1) ^= "\1"' fetch.gz >sum.gz
# bomb UNIT: gzip of standard input, then of UNIT until it is 1 GB: compressed
# once, and repeated, since each run of it stands by itself
bomb() {
	perl -MCompress::Zlib -e 'my ($d) = deflateInit(-WindowBits => -15,
			-Level => 9);
		my ($head, $unit) = (do { local $/; scalar <STDIN> }, $ARGV[0] x
			(1e6 / length $ARGV[0]));
		my $crc = 0;
		sub run { $crc = crc32($_[0], $crc); my $out = $d->deflate($_[0]);
			return $out . $d->flush(Z_FULL_FLUSH) }
		my $n = int((1 << 30) / length $unit);
		binmode STDOUT;
		print pack("C10", 31, 139, 8, (0) x 6, 3), run($head // "");
		print my $again = run($unit);
		for (2 .. $n) { print $again; $crc = crc32($unit, $crc) }
		my $end = $d->flush;
		print $end, pack("VV", $crc, length($head // "") + $n * length $unit)
	' "$1"
}
bomb 0 </dev/null >zeros.gz
{ pkt "want $tip"$'\n'; printf 0000; } | bomb "0032have $tip"$'\n' >haves.gz
{ head_of "$new" refs/heads/bomb; printf PACK; } | bomb 0 >push.bomb.gz

# --- asking --------------------------------------------------------------------

service() {
	case $1 in
	push*|zipped*|closed*|behind*|zeros.push*) echo receive ;;
	*) echo upload ;;
	esac
}
# post FILE ARGUMENT...: raw FastCGI, -OPTIONs of fcgi.pl, then NAME=VALUEs
post() {
	local file=$1 options=() kind
	shift
	kind=$(service "$file")
	while [[ ${1:-} == -* ]]; do options+=("$1" "$2"); shift 2; done
	fcgi -body "$file" "${options[@]}" "/lab/web/git-$kind-pack" \
		REQUEST_METHOD=POST \
		CONTENT_TYPE=application/x-git-$kind-pack-request "$@"
}
# http FILE OPTION...: the same through a web server
http() {
	local file=$1
	shift
	timeout -k 2 30 perl "$HERE/http.pl" \
		"$GATE/lab/web/git-$(service "$file")-pack" "$file" "$@"
}
gzip='HTTP_CONTENT_ENCODING=gzip'
zip=(-header 'Content-Encoding: gzip')

children() { cat /proc/"${PID[gate]}"/task/*/children | xargs; }
# clock ticks of it and of the children that it has waited for
ticks() { awk '{ print $14 + $15 + $16 + $17 }' /proc/"${PID[gate]}"/stat; }
calm() {
	local before
	[ -z "$(children)" ] || return 1
	before=$(ticks)
	sleep 0.1
	[ "$(ticks)" -eq "$before" ]
}
lines() { wc -l <"$T/gate.log"; }
audit() { tail -n "+$((mark + 1))" "$T/gate.log" | grep -aE 'audit' >"$T/audit"; }
# that of another request may come first
audited() { audit && grep -Eaq -e "$1" "$T/audit"; }

# refused NAME CODE DETAIL COMMAND...: the answer says so, the log why, and
# nothing is left that runs
refused() {
	local name=$1 code=$2 detail=$3
	shift 3
	mark=$(lines)
	try "$@"
	like "$name: a sentence" 'git-gate: .*[a-z]+ [a-z]+ [a-z]+'
	like "$name: the machine's line" \
		"git-gate: refused code=$code retry=(yes|no) id=[0-9a-f]{16}"
	cp "$T/said" "$T/answer"
	logged "$name" "$code" "$detail"
	cp "$T/answer" "$T/said"
}
# logged NAME CODE DETAIL: where nobody can be answered any more
logged() {
	wait_for 10 audited "code=$2 .*$3"
	like "$1: the log says why" "code=$2 .*$3" "$T/audit"
	ok "$1: nothing runs or computes" wait_for 10 calm
}
# served NAME REGEX COMMAND...
served() {
	local name=$1 regex=$2
	shift 2
	ok "$name" "$@"
	like "$name: served" "$regex"
	unlike "$name: not refused" 'refused code='
}
peak() { awk '/^VmHWM/ { print $2 }' /proc/"${PID[gate]}"/status; }
resident() { awk '/^VmRSS/ { print $2 }' /proc/"${PID[gate]}"/status; }
# small NAME ...: as refused, and its memory does not grow
small() {
	local before
	before=$(resident)
	echo 5 >/proc/"${PID[gate]}"/clear_refs
	refused "$@"
	diag "$1: resident $before kB, at most $(peak) kB"
	ldd "$BUILD/git-gated" | grep -q libasan && return
	[ $(($(peak) - before)) -lt 1024 ]
	result $? "$1: its memory grows by less than 1 MiB"
	figure "$1 (1 GB): refused; the responder's peak grows by" "1024 KiB" \
		"$(($(peak) - before)) KiB"
}

# --- raw -----------------------------------------------------------------------

start_gate
size=$(stat -c %s fetch)
cgi=CONTENT_LENGTH
served "a plain fetch" PACK post fetch
served "a gzip'd fetch" PACK post fetch.gz $gzip
served "the gzip of another name" PACK post fetch.gz \
	HTTP_CONTENT_ENCODING=X-GZip
served "identity is plain" PACK post fetch HTTP_CONTENT_ENCODING=Identity
served "a fetch without a length" PACK post fetch $cgi=
served "a gzip'd fetch without a length" PACK post fetch.gz $cgi= $gzip
served "a gzip'd push" 'ok refs/heads/zipped' post zipped.gz $gzip
is "a gzip'd push: it has arrived" "$(tip "$bare" zipped)" "$new"

refused "a byte too few" bad-request \
	"$size bytes of the body came, CONTENT_LENGTH = $((size + 1))" \
	post fetch $cgi=$((size + 1))
like "a byte too few: which is what is said" 'less of it came than it said'
refused "a byte too many" bad-request \
	"$size bytes of the body came, CONTENT_LENGTH = $((size - 1))" \
	post fetch $cgi=$((size - 1))
like "a byte too many: which is what is said" 'more of .* came than it said'
refused "a push with a byte too few" bad-request 'bytes of the body came' \
	post push $cgi=$(($(stat -c %s push) + 1))
like "a push with a byte too few: its reference is named" 'ng refs/heads/plain'
is "a push with a byte too few: nothing arrived" "$(tip "$bare" plain)" ""
refused "a push that is cut off" bad-request 'bytes of the body came' \
	post push -cut 300
refused "a fetch without a length that is cut off" bad-request \
	'then the connection broke' post fetch -cut 40 $cgi=
refused "a push without a length that is cut off" bad-request \
	'then the connection broke' post push -cut 300 $cgi=
refused "a gzip'd push that is cut off" bad-request 'bytes of the body came' \
	post zipped.gz -cut 300 $gzip
for length in x -1 1x '1 ' 0x10 9999999999999999999 1,1; do
	refused "a length of '$length'" bad-request \
		'CONTENT_LENGTH is not a length' post fetch "$cgi=$length"
done
refused "a length that is too large" too-large 'session.maxRequest = 32m' \
	post fetch $cgi=999999999999999999
refused "a push whose length is too large" too-large 'session.maxBody = 64m' \
	post push $cgi=67108865
refused "a gzip'd push whose length is too large" too-large . \
	post zipped.gz $cgi=67108865 $gzip
like "a gzip'd push whose length is too large: its reference is named" \
	'ng refs/heads/zipped'

not='the body is not one whole gzip stream'
refused "plain, but called gzip" bad-request "$not" post fetch $gzip
refused "a plain push, but called gzip" bad-request "$not" post push $gzip
refused "gzip, but not called so" bad-request "push" post zipped.gz
refused "gzip cut off, its length adapted" bad-request "$not" \
	post cut.gz $gzip
refused "gzip with a wrong checksum" bad-request "$not" post sum.gz $gzip
refused "gzip twice" bad-request "$not" post twice.gz $gzip
refused "a gzip'd push with something behind it" bad-request "$not" \
	post behind.gz $gzip
: >empty
refused "an empty body, but called gzip" bad-request "$not" post empty $gzip
for name in br deflate 'gzip, gzip' zstd; do
	refused "encoding '$name'" bad-request 'a Content-Encoding' \
		post fetch "HTTP_CONTENT_ENCODING=$name"
done
refused "a push in another encoding" bad-request 'a Content-Encoding' \
	post push HTTP_CONTENT_ENCODING=br
like "a push in another encoding: its status" '^Status: 415 '
refused "a gzip'd push that policy denies" denied . post closed.gz $gzip
like "a gzip'd push that policy denies: in its own terms" \
	'ng refs/heads/closed/x denied'
printf '0000and so on' >push.nothing
refused "a push of nothing, and more" bad-request 'more follows' \
	post push.nothing

refused "a client that falls silent" timeout \
	'nothing came for session.readTimeout = 2s' post fetch -half 40
refused "a push that falls silent" timeout \
	'nothing came for session.readTimeout = 2s' post push -half 300
like "a push that falls silent: its reference is named" 'ng refs/heads/plain'
refused "a gzip'd push that falls silent" timeout 'session.readTimeout = 2s' \
	post zipped.gz -half 250 $gzip
cp zeros.gz zeros.push.gz
small "a bomb of zeros as a fetch" too-large 'inflates to more than 64 times' \
	post zeros.gz $gzip
small "a bomb of zeros as a push" bad-request 'hexadecimal|push' \
	post zeros.push.gz $gzip
small "a bomb of haves" too-large 'inflates to more than 64 times' \
	post haves.gz $gzip
small "a bomb of a push" too-large 'inflates to more than 64 times' \
	post push.bomb.gz $gzip
like "a bomb of a push: its reference is named" 'ng refs/heads/bomb'
small "a bomb without a length" too-large 'inflates to more than 64 times' \
	post haves.gz $cgi= $gzip

# --- through the web servers ---------------------------------------------------

for server in nginx lighttpd; do
	start_web $server
	served "$server: a gzip'd fetch" PACK http fetch.gz "${zip[@]}"
	served "$server: chunked" PACK http fetch.gz -chunked "${zip[@]}"
	refused "$server: plain, but called gzip" bad-request "$not" \
		http fetch "${zip[@]}"
	refused "$server: gzip cut off" bad-request "$not" \
		http cut.gz "${zip[@]}"
	refused "$server: another encoding" bad-request 'a Content-Encoding' \
		http push -header 'Content-Encoding: br'
	refused "$server: a gzip'd push that policy denies" denied . \
		http closed.gz -chunked "${zip[@]}"
	small "$server: a bomb of zeros" too-large 'inflates to more than 64 times' \
		http zeros.gz "${zip[@]}"
	small "$server: a bomb of haves" too-large 'inflates to more than 64 times' \
		http haves.gz -chunked "${zip[@]}"
	small "$server: a bomb of a push" too-large 'inflates to more than 64 times' \
		http push.bomb.gz -chunked "${zip[@]}"
done

# reads N: so much has come of a body
reads() {
	"$BUILD/git-gate" status -c "$T/gate.conf" | grep -E " body .* $1 +0 "
}
start_web nginx
for how in '' -chunked; do
	refused "nginx: a push that falls silent${how:+, chunked}" timeout \
		'nothing came for session.readTimeout = 2s' \
		http push -send 300 $how
	like "nginx: a push that falls silent: the client sees it" \
		'^HTTP/1.1 200 '
	mark=$(lines)
	start client perl "$HERE/http.pl" "$GATE/lab/web/git-receive-pack" \
		push -send 300 $how
	wait_for 10 reads 300
	stop client KILL
	logged "nginx: cut off${how:+, chunked}" bad-request \
		'bytes of the body came, (CONTENT_LENGTH = |then the)'
done
refused "nginx: a fetch that falls silent" timeout \
	'nothing came for session.readTimeout = 2s' http fetch -send 40

# --- what git itself sends -----------------------------------------------------

for i in {1..300}; do
	c=$(git -C "$T/w" commit-tree -m "number $i" "$new^{tree}")
	echo "create refs/heads/many/$i $c"
done >refs
git -C "$T/w" update-ref --stdin <refs
for version in 0 2; do
	for server in nginx lighttpd; do
		start_web $server
		git=(git -c protocol.version=$version)
		ok "v$version, $server: a push of 300 references" "${git[@]}" \
			-C "$T/w" push "$GATE/lab/web" \
			"refs/heads/many/*:refs/heads/v$version-$server/*"
		rm -rf "$T/clone"
		export GIT_TRACE_CURL=$T/curl GIT_TRACE_CURL_NO_DATA=1
		: >"$T/curl"
		ok "v$version, $server: a clone of 300 references" \
			"${git[@]}" clone "$GATE/lab/web" "$T/clone"
		unset GIT_TRACE_CURL GIT_TRACE_CURL_NO_DATA
		like "v$version, $server: it sent gzip" \
			'Send header: Content-Encoding: gzip' "$T/curl"
		is "v$version, $server: all are there" \
			"$(git -C "$T/clone" for-each-ref \
				"refs/remotes/origin/v$version-$server" | wc -l)" 300
		ok "v$version, $server: it is sound" git -C "$T/clone" fsck
	done
done
ok "afterwards nothing runs or computes" wait_for 10 calm
stop gate
is "the gate ends cleanly" $rc 0

# --- a body slower than its session --------------------------------------------

# nor is who reads now and then taken for one who has fallen silent
settings "sessionTimeout = 3s" 20s
start_gate
start_web nginx
over='its body took all of session.sessionTimeout = 3s'
head -c 20000 /dev/zero >more
{ cat push more; } >push.slow
refused "a byte now and then" timeout "$over" post push.slow -drip 300
refused "a byte now and then, without a length" timeout "$over" \
	post push.slow -drip 300 $cgi=
refused "nginx: a byte now and then" timeout "$over" \
	http push.slow -send 300 -drip
refused "nginx: a byte now and then, chunked" timeout "$over" \
	http push.slow -send 300 -drip -chunked
like "nginx: a byte now and then: the client sees it" '^HTTP/1.1 200 '
{ cat push; head -c 60M /dev/zero; } >push.fast
fast() {
	timeout -k 2 30 curl -sSi --limit-rate 4M -H Expect: "$@" \
		-H 'Content-Type: application/x-git-receive-pack-request' \
		--data-binary @push.fast "$GATE/lab/web/git-receive-pack"
}
refused "nginx: much, but too slow" timeout "$over" fast
refused "nginx: much, but too slow, chunked" timeout "$over" \
	fast -H 'Transfer-Encoding: chunked'
stop gate
is "the gate ends cleanly again" $rc 0

settings "sessionTimeout = 5s" 1m
start_gate
refused "silence that would outlast the session" timeout \
	'session.sessionTimeout = 5s' post push -half 300
stop gate
settings "stopTimeout = 1s" 1m
start_gate
mark=$(lines)
start slow perl "$HERE/fcgi.pl" "$T/gate.sock" -body push.slow -drip 300 \
	/lab/web/git-receive-pack REQUEST_METHOD=POST \
	CONTENT_TYPE=application/x-git-receive-pack-request
wait_for 10 reads '3[0-9]+'
stop gate
is "the gate is stopped under a slow body: it ends cleanly" $rc 0
ok "the slow client has its answer" wait_for 5 gone "${PID[slow]}"
like "it was told why" 'git-gate: the gate is being stopped' "$T/slow.log"
audit
like "and the log says so" \
	'code=timeout .*its body was not there after session.stopTimeout = 1s' \
	"$T/audit"
unlike "the log is free of sanitizer reports" \
	'Sanitizer|runtime error' "$T/gate.log"
done_testing
