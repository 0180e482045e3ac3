#!/usr/bin/perl
# An upstream's git-receive-pack or git-upload-pack that fails as it is told:
# it stands between the client and the real program.
#   rogue.pl POINT ACTION PROGRAM...
# POINT   start      before the program runs
#         advert     its references have been passed on
#         input:N    N bytes of the client's have been passed on
#         answer     it has ended; what it said after its references is held
# ACTION  cut        the program is killed and the connection ends
#         hang       nothing more comes until the client leaves, 60 s at most
#         wait:MS    so many milliseconds of nothing, then all goes on
#         slow:MS    from now on so many milliseconds for each 4 KB
#         run:SHELL  a command in the repository, then all goes on
#         err:TEXT   of an answer: TEXT as an error, in place of the report
# COUNT=FILE in the environment: only while the file has a line left to lose.
use strict;
use warnings;
use IO::Poll qw(POLLIN POLLHUP POLLERR);
use IPC::Open2;
use Time::HiRes qw(sleep time);

my ($where, $what, @program) = @ARGV;
my ($point, $bytes) = split /:/, $where;
my ($action, $detail) = split /:/, $what, 2;
$bytes = 0 if !defined $bytes;
my ($slow, $told, $gone, $held, $head) = (0, 0, 0, '', '');
my $pid;

sub last_line {
	my $file = $ENV{COUNT} // return 0;
	open my $f, '<', $file or return 1;
	my ($first, @rest) = <$f>;
	open $f, '>', $file or die "$file: $!";
	print $f @rest;
	return !defined $first;
}

sub put {
	my ($to, $s) = @_;
	while (length $s) {
		my $n = syswrite $to, $s;
		exit 1 if !defined $n;
		substr $s, 0, $n, '';
	}
}

sub cut {
	kill 'KILL', $pid if $pid;
	exit 1;
}

# The client has left when nobody reads what we say.
sub hang {
	my $end = time + 60;
	my $poll = IO::Poll->new;
	$poll->mask(\*STDOUT => POLLERR);
	while (time < $end) {
		$poll->poll(1);
		last if $poll->events(\*STDOUT) & (POLLERR | POLLHUP);
	}
	cut();
}

my %actions = (
	cut => \&cut,
	hang => \&hang,
	wait => sub { sleep $detail / 1000 },
	slow => sub { $slow = $detail / 1000 },
	err => sub {
		# a report is packets in the first side-band (gitprotocol-pack)
		my $error = "ERR $detail";
		$error = sprintf '%04x%s', 4 + length $error, $error;
		$held = sprintf "%04x\1%s0000", 5 + length $error, $error;
	},
	run => sub { system('/bin/sh', '-c', "cd '$program[-1]' && $detail") },
);
sub act {
	my ($at) = @_;
	return if $at ne $point;
	$point = '';
	$actions{$action}->();
}

# The references end with a flush packet (gitprotocol-pack).
sub told {
	while ($head =~ /^([0-9a-f]{4})/i) {
		my $n = hex $1;
		return 1 if !$n;
		return 0 if length $head < $n;
		substr $head, 0, $n, '';
	}
	return 0;
}

sub from_program {
	my ($s) = @_;
	if ($told && $point eq 'answer') {
		$held .= $s;
		return;
	}
	put(\*STDOUT, $s);
	return if $told;
	$head .= $s;
	$told = told();
	act('advert') if $told;
}

sub from_client {
	my ($in, $to) = @_;
	my $most = 4096;
	$most = $bytes if $point eq 'input' && $bytes && $bytes < $most;
	my $n = sysread $in, (my $s), $most;
	if (!$n) {
		$gone = 1;
		close $to;
		return;
	}
	sleep $slow if $slow;
	put($to, $s);
	$bytes -= $n if $point eq 'input';
	act('input') if $point eq 'input' && $bytes <= 0;
}

exec @program if last_line();
$SIG{PIPE} = 'IGNORE';
act('start');
$pid = open2(my $out, my $in, @program);
while (1) {
	my $poll = IO::Poll->new;
	$poll->mask($out => POLLIN);
	$poll->mask(\*STDIN => POLLIN) if !$gone;
	$poll->poll(60) or cut();
	if ($poll->events($out)) {
		my $n = sysread $out, (my $s), 65536;
		last if !$n;
		from_program($s);
	}
	from_client(\*STDIN, $in) if !$gone && $poll->events(\*STDIN);
}
waitpid $pid, 0;
my $status = $? >> 8;
$pid = 0;
act('answer');
put(\*STDOUT, $held);
exit $status;
