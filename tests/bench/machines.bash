# For scripts/bench: the same key of each machine of a vCenter that takes 20 ms for each request, in one mount of all;
# as many requests at once as such a mount makes, beside one at a time. No bound of requests a second, which would be
# what is measured. First with a mount that knows nothing of the machines, then once more with the same.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016 # what others set; and what the inner shell expands

readonly machines_delay_ms=20

# Store files of so many machines, each with one value: make_machines DIRECTORY COUNT
make_machines() {
    local machine
    mkdir "$1"
    "$build/datasetfs" create "local:$1/m1.db" status
    "$build/datasetfs" set "local:$1/m1.db" status state ready
    for ((machine = 2; machine <= $2; machine++)); do
        cp "$1/m1.db" "$1/m$machine.db"
    done
}

# In the root of the mount; the rows by the names that are printed.
declare -A machines_rows=(
    ['cat */status/state']='cat */status/state'
    ['xargs -P32 -I@ cat @/status/state']='ls | xargs -P32 -I@ cat @/status/state'
)

machines_run() {
    (cd "$work/machines" && bash -ec "$1")
}

bench_machines() {
    local round row variant took order parallel
    make_machines "$work/inventory" "$machines"
    start_server "$machines_delay_ms" --vm-directory "$work/inventory"
    order=('cat */status/state' 'xargs -P32 -I@ cat @/status/state')
    for row in "${order[@]}"; do
        for ((round = 0; round < slow_rounds; round++)); do
            turns "$round" datasetfs parallel=1
            for variant in "${turn[@]}"; do
                parallel=${variant#datasetfs}
                mount_source "" machines "rate=0${parallel:+,$parallel}"
                timed machines_run "${machines_rows[$row]}"
                sample machines "$row" "$variant" "$took"
                timed machines_run "${machines_rows[$row]}"
                sample machines "$row again" "$variant" "$took"
                unmount "$work/machines"
            done
        done
    done
    finish
    rm -r "$work/inventory"
    echo "$machines machines, $machines_delay_ms ms a request; datasetfs: 24 requests at once; rate=0 for both."
    report machines datasetfs parallel=1
}
