#!/bin/bash
# Tool: Puppet: file
# Works: yes
# Notes: one set for what has changed; its lock folder `k….lock` stays in memory; another `mode` than 0600 is changed each time
# Heavy: yes
. "${0%/*}/lib.bash"
needs puppet
keys k new gone
put gone here
put k old

cat >site.pp <<END
File { owner => 'root', group => 'root' }
file { '$PWD/m/app/k': content => "fresh\n", mode => '0600' }
file { '$PWD/m/app/new': ensure => file, source => '$PWD/plain' }
file { '$PWD/m/app/gone': ensure => absent }
END
printf 'from a file\n' >plain
apply() {
    puppet apply --confdir "$PWD/conf" --vardir "$PWD/var" --color=false --detailed-exitcodes \
        --no-storeconfigs site.pp
}

# apply_ends STATUS: 0 unchanged, 2 changed, 4 and 6 with failures.
apply_ends() {
    local status=0
    apply >stdout 2>&1 || status=$?
    [ "$status" -eq "$1" ] || problem "puppet apply ended with status $status, not $1: $(tail -n 20 stdout)"
}

apply_ends 2
holds k $'fresh\n'
holds new $'from a file\n'
lacks gone
sent 'set k' 'set new' 'remove gone'
apply_ends 0
sent

cat >site.pp <<END
file { '$PWD/m/app/k': content => "something longer\n" }
file { '$PWD/m/app/new': mode => '0644' }
END
put k old
full
apply_ends 6
roomy
grep -q "mode changed '0600' to '0644'" stdout || problem 'the mode is not what Puppet looks at'
grep -q 'No space left on device' stdout || problem "puppet does not say why: $(tail -n 5 stdout)"
holds k old
