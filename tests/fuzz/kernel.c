/* A kernel for a mount without one. */
#include "kernel.h"

#include "fs/callbacks.h"
#include "fs/file/working.h"
#include "fs/model/fs.h"
#include "fs/model/node.h"
#include "fs/ops.h"
#include "fs/state.h"
#include "fuzz.h"
#include "libfuse.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PATH_BYTES = 1024, READ_BYTES = 128 * 1024 };

static struct fuse_lowlevel_ops ops;
static struct fs *mounted;

struct fs *kernel_mount(const struct fs_options *options, struct ds_client *client)
{
    const struct fs_store store = {.client = client};
    fs_callbacks_init(&ops, true);
    require(!fs_state_new(options, fs_ops_kinds, &store, &mounted));
    libfuse_begin(&mounted->kernel);
    return mounted;
}

void kernel_run_due(void)
{
    libfuse_run_due();
}

static struct fuse_req request(void)
{
    return (struct fuse_req){.context = {.uid = geteuid(), .gid = getegid(), .pid = getpid()}};
}

/* The request is over: what it was answered with. */
static int end(struct fuse_req *req)
{
    require(req->answered);
    ds_buf_free(&req->data);
    return req->error;
}

void kernel_unmount(void)
{
    struct fs_request last;
    kernel_run_due();
    for (fuse_ino_t ino; libfuse_take_given(&ino);) {
        struct fuse_req req = request();
        ops.forget(&req, ino, 1);
        end(&req);
    }
    fs_request_init_internal(&last, &mounted->kernel);
    fs_working_commit_all(&last, NULL, FS_COMMIT_ON_UNMOUNT);
    fs_request_clear(&last);
    libfuse_drop_jobs();
    fs_state_free(mounted, NULL);
    mounted = NULL;
}

int kernel_look_up(const char *path, fuse_ino_t *ino, struct stat *attr)
{
    char copy[PATH_BYTES];
    char *rest = copy;
    *ino = FUSE_ROOT_ID;
    if ((size_t)snprintf(copy, sizeof copy, "%s", path) >= sizeof copy)
        return -ENAMETOOLONG;
    for (char *name; (name = strsep(&rest, "/"));) {
        struct fuse_req req = request();
        ops.lookup(&req, *ino, name);
        int err = end(&req);
        if (err)
            return err;
        *ino = req.entry.ino;
        *attr = req.entry.attr;
    }
    return 0;
}

/* The directory and the name in it that a path means. */
static int look_up_parent(const char *path, fuse_ino_t *parent, const char **name)
{
    const char *slash = strrchr(path, '/');
    char directory[PATH_BYTES];
    struct stat attr;
    *parent = FUSE_ROOT_ID;
    *name = slash ? slash + 1 : path;
    if (!slash)
        return 0;
    if ((size_t)(slash - path) >= sizeof directory)
        return -ENAMETOOLONG;
    memcpy(directory, path, (size_t)(slash - path));
    directory[slash - path] = '\0';
    return kernel_look_up(directory, parent, &attr);
}

static int make(const char *path, int flags, struct kernel_file *file)
{
    struct fuse_req req = request();
    struct fuse_file_info fi = {.flags = flags};
    fuse_ino_t parent;
    const char *name;
    int err = look_up_parent(path, &parent, &name);
    if (err)
        return err;
    ops.create(&req, parent, name, S_IFREG | 0644, &fi);
    if (!req.error)
        *file = (struct kernel_file){.open = true, .ino = req.entry.ino, .fi = req.fi};
    return end(&req);
}

int kernel_open(const char *path, int flags, struct kernel_file *file)
{
    struct fuse_file_info fi = {.flags = flags & ~(O_CREAT | O_EXCL)};
    struct fuse_req req = request();
    struct stat attr;
    fuse_ino_t ino;
    int err = kernel_look_up(path, &ino, &attr);
    if (err == -ENOENT && (flags & O_CREAT))
        return make(path, flags, file);
    if (!err && (flags & O_EXCL))
        return -EEXIST;
    if (!err && !S_ISREG(attr.st_mode))
        return -EISDIR;
    if (err)
        return err;
    ops.open(&req, ino, &fi);
    if (!req.error)
        *file = (struct kernel_file){.open = true, .ino = ino, .fi = req.fi};
    return end(&req);
}

int kernel_flush(struct kernel_file *file)
{
    struct fuse_req req = request();
    ops.flush(&req, file->ino, &file->fi);
    return end(&req);
}

int kernel_close(struct kernel_file *file)
{
    struct fuse_req req = request();
    int err = kernel_flush(file);
    ops.release(&req, file->ino, &file->fi);
    require(!end(&req));
    file->open = false;
    return err;
}

int kernel_fsync(struct kernel_file *file)
{
    struct fuse_req req = request();
    ops.fsync(&req, file->ino, 0, &file->fi);
    return end(&req);
}

int kernel_write(struct kernel_file *file, size_t offset, const char *data, size_t len, bool page)
{
    struct fuse_req req = request();
    struct fuse_file_info fi = file->fi;
    fi.writepage = page;
    ops.write(&req, file->ino, data, len, (off_t)offset, &fi);
    require(req.error || req.count == len);
    return end(&req);
}

/* The kernel reads no farther than to the size that it was told. */
int kernel_read(struct kernel_file *file, struct ds_buf *out)
{
    struct fuse_req req = request();
    struct stat attr;
    int err = kernel_stat(file, &attr);
    if (err)
        return err;
    ops.read(&req, file->ino, READ_BYTES, 0, &file->fi);
    if (!req.error) {
        *out = req.data;
        req.data = (struct ds_buf){0};
        if ((size_t)attr.st_size < out->len)
            out->len = (size_t)attr.st_size;
    }
    return end(&req);
}

int kernel_truncate(struct kernel_file *file, size_t size, bool by_handle)
{
    struct fuse_req req = request();
    struct stat attr = {.st_size = (off_t)size};
    ops.setattr(&req, file->ino, &attr, FUSE_SET_ATTR_SIZE, by_handle ? &file->fi : NULL);
    return end(&req);
}

int kernel_stat(struct kernel_file *file, struct stat *attr)
{
    struct fuse_req req = request();
    ops.getattr(&req, file->ino, NULL);
    *attr = req.attr;
    return end(&req);
}

int kernel_unlink(const char *path)
{
    struct fuse_req req = request();
    struct stat attr;
    fuse_ino_t ino;
    fuse_ino_t parent;
    const char *name;
    int err = kernel_look_up(path, &ino, &attr);
    if (!err)
        err = look_up_parent(path, &parent, &name);
    if (err)
        return err;
    ops.unlink(&req, parent, name);
    return end(&req);
}

int kernel_rename(const char *path, const char *new_path)
{
    struct fuse_req req = request();
    struct stat attr;
    fuse_ino_t ino;
    fuse_ino_t parent;
    fuse_ino_t new_parent;
    const char *name;
    const char *new_name;
    int err = kernel_look_up(path, &ino, &attr);
    if (!err)
        err = look_up_parent(path, &parent, &name);
    if (!err)
        err = look_up_parent(new_path, &new_parent, &new_name);
    if (err)
        return err;
    err = kernel_look_up(new_path, &ino, &attr);
    if (err && err != -ENOENT)
        return err;
    ops.rename(&req, parent, name, new_parent, new_name, 0);
    return end(&req);
}

int kernel_mkdir(const char *name)
{
    struct fuse_req req = request();
    ops.mkdir(&req, FUSE_ROOT_ID, name, 0755);
    return end(&req);
}

int kernel_rmdir(const char *name)
{
    struct fuse_req req = request();
    ops.rmdir(&req, FUSE_ROOT_ID, name);
    return end(&req);
}

int kernel_list(const char *path, bool plus)
{
    struct fuse_file_info fi = {.flags = O_RDONLY};
    struct fuse_req open = request();
    struct fuse_req read = request();
    struct fuse_req release = request();
    struct stat attr;
    fuse_ino_t ino = FUSE_ROOT_ID;
    int err = *path ? kernel_look_up(path, &ino, &attr) : 0;
    if (err)
        return err;
    ops.opendir(&open, ino, &fi);
    if (end(&open))
        return open.error;
    fi = open.fi;
    (plus ? ops.readdirplus : ops.readdir)(&read, ino, READ_BYTES, 0, &fi);
    err = end(&read);
    ops.releasedir(&release, ino, &fi);
    return end(&release) ? release.error : err;
}

int kernel_statfs(void)
{
    struct fuse_req req = request();
    ops.statfs(&req, FUSE_ROOT_ID);
    return end(&req);
}

/* The inode that the path leads to. */
static int find(const char *path, fuse_ino_t *ino)
{
    struct stat attr;
    return kernel_look_up(path, ino, &attr);
}

int kernel_set_xattr(const char *path, const char *name, const char *value, size_t len, int flags)
{
    struct fuse_req req = request();
    fuse_ino_t ino;
    int err = find(path, &ino);
    if (err)
        return err;
    ops.setxattr(&req, ino, name, value, len, flags);
    return end(&req);
}

int kernel_get_xattr(const char *path, const char *name, size_t room)
{
    struct fuse_req req = request();
    fuse_ino_t ino;
    int err = find(path, &ino);
    if (err)
        return err;
    ops.getxattr(&req, ino, name, room);
    return end(&req);
}

int kernel_list_xattr(const char *path)
{
    struct fuse_req req = request();
    fuse_ino_t ino;
    int err = find(path, &ino);
    if (err)
        return err;
    ops.listxattr(&req, ino, 1024);
    return end(&req);
}
