#!/bin/bash
# Tool: vim, vim -es, with swap file and backups
# Works: yes
# Notes: one set for each `:w`; the swap file stays in memory; with `backup`, `k~` is there ten seconds later; with `backupcopy=yes` it is a key on the way
. "${0%/*}/lib.bash"
needs vim script
keys k k~

edit() {
    # In a directory below /tmp vim would make no backup.
    works vim -u NONE -N -i NONE -es --cmd 'set backupskip=' "$@" m/app/k
}

put k $'alpha\nbeta\n'
edit -n -c '%s/alpha/gamma/' -c wq
holds k $'gamma\nbeta\n'
sent 'set k'
edit -c '%s/gamma/delta/' -c wq
holds k $'delta\nbeta\n'
sent 'set k'
edit --cmd 'set backupcopy=no' -c '%s/delta/epsilon/' -c wq
holds k $'epsilon\nbeta\n'
sent 'set k'
edit --cmd 'set backupcopy=yes' -c '%s/epsilon/zeta/' -c wq
holds k $'zeta\nbeta\n'
changed k k~
only k
edit -c '%s/zeta/one/' -c w -c '%s/one/two/' -c wq
holds k $'two\nbeta\n'
sent 'set k' 'set k'

# On a terminal, as people use it.
succeeds script -qec "TERM=xterm vim -u NONE -N -i NONE --cmd 'set backupskip=' -c '%s/two/iota/' -c wq m/app/k" /dev/null
holds k $'iota\nbeta\n'
sent 'set k'
succeeds vim -u NONE -N -i NONE -es -c q m/app/k
sent

full
fails '' vim -u NONE -N -i NONE -es --cmd 'set backupskip=' -c '%s/iota/something longer/' -c 'wq' -c 'cquit' m/app/k
roomy
holds k $'iota\nbeta\n'

begin
edit --cmd 'set backup' -c '%s/iota/kappa/' -c wq
holds k $'kappa\nbeta\n'
sent 'set k'
works cat m/app/k~
says $'iota\nbeta'
later 'set k~'
