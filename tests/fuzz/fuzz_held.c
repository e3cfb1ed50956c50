/* Two files that write pieces of text into one value, and what each holds back: a reader of either
 * sees what a plain string would be, and the value is text at all times. */
#include "fuzz.h"
#include "steps.h"

#include "dataset.h"
#include "fs/text/held_back.h"
#include "utf8.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

enum { FILES = 2 };

struct world {
    struct fs_image image;
    struct {
        struct fs_held held;
        bool alone; /* nobody else has changed the value since something waits here */
    } files[FILES];
    struct ds_buf log; /* of appends, beside all that */
    struct fs_held appended;
};

static bool is_text(const struct ds_buf *buf)
{
    return ds_utf8_valid(buf->data, buf->len);
}

static void require_same(const struct ds_buf *a, const struct ds_buf *b)
{
    require(a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len)));
}

/* What a reader of the file sees. */
static struct ds_buf shown(const struct world *world, int file)
{
    const struct fs_held *held = &world->files[file].held;
    struct ds_buf out = {0};
    require(!ds_buf_append(&out, world->image.bytes.data, world->image.bytes.len));
    require(!fs_held_show(held, &out));
    require(out.len == fs_held_size(held, world->image.bytes.len));
    return out;
}

/* `err` is what became of what makes `would` of what the file showed. */
static void judge(struct world *world, int file, int err, const struct ds_buf *before,
                  const struct ds_buf *would, bool full)
{
    struct fs_held *held = &world->files[file].held;
    if (!err) {
        fs_held_clear(held);
        world->files[!file].alone = false;
    }
    struct ds_buf now = shown(world, file);
    require_same(&now, !err || err == -EAGAIN ? would : before);
    require(is_text(&world->image.bytes) && fs_image_is_text(&world->image));
    require(!err || err == -EAGAIN || err == -EILSEQ || err == -EFBIG);
    if (err == -EAGAIN)
        require(fs_held_any(held));
    if (world->files[file].alone && !full)
        require(!is_text(would) || !err);
    if (!fs_held_any(held))
        world->files[file].alone = true;
    ds_buf_free(&now);
}

static void write_some(struct world *world, int file, const struct step *step, bool at_end)
{
    struct fs_held *held = &world->files[file].held;
    struct ds_buf before = shown(world, file);
    struct ds_buf would = {0};
    size_t offset = at_end ? before.len : step->number;
    bool full = held->count == FS_HELD_PIECES;
    if (!step->len || offset > before.len) {
        int err = fs_held_write(held, &world->image, at_end, offset, step->text, step->len);
        require(!step->len ? !err : err == -EILSEQ || err == -EFBIG);
        ds_buf_free(&before);
        return;
    }
    require(!ds_buf_append(&would, before.data, offset));
    require(!ds_buf_append(&would, step->text, step->len));
    if (would.len < before.len)
        require(!ds_buf_append(&would, before.data + would.len, before.len - would.len));
    int err = fs_held_write(held, &world->image, at_end, offset, step->text, step->len);
    judge(world, file, err, &before, &would, full);
    ds_buf_free(&before);
    ds_buf_free(&would);
}

/* As fs_truncate() does. */
static void truncate_to(struct world *world, int file, size_t size)
{
    struct fs_held *held = &world->files[file].held;
    struct ds_buf before = shown(world, file);
    struct ds_buf would = {0};
    size_t old_size = world->image.bytes.len;
    if (size < before.len) {
        require(!ds_buf_append(&would, before.data, size));
        int err = fs_held_truncate(held, &world->image, size);
        if (!err || err == -EAGAIN)
            fs_held_cut(&world->files[!file].held, old_size, size);
        if (!err && !world->files[!file].held.appends) {
            /* Nothing of the other file's stands behind the end. */
            struct ds_buf other = shown(world, !file);
            require(other.len <= size);
            ds_buf_free(&other);
        }
        world->files[!file].alone = false;
        judge(world, file, err, &before, &would, true);
    }
    ds_buf_free(&before);
    ds_buf_free(&would);
}

static void settle(struct world *world, int file)
{
    struct ds_buf before = shown(world, file);
    int err = fs_held_settle(&world->files[file].held, &world->image);
    require(err || !fs_held_any(&world->files[file].held));
    judge(world, file, err, &before, &before, true);
    ds_buf_free(&before);
}

/* An append that needs no value. */
static void append(struct world *world, const struct step *step)
{
    struct fs_held *held = &world->appended;
    struct ds_buf would = {0};
    struct ds_buf out = {0};
    if (held->count)
        require(!ds_buf_append(&would, held->pieces[0].bytes.data, held->pieces[0].bytes.len));
    require(!ds_buf_append(&would, step->text, step->len));
    int err = fs_held_append(held, step->text, step->len, &out);
    require(!err || err == -EAGAIN || err == -EILSEQ);
    require(!err == is_text(&would));
    if (!err && out.len)
        require_same(&out, &would);
    if (!err) {
        require(!ds_buf_append(&world->log, would.data, would.len));
        fs_held_clear(held);
    } else if (err == -EAGAIN) {
        require(held->appends && held->count == 1);
        require_same(&held->pieces[0].bytes, &would);
    }
    require(is_text(&world->log));
    ds_buf_free(&would);
    ds_buf_free(&out);
}

static void take_step(struct world *world, const struct step *step)
{
    int file = isupper((unsigned char)step->what) ? 1 : 0;
    switch (tolower((unsigned char)step->what)) {
    case 'w':
        write_some(world, file, step, false);
        break;
    case 'e':
        write_some(world, file, step, true);
        break;
    case 't':
        truncate_to(world, file, step->number);
        break;
    case 's':
        settle(world, file);
        break;
    case 'd':
        fs_held_clear(&world->files[file].held);
        world->files[file].alone = true;
        break;
    case 'n':
        append(world, step);
        break;
    default:
        break;
    }
}

/* Small letters are the first file's, capitals the second's: w and an offset writes the text there,
 * e at the end, t truncates to so many bytes, s lets what waits become a part of the value if it
 * is text, d drops it; n appends to what is only appended to. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = {.files = {{.alone = true}, {.alone = true}}};
    struct steps steps = steps_of(data, size);
    struct step step;
    while (next_step(&steps, &step))
        take_step(&world, &step);
    fs_image_clear(&world.image);
    fs_held_clear(&world.files[0].held);
    fs_held_clear(&world.files[1].held);
    fs_held_clear(&world.appended);
    ds_buf_free(&world.log);
    return 0;
}
