/* Records of DataSets: their attributes as last queried, and what their access allows.
 *
 * A record gives permission for FS_RECORD_TRUST_MS, since the store refuses anyway; before it
 * refuses and is older than FS_RECORD_REFUSE_MS, the store is queried. Who asks whether there is
 * such a DataSet, or what its mode is, is told what was so FS_RECORD_SHOWN_MS ago at most. */
#ifndef FS_RECORD_H
#define FS_RECORD_H

#include "fs.h"
#include "hash.h"
#include "listing.h"

#include <stdbool.h>
#include <stdint.h>

#define FS_RECORD_TRUST_MS 60000
#define FS_RECORD_REFUSE_MS 20
#define FS_RECORD_SHOWN_MS 1000

/* The thread that listed a DataSet last, and how far it has walked: ahead.h. */
struct fs_walk {
    pid_t tid;                    /* 0: nobody */
    bool begun;                   /* it has looked a name up, which told the order */
    size_t next;                  /* in the listing, or in this: */
    struct fs_listing *by_number; /* the listing in the order of inode numbers; NULL: not so */
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
    int64_t queried_ms;    /* 0: do not trust */
    uint64_t learned;      /* the number of the question whose answer this is */
    uint64_t gone;         /* when it was last found gone (fs->last_question) */
    uint64_t changes;      /* own changes begun and ended: an answer that saw one is too old */
    struct timespec mtime; /* when names in it were last made or removed, as far as we saw */

    struct fs_node *node;       /* its directory, if the kernel knows it */
    struct fs_node *info_node;  /* its file in .datasetfs/info, likewise */
    struct fs_node *entries;    /* attached nodes by key */
    struct fs_listing *listing; /* its keys as last listed, or NULL */
    struct fs_journal journal;  /* of its keys */
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
void fs_record_learn(struct fs *fs, struct fs_dataset *dataset, struct ds_attributes *attributes);
void fs_record_gone(struct fs *fs, struct fs_dataset *dataset);

/* With fs->lock: the next decision shall query. */
void fs_record_distrust(struct fs_dataset *dataset);

/* What is known of a record when a question about it is asked. */
struct fs_question {
    uint64_t number; /* fs->last_question */
    uint64_t changes;
};

/* With fs->lock: brackets a question that is asked without it. The answer is worth something only
 * if no change of ours and no later answer has overtaken it. `dataset` NULL: no record's. */
struct fs_question fs_record_ask(struct fs *fs, const struct fs_dataset *dataset);
bool fs_record_believes(const struct fs_dataset *dataset, const struct fs_question *question);

/* Make the DataSet with these attributes, which are taken on success, or change the given ones. The
 * store's errors; FS_REQUEUE. */
int fs_record_create(struct fs_request *request, struct fs_dataset *dataset,
                     struct ds_attributes *attributes);
int fs_record_update(struct fs_request *request, struct fs_dataset *dataset,
                     const struct ds_attributes *attributes);

/* With fs->lock: brackets a change of the DataSet itself by us. */
void fs_record_change_begin(struct fs_dataset *dataset);
void fs_record_change_end(struct fs_dataset *dataset);

/* With fs->lock: this mount has just given the store a key, or removed it. */
void fs_record_key_changed(struct fs *fs, struct fs_dataset *dataset, const char *key, bool exists);

/* With fs->lock: this mount has just made a DataSet, or destroyed it. */
void fs_record_changed(struct fs *fs, const struct fs_dataset *dataset, bool exists);

/* With fs->lock: names were made or removed in the directory now; NULL: in the root. */
void fs_record_modified(struct fs *fs, struct fs_dataset *dataset);

/* Makes sure, with at most one request, that the record is at most `max_age_ms` old. -ENOENT if
 * there is no such DataSet, or the store's errors, or FS_REQUEUE. While the store is silent any
 * record will do. */
int fs_record_refresh(struct fs_request *request, struct fs_dataset *dataset, int64_t max_age_ms);

/* The same for a name that may be no DataSet's, which is then not reported: somebody wanted to
 * know, and a shell's prompt wants to in every directory. */
int fs_record_seek(struct fs_request *request, struct fs_dataset *dataset);

/* Makes sure that the mode shown of an entry of the DataSet, or of itself (`itself`), is right.
 * Where the kernel judges by it, what would make it refuse is young, and what lets in may be
 * FS_RECORD_TRUST_MS old: it asks for each directory that it walks through. -ESTALE: the DataSet is
 * gone, and the kernel is to look the name up again. */
int fs_record_show(struct fs_request *request, struct fs_dataset *dataset, bool itself);

/* 0 if the mount's side may read or write the entries; -EACCES, or as fs_record_refresh(). `key` is
 * what the request is about, NULL: the DataSet. The second function takes both from an attached
 * node. */
int fs_record_allow(struct fs_request *request, struct fs_dataset *dataset, const char *key,
                    enum fs_need need);
int fs_record_allow_node(struct fs_request *request, const struct fs_node *node, enum fs_need need);

/* With fs->lock: the side's access as last seen. */
enum ds_access fs_record_access(const struct fs *fs, const struct fs_dataset *dataset);

#endif
