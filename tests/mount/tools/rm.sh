#!/bin/bash
# Tool: rm, unlink, shred
# Works: yes
# Notes: `shred` is refused: it writes what is not UTF-8
. "${0%/*}/lib.bash"
keys k two
put two 2
put k "$(seq 1 200)"

works rm m/app/two
lacks two
sent 'remove two'
works rm -f m/app/two
sent
fails 'No such file or directory' rm m/app/two
fails '' shred -u -x -n 1 m/app/k
holds k "$(seq 1 200)"
works unlink m/app/k
lacks k
changed k
