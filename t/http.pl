#!/usr/bin/perl
# One HTTP POST, as git would send it, or as none would:
#   http.pl URL BODY-FILE [OPTION...]
# Prints the answer, its head included, until the server closes.
#   -header TEXT    one more line of the head
#   -chunked        no length
#   -length N       this length, whatever is sent
#   -send N         send N bytes of the body, then neither more nor an end
#   -drip           after that one byte every 0.2 s
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($url, $file) = splice @ARGV, 0, 2;
my ($to, $path) = $url =~ m{^http://([^/]+)(/.*)} or die "no URL: $url\n";
my ($service) = $path =~ m{/(git-[a-z]+-pack)$};
open my $f, '<:raw', $file or die "$file: $!\n";
my $body = do { local $/; <$f> };
my ($send, $length, %is, @head);
while (@ARGV) {
	my $option = shift;
	if ($option eq '-header') { push @head, shift }
	elsif ($option eq '-send') { $send = shift }
	elsif ($option eq '-length') { $length = shift }
	elsif ($option =~ /^-(chunked|drip)$/) { $is{$1} = 1 }
	else { die "no such option: $option\n" }
}
unshift @head, "POST $path HTTP/1.1", "Host: $to", 'Connection: close',
	"Content-Type: application/x-$service-request",
	$is{chunked} ? 'Transfer-Encoding: chunked'
		: 'Content-Length: ' . ($length // length $body);
sub piece { $is{chunked} ? sprintf("%x\r\n%s\r\n", length $_[0], $_[0]) : $_[0] }

my $s = IO::Socket::INET->new(PeerAddr => $to) or die "$to: $!\n";
$SIG{PIPE} = 'IGNORE';
my $whole = !defined $send;
$send //= length $body;
print $s join("\r\n", @head), "\r\n\r\n", piece(substr $body, 0, $send);
print $s "0\r\n\r\n" if $whole && $is{chunked};
$s->flush;
if ($is{drip}) {
	my $answer = IO::Select->new($s);
	for (my $at = $send; $at < length $body; $at++) {
		last if $answer->can_read(0.2);
		syswrite $s, piece(substr $body, $at, 1) or last;
	}
}
print $_ while defined($_ = <$s>);
