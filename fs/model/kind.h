/* Kinds of inodes: what differs between them, as a table of functions for each kind. fs/ops.c has
 * the tables and alone knows all kinds; a function stands with its subject. */
#ifndef FS_KIND_H
#define FS_KIND_H

#include "file_name.h"
#include "kernel/request.h"
#include "listing.h"
#include "node.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct fs_handle;

/* One name of a directory, as one is told that reads it. */
struct fs_item {
    char name[DS_FILE_NAME_MAX_BYTES + 1];
    mode_t type;          /* S_IFDIR or S_IFREG */
    struct fs_node *node; /* without a pin; NULL: the kernel does not know it */
    uint64_t number;      /* of the inode, as stat(2) would tell */
    bool hidden;          /* not to be shown */
};

/* Both without fs->lock, and with a node or handle that stays. They return what a handler does. */
typedef int fs_node_handler(struct fs_request *request, struct fs_node *node);
typedef int fs_handle_handler(struct fs_request *request, struct fs_handle *handle);

struct fs_kind {
    /* With fs->lock. Puts in `entry`: st_mode with all bits that it may have, st_size, and how long
     * name and attributes may be believed. */
    void (*show)(const struct fs *fs, const struct fs_node *node, struct fuse_entry_param *entry);
    /* With fs->lock: true if show() needs no request first. NULL: never. */
    bool (*known)(const struct fs_request *request, const struct fs_node *node);

    /* These do not reply. */
    fs_node_handler *know;     /* makes sure that show() is right; NULL: it always is */
    fs_node_handler *resize;   /* to request->attr.st_size; NULL: -EPERM */
    fs_node_handler *access;   /* refuses beyond what show() says; NULL: it does not */
    fs_node_handler *readlink; /* of a symbolic link; NULL: -EINVAL */

    /* Of a file; with its handle: */
    fs_node_handler *open;
    fs_handle_handler *read, *write, *flush, *fsync, *release;

    /* Of a directory: names in it. NULL: -EPERM, but for a lookup -ENOTDIR. */
    fs_node_handler *lookup, *create, *unlink, *mkdir, *rmdir;
    int (*rename)(struct fs_request *request, struct fs_node *from, struct fs_node *to);

    /* Of a directory: reading it. enter(), which does not reply, may be NULL: all may. list() gives
     * a new reference in `*listing`, or leaves it NULL, and adds names that the store does not
     * list. */
    fs_node_handler *enter;
    int (*list)(struct fs_request *request, struct fs_node *node, struct fs_listing **listing,
                struct ds_names *more);
    /* With fs->lock: fills in the item of a name that list() gave. */
    void (*item)(struct fs *fs, const struct fs_node *node, const char *name, struct fs_item *item);
    /* With fs->lock: what stat(2) calls the number of "..". NULL: it is the root. */
    uint64_t (*parent)(const struct fs *fs, const struct fs_node *node);
    bool walked; /* values of its names can be fetched ahead */
};

#endif
