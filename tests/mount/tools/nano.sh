#!/bin/bash
# Tool: nano
# Works: yes
# Notes: with `set locking` its `.k.swp` is refused, as it holds NUL bytes, and nano goes on without it
. "${0%/*}/lib.bash"
needs nano script
keys k
put k $'alpha\nbeta\n'
mkfifo typed

# Each key is typed when nano has shown what it is to show before.
TERM=xterm script -qefc 'nano --ignorercfiles --locking m/app/k' shown <typed >/dev/null 2>&1 &
nano=$!
exec 3>typed
shows() {
    soon grep -qsa "$1" shown || problem "nano does not show '$1'"
}
shows 'GNU nano'
shows alpha
printf X >&3
shows Modified
printf '\017' >&3
shows 'File Name to Write\|Write to File' # until nano 7, from 8
printf '\r' >&3
shows 'Wrote 2 lines'
printf '\030' >&3
wait "$nano" || problem "nano ended with status $?"
holds k $'Xalpha\nbeta\n'
sent 'set k'
