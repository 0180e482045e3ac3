# shellcheck shell=bash
# A real https upstream: nginx with TLS and passwords before lighttpd, which
# runs git http-backend on the repositories below $T/up. Sourced after lib.sh.
#
# start_https gives, beside $HTTPS_PORT:
#   HTTPS       https://127.0.0.1:PORT/git/   what an upstream's url is
#   AWAY        https://localhost:PORT/git/   another server, same repositories
#   CERT        https://127.0.0.1:PORT/git/   wants a client certificate, and
#                                             no password
#   $T/https    ca.pem, token (of user robot), client.pem and client.key,
#               other.pem (an authority that vouches for none of these)
#
# How it misbehaves, from the next request on; https_well ends it:
#   https_takes TOKEN            the one token that it takes: others read 401
#   https_says STATUS PATTERN [WORDS]
#                                after the password, where METHOD, path and
#                                query match the shell pattern
#   https_does PATTERN COMMAND   likewise: a line of sh, before git is run;
#                                "sleep 2", "exit" (that is a 500)
#   https_nginx 444|moved|away   hangs up; redirects to itself; to AWAY
#   https_tells                  it shows git and its hooks the Authorization
#                                header, in HTTP_AUTHORIZATION
# $T/https/requests has a line for each request that reached it, of all three:
# PORT STATUS "REQUEST LINE" anonymous|password

USER_HTTPS=robot

https_takes() {
	printf '%s:{PLAIN}%s\n' "$USER_HTTPS" "$1" >"$T/https/users.new"
	mv "$T/https/users.new" "$T/https/users"
}
https_well() { rm -f "$T"/https/say/* "$T/https/how"; }
https_nginx() { : >"$T/https/say/$1"; }
https_tells() { : >"$T/https/say/tells"; }
https_does() {
	printf 'case $REQUEST_METHOD\\ $PATH_INFO?$QUERY_STRING in %s)\n%s\n;; esac\n' \
		"$1" "$2" >>"$T/https/how"
}
https_says() {
	local words=${3:-these are the words of the upstream}
	printf '%s\n' "$words" >"$T/https/words.$1"
	https_does "$2" "printf 'Status: $1 Said\\r\\nContent-Type: text/plain\\r\\n\\r\\n'
cat '$T/https/words.$1'; exit"
}

# Both authorities, the server's certificate and the client's.
https_certificates() {
	local dir=$T/https name
	for name in ca other; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
			-nodes -keyout "$dir/$name.key" -out "$dir/$name.pem" \
			-days 2 -subj "/CN=$name" || return 1
	done
	echo 'subjectAltName=IP:127.0.0.1,DNS:localhost' >"$dir/names"
	for name in server client; do
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
			-keyout "$dir/$name.key" -out "$dir/$name.csr" \
			-subj "/CN=$name" &&
			openssl x509 -req -in "$dir/$name.csr" -CA "$dir/ca.pem" \
				-CAkey "$dir/ca.key" -CAcreateserial -days 2 \
				-extfile "$dir/names" -out "$dir/$name.pem" ||
			return 1
	done
	chmod 600 "$dir"/*.key
} >/dev/null 2>&1

# https_server PORT LINE...: one of the three
https_server() {
	local port=$1
	shift
	cat <<-END
		server {
			listen 127.0.0.1:$port ssl;
			ssl_certificate $T/https/server.pem;
			ssl_certificate_key $T/https/server.key;
			ssl_client_certificate $T/https/ca.pem;
			client_max_body_size 0;
			$*
			location / {
				set \$told "";
				if (-f $T/https/say/tells) { set \$told \$http_authorization; }
				proxy_set_header Authorization \$told;
				proxy_read_timeout 60s;
				proxy_pass http://unix:$T/https/cgi.sock;
			}
		}
	END
}

conf_https() {
	cat <<-END
		daemon off;
		worker_processes 1;
		pid $T/https/pid;
		$([ "$(id -u)" -ne 0 ] || echo "user $ME;")
		error_log $T/https/error.log;
		events { worker_connections 1024; }
		http {
			map \$http_authorization \$how { "" anonymous; default password; }
			log_format asked '\$server_port \$status "\$request" \$how';
			access_log $T/https/requests asked;
			client_body_temp_path $T/https/body;
			proxy_temp_path $T/https/proxy;
			fastcgi_temp_path $T/https/fastcgi;
			uwsgi_temp_path $T/https/uwsgi;
			scgi_temp_path $T/https/scgi;
			auth_basic_user_file $T/https/users;
	END
	https_server "$1" 'auth_basic git;' \
		"if (-f $T/https/say/444) { return 444; }" \
		"set \$moved \"\";" \
		"if (-f $T/https/say/moved) { set \$moved yes; }" \
		"if (\$uri ~ ^/moved/) { set \$moved \"\"; }" \
		"if (\$moved) { return 301 https://127.0.0.1:$1/moved\$request_uri; }" \
		"if (-f $T/https/say/away) { return 301 https://localhost:$2\$request_uri; }"
	https_server "$2" 'auth_basic away;'
	https_server "$3" 'ssl_verify_client on;'
	echo '}'
}

# git http-backend, and how it misbehaves; "moved" is the same place.
conf_https_cgi() {
	cat >"$T/https/git-http" <<-END
		#!/bin/sh
		PATH=/usr/bin:/bin HOME=$T/home GIT_CONFIG_NOSYSTEM=1
		GIT_PROJECT_ROOT=$T/up GIT_HTTP_EXPORT_ALL=1
		REMOTE_USER=$USER_HTTPS
		export PATH HOME GIT_CONFIG_NOSYSTEM GIT_PROJECT_ROOT \\
			GIT_HTTP_EXPORT_ALL REMOTE_USER
		[ -n "\${HTTP_GIT_PROTOCOL:-}" ] &&
			export GIT_PROTOCOL="\$HTTP_GIT_PROTOCOL"
		[ ! -e "$T/https/how" ] || . "$T/https/how"
		exec git http-backend
	END
	chmod +x "$T/https/git-http"
	cat <<-END
		server.modules = ( "mod_alias", "mod_cgi" )
		server.bind = "$T/https/cgi.sock"
		server.document-root = "$T/https"
		server.upload-dirs = ( "$T/https" )
		server.errorlog = "$T/https/cgi.log"
		alias.url = ( "/moved/git" => "$T/https/git-http",
			"/git" => "$T/https/git-http" )
		cgi.assign = ( "git-http" => "" )
	END
}

start_https() {
	local try away cert
	mkdir -p "$T/https/say"
	https_certificates || die "openssl makes no certificates"
	HTTPS_TOKEN=$(head -c 18 /dev/urandom | od -An -tx1 | tr -d ' \n')
	(umask 077 && printf '%s\n' "$HTTPS_TOKEN" >"$T/https/token")
	https_takes "$HTTPS_TOKEN"
	conf_https_cgi >"$T/https/cgi.conf"
	start https-cgi lighttpd -D -f "$T/https/cgi.conf"
	wait_for 10 test -S "$T/https/cgi.sock" || die "lighttpd does not start"
	for try in 1 2 3 4 5; do
		HTTPS_PORT=$(free_port) away=$(free_port) cert=$(free_port)
		conf_https "$HTTPS_PORT" "$away" "$cert" >"$T/https/nginx.conf"
		start https nginx -e stderr -p "$T/https" \
			-c "$T/https/nginx.conf"
		wait_for 10 listens "$HTTPS_PORT" && alive https && break
		stop https
	done
	[ -n "${PID[https]:-}" ] || die "the https upstream does not start"
	HTTPS=https://127.0.0.1:$HTTPS_PORT/git/
	AWAY=https://localhost:$away/git/
	CERT=https://127.0.0.1:$cert/git/
}
