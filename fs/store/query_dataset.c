/* Asking the store for DataSets, and what its answers say. */
#include "query_dataset.h"

#include "ask.h"
#include "cleanup.h"
#include "kernel/forget.h"
#include "model/directory_times.h"
#include "model/key_history.h"
#include "model/times.h"
#include "read_ahead.h"

#include <errno.h>
#include <string.h>

void fs_query_changed(struct fs *fs, const struct fs_dataset *dataset, bool exists)
{
    fs_journal_note(&dataset->vm->journal, dataset->name, exists, fs_clock_moment(&fs->clock));
    fs_directory_vm_modified(dataset->vm);
}

void fs_query_learn(struct fs *fs, struct fs_dataset *dataset, struct ds_attributes *attributes)
{
    const struct ds_attributes *last = &dataset->attributes;
    bool differs = last->used_known && attributes->used_known &&
                   last->used_bytes != attributes->used_bytes && !fs_dataset_is_ours(dataset);

    if (dataset->exists ? differs : fs_times_dataset_missed(fs, dataset))
        fs_directory_modified(fs, dataset);
    ds_attributes_clear(&dataset->attributes);
    dataset->attributes = *attributes;
    memset(attributes, 0, sizeof(*attributes));
    dataset->exists = true;
    dataset->queried_ms = ds_call_now_ms();
    dataset->learned = fs_clock_moment(&fs->clock);
}

void fs_query_gone(struct fs *fs, struct fs_dataset *dataset)
{
    fs_history_gone(fs, dataset, NULL);
    dataset->exists = false;
    dataset->queried_ms = 0;
    dataset->looked = fs_clock_moment(&fs->clock);
    dataset->learned = dataset->gone = dataset->looked;
    fs_ahead_drop(fs, dataset);
    fs_listing_unref(dataset->listing);
    dataset->listing = NULL;
    fs_journal_clear(&dataset->journal);
    if (dataset->node != NULL)
        fs_forget_soon(&fs->kernel, &dataset->node->busy->stale);
}

/* With fs->lock: what the store said. An answer that was overtaken is dropped. */
static int learn_answer(struct fs *fs, struct fs_dataset *dataset,
                        const struct fs_question *question, struct ds_attributes *attributes,
                        int err)
{
    if (err != 0 && err != -ENOENT)
        return err;
    if (!fs_dataset_believes(dataset, question)) {
        ds_attributes_clear(attributes);
        return dataset->exists ? 0 : -ENOENT;
    }
    if (err == 0)
        fs_query_learn(fs, dataset, attributes);
    else
        fs_query_gone(fs, dataset);
    dataset->learned = question->number;
    return err;
}

int fs_query_refresh(struct fs_request *request, struct fs_dataset *dataset, int64_t max_age_ms)
{
    struct fs *fs = request->fs;
    struct ds_attributes attributes = {0};
    struct fs_question question;
    int err;

    pthread_mutex_lock(&fs->lock);
    bool known =
        dataset->exists && dataset->queried_ms != 0 &&
        (ds_call_now_ms() - dataset->queried_ms <= max_age_ms || fs_vm_is_silent(dataset->vm));
    question = fs_dataset_ask(fs, dataset);
    pthread_mutex_unlock(&fs->lock);
    if (known)
        return 0;

    fs_request_about(request, dataset->name, NULL);
    err = fs_ask_begin(request, dataset->vm, false);
    if (err != 0)
        return err;
    err = ds_client_query(dataset->vm->client, &request->call, dataset->name, &attributes);
    fs_ask_end(request, dataset->vm);

    DS_LOCK_SCOPE(&fs->lock);
    return learn_answer(fs, dataset, &question, &attributes, err);
}

int fs_query_patiently(struct fs_request *request, struct fs_dataset *dataset, int64_t max_age_ms)
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
        return fs_query_refresh(request, dataset, max_age_ms);
    request->call.deadline_ms = patience_ms;
    err = fs_query_refresh(request, dataset, max_age_ms);
    request->call.deadline_ms = deadline_ms;
    return err == -ETIMEDOUT ? 0 : err;
}

int fs_query_seek(struct fs_request *request, struct fs_dataset *dataset)
{
    int err = fs_query_patiently(request, dataset, FS_QUERY_SHOWN_MS);

    if (err == -ENOENT)
        request->call.text[0] = '\0';
    return err;
}

/* Brackets fs_ask_begin() and what is asked in between. */
static int begin_change(struct fs_request *request, struct fs_dataset *dataset)
{
    int err = fs_ask_begin(request, dataset->vm, true);

    if (err == 0) {
        DS_LOCK_SCOPE(&request->fs->lock);
        fs_dataset_change_begin(dataset);
    }
    return err;
}

int fs_query_create(struct fs_request *request, struct fs_dataset *dataset,
                    struct ds_attributes *attributes)
{
    struct fs *fs = request->fs;
    int err = begin_change(request, dataset);

    if (err != 0)
        return err;
    err = ds_client_create(dataset->vm->client, &request->call, dataset->name, attributes);
    fs_ask_end(request, dataset->vm);
    DS_LOCK_SCOPE(&fs->lock);
    fs_dataset_change_end(dataset);
    if (err == 0) {
        fs_query_learn(fs, dataset, attributes);
        fs_query_changed(fs, dataset, true);
        fs_directory_modified(fs, dataset);
    }
    return err;
}

int fs_query_destroy(struct fs_request *request, struct fs_dataset *dataset, bool force)
{
    struct fs *fs = request->fs;
    int err;

    pthread_mutex_unlock(&fs->lock);
    fs_request_about(request, dataset->name, NULL);
    err = begin_change(request, dataset);
    if (err == 0) {
        err = ds_client_destroy(dataset->vm->client, &request->call, dataset->name, force);
        fs_ask_end(request, dataset->vm);
        pthread_mutex_lock(&fs->lock);
        fs_dataset_change_end(dataset);
        if (err == -ENOENT)
            fs_query_gone(fs, dataset);
        return err;
    }
    pthread_mutex_lock(&fs->lock);
    return err;
}

int fs_query_update(struct fs_request *request, struct fs_dataset *dataset,
                    const struct ds_attributes *attributes)
{
    struct fs *fs = request->fs;
    int err = begin_change(request, dataset);

    if (err != 0)
        return err;
    err = ds_client_update(dataset->vm->client, &request->call, dataset->name, attributes);
    fs_ask_end(request, dataset->vm);
    DS_LOCK_SCOPE(&fs->lock);
    fs_dataset_change_end(dataset);
    if (err == 0 || err == -ENOENT || ds_call_sent(&request->call) == DS_SENT_MAYBE)
        fs_dataset_distrust(dataset); /* the next decision shall query */
    return err;
}
