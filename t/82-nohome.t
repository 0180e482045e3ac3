#!/bin/bash
# Nothing is taken from where nobody configured it: with a poisoned HOME, PATH
# and environment, over ssh and file upstreams, no process of the gate looks
# at a user's or the system's configuration of git or ssh (strace).
. "${SOURCE:?}/t/lib.sh"

start_sshd
for name in remote/web local/web; do upstream $name; fill $name; done
# Whoever reads or runs any of this fails, or leaves a trace.
poison=$T/poison
mkdir -p "$poison/.ssh" "$poison/.config/git" "$poison/bin"
for file in .gitconfig .config/git/config .ssh/config .netrc .bashrc .profile; do
	echo '[this is poison' >"$poison/$file"
done
for name in git ssh git-http-backend git-upload-pack sh git-gate-hook; do
	printf '#!/bin/sh\necho "$0" >>%s/ran\nexit 1\n' "$poison" \
		>"$poison/bin/$name"
	chmod +x "$poison/bin/$name"
done
hook_for_strace
conf <<-END
	[repo "remote/*"]
		upstream = ssh
	[repo "local/*"]
		upstream = file
	[access]
		allow = fetch,push * *
END
start_gate env -i HOME="$poison" XDG_CONFIG_HOME="$poison/.config" \
	PATH="$poison/bin" GIT_DIR="$poison" GIT_CONFIG_GLOBAL="$poison/.gitconfig" \
	GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath \
	GIT_CONFIG_VALUE_0="$poison/bin" GIT_EXEC_PATH="$poison/bin" \
	GIT_SSH_COMMAND="$poison/bin/ssh" GIT_SSH="$poison/bin/ssh" \
	GIT_ASKPASS="$poison/bin/sh" GIT_TRACE="$poison/trace" \
	SSH_AUTH_SOCK="$poison/agent" SSH_ASKPASS="$poison/bin/sh" \
	GIT_OBJECT_DIRECTORY="$poison" GIT_NAMESPACE=poison \
	http_proxy=http://127.0.0.1:9/ GIT_GATE_CONFIG="$poison/.gitconfig" \
	LD_BIND_NOW=1 ASAN_OPTIONS=detect_leaks=0 \
	/usr/bin/strace -D -f -qq -s 4096 -e trace=%file,connect -o "$T/trace"
start_web nginx

for name in remote/web local/web; do
	dir=$T/${name%/*}
	ok "$name: clone" git clone -q "$GATE/$name" "$dir"
	commit "$dir" hello "a change"
	ok "$name: push" git -C "$dir" push -q origin main
	is "$name: upstream has it" "$(tip "$T/up/$name.git" main)" \
		"$(tip "$dir" main)"
	ok "$name: fetch" git -C "$dir" fetch
done
stop gate
is "the gate ends cleanly" $rc 0
wait_for 20 strace_ended "$T/trace"

ok "strace saw the gate's git" grep -q 'execve("[^"]*git-http-backend"' "$T/trace"
ok "strace saw the hook" grep -q 'execve("[^"]*pre-receive"' "$T/trace"
ok "strace saw ssh" grep -q 'execve("[^"]*/ssh"' "$T/trace"
ok "strace saw the files" grep -q "openat(.*$T/gate.conf" "$T/trace"

# touched NAME REGEX: no process named such a path, found or not. The first
# line is how strace started the gate.
touched() {
	is "$1" "$(sed 1d "$T/trace" | grep -E "\"$2" |
		grep -vE "\"($BUILD|$SOURCE)/" | head -n 5 | cut -c1-200)" ""
}
home=$(perl -e 'print((getpwuid $<)[7])')
touched "nothing below HOME" "$poison"
touched "nothing hidden below the user's home" "$home/?\\."
touched "not the system's git configuration" '/etc/gitconfig'
touched "not the system's git attributes" '/etc/gitattributes'
touched "not the system's ssh configuration" '/etc/ssh/ssh_config'
touched "not the system's known hosts" '/etc/ssh/ssh_known_hosts'
touched "no identity that is not configured" '[^"]*/\.ssh/'
touched "not the clients' HOME" "$T/home"
is "no poisoned program ran" "$(cat "$poison/ran" 2>/dev/null)" ""
no "no trace was written" test -e "$poison/trace"
# what touched relies on
is "the search finds what was touched" "$(grep -cE "\"$T/gate.conf" "$T/trace" |
	sed 's/^[1-9].*/found/')" found

# a hook of the upstream over file is run by its own receive-pack
is "programs are run by absolute paths" "$(sed 1d "$T/trace" |
	grep -oE 'execve\("[^"]*"' | sort -u |
	grep -vE 'execve\("(/|hooks/(pre|post)-receive")')" ""
done_testing
