# shellcheck shell=bash disable=SC2154 # sourced by bench/serve
# 50 clients that each take a large pack at 1 KB/s, from an address of their own
# (t/client.pl), and what others get meanwhile. The gate's memory is that of
# the responder and all that works for it, where processes share a page each has
# its part of it (PSS): of its own programs, and with git's.

# memory PID...: kilobytes of it and its descendants, of our programs; and of all
memory() {
	local pid
	for pid in $(descendants "$@"); do
		{ cat "/proc/$pid/comm" "/proc/$pid/smaps_rollup"; } \
			2>/dev/null || true
	done | awk 'NF == 1 { own = /^(git-gate|gate-)/ }
		$1 == "Pss:" { all += $2; if (own) ours += $2 }
		END { print ours + 0, all + 0 }'
}
# others NAME WHEN: requests a second, processor time of all servers for one of
# them, and small clones a second
others() {
	local before
	before=$(used)
	ab -q -k -c 8 -t 2 -n 99999 -H 'Git-Protocol: version=2' \
		"$base/$1-small.git/info/refs?service=git-upload-pack" \
		>"$T/ab" 2>&1
	awk '/^Requests per second/ { print $4 }' "$T/ab" >>"$T/$2-rps.$1"
	awk -v ns="$(($(used) - before))" '/^Complete requests/ { print ns / $3 }' \
		"$T/ab" >>"$T/$2-cpu.$1"
	# shellcheck disable=SC2016 # the inner shell expands
	ms bash -c 'for i in {1..60}; do
		rm -rf "$2"; git clone -q "$1" "$2"; done' - \
		"$base/$1-small.git" "$T/clone" |
		awk '{ print 60000 / $1 }' >>"$T/$2-clones.$1"
}
# under_way: the gate has begun with each of them, and waits for all. They get
# their places in turn, and then a second may pass in which nothing is at work.
under_way() {
	"$build/git-gate" status --config "$T/gate.conf" |
		grep -q '^50 of [0-9]* sessions, 0 at work, 0 waiting'
}
# crawl NAME: they begin; their process is in $slow
crawl() {
	FROM=127.0.0.2 perl "$here/../t/client.pl" slow "$base/$1-large" \
		"$(git -C "$T/srv/$1-large.git" rev-parse HEAD)" 50 >"$T/slow" &
	slow=$!
	wait_for grep -q ready "$T/slow"
	[ "$1" != gate ] || wait_for under_way
	settled
}
# among NAME: what others get, when nobody counts files any more
among() {
	local pid=$gated before
	[ "$1" = gate ] || pid=$wrap
	before=$(memory "$pid")
	peak "$T/peak" "web=$T/tmp" "gate=$T/state/spool" -- crawl "$1"
	awk '$1 == "all" { print $2 / 1e6 }' "$T/peak" >>"$T/slow-temp.$1"
	others "$1" with
	echo "$before $(memory "$pid")" | awk -v own="$T/memory.$1" \
		-v all="$T/memory-all.$1" '{ print ($3 - $1) / 50 >>own
			print ($4 - $2) / 50 >>all }'
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
	local r name what slow
	large
	for ((r = 0; r < rounds; r++)); do
		for name in $(order "$r"); do
			others "$name" without
			among "$name"
			settled
			others "$name" without
		done
	done
	# what others have alone is the mean of before and after
	for what in rps cpu clones; do
		for name in gate fcgiwrap; do
			paste -d" " "$T/with-$what.$name" <(paste -d" " - - \
				<"$T/without-$what.$name") |
				awk '{ print 2 * $1 / ($2 + $3) }' \
					>"$T/left-$what.$name"
		done
	done
	bound "50 readers at 1 KB/s: others' rate, of 1" left-rps ">= 0.9"
	[ -z "$group" ] ||
		bound "it: processor time for one, of 1" left-cpu ""
	bound "it: others' small clones, of 1" left-clones ">= 0.9"
	# the other's are at work for nginx alone, and have ended by then
	rm -f "$T/memory.fcgiwrap" "$T/memory-all.fcgiwrap"
	bound "it: memory for each, ours, KB" memory "<= 300"
	bound "it: memory for each, git's too, KB" memory-all ""
	bound "it: temporary files, MB" slow-temp ""
}
