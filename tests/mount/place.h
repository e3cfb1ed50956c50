/* Where tests on mounts run: a tmpfs in a mount namespace of our own, with a directory for each. */
#ifndef PLACE_H
#define PLACE_H

#include <limits.h>
#include <stdbool.h>

/* The daemon's path: $DATASETFS, else "datasetfs" three folders above this program. */
const char *harness_binary(void);

/* Another file of this build: $VARIABLE, else `name` in the same place. Ends the program if there
 * is none. */
void harness_program(const char *variable, const char *name, char out[PATH_MAX]);

/* The directory of the running test, absolute. */
const char *harness_dir(void);

/* For the harness. Looks for the programs of this build, then enters a mount namespace. NULL, or
 * in a word or two why that is impossible. */
const char *place_leave_namespace(void);

/* Makes the tmpfs; ends the program if that fails. place_remove() may be called in a handler. */
void place_make(void);
void place_remove(void);

/* Enters a fresh directory, which becomes that of the running test, and again from elsewhere. False
 * if that fails. */
bool place_enter(void);
bool place_return(void);

/* Removes the directory of the running test. False if that fails. */
bool place_clear(void);

#endif
