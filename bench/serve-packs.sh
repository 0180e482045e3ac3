# shellcheck shell=bash disable=SC2154 # sourced by bench/serve
# Packs of a small and of a large repository: by one client, for the first time
# (nothing is kept of it) and again, and by 32 at once.

clone() {
	rm -rf "$T/clone"
	ms git clone -q "$base/$1.git" "$T/clone"
}
# crowd NAME N: so many fetches at once, read as fast as they come; the first has
# asked 5 ms before the others. Prints milliseconds from when it asked until it
# has a byte of its pack, and, where there are others, from when they asked until
# half of them have.
crowd() {
	perl -MTime::HiRes=time -MIO::Socket::INET -MIO::Select -e '
		my ($to, $name, $n, $file) = @ARGV;
		local (@ARGV, $/) = $file;
		my $body = <>;
		my ($all, $first, $t, $t2) = (IO::Select->new, undef, time);
		for my $i (1 .. $n) {
			my $s = IO::Socket::INET->new($to) or die;
			print $s "POST /$name.git/git-upload-pack HTTP/1.0\r\n",
				"Git-Protocol: version=2\r\nContent-Type: ",
				"application/x-git-upload-pack-request\r\n",
				"Content-Length: ", length $body, "\r\n\r\n",
				$body;
			$all->add($s);
			$first //= $s;
			select undef, undef, undef, 0.005 if $i == 1;
			$t2 = time if $i == 1;
		}
		my (%at, %got, %had);
		while ($all->count) {
			for my $s ($all->can_read) {
				my $n = sysread $s, my $in, 1 << 18;
				$got{$s} += $n // 0;
				$all->remove($s) if !$n;
				next if $at{$s};
				$had{$s} .= $in;
				$at{$s} = time if $had{$s} =~ /PACK/;
			}
		}
		die "bench/serve: an answer has no pack\n"
			if keys %at != $n || grep { $_ < 1000 } values %got;
		my @rest = sort { $a <=> $b } map { $at{$_} }
			grep { $_ ne $first } keys %at;
		printf "%.2f%s\n", ($at{$first} - $t) * 1000, !@rest ? "" :
			sprintf " %.2f", ($rest[@rest / 2] - $t2) * 1000' "${base#http://}" "$1" \
		"$2" "$T/request.$1"
}
# byte_of WHAT SERVER NAME N: of a crowd
byte_of() { crowd "$3" "$4" >>"$T/$1.$2"; }
first() {
	local name=$1 what
	for what in large small; do
		forget
		byte_of "byte-$what" "$name" "$name-$what" 1
		forget
		cost "first-$what" "$name" fetch "$name-$what"
		cost "again-$what" "$name" fetch "$name-$what"
	done
}
part_packs() {
	local r name
	large
	for name in gate-large fcgiwrap-large gate-small fcgiwrap-small; do
		request "$name"
	done
	for ((r = 0; r < rounds; r++)); do
		for name in $(order "$r"); do first "$name"; done
		for name in $(order "$r"); do
			forget
			cost crowd "$name" byte_of crowd-both "$name" \
				"$name-large" 32
		done
	done
	for ((r = 0; r < rounds * 4; r++)); do
		for name in $(order "$r"); do
			clone "$name-small" >>"$T/clone.$name"
		done
	done
	for name in gate fcgiwrap; do
		cut -d" " -f1 "$T/crowd-both.$name" >"$T/crowd-byte.$name"
		cut -d" " -f2 "$T/crowd-both.$name" >"$T/crowd-rest.$name"
		forget
		peak "$T/peak" "web=$T/tmp" "gate=$T/state/spool" -- \
			fetch "$name-large"
		awk '$1 == "all" { print $2 / 1e6 }' "$T/peak" >"$T/temp.$name"
	done
	ratio "git clone of ten commits, ms" clone "<= 0.75"
	ratio "pack of $large_mb MB, first, ms CPU" first-large "<= 1.0"
	ratio "it: again, ms CPU" again-large "<= 0.35"
	ratio "it: first, ms until a byte of it" byte-large ""
	bound "it: temporary files, MB" temp "<= 0"
	ratio "it: 32 at once, ms CPU" crowd "<= 0.2"
	ratio "it: 32 at once, ms until the first has some" crowd-byte "<= 1.0"
	ratio "it: and half of the others" crowd-rest ""
	ratio "pack of ten commits, first, ms CPU" first-small ""
	ratio "it: again, ms CPU" again-small ""
}
