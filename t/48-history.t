#!/bin/bash
# A history is scanned in the order of its deltas, and of each version what is
# new in it: the findings are those of a scan that reads every object whole,
# which that of a range of few commits is. Held on a history made here, with many
# versions, archives and a borrowed store, and on the project's own if it is
# at hand.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/hook.sh"

# --- rules ------------------------------------------------------------------------
# Some that find much, by words, over lines' ends, without a word, by path.
cat >"$T/much.toml" <<-'END'
	[[rules]]
	id = "call"
	regex = '''\b(?:buf|mem|log)_[a-z]+\(([a-z]{2,})'''
	keywords = ["buf_", "mem_", "log_"]
	[[rules]]
	id = "two-lines"
	regex = '''(?s)\{\n\t(?:return|if) ?[^\n]{3,60};\n'''
	keywords = ["return", "if"]
	[[rules]]
	id = "no-word"
	regex = '''\b[0-9a-f]{7}[1-9][0-9]\b'''
	[[rules]]
	id = "key"
	regex = '''key-([0-9a-f]{16})\b'''
	keywords = ["key-"]
	[[rules]]
	id = "by-path"
	regex = '''ok ("[^"]{20,40})"'''
	path = '''\.t$'''
	keywords = ["ok "]
END

# --- both ways ----------------------------------------------------------------------
# found REPO WHAT [OPTION...]: fingerprints, sorted. A finding is the same when
# rule, path and secret are.
found() {
	(cd "$1" && shift && "$BUILD/git-gate" scan --report "$T/report" \
		"$@") >"$T/said" 2>&1
	echo "status $?"
	awk '$1 == "fingerprint" { print $2 }' "$T/report" | sort -u
}
# same NAME AT-LEAST REPO [OPTION...]
same() {
	local name=$1 least=$2 repo=$3
	shift 3
	found "$repo" "$@" main >"$T/whole"
	found "$repo" "$@" --all >"$T/deltas"
	ok "$name: findings ($(($(wc -l <"$T/deltas") - 1)))" \
		test "$(wc -l <"$T/deltas")" -gt "$least"
	is "$name: the same as of whole objects" \
		"$(diff "$T/deltas" "$T/whole" | head -n 5)" ""
}

# --- a history made here -----------------------------------------------------------
git init -q --bare -b main "$T/d.git"
token=$(token 1) other=$(token 2) perl -e 'srand 11;
	my @words = qw(buf_add log_error mem_zalloc return if static int ke
		key- words {);
	sub word { $words[rand @words] }
	my %f = map { my $n = $_; $n => [map {
		join " ", "\t" . word(), $_, word() . "(name)", "of $n;"
	} 1 .. 120] } qw(a.c b.c c.t d/e.c d/f.txt);
	my @names = sort keys %f;
	for my $c (1 .. 400) {
		my $name = $names[rand @names];
		my $l = $f{$name};
		for (1 .. 4) {
			my ($r, $at) = (rand, int rand @$l);
			my $k = sprintf "%08x%08x", rand 2**32, rand 2**32;
			if ($r < .2) { splice @$l, $at, 1, "key-$k" }
			elsif ($r < .3) { splice @$l, $at, 0, "ke", "y-$k" }
			elsif ($r < .4) { splice @$l, $at, 1, "x {",
				"\treturn n$c;" }
			elsif ($r < .6) { my ($x) = splice @$l, $at, 1;
				splice @{$f{$names[rand @names]}}, 3, 0, $x }
			elsif ($r < .7) { $l->[$at] .= " " . pop @$l }
			elsif ($r < .8) { splice @$l, $at, 3 if @$l > 60 }
			elsif ($r < .9) { splice @$l, $at, 0, "ok \"" .
				word() x 6 . "\"", "$k $c" }
			else { splice @$l, $at, 0, "\"$ENV{token}\"" }
		}
		printf "commit refs/heads/main\ncommitter A <a\@b.example> " .
			"%d +0000\ndata 2\nc\n", 1e9 + $c;
		for (@names) {
			my $t = join "\n", @{$f{$_}};
			printf "M 100644 inline %s\ndata %d\n%s\n", $_,
				length $t, $t;
		}
	}' | git -C "$T/d.git" fast-import --quiet
# Archives that share most of what they have, of one of which a member holds
# what no text has; one is there twice, the second time under another name.
mkdir "$T/members"
for i in 1 2 3 4 5 6; do
	seq -f "member $i, line %g, and buf_add(name)" 1 400 >"$T/members/$i.c"
done
(
	cd "$T/members" && git init -q -b main . && git add .
	git commit -qm members
	git archive --format=zip -o "$T/1.zip" HEAD
	echo "is $(token 2)" >2.c && git mv 3.c renamed.t && git add .
	git commit -qm members
	git archive --format=zip -o "$T/2.zip" HEAD
	git archive --format=tar.gz -o "$T/2.tar.gz" HEAD
	git mv 2.c hidden.c && git commit -qm members
	git archive --format=zip -o "$T/3.zip" HEAD
)
git clone -q "$T/d.git" "$T/w" 2>/dev/null
for i in 1.zip 2.zip 2.tar.gz 3.zip; do
	cp "$T/$i" "$T/w" && git -C "$T/w" add . &&
		git -C "$T/w" commit -qm "$i"
done
git -C "$T/w" push -q origin main
git -C "$T/d.git" repack -qadf --depth=50 --window=20

same "built-in rules" 5 "$T/d.git"
like "in an archive" "2.zip!2.c" "$T/report"
like "in the next, under another name" "3.zip!hidden.c" "$T/report"
like "and in one of tar" "2.tar.gz!.*2.c" "$T/report"
same "rules that find much" 300 "$T/d.git" --rules "$T/much.toml"
cp "$T/deltas" "$T/before"

# --- what other versions have ---------------------------------------------------------
# Where there are many objects, what none of a version's bases has is looked for
# in other texts that were met. Here no version has a base.
git clone -q --bare "file://$T/d.git" "$T/many.git"
git -C "$T/many.git" repack -qadF --depth=0 --window=0
perl -e 'printf "blob\ndata %d\n%s\n", length, $_
	for map { "object $_" } 1 .. 9000' >"$T/objects"
git -C "$T/many.git" fast-import --quiet <"$T/objects"
same "whole texts, one like the other" 300 "$T/many.git" \
	--rules "$T/much.toml"
ok "the same as those made of one another" cmp "$T/deltas" "$T/before"
# And where most texts have nothing of others, that is not looked for everywhere.
git clone -q --bare "file://$T/many.git" "$T/unlike.git"
perl -e 'srand 12;
	for (1 .. 800) {
		my $text = join "", map sprintf("%s %.12f\n", $_, rand),
			1 .. 300;
		printf "blob\ndata %d\n%s\n", length $text, $text;
	}' | git -C "$T/unlike.git" fast-import --quiet
same "among 4 MB that nothing else has" 300 "$T/unlike.git" \
	--rules "$T/much.toml"
ok "the same as without them" cmp "$T/deltas" "$T/before"
# Two texts, neither with a secret, behind each other; met after both of them in
# one commit, and before them in the other.
git init -q --bare -b main "$T/seam.git"
A=$(token 31) B=$(token 32) perl -e '
	sub lines { join "", map "$_[0], line $_\n", 1 .. 300 }
	sub commit { printf "commit refs/heads/main\ncommitter a <a\@b.example>" .
		" %d +0000\ndata 2\nc\n", 1e9 + $n++ }
	sub file { printf "M 100644 inline %s\ndata %d\n%s\n", $_[0],
		length $_[1], $_[1] }
	my @halves = map [lines("one $_") . substr($ENV{$_}, 0, 20),
		substr($ENV{$_}, 20) . "\n" . lines("two $_")], qw(A B);
	commit(); file("a", join "", @{$halves[0]});
	commit(); file("$_/1", $halves[$_][0]), file("$_/2", $halves[$_][1])
		for 0, 1;
	commit(); file("b", join "", @{$halves[1]});
' | git -C "$T/seam.git" fast-import --quiet
git -C "$T/seam.git" repack -qadF --depth=0 --window=0
git -C "$T/seam.git" fast-import --quiet <"$T/objects"
same "a secret out of two texts" 2 "$T/seam.git"

# --- paths that rules excuse ---------------------------------------------------------
# What only such rules find under a path is not looked at again, unless there is
# more to it: another rule, another path, something packed.
cat >"$T/excuse.toml" <<-'END'
	[[rules]]
	id = "lock"
	regex = '''\bhash-[0-9a-f]{16}\b'''
	keywords = ["hash-"]
	[[rules.allowlists]]
	paths = ['''\.lock$''']
	[[rules]]
	id = "other"
	regex = '''\bother-[0-9a-f]{16}\b'''
	keywords = ["other-"]
END
git init -q --bare -b main "$T/lock.git"
mkdir -p "$T/in" && echo "hash-0011223344556677" >"$T/in/key"
tar -C "$T" -cf "$T/in.tar" in/key
{ seq -f "hash-00112233445566%02g" 10 90
	echo "data: $({ seq 999; cat "$T/in/key"; } | gzip -n | base64 -w0)"
} >"$T/packed"
perl -e 'my $n = 0;
	sub file {
		my ($name, $text) = @_;
		printf "commit refs/heads/main\ncommitter a <a\@b.example> %d " .
			"+0000\ndata 2\nc\nM 100644 inline %s\ndata %d\n%s\n",
			1e9 + $n++, $name, length $text, $text;
	}
	sub slurp { local (@ARGV, $/) = @_; <> }
	my $lock = join "", map sprintf("hash-%016x\n", $_ * 7), 1 .. 300;
	file("a.lock", $lock);
	file("b.lock", $lock . "other-0123456789abcdef\n");
	file("c.lock", $lock . "hash-0000000000000000\n" x 9);
	file("c.txt", $lock);
	file("d.lock", slurp($ARGV[0]));
	file("e.lock", slurp($ARGV[1]));
	file("f.lock", $lock . "more");
' "$T/in.tar" "$T/packed" | git -C "$T/lock.git" fast-import --quiet
git -C "$T/lock.git" repack -qadf
same "paths that a rule excuses" 300 "$T/lock.git" --rules "$T/excuse.toml"
is "where else there is something" "$(sed -nE 's/^  ([^ ].*):[0-9]+:[0-9]+ .*/\1/p' \
	"$T/report" | uniq | paste -sd,)" \
	"b.lock,c.txt,d.lock!in/key,e.lock!(base64 in line 82)!data"

# --- only words are known of a base -------------------------------------------------
# One version has the first line of a key alone, in which nothing is found; the
# next one is stored as what differs from it, which is the rest of the key.
git init -q -b main "$T/k"
head="-----BEGIN RSA PRIVATE ""KEY-----"
seq -f 'line %g of what stays' 200 >"$T/stays"
{ cat "$T/stays"; echo "$head"; seq -f '(%g) goes.' 900; } >"$T/k/f"
git -C "$T/k" add f && git -C "$T/k" commit -qm "a line"
{ cat "$T/stays"; echo "$head"; head -c 900 /dev/urandom | base64 -w 64
	echo "${head/BEGIN/END}"; } >"$T/k/f"
git -C "$T/k" commit -qam "the rest"
git -C "$T/k" repack -qadf
base=$(git -C "$T/k" rev-parse HEAD~1:f) new=$(git -C "$T/k" rev-parse HEAD:f)
ok "the key is a delta of its first line" grep -q "^$new blob .* 1 $base\$" \
	<(git -C "$T/k" verify-pack -v "$T"/k/.git/objects/pack/*.idx)
same "a word that is known, what follows is new" 0 "$T/k"
like "the key" "f:201:" "$T/report"

# --- what is borrowed ---------------------------------------------------------------
git clone -q --bare --shared "$T/d.git" "$T/shared.git"
same "a borrowed store" 300 "$T/shared.git" --rules "$T/much.toml"
ok "the same as where it is" cmp "$T/deltas" "$T/before"

# --- beside the search ----------------------------------------------------------------
# With several threads a walk goes through trees while objects are searched, and
# keeps what it meets; more than may be kept is met here. Nothing of a report
# tells which it was, nor what comes first in it.
git init -q --bare -b main "$T/b.git"
A=$(token 21) B=$(token 22) C=$(token 23) D=$(token 24) E=$(token 25) perl -e '
	sub file { printf "M 100644 inline %s\ndata %d\n%s\n", $_[0],
		length $_[1], $_[1] }
	my $n = 0;
	for my $c (1 .. 300) {
		my $words = $c == 90 ? $ENV{C} : "words";
		printf "commit refs/heads/main\ncommitter b <b\@example.org> " .
			"%d +0000\ndata %d\n%s\n", 1700000000 + $c,
			length $words, $words;
		file("a directory of some length/$c/" . $n++ % 5000,
			"$n, $c\n") for 1 .. 120;
		file("early", $ENV{A}) if $c == 3;
		file("d/$ENV{B}/f", "plain") if $c == 60;
		file("late", "x\n$ENV{D}\n") if $c == 299;
	}
	print "tag note\nfrom refs/heads/main\ntagger b <b\@example.org> " .
		"1700000000 +0000\ndata ", length $ENV{E}, "\n$ENV{E}\n"
' | git -C "$T/b.git" fast-import --quiet
# references of what is no commit: a tag of a file, a tag of a directory, a file
# itself
in_b() { git -C "$T/b.git" "$@"; }
blob=$(token 26 | in_b hash-object -w --stdin)
in_b -c user.name=b -c user.email=b@example.org tag -a -m file file "$blob"
tree=$(printf '100644 blob %s\tkey\n' \
	"$(token 27 | in_b hash-object -w --stdin)" | in_b mktree)
in_b -c user.name=b -c user.email=b@example.org tag -a -m tree tree "$tree"
in_b update-ref refs/keys/one "$(token 28 | in_b hash-object -w --stdin)"
for setting in 'threads = 1' 'threads = 2' 'threads = 8' \
	$'threads = 8\n\tmemory = 32m'; do
	printf '[scan]\n\t%s\n[access]\n\tallow = * * *\n' "$setting" |
		hook_conf
	(cd "$T/b.git" && "$BUILD/git-gate" scan -c "$CONF" --all \
		--format json --report "$T/beside") >"$T/said" 2>&1
	[ -e "$T/alone" ] || cp "$T/beside" "$T/alone"
	is "${setting//$'\n\t'/, }: findings" \
		"$(grep -c '"Fingerprint"' "$T/beside")" 8
	ok "the same report as of one thread" cmp "$T/beside" "$T/alone"
done
# at_once THREADS: how many a scan has at most, of scans that are watched until
# one had so many at a time, or 50 were.
at_once() {
	local most=0 tasks pid
	printf '[scan]\n\tthreads = %s\n[access]\n\tallow = * * *\n' "$1" |
		hook_conf
	for _ in $(seq 50); do
		(cd "$T/b.git" && exec "$BUILD/git-gate" scan -c "$CONF" \
			--all) >"$T/said" 2>&1 &
		pid=$!
		while tasks=("/proc/$pid/task/"*) && [ -e "${tasks[0]}" ]; do
			[ ${#tasks[@]} -le "$most" ] || most=${#tasks[@]}
		done
		wait "$pid"
		[ "$most" -lt "$1" ] || break
	done
	echo "$most"
}
for i in 1 2 3 8; do
	is "threads = $i: so many, with that of the walk" "$(at_once $i)" $i
done

# --- within memory ----------------------------------------------------------------
# peak DIR SETTING...: the most, in MiB, that a scan of that repository was seen
# to have of memory, its files left aside; what it said is in $T/said.
peak() {
	local dir=$1 most=0 pid key value _
	shift
	{ printf '[scan]\n'; printf '\t%s\n' "$@"; } | hook_conf
	(cd "$dir" && exec "$BUILD/git-gate" scan -c "$CONF" --all) \
		>"$T/said" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		while read -r key value _; do
			[ "$key" != RssAnon: ] || [ "$value" -le "$most" ] ||
				most=$value
		done 2>/dev/null <"/proc/$pid/status" || break
	done
	wait "$pid"
	echo $((most / 1024))
}
# holds NAME BOUND: $got is no more than that.
holds() {
	ok "$1: seen" test "$got" -gt 0
	if ldd "$BUILD/git-gate" | grep -q libasan; then
		diag "memory is not compared: a sanitizer keeps what was freed"
	else
		ok "$1: within $2 MiB ($got)" test "$got" -le "$2"
	fi
}
# A directory of many entries, of which each commit changes one: 75 MB of trees.
git init -q --bare -b main "$T/wide.git"
perl -e '
	my $name = "a file of some length, and a number, in a directory: ";
	for my $c (1 .. 500) {
		printf "commit refs/heads/main\ncommitter b <b\@example.org> " .
			"%d +0000\ndata 1\nx\n", 1700000000 + $c;
		printf "M 100644 inline d/$name%d\ndata %d\n%s\n", $_,
			length "$c", $c for $c == 1 ? 1 .. 2000 : $c;
	}
' | git -C "$T/wide.git" fast-import --quiet
for i in 1 2; do
	got=$(peak "$T/wide.git" "threads = $i" 'memory = 32m')
	like "threads = $i: a wide history is scanned" "no secret" "$T/said"
	holds "that" 32
done
# Archives of one large file each, so far apart that each thread comes to one.
git init -q --bare -b main "$T/large.git"
perl -e 'srand 7;
	sub file { printf "M 100644 inline %s\ndata %d\n%s\n", $_[0],
		length $_[1], $_[1] }
	print "commit refs/heads/main\ncommitter b <b\@example.org> ",
		"1700000000 +0000\ndata 1\nx\n";
	for my $i (1 .. 6) {
		my $text = join "", map { chr 97 + rand 26 } 1 .. 30000;
		open my $f, "|-", "gzip -1 >$ARGV[0]" or die;
		print $f $text for 1 .. 1000;
		close $f;
		open $f, "<", $ARGV[0] or die;
		local $/;
		file("f$i.gz", <$f>);
		file("d$i/f$_", "small $i $_\n") for 1 .. 8;
	}
	file("d/f$_", "$_\n") for 1 .. 6000;
' "$T/one.gz" | git -C "$T/large.git" fast-import --quiet
got=$(peak "$T/large.git" 'threads = 6' 'memory = 64m')
like "archives of large files are unpacked" "no secret" "$T/said"
holds "six threads unpack them" 64

# --- more objects than there is room for ------------------------------------------------
git init -q --bare "$T/room.git"
perl -e 'printf "blob\ndata %d\n%s\n", length, $_ for 1 .. 500000' |
	git -C "$T/room.git" fast-import --quiet
printf '[scan]\n\tmemory = 32m\n[access]\n\tallow = * * *\n' | hook_conf
(cd "$T/room.git" && "$BUILD/git-gate" scan -c "$CONF" --all) >"$T/said" 2>&1
is "500,000 objects in 32m: could not tell" $? 3
like "why" "more objects than \[scan\] memory" "$T/said"
(cd "$T/room.git" && "$BUILD/git-gate" scan --all) >"$T/said" 2>&1
is "by default they are scanned" $? 0
# That pack eight times is four million, for which 256m has no room.
pack=$(echo "$T"/room.git/objects/pack/*.pack)
for i in 1 2 3 4 5 6 7; do
	for suffix in pack idx; do
		ln "${pack%pack}$suffix" "${pack%/*}/pack-$(printf '%040d' \
			"$i").$suffix"
	done
done
printf '[access]\n\tallow = * * *\n' | hook_conf
(cd "$T/room.git" && "$BUILD/git-gate" scan -c "$CONF" --all) >"$T/said" 2>&1
is "four million in 256m: could not tell" $? 3
(cd "$T/room.git" && "$BUILD/git-gate" scan --all) >"$T/said" 2>&1
is "without a gate's bound they are scanned" $? 0
like "all of them" "in 4000000 objects" "$T/said"

# --- the project's own ----------------------------------------------------------------
if [ "$(git -C "$SOURCE" rev-list --count HEAD 2>/dev/null || echo 0)" -gt 1 ]
then
	git clone -q --bare "file://$(git -C "$SOURCE" rev-parse \
		--path-format=absolute --git-common-dir)" "$T/own.git" 2>/dev/null
	git -C "$T/own.git" branch -q -f main \
		"$(git -C "$SOURCE" rev-parse HEAD)" 2>/dev/null
	git -C "$T/own.git" for-each-ref --format='delete %(refname)' |
		grep -v 'refs/heads/main$' |
		git -C "$T/own.git" update-ref --stdin
	git -C "$T/own.git" symbolic-ref HEAD refs/heads/main
	git -C "$T/own.git" repack -qadf --depth=50
	same "our own history" 0 "$T/own.git"
	same "with rules that find much" 300 "$T/own.git" \
		--rules "$T/much.toml"
fi
done_testing
