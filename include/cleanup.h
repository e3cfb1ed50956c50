/* Locals and locks that release themselves at the end of their scope. */
#ifndef DS_CLEANUP_H
#define DS_CLEANUP_H

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define DS_CLEANUP(function) __attribute__((cleanup(function)))

static inline void ds_cleanup_free(void *pointer)
{
    free(*(void **)pointer);
}

static inline void ds_cleanup_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* Takes the descriptor out of the clean-up's hands. */
static inline int ds_cleanup_keep(int *fd)
{
    int kept = *fd;

    *fd = -1;
    return kept;
}

static inline void ds_cleanup_unlock(pthread_mutex_t **mutex)
{
    pthread_mutex_unlock(*mutex);
}

/* char *text DS_AUTO_FREE = NULL; int fd DS_AUTO_CLOSE = -1; */
#define DS_AUTO_FREE DS_CLEANUP(ds_cleanup_free)
#define DS_AUTO_CLOSE DS_CLEANUP(ds_cleanup_close)

/* Holds `mutex` until the end of the enclosing block. */
#define DS_LOCK_SCOPE(mutex)                                                                       \
    pthread_mutex_t *ds_scope_lock_ DS_CLEANUP(ds_cleanup_unlock) = (mutex);                       \
    pthread_mutex_lock(ds_scope_lock_)

#endif
