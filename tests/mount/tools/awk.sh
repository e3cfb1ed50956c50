#!/bin/bash
# Tool: awk
# Works: yes
# Notes:
. "${0%/*}/lib.bash"
keys k new
put k $'a 1\nb 2\n'

works awk '{ n += $2 } END { print n }' m/app/k
says 3
works awk '{ print $2 > "m/app/new" }' m/app/k
holds new $'1\n2\n'
changed new
works awk '{ print $1 >> "m/app/new" }' m/app/k
holds new $'1\n2\na\nb\n'
changed new

full
fails 'No space left on device' bash -c "awk '{ print \$0, \$0, \$0 }' m/app/k > m/app/new"
roomy
holds new $'1\n2\na\nb\n'
closed
fails 'Permission denied' awk '{ print }' m/app/k
opened
