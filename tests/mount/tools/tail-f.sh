#!/bin/bash
# Tool: tail -f
# Works: yes
# Notes: it looks once a second (`-s`), and sees what other sides add too; a value that got shorter counts as truncated
. "${0%/*}/lib.bash"
keys k
put k $'one\n'

tail -s 0.02 -n +1 -f m/app/k >followed 2>notes &
follower=$!
line() {
    grep -qx "$1" followed
}
soon line one || problem 'tail -f did not show what was there'
works bash -c 'echo two >> m/app/k'
soon line two || problem 'tail -f did not show what was appended through the mount'
put k $'one\ntwo\nthree\n'
soon line three || problem 'tail -f did not show what somebody else appended'
works bash -c 'echo new > m/app/k'
soon line new || problem 'tail -f did not show the new content'
kill "$follower"
wait "$follower" 2>/dev/null
sent 'set k'
