/* Rules of landlock. */
#include "confine_files.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's own header is missing on Debian 11, and lacks most of this on Debian 12, while a
 * program that was built there runs on later kernels: the names and numbers of linux/landlock.h. */
enum { CALL_CREATE = 444, CALL_ADD_RULE = 445, CALL_RESTRICT = 446 };
enum { CREATE_VERSION = 1, RULE_PATH_BENEATH = 1 };

enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_DIR = 1 << 4,
    REMOVE_FILE = 1 << 5,
    MAKE_CHAR = 1 << 6,
    MAKE_DIR = 1 << 7,
    MAKE_REG = 1 << 8,
    MAKE_SOCK = 1 << 9,
    MAKE_FIFO = 1 << 10,
    MAKE_BLOCK = 1 << 11,
    MAKE_SYM = 1 << 12,
    REFER = 1 << 13,    /* from version 2 */
    TRUNCATE = 1 << 14, /* 3 */
    IOCTL_DEV = 1 << 15 /* 5 */
};
enum { SCOPE_SIGNAL = 1 << 1 }; /* 6 */

struct ruleset {
    uint64_t files;
    uint64_t ports;  /* from version 4 */
    uint64_t scoped; /* 6 */
};

struct beneath {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

/* What is allowed on a file; all else is on directories. */
enum { ON_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV };
enum { READING = READ_FILE | READ_DIR };
enum { CHANGING = READING | WRITE_FILE | REMOVE_FILE | MAKE_REG | TRUNCATE };

struct rules {
    int fd;
    uint64_t known; /* by this kernel */
};

int ds_confine_files_version(void)
{
    long version = syscall(CALL_CREATE, NULL, (size_t)0, CREATE_VERSION);

    return version > 0 ? (int)version : 0;
}

static uint64_t known_in(int version)
{
    uint64_t known = REFER - 1;

    if (version >= 2)
        known |= REFER;
    if (version >= 3)
        known |= TRUNCATE;
    if (version >= 5)
        known |= IOCTL_DEV;
    return known;
}

static size_t ruleset_bytes(int version)
{
    if (version >= 6)
        return sizeof(struct ruleset);
    return version >= 4 ? offsetof(struct ruleset, scoped) : offsetof(struct ruleset, ports);
}

/* 0, also where there is no such file, or a negative errno. */
static int allow(const struct rules *rules, const char *path, uint64_t allowed)
{
    struct beneath rule = {.allowed = allowed & rules->known};
    struct stat status;
    int fd DS_AUTO_CLOSE = open(path, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
    if (fstat(fd, &status) != 0)
        return -errno;
    if (!S_ISDIR(status.st_mode))
        rule.allowed &= ON_FILE;
    rule.parent = fd;
    return syscall(CALL_ADD_RULE, rules->fd, RULE_PATH_BENEATH, &rule, 0) == 0 ? 0 : -errno;
}

/* The directory where a file of the system's configuration really is: others keep it up to date. */
static int allow_place_of(const struct rules *rules, const char *file)
{
    char real[PATH_MAX];

    if (realpath(file, real) == NULL)
        return 0;
    *strrchr(real, '/') = '\0';
    return allow(rules, real, READING);
}

/* What the C library, TLS and SQLite read: names of hosts, time zones, plug-ins, certificates,
 * random bytes. What is asked over a socket (nss-resolve, sssd, syslog) needs no rule. */
static int allow_system(const struct rules *rules)
{
    static const char *const read[] = {"/etc",
                                       "/usr",
                                       "/lib",
                                       "/lib32",
                                       "/lib64",
                                       "/proc",
                                       "/run/systemd/resolve",
                                       "/var/lib/sss/mc",
                                       "/var/lib/ca-certificates",
                                       "/sys/devices/system/cpu"};
    static const char *const devices[] = {"/dev/null", "/dev/random", "/dev/urandom"};
    int err = allow_place_of(rules, "/etc/resolv.conf");

    for (size_t i = 0; i < sizeof read / sizeof *read && err == 0; i++)
        err = allow(rules, read[i], READING);
    for (size_t i = 0; i < sizeof devices / sizeof *devices && err == 0; i++)
        err = allow(rules, devices[i], READ_FILE | WRITE_FILE | TRUNCATE);
#ifdef __SANITIZE_ADDRESS__
    if (err == 0) /* a report names lines */
        err = allow_place_of(rules, "/proc/self/exe");
#endif
    return err;
}

/* The nearest directory that is there. */
static int allow_directory(const struct rules *rules, const struct ds_confine_place *place)
{
    char path[PATH_MAX];

    if (strlen(place->path) >= sizeof path)
        return -ENAMETOOLONG;
    strcpy(path, place->path);
    while (access(path, F_OK) != 0 && strcmp(path, "/") != 0) {
        char *slash = strrchr(path, '/');

        if (slash == NULL)
            return -EINVAL;
        slash[slash == path ? 1 : 0] = '\0';
    }
    return allow(rules, path, place->change ? CHANGING : READING);
}

int ds_confine_files(const struct ds_confine *confine)
{
    int version = ds_confine_files_version();
    struct ruleset ruleset = {.files = known_in(version), .scoped = SCOPE_SIGNAL};
    struct rules rules = {.known = ruleset.files};
    int err;

    if (version == 0)
        return -EOPNOTSUPP;
    rules.fd = (int)syscall(CALL_CREATE, &ruleset, ruleset_bytes(version), 0);
    if (rules.fd < 0)
        return -errno;
    err = allow_system(&rules);
    for (size_t i = 0; i < confine->count && err == 0; i++)
        err = allow_directory(&rules, &confine->places[i]);
    if (err == 0 && syscall(CALL_RESTRICT, rules.fd, 0) != 0)
        err = -errno;
    close(rules.fd);
    return err;
}
