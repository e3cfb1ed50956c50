# Bare roots of Debian's releases, for bash scripts that source this: how they are made, and how something runs
# in one so that no mount and no process is left, however it ends. MIRROR is where packages come from (where apt
# gets this machine's). Needs root and scripts/install-deps --machines.
# shellcheck shell=bash

# Says what is missing, in one line, and fails if no root can be made here.
root_possible() {
    local command
    if [ "$(id -u)" -ne 0 ]; then
        echo "only root can make a root of another release"
        return 1
    fi
    for command in debootstrap setpriv unshare; do
        command -v "$command" >/dev/null && continue
        echo "$command is missing: scripts/install-deps --machines installs it"
        return 1
    done
}

# Makes the directory ROOT unless it is there from an earlier time: the essential packages of RELEASE, with apt,
# and those named. Fails with the words of debootstrap. While it works, another one that comes waits.
root_make() {
    local root=$1 release=$2 mirror lock
    shift 2
    # shellcheck disable=SC2016 # apt's variable
    mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
        grep -m 1 '/debian/$' || true)}
    mkdir -p "$(dirname "$root")" || return
    exec {lock}>"$root.lock" && flock "$lock" || return
    if [ ! -e "$root.made" ]; then
        rm -rf "$root" &&
            unshare --mount --propagation private debootstrap --variant=minbase ${1:+"--include=$(
                IFS=,
                echo "$*"
            )"} "$release" "$root" ${mirror:+"$mirror"} || return
        # As this machine reaches its packages.
        apt-config dump | grep -E '^Acquire::(https?::|Check-)' >"$root/etc/apt/apt.conf.d/90machines" || true
        touch "$root.made"
    fi
    exec {lock}>&-
}

# In a process whose mounts are its own: changes into the root, with what is mounted there.
root_enter() {
    mount --rbind "$1" "$1"
    cd "$1" || return
    mount -t proc proc proc
    mount --rbind /sys sys
    mount --rbind /dev dev
    mount -t tmpfs tmpfs run
    mount -t tmpfs tmpfs tmp
    cp -L /etc/resolv.conf /etc/hosts etc
    mkdir -p .old
    pivot_root . .old
    umount -l .old
    rmdir .old
}

isolated= # the pid of what isolate() runs

# Runs a command with mounts and processes of its own, which are gone when it ends or when this shell dies. The
# environment is bare but for the variables that are named before "--". Answers with the command's status. The
# caller's traps call isolate_end().
isolate() {
    local status=0 environment=(PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb)
    while [ "$1" != -- ]; do
        [ -z "${!1:-}" ] || environment+=("$1=${!1}")
        shift
    done
    shift
    # unshare(1) heeds SIGKILL only.
    setpriv --pdeathsig KILL env -i "${environment[@]}" \
        unshare --mount --mount-proc --propagation private --pid --fork --kill-child "$@" </dev/null &
    isolated=$!
    wait "$isolated" || status=$?
    isolated=
    return "$status"
}

# Ends what still runs there, and returns when no process is left.
isolate_end() {
    local first
    [ -n "$isolated" ] || return 0
    first=$(root_children "$isolated")
    kill -KILL "$isolated"
    wait "$isolated"
    # It is reaped when all others of its name space have been.
    while [ -n "$first" ] && [ -d "/proc/$first" ]; do
        sleep 0.02
    done
    isolated=
}

# The processes that a process has started, a line each.
root_children() {
    sed -nE "/^PPid:[[:space:]]*$1\$/F" /proc/[0-9]*/status 2>/dev/null | grep -oE '[0-9]+' || true
}
