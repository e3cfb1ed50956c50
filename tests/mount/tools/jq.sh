#!/bin/bash
# Tool: jq
# Works: yes
# Notes:
. "${0%/*}/lib.bash"
needs jq
keys k new
put k '{"b": {"c": 1}, "a": [1, 2]}'

works jq -r .b.c m/app/k
says 1
works bash -c 'jq -c ".b.c = 2" m/app/k > m/app/new'
holds new $'{"b":{"c":2},"a":[1,2]}\n'
sent 'set new'
works jq -s length m/app/k m/app/new
says 2

full
fails 'No space left on device' bash -c 'jq . m/app/k > m/app/new'
roomy
holds new $'{"b":{"c":2},"a":[1,2]}\n'
closed
fails 'Permission denied' jq . m/app/k
opened
