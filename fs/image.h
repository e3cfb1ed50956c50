/* A working value: bytes that are being written, and where their text is not whole yet. Pure.
 *
 * A value is UTF-8 without NUL, but write(2) cuts where it likes. A code point that a written
 * range's end cuts leaves a *seam*: the image is kept, and what cannot be committed is held back
 * until a neighbouring write completes it. */
#ifndef FS_IMAGE_H
#define FS_IMAGE_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

/* More open seams than that are refused: a writer that jumps about inside code points. */
#define FS_IMAGE_SEAMS 16

/* A cut code point. Once both sides have been written and do not fit, nothing will complete it. */
struct fs_seam {
    size_t at; /* offset of the cut */
    bool written_before;
    bool written_after;
};

/* Zeroed is empty and valid. */
struct fs_image {
    struct ds_buf bytes;
    struct fs_seam seams[FS_IMAGE_SEAMS];
    unsigned seam_count;
    bool unchecked; /* pages of a memory map came in: judged as a whole when committed */
};

/* Replaces the content by `data`, which is valid text. 0 or -ENOMEM. */
int fs_image_load(struct fs_image *image, const char *data, size_t len);

/* Writes `len` bytes at `offset`. -EFBIG: beyond DS_VALUE_MAX_BYTES; -EILSEQ: a NUL, bytes that no
 * neighbour can complete, or a gap before `offset` (it would read as NULs); -ENOMEM. On failure the
 * image is unchanged. */
int fs_image_write(struct fs_image *image, size_t offset, const char *data, size_t len);

/* The same for a page of a memory map: the text is not judged now. -EFBIG, -ENOMEM; -EILSEQ for a
 * gap. */
int fs_image_write_page(struct fs_image *image, size_t offset, const char *data, size_t len);

/* Shortens the image to `size` bytes. -EILSEQ if it is shorter already: a value holds no NUL. */
int fs_image_truncate(struct fs_image *image, size_t size);

/* How much may be committed now: `*len` is all of it, or all but a cut code point at its end.
 * -EILSEQ: nothing, since a seam lies inside or a mapped page holds no text. */
int fs_image_committable(const struct fs_image *image, size_t *len);

/* Frees the content and zeroes the image. */
void fs_image_clear(struct fs_image *image);

#endif
