/* What the kernel is told of inodes. */
#include "told_kernel.h"

#include "kept_attributes.h"
#include "kind.h"

#include <string.h>

enum {
    PREFERRED_IO_BYTES = 128 * 1024,

    /* After so long no thread has a reply before it that it has not taken note of. */
    SETTLED_MS = 1000
};

static uint32_t now(void)
{
    return (uint32_t)ds_call_now_ms() & INT32_MAX;
}

void fs_told_show(struct fs *fs, struct fs_node *node, struct fuse_entry_param *entry)
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
}

void fs_told_entry(const struct fs_request *request, struct fs_node *node,
                   struct fuse_entry_param *entry)
{
    fs_told_show(request->fs, node, entry);
    if (node->told.version != node->seen.version)
        node->told.at_ms = now();
    node->told.version = node->seen.version;
    node->told.tid = request->tid;
}

bool fs_told_is_stale(const struct fs_request *request, const struct fs_node *node)
{
    bool mine = node->told.tid != 0 && node->told.tid == request->tid;

    return node->told.version != node->seen.version ||
           (!mine && ((now() - node->told.at_ms) & INT32_MAX) < SETTLED_MS);
}

bool fs_told_keeps_pages(struct fs_node *node, uint64_t *version)
{
    *version = node->seen.version;
    if (node->told.pages_sure && node->told.page_version == node->seen.version)
        return true;
    node->told.page_version = node->seen.version;
    node->told.pages_sure = false;
    return false;
}

void fs_told_reads_pages(struct fs_node *node, uint64_t version)
{
    if (version != 0 && node->told.page_version == version)
        node->told.pages_sure = true;
}

void fs_told_mix_pages(struct fs_node *node)
{
    node->told.page_version = 0;
}
