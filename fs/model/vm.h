/* A virtual machine: its store, how that answers, and its DataSets. A mount shows one, in its root.
 */
#ifndef FS_VM_H
#define FS_VM_H

#include "client.h"
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
struct fs_request;

/* A store that does not answer at all; store/lost_store.h. */
struct fs_lost {
    bool lost;
    bool probing;        /* a probe is under way */
    int64_t probe_ms;    /* no other before */
    int64_t answered_ms; /* when the store answered last */
};

struct fs_vm {
    struct fs *fs;              /* that shows it */
    fuse_ino_t ino;             /* of the directory of its DataSets */
    struct ds_client *client;   /* borrowed */
    const struct ds_caps *caps; /* of the client */

    /* With fs->lock. */
    struct fs_dataset *datasets; /* by name */
    struct fs_listing *listing;  /* of the DataSets as last listed, or NULL */
    struct fs_journal journal;   /* of them */
    struct timespec mtime;       /* as that of a DataSet (datasets.h) */
    struct fs_request *waiting;  /* requests that wait for the store, the oldest first */
    int64_t silent_until_ms;     /* 0: the last request was answered */
    struct fs_lost lost;
};

/* A machine without DataSets, whose directory was last modified at `mtime`. NULL when there is no
 * memory. */
struct fs_vm *fs_vm_new(struct fs *fs, fuse_ino_t ino, struct ds_client *client,
                        const struct timespec *mtime);

/* Frees it when it has no DataSet any more, but not the client. Harmless on NULL. */
void fs_vm_free(struct fs_vm *vm);

/* True if the store has left a request unanswered for FS_SILENT_MS, now or just before. With
 * fs->lock. */
bool fs_vm_is_silent(const struct fs_vm *vm);

/* True if a lost store is not to be asked now for what memory can answer. With fs->lock. */
bool fs_vm_rests(const struct fs_vm *vm, int64_t now_ms);

#endif
