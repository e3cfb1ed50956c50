/* The thread that makes the kernel forget pages. */
#include "pages.h"

#include "cleanup.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <utlist.h>

struct fs_pages {
    struct fs *fs;
    pthread_t thread;
    pthread_cond_t wake; /* with fs->lock, as everything below */
    struct fs_node *stale;
    bool stop;
};

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
        fuse_ino_t ino = node->ino;
        fs_pages_drop(fs, node);
        pthread_mutex_unlock(&fs->lock);
        /* An inode that the kernel does not have is no failure. */
        fuse_lowlevel_notify_inval_inode(fs->session, ino, 0, 0);
        pthread_mutex_lock(&fs->lock);
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
    fs->pages = pages;
    err = -pthread_create(&pages->thread, NULL, pages_main, pages);
    if (err != 0) {
        pthread_cond_destroy(&pages->wake);
        free(pages);
        fs->pages = NULL;
    }
    return err;
}

void fs_pages_forget(struct fs *fs, struct fs_node *node)
{
    if (node->pages_stale || fs->pages == NULL)
        return;
    node->pages_stale = true;
    DL_APPEND2(fs->pages->stale, node, stale_prev, stale_next);
    pthread_cond_signal(&fs->pages->wake);
}

void fs_pages_drop(struct fs *fs, struct fs_node *node)
{
    if (!node->pages_stale)
        return;
    node->pages_stale = false;
    DL_DELETE2(fs->pages->stale, node, stale_prev, stale_next);
}

void fs_pages_stop(struct fs *fs)
{
    struct fs_pages *pages;

    pthread_mutex_lock(&fs->lock);
    pages = fs->pages;
    if (pages != NULL) {
        while (pages->stale != NULL)
            fs_pages_drop(fs, pages->stale);
        pages->stop = true;
        pthread_cond_signal(&pages->wake);
    }
    fs->pages = NULL;
    pthread_mutex_unlock(&fs->lock);
    if (pages == NULL)
        return;
    pthread_join(pages->thread, NULL);
    pthread_cond_destroy(&pages->wake);
    free(pages);
}
