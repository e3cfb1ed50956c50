# For scripts/bench: what shell commands cost, counted by the mount itself (.datasetfs/stats): requests to the store in
# the guest and over REST, and requests of the kernel, as a table in Markdown. These are no times: the counts
# are exact, but for what the kernel asks again when a busy machine took over 20 ms; so each command runs a few
# times, on a fresh mount that has only listed the DataSet's directory, and what counts is the least.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2016,SC2034 # what others set; and what eval expands

# In the DataSet "bench", where key1 to key1000 are; k is a key, l and new are none, IN a file elsewhere.
requests_commands=(
    'cat k'
    'test -e k'
    'stat k'
    'echo x > k'
    'echo x > new'
    'echo x >> k'
    'printf "%s\n" 1 2 3 > new'
    'rm k'
    'mv k l'
    'cp k l'
    'cp $IN new'
    'sed -i s/v/w/ k'
    'vim -es -c s/v/w/ -c wq k'
    'ls'
    'ls -l'
    'cat *'
    'grep -r nothing .'
    'for f in *; do cat $f; done'
    'md5sum *'
    'ls | xargs -P16 -n10 cat'
    'tar -cf - . | cat'
    'rsync -a ./ $OUT/'
    'cp -r . $OUT/'
)

# Requests to the store, then those of the kernel, but forgets, which it sends when it likes. The way through the
# DataSet, which the command has changed, would cost one that is not its own.
counters() {
    awk '/^datasetfs_store_requests_total/ { store += $2 }
         /^datasetfs_fuse_requests_total/ && !/"forget"/ { kernel += $2 }
         END { print store, kernel }' "/proc/self/fd/$control/stats"
}

# In the DataSet of a mount: what the command costs, as two numbers. To look costs the kernel's requests too.
requests_of() {
    local control store kernel before after looks
    exec {control}<"$1/.datasetfs"
    cd "$1/bench" || return
    read -r _ looks < <(counters)
    read -r store kernel < <(counters)
    looks=$((kernel - looks))
    # Not by another shell, which would look at where it is.
    (OUT=$work/out IN=$work/source HOME=$work/home && eval "$2") >"$work/said" 2>&1 ||
        [ "${2#grep}" != "$2" ] || fail "$2: $(tail -n 1 "$work/said")"
    read -r before after < <(counters)
    echo "$((before - store)) $((after - kernel - looks))"
}

# requests_least KIND COMMAND: of some tries.
requests_least() {
    local try store kernel least_store='' least_kernel=''
    for ((try = 0; try < 3; try++)); do
        rm -f "$work/host/bench/l" "$work/host/bench/new" "$work/host/bench/k~"
        echo value >"$work/host/bench/k"
        rm -rf "$work/out"
        mkdir "$work/out"
        if [ "$1" = guest ]; then
            mount_on "$work/guest" "$build/datasetfs" "tools:unix=$work/rpc" "$work/guest"
        else
            mount_rest guest
        fi
        read -r store kernel < <(requests_of "$work/guest" "$2")
        unmount "$work/guest"
        [ -n "$least_store" ] && [ "$store" -ge "$least_store" ] || least_store=$store
        [ -n "$least_kernel" ] && [ "$kernel" -ge "$least_kernel" ] || least_kernel=$kernel
    done
    least=("$least_store" "$least_kernel")
}

bench_requests() {
    local command least costs
    mkdir -p "$work/home"
    echo value >"$work/source"
    mount_local host
    fill "$work/host/bench" "$many"
    start_host host
    start_vcenter host 0
    printf '| %-36s | %-12s | %-10s | %-9s |\n|---|---|---|---|\n' \
        "beside $many keys, on a fresh mount" 'guest: store' 'REST: store' 'kernel'
    for command in "${requests_commands[@]}"; do
        requests_least guest "$command"
        costs=("${least[@]}")
        requests_least rest "$command"
        printf '| %-36s | %12d | %11d | %9d |\n' "\`${command//|/\\|}\`" "${costs[0]}" "${least[0]}" "${costs[1]}"
    done
}
