#!/bin/bash
# Tool: perl -pi, perl -pi.bak
# Works: yes
# Notes: one set; with `.bak` also the set and the remove that keep the old value
. "${0%/*}/lib.bash"
keys k k.bak
put k $'alpha\nbeta\n'

works perl -pi -e s/alpha/gamma/ m/app/k
holds k $'gamma\nbeta\n'
sent 'set k'
works perl -pi.bak -e s/beta/delta/ m/app/k
holds k $'gamma\ndelta\n'
holds k.bak $'gamma\nbeta\n'
changed k k.bak
works perl -ne 'print if /delta/' m/app/k
says delta

full
fails '' perl -pi -e 's/gamma/something much longer/' m/app/k
roomy
holds k $'gamma\ndelta\n'
