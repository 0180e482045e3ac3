# shellcheck shell=bash
# TAP, and the servers that a test talks to; sourced first by every test.
# Everything lives below T, which is removed at the end (KEEP=1 keeps it),
# listens on 127.0.0.1 or on unix sockets, and is ended by process id. Takes
# BUILD and SOURCE from the environment, and nothing else of it reaches git.
# LIGHT=yes asks those that do much of the same for less of it.

set -u
umask 022
: "${BUILD:?is the build directory, absolute}"
: "${SOURCE:?is the source directory, absolute}"
T=$(mktemp -d "${TMPDIR:-/tmp}/git-gate.XXXXXX") || exit 1
chmod 755 "$T"
mkdir "$T/home" "$T/up"
ME=$(id -un)
HERE=$SOURCE/t
declare -A PID=()
tests=0 failed=0

unset "${!GIT_@}" "${!XDG_@}" SSH_AUTH_SOCK SSH_ASKPASS EMAIL \
	http_proxy https_proxy all_proxy no_proxy ALL_PROXY HTTPS_PROXY
export HOME=$T/home LC_ALL=C TZ=UTC GIT_CONFIG_NOSYSTEM=1 \
	GIT_TERMINAL_PROMPT=0 GIT_AUTHOR_NAME=Ada GIT_COMMITTER_NAME=Ada \
	GIT_AUTHOR_EMAIL=ada@example.org GIT_COMMITTER_EMAIL=ada@example.org

# what a client, or an upstream, would look for after each commit and push, by
# two processes more
printf '[maintenance]\n\tauto = false\n' >"$HOME/.gitconfig"

# --- TAP ---------------------------------------------------------------

# A comment. After a test that failed it goes to standard error, with the name
# of the file: prove shows nothing else of it.
FAILING=''
diag() {
	local lines
	lines=$(printf '%s\n' "$*" | sed 's/^/# /')
	printf '%s\n' "$lines"
	[ -z "$FAILING" ] || sed "s/^#/# ${0##*\/}:/" >&2 <<<"$lines"
}

# result STATUS NAME: one test's line, and on failure what was last said.
result() {
	tests=$((tests + 1)) FAILING=''
	[ "$1" -eq 0 ] && { echo "ok $tests - $2"; return 0; }
	failed=$((failed + 1)) FAILING=yes
	echo "not ok $tests - $2"
	diag "not ok $tests - $2"
	[ ! -s "$T/said" ] || diag "$(tail -n 20 "$T/said" | cut -c1-300 |
		tr -cd '\11\12\40-\176' | sed 's/^/  /')"
	return 1
}

# try COMMAND...: its words go to $T/out and $T/err, both to $T/said, its
# status to rc.
try() {
	"$@" >"$T/out" 2>"$T/err" </dev/null
	rc=$?
	cat "$T/out" "$T/err" >"$T/said"
	return $rc
}

# ok NAME COMMAND...: it succeeds; no NAME COMMAND...: it fails, and in time.
ok() { local name=$1; shift; try "$@"; result $rc "$name"; }
no() {
	local name=$1
	shift
	try "$@"
	[ $rc -ne 0 ] && [ $rc -ne 124 ] && [ $rc -ne 137 ]
	result $? "$name"
}
# is NAME GOT WANTED
is() {
	[ "$2" = "$3" ]
	result $? "$1" || diag "got:    $(head -c 600 <<<"$2")" \
		$'\n'"wanted: $(head -c 600 <<<"$3")"
}
# like NAME REGEX [FILE]: a line of what was said, or of the file, matches;
# lines that were wrapped for people count as one, too.
like() {
	grep -Eaq -e "$2" "${3:-$T/said}" ||
		perl -0pe 's/ *\n(remote: )?  +(?=\S)/ /g' "${3:-$T/said}" |
		grep -Eaq -e "$2"
	result $? "$1" || diag "no line matches: $2"
}
# comes NAME REGEX FILE: as like, of a file to which another process writes: a
# line may come after the end of what it tells of.
comes() {
	wait_for 10 grep -Eaq -e "$2" "$3"
	like "$@"
}
unlike() {
	! grep -Eaq -e "$2" "${3:-$T/said}"
	result $? "$1" || diag "a line matches: $2"
}
done_testing() {
	echo "1..$tests"
	[ $failed -eq 0 ]
	exit
}
# figure STATEMENT BOUND MEASURED: for bench/sessions, after the "ok" or the
# condition that decides whether it is met
figure() {
	local met=$?
	[ $met -eq 0 ] && met=yes || met=no
	echo "# figure: | $1 | $2 | $3 | $met |"
}
# die WHY: the test itself cannot go on.
die() {
	result 1 "$*"
	diag "$(tail -n 20 "$T"/*.log 2>/dev/null)"
	exit 1
}

# --- processes -----------------------------------------------------------

# wait_for SECONDS COMMAND...: until it succeeds, at most so long.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# spent: the processor time, in ms, of all that this shell has waited for, in
# SPENT; what is "soon" by it is so on a busy machine, too.
spent() {
	times >"$T/times"
	SPENT=$(tr 'ms' '  ' <"$T/times" | awk 'NR == 2 {
		printf "%d", ($1 * 60 + $2 + $3 * 60 + $4) * 1000 }')
}

# start NAME COMMAND...: in the background, its words to $T/NAME.log.
start() {
	local name=$1
	shift
	"$@" >>"$T/$name.log" 2>&1 </dev/null &
	PID[$name]=$!
}
gone() { ! kill -0 "$1" 2>/dev/null; }
# stop NAME [SIGNAL [SECONDS]]: ends it; rc is its exit status.
stop() {
	local pid=${PID[$1]}
	# the shell says "Killed" on standard error: not a test's word
	{
		kill "-${2:-TERM}" "$pid"
		wait_for "${3:-15}" gone "$pid" || kill -KILL "$pid"
		wait "$pid"
		rc=$?
	} 2>/dev/null
	unset "PID[$1]"
	return 0
}
# Shared connections, where no responder has ended them.
end_shared() {
	local file
	for file in $(grep -lsz "^GIT_GATE_SHARE=$T/" /proc/[0-9]*/environ); do
		file=${file#/proc/}
		kill -KILL "${file%/*}" 2>/dev/null
	done
}
cleanup() {
	local name
	for name in "${!PID[@]}"; do stop "$name" TERM 5; done
	[ -z "${SSHD_PORT:-}" ] || end_shared
	if [ -n "${KEEP:-}" ]; then
		diag "kept: $T"
	else
		rm -rf "$T"
	fi
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# A port that nobody listens on, below those that the kernel hands out.
free_port() {
	perl -MIO::Socket::INET -e 'for (1 .. 200) {
		my $p = 10000 + int rand 20000;
		my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1",
			LocalPort => $p, Listen => 1) or next;
		print $p; exit 0 } exit 1'
}
answers() { curl -s -o /dev/null --max-time 5 "$@"; }
listens() { (: <"/dev/tcp/127.0.0.1/$1"); }

# --- git -----------------------------------------------------------------

# Every git of a test is bounded; LIMIT is in seconds.
git() { timeout -k 5 "${LIMIT:-60}" git "$@"; }

# commit DIR FILE TEXT [MESSAGE]: on the branch that is checked out.
commit() {
	mkdir -p "$(dirname "$1/$2")"
	printf '%s\n' "$3" >>"$1/$2"
	git -C "$1" add -A && git -C "$1" commit -qm "${4:-change $2}"
}
# bulk DIR SIZE: bytes that no compression makes smaller, to be committed there;
# with so many objects that they stay a pack, which nobody makes anew for every
# clone, and that pack quickly.
bulk() {
	local i
	git -C "$1" config core.compression 0
	head -c "$2" /dev/urandom >"$1/bulk"
	for i in {1..120}; do echo "$i" >"$1/bulk$i"; done
}
# What a repository or URL advertises, its default branch included.
refs() { git ls-remote --symref "$1" 2>/dev/null; }
tip() { git -C "$1" rev-parse -q --verify "$2"; }

# A token that the built-in rules must know, made when the test runs.
secret() { printf 'gh%s_%s%s' p aB3dE5fG7hJ9kL1mN3 pQ5rS7tU9vW1xY3zA5; }

# --- upstreams -----------------------------------------------------------

# upstream NAME: an empty bare repository $T/up/NAME.git, with hooks that
# speak, refuse refs/heads/blocked, and record push options.
upstream() {
	local dir=$T/up/$1.git
	git init -q --bare -b main "$dir"
	git -C "$dir" config receive.advertisePushOptions true
	git -C "$dir" config receive.denyDeleteCurrent ignore
	git -C "$dir" config uploadpack.allowFilter true
	rm -rf "$dir"/hooks/*
	cat >"$dir/hooks/pre-receive" <<-'END'
		#!/bin/sh
		while read -r old new ref; do
			case $ref in refs/heads/blocked)
				echo "closed by its owners"; exit 1 ;;
			esac
		done
	END
	cat >"$dir/hooks/post-receive" <<-'END'
		#!/bin/sh
		echo "Create a pull request at https://forge.example/new"
		i=0
		while [ "$i" -lt "${GIT_PUSH_OPTION_COUNT:-0}" ]; do
			eval "echo \"\$GIT_PUSH_OPTION_$i\"" >>options
			i=$((i + 1))
		done
	END
	chmod +x "$dir"/hooks/*
}

# fill NAME: its first commits, branches and tags, through $T/author/NAME.
fill() {
	local dir=$T/author/$1 i
	git clone -q "$T/up/$1.git" "$dir" 2>/dev/null
	git -C "$dir" checkout -qB main
	for i in 1 2 3 4 5; do commit "$dir" "src/file$i" "line $i"; done
	git -C "$dir" tag light
	git -C "$dir" tag -am "release one" v1
	git -C "$dir" branch side HEAD~2
	git -C "$dir" push -q origin main side light v1 2>/dev/null ||
		die "cannot fill $1"
}

# An sshd as the current user. Gives $SSHD_PORT, and in $T/ssh the client's
# id and known_hosts.
start_sshd() {
	local try
	mkdir -p "$T/ssh"
	ssh-keygen -q -t ed25519 -N '' -f "$T/ssh/host"
	ssh-keygen -q -t ed25519 -N '' -f "$T/ssh/id"
	cp "$T/ssh/id.pub" "$T/ssh/authorized_keys"
	# where sshd keeps its privileges apart; no package makes it for us
	[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
	for try in 1 2 3 4 5; do
		SSHD_PORT=$(free_port)
		cat >"$T/ssh/sshd_config" <<-END
			ListenAddress 127.0.0.1:$SSHD_PORT
			HostKey $T/ssh/host
			AuthorizedKeysFile $T/ssh/authorized_keys
			StrictModes no
			UsePAM no
			PasswordAuthentication no
			KbdInteractiveAuthentication no
			PermitRootLogin prohibit-password
			PidFile none
			MaxStartups 200
			# the newest exchange costs a test that asks often too much
			KexAlgorithms curve25519-sha256
			SetEnv HOME=$T/home GIT_CONFIG_NOSYSTEM=1
		END
		start sshd /usr/sbin/sshd -D -e -f "$T/ssh/sshd_config"
		wait_for 5 listens "$SSHD_PORT" && alive sshd && break
		stop sshd
	done
	[ -n "${PID[sshd]:-}" ] || die "sshd does not start"
	printf '[127.0.0.1]:%s %s\n' "$SSHD_PORT" \
		"$(cut -d' ' -f1,2 "$T/ssh/host.pub")" >"$T/ssh/known_hosts"
}
alive() { kill -0 "${PID[$1]}" 2>/dev/null; }

# --- the gate and the web servers ------------------------------------------

# conf: the configuration is what comes on standard input, and where things
# are. Two upstreams are made known, "ssh" when there is an sshd.
conf() {
	{
		printf '[gate]\n\tstate = %s\n\thooks = %s\n\tlibexec = %s\n' \
			"$T/state" "${HOOKS:-$BUILD/hooks}" "${LIBEXEC:-$BUILD}"
		printf '[upstream "file"]\n\turl = file://%s/up/\n' "$T"
		[ -z "${SSHD_PORT:-}" ] || cat <<-END
			[upstream "ssh"]
				url = ssh://$ME@127.0.0.1:$SSHD_PORT$T/up/
				identityFile = $T/ssh/id
				knownHosts = $T/ssh/known_hosts
		END
		cat
	} >"$T/gate.conf"
}

# hook_for_strace: before conf, where the gate will run under strace. Sanitizers
# look for leaks by the same means as strace, and the environment of hooks and
# helpers is made from nothing: the wrappers tell them not to.
hook_for_strace() {
	local name
	ldd "$BUILD/git-gate-hook" | grep -q libasan || return 0
	HOOKS=$T/hooks LIBEXEC=$T/libexec
	mkdir -p "$HOOKS" "$LIBEXEC"
	for name in hook:hooks/pre-receive proc-receive:hooks/proc-receive \
		ssh:libexec/git-gate-ssh askpass:libexec/git-gate-askpass \
		nothing:libexec/git-gate-nothing \
		pack:libexec/git-gate-pack; do
		printf '#!/bin/sh\nASAN_OPTIONS=detect_leaks=0 exec "%s" "$@"\n' \
			"$BUILD/git-gate-${name%:*}" >"$T/${name#*:}"
		chmod +x "$T/${name#*:}"
	done
}

# strace_ended FILE: who writes it does so after what it traces has ended, too.
strace_ended() { ! pgrep -f "strace .*-o $1"; }

# start_gate [COMMAND...]: git-gated on $T/gate.sock, run by the command.
start_gate() {
	rm -f "$T/gate.sock"
	start gate "$@" "$BUILD/git-gated" -f -c "$T/gate.conf" -s "$T/gate.sock"
	wait_for 20 gate_settled
	alive gate && fcgi /-/health >/dev/null || die "git-gated does not answer"
}
gate_settled() { ! alive gate || fcgi /-/health; }
# fcgi ...: one FastCGI request on the gate's own socket.
fcgi() { timeout -k 2 "${LIMIT:-30}" perl "$HERE/fcgi.pl" "$T/gate.sock" "$@"; }

# start_web nginx|lighttpd [auth]: with the shipped files, before $T/gate.sock
# (nginx: before GATE_AT, if it is set; lighttpd with SPAWN=spawn starts
# git-gated itself). Gives GATE, its address; with auth, for the names in
# $T/htpasswd.
start_web() {
	local try port
	# one of a kind: an earlier one is nobody's any more
	[ -z "${PID[$1]:-}" ] || stop "$1"
	mkdir -p "$T/$1"
	for try in 1 2 3 4 5; do
		port=$(free_port)
		"conf_$1" "$port" "${2:-}" >"$T/$1/$1.conf"
		case $1 in
		nginx) start nginx nginx -e stderr -p "$T/nginx" \
			-c "$T/nginx/nginx.conf" ;;
		lighttpd) start lighttpd lighttpd -D \
			-f "$T/lighttpd/lighttpd.conf" ;;
		esac
		GATE=http://127.0.0.1:$port
		wait_for 10 web_up "$1" && break
		stop "$1"
	done
	[ -n "${PID[$1]:-}" ] || die "$1 does not start"
}
web_up() { alive "$1" && curl -sf --max-time 5 "$GATE/-/health"; }

conf_nginx() {
	ln -sf "$SOURCE/nginx-conf/git-gate-params" "$T/nginx/git-gate-params"
	[ -z "$2" ] || ln -sf "$T/htpasswd" "$T/nginx/git-gate.htpasswd"
	cat <<-END
		daemon off;
		worker_processes 1;
		pid $T/nginx/pid;
		$([ "$(id -u)" -ne 0 ] || echo "user $ME;")
		error_log stderr;
		events { worker_connections 4096; }
		http {
			access_log $T/nginx/access.log;
			client_body_temp_path $T/nginx/body;
			proxy_temp_path $T/nginx/proxy;
			fastcgi_temp_path $T/nginx/fastcgi;
			uwsgi_temp_path $T/nginx/uwsgi;
			scgi_temp_path $T/nginx/scgi;
			upstream git-gate { server ${GATE_AT:-unix:$T/gate.sock}; }
			server {
				listen 127.0.0.1:$1;
				include $SOURCE/nginx-conf/git-gate${2:+-auth}.conf;
			}
		}
	END
}

conf_lighttpd() {
	cat <<-END
		server.bind = "127.0.0.1"
		server.port = $1
		server.document-root = "$T/lighttpd"
		server.upload-dirs = ( "$T/lighttpd" )
		server.errorlog = "$T/lighttpd/error.log"
		var.git_gate_socket = "$T/${SPAWN:+spawn.}gate.sock"
		var.git_gate_command = "$BUILD/git-gated -f -c $T/gate.conf"
		var.git_gate_passwords = "$T/htpasswd"
		$([ -z "$2" ] ||
			echo "include \"$SOURCE/lighttpd-conf/git-gate-passwords.conf\"")
		include "$SOURCE/lighttpd-conf/git-gate-${SPAWN:-socket}.conf"
	END
}
