#!/usr/bin/perl
# One FastCGI request, as a web server would send it, or as none would:
#   fcgi.pl SOCKET [OPTION...] PATH [NAME=VALUE...]
# SOCKET is a path or HOST:PORT. Prints what the responder wrote to stdout, and
# "[closed]" on standard error where it did not end the request, "[broken]" where
# what came is no record.
#   -body FILE   the request's body, its length in CONTENT_LENGTH
#   -cut N       send N bytes of the body only, then close our side
#   -half N      send N bytes, then neither more nor an end
#   -drip N      send N bytes, then one byte every 0.2 s
#   -late FILE   read nothing of the answer before this file is there
#   -without NAME   leave a parameter out
# In values \xNN stands for a byte, and @N for N letters.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;

my ($begin, $end, $params, $stdin, $stdout, $stderr) = (1, 3, 4, 5, 6, 7);

sub record {
	my ($type, $data) = @_;
	return pack('CCnnCC', 1, $type, 1, length $data, 0, 0) . $data;
}

# A stream in records, and the empty one that ends it.
sub stream {
	my ($type, $data, $ends) = @_;
	my $out = '';
	for (my $i = 0; $i < length $data; $i += 65000) {
		$out .= record($type, substr $data, $i, 65000);
	}
	return $out . ($ends ? record($type, '') : '');
}

sub size {
	my ($n) = @_;
	return $n < 128 ? pack('C', $n) : pack('N', $n | 0x80000000);
}

my $to = shift or die "usage: fcgi.pl SOCKET [OPTION...] PATH [NAME=VALUE...]\n";
my %p = (
	REQUEST_METHOD => 'GET', QUERY_STRING => '', REMOTE_ADDR => '127.0.0.1',
	SERVER_PROTOCOL => 'HTTP/1.1', GATEWAY_INTERFACE => 'CGI/1.1',
	SERVER_NAME => 'localhost', SERVER_PORT => 80,
);
my ($body, $send, $ends) = ('', undef, 1);
my (@without, $late);
while (@ARGV && $ARGV[0] =~ /^-(body|cut|half|drip|late|without)$/) {
	shift;
	my $value = shift;
	if ($1 eq 'body') {
		open my $f, '<:raw', $value or die "$value: $!\n";
		local $/;
		$body = <$f>;
		$p{CONTENT_LENGTH} = length $body;
	} elsif ($1 eq 'without') {
		push @without, $value;
	} elsif ($1 eq 'late') {
		$late = $value;
	} else {
		($send, $ends) = ($value, $1);
	}
}
$p{PATH_INFO} = shift;
for (@ARGV) {
	my ($name, $value) = split /=/, $_, 2;
	$value =~ s/\\x([0-9a-f]{2})/chr hex $1/gie;
	$value =~ s/^@([0-9]+)$/'a' x $1/e;
	$p{$name} = $value;
}
$p{PATH_INFO} =~ s/\\x([0-9a-f]{2})/chr hex $1/gie;
delete @p{@without};

my $s = $to =~ m{^/} ? IO::Socket::UNIX->new(Peer => $to)
                     : IO::Socket::INET->new(PeerAddr => $to);
$s or die "cannot connect to $to: $!\n";
binmode $s;
$SIG{PIPE} = 'IGNORE';

my $all = join '', map { size(length) . size(length $p{$_}) . $_ . $p{$_} }
	sort keys %p;
my $ended = !defined $send;
print $s record($begin, pack 'nCx5', 1, 0), stream($params, $all, 1),
	stream($stdin, defined $send ? substr($body, 0, $send) : $body, $ended);
$s->flush;
shutdown $s, 1 if $ends eq 'cut';
if ($ends eq 'drip') {
	my $all = IO::Select->new($s);
	for (my $at = $send; $at < length $body; $at++) {
		last if $all->can_read(0.2);
		syswrite $s, record($stdin, substr $body, $at, 1) or last;
	}
}

# Answers: records of stdout and stderr until the request's end.
my ($in, $seen_end) = ('', 0);
select undef, undef, undef, 0.05 while defined $late && !-e $late;
while (!$seen_end && sysread $s, $in, 65536, length $in) {
	while (length $in >= 8) {
		my ($version, $type, undef, $n, $pad) = unpack 'CCnnC', $in;
		print STDERR "[broken]\n" and exit 1 if $version != 1;
		last if length $in < 8 + $n + $pad;
		my $data = substr $in, 8, $n;
		substr $in, 0, 8 + $n + $pad, '';
		print $data if $type == $stdout;
		print STDERR $data if $type == $stderr;
		$seen_end = 1 if $type == $end;
	}
}
print STDERR "[closed]\n" if !$seen_end;
exit($seen_end ? 0 : 1);
