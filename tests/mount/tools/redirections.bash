# What every shell must do with its redirections; for the scripts of the shells, after lib.bash.
# shellcheck shell=bash disable=SC2016,SC1003

# redirections WORDS SHELL [ARGUMENT...]: what it says when there is no room, and the command up to its -c.
redirections() {
    local words=$1
    shift
    keys k new copy twice
    put k old

    works "$@" -c 'echo x > m/app/k'
    holds k $'x\n'
    sent 'set k'
    works "$@" -c 'echo y >> m/app/k; echo z >> m/app/k'
    holds k $'x\ny\nz\n'
    sent 'set k' 'set k'
    works "$@" -c 'echo first >> m/app/new'
    holds new $'first\n'
    sent 'set new'

    fails exist "$@" -c 'set -C; echo q > m/app/k'
    sent
    works "$@" -c 'set -C; echo forced >| m/app/k'
    holds k $'forced\n'
    sent 'set k'

    works "$@" -c 'cat > m/app/k <<E
one
two
E'
    holds k $'one\ntwo\n'
    sent 'set k'
    works "$@" -c '{ echo 1; true; echo 2; } > m/app/k'
    holds k $'1\n2\n'
    changed k
    works "$@" -c 'exec 3>> m/app/k; echo 3 >&3; exec 3>&-'
    holds k $'1\n2\n3\n'
    works "$@" -c 'read v < m/app/k; echo "$v"'
    says 1
    works "$@" -c 'while read -r line; do echo "$line$line"; done < m/app/k > m/app/copy'
    holds copy $'11\n22\n33\n'
    works "$@" -c 'v=$(cat m/app/copy); printf %s "$v" > m/app/copy'
    holds copy $'11\n22\n33'
    works "$@" -c '[ -s m/app/k ] && [ -w m/app/k ] && [ -f m/app/k ] && [ ! -x m/app/k ] && [ ! -e m/app/none ]'
    begin
    works "$@" -c ': > m/app/k'
    comes k ''
    sent 'set k'

    put k old
    full
    fails "$words" "$@" -c 'echo something longer > m/app/k'
    fails "$words" "$@" -c 'echo something longer >> m/app/k'
    fails "$words" "$@" -c 'echo x > m/app/twice'
    roomy
    holds k old
    lacks twice
    fails such "$@" -c 'read v < m/app/none'
}
