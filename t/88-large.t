#!/bin/bash
# A large push, whichever way it comes: through both web servers, in chunks or
# with a length, taken in by the web server first or not. The responder's
# memory does not grow with it, and there is one copy of it beyond git's own.
# BIG is how large (50m); with 1g this takes some minutes.
. "${SOURCE:?}/t/lib.sh"

LIMIT=600
BLOB=$((100 << 20))
BIG=${BIG:-${LIGHT:+20m}}
size=$(numfmt --from=iec "$(tr a-z A-Z <<<"${BIG:-50m}")")
[ "$size" -ge $BLOB ] || BLOB=$size
mkdir -p "$T/hosted/lab"
conf <<-END
	[repo "lab/*"]
		hosted = $T/hosted
	[access]
		allow = * * lab/*
END

# Blobs that do not compress, of which none can be told by another.
raw=(-c core.compression=0 -c pack.compression=0 -c core.bigFileThreshold=1m)
git init -q -b main "$T/w"
head -c $BLOB /dev/urandom >"$T/noise"
for ((i = 0; i * BLOB < size; i++)); do
	{ printf '%04d' "$i"; cat "$T/noise"; } >"$T/w/blob"
	id=$(git "${raw[@]}" -C "$T/w" hash-object -w blob)
	git -C "$T/w" update-index --add --cacheinfo "100644,$id,blob$i"
done
rm "$T/w/blob" "$T/noise"
git -C "$T/w" commit -qm large
new=$(tip "$T/w" main)
# what is sent: once made, it is sent as it is
git "${raw[@]}" -C "$T/w" repack -qad
pack=$(stat -c %s "$T/w"/.git/objects/pack/*.pack)
diag "the pack has $((pack >> 20)) MiB"

kilobytes() { awk "/^$1/ { print \$2 }" /proc/"${PID[gate]}"/status; }
children() { cat /proc/"${PID[gate]}"/task/*/children | xargs; }
quiet() { [ -z "$(children)" ]; }
# The most bytes that files of the spool have at once, on disk, to a file.
watch() {
	exec perl -e 'my ($pid, $dir, $file) = @ARGV;
		my ($most, $run) = (0, 1);
		$SIG{TERM} = sub { $run = 0 };
		while ($run) {
			my ($now, %seen) = (0);
			for (glob "/proc/$pid/fd/*") {
				next if index(readlink($_) // "", "$dir/");
				my @st = stat or next;
				$now += 512 * $st[12] if !$seen{$st[1]}++;
			}
			$most = $now if $now > $most;
			select undef, undef, undef, 0.05;
		}
		open my $f, ">", $file or die; print $f $most' \
		"${PID[gate]}" "$T/state/spool" "$T/most"
}
# large NAME HEADER GIT-OPTION...: through GATE, into a repository that is made
# for it; git says by which header how long it is
large() {
	local name=$1 header=$2 bare=$T/hosted/lab/web.git before from=$SECONDS
	shift 2
	rm -f "$T/curl"
	git init -q --bare -b main "$bare"
	before=$(kilobytes VmRSS)
	echo 5 >/proc/"${PID[gate]}"/clear_refs
	start watch watch
	ok "$name" env GIT_TRACE_CURL="$T/curl" GIT_TRACE_CURL_NO_DATA=1 \
		timeout -k 5 $LIMIT git "${raw[@]}" "$@" -C "$T/w" \
		push "$GATE/lab/web" main
	stop watch
	is "$name: it has arrived" "$(tip "$bare" main)" "$new"
	like "$name: that is how it was sent" "Send header: $header" "$T/curl"
	diag "$name: $((SECONDS - from)) s; the responder's memory:" \
		"$before kB, at most $(kilobytes VmHWM) kB;" \
		"spooled: $(($(cat "$T/most") >> 20)) MiB"
	[ "$(cat "$T/most")" -gt $((pack * 9 / 10)) ]
	result $? "$name: it was seen in the spool"
	[ "$(cat "$T/most")" -le $((pack + (1 << 20))) ]
	result $? "$name: there was one copy of it"
	figure "a push of $((pack >> 20)) MiB, $name: spooled" "one copy" \
		"$(($(cat "$T/most") >> 20)) MiB"
	ldd "$BUILD/git-gated" | grep -q libasan || {
		[ $(($(kilobytes VmHWM) - before)) -lt 8192 ]
		result $? "$name: memory grew by less than 8 MiB"
		figure "it: the responder's peak grows by" "8192 KiB" \
			"$(($(kilobytes VmHWM) - before)) KiB"
	}
	ok "$name: nothing runs" wait_for 10 quiet
	is "$name: nothing is left in the spool" \
		"$(find "$T/state/spool" -type f; find /proc/"${PID[gate]}"/fd \
			-lname "$T/state/spool/*")" ""
	rm -rf "$bare"
}

eval "$(declare -f conf_nginx | sed '1s/conf_nginx/shipped_nginx/')"
conf_nginx() {
	shipped_nginx "$@"
	sed "s/\(fastcgi_request_buffering\) .*;/\1 $BUFFERING;/" \
		"$SOURCE/nginx-conf/git-gate-params" >"$T/nginx/params"
	mv "$T/nginx/params" "$T/nginx/git-gate-params"
}

start_gate
length=(-c http.postBuffer=$((pack + (1 << 20))))
chunks='Transfer-Encoding: chunked'
BUFFERING=off
start_web nginx
large "nginx, chunked" "$chunks"
large "nginx, with a length" "Content-Length: [0-9]{8,}" \
	"${length[@]}"
stop nginx
BUFFERING=on
start_web nginx
large "nginx that buffers, chunked" "$chunks"
stop nginx
start_web lighttpd
large "lighttpd, chunked" "$chunks"
large "lighttpd, with a length" "Content-Length: [0-9]{8,}" \
	"${length[@]}"
stop gate
is "the gate ends cleanly" $rc 0
done_testing
