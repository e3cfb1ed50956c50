# For scripts/bench: what a script does with a few keys beside a vCenter, by the mount and by curl. The vCenter is
# simulated, and the same one for both. curl has a session already, but makes a connection for each key, as a script
# does that asks for one.
# shellcheck shell=bash
# shellcheck disable=SC2154 # the caller's: work, rounds, rest, token

with_session() { ask -H "vmware-api-session-id: $token" "$@"; }

read_by_curl() { with_session "$rest/key1" | jq -j .; }

hundred_by_curl() {
    local key
    for key in key{1..100}; do
        with_session "$rest/$key" | jq -j .
    done
}

write_by_curl() {
    with_session -X PUT -H 'Content-Type: application/json' -d '"another value\n"' "$rest/key2"
}

list_by_curl() { with_session "$rest" | jq -r '.[]'; }

bench_rest() {
    local delay row variant round took turns_of
    for delay in 0 5 20; do
        mount_local host
        fill "$work/host/bench" 100
        start_vcenter host "$delay"
        mount_rest guest
        cmp -s <(list_by_mount "$work/guest" | sort) <(list_by_curl | sort) || fail "mount and curl do not agree"
        for row in read write list hundred; do
            turns_of=$rounds
            [ "$row" != hundred ] || turns_of=$slow_rounds
            for ((round = 0; round < turns_of; round++)); do
                turns "$round" datasetfs curl
                for variant in "${turn[@]}"; do
                    if [ "$variant" = curl ]; then
                        timed "${row}_by_curl"
                    else
                        timed "${row}_by_mount" "$work/guest"
                    fi
                    sample rest "${row/hundred/read 100 keys} $delay ms" "$variant" "$took"
                done
            done
        done
        finish
    done
    echo "A command each, with the process that it is, and so long a delay of each request; curl: curl for each key."
    report rest datasetfs curl
}
