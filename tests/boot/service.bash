# The unit of the guest's package in the machine.
# shellcheck shell=bash disable=SC2154 # variables of tests/boot/run and of its other parts

unit=datasetfs-guest.service
drop_in=/etc/systemd/system/$unit.d/simulated.conf

# What stands between a simulated host and the unit, and nothing else.
simulate() {
    mkdir -p "$machine${drop_in%/*}"
    printf '[Unit]\nConditionVirtualization=\n[Service]\nEnvironment=SOURCE=tools:unix=/dev/host/rpc\n' \
        >"$machine$drop_in"
}

# Property PROPERTY of a unit.
property() {
    inside systemctl show --property "$1" --value "$2"
}

is_state() {
    [ "$(property ActiveState "$1")" = "$2" ]
}

# True if this is the greeting that the machine reads now.
is_value() {
    [ "$(inside cat "${2:-/run/datasets}/app/greeting" 2>/dev/null)" = "$1" ]
}

# True if no daemon runs, by either of its names.
no_daemon() {
    not inside sh -c 'grep -Esx "(mount\.)?datasetfs" /proc/[0-9]*/comm'
}

# Fails if systemd lost its patience with a unit when the machine ended last.
was_in_time() {
    machine_journal -b -u "$1"
    machine_journal -b -u "$1" | not grep -E "stop-sigterm|Killing|status=9/KILL|result 'timeout'"
}

# What is named after us in the machine, without its host's folder.
what_is_ours() {
    inside find / /run -xdev \( -path /srv -o -path /proc -o -path /sys -o -path /dev \) -prune -o \
        -iname '*dataset[fs]*' -print | sort
}
