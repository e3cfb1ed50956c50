# The RPMs, built with the libraries of Debian 11, and what their scripts do where rpm is told that all that they
# need is there. No system of RPMs is here to run them.
# shellcheck shell=bash disable=SC2154 # variables of tests/boot/run and of its other parts

rpms_build() {
    rm -f "$packages"/*.rpm
    scripts/package -r bullseye rpm
    mkdir "$work/rpms"
    cp "$packages"/*.rpm "$work/rpms/"
    (cd "$packages" && sha256sum ./*.rpm) >"$work/rpms/sums"
    rm "$packages"/*.rpm
    scripts/package -r bullseye rpm
    (cd "$packages" && sha256sum -c "$work/rpms/sums")
    cp "$packages"/*.rpm "$share/"
}

# What an RPM needs, without rpm's own features and the versions of the C library.
needs() {
    rpm -qp --requires "$1" | grep -vE '^(rpmlib\(|rtld\(|lib(c|pthread)\.so)' | sort -u | xargs
}

rpms_need() {
    local file libraries='libfuse3.so.3()(64bit) libfuse3.so.3(FUSE_3.0)(64bit) libfuse3.so.3(FUSE_3.7)(64bit)'
    for file in "$work"/rpms/*.rpm; do
        rpm -qp --requires "$file" | sed -n 's/.*(GLIBC_\([0-9.]*\)).*/\1/p' | grep .
        same "$({ rpm -qp --requires "$file" | sed -n 's/.*(GLIBC_\([0-9.]*\)).*/\1/p'; echo 2.31; } | sort -V | tail -n 1)" 2.31
    done
    same "$(needs "$work"/rpms/datasetfs-guest-*.rpm)" "/bin/sh fuse3 $libraries libjansson.so.4()(64bit)"
    same "$(needs "$work"/rpms/datasetfs-[0-9]*.rpm)" \
        "/bin/sh ca-certificates fuse3 libcurl.so.4()(64bit) $libraries libjansson.so.4()(64bit) libseccomp.so.2()(64bit) libsqlite3.so.0()(64bit)"
    same "$(rpm -qp --conflicts "$work"/rpms/datasetfs-guest-*.rpm)" datasetfs
    same "$(rpm -qp --conflicts "$work"/rpms/datasetfs-[0-9]*.rpm)" datasetfs-guest
    rpm -qp --provides "$work"/rpms/datasetfs-guest-*.rpm | grep '^datasetfs = '
    rpm -qp --provides "$work"/rpms/datasetfs-[0-9]*.rpm | grep '^datasetfs-guest = '
}

rpms_contain() {
    local name
    for name in datasetfs datasetfs-guest; do
        rpm -qlvp "$work/rpms/$name"-[0-9]*.rpm | awk '{ print $1, $3 "/" $4, $9, $10, $11 }' |
            sed "s|/$name\([/ ]\)|/PACKAGE\1|; s| *\$||" | sort -k 3 >"$work/rpms/$name.files"
    done
    same "$(cat "$work/rpms/datasetfs-guest.files")" "$(sort -k 3 <<'END'
drwxr-xr-x root/root /etc/datasetfs
-rwxr-xr-x root/root /usr/bin/datasetfs
-rw-r--r-- root/root /usr/lib/systemd/system/datasetfs-guest.service
lrwxrwxrwx root/root /usr/sbin/mount.datasetfs -> /usr/bin/datasetfs
-rw-r--r-- root/root /usr/share/bash-completion/completions/datasetfs
drwxr-xr-x root/root /usr/share/doc/PACKAGE
-rw-r--r-- root/root /usr/share/doc/PACKAGE/CHANGELOG.md
-rw-r--r-- root/root /usr/share/doc/PACKAGE/README.md
drwxr-xr-x root/root /usr/share/doc/PACKAGE/examples
-rwxr-xr-x root/root /usr/share/doc/PACKAGE/examples/prune-updatedb
-rw-r--r-- root/root /usr/share/doc/PACKAGE/examples/run-datasets.automount
-rw-r--r-- root/root /usr/share/doc/PACKAGE/examples/run-datasets.mount
drwxr-xr-x root/root /usr/share/licenses/PACKAGE
-rw-r--r-- root/root /usr/share/licenses/PACKAGE/LICENSE
-rw-r--r-- root/root /usr/share/man/man1/datasetfs.1.gz
-rw-r--r-- root/root /usr/share/man/man8/datasetfs.8.gz
lrwxrwxrwx root/root /usr/share/man/man8/mount.datasetfs.8.gz -> datasetfs.8.gz
-rw-r--r-- root/root /usr/share/zsh/site-functions/_datasetfs
END
)"
}

rpms_install() {
    host_start
    machine_make "$roots/bookworm-systemd"
    simulate
    machine_boot
    inside apt-get install --no-install-recommends rpm fuse3 libfuse3-3 libjansson4 libcurl4 libseccomp2 libsqlite3-0
    inside sh -c 'rpm -i --nodeps /dev/host/datasetfs-guest-*.rpm'
    is_value hello
    inside systemctl -q is-enabled "$unit"
    inside datasetfs -V
}

rpms_upgrade() {
    local before
    before=$(property MainPID "$unit")
    inside sh -c 'rpm -U --force --nodeps /dev/host/datasetfs-guest-*.rpm'
    same "$(property MainPID "$unit")" "$before"
    inside systemctl -q is-enabled "$unit"
}

# As dnf does it: the new one comes before the old one goes.
rpms_swap() {
    inside sh -c 'rpm -i --nodeps --force /dev/host/datasetfs-[0-9]*.rpm'
    inside rpm -e --nodeps datasetfs-guest
    is_value hello
    inside systemctl -q is-enabled "$unit"
    inside datasetfs -V | grep curl
}

rpms_remove() {
    inside sh -c 'echo TIMEOUT=1 >/etc/datasetfs/guest.conf'
    inside rpm -e --nodeps datasetfs
    no_daemon
    not inside grep fuse.datasetfs /proc/self/mountinfo
    same "$(what_is_ours)" "$(printf '%s\n' /etc/datasetfs "${drop_in%/*}")"
}

check 'rpm: both are built in Debian 11, twice with the same bytes' rpms_build
if $good; then
    check 'rpm: what they need, and nothing newer than glibc 2.31' rpms_need
    check 'rpm: what is in them' rpms_contain
    check 'rpm: the service starts when it is installed' rpms_install
fi
if $good; then
    check 'rpm: an upgrade leaves the mount alone' rpms_upgrade
    check 'rpm: the whole program takes the place of the part' rpms_swap
    check 'rpm: a removal leaves only what administrators wrote' rpms_remove
fi
