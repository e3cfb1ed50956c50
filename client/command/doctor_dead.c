/* Mounts of a SOURCE, and whether somebody serves them. */
#include "doctor_dead.h"

#include "cleanup.h"
#include "client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

/* A daemon tells of its file system without asking the store. */
enum { PATIENCE_MS = 2000 };

/* The kernel writes blanks, newlines and backslashes as three octal digits. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0';) {
        if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
            *to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

/* The point of a mount of ours from `source`, within the line of mountinfo; NULL if it is none. */
static char *point_of(char *line, const char *source)
{
    static const char separator[] = " - fuse.datasetfs ";
    char *from = strstr(line, separator), *point = line;

    if (from == NULL)
        return NULL;
    from += strlen(separator);
    from[strcspn(from, " ")] = '\0';
    unescape(from);
    if (strcmp(from, source) != 0)
        return NULL;
    for (int field = 0; field < 4; field++) /* id, parent, device, root */
        point += strcspn(point, " ") + 1;
    point[strcspn(point, " ")] = '\0';
    unescape(point);
    return point;
}

/* In a child, since the question may hang as long as the daemon does. */
static void answer(const char *point, int pipe_end)
{
    struct statfs mounted;
    int error = statfs(point, &mounted) == 0 ? 0 : errno;

    /* The kernel's answer to those whom it does not let in. */
    if (error == 0 && mounted.f_bsize == 0)
        error = EACCES;
    _exit(write(pipe_end, &error, sizeof error) == sizeof error ? 0 : 1);
}

/* 0, the errno that the mount answers with, or -1 if it is silent. */
static int ask(const char *point)
{
    int ends[2], error = -1;
    struct pollfd readable;
    pid_t pid;

    if (pipe(ends) != 0)
        return errno;
    pid = fork();
    if (pid == 0)
        answer(point, ends[1]);
    close(ends[1]);
    readable = (struct pollfd){.fd = ends[0], .events = POLLIN};
    if (pid < 0)
        error = EAGAIN;
    else if (poll(&readable, 1, PATIENCE_MS) <= 0 ||
             read(ends[0], &error, sizeof error) != sizeof error)
        error = -1;
    close(ends[0]);
    if (pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return error;
}

/* True if it is alive. */
static bool look_at(const char *point, struct ds_report *report)
{
    char advice[2 * PATH_MAX + 64];
    int error = ask(point);

    if (error == 0)
        return true;
    if (error == ENOTCONN || error == ECONNABORTED) {
        snprintf(advice, sizeof advice, "run umount -l '%s', or as its user fusermount3 -uz '%s'",
                 point, point);
        ds_report_fail(report, "mounts", advice, "%s is dead: its daemon has ended without it",
                       point);
    } else if (error == EACCES) {
        snprintf(advice, sizeof advice, "this user may not enter %s", point);
        ds_report_skip(report, "mounts", advice);
    } else if (error < 0) {
        ds_report_warn(report, "mounts", "look whether its daemon is stopped or hangs",
                       "%s does not answer", point);
    } else {
        ds_report_warn(report, "mounts", NULL, "%s: %s", point, strerror(error));
    }
    return false;
}

void ds_doctor_dead(const char *source, struct ds_report *report)
{
    FILE *table = fopen("/proc/self/mountinfo", "re");
    char *absolute DS_AUTO_FREE = NULL, *line DS_AUTO_FREE = NULL;
    size_t size = 0, alive = 0, other = 0;

    if (table == NULL || ds_source_absolute(source, &absolute) != 0) {
        ds_report_skip(report, "mounts", "the table of mounts cannot be read");
        if (table != NULL)
            fclose(table);
        return;
    }
    while (getline(&line, &size, table) > 0) {
        const char *point = point_of(line, absolute);

        if (point == NULL)
            continue;
        if (look_at(point, report))
            alive++;
        else
            other++;
    }
    fclose(table);
    if (alive + other == 0)
        ds_report_ok(report, "mounts", "there is none of this SOURCE");
    else if (alive > 0)
        ds_report_ok(report, "mounts", "%zu of this SOURCE served", alive);
}
