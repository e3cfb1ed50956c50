/* Numbers for what happens in a mount, in the order of time; 0: never. With fs->lock. */
#ifndef FS_CLOCK_H
#define FS_CLOCK_H

#include <stdint.h>

/* Part of struct fs. */
struct fs_clock {
    uint64_t last_version;
    uint64_t last_moment;
};

/* The next version of what an inode shows. */
uint64_t fs_clock_version(struct fs_clock *clock);

/* The next moment, of what is asked, seen or changed. */
uint64_t fs_clock_moment(struct fs_clock *clock);

#endif
