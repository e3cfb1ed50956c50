#!/bin/bash
# Tool: ls, stat, test
# Works: yes
# Notes:
. "${0%/*}/lib.bash"
keys a b
put a $'needle\n'
put b "$(seq 1 1000)"

works ls m
says app
works ls -a m/app
says $'.\n..\na\nb'
works bash -c 'ls -l m/app | awk "NR > 1 { print \$1, \$5, \$9 }"'
says $'-rw------- 7 a\n-rw------- 3892 b'
works stat -c '%F %s %A %U' m/app/a
says 'regular file 7 -rw------- root'
works stat -c '%F %A %U' m/app
says 'directory drwx------ root'
works test -s m/app/a
works test ! -x m/app/a
fails 'No such file or directory' ls m/app/none
sent
