#!/bin/bash
# Tool: truncate
# Works: in part
# Notes: making a value longer is refused (EILSEQ): it would end in NUL bytes
. "${0%/*}/lib.bash"
keys k new
put k hello

works truncate -s 3 m/app/k
holds k hel
sent 'set k'
works truncate -s 3 m/app/k
holds k hel
sent
works truncate -s 0 m/app/k
comes k ''
sent 'set k'
works truncate -s 0 m/app/new
comes new ''
sent 'set new'
fails 'Invalid or incomplete multibyte or wide character' truncate -s 9 m/app/k
fails 'Invalid or incomplete multibyte or wide character' truncate -s +1 m/app/k
holds k ''
fails 'Operation not supported' fallocate -l 100 m/app/k
holds k ''
