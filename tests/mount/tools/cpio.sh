#!/bin/bash
# Tool: cpio -i, cpio -p
# Works: yes
# Notes: over an old key it removes that first
. "${0%/*}/lib.bash"
needs cpio
keys k new
printf 'alpha\n' >k
printf 'beta\n' >new
printf 'k\nnew\n' >list
cpio -o --quiet <list >archive
put k value

works bash -c 'cd m/app && cpio -iu --quiet < ../../archive'
holds k $'alpha\n'
holds new $'beta\n'
changed k new
put k value
works bash -c 'cpio -pu --quiet m/app < list'
holds k $'alpha\n'
mkdir back
works bash -c 'cd m/app && cpio -p --quiet ../../back < ../../list'
cmp k back/k && cmp new back/new || problem 'what came back differs'

printf 'something longer\n' >new
full
fails 'No space left on device' bash -c 'echo new | cpio -pu --quiet m/app'
roomy
