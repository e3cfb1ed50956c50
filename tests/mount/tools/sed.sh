#!/bin/bash
# Tool: sed -i, sed -i.bak
# Works: yes
# Notes: one set, also of what has not changed; with `.bak` also the set and the remove that keep the old value
. "${0%/*}/lib.bash"
keys k k.bak
put k $'a\nb\n'

works sed -i s/a/b/ m/app/k
holds k $'b\nb\n'
sent 'set k'
works sed -i s/a/b/ m/app/k
holds k $'b\nb\n'
changed
works sed -i.bak s/b/c/ m/app/k
holds k $'c\nc\n'
holds k.bak $'b\nb\n'
changed k k.bak
works sed -n 2p m/app/k
says c

full
fails 'No space left on device' sed -i 's/c/something longer/' m/app/k
roomy
holds k $'c\nc\n'
fails 'No such file or directory' sed -i s/a/b/ m/app/none
