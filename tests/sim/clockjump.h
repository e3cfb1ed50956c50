/* What a test and libclockjump.so in the daemon share: the file that CLOCKJUMP_FILE names. */
#ifndef CLOCKJUMP_H
#define CLOCKJUMP_H

#include <stdatomic.h>

#define CLOCKJUMP_FILE "DS_CLOCKJUMP"

struct clockjump {
    atomic_long seconds; /* that the clock of the day is ahead */
    atomic_ulong looks;  /* at it, while it was not right */
};

#endif
