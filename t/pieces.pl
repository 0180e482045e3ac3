#!/usr/bin/perl
# pieces.pl URL FILE: a push whose body, FILE, goes out as it is told to, in
# chunks. Takes lines on standard input and says "done" after each:
#   to N      the body up to its byte N; 0 is its end
#   junk N    N bytes that are not of it
#   pace N    the same, with 3 MB a second
#   wait S    nothing for so many seconds
#   end       the end of the request: then what its answer has is printed,
#             of its status line and of all bands together
#   leave     no end
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes qw(sleep);

$SIG{PIPE} = 'IGNORE';
$| = 1;
my ($url, $file) = @ARGV;
my ($host, $path) = $url =~ m{^http://([^/]+)(/.*)} or die "no URL: $url\n";
open my $in, '<:raw', $file or die "$file: $!\n";
my $body = do { local $/; <$in> };
my $at = 0;
my $s = IO::Socket::INET->new(PeerAddr => $host, Timeout => 10)
	or die "$host: $!\n";

sub out {
	my ($data) = @_;
	for (my $n = 0; $n < length $data;) {
		$n += syswrite($s, $data, length($data) - $n, $n) || return;
	}
}
# An answer's status, and its bands as one text.
sub answer {
	my ($head, $rest) = split /\r\n\r\n/, $_[0], 2;
	my ($packets, $text) = ('', '');
	while ($rest =~ s/^([0-9a-f]+)\r\n//) {
		$packets .= substr $rest, 0, hex $1, '';
		$rest =~ s/^\r\n//;
	}
	while ($packets =~ s/^([0-9a-f]{4})//) {
		my $data = hex $1 < 5 ? '' : substr $packets, 0, hex($1) - 4, '';
		$text .= substr $data, 1 if $data =~ /^[\1-\3]/;
	}
	return ($head =~ /^(.*)/)[0] . "\n$text\n";
}
sub chunk {
	out(sprintf("%x\r\n", length $_[0]) . $_[0] . "\r\n") if length $_[0];
}

out("POST $path/git-receive-pack HTTP/1.1\r\nHost: $host\r\n" .
	"Content-Type: application/x-git-receive-pack-request\r\n" .
	"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
while (<STDIN>) {
	my ($word, $n) = split;
	if ($word eq 'to') {
		$n = length $body if !$n;
		for (; $at < $n; $at += 65536) {
			chunk(substr $body, $at,
				$n - $at < 65536 ? $n - $at : 65536);
		}
		$at = $n;
	} elsif ($word eq 'junk') {
		chunk('x' x $n);
	} elsif ($word eq 'pace') {
		for (; $n > 0; $n -= 16384) {
			chunk('x' x 16384);
			sleep 0.005;
		}
	} elsif ($word eq 'wait') {
		sleep $n;
	} elsif ($word eq 'end') {
		out("0\r\n\r\n");
		local $/;
		print answer(<$s> // '');
		exit;
	} else {
		exit;
	}
	print "done\n";
}
