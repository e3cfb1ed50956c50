/* Steps of a program that copies text in blocks, which cut code points. */
#include "model_steps.h"

#include "harness.h"

#include "utf8.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A program copies text in blocks that end anywhere. */
struct copy {
    struct model_handle *handle;
    struct model_put put; /* all of it */
    size_t done;          /* bytes written */
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
        model_put(file, at, data, (size_t)written);
        copy->done += (size_t)written;
        /* Also where what stands behind the block has lost its beginning. */
        if (cuts(copy) || !ds_utf8_valid(file->bytes.data, file->bytes.len))
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
    return model_verdict(EILSEQ, model_errno((int)pwrite(copy->handle->fd, "z", 1, at)));
}

/* A piece of a code point is no success, and may still be completed. */
static bool copy_fsync(const struct copy *copy)
{
    struct model_file *file = copy->handle->file;
    int expected =
        model_attached(file) && !ds_utf8_valid(file->bytes.data, file->bytes.len) ? EILSEQ : 0;
    model_note(" fsync");
    return model_verdict(expected, model_errno(fsync(copy->handle->fd)));
}

/* Somebody else who opens the file sees what there is, and harms nobody. */
static bool copy_seen(const struct copy *copy)
{
    const struct model_file *file = copy->handle->file;
    char path[MODEL_PATH_BYTES];
    if (!model_attached(file))
        return true;
    model_note(" seen");
    model_path(path, file->key);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int got = model_errno(fd);
    if (fd >= 0)
        close(fd);
    return model_verdict(0, got);
}

static bool copy_between(const struct copy *copy)
{
    const struct model_put *put = &copy->put;
    if (!cuts(copy))
        return true;
    switch (model_roll(6)) {
    case 0: /* in the midst, what stood there before may complete it */
        return (size_t)put->offset + copy->done < copy->handle->file->bytes.len || copy_wrong(copy);
    case 1:
        return copy_fsync(copy);
    case 2:
        return copy_seen(copy);
    default:
        return true;
    }
}

void model_step_blocks(struct model_handle *handle)
{
    struct model_file *file = handle->file;
    struct copy copy = {.handle = handle};
    struct model_put *put = &copy.put;
    size_t base = model_base(file);
    if (!file->exists || file->refused)
        return;
    bool inside = !(handle->flags & O_APPEND) && model_roll(2);
    put->offset =
        (off_t)(inside ? model_whole(&file->bytes, model_roll((unsigned)base + 1)) : base);
    model_text(&put->data, model_length(), false);
    model_text(&put->data, 12, false);
    model_align(file, put);
    model_step("write h%u of k%u in blocks: %zu bytes at %lld of %zu%s:", model_number(handle),
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
        model_check_content(handle);
    ds_buf_free(&put->data);
}
