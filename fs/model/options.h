/* What the mount was asked to be and do. */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include "store_options.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define FS_UMASK_DEFAULT 077
#define FS_READAHEAD_MAX 65536 /* more than any store takes at once */

struct fs_options {
    char *source;     /* exactly as typed */
    char *mountpoint; /* as typed */
    bool foreground;  /* -f, also set by -d */
    bool debug;       /* -d */
    bool help;        /* -h: nothing else is filled in or required */
    bool version;     /* -V: the same */
    /* As mount(8)'s helper only. */
    bool check_only;  /* -f: look whether all is well, mount nothing */
    bool verbose;     /* -v: say what is mounted */
    char *name_space; /* -N: of mounts, a file or the id of a process; NULL: the caller's */

    struct ds_store_options store; /* its attributes, of DataSets to be made, are complete */
    bool read_only;                /* ro */
    bool allow_other;              /* allow_other */
    bool xattr;                    /* xattr */
    bool no_sandbox;               /* nosandbox: the daemon keeps its rights */
    bool commit_at_close; /* commit=close: writes are always gathered; commit=write is default */
    bool force;           /* force: rmdir deletes a DataSet with its entries */
    uid_t uid;            /* uid=N, default the caller's */
    gid_t gid;            /* gid=N, default the caller's */
    mode_t umask;         /* umask=OCTAL, default FS_UMASK_DEFAULT */
    int64_t ttl_ms;       /* ttl=SECONDS, 0 to 86400, default 0 */
    uint64_t cache_bytes; /* cache=SIZE (bytes, or with K, M or G), 0 to 4 GiB, default 16M */
    unsigned readahead;   /* readahead=N, values at once, 0 to FS_READAHEAD_MAX, default that */
    unsigned max_threads; /* max_threads=N, 2 to 256, default 32 */
    char *scratch; /* scratch=GLOB:…, NULL: the usual ones, "": none; as in scratch_name.h */
    int64_t scratch_delay_ms; /* scratch_delay=SECONDS, 1 to 86400, default 10 */

    /* For libfuse: "ro" if read_only, then what the user gave for FUSE and mount(2), in the order
     * given and with commas inside a value as "\,"; always ends in nosuid,nodev,noexec. Never holds
     * fsname, subtype or an option of ours. */
    char *kernel_options;
};

/* Frees what the options own and zeroes them. */
void fs_options_clear(struct fs_options *options);

#endif
