/* The command line: `datasetfs SOURCE MOUNTPOINT [-o OPTION,…] [-f] [-d] [-h] [-V]`. Pure. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include "client.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Exit statuses of mount(8). */
enum { FS_EXIT_OK = 0, FS_EXIT_USAGE = 1, FS_EXIT_SYSTEM = 2, FS_EXIT_MOUNT = 32 };

#define FS_UMASK_DEFAULT 077

struct fs_options {
    char *source;     /* exactly as typed */
    char *mountpoint; /* as typed */
    bool foreground;  /* -f, also set by -d */
    bool debug;       /* -d */
    bool help;        /* -h: nothing else is filled in or required */
    bool version;     /* -V: the same */

    struct ds_source_options source_options; /* side= channels= parallel= insecure delay_connect */
    /* credentials=FILE, cacert=FILE, pin=sha256//HASH; source_options refers to them. */
    char *credentials;
    char *cacert;
    char *pin;
    bool read_only;       /* ro */
    bool allow_other;     /* allow_other */
    bool xattr;           /* xattr */
    bool commit_at_close; /* commit=close: writes are always gathered; commit=write is default */
    bool force;           /* force: rmdir deletes a DataSet with its entries */
    uid_t uid;            /* uid=N, default the caller's */
    gid_t gid;            /* gid=N, default the caller's */
    mode_t umask;         /* umask=OCTAL, default FS_UMASK_DEFAULT */
    int64_t timeout_ms;   /* timeout=SECONDS, 1 to 3600, default 10 */
    int64_t ttl_ms;       /* ttl=SECONDS, 0 to 86400, default 0 */
    uint64_t cache_bytes; /* cache=SIZE (bytes, or with K, M or G), 0 to 4 GiB, default 16M */
    unsigned max_threads; /* max_threads=N, 2 to 256, default 32 */
    struct ds_attributes defaults; /* host_access= guest_access= description=
                                      omit_from_snapshot_and_clone; complete */
    char *scratch; /* scratch=GLOB:…, NULL: the usual ones, "": none; as in scratch_name.h */
    int64_t scratch_delay_ms; /* scratch_delay=SECONDS, 1 to 86400, default 10 */

    /* For libfuse: "ro" if read_only, then what the user gave for FUSE and mount(2), in the order
     * given and with commas inside a value as "\,"; always ends in nosuid,nodev,noexec. Never holds
     * fsname, subtype or an option of ours. */
    char *kernel_options;
};

#define FS_OPTIONS_WHY_BYTES 512

/* Reads the command line. Options may stand before, between and after the two arguments; `-o` may
 * be repeated; "\," in an option's value is a comma and "\\" a backslash; "--" ends the options. Of
 * a repeated option the last one counts. uid= and gid= are numbers; sizes are bytes or have a
 * suffix K, M or G of 1024.
 *
 * Generic words of fstab (defaults, auto, noauto, user, nofail, _netdev, x-…, comment=…, …) are
 * accepted and dropped, so are dev, suid, exec and the words for times, which a store does not
 * keep; noatime, sync, async, dirsync, *context=…, allow_other, allow_root, default_permissions,
 * auto_unmount and max_read=N go to `kernel_options`. SOURCE is checked with ds_source_check().
 *
 * 0, or -EINVAL with one line in `why` (FS_OPTIONS_WHY_BYTES) that names the fault and what would
 * be right, and that never repeats what could be a password; -ENOMEM. On failure the options are
 * empty. */
int fs_options_parse(struct fs_options *options, int argc, char *const argv[], char *why);

/* The text of -h: usage, then one line per option that begins with two spaces and its name. Static;
 * the first call must come before threads exist. */
const char *fs_options_help(void);

/* Frees what the options own and zeroes them. */
void fs_options_clear(struct fs_options *options);

#endif
