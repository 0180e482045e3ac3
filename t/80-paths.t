#!/bin/bash
# Names and requests that mean harm, through both web servers and as raw
# FastCGI: each is refused before any process is started, and git shows why.
# What is denied looks like what does not exist.
. "${SOURCE:?}/t/lib.sh"

upstream acme/web
fill acme/web
mkdir "$T/hosted" "$T/outside"
for dir in hosted/good hosted/private hosted/sub/deep outside/canary; do
	git -C "$T/author/acme/web" push -q --mirror \
		"$(git init -q --bare "$T/$dir.git"; echo "$T/$dir.git")" 2>/dev/null
done
ln -s "$T/outside/canary.git" "$T/hosted/link.git"
ln -s "$T/outside" "$T/hosted/linked"
ln -s good.git "$T/hosted/near.git"
hook_for_strace
# what is answered from memory would start nothing
conf <<-END
	[backend]
		advertisements = 0
	[repo "acme/*"]
		upstream = file
	[repo "hosted/*"]
		hosted = $T
	[repo "lab/*"]
		hosted = $T/lab
	[access]
		deny = * * hosted/private
		deny = * * acme/private
		allow = fetch * *
		allow = push agent *
END
ln -s "$T/hosted" "$T/lab"
start_gate env ASAN_OPTIONS=detect_leaks=0 \
	strace -D -f -qq -e trace=execve -o "$T/execs"
execs() { grep -c 'execve(' "$T/execs"; }

# --- what is refused, and that nothing was started -----------------------------

service=service=git-upload-pack
long=$(printf '%010000d' 0)
# method, path, what it tries; GET paths as they stand on the wire
requests() {
	cat <<-END
		GET /nowhere/x/info/refs?$service an unknown repository
		GET /x/info/refs?$service a name without a group
		GET /acme/private/info/refs?$service a denied repository
		GET /acme/web/../../up/acme/web/info/refs?$service dot-dot
		GET /acme/..%2f..%2fup/acme/web/info/refs?$service dot-dot, slash encoded
		GET /acme/%2e%2e/%2e%2e/outside/canary/info/refs?$service dot-dot encoded
		GET /acme/%252e%252e/outside/canary/info/refs?$service dot-dot encoded twice
		GET /hosted/../outside/canary/info/refs?$service dot-dot below hosted
		GET /hosted/./private/info/refs?$service one dot
		GET //hosted//private/info/refs?$service double slashes
		GET /hosted/%2fprivate/info/refs?$service an encoded slash
		GET /hosted/link/info/refs?$service a symbolic link to a repository
		GET /hosted/linked/canary/info/refs?$service a linked directory
		GET /hosted/near/info/refs?$service a link that stays inside
		GET /hosted/good.git/objects/info/refs?$service a directory inside
		GET /hosted/good/.git/info/refs?$service a .git below
		GET /hosted/good.git.git/info/refs?$service .git twice
		GET /hosted/.hidden/info/refs?$service a hidden name
		GET /hosted/-x/info/refs?$service a name like an option
		GET /hosted/good%00/info/refs?$service NUL
		GET /hosted/good%0a/info/refs?$service a newline
		GET /hosted/good%ff/info/refs?$service a byte that is no text
		GET /hosted/good\\..\\x/info/refs?$service backslashes
		GET /hosted/$long/info/refs?$service a name of 10 kB
		GET /hosted/good/.git/config the configuration
		GET /hosted/good.git/config the configuration of a bare one
		GET /hosted/good/HEAD the dumb protocol: HEAD
		GET /hosted/good/info/refs the dumb protocol: references
		GET /hosted/good/info/refs?service= an empty service
		GET /hosted/good/objects/info/packs the dumb protocol: packs
		GET /hosted/good/objects/00/11111111111111111111111111111111111111 an object
		GET /hosted/good/info/refs?service=git-upload-archive another service
		GET /hosted/good/info/refs?service=git-shell no service at all
		GET /hosted/good/info/refs?$service&service=git-receive-pack two services
		GET /hosted/good/info/refs?x=1&$service something before the service
		GET /hosted/good/git-upload-pack GET of what is posted
		GET /hosted/good/git-upload-archive an archive
		POST /hosted/good/info/refs?$service POST of what is got
		PUT /hosted/good/git-receive-pack PUT
		DELETE /hosted/good/info/refs?$service DELETE
		PROPFIND /hosted/good/info/refs WebDAV
		POST /hosted/private/git-upload-pack a fetch from a denied one
		POST /nowhere/x/git-receive-pack a push to an unknown one
		GET /-/status a page that is not there
		GET / the root
	END
}
quick() {
	curl -s --path-as-is --max-time 20 -o "$T/body" -w '%{http_code}' "$@"
}
for server in nginx lighttpd; do
	start_web $server
	before=$(execs)
	while read -r method path what; do
		type=application/x-git-upload-pack-request
		case $path in *receive-pack*)
			type=application/x-git-receive-pack-request ;; esac
		case $method in POST) set -- --data-binary 0000 ;; *) set -- ;; esac
		status=$(quick -X "$method" "$@" -H "Content-Type: $type" \
			"$GATE$path")
		echo "$status $method ${path:0:200}: $(head -c 300 "$T/body" |
			tr -d '\0')" >"$T/said"
		# to a fetch's POST git shows no HTTP error: its own words are used
		like "$server: $what" \
			'^(4(00|03|04|05|11|14|31)|501) |^200 POST .*ERR git-gate: '
	done < <(requests)
	is "$server: none of these started a process" "$(execs)" "$before"
	is "$server: a good name is served" \
		"$(refs "$GATE/hosted/good" | grep -v HEAD)" \
		"$(refs "$T/hosted/good.git" | grep -v HEAD)"
	is "$server: and started one" \
		"$([ "$(execs)" -gt "$before" ] && echo yes)" yes

	# what git itself shows
	no "$server: git, unknown repository" git ls-remote "$GATE/nowhere/x"
	like "$server: git shows a sentence" '^remote: [A-Za-z].* .* '
	like "$server: git shows the machine's line" \
		'^remote: git-gate: refused code=not-found retry=no .*id=[0-9a-f]+'
	no "$server: git, a link" git ls-remote "$GATE/hosted/link"
	like "$server: git shows why" '^remote: git-gate: refused code='
	no "$server: git, a push that nobody may" \
		git -C "$T/author/acme/web" push "$GATE/hosted/good" main:x
	like "$server: git shows that it is denied" \
		'^remote: git-gate: refused code=denied retry=no'

	# denied, unknown, absent: the same bytes, but for the id
	bytes() {
		curl -si --max-time 20 "$GATE/$1/info/refs?$service" |
			sed -e 's/id=[0-9a-f]*/id=/' -e '/^[Dd]ate:/d' \
			-e "s|$1|NAME|g" -e '/^[Cc]ontent-[Ll]ength:/d'
	}
	denied=$(bytes hosted/private)
	like "$server: denied: it is a refusal" 'git-gate: refused code=not-found' \
		- <<<"$denied"
	is "$server: an unknown repository looks like a denied one" \
		"$(bytes nowhere/any)" "$denied"
	is "$server: an absent repository looks like a denied one" \
		"$(bytes hosted/absent)" "$denied"
	is "$server: a linked repository looks like a denied one" \
		"$(bytes hosted/link)" "$denied"
	is "$server: a denied upstream's looks like a denied one" \
		"$(bytes acme/private)" "$denied"
done
logged() {
	curl -s --max-time 20 -o "$T/body" "$GATE/$1/info/refs?$service"
	grep -a "$(grep -ao 'id=[0-9a-f]*' "$T/body")" "$T/gate.log" |
		grep -a audit >"$T/said"
}
logged hosted/private
like "the log says that it is denied, and by which rule" \
	"$T/gate.conf:[0-9]+"
denied=$(sed 's/.*verdict=/verdict=/; s/id=[0-9a-f]*//' "$T/said")
logged nowhere/any
unlike "the log of an unknown one names no rule" 'gate\.conf:[0-9]+'
is "the log tells denied from unknown" \
	"$([ "$denied" != "$(sed 's/.*verdict=/verdict=/
		s/id=[0-9a-f]*//' "$T/said")" ] && echo yes)" yes

# --- raw FastCGI -----------------------------------------------------------------

# raw NAME STATUS-REGEX ARGUMENTS-OF-fcgi.pl: answered, with such a status.
raw() {
	local name=$1 status=$2
	shift 2
	try fcgi "$@"
	[ $rc -eq 0 ] && grep -Eaq "^Status: ($status) " "$T/out" &&
		grep -aq 'refused code=' "$T/out"
	result $? "raw: $name"
}
refs=/hosted/good/info/refs
fetch=/hosted/good/git-upload-pack
type=CONTENT_TYPE=application/x-git-upload-pack-request
printf '0014command=ls-refs\n0000' >"$T/body1"
before=$(execs)
raw "no parameter that matters" '400|403|404|405' -without REQUEST_METHOD \
	-without PATH_INFO -without QUERY_STRING ""
raw "no method" '400|405' -without REQUEST_METHOD $refs QUERY_STRING=$service
raw "no path" '400|404' -without PATH_INFO "" QUERY_STRING=$service
raw "a path without a slash" '400|404' hosted/good/info/refs QUERY_STRING=$service
raw "a path with a NUL" '400|404' '/hosted/good\x00/info/refs' \
	QUERY_STRING=$service
raw "a path with an escape sequence" '400|404' '/hosted/\x1b[2Jgood/info/refs' \
	QUERY_STRING=$service
raw "a path with a percent sign" '400|404' /hosted/%67ood/info/refs \
	QUERY_STRING=$service
raw "dot-dot" '400|404' /hosted/../outside/canary/info/refs QUERY_STRING=$service
raw "double slash" '400|404' /hosted//good/info/refs QUERY_STRING=$service
raw "a path of 100 kB" '400|404|414' "/hosted/$(printf '%0100000d' 0)/info/refs" \
	QUERY_STRING=$service
raw "a query of 100 kB" '400|403|404' $refs QUERY_STRING=@100000
raw "a method of 100 kB" '400|405' $refs REQUEST_METHOD=@100000
raw "a name of 100 kB" '400' $refs QUERY_STRING=$service REMOTE_USER=@100000
raw "a name with a newline" '400' $refs QUERY_STRING=$service \
	'REMOTE_USER=agent\x0aevil'
raw "the name that stands for nobody" '400|403|404' $refs \
	QUERY_STRING=service=git-receive-pack REMOTE_USER=-
raw "GIT_PROTOCOL with control bytes" '400' $refs QUERY_STRING=$service \
	'HTTP_GIT_PROTOCOL=version=2\x0aX'
raw "GIT_PROTOCOL of 100 kB" '400' $refs QUERY_STRING=$service \
	HTTP_GIT_PROTOCOL=@100000
raw "an encoded service" '403' $refs QUERY_STRING=service=git%2dupload-pack
raw "a wrong content type" '200|400|415' -body "$T/body1" $fetch \
	REQUEST_METHOD=POST CONTENT_TYPE=text/plain
raw "no content type" '200|400|415' -body "$T/body1" $fetch \
	REQUEST_METHOD=POST
raw "an unknown encoding" '200|400|415' -body "$T/body1" $fetch \
	REQUEST_METHOD=POST $type HTTP_CONTENT_ENCODING=br
for length in -1 x 1x 0x10 ' 24' 99999999999999999999 9223372036854775807; do
	raw "CONTENT_LENGTH=$length" '200|400|413' -body "$T/body1" $fetch \
		REQUEST_METHOD=POST $type "CONTENT_LENGTH=$length"
done
# a body that ends before it is whole: nobody is there to be answered, but
# nothing must run, and the responder must live
for length in '' 24 25 1000 1000000000; do
	try fcgi -body "$T/body1" -cut 20 $fetch REQUEST_METHOD=POST $type \
		"CONTENT_LENGTH=$length"
	unlike "raw: body cut, CONTENT_LENGTH=$length" 'Content-Type: .*advert'
done
try fcgi -body "$T/body1" $fetch REQUEST_METHOD=POST $type CONTENT_LENGTH=25
like "raw: body one byte short" 'refused code='
is "none of these started a process" "$(execs)" "$before"
ok "the whole body is served" fcgi -body "$T/body1" $fetch \
	REQUEST_METHOD=POST $type HTTP_GIT_PROTOCOL=version=2
like "the whole body is served: references" 'refs/heads/main'
ok "the responder lives" fcgi /-/health
unlike "the log is free of sanitizer reports" \
	'Sanitizer|runtime error' "$T/gate.log"
stop gate
is "the gate ends cleanly" $rc 0
done_testing
