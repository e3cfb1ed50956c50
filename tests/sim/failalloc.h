/* What a test and the program that it lets run out of memory share: a page of a file. */
#ifndef SIM_FAILALLOC_H
#define SIM_FAILALLOC_H

#include <stdatomic.h>

/* The environment variable that names the file. */
#define FAILALLOC_FILE "DS_FAILALLOC"

struct failalloc {
    atomic_long left; /* this many allocations on, one fails; 0: none does */
    atomic_long seen; /* allocations so far while it was not 0 */
    atomic_long failed;
};

#endif
