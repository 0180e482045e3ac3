#!/usr/bin/perl
# An HTTP client that behaves badly, with Perl's own modules alone:
#   client.pl storm NAME=VALUE...   many requests that break off, see %o
#   client.pl push URL REF TIP [KB] one whole push of a new commit on TIP
#   client.pl idle URL N            N connections that say nothing
#   client.pl stalled URL N         N pushes that stop after ten bytes of body
#   client.pl slow URL TIP N        N clones of TIP, read at 1 KB/s
# FROM=ADDRESS in the environment is where connections come from. The last
# three say "ready", and hold on until they are killed.
use strict;
use warnings;
use Compress::Zlib ();
use Digest::SHA qw(sha1 sha1_hex);
use IO::Select;
use IO::Socket::INET;
use POSIX qw(WNOHANG);
use Socket qw(SOL_SOCKET SO_LINGER SO_RCVBUF SHUT_WR);
use Time::HiRes qw(sleep time);

$SIG{PIPE} = 'IGNORE';
my $zero = '0' x 40;
my $pool = '';

# --- git's words -----------------------------------------------------------

sub pkt { return sprintf('%04x', 4 + length $_[0]) . $_[0] }

# Bytes that do not compress: another run of the same pool each time.
sub noise {
	my ($n) = @_;
	$pool = join '', map { pack 'N', rand 2**32 } 1 .. 2**18 if !$pool;
	return substr $pool, int rand(length($pool) - $n), $n;
}

sub object {
	my ($type, $kind, $data) = @_;
	my $n = length $data;
	my ($c, $head) = ($type << 4 | $n & 15, '');
	for ($n >>= 4; $n; $n >>= 7) {
		$head .= chr($c | 128);
		$c = $n & 127;
	}
	my $id = sha1("$kind " . length($data) . "\0" . $data);
	return ($id, $head . chr($c) . Compress::Zlib::compress($data, 1));
}

# A commit on a tip, with one file of so many bytes: its id, and a pack.
sub commit {
	my ($tip, $bytes, $name) = @_;
	my ($blob, $one) = object(3, 'blob', "$name\n" . noise($bytes));
	my ($tree, $two) = object(2, 'tree', "100644 noise\0$blob");
	my $who = 'Storm <storm@example.org> 1500000000 +0000';
	my ($id, $three) = object(1, 'commit', 'tree ' . unpack('H*', $tree) .
		"\nparent $tip\nauthor $who\ncommitter $who\n\n$name\n");
	my $pack = pack('A4NN', 'PACK', 2, 3) . $one . $two . $three;
	return (unpack('H*', $id), $pack . sha1($pack));
}

sub push_body {
	my ($ref, $id, $pack) = @_;
	return pkt("$zero $id $ref\0 report-status side-band-64k agent=storm") .
		'0000' . $pack;
}

# --- HTTP --------------------------------------------------------------------

sub parts { $_[0] =~ m{^http://([^/]+)(.*)} or die "no URL: $_[0]\n"; ($1, $2) }

sub dial {
	my ($url) = @_;
	my ($host) = parts($url);
	return IO::Socket::INET->new(PeerAddr => $host, Timeout => 10,
		$ENV{FROM} ? (LocalAddr => $ENV{FROM}) : ());
}

sub chunks {
	my ($data) = @_;
	my $out = '';
	while (length $data) {
		my $part = substr $data, 0, 1 + int rand 65536, '';
		$out .= sprintf("%x\r\n", length $part) . "$part\r\n";
	}
	return $out . "0\r\n\r\n";
}

sub get {
	my ($url) = @_;
	my ($host, $path) = parts($url);
	return "GET $path HTTP/1.1\r\nHost: $host\r\nGit-Protocol: version=2\r\n" .
		"Connection: close\r\n\r\n";
}

sub post_head {
	my ($url, $service, $length) = @_;
	my ($host, $path) = parts("$url/$service");
	return "POST $path HTTP/1.1\r\nHost: $host\r\n" .
		"Content-Type: application/x-$service-request\r\n" .
		($service eq 'git-upload-pack' ? "Git-Protocol: version=2\r\n" : '') .
		(defined $length ? "Content-Length: $length\r\n"
			: "Transfer-Encoding: chunked\r\n") .
		"Connection: close\r\n\r\n";
}

sub post {
	my ($url, $service, $body, $chunked) = @_;
	return post_head($url, $service, $chunked ? undef : length $body) .
		($chunked ? chunks($body) : $body);
}

sub ls_refs { pkt("command=ls-refs\n") . '0001' . pkt("symrefs\n") . '0000' }
sub fetch {
	return pkt("command=fetch\n") . '0001' . pkt("ofs-delta\n") .
		pkt("want $_[0]\n") . pkt("done\n") . '0000';
}

# All of it, or as much as the other side takes.
sub send_all {
	my ($s, $data) = @_;
	my $at = 0;
	while ($at < length $data) {
		my $n = syswrite $s, $data, length($data) - $at, $at;
		return 0 if !$n;
		$at += $n;
	}
	return 1;
}

# At most so many bytes of the answer; returns them.
sub take {
	my ($s, $max) = @_;
	my $in = '';
	while (length $in < $max) {
		my $n = sysread $s, $in, $max - length $in < 65536
			? $max - length $in : 65536, length $in;
		last if !$n;
	}
	return $in;
}

# --- a storm -------------------------------------------------------------------

my %o = (
	seed => 1, count => 1000,
	first => 0,          # number of the first one
	git => 0,            # how many of them are a real git
	at => 8, quiet => 32,# at once: those that act, and those that are silent
	bound => 3,          # seconds after which the gate ends a silent one
	dir => '.',          # for real clones
	log => '/dev/null',  # what each one did, and what became of its push
	server => [],        # http://HOST:PORT
	repo => [],          # NAME,TIP,WORK: a repository, a commit, a clone of it
);

# what is asked, how often in a hundred
my @ops = (('push') x 40, ('clone') x 30, ('ls-refs') x 15, ('info') x 15);
my @kinds = qw(kill reset half silent);
my @points = qw(request answer moment);
# of an answer, roughly; beyond its end is an operation that was not cut
my %size = (push => 300, clone => 400_000, 'ls-refs' => 3000, info => 2000);

sub any { return $_[int rand @_] }

sub note {
	open my $f, '>>', $o{log} or die "$o{log}: $!\n";
	syswrite $f, join(' ', @_) . "\n";
}

sub request {
	my ($c, $n) = @_;
	my $url = "$c->{server}/$c->{repo}";
	if ($c->{op} eq 'push') {
		my ($id, $pack) = commit($c->{tip}, int rand 300_000, "storm $n");
		$c->{id} = $id;
		return post($url, 'git-receive-pack',
			push_body($c->{ref}, $id, $pack), rand() < 0.5);
	}
	return post($url, 'git-upload-pack', $c->{op} eq 'clone'
		? fetch($c->{tip}) : ls_refs(), rand() < 0.3) if $c->{op} ne 'info';
	return get("$url/info/refs?service=git-" .
		any('upload-pack', 'receive-pack'));
}

# How it leaves; the answer as far as it still comes.
sub leave {
	my ($s, $kind) = @_;
	kill KILL => $$ if $kind eq 'kill';
	if ($kind eq 'reset') {
		setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
		close $s;
		return '';
	}
	if ($kind eq 'silent') {
		sleep $o{bound} + 0.5;
		return '';
	}
	shutdown $s, SHUT_WR;
	my $in = '';
	my $end = time + $o{bound} + 1;
	while (time < $end && IO::Select->new($s)->can_read($end - time)) {
		last if !sysread $s, $in, 65536, length $in;
	}
	return $in;
}

sub break_off {
	my ($c, $n) = @_;
	my $data = request($c, $n);
	my $s = dial($c->{server}) or return note($n, 'no-connection');
	alarm 60;
	my $cut = $c->{point} eq 'request' ? int rand length $data : length $data;
	my $in = '';
	note($n, @$c{qw(server repo op kind point)}, $cut, length $data);
	send_all($s, substr $data, 0, $cut);
	$in = take($s, int rand $size{$c->{op}}) if $c->{point} eq 'answer';
	# most at the start, some as late as when the upstream has it
	sleep(rand() < 0.75 ? rand 0.05 : rand 0.5) if $c->{point} eq 'moment';
	$in .= leave($s, $c->{kind});
	note($n, 'pushed', @$c{qw(repo ref id)})
		if $c->{op} eq 'push' && $in =~ /ok \Q$c->{ref}\E\n/;
}

# A git of its own process group, which is killed or frozen whole.
sub real_git {
	my ($c, $n) = @_;
	my $url = "$c->{server}/$c->{repo}";
	my $out = "$o{dir}/git.$n";
	my @argv = ('clone', '-q', $url, $out);
	if ($c->{op} eq 'push') {
		my ($id, $pack) = commit($c->{tip}, int rand 300_000, "storm $n");
		open my $f, '|-', 'git', '-C', $c->{work}, 'unpack-objects', '-q';
		print $f $pack;
		close $f or die "unpack-objects: $!\n";
		@argv = ('-C', $c->{work}, 'push', '-q', $url, "$id:$c->{ref}");
	}
	note($n, $c->{server}, $c->{repo}, "git-$c->{op}",
		$c->{kind}, 'moment');
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		setpgrp;
		open STDERR, '>', '/dev/null';
		exec 'git', @argv or die "git: $!\n";
	}
	sleep 0.01 + rand 0.4;
	if ($c->{kind} eq 'silent') {
		kill STOP => -$pid;
		sleep $o{bound} + 0.5;
	}
	kill KILL => -$pid;
	waitpid $pid, 0;
	system 'rm', '-rf', $out;
}

sub choose {
	my ($n, $real) = @_;
	my $repo = any(@{$o{repo}});
	my %c = (server => $o{server}[$n % @{$o{server}}], op => any(@ops),
		kind => any(@kinds), point => any(@points),
		ref => "refs/heads/agent/$n", seed => int rand 2**31);
	@c{qw(repo tip work)} = split /,/, $repo;
	$c{kind} = 'kill' if $real && $c{kind} ne 'silent';
	$c{op} = 'clone' if $real && $c{op} ne 'push';
	return \%c;
}

# At most so many at once; a silent one does not keep the others waiting.
sub storm {
	my (%busy, %many);
	$many{$_} = 0 for 'quiet', 'at';
	srand $o{seed};
	noise(1);
	for my $n ($o{first} .. $o{first} + $o{count} - 1) {
		my $real = $o{git} && int(($n + 1) * $o{git} / $o{count}) >
			int($n * $o{git} / $o{count});
		my $c = choose($n, $real);
		my $class = $c->{kind} eq 'silent' ? 'quiet' : 'at';
		while ($many{$class} >= $o{$class}) {
			my $pid = waitpid -1, 0;
			$many{delete $busy{$pid}}--;
		}
		my $pid = fork // die "fork: $!\n";
		if (!$pid) {
			# what it does is its own, whenever it comes to it
			srand $c->{seed};
			$real ? real_git($c, $n) : break_off($c, $n);
			POSIX::_exit(0);
		}
		$busy{$pid} = $class;
		$many{$class}++;
	}
	1 while waitpid(-1, 0) > 0;
}

# --- single ones ---------------------------------------------------------------

sub whole_push {
	my ($url, $ref, $tip, $kb) = @_;
	my ($id, $pack) = commit($tip, 1024 * ($kb || 1), $ref);
	my $s = dial($url) or die "cannot connect\n";
	print "$id\n";
	$| = 1;
	send_all($s, post($url, 'git-receive-pack', push_body($ref, $id, $pack)));
	my $in = take($s, 1 << 20);
	print $in;
	return $in =~ /ok \Q$ref\E\n/ ? 0 : 1;
}

sub hold { print "ready\n"; close STDOUT; sleep 1 while 1 }

sub idle {
	my ($url, $n) = @_;
	my @s = map { dial($url) || die "cannot connect: $@\n" } 1 .. $n;
	hold();
}

sub stalled {
	my ($url, $n) = @_;
	my @s;
	for (1 .. $n) {
		my $s = dial($url) or die "cannot connect: $@\n";
		send_all($s, post_head($url, 'git-receive-pack', 1_000_000) .
			'00b0000000');
		push @s, $s;
	}
	hold();
}

# At USR1 it reads as fast as it can. In the end: how many answers came to
# their last chunk, and how many were cut off.
sub slow {
	my ($url, $tip, $n) = @_;
	my (@s, %last, $fast);
	my ($whole, $cut) = (0, 0);
	local $SIG{USR1} = sub { $fast = 1 };
	for (1 .. $n) {
		my $s = dial($url) or die "cannot connect: $@\n";
		# or the kernel takes many megabytes before anybody reads; with
		# less than a segment the connection would come to crawl
		setsockopt $s, SOL_SOCKET, SO_RCVBUF, pack 'i', 1 << 17;
		send_all($s, post($url, 'git-upload-pack', fetch($tip)));
		push @s, $s;
	}
	$| = 1;
	print "ready\n";
	while (@s) {
		my $next = time + 1;
		for my $s (IO::Select->new(@s)->can_read($fast ? 1 : 0)) {
			my $got = sysread $s, my $in, $fast ? 65536 : 1024;
			$last{$s} = substr(($last{$s} // '') . ($in // ''), -5);
			next if $got;
			$last{$s} eq "0\r\n\r\n" ? $whole++ : $cut++;
			@s = grep { $_ != $s } @s;
		}
		sleep $next - time if !$fast && $next > time;
	}
	print "over: $whole whole, $cut cut\n";
}

my %single = (push => \&whole_push, idle => \&idle, stalled => \&stalled,
	slow => \&slow);
my $what = shift // '';
if ($what eq 'storm') {
	for (@ARGV) {
		my ($name, $value) = /^(\w+)=(.*)/s or die "not NAME=VALUE: $_\n";
		exists $o{$name} or die "no such name: $name\n";
		ref $o{$name} ? push @{$o{$name}}, $value : ($o{$name} = $value);
	}
	storm();
} elsif ($single{$what}) {
	exit($single{$what}->(@ARGV) || 0);
} else {
	die "client.pl: storm, push, idle, stalled or slow\n";
}
