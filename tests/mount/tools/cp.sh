#!/bin/bash
# Tool: cp, cp -p, cp -a, cp --sparse=auto
# Works: yes
# Notes: one set for up to 64 KiB; times and modes are remembered by the mount
. "${0%/*}/lib.bash"
keys k new p a s copy large twice

printf 'from\n' >plain
touch -d @1000000000 plain
put k $'something longer\n'
works cp plain m/app/k
holds k $'from\n'
sent 'set k'
works cp plain m/app/new
holds new $'from\n'
sent 'set new'

works cp -p plain m/app/p
holds p $'from\n'
sent 'set p'
equal "$(stat -c %Y m/app/p)" 1000000000
works cp -a plain m/app/a
holds a $'from\n'
sent 'set a'
equal "$(stat -c %Y m/app/a)" 1000000000
works cp -p m/app/p back
equal "$(stat -c %Y back)" 1000000000
works cp --sparse=auto plain m/app/s
holds s $'from\n'
sent 'set s'

works cp m/app/k m/app/copy
holds copy $'from\n'
sent 'set copy'
works cp -u plain m/app/k
sent
fails 'are the same file' cp m/app/k m/app/k
sent

seq 1 60000 >large
works cp large m/app/large
holds_file large large
changed large
works cp large m/app/large
holds_file large large
works cp m/app/large back
cmp large back || problem "what was copied back differs"
works cp -r m/app folder
cmp large folder/large || problem "what was copied back with -r differs"

put k old
full
fails 'No space left on device' cp plain m/app/k
fails 'No space left on device' cp plain m/app/twice
roomy
holds k old
lacks twice
