/* Steps that change contents. */
#include "model_steps.h"

#include "harness.h"

#include "utf8.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MIB ((size_t)1024 * 1024)
#define PAGE ((size_t)4096)

size_t model_base(const struct model_file *file)
{
    return file->refused || !file->exists ? 0 : file->bytes.len;
}

void model_align(const struct model_file *file, struct model_put *put)
{
    size_t end = (size_t)put->offset + put->data.len;
    if (end < model_base(file))
        model_text(&put->data, model_whole(&file->bytes, end) - end, true);
}

static void roll_offset(const struct model_handle *handle, struct model_put *put)
{
    const struct model_file *file = handle->file;
    size_t base = model_base(file);
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

size_t model_length(void)
{
    static const unsigned lengths[] = {4, 20, 20, 20, 200, 200, 2000};
    return 1 + model_roll(lengths[model_roll(sizeof lengths / sizeof *lengths)]);
}

/* What no neighbour can complete, all of it on one page: the kernel may send the pages of a write
 * one by one, and a piece at the end of the first is held back. */
static void spoil(struct ds_buf *data, size_t offset)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\0", 1}, {"\xff", 1}, {"\xc0\xaf", 2}, {"\xed\xa0\x80", 3}, {"\xf4\x90\x80\x80", 4}};
    unsigned chosen = model_roll(sizeof bad / sizeof *bad);
    size_t room = PAGE - (offset + data->len) % PAGE;
    if (room < bad[chosen].len)
        model_text(data, room, true);
    assert_int_equal(ds_buf_append(data, bad[chosen].bytes, bad[chosen].len), 0);
    model_text(data, 1, true);
}

static void roll_put(const struct model_handle *handle, struct model_put *put)
{
    const struct model_file *file = handle->file;
    *put = (struct model_put){0};
    bool large = !model_roll(3000);
    if (large)
        model_disarm(); /* it is sent in many parts, any of which may be committed */
    roll_offset(handle, put);
    bool bad = !model_roll(16);
    if (large && (size_t)put->offset <= model_base(file))
        model_text(&put->data, model_roll((unsigned)(MIB - (size_t)put->offset - 8)) + 1, true);
    else
        model_text(&put->data, model_length(), bad);
    if (bad)
        spoil(&put->data, (size_t)put->offset);
    else
        model_align(file, put);
    size_t room = PAGE - file->bytes.len % PAGE;
    if ((handle->flags & O_APPEND) && file->refused && put->data.len > room) {
        ds_buf_free(&put->data); /* the kernel believes that it goes behind the old value */
        model_text(&put->data, room, true);
        bad = false;
    }
    size_t end = (size_t)put->offset + put->data.len;
    bool parts = end / PAGE != (size_t)put->offset / PAGE; /* the kernel may send it so */
    /* What is too long and no text has two errors; and the part that is text may cut what stood
     * there, which is no text then. */
    bool unclear = bad && (end > MIB || (parts && (size_t)put->offset < model_base(file)));
    if (unclear || (parts && !bad)) {
        size_t len = put->data.len;
        ds_buf_free(&put->data);
        model_text(&put->data, len, true);
        model_align(file, put);
        bad = false;
    }
    if ((size_t)put->offset + put->data.len > MIB)
        put->expected = EFBIG;
    else if ((size_t)put->offset > model_base(file) || bad)
        put->expected = EILSEQ;
}

static ssize_t send_put(struct model_handle *handle, const struct model_put *put)
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
    if (!model_attached(file) || (whole < len && !incomplete))
        return;
    file->bytes.len = whole;
    model_may_hold(file);
    file->bytes.len = len;
}

/* The kernel may send what crosses the end of a page in two parts, and the first be committed. */
void model_put(struct model_file *file, size_t offset, const char *data, size_t len)
{
    while (len > 0) {
        size_t room = PAGE - offset % PAGE;
        size_t part = len < room || len > MODEL_LARGE ? len : room;
        model_overwrite(&file->bytes, offset, data, part);
        offset += part;
        data += part;
        len -= part;
        may_hold_whole(file);
    }
    file->waits = false;
    file->refused = false;
    if (!model_attached(file))
        model_must_hold(file);
}

static void apply_put(struct model_handle *handle, const struct model_put *put, size_t len)
{
    struct model_file *file = handle->file;
    if (file->refused || !file->exists)
        model_assign(&file->bytes, "", 0);
    file->exists = true;
    model_put(file, (size_t)put->offset, put->data.data, len);
    if (put->moves)
        handle->position = put->offset + (off_t)len;
}

void model_step_fsync(struct model_handle *handle)
{
    struct model_file *file = handle->file;
    model_step("fsync h%u of k%u", model_number(handle), file->key);
    bool well = model_verdict(0, model_errno(fsync(handle->fd)));
    if (well && model_writes(handle))
        model_check_committed(file);
}

void model_step_write(struct model_handle *handle)
{
    struct model_file *file = handle->file;
    struct model_put put;
    roll_put(handle, &put);
    model_step("write h%u of k%u: %zu bytes at %lld of %zu%s%s", model_number(handle), file->key,
               put.data.len, (long long)put.offset, model_base(file),
               handle->flags & O_APPEND ? ", append" : "", put.moves ? ", moving" : "");
    bool again = file->refused;
    bool large = put.data.len > MODEL_LARGE;
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
        model_step_fsync(handle);
}

void model_step_ftruncate(struct model_handle *handle)
{
    struct model_file *file = handle->file;
    size_t len = file->bytes.len;
    unsigned way = file->refused || !file->exists ? 0 : model_roll(8);
    size_t size = way < 3 ? 0 : model_whole(&file->bytes, model_roll((unsigned)len + 1));
    size = way == 6 ? len + 1 + model_roll(9) : way == 7 && !model_roll(4) ? MIB + 1 : size;
    int expected = size > MIB ? EFBIG : size > len ? EILSEQ : 0;
    if (!file->exists)
        return;
    model_step("ftruncate h%u of k%u: %zu of %zu", model_number(handle), file->key, size, len);
    int got = model_errno(ftruncate(handle->fd, (off_t)size));
    if (got == 0 && size == 0) {
        model_pend(file);
        model_pend_by(handle);
    } else if (got == 0 && size < len) {
        file->bytes.len = size;
        if (model_attached(file))
            model_may_hold(file);
        else
            model_must_hold(file);
    }
    model_verdict(expected, got);
}

void model_step_truncate(void)
{
    unsigned key = model_roll(MODEL_KEYS);
    struct model_file *file = model_keys[key];
    size_t len = file && file->exists ? file->bytes.len : 0;
    size_t size = !len || file->refused || model_roll(2)
                      ? 0
                      : model_whole(&file->bytes, model_roll((unsigned)len + 1));
    char path[MODEL_PATH_BYTES];
    if (file && file->exists && !len && !file->writers)
        return; /* it would not show when that is done */
    model_path(path, key);
    model_step("truncate k%u: %zu of %zu", key, size, len);
    if (file && file->exists && size == 0 && !file->writers)
        model_disarm(); /* a handle whose release is on its way may see to it, and not be told */
    int got = model_errno(truncate(path, (off_t)size));
    if (got == 0 && file && size == 0) {
        model_pend(file);
        model_pend_by_path(file);
    } else if (got == 0 && file) {
        file->bytes.len = size;
        model_may_hold(file);
    }
    if (!model_verdict(file && file->exists ? 0 : ENOENT, got) || got != 0 || !file)
        return;
    if (size == 0 && !file->writers) {
        assert_soon(model_emptied_or_struck(file));
        model_check_committed(file);
    }
}
