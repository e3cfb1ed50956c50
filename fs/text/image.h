/* A value that is being written: its bytes, and where their text is not whole. Pure.
 *
 * A value is UTF-8 without NUL, but write(2) cuts where it likes. A code point that a written
 * range's end cuts leaves a *seam*, until a neighbouring write completes it. The working value of
 * an inode never has one: held_back.h keeps back what would leave it. */
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

/* The same if no seam is left by it; else -EAGAIN, and the image is unchanged. */
int fs_image_write_whole(struct fs_image *image, size_t offset, const char *data, size_t len);

/* As fs_image_write() for a page of a memory map: the text is not judged now. -EFBIG, -ENOMEM;
 * -EILSEQ for a gap. */
int fs_image_write_page(struct fs_image *image, size_t offset, const char *data, size_t len);

/* Shortens the image to `size` bytes. -EILSEQ if it is shorter already, since a value holds no NUL,
 * or has too many seams; it is then unchanged. */
int fs_image_truncate(struct fs_image *image, size_t size);

/* True if it may be committed: without seams, and what memory maps have put in is text. */
bool fs_image_is_text(const struct fs_image *image);

/* Replaces `image` by a copy of `from`. 0 or -ENOMEM. */
int fs_image_copy(struct fs_image *image, const struct fs_image *from);

/* Frees the content and zeroes the image. */
void fs_image_clear(struct fs_image *image);

#endif
