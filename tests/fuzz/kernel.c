/* A kernel for a mount without one. */
#include "kernel.h"

#include "call.h"
#include "fs/callbacks.h"
#include "fs/file/working.h"
#include "fs/kernel/loop.h"
#include "fs/kernel/timer.h"
#include "fs/model/fs.h"
#include "fs/model/node.h"
#include "fs/ops.h"
#include "fs/state.h"
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { TIMERS_MAX = 64, LOOKUPS_MAX = 4096, PATH_BYTES = 1024, READ_BYTES = 128 * 1024 };

/* What a request was answered with. */
struct fuse_req {
    struct fuse_ctx context;
    bool answered;
    int error; /* 0 or a negative errno */
    struct fuse_entry_param entry;
    struct fuse_file_info fi;
    struct stat attr;
    size_t count;
    struct ds_buf data;
};

static struct fuse_lowlevel_ops ops;
static struct fs *mounted;
static fuse_ino_t looked_up[LOOKUPS_MAX]; /* each to be forgotten once */
static size_t lookups;
static struct fs_timer_entry *timers[TIMERS_MAX];
static size_t timer_count;
static struct fs_job *jobs;

/* libfuse's side of the daemon. */

const struct fuse_ctx *fuse_req_ctx(fuse_req_t req)
{
    return &req->context;
}

void *fuse_req_userdata(fuse_req_t req)
{
    (void)req;
    return &mounted->kernel;
}

void fuse_req_interrupt_func(fuse_req_t req, fuse_interrupt_func_t func, void *data)
{
    (void)req, (void)func, (void)data;
}

static int answer(fuse_req_t req, int error)
{
    require(!req->answered && error <= 0);
    req->answered = true;
    req->error = error;
    return 0;
}

int fuse_reply_err(fuse_req_t req, int err)
{
    return answer(req, -err);
}

void fuse_reply_none(fuse_req_t req)
{
    answer(req, 0);
}

static void note_lookup(const struct fuse_entry_param *entry)
{
    require(entry->ino && lookups < LOOKUPS_MAX);
    looked_up[lookups++] = entry->ino;
}

int fuse_reply_entry(fuse_req_t req, const struct fuse_entry_param *entry)
{
    if (!entry->ino) /* it is not there, and that may be kept for a while */
        return answer(req, -ENOENT);
    note_lookup(entry);
    req->entry = *entry;
    return answer(req, 0);
}

int fuse_reply_create(fuse_req_t req, const struct fuse_entry_param *entry,
                      const struct fuse_file_info *fi)
{
    note_lookup(entry);
    req->entry = *entry;
    req->fi = *fi;
    return answer(req, 0);
}

int fuse_reply_attr(fuse_req_t req, const struct stat *attr, double attr_timeout)
{
    (void)attr_timeout;
    req->attr = *attr;
    return answer(req, 0);
}

int fuse_reply_open(fuse_req_t req, const struct fuse_file_info *fi)
{
    req->fi = *fi;
    return answer(req, 0);
}

int fuse_reply_write(fuse_req_t req, size_t count)
{
    req->count = count;
    return answer(req, 0);
}

int fuse_reply_buf(fuse_req_t req, const char *buf, size_t size)
{
    require(!ds_buf_append(&req->data, buf, size));
    return answer(req, 0);
}

int fuse_reply_xattr(fuse_req_t req, size_t count)
{
    req->count = count;
    return answer(req, 0);
}

int fuse_reply_statfs(fuse_req_t req, const struct statvfs *stbuf)
{
    (void)stbuf;
    return answer(req, 0);
}

int fuse_lowlevel_notify_inval_inode(struct fuse_session *se, fuse_ino_t ino, off_t off, off_t len)
{
    (void)se, (void)ino, (void)off, (void)len;
    return 0;
}

/* The daemon's threads and its timer. */

struct fs_worker *fs_loop_worker(void)
{
    return NULL;
}

bool fs_loop_may_block(struct fs_worker *worker)
{
    (void)worker;
    return true;
}

int fs_loop_queue(struct fs_loop *loop, struct fs_job *job, int64_t look_ms)
{
    (void)loop, (void)look_ms;
    job->next = NULL;
    struct fs_job **end = &jobs;
    while (*end)
        end = &(*end)->next;
    *end = job;
    return 0;
}

bool fs_loop_unqueue(struct fs_loop *loop, struct fs_job *job)
{
    (void)loop, (void)job;
    return false;
}

void fs_timer_cancel(struct fs_timer *timer, struct fs_timer_entry *entry)
{
    size_t kept = 0;
    (void)timer;
    for (size_t i = 0; i < timer_count; i++)
        if (timers[i] != entry)
            timers[kept++] = timers[i];
    timer_count = kept;
    entry->armed = false;
}

void fs_timer_set(struct fs_timer *timer, struct fs_timer_entry *entry, int64_t due_ms)
{
    fs_timer_cancel(timer, entry);
    require(timer_count < TIMERS_MAX);
    entry->due_ms = due_ms;
    entry->armed = true;
    timers[timer_count++] = entry;
}

static struct fs_timer_entry *take_due_timer(void)
{
    for (size_t i = 0; i < timer_count; i++)
        if (timers[i]->due_ms <= ds_call_now_ms()) {
            struct fs_timer_entry *entry = timers[i];
            fs_timer_cancel(NULL, entry);
            return entry;
        }
    return NULL;
}

void kernel_run_due(void)
{
    enum { ROUNDS = 16 };
    struct fs_timer_entry *entry;
    for (int round = 0; round < ROUNDS; round++) {
        entry = take_due_timer();
        if (entry)
            entry->fire(entry);
        while (jobs) {
            struct fs_job *job = jobs;
            jobs = job->next;
            job->run(job);
        }
    }
}

struct fs *kernel_mount(const struct fs_options *options, struct ds_client *client)
{
    const struct fs_store store = {.client = client};
    fs_callbacks_init(&ops, true);
    lookups = timer_count = 0;
    jobs = NULL;
    require(!fs_state_new(options, fs_ops_kinds, &store, &mounted));
    return mounted;
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
    for (size_t i = 0; i < lookups; i++) {
        struct fuse_req req = request();
        ops.forget(&req, looked_up[i], 1);
        end(&req);
    }
    fs_request_init_internal(&last, &mounted->kernel);
    fs_working_commit_all(&last, NULL, FS_COMMIT_ON_UNMOUNT);
    fs_request_clear(&last);
    for (; jobs; jobs = jobs->next)
        jobs->drop(jobs, -EIO);
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

int kernel_set_xattr(const char *path, const char *name, const char *value, size_t len, int flags)
{
    struct fuse_req req = request();
    struct stat attr;
    fuse_ino_t ino;
    int err = kernel_look_up(path, &ino, &attr);
    if (err)
        return err;
    ops.setxattr(&req, ino, name, value, len, flags);
    return end(&req);
}

int kernel_get_xattr(const char *path, const char *name, size_t room)
{
    struct fuse_req req = request();
    struct stat attr;
    fuse_ino_t ino;
    int err = kernel_look_up(path, &ino, &attr);
    if (err)
        return err;
    ops.getxattr(&req, ino, name, room);
    return end(&req);
}

int kernel_list_xattr(const char *path)
{
    struct fuse_req req = request();
    struct stat attr;
    fuse_ino_t ino;
    int err = kernel_look_up(path, &ino, &attr);
    if (err)
        return err;
    ops.listxattr(&req, ino, 1024);
    return end(&req);
}
