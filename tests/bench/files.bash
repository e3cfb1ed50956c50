# For scripts/bench: what the calls of scripts cost that are not slowed by any store.
# shellcheck shell=bash
# shellcheck disable=SC2154 # the caller's: build, work, rounds, many

files_mount() {
    mount_local ours
    mkdir -p "$work/ours/bench" "$work/plain"
    mount_on "$work/floor" "$build/tests/bench/floor" "$work/floor"
    mount_on "$work/bindfs" bindfs --no-allow-other "$work/plain" "$work/bindfs"
    mkdir -p "$work/tmpfs"
    declare -gA files_in=([datasetfs]=$work/ours/bench [floor]=$work/floor [bindfs]=$work/bindfs [tmpfs]=$work/tmpfs)
}

# All of it, daemons too, on one processor: across two, the time to wake the other hides everything else.
files_rounds() {
    local how=$1 processes round variant call took
    files_mount
    for processes in 1 4 16; do
        for ((round = 0; round < rounds; round++)); do
            turns "$round" "${!files_in[@]}"
            for variant in "${turn[@]}"; do
                "$build/tests/bench/files" "${files_in[$variant]}" "$processes" "$many" 100 \
                    create+write+close open+read+close stat unlink >"$work/said"
                while read -r call took; do
                    sample files "$call $how $processes" "$variant" "$took"
                done <"$work/said"
            done
        done
    done
}

bench_files() {
    local all
    all=$(taskset -cp $$ | sed 's/.*: //')
    echo "Per file of 100 bytes; on one processor (pinned) or all (free); 1, 4 or 16 processes."
    taskset -cp "${all%%[,-]*}" $$ >/dev/null
    files_rounds pinned
    finish
    taskset -cp "$all" $$ >/dev/null
    files_rounds free
    report files datasetfs bindfs floor tmpfs
}
