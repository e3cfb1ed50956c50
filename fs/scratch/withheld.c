/* Keys that were renamed to temporary names: their withheld removal, and the locks of both. */
#include "withheld.h"

#include "model/value.h"
#include "scratch.h"
#include "store/fetch_value.h"
#include "store/key_lock.h"
#include "store/send.h"

#include <errno.h>
#include <string.h>

/* The node at the other end of a withheld removal, or NULL. */
static struct fs_node *tied_to(const struct fs_node *node)
{
    if (node == NULL)
        return NULL;
    return node->busy->scratch != NULL ? node->busy->scratch->origin : node->busy->withheld;
}

static void add_lock(struct fs_withheld_locks *locks, struct fs_node *node)
{
    unsigned i = locks->count;

    for (unsigned j = 0; j < locks->count; j++)
        if (locks->nodes[j] == node)
            return;
    if (node == NULL)
        return;
    fs_node_pin(node);
    for (; i > 0 && locks->nodes[i - 1]->ino > node->ino; i--)
        locks->nodes[i] = locks->nodes[i - 1];
    locks->nodes[i] = node;
    locks->count++;
}

static int lock_all(struct fs_request *request, struct fs_withheld_locks *locks)
{
    for (unsigned i = 0; i < locks->count; i++) {
        int err = fs_key_lock(request, locks->nodes[i]);

        if (err == 0)
            continue;
        while (i > 0)
            fs_key_unlock(locks->nodes[--i]);
        for (unsigned j = 0; j < locks->count; j++)
            fs_node_unpin(request->fs, locks->nodes[j]);
        return err;
    }
    return 0;
}

int fs_withheld_lock(struct fs_request *request, struct fs_node *a, struct fs_node *b,
                     struct fs_withheld_locks *locks)
{
    unsigned lost_by_a = a->keys_lost, lost_by_b = b != NULL ? b->keys_lost : 0;

    for (;;) {
        struct fs_node *of_a = tied_to(a), *of_b = tied_to(b);
        bool same_keys;
        int err;

        locks->count = 0;
        add_lock(locks, a);
        add_lock(locks, b);
        add_lock(locks, of_a);
        add_lock(locks, of_b);
        err = lock_all(request, locks);
        if (err != 0)
            return err;
        same_keys = a->keys_lost == lost_by_a && (b == NULL || b->keys_lost == lost_by_b);
        if (same_keys && of_a == tied_to(a) && of_b == tied_to(b))
            return 0;
        fs_withheld_unlock(request->fs, locks);
        if (!same_keys)
            return -ESTALE;
    }
}

void fs_withheld_unlock(struct fs *fs, struct fs_withheld_locks *locks)
{
    for (unsigned i = 0; i < locks->count; i++)
        fs_key_unlock(locks->nodes[i]);
    for (unsigned i = 0; i < locks->count; i++)
        fs_node_unpin(fs, locks->nodes[i]);
    locks->count = 0;
}

int fs_withheld_check(struct fs_request *request, const struct fs_node *node)
{
    struct fs *fs = request->fs;
    struct fs_node *origin = node->busy->scratch->origin;
    /* Their DataSet may be destroyed meanwhile, and then this is let go of. */
    struct fs_value *before = fs_value_ref(node->busy->scratch->origin_value);
    int err = 0;

    if (!fs_value_younger(origin, FS_FRESH_MS) || origin->seen.value == NULL) {
        pthread_mutex_unlock(&fs->lock);
        err = fs_fetch_value(request, origin, true, true);
        pthread_mutex_lock(&fs->lock);
    }
    if (err == 0 && (origin->seen.value == NULL || origin->seen.value->len != before->len ||
                     memcmp(origin->seen.value->data, before->data, before->len) != 0))
        err = -EEXIST;
    fs_value_unref(before);
    return err;
}

int fs_withheld_remove(struct fs_request *request, struct fs_node *node)
{
    struct fs_node *origin = node->busy->scratch != NULL ? node->busy->scratch->origin : NULL;
    int err;

    if (origin == NULL)
        return 0;
    if (origin->busy->working.image == NULL) {
        err = fs_withheld_check(request, node);
        if (err == 0)
            err = fs_send_remove(request, origin);
        if (err != 0 && err != -ENOENT && err != -EEXIST)
            return err;
        if (err != -EEXIST)
            fs_value_absent(request->fs, origin);
    }
    fs_scratch_untie(request->fs, node);
    return 0;
}
