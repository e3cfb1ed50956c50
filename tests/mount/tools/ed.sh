#!/bin/bash
# Tool: ed
# Works: yes
# Notes:
. "${0%/*}/lib.bash"
needs ed
keys k
put k $'alpha\nbeta\n'

works bash -c 'printf "1s/alpha/gamma/\nw\nq\n" | ed -s m/app/k'
holds k $'gamma\nbeta\n'
sent 'set k'
full
fails '' bash -c 'printf "a\nsome more text\n.\nw\nq\n" | ed -s m/app/k'
roomy
holds k $'gamma\nbeta\n'
