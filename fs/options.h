/* The command line: `datasetfs SOURCE MOUNTPOINT [-o OPTION,…] [-f] [-d] [-h] [-V]`. Pure. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include "client.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Exit statuses of mount(8). */
enum { FS_EXIT_OK = 0, FS_EXIT_USAGE = 1, FS_EXIT_SYSTEM = 2, FS_EXIT_MOUNT = 32 };

struct fs_options {
    char *source;     /* exactly as typed */
    char *mountpoint; /* as typed */
    bool foreground;  /* -f, also set by -d */
    bool debug;       /* -d */
    bool help;        /* -h: nothing else is filled in or required */
    bool version;     /* -V: the same */

    struct ds_source_options source_options; /* side=host|guest */
    bool read_only;                          /* ro */
    bool allow_other;                        /* allow_other */
    bool xattr;                              /* xattr */
    bool force;                              /* force: rmdir deletes a DataSet with its entries */
    uid_t uid;                               /* uid=N, default the caller's */
    gid_t gid;                               /* gid=N, default the caller's */
    mode_t umask;                            /* umask=OCTAL, default 0 */
    int64_t timeout_ms;                      /* timeout=SECONDS, 1 to 3600, default 10 */
    int64_t ttl_ms;                          /* ttl=SECONDS, 0 to 86400, default 0 */
    size_t cache_bytes;                      /* cache=SIZE (bytes, or with K, M or G), 0 to 4 GiB, default 16M */
    unsigned max_threads;                    /* max_threads=N, 2 to 256, default 32 */
    struct ds_attributes defaults;           /* host_access= guest_access= description=
                                                omit_from_snapshot_and_clone; complete */

    /* Options for mount(2) in the kernel's words, comma-separated, in the order given, always ending
     * in nosuid,nodev,noexec; never holds fsname, subtype or an option of ours. */
    char *kernel_options;
};

/* Reads the command line. Options may stand before, between and after the two arguments; `-o` may be
 * repeated; "\," in an option's value is a comma and "\\" a backslash; "--" ends the options. Of a repeated
 * option the last one counts. Generic fstab words (rw, defaults, auto, noauto, user, nouser, users,
 * owner, group, nofail, _netdev, x-…, comment=…, uhelper=…, helper=…) are accepted and dropped, and
 * so are dev, suid and exec; atime, noatime, relatime, norelatime, strictatime, diratime, nodiratime,
 * lazytime, nolazytime, sync, async, dirsync, mand, nomand, silent, loud, iversion, noiversion go to
 * the kernel as far as they mean something to it, allow_other, allow_root, default_permissions,
 * max_read=N and auto_unmount to FUSE. SOURCE is checked with ds_source_check().
 *
 * 0, or -EINVAL with one line in `why` (FS_OPTIONS_WHY_BYTES) that names the fault and what would be right; -ENOMEM.
 * On failure the options are empty. */
#define FS_OPTIONS_WHY_BYTES 512
int fs_options_parse(struct fs_options *options, int argc, char *const argv[], char *why);

/* The text of -h: usage, one line per option. Static. */
const char *fs_options_help(void);

/* Frees what the options own and zeroes them. */
void fs_options_clear(struct fs_options *options);

#endif
