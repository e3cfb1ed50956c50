/* The thread that makes the kernel forget pages and names. */
#include "forget.h"

#include "cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct fs_forget {
    struct fs_kernel *kernel;
    fs_forget_what *what;
    pthread_t thread;
    pthread_cond_t wake; /* with kernel->lock, as everything below */
    struct fs_stale *stale;
    bool stop;
};

/* What the kernel does not have is no failure. */
static void tell(struct fs_kernel *kernel, const struct fs_forgotten *what)
{
    if (what->name[0] != '\0')
        fuse_lowlevel_notify_inval_entry(kernel->session, what->ino, what->name,
                                         strlen(what->name));
    else
        fuse_lowlevel_notify_inval_inode(kernel->session, what->ino, 0, 0);
}

static void *forget_main(void *argument)
{
    struct fs_forget *forget = argument;
    struct fs_kernel *kernel = forget->kernel;

    DS_LOCK_SCOPE(kernel->lock);
    while (!forget->stop) {
        struct fs_stale *stale = forget->stale;
        struct fs_forgotten what;

        if (stale == NULL) {
            pthread_cond_wait(&forget->wake, kernel->lock);
            continue;
        }
        fs_forget_drop(kernel, stale);
        if (!forget->what(stale, &what))
            continue;
        pthread_mutex_unlock(kernel->lock);
        tell(kernel, &what);
        pthread_mutex_lock(kernel->lock);
    }
    return NULL;
}

int fs_forget_start(struct fs_kernel *kernel, fs_forget_what *what)
{
    struct fs_forget *forget = calloc(1, sizeof(*forget));
    int err;

    if (forget == NULL)
        return -ENOMEM;
    forget->kernel = kernel;
    forget->what = what;
    pthread_cond_init(&forget->wake, NULL);
    kernel->forget = forget;
    err = -pthread_create(&forget->thread, NULL, forget_main, forget);
    if (err != 0) {
        pthread_cond_destroy(&forget->wake);
        free(forget);
        kernel->forget = NULL;
    }
    return err;
}

void fs_forget_soon(struct fs_kernel *kernel, struct fs_stale *stale)
{
    if (stale->waits || kernel->forget == NULL)
        return;
    stale->waits = true;
    DL_APPEND(kernel->forget->stale, stale);
    pthread_cond_signal(&kernel->forget->wake);
}

void fs_forget_drop(struct fs_kernel *kernel, struct fs_stale *stale)
{
    if (!stale->waits)
        return;
    stale->waits = false;
    DL_DELETE(kernel->forget->stale, stale);
}

void fs_forget_stop(struct fs_kernel *kernel)
{
    struct fs_forget *forget;

    pthread_mutex_lock(kernel->lock);
    forget = kernel->forget;
    if (forget != NULL) {
        while (forget->stale != NULL)
            fs_forget_drop(kernel, forget->stale);
        forget->stop = true;
        pthread_cond_signal(&forget->wake);
    }
    kernel->forget = NULL;
    pthread_mutex_unlock(kernel->lock);
    if (forget == NULL)
        return;
    pthread_join(forget->thread, NULL);
    pthread_cond_destroy(&forget->wake);
    free(forget);
}
