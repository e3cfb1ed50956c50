/* The bytes of a working value and the seams in its text. */
#include "image.h"

#include "dataset.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A code point has at most three bytes after its first. */
enum { CONTINUATION_MAX = 3 };

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

int fs_image_load(struct fs_image *image, const char *data, size_t len)
{
    struct ds_buf fresh = {0};

    if (ds_buf_append(&fresh, data, len) != 0)
        return -ENOMEM;
    fs_image_clear(image);
    image->bytes = fresh;
    return 0;
}

void fs_image_clear(struct fs_image *image)
{
    ds_buf_free(&image->bytes);
    memset(image, 0, sizeof(*image));
}

static bool has_seam(const struct fs_image *image, size_t offset)
{
    for (unsigned i = 0; i < image->seam_count; i++)
        if (image->seams[i] == offset)
            return true;
    return false;
}

/* Forgets the seams from `from` to `to`, both included. */
static void drop_seams(struct fs_image *image, size_t from, size_t to)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < image->seam_count; i++)
        if (image->seams[i] < from || image->seams[i] > to)
            image->seams[kept++] = image->seams[i];
    image->seam_count = kept;
}

/* The seams that a look at one range found. */
struct found {
    size_t seams[FS_IMAGE_SEAMS];
    unsigned count;
};

/* True if a cut at `offset` may be completed by a later write: it is an end of the range [low,
 * high) just written, the end of the image, or known from before. */
static bool excused(const struct fs_image *image, size_t offset, size_t low, size_t high)
{
    return offset == low || offset == high || offset == image->bytes.len || has_seam(image, offset);
}

/* The end of the broken piece that begins at `at`, with its cut in `*seam`; 0 if nothing can ever
 * complete it. */
static size_t broken_piece(const struct fs_image *image, size_t at, size_t low, size_t high,
                           size_t *seam)
{
    const struct ds_buf *bytes = &image->bytes;
    size_t stop = at + 1;

    while (stop < bytes->len && stop - at <= CONTINUATION_MAX && is_continuation(bytes->data[stop]))
        stop++;
    if (is_continuation(bytes->data[at])) {
        *seam = at; /* the first half is missing before it */
        return at > 0 && stop - at <= CONTINUATION_MAX && excused(image, at, low, high) ? stop : 0;
    }
    for (; stop > at; stop--) {
        bool incomplete = false;

        *seam = stop; /* the second half is missing after it */
        if (excused(image, stop, low, high) &&
            ds_utf8_prefix(bytes->data + at, stop - at, &incomplete) == 0 && incomplete)
            return stop;
    }
    return 0;
}

/* Looks at the text from `from` to `to`, both at the start of a code point or of a broken piece,
 * and collects its seams. -EILSEQ if there is a fault that is no seam. */
static int find_seams(const struct fs_image *image, size_t from, size_t to, size_t low, size_t high,
                      struct found *found)
{
    size_t at = from;

    found->count = 0;
    for (;;) {
        at += ds_utf8_prefix(image->bytes.data + at, to - at, NULL);
        if (at >= to)
            return 0;
        if (found->count == FS_IMAGE_SEAMS)
            return -EILSEQ;
        at = broken_piece(image, at, low, high, &found->seams[found->count]);
        if (at == 0)
            return -EILSEQ;
        found->count++;
    }
}

/* Judges the text round [low, high), just written, and updates the seams. */
static int judge(struct fs_image *image, size_t low, size_t high)
{
    struct found found;
    size_t from = low, to = high;

    for (int i = 0; i < CONTINUATION_MAX && from > 0; i++) {
        from--;
        if (!is_continuation(image->bytes.data[from]))
            break;
    }
    while (to < image->bytes.len && is_continuation(image->bytes.data[to]))
        to++;
    if (image->bytes.len == 0 || from >= to) {
        drop_seams(image, from, to);
        return 0;
    }
    if (find_seams(image, from, to, low, high, &found) != 0)
        return -EILSEQ;

    struct fs_image old = *image;
    drop_seams(image, from, to);
    if (image->seam_count + found.count > FS_IMAGE_SEAMS) {
        memcpy(image->seams, old.seams, sizeof(old.seams));
        image->seam_count = old.seam_count;
        return -EILSEQ;
    }
    memcpy(image->seams + image->seam_count, found.seams, found.count * sizeof(found.seams[0]));
    image->seam_count += found.count;
    return 0;
}

/* Puts the bytes in place. What they replace is copied to `*saved` if that is not NULL. */
static int put(struct fs_image *image, size_t offset, const char *data, size_t len, char **saved)
{
    size_t end = offset + len;
    size_t old_len = image->bytes.len;

    if (offset > DS_VALUE_MAX_BYTES || len > DS_VALUE_MAX_BYTES - offset)
        return -EFBIG;
    if (offset > old_len)
        return -EILSEQ;
    if (end > old_len && ds_buf_reserve(&image->bytes, end - old_len) != 0)
        return -ENOMEM;
    if (saved != NULL && offset < old_len) {
        size_t replaced = (end < old_len ? end : old_len) - offset;

        *saved = malloc(replaced > 0 ? replaced : 1);
        if (*saved == NULL)
            return -ENOMEM;
        memcpy(*saved, image->bytes.data + offset, replaced);
    }
    memcpy(image->bytes.data + offset, data, len);
    if (end > old_len) {
        image->bytes.len = end;
        image->bytes.data[end] = '\0';
    }
    return 0;
}

int fs_image_write(struct fs_image *image, size_t offset, const char *data, size_t len)
{
    size_t old_len = image->bytes.len;
    char *saved = NULL;
    int err;

    if (len == 0)
        return 0;
    err = put(image, offset, data, len, &saved);
    if (err == 0 && !image->unchecked) {
        err = judge(image, offset, offset + len);
        if (err != 0) {
            if (saved != NULL)
                memcpy(image->bytes.data + offset, saved,
                       (offset + len < old_len ? offset + len : old_len) - offset);
            image->bytes.len = old_len;
            image->bytes.data[old_len] = '\0';
        }
    }
    free(saved);
    return err;
}

int fs_image_write_page(struct fs_image *image, size_t offset, const char *data, size_t len)
{
    int err = len == 0 ? 0 : put(image, offset, data, len, NULL);

    if (err == 0 && len > 0)
        image->unchecked = true;
    return err;
}

int fs_image_truncate(struct fs_image *image, size_t size)
{
    if (size > image->bytes.len)
        return -EILSEQ;
    if (size == image->bytes.len)
        return 0;
    image->bytes.len = size;
    image->bytes.data[size] = '\0';
    drop_seams(image, size, (size_t)-1);
    return image->unchecked ? 0 : judge(image, size, size);
}

int fs_image_committable(const struct fs_image *image, size_t *len)
{
    size_t whole = image->bytes.len;
    bool incomplete = false;

    if (image->unchecked || image->seam_count > 0) {
        size_t start = 0;

        if (!image->unchecked) {
            /* All but the seams is known to be text: the only one allowed is at the end. */
            if (image->seam_count > 1 || image->seams[0] != image->bytes.len)
                return -EILSEQ;
            start = image->bytes.len > CONTINUATION_MAX ? image->bytes.len - CONTINUATION_MAX : 0;
            while (start > 0 && is_continuation(image->bytes.data[start]))
                start--;
        }
        whole = start +
                ds_utf8_prefix(image->bytes.data + start, image->bytes.len - start, &incomplete);
        if (whole < image->bytes.len && !incomplete)
            return -EILSEQ;
    }
    *len = whole;
    return 0;
}
