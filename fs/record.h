/* Records of DataSets: their attributes as last queried, and what their access allows.
 *
 * A record gives permission for FS_RECORD_TRUST_MS, since the store refuses anyway; before it
 * refuses and is older than FS_RECORD_REFUSE_MS, the store is queried. */
#ifndef FS_RECORD_H
#define FS_RECORD_H

#include "fs.h"

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#define FS_RECORD_TRUST_MS 60000
#define FS_RECORD_REFUSE_MS 1000

/* A directory's names as one request gave them; shared by handles, constant. */
struct fs_listing {
    unsigned refs;         /* with fs->lock */
    struct ds_names names; /* in the order of strcmp(3) */
    uint64_t asked;        /* the number of that request (fs->last_question) */
};

/* The thread that listed a DataSet last, and how far it has walked: ahead.h. */
struct fs_walk {
    pid_t tid;   /* 0: nobody */
    size_t next; /* in the listing */
    struct fs_batch {
        struct fs_node **nodes; /* fetched ahead, pinned */
        size_t count;
    } last, before; /* the two latest: one may end amid what the kernel is being told */
};

/* All but name: with fs->lock. */
struct fs_dataset {
    char *name;
    UT_hash_handle hh; /* fs->datasets */
    unsigned refs;     /* nodes and requests */

    bool exists; /* as last seen */
    struct ds_attributes attributes;
    int64_t queried_ms; /* 0: do not trust */

    struct fs_node *node;       /* its directory, if the kernel knows it */
    struct fs_node *info_node;  /* its file in .datasetfs/info, likewise */
    struct fs_node *entries;    /* attached nodes by key */
    struct fs_listing *listing; /* its keys as last listed, or NULL */
    uint64_t looked;            /* when it was last listed or found missing (fs->last_question) */
    struct fs_walk walk;
};

enum fs_need { FS_NEED_READ, FS_NEED_WRITE };

/* With fs->lock: the record of that name, referenced; NULL when there is none. */
struct fs_dataset *fs_record_find(struct fs *fs, const char *name);

/* With fs->lock: the same, made if missing. NULL when there is no memory. */
struct fs_dataset *fs_record_get(struct fs *fs, const char *name);

/* With fs->lock. A record that nothing references lives on while its DataSet exists. */
void fs_record_ref(struct fs_dataset *dataset);
void fs_record_unref(struct fs *fs, struct fs_dataset *dataset);

/* fs_record_get() and fs_record_unref() for callers without fs->lock. */
struct fs_dataset *fs_record_acquire(struct fs *fs, const char *name);
void fs_record_release(struct fs *fs, struct fs_dataset *dataset);

/* With fs->lock: what was just seen. `attributes` is taken (zeroed). The caller holds a reference.
 */
void fs_record_learn(struct fs_dataset *dataset, struct ds_attributes *attributes);
void fs_record_gone(struct fs *fs, struct fs_dataset *dataset);

/* With fs->lock: the next decision shall query. */
void fs_record_distrust(struct fs_dataset *dataset);

/* A listing with one reference of `names`, which is taken, asked for under that number. NULL when
 * there is no memory: the names are freed. */
struct fs_listing *fs_listing_new(struct ds_names *names, uint64_t asked);

bool fs_listing_has(const struct fs_listing *listing, const char *name);

/* With fs->lock. */
void fs_listing_unref(struct fs_listing *listing);

/* Makes sure, with at most one request, that the record is at most `max_age_ms` old. -ENOENT if
 * there is no such DataSet, or the store's errors, or FS_REQUEUE. While the store is silent any
 * record will do. */
int fs_record_refresh(struct fs_request *request, struct fs_dataset *dataset, int64_t max_age_ms);

/* The same for a name that may be no DataSet's, which is then not reported: somebody wanted to
 * know, and a shell's prompt wants to in every directory. */
int fs_record_seek(struct fs_request *request, struct fs_dataset *dataset);

/* 0 if the mount's side may read or write the entries; -EACCES, or as fs_record_refresh(). `key` is
 * what the request is about, NULL: the DataSet. The second function takes both from an attached
 * node. */
int fs_record_allow(struct fs_request *request, struct fs_dataset *dataset, const char *key,
                    enum fs_need need);
int fs_record_allow_node(struct fs_request *request, const struct fs_node *node, enum fs_need need);

/* With fs->lock: the side's access as last seen. */
enum ds_access fs_record_access(const struct fs *fs, const struct fs_dataset *dataset);

#endif
