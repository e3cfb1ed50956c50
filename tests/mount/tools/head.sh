#!/bin/bash
# Tool: head, tail, wc, od, cmp
# Works: yes
# Notes:
. "${0%/*}/lib.bash"
keys k
put k "$(seq 1 20000)"

works head -n 2 m/app/k
says $'1\n2'
works head -c 3 m/app/k
says $'1\n2'
works head -n -19999 m/app/k
says 1
works tail -n 2 m/app/k
says $'19999\n20000'
works tail -c 5 m/app/k
says 20000
works tail -n +19999 m/app/k
says $'19999\n20000'
works wc -c m/app/k
says '108893 m/app/k'
works bash -c 'wc -l < m/app/k'
says 19999
works bash -c 'seq 1 20000 | head -c -1 | cmp - m/app/k'
works bash -c 'od -An -c m/app/k | head -n 1'
says '   1  \n   2  \n   3  \n   4  \n   5  \n   6  \n   7  \n   8  \n'
put k short
works wc -c m/app/k
says '5 m/app/k'
fails 'No such file or directory' tail -n 1 m/app/none
sent

closed
fails 'Permission denied' head m/app/k
fails 'Permission denied' tail m/app/k
fails 'Permission denied' wc -c m/app/k
fails 'Permission denied' cmp m/app/k m/app/k
fails 'Permission denied' od m/app/k
opened
