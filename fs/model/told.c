/* What the kernel is told of inodes. */
#include "told.h"

#include "attr.h"
#include "record.h"

#include <string.h>

double fs_told_timeout_s(const struct fs *fs, const struct fs_node *node)
{
    if (node->kind == FS_NODE_ENTRY)
        return FS_ATTR_TIMEOUT_S;
    /* Where the kernel judges by the mode, access that is given back is to be seen at once. */
    if (node->kind == FS_NODE_DATASET && fs->options->allow_other &&
        fs_record_access(fs, node->dataset) != DS_ACCESS_READ_WRITE)
        return FS_ATTR_TIMEOUT_S;
    if (node->kind == FS_NODE_STATS || node->kind == FS_NODE_ERRORS ||
        node->kind == FS_NODE_SCRATCH || node->kind == FS_NODE_INFO)
        return 0; /* each has its size anew */
    return FS_DIR_TIMEOUT_S;
}

void fs_told_entry(struct fs *fs, struct fs_node *node, size_t size_bytes,
                   struct fuse_entry_param *entry)
{
    memset(entry, 0, sizeof(*entry));
    entry->ino = node->ino;
    fs_attr_fill(fs, node, size_bytes, &entry->attr);
    entry->attr_timeout = fs_told_timeout_s(fs, node);
    entry->entry_timeout = node->kind == FS_NODE_ENTRY || node->kind == FS_NODE_DATASET
                               ? FS_ENTRY_TIMEOUT_S
                               : FS_DIR_TIMEOUT_S;
    if (node->kind == FS_NODE_ENTRY &&
        (node->seen.presence != FS_PRESENT || node->withheld != NULL))
        entry->entry_timeout = 0; /* its creation may still be refused */
    if (node->kind == FS_NODE_INFO && !node->dataset->exists)
        entry->entry_timeout = 0; /* a DataSet that may never be made */
}
