#!/bin/bash
# The rooms of src/: what each file includes agrees with src/README, headers
# compile alone, foreign libraries have their few homes, and the programs are
# linked as the design says.
. "${SOURCE:?}/t/lib.sh"
src=$SOURCE/src
cc=${CC:-gcc}

# "file layer" for every file that src/README names. A word with a suffix is a
# file; in a line of the last layer that has none, every word is one.
awk '/^Layer [0-9]/ { layer = $2 + 0; next }
	/^[A-Z]/ { layer = "" }
	layer == "" { next }
	{ line = $0; sub(/\(lib.*|\(PCRE.*/, "", line)
	  if (layer == 0 && line !~ /\.[ch] /) { n = split(line, w, " ")
		for (i = 1; i <= n; i++) print w[i], layer
		next }
	  while (match(line, /[a-z0-9-]+\.[ch]/)) {
		print substr(line, RSTART, RLENGTH - 2), layer
		line = substr(line, RSTART + RLENGTH) } }' \
	"$src/README" | sort -u >"$T/layers"
declare -A layers
while read -r name layer; do layers[$name]=$layer; done <"$T/layers"
# room NAME: the name itself, or what is before its dashes: walk-refs is of
# walk; it is in ROOM, and its layer in LAYER
room() {
	ROOM=$1
	until [ -n "${layers[$ROOM]:-}" ]; do
		case $ROOM in *-*) ROOM=${ROOM%-*} ;; *) ROOM='' && break ;; esac
	done
	LAYER=${ROOM:+${layers[$ROOM]}}
}
is "src/README names layers 0 to 4" \
	"$(cut -d' ' -f2 "$T/layers" | sort -u | xargs)" "0 1 2 3 4"

# ROOM-internal.h is of that room's files only.
unknown='' upward='' sideways='' alone=''
for file in "$src"/*.[ch]; do
	name=${file##*/}
	room "${name%.*}"
	from=$LAYER
	[ -n "$from" ] || unknown="$unknown $name"
	for header in $(sed -n 's/^#include "\(.*\)"/\1/p' "$file"); do
		room "${header%.h}"
		case $header in *-internal.h)
			case $name:$header in
			"${header%internal.h}"*|"${header%-internal.h}".*) ;;
			# scan runs what rules compiled
			scan-internal.h:rules-internal.h) ;;
			*) sideways="$sideways $name:$header" ;;
			esac ;;
		esac
		[ "${LAYER:-9}" -le "${from:-0}" ] || upward="$upward $name:$header"
	done
	case $name in *.h)
		echo "#include \"$name\"" | "$cc" -std=gnu11 -Wall -Wextra -Werror \
			-fsyntax-only -I"$src" -DSYSCONFDIR='""' -x c - \
			2>>"$T/said" || alone="$alone $name" ;;
	esac
done
is "every file of src is in src/README" "$unknown" ""
is "no file includes a higher layer" "$upward" ""
is "an internal header stays in its room" "$sideways" ""
is "every header compiles alone" "$alone" ""
for name in $(cut -d' ' -f1 "$T/layers"); do
	[ -e "$src/$name.c" ] || [ -e "$src/$name.h" ] || echo "$name"
done >"$T/said"
is "src/README names no file that is not there" "$(cat "$T/said")" ""

# A library's homes are the rooms that src/README marks with its name.
homes() {
	local file
	for file in $(grep -lE "^#include [<\"]$1" "$src"/*.[ch]); do
		file=${file##*/}
		room "${file%.*}"
		grep -qE "^  $ROOM\.c .*\($2\)\$" "$src/README" || echo "$file"
	done
}
for pair in fcgi:libfcgi pcre2:PCRE2 zlib:zlib; do
	is "${pair#*:} is included in its named homes only" \
		"$(homes "${pair%:*}" "${pair#*:}")" ""
done
is "no file runs a shell or searches for a program" "$(grep -lE \
	'[^a-z_](system|popen|execlp|execvp|execvpe|posix_spawnp) ?\(' \
	"$src"/*.c)" ""
is "only env, which builds environments, and none else reads one it got" \
	"$(grep -lE '[^a-z_]putenv ?\(|[^a-z_]setenv ?\(|extern char \*\*environ' \
	"$src"/*.c)" ""
is "no file is longer than 400 lines" \
	"$(wc -l "$src"/*.[ch] | awk '$2 != "total" && $1 > 400 { print $2 }')" ""
is "and no line than a terminal of 80 columns" \
	"$(awk 'length > 80 { print FILENAME ":" FNR }' "$src"/*.[ch] \
	"$src/README")" ""

# --- the programs --------------------------------------------------------------

programs='git-gated git-gate-hook git-gate git-gate-ssh git-gate-askpass
	git-gate-pack'
needs() { ldd "$BUILD/$1"; }
linked() {
	ok "ldd of $1" needs "$1"
	unlike "$1 is not linked with $2" "$2"
}
linked git-gated 'libpcre'
like "git-gated is linked with libfcgi" 'libfcgi'
linked git-gate-hook 'libfcgi'
like "git-gate-hook is linked with PCRE2" 'libpcre2'
linked git-gate 'libfcgi'
for name in git-gate-ssh git-gate-askpass git-gate-pack; do
	linked $name 'libfcgi|libpcre'
done

for name in $programs git-gate-proc-receive; do
	linked "$name" 'libgit2'
done
ok "no file includes libgit2" test -z "$(grep -l 'git2' "$src"/*.[ch])"

elf() { readelf -hldW "$BUILD/$1"; }
for name in $programs; do
	ok "readelf of $name" elf "$name"
	like "$name is position-independent" 'Type: +DYN'
	like "$name: relocations are read-only" 'GNU_RELRO'
	like "$name: all symbols are bound at start" 'BIND_NOW|FLAGS.* NOW'
	unlike "$name: the stack is not executable" 'GNU_STACK.*RWE'
	# a build with sanitizers has their checks in place of these
	grep -q 'libasan' <(needs "$name") && continue
	readelf -sW "$BUILD/$name" >"$T/said"
	like "$name: stacks are guarded" '__stack_chk_fail'
done
done_testing
