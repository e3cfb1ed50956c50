#!/bin/bash
# Tool: find, grep -r, ls, du, df, stat
# Works: yes
# Notes: nothing is sent but what reads; `du` counts whole blocks of 512 bytes
. "${0%/*}/lib.bash"
keys a b
put a $'needle\n'
put b "$(seq 1 1000)"

works bash -c 'find m -type f | sort'
says $'m/app/a\nm/app/b'
works find m -type f -size +100c -name b
says m/app/b
works find m -type f -empty
says ''
works find m -perm /111 -type f
says ''
works grep -r needle m
says m/app/a:needle
works grep -rl 999 m/app
says m/app/b
fails '' grep -r nothing-of-that m
works bash -c 'ls -l m/app | awk "NR > 1 { print \$1, \$5, \$9 }"'
says $'-rw------- 7 a\n-rw------- 3892 b'
works du -b m/app/b
says $'3892\tm/app/b'
works bash -c 'du -s --apparent-size -B1 m | cut -f1'
[ "$out" -ge 3899 ] || problem "du says $out"
works bash -c 'df -B1 --output=used,size m | tail -n 1'
read -r used size <<<"$out"
[ "$used" -ge 3899 ] && [ "$used" -le 20000 ] || problem "df says that $used bytes are used"
[ "$size" -gt 99000000 ] || problem "df says that there are $size bytes"
works stat -c '%F %s %A %U' m/app/a
says 'regular file 7 -rw------- root'
works stat -f -c %T m
[ -n "$out" ] || problem "stat -f says nothing"
sent
