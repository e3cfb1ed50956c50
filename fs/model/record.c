/* DataSet records and what their access allows. */
#include "record.h"

#include "cleanup.h"
#include "kernel/pages.h"
#include "kernel/request.h"
#include "node.h"
#include "store/ahead.h"
#include "store/ask.h"
#include "times.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
    dataset->mtime = fs->start;
    HASH_ADD_KEYPTR(hh, fs->datasets, dataset->name, strlen(dataset->name), dataset);
    if (!FS_HASH_HAS(hh, dataset)) {
        free(dataset->name);
        free(dataset);
        return NULL;
    }
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
    fs_listing_unref(dataset->listing);
    fs_journal_clear(&dataset->journal);
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

struct fs_question fs_record_ask(struct fs *fs, const struct fs_dataset *dataset)
{
    return (struct fs_question){.number = ++fs->last_question,
                                .changes = dataset != NULL ? dataset->changes : 0};
}

bool fs_record_believes(const struct fs_dataset *dataset, const struct fs_question *question)
{
    return question->changes == dataset->changes && question->changes % 2 == 0 &&
           question->number >= dataset->learned;
}

void fs_record_change_begin(struct fs_dataset *dataset)
{
    dataset->changes++;
}

void fs_record_change_end(struct fs_dataset *dataset)
{
    dataset->changes++;
}

void fs_record_key_changed(struct fs *fs, struct fs_dataset *dataset, const char *key, bool exists)
{
    fs_journal_note(&dataset->journal, key, exists, ++fs->last_question);
}

void fs_record_changed(struct fs *fs, const struct fs_dataset *dataset, bool exists)
{
    fs_journal_note(&fs->journal, dataset->name, exists, ++fs->last_question);
    fs_record_modified(fs, NULL);
}

void fs_record_modified(struct fs *fs, struct fs_dataset *dataset)
{
    struct timespec *mtime = dataset != NULL ? &dataset->mtime : &fs->mtime;
    struct fs_node *node = dataset != NULL ? dataset->node : fs_node_find(fs, FS_INO_ROOT);

    clock_gettime(CLOCK_REALTIME, mtime);
    if (node != NULL) { /* times set on it are over */
        node->seen.mtime = *mtime;
        node->seen.version = ++fs->last_version;
    }
    if (dataset == NULL)
        fs_node_unpin(fs, node);
}

void fs_record_learn(struct fs *fs, struct fs_dataset *dataset, struct ds_attributes *attributes)
{
    const struct ds_attributes *last = &dataset->attributes;
    bool differs =
        last->used_known && attributes->used_known && last->used_bytes != attributes->used_bytes;

    if (dataset->exists ? differs : fs_times_dataset_missed(fs, dataset))
        fs_record_modified(fs, dataset);
    ds_attributes_clear(&dataset->attributes);
    dataset->attributes = *attributes;
    memset(attributes, 0, sizeof(*attributes));
    dataset->exists = true;
    dataset->queried_ms = ds_call_now_ms();
    dataset->learned = ++fs->last_question;
}

void fs_record_gone(struct fs *fs, struct fs_dataset *dataset)
{
    fs_times_gone(fs, dataset, NULL);
    dataset->exists = false;
    dataset->queried_ms = 0;
    dataset->looked = ++fs->last_question;
    dataset->learned = dataset->gone = dataset->looked;
    fs_ahead_drop(fs, dataset);
    fs_listing_unref(dataset->listing);
    dataset->listing = NULL;
    fs_journal_clear(&dataset->journal);
    if (dataset->node != NULL)
        fs_pages_forget(fs, dataset->node);
}

void fs_record_distrust(struct fs_dataset *dataset)
{
    dataset->queried_ms = 0;
}

enum ds_access fs_record_access(const struct fs *fs, const struct fs_dataset *dataset)
{
    return ds_attributes_access(&dataset->attributes, ds_client_caps(fs->client)->side);
}

/* With fs->lock: what the store said. An answer that was overtaken is dropped. */
static int learn_answer(struct fs *fs, struct fs_dataset *dataset,
                        const struct fs_question *question, struct ds_attributes *attributes,
                        int err)
{
    if (err != 0 && err != -ENOENT)
        return err;
    if (!fs_record_believes(dataset, question)) {
        ds_attributes_clear(attributes);
        return dataset->exists ? 0 : -ENOENT;
    }
    if (err == 0)
        fs_record_learn(fs, dataset, attributes);
    else
        fs_record_gone(fs, dataset);
    dataset->learned = question->number;
    return err;
}

int fs_record_refresh(struct fs_request *request, struct fs_dataset *dataset, int64_t max_age_ms)
{
    struct fs *fs = request->fs;
    struct ds_attributes attributes = {0};
    struct fs_question question;
    int err;

    pthread_mutex_lock(&fs->lock);
    bool known = dataset->exists && dataset->queried_ms != 0 &&
                 (ds_call_now_ms() - dataset->queried_ms <= max_age_ms || fs_silent(fs));
    question = fs_record_ask(fs, dataset);
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
    return learn_answer(fs, dataset, &question, &attributes, err);
}

/* The same for what is only shown: where memory has an answer, it serves when the store stays
 * silent. */
static int refresh_patiently(struct fs_request *request, struct fs_dataset *dataset,
                             int64_t max_age_ms)
{
    struct fs *fs = request->fs;
    int64_t deadline_ms = request->call.deadline_ms;
    int64_t patience_ms = ds_call_now_ms() + FS_SILENT_MS;
    bool known;
    int err;

    pthread_mutex_lock(&fs->lock);
    known = dataset->exists && dataset->queried_ms != 0;
    pthread_mutex_unlock(&fs->lock);
    if (!known || patience_ms >= deadline_ms)
        return fs_record_refresh(request, dataset, max_age_ms);
    request->call.deadline_ms = patience_ms;
    err = fs_record_refresh(request, dataset, max_age_ms);
    request->call.deadline_ms = deadline_ms;
    return err == -ETIMEDOUT ? 0 : err;
}

int fs_record_seek(struct fs_request *request, struct fs_dataset *dataset)
{
    int err = refresh_patiently(request, dataset, FS_RECORD_SHOWN_MS);

    if (err == -ENOENT)
        request->call.text[0] = '\0';
    return err;
}

/* How old a record may be for what it shows, by what it shows. */
static int64_t shown_ms(const struct fs *fs, const struct fs_dataset *dataset)
{
    if (!fs->options->allow_other)
        return FS_RECORD_SHOWN_MS;
    switch (fs_record_access(fs, dataset)) {
    case DS_ACCESS_NONE:
        return FS_RECORD_REFUSE_MS;
    case DS_ACCESS_READ_ONLY:
        return FS_RECORD_SHOWN_MS;
    case DS_ACCESS_READ_WRITE:
    case DS_ACCESS_UNKNOWN:
        break;
    }
    return FS_RECORD_TRUST_MS;
}

int fs_record_show(struct fs_request *request, struct fs_dataset *dataset, bool itself)
{
    struct fs *fs = request->fs;
    int64_t age_ms;
    int err;

    if (!itself && !fs->options->allow_other)
        return 0; /* ACCESS and OPEN decide, not what is shown */
    pthread_mutex_lock(&fs->lock);
    age_ms = shown_ms(fs, dataset);
    pthread_mutex_unlock(&fs->lock);
    err = refresh_patiently(request, dataset, age_ms);
    if (err != -ENOENT)
        return err;
    request->call.text[0] = '\0'; /* whoever looks the name up is told that it is missing */
    return -ESTALE;
}

/* Brackets fs_store_begin() and what is asked in between. */
static int begin_change(struct fs_request *request, struct fs_dataset *dataset)
{
    int err = fs_store_begin(request, true);

    if (err == 0) {
        DS_LOCK_SCOPE(&request->fs->lock);
        fs_record_change_begin(dataset);
    }
    return err;
}

int fs_record_create(struct fs_request *request, struct fs_dataset *dataset,
                     struct ds_attributes *attributes)
{
    struct fs *fs = request->fs;
    int err = begin_change(request, dataset);

    if (err != 0)
        return err;
    err = ds_client_create(fs->client, &request->call, dataset->name, attributes);
    fs_store_end(request);
    DS_LOCK_SCOPE(&fs->lock);
    fs_record_change_end(dataset);
    if (err == 0) {
        fs_record_learn(fs, dataset, attributes);
        fs_record_changed(fs, dataset, true);
        fs_record_modified(fs, dataset);
    }
    return err;
}

int fs_record_update(struct fs_request *request, struct fs_dataset *dataset,
                     const struct ds_attributes *attributes)
{
    struct fs *fs = request->fs;
    int err = begin_change(request, dataset);

    if (err != 0)
        return err;
    err = ds_client_update(fs->client, &request->call, dataset->name, attributes);
    fs_store_end(request);
    DS_LOCK_SCOPE(&fs->lock);
    fs_record_change_end(dataset);
    if (err == 0 || err == -ENOENT)
        fs_record_distrust(dataset); /* the next decision shall query */
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
