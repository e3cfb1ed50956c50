/* Modification times of inodes, by the marks of their keys. */
#include "times.h"

#include "key_history.h"

#include <time.h>

#define NS_PER_S INT64_C(1000000000)

static int64_t ns_of(const struct timespec *time)
{
    return time->tv_sec * NS_PER_S + time->tv_nsec;
}

static struct timespec time_of(int64_t ns)
{
    return (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
}

void fs_times_keep(struct fs *fs, const struct fs_node *node)
{
    struct fs_mark mark = {.moment = node->seen.sighted, .mtime_ns = ns_of(&node->seen.mtime)};

    if (node->kind != FS_NODE_ENTRY || !node->attached || fs_node_is_local(node) ||
        node->seen.presence == FS_PRESENCE_UNKNOWN)
        return;
    mark.path = fs_history_path(node->dataset->vm, node->dataset->name, node->key);
    /* Names that are looked for in vain would fill the table, and the listing says as much. */
    if (node->seen.presence == FS_ABSENT && fs_listing_lacks(node->dataset->listing, node->key) &&
        fs_history_find(fs, mark.path) == NULL)
        return;
    if (node->seen.presence == FS_PRESENT)
        mark.digest = node->seen.value != NULL
                          ? fs_history_digest(fs, node->seen.value->data, node->seen.value->len)
                          : node->seen.digest;
    fs_history_put(fs, &mark);
    fs_history_bring(fs, node->dataset, node->key, node->number);
}

/* True if the node's key, of which `moment` was the last sight (0: none), was missing after it. */
static bool was_missing(const struct fs *fs, const struct fs_node *node, const struct fs_mark *mark,
                        uint64_t moment)
{
    const struct fs_dataset *dataset = node->dataset;
    const struct fs_mark *whole =
        fs_history_find(fs, fs_history_path(dataset->vm, dataset->name, NULL));

    return (mark != NULL && mark->digest == 0 && mark->moment > moment) ||
           (whole != NULL && whole->moment > moment) ||
           (dataset->listing != NULL && dataset->listing->asked > moment &&
            !fs_listing_has(dataset->listing, node->key));
}

bool fs_times_recognise(struct fs *fs, const struct fs_node *node, struct timespec *mtime)
{
    struct fs_mark *mark =
        fs_history_find(fs, fs_history_path(node->dataset->vm, node->dataset->name, node->key));
    bool seen = mark != NULL && mark->digest != 0;
    bool modified = was_missing(fs, node, mark, seen ? mark->moment : 0);

    if (mark != NULL) {
        mark->used = true;
        modified = modified || mark->digest != fs_history_digest(fs, node->seen.value->data,
                                                                 node->seen.value->len);
    } else if (fs_listing_lacks(node->dataset->vm->listing, node->dataset->name)) {
        modified = true; /* the DataSet is new, with all that is in it */
    }
    if (modified || (mark == NULL && fs_history_lost(fs)))
        clock_gettime(CLOCK_REALTIME, mtime);
    else if (mark != NULL && mark->mtime_ns > ns_of(mtime))
        *mtime = time_of(mark->mtime_ns);
    return !modified;
}

bool fs_times_dataset_missed(const struct fs *fs, const struct fs_dataset *dataset)
{
    return fs_history_find(fs, fs_history_path(dataset->vm, dataset->name, NULL)) != NULL ||
           fs_listing_lacks(dataset->vm->listing, dataset->name);
}

bool fs_times_missed(const struct fs *fs, const struct fs_node *node)
{
    if (node->dataset->looked <= node->seen.sighted)
        return false; /* the usual case, in which nothing is to be searched */
    return was_missing(
        fs, node,
        fs_history_find(fs, fs_history_path(node->dataset->vm, node->dataset->name, node->key)),
        node->seen.sighted);
}
