#!/bin/bash
# Tool: zsh: `>`, `>>`, `>|`, here-documents, `read`, `$(<k)`
# Works: yes
# Notes: as bash
. "${0%/*}/lib.bash"
. "${0%/*}/redirections.bash"
needs zsh
redirections 'no space left on device' zsh -f

put k $'one\ntwo'
# shellcheck disable=SC2016
works zsh -f -c 'lines=("${(@f)$(<m/app/k)}"); echo "$#lines $lines[2]"'
says '2 two'
works zsh -f -c 'echo many > m/app/k > m/app/copy'
holds k $'many\n'
holds copy $'many\n'
