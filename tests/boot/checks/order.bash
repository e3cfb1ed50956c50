# The order of things when a machine with the guest's package starts and ends: cloud-init, fstab, and a host that
# falls silent.
# shellcheck shell=bash disable=SC2154 # variables of tests/boot/run and of its other parts

install_all() {
    host_start
    machine_make "$roots/bookworm-systemd"
    simulate
    machine_boot
    inside sh -ec 'apt-get install --no-install-recommends /dev/host/datasetfs-guest_*.deb cloud-init
        printf "%s\n" "datasource_list: [NoCloud, None]" "datasource:" "  NoCloud:" \
            "    seedfrom: /run/datasets/seed/" "network: {config: disabled}" "locale: false" >/etc/cloud/cloud.cfg.d/90-seed.cfg
        mkdir /mnt/fstab'
    printf 'tools:unix=/dev/host/rpc /mnt/%s datasetfs %s 0 0\n' fstab nofail,timeout=2,scratch_delay=86400 \
        auto nofail,x-systemd.automount >>"$machine/etc/fstab"
    mkdir -p "$machine/etc/datasetfs"
    set_options scratch_delay=86400
    host_set seed meta-data 'instance-id: web-01'
    host_set seed user-data $'#cloud-config\nhostname: web-01'
}

set_options() {
    echo "OPTIONS=$1" >"$machine/etc/datasetfs/guest.conf"
}

no_cycle() {
    machine_journal | not grep -i 'ordering cycle'
}

# cloud-init has read its seed below the mount, so it was there in time.
boot_with_cloud_init() {
    machine_halt
    machine_boot
    same "$(inside cloud-init status --wait --long | grep '^status:')" 'status: done'
    same "$(inside hostname)" web-01
    same "$(property ActiveState "$unit")" active
    no_cycle
}

boot_with_fstab() {
    is_value hello /mnt/fstab
    inside grep ' /mnt/auto .* autofs ' /proc/self/mountinfo
    is_value hello /mnt/auto
    inside mount -a
    same "$(inside grep -c ' /mnt/fstab ' /proc/self/mountinfo)" 1
}

# A temporary file that waits for its end, as an editor that was killed leaves one.
leave() {
    # shellcheck disable=SC2016 # of that shell
    inside sh -ec 'cd "$1/status"; file=$(mktemp ".$2.XXXXXX"); echo left >"$file"' sh "$1" "$2"
}

commit_at_shutdown() {
    local key
    leave /run/datasets unit
    leave /mnt/fstab fstab
    machine_halt
    for key in unit fstab; do
        key=$("$build/datasetfs" ls "local:$work/store.db" status | grep "^\.$key\.")
        same "$(host_get status "$key")" left
    done
}

# A deadline of an hour: if the boot waited for one, it would not end.
boot_silent() {
    host_fall_silent
    touch "$machine/etc/cloud/cloud-init.disabled"
    set_options timeout=3600,scratch_delay=86400
    machine_boot
    same "$(property ActiveState "$unit")" active
    # fstab waited for one answer, and gave up.
    same "$(property Result mnt-fstab.mount)" exit-code
    same "$(grep -c '^connection=' "$work/requests")" 1
    set_options scratch_delay=86400
    machine_halt
}

# The first of them has waited for one deadline, and the seed's others for none.
boot_silent_with_cloud_init() {
    rm "$machine/etc/cloud/cloud-init.disabled"
    host_fall_silent
    machine_boot
    cat "$work/requests"
    [ "$(grep -c . "$work/requests")" -le 3 ]
    no_cycle
    machine_halt
}

# Ten files are left: the daemon gives them up before systemd gives it up.
shutdown_silent() {
    local number
    host_start
    machine_boot
    for number in 0 1 2 3 4 5 6 7 8 9; do
        leave /run/datasets "unit$number"
        leave /mnt/fstab "fstab$number"
    done
    host_fall_silent
    machine_halt
    was_in_time "$unit"
    same "$(machine_journal -b -u "$unit" | grep -c 'the temporary file .* is lost: ')" 10
    # Of each mount one waits for the deadline, and some for what is left of its quarter.
    [ "$(host_requests datasets-set-entry)" -le 6 ]
}

title='order: cloud-init, fstab and the package are installed'
check "$title" install_all
if $good; then
    check 'order: cloud-init takes its seed from the mount, without an ordering cycle' boot_with_cloud_init
    check 'order: fstab mounts at boot, and on demand' boot_with_fstab
    check 'order: what waits is committed at the shutdown' commit_at_shutdown
    check 'order: a silent host delays the boot by no deadline of the unit' boot_silent
    check 'order: so it is with cloud-init' boot_silent_with_cloud_init
    check 'order: a silent host delays the shutdown by one deadline' shutdown_silent
fi
