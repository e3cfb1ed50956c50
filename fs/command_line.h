/* The command line: `datasetfs SOURCE MOUNTPOINT [-o OPTION,…] [-f] [-d] [-h] [-V]`. Pure. */
#ifndef FS_COMMAND_LINE_H
#define FS_COMMAND_LINE_H

#include "model/options.h"

#define FS_USAGE "datasetfs SOURCE MOUNTPOINT [-o OPTION,...]"

/* Exit statuses of mount(8). */
enum { FS_EXIT_OK = 0, FS_EXIT_USAGE = 1, FS_EXIT_SYSTEM = 2, FS_EXIT_MOUNT = 32 };

/* Reads the command line. Options may stand before, between and after the two arguments; `-o` may
 * be repeated; "\," in an option's value is a comma and "\\" a backslash; "--" ends the options. Of
 * a repeated option the last one counts. uid= and gid= are numbers; sizes are bytes or have a
 * suffix K, M or G of 1024. The words of -o are those of option_own.h, store_options.h and
 * option_kernel.h.
 *
 * Generic words of fstab (defaults, auto, noauto, user, nofail, _netdev, x-…, comment=…, …) are
 * accepted and dropped, so are dev, suid, exec and the words for times, which a store does not
 * keep; noatime, sync, async, dirsync, *context=…, allow_other, allow_root, default_permissions,
 * auto_unmount and max_read=N go to `kernel_options`. SOURCE is checked with ds_source_check().
 *
 * 0, or -EINVAL with one line in `why` (DS_OPTION_WHY_BYTES) that names the fault and what would
 * be right, and that never repeats what could be a password; -ENOMEM. On failure the options are
 * empty. */
int fs_command_line_parse(struct fs_options *options, int argc, char *const argv[], char *why);

/* The same, but words of -o that it does not know are dropped. */
int fs_command_line_parse_sloppy(struct fs_options *options, int argc, char *const argv[],
                                 char *why);

#endif
