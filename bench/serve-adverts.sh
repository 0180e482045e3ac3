# shellcheck shell=bash disable=SC2154 # sourced by bench/serve
# What git asks first, each as `git ls-remote' or `git push' asks it, eight at
# once: of a small repository, and of one with 5,000 references; then one
# `git ls-remote' by itself, and the same of files with nginx's answers: what git
# itself takes for it, and would whoever serves it.

ls_remote() { ms git ls-remote -q "$base/$1.git" | tail -n 1; }
# advertise WHAT NAME COUNT: requests a second, and milliseconds of processor
# time for each
advertise() {
	local url=$base/$2 before args=() n=$3
	case $1 in
	v2) url+="-small.git/info/refs?service=git-upload-pack"
		args=(-H 'Git-Protocol: version=2') ;;
	v0) url+="-many.git/info/refs?service=git-upload-pack" ;;
	push) url+="-many.git/info/refs?service=git-receive-pack" ;;
	ls-refs) url+=-many.git/git-upload-pack
		args=(-H 'Git-Protocol: version=2' -p "$T/ls-refs"
			-T application/x-git-upload-pack-request) ;;
	esac
	before=$(used)
	ab -q -k -c 8 -n "$n" "${args[@]}" "$url" >"$T/ab" 2>&1
	! grep -q '^Non-2xx' "$T/ab" || { cat "$T/ab" >&2; exit 1; }
	awk '/^Requests per second/ { print $4 }' "$T/ab" >>"$T/rps-$1.$2"
	echo "$before $(used) $n" |
		awk '{ print ($2 - $1) / $3 / 1e6 }' >>"$T/cpu-$1.$2"
}
many_refs() {
	cp -a "$T/srv/$1-small.git" "$T/srv/$1-many.git"
	seq -f "create refs/heads/topic/branch-%g $(git -C "$T/seed" \
		rev-parse HEAD)" 5000 |
		git -C "$T/srv/$1-many.git" update-ref --stdin
	git -C "$T/srv/$1-many.git" pack-refs --all
}
# files: what the gate answers `git ls-remote', for nginx by itself
files() {
	local url=$base/gate-small.git v2=(-sf -H 'Git-Protocol: version=2')
	mkdir "$T/files"
	curl "${v2[@]}" -o "$T/files/refs" \
		"$url/info/refs?service=git-upload-pack"
	curl "${v2[@]}" -o "$T/files/ls-refs" --data-binary "@$T/ls-refs" \
		-H 'Content-Type: application/x-git-upload-pack-request' \
		"$url/git-upload-pack"
}
part_adverts() {
	local r name what alone
	for name in gate fcgiwrap; do many_refs "$name"; done
	perl -e 'sub line { printf "%04x%s", 4 + length $_[0], $_[0] }
		line("command=ls-refs\n"); line("agent=git/bench");
		line("object-format=sha1"); print "0001"; line("peel\n");
		line("symrefs\n"); line("ref-prefix refs/heads/\n");
		print "0000"' >"$T/ls-refs"
	files
	for ((r = 0; r < rounds; r++)); do
		for what in v2 ls-refs v0 push; do
			advertise "$what" gate 1000
			advertise "$what" fcgiwrap 100
		done
	done
	for ((r = 0; r < rounds * 4; r++)); do
		for name in $(order "$r"); do
			ls_remote "$name-small" >>"$T/ls_remote.$name"
			ls_remote files >>"$T/ls_remote.files"
		done
	done
	ratio "v2 info/refs, 8 at once, requests/s" rps-v2 ">= 10"
	ratio "it: ms CPU for one" cpu-v2 "<= 0.1"
	for what in ls-refs v0 push; do
		ratio "$what of 5,000 references, requests/s" "rps-$what" \
			"$([ $what = push ] || echo ">= 8")"
		ratio "it: ms CPU for one" "cpu-$what" \
			"$([ $what = push ] || echo "<= 0.12")"
	done
	ratio "git ls-remote, ms" ls_remote "<= 0.6"
	alone=$(median "$T/ls_remote.files")
	for name in gate fcgiwrap; do
		median "$T/ls_remote.$name" | awk -v n="$alone" \
			'{ print ($1 > n) ? $1 - n : 0.01 }' >"$T/beyond.$name"
	done
	ratio "it: beyond $(number "$alone") ms of nginx's own files, ms" \
		beyond ""
}
