# A machine: a copy of a bare root that systemd-nspawn boots. It shares the network and has the folder $share of
# its host at /dev/host, where systemd leaves it alone when it ends; nothing else of it is prepared. One runs at a
# time.
# shellcheck shell=bash disable=SC2154 # variables of tests/boot/run and of its other parts

machine=$work/machine # its root
machine_pid=$work/machine.pid   # a file, with the pid of nspawn
machine_init=$work/machine.init # and of the machine's first process

# Who starts groups of processes, systemd or we.
nspawn=(systemd-nspawn --quiet --register=no --machine=boot-test)
if [ -d /run/systemd/system ]; then
    nspawn+=("--property=DeviceAllow=/dev/fuse rw" "--property=DeviceAllow=/dev/autofs rw")
else
    nspawn+=(--keep-unit)
fi

# A machine that was never started, in place of the last one.
machine_make() {
    machine_halt
    rm -rf "$machine"
    cp -a --reflink=auto "$1" "$machine" || return
    # Who installs answers yes.
    echo 'APT::Get::Assume-Yes "true";' >"$machine/etc/apt/apt.conf.d/91yes"
    # The journal is read when the machine is down, too.
    mkdir -p "$machine/var/log/journal"
}

# True when it has booted.
machine_is_up() {
    local state
    root_children "$(cat "$machine_pid")" >"$machine_init"
    [[ $(cat "$machine_init") =~ ^[0-9]+$ ]] || return
    state=$(inside systemctl is-system-running 2>&1)
    [ "$state" = running ] || [ "$state" = degraded ]
}

machine_boot() {
    local devices=(--bind=/dev/fuse)
    [ ! -e /dev/autofs ] || devices+=(--bind=/dev/autofs)
    "${nspawn[@]}" --directory="$machine" "${devices[@]}" --bind="$share:/dev/host" --bind-ro=/etc/hosts \
        --bind-ro=/etc/resolv.conf --console=pipe --boot </dev/null >>"$logs/console.log" 2>&1 &
    echo $! >"$machine_pid"
    soon machine_is_up
}

# As systemctl poweroff does. What was installed in the machine stays.
machine_halt() {
    [ -e "$machine_pid" ] || return 0
    # One that did not start has no first process.
    ended "$(cat "$machine_pid")" || kill -s RTMIN+4 "$(cat "$machine_init")"
    soon ended "$(cat "$machine_pid")" || return
    rm "$machine_pid"
}

# Runs a command in the machine, as root. Without a machine the check ends.
inside() {
    local init
    init=$(cat "$machine_init")
    if [ -z "$init" ] || [ ! -d "/proc/$init" ]; then
        echo "the machine does not run: $*" >&2
        exit 1
    fi
    nsenter -t "$init" -a env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}

# What the journal of all its boots says; also when it is down.
machine_journal() {
    journalctl -q --no-pager -D "$machine/var/log/journal" "$@"
}
