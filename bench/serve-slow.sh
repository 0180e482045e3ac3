# shellcheck shell=bash disable=SC2154 # sourced by bench/serve
# 50 clients that each take a large pack at 1 KB/s, from an address of their own
# (t/client.pl), and what others get meanwhile. The gate's memory is that of
# the responder and all that works for it, where processes share a page each has
# its part of it (PSS).

# descendants PID...: and themselves
descendants() {
	local pid
	for pid; do
		echo "$pid"
		# shellcheck disable=SC2046 # numbers
		descendants $(cat "/proc/$pid/task/"*/children 2>/dev/null)
	done
}
# memory PID...: kilobytes of it and its descendants
memory() {
	local pid
	for pid in $(descendants "$@"); do
		cat "/proc/$pid/smaps_rollup" 2>/dev/null || true
	done | awk '$1 == "Pss:" { n += $2 } END { print n + 0 }'
}
# others NAME WHEN: requests a second, and small clones a second
others() {
	ab -q -k -c 8 -t 2 -n 99999 -H 'Git-Protocol: version=2' \
		"$base/$1-small.git/info/refs?service=git-upload-pack" \
		>"$T/ab" 2>&1
	awk '/^Requests per second/ { print $4 }' "$T/ab" >>"$T/$2-rps.$1"
	# shellcheck disable=SC2016 # the inner shell expands
	ms bash -c 'for i in {1..20}; do
		rm -rf "$2"; git clone -q "$1" "$2"; done' - \
		"$base/$1-small.git" "$T/clone" |
		awk '{ print 20000 / $1 }' >>"$T/$2-clones.$1"
}
# among NAME: as the peak of its files is watched
among() {
	local name=$1 pid=$gated before slow
	[ "$name" = gate ] || pid=$wrap
	before=$(memory "$pid")
	FROM=127.0.0.2 perl "$here/../t/client.pl" slow "$base/$name-large" \
		"$(git -C "$T/srv/$name-large.git" rev-parse HEAD)" 50 \
		>"$T/slow" &
	slow=$!
	wait_for grep -q ready "$T/slow"
	settled
	others "$name" with
	echo "$before $(memory "$pid")" |
		awk '{ print ($2 - $1) / 50 }' >>"$T/memory.$name"
	kill "$slow"
	wait "$slow" 2>/dev/null || true
}
# settled: the servers have done for them what they can, and wait: nothing is
# at work for half a second, for at most 60
settled() {
	local n before now=-1
	for ((n = 0; n < 120; n++)); do
		before=$now
		now=$(used)
		[ "$before" -lt 0 ] || [ $((now - before)) -gt 50000000 ] ||
			return 0
		pause 0.5
	done
}
part_slow() {
	local r name what
	large
	for ((r = 0; r < rounds; r++)); do
		for name in $(order "$r"); do
			others "$name" without
			peak "$T/peak" "web=$T/tmp" "gate=$T/state/spool" -- \
				among "$name"
			awk '$1 == "all" { print $2 / 1e6 }' "$T/peak" \
				>>"$T/slow-temp.$name"
			settled
		done
	done
	for what in rps clones; do
		for name in gate fcgiwrap; do
			paste "$T/with-$what.$name" "$T/without-$what.$name" |
				awk '{ print $1 / $2 }' >"$T/left-$what.$name"
		done
	done
	bound "50 readers at 1 KB/s: others' rate, of 1" left-rps ">= 0.9"
	bound "it: others' small clones, of 1" left-clones ">= 0.9"
	# the other's are at work for nginx alone, and have ended by then
	rm -f "$T/memory.fcgiwrap"
	bound "it: memory for each, KB" memory "<= 300"
	bound "it: temporary files, MB" slow-temp ""
}
