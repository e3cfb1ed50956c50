#!/bin/bash
# Tool: patch
# Works: yes
# Notes: it makes a key `k.oXXXXXX` on the way, for what it rejects `k.rXXXXXX`
. "${0%/*}/lib.bash"
needs patch
keys k 'k.[or]??????'
put k $'a\nb\n'

printf 'a\nc\n' >changed
diff -u m/app/k changed >change
succeeds patch m/app/k change
holds k $'a\nc\n'
only k
fails 'previously applied' patch --forward -r - m/app/k change
holds k $'a\nc\n'
only k

put k $'a\nb\n'
printf 'a\nsomething longer\n' >changed
diff -u m/app/k changed >change
full
fails 'No space left on device' patch m/app/k change
roomy
holds k $'a\nb\n'
