#!/bin/bash
# A repository of 5,200 commits with real text (t/grow.pl): through nginx from
# an upstream over ssh, through lighttpd from one over file. A secret that one
# commit adds and the next removes is refused, and its bytes are nowhere.
. "${SOURCE:?}/t/lib.sh"

start_sshd
for name in remote/real local/real; do upstream $name; done
perl "$HERE/grow.pl" 5200 | git -C "$T/up/remote/real.git" fast-import --quiet
git -C "$T/up/remote/real.git" push -q --mirror "$T/up/local/real.git" \
	2>/dev/null
conf <<-END
	[repo "remote/*"]
		upstream = ssh
	[repo "local/*"]
		upstream = file
	[access]
		allow = fetch,push * *
END
start_gate

# held DIR ID: is the object there?
held() { git -C "$1" cat-file -e "$2"; }

# every byte of every object of the repositories below a directory
objects() {
	local repo
	for repo in $(find "$1" -name '*.git' -prune); do
		git -C "$repo" cat-file --batch-all-objects --unordered --batch
	done
}
# nowhere NAME STRING: not in the state, not in what was said or logged, not
# in an object of a mirror or of an upstream, not in the servers' directories.
nowhere() {
	is "$1: in no file" "$(grep -rlaF -e "$2" "$T" \
		--exclude-dir=clone-nginx --exclude-dir=clone-lighttpd)" ""
	is "$1: in no object" \
		"$(objects "$T/state" | grep -caF -e "$2")" 0
	is "$1: in no object upstream" \
		"$(objects "$T/up" | grep -caF -e "$2")" 0
}

for pair in nginx:remote/real lighttpd:local/real; do
	server=${pair%%:*} name=${pair#*:}
	up=$T/up/$name.git clone=$T/clone-$server
	start_web "$server"

	LIMIT=120 ok "$server: clone" git clone -q --no-progress "$GATE/$name" "$clone"
	ok "$server: the clone passes fsck" git -C "$clone" fsck --strict
	is "$server: all commits" \
		"$(git -C "$clone" rev-list --count --remotes --tags)" 5200
	is "$server: the gate has the upstream's references" \
		"$(refs "$GATE/$name")" "$(refs "$up")"
	is "$server: the clone has the upstream's branches" \
		"$(git -C "$clone" for-each-ref refs/remotes/origin \
			--format='%(objectname) %(refname:lstrip=3)' |
			grep -v HEAD)" \
		"$(git -C "$up" for-each-ref refs/heads \
			--format='%(objectname) %(refname:lstrip=2)')"
	is "$server: the clone has the upstream's tags" \
		"$(git -C "$clone" for-each-ref refs/tags)" \
		"$(git -C "$up" for-each-ref refs/tags)"

	# a change all over the tree
	for i in 1 2 3; do
		for file in $(git -C "$clone" ls-files | head -n 40); do
			echo "note $i" >>"$clone/$file"
		done
		git -C "$clone" commit -qam "notes $i"
	done
	ok "$server: clean push" git -C "$clone" push -q origin main
	is "$server: clean push: the same object is upstream" \
		"$(tip "$up" main)" "$(tip "$clone" main)"
	is "$server: clean push: all its objects are" "$(git -C "$clone" rev-list \
		--objects main~3..main | cut -d' ' -f1 |
		git -C "$up" cat-file --batch-check | grep -c missing)" 0
	ok "$server: upstream passes fsck" git -C "$up" fsck --no-dangling

	# the secret, in and out, among much else
	before=$(refs "$up")
	token=$(secret)
	for i in 1 2 3; do commit "$clone" "doc/new$i" "innocent"; done
	commit "$clone" doc/settings.ini "token = $token"
	added=$(tip "$clone" HEAD)
	blob=$(tip "$clone" HEAD:doc/settings.ini)
	git -C "$clone" rm -q doc/settings.ini
	git -C "$clone" commit -qm "out again"
	for i in 4 5 6; do commit "$clone" "doc/new$i" "innocent"; done
	no "$server: secret in one commit, gone in the next: refused" \
		git -C "$clone" push origin main
	cp "$T/said" "$T/said-$server"
	like "$server: refused: commit and place are named" "${added:0:7}"
	like "$server: refused: the path and line" 'doc/settings\.ini:1'
	like "$server: refused: the reference" 'rejected\].* main -> main'
	like "$server: refused: the machine's line" \
		'git-gate: refused code=secret-found retry=no .*id=[0-9a-f]{16}'
	id=$(grep -ao 'id=[0-9a-f]*' "$T/said" | head -n 1)
	like "$server: refused: the id is in the log" "audit .*$id" "$T/gate.log"
	is "$server: refused: upstream is as it was" "$(refs "$up")" "$before"
	is "$server: refused: the gate shows it so" \
		"$(refs "$GATE/$name")" "$before"
	mirror=$(find "$T/state/mirrors" -path "*$name.git" -prune)
	ok "$server: the mirror is where it should be" test -d "$mirror/objects"
	for id in $added $blob $(tip "$clone" HEAD); do
		no "$server: ${id:0:7} is not in the mirror" held "$mirror" "$id"
		no "$server: ${id:0:7} is not upstream" held "$up" "$id"
	done
	is "$server: no quarantine is left" \
		"$(find "$mirror" -name '*incoming*' -o -name 'tmp_*')" ""
	nowhere "$server: the secret" "$token"
	# the same without the secret goes through
	git -C "$clone" rebase -q --onto "$added~1" HEAD~3 2>/dev/null
	ok "$server: the work without the secret" \
		git -C "$clone" push -q origin HEAD:main
	is "$server: it is upstream" "$(tip "$up" main)" "$(tip "$clone" HEAD)"
done
# what nowhere relies on: it does find what is there
is "the search finds text that is there" \
	"$(objects "$T/state" | grep -caF 'notes 3' | sed 's/^[1-9].*/found/')" found
stop gate
is "the gate ends cleanly" $rc 0
done_testing
