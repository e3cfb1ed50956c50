/* Where tests on mounts run. */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static char build[PATH_MAX]; /* the folder of this build's programs */
static char binary[PATH_MAX];
static char base[PATH_MAX];      /* our tmpfs */
static char directory[PATH_MAX]; /* the running test's */
static unsigned test_number;

const char *harness_binary(void)
{
    return binary;
}

const char *harness_dir(void)
{
    return directory;
}

void harness_program(const char *variable, const char *name, char out[PATH_MAX])
{
    const char *given = getenv(variable);
    if (given) {
        if (!realpath(given, out))
            out[0] = '\0';
    } else {
        if (snprintf(out, PATH_MAX, "%s/%s", build, name) >= PATH_MAX)
            out[0] = '\0';
    }
    if (access(out, R_OK) != 0) {
        fprintf(stderr, "no %s to test at '%s'; set %s\n", name, out, variable);
        exit(1);
    }
}

/* Three folders above this program. Where it lies can only be asked in the mount namespace that it
 * was started in: elsewhere, in a chroot, its path is one that nobody can open. */
static void find_build(void)
{
    ssize_t len = readlink("/proc/self/exe", build, sizeof build - 1);
    build[len > 0 ? len : 0] = '\0';
    for (int i = 0; i < 3; i++) {
        char *slash = strrchr(build, '/');
        if (slash)
            *slash = '\0';
    }
}

/* A mount namespace of our own, of which nobody else sees anything. In a chroot to a folder the
 * root is no mount point, whose propagation could be changed: a copy of it on /tmp is one. */
static bool leave_mount_namespace(void)
{
    char where[PATH_MAX];
    if (!getcwd(where, sizeof where) || unshare(CLONE_NEWNS) != 0)
        return false;
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
        return true;
    return errno == EINVAL && mount("/", "/tmp", NULL, MS_BIND | MS_REC, NULL) == 0 &&
           mount("none", "/tmp", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && chroot("/tmp") == 0 &&
           chdir(where) == 0;
}

const char *place_leave_namespace(void)
{
    const char *why = NULL;
    find_build();
    int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (geteuid() != 0)
        why = "not root";
    else if (fuse < 0)
        why = "no /dev/fuse";
    else if (!leave_mount_namespace())
        why = "no mount namespace";
    if (fuse >= 0)
        close(fuse);
    return why;
}

void place_make(void)
{
    harness_program("DATASETFS", "datasetfs", binary);
    const char *tmp = getenv("TMPDIR");
    snprintf(base, sizeof base, "%s/datasetfs-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(base) || mount("tmpfs", base, "tmpfs", 0, "mode=0755") != 0) {
        perror("cannot make a place for the tests");
        exit(1);
    }
    chmod(base, 0755); /* for the tests with other users */
}

void place_remove(void)
{
    /* The mount point is in everybody's namespace, what is mounted there only in ours. */
    umount2(base, MNT_DETACH);
    rmdir(base);
}

bool place_enter(void)
{
    char number[16];
    snprintf(number, sizeof number, "%u", ++test_number);
    return chdir(base) == 0 && mkdir(number, 0755) == 0 && chdir(number) == 0 &&
           getcwd(directory, sizeof directory);
}

bool place_return(void)
{
    return chdir(directory) == 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

bool place_clear(void)
{
    return chdir(base) == 0 &&
           nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0;
}
