#!/usr/bin/perl
# serve-peak.pl FILE NAME=DIRECTORY...: until SIGTERM, the most bytes on disk that
# each directory holds at one time, and all of them; more than at the start. What
# has no name any more counts as long as one of PIDS or their children has it
# open. FILE.ready is made when it looks; FILE gets "NAME BYTES" lines.
use strict;
use warnings;
use File::Find;

my $file = shift;
my @dirs = map { [split /=/, $_, 2] } @ARGV;
my @pids = split ' ', $ENV{PIDS} // '';
# a web server's workers are its children
for my $pid (@pids) {
	for my $list (glob "/proc/$pid/task/*/children") {
		open my $f, '<', $list or next;
		push @pids, split ' ', <$f> // '';
	}
}

# Blocks of files with a name, and of those that are open alone; each once.
sub look {
	my (%now, %seen);
	my $add = sub {
		my ($name, @st) = @_;
		return if !@st || !-f _ || $seen{"$st[0]:$st[1]"}++;
		$now{$name} += 512 * $st[12];
	};
	for (@dirs) {
		my ($name, $dir) = @$_;
		$now{$name} = 0;
		next if !-d $dir;
		find({ no_chdir => 1, wanted => sub {
			$add->($name, lstat $_) } }, $dir);
	}
	for my $fd (map { glob "/proc/$_/fd/*" } @pids) {
		my $to = readlink $fd or next;
		for (@dirs) {
			my ($name, $dir) = @$_;
			$add->($name, stat $fd) if !index $to, "$dir/";
		}
	}
	return \%now;
}

my ($run, %most) = (1);
$SIG{TERM} = sub { $run = 0 };
my $first = look();
$most{$_} = 0 for keys %$first, 'all';
open my $ready, '>', "$file.ready" or die "$file.ready: $!\n";
close $ready;
while ($run) {
	my ($now, $all) = (look(), 0);
	for (keys %$now) {
		my $n = $now->{$_} - $first->{$_};
		$all += $n;
		$most{$_} = $n if $n > $most{$_};
	}
	$most{all} = $all if $all > $most{all};
	select undef, undef, undef, 0.01;
}
open my $out, '>', $file or die "$file: $!\n";
print $out "$_ $most{$_}\n" for sort keys %most;
