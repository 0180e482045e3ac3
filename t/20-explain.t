#!/bin/bash
# Who may do what: a table of questions, put through git-gate explain.
. "${SOURCE:?is the source directory}/t/lib.sh"

cat >"$T/conf" <<'END'
[upstream "forge"]
	url = https://forge.example/
[upstream "lax"]
	url = https://lax.example
	suffix = ""
	ignoreCase = yes
[repo "acme/*"]
	upstream = forge
[repo "Big/*"]
	upstream = lax
[repo "lab/*"]
	hosted = /srv/git
[access]
	deny  = *              mallory  *
	allow = fetch          *        acme/*
	allow = create,update  agent-*  acme/web   refs/heads/agent/*
	deny  = rewind,delete  *        *          refs/heads/main
	allow = *              ada      acme/*     refs/heads/*
	allow = rewind         bot      acme/web
	allow = push           -        lab/open
	deny  = *              *        Big/Secret
	allow = *              bob      BIG/*
END
Z=$(printf '%040d' 0)
A=${Z//0/a}
B=${Z//0/b}
Z64=$(printf '%064d' 0)

explain() { "$BUILD/git-gate" explain -c "$T/conf" "$@"; }

# asks STATUS LINE ARGUMENT...: the exit status, and the first rule's line, or
# none.
asks() {
	local status=$1 line=$2 got
	shift 2
	try explain "$@"
	got=$(sed -n "s|^  $T/conf:\([0-9]*\): .*|\1|p" "$T/out" | head -n 1)
	[ "$rc ${got:-none}" = "$status $line" ]
	result $? "$*" || diag "got $rc ${got:-none}, wanted $status $line"
}

while read -r status line args; do
	# shellcheck disable=SC2086
	asks "$status" "$line" $args
done <<END
0 15    bob fetch acme/web
0 15    - fetch acme/web
0 15    bob fetch /acme/web.git
1 14    mallory fetch acme/web
1 14    mallory push acme/web
1 none  bob fetch lab/open
1 none  bob fetch nowhere/web
1 none  bob fetch acme
0 16    agent-7 create acme/web refs/heads/agent/7
0 16    agent-7 update acme/web refs/heads/agent/7
1 none  agent-7 rewind acme/web refs/heads/agent/7
1 none  agent-7 create acme/web refs/heads/other
1 none  agent-7 create acme/web2 refs/heads/agent/7
1 none  agent create acme/web refs/heads/agent/7
0 16    agent-7 push acme/web
1 17    bob push acme/web
0 16    agent-7 push acme/web refs/heads/agent/7
0 16    agent-7 push acme/web refs/heads/agent/7 $Z $A
0 16    agent-7 push acme/web refs/heads/agent/7 $A $B
1 none  agent-7 push acme/web refs/heads/agent/7 $A $Z
1 none  agent-7 push acme/web refs/tags/v1
0 18    ada update acme/web refs/heads/main
1 17    ada rewind acme/web refs/heads/main
1 17    ada delete acme/web refs/heads/main
0 18    ada rewind acme/web refs/heads/topic
0 18    ada delete acme/web refs/heads/topic
1 none  ada create acme/web refs/tags/v1
0 18    ada push acme/web refs/heads/main $A $B
1 17    ada push acme/web refs/heads/main $A $Z
0 19    bot rewind acme/web refs/heads/topic
1 17    bot rewind acme/web refs/heads/main
0 19    bot push acme/web
0 20    - push lab/open
0 20    - create lab/open refs/tags/v1
1 17    nobody push lab/open
0 22    bob fetch Big/Repo
0 22    bob delete big/repo refs/heads/topic
1 21    bob fetch big/secret
1 21    bob fetch BIG/SECRET
1 none  ann fetch big/repo
1 none  agent-7 push acme/web refs/heads/agent/7 $Z64 $Z64
END

# --- what it says ---------------------------------------------------------

ok 'an answer' explain agent-7 create acme/web refs/heads/agent/7
like 'has the verdict' '^allowed: create acme/web refs/heads/agent/7 for agent-7$'
like 'and the rule as it is written' \
	"^  $T/conf:16: allow = create,update  agent-\*  acme/web   refs/heads/agent/\*$"
like 'and where the repository is' \
	"^repository: $T/conf:7: \[repo \"acme/\*\"\], upstream https://forge.example/acme/web.git$"
try explain bob fetch lab/x.git
like 'a hosted one too' "^repository: $T/conf:11: .* hosted /srv/git/lab/x.git$"
try explain bob fetch BIG/Repo
like 'with the name that the upstream is asked for' \
	' upstream https://lax.example/big/repo$'
try explain bob fetch nowhere/web
like 'what no [repo] has is not found' '^not found: fetch nowhere/web for bob$'
try explain bob create acme/web refs/heads/x
like 'that no rule allows is a reason' 'no rule of \[access\] allows it'
try explain agent-7 push acme/web refs/heads/agent/7 "$A" "$B"
like 'of a push that may be a rewind' '^allowed: update '
like 'both answers are given' '^denied: rewind '
no 'allowed and denied alike' explain - push acme/web refs/heads/x
like 'are told for nobody' '^denied: create acme/web refs/heads/x for -$'

# --- questions that are none ----------------------------------------------

# usage NAME REGEX ARGUMENT...
usage() {
	local name=$1 regex=$2
	shift 2
	try explain "$@"
	is "$name" "$rc" 2
	like "$name: with a remedy" "$regex" "$T/err"
}
usage 'nothing' '^git-gate: error: usage: git-gate explain'
usage 'two words' 'usage' bob fetch
usage 'OLD without NEW' 'usage' bob push acme/web refs/heads/x "$A"
usage 'too many words' 'usage' bob push acme/web refs/heads/x "$A" "$B" x
usage 'an unknown operation' 'fetch create update' bob read acme/web
usage 'a star' 'fetch create update' bob '*' acme/web
usage 'a fetch with a reference' 'leave REF out' bob fetch acme/web refs/heads/x
usage 'an operation without a reference' 'add REF' bob create acme/web
usage 'a short reference' 'refs/heads/main' bob create acme/web main
usage 'an impossible reference' 'full reference' bob create acme/web refs/heads/a..b
usage 'short ids' 'hexadecimal' bob push acme/web refs/heads/x abc def
usage 'ids with an operation' 'push only' bob create acme/web refs/heads/x "$Z" "$A"
usage 'a name that climbs' "REPO .*begins with" bob fetch acme/../x
usage 'an unknown option' usage --frob bob fetch acme/web
no 'a configuration that is not there' \
	"$BUILD/git-gate" explain -c "$T/none" bob fetch acme/web
like 'is named' "$T/none: cannot be opened"
is 'and nothing could be told' $rc 3

done_testing
