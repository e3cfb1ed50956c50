#!/bin/bash
# Tool: find, grep -r
# Works: yes
# Notes:
. "${0%/*}/lib.bash"
keys a b
put a $'needle\n'
put b "$(seq 1 1000)"

works bash -c 'find m -type f | sort'
says $'m/app/a\nm/app/b'
works find m -type f -size +100c -name b
says m/app/b
works find m -type f -empty
says ''
works find m -perm /111 -type f
says ''
works grep -r needle m
says m/app/a:needle
works grep -rl 999 m/app
says m/app/b
fails '' grep -r nothing-of-that m
sent
works find m/app -name b -delete
lacks b
sent 'remove b'

closed
fails 'Permission denied' grep needle m/app/a
opened
