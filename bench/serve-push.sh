# shellcheck shell=bash disable=SC2154 # sourced by bench/serve
# A push of one commit, and one of 210 MB into an empty repository; the gate
# scans both, the other looks at neither. Beside it what of the large one is on
# disk at a time: before git has it (the gate's spool, or the file that the web
# server takes a body into), and with what git has by then.

# one_commit NAME
one_commit() {
	echo "$RANDOM line" >>"$T/work-$1/file-1"
	git -C "$T/work-$1" commit -qam "one more"
	ms git -C "$T/work-$1" push -q
}
# huge NAME ROUND
huge() {
	local dir=$T/srv/$1-huge.git
	rm -rf "$dir"
	git init -q --bare -b main "$dir"
	git -C "$dir" config http.receivepack true
	# what the last one wrote does not delay this one
	sync
	ms git -C "$T/huge.git" push -q "$base/$1-huge.git" main \
		>>"$T/huge.$1"
	[ "$(git -C "$dir" rev-parse main)" = \
		"$(git -C "$T/huge.git" rev-parse main)" ] || exit 1
}
# on_disk NAME: megabytes at most, of a push
on_disk() {
	local dir=$T/srv/$1-huge.git
	rm -rf "$dir"
	peak "$T/peak" "web=$T/tmp" "gate=$T/state/spool" \
		"git=$dir/objects" -- huge "$1"
	awk '$1 == "web" || $1 == "gate" { n += $2 } END { print n / 1e6 }' \
		"$T/peak" >"$T/spooled.$1"
	awk '$1 == "all" { print $2 / 1e6 }' "$T/peak" >"$T/disk.$1"
}
part_push() {
	local r name size
	make_large "$T/huge.git" 5450
	size=$(du -b -c "$T"/huge.git/objects/pack/*.pack | awk 'END {
		printf "%.0f", $1 / 1e6 }')
	for name in gate fcgiwrap; do
		git clone -q "$base/$name.git" "$T/work-$name"
	done
	for ((r = 0; r < rounds * 4; r++)); do
		for name in $(order "$r"); do
			one_commit "$name" >>"$T/push.$name"
		done
		# somebody else has asked since, as in a fleet
		pause 0.05
		for name in gate fcgiwrap; do
			git ls-remote -q "$base/$name.git" >"$T/warm"
		done
	done
	for ((r = 0; r < rounds; r++)); do
		for name in $(order "$r"); do huge "$name"; done
	done
	for name in gate fcgiwrap; do on_disk "$name"; done
	ratio "push of one commit, scanned, ms" push "<= 1.15"
	ratio "push of $size MB, scanned, ms" huge "<= 1.15"
	bound "it: on disk before git has it, MB" spooled \
		"<= $((size * 105 / 100))"
	bound "it: with what git has by then, MB" disk ""
	rm -rf "$T/huge.git" "$T"/srv/*-huge.git
}
