# For scripts/bench: what a script in the guest does, by the mount and by the program of VMware Tools. The host is
# simulated, and the same one for all.
# shellcheck shell=bash
# shellcheck disable=SC2154 # the caller's: build, work, rounds

# As where AF_VSOCK leads to the simulated host.
in_guest() {
    FAKEVSOCK_PATH=$work/rpc LD_PRELOAD=$build/libfakevsock.so "$@"
}

read_by_mount() { cat "$1/bench/key1"; }
hundred_by_mount() { cat "$1"/bench/key*; }
write_by_mount() { echo "another value" >"$1/bench/key2"; }
append_by_mount() { echo "another line" >>"$1/bench/key3"; }
list_by_mount() { ls "$1/bench"; }

get_by_vmtoolsd() {
    in_guest vmtoolsd --cmd "datasets-get-entry {\"dataset\":\"bench\",\"keys\":[\"$1\"]}" |
        jq -j '.entries[0][]'
}

set_by_vmtoolsd() {
    in_guest vmtoolsd --cmd "datasets-set-entry {\"dataset\":\"bench\",\"entries\":[{\"key\":\"$1\",\"value\":$2}]}" |
        jq -e '.result // false'
}

read_by_vmtoolsd() { get_by_vmtoolsd key1; }

hundred_by_vmtoolsd() {
    local key
    for key in "$work"/host/bench/key*; do
        get_by_vmtoolsd "${key##*/}"
    done
}

write_by_vmtoolsd() { set_by_vmtoolsd key2 '"another value\n"'; }

append_by_vmtoolsd() {
    set_by_vmtoolsd key3 "$({ get_by_vmtoolsd key3 && echo "another line"; } | jq -Rs .)"
}

list_by_vmtoolsd() {
    in_guest vmtoolsd --cmd 'datasets-list-keys {"dataset":"bench"}' | jq -r '.keys[]'
}

# All keys by one message, which only who knows that it holds them can do.
hundred_by_message() {
    local keys
    keys=$(printf ',"key%d"' {1..100})
    in_guest vmtoolsd --cmd "datasets-get-entry {\"dataset\":\"bench\",\"keys\":[${keys#,}]}" |
        jq -j '.entries[][]'
}

guest_agrees() {
    local what
    for what in read hundred list; do
        cmp -s <("${what}_by_mount" "$work/guest" | sort) <("${what}_by_vmtoolsd" | sort) ||
            fail "the mount and vmtoolsd do not agree on $what"
    done
}

bench_guest() {
    local round variant row took
    mount_local host
    fill "$work/host/bench" 100
    start_host host
    mount_on "$work/guest" "$build/datasetfs" "tools:unix=$work/rpc" "$work/guest"
    mount_on "$work/program" in_guest "$build/datasetfs" tools:vmtoolsd "$work/program"
    guest_agrees
    echo "A command each, with the process that it is; vmtoolsd: 'vmtoolsd --cmd ... | jq' for each key;" \
        "message: the same, all keys at once."
    for ((round = 0; round < rounds; round++)); do
        turns "$round" datasetfs vmtoolsd tools:vmtoolsd
        for row in read hundred write append list; do
            for variant in "${turn[@]}"; do
                case $variant in
                datasetfs) timed "${row}_by_mount" "$work/guest" ;;
                tools:vmtoolsd) timed "${row}_by_mount" "$work/program" ;;
                vmtoolsd) timed "${row}_by_vmtoolsd" ;;
                esac
                sample guest "${row/hundred/read 100 keys}" "$variant" "$took"
            done
            # It grows otherwise.
            printf x >"$work/host/bench/key3"
        done
        timed hundred_by_message
        sample guest "read 100 keys" message "$took"
    done
    report guest datasetfs vmtoolsd tools:vmtoolsd message
}
