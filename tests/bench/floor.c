/* The floor: the least that a FUSE file system with the cache policy of datasetfs can cost. One
 * thread, files in a small table in memory, no store, no locks, no checks. scripts/bench measures
 * beside it what the rest costs.
 *
 * As fs/tree and fs/file do: entries are kept for 60 s and attributes for 20 ms, who only writes
 * does so past the page cache, who only reads sends no FLUSH and gets a short file with its open,
 * nothing is spliced. */
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENTRY_TIMEOUT_S 60.0
#define ATTR_TIMEOUT_S 0.02

enum { BUCKETS = 16384, WRITE_MAX_BYTES = 1 << 20, PREFILL_MAX_BYTES = 128 * 1024 };

struct file {
    struct file *next; /* of its bucket, while it has its name */
    uint64_t lookups;
    unsigned opens;
    bool linked;
    size_t len;
    char *data;
    char name[256];
};

static struct file *buckets[BUCKETS];
static struct fuse_session *session;

static struct file **slot_of(const char *name)
{
    uint32_t hash = 2166136261U;
    struct file **slot;

    for (const char *at = name; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    slot = &buckets[hash % BUCKETS];
    while (*slot != NULL && strcmp((*slot)->name, name) != 0)
        slot = &(*slot)->next;
    return slot;
}

/* An inode's number is where its file is, which no other has while the kernel knows it. */
static struct file *file_of(fuse_ino_t ino)
{
    return (struct file *)(uintptr_t)ino; // NOLINT(performance-no-int-to-ptr)
}

static struct stat attr_of(fuse_ino_t ino)
{
    struct stat attr = {.st_ino = ino, .st_uid = getuid(), .st_gid = getgid(), .st_nlink = 1};

    attr.st_mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0700 : S_IFREG | 0600;
    if (ino != FUSE_ROOT_ID)
        attr.st_size = (off_t)file_of(ino)->len;
    return attr;
}

static struct fuse_entry_param entry_of(struct file *file)
{
    fuse_ino_t ino = (uintptr_t)file;

    file->lookups++;
    return (struct fuse_entry_param){.ino = ino,
                                     .attr = attr_of(ino),
                                     .attr_timeout = ATTR_TIMEOUT_S,
                                     .entry_timeout = ENTRY_TIMEOUT_S};
}

static void release(struct file *file, uint64_t lookups)
{
    file->lookups -= lookups;
    if (file->lookups > 0 || file->linked)
        return;
    free(file->data);
    free(file);
}

static void on_init(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    conn->want &= ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
                              FUSE_CAP_AUTO_INVAL_DATA);
    conn->max_write = WRITE_MAX_BYTES;
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct file *file = *slot_of(name);
    struct fuse_entry_param entry;

    (void)parent;
    if (file == NULL) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    entry = entry_of(file);
    fuse_reply_entry(req, &entry);
}

static void on_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
    if (ino != FUSE_ROOT_ID)
        release(file_of(ino), count);
    fuse_reply_none(req);
}

static void on_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
    for (size_t i = 0; i < count; i++) {
        if (forgets[i].ino != FUSE_ROOT_ID)
            release(file_of(forgets[i].ino), forgets[i].nlookup);
    }
    fuse_reply_none(req);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat attr = attr_of(ino);

    (void)fi;
    fuse_reply_attr(req, &attr, ATTR_TIMEOUT_S);
}

/* Files only become empty or stay as they are. */
static void on_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *wanted, int valid,
                       struct fuse_file_info *fi)
{
    if (ino != FUSE_ROOT_ID && (valid & FUSE_SET_ATTR_SIZE) != 0) {
        if (wanted->st_size != 0) {
            fuse_reply_err(req, EOPNOTSUPP);
            return;
        }
        file_of(ino)->len = 0;
    }
    on_getattr(req, ino, fi);
}

static void show_open(struct fuse_file_info *fi)
{
    fi->direct_io = (fi->flags & O_ACCMODE) == O_WRONLY;
    fi->noflush = (fi->flags & O_ACCMODE) == O_RDONLY;
}

static void prefill(fuse_ino_t ino, struct fuse_file_info *fi)
{
    const struct file *file = file_of(ino);
    struct fuse_bufvec bytes = FUSE_BUFVEC_INIT(file->len);

    if ((fi->flags & O_ACCMODE) != O_RDONLY || file->opens > 0 || file->len == 0 ||
        file->len > PREFILL_MAX_BYTES)
        return;
    bytes.buf[0].mem = file->data;
    fi->keep_cache = fuse_lowlevel_notify_store(session, ino, 0, &bytes, FUSE_BUF_NO_SPLICE) == 0;
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    if ((fi->flags & O_TRUNC) != 0)
        file_of(ino)->len = 0;
    show_open(fi);
    prefill(ino, fi);
    file_of(ino)->opens++;
    fuse_reply_open(req, fi);
}

static void on_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                      struct fuse_file_info *fi)
{
    struct file **slot = slot_of(name);
    struct fuse_entry_param entry;

    (void)parent;
    (void)mode;
    if (strlen(name) >= sizeof((*slot)->name)) {
        fuse_reply_err(req, ENAMETOOLONG);
        return;
    }
    if (*slot == NULL) {
        *slot = calloc(1, sizeof(**slot));
        if (*slot == NULL) {
            fuse_reply_err(req, ENOMEM);
            return;
        }
        (*slot)->linked = true;
        memcpy((*slot)->name, name, strlen(name));
    }
    if ((fi->flags & O_TRUNC) != 0)
        (*slot)->len = 0;
    entry = entry_of(*slot);
    show_open(fi);
    (*slot)->opens++;
    fuse_reply_create(req, &entry, fi);
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                    struct fuse_file_info *fi)
{
    const struct file *file = file_of(ino);
    size_t from = (size_t)offset < file->len ? (size_t)offset : file->len;

    (void)fi;
    fuse_reply_buf(req, file->data + from, size < file->len - from ? size : file->len - from);
}

static void on_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
                     struct fuse_file_info *fi)
{
    struct file *file = file_of(ino);
    size_t end = (size_t)offset + size;
    char *grown = end > file->len ? realloc(file->data, end) : file->data;

    (void)fi;
    if (grown == NULL || (size_t)offset > file->len) {
        fuse_reply_err(req, grown == NULL ? ENOMEM : EOPNOTSUPP);
        return;
    }
    file->data = grown;
    memcpy(grown + offset, data, size);
    if (end > file->len)
        file->len = end;
    fuse_reply_write(req, size);
}

static void on_done(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    (void)fi;
    fuse_reply_err(req, 0);
}

static void on_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    file_of(ino)->opens--;
    on_done(req, ino, fi);
}

static void on_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct file **slot = slot_of(name), *file = *slot;

    (void)parent;
    if (file == NULL) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    *slot = file->next;
    file->linked = false;
    release(file, 0);
    fuse_reply_err(req, 0);
}

static const struct fuse_lowlevel_ops operations = {.init = on_init,
                                                    .lookup = on_lookup,
                                                    .forget = on_forget,
                                                    .forget_multi = on_forget_multi,
                                                    .getattr = on_getattr,
                                                    .setattr = on_setattr,
                                                    .open = on_open,
                                                    .create = on_create,
                                                    .read = on_read,
                                                    .write = on_write,
                                                    .flush = on_done,
                                                    .release = on_release,
                                                    .unlink = on_unlink};

int main(int argc, char *argv[])
{
    char *words[] = {argv[0], "-o", "fsname=floor,subtype=floor,nosuid,nodev,noexec"};
    struct fuse_args args = FUSE_ARGS_INIT(3, words);
    int status = 1;

    if (argc != 2) {
        fprintf(stderr, "usage: floor MOUNTPOINT\n");
        return 1;
    }
    session = fuse_session_new(&args, &operations, sizeof(operations), NULL);
    if (session == NULL)
        return 1;
    if (fuse_set_signal_handlers(session) == 0 && fuse_session_mount(session, argv[1]) == 0) {
        if (fuse_daemonize(0) == 0 && fuse_session_loop(session) >= 0)
            status = 0;
        fuse_session_unmount(session);
    }
    fuse_remove_signal_handlers(session);
    fuse_session_destroy(session);
    fuse_opt_free_args(&args);
    return status;
}
