# For scripts/bench: programs that walk through all keys beside a vCenter that takes 20 ms for each request; as many
# requests at once as the mount makes, one at a time, and the same files on a WebDAV server that rclone mounts.
#
# What is not comparable: rclone speaks HTTP without TLS, to a server of its own that looks at files. That tells
# the sizes and times of all files with one PROPFIND, of which vCenter's interface has no like, and rclone believes
# them for five minutes, where this mount promises 20 ms: a change by others is seen that late, and one that leaves
# the size may not be. It may also read a part of a file, and sends what is written while it is written. To
# the question for access lists that 'ls -l' asks it answers with an error, which ls tells and goes on.
# The delay is as long for both: the simulated vCenter holds back each answer, the relay before the WebDAV server too.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016 # what others set; and what the inner shell expands

readonly keys_delay_ms=20

start_webdav() {
    local port=''
    mkdir -p "$work/plain/bench"
    cp "$work/host/bench"/* "$work/plain/bench"
    RCLONE_CONFIG=/dev/null rclone serve webdav "$work/plain" --addr 127.0.0.1:0 -v 2>"$work/webdav.log" &
    servers+=($!)
    until port=$(sed -n 's/.* started on http:.*:\([0-9]*\).*/\1/p' "$work/webdav.log") && [ -n "$port" ]; do
        kill -0 "${servers[-1]}" || fail "rclone: $(tail -n 1 "$work/webdav.log")"
        sleep 0.05
    done
    exec {keys_relay}> >(exec "$build/tests/bench/relay" "$port" "$keys_delay_ms" >"$work/relay.port")
    until [ -s "$work/relay.port" ]; do
        kill -0 $! || fail "the relay has ended"
        sleep 0.05
    done
    webdav=http://127.0.0.1:$(cat "$work/relay.port")
}

run_rclone() {
    RCLONE_CONFIG=/dev/null rclone mount ":webdav:" "$1" --webdav-url "$webdav" --daemon
}

keys_mount() {
    case $1 in
    datasetfs) mount_rest keys ;;
    parallel=1) mount_rest keys parallel=1 ;;
    rclone) mount_on "$work/keys" run_rclone "$work/keys" ;;
    esac
}

# In the folder of the keys; the rows by the names that are printed.
declare -A keys_rows=(
    ['ls -l']='ls -l'
    ['for f in *; do cat $f; done']='for f in *; do cat "$f"; done'
    ['md5sum *']='md5sum *'
    ['xargs -P16 -n10 cat']='ls | xargs -P16 -n10 cat'
    ['tar']='tar -cf - . | cat'
    ['rsync -a']='rsync -a ./ "$OUT/"'
    ['cp of 200 files in']='cp "$IN"/* ../new'
)

keys_run() {
    (cd "$work/keys/bench" && OUT=$work/out IN=$work/in bash -ec "$1")
}

bench_keys() {
    local round row variant took order file
    mount_local host
    fill "$work/host/bench" "$many"
    mkdir -p "$work/in"
    for file in "$work/host/bench"/key{1..200}; do
        cp "$file" "$work/in/new-${file##*/}"
    done
    start_vcenter host "$keys_delay_ms"
    start_webdav
    order=('ls -l' 'for f in *; do cat $f; done' 'md5sum *' 'xargs -P16 -n10 cat' tar 'rsync -a'
        'cp of 200 files in')
    for row in "${order[@]}"; do
        for ((round = 0; round < slow_rounds; round++)); do
            turns "$round" datasetfs parallel=1 rclone
            for variant in "${turn[@]}"; do
                rm -rf "$work/out" "$work/host/new"/* "$work/host/new" "$work/plain/new"
                mkdir "$work/out" "$work/host/new" "$work/plain/new"
                keys_mount "$variant"
                timed keys_run "${keys_rows[$row]}"
                sample keys "$row" "$variant" "$took"
                unmount "$work/keys"
            done
        done
    done
    exec {keys_relay}>&-
    echo "$many keys of 100 bytes, $keys_delay_ms ms a request, each time on a fresh mount."
    report keys datasetfs parallel=1 rclone
}
