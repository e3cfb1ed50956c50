/* The modification times of directories. */
#include "directory.h"

#include "node.h"

#include <time.h>

void fs_directory_modified(struct fs *fs, struct fs_dataset *dataset)
{
    struct timespec *mtime = dataset != NULL ? &dataset->mtime : &fs->mtime;
    struct fs_node *node = dataset != NULL ? dataset->node : fs_node_find(fs, FS_INO_ROOT);

    clock_gettime(CLOCK_REALTIME, mtime);
    if (node != NULL) { /* times set on it are over */
        node->seen.mtime = *mtime;
        node->seen.version = ++fs->last_version;
    }
    if (dataset == NULL)
        fs_node_unpin(fs, node);
}
