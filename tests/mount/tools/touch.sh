#!/bin/bash
# Tool: touch
# Works: yes
# Notes: a new key is there just after it returned; times are remembered by the mount
. "${0%/*}/lib.bash"
keys k new twice
put k kept

works touch m/app/new
comes new ''
sent 'set new'
works touch m/app/k m/app/new
holds k kept
sent
works touch -d @1000000000 m/app/k
equal "$(stat -c %Y m/app/k)" 1000000000
works touch -r m/app/k m/app/new
equal "$(stat -c %Y m/app/new)" 1000000000
works touch -c m/app/none
lacks none
sent
