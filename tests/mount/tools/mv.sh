#!/bin/bash
# Tool: mv
# Works: yes
# Notes: in one DataSet a set and a remove; from elsewhere over a key it removes the old one first
. "${0%/*}/lib.bash"
keys k new in
put new old
put k value

works mv m/app/k m/app/new
holds new value
lacks k
sent 'set new' 'remove k'
works mv m/app/new m/app/k
holds k value
lacks new
sent 'set k' 'remove new'
works mv m/app/k outside
lacks k
equal "$(cat outside)" value
sent 'remove k'
works mv outside m/app/in
holds in value
sent 'set in'
printf newer >outside
works mv outside m/app/in
holds in newer
changed in
printf other >outside
works mv -n outside m/app/in
holds in newer
sent
put k mine
works mv -n m/app/in m/app/k
holds k mine
holds in newer
sent

put in other
full
fails 'No space left on device' mv outside m/app/new
roomy
lacks new
[ -e outside ] || problem 'mv removed what it could not copy'
fails 'No such file or directory' mv m/app/none m/app/k
