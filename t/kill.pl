#!/usr/bin/perl
# Runs a push, and ends one process of its tree with SIGKILL at a moment that
# is drawn by lot:
#   kill.pl push NAME=VALUE... -- COMMAND...   a line for the log
#   kill.pl idle NAME=VALUE...                 until nothing of a push runs
# gate, web, sshd: process ids; 0 where there is none
# up: the upstream's directory; state: the gate's
# seed: of the lot; kinds: those that may be drawn, commas between; span: ms
# that a push takes; bound: seconds for each wait
# out: two files of the command's words, out.out and out.err
# A process is known by its command line and by whose child it is.
use strict;
use warnings;
use POSIX ();
use Time::HiRes qw(sleep time);

my $mode = shift // '';
my %o = (gate => 0, web => 0, sshd => 0, seed => 1, bound => 45, kinds => '',
	span => 300);
while (@ARGV && $ARGV[0] ne '--') {
	my ($name, $value) = shift =~ /^(\w+)=(.*)/s or die "NAME=VALUE\n";
	$o{$name} = $value;
}
shift;

# --- /proc -------------------------------------------------------------------

sub slurp {
	open my $f, '<', $_[0] or return '';
	local $/;
	return scalar(<$f>) // '';
}
# Its parent, state and time of start, or nothing: it has gone.
sub stat_of {
	my @f = split / /, (slurp("/proc/$_[0]/stat") =~ /.*\) (.*)/s)[0] // '';
	return @f > 19 ? ($f[1], $f[0], $f[19]) : ();
}
sub children {
	my ($pid) = @_;
	opendir my $d, "/proc/$pid/task" or return;
	return map { split / /, slurp("/proc/$pid/task/$_/children") }
		grep { /\d/ } readdir $d;
}

# --- what is what ------------------------------------------------------------

# What a git is, here (0) and at the upstream (1).
my %git = (
	'receive-pack' => ['receive-pack', 'up-receive-pack'],
	'unpack-objects' => ['unpack', 'up-unpack'],
	'index-pack' => ['unpack', 'up-unpack'],
	'rev-list' => ['check', 'up-check'],
	'push' => ['push', 'push'],
	'send-pack' => ['send-pack', 'send-pack'],
	'pack-objects' => ['pack-objects', 'pack-objects'],
	'update-ref' => ['update-ref', 'other'],
	'upload-pack' => ['refresh', 'up-upload-pack'],
	map { $_ => ['refresh', 'refresh'] } qw(ls-remote fetch clone init
		for-each-ref symbolic-ref remote config),
);

# The kind of a process, and whether what is below it is the upstream's.
sub kind_of {
	my ($words, $up) = @_;
	my @w = split /\0/, $words;
	return ('other', $up) if !@w;
	return ('sshd', 1) if $w[0] =~ /^sshd:/;
	my ($name) = $w[0] =~ m{([^/]*)$};
	if ($name =~ /^(?:sh|dash|bash)$/) {
		my $script = $w[1] // '';
		return ($up ? 'up-hook' : 'mirror-hook', $up)
			if $script =~ m{^(?:\./)?hooks/};
		return ('up-shell', 1) if $script eq '-c';
	}
	return ('nap', $up) if $name eq 'sleep';
	return ('hook', 0) if $name =~ /^(?:pre-receive|git-gate-hook)$/;
	return ('proc-receive', 0) if $name =~ /proc-receive$/;
	return ('gate-ssh', $up) if $name eq 'git-gate-ssh';
	return ((grep { $_ eq 'ControlMaster=yes' } @w) ? 'master' : 'ssh', $up)
		if $name eq 'ssh';
	my $what = $name eq 'git' ? (grep { !/^-/ } @w[1 .. $#w])[0] // ''
		: $name =~ /^git-(.*)/ ? $1 : '';
	$up = 1 if $what eq 'receive-pack' && $w[-1] =~ m{^\Q$o{up}\E/?$};
	return ($git{$what}[$up], $up) if $git{$what};
	return ('other', $up);
}

# All below a process: {pid, start, kind, stage}; those that have not yet
# become another program than their parent are left out.
sub below {
	my ($pid, $up, $words) = @_;
	my @all;
	for my $child (children($pid)) {
		my ($parent, $state, $start) = stat_of($child) or next;
		next if $state eq 'Z';
		my $own = slurp("/proc/$child/cmdline");
		my ($kind, $side) = kind_of($own, $up);
		push @all, { pid => $child, start => $start, kind => $kind,
			hook => $own =~ m{hooks/([a-z-]+)} ? $1 : '' }
			if $own ne $words;
		push @all, below($child, $side, $own);
	}
	return @all;
}
sub one {
	my ($pid, $kind) = @_;
	my ($parent, $state, $start) = $pid ? stat_of($pid) : ();
	return $start && $state ne 'Z'
		? { pid => $pid, start => $start, kind => $kind, hook => '' } : ();
}

# Every process of the push, the client's own among them.
sub snapshot {
	my ($client) = @_;
	my @all = one($o{gate}, 'gate');
	push @all, below($o{gate}, 0, '') if $o{gate};
	push @all, below($o{sshd}, 1, '') if $o{sshd};
	push @all, map { one($_, 'web') } children($o{web}) if $o{web};
	if ($client) {
		push @all, one($client, 'client');
		push @all, map { { %$_, kind => 'client-http' } }
			grep { $_->{kind} eq 'other' } below($client, 0, '');
	}
	return @all;
}

# How far the push has come, by the processes that there are.
sub stage_of {
	my %is = map { $_->{kind} => $_->{hook} } @_;
	my %hook = map { $_->{hook} => 1 }
		grep { $_->{kind} eq 'up-hook' } @_;
	return 'record' if exists $is{'update-ref'} || exists $is{'mirror-hook'};
	return 'note' if exists $is{'proc-receive'};
	return 'up-post' if $hook{'post-receive'};
	return 'up-refs' if $hook{'reference-transaction'};
	return 'up-hook' if $hook{'pre-receive'};
	return 'up-unpack' if exists $is{'up-unpack'} || exists $is{'up-check'};
	return 'up' if exists $is{'up-receive-pack'};
	return 'forward' if exists $is{push};
	return 'scan' if exists $is{hook};
	return 'unpack' if exists $is{unpack} || exists $is{check};
	return 'backend' if exists $is{'receive-pack'};
	return 'refresh' if exists $is{refresh};
	return 'outside';
}

# --- whom, and when ----------------------------------------------------------

my @forward = qw(forward up up-unpack up-hook up-refs up-post);
my @push = (qw(backend unpack scan), @forward, qw(note record));
my %stages = (
	gate => ['refresh', @push],
	'receive-pack' => \@push,
	unpack => ['unpack'],
	check => ['unpack'],
	hook => ['scan', @forward],
	'proc-receive' => ['note', 'record'],
	'update-ref' => ['record'],
	'mirror-hook' => ['record'],
	push => \@forward,
	'send-pack' => \@forward,
	'pack-objects' => ['forward', 'up'],
	'gate-ssh' => ['refresh', @forward],
	ssh => ['refresh', @forward],
	master => ['refresh', @forward, 'record'],
	sshd => ['refresh', @forward],
	'up-receive-pack' => ['up', 'up-unpack', 'up-hook', 'up-refs', 'up-post'],
	'up-unpack' => ['up-unpack'],
	'up-hook' => ['up-hook', 'up-refs', 'up-post'],
	'up-upload-pack' => ['refresh'],
	refresh => ['refresh'],
	web => ['refresh', @push],
	client => ['refresh', @push],
	'client-http' => ['refresh', @push],
);
my $n = 0;
my %order = map { $_ => $n++ } 'outside', 'refresh', @push, 'record';
# No victims: a nap is shorter then, and that is all.
my %spared = map { $_ => 1 } qw(nap other up-shell up-check);

sub draw { return $_[int rand @_] }

# Still the same process, and of a program of its own?
sub lives {
	my ($p) = @_;
	my ($parent, $state, $start) = stat_of($p->{pid}) or return 0;
	return $state ne 'Z' && $start == $p->{start};
}

# Of each three pushes two wait for a process of a kind to reach a stage, one
# for a moment alone. Returns the victim and the stage, or nothing.
sub plan {
	srand $o{seed};
	my @kinds = grep { $_ && $stages{$_} } split /,/, $o{kinds};
	my $moment = rand(3) < 1 ? rand $o{span} / 1000 : undef;
	my $kind = @kinds ? draw(@kinds) : 'none';
	my $stage = @kinds ? draw(@{$stages{$kind}}) : 'record';
	$moment = undef if !@kinds;
	my $delay = rand(2) < 1 ? 0 : rand(0.04);
	return (moment => $moment, kind => $kind, stage => $stage,
		delay => $delay, draw => rand);
}
sub choose {
	my ($plan, $began, @all) = @_;
	my @who;
	if (defined $plan->{moment}) {
		return if time - $began < $plan->{moment};
		@who = grep { !$spared{$_->{kind}} } @all;
	} else {
		# or a later one: some are over before they are seen
		return if $order{stage_of(@all)} < $order{$plan->{stage}};
		@who = grep { $_->{kind} eq $plan->{kind} } @all;
	}
	return @who ? $who[int($plan->{draw} * @who)] : ();
}

# --- push --------------------------------------------------------------------

sub start_client {
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	POSIX::setsid();
	open STDIN, '<', '/dev/null';
	open STDOUT, '>', "$o{out}.out";
	open STDERR, '>', "$o{out}.err";
	{ exec @ARGV }
	POSIX::_exit(127);
}

sub push_and_kill {
	my %plan = plan();
	my $began = time;
	my $client = start_client();
	my ($victim, $stage, $at, $status) = (undef, '-', 0, undef);
	while (time - $began < $o{bound}) {
		if (waitpid($client, POSIX::WNOHANG()) == $client) {
			$status = $?;
			last;
		}
		if (!$victim) {
			my @all = snapshot($client);
			my $one = choose(\%plan, $began, @all);
			if ($one && $plan{delay}) {
				sleep $plan{delay};
				# for one that has gone meanwhile another
				@all = snapshot($client);
				$one = draw(grep { !$spared{$_->{kind}} } @all)
					if !lives($one);
			}
			if ($one) {
				# it may have become another program
				($one->{kind}) = map { $_->{kind} }
					grep { $_->{pid} == $one->{pid} }
					(@all, $one);
				if (lives($one) && kill KILL => $one->{pid}) {
					$victim = $one;
					$stage = stage_of(@all);
					$at = time - $began;
				}
			}
		}
		sleep 0.001 if !$victim;
		sleep 0.005 if $victim;
	}
	my $took = time - $began;
	if (!defined $status) {
		kill KILL => -$client;
		waitpid $client, 0;
	}
	# what the client leaves of itself holds the connection
	kill KILL => -$client;
	printf "victim=%s stage=%s at=%d took=%d status=%s wanted=%s\n",
		$victim ? $victim->{kind} : 'none', $stage, $at * 1000,
		$took * 1000, !defined $status ? 'hangs'
			: $status & 127 ? 128 + ($status & 127) : $status >> 8,
		defined $plan{moment} ? sprintf('moment:%d', $plan{moment} * 1000)
			: "$plan{kind}:$plan{stage}+" . int($plan{delay} * 1000);
}

# --- idle --------------------------------------------------------------------

# What runs of a push: not the gate itself, nor shared connections.
sub busy {
	my @all = grep { $_->{kind} !~ /^(?:gate|web|master)$/ } snapshot(0);
	my $mark = "GIT_GATE_STATE=$o{state}\0";
	for my $dir (glob '/proc/[0-9]*') {
		my $pid = substr $dir, 6;
		next if $pid == $o{gate} || $pid == $$;
		my $words = slurp("$dir/cmdline");
		next if (kind_of($words, 0))[0] eq 'master' ||
			grep { $_->{pid} == $pid } @all;
		# of ours by its environment; or what serves the upstream and
		# has lost its sshd
		push @all, { pid => $pid, kind => $words =~ tr/\0/ /r }
			if index(slurp("$dir/environ"), $mark) >= 0 ||
			index(readlink("$dir/cwd") // '', $o{up}) == 0 ||
			$words =~ /receive-pack/ && index($words, $o{up}) >= 0;
	}
	# a connection that is shared has a session of sshd, and nothing below
	my $others = grep { $_->{kind} ne 'sshd' } @all;
	return $others ? @all : ();
}

if ($mode eq 'push') {
	push_and_kill();
} elsif ($mode eq 'idle') {
	my $until = time + $o{bound};
	my @busy;
	while (@busy = busy()) {
		if (time > $until) {
			print "still runs: $_->{pid} $_->{kind}\n" for @busy;
			exit 1;
		}
		sleep 0.02;
	}
} else {
	die "kill.pl push|idle NAME=VALUE... [-- COMMAND...]\n";
}
