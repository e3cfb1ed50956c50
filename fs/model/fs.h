/* One mount: what its parts share, and the order of their locks.
 *
 * Lock order, outermost first; nothing is locked inside a lock that stands below it:
 *   1. the key lock of an inode (store/key_lock.h), several of them in the order of inode numbers;
 *   2. fs->lock, the tree: nodes, values, DataSets, handles' shared state;
 *   3. the loop's own lock;
 *   4. the error list's own lock;
 *   5. the timer's.
 * No ds_client_*() call is made with fs->lock held, and no notification of the kernel but of pages
 * of a file that nobody has open (file/prefill.h). */
#ifndef FS_FS_H
#define FS_FS_H

#include "client.h"
#include "clock.h"
#include "index.h"
#include "kernel/kernel.h"
#include "options.h"

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdint.h>

/* How long the kernel may use what it was told. Attributes must go stale soon, since the other side
 * changes values without telling us; the length of a DataSet's life is of another order. A name is
 * good for long: its inode's attributes say in time that it is gone. */
#define FS_ENTRY_TIMEOUT_S 60.0
#define FS_ATTR_TIMEOUT_S 0.020
#define FS_DIR_TIMEOUT_S 1.0

/* A value that young answers LOOKUP and GETATTR without a request. */
#define FS_FRESH_MS 20

/* The numbers of the inodes that are always there. */
enum {
    FS_INO_ROOT = FUSE_ROOT_ID,
    FS_INO_CONTROL,
    FS_INO_STATS,
    FS_INO_ERRORS,
    FS_INO_SCRATCH,
    FS_INO_INFO,               /* of a mount of one machine; */
    FS_INO_TABLE = FS_INO_INFO /* of an inventory */
};

/* Threads whose open was told ESTALE, and when: the latest of them. */
struct fs_stale_opens {
    struct {
        pid_t tid; /* 0: free */
        int64_t at_ms;
    } latest[64];
    unsigned next; /* whose place the next one takes */
};

#define FS_ABSENCES 8 /* are remembered of a thread */

/* Keys that a thread was told are missing. */
struct fs_absences {
    pid_t tid;        /* 0: free */
    int64_t begun_ms; /* since then its waits are counted */
    struct {
        uint64_t number; /* a hash of DataSet and key */
        int64_t at_ms;
    } keys[FS_ABSENCES];
    unsigned next; /* whose place the next one takes */
};

struct fs_columns;
struct fs_dataset;
struct ds_inventory;
struct fs_kind;
struct fs_listing;
struct fs_node;
struct fs_request;
struct fs_dir;
struct fs_vm;
struct fs {
    /* Constant after the start. */
    const struct fs_options *options;
    const struct fs_owners *owners; /* node.h */
    /* A DataSet without an inode is about to be freed. With fs->lock. */
    void (*end_dataset)(struct fs *fs, struct fs_dataset *dataset);
    const struct fs_kind *kinds; /* by enum fs_node_kind, kind.h */
    struct fs_vm *vm;            /* whose DataSets are in the root; of an inventory: itself */
    struct fs_kernel kernel;
    struct timespec start; /* CLOCK_REALTIME, as old counts what was there before */
    uid_t mounting_uid;    /* the daemon's own */

    pthread_mutex_t lock; /* everything below, of which one file alone writes each part */
    struct fs_clock clock;
    struct fs_index nodes;    /* by inode number; model/node.c */
    struct fs_busy *busy;     /* nodes that are, in that order; likewise */
    fuse_ino_t last_ino;      /* numbers are never used again; likewise */
    struct fs_history *marks; /* of keys without an inode, model/key_history.h */
    struct {
        struct fs_node *lru; /* nodes with a value, the latest used first */
        size_t bytes;        /* of these values */
    } cache;                 /* model/value.c */
    struct {
        struct fs_volatile *all;
        unsigned count;
    } volatiles; /* remembered attributes, model/kept_attributes.c */
    struct {
        struct fs_node *nodes;       /* with work of their own */
        struct fs_timer_entry timer; /* looks after them */
        int64_t watched_ms;          /* when it does next; 0: it does not */
        bool stopped;
    } due; /* model/due_work.c */
    struct {
        struct fs_absences latest[FS_WATCHED];
        unsigned next;
    } absent;                          /* model/absent_keys.c */
    struct fs_stale_opens stale_opens; /* file/open.c */
    struct fs_request *awaiting;       /* for what comes ahead; store/await.c */
    struct {
        struct ds_inventory *inventory; /* borrowed, constant; NULL: the mount shows one machine */
        struct fs_vm *by_id;            /* all that are known */
        struct fs_vm *by_name;          /* those that are shown, by file name */
        struct fs_listing *listing;     /* of file names, as last listed, or NULL */
        int64_t listed_ms;              /* when that was told, */
        pid_t listed_by;                /* and to which thread */
        struct fs_columns *columns;     /* what is followed across them, or NULL; store/column.c */
        /* By enum ds_op, of clients that are closed. */
        uint64_t requests[DS_OP_COUNT], errors[DS_OP_COUNT];
    } machines; /* model/machines.c */
    struct {
        struct {
            uint64_t number; /* a hash of the name */
            int64_t at_ms;
        } latest[FS_ABSENCES];
        unsigned next;    /* whose place the next one takes */
    } absent_machines;    /* model/absent_machines.c */
    size_t scratch_bytes; /* that FS_SCRATCH_MAX_BYTES limits; scratch/scratch.c */
    struct fs_dir *dirs;  /* open directories; tree/read_directory.c */
};

#endif
