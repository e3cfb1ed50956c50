# The packages for Debian, as files.
# shellcheck shell=bash disable=SC2154 # variables of tests/boot/run and of its other parts

lint() {
    lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$packages"/*.changes
}

build_twice() {
    local first=$work/first
    mkdir "$first"
    mv "$packages"/*.deb "$first/"
    scripts/package deb
    (cd "$first" && sha256sum ./*.deb) >"$first/sums"
    (cd "$packages" && sha256sum -c "$first/sums")
    rm -r "$first"
}

field() {
    dpkg-deb -f "$1" "$2"
}

depends() {
    field "$1" Depends | tr ',' '\n' | sed 's/^ *//; s/[ :].*//' | sort | xargs
}

# Each stands in the other's place, and the guest's needs next to nothing.
relate() {
    local all guest
    all=$(echo "$packages"/datasetfs_*.deb)
    guest=$(echo "$packages"/datasetfs-guest_*.deb)
    same "$(depends "$guest")" 'fuse3 libc6 libfuse3-3 libjansson4'
    same "$(depends "$all")" 'ca-certificates fuse3 libc6 libcurl4 libfuse3-3 libjansson4 libseccomp2 libsqlite3-0'
    same "$(field "$guest" Conflicts) $(field "$guest" Replaces)" 'datasetfs datasetfs'
    same "$(field "$all" Conflicts) $(field "$all" Replaces)" 'datasetfs-guest datasetfs-guest'
    [[ $(field "$guest" Provides) =~ ^datasetfs\ \(= ]]
    [[ $(field "$all" Provides) =~ ^datasetfs-guest\ \(= ]]
}

files() {
    find "$1" ! -type d -printf '/%P\n' | sed "s|/doc/$2/|/doc/PACKAGE/|; s|/lintian/.*||" | grep -v '^/DEBIAN' | sort
}

contain() {
    local name
    for name in datasetfs datasetfs-guest; do
        dpkg-deb -R "$packages/${name}"_*.deb "$work/$name"
    done
    files "$work/datasetfs-guest" datasetfs-guest >"$work/guest.files"
    same "$(cat "$work/guest.files")" "$(sort <<'END'
/lib/systemd/system/datasetfs-guest.service
/usr/bin/datasetfs
/usr/sbin/mount.datasetfs
/usr/share/bash-completion/completions/datasetfs
/usr/share/doc/PACKAGE/README.md.gz
/usr/share/doc/PACKAGE/changelog.gz
/usr/share/doc/PACKAGE/copyright
/usr/share/doc/PACKAGE/examples/prune-updatedb
/usr/share/doc/PACKAGE/examples/run-datasets.automount
/usr/share/doc/PACKAGE/examples/run-datasets.mount
/usr/share/man/man1/datasetfs.1.gz
/usr/share/man/man8/datasetfs.8.gz
/usr/share/man/man8/mount.datasetfs.8.gz
/usr/share/zsh/site-functions/_datasetfs
END
)"
    files "$work/datasetfs" datasetfs | grep -vxF /lib/systemd/system/datasetfs@.service |
        diff - "$work/guest.files"
    cmp "$work"/datasetfs*/lib/systemd/system/datasetfs-guest.service
    same "$(readlink "$work/datasetfs/usr/sbin/mount.datasetfs")" ../bin/datasetfs
    rm -r "$work/datasetfs" "$work/datasetfs-guest"
}

check 'packages: lintian finds neither errors nor warnings' lint
check 'packages: two builds give the same bytes' build_twice
check 'packages: what they need, and that either replaces the other' relate
check 'packages: what is in them' contain
