#!/bin/bash
# Tool: diff -r, patch
# Works: yes
# Notes: `patch` makes a key `k.oXXXXXX` on the way
. "${0%/*}/lib.bash"
keys k two "k.o??????"
put two $'2\n'
put k $'a\nb\n'

works cp -r m/app folder
works diff -r m/app folder
printf 'a\nc\n' >folder/k
fails '> c' diff -r m/app folder
diff -u m/app/k folder/k >change
succeeds patch m/app/k change
holds k $'a\nc\n'
only k two
begin
works diff -r m/app folder
sent
