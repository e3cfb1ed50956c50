/* What every kind of rename makes sure of first. */
#include "rename_check.h"

#include "file/working.h"
#include "model/value.h"
#include "store/fetch_value.h"

#include <errno.h>

int fs_rename_check_source(struct fs_request *request, struct fs_node *from)
{
    struct fs *fs = request->fs;
    int err = fs_working_commit(request, from, FS_COMMIT_ON_RENAME);

    if (err == 0 && from->busy->withheld != NULL)
        err = -ENOENT; /* it was renamed already */
    if (err == 0 && (from->seen.value == NULL || !fs_value_younger(from, FS_FRESH_MS))) {
        pthread_mutex_unlock(&fs->lock);
        err = fs_fetch_value(request, from, true, true);
        pthread_mutex_lock(&fs->lock);
    }
    return err;
}

int fs_rename_check_absent(struct fs_request *request, struct fs_node *to)
{
    struct fs *fs = request->fs;
    int err;

    if (to->busy->working.image != NULL)
        return -EEXIST;
    if (to->busy->withheld != NULL)
        return 0;
    pthread_mutex_unlock(&fs->lock);
    err = fs_fetch_value(request, to, true, true);
    pthread_mutex_lock(&fs->lock);
    return err == -ENOENT ? 0 : err == 0 ? -EEXIST : err;
}
