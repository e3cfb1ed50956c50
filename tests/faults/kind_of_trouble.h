/* What goes wrong without the simulator's doing. */
#ifndef FAULTS_KIND_OF_TROUBLE_H
#define FAULTS_KIND_OF_TROUBLE_H

#include "tests/mount/harness.h"

/* It begins before an operation and ends behind it. */
struct trouble {
    void (*begin)(const struct harness_daemon *daemon);
    /* While the operation runs in this child; NULL: nothing. */
    void (*during)(const struct harness_daemon *daemon, pid_t child);
    void (*end)(const struct harness_daemon *daemon);
    void (*in_child)(void);  /* in the operation's own process; NULL: nothing */
    uint64_t (*fired)(void); /* how often it has struck so far */
};

#endif
