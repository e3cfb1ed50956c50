/* The simulated host of the store in a directory, for the targets that need it. One runs at a time.
 */
#ifndef SIMULATOR_H
#define SIMULATOR_H

#include <limits.h>

/* A product of the build that this program is from. */
void simulator_product(const char *name, char path[PATH_MAX]);

/* Starts it on the file "store" in `directory` with further arguments (ending in NULL; NULL: none)
 * and waits until it listens. The channel's socket is "rpc" there. 0 or a negative errno. */
int simulator_start(const char *directory, const char *const *arguments);

/* Ends it; fails the test if it does not end as it should. Harmless if none runs. */
void simulator_end(void);

#endif
