/* libfuse's callbacks: each fills in a request and names its handler. */
#include "callbacks.h"

#include "file/close.h"
#include "file/write.h"
#include "file_name.h"
#include "kernel/request.h"
#include "kernel/run_request.h"
#include "model/fs.h"
#include "model/node.h"
#include "ops.h"
#include "tree/attributes.h"
#include "tree/read_directory.h"

#include <errno.h>
#include <string.h>

static struct fs_kernel *kernel_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

/* Replies where a name cannot be one. The kernel lets longer ones through. */
static bool refuse_name(fuse_req_t req, enum fs_opcode opcode, const char *name)
{
    if (strlen(name) <= DS_FILE_NAME_MAX_BYTES)
        return false;
    atomic_fetch_add(&kernel_of(req)->requests[opcode], 1);
    fuse_reply_err(req, ENAMETOOLONG);
    return true;
}

static void on_init(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    /* Values sit in memory: copying is faster than splicing. Pages are dropped when we say so: by
     * themselves the kernel's attributes would cost a GETATTR per read. */
    conn->want &= ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
                              FUSE_CAP_AUTO_INVAL_DATA);
    conn->max_write = DS_VALUE_MAX_BYTES;
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fs_request request;

    if (refuse_name(req, FS_LOOKUP, name))
        return;
    fs_request_init(&request, kernel_of(req), req, FS_LOOKUP, parent);
    request.name = name;
    fs_run_start(&request, fs_ops_lookup);
}

static void on_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
    struct fs *fs = kernel_of(req)->fs;

    atomic_fetch_add(&kernel_of(req)->requests[FS_FORGET], 1);
    fs_node_forget(fs, ino, count);
    fuse_reply_none(req);
}

static void on_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
    struct fs *fs = kernel_of(req)->fs;

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

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_GETATTR, ino);
    if (fi != NULL) /* before a READ; fstat(2) comes without a handle */
        request.fi = *fi;
    fs_run_start(&request, fs_ops_getattr);
}

static void on_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
                       struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_SETATTR, ino);
    if (fi != NULL) /* ftruncate(2), not truncate(2) */
        request.fi = *fi;
    request.attr = *attr;
    request.attr.st_size = bounded(attr->st_size);
    request.to_set = to_set;
    fs_run_start(&request, fs_ops_setattr);
}

static void on_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_ACCESS, ino);
    request.mask = mask;
    fs_run_start(&request, fs_ops_access);
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_OPEN, ino);
    request.fi = *fi;
    fs_run_start(&request, fs_ops_open);
}

static void on_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                      struct fuse_file_info *fi)
{
    struct fs_request request;

    if (refuse_name(req, FS_CREATE, name))
        return;
    fs_request_init(&request, kernel_of(req), req, FS_CREATE, parent);
    request.name = name;
    request.attr.st_mode = mode;
    request.fi = *fi;
    fs_run_start(&request, fs_ops_create);
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                    struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_READ, ino);
    request.fi = *fi;
    request.size = size;
    request.offset = bounded(offset);
    fs_run_start(&request, fs_ops_read);
}

static void on_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
                     struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_WRITE, ino);
    request.fi = *fi;
    request.data = data;
    request.size = size;
    request.offset = bounded(offset);
    request.dropped = fs_write_dropped;
    fs_run_start(&request, fs_ops_write);
}

static void on_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_FLUSH, ino);
    request.fi = *fi;
    fs_run_start(&request, fs_ops_flush);
}

static void on_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
    struct fs_request request;

    (void)datasync;
    fs_request_init(&request, kernel_of(req), req, FS_FSYNC, ino);
    request.fi = *fi;
    fs_run_start(&request, fs_ops_fsync);
}

static void on_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_RELEASE, ino);
    request.fi = *fi;
    request.dropped = fs_close_dropped;
    fs_run_start(&request, fs_ops_release);
}

static void on_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fs_request request;

    if (refuse_name(req, FS_UNLINK, name))
        return;
    fs_request_init(&request, kernel_of(req), req, FS_UNLINK, parent);
    request.name = name;
    fs_run_start(&request, fs_ops_unlink);
}

static void on_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
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
    fs_run_start(&request, fs_ops_rename);
}

static void on_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    struct fs_request request;

    if (refuse_name(req, FS_MKDIR, name))
        return;
    (void)mode; /* access is the DataSet's */
    fs_request_init(&request, kernel_of(req), req, FS_MKDIR, parent);
    request.name = name;
    fs_run_start(&request, fs_ops_mkdir);
}

static void on_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fs_request request;

    if (refuse_name(req, FS_RMDIR, name))
        return;
    fs_request_init(&request, kernel_of(req), req, FS_RMDIR, parent);
    request.name = name;
    fs_run_start(&request, fs_ops_rmdir);
}

/* A store has nothing but DataSets and entries. */
static void refuse(fuse_req_t req, enum fs_opcode opcode)
{
    atomic_fetch_add(&kernel_of(req)->requests[opcode], 1);
    fuse_reply_err(req, EPERM);
}

static void on_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
    (void)parent, (void)mode, (void)rdev;
    if (!refuse_name(req, FS_MKNOD, name))
        refuse(req, FS_MKNOD);
}

static void on_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char *new_name)
{
    (void)ino, (void)new_parent;
    if (!refuse_name(req, FS_LINK, new_name))
        refuse(req, FS_LINK);
}

static void on_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
    (void)target, (void)parent, (void)name;
    if (!refuse_name(req, FS_SYMLINK, name))
        refuse(req, FS_SYMLINK);
}

static void on_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_OPENDIR, ino);
    request.fi = *fi;
    fs_run_start(&request, fs_ops_opendir);
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

static void on_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                       struct fuse_file_info *fi)
{
    read_directory(req, ino, FS_READDIR, size, offset, fi);
}

static void on_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                           struct fuse_file_info *fi)
{
    read_directory(req, ino, FS_READDIRPLUS, size, offset, fi);
}

static void on_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_RELEASEDIR, ino);
    request.fi = *fi;
    fs_run_start(&request, fs_dir_release);
}

static void on_readlink(fuse_req_t req, fuse_ino_t ino)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_READLINK, ino);
    fs_run_start(&request, fs_ops_readlink);
}

static void on_statfs(fuse_req_t req, fuse_ino_t ino)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_STATFS, ino);
    fs_run_start(&request, fs_ops_statfs);
}

static void on_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_GETXATTR, ino);
    request.name = name;
    request.size = size;
    fs_run_start(&request, fs_ops_getxattr);
}

static void on_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
                        size_t size, int flags)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_SETXATTR, ino);
    request.name = name;
    request.data = value;
    request.size = size;
    request.flags = (unsigned)flags;
    fs_run_start(&request, fs_ops_setxattr);
}

static void on_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_LISTXATTR, ino);
    request.size = size;
    fs_run_start(&request, fs_ops_listxattr);
}

static void on_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
    struct fs_request request;

    fs_request_init(&request, kernel_of(req), req, FS_REMOVEXATTR, ino);
    request.name = name;
    fs_run_start(&request, fs_ops_removexattr);
}

void fs_callbacks_init(struct fuse_lowlevel_ops *ops, bool xattr)
{
    *ops = (struct fuse_lowlevel_ops){
        .init = on_init,
        .lookup = on_lookup,
        .forget = on_forget,
        .forget_multi = on_forget_multi,
        .getattr = on_getattr,
        .setattr = on_setattr,
        .access = on_access,
        .open = on_open,
        .create = on_create,
        .read = on_read,
        .write = on_write,
        .flush = on_flush,
        .fsync = on_fsync,
        .release = on_release,
        .unlink = on_unlink,
        .rename = on_rename,
        .mkdir = on_mkdir,
        .rmdir = on_rmdir,
        .mknod = on_mknod,
        .link = on_link,
        .symlink = on_symlink,
        .readlink = on_readlink,
        .opendir = on_opendir,
        .readdir = on_readdir,
        .readdirplus = on_readdirplus,
        .releasedir = on_releasedir,
        .statfs = on_statfs,
    };
    if (xattr) {
        ops->getxattr = on_getxattr;
        ops->setxattr = on_setxattr;
        ops->listxattr = on_listxattr;
        ops->removexattr = on_removexattr;
    }
}
