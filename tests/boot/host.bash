# The simulated host, outside of the machine: its DataSets are in a store that "datasetfs local:" writes, and it
# listens in the folder that it shares with the machine.
# shellcheck shell=bash disable=SC2154 # variables of tests/boot/run and of its other parts

host_pid=$work/host.pid # a file: checks run in shells of their own

# With options of datasets-sim, such as faults. A host that ran before ends first.
host_start() {
    local fifo=$work/ready
    host_stop
    rm -f "$fifo" "$work/requests"
    mkfifo "$fifo"
    "$build/datasets-sim" --store "$work/store.db" --rpc "unix:$share/rpc" --log "$work/requests" --ready-fd 3 \
        "$@" 3>"$fifo" >"$logs/host.log" 2>&1 &
    echo $! >"$host_pid"
    grep -q ready "$fifo"
}

host_stop() {
    [ -e "$host_pid" ] || return 0
    kill "$(cat "$host_pid")"
    soon ended "$(cat "$host_pid")" || return
    rm -f "$host_pid" "$share/rpc"
}

# A host that takes requests and answers none.
host_fall_silent() {
    host_start --fault never-reply
}

# What the host's administrator does.
host_make() {
    "$build/datasetfs" create "local:$work/store.db" "$1"
}

host_set() {
    "$build/datasetfs" set "local:$work/store.db" "$1" "$2" "$3"
}

host_get() {
    "$build/datasetfs" get "local:$work/store.db" "$1" "$2"
}

# How many requests of a kind have come since it was started.
host_requests() {
    grep -cE "(command|rest)=$1 " "$work/requests" || [ $? -eq 1 ] # there is none
}
