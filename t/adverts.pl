#!/usr/bin/perl
# Random steps on bare repositories, each followed by all advertisements of the
# gate, compared byte for byte with what git http-backend says, run here:
#   adverts.pl GATE-SOCKET DIR TEMPLATE BACKEND STEPS SEED [URL CLONE]
# DIR/N.git are made from TEMPLATE; with URL some steps push from CLONE to it.
# Prints what differs, and at the end "N steps, M answers"; status 1 when any
# did. With "race" for STEPS: changes within one tick of the file system's
# clock, and while the gate's own git runs.
use strict;
use warnings;
use Fcntl;
use IO::Socket::UNIX;
use IPC::Open2;
use Time::HiRes qw(sleep time);

my ($socket, $dir, $template, $backend, $steps, $seed, $url, $clone) = @ARGV;
srand $seed;
$SIG{PIPE} = 'IGNORE';
# ls-refs, as git clone asks, and for tags alone
sub line { sprintf '%04x%s', 4 + length $_[0], $_[0] }
my $head = line("command=ls-refs\n") . line("agent=git/test") .
	line("object-format=sha1") . '0001';
my %kinds = (
	capabilities => { service => 'git-upload-pack', v => 'version=2' },
	fetch => { service => 'git-upload-pack', v => '' },
	push => { service => 'git-receive-pack', v => '' },
	refs => { service => 'git-upload-pack', v => 'version=2',
		body => $head . line("peel\n") . line("symrefs\n") .
			line("unborn\n") . line("ref-prefix refs/heads/\n") .
			line("ref-prefix refs/tags/\n") .
			line("ref-prefix HEAD\n") . '0000' },
);
my @kinds = sort keys %kinds;
my ($answers, $differ) = (0, 0);

# --- the gate ----------------------------------------------------------------

sub record { pack('CCnnCC', 1, $_[0], 1, length $_[1], 0, 0) . $_[1] }
sub size { $_[0] < 128 ? pack('C', $_[0]) : pack('N', $_[0] | 0x80000000) }

sub variables {
	my ($repo, $kind) = @_;
	my $k = $kinds{$kind};
	my %p = (SERVER_PROTOCOL => 'HTTP/1.1', REMOTE_ADDR => '127.0.0.1');
	$p{GIT_PROTOCOL} = $k->{v} if $k->{v} ne '';
	if (defined $k->{body}) {
		@p{qw(REQUEST_METHOD PATH_INFO QUERY_STRING CONTENT_LENGTH
			CONTENT_TYPE)} = ('POST', "/$repo.git/$k->{service}",
			'', length $k->{body},
			"application/x-$k->{service}-request");
	} else {
		@p{qw(REQUEST_METHOD PATH_INFO QUERY_STRING)} = ('GET',
			"/$repo.git/info/refs", "service=$k->{service}");
	}
	return %p;
}

sub ask {
	my ($repo, $kind) = @_;
	my %p = variables($repo, $kind);
	my $params = join '', map { size(length) . size(length $p{$_}) . $_ .
		$p{$_} } sort keys %p;
	my $s = IO::Socket::UNIX->new(Peer => $socket) or die "$socket: $!\n";
	my $body = $kinds{$kind}{body} // '';
	syswrite $s, record(1, pack 'nCx5', 1, 0) . record(4, $params) .
		record(4, '') . ($body ne '' ? record(5, $body) : '') .
		record(5, '');
	my ($in, $out) = ('', '');
	while (1) {
		sysread $s, $in, 65536, length $in or last;
	}
	while (length $in >= 8) {
		my ($version, $type, undef, $n, $pad) = unpack 'CCnnC', $in;
		return "broken\n" if $version != 1 ||
			length $in < 8 + $n + $pad;
		$out .= substr $in, 8, $n if $type == 6;
		substr $in, 0, 8 + $n + $pad, '';
	}
	$answers++;
	return $out;
}

# --- git itself --------------------------------------------------------------

# Started here, read by answer_of: several run beside each other.
sub start_git {
	my ($repo, $kind) = @_;
	my %p = variables($repo, $kind);
	my @config = ('safe.directory=*', 'uploadpack.allowFilter=true',
		'http.receivepack=true', 'receive.advertisePushOptions=false');
	my $i = 0;
	for (@config) {
		(my $key, my $value) = split /=/;
		$p{"GIT_CONFIG_KEY_$i"} = $key;
		$p{"GIT_CONFIG_VALUE_" . $i++} = $value;
	}
	pipe my $in_r, my $in_w or die;
	pipe my $out_r, my $out_w or die;
	my $pid = fork // die;
	if ($pid == 0) {
		%ENV = (%p, GIT_CONFIG_COUNT => $i, PATH => '/usr/bin:/bin',
			HOME => '/nonexistent', LC_ALL => 'C',
			GIT_CONFIG_NOSYSTEM => 1,
			GIT_CONFIG_GLOBAL => '/dev/null',
			GIT_HTTP_EXPORT_ALL => 1, GIT_PROJECT_ROOT => $dir,
			REMOTE_USER => 'test');
		open STDIN, '<&', $in_r;
		open STDOUT, '>&', $out_w;
		open STDERR, '>', '/dev/null';
		close $in_w;
		exec { $backend } $backend or exit 127;
	}
	print $in_w $kinds{$kind}{body} // '';
	return [$out_r, $pid];
}

sub answer_of {
	my ($fd, $pid) = @{$_[0]};
	local $/;
	my $out = <$fd>;
	waitpid $pid, 0;
	return undef if $? != 0 || $out eq '' ||
		$out =~ /\A(?:.+\r\n)*?Status:/;
	return "Status: 200 OK\r\nX-Accel-Buffering: no\r\n$out";
}

# What git makes anew each time is not to be compared.
sub plain {
	my ($s) = @_;
	$s =~ s/session-id=[^ \n\0]+/session-id=*/g;
	$s =~ s/push-cert=[^ \n\0]+/push-cert=*/g;
	# the length of its packet counts the nonce
	$s =~ s/^[0-9a-f]{4}(?=[^\n]*(?:session-id|push-cert)=)/****/mg;
	return $s;
}

sub compare {
	my ($what, $repo, $kind, $got, $wanted) = @_;
	if (!defined $wanted) {
		# what we say in an RPC has this status, too
		return if $got !~ /\AStatus: 200/ ||
			$got =~ /git-gate: refused/;
		$wanted = "(git refuses)\n";
	}
	return if $got eq $wanted || plain($got) eq plain($wanted);
	$differ++;
	print "# $repo, $kind, after: $what\n";
	my %w = map { $_ => 1 } split /\n/, $wanted;
	my %g = map { $_ => 1 } split /\n/, $got;
	print "#   only the gate: $_\n" for map { s/[^ -~]/?/gr }
		grep { !$w{$_} } split /\n/, $got;
	print "#   only git: $_\n" for map { s/[^ -~]/?/gr }
		grep { !$g{$_} } split /\n/, $wanted;
	exit 1 if $differ > 5;
}

# --- steps -------------------------------------------------------------------

my (%updater, @commits, @tags);
sub pick { $_[rand @_] }
sub git { system('git', @_) == 0 }
sub put {
	my ($path, $text) = @_;
	open my $f, '>', $path or return;
	print $f $text;
	close $f;
}
# As git does it: written beside, and renamed.
sub replace {
	my ($path, $text) = @_;
	put("$path.lock", $text);
	rename "$path.lock", $path;
}
sub slurp {
	open my $f, '<', $_[0] or return '';
	local $/;
	return <$f> // '';
}
sub branch { 'refs/heads/' . pick((map { "b$_" } 1 .. 12),
	map { "dir/x$_" } 1 .. 4) }
sub drop_updater {
	my $u = delete $updater{$_[0]} or return;
	close $u->{in};
	close $u->{out};
	waitpid $u->{pid}, 0;
}
# One git update-ref for all of a repository's life.
sub update {
	my ($repo, $command) = @_;
	my $u = $updater{$repo};
	if (!$u) {
		my $pid = open2(my $out, my $in, 'git', '-C', "$dir/$repo.git",
			'update-ref', '--stdin');
		$u = $updater{$repo} = { pid => $pid, in => $in, out => $out };
	}
	my $in = $u->{in};
	print $in "start\n$command\ncommit\n";
	$in->flush;
	for (1, 2) {
		my $out = $u->{out};
		next if defined(<$out>);
		drop_updater($repo);
		return;
	}
}
sub make_new {
	my ($repo) = @_;
	drop_updater($repo);
	system 'rm', '-rf', "$dir/$repo.git";
	system 'cp', '-a', $template, "$dir/$repo.git";
}
sub config {
	my ($repo, $text) = @_;
	my $file = "$dir/$repo.git/config";
	my $old = slurp($file);
	$old =~ s/# more.*//s;
	replace($file, "$old# more\n$text");
}
my @configs = ('', '', "[transfer]\n\thideRefs = refs/heads/dir\n",
	"[uploadpack]\n\thideRefs = refs/tags\n",
	"[receive]\n\tadvertiseAtomic = false\n",
	"[receive]\n\thideRefs = refs/heads/b1\n",
	"[transfer]\n\tadvertiseSID = true\n",
	"[receive]\n\tcertNonceSeed = seed\n",
	"[lsrefs]\n\tunborn = ignore\n",
	"[uploadpack]\n\tallowRefInWant = true\n",
	"[uploadpack]\n\tallowTipSHA1InWant = true\n",
	"[include]\n\tpath = more\n", "[http]\n\tuploadpack = false\n",
	"[protocol]\n\tversion = 1\n", "[core\n");

my @steps = (
	[30, 'update-ref', sub { update($_[0], 'update ' . branch() . ' ' .
		pick(@commits)) }],
	[10, 'update-ref -d', sub { update($_[0], 'delete ' . branch()) }],
	[8, 'a tag', sub { update($_[0], 'update refs/tags/t' .
		int(rand 6) . ' ' . pick(@tags, @commits)) }],
	[15, 'a loose file, renamed', sub {
		my $r = branch();
		mkdir "$dir/$_[0].git/refs/heads/dir";
		replace("$dir/$_[0].git/$r", pick(@commits) . "\n") }],
	[15, 'a loose file, written over', sub {
		my $f = "$dir/$_[0].git/" . branch();
		return if !-f $f || slurp($f) =~ /^ref/;
		sysopen my $h, $f, O_WRONLY or return;
		syswrite $h, pick(@commits) . "\n" }],
	[8, 'pack-refs', sub { git('-C', "$dir/$_[0].git", 'pack-refs',
		'--all') }],
	[1, 'gc', sub { git('-C', "$dir/$_[0].git", 'gc', '-q',
		'--prune=now') }],
	[10, 'config', sub { config($_[0], pick(@configs)) }],
	[2, 'an included file', sub { put("$dir/$_[0].git/more",
		pick('', "[transfer]\n\thideRefs = refs/heads/b\n")) }],
	[6, 'HEAD, symbolic', sub { replace("$dir/$_[0].git/HEAD", 'ref: ' .
		branch() . "\n") }],
	[3, 'HEAD, detached', sub { replace("$dir/$_[0].git/HEAD",
		pick(@commits) . "\n") }],
	[3, 'HEAD, written over', sub { put("$dir/$_[0].git/HEAD",
		pick("ref: refs/heads/b1\n", "ref: refs/heads/b2\n",
		"nonsense\n")) }],
	[4, 'made anew', sub { make_new($_[0]) }],
	[4, 'a symbolic reference', sub {
		replace("$dir/$_[0].git/refs/heads/b3", 'ref: ' .
			pick('refs/heads/b4', 'FETCH_HEAD') . "\n") }],
	[3, 'FETCH_HEAD', sub { put("$dir/$_[0].git/FETCH_HEAD",
		pick(@commits) . "\n") }],
	[2, 'a link', sub { my $f = "$dir/$_[0].git/refs/heads/b5";
		unlink $f; symlink 'b6', $f }],
	[2, 'a broken reference', sub { replace(
		"$dir/$_[0].git/refs/heads/b7", pick('1' x 40, '') . "\n") }],
	[2, 'shallow', sub { my $f = "$dir/$_[0].git/shallow";
		-e $f ? unlink $f : replace($f, "$commits[0]\n") }],
	[2, 'alternates', sub {
		my $f = "$dir/$_[0].git/objects/info/alternates";
		-e $f ? unlink $f : put($f, "$dir/other.git/objects\n") }],
	[2, "an alternate's reference", sub { put(
		"$dir/other.git/refs/heads/main", pick(@commits) . "\n") }],
	[1, 'a worktree', sub { git('-C', "$dir/$_[0].git", 'worktree', 'add',
		'-q', '--detach', "$dir/wt-$_[0]-" . int rand 1e9,
		$commits[0]) }],
	[2, 'packed-refs, written over', sub {
		my $f = "$dir/$_[0].git/packed-refs";
		my $old = slurp($f);
		return if $old !~ /refs\/heads/;
		my $c = pick(@commits);
		$old =~ s/^[0-9a-f]{40}(?= refs\/heads)/$c/m;
		put($f, $old) }],
	[2, 'a .git in it', sub { my $d = "$dir/$_[0].git/.git";
		-e $d ? system('rm', '-rf', $d) :
			system('cp', '-a', $template, $d) }],
	[2, 'nothing', sub {}],
);
push @steps, [2, 'a push', sub {
	git('-C', $clone, 'push', '-qf', "$url/$_[0].git",
		pick(@commits) . ':' . branch()) }] if defined $url;
my $weights = 0;
$weights += $_->[0] for @steps;
sub any_step {
	my $n = rand $weights;
	for (@steps) {
		return $_ if ($n -= $_->[0]) < 0;
	}
}

sub check {
	my ($what, $repo) = @_;
	my %git = map { $_ => start_git($repo, $_) } @kinds;
	# the gate has its say meanwhile: nothing changes
	my %got = map { $_ => ask($repo, $_) } sort { rand() <=> 0.5 } @kinds;
	my %wanted = map { $_ => answer_of($git{$_}) } @kinds;
	compare($what, $repo, $_, $got{$_}, $wanted{$_}) for @kinds;
	return \%wanted;
}

open my $null, '>', '/dev/null';
open STDERR, '>&', $null unless $ENV{VERBOSE};
@commits = split /\n/, `git -C $template rev-list --all`;
@tags = split /\n/, `git -C $template rev-parse --tags`;
make_new('other');

if ($steps eq 'race') {
	my $file = "$dir/race.git/refs/heads/b1";
	make_new('race');
	# two writes in one tick leave a file with the same size and times
	for my $n (1 .. 200) {
		my $new = $commits[$n % @commits];
		sysopen my $h, $file, O_WRONLY | O_CREAT or die "$file: $!";
		syswrite $h, "$new\n";
		close $h;
		for my $kind ('fetch', 'refs', 'push') {
			my $got = ask('race', $kind);
			next if $got =~ /$new refs\/heads\/b1/;
			$differ++;
			print "# race $n, $kind: an answer of before\n";
		}
	}
	# while git runs, and ended: what is kept must be what there is then
	for my $n (1 .. 40) {
		sleep 0.03;
		my $pid = fork;
		if (!$pid) {
			srand $seed + $n;
			for (1 .. 5) {
				replace($file, pick(@commits) . "\n");
				sleep rand 0.004;
			}
			exec 'true';
		}
		ask('race', pick(@kinds)) for 1 .. 3;
		waitpid $pid, 0;
		check("changes while git runs, $n", 'race');
		sleep 0.03;
		check("after changes while git runs, $n", 'race');
	}
	print "race, $answers answers\n";
	exit($differ ? 1 : 0);
}

my @repos = map { "r$_" } 1 .. 8;
my %known;
make_new($_) for @repos;
for my $n (1 .. $steps) {
	my $repo = pick(@repos);
	# what was changed long ago is kept now
	if ($known{$repo}) {
		for my $kind ((sort { rand() <=> 0.5 } @kinds)[0, 1]) {
			compare('nothing', $repo, $kind, ask($repo, $kind),
				$known{$repo}{$kind});
		}
	}
	my @did;
	do {
		my $step = any_step();
		push @did, $step->[1];
		$step->[2]->($repo);
		# of an alternate, or of what is included, others know too
		%known = () if $step->[1] =~ /alternate/;
	} while (rand() < 0.2);
	$known{$repo} = check(join(', ', @did), $repo);
	if (!-d "$dir/$repo.git/refs/heads" ||
	    !defined $known{$repo}{fetch} && rand() < 0.5) {
		make_new($repo);
		delete $known{$repo};
	}
}
drop_updater($_) for keys %updater;
print "$steps steps, $answers answers\n";
exit($differ ? 1 : 0);
