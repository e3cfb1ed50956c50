/* DataSet records and what their access allows. */
#include "record.h"

#include "ahead.h"
#include "cleanup.h"
#include "node.h"
#include "request.h"
#include "times.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fs_dataset *fs_record_find(struct fs *fs, const char *name)
{
    struct fs_dataset *dataset;

    HASH_FIND_STR(fs->datasets, name, dataset);
    if (dataset != NULL)
        dataset->refs++;
    return dataset;
}

struct fs_dataset *fs_record_get(struct fs *fs, const char *name)
{
    struct fs_dataset *dataset = fs_record_find(fs, name);

    if (dataset != NULL)
        return dataset;
    dataset = calloc(1, sizeof(*dataset));
    if (dataset == NULL)
        return NULL;
    dataset->name = strdup(name);
    if (dataset->name == NULL) {
        free(dataset);
        return NULL;
    }
    dataset->refs = 1;
    HASH_ADD_KEYPTR(hh, fs->datasets, dataset->name, strlen(dataset->name), dataset);
    return dataset;
}

void fs_record_ref(struct fs_dataset *dataset)
{
    dataset->refs++;
}

void fs_record_unref(struct fs *fs, struct fs_dataset *dataset)
{
    if (--dataset->refs > 0 || dataset->exists)
        return;
    HASH_DEL(fs->datasets, dataset);
    ds_attributes_clear(&dataset->attributes);
    if (dataset->listing != NULL)
        fs_listing_unref(dataset->listing);
    free(dataset->name);
    free(dataset);
}

struct fs_dataset *fs_record_acquire(struct fs *fs, const char *name)
{
    DS_LOCK_SCOPE(&fs->lock);
    return fs_record_get(fs, name);
}

void fs_record_release(struct fs *fs, struct fs_dataset *dataset)
{
    DS_LOCK_SCOPE(&fs->lock);
    fs_record_unref(fs, dataset);
}

void fs_record_learn(struct fs_dataset *dataset, struct ds_attributes *attributes)
{
    ds_attributes_clear(&dataset->attributes);
    dataset->attributes = *attributes;
    memset(attributes, 0, sizeof(*attributes));
    dataset->exists = true;
    dataset->queried_ms = ds_call_now_ms();
}

void fs_record_gone(struct fs *fs, struct fs_dataset *dataset)
{
    fs_times_gone(fs, dataset, NULL);
    dataset->exists = false;
    dataset->queried_ms = 0;
    dataset->looked = ++fs->last_question;
    fs_ahead_drop(fs, dataset);
    if (dataset->listing != NULL)
        fs_listing_unref(dataset->listing);
    dataset->listing = NULL;
}

void fs_record_distrust(struct fs_dataset *dataset)
{
    dataset->queried_ms = 0;
}

void fs_listing_unref(struct fs_listing *listing)
{
    if (--listing->refs == 0) {
        ds_names_clear(&listing->names);
        free(listing);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct fs_listing *fs_listing_new(struct ds_names *names, uint64_t asked)
{
    struct fs_listing *listing = calloc(1, sizeof(*listing));

    if (listing == NULL) {
        ds_names_clear(names);
        return NULL;
    }
    listing->refs = 1;
    listing->names = *names;
    listing->asked = asked;
    memset(names, 0, sizeof(*names));
    if (listing->names.count > 0)
        qsort(listing->names.names, listing->names.count, sizeof(char *), compare_names);
    return listing;
}

bool fs_listing_has(const struct fs_listing *listing, const char *name)
{
    return listing->names.count > 0 && bsearch(&name, listing->names.names, listing->names.count,
                                               sizeof(char *), compare_names) != NULL;
}

enum ds_access fs_record_access(const struct fs *fs, const struct fs_dataset *dataset)
{
    return ds_attributes_access(&dataset->attributes, ds_client_caps(fs->client)->side);
}

int fs_record_refresh(struct fs_request *request, struct fs_dataset *dataset, int64_t max_age_ms)
{
    struct fs *fs = request->fs;
    struct ds_attributes attributes = {0};
    int err;

    pthread_mutex_lock(&fs->lock);
    bool known = dataset->exists && dataset->queried_ms != 0 &&
                 (ds_call_now_ms() - dataset->queried_ms <= max_age_ms || fs_silent(fs));
    pthread_mutex_unlock(&fs->lock);
    if (known)
        return 0;

    fs_request_about(request, dataset->name, NULL);
    err = fs_store_begin(request, false);
    if (err != 0)
        return err;
    err = ds_client_query(fs->client, &request->call, dataset->name, &attributes);
    fs_store_end(request);

    DS_LOCK_SCOPE(&fs->lock);
    if (err == 0)
        fs_record_learn(dataset, &attributes);
    else if (err == -ENOENT)
        fs_record_gone(fs, dataset);
    return err;
}

int fs_record_seek(struct fs_request *request, struct fs_dataset *dataset)
{
    int err = fs_record_refresh(request, dataset, FS_RECORD_TRUST_MS);

    if (err == -ENOENT)
        request->call.text[0] = '\0';
    return err;
}

static bool allows(enum ds_access access, enum fs_need need)
{
    return access == DS_ACCESS_UNKNOWN || access == DS_ACCESS_READ_WRITE ||
           (access == DS_ACCESS_READ_ONLY && need == FS_NEED_READ);
}

int fs_record_allow(struct fs_request *request, struct fs_dataset *dataset, const char *key,
                    enum fs_need need)
{
    struct fs *fs = request->fs;
    int64_t trust_ms[] = {FS_RECORD_TRUST_MS, FS_RECORD_REFUSE_MS};
    enum ds_access access = DS_ACCESS_UNKNOWN;

    for (unsigned i = 0; i < sizeof(trust_ms) / sizeof(trust_ms[0]); i++) {
        int err = fs_record_refresh(request, dataset, trust_ms[i]);

        if (err != 0)
            return err;
        pthread_mutex_lock(&fs->lock);
        access = fs_record_access(fs, dataset);
        pthread_mutex_unlock(&fs->lock);
        if (allows(access, need))
            return 0;
    }
    fs_request_about(request, dataset->name, key);
    return ds_call_fail(&request->call, -EACCES, "the DataSet is %s for the %s",
                        ds_access_name(access),
                        ds_client_caps(fs->client)->side == DS_SIDE_GUEST ? "guest" : "host");
}

int fs_record_allow_node(struct fs_request *request, const struct fs_node *node, enum fs_need need)
{
    struct fs *fs = request->fs;
    struct fs_dataset *dataset;
    int err;

    /* A rename may give the node another key and DataSet meanwhile. */
    pthread_mutex_lock(&fs->lock);
    dataset = node->dataset;
    fs_record_ref(dataset);
    pthread_mutex_unlock(&fs->lock);
    err = fs_record_allow(request, dataset, NULL, need);
    pthread_mutex_lock(&fs->lock);
    fs_record_unref(fs, dataset);
    if (err == -EACCES)
        fs_request_about(request, node->dataset->name, node->key);
    pthread_mutex_unlock(&fs->lock);
    return err;
}
