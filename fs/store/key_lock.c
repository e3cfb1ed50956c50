/* The lock of a key: a queue of requests. */
#include "key_lock.h"

#include "kernel/loop.h"

#include <errno.h>
#include <utlist.h>

int fs_key_lock(struct fs_request *request, struct fs_node *node)
{
    int err = fs_node_make_busy(request->fs, node);

    if (err != 0)
        return err;
    if (!node->busy->key_lock.locked && node->busy->key_lock.waiters == NULL) {
        node->busy->key_lock.locked = true;
        return 0;
    }
    err = fs_request_may_block_locked(request);
    if (err != 0)
        return err;
    DL_APPEND(node->busy->key_lock.waiters, request);
    while (err == 0 && (node->busy->key_lock.locked || node->busy->key_lock.waiters != request))
        err = fs_request_sleep(request, request->call.deadline_ms);
    if (err == 0)
        node->busy->key_lock.locked = true;
    DL_DELETE(node->busy->key_lock.waiters, request); // NOLINT(clang-analyzer-core.NullDereference)
    if (err != 0 && !node->busy->key_lock.locked && node->busy->key_lock.waiters != NULL)
        pthread_cond_signal(&node->busy->key_lock.waiters->worker->wake);
    return err;
}

void fs_key_unlock(struct fs_node *node)
{
    node->busy->key_lock.locked = false;
    if (node->busy->key_lock.waiters != NULL)
        pthread_cond_signal(&node->busy->key_lock.waiters->worker->wake);
}

int fs_key_lock_named(struct fs_request *request, struct fs_node *node)
{
    unsigned keys_lost = node->keys_lost;
    int err = fs_key_lock(request, node);

    if (err != 0 || node->keys_lost == keys_lost)
        return err;
    fs_key_unlock(node);
    return -ESTALE;
}
