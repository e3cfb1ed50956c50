#!/bin/bash
# Tool: split
# Works: yes
# Notes: each part is a key
. "${0%/*}/lib.bash"
keys k part-a?
put k $'1\n2\n3\n'

works split -l 1 m/app/k m/app/part-
holds part-aa $'1\n'
holds part-ab $'2\n'
holds part-ac $'3\n'
sent 'set part-aa' 'set part-ab' 'set part-ac'
works split -l 2 m/app/k m/app/part-
holds part-aa $'1\n2\n'
holds part-ab $'3\n'
sent 'set part-aa' 'set part-ab'

full
fails 'No space left on device' split -l 3 m/app/k m/app/part-
roomy
holds part-aa $'1\n2\n'
