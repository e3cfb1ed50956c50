#!/bin/bash
# Tool: busybox sh, cat, cp, mv, sed -i
# Works: yes
# Notes: as bash; its `sed -i` makes a key `kXXXXXX` on the way
. "${0%/*}/lib.bash"
. "${0%/*}/redirections.bash"
needs busybox
redirections 'No space left on device' busybox sh

put k $'alpha\nbeta\n'
keys k new copy twice 'k??????'
works busybox sed -i s/alpha/gamma/ m/app/k
holds k $'gamma\nbeta\n'
only copy k new
begin
printf 'plain\n' >plain
works busybox cp plain m/app/k
holds k $'plain\n'
sent 'set k'
works busybox mv plain m/app/k
holds k $'plain\n'
works busybox cat m/app/k
says plain
