/* Names in the root of an inventory that people ask for without meaning a machine: shells, whose
 * patterns found nothing, and tools that look for files of their own (".git", "autorun.inf") in
 * every directory they come through. All functions: with fs->lock.
 *
 * A machine may be called so. But that there is none, as a listing or an answer about the name has
 * told, is believed for as long as what is told of machines is (FS_MACHINES_TRUST_MS). Any other
 * name is asked for each time: who has just made a machine must find it. */
#ifndef FS_ABSENT_MACHINES_H
#define FS_ABSENT_MACHINES_H

#include "fs.h"

#include <stdbool.h>

/* True if the name, which no machine is shown under, is one of these and known not to be there. */
bool fs_absent_machine_answers(const struct fs *fs, const char *file_name);

/* The inventory has said that there is no such machine. */
void fs_absent_machine_tell(struct fs *fs, const char *file_name);

#endif
