# The management side: datasetfs@.service against a simulated vCenter.
# shellcheck shell=bash disable=SC2154 # variables of tests/boot/run and of its other parts

instance=datasetfs@web-01.service
point=/mnt/datasets/web-01
folder=$work/vcenter

vcenter_start() {
    host_start --https "127.0.0.1:$(cat "$folder/port" 2>/dev/null || echo 0)" --port-file "$folder/port" \
        --cert "$folder/cert.pem" --key "$folder/key.pem" --user admin --password-file "$folder/password" \
        --vm "vm-1=web-01=$work/store.db" "$@"
}

# The password is in root's file and nowhere else.
host_install() {
    mkdir -p "$folder"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=vcenter \
        -addext subjectAltName=IP:127.0.0.1,DNS:vcenter.test -keyout "$folder/key.pem" -out "$folder/cert.pem"
    echo Secret-1 >"$folder/password"
    vcenter_start
    machine_make "$roots/bookworm-systemd"
    machine_boot
    inside sh -c 'apt-get install --no-install-recommends /dev/host/datasetfs_*.deb'
    cp "$folder/cert.pem" "$machine/etc/datasetfs/ca.pem"
    printf 'SOURCE=https://127.0.0.1:%s/web-01\nOPTIONS=cacert=/etc/datasetfs/ca.pem\n' "$(cat "$folder/port")" \
        >"$machine/etc/datasetfs/web-01.conf"
    (umask 077 && printf 'username=admin\npassword=Secret-1\n' >"$machine/etc/datasetfs/credentials")
}

host_enable() {
    inside systemctl enable --now "$instance"
    is_value hello $point
    inside sh -c "echo x >$point/status/from-vcenter"
    same "$(host_get status from-vcenter)" x
    inside sh -c "tr '\0' '\n' </proc/$(property MainPID "$instance")/environ" | not grep Secret
}

host_heal() {
    local before
    before=$(property MainPID "$instance")
    [ "$before" -gt 1 ]
    inside systemctl kill -s KILL "$instance"
    soon is_value hello $point
}

# It comes back, and its sessions end with it.
host_boot() {
    local logins
    logins=$(host_requests rest-login)
    machine_halt
    machine_journal -b -u "$instance" | not grep "result 'exit-code'"
    # That of the killed one has no end.
    same "$(host_requests rest-logout)" $((logins - 1))
    machine_boot
    soon is_value hello $point
    machine_journal | not grep -i 'ordering cycle'
}

# vCenter by its name, which a daemon that is confined asks systemd-resolved for, and nothing else may tell it.
host_resolve() {
    local settings=$machine/etc/datasetfs/web-01.conf
    inside sh -c 'apt-get install --no-install-recommends systemd-resolved libnss-resolve'
    cp "$machine/etc/nsswitch.conf" "$folder/nsswitch.conf"
    sed -i 's/^hosts:.*/hosts: resolve/' "$machine/etc/nsswitch.conf"
    inside sh -c 'umount /etc/hosts && echo 127.0.0.1 vcenter.test >/etc/hosts' # until the next boot: the host's
    sed -i 's|//127.0.0.1:|//vcenter.test:|' "$settings"
    inside systemctl restart systemd-resolved "$instance"
    is_value hello $point
    inside systemctl stop systemd-resolved
    inside systemctl restart "$instance"
    not is_value hello $point
    inside systemctl start systemd-resolved
    soon is_value hello $point
    sed -i 's|//vcenter.test:|//127.0.0.1:|' "$settings"
    cp "$folder/nsswitch.conf" "$machine/etc/nsswitch.conf"
    inside systemctl restart "$instance"
    is_value hello $point
}

# A vCenter that is silent now: the boot does not wait, and neither does the shutdown for long.
host_silent() {
    machine_halt
    vcenter_start --fault never-reply
    machine_boot
    same "$(property ActiveState "$instance")" active
    not is_value hello $point
    machine_halt
    was_in_time "$instance"
    vcenter_start
    machine_boot
    soon is_value hello $point
}

host_remove() {
    local before
    before=$(property MainPID "$instance")
    inside sh -c 'apt-get install --reinstall /dev/host/datasetfs_*.deb'
    same "$(property MainPID "$instance")" "$before"
    is_value hello $point
    inside apt-get remove datasetfs
    not inside grep fuse.datasetfs /proc/self/mountinfo
    no_daemon
    same "$(inside ls /etc/datasetfs | xargs)" 'ca.pem credentials web-01.conf'
}

check 'host: the package and a simulated vCenter' host_install
if $good; then
    check 'host: an instance takes its password from the credentials file' host_enable
    check 'host: kill -9 of the daemon is healed' host_heal
    check 'host: nss-resolve finds vCenter for the confined daemon' host_resolve
    check 'host: it comes back at boot, and ended its session' host_boot
    check 'host: a silent vCenter delays neither boot nor shutdown' host_silent
    check 'host: a new version leaves it alone, and a removal stops it' host_remove
fi
