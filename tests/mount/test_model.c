/* Random steps over several handles, on a mount and on a model of it: contents, sizes and errnos
 * must be the same, whatever the store refuses. DS_SEED repeats a run, MODEL_STEPS makes it longer.
 */
#include "harness.h"

#include "cleanup.h"
#include "model_run.h"
#include "peer.h"
#include "sim.h"
#include "utf8.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEPS (100000 / (HARNESS_SLOWNESS > 1 ? 5 : 1))
#define MIB ((size_t)1024 * 1024)
#define PAGE ((size_t)4096)
#define LARGE 20000 /* values that are soon cut, since each commit sends all of them */
#define BURST 40    /* writes in a row, so that a handle's later ones may be gathered */

static bool with_faults;

static unsigned number_of(const struct model_handle *handle)
{
    return (unsigned)(handle - model_handles);
}

static bool attached(const struct model_file *file)
{
    return file->key != MODEL_DETACHED;
}

static int errno_of(int result)
{
    return result < 0 ? errno : 0;
}

/* A handle of a file that is there, any or one that may write; NULL if there is none. */
static struct model_handle *some_handle(bool to_write)
{
    unsigned first = model_roll(MODEL_HANDLES);
    for (unsigned i = 0; i < MODEL_HANDLES; i++) {
        struct model_handle *handle = &model_handles[(first + i) % MODEL_HANDLES];
        if (handle->file && (!to_write || model_writes(handle)))
            return handle;
    }
    return NULL;
}

/* The content is nothing until data comes, or something makes it final. */
static void pend(struct model_file *file)
{
    file->creates = !file->exists || (file->waits && file->creates);
    file->exists = true;
    file->waits = attached(file);
    file->refused = false;
    model_assign(&file->bytes, "", 0);
    if (attached(file))
        model_may_hold(file);
    else
        model_must_hold(file);
}

/* What must be in the store now is there. */
static void check_committed(struct model_file *file)
{
    if (!attached(file) || file->refused)
        return;
    file->waits = false;
    model_check_store(file);
}

/* Everything that the file shows, through a handle that may read. */
static void check_content(const struct model_handle *handle)
{
    if ((handle->flags & O_ACCMODE) == O_WRONLY)
        return;
    const struct ds_buf *bytes = &handle->file->bytes;
    char *text DS_AUTO_FREE = malloc(bytes->len + 2);
    assert_non_null(text);
    ssize_t len = pread(handle->fd, text, bytes->len + 2, 0);
    if (!model_verdict(0, errno_of((int)len)))
        return;
    size_t same = 0;
    while (same < bytes->len && same < (size_t)len && text[same] == bytes->data[same])
        same++;
    if ((size_t)len != bytes->len || same != bytes->len)
        model_fail("read %zd bytes, not %zu; different from byte %zu on", len, bytes->len, same);
}

/* --- open and close --- */

static int roll_flags(void)
{
    static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR};
    int flags = modes[model_roll(4)];
    if (model_roll(2)) {
        flags |= O_CREAT;
        flags |= model_roll(5) ? 0 : O_EXCL;
    }
    if (flags & O_ACCMODE) {
        flags |= model_roll(4) ? 0 : O_TRUNC;
        flags |= model_roll(3) ? 0 : O_APPEND;
    }
    return flags;
}

static bool committed_or_struck(const struct model_file *file)
{
    return peer_has(model_dataset(file->key), model_name(file->key), "") || model_struck();
}

/* The last writer is gone, and with it a creation or truncation whose data was refused; but when is
 * not known. */
static void forget_refused(struct model_file *file)
{
    char path[MODEL_PATH_BYTES];
    file->refused = false;
    if (!file->exists)
        return;
    model_disarm();
    model_path(path, file->key);
    if (truncate(path, 0) != 0)
        model_fail("then truncate: %s", strerror(errno));
    pend(file);
    assert_soon(committed_or_struck(file));
    check_committed(file);
}

static void step_close(struct model_handle *handle)
{
    struct model_file *file = handle->file;
    unsigned key = file->key;
    bool writes = model_writes(handle);
    /* What waits is made final by the release, which the kernel sends after close has returned. */
    bool publishes = file->waits && (writes || file->writers == 0);
    bool forgets = file->refused && writes && file->writers == 1;
    model_step("close h%u of k%u", number_of(handle), key);
    if (publishes && committed_or_struck(file))
        model_disarm(); /* its release would not show, and could be struck in a later step */
    int got = errno_of(close(handle->fd));
    model_close(handle); /* frees what nothing else holds */
    file = key == MODEL_DETACHED ? NULL : model_keys[key];
    if (publishes)
        assert_soon(committed_or_struck(file));
    if (!model_verdict(0, got) || !file)
        return;
    if (forgets && attached(file))
        forget_refused(file);
    else if (publishes || (writes && !file->waits))
        check_committed(file);
}

/* An open makes final what waits, and finds nothing if that is refused: its writer is told why. */
static bool refuses_creation(const struct model_file *file, int got)
{
    return got == ENOENT && file && file->waits && model_struck();
}

static void step_open(struct model_handle *handle)
{
    unsigned key = model_roll(MODEL_KEYS);
    struct model_file *file = model_keys[key];
    bool exists = file && file->exists;
    int flags = roll_flags();
    int expected = exists && (flags & O_EXCL) ? EEXIST : exists || (flags & O_CREAT) ? 0 : ENOENT;
    char path[MODEL_PATH_BYTES];
    bool makes = !exists && (flags & O_CREAT) && !(flags & O_ACCMODE);
    if (makes)
        model_disarm(); /* nobody could be told if its creation was refused later */
    model_path(path, key);
    model_step("open k%u as h%u:%s%s%s%s%s", key, number_of(handle),
               (const char *[]){" r", " w", " rw"}[flags & O_ACCMODE],
               flags & O_CREAT ? " creat" : "", flags & O_EXCL ? " excl" : "",
               flags & O_TRUNC ? " trunc" : "", flags & O_APPEND ? " append" : "");
    int fd = open(path, flags | O_CLOEXEC, 0600);
    int got = errno_of(fd);
    if (refuses_creation(file, got))
        expected = got;
    if (got == 0) {
        if (!file)
            file = model_create(key);
        if (!exists || (flags & O_TRUNC))
            pend(file);
        model_open(handle, file, fd, flags);
    }
    if (model_verdict(expected, got) && got == 0 && exists && !(flags & O_TRUNC))
        check_committed(file); /* an open makes final what waited */
    if (makes)
        step_close(handle);
}

/* --- changes --- */

/* One write as it was rolled. */
struct put {
    off_t offset; /* where it is to go */
    bool moves;   /* by write(2), at the handle's position */
    struct ds_buf data;
    int expected;
};

static size_t base_of(const struct model_file *file)
{
    return file->refused || !file->exists ? 0 : file->bytes.len;
}

/* Adds letters until the end of what is replaced cuts no code point. */
static void align_end(const struct model_file *file, struct put *put)
{
    size_t end = (size_t)put->offset + put->data.len;
    if (end < base_of(file))
        model_text(&put->data, model_whole(&file->bytes, end) - end, true);
}

static void roll_offset(const struct model_handle *handle, struct put *put)
{
    const struct model_file *file = handle->file;
    size_t base = base_of(file);
    unsigned where = model_roll(20);
    size_t offset = base;
    if (where < 7)
        offset = base ? model_whole(&file->bytes, model_roll((unsigned)base + 1)) : 0;
    else if (where == 7)
        offset = base + 1 + model_roll(9);
    else if (where == 8)
        offset = MIB;
    put->moves = model_roll(2);
    if (put->moves && model_roll(3)) {
        size_t at = (size_t)handle->position;
        offset = at > base || model_whole(&file->bytes, at) == at ? at : offset;
    }
    put->offset = (off_t)(handle->flags & O_APPEND ? base : offset);
}

static size_t roll_length(void)
{
    static const unsigned lengths[] = {4, 20, 20, 20, 200, 200, 2000};
    return 1 + model_roll(lengths[model_roll(sizeof lengths / sizeof *lengths)]);
}

/* What no neighbour can complete. */
static void spoil(struct ds_buf *data)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\0", 1}, {"\xff", 1}, {"\xc0\xaf", 2}, {"\xed\xa0\x80", 3}, {"\xf4\x90\x80\x80", 4}};
    unsigned chosen = model_roll(sizeof bad / sizeof *bad);
    assert_int_equal(ds_buf_append(data, bad[chosen].bytes, bad[chosen].len), 0);
    model_text(data, 1, true);
}

static void roll_put(const struct model_handle *handle, struct put *put)
{
    const struct model_file *file = handle->file;
    *put = (struct put){0};
    roll_offset(handle, put);
    bool large = !model_roll(3000);
    bool bad = !model_roll(16);
    if (large && (size_t)put->offset <= base_of(file))
        model_text(&put->data, model_roll((unsigned)(MIB - (size_t)put->offset - 8)) + 1, true);
    else
        model_text(&put->data, roll_length(), bad);
    if (bad)
        spoil(&put->data);
    else
        align_end(file, put);
    if (((size_t)put->offset + put->data.len) / PAGE != (size_t)put->offset / PAGE && !bad) {
        size_t len = put->data.len;
        ds_buf_free(&put->data); /* the kernel may send it in two parts */
        model_text(&put->data, len, true);
    }
    if ((size_t)put->offset + put->data.len > MIB)
        put->expected = EFBIG;
    else if ((size_t)put->offset > base_of(file) || bad)
        put->expected = EILSEQ;
}

static ssize_t send_put(struct model_handle *handle, const struct put *put)
{
    if (!put->moves)
        return pwrite(handle->fd, put->data.data, put->data.len, put->offset);
    if (!(handle->flags & O_APPEND) && handle->position != put->offset &&
        lseek(handle->fd, put->offset, SEEK_SET) != put->offset)
        return -1;
    return write(handle->fd, put->data.data, put->data.len);
}

/* What of the content may be in the store: not a piece of a code point at its end. */
static void may_hold_whole(struct model_file *file)
{
    bool incomplete = false;
    size_t len = file->bytes.len;
    size_t whole = ds_utf8_prefix(file->bytes.data, len, &incomplete);
    if (!attached(file) || (whole < len && !incomplete))
        return;
    file->bytes.len = whole;
    model_may_hold(file);
    file->bytes.len = len;
}

/* The kernel may send what crosses the end of a page in two parts, and the first be committed. */
static void put_bytes(struct model_file *file, size_t offset, const char *data, size_t len)
{
    while (len > 0) {
        size_t room = PAGE - offset % PAGE;
        size_t part = len < room || len > LARGE ? len : room;
        model_overwrite(&file->bytes, offset, data, part);
        offset += part;
        data += part;
        len -= part;
        may_hold_whole(file);
    }
    file->waits = false;
    file->refused = false;
    if (!attached(file))
        model_must_hold(file);
}

static void apply_put(struct model_handle *handle, const struct put *put, size_t len)
{
    struct model_file *file = handle->file;
    if (file->refused || !file->exists)
        model_assign(&file->bytes, "", 0);
    file->exists = true;
    put_bytes(file, (size_t)put->offset, put->data.data, len);
    if (put->moves)
        handle->position = put->offset + (off_t)len;
}

static void step_fsync(struct model_handle *handle)
{
    struct model_file *file = handle->file;
    model_step("fsync h%u of k%u", number_of(handle), file->key);
    bool well = model_verdict(0, errno_of(fsync(handle->fd)));
    if (well && model_writes(handle))
        check_committed(file);
}

static void step_write(struct model_handle *handle)
{
    struct model_file *file = handle->file;
    struct put put;
    roll_put(handle, &put);
    model_step("write h%u of k%u: %zu bytes at %lld of %zu%s%s", number_of(handle), file->key,
               put.data.len, (long long)put.offset, base_of(file),
               handle->flags & O_APPEND ? ", append" : "", put.moves ? ", moving" : "");
    bool again = file->refused;
    bool large = put.data.len > LARGE; /* sent in many parts, any of which may be committed */
    if (large)
        model_disarm();
    ssize_t len = send_put(handle, &put);
    int got = len < 0 ? errno : (size_t)len < put.data.len ? MODEL_CUT_SHORT : 0;
    if (put.moves && !(handle->flags & O_APPEND))
        handle->position = put.offset;
    if (len > 0)
        apply_put(handle, &put, (size_t)len);
    if (put.expected && len > 0 && ((size_t)put.offset + (size_t)len) % PAGE == 0)
        put.expected = MODEL_CUT_SHORT; /* the kernel had sent the first page by itself */
    bool first = file->waits;
    bool well = model_verdict(put.expected, got);
    if (well && put.expected > 0 && first)
        model_resync(file); /* the first data was refused: what was there before stays */
    if ((well && put.expected > 0 && first) || (again && len > 0)) {
        model_disarm();
        model_refresh(file); /* the kernel went by another size */
    }
    ds_buf_free(&put.data);
    if (large)
        step_fsync(handle);
}

static void step_ftruncate(struct model_handle *handle)
{
    struct model_file *file = handle->file;
    size_t len = file->bytes.len;
    unsigned way = file->refused || !file->exists ? 0 : model_roll(8);
    size_t size = way < 3 ? 0 : model_whole(&file->bytes, model_roll((unsigned)len + 1));
    size = way == 6 ? len + 1 + model_roll(9) : way == 7 && !model_roll(4) ? MIB + 1 : size;
    int expected = size > MIB ? EFBIG : size > len ? EILSEQ : 0;
    if (!file->exists)
        return;
    model_step("ftruncate h%u of k%u: %zu of %zu", number_of(handle), file->key, size, len);
    int got = errno_of(ftruncate(handle->fd, (off_t)size));
    if (got == 0 && size == 0) {
        pend(file);
    } else if (got == 0 && size < len) {
        file->bytes.len = size;
        if (attached(file))
            model_may_hold(file);
        else
            model_must_hold(file);
    }
    model_verdict(expected, got);
}

static void step_truncate(void)
{
    unsigned key = model_roll(MODEL_KEYS);
    struct model_file *file = model_keys[key];
    size_t len = file && file->exists ? file->bytes.len : 0;
    size_t size = !len || file->refused || model_roll(2)
                      ? 0
                      : model_whole(&file->bytes, model_roll((unsigned)len + 1));
    char path[MODEL_PATH_BYTES];
    model_path(path, key);
    model_step("truncate k%u: %zu of %zu", key, size, len);
    if (file && file->exists && size == 0 && !file->writers)
        model_disarm(); /* a handle whose release is on its way may see to it, and not be told */
    int got = errno_of(truncate(path, (off_t)size));
    if (got == 0 && file && size == 0) {
        pend(file);
    } else if (got == 0 && file) {
        file->bytes.len = size;
        model_may_hold(file);
    }
    if (!model_verdict(file && file->exists ? 0 : ENOENT, got) || got != 0)
        return;
    if (size == 0 && !file->writers) {
        assert_soon(committed_or_struck(file));
        check_committed(file);
    }
}

/* --- names --- */

static void step_unlink(void)
{
    unsigned key = model_roll(MODEL_KEYS);
    const struct model_file *file = model_keys[key];
    bool exists = file && file->exists;
    char path[MODEL_PATH_BYTES];
    model_path(path, key);
    model_step("unlink k%u", key);
    int got = errno_of(unlink(path));
    if (got == 0)
        model_detach(key);
    if (model_verdict(exists ? 0 : ENOENT, got) && !peer_lacks(model_dataset(key), model_name(key)))
        model_fail("it is in the store");
}

static void step_rename(void)
{
    unsigned from = model_roll(MODEL_KEYS);
    unsigned to = model_roll(MODEL_KEYS);
    struct model_file *file = model_keys[from];
    const struct model_file *target = model_keys[to];
    bool exists = file && file->exists;
    unsigned flags = model_roll(3) ? 0 : RENAME_NOREPLACE;
    char path[MODEL_PATH_BYTES];
    char to_path[MODEL_PATH_BYTES];
    int expected = !exists                                                  ? ENOENT
                   : target && target->exists && (flags & RENAME_NOREPLACE) ? EEXIST
                                                                            : 0;
    model_path(path, from);
    model_path(to_path, to);
    model_step("rename k%u to k%u%s", from, to, flags ? " noreplace" : "");
    int got = errno_of(renameat2(AT_FDCWD, path, AT_FDCWD, to_path, flags));
    if (got == 0 && from != to && exists) {
        model_detach(to);
        file->key = to;
        file->waits = false;
        file->refused = false;
        model_keys[to] = file;
        model_keys[from] = NULL;
    } else if (got != 0 && from != to && exists) {
        /* The first half may be done: then both keys have the value. */
        model_may_become(model_keys[to] ? model_keys[to] : model_create(to), file);
    }
    bool well = model_verdict(expected, got);
    if (well && got != 0 && model_keys[to])
        model_settle(model_keys[to]);
    if (!well || got != 0 || from == to)
        return;
    model_check_store(file);
    if (!peer_lacks(model_dataset(from), model_name(from)))
        model_fail("the old name is in the store");
}

/* --- blocks that cut code points --- */

/* A program copies text in blocks that end anywhere. */
struct copy {
    struct model_handle *handle;
    struct put put; /* all of it */
    size_t done;    /* bytes written */
};

static bool cuts(const struct copy *copy)
{
    return model_whole(&copy->put.data, copy->done) != copy->done;
}

/* Writes up to byte `end` of the text. False if a fault struck. */
static bool copy_block(struct copy *copy, size_t end)
{
    struct model_file *file = copy->handle->file;
    size_t len = end - copy->done;
    size_t at = (size_t)copy->put.offset + copy->done;
    const char *data = copy->put.data.data + copy->done;
    model_note(" %zu", len);
    ssize_t written = pwrite(copy->handle->fd, data, len, (off_t)at);
    int got = written < 0 ? errno : (size_t)written < len ? MODEL_CUT_SHORT : 0;
    if (written > 0) {
        put_bytes(file, at, data, (size_t)written);
        copy->done += (size_t)written;
        if (cuts(copy))
            model_cut_open(copy->handle);
        else
            model_cut_closed();
    }
    return model_verdict(0, got);
}

/* What is no end of the code point is refused, and what has been written of it stays. */
static bool copy_wrong(const struct copy *copy)
{
    off_t at = copy->put.offset + (off_t)copy->done;
    model_note(" wrong");
    return model_verdict(EILSEQ, errno_of((int)pwrite(copy->handle->fd, "z", 1, at)));
}

/* A piece of a code point is no success, and may still be completed. */
static bool copy_fsync(const struct copy *copy)
{
    struct model_file *file = copy->handle->file;
    int expected = attached(file) && !ds_utf8_valid(file->bytes.data, file->bytes.len) ? EILSEQ : 0;
    model_note(" fsync");
    return model_verdict(expected, errno_of(fsync(copy->handle->fd)));
}

static bool copy_between(const struct copy *copy)
{
    const struct put *put = &copy->put;
    if (!cuts(copy))
        return true;
    switch (model_roll(6)) {
    case 0: /* in the midst, what stood there before may complete it */
        return (size_t)put->offset + copy->done < copy->handle->file->bytes.len || copy_wrong(copy);
    case 1:
        return copy_fsync(copy);
    default:
        return true;
    }
}

static void step_blocks(struct model_handle *handle)
{
    struct model_file *file = handle->file;
    struct copy copy = {.handle = handle};
    struct put *put = &copy.put;
    size_t base = base_of(file);
    if (!file->exists || file->refused)
        return;
    bool inside = !(handle->flags & O_APPEND) && !file->releases && model_roll(2);
    put->offset =
        (off_t)(inside ? model_whole(&file->bytes, model_roll((unsigned)base + 1)) : base);
    model_text(&put->data, roll_length(), false);
    model_text(&put->data, 12, false);
    align_end(file, put);
    model_step("write h%u of k%u in blocks: %zu bytes at %lld of %zu%s:", number_of(handle),
               file->key, put->data.len, (long long)put->offset, base,
               handle->flags & O_APPEND ? ", append" : "");
    bool well = true;
    for (unsigned blocks = 1 + model_roll(4); well && blocks > 0; blocks--) {
        size_t left = put->data.len - copy.done;
        size_t end = copy.done + 1 + model_roll(model_roll(2) ? 4 : (unsigned)left);
        if (end >= put->data.len)
            break;
        well = copy_block(&copy, end) && copy_between(&copy);
    }
    well = well && copy_block(&copy, put->data.len);
    model_cut_closed();
    if (well && model_roll(2))
        check_content(handle);
    ds_buf_free(&put->data);
}

/* --- looking --- */

/* After a refusal what the kernel remembers may be wrong for 20 ms. */
static int look(int directory, const char *path, struct statx *status)
{
    int flags = AT_EMPTY_PATH | (with_faults ? AT_STATX_FORCE_SYNC : AT_STATX_SYNC_AS_STAT);
    return statx(directory, path, flags, STATX_SIZE, status);
}

static void step_look(void)
{
    struct model_handle *handle = some_handle(false);
    if (!handle || !handle->file->exists)
        return;
    struct statx status;
    model_step("look at h%u of k%u", number_of(handle), handle->file->key);
    if (!model_verdict(0, errno_of(look(handle->fd, "", &status))))
        return;
    if (status.stx_size != handle->file->bytes.len)
        model_fail("%llu bytes, not %zu", (unsigned long long)status.stx_size,
                   handle->file->bytes.len);
    check_content(handle);
}

/* By name, which is an open of its own. */
static void step_read(void)
{
    unsigned key = model_roll(MODEL_KEYS);
    struct model_file *file = model_keys[key];
    bool exists = file && file->exists;
    struct statx status;
    char path[MODEL_PATH_BYTES];
    model_path(path, key);
    model_step("stat k%u", key);
    int got = errno_of(look(AT_FDCWD, path, &status));
    if (!model_verdict(exists ? 0 : ENOENT, got))
        return;
    if (got == 0 && status.stx_size != file->bytes.len)
        model_fail("%llu bytes, not %zu", (unsigned long long)status.stx_size, file->bytes.len);
    model_step("read k%u", key);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int opened = errno_of(fd);
    bool well = model_verdict(exists && !refuses_creation(file, opened) ? 0 : ENOENT, opened);
    if (fd >= 0 && well) {
        struct model_handle handle = {.fd = fd, .file = file};
        check_committed(file);
        check_content(&handle);
    }
    if (fd >= 0)
        close(fd);
}

/* --- the run --- */

static struct model_handle *free_handle(void)
{
    for (unsigned i = 0; i < MODEL_HANDLES; i++)
        if (!model_handles[i].file)
            return &model_handles[i];
    return NULL;
}

static void open_or_close(void)
{
    struct model_handle *handle = free_handle();
    if (handle && model_roll(8))
        step_open(handle);
    else if ((handle = some_handle(false)))
        step_close(handle);
}

static void cut_large(void)
{
    for (unsigned i = 0; i < MODEL_HANDLES; i++) {
        struct model_handle *handle = &model_handles[i];
        if (handle->file && model_writes(handle) && handle->file->bytes.len > LARGE &&
            !model_roll(4))
            step_ftruncate(handle);
    }
}

static void step_handle(void)
{
    struct model_handle *handle = some_handle(true);
    unsigned chosen = model_roll(100);
    if (!handle)
        return;
    if (chosen < 45)
        step_write(handle);
    else if (chosen < 47)
        for (unsigned i = model_roll(BURST); i > 0; i--)
            step_write(handle);
    else if (chosen < 60)
        step_blocks(handle);
    else if (chosen < 75)
        step_ftruncate(handle);
    else if (chosen < 88)
        step_fsync(handle);
    else
        step_close(handle);
}

static void step_any(void)
{
    unsigned chosen = model_roll(100);
    cut_large();
    if (chosen < 20)
        open_or_close();
    else if (chosen < 60)
        step_handle();
    else if (chosen < 65)
        step_unlink();
    else if (chosen < 71)
        step_rename();
    else if (chosen < 74)
        step_truncate();
    else if (chosen < 90)
        step_look();
    else
        step_read();
    if (with_faults && !model_roll(40))
        model_arm();
}

/* Without handles, the store has exactly the model's keys. */
static void check_all(void)
{
    size_t counts[2] = {0};
    for (unsigned i = 0; i < MODEL_HANDLES; i++)
        if (model_handles[i].file)
            step_close(&model_handles[i]);
    for (unsigned i = 0; i < MODEL_KEYS; i++) {
        if (!model_keys[i])
            continue;
        model_step("the end of k%u", i);
        check_committed(model_keys[i]);
        counts[model_dataset(i) != model_dataset(0)]++;
    }
    assert_int_equal(peer_keys(model_dataset(0)), counts[0]);
    assert_int_equal(peer_keys(model_dataset(MODEL_KEYS - 1)), counts[1]);
}

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static void run(unsigned long count)
{
    uint64_t seed = number_from("DS_SEED", (uint64_t)harness_now_ms());
    print_message("DS_SEED=%llu\n", (unsigned long long)seed);
    model_seed(seed);
    model_run_begin(with_faults);
    for (unsigned long next = 1000; model_run_steps() < count; next += 1000) {
        harness_prolong();
        while (model_run_steps() < next)
            step_any();
        model_disarm();
        check_all();
    }
    model_run_done();
}

static void test_refusing_store(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_create("other", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    sim_start(NULL);
    harness_start_source("m", sim_source(), NULL);
    with_faults = true;
    run(number_from("MODEL_STEPS", STEPS) / 2);
}

static void test_obedient_store(void **state)
{
    (void)state;
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    peer_create("other", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    harness_start_source("m", HARNESS_SOURCE, NULL);
    with_faults = false;
    run(number_from("MODEL_STEPS", STEPS) / 2);
}

static int teardown(void **state)
{
    model_run_end();
    return harness_teardown(state);
}

static const struct CMUnitTest tests[] = {
    {"test_obedient_store", test_obedient_store, harness_setup, teardown, NULL},
    {"test_refusing_store", test_refusing_store, harness_setup, teardown, NULL},
};

HARNESS_MAIN(tests)
