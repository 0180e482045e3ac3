#!/usr/bin/perl
# stall.pl TO FILE: a TCP proxy on a free port of 127.0.0.1 to port TO, whose
# number goes to FILE.port. While FILE.cut is there nothing passes, in either
# direction and of new connections too, and nobody is told: a network that is
# cut. What was taken before is delivered when the file has gone. While FILE.old
# is there the same is true of those connections that are older than the file.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($to, $file) = @ARGV;
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64)
	or die "listen: $!";
$SIG{PIPE} = 'IGNORE';
my $select = IO::Select->new($listen);
my (%other, %deaf);
my $was_old = 0;

sub end {
	my ($from) = @_;
	my $peer = $other{$from} or return;
	for my $s ($from, $peer) {
		$select->remove($s);
		delete $other{$s};
		delete $deaf{$s};
		close $s;
	}
}

sub begin {
	my $client = $listen->accept or return;
	my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
		PeerPort => $to);
	return close $client unless $server;
	$client->sockopt(Socket::TCP_NODELAY(), 1);
	$other{$client} = $server;
	$other{$server} = $client;
	$select->add($client, $server);
}

sub pass {
	my ($from) = @_;
	# not heard now; what it says stays where it is
	return select undef, undef, undef, 0.01 if $deaf{$from};
	my $n = sysread $from, my $data, 65536;
	return end($from) unless $n;
	my $at = 0;
	while ($at < $n) {
		my $w = syswrite $other{$from}, $data, $n - $at, $at;
		return end($from) unless $w;
		$at += $w;
	}
}

open my $port, '>', "$file.port.new" or die "$file.port: $!";
print $port $listen->sockport, "\n";
close $port;
rename "$file.port.new", "$file.port" or die "$file.port: $!";
for (;;) {
	if (-e "$file.cut") {
		select undef, undef, undef, 0.02;
		next;
	}
	my $old = -e "$file.old" || 0;
	if ($old != $was_old) { %deaf = map { $_ => $old } keys %other }
	$was_old = $old;
	for my $s ($select->can_read(0.05)) {
		if ($s == $listen) { begin() }
		elsif ($other{$s}) { pass($s) }
	}
}
