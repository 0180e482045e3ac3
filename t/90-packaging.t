#!/bin/bash
# What is shipped beside the programs: web servers take their files as a user
# would include them, systemd its units, manuals are well-formed and say all
# that the sources know.
# shellcheck source=t/lib.sh disable=SC2016,SC2317,SC2013
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
own_s=$(sed -n 's/.*\.stop_ms = \([0-9]*\) \* 1000,.*/\1/p' "$SOURCE/src/config.c")
ok "TimeoutStopSec is above stopTimeout" test "$stop_s" -gt "$own_s"

# --- manuals -----------------------------------------------------------------

for f in "$SOURCE"/man/*.[1-8]; do
	ok "$(basename "$f") is well-formed" mandoc -Tlint -Wwarning "$f"
done
mandoc -Tascii "$SOURCE/man/git-gate.conf.5" | col -bx >"$T/conf.txt"
mandoc -Tascii "$SOURCE/man/git-gated.8" | col -bx >"$T/gated.txt"

missing=''
for key in $(sed -n 's/.*{ SECTION_[A-Z]*, "\([A-Za-z]*\)".*/\1/p' \
	"$SOURCE/src/config-keys.c"); do
	grep -Eqw -e "$key" "$T/conf.txt" || missing="$missing $key"
done
is "git-gate.conf(5) has every key" "$missing" ''

codes=$(sed -n 's/.*\.code = "\([a-z-]*\)".*/\1/p' "$SOURCE"/src/*.c
	sed -n 's/.*\[FAULT_[A-Z_]*\] = { "\([a-z-]*\)".*/\1/p' \
		"$SOURCE/src/fault.c" | grep -vx none)
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
done < <(tr '\n\t' '  ' <"$SOURCE/src/fault.c" |
	grep -Eo '\[FAULT_[A-Z_]+\] = \{ "[a-z-]+", [01],' |
	sed -E 's/.*"([a-z-]+)", ([01]),/\1 \2/; s/ 0$/ no/; s/ 1$/ yes/' |
	grep -v '^none ')
is "and says when to try again" "$wrong" ''

# --- scripts -----------------------------------------------------------------

for f in quickstart .ci/run; do
	ok "$f is a program" test -x "$SOURCE/$f"
	ok "$f can be parsed" bash -n "$SOURCE/$f"
done

done_testing
