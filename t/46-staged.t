#!/bin/bash
# git gate scan --staged: what the next commit would bring, of each version of
# the index, and nothing else; usable as a pre-commit hook.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/hook.sh"

w=$T/w
git init -q -b main "$w"
# scan STATUS NAME ARG...: what is staged
scan() {
	local want=$1 name=$2
	shift 2
	try timeout 60 sh -c 'cd "$0" && exec "$@"' "${DIR:-$w}" \
		"$BUILD/git-gate" scan --staged "$@"
	cat "$T/said" >>"$T/all"
	[ "$rc" -eq "$want" ]
	result $? "$name" || diag "status $rc, not $want"
}
: >"$T/notes"
add() { git -C "$w" add -A; }

scan 0 "an empty index, before the first commit"
{ token 1; echo; } >"$w/a"
scan 0 "what is not staged is not looked at"
add
scan 1 "the first commit's file is"
like "by path and line, without a commit" "^  a:1:1\$"
git -C "$w" commit -qm "not taken back"
scan 0 "what HEAD has is not new"
mkdir -p "$w/d/e" "$w/d.x"
for i in 1 2 3; do
	echo "$i" | tee "$w/d/e/$i" "$w/d/$i" "$w/d.x/$i" >"$w/d-$i"
done
echo "more" >>"$w/a"
add
scan 0 "an old secret in a changed file is not"
like "only what changed is looked at" "no secrets found in [0-9]+ objects"
git -C "$w" commit -qm "many"
git -C "$w" mv a d/e/moved
scan 0 "nor one in a file that was moved"
git -C "$w" reset -q --hard
cp "$w/a" "$w/copied"
add
scan 1 "a copy of it is"
like "under its own path" "copied:1:1"
git -C "$w" reset -q --hard
mkdir -p "$w/d/$(token 3)/e"
echo "new" | tee "$w/d/$(token 3)/a" >"$w/d/$(token 3)/e/f"
add
scan 1 "a new directory with a secret for its name is"
like "once" "^1 secret found"
git -C "$w" commit -qm "and its name"
echo "newer" >"$w/d/$(token 3)/b"
add
scan 0 "a new file in it, when HEAD has it, is not"
git -C "$w" reset -q --hard HEAD^
git -C "$w" clean -fdq
token 2 >"$w/d/e/2"
add
for v in 2 3 4; do
	git -C "$w" update-index --index-version $v
	if [ $v = 3 ]; then
		# what version 3 is for
		: >"$w/later"
		git -C "$w" add -N later
		git -C "$w" update-index --skip-worktree d/1
	fi
	is "the index has version $v" \
		"$(od -An -tu1 -j7 -N1 "$w/.git/index" | tr -d ' ')" $v
	scan 1 "a changed file, by an index of version $v"
	like "is named" "d/e/2:1:1"
done
git -C "$w" rm -q --cached later 2>/dev/null
git -C "$w" update-index --no-skip-worktree d/1
DIR=$w/d scan 1 "from a directory below"
scan 1 "with another format" --format json
like "which has no commit" '"Commit": ""'
cp "$T/out" "$T/known"
fp=$(sed -n 's/.*"Fingerprint": "\(.*\)"/\1/p' "$T/known")
scan 0 "with a baseline of itself" --baseline "$T/known"
like "which is counted" "left out: 1 in the baseline"
scan 1 "explained" --explain "$fp"
like "by rule" "rule +github-classic-token, built-in rules:[0-9]+"
like "and in the end" "so +reported"
git -C "$w" reset -q --hard

echo "$(token 3)" >"$w/$(token 4)"
add
scan 1 "a path that is a token"
is "both are found" "$(grep -c fingerprint "$T/out")" 2
git -C "$w" reset -q --hard

# as a hook of git's, which may have an index of its own
cat >"$w/.git/hooks/pre-commit" <<END
#!/bin/sh
exec "$BUILD/git-gate" scan --staged
END
chmod +x "$w/.git/hooks/pre-commit"
echo fine >"$w/fine"
add
ok "a pre-commit hook lets a clean commit pass" \
	git -C "$w" commit -qm clean
token 5 >"$w/fine"
no "and stops one of a file that was not staged" \
	git -C "$w" commit -qm dirty fine
like "which is named" "fine:1:1"
no "and commit -a" git -C "$w" commit -qam dirty
like "which is named too" "fine:1:1"
git -C "$w" reset -q --hard
mkdir -p "$w/d"
token 6 >"$w/d/one"
add
git -C "$w" stash -q
git -C "$w" worktree add -q "$T/tree" main~1 2>/dev/null
token 6 >"$T/tree/two"
git -C "$T/tree" add two
DIR=$T/tree scan 1 "in a work tree of another repository"
like "its own index" "two:1:1"
scan 0 "not that of the other"

# a merge: only what neither side has
git -C "$w" checkout -q -b left main~1
token 7 >"$w/left"; add; git -C "$w" commit -qnm left
git -C "$w" checkout -q -b right main~1
token 8 >"$w/right"; add; git -C "$w" commit -qnm right
git -C "$w" merge -q --no-commit left >/dev/null 2>&1
scan 0 "a merge brings nothing that one side has"
token 9 >>"$w/left"
add
scan 1 "but what arises in it"
is "alone" "$(grep -c fingerprint "$T/out")" 1
git -C "$w" merge --abort

git -C "$w" update-index --split-index
scan 3 "a split index: could not tell"
like "with the remedy" "the index is split; .*--no-split-index"
git -C "$w" update-index --no-split-index
cp "$w/.git/index" "$T/index"
for n in 5 40 100 300; do
	head -c "$n" "$T/index" >"$w/.git/index"
	scan 3 "an index cut after $n bytes: could not tell"
done
like "says so" "the index is malformed"
cp "$T/index" "$w/.git/index"
scan 2 "with --all: a mistake" --all
like "which says what to leave out" "leave out --all, or --staged"
scan 2 "with a path" d
like "likewise" "leave it out, or 'd'"
DIR=$T scan 3 "without a repository"
like "says so" "no repository is here"
printf '[core\n' >"$w/.git/config"
scan 0 "the repository's configuration is not read"
ok "no secret was said" hidden 1 2 3 4 5 6 7 8 9
done_testing
