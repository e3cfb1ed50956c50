/* Room on the disk. */
#include "room.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* To remove a value takes some ten pages of the log. */
enum { LOG_BYTES = 128 * 1024, LOG_MIN_BYTES = 16 * 1024 };

struct ds_room {
    dev_t device;
    ino_t inode;
    char *file; /* the name that it had last, as far as is known */
    unsigned users;
    int fd; /* -1 until it is needed; closed with the last user */
    struct ds_room *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ds_room *rooms; /* under lock, with all that is in them */

struct ds_room *ds_room_hold(const char *file, dev_t device, ino_t inode)
{
    DS_LOCK_SCOPE(&lock);
    struct ds_room *room = rooms;
    while (room && (room->device != device || room->inode != inode))
        room = room->next;
    char *copy = strdup(file);
    if (copy && !room) {
        room = calloc(1, sizeof *room);
        if (room) {
            *room = (struct ds_room){.device = device, .inode = inode, .fd = -1, .next = rooms};
            rooms = room;
        }
    }
    if (!copy || !room) {
        free(copy);
        return NULL;
    }
    free(room->file); /* it may have been renamed */
    room->file = copy;
    room->users++;
    return room;
}

void ds_room_drop(struct ds_room *room)
{
    if (!room)
        return;
    DS_LOCK_SCOPE(&lock);
    if (--room->users)
        return;
    struct ds_room **at = &rooms;
    while (*at != room)
        at = &(*at)->next;
    *at = room->next;
    if (room->fd >= 0)
        close(room->fd);
    free(room->file);
    free(room);
}

/* A descriptor of the file, or -1: then nothing is reserved. */
static int use_fd(struct ds_room *room)
{
    struct stat status;
    char path[64];
    DS_LOCK_SCOPE(&lock);
    if (room->fd >= 0)
        return room->fd;
    /* By now another file may have the name, one that is in use here too: only a descriptor that
     * just finds a file is closed without dropping the locks on it. */
    int found DS_AUTO_CLOSE = open(room->file, O_PATH | O_CLOEXEC);
    if (found < 0 || fstat(found, &status) != 0 || status.st_dev != room->device ||
        status.st_ino != room->inode)
        return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", found);
    room->fd = open(path, O_RDWR | O_CLOEXEC);
    return room->fd;
}

int ds_room_reserve(struct ds_room *room, int64_t bytes)
{
    struct stat status;
    int fd = use_fd(room);
    if (fd < 0 || fstat(fd, &status) != 0 || status.st_size >= bytes)
        return 0;
    int err;
    do
        err = fallocate(fd, 0, status.st_size, bytes - status.st_size) == 0 ? 0 : -errno;
    while (err == -EINTR);
    return err == -ENOSPC || err == -EDQUOT || err == -EFBIG ? err : 0;
}

void ds_room_keep_log(const char *log)
{
    int fd DS_AUTO_CLOSE = open(log, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    for (off_t bytes = LOG_BYTES; fd >= 0 && bytes >= LOG_MIN_BYTES; bytes /= 2)
        if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, bytes) == 0)
            return;
}
