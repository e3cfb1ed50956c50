# The guest's package in a machine with systemd, from its installation to its purge.
# shellcheck shell=bash disable=SC2154 # variables of tests/boot/run and of its other parts

start_bare() {
    host_start
    machine_make "$roots/bookworm-systemd"
    simulate
    machine_boot
    not inside test -e /usr/bin/datasetfs
}

# README's commands, in the folder with the package.
read_first() {
    local code begin out tenths
    code=$(readme 'apt install ./datasetfs-guest_')
    begin=${EPOCHREALTIME/./}
    out=$(inside sh -ec "cd /dev/host; $code")
    tenths=$(((${EPOCHREALTIME/./} - begin) / 100000))
    echo "$((tenths / 10)).$((tenths % 10))" >"$work/seconds"
    same "$(tail -n 1 <<<"$out")" hello
}

# Enabled, and started as the condition of other units.
is_service() {
    same "$(inside systemctl is-enabled "$unit")" enabled
    same "$(property Type "$unit") $(property ActiveState "$unit") $(property SubState "$unit")" 'notify active running'
    same "$(inside findmnt -n -o SOURCE,FSTYPE /run/datasets | xargs)" 'tools:unix=/dev/host/rpc fuse.datasetfs'
    inside systemd-analyze --man=no verify "$unit" 2>&1 | not grep .
}

both_ways() {
    inside sh -c 'echo up >/run/datasets/status/state'
    same "$(host_get status state)" up
    host_set app greeting 'hello again'
    is_value 'hello again'
    host_set app greeting hello
}

# Not a virtual machine of VMware's: without the drop-in the unit stays out of the way, and fails nobody.
is_conditional() {
    inside mv "$drop_in" /root/
    inside systemctl daemon-reload
    inside systemctl restart "$unit"
    same "$(property ConditionResult "$unit") $(property ActiveState "$unit") $(property Result "$unit")" 'no inactive success'
    inside mv /root/simulated.conf "${drop_in%/*}"/
    inside systemctl daemon-reload
    inside systemctl restart "$unit"
    is_value hello
}

heal_kill() {
    local before
    before=$(property MainPID "$unit")
    [ "$before" -gt 1 ]
    inside systemctl kill -s KILL "$unit"
    soon is_value hello
    not test "$(property MainPID "$unit")" = "$before"
    same "$(inside grep -c ' /run/datasets ' /proc/self/mountinfo)" 1
}

# The daemon and the mount that are there.
what_runs() {
    property MainPID "$1"
    inside grep ' /run/datasets ' /proc/self/mountinfo
}

# The package, with another version.
next_version() {
    local tree=$work/next
    rm -rf "$tree"
    dpkg-deb -R "$share"/datasetfs-guest_*.deb "$tree"
    sed -i 's/^Version: .*/&+next/' "$tree/DEBIAN/control"
    dpkg-deb --root-owner-group -b "$tree" "$share/next.deb"
    rm -rf "$tree"
}

keep_mount() {
    local before
    before=$(what_runs "$unit")
    inside sh -ec 'exec 9</run/datasets/app/greeting; "$@"; cat <&9' sh "$@"
    same "$(what_runs "$unit")" "$before"
    is_value hello
}

reinstall() {
    keep_mount sh -c 'apt-get install --reinstall /dev/host/datasetfs-guest_*.deb'
}

upgrade() {
    next_version
    keep_mount apt-get install /dev/host/next.deb
    inside dpkg-query -W datasetfs-guest | grep '+next$'
}

# What an administrator has turned off stays so.
stay_disabled() {
    inside systemctl disable --now "$unit"
    inside apt-get install --reinstall /dev/host/next.deb
    not inside systemctl -q is-enabled "$unit"
    not inside systemctl -q is-active "$unit"
}

# The examples as they are, but for the simulated host and less patience.
automount() {
    local try
    inside sh -ec 'cp /usr/share/doc/datasetfs-guest/examples/run-datasets.* /etc/systemd/system/
        mkdir /etc/systemd/system/run-datasets.mount.d /etc/systemd/system/run-datasets.automount.d
        printf "[Mount]\nWhat=tools:unix=/dev/host/rpc\n" >/etc/systemd/system/run-datasets.mount.d/simulated.conf
        printf "[Automount]\nTimeoutIdleSec=1\n" >/etc/systemd/system/run-datasets.automount.d/idle.conf
        systemctl daemon-reload
        systemctl enable --now run-datasets.automount'
    is_state run-datasets.mount inactive
    for try in 1 2; do
        same "$try $(inside cat /run/datasets/app/greeting)" "$try hello"
        soon is_state run-datasets.mount inactive
    done
    inside sh -ec 'systemctl disable --now run-datasets.automount
        rm -r /etc/systemd/system/run-datasets.*
        systemctl daemon-reload'
}

# The whole program takes the guest's place, and the purge of what was there does not touch it.
swap() {
    inside sh -c 'echo TIMEOUT=1 >/etc/datasetfs/guest.conf'
    inside systemctl enable --now "$unit"
    inside sh -ec 'apt-get install /dev/host/datasetfs_*.deb'
    # shellcheck disable=SC2016 # dpkg's
    same "$(inside dpkg-query -W -f '${db:Status-Status}' datasetfs)" installed
    soon is_value hello
    inside dpkg --purge datasetfs-guest
    is_service
    same "$(inside cat /etc/datasetfs/guest.conf)" TIMEOUT=1
}

# But what an administrator has written.
purge() {
    inside apt-get purge datasetfs
    no_daemon
    not inside grep fuse.datasetfs /proc/self/mountinfo
    same "$(what_is_ours)" "$(printf '%s\n' /etc/datasetfs "${drop_in%/*}")"
    same "$(inside ls /etc/datasetfs)" guest.conf
    not inside grep -E '^(Package|Conffiles):.*datasetfs' /var/lib/dpkg/status
    inside systemctl daemon-reload
    inside systemctl --failed --plain --no-legend | not grep .
}

check 'guest: a bare root boots' start_bare
if $good; then
    check "guest: README's commands lead to the first value" read_first
fi
if $good; then
    printf '    from the package at hand, in %s s\n' "$(cat "$work/seconds")"
    check 'guest: the service is enabled, ready and in order' is_service
    check 'guest: both sides read what the other wrote' both_ways
    check 'guest: the service does nothing on another hypervisor' is_conditional
    check 'guest: kill -9 of the daemon is healed' heal_kill
    check 'guest: a reinstallation leaves the mount alone' reinstall
    check 'guest: an upgrade leaves the mount alone' upgrade
    check 'guest: what is disabled stays so' stay_disabled
    if [ -e /dev/autofs ]; then
        check 'guest: the .automount serves at once, and after its idle time' automount
    else
        skip 'guest: the .automount serves at once, and after its idle time' 'there is no /dev/autofs'
    fi
    check 'guest: the whole program takes the place of the part' swap
    check 'guest: a purge leaves only what administrators wrote' purge
fi
