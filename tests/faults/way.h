/* The SOURCE that a run of the matrix goes over: what DATASETFS_TEST_SOURCE says, as for other
 * tests on mounts. */
#ifndef FAULTS_WAY_H
#define FAULTS_WAY_H

#include "tests/mount/harness.h"

enum way {
    WAY_LOCAL,    /* no DATASETFS_TEST_SOURCE */
    WAY_TOOLS,    /* tools-all: the channel */
    WAY_REST,     /* rest: one machine of a vCenter */
    WAY_MACHINES, /* rest-machines: all of them, of which we look at one */
    WAY_COUNT
};

/* Sets of them. */
#define IN(way) (1U << (way))
#define IN_LOCAL IN(WAY_LOCAL)
#define IN_TOOLS IN(WAY_TOOLS)
#define IN_REST (IN(WAY_REST) | IN(WAY_MACHINES))
#define IN_SIMULATED (IN_TOOLS | IN_REST)
#define IN_ALL (IN_LOCAL | IN_SIMULATED)

/* The one of this program. Ends the test if it is none of these. */
enum way way_of_run(void);

/* The DATASETFS_TEST_SOURCE of one, "local" for the first, and its SOURCE as people write it. */
const char *way_name(enum way way);
const char *way_title(enum way way);

/* The DataSets "app" and "few", the simulator if this way needs one, and the mount "m". */
struct harness_daemon *way_begin(enum way way);

/* Mounts "m" again, and from now on with another deadline for an operation if replies are `large`:
 * on a busy machine these take longer than the second, the least that a mount takes, for which the
 * test waits otherwise. */
struct harness_daemon *way_remount(struct harness_daemon *daemon, bool large);

/* What another program is to be called with to reach the same: SOURCE, the options, and what
 * stands before a DataSet's name in its arguments, NULL or the machine's. Valid until the next call
 * of one of these. */
const char *way_source(enum way way);
const char *way_options(enum way way);

/* Starts the simulator, which is not running, as way_begin() does. */
void way_start_simulator(enum way way);

#endif
