# Completes datasetfs in bash: commands, SOURCEs, options, and the DataSets and keys of a local: store.
# It asks nothing over a network.

# The words of the line, with those put together again that bash divides at ':' and '='.
_datasetfs_words() {
    local line=${COMP_LINE:0:COMP_POINT}
    read -r -a words <<<"$line"
    case $line in
    *[[:space:]]) words+=("") ;;
    esac
}

# What stands behind the program's name and is no option, in `places`.
_datasetfs_places() {
    local i
    places=()
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        case ${words[i]} in
        -o | --equals | --not-equals | --timeout | --interval | --write) ((i++)) ;;
        -?*) ;;
        *) places+=("${words[i]}") ;;
        esac
    done
}

_datasetfs_options() {
    datasetfs -h | sed -n '/^Options/,$s/^  \([a-z_]*=\{0,1\}\).*/\1/p'
}

_datasetfs_commands() {
    datasetfs -h | sed -n '/^Commands/,/^$/s/^  \([a-z]*\).*/\1/p'
}

# Long options of a command, from its usage.
_datasetfs_flags() {
    datasetfs "$1" -h | grep -o -e '--[a-z][a-z-]*'
}

_datasetfs_sources() {
    case $1 in
    local:*)
        # A directory is on the way to a store, and with its slash it is a SOURCE itself.
        compgen -P local: -S / -d -- "${1#local:}"
        compgen -P local: -f -- "${1#local:}" | grep -v -e '-wal$' -e '-shm$' | while IFS= read -r name; do
            [ -d "${name#local:}" ] || printf '%s\n' "$name"
        done
        ;;
    *) compgen -W 'tools tools:vmtoolsd tools:unix= https:// local:' -- "$1" ;;
    esac
}

# DataSets, or the keys of one, that begin as the current word does. All machines of a directory have none.
_datasetfs_names() {
    [[ $1 == local:* && $1 != */ ]] || return 0
    datasetfs ls -- "$@" 2>/dev/null | while IFS= read -r name; do
        [[ $name != "$current"* ]] || printf '%q\n' "$name"
    done
}

# The candidates, a line each.
_datasetfs_candidates() {
    local command=""
    case " $(_datasetfs_commands | tr '\n' ' ') " in
    *" ${places[0]:-,} "*) command=${places[0]} places=("${places[@]:1}") ;;
    esac
    if [ "$previous" = -o ]; then
        local before=${current%"${current##*,}"}
        compgen -P "$before" -W "$(_datasetfs_options)" -- "${current##*,}"
    elif [ -z "$command" ] && [[ $current == -* ]]; then
        compgen -W '-o -f -d -h -V' -- "$current"
    elif [[ $current == -* ]]; then
        compgen -W "$(_datasetfs_flags "$command") -o -h" -- "$current"
    elif [ ${#places[@]} -eq 0 ]; then
        [ -n "$command" ] || compgen -W "$(_datasetfs_commands)" -- "$current"
        _datasetfs_sources "$current"
    elif [ -n "$command" ] && [ ${#places[@]} -le 1 ]; then
        _datasetfs_names "${places[0]}"
    elif [ -n "$command" ]; then
        _datasetfs_names "${places[@]:0:2}"
    fi
}

_datasetfs() {
    local words places current previous cut name
    _datasetfs_words
    current=${words[-1]}
    previous=${words[-2]:-}
    _datasetfs_places
    # bash replaces only what stands behind the last ':' or '='.
    cut=${current%"${current##*[:=]}"}
    COMPREPLY=()
    while IFS= read -r name; do
        COMPREPLY+=("${name#"$cut"}")
    done < <(_datasetfs_candidates)
    case ${COMPREPLY[0]:-} in
    *= | */ | *:) compopt -o nospace ;;
    esac
}

complete -o default -F _datasetfs datasetfs
