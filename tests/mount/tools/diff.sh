#!/bin/bash
# Tool: diff -r
# Works: yes
# Notes:
. "${0%/*}/lib.bash"
keys k two
put two $'2\n'
put k $'a\nb\n'

works cp -r m/app folder
works diff -r m/app folder
printf 'a\nc\n' >folder/k
fails '> c' diff -r m/app folder
fails 'Only in folder: three' bash -c 'echo 3 > folder/three; diff -r m/app folder'
sent

closed
fails 'Permission denied' diff m/app/k folder/k
opened
