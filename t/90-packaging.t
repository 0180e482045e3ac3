#!/bin/bash
# What is shipped beside the programs: web servers take their files as a user
# would include them, systemd its units, manuals are well-formed and say all
# that the sources know.
# shellcheck source=t/lib.sh disable=SC2016,SC2317,SC2013,SC2154
. "${SOURCE:?}/t/lib.sh"

# --- nginx -----------------------------------------------------------------

mkdir "$T/nginx"
cp "$SOURCE"/nginx-conf/* "$T/nginx/"
printf 'bob:{PLAIN}pw\n' >"$T/nginx/git-gate.htpasswd"

# nginx_takes HTTP SERVER: nginx -t, with these lines in http and in server.
nginx_takes() {
	local name
	{
		echo "pid $T/nginx/pid; error_log stderr;"
		echo "events {} http { access_log off;"
		for name in client_body proxy fastcgi uwsgi scgi; do
			echo "${name}_temp_path $T/nginx/$name;"
		done
		echo "$1 server { listen 127.0.0.1:$(free_port); $2 } }"
	} >"$T/nginx/nginx.conf"
	nginx -t -e stderr -p "$T/nginx" -c "$T/nginx/nginx.conf"
}
upstream_conf='include git-gate-upstream.conf;'
for f in git-gate.conf git-gate-auth.conf; do
	ok "nginx takes $f" nginx_takes "$upstream_conf" "include $f;"
	unlike "without a warning ($f)" '\[(warn|emerg)\]'
done

# The examples in comments: certificates, and a TCP port.
mtls=$(sed -n '/map \$ssl/,/#	}/s/^	#//p' "$SOURCE/nginx-conf/git-gate-auth.conf")
like "the example for certificates is there" '^	map .ssl_client_verify' \
	<(echo "$mtls")
sed -i -e '/auth_basic/d' -e 's/REMOTE_USER \$remote_user/REMOTE_USER $git_gate_user/' \
	"$T/nginx/git-gate-auth.conf"
ok "nginx takes the example for certificates" \
	nginx_takes "$upstream_conf $mtls" 'include git-gate-auth.conf;'
sed -i -e '/server unix/d' -e 's/# \(server 127\)/\1/' \
	"$T/nginx/git-gate-upstream.conf"
ok "nginx takes the TCP address" \
	nginx_takes "$upstream_conf" 'include git-gate.conf;'
sed -i 's|\^(?<git_gate_path>/|^/git(?<git_gate_path>/|' "$T/nginx/git-gate.conf"
ok "nginx takes a prefix" nginx_takes "$upstream_conf" 'include git-gate.conf;'

# --- lighttpd ----------------------------------------------------------------

# lighttpd_takes LINE...: lighttpd -tt
lighttpd_takes() {
	{
		echo "server.document-root = \"$T\""
		echo 'server.bind = "127.0.0.1"'
		echo "server.port = $(free_port)"
		printf '%s\n' "$@"
	} >"$T/lighttpd.conf"
	lighttpd -tt -f "$T/lighttpd.conf"
}
conf=$SOURCE/lighttpd-conf
ok "lighttpd takes git-gate-socket.conf" lighttpd_takes \
	"var.git_gate_socket = \"$T/s\"" "include \"$conf/git-gate-socket.conf\""
ok "lighttpd takes git-gate-spawn.conf" lighttpd_takes \
	"var.git_gate_socket = \"$T/s\"" \
	"var.git_gate_command = \"$BUILD/git-gated -f -c $T/c\"" \
	"include \"$conf/git-gate-spawn.conf\""
ok "lighttpd takes git-gate-passwords.conf before it" lighttpd_takes \
	"var.git_gate_passwords = \"$T/nginx/git-gate.htpasswd\"" \
	"var.git_gate_socket = \"$T/s\"" \
	"include \"$conf/git-gate-passwords.conf\"" \
	"include \"$conf/git-gate-socket.conf\""
no "lighttpd names a variable that is not set" \
	lighttpd_takes "include \"$conf/git-gate-socket.conf\""
like "by name" 'var\.git_gate_socket'

# Below a prefix, as its comment says.
sed 's|fastcgi.server = ( "/" =>|fastcgi.server = ( "/git" =>|' \
	"$conf/git-gate-socket.conf" >"$T/prefix.conf"
upstream one
fill one
conf <<-END
	[repo "one"]
		upstream = file
	[access]
		allow = fetch - one
END
start_gate
ok "lighttpd takes a prefix" lighttpd_takes \
	"var.git_gate_socket = \"$T/gate.sock\"" "include \"$T/prefix.conf\""
port=$(sed -n 's/^server.port = //p' "$T/lighttpd.conf")
start lighttpd lighttpd -D -f "$T/lighttpd.conf"
wait_for 10 listens "$port"
ok "health answers below a prefix" \
	curl -sf --max-time 5 "http://127.0.0.1:$port/git/-/health"
like "with its word" '^ok$'
ok "and a clone" git clone -q "http://127.0.0.1:$port/git/one" "$T/prefixed"
no "not beside it" curl -sf --max-time 5 "http://127.0.0.1:$port/one/info/refs"
stop lighttpd
stop gate

# --- systemd -----------------------------------------------------------------

mkdir "$T/units"
for f in socket service; do
	sed -e "s|@sbindir[@]|$BUILD|g" -e 's|@sysconfdir[@]|/etc|g' \
		"$SOURCE/systemd/git-gate.$f.in" >"$T/units/git-gate.$f"
done
unlike "every path of the units is filled in" '@[a-z]+@' \
	"$T/units/git-gate.service"
ok "systemd takes the units" systemd-analyze verify --man=no \
	"$T/units/git-gate.service" "$T/units/git-gate.socket"
unlike "without a warning about them" 'git-gate\.(service|socket):'
# Tenths. What is left: the network, for upstreams, and machine code.
ok "their exposure is at most 1.5" systemd-analyze security --offline=true \
	--threshold=15 "$T/units/git-gate.service"
like "and is measured" 'Overall exposure level'
# Its end must come after the responder's own.
stop_s=$(sed -n 's/^TimeoutStopSec=\([0-9]*\)s$/\1/p' "$T/units/git-gate.service")
own_s=$(sed -n 's/.*\.stop_ms = \([0-9]*\) \* 1000,.*/\1/p' "$SOURCE/src/config-keys.c")
ok "TimeoutStopSec is above stopTimeout" test "$stop_s" -gt "$own_s"

# --- manuals -----------------------------------------------------------------

for f in "$SOURCE"/man/*.[1-8]; do
	ok "$(basename "$f") is well-formed" mandoc -Tlint -Wwarning "$f"
done
# without what makes bold and underlined letters
plain_text() { mandoc -Tascii "$SOURCE/man/$1" | sed 's/.\x08//g'; }
plain_text git-gate.conf.5 >"$T/conf.txt"
plain_text git-gated.8 >"$T/gated.txt"

missing=''
for key in $(sed -n 's/.*{ SECTION_[A-Z]*, "\([A-Za-z]*\)".*/\1/p' \
	"$SOURCE/src/config-keys.c"); do
	grep -Eqw -e "$key" "$T/conf.txt" || missing="$missing $key"
done
is "git-gate.conf(5) has every key" "$missing" ''

codes=$(sed -n 's/.*\.code = "\([a-z-]*\)".*/\1/p' "$SOURCE"/src/*.c
	sed -n 's/.*\[FAULT_[A-Z_]*\] = { "\([a-z-]*\)".*/\1/p' \
		"$SOURCE/src/fault-text.c" | grep -vx none)
is "the sources' codes are found" \
	"$(grep -Ecx 'denied|upstream-stale' <(sort -u <<<"$codes"))" 2
missing=''
for code in $(sort -u <<<"$codes"); do
	grep -Eq -e "^ +$code +(yes|no) " "$T/gated.txt" ||
		missing="$missing $code"
done
is "git-gated(8) has every code of a refusal" "$missing" ''

# retry=... of the upstream's faults is the manual's.
wrong=''
while read -r code retry; do
	grep -Eq -e "^ +$code +$retry " "$T/gated.txt" || wrong="$wrong $code"
done < <(tr '\n\t' '  ' <"$SOURCE/src/fault-text.c" |
	grep -Eo '\[FAULT_[A-Z_]+\] = \{ "[a-z-]+", [01],' |
	sed -E 's/.*"([a-z-]+)", ([01]),/\1 \2/; s/ 0$/ no/; s/ 1$/ yes/' |
	grep -v '^none ')
is "and says when to try again" "$wrong" ''

# --- scripts -----------------------------------------------------------------

for f in quickstart .ci/run .ci/tidy; do
	ok "$f is a program" test -x "$SOURCE/$f"
	ok "$f can be parsed" bash -n "$SOURCE/$f"
done

# quickstart in a directory of its own, with stand-ins for what it calls.
q=$T/q
mkdir -p "$q" "$T/stubs" "$T/a b"
cp "$SOURCE/quickstart" "$q/"
cp "$SOURCE/quickstart" "$T/a b/"
stub() { # NAME, the script on standard input
	{ echo '#!/bin/sh'; cat; } >"$T/stubs/$1"
	chmod +x "$T/stubs/$1"
}
stub dpkg-query <<<'echo installed'
stub apt-get <<<"echo \"\$*\" >>$T/apt"
# INT as at a terminal, whatever started the tests
run_quickstart() {
	PATH=$T/stubs:$PATH timeout -k 2 60 perl -e '$SIG{INT} = "DEFAULT";
		exec { $ARGV[0] } @ARGV' "${AT:-$q}/quickstart" "$@"
}
# says STATUS NAME REGEX ARGUMENT...
says() {
	local status=$1 name=$2 words=$3
	shift 3
	try run_quickstart "$@"
	is "quickstart, $name" "$rc" "$status"
	like "$name: is said" "$words"
}
says 0 "help" 'quickstart check' --help
says 2 "no benchmark" 'name a benchmark' bench
says 2 "one that is none" 'there is no benchmark nix' bench nix
says 2 "a program elsewhere" 'there is no benchmark ../quickstart' \
	bench ../quickstart
says 2 "an option that is not there" 'no option --upsteam' --upsteam file:///x
says 2 "no upstream" 'name an upstream' --listen 127.0.0.1:0
says 2 "an upstream without a scheme" 'SCHEME' --upstream git@host:x.git
says 2 "an option without a value" 'wants a value' --upstream
says 2 "a command that is not there" 'no command chekc' chekc
says 2 "a test that is not there" 'no such test' check t/none.t
AT="$T/a b" says 1 "a path with a space" 'no space'
ok "none of these began to work" test ! -e "$q/build" -a ! -e "$T/a b/build"

mkdir "$q/build"
exec 8>"$q/build/quickstart.lock"
flock -n 8
says 1 "a second one" 'another quickstart builds here'
exec 8>&-
stub autoreconf <<<'kill -INT "$PPID"'
says 130 "an interrupt" '^quickstart: interrupted$'
is "in one line" "$(grep -c . "$T/err")" 1

# Configured again when cmocka was not there at first.
mkdir -p "$q/build/normal" "$q/build/asan"
touch "$q/configure.ac" "$q/Makefile.am" "$q/Makefile.in"
cat >"$q/configure" <<-END
	#!/bin/sh
	echo "\$PWD" >>$T/configured
	printf 'HAVE_CMOCKA_TRUE = \nall check:\n' >Makefile
END
chmod +x "$q/configure"
printf 'HAVE_CMOCKA_TRUE = \nall check:\n' >"$q/build/asan/Makefile"
printf 'HAVE_CMOCKA_TRUE = #\nall check:\n' >"$q/build/normal/Makefile"
cd "$SOURCE/t" || exit 1
says 1 "a run without tests has not passed" '0 passed, 2 failed' \
	check 90-packaging.t
cd "$T" || exit 1
is "what was configured without cmocka is configured again" \
	"$(cat "$T/configured")" "$q/build/normal"
ok "nothing was installed" test ! -e "$T/apt"

# Packages are missing, and we are not root.
stub dpkg-query </dev/null
stub id <<<'case $1 in -u) echo 1000 ;; *) echo ada ;; esac'
stub sudo <<<'exit 1'
says 1 "sudo refuses" '^  apt-get install .* libpcre2-dev'
stub sudo <<-'END'
	[ "$1" = -v ] || exec env PATH="$PATH" true
END
says 1 "services are told" 'disabled at boot: lighttpd .*ssh' check

# A checkout that is another user's (root writes everywhere: be somebody else).
be=()
[ "$(id -u)" -ne 0 ] || be=(setpriv --reuid 65534 --regid 65534 --clear-groups)
chmod -R a-w "$q"
try "${be[@]}" "$q/quickstart"
is "a checkout that cannot be written" "$rc" 1
like "is told" 'cannot write to .*/q or its build'
chmod -R u+w "$q"

done_testing
