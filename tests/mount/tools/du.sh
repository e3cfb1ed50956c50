#!/bin/bash
# Tool: du, df
# Works: yes
# Notes: `du` counts whole blocks of 512 bytes, `df` what is left of 100 MB
. "${0%/*}/lib.bash"
keys a b
put a $'needle\n'
put b "$(seq 1 1000)"

works du -b m/app/b
says $'3892\tm/app/b'
works bash -c 'du -s --apparent-size -B1 m | cut -f1'
[ "$out" -ge 3899 ] || problem "du says $out"
works du -B1 m/app/b
says $'4096\tm/app/b'
works bash -c 'df -B1 --output=used,size m | tail -n 1'
read -r used size <<<"$out"
[ "$used" -ge 3899 ] && [ "$used" -le 20000 ] || problem "df says that $used bytes are used"
[ "$size" -gt 99000000 ] || problem "df says that there are $size bytes"
sent
