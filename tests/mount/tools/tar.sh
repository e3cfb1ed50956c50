#!/bin/bash
# Tool: tar
# Works: yes
# Notes: over an old key it removes that first (`--overwrite` does not); archives are not text and cannot be values
. "${0%/*}/lib.bash"
keys k new archive
printf 'alpha\n' >k
printf 'beta\n' >new
tar -cf archive.tar k new
put k value

works tar -C m/app -xf archive.tar
holds k $'alpha\n'
holds new $'beta\n'
sent 'remove k' 'set k' 'set new'
equal "$(stat -c %Y m/app/new)" "$(stat -c %Y new)"
put new value
put k value
works tar -C m/app --overwrite -xf archive.tar
holds k $'alpha\n'
sent 'set k' 'set new'

works tar -C m -cf back.tar app
works tar -xf back.tar
cmp k app/k && cmp new app/new || problem 'what came back differs'
works tar -C m -df back.tar
fails 'Invalid or incomplete multibyte or wide character' tar -cf m/app/archive k
lacks archive
works bash -c 'tar -czf - k | base64 > m/app/archive'
works bash -c 'base64 -d m/app/archive | tar -tzf -'
says k

printf 'something longer\n' >new
tar -cf archive.tar new
full
fails 'No space left on device' tar -C m/app --overwrite -xf archive.tar
roomy
holds new $'beta\n'
