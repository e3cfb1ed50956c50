/* The thread that makes the kernel forget pages and names. */
#include "pages.h"

#include "cleanup.h"
#include "model/record.h"
#include "text/name.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct fs_pages {
    struct fs *fs;
    pthread_t thread;
    pthread_cond_t wake; /* with fs->lock, as everything below */
    struct fs_node *stale;
    bool stop;
};

/* With fs->lock, which is released while the kernel is told. What it does not have is no failure.
 */
static void tell(struct fs *fs, const struct fs_node *node)
{
    char name[FS_NAME_MAX_BYTES + 1];
    fuse_ino_t ino = node->ino;
    bool directory = node->kind == FS_NODE_DATASET;

    if (directory && node->dataset->exists)
        return; /* it was made again */
    if (directory)
        fs_name_encode(FS_NAME_IN_ROOT, node->dataset->name, name);
    pthread_mutex_unlock(&fs->lock);
    if (directory)
        fuse_lowlevel_notify_inval_entry(fs->kernel.session, FS_INO_ROOT, name, strlen(name));
    else
        fuse_lowlevel_notify_inval_inode(fs->kernel.session, ino, 0, 0);
    pthread_mutex_lock(&fs->lock);
}

static void *pages_main(void *argument)
{
    struct fs_pages *pages = argument;
    struct fs *fs = pages->fs;

    DS_LOCK_SCOPE(&fs->lock);
    while (!pages->stop) {
        struct fs_node *node = pages->stale;

        if (node == NULL) {
            pthread_cond_wait(&pages->wake, &fs->lock);
            continue;
        }
        fs_pages_drop(fs, node);
        fs_node_pin(node);
        tell(fs, node);
        fs_node_unpin(fs, node);
    }
    return NULL;
}

int fs_pages_start(struct fs *fs)
{
    struct fs_pages *pages = calloc(1, sizeof(*pages));
    int err;

    if (pages == NULL)
        return -ENOMEM;
    pages->fs = fs;
    pthread_cond_init(&pages->wake, NULL);
    fs->kernel.pages = pages;
    err = -pthread_create(&pages->thread, NULL, pages_main, pages);
    if (err != 0) {
        pthread_cond_destroy(&pages->wake);
        free(pages);
        fs->kernel.pages = NULL;
    }
    return err;
}

void fs_pages_forget(struct fs *fs, struct fs_node *node)
{
    if (node->stale.waits || fs->kernel.pages == NULL)
        return;
    node->stale.waits = true;
    DL_APPEND2(fs->kernel.pages->stale, node, stale.prev, stale.next);
    pthread_cond_signal(&fs->kernel.pages->wake);
}

void fs_pages_drop(struct fs *fs, struct fs_node *node)
{
    if (!node->stale.waits)
        return;
    node->stale.waits = false;
    DL_DELETE2(fs->kernel.pages->stale, node, stale.prev, stale.next);
}

void fs_pages_stop(struct fs *fs)
{
    struct fs_pages *pages;

    pthread_mutex_lock(&fs->lock);
    pages = fs->kernel.pages;
    if (pages != NULL) {
        while (pages->stale != NULL)
            fs_pages_drop(fs, pages->stale);
        pages->stop = true;
        pthread_cond_signal(&pages->wake);
    }
    fs->kernel.pages = NULL;
    pthread_mutex_unlock(&fs->lock);
    if (pages == NULL)
        return;
    pthread_join(pages->thread, NULL);
    pthread_cond_destroy(&pages->wake);
    free(pages);
}
