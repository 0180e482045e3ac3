# shellcheck shell=bash disable=SC2154 # sourced by bench/serve
# The gate when nobody asks for anything: another one, started for this; and
# fcgiwrap with 16 children as it runs here.

# ready: milliseconds from exec until the first request is answered
ready() {
	perl -MTime::HiRes=time -MIO::Socket::UNIX -e '
		my ($at, @command) = @ARGV;
		sub part { pack "CCnnCC", 1, $_[0], 1, length $_[1], 0, 0 }
		sub record { part(@_) . $_[1] }
		my %p = (REQUEST_METHOD => "GET", PATH_INFO => "/-/health",
			QUERY_STRING => "", REMOTE_ADDR => "127.0.0.1",
			SERVER_PROTOCOL => "HTTP/1.1");
		my $p = join "", map { chr(length) . chr(length $p{$_}) .
			$_ . $p{$_} } keys %p;
		my $t = time;
		my $pid = fork // die;
		if (!$pid) { open STDOUT, ">", "/dev/null";
			exec @command or die }
		my $s;
		until ($s = IO::Socket::UNIX->new($at)) {
			die "bench/serve: it does not start\n" if time > $t + 30;
			select undef, undef, undef, 0.0005;
		}
		print $s record(1, pack "nCx5", 1, 0), record(4, $p),
			record(4, ""), record(5, "");
		$s->flush;
		my $in = "";
		1 while sysread $s, $in, 4096, length $in;
		die "bench/serve: no answer\n" if $in !~ /200|text/;
		printf "%.2f %d\n", (time - $t) * 1000, $pid' \
		"$T/idle.sock" "$build/git-gated" -f -c "$T/idle.conf" \
		-s "$T/idle.sock" 2>>"$T/idle.log"
}
# switches PID...: how often their threads have given up the processor
switches() {
	local pid
	for pid; do cat "/proc/$pid/task/"*/status; done |
		awk '/ctxt_switches/ { n += $2 } END { print n }'
}
# resident PID...: megabytes
resident() {
	local pid
	for pid; do cat "/proc/$pid/status"; done |
		awk '/^VmRSS/ { n += $2 } END { print n / 1024 }'
}
part_idle() {
	local r said before pid all
	sed "s|state = .*|state = $T/idle|" "$T/gate.conf" >"$T/idle.conf"
	chmod 600 "$T/idle.conf"
	for ((r = 0; r < rounds; r++)); do
		rm -f "$T/idle.sock"
		said=$(ready)
		echo "${said% *}" >>"$T/ready.gate"
		pid=${said#* }
		mapfile -t all < <(descendants "$pid")
		resident "${all[@]}" >>"$T/rss.gate"
		[ $((r + 1)) = "$rounds" ] || end_idle "$pid"
	done

	# the end of that request, also on a busy machine
	pause 3
	before=$(switches "${all[@]}")
	pause 5
	echo "$before $(switches "${all[@]}")" |
		awk '{ print $2 - $1 }' >"$T/wakes.gate"
	end_idle "$pid"
	mapfile -t all < <(descendants "$wrap")
	resident "${all[@]}" >"$T/rss.fcgiwrap"
	before=$(switches "${all[@]}")
	pause 5
	echo "$before $(switches "${all[@]}")" |
		awk '{ print $2 - $1 }' >"$T/wakes.fcgiwrap"
	bound "idle: resident after start, MB" rss "<= 4"
	bound "idle: wake-ups in 5 s" wakes "<= 0"
	bound "start: ms from exec to the first answer" ready "<= 50"
}
gone() { [ ! -e "/proc/$1" ]; }
end_idle() {
	kill "$1"
	wait_for gone "$1"
}
