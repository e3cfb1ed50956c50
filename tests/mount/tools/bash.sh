#!/bin/bash
# Tool: bash: `>`, `>>`, `>|`, here-documents, `read`, `mapfile`
# Works: yes
# Notes: errors of open and write are reported; see "Writing"
. "${0%/*}/lib.bash"
. "${0%/*}/redirections.bash"
redirections 'No space left on device' bash

put k $'one\ntwo\nthree'
# shellcheck disable=SC2016
works bash -c 'mapfile -t lines < m/app/k; echo "${#lines[@]} ${lines[2]}"'
says '3 three'
# shellcheck disable=SC2016
works bash -c 'echo "$(< m/app/k)"'
says $'one\ntwo\nthree'
works bash -c 'cat <<< text > m/app/k'
holds k $'text\n'
works bash -c 'echo both &> m/app/k'
holds k $'both\n'
