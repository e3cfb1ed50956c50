/* DataSets as far as they are known. */
#include "datasets.h"

#include "cleanup.h"

#include <stdlib.h>
#include <string.h>

struct fs_dataset *fs_dataset_find(struct fs_vm *vm, const char *name)
{
    struct fs_dataset *dataset;

    HASH_FIND_STR(vm->datasets, name, dataset);
    if (dataset != NULL)
        dataset->refs++;
    return dataset;
}

struct fs_dataset *fs_dataset_get(struct fs_vm *vm, const char *name)
{
    struct fs_dataset *dataset = fs_dataset_find(vm, name);

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
    dataset->vm = vm;
    dataset->refs = 1;
    dataset->mtime = vm->fs->start;
    HASH_ADD_KEYPTR(hh, vm->datasets, dataset->name, strlen(dataset->name), dataset);
    if (!FS_HASH_HAS(hh, dataset)) {
        free(dataset->name);
        free(dataset);
        return NULL;
    }
    return dataset;
}

void fs_dataset_ref(struct fs_dataset *dataset)
{
    dataset->refs++;
}

void fs_dataset_unref(struct fs_dataset *dataset)
{
    if (--dataset->refs > 0 || dataset->exists)
        return;
    dataset->vm->fs->end_dataset(dataset->vm->fs, dataset);
    HASH_DEL(dataset->vm->datasets, dataset);
    ds_attributes_clear(&dataset->attributes);
    fs_listing_unref(dataset->listing);
    fs_journal_clear(&dataset->journal);
    free(dataset->name);
    free(dataset);
}

struct fs_dataset *fs_dataset_acquire(struct fs_vm *vm, const char *name)
{
    DS_LOCK_SCOPE(&vm->fs->lock);
    return fs_dataset_get(vm, name);
}

void fs_dataset_release(struct fs_dataset *dataset)
{
    DS_LOCK_SCOPE(&dataset->vm->fs->lock);
    fs_dataset_unref(dataset);
}

struct fs_question fs_dataset_ask(struct fs *fs, const struct fs_dataset *dataset)
{
    return (struct fs_question){.number = fs_clock_moment(&fs->clock),
                                .changes = dataset != NULL ? dataset->changes : 0};
}

bool fs_dataset_believes(const struct fs_dataset *dataset, const struct fs_question *question)
{
    return question->changes == dataset->changes && question->changes % 2 == 0 &&
           question->number >= dataset->learned;
}

void fs_dataset_change_begin(struct fs_dataset *dataset)
{
    dataset->changes++;
}

void fs_dataset_change_end(struct fs_dataset *dataset)
{
    dataset->changes++;
}

void fs_dataset_key_change_begin(struct fs_dataset *dataset)
{
    dataset->keys_changing++;
}

void fs_dataset_key_change_end(struct fs_dataset *dataset)
{
    dataset->keys_changing--;
    dataset->keys_changed = fs_clock_moment(&dataset->vm->fs->clock);
}

bool fs_dataset_is_ours(const struct fs_dataset *dataset)
{
    return dataset->keys_changing > 0 || dataset->keys_changed > dataset->learned;
}

void fs_dataset_key_changed(struct fs *fs, struct fs_dataset *dataset, const char *key, bool exists)
{
    fs_journal_note(&dataset->journal, key, exists, fs_clock_moment(&fs->clock));
}

void fs_dataset_distrust(struct fs_dataset *dataset)
{
    dataset->queried_ms = 0;
}

enum ds_access fs_dataset_access(const struct fs_dataset *dataset)
{
    return ds_attributes_access(&dataset->attributes, dataset->vm->caps->side);
}
