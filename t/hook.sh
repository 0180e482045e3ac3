# shellcheck shell=bash
# For the tests of the hook: a hosted bare repository that plain `git push`
# reaches through git-receive-pack with our hook, and somebody who takes the
# hook's notes. Sourced after lib.sh. All that is said is kept in $T/all.

ID=0123456789abcdef
CONF=$T/hook.conf
WHO=agent-1
mkdir -p "$T/hosted/lab" "$T/state"
: >"$T/all"

# hook_conf: the configuration, its [scan] and [access] from standard input.
hook_conf() {
	{
		printf '[gate]\n\tstate = %s\n' "$T/state"
		printf '\thooks = %s/hooks\n\tlibexec = %s\n' "$BUILD" "$BUILD"
		printf '[upstream "file"]\n\turl = file://%s/up/\n' "$T"
		printf '[repo "lab/*"]\n\thosted = %s\n' "$T/hosted"
		printf '[repo "*"]\n\tupstream = file\n'
		cat
	} >"$CONF"
}

# What git-gated would set for the hook, read again at each push.
cat >"$T/receive" <<END
#!/bin/sh
. "$T/vars"
export GIT_GATE_CONFIG GIT_GATE_REPO GIT_GATE_WHO
export GIT_GATE_ID=$ID GIT_GATE_CONTROL=yes GIT_CONFIG_COUNT=4
export GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0="$BUILD/hooks"
export GIT_CONFIG_KEY_1=receive.denyDeleteCurrent GIT_CONFIG_VALUE_1=ignore
export GIT_CONFIG_KEY_2=receive.unpackLimit GIT_CONFIG_VALUE_2=\$LIMIT
export GIT_CONFIG_KEY_3=receive.autogc GIT_CONFIG_VALUE_3=false
exec git receive-pack "\$@"
END
chmod +x "$T/receive"

# push DIR REPO ARG...: through the hook. UNPACK=1 keeps even a small pack.
push() {
	local dir=$1 repo=$2 rc
	shift 2
	cat >"$T/vars" <<-END
		GIT_GATE_CONFIG='$CONF' GIT_GATE_REPO='$repo'
		GIT_GATE_WHO='$WHO' LIMIT='${UNPACK:-100}'
	END
	git -C "$dir" push --receive-pack="$T/receive" \
		"file://$T/hosted/$repo.git" "$@" >"$T/pushed" 2>&1
	rc=$?
	cat "$T/pushed" >>"$T/all"
	cat "$T/pushed"
	return $rc
}

# Takes notes as git-gated does, one to a line of $T/notes; who asks whether it
# may forward is told what is in $T/may.
start_notes() {
	: >"$T/notes"
	printf yes >"$T/may"
	start notes perl -MIO::Socket::UNIX -MSocket -e '
		my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM,
			Local => $ARGV[0]) or die "$ARGV[0]: $!";
		open my $f, ">>", $ARGV[1] or die; $f->autoflush;
		while (defined(my $from = recv $s, my $n, 65536, 0)) {
			print $f "$n\n";
			next if $n !~ /^ask /;
			open my $may, "<", $ARGV[2] or die;
			send $s, <$may>, 0, $from;
		}
	' "$T/state/notes" "$T/notes" "$T/may"
	wait_for 10 test -S "$T/state/notes" || die "nobody takes notes"
}

# token N: the Nth token that the built-in rules know, made at run time.
token() {
	printf 'gh%s_%s%s%02dQ' p aB3dE5fG7hJ9kL1mN3 pQ5rS7tU9vW1xY3 "$1"
}
# Nothing of a token may be where it was refused.
hidden() {
	local n found=0
	for n in "$@"; do
		grep -aqF "$(token "$n" | cut -c5-)" "$T/all" "$T/notes" &&
			found=1
	done
	return $found
}
# A refusal's last line: refused CODE
refused() {
	like "the last line says $1" \
		"^remote: git-gate: refused code=$1 retry=(yes|no) .*id=$ID"
}
