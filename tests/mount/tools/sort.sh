#!/bin/bash
# Tool: sort -o
# Works: yes
# Notes: in place too
. "${0%/*}/lib.bash"
keys k new
put k $'b\nc\na\n'

works sort -o m/app/k m/app/k
holds k $'a\nb\nc\n'
sent 'set k'
works sort -r -o m/app/new m/app/k
holds new $'c\nb\na\n'
sent 'set new'
works sort -C m/app/k
works uniq m/app/k m/app/new
holds new $'a\nb\nc\n'
sent 'set new'

seq 1 50 >plain
full
fails 'No space left on device' sort -o m/app/k plain
roomy
holds k $'a\nb\nc\n'
