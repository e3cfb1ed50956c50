#!/bin/bash
# Tool: tee, tee -a
# Works: yes
# Notes:
. "${0%/*}/lib.bash"
keys k two new
put k old

works bash -c 'echo x | tee m/app/k m/app/two'
says x
holds k $'x\n'
holds two $'x\n'
sent 'set k' 'set two'
works bash -c 'echo y | tee -a m/app/k m/app/new'
holds k $'x\ny\n'
holds new $'y\n'
sent 'set k' 'set new'

full
fails 'No space left on device' bash -c 'set -o pipefail; echo something longer | tee m/app/k'
fails 'No space left on device' bash -c 'set -o pipefail; echo something longer | tee -a m/app/k'
roomy
holds k $'x\ny\n'
