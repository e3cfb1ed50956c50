/* What the kernel is told of inodes. */
#include "told_kernel.h"

#include "kept_attributes.h"
#include "kind.h"

#include <string.h>

enum { PREFERRED_IO_BYTES = 128 * 1024 };

void fs_told_entry(struct fs *fs, struct fs_node *node, struct fuse_entry_param *entry)
{
    struct stat *attr = &entry->attr;

    memset(entry, 0, sizeof(*entry));
    entry->ino = node->ino;
    attr->st_ino = node->number;
    /* What is in a directory is not counted, and programs know 1 as the sign of that. */
    attr->st_nlink = 1;
    attr->st_uid = fs->options->uid;
    attr->st_gid = fs->options->gid;
    attr->st_blksize = PREFERRED_IO_BYTES;
    attr->st_atim = attr->st_mtim = attr->st_ctim = node->seen.mtime;
    fs->kinds[node->kind].show(fs, node, entry);
    fs_attr_apply(fs, node, attr);
    node->told.version = node->seen.version;
}

bool fs_told_is_stale(const struct fs_node *node)
{
    return node->told.version != node->seen.version;
}

bool fs_told_keeps_pages(struct fs_node *node)
{
    bool keeps = node->told.page_version == node->seen.version;

    node->told.page_version = node->seen.version;
    return keeps;
}

void fs_told_mix_pages(struct fs_node *node)
{
    node->told.page_version = 0;
}
