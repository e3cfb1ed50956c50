/* libfuse's callbacks: each fills in a request and names its handler. */
#include "ops.h"

#include "control/xattr.h"
#include "file/close.h"
#include "file/open.h"
#include "file/read.h"
#include "file/write.h"
#include "kernel/run.h"
#include "model/fs.h"
#include "text/name.h"
#include "tree/dir.h"
#include "tree/entry.h"
#include "tree/rename.h"
#include "tree/tree.h"

#include <errno.h>
#include <string.h>

static struct fs *fs_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

static struct fs_kernel *kernel_of(fuse_req_t req)
{
    return &fs_of(req)->kernel;
}

/* Replies where a name cannot be one. The kernel lets longer ones through. */
static bool refuse_name(fuse_req_t req, enum fs_opcode opcode, const char *name)
{
    if (strlen(name) <= FS_NAME_MAX_BYTES)
        return false;
    atomic_fetch_add(&kernel_of(req)->requests[opcode], 1);
    fuse_reply_err(req, ENAMETOOLONG);
    return true;
}

static void fs_op_init(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    /* Values sit in memory: copying is faster than splicing. Pages are dropped when we say so: by
     * themselves the kernel's attributes would cost a GETATTR per read. */
    conn->want &= ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
                              FUSE_CAP_AUTO_INVAL_DATA);
    conn->max_write = DS_VALUE_MAX_BYTES;
}

static void fs_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fs_request request;

    if (refuse_name(req, FS_LOOKUP, name))
        return;
    fs_request_init(&request, kernel_of(req), req, FS_LOOKUP, parent);
    request.name = name;
    fs_run_start(&request, fs_entry_lookup);
}

static void fs_op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
    struct fs *fs = fs_of(req);

    atomic_fetch_add(&kernel_of(req)->requests[FS_FORGET], 1);
    fs_node_forget(fs, ino, count);
    fuse_reply_none(req);
}

static void fs_op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
    struct fs *fs = fs_of(req);

    atomic_fetch_add(&kernel_of(req)->requests[FS_FORGET], count);
    for (size_t i = 0; i < count; i++)
        fs_node_forget(fs, forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

/* An offset or size that a size_t of 32 bits holds too, even with the longest write behind it. What
 * is farther out lies beyond every value, listing and temporary file all the same. */
static off_t bounded(off_t offset)
{
    const off_t far = 1 << 30;

    return offset < far ? offset : far;
}

static void fs_op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_GETATTR, ino);
    if (fi != NULL) /* before a READ; fstat(2) comes without a handle */
        request.fi = *fi;
    fs_run_start(&request, fs_entry_getattr);
}

static void fs_op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
                          struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_SETATTR, ino);
    if (fi != NULL) /* ftruncate(2), not truncate(2) */
        request.fi = *fi;
    request.attr = *attr;
    request.attr.st_size = bounded(attr->st_size);
    request.to_set = to_set;
    fs_run_start(&request, fs_entry_setattr);
}

static void fs_op_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_ACCESS, ino);
    request.mask = mask;
    fs_run_start(&request, fs_entry_access);
}

static void fs_op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_OPEN, ino);
    request.fi = *fi;
    fs_run_start(&request, fs_open);
}

static void fs_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                         struct fuse_file_info *fi)
{
    struct fs_request request;

    if (refuse_name(req, FS_CREATE, name))
        return;
    fs_request_init(&request, kernel_of(req), req, FS_CREATE, parent);
    request.name = name;
    request.attr.st_mode = mode;
    request.fi = *fi;
    fs_run_start(&request, fs_open_create);
}

static void fs_op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                       struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_READ, ino);
    request.fi = *fi;
    request.size = size;
    request.offset = bounded(offset);
    fs_run_start(&request, fs_read);
}

static void fs_op_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
                        struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_WRITE, ino);
    request.fi = *fi;
    request.data = data;
    request.size = size;
    request.offset = bounded(offset);
    request.dropped = fs_write_dropped;
    fs_run_start(&request, fs_write_handle);
}

static void fs_op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_FLUSH, ino);
    request.fi = *fi;
    fs_run_start(&request, fs_close_flush);
}

static void fs_op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
    struct fs_request request;

    (void)datasync;
    fs_request_init(&request, kernel_of(req), req, FS_FSYNC, ino);
    request.fi = *fi;
    fs_run_start(&request, fs_close_fsync);
}

static void fs_op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_RELEASE, ino);
    request.fi = *fi;
    request.dropped = fs_close_dropped;
    fs_run_start(&request, fs_close_release);
}

static void fs_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fs_request request;

    if (refuse_name(req, FS_UNLINK, name))
        return;
    fs_request_init(&request, kernel_of(req), req, FS_UNLINK, parent);
    request.name = name;
    fs_run_start(&request, fs_tree_unlink);
}

static void fs_op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
                         const char *new_name, unsigned flags)
{
    struct fs_request request;

    if (refuse_name(req, FS_RENAME, name) || refuse_name(req, FS_RENAME, new_name))
        return;
    fs_request_init(&request, kernel_of(req), req, FS_RENAME, parent);
    request.name = name;
    request.new_parent = new_parent;
    request.new_name = new_name;
    request.flags = flags;
    fs_run_start(&request, fs_rename);
}

static void fs_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    struct fs_request request;

    if (refuse_name(req, FS_MKDIR, name))
        return;
    (void)mode; /* access is the DataSet's */
    fs_request_init(&request, kernel_of(req), req, FS_MKDIR, parent);
    request.name = name;
    fs_run_start(&request, fs_tree_mkdir);
}

static void fs_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fs_request request;

    if (refuse_name(req, FS_RMDIR, name))
        return;
    fs_request_init(&request, kernel_of(req), req, FS_RMDIR, parent);
    request.name = name;
    fs_run_start(&request, fs_tree_rmdir);
}

/* A store has nothing but DataSets and entries. */
static void refuse(fuse_req_t req, enum fs_opcode opcode)
{
    atomic_fetch_add(&kernel_of(req)->requests[opcode], 1);
    fuse_reply_err(req, EPERM);
}

static void fs_op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                        dev_t rdev)
{
    (void)parent, (void)mode, (void)rdev;
    if (!refuse_name(req, FS_MKNOD, name))
        refuse(req, FS_MKNOD);
}

static void fs_op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char *new_name)
{
    (void)ino, (void)new_parent;
    if (!refuse_name(req, FS_LINK, new_name))
        refuse(req, FS_LINK);
}

static void fs_op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
    (void)target, (void)parent, (void)name;
    if (!refuse_name(req, FS_SYMLINK, name))
        refuse(req, FS_SYMLINK);
}

static void fs_op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_OPENDIR, ino);
    request.fi = *fi;
    fs_run_start(&request, fs_dir_open);
}

static void read_directory(fuse_req_t req, fuse_ino_t ino, enum fs_opcode opcode, size_t size,
                           off_t offset, const struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, opcode, ino);
    request.fi = *fi;
    request.size = size;
    request.offset = bounded(offset);
    fs_run_start(&request, fs_dir_read);
}

static void fs_op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                          struct fuse_file_info *fi)
{
    read_directory(req, ino, FS_READDIR, size, offset, fi);
}

static void fs_op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                              struct fuse_file_info *fi)
{
    read_directory(req, ino, FS_READDIRPLUS, size, offset, fi);
}

static void fs_op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_RELEASEDIR, ino);
    request.fi = *fi;
    fs_run_start(&request, fs_dir_release);
}

static void fs_op_statfs(fuse_req_t req, fuse_ino_t ino)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_STATFS, ino);
    fs_run_start(&request, fs_entry_statfs);
}

static void fs_op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_GETXATTR, ino);
    request.name = name;
    request.size = size;
    fs_run_start(&request, fs_xattr_get);
}

static void fs_op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
                           size_t size, int flags)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_SETXATTR, ino);
    request.name = name;
    request.data = value;
    request.size = size;
    request.flags = (unsigned)flags;
    fs_run_start(&request, fs_xattr_set);
}

static void fs_op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_LISTXATTR, ino);
    request.size = size;
    fs_run_start(&request, fs_xattr_list);
}

static void fs_op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_REMOVEXATTR, ino);
    request.name = name;
    fs_run_start(&request, fs_xattr_remove);
}

void fs_ops_init(struct fuse_lowlevel_ops *ops, bool xattr)
{
    *ops = (struct fuse_lowlevel_ops){
        .init = fs_op_init,
        .lookup = fs_op_lookup,
        .forget = fs_op_forget,
        .forget_multi = fs_op_forget_multi,
        .getattr = fs_op_getattr,
        .setattr = fs_op_setattr,
        .access = fs_op_access,
        .open = fs_op_open,
        .create = fs_op_create,
        .read = fs_op_read,
        .write = fs_op_write,
        .flush = fs_op_flush,
        .fsync = fs_op_fsync,
        .release = fs_op_release,
        .unlink = fs_op_unlink,
        .rename = fs_op_rename,
        .mkdir = fs_op_mkdir,
        .rmdir = fs_op_rmdir,
        .mknod = fs_op_mknod,
        .link = fs_op_link,
        .symlink = fs_op_symlink,
        .opendir = fs_op_opendir,
        .readdir = fs_op_readdir,
        .readdirplus = fs_op_readdirplus,
        .releasedir = fs_op_releasedir,
        .statfs = fs_op_statfs,
    };
    if (xattr) {
        ops->getxattr = fs_op_getxattr;
        ops->setxattr = fs_op_setxattr;
        ops->listxattr = fs_op_listxattr;
        ops->removexattr = fs_op_removexattr;
    }
}
