/* Numbers in the order of time. */
#include "clock.h"

uint64_t fs_clock_version(struct fs_clock *clock)
{
    return ++clock->last_version;
}

uint64_t fs_clock_moment(struct fs_clock *clock)
{
    return ++clock->last_moment;
}
