/* As mount(8) calls its helpers: `mount.datasetfs SOURCE DIR [-sfnv] [-N NAMESPACE] [-o OPTION,…]
 * [-t TYPE]`. Pure. */
#ifndef FS_MOUNT_HELPER_H
#define FS_MOUNT_HELPER_H

#include "model/options.h"

#include <stdbool.h>

/* True if the program was called by the helper's name, "mount.datasetfs" in any directory. `name`
 * is argv[0], which may be NULL. */
bool fs_mount_helper_called(const char *name);

/* Reads the helper's arguments, where the flags are mount(8)'s, in any order and place:
 *
 *   -f         check only, mount nothing (fs_options.check_only; datasetfs itself: foreground)
 *   -s         drop unknown options instead of refusing them; a known one's value must still fit
 *   -n         accepted: there is no /etc/mtab to be written
 *   -v         say what is mounted (fs_options.verbose)
 *   -N PLACE   mount in that mount namespace, a file or the id of a process in it
 *   -t TYPE    must be datasetfs or fuse.datasetfs
 *   -o, -h, -V, --help, --version, --  as fs_command_line_parse() takes them
 *
 * `argv` ends in NULL, as main's does. Options, results and errors are those of
 * fs_command_line_parse(). */
int fs_mount_helper_parse(struct fs_options *options, int argc, char *const argv[], char *why);

#endif
