# The guest's package in a root without systemd: fstab and mount(8) alone.
# shellcheck shell=bash disable=SC2154 # variables of tests/boot/run and of its other parts

plain=$work/plain

# A process in the root, with mounts and processes of its own; inside() runs what follows there.
plain_start() {
    machine_halt
    host_start
    cp -a --reflink=auto "$roots/bookworm-plain" "$plain"
    echo 'APT::Get::Assume-Yes "true";' >"$plain/etc/apt/apt.conf.d/91yes"
    # shellcheck disable=SC2016 # of that shell
    unshare --mount --pid --fork --kill-child bash -euc '. scripts/machines.d/root.bash
        mount --bind "$1" "$1"
        mount --bind "$2" "$1/srv"
        root_enter "$1"
        exec sh -c "sleep infinity & wait"' bash "$plain" "$share" </dev/null >"$logs/plain.log" 2>&1 &
    echo $! >"$machine_pid"
    soon plain_is_up
}

plain_is_up() {
    root_children "$(cat "$machine_pid")" >"$machine_init"
    [ -n "$(cat "$machine_init")" ] && inside test ! -e /.old -a -e /srv/rpc
}

plain_end() {
    kill -KILL "$(cat "$machine_init")"
    soon ended "$(cat "$machine_pid")"
    rm -r "$machine_pid" "$plain"
}

plain_install() {
    not inside test -e /lib/systemd/systemd
    inside sh -c 'apt-get install --no-install-recommends /srv/datasetfs-guest_*.deb'
    not inside test -e /run/datasets
}

mount_all() {
    echo 'tools:unix=/srv/rpc /run/datasets datasetfs nofail,timeout=2,scratch_delay=86400 0 0' >>"$plain/etc/fstab"
    inside sh -c 'mkdir /run/datasets && mount -a && mount -a'
    is_value hello
    same "$(inside grep -c ' /run/datasets .* fuse.datasetfs ' /proc/self/mountinfo)" 1
}

# As README says it under "Living with it".
mount_again() {
    # shellcheck disable=SC2016 # of that shell
    inside sh -ec 'all=
        for comm in /proc/[0-9]*/comm; do
            grep -Eqx "(mount\.)?datasetfs" "$comm" || continue
            comm=${comm%/comm}
            all="$all ${comm#/proc/}"
        done
        kill -STOP $all # lest one of them unmounts when it sees another one die
        kill -KILL $all'
    not is_value hello
    inside sh -ec 'umount /run/datasets; mount -a'
    is_value hello
}

# The unmounting as well as the mounting: each waits for one answer, or for one and a short while.
plain_silent() {
    # shellcheck disable=SC2016 # of that shell
    inside sh -ec 'cd /run/datasets/status
        for number in 0 1 2 3 4 5; do file=$(mktemp ".k$number.XXXXXX"); echo left >"$file"; done'
    host_fall_silent
    inside umount /run/datasets
    soon no_daemon
    [ "$(host_requests datasets-set-entry)" -le 2 ]
    host_fall_silent
    not inside mount -a
    cat "$work/requests"
    same "$(grep -c '^connection=' "$work/requests")" 1
}

# Nobody has written anything there.
plain_purge() {
    host_start
    inside mount -a
    is_value hello
    inside umount /run/datasets
    soon no_daemon
    inside apt-get purge datasetfs-guest
    same "$(what_is_ours)" ''
}

check 'plain: a bare root without systemd' plain_start
if $good; then
    check 'plain: the package is installed, and mounts nothing by itself' plain_install
    check 'plain: mount -a mounts what fstab says, once' mount_all
    check 'plain: a mount whose daemon was killed is mounted again' mount_again
    check 'plain: a silent host delays mounting and unmounting by one deadline' plain_silent
    check 'plain: a purge leaves nothing' plain_purge
    plain_end
fi
