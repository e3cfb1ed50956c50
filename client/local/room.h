/* Room on the disk for what is about to be committed: on a full disk, what stands in SQLite's log
 * could else neither be moved into the store file nor be followed by anything, not even by the
 * removal of a key. */
#ifndef DS_LOCAL_ROOM_H
#define DS_LOCAL_ROOM_H

#include <stdint.h>
#include <sys/types.h>

struct ds_room;

/* What all users of one file in this process share: SQLite's locks belong to the process and to the
 * file, and are gone when any descriptor of it is closed. NULL without memory. Whoever opens
 * connections holds it before the first and drops it after the last. */
struct ds_room *ds_room_hold(const char *file, dev_t device, ino_t inode);

/* Harmless on NULL. */
void ds_room_drop(struct ds_room *room);

/* Makes sure that the store file can be `bytes` long; the kernel keeps what others write there
 * meanwhile. 0, also where the file system cannot promise that; -ENOSPC, -EDQUOT or -EFBIG. */
int ds_room_reserve(struct ds_room *room, int64_t bytes);

/* Keeps some room for SQLite's log, which lies in `log`, beyond its end if need be: enough to
 * remove a value. Where there is none, that shows with the next change. */
void ds_room_keep_log(const char *log);

#endif
