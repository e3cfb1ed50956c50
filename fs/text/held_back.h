/* What an open file has written that ends inside a code point, and what it has written since. Pure.
 *
 * It waits as a whole beside the working value, in the order of the writes, until one of them
 * completes the text; others see to their own. A truncation that cuts a code point waits likewise.
 * What never becomes text is dropped with the open file, and the value is the one before it. */
#ifndef FS_HELD_BACK_H
#define FS_HELD_BACK_H

#include "buf.h"
#include "image.h"

#include <stdbool.h>
#include <stddef.h>

/* More writes that do not follow on one another are refused. */
#define FS_HELD_PIECES 16

struct fs_held_piece {
    size_t offset;
    struct ds_buf bytes;
};

/* Zeroed: nothing waits. The truncation comes before the pieces. */
struct fs_held {
    bool appends; /* it is one piece for the end of the value, wherever that is then */
    bool cuts;
    size_t cut_size;
    struct fs_held_piece *pieces;
    unsigned count;
};

/* True if something waits. */
bool fs_held_any(const struct fs_held *held);

/* Writes into the image at `offset`, or at its end if `at_end`, behind what waits. 0: the image has
 * all of it; what waited before still stands here, for the caller to drop by fs_held_clear() unless
 * it takes the image back. -EAGAIN: this waits too, and the image is unchanged. -EILSEQ: bytes that
 * nothing can complete, or too many pieces; -EFBIG, -ENOMEM: nothing is changed. */
int fs_held_write(struct fs_held *held, struct fs_image *image, bool at_end, size_t offset,
                  const char *data, size_t len);

/* The same for an append that needs no image; nothing else may wait than appends. 0: `out` (empty)
 * has all that is to be appended, unless nothing waited: then it is untouched and the data is. */
int fs_held_append(struct fs_held *held, const char *data, size_t len, struct ds_buf *out);

/* Truncates the image to `size`, at most what fs_held_size() says, behind what waits. 0, and what
 * waited is in it too; -EAGAIN: it waits, and the image is unchanged; -EILSEQ, -ENOMEM: nothing is
 * changed. */
int fs_held_truncate(struct fs_held *held, struct fs_image *image, size_t size);

/* Somebody else cuts the value, of `old_size` bytes without what waits, to `size`: what waits
 * behind that is gone. */
void fs_held_cut(struct fs_held *held, size_t old_size, size_t size);

/* Puts what waits into the image if it is text by now, as the above. */
int fs_held_settle(struct fs_held *held, struct fs_image *image);

/* How long a value of `size` bytes is with what waits. */
size_t fs_held_size(const struct fs_held *held, size_t size);

/* Puts what waits into a copy of the value, text or not, as a reader is to see it. 0 or -ENOMEM. */
int fs_held_show(const struct fs_held *held, struct ds_buf *value);

/* Drops what waits. */
void fs_held_clear(struct fs_held *held);

#endif
