/* Writes of pieces of text, cut where it pleases, against a naive model: a string, and where it was
 * cut. */
#include "fuzz.h"
#include "steps.h"

#include "dataset.h"
#include "fs/text/image.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>

enum { INPUT_MAX_BYTES = 8192 };

struct world {
    struct fs_image image;
    struct ds_buf plain;
    bool
        was_cut[INPUT_MAX_BYTES + 1]; /* where a written range, or the string, has begun or ended */
};

static void require_same(const struct ds_buf *a, const struct ds_buf *b)
{
    require(a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len)));
}

static bool is_seam(const struct fs_image *image, size_t at)
{
    for (unsigned i = 0; i < image->seam_count; i++)
        if (image->seams[i].at == at)
            return true;
    return false;
}

/* Between two seams there is text, but for the rest of a code point at its beginning and the
 * beginning of one at its end. */
static void require_explained(const struct fs_image *image)
{
    const struct ds_buf *bytes = &image->bytes;
    for (size_t from = 0, to; from < bytes->len; from = to) {
        bool incomplete = false;
        size_t at = from;
        for (to = from + 1; to < bytes->len && !is_seam(image, to); to++)
            continue;
        while (is_seam(image, from) && at < to && at - from < 3 &&
               ((unsigned char)bytes->data[at] & 0xC0) == 0x80)
            at++;
        at += ds_utf8_prefix(bytes->data + at, to - at, &incomplete);
        require(at == to || (incomplete && is_seam(image, to)));
    }
}

static void check(const struct world *world)
{
    const struct fs_image *image = &world->image;
    const struct ds_buf *plain = &world->plain;
    require_same(&image->bytes, plain);
    require(fs_image_is_text(image) == ds_utf8_valid(plain->data, plain->len));
    require(image->seam_count <= FS_IMAGE_SEAMS);
    for (unsigned i = 0; i < image->seam_count; i++)
        require(image->seams[i].at <= plain->len && world->was_cut[image->seams[i].at]);
    if (!image->unchecked)
        require_explained(image);
}

/* What the string would be. False: there would be a gap, or it would be too long. */
static bool would_be(const struct world *world, size_t offset, const char *data, size_t len,
                     struct ds_buf *out)
{
    const struct ds_buf *plain = &world->plain;
    if (offset > plain->len || len > DS_VALUE_MAX_BYTES - offset)
        return false;
    require(!ds_buf_append(out, plain->data, offset) && !ds_buf_append(out, data, len));
    if (out->len < plain->len)
        require(!ds_buf_append(out, plain->data + out->len, plain->len - out->len));
    return true;
}

static void take_over(struct world *world, struct ds_buf *plain, size_t low, size_t high)
{
    ds_buf_free(&world->plain);
    world->plain = *plain;
    *plain = (struct ds_buf){0};
    world->was_cut[low] = world->was_cut[high] = true;
}

typedef int write_call(struct fs_image *, size_t, const char *, size_t);

static void write_some(struct world *world, write_call *call, const struct step *step)
{
    struct ds_buf plain = {0};
    size_t offset = step->number;
    bool judged = call != fs_image_write_page && !world->image.unchecked;
    int err = call(&world->image, offset, step->text, step->len);
    if (!step->len) {
        require(!err);
        return;
    }
    if (!would_be(world, offset, step->text, step->len, &plain)) {
        bool far = offset > DS_VALUE_MAX_BYTES || step->len > DS_VALUE_MAX_BYTES - offset;
        require(err == (far ? -EFBIG : -EILSEQ));
        return;
    }
    bool text = ds_utf8_valid(plain.data, plain.len);
    if (!judged)
        require(!err);
    else if (text)
        require(!err);
    else if (call == fs_image_write_whole)
        require(err == -EAGAIN || err == -EILSEQ);
    else
        require(!err || err == -EILSEQ);
    require(!judged || err || !memchr(step->text, '\0', step->len));
    if (!err)
        take_over(world, &plain, offset, offset + step->len);
    ds_buf_free(&plain);
}

static void truncate_to(struct world *world, size_t size)
{
    struct ds_buf *plain = &world->plain;
    int err = fs_image_truncate(&world->image, size);
    if (size > plain->len) {
        require(err == -EILSEQ);
        return;
    }
    bool text = ds_utf8_valid(plain->data, size);
    require(!err || err == -EILSEQ);
    require(!err || (!text && !world->image.unchecked));
    if (err || size == plain->len)
        return;
    plain->len = size;
    plain->data[size] = '\0';
    world->was_cut[size] = true;
}

/* What is text is taken, however it is cut into blocks that follow one another. */
static void write_blocks(const struct step *step)
{
    struct fs_image image = {0};
    size_t block = step->number ? step->number : 1;
    if (!ds_utf8_valid(step->text, step->len))
        return;
    for (size_t at = 0; at < step->len; at += block) {
        size_t len = step->len - at < block ? step->len - at : block;
        require(!fs_image_write(&image, at, step->text + at, len));
    }
    require(fs_image_is_text(&image) && image.bytes.len == step->len);
    require(!step->len || !memcmp(image.bytes.data, step->text, step->len));
    fs_image_clear(&image);
}

static void copy(struct world *world)
{
    struct fs_image twin = {0};
    require(!fs_image_copy(&twin, &world->image));
    fs_image_clear(&world->image);
    world->image = twin;
}

static void load(struct world *world, const struct step *step)
{
    if (!ds_utf8_valid(step->text, step->len))
        return;
    require(!fs_image_load(&world->image, step->text, step->len));
    ds_buf_free(&world->plain);
    require(!ds_buf_append(&world->plain, step->text, step->len));
}

static void take_step(struct world *world, const struct step *step)
{
    switch (step->what) {
    case 'w':
        write_some(world, fs_image_write, step);
        break;
    case 'W':
        write_some(world, fs_image_write_whole, step);
        break;
    case 'p':
        write_some(world, fs_image_write_page, step);
        break;
    case 't':
        truncate_to(world, step->number);
        break;
    case 'b':
        write_blocks(step);
        break;
    case 'c':
        copy(world);
        break;
    case 'l':
        load(world, step);
        break;
    default:
        break;
    }
}

/* w, W or p and an offset: writes the text there, if need be with seams, without, as a page of a
 * memory map; t: truncates to so many bytes; b: blocks of so many bytes; c: copies; l: loads. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = {.image = {.seam_count = 0}};
    struct steps steps = steps_of(data, size);
    struct step step;
    if (size > INPUT_MAX_BYTES)
        return 0;
    while (next_step(&steps, &step)) {
        take_step(&world, &step);
        world.was_cut[world.plain.len] = true;
        check(&world);
    }
    fs_image_clear(&world.image);
    ds_buf_free(&world.plain);
    return 0;
}
