#!/bin/bash
# Where a secret can hide in a push: one test for each place. Each is refused,
# with the place and the rule said; what cannot be looked at is refused as
# that. By plain `git push` into a hosted repository, each from one commit
# that the repository has.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/hook.sh"
. "$(dirname "$0")/hiding.sh"

# what the repository has: halves of secrets, and an old one
half=$(token 90) seam=$(token 91)
mkdir -p "$w/src"
words >"$w/src/old.c"
{ words 300; echo "half = ${half:0:24}"; words 40; } >"$w/half"
{ words 200; echo "left = ${seam:0:20}"; words 100; echo "${seam:20} right"
	words 100; } >"$w/seam"
echo "leak = $(token 92)" >"$w/leak"
{ printf 'From: ada\n%s\n\n' \
	"Content-Transfer-Encoding: quoted-printable"; words 99; } >"$w/mail"
with_break() { echo "a line = $(token "$1" | sed 's/./&=\n/12')"; }
{ words 9; with_break 97; words 40; } >"$w/plain"
perl -MEncode -e 'local $/; print encode("UTF-32LE", <STDIN>)' <"$w/mail" \
	>"$w/utf32"
# packed, and the words before the key are ever the same
with_key() { { noise; echo "key = $(token "$1")"; } | gzip -n | base64; }
{ noise; echo "no key"; } | gzip -n | base64 >"$w/end"
with_key 93 | sed 1d >"$w/first"
{ words 100; with_key 94; words 100; } >"$w/known"
g add -A && g commit -qm base && g tag base
g push -q "$bare" main # without the hook
base=$(tip "$w" base)
next

# --- in commits, tags and names ----------------------------------------------
put file <<<"key = $S"
C=$(g commit-tree -p "$C" -m "removed" "base^{tree}")
found "a file that the next commit removes" "file:"
put src/merged <<<"ours"
ours=$C
put src/merged <<<"theirs"
theirs=$C
C=$(g commit-tree -p "$ours" -p "$theirs" -m "merged" \
	"$(tree src/merged <<<"both and $S")")
found "what arises in a merge's resolution" "src/merged:"
WHEN="1700000000 +0000"
ADA="Ada <ada@example.org>"
# commit_with AUTHOR COMMITTER HEADERS MESSAGE
commit_with() {
	C=$(printf 'tree %s\nparent %s\nauthor %s\ncommitter %s\n%s%s\n%s\n' \
		"$(tip "$w" "base^{tree}")" "$base" "$1 $WHEN" "$2 $WHEN" \
		"$3" "${3:+$'\n'}" "$4" | object commit)
}
commit_with "$ADA" "$ADA" "" "log in with $S"
found "a commit's message" ".*message"
commit_with "$S <ada@example.org>" "$ADA" "" subject
found "an author's name" ".*(author|header)"
commit_with "Ada <$S@example.org>" "$ADA" "" subject
found "an author's address" ".*(author|header)"
commit_with "$ADA" "$S <ada@example.org>" "" subject
found "a committer's name" ".*(committer|header)"
commit_with "$ADA" "Ada <$S@example.org>" "" subject
found "a committer's address" ".*(committer|header)"
commit_with "$ADA" "$ADA" "x-unknown $S" subject
found "a header that nobody knows" ".*header"
commit_with "$ADA" "$ADA" "encoding $S" subject
found "the encoding of a commit" ".*header"
commit_with "$ADA" "$ADA" "gpgsig -----BEGIN PGP SIGNATURE-----
 
 $S
 -----END PGP SIGNATURE-----" subject
found "a signature" ".*header"
commit_with "$ADA" "$ADA" "mergetag object $base
 type commit
 tag v0
 tagger $ADA $WHEN
 
 is $S" subject
found "a merged tag" ".*header"
# tag_of ID TYPE TAGGER MESSAGE
tag_of() {
	C=$(printf 'object %s\ntype %s\ntag v1\ntagger %s\n\n%s\n' "$1" "$2" \
		"$3 $WHEN" "$4" | object tag)
}
tag_of "$base" commit "$ADA" "is $S"
found "a tag's message" ".*tag" "$C:refs/tags/v1"
tag_of "$base" commit "$ADA" "inner $S"
tag_of "$C" tag "$ADA" "outer"
found "a tag of a tag" ".*tag" "$C:refs/tags/v1"
tag_of "$base" commit "$S <ada@example.org>" "message"
found "a tagger" ".*tag" "$C:refs/tags/v1"
found "a tag's name" ".*name" "base:refs/tags/$S"
found "a branch's name" ".*name" "base:refs/heads/fix/$S"
put "src/$S.c" <<<"nothing"
found "a file's name" ".*(path|name)"
put "src/$S/a.c" <<<"nothing"
found "a directory's name" ".*(path|name)"
# one that is known only where nothing stands before it
key=$(printf 'YC%s%s' q7rTz2LkVn4PwYd8XsH c3JmBf6GuA9eRt5KiNo)
RULE=yandex
put "dir/$key" <<<"nothing"
found "a file's name that a rule wants alone" "path name dir/YCq7…"
put "dir/$key" <<<"key = $S"
RULE=github-classic-token
found "a file of such a name" "dir/YCq7… \(40 bytes\):"
RULE=yandex
found "a branch's name that a rule wants alone" "ref refs/heads/fix/YCq7…" \
	"base:refs/heads/fix/$key"
found "one before another" "ref refs/heads/YCq7….*/x" \
	"base:refs/heads/$key/x"
zipped "in/$key" <<<"nothing" >"$T/text"
put a.zip <"$T/text"
found "a name in an archive that a rule wants alone" "a.zip!"
gzip -c <"$T/text" >"$T/gz"
put a.gz <"$T/gz"
found "and within another" "a.gz!"
RULE=github-classic-token
zipped "in/$key" <<<"key = $S" >"$T/text"
put a.zip <"$T/text"
found "a file of such a name in an archive" "a.zip!in/YCq7… \(40 bytes\):"
! { grep -a "^remote:" "$T/all"; cat "$T/notes"; } | grep -aqF "${key:5}"
result $? "nothing of them was said or noted"
put link 120000 <<<"/home/ada/$S"
found "where a symbolic link points to" "link:"
printf '[submodule "lib"]\n\tpath = lib\n\turl = https://ada:%s@%s\n' "$S" \
	"git.example/lib" >"$T/text"
in_file "a submodule's address" .gitmodules
C=$(commit_of "$(index "160000,$base,lib/$S")")
found "a submodule's path" ".*(path|name)"
C=$(object blob <<<"key = $S")
found "a blob that a tag points to" ".*(blob|object|$C|[0-9a-f]{12})" \
	"$C:refs/tags/blob"
C=$(tree in/file <<<"key = $S")
found "a tree that a tag points to" "in/file:" "$C:refs/tags/tree"
blob=$(object blob <<<"key = $S")
put file <<<"nothing"
sent "$C" "$(tip "$w" "$C^{tree}")" "$(tip "$w" "$C:file")" "$blob"
told "a blob that nothing refers to" ".*${blob:0:12}"
next
put file <<<"nothing"
with="$C $(tip "$w" "$C^{tree}") $(tip "$w" "$C:file")"
commit_with "$ADA" "$ADA" "" "lost is $S"
# shellcheck disable=SC2086 # ids
sent $with "$C"
told "a commit that nothing refers to" ".*${C:0:12}"
next
g notes add -f -m "note that $S" base
found "a note" ".*${base:0:12}|.*$base" refs/notes/commits
found "a push option" "push option" -o "topic=$S" base:refs/heads/x

# --- in a file, as it is -----------------------------------------------------
printf '\0\1\2\377%s\0\3\4' "$S" >"$T/text"
in_file "between the NULs of a binary"
text="first line
key = \"$S\"
next"
{ printf '\377\376'; utf16 "$text" UTF-16LE; } >"$T/text"
in_file "UTF-16, little end first, with a mark"
utf16 "${text/key*next/key = $S}" UTF-16LE >"$T/text"
in_file "UTF-16, little end first, without a mark"
utf16 "first
key = $S" UTF-16BE >"$T/text"
in_file "UTF-16, big end first, without a mark"
{ head -c 1001 "$BUILD/git-gate-askpass"; utf16 "key = $S ok" UTF-16LE
	head -c 600 "$BUILD/git-gate-askpass"; } >"$T/text"
in_file "a string of UTF-16 in a program" a.dll
printf '\0ada\0%s' "$S" | base64 -w0 >"$T/text"
in_file "base64 with NULs, as SASL has it"
perl -MEncode -CA -e 'print encode("UTF-16LE", ("\x{43f}\x{440}" x 300) .
	"\nkey = $ARGV[0]\n")' "$S" >"$T/text"
in_file "UTF-16 without a mark, of Russian first"
lines() { printf 'first line\nkey = "%s"\nnext' "$S"; }
{ printf '\377\376\0\0'; utf16 "$(lines)" UTF-32LE; } >"$T/text"
encoded_in "UTF-32, little end first, with a mark"
{ printf '\0\0\376\377'; utf16 "$(lines)" UTF-32BE; } >"$T/text"
encoded_in "UTF-32, big end first, with a mark"
utf16 "$(lines)" UTF-32LE >"$T/text"
encoded_in "UTF-32, little end first, without a mark"
utf16 "$(lines)" UTF-32BE >"$T/text"
encoded_in "UTF-32, big end first, without a mark"
perl -MEncode -CA -e 'print encode("UTF-32LE", ("\x{43f}\x{1f600}\n" x 300) .
	"\nkey = $ARGV[0]\n")' "$S" >"$T/text"
encoded_in "UTF-32 without a mark, of other characters first"
utf16 "$(lines)" UTF-32LE | gzip >"$T/text"
encoded_in "UTF-32, packed" a.gz
printf 'cl\351 = "%s" \351t\351\n' "$S" >"$T/text"
in_file "among Latin-1"
printf 'a = 1\r\nkey = %s\r\nb = 2\r\n' "$S" >"$T/text"
in_file "lines that end in CR LF"
{ head -c 5000000 /dev/zero | tr '\0' .; printf ' %s ' "$S"
	head -c 5000000 /dev/zero | tr '\0' .; } >"$T/text"
in_file "a line of 10 MB"
printf 'key = %s' "$S" >"$T/text"
in_file "the end of a file without an end of line"
printf '%s is first\n' "$S" >"$T/text"
in_file "the first byte of a file"
RULE='[a-z-]*private-key'
pem RSA >"$T/text"
in_file "a private key"
printf '{"key": "%s"}\n' "$(pem EC | sed 's/$/\\n/' | tr -d '\n')" >"$T/text"
in_file "a private key in a string of JSON"
{ echo 'ssh-add - <<KEY'; pem OPENSSH; echo KEY; } >"$T/text"
in_file "a here-document" setup.sh
RULE=github-classic-token
printf 'export KEY=\\\n%s\n' "$S" >"$T/text"
in_file "a value on the line after"
C=$(commit_of "$(printf '100644 blob %s\t.git\n' \
	"$(object blob <<<"key = $S")" | g mktree)")
found "a file that is called .git" "[.]git:"
put .git-credentials/config <<<"key = $S"
found "a path like git's own" "[.]git-credentials/config:"
put 'dir\sub\file.txt' <<<"key = $S"
found "a path with backslashes" 'dir.+sub.+file.txt'
{ words; echo "key = $S"; } >"$T/text"
GIT_INDEX_FILE=$T/index g read-tree base
GIT_INDEX_FILE=$T/index g rm -q --cached src/old.c
GIT_INDEX_FILE=$T/index g update-index --add \
	--cacheinfo "100644,$(object blob <"$T/text"),src/new.c"
C=$(commit_of "$(GIT_INDEX_FILE=$T/index g write-tree)")
found "a file that is renamed and changed" "src/new.c:"
{ yes "some text that fills a large file" | head -c 60000000; echo " $S"
	yes "some text that fills a large file" | head -c 40000000; } >"$T/text"
in_file "a file of 100 MB"

# --- in a file, encoded ------------------------------------------------------
echo "key: $(base64 -w0 <<<"$S")" >"$T/text"
in_file "base64"
echo "key: $(printf '?>?>~~ %s' "$S" | base64 -w0 | tr -- '+/' '-_' |
	tr -d =)" >"$T/text"
in_file "base64 of URLs"
{ echo "key: |"; { words 3; echo "$S"; words 3; } | base64 -w 76 |
	sed 's/^/  /'; } >"$T/text"
in_file "base64 in several lines"
echo "https://x.example/reset/$(base64 -w0 <<<"$S")" >"$T/text"
in_file "base64 in the path of a URL"
base64 -w0 <<<"$S" | base64 -w0 >"$T/text"
in_file "base64 of base64"
base64 -w0 <<<"$S" | base64 -w0 | base64 -w0 >"$T/text"
in_file "and of that"
utf16 "\$key = '$S'" UTF-16LE | base64 -w0 |
	sed 's/^/powershell -EncodedCommand /' >"$T/text"
in_file "base64 of UTF-16"
echo "0x$(printf %s "$S" | od -An -v -tx1 | tr -d ' \n')" >"$T/text"
in_file "hexadecimal"
echo "https://x.example/?t=$(printf %s "$S" | each_byte %%%02X)" >"$T/text"
in_file "escapes of a URL"
printf '{"t": "%s"}\n' "$(printf %s "$S" | each_byte '\u%04x')" >"$T/text"
in_file "escapes of JSON"
echo "<t>$(printf %s "$S" | each_byte '&#%d;')</t>" >"$T/text"
in_file "entities of HTML"
echo "t=$(base64 -w0 <<<"is $S" | each_byte %%%02x)" >"$T/text"
in_file "base64 within escapes of a URL"
cat >"$T/text" <<-END
	apiVersion: v1
	kind: Secret
	data:
	  token: $(printf %s "$S" | base64 -w0)
END
in_file "a Secret of Kubernetes" secret.yaml

# --- in archives -------------------------------------------------------------
packed() { words; echo "key = $S"; words; }
tarred() {
	mkdir -p "$T/in"
	packed >"$T/in/key"
	words >"$T/in/last"
	tar -C "$T/in" -cf - key last
}
packed | zipped conf/key >"$T/text"
in_file "a zip" a.zip
packed | zipped META-INF/key.properties >"$T/text"
in_file "a jar" lib/a.jar
packed | zipped word/document.xml >"$T/text"
in_file "a docx" doc/a.docx
tarred >"$T/text"
in_file "a tar" a.tar
tarred | gzip >"$T/text"
in_file "a tar.gz" a.tar.gz
tarred | xz >"$T/text"
in_file "a tar.xz" a.tar.xz
tarred | bzip2 >"$T/text"
in_file "a tar.bz2" a.tar.bz2
tarred | zstd_of >"$T/text"
in_file "a tar.zst" a.tar.zst
echo "$S" | zstd_of >"$T/text"
in_file "a file of zstd, in two blocks" a.zst
packed | gzip >"$T/text"
in_file "a file of gzip" a.gz
{ words | gzip; packed | gzip; } >"$T/text"
in_file "the second member of a gzip" b.gz
packed | zipped inner | zipped in.zip >"$T/text"
in_file "a zip in a zip" a.zip
words | zipped "$S.txt" >"$T/text"
in_file "a file's name in a zip" a.zip
words | zipped "$S.txt" | gzip >"$T/text"
in_file "the same, packed once more" a.zip.gz
packed | zipped key store >"$T/text"
in_file "a zip that stores" a.zip
{ packed | zipped hidden | perl -0777 -pe 's/PK\x01\x02.*//s'
	words | zipped listed; } >"$T/text"
in_file "what a zip's directory does not list" a.zip
{ cat "$BUILD/git-gate-askpass"; packed | zipped key; } >"$T/text"
in_file "a zip after a program" a.exe
# its lengths are said by the directory alone, behind a comment and more
packed | zipped key | perl -0777 -pe 'substr($_, 18, 8) = "\0" x 8;
	s/..\z/pack("v", 20000) . "c" x 20000/se' >"$T/text"
in_file "a zip with a long comment" a.zip
{ echo '#!/usr/bin/env python3'; packed | zipped key | perl -0777 -pe '
	s/..\z/pack("v", 10) . "made by us"/se'; } >"$T/text"
in_file "a program of Python, packed" a.pyz
{ printf MZ; packed | zipped key; echo; } >"$T/text"
in_file "a zip after a program, and before a byte" a.exe
packed | xz --format=lzma >"$T/text"
in_file "a file of lzma" a.lzma
mkdir -p "$T/deb"
tarred | gzip >"$T/deb/data.tar.gz"
rm -f "$T/a.deb"
(cd "$T/deb" && ar rc "$T/a.deb" data.tar.gz)
cp "$T/a.deb" "$T/text"
in_file "a package of Debian" a.deb
# the flag of it, in both places
words | zipped key | perl -0777 -pe 's/^(PK\x03\x04..)(.)/$1 . ($2 | "\1")/se;
	s/(PK\x01\x02....)(.)/$1 . ($2 | "\1")/se' >"$T/text"
put a.zip <"$T/text"
unsure "an encrypted zip could not be told" "encrypted"
head -c 100000000 /dev/zero | zipped zeros | zipped in.zip >"$T/text"
put a.zip <"$T/text"
spent
from=$SPENT
unsure "nor could one that unpacks to a thousand times its size" "times"
spent
[ $((SPENT - from)) -lt 10000 ]
result $? "which was known soon" || diag "$((SPENT - from)) ms"
packed | gzip | head -c 60 >"$T/text"
put a.gz <"$T/text"
unsure "nor one that is cut off" "broken"
cat >"$T/text" <<-END
	version https://git-lfs.github.com/spec/v1
	oid sha256:$(printf %064d 0)
	size 12345
END
put large.bin <"$T/text"
try push "$w" lab/r "$C:refs/heads/pointer"
[ "$rc" -eq 0 ] && wait_for 10 grep -aiq "lfs" "$T/said" "$T/notes"
result $? "a pointer of Git LFS passes, and is noted"

# mail HEADER: one of standard input
mail() {
	printf 'From: ada@example.org\nSubject: keys\n%s\n\n' "$1"
	cat
}
quoted="Content-Transfer-Encoding: quoted-printable"
{ echo "the token that you asked for is this one here: ${S:0:20}="
	echo "${S:20}, and it=E2=80=99s secret"; } | mail "$quoted" >"$T/text"
encoded_in "quoted-printable, two lines" a.eml
printf 'it is =3D%s=20\r\n' "$S" | mail "$quoted" >"$T/text"
encoded_in "quoted-printable, after a sign and in lines with CR" a.eml
{ echo "From ada Mon Sep 17 00:00:00 2001"; words 5 | mail "X-A: b"; echo
	echo "From ada Mon Sep 17 00:00:00 2001"
	printf '%s=\n%s\n' "${S:0:30}" "${S:30}" |
		mail "content-transfer-encoding:  Quoted-Printable"; } >"$T/text"
encoded_in "the second mail of an mbox" a.mbox
{ echo "From $base Mon Sep 17 00:00:00 2001"; printf '+key =3D "%s=\n%s"\n' \
	"${S:0:9}" "${S:9}" | mail "$quoted"; } >"$T/text"
encoded_in "a patch by mail" 0001.patch
{ base64 -w0 <<<"$S" | fold -w 30 | sed 's/$/=/'; echo; } |
	mail "$quoted" >"$T/text"
encoded_in "base64 in quoted-printable" a.eml
{ words 200000; printf '%s=\n%s\n' "${S:0:30}" "${S:30}"; } |
	mail "$quoted" >"$T/text"
encoded_in "the end of a long mail" a.eml
# no empty line in it: a long way behind its header a line is broken
{ printf 'From: ada\n%s\n\n' "$quoted"
	yes "a line that is as long as any other, and no secret" | head -c 8388600
	printf '\nis %s=\n%s\n' "${S:0:30}" "${S:30}"
	yes "a line" | head -c 200000; } >"$T/text"
encoded_in "a line where a piece of mail could end" a.eml
printf 'is %s=\n%s\n' "${S:0:30}" "${S:30}" | mail "$quoted" | gzip >"$T/text"
encoded_in "mail, packed" a.eml.gz

# --- packed, and then encoded ------------------------------------------------
packed | gzip | base64 >"$T/text"
encoded_in "gzip in base64, in lines of 76"
echo "release: $(packed | gzip | base64 -w0 | base64 -w0)" >"$T/text"
encoded_in "a release of Helm" release.yaml
{ echo 'base64 -d <<END | tar xz'; tarred | gzip -9 | base64; echo END
	words; } >"$T/text"
encoded_in "a tar.gz in a here-document" setup.sh
{ printf 'data:\n  a.tgz: |-\n'; tarred | gzip | base64 | sed 's/^/    /'
	echo 'kind: ConfigMap'; } >"$T/text"
encoded_in "the same, indented" map.yaml
tarred | base64 >"$T/text"
encoded_in "a tar in base64"
echo "{\"zip\": \"$(packed | zipped conf/key | base64 -w0)\"}" >"$T/text"
encoded_in "a zip in a string of JSON" a.json
packed | xz | base64 -w0 | tr '+/' '-_' | tr -d = >"$T/text"
encoded_in "xz in base64 of URLs"
packed | bzip2 | base64 | sed 's/$/\r/' >"$T/text"
encoded_in "bzip2 in base64, lines that end in CR LF"
packed | zstd_of | base64 >"$T/text"
encoded_in "zstd in base64"
packed | xz --format=lzma | base64 >"$T/text"
encoded_in "lzma in base64"
base64 <"$T/a.deb" >"$T/text"
encoded_in "a package of Debian in base64"
echo "x = bytes.fromhex('$(packed | gzip | od -An -v -tx1 | tr -d ' \n')')" \
	>"$T/text"
encoded_in "gzip in hexadecimal" a.py
packed | gzip | od -An -v -tx1 | tr -d ' \n' | fold -w 60 >"$T/text"
encoded_in "the same in lines"
echo "<img src='data:image/svg+xml;base64,$(packed | gzip | base64 -w0)'>" \
	>"$T/text"
encoded_in "a URL with data in it" a.html
packed | gzip | base64 | gzip | base64 >"$T/text"
encoded_in "gzip in base64, and so once more"
packed | gzip | base64 | zipped notes.txt >"$T/text"
encoded_in "gzip in base64, in a zip" a.zip
{ printf '\377\376'; utf16 "$(packed | gzip | base64)" UTF-16LE; } >"$T/text"
encoded_in "gzip in base64, in UTF-16"
{ packed | gzip | base64 -w0; echo; packed | sed 's/key = .*//' | gzip |
	base64; } >"$T/text"
encoded_in "the first of two"
commit_with "$ADA" "$ADA" "" "log: $(packed | gzip | base64 -w0)"
found "gzip in base64, in a commit's message" ".*message"
RULE='[a-z-]*private-key'
pem RSA | gzip | base64 >"$T/text"
encoded_in "a private key so"
RULE=github-classic-token
echo "key = $S" | gzip -n | head -c -5 | base64 -w0 >"$T/text"
encoded_in "one line of it, cut off"
# a short one is no longer than a hash, and a hash is none
echo "$S" | gzip -n | base64 -w0 >"$T/text"
encoded_in "one line of it"
{ echo a | gzip -n; echo "key = $S" | gzip -n | head -c -8; } | base64 -w0 \
	>"$T/text"
encoded_in "one that is cut off, behind one that is not"
{ echo a | gzip -n; echo "key = $S" | gzip -n | head -c -4; } |
	od -An -v -tx1 | tr -d ' \n' >"$T/text"
encoded_in "the same in hexadecimal"
echo "key = $S" | gzip -n | perl -0777 -pe 'substr($_, 8, 2) = "\1\x63"' |
	base64 -w0 >"$T/text"
encoded_in "gzip that says it is of another system"
{ printf '' | bzip2; packed | bzip2; } | base64 >"$T/text"
encoded_in "bzip2 behind an empty one"
{ printf 'PK\7\10'; packed | zipped key; } | base64 -w0 >"$T/text"
encoded_in "a zip that could have been in parts"
{ printf '\120\52\115\30\4\0\0\0skip'; packed | zstd_of; } | base64 -w0 >"$T/text"
encoded_in "zstd behind a frame that is skipped"
echo "key = $S" | gzip -n | gzip -n | head -c -8 | base64 -w0 >"$T/text"
put a.yaml <"$T/text"
unsure "gzip in one that is cut off" "broken"
# both are what they begin like to whoever looks at the first bytes alone
named_tar() { # NAME: its first entry's; the second one is packed
	packed | gzip -n >"$T/in/s.gz"
	perl -e 'sub entry { my ($name, $data) = @_;
			my $h = pack "a100 a8 a8 a8 a12 a12 A8 a1 a100 a6 a2 a247",
				$name, "0000644", "0000000", "0000000",
				sprintf("%011o", length $data), "00000000000",
				"", "0", "", "ustar", "00", "";
			substr($h, 148, 8) = sprintf "%06o\0 ", unpack "%32C*", $h;
			$h . $data . "\0" x (-length($data) % 512) }
		open my $f, "<", $ARGV[1] or die;
		local $/;
		print entry(eval "\"$ARGV[0]\"", "x"), entry("s.gz", <$f>),
			"\0" x 1024' "$1" "$T/in/s.gz"
}
for name in 'PK\3\4xx' ']\0\0\x10' '\4\x22M\x18\x40' '!<arch>\n' \
	'7z\xbc\xaf\x27\x1c'; do
	named_tar "$name" >"$T/text"
	in_file "a tar whose first name is $name" a.bin
done
for pack in bzip2 xz gzip; do
	named_tar "$(printf a | $pack | od -An -v -tx1 | tr -d '\n' |
		sed 's/ /\\x/g')" >"$T/text"
	in_file "a tar whose first name is a whole file of $pack" a.bin
done
named_tar 'PK\3\4xx' | base64 >"$T/text"
encoded_in "the first of them in base64"
{ printf '!<arch>\n'; packed | zipped key; } >"$T/text"
in_file "a zip behind the magic of ar" a.bin
# once, where it is
{ echo "A $(words 3 | base64 -w0)"; echo "B $(packed | gzip -n | base64 -w0)"
} >"$T/text"
encoded_in "beside what is encoded only"
is "it is told once" "$(grep -Eac "^ +$RULE" "$T/said")" 1
cp "$T/text" "$T/a.yaml"
prints() { "$BUILD/git-gate" scan "$T/a.yaml" | awk '$1 == "fingerprint" { print $2 }'; }
before=$(prints)
sed -i '1i # a line more' "$T/a.yaml"
is "in whatever line, it is the same finding" "$(prints)" "${before:-nothing}"
many=$(printf '7%.0s' {1..82})
{ echo "sha256:1f8b0800${many:0:56}"; echo "1f8b0800${many:0:32}"
	echo "sha512-H4sI$many=="; echo "it begins with H4sIAAAAAAAAA"
	echo "or '504b030414000000080000000000', or then"
	# a test of what is damaged
	echo "send('1f8b080000000000000bab56cc4d55b2527ab16e97522d00515be1cc0e')"
} >"$T/text"
put sums <"$T/text"
ok "a hash that begins like it passes" push "$w" lab/r "$C:refs/heads/sums"
head -c 100000000 /dev/zero | gzip | base64 >"$T/text"
put a.yaml <"$T/text"
spent
from=$SPENT
unsure "one that unpacks to a thousand times its size could not be told" \
	"unpacks to too many times"
spent
[ $((SPENT - from)) -lt 10000 ]
result $? "which was known soon" || diag "$((SPENT - from)) ms"
noise | gzip | head -c 600 | base64 >"$T/text"
put a.yaml <"$T/text"
unsure "nor one that is cut off" "broken"
# --- in deltas ---------------------------------------------------------------
sed "s/${half:0:24}/$half/" "$w/half" >"$T/text"
in_file "half of it copied" half
perl -0777 -pe 's/(left = \S+)\n.*\n(\S+ right)/$1$2/s' "$w/seam" >"$T/text"
in_file "two halves copied to one place" seam
with_key 95 >"$T/text"
in_file "the end of what is packed" end
with_key 93 >"$T/text"
in_file "the beginning of what is packed" first
sed 's/line 7 /line seven /' "$w/known" >"$T/text"
put known <"$T/text"
ok "beside an old one that is packed a change passes" \
	push "$w" lab/r "$C:refs/heads/known"
{ words 5; cat "$w/end"; } >"$T/text"
put end <"$T/text"
ok "and beside one that is clean" push "$w" lab/r "$C:refs/heads/clean"
{ head -n 40 "$w/mail"; with_break 96; tail -n +41 "$w/mail"; } >"$T/text"
in_file "a line that is broken, in mail" mail
{ head -n 3 "$w/mail"; cat "$w/plain"; } >"$T/text"
in_file "a beginning that makes it mail" plain
perl -MEncode -e 'local $/; my $t = decode("UTF-32LE", <STDIN>);
	$t =~ s/line 50 /line $ARGV[0] /; print encode("UTF-32LE", $t)' "$S" \
	<"$w/utf32" >"$T/text"
in_file "a line of UTF-32" utf32
# a file that becomes longer by a line 4,000 times; one time for the secret too
SECRET=$S perl -e 'my ($base, $ada) = @ARGV;
	print "reset refs/heads/chain\nfrom $base\n";
	my $all = "";
	for (1 .. 4000) {
		$all .= "line $_\n";
		my $data = $_ == 2000 ? "${all}key = $ENV{SECRET}\n" : $all;
		print "commit refs/heads/chain\ncommitter $ada\ndata 0\n",
			"M 100644 inline chain\ndata ", length $data,
			"\n$data\n";
	}
	print "done\n"' "$base" "$ADA $WHEN" >"$T/stream"
g fast-import --quiet --done --depth=4095 --force <"$T/stream"
g config pack.depth 4095
found "one of 4,000 deltas in a row" "chain:" chain

# --- all that is encoded, of a repository -----------------------------------
# places FILE: path and line of each finding of a report
places() {
	perl -MJSON::PP -e 'local $/; print map("$_->{RuleID} $_->{File} " .
		"$_->{StartLine} $_->{Commit}\n", @{decode_json(<STDIN>)})' \
		<"$1" | sort
}
git init -q --bare "$T/encoded"
all=$base
for C in $(g for-each-ref --format='%(objectname)' refs/encoded); do
	all=$(g commit-tree -p "$all" -p "$C" -m all "base^{tree}")
done
g push -q "$T/encoded" base:refs/heads/base "$all:refs/heads/all"
git -C "$T/encoded" repack -q -a -d -f --depth=50
# a range of few commits has no sweep: its objects are looked at whole
for how in --all base..all; do
	(cd "$T/encoded" && "$BUILD/git-gate" scan --format json \
		--report "$T/report.json" "$how") >"$T/out" 2>&1
	places "$T/report.json" | grep -v " $base" >"$T/${how%..*}"
done
is "a scan of all finds each of them" "$(grep -oE '[0-9a-f]{40}$' "$T/--all" |
	sort -u)" \
	"$(g for-each-ref --format='%(objectname)' refs/encoded | sort)"
is "and a range of them the same" "$(cat "$T/--all")" "$(cat "$T/base")"

# --- what is not new, and another kind of repository -------------------------
GIT_INDEX_FILE=$T/index g read-tree base
GIT_INDEX_FILE=$T/index g update-index --chmod=+x leak
C=$(commit_of "$(GIT_INDEX_FILE=$T/index g write-tree)")
ok "an old leak whose mode changes is not counted" \
	push "$w" lab/r "$C:refs/heads/mode"
git init -q --bare -b main --object-format=sha256 "$T/hosted/lab/s.git"
git init -q -b main --object-format=sha256 "$T/s"
commit "$T/s" dir/file "key = $S"
try push "$T/s" lab/s main
told "a repository of SHA-256" "dir/file:"

# git names references itself
! { grep -a "^remote:" "$T/all"; cat "$T/notes"; } |
	grep -aqF "$(token 1 | cut -c5-30)"
result $? "nothing of a secret was said or noted"
# --- where nothing is unpacked ------------------------------------------------
printf '[scan]\n\tarchives = 0\n[access]\n\tallow = * * *\n' | hook_conf
for name in 'BZh91AY&SY' '!<arch>'; do
	printf '%s\nkey = %s\n' "$name" "$S" | base64 -w0 >"$T/text"
	in_file "text that begins like an archive, $name"
done
done_testing
