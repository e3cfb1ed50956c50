# For the scripts of this folder, which source it first. They run in the test's directory: the mount is
# "m", the DataSet in it "app", the store "s.db", which journals each change (../test_matrix.c).
#
# An assertion that does not hold is printed with its line, and the script goes on; it ends with status 1.
# shellcheck shell=bash

set -u
export LC_ALL=C HOME=$PWD/home
problems=0
mark=0   # the journal's last number when an observation began
counted=0 # changes that the mount had asked for by then
out=     # standard output of the last command of works() and fails()
mkdir -p home

problem() {
    problems=$((problems + 1))
    local i
    for ((i = 1; i < ${#BASH_SOURCE[@]}; i++)); do
        [[ ${BASH_SOURCE[i]} == */lib.bash ]] && continue
        printf '%s:%d: ' "${BASH_SOURCE[i]##*/}" "${BASH_LINENO[i - 1]}"
        break
    done
    printf '%s\n' "$*"
}

# The tool is there, or this test fails.
needs() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null && continue
        echo "$tool is missing: scripts/install-deps --test installs it"
        exit 1
    done
}

# The keys that may be sent to the store in this script, as patterns.
keys() {
    printf '%s\n' "$@" >keys
}

# What the mount sends after the script's end: "set KEY" or "remove KEY".
later() {
    printf '%s\n' "$@" >later
}

query() {
    sqlite3 -cmd '.timeout 10000' s.db "$1"
}

# As a string of SQL.
quoted() {
    printf "'%s'" "${1//\'/\'\'}"
}

# Changes that the mount has asked the store for, with success or without.
asked() {
    awk '/^datasetfs_store_requests_total\{operation="(set|append|remove)"\}/ { n += $2 } END { print n }' \
        m/.datasetfs/stats
}

# An observation begins: sent() and changes() look at what follows.
begin() {
    mark=$(query "SELECT coalesce(max(n), 0) FROM journal")
    counted=$(asked)
}

# Somebody else gives the key this value; an observation begins.
put() {
    query "BEGIN IMMEDIATE;
           DELETE FROM entries WHERE key = $(quoted "$1");
           INSERT INTO entries (dataset, key, value)
               SELECT id, $(quoted "$1"), CAST($(quoted "$2") AS BLOB) FROM datasets WHERE name = 'app';
           UPDATE datasets SET used =
               (SELECT coalesce(sum(length(CAST(key AS BLOB)) + length(value)), 0) FROM entries);
           COMMIT;"
    begin
}

# From now on there is no room for what is longer, until there is again.
full() {
    query "UPDATE datasets SET used = used + 100000000"
}

roomy() {
    query "UPDATE datasets SET used = used - 100000000"
}

# From now on neither side may read or write the DataSet, until both may again.
closed() {
    query "UPDATE datasets SET host = 1, guest = 1"
}

opened() {
    query "UPDATE datasets SET host = 3, guest = 3"
}

# The command succeeds and says nothing on standard error.
works() {
    local status=0
    "$@" >stdout 2>stderr || status=$?
    out=$(cat stdout)
    if [ "$status" -ne 0 ] || [ -s stderr ]; then
        problem "$* (status $status): $(head -c 600 stderr)"
    fi
}

# The same, whatever it says.
succeeds() {
    local status=0
    "$@" >stdout 2>stderr || status=$?
    out=$(cat stdout)
    [ "$status" -eq 0 ] || problem "$* (status $status): $(tail -c 600 stdout stderr)"
}

# fails WORDS COMMAND...: the exit status is not 0, and what it says holds the words (empty: whatever).
fails() {
    local words=$1 status=0
    shift
    "$@" >stdout 2>stderr || status=$?
    out=$(cat stdout)
    if [ "$status" -eq 0 ]; then
        problem "$*: did not fail; $(head -c 600 stdout stderr)"
    elif [ -n "$words" ] && ! cat stdout stderr | grep -qF -e "$words"; then
        problem "$* (status $status): not '$words' but: $(head -c 600 stderr)"
    fi
}

# What the last command printed, without newlines at its end.
says() {
    [ "$out" = "$1" ] || problem "it printed '$out', not '$1'"
}

equal() {
    [ "$1" = "$2" ] || problem "'$1' is not '$2'"
}

has() {
    [ "$(query "SELECT value = CAST($(quoted "$2") AS BLOB) FROM entries WHERE key = $(quoted "$1")")" = 1 ]
}

missing() {
    [ -z "$(query "SELECT 1 FROM entries WHERE key = $(quoted "$1")")" ]
}

# The store's value of the key is this text, to the byte; now, or before a deadline.
holds() {
    has "$1" "$2" || problem "the store holds $1: $(query "SELECT quote(CAST(value AS TEXT)) FROM entries
        WHERE key = $(quoted "$1")"), not '$2'"
}

comes() {
    soon has "$1" "$2"
    holds "$1" "$2"
}

# The store has no such key.
lacks() {
    missing "$1" || problem "the store has a key $1"
}

# The store has exactly these keys, sorted.
only() {
    local got
    got=$(query "SELECT key FROM entries ORDER BY key")
    [ "${got//$'\n'/ }" = "$*" ] || problem "the keys are: ${got//$'\n'/ }; not: $*"
}

# The store's value of the key is this file's content.
holds_file() {
    query "SELECT writefile('value', value) FROM entries WHERE key = $(quoted "$1")" >/dev/null
    cmp "$2" value || problem "the store's $1 is not the content of $2"
}

# Polls until the command succeeds or a minute is over, which no load makes it take.
soon() {
    local until=$((SECONDS + 60))
    until "$@"; do
        [ "$SECONDS" -le "$until" ] || return 1
        sleep 0.01
    done
}

# What has changed in the store since the observation began, in order: "set KEY" or "remove KEY". The
# mount has asked for nothing else that changes something.
sent() {
    local got expected='' requests
    got=$(query "SELECT operation || ' ' || key FROM journal WHERE n > $mark ORDER BY n")
    requests=$(($(asked) - counted))
    [ $# -eq 0 ] || expected=$(printf '%s\n' "$@")
    if [ "$got" != "$expected" ]; then
        problem "the store was sent: ${got//$'\n'/, }; not: ${expected//$'\n'/, }"
    elif [ "$requests" -ne $# ]; then
        problem "$requests requests to change something, not $#"
    fi
    begin
}

# The keys that have changed in the store, each once, sorted.
changed() {
    local got
    got=$(query "SELECT DISTINCT key FROM journal WHERE n > $mark ORDER BY key")
    [ "${got//$'\n'/ }" = "$*" ] || problem "the changed keys are: ${got//$'\n'/ }; not: $*"
    begin
}

finish() {
    local status=$?
    query "SELECT coalesce(max(n), 0) FROM journal" >end
    [ "$status" -eq 0 ] || exit "$status"
    [ "$problems" -eq 0 ] || exit 1
}
trap finish EXIT
needs sqlite3
