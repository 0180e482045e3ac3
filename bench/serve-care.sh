# shellcheck shell=bash disable=SC2154 # sourced by bench/serve
# A clone of a mirror of 20,000 commits, made anew for each (nothing is kept of
# it): as it was fetched, and after the gate has packed it, with a bitmap and a
# commit-graph. Beside it a `git clone --mirror' that nobody looks after.

cared() { grep -q 'mirror/grown: maintenance: ' "$T/gate.log"; }
# clones WHEN: the gate may keep nothing of it
clones() {
	local r
	for ((r = 0; r < rounds; r++)); do
		forget
		cost "$1" gate fetch mirror/grown
		cost "$1" fcgiwrap fetch fcgiwrap-grown
	done
}
part_care() {
	local up=$T/up/mirror/grown.git
	git init -q --bare -b main "$up"
	perl "$here/../t/grow.pl" 20000 | git -C "$up" fast-import --quiet
	git -C "$up" repack -adfq --window=10 --no-write-bitmap-index
	git clone -q --mirror "file://$up" "$T/srv/fcgiwrap-grown.git"
	git ls-remote -q "$base/mirror/grown.git" >"$T/warm"
	request mirror/grown "$up"
	request fcgiwrap-grown
	clones care-before
	# after ten times that without a turn it would be packed in part
	gate_conf 'delay = 10s'
	kill -HUP "$gated"
	wait_for cared
	ls "$T"/state/mirrors/file*/"$up"/objects/pack/*.bitmap >"$T/warm"
	gate_conf 'auto = false'
	kill -HUP "$gated"
	clones care-after
	ratio "clone of a mirror as fetched, ms CPU" care-before ""
	ratio "it: after the gate's maintenance, ms CPU" care-after ""
}
