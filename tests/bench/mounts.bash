# For scripts/bench: stores, servers and mounts of them, and their end.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # what others set, and what they use

mounted=()
servers=()

# What the words after it mount there is unmounted by finish(): mount_on POINT COMMAND...
mount_on() {
    local point=$1
    mkdir -p "$point"
    "${@:2}"
    mountpoint -q "$point" || fail "nothing is mounted on $point"
    mounted=("$point" ${mounted[@]+"${mounted[@]}"})
}

unmount() {
    local point=$1 kept=() other
    umount "$point"
    for other in "${mounted[@]}"; do
        [ "$other" = "$point" ] || kept+=("$other")
    done
    mounted=(${kept[@]+"${kept[@]}"})
}

# Ends all that a section has started.
finish() {
    local point server status
    for point in ${mounted[@]+"${mounted[@]}"}; do
        umount "$point"
    done
    mounted=()
    for server in ${servers[@]+"${servers[@]}"}; do
        kill "$server" || fail "a server had ended before its time"
        status=0
        wait "$server" || status=$?
        # The simulator ends well by SIGTERM, others may die of it.
        [ "$status" -eq 0 ] || [ "$status" -eq 143 ] || fail "a server ended with $status"
    done
    servers=()
    rm -f "$work"/*.db*
}

# A mount of the store file on the host's side: mount_local NAME [OPTION...]
mount_local() {
    mount_on "$work/$1" "$build/datasetfs" "local:$work/$1.db" "$work/$1" "${@:2}"
}

# Makes a DataSet of so many keys, key1 to keyN: fill DIRECTORY KEYS
fill() {
    local key
    mkdir "$1"
    for ((key = 1; key <= $2; key++)); do
        printf 'value %d of a setting that is about as long as the others are: a hundred bytes and no more of them %d\n' \
            "$key" "$key" >"$1/key$key"
    done
}

# The simulated host on the store that mount_local NAME made.
start_host() {
    local ready
    exec {ready}< <(exec "$build/datasets-sim" --store "$work/$1.db" --rpc "unix:$work/rpc" --ready-fd 1)
    servers+=($!)
    read -r -u "$ready" _
    exec {ready}<&-
}

# The simulated vCenter, with so many milliseconds for each request: start_server DELAY OPTION.... Then `url` is where
# it listens.
start_server() {
    local ready fault=()
    if [ ! -e "$work/server.pem" ]; then
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
            -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
            -keyout "$work/server.key" -out "$work/server.pem" 2>"$work/openssl.log"
        echo secret >"$work/password"
        (umask 077 && printf 'username=bench\npassword=secret\n' >"$work/credentials")
    fi
    [ "$1" -eq 0 ] || fault=(--fault "delay=$1")
    exec {ready}< <(exec "$build/datasets-sim" --https 127.0.0.1:0 --port-file "$work/port" \
        --cert "$work/server.pem" --key "$work/server.key" --user bench --password-file "$work/password" \
        "${@:2}" ${fault[@]+"${fault[@]}"} --ready-fd 1)
    servers+=($!)
    read -r -u "$ready" _
    exec {ready}<&-
    url=https://127.0.0.1:$(cat "$work/port")
}

# The same with the store that mount_local NAME made: start_vcenter NAME DELAY. Then `rest` is its entries of the
# DataSet "bench" and `token` a session.
start_vcenter() {
    start_server "$2" --vm "vm-1=web-01=$work/$1.db"
    rest=$url/api/vcenter/vm/vm-1/data-sets/bench/entries
    token=$(ask -u bench:secret -X POST "$url/api/session" | jq -r .)
}

# curl, as a script would have it.
ask() {
    curl -fsS --noproxy '*' --cacert "$work/server.pem" "$@"
}

# A fresh mount of the vCenter's /MACHINE, or of all: mount_source MACHINE NAME [OPTIONS]
mount_source() {
    mount_on "$work/$2" "$build/datasetfs" "$url$1" "$work/$2" \
        -o "cacert=$work/server.pem,credentials=$work/credentials,timeout=60${3:+,$3}"
}

# The same of its one machine: mount_rest NAME [OPTIONS]
mount_rest() {
    mount_source /vm-1 "$@"
}
