#!/bin/bash
# Tool: mktemp
# Works: yes
# Notes: the file is a key at once, unless its name is one of those that stay in memory
. "${0%/*}/lib.bash"
keys job.*
works mktemp m/app/job.XXXXXX
made=${out##*/}
comes "$made" ''
works bash -c "echo x > '$out'"
holds "$made" $'x\n'
works rm "m/app/$made"
lacks "$made"
works mktemp -u m/app/job.XXXXXX
