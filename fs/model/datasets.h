/* DataSets: what was last seen of each, and of the names in it. */
#ifndef FS_DATASETS_H
#define FS_DATASETS_H

#include "fs.h"
#include "hash.h"
#include "index.h"
#include "journal.h"
#include "vm.h"

#include <stdbool.h>
#include <stdint.h>

struct fs_walk;
struct fs_ahead;

/* All but vm and name: with fs->lock. */
struct fs_dataset {
    struct fs_vm *vm;
    char *name;
    UT_hash_handle hh; /* vm->datasets */
    unsigned refs;     /* nodes and requests */

    bool exists; /* as last seen */
    struct ds_attributes attributes;
    int64_t queried_ms;     /* 0: do not trust */
    uint64_t learned;       /* the number of the question whose answer this is */
    uint64_t gone;          /* when it was last found gone (fs->clock) */
    uint64_t changes;       /* own changes begun and ended: an answer that saw one is too old */
    unsigned keys_changing; /* changes of keys by us that are on their way */
    uint64_t keys_changed;  /* when the last one ended (fs->clock) */
    struct timespec mtime;  /* when names in it were last made or removed, as far as we saw */

    struct fs_node *node;       /* its directory, if the kernel knows it */
    struct fs_node *info_node;  /* its file in .datasetfs/info, likewise */
    struct fs_index entries;    /* attached nodes by key */
    struct fs_listing *listing; /* its keys as last listed, or NULL */
    struct fs_journal journal;  /* of its keys */
    uint64_t looked;            /* when it was last listed or found missing (fs->clock) */
    struct fs_walk *walk;       /* who follows that, or NULL; store/walk.h */
    struct fs_ahead *ahead;     /* what came ahead, or NULL; store/read_ahead.h */
};

/* With fs->lock: what is known of the DataSet of that name, referenced; NULL when there is none. */
struct fs_dataset *fs_dataset_find(struct fs_vm *vm, const char *name);

/* With fs->lock: the same, made if missing. NULL when there is no memory. */
struct fs_dataset *fs_dataset_get(struct fs_vm *vm, const char *name);

/* With fs->lock. One that nothing references lives on while it exists in the store. */
void fs_dataset_ref(struct fs_dataset *dataset);
void fs_dataset_unref(struct fs_dataset *dataset);

/* fs_dataset_get() and fs_dataset_unref() for callers without fs->lock. */
struct fs_dataset *fs_dataset_acquire(struct fs_vm *vm, const char *name);
void fs_dataset_release(struct fs_dataset *dataset);

/* With fs->lock: the next decision shall query. */
void fs_dataset_distrust(struct fs_dataset *dataset);

/* What is known of a DataSet when a question about it is asked. */
struct fs_question {
    uint64_t number; /* fs->clock */
    uint64_t changes;
};

/* With fs->lock: brackets a question that is asked without it. The answer is worth something only
 * if no change of ours and no later answer has overtaken it. `dataset` NULL: of none. */
struct fs_question fs_dataset_ask(struct fs *fs, const struct fs_dataset *dataset);
bool fs_dataset_believes(const struct fs_dataset *dataset, const struct fs_question *question);

/* With fs->lock: brackets a change of the DataSet itself by us. */
void fs_dataset_change_begin(struct fs_dataset *dataset);
void fs_dataset_change_end(struct fs_dataset *dataset);

/* With fs->lock: brackets a change of a key by us, however it ends. */
void fs_dataset_key_change_begin(struct fs_dataset *dataset);
void fs_dataset_key_change_end(struct fs_dataset *dataset);

/* With fs->lock: true if what is used by the DataSet may be another size than last learned because
 * of such changes. */
bool fs_dataset_is_ours(const struct fs_dataset *dataset);

/* With fs->lock: this mount has just given the store a key, or removed it. */
void fs_dataset_key_changed(struct fs *fs, struct fs_dataset *dataset, const char *key,
                            bool exists);

/* With fs->lock: the side's access as last seen. */
enum ds_access fs_dataset_access(const struct fs_dataset *dataset);

#endif
