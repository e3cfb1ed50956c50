/* The filter of system calls. */
#include "confine_calls.h"

#include <errno.h>

#ifndef DS_WITH_seccomp
#define DS_WITH_seccomp 1
#endif

#if DS_WITH_seccomp

#include <linux/sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is not named is allowed: a list of what serving needs would break with the next C library,
 * which takes EPERM from a call that it has just learnt for an answer. */
static const char *const forbidden[] = {
    /* other programs, and other processes */
    "execve",
    "execveat",
    "ioprio_set",
    "kcmp",
    "pidfd_getfd",
    "pidfd_send_signal",
    "process_madvise",
    "process_vm_readv",
    "process_vm_writev",
    "sched_setaffinity",
    "sched_setattr",
    "sched_setparam",
    "sched_setscheduler",
    "setpriority",
    "tkill",
    /* mounts and name spaces */
    "chroot",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "mount",
    "mount_setattr",
    "move_mount",
    "open_tree",
    "open_tree_attr",
    "pivot_root",
    "setns",
    "swapoff",
    "swapon",
    "umount",
    "umount2",
    "unshare",
    /* the kernel */
    "bpf",
    "create_module",
    "delete_module",
    "fanotify_init",
    "finit_module",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioperm",
    "iopl",
    "kexec_file_load",
    "kexec_load",
    "open_by_handle_at",
    "perf_event_open",
    "userfaultfd",
    /* keys */
    "add_key",
    "keyctl",
    "request_key",
    /* the machine */
    "acct",
    "adjtimex",
    "clock_adjtime",
    "clock_settime",
    "quotactl",
    "quotactl_fd",
    "reboot",
    "setdomainname",
    "sethostname",
    "settimeofday",
    "stime",
    "syslog",
    "vhangup",
#ifndef __SANITIZE_ADDRESS__ /* which looks for leaks by tracing itself */
    "ptrace",
#endif
};

static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_VSOCK};

static const unsigned long spaces[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                       CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};

#ifdef __s390__
#define CLONE_FLAGS SCMP_A1
#else
#define CLONE_FLAGS SCMP_A0
#endif

/* One that this libseccomp or this kind of machine does not know is passed over. */
static int forbid(scmp_filter_ctx filter, const char *name, int error)
{
    int number = seccomp_syscall_resolve_name(name);
    int err;

    if (number == __NR_SCMP_ERROR)
        return 0;
    err = seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)error), number, 0);
    return err == -EDOM ? 0 : err;
}

static bool is_allowed(int family)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (family == families[i])
            return true;
    return false;
}

/* A rule compares an argument once only, so there is one for each family. */
static int forbid_families(scmp_filter_ctx filter, int number)
{
    int err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 1,
                               SCMP_A0(SCMP_CMP_GT, (scmp_datum_t)AF_VSOCK));

    for (int family = 0; family < AF_VSOCK && err == 0; family++)
        if (!is_allowed(family))
            err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 1,
                                   SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family));
    return err;
}

static int forbid_spaces(scmp_filter_ctx filter)
{
    int err = 0;

    for (size_t i = 0; i < sizeof spaces / sizeof *spaces && err == 0; i++)
        err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                               CLONE_FLAGS(SCMP_CMP_MASKED_EQ, spaces[i], spaces[i]));
    /* A filter cannot see its flags. The C library then takes clone. */
    return err != 0 ? err : forbid(filter, "clone3", ENOSYS);
}

/* Root's processes may be signalled by any other one of root's, and given limits: this one may do
 * so to itself only. */
static int forbid_others(scmp_filter_ctx filter)
{
    static const int signals[] = {SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(rt_sigqueueinfo),
                                  SCMP_SYS(rt_tgsigqueueinfo)};
    scmp_datum_t self = (scmp_datum_t)getpid();
    int err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 1,
                               SCMP_A0(SCMP_CMP_NE, 0));

    for (size_t i = 0; i < sizeof signals / sizeof *signals && err == 0; i++)
        err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), signals[i], 1,
                               SCMP_A0(SCMP_CMP_NE, self));
    return err;
}

static int fill(scmp_filter_ctx filter)
{
    /* Calls of another kind of machine, such as 32-bit ones, are not killed for either. */
    int err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));

    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden && err == 0; i++)
        err = forbid(filter, forbidden[i], EPERM);
    if (err == 0)
        err = forbid_spaces(filter);
    if (err == 0)
        err = forbid_others(filter);
    if (err == 0)
        err = forbid_families(filter, SCMP_SYS(socket));
    return err != 0 ? err : forbid_families(filter, SCMP_SYS(socketpair));
}

bool ds_confine_calls_built(void)
{
    return true;
}

int ds_confine_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int err;

    if (filter == NULL)
        return -ENOMEM;
    err = fill(filter);
    /* A search by halves, and no slower processor for all calls: libseccomp 2.5 knows both. */
    if (err == 0) {
        (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
        err = seccomp_load(filter);
    }
    seccomp_release(filter);
    return err == -ECANCELED || err == -EINVAL ? -EOPNOTSUPP : err;
}

#else

bool ds_confine_calls_built(void)
{
    return false;
}

int ds_confine_calls(void)
{
    return -EOPNOTSUPP;
}

#endif
