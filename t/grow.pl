#!/usr/bin/perl
# A history with real text, as a stream for git fast-import: grow.pl COMMITS.
# The text is what this machine has (licences, Perl's own modules and their
# manuals); the same machine gives the same history. Files grow and change
# line by line; every hundredth commit merges a branch, every 250th is tagged.
use strict;
use warnings;

my $commits = shift || 5000;
my @sources = grep { -f && -s _ < 200_000 }
	sort glob('/usr/share/common-licenses/*'),
	map { glob "$_/*.pm $_/*/*.pm $_/*.pod $_/pod/*.pod" }
	sort glob '/usr/share/perl/5.*.*';
@sources or die "no text on this machine\n";

sub lines {
	open my $f, '<', $_[0] or die "$_[0]: $!\n";
	my @lines = <$f>;
	return @lines;
}

sub data {
	my ($text) = @_;
	return 'data ' . length($text) . "\n$text\n";
}

my ($n, $mark, @tips) = (0, 0, (0) x 3);
my ($source, @text, @file, $name) = (0);
while ($n < $commits) {
	# a new file when the last one has been told
	if (!@text) {
		@text = lines($sources[$source % @sources]);
		($name) = $sources[$source % @sources] =~ m{([^/]+)$};
		$name = sprintf '%s/%03d/%s', $source % 2 ? 'lib' : 'doc',
			$source / @sources * 100 + $source % 100, $name;
		$source++;
		@file = ();
	}
	my $branch = ('main', 'next', 'topic/text')[$n % 7 ? 0 : $n % 3];
	my $tip = $branch eq 'main' ? 0 : $branch eq 'next' ? 1 : 2;
	push @file, splice @text, 0, 12;
	@file = @file[-120 .. -1] if @file > 120;
	$file[$n % @file] = "changed by commit $n\n";
	my $time = 1_500_000_000 + $n * 600;
	$mark++;
	print "commit refs/heads/$branch\nmark :$mark\n",
		"author A. Writer <writer\@example.org> $time +0100\n",
		"committer A. Writer <writer\@example.org> $time +0100\n",
		data("$name: more of it\n\nPart $n of the text.\n");
	print "from :$tips[0]\n" if !$tips[$tip] && $tip && $tips[0];
	print "merge :$tips[1]\n" if !$tip && $n % 100 == 1 && $tips[1];
	print "M 100644 inline $name\n", data(join '', @file);
	$tips[$tip] = $mark;
	$n++;
	next if $n % 250;
	print "tag t$n\nfrom :$mark\n",
		"tagger A. Writer <writer\@example.org> $time +0100\n",
		data("release $n\n");
}
