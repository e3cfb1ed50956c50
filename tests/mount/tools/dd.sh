#!/bin/bash
# Tool: dd (`bs=1`, `conv=notrunc`, `oflag=append`, `conv=fsync`)
# Works: yes
# Notes: `seek=` beyond the end is refused (EILSEQ): the hole would be NUL bytes
. "${0%/*}/lib.bash"
keys k new

seq 1 500 >plain
works dd if=plain of=m/app/new bs=1 status=none
holds_file new plain
changed new
works dd if=plain of=m/app/new bs=100 status=none conv=fsync
holds_file new plain
put k 0123456789
works bash -c 'printf ab | dd of=m/app/k bs=1 seek=4 conv=notrunc status=none'
holds k 0123ab6789
changed k
works bash -c 'printf tail | dd of=m/app/k oflag=append conv=notrunc status=none'
holds k 0123ab6789tail
sent 'set k'
works dd if=m/app/k bs=2 skip=1 count=2 status=none
says 23ab
works bash -c 'printf short | dd of=m/app/k status=none'
holds k short
sent 'set k'

fails 'Invalid or incomplete multibyte or wide character' \
    bash -c 'printf x | dd of=m/app/k bs=1 seek=20 conv=notrunc status=none'
holds k short
full
fails 'No space left on device' dd if=plain of=m/app/k status=none
roomy
holds k short
