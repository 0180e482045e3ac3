#!/usr/bin/perl
# A proxy for tests, of CONNECT alone (RFC 9110, section 9.3.6):
# connect.pl PORT LOG. Each request line goes to LOG. Ends when it is told to,
# or after two minutes.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($port, $log) = @ARGV;
my $door = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port,
	Listen => 16, ReuseAddr => 1) or die "cannot listen: $!\n";
my $end = time + 120;
my (%peer, %head);
my $all = IO::Select->new($door);

sub drop {
	for my $s (@_) {
		next unless $s;
		$all->remove($s);
		delete $head{$s};
		delete $peer{$s};
		close $s;
	}
}

# The head of a request, whole: the way is opened, or not.
sub open_way {
	my ($s) = @_;
	my ($line) = $head{$s} =~ /\A(.*?)\r\n/;
	open my $out, '>>', $log or die "$log: $!\n";
	print $out "$line\n";
	close $out;
	my ($to) = $line =~ m{\ACONNECT (127\.0\.0\.1:[0-9]+) HTTP/1\.[01]\z};
	my $far = $to && IO::Socket::INET->new(PeerAddr => $to, Timeout => 5);
	if (!$far) {
		syswrite $s, "HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n";
		return drop($s);
	}
	syswrite $s, "HTTP/1.1 200 Open\r\n\r\n";
	delete $head{$s};
	$peer{$s} = $far;
	$peer{$far} = $s;
	$all->add($far);
}

while (time < $end) {
	for my $s ($all->can_read(1)) {
		if ($s == $door) {
			my $new = $door->accept or next;
			$head{$new} = '';
			$all->add($new);
			next;
		}
		my $far = $peer{$s};
		next unless $far || exists $head{$s};
		my $n = sysread $s, my $bytes, 65536;
		if (!$n) {
			drop($s, $far);
		} elsif (!$far) {
			$head{$s} .= $bytes;
			open_way($s) if $head{$s} =~ /\r\n\r\n/;
		} else {
			# blocks, but never for ever: both ends are here
			for (my $at = 0; $at < $n;) {
				my $put = syswrite $far, $bytes, $n - $at, $at;
				if (!$put) { drop($s, $far); last }
				$at += $put;
			}
		}
	}
}
