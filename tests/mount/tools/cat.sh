#!/bin/bash
# Tool: cat
# Works: yes
# Notes:
. "${0%/*}/lib.bash"
keys k two new
put two $'second\n'
put k $'first\n'

works cat m/app/k m/app/two
says $'first\nsecond'
works bash -c 'cat m/app/k m/app/two > m/app/new'
holds new $'first\nsecond\n'
changed new
fails 'input file is output file' bash -c 'cat m/app/k >> m/app/k'
sent
put k 'changed by somebody else'
works cat m/app/k
says 'changed by somebody else'
fails 'No such file or directory' cat m/app/none

full
fails 'No space left on device' bash -c 'cat m/app/k > m/app/new'
roomy
holds new $'first\nsecond\n'
closed
fails 'Permission denied' cat m/app/k
opened
works cat m/app/two
says second
