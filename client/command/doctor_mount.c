/* What a mount needs on this machine. */
#include "doctor_mount.h"

#include "cleanup.h"
#include "client.h"
#include "confine.h"
#include "doctor_dead.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEVICE "/dev/fuse"
#define PROGRAM "fusermount3"
#define CONFIGURATION "/etc/fuse.conf"

static void look_at_device(struct ds_report *report)
{
    int fd DS_AUTO_CLOSE = open(DEVICE, O_RDWR | O_CLOEXEC);

    if (fd >= 0)
        ds_report_ok(report, DEVICE, "it can be opened");
    else if (errno == EACCES || errno == EPERM)
        ds_report_fail(report, DEVICE,
                       "run chmod 666 " DEVICE ", or let the container have this device", "%s",
                       strerror(errno));
    else
        ds_report_fail(report, DEVICE,
                       "run modprobe fuse, or give the container --device " DEVICE
                       "; commands such as get need no mount",
                       "%s", strerror(errno));
}

/* Where PATH has the program. False if it does not. */
static bool find_program(char path[PATH_MAX])
{
    const char *folders = getenv("PATH"); // NOLINT(concurrency-mt-unsafe): one thread

    while (folders != NULL && *folders != '\0') {
        size_t len = strcspn(folders, ":");

        snprintf(path, PATH_MAX, "%.*s/" PROGRAM, (int)len, folders);
        if (access(path, X_OK) == 0)
            return true;
        folders += len + (folders[len] == ':');
    }
    return false;
}

/* The first line that `path` --version prints, or an empty text. */
static void ask_version(const char *path, char *out, size_t size)
{
    char *const argv[] = {(char *)path, (char *)"--version", NULL};
    posix_spawn_file_actions_t actions;
    ssize_t got = 0;
    int ends[2];
    pid_t pid;

    *out = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    posix_spawn_file_actions_init(&actions);
    if (posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO) == 0 &&
        posix_spawn(&pid, path, &actions, NULL, argv, environ) == 0) {
        close(ends[1]);
        ends[1] = -1;
        got = read(ends[0], out, size - 1);
        waitpid(pid, NULL, 0);
    }
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    out[got > 0 ? got : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

/* Why the program does not become root for a user; NULL if it does. */
static const char *powerless(const char *path)
{
    struct stat file;
    struct statvfs disk;

    if (stat(path, &file) != 0 || file.st_uid != 0 || (file.st_mode & S_ISUID) == 0)
        return "it is not set-user-ID root";
    if (statvfs(path, &disk) == 0 && (disk.f_flag & ST_NOSUID) != 0)
        return "it lies on a file system that is mounted nosuid";
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? "no_new_privs keeps it from becoming root"
                                                       : NULL;
}

static void look_at_program(struct ds_report *report)
{
    bool root = geteuid() == 0;
    char path[PATH_MAX], version[128];
    const char *fault;

    if (!find_program(path)) {
        if (root)
            ds_report_warn(report, PROGRAM, "install the package fuse3",
                           "it is not in $PATH: only root can mount");
        else
            ds_report_fail(report, PROGRAM, "install the package fuse3",
                           "it is not in $PATH: this user cannot mount");
        return;
    }
    ask_version(path, version, sizeof version);
    fault = root ? NULL : powerless(path);
    if (fault != NULL)
        ds_report_fail(report, PROGRAM, "reinstall the package fuse3, or mount as root", "%s: %s",
                       path, fault);
    else
        ds_report_ok(report, PROGRAM, "%s, %s", path,
                     version[0] != '\0' ? version : "of an unknown version");
}

/* True if the option stands on a line by itself. */
static bool allows_others(void)
{
    static const char word[] = "user_allow_other";
    FILE *file = fopen(CONFIGURATION, "re");
    char *line DS_AUTO_FREE = NULL;
    size_t size = 0;
    bool found = false;

    while (file != NULL && !found && getline(&line, &size, file) > 0) {
        const char *text = line + strspn(line, " \t");
        const char *behind = text + strlen(word);

        found = strncmp(text, word, strlen(word)) == 0 && behind[strspn(behind, " \t\n")] == '\0';
    }
    if (file != NULL)
        fclose(file);
    return found;
}

static void look_at_configuration(struct ds_report *report)
{
    static const char what[] = "user_allow_other";

    if (allows_others())
        ds_report_ok(report, what, "set in " CONFIGURATION);
    else if (geteuid() == 0)
        ds_report_ok(report, what, "not set in " CONFIGURATION ", and not needed by root");
    else
        ds_report_warn(report, what, "if other users are to enter, add that line there as root",
                       "not set in " CONFIGURATION ": -o allow_other is refused to this user");
}

/* What a daemon would be confined by. */
static void look_at_confinement(struct ds_report *report)
{
    static const char what[] = "confinement";
    struct ds_confine_offers offers = ds_confine_offers();
    bool calls = offers.calls && offers.calls_built;

    if (calls && offers.files > 0)
        ds_report_ok(report, what,
                     "capabilities, no_new_privs, seccomp, and version %d of landlock",
                     offers.files);
    else
        ds_report_warn(report, what, NULL, "capabilities, no_new_privs%s%s; %s%s%s",
                       calls ? ", seccomp" : "", offers.files > 0 ? ", landlock" : "",
                       calls                ? ""
                       : offers.calls_built ? "this kernel has no seccomp"
                                            : "this program was built without libseccomp",
                       !calls && offers.files == 0 ? ", " : "",
                       offers.files == 0 ? "this kernel has no landlock" : "");
}

void ds_doctor_mount(const char *source, struct ds_report *report)
{
    look_at_device(report);
    look_at_program(report);
    look_at_configuration(report);
    look_at_confinement(report);
    ds_doctor_dead(source, report);
}
