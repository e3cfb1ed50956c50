#!/bin/bash
# Tool: rsync -a, -c, --inplace, --delete
# Works: yes
# Notes: one set a file; a second run sends nothing while the mount remembers the times (`-c`: always); modes stay 0600
. "${0%/*}/lib.bash"
needs rsync
keys k two old
mkdir folder
printf 'alpha\n' >folder/k
printf 'beta\n' >folder/two
put old gone
put k value

works rsync -a folder/ m/app/
holds k $'alpha\n'
holds two $'beta\n'
sent 'set k' 'set two'
works rsync -a --no-perms -i folder/ m/app/
says ''
works rsync -a folder/ m/app/
sent
works rsync -c -i folder/k folder/two m/app/
says ''
sent
printf 'gamma\n' >folder/k
works rsync -a -c folder/ m/app/
holds k $'gamma\n'
sent 'set k'
printf 'in place\n' >folder/k
works rsync -a --inplace folder/ m/app/
holds k $'in place\n'
changed k
# Its blocks of 32 KiB cut code points.
for i in {1..9000}; do printf 'x€ö'; done >folder/k
works rsync -a --inplace folder/ m/app/
works cmp folder/k m/app/k
{ printf 'ü€' && cat folder/k; } >longer
cat longer >folder/k
works rsync -a --inplace --no-whole-file folder/ m/app/
works cmp folder/k m/app/k
begin
works rsync -a --delete folder/ m/app/
lacks old
sent 'remove old'
works rsync -a m/app/ back/
works diff -r folder back

printf 'something longer\n' >folder/k
put k $'in place\n'
full
fails 'No space left on device' rsync -a folder/ m/app/
roomy
holds k $'in place\n'
