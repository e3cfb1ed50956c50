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

/* Forgets the seams from `from` to `to`, both included. */
static void drop_seams(struct fs_image *image, size_t from, size_t to)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < image->seam_count; i++)
        if (image->seams[i].at < from || image->seams[i].at > to)
            image->seams[kept++] = image->seams[i];
    image->seam_count = kept;
}

/* Offsets in rising order: where code points may be cut, or are. */
struct cuts {
    size_t at[FS_IMAGE_SEAMS + 2];
    unsigned count;
};

static void add_cut(struct cuts *cuts, size_t offset)
{
    unsigned i = cuts->count;

    if (i > 0 && cuts->at[i - 1] == offset)
        return;
    for (; i > 0 && cuts->at[i - 1] > offset; i--)
        cuts->at[i] = cuts->at[i - 1];
    cuts->at[i] = offset;
    cuts->count++;
}

/* Reads the piece from `from` to `to`. Broken code points are excused where `cut_before` and
 * `cut_after` say that it was cut there, and then stand in `broken`. */
static bool read_piece(const struct ds_buf *bytes, size_t from, size_t to, bool cut_before,
                       bool cut_after, struct cuts *broken)
{
    size_t at = from;
    bool incomplete = false;

    while (cut_before && at < to && at - from < CONTINUATION_MAX &&
           is_continuation(bytes->data[at]))
        at++;
    if (at > from)
        add_cut(broken, from);
    at += ds_utf8_prefix(bytes->data + at, to - at, &incomplete);
    if (at == to)
        return true;
    if (!incomplete || (!cut_after && to != bytes->len))
        return false;
    add_cut(broken, to);
    return true;
}

/* Reads the text from `from` to `to` as if it was cut where `mask` selects from `cuts`. */
static bool read_with_cuts(const struct ds_buf *bytes, size_t from, size_t to,
                           const struct cuts *cuts, unsigned mask, struct cuts *broken)
{
    size_t start = from;
    bool cut_before = false;

    broken->count = 0;
    for (unsigned i = 0; i < cuts->count; i++) {
        if ((mask & 1U << i) == 0)
            continue;
        if (!read_piece(bytes, start, cuts->at[i], cut_before, true, broken))
            return false;
        start = cuts->at[i];
        cut_before = true;
    }
    return read_piece(bytes, start, to, cut_before, false, broken);
}

static bool is_whole(const struct ds_buf *bytes, size_t from, size_t to)
{
    return ds_utf8_valid(bytes->data + from, to - from);
}

/* The text from `from` to `to`, with the written range [low, high) in it, and what is known of its
 * cuts. */
struct window {
    size_t from, to, low, high;
};

static bool has_seam(const struct fs_image *image, size_t at)
{
    for (unsigned i = 0; i < image->seam_count; i++)
        if (image->seams[i].at == at)
            return true;
    return false;
}

/* It begins where a code point does: a seam has both its sides in it, or none. */
static struct window window_round(const struct fs_image *image, size_t low, size_t high)
{
    const struct ds_buf *bytes = &image->bytes;
    struct window window = {.from = low, .to = high, .low = low, .high = high};

    while (window.from > 0) {
        window.from--;
        if (!is_continuation(bytes->data[window.from]) && !has_seam(image, window.from))
            break;
    }
    while (window.to < bytes->len && is_continuation(bytes->data[window.to]))
        window.to++;
    return window;
}

/* Where the text in the window may be cut: the ends of the written range, unless they are those of
 * the value, and what was cut before beside it. False if there are more than any writer's blocks
 * leave. */
static bool possible_cuts(const struct fs_image *image, const struct window *window,
                          struct cuts *cuts)
{
    enum { CUTS_TRIED = 6 };

    cuts->count = 0;
    if (window->low > 0)
        add_cut(cuts, window->low);
    if (window->high > 0)
        add_cut(cuts, window->high);
    for (unsigned i = 0; i < image->seam_count; i++) {
        size_t at = image->seams[i].at;

        if (at >= window->from && at <= window->to && (at < window->low || at > window->high))
            add_cut(cuts, at);
    }
    return cuts->count <= CUTS_TRIED;
}

/* What the cut at `at` is after this write. */
static struct fs_seam seam_at(const struct fs_image *image, const struct window *window, size_t at)
{
    struct fs_seam seam = {.at = at};

    for (unsigned i = 0; i < image->seam_count; i++)
        if (image->seams[i].at == at)
            seam = image->seams[i];
    seam.written_before = seam.written_before || at == window->high;
    seam.written_after = seam.written_after || (at == window->low && window->high > at);
    return seam;
}

/* Makes the seams of `broken`. False if one of them can never be completed: both its sides have
 * been written. */
static bool make_seams(const struct fs_image *image, const struct window *window,
                       const struct cuts *broken, struct fs_seam *seams)
{
    for (unsigned i = 0; i < broken->count; i++) {
        seams[i] = seam_at(image, window, broken->at[i]);
        if (seams[i].written_before && seams[i].written_after)
            return false;
    }
    return true;
}

/* Finds the fewest cuts that explain the text in the window, and what they leave broken. Old bytes
 * behind a cut may happen to complete it, so that the fault shows later: hence the search instead
 * of one pass. False if no choice does. */
static bool explain(const struct fs_image *image, const struct window *window, struct cuts *broken,
                    struct fs_seam *seams)
{
    struct cuts cuts;

    if (!possible_cuts(image, window, &cuts))
        return false;
    for (unsigned wanted = 0; wanted <= cuts.count; wanted++)
        for (unsigned mask = 0; mask < 1U << cuts.count; mask++)
            if ((unsigned)__builtin_popcount(mask) == wanted &&
                read_with_cuts(&image->bytes, window->from, window->to, &cuts, mask, broken) &&
                make_seams(image, window, broken, seams))
                return true;
    return false;
}

/* Judges the text round [low, high), just written, and updates the seams. */
static int judge(struct fs_image *image, size_t low, size_t high)
{
    struct window window = window_round(image, low, high);
    struct fs_seam seams[FS_IMAGE_SEAMS + 2];
    struct cuts broken = {0};
    unsigned kept = 0;

    if (!is_whole(&image->bytes, window.from, window.to) &&
        !explain(image, &window, &broken, seams))
        return -EILSEQ;
    for (unsigned i = 0; i < image->seam_count; i++)
        kept += image->seams[i].at < window.from || image->seams[i].at > window.to;
    if (kept + broken.count > FS_IMAGE_SEAMS)
        return -EILSEQ;
    drop_seams(image, window.from, window.to);
    for (unsigned i = 0; i < broken.count; i++)
        image->seams[image->seam_count++] = seams[i];
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

/* What a write has replaced, to put it back. */
struct undo {
    size_t offset, old_len;
    char *replaced; /* owned; NULL: nothing was */
    struct fs_seam seams[FS_IMAGE_SEAMS];
    unsigned seam_count;
};

static void put_back(struct fs_image *image, const struct undo *undo, size_t len)
{
    size_t end = undo->offset + len < undo->old_len ? undo->offset + len : undo->old_len;

    if (undo->replaced != NULL)
        memcpy(image->bytes.data + undo->offset, undo->replaced, end - undo->offset);
    image->bytes.len = undo->old_len;
    image->bytes.data[undo->old_len] = '\0';
    memcpy(image->seams, undo->seams, sizeof(undo->seams));
    image->seam_count = undo->seam_count;
}

/* `whole`: -EAGAIN, and nothing is changed, if the text has a seam then. */
static int write_text(struct fs_image *image, size_t offset, const char *data, size_t len,
                      bool whole)
{
    struct undo undo = {
        .offset = offset, .old_len = image->bytes.len, .seam_count = image->seam_count};
    int err;

    if (len == 0)
        return 0;
    memcpy(undo.seams, image->seams, sizeof(undo.seams));
    err = put(image, offset, data, len, &undo.replaced);
    if (err == 0 && !image->unchecked) {
        err = judge(image, offset, offset + len);
        if (err == 0 && whole && image->seam_count > 0)
            err = -EAGAIN;
        if (err != 0)
            put_back(image, &undo, len);
    }
    free(undo.replaced);
    return err;
}

int fs_image_write(struct fs_image *image, size_t offset, const char *data, size_t len)
{
    return write_text(image, offset, data, len, false);
}

int fs_image_write_whole(struct fs_image *image, size_t offset, const char *data, size_t len)
{
    return write_text(image, offset, data, len, true);
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
    struct undo undo = {.old_len = image->bytes.len, .seam_count = image->seam_count};
    char first;
    int err;

    if (size > image->bytes.len)
        return -EILSEQ;
    if (size == image->bytes.len)
        return 0;
    memcpy(undo.seams, image->seams, sizeof(undo.seams));
    first = image->bytes.data[size];
    image->bytes.len = size;
    image->bytes.data[size] = '\0';
    drop_seams(image, size + 1, (size_t)-1);
    for (unsigned i = 0; i < image->seam_count; i++)
        if (image->seams[i].at == size)
            image->seams[i].written_after = false; /* that is cut off */
    err = image->unchecked ? 0 : judge(image, size, size);
    if (err != 0) {
        image->bytes.data[size] = first;
        put_back(image, &undo, 0);
    }
    return err;
}

bool fs_image_is_text(const struct fs_image *image)
{
    return image->unchecked ? ds_utf8_valid(image->bytes.data, image->bytes.len)
                            : image->seam_count == 0;
}

int fs_image_copy(struct fs_image *image, const struct fs_image *from)
{
    struct fs_image copy = *from;

    memset(&copy.bytes, 0, sizeof(copy.bytes));
    if (ds_buf_append(&copy.bytes, from->bytes.data, from->bytes.len) != 0)
        return -ENOMEM;
    fs_image_clear(image);
    *image = copy;
    return 0;
}
