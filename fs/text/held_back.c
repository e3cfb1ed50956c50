/* What waits until its text is whole. */
#include "held_back.h"

#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool fs_held_any(const struct fs_held *held)
{
    return held->cuts || held->count > 0;
}

void fs_held_clear(struct fs_held *held)
{
    for (unsigned i = 0; i < held->count; i++)
        ds_buf_free(&held->pieces[i].bytes);
    free(held->pieces);
    memset(held, 0, sizeof(*held));
}

static size_t end_of(const struct fs_held_piece *piece)
{
    return piece->offset + piece->bytes.len;
}

/* Drops the last `len` bytes of what waits, which are one write's. */
static void take_back(struct fs_held *held, size_t len)
{
    struct fs_held_piece *last = &held->pieces[held->count - 1];

    last->bytes.len -= len;
    if (last->bytes.len == 0) {
        ds_buf_free(&last->bytes);
        held->count--;
    }
}

static int add(struct fs_held *held, size_t offset, const char *data, size_t len)
{
    struct fs_held_piece *pieces;

    if (held->pieces != NULL && held->count > 0 && end_of(&held->pieces[held->count - 1]) == offset)
        return ds_buf_append(&held->pieces[held->count - 1].bytes, data, len);
    if (held->count == FS_HELD_PIECES)
        return -EILSEQ;
    pieces = realloc(held->pieces, (held->count + 1) * sizeof(*pieces));
    if (pieces == NULL)
        return -ENOMEM;
    held->pieces = pieces;
    pieces[held->count] = (struct fs_held_piece){.offset = offset};
    if (ds_buf_append(&pieces[held->count].bytes, data, len) != 0)
        return -ENOMEM;
    held->count++;
    return 0;
}

/* Makes `image` what it is with all that waits. -EAGAIN if that has seams, -EILSEQ if they cannot
 * be completed; then it is unchanged. */
static int replay(const struct fs_held *held, struct fs_image *image)
{
    struct fs_image trial = {0};
    int err = fs_image_copy(&trial, image);

    if (err == 0 && held->cuts && held->cut_size < trial.bytes.len)
        err = fs_image_truncate(&trial, held->cut_size);
    for (unsigned i = 0; i < held->count && err == 0; i++)
        err = fs_image_write(&trial, held->pieces[i].offset, held->pieces[i].bytes.data,
                             held->pieces[i].bytes.len);
    if (err == 0 && trial.seam_count > 0)
        err = -EAGAIN;
    if (err != 0) {
        fs_image_clear(&trial);
        return err;
    }
    fs_image_clear(image);
    *image = trial;
    return 0;
}

/* Puts what waits into the image, and lets it stand here. */
static int apply(const struct fs_held *held, struct fs_image *image)
{
    const struct fs_held_piece *piece = held->pieces;

    if (held->cuts || held->count > 1)
        return replay(held, image);
    return fs_image_write_whole(image, held->appends ? image->bytes.len : piece->offset,
                                piece->bytes.data, piece->bytes.len);
}

int fs_held_settle(struct fs_held *held, struct fs_image *image)
{
    int err = fs_held_any(held) ? apply(held, image) : 0;

    if (err == 0)
        fs_held_clear(held);
    return err;
}

int fs_held_write(struct fs_held *held, struct fs_image *image, bool at_end, size_t offset,
                  const char *data, size_t len)
{
    bool any = fs_held_any(held), appended = held->appends;
    int err;

    if (len == 0)
        return 0;
    if (appended)
        held->pieces[0].offset = image->bytes.len;
    if (at_end)
        offset = fs_held_size(held, image->bytes.len);
    err = any ? -EAGAIN : fs_image_write_whole(image, offset, data, len);
    if (err != -EAGAIN)
        return err;
    err = add(held, offset, data, len);
    if (err != 0)
        return err;
    held->appends = at_end && (appended || !any);
    err = any ? apply(held, image) : -EAGAIN;
    if (err != -EAGAIN) {
        take_back(held, len);
        held->appends = appended;
    }
    return err;
}

int fs_held_append(struct fs_held *held, const char *data, size_t len, struct ds_buf *out)
{
    const struct ds_buf *waits = held->count > 0 ? &held->pieces[0].bytes : NULL;
    size_t end = waits != NULL ? end_of(&held->pieces[0]) : 0;
    bool incomplete = false;
    int err;

    if (waits == NULL && ds_utf8_prefix(data, len, &incomplete) == len)
        return 0;
    if (waits == NULL && !incomplete)
        return -EILSEQ;
    err = add(held, end, data, len);
    if (err != 0)
        return err;
    held->appends = true;
    waits = &held->pieces[0].bytes;
    if (ds_utf8_prefix(waits->data, waits->len, &incomplete) < waits->len)
        err = incomplete ? -EAGAIN : -EILSEQ;
    else
        err = ds_buf_append(out, waits->data, waits->len);
    if (err != -EAGAIN)
        take_back(held, len);
    held->appends = held->count > 0;
    return err;
}

void fs_held_cut(struct fs_held *held, size_t old_size, size_t size)
{
    unsigned kept = 0;

    if (held->appends && old_size + held->pieces[0].bytes.len <= size)
        return;
    if (held->appends)
        held->pieces[0].offset = old_size;
    held->appends = false;
    for (unsigned i = 0; i < held->count; i++) {
        struct fs_held_piece *piece = &held->pieces[i];

        if (piece->offset >= size) {
            ds_buf_free(&piece->bytes);
            continue;
        }
        if (end_of(piece) > size)
            piece->bytes.len = size - piece->offset;
        held->pieces[kept++] = *piece;
    }
    held->count = kept;
    if (held->cuts && held->cut_size >= size)
        held->cuts = false;
}

int fs_held_truncate(struct fs_held *held, struct fs_image *image, size_t size)
{
    struct fs_held cut = {.cuts = size < image->bytes.len, .cut_size = size};
    int err;

    if (!fs_held_any(held)) {
        err = replay(&cut, image);
        if (err == -EAGAIN) {
            fs_held_clear(held);
            *held = cut;
        }
        return err;
    }
    fs_held_cut(held, image->bytes.len, size);
    if (cut.cuts && !held->appends && (!held->cuts || held->cut_size > size)) {
        held->cuts = true;
        held->cut_size = size;
    }
    /* What cannot be done now waits; it is to be told of at the latest when the file is closed. */
    return fs_held_settle(held, image) == 0 ? 0 : -EAGAIN;
}

size_t fs_held_size(const struct fs_held *held, size_t size)
{
    if (held->cuts && held->cut_size < size)
        size = held->cut_size;
    if (held->appends)
        return size + held->pieces[0].bytes.len;
    for (unsigned i = 0; i < held->count; i++)
        if (end_of(&held->pieces[i]) > size)
            size = end_of(&held->pieces[i]);
    return size;
}

int fs_held_show(const struct fs_held *held, struct ds_buf *value)
{
    size_t old_len = value->len, size;

    if (held->appends)
        return ds_buf_append(value, held->pieces[0].bytes.data, held->pieces[0].bytes.len);
    if (held->cuts && held->cut_size < value->len)
        old_len = value->len = held->cut_size;
    size = fs_held_size(held, value->len);
    if (ds_buf_reserve(value, size - value->len) != 0)
        return -ENOMEM;
    memset(value->data + old_len, 0, size - old_len + 1);
    value->len = size;
    for (unsigned i = 0; i < held->count; i++)
        memcpy(value->data + held->pieces[i].offset, held->pieces[i].bytes.data,
               held->pieces[i].bytes.len);
    return 0;
}
