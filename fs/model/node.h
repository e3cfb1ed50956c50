/* Inodes: what the kernel knows by number, found by number and by key.
 *
 * A node lives while the kernel has looked it up, a handle or a request pins it, or something is in
 * it that the store does not know: see struct fs_owners. Numbers are never used again. An entry's
 * node is *attached* while its key belongs to it; removing or replacing the key through this mount
 * detaches the node: it goes on in memory and nothing of it ever reaches the store. */
#ifndef FS_NODE_H
#define FS_NODE_H

#include "datasets.h"
#include "fs.h"
#include "index.h"
#include "kernel/forget.h"
#include "text/commit.h"
#include "text/image.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum fs_node_kind {
    FS_NODE_ROOT, /* of a mount of one machine: its DataSets */
    FS_NODE_DATASET,
    FS_NODE_ENTRY,
    FS_NODE_CONTROL, /* the directory .datasetfs; the rest stands in it */
    FS_NODE_STATS,
    FS_NODE_ERRORS,
    FS_NODE_SCRATCH,
    FS_NODE_INFO_DIR,
    FS_NODE_INFO, /* info/DATASET */
    FS_NODE_LOCK, /* a directory in a DataSet, in memory only */
    /* Of an inventory: */
    FS_NODE_MACHINES,      /* the root */
    FS_NODE_MACHINE,       /* a machine's directory: its DataSets */
    FS_NODE_MACHINE_LINK,  /* another name of one: a symbolic link */
    FS_NODE_MACHINE_TABLE, /* .datasetfs/machines */
};

/* What the store was last seen to hold under a key. */
enum fs_presence { FS_PRESENCE_UNKNOWN, FS_ABSENT, FS_PRESENT };

/* Constant bytes, shared by reference (value.h). */
struct fs_value {
    atomic_uint refs;
    size_t len;
    char data[];
};

/* What the store was last seen to hold under the key (value.h). */
struct fs_seen {
    struct fs_value *value; /* NULL: dropped or never seen */
    uint64_t digest;        /* of a value that was dropped (key_history.h); 0: not known */
    int64_t fetched_ms;     /* 0: do not trust */
    uint64_t version;       /* raised whenever the visible content differs from the last one */
    struct timespec mtime;  /* when that was */
    uint64_t learned;       /* the number of the question whose answer this is */
    uint64_t sighted;       /* the number of the last sight of it or change by us, for times.h */
    struct fs_node *newer, *older; /* fs->cache.lru, while there is a value */
    uint32_t size_bytes;           /* of the value, also when dropped */
    uint32_t changes : 30; /* own changes begun and ended: a fetch that saw one is too old */
    enum fs_presence presence : 2;
};

/* What the kernel was told of it (told_kernel.h). */
struct fs_told {
    uint64_t version;        /* of the attributes it was last given, */
    pid_t tid;               /* in an answer to that thread; 0: to one that is not known */
    uint32_t at_ms : 31;     /* the first of that version, by the lowest bits of ds_call_now_ms() */
    uint32_t pages_sure : 1; /* it has dropped all other pages */
    uint64_t page_version;   /* of the pages it may hold then; 0: mixed or unknown */
};

/* Who may use its value without a request, and once for each use (open_ticket.h). */
struct fs_ticket {
    int64_t until_ms;
    int64_t ahead_ms;            /* when it came ahead, */
    int64_t asked_ms;            /* and when that was asked for */
    pid_t tid;                   /* 0: none */
    bool coming;                 /* it is on its way */
    bool ahead_stat, ahead_open; /* uses that are left then */
};

/* What a reader does not see, or no longer (value.h). */
struct fs_stored {
    struct fs_value *had; /* what open files go on reading of a key that is gone; or NULL */
    /* Both as of the store's value, while a reader sees another one that may yet be given up. */
    bool diverges;
    uint64_t version;
    struct timespec mtime;
};

/* The working value (working.h); with the key lock. */
struct fs_working {
    struct fs_image *image; /* NULL: the working value is the store's */
    struct fs_commit commit;
    struct ds_buf tail; /* appended data that the store has not; beside no image, or an empty one */
    /* Of the write whose commit is under way, and which may be refused: nobody sees it yet. */
    struct fs_image *before; /* the image without it; NULL: it is none of the image */
    size_t tail_fresh;       /* its bytes at the end of the tail */
};

/* What the store got of it, in pieces perhaps (send.h); with the key lock. */
struct fs_sent {
    int64_t at_ms; /* when we last changed the store's value; 0: never */
    bool grown;    /* it got longer by appends since it was last set or seen */
};

/* Who has it open (handle.h). */
struct fs_open_files {
    struct fs_handle *handles;
    unsigned writers; /* those of them that may write */
};

/* What a worker is to do about it, and when (due_work.h): with fs->lock, which it may release
 * meanwhile.
 */
typedef void fs_due_work(struct fs_request *request, struct fs_node *node);
struct fs_due {
    int64_t at_ms;               /* 0: not at all */
    fs_due_work *work;           /* what was set last */
    struct fs_node *prev, *next; /* fs->due.nodes, while there is a time */
};

struct fs_key_lock {
    bool locked;
    struct fs_request *waiters; /* the first is the next */
};

/* What an inode has only while somebody works with it or something of it waits. */
struct fs_busy {
    struct fs_node *node;
    struct fs_vm *vm; /* constant: whose it is, of what belongs to a machine and no DataSet */
    struct fs_busy *prev, *next; /* fs->busy */
    struct fs_key_lock key_lock;
    struct fs_open_files open;
    struct fs_working working;
    struct fs_sent sent;
    struct fs_stored stored;
    /* What is held back, scratch.h; with the key lock. */
    struct fs_scratch *scratch; /* the content of a temporary file; NULL: it is an ordinary key */
    struct fs_node *withheld;   /* the scratch node that this key was renamed to, or NULL */
    struct fs_due due;
    struct fs_stale stale; /* its pages, or a DataSet's directory that is gone (forget.h) */
    struct fs_volatile
        *carried; /* ENTRY without a key: attributes set on it (kept_attributes.h), or NULL */
};

/* All but ino and kind: with fs->lock. */
struct fs_node {
    fuse_ino_t ino;        /* what the kernel knows it by */
    struct fs_link by_ino; /* fs->nodes */
    struct fs_link by_key; /* dataset->entries */
    uint64_t number;       /* what stat(2) knows it by, whatever it is renamed to */
    uint64_t lookups;      /* that the kernel has not forgotten */

    struct fs_dataset *dataset; /* DATASET, ENTRY, INFO, LOCK: held by reference; else NULL */
    char *key;                  /* ENTRY, LOCK: owned */
    unsigned pins;              /* handles and requests */
    unsigned keys_lost;         /* ENTRY, LOCK: how often a key was taken away from it */
    enum fs_node_kind kind : 8;
    bool attached;   /* ENTRY, LOCK: in dataset->entries */
    uint8_t walkers; /* pins held by what came ahead; fs_node_pin_ahead() */

    struct fs_seen seen;
    struct fs_told told;
    struct fs_ticket ticket;
    struct fs_busy *busy; /* never NULL: an idle entry has a zeroed one that nobody may write to */
};

/* What the owners of an inode's parts do in its life. The program knows them all and sets
 * fs->owners; with fs->lock. */
struct fs_owners {
    /* True if the node stays although nobody uses it: what it stands for is here only. */
    bool (*keep)(const struct fs_node *node);
    /* True if nothing is in the node's busy parts. */
    bool (*idle)(const struct fs_node *node);
    /* It is about to lose its key; `moves`: to another one that it gets at once. */
    void (*lose_key)(struct fs *fs, struct fs_node *node, bool moves);
    /* It has got a key that no node had. */
    void (*get_key)(struct fs *fs, struct fs_node *node);
    /* It is about to be freed. */
    void (*end)(struct fs *fs, struct fs_node *node);
    /* The work of a temporary file that is left behind. */
    fs_due_work *left;
};

/* All with fs->lock held. */

/* Makes a node with no lookups and one pin; an entry without a key may be given one later. NULL
 * when there is no memory. */
struct fs_node *fs_node_new(struct fs *fs, enum fs_node_kind kind, struct fs_dataset *dataset,
                            const char *key);

/* A machine's own node, pinned, made if there is none. NULL when there is no memory. */
struct fs_node *fs_node_of_vm(struct fs_vm *vm, enum fs_vm_inode which);

/* Whose it is: the machine that it stands below, or fs->vm. Of what is no entry also without
 * fs->lock. */
struct fs_vm *fs_node_vm(const struct fs *fs, const struct fs_node *node);

/* The node of that number, pinned; NULL if the kernel never had it or has forgotten it. */
struct fs_node *fs_node_find(struct fs *fs, fuse_ino_t ino);

/* The attached node of a key, or NULL; pinned, or not. */
struct fs_node *fs_node_known(const struct fs_dataset *dataset, const char *key);
struct fs_node *fs_node_of_key(struct fs_dataset *dataset, const char *key);

/* The same, made if there is none. NULL when there is no memory. */
struct fs_node *fs_node_get_key(struct fs *fs, struct fs_dataset *dataset, const char *key);

/* Any attached node of the DataSet, or of all nodes; without a pin; NULL if there is none. */
struct fs_node *fs_node_any_of(const struct fs_dataset *dataset);
struct fs_node *fs_node_any(const struct fs *fs);

/* Gives a pinned node its busy parts, which it has at least until the last pin is taken back; what
 * is no entry has them always. 0 or -ENOMEM. */
int fs_node_make_busy(struct fs *fs, struct fs_node *node);
bool fs_node_is_busy(const struct fs_node *node);

/* True if an open file may write to it. */
bool fs_node_is_written(const struct fs_node *node);

/* True if the store has nothing to do with it. */
bool fs_node_is_local(const struct fs_node *node);

/* Takes or gives back one pin; a node that nothing holds any more is freed. */
void fs_node_pin(struct fs_node *node);
void fs_node_unpin(struct fs *fs, struct fs_node *node);

/* The same for a value that came ahead, which may be dropped from memory all the same. */
void fs_node_pin_ahead(struct fs_node *node);
void fs_node_unpin_ahead(struct fs *fs, struct fs_node *node);

/* Whoever holds the node, which is detached, has let go of it: the mount ends. */
void fs_node_drop(struct fs *fs, struct fs_node *node);

/* The kernel was given the node. */
void fs_node_looked_up(struct fs_node *node);

/* Without fs->lock: fs_node_find() and fs_node_unpin(), and the kernel forgets a node `count`
 * times.
 */
struct fs_node *fs_node_acquire(struct fs *fs, fuse_ino_t ino);
void fs_node_release(struct fs *fs, struct fs_node *node);
void fs_node_forget(struct fs *fs, fuse_ino_t ino, uint64_t count);

/* For fs_forget_start(): a node's pages, or the name of a DataSet's directory, unless it is there
 * again. */
bool fs_node_forgotten(const struct fs_stale *stale, struct fs_forgotten *what);

/* Takes the key away from the node, which keeps the attributes set on it. */
void fs_node_detach(struct fs *fs, struct fs_node *node);

/* The node is a temporary file now, whose name may come again: its number is no name's. */
void fs_node_unname(struct fs *fs, struct fs_node *node);

/* Gives a node another key, detaching the node that had it; the attributes set on it follow. 0 or
 * -ENOMEM. */
int fs_node_move(struct fs *fs, struct fs_node *node, struct fs_dataset *dataset, const char *key);

/* The same with a copy of the key, which is taken: it cannot fail. */
void fs_node_take_key(struct fs *fs, struct fs_node *node, struct fs_dataset *dataset, char *key);

#endif
