#!/bin/bash
# Tool: install, install -C
# Works: yes
# Notes: it removes the old key and then makes the new one
. "${0%/*}/lib.bash"
keys k new
printf 'content\n' >plain
put k old

works install -m 644 plain m/app/new
holds new $'content\n'
sent 'set new'
works install -m 600 plain m/app/k
holds k $'content\n'
sent 'remove k' 'set k'
works install -C -m 600 plain m/app/k
holds k $'content\n'
sent

lacks fresh
printf 'something longer\n' >plain
full
fails 'No space left on device' install plain m/app/new
roomy
