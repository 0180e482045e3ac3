#!/bin/bash
# Many at once: pushes to branches of their own beside clients that fetch all
# the time, two that race for one branch, and refreshes without end around
# pushes to one reference. Every push that may succeed does, who pushed sees
# it at once, of two that race one wins, and what has been shown of a
# reference is never taken back.
. "${SOURCE:?}/t/lib.sh"
. "$SOURCE/t/sessions.sh"

clients=8
each=${EACH:-${LIGHT:+5}} # pushes of a client
each=${each:-12}
races=${LIGHT:+4}
races=${races:-6}
storm=${LIGHT:+8} # pushes amid refreshes
storm=${storm:-12}

mkdir "$T/hosted"
start_sshd
for name in ssh file; do
	upstream "acme/$name"
	git -C "$T/up/acme/$name.git" config receive.autogc false
	fill "acme/$name"
done
conf <<-END
	[repo "acme/ssh"]
		upstream = ssh
	[repo "acme/file"]
		upstream = file
	[access]
		allow = * * *
END
start_gate
start_web nginx

# together COMMAND: as many of them at once as there are clients, each with
# its number; their statuses go to $statuses
together() {
	local i pids=()
	for ((i = 1; i <= clients; i++)); do
		( trap - EXIT; "$@" "$i" ) >"$T/client.$i" 2>&1 &
		pids+=($!)
	done
	statuses=
	for i in "${pids[@]}"; do
		wait "$i"
		statuses+=$?
	done
	cat "$T"/client.* >"$T/said"
}
all_well=$(printf '%0*d' $clients 0)
new_tip() { # DIR PARENT TEXT
	"$GIT" -C "$1" commit-tree -p "$2" -m "$3" "$2^{tree}"
}
gate_has() { timeout 60 "$GIT" ls-remote -q "$url" "$1" | cut -f1; }
# All is given back; shared connections of ssh may stay.
children_at_work() {
	local pid
	for pid in $(children); do
		grep -aq ControlMaster=yes "/proc/$pid/cmdline" || echo "$pid"
	done 2>/dev/null
}
given_back() {
	[ -z "$(children_at_work)" ] && [ "$(descriptors)" -le "$FDS" ] &&
		[ "$(threads)" -le "$TASKS" ] && no_session
}
agrees() { [ "$(refs "$url")" = "$(refs "$up")" ]; }

# --- many, each to branches of its own ---------------------------------------

# own I: pushes to distinct branches, each of which it must see itself
own() {
	local i=$1 j id dir=$T/work/$name-$1
	for ((j = 1; j <= each; j++)); do
		id=$(new_tip "$dir" "$main" "$name $i $j")
		timeout 60 "$GIT" -C "$dir" push -q "$url" "$id:refs/heads/own/$i-$j" ||
			{ echo "push $i-$j failed"; return 1; }
		if [ $((j % 2)) -eq 0 ]; then
			[ "$(gate_has "refs/heads/own/$i-$j")" = "$id" ]
		else
			timeout 60 "$GIT" -C "$dir" fetch -q "$url" \
				"+refs/heads/own/$i-$j:refs/seen" &&
				[ "$(tip "$dir" refs/seen)" = "$id" ]
		fi || { echo "push $i-$j is not seen"; return 2; }
		echo "$i-$j $id" >>"$T/pushed.$name"
	done
}
# fetching I: fetches everything again and again until told to end; between
# two there is time for those that push
fetching() {
	local dir=$T/reader/$name-$1 n=0
	until [ -e "$T/enough" ]; do
		timeout 60 "$GIT" -C "$dir" fetch -q --prune "$url" \
			'+refs/heads/*:refs/heads/*' || { echo "fetch failed"; return 1; }
		n=$((n + 1))
		sleep 0.2
	done
	echo "fetched $n"
}
crowd() {
	local i pids=()
	rm -f "$T/enough"
	for ((i = 1; i <= clients; i++)); do
		git clone -q "$up" "$T/work/$name-$i"
		git clone -q --bare "$up" "$T/reader/$name-$i"
		( trap - EXIT; fetching $i ) >"$T/reader.$i" 2>&1 &
		pids+=($!)
	done
	together own
	touch "$T/enough"
	readers=
	for i in "${pids[@]}"; do
		wait "$i"
		readers+=$?
	done
}
for name in ssh file; do
	url=$GATE/acme/$name
	up=$T/up/acme/$name.git
	main=$(tip "$up" main)
	[ $name = ssh ] || each=$(((each + 5) / 6))
	total=$((clients * each))
	ok "$name: a first look" refs "$url"
	wait_for 10 no_session
	measure
	began=$SECONDS
	crowd
	is "$name: $total pushes by $clients clients, each seen by who pushed" \
		"$statuses" "$all_well"
	cat "$T"/reader.* >"$T/said"
	is "$name: $clients that fetch meanwhile: every fetch succeeds" "$readers" \
		"$all_well"
	diag "$name: $((SECONDS - began)) s, $(awk '/^fetched/ { n += $2 }
		END { print n }' "$T/said") fetches"
	git -C "$up" for-each-ref --format='%(refname:lstrip=3) %(objectname)' \
		refs/heads/own | sort >"$T/there"
	is "$name: the upstream has them all" "$(cat "$T/there")" \
		"$(sort "$T/pushed.$name")"
	is "$name: as many as there should be" "$(wc -l <"$T/there")" $total
	ok "$name: the gate shows what the upstream has" agrees
	for ((i = 1; i <= clients; i++)); do
		git -C "$T/reader/$name-$i" fetch -q --prune "$url" \
			'+refs/heads/*:refs/heads/*'
		git -C "$T/reader/$name-$i" for-each-ref refs/heads
	done | sort -u >"$T/said"
	is "$name: those that fetched end with the same" "$(cat "$T/said")" \
		"$(git -C "$up" for-each-ref refs/heads | sort -u)"
	ok "$name: nothing is held" wait_for 15 given_back || diag "$(held)"
	is "$name: nothing is left" "$(leftovers)" ""
done

# --- two, one branch ---------------------------------------------------------

# Both stand at the same line: at first before they ask what there is, then,
# from a hook of theirs, between that and the push.
line() {
	touch "$T/line.$1"
	wait_for 30 test -e "$T/line.1" -a -e "$T/line.2"
}
racer() {
	local i=$1 dir=$T/work/$name-$1
	[ "$when" = between ] || line "$i"
	LIMIT=60 git -C "$dir" push "$url" "${mine[i]}:refs/heads/race" \
		>"$T/racer.$i" 2>&1
}
for i in 1 2; do
	cat >"$T/work/race.$i" <<-END
		#!/bin/sh
		[ -e "$T/between" ] || exit 0
		touch "$T/line.$i"
		n=0
		until [ -e "$T/line.1" ] && [ -e "$T/line.2" ]; do
			n=\$((n + 1))
			[ \$n -lt 1000 ] || exit 1
			sleep 0.02
		done
	END
	chmod +x "$T/work/race.$i"
	for name in ssh file; do
		cp "$T/work/race.$i" "$T/work/$name-$i/.git/hooks/pre-push"
	done
done
stale='\((non-fast-forward|fetch first|stale info)\)|code=upstream-stale '
for name in ssh file; do
	url=$GATE/acme/$name
	up=$T/up/acme/$name.git
	base=$(tip "$up" main)
	git -C "$T/work/$name-1" push -q "$up" "$base:refs/heads/race" 2>/dev/null
	for ((n = 1; n <= races; n++)); do
		when=before
		rm -f "$T/between" "$T"/line.*
		[ $((n % 2)) -eq 0 ] || { when=between; touch "$T/between"; }
		mine=() pids=() ends=()
		for i in 1 2; do
			# the one that lost has fetched what won
			git -C "$T/work/$name-$i" fetch -q "$up" race
			mine[i]=$(new_tip "$T/work/$name-$i" "$base" "$n $i")
			( trap - EXIT; racer $i ) &
			pids[i]=$!
		done
		for i in 1 2; do wait "${pids[i]}"; ends[i]=$?; done
		cat "$T"/racer.? >"$T/said"
		is "$name, race $n ($when): exactly one wins" \
			"$(printf '%s\n' "${ends[@]}" | grep -cx 0)" 1
		[ "${ends[1]}" -eq 0 ] && winner=1 loser=2 || winner=2 loser=1
		is "$name, race $n: the upstream has the winner's" \
			"$(tip "$up" race)" "${mine[winner]}"
		like "$name, race $n: the other is told what to do" "$stale" \
			"$T/racer.$loser"
		ok "$name, race $n: the gate shows the winner's" agrees
		base=$(tip "$up" race)
	done
done
rm -f "$T/between" "$T"/work/*/.git/hooks/pre-push

# --- refreshes without end ---------------------------------------------------

# Each sample and each push that was told to be done, with its times.
sampling() {
	local from id
	until [ -e "$T/enough" ]; do
		from=$(now_ms)
		id=$(timeout 60 "$GIT" ls-remote -q "$url" refs/heads/storm) ||
			{ echo "an advertisement failed"; return 1; }
		echo "$from $(now_ms) ${id%%	*}" >>"$T/samples.$1"
		sleep 0.05
	done
}
# When something ended that showed value n, no sample that begins then or
# later may show less: a line for each that does.
taken_back() {
	awk -v order="$T/order" '
		BEGIN { while ((getline id <order) > 0) at[id] = ++n }
		{ print $2, 1, NR, ($3 in at) ? at[$3] : $3 == "" ? 0 : "?" }
		NF == 3 || $4 != "push" {
			print $1, 2, NR, ($3 in at) ? at[$3] : $3 == "" ? 0 : "?"
		}' "$@" | sort -n -k1,1 -k2,2r | awk '
		$4 == "?" { print "not a value that was pushed"; next }
		$2 == 2 { least[$3] = seen + 0 }
		$2 == 1 && $4 < least[$3] {
			print "showed " $4 " after " least[$3] " had been shown"
		}
		$2 == 1 && $4 > seen { seen = $4 }'
}
for name in ssh file; do
	url=$GATE/acme/$name
	up=$T/up/acme/$name.git
	dir=$T/work/$name-1
	main=$(tip "$up" main)
	rm -f "$T"/samples.* "$T/enough" "$T/order" "$T/acks"
	pids=() failures=0 parent=$main
	for i in {1..6}; do
		( trap - EXIT; sampling "$i" ) >"$T/sampler.$i" 2>&1 &
		pids+=($!)
	done
	: >"$T/said"
	for ((n = 1; n <= storm; n++)); do
		# each third is no child of the one before
		[ $((n % 3)) -ne 0 ] || parent=$main
		parent=$(new_tip "$dir" "$parent" "storm $n")
		echo "$parent" >>"$T/order"
		from=$(now_ms)
		if LIMIT=60 git -C "$dir" push "$url" "+$parent:refs/heads/storm" \
			>"$T/push" 2>&1; then
			echo "$from $(now_ms) $parent push" >>"$T/acks"
		else
			failures=$((failures + 1))
			cat "$T/push" >>"$T/said"
		fi
	done
	touch "$T/enough"
	status=
	for i in "${pids[@]}"; do wait "$i"; status+=$?; done
	is "$name: $storm pushes amid refreshes: none is said to have failed" \
		$failures 0
	cat "$T"/sampler.* >"$T/said"
	is "$name: no advertisement fails" "$status" 000000
	diag "$name: $(cat "$T"/samples.* | wc -l) advertisements beside them"
	is "$name: nothing that was shown, or told to be done, is taken back" \
		"$(taken_back "$T"/samples.* "$T/acks" | sort | uniq -c)" ""
	is "$name: the last one is upstream" "$(tip "$up" storm)" "$parent"
	ok "$name: and the gate shows it" agrees
done

ok "nothing is held" wait_for 15 no_session
is "nothing is left" "$(leftovers)" ""
ok "every repository passes git fsck" fsck_all
unlike "no sanitizer reports" 'Sanitizer|runtime error' "$T/gate.log"
stop gate
is "the gate ends cleanly" $rc 0
done_testing
