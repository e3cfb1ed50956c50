/* Asking for listings, and what they tell of other things. */
#include "list_names.h"

#include "ask.h"
#include "cleanup.h"
#include "kernel/error_log.h"
#include "model/directory_times.h"
#include "model/key_history.h"
#include "query_dataset.h"
#include "walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* With fs->lock: what a listing of DataSets tells of each. */
static void mark_vanished(struct fs_vm *vm, const struct fs_listing *listing)
{
    struct fs_dataset *dataset, *next;

    HASH_ITER (hh, vm->datasets, dataset, next) {
        bool seen_since = dataset->learned > listing->asked || dataset->changes % 2 != 0;

        if (dataset->exists && !seen_since && !fs_listing_has(listing, dataset->name)) {
            fs_dataset_ref(dataset);
            fs_query_gone(vm->fs, dataset);
            fs_dataset_unref(dataset);
        }
    }
}

/* The directory of a DataSet, or that of the machine's DataSets. */
struct place {
    struct fs_vm *vm;
    struct fs_dataset *dataset; /* or NULL */
    struct fs_listing **last;
    struct fs_journal *journal;
};

static struct place place_of(struct fs_vm *vm, struct fs_dataset *dataset)
{
    if (dataset == NULL)
        return (struct place){.vm = vm, .last = &vm->listing, .journal = &vm->journal};
    return (struct place){.vm = dataset->vm,
                          .dataset = dataset,
                          .last = &dataset->listing,
                          .journal = &dataset->journal};
}

/* With fs->lock: true if names came or went since the last listing, and not by this mount. */
static bool differs(const struct place *place, const struct fs_listing *listing)
{
    const struct fs_listing *last = *place->last;
    size_t i = 0, j = 0;

    while (last != NULL && (i < last->names.count || j < listing->names.count)) {
        const char *old = i < last->names.count ? last->names.names[i] : NULL;
        const char *new = j < listing->names.count ? listing->names.names[j] : NULL;
        int order = old == NULL ? 1 : new == NULL ? -1 : strcmp(old, new);

        if (order != 0 && !fs_journal_explains(place->journal, order < 0 ? old : new, last->asked))
            return true;
        i += order <= 0;
        j += order >= 0;
    }
    return false;
}

/* With fs->lock: the store's answer, `listing` (taken), becomes the last listing, unless one that
 * was asked for later came before it, or the DataSet is another one by now. */
static int learn_listing(struct fs_request *request, const struct place *place,
                         struct fs_listing *listing)
{
    struct fs *fs = request->fs;
    int err;

    if ((*place->last != NULL && (*place->last)->asked > listing->asked) ||
        (place->dataset != NULL && place->dataset->gone > listing->asked)) {
        fs_listing_unref(listing);
        return 0;
    }
    err = fs_journal_apply(place->journal, &listing);
    if (err != 0) {
        fs_listing_unref(listing);
        return err;
    }
    if (place->dataset == NULL)
        mark_vanished(place->vm, listing);
    if (differs(place, listing)) {
        if (place->dataset != NULL)
            fs_directory_modified(fs, place->dataset);
        else
            fs_directory_vm_modified(place->vm);
    }
    fs_history_listed(place->vm, place->dataset, *place->last, listing);
    fs_listing_unref(*place->last);
    *place->last = listing;
    fs_journal_keep(place->journal, listing->asked);
    if (place->dataset != NULL)
        fs_walk_listed(place->dataset, request->tid);
    return 0;
}

/* With fs->lock: that the store did not list. */
static void learn_failure(struct fs *fs, struct fs_dataset *dataset,
                          const struct fs_question *question, int err)
{
    if (dataset == NULL)
        return;
    if (err == -ENOENT && fs_dataset_believes(dataset, question))
        fs_query_gone(fs, dataset);
    else if (err == -EACCES || err == -ENOENT)
        fs_dataset_distrust(dataset);
}

/* What cannot be shown must not hide the rest, nor be missing without a word. */
static void report_left_out(struct fs_request *request, size_t count)
{
    struct fs_error_log_about about = {.machine = request->machine, .dataset = request->dataset};
    char text[128];

    if (count == 0)
        return;
    snprintf(text, sizeof(text), "%zu %s not shown: not text, or too long", count,
             count == 1 ? "name is" : "names are");
    fs_error_log_note(request->fs->kernel.errors, fs_opcode_name(request->opcode), &about, -EPROTO,
                      text);
}

/* Asks the store, with fs->lock, which is released meanwhile. */
static int ask_listing(struct fs_request *request, const struct place *place)
{
    struct fs *fs = request->fs;
    struct fs_question question = fs_dataset_ask(fs, place->dataset);
    struct fs_listing *listing = NULL;
    struct ds_names names = {0};
    const char *name = place->dataset != NULL ? place->dataset->name : NULL;
    int err;

    fs_journal_begin(place->journal);
    pthread_mutex_unlock(&fs->lock);
    fs_request_about(request, name, NULL);
    err = fs_ask_begin(request, place->vm, false);
    if (err == 0) {
        err = name != NULL ? ds_client_list_keys(place->vm->client, &request->call, name, &names)
                           : ds_client_list(place->vm->client, &request->call, &names);
        fs_ask_end(request, place->vm);
    }
    if (err == 0) {
        report_left_out(request, names.left_out);
        listing = fs_listing_new(&names, question.number);
        err = listing != NULL ? 0 : -ENOMEM;
    }
    pthread_mutex_lock(&fs->lock);
    if (err == 0)
        err = learn_listing(request, place, listing);
    else
        learn_failure(fs, place->dataset, &question, err);
    fs_journal_end(place->journal);
    return err;
}

int fs_list_locked(struct fs_request *request, struct fs_vm *vm, struct fs_dataset *dataset,
                   struct fs_listing **out)
{
    struct place place = place_of(vm, dataset);
    int err = 0;

    if (*place.last == NULL || !fs_vm_is_silent(place.vm))
        err = ask_listing(request, &place);
    if (err == 0 && *place.last == NULL)
        err = -ENOENT; /* the DataSet was removed in between */
    if (err == 0)
        err = fs_journal_apply(place.journal, place.last);
    if (err != 0)
        return err;
    *out = *place.last;
    (*out)->refs++;
    return 0;
}

int fs_list(struct fs_request *request, struct fs_vm *vm, struct fs_dataset *dataset,
            struct fs_listing **out)
{
    DS_LOCK_SCOPE(&request->fs->lock);
    return fs_list_locked(request, vm, dataset, out);
}

void fs_list_put(struct fs *fs, struct fs_listing *listing)
{
    DS_LOCK_SCOPE(&fs->lock);
    fs_listing_unref(listing);
}
