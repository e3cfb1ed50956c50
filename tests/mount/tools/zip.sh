#!/bin/bash
# Tool: zip, unzip
# Works: in part
# Notes: an archive itself is not text and cannot be a value: `zip` says so and leaves nothing behind
. "${0%/*}/lib.bash"
needs zip unzip
keys k new archive.zip 'zi??????'
printf 'alpha\n' >k
printf 'beta\n' >new
zip -q archive.zip k new
put k value

works unzip -qo archive.zip -d m/app
holds k $'alpha\n'
holds new $'beta\n'
changed k new
works bash -c 'cd m/app && zip -q ../../back.zip k new'
works unzip -qo back.zip -d back
cmp k back/k && cmp new back/new || problem 'what came back differs'

fails '' zip -q m/app/archive.zip k
only k new
printf 'something longer\n' >new
zip -q archive.zip new
full
fails '' unzip -qo archive.zip -d m/app
roomy
