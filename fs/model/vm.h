/* A virtual machine: its store, how that answers, and its DataSets. A mount shows one, in its root,
 * or all those of an inventory, each in a directory (machines.h); what is asked of the inventory
 * itself is then asked of a machine that has none of all this. */
#ifndef FS_VM_H
#define FS_VM_H

#include "client.h"
#include "hash.h"
#include "inventory.h"
#include "journal.h"

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* A store that has left a request unanswered for FS_SILENT_MS goes on to count as silent for so
 * long after that, unless something is answered. */
#define FS_SILENCE_TRUST_MS 5000

struct fs;
struct fs_dataset;
struct fs_node;
struct fs_request;

/* A store that does not answer at all; store/lost_store.h. */
struct fs_lost {
    bool lost;
    bool probing;        /* a probe is under way */
    int64_t probe_ms;    /* no other before */
    int64_t answered_ms; /* when the store answered last */
};

/* Inodes that a machine of an inventory has for itself: its directory, the link that is called as
 * its id, .datasetfs in its directory, and info in that. */
enum fs_vm_inode { FS_VM_DIRECTORY, FS_VM_LINK, FS_VM_CONTROL, FS_VM_INFO, FS_VM_INODES };

/* What an inventory has told of it; machines.h. All NULL and 0 in a mount of one machine. */
struct fs_machine {
    char *id;
    char *name;      /* as it is called */
    char *file_name; /* of its directory; it stays when the name is another machine's by now */
    int64_t seen_ms; /* when the inventory last told of it; 0: another question is due */
    enum ds_power power;
    bool ambiguous; /* others have the same name */
    bool shown;     /* fs->machines.by_name */
    bool returned;  /* it was gone: the client may be another machine's */
    UT_hash_handle by_id, by_name;
    struct fs_node
        *inodes[FS_VM_INODES]; /* by enum fs_vm_inode; NULL: the kernel does not know it */
};

struct fs_vm {
    struct fs *fs;              /* that shows it */
    uint64_t seed;              /* of the numbers of its inodes: another one for each machine */
    const struct ds_caps *caps; /* of the client */

    /* With fs->lock. */
    fuse_ino_t ino;           /* of the directory of its DataSets; 0: the kernel does not know it */
    struct ds_client *client; /* borrowed; of an inventory: owned, and NULL until it is needed */
    struct fs_machine machine;

    struct fs_dataset *datasets; /* by name */
    struct fs_listing *listing;  /* of the DataSets as last listed, or NULL */
    struct fs_journal journal;   /* of them */
    struct timespec mtime;       /* as that of a DataSet (datasets.h) */
    struct fs_request *waiting;  /* requests that wait for the store, the oldest first */
    int64_t silent_until_ms;     /* 0: the last request was answered */
    struct fs_lost lost;
};

/* A machine without DataSets or client, whose directory was last modified at `mtime`. NULL when
 * there is no memory. */
struct fs_vm *fs_vm_new(struct fs *fs, uint64_t seed, const struct ds_caps *caps,
                        const struct timespec *mtime);

/* Frees it when it has no DataSet and no inode any more, but not the client. Harmless on NULL. */
void fs_vm_free(struct fs_vm *vm);

/* True if the store has left a request unanswered for FS_SILENT_MS, now or just before. With
 * fs->lock. */
bool fs_vm_is_silent(const struct fs_vm *vm);

/* True if a lost store is not to be asked now for what memory can answer. With fs->lock. */
bool fs_vm_rests(const struct fs_vm *vm, int64_t now_ms);

#endif
