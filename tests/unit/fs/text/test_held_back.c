/* What an open file holds back until its text is whole. */
#include "fs/text/held_back.h"

#include "tests/seed.h"
#include "utf8.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EURO "\xE2\x82\xAC"

struct file {
    struct fs_image image;
    struct fs_held held;
};

static struct file file_of(const char *text)
{
    struct file file = {0};

    assert_int_equal(fs_image_load(&file.image, text, strlen(text)), 0);
    return file;
}

/* What the caller of fs_held_write() does. */
static int put(struct file *file, size_t offset, const char *text)
{
    int err = fs_held_write(&file->held, &file->image, false, offset, text, strlen(text));

    if (err == 0)
        fs_held_clear(&file->held);
    return err;
}

static int put_end(struct file *file, const char *text)
{
    int err = fs_held_write(&file->held, &file->image, true, 0, text, strlen(text));

    if (err == 0)
        fs_held_clear(&file->held);
    return err;
}

static void assert_value(const struct file *file, const char *text)
{
    assert_int_equal(file->image.bytes.len, strlen(text));
    if (*text)
        assert_memory_equal(file->image.bytes.data, text, strlen(text));
}

static void assert_shown(const struct file *file, const char *text)
{
    struct ds_buf value = {0};

    assert_int_equal(fs_held_size(&file->held, file->image.bytes.len), strlen(text));
    assert_int_equal(ds_buf_append(&value, file->image.bytes.data, file->image.bytes.len), 0);
    assert_int_equal(fs_held_show(&file->held, &value), 0);
    assert_int_equal(value.len, strlen(text));
    assert_memory_equal(value.data, text, strlen(text));
    ds_buf_free(&value);
}

static void free_file(struct file *file)
{
    fs_image_clear(&file->image);
    fs_held_clear(&file->held);
}

/* A write that ends inside a code point waits as a whole. */
static void test_waits_as_a_whole(void **state)
{
    struct file file = file_of("old");

    (void)state;
    assert_int_equal(put(&file, 0, "caf\xC3"), -EAGAIN);
    assert_value(&file, "old");
    assert_shown(&file, "caf\xC3");
    assert_int_equal(put(&file, 4, "\xFF"), -EILSEQ);
    assert_int_equal(put(&file, 4, "x"), -EILSEQ);
    assert_shown(&file, "caf\xC3");
    assert_int_equal(put(&file, 4, "\xA9 and \xE2"), -EAGAIN);
    assert_value(&file, "old");
    assert_int_equal(put(&file, 11, "\x82\xAC"), 0);
    assert_value(&file, "caf\xC3\xA9 and " EURO);
    assert_false(fs_held_any(&file.held));
    free_file(&file);
}

/* So does what is written elsewhere meanwhile. */
static void test_waits_with_what_follows(void **state)
{
    struct file file = file_of("0123456789");

    (void)state;
    assert_int_equal(put(&file, 2, "\xE2"), -EAGAIN);
    assert_int_equal(put(&file, 8, "xy"), -EAGAIN);
    assert_value(&file, "0123456789");
    assert_shown(&file, "01\xE2"
                        "34567xy");
    assert_int_equal(put(&file, 3, "\x82\xAC"), 0);
    assert_value(&file, "01" EURO "567xy");
    free_file(&file);
}

/* The bytes of others come between. */
static void test_beside_others(void **state)
{
    struct file file = file_of("abc");

    (void)state;
    assert_int_equal(put_end(&file, "\xC3"), -EAGAIN);
    assert_shown(&file, "abc\xC3");
    assert_int_equal(fs_image_write(&file.image, 3, "def", 3), 0);
    assert_shown(&file, "abcdef\xC3");
    assert_int_equal(put_end(&file, "\xA9"), 0);
    assert_value(&file, "abcdef\xC3\xA9");
    /* It need not go on appending. */
    assert_int_equal(put_end(&file, "\xC3"), -EAGAIN);
    assert_int_equal(put(&file, 8, "x"), 0);
    assert_value(&file, "abcdef\xC3\xA9x");
    free_file(&file);
}

static void test_append_without_image(void **state)
{
    struct fs_held held = {0};
    struct ds_buf out = {0};

    (void)state;
    assert_int_equal(fs_held_append(&held, "abc", 3, &out), 0);
    assert_int_equal(out.len, 0);
    assert_int_equal(fs_held_append(&held, "a\xFF", 2, &out), -EILSEQ);
    assert_int_equal(fs_held_append(&held, "d\xE2", 2, &out), -EAGAIN);
    assert_int_equal(fs_held_append(&held, "\x82", 1, &out), -EAGAIN);
    assert_int_equal(fs_held_append(&held, "z", 1, &out), -EILSEQ);
    assert_int_equal(fs_held_size(&held, 10), 13);
    assert_int_equal(fs_held_append(&held, "\xAC!", 2, &out), 0);
    assert_string_equal(out.data, "d" EURO "!");
    assert_int_equal(fs_held_size(&held, 10), 13); /* it is the caller's to drop what waited */
    fs_held_clear(&held);
    ds_buf_free(&out);
}

static void test_truncation(void **state)
{
    struct file file = file_of("a" EURO "b");

    (void)state;
    /* It cuts a code point, which the next write makes whole. */
    assert_int_equal(fs_held_truncate(&file.held, &file.image, 3), -EAGAIN);
    assert_value(&file, "a" EURO "b");
    assert_shown(&file, "a\xE2\x82");
    assert_int_equal(put(&file, 3, "\xAD"), 0);
    assert_value(&file, "a\xE2\x82\xAD");
    /* It cuts what waits. */
    assert_int_equal(put(&file, 4, "cd\xE2"), -EAGAIN);
    assert_int_equal(fs_held_truncate(&file.held, &file.image, 6), 0);
    assert_value(&file, "a\xE2\x82\xAD"
                        "cd");
    assert_int_equal(put(&file, 6, "\xE2"), -EAGAIN);
    assert_int_equal(fs_held_truncate(&file.held, &file.image, 1), 0);
    assert_value(&file, "a");
    assert_false(fs_held_any(&file.held));
    /* So does somebody else's, and what is left is text by then. */
    assert_int_equal(put(&file, 1, "xyz\xC3"), -EAGAIN);
    fs_held_cut(&file.held, 1, 3);
    assert_int_equal(fs_held_settle(&file.held, &file.image), 0);
    assert_value(&file, "axy");
    assert_int_equal(put_end(&file, "z\xC3"), -EAGAIN);
    fs_held_cut(&file.held, 3, 4);
    assert_int_equal(fs_held_settle(&file.held, &file.image), 0);
    assert_value(&file, "axyz");
    free_file(&file);
}

static void test_limits(void **state)
{
    struct file file = file_of("");

    (void)state;
    for (int i = 0; i < FS_HELD_PIECES + 4; i++)
        assert_int_equal(fs_image_write(&file.image, (size_t)i * 3, EURO, 3), 0);
    for (int i = 0; i < FS_HELD_PIECES; i++)
        assert_int_equal(put(&file, (size_t)i * 3, "a"), -EAGAIN);
    assert_int_equal(put(&file, 60, "a"), -EILSEQ);
    assert_int_equal(file.held.count, FS_HELD_PIECES);
    free_file(&file);

    file = file_of("abc");
    assert_int_equal(put(&file, (size_t)1 << 20, "a"), -EFBIG);
    assert_int_equal(put(&file, 4, "gap"), -EILSEQ);
    assert_int_equal(put(&file, 3, "\xC3"), -EAGAIN);
    assert_int_equal(put(&file, (size_t)1 << 20, "a"), -EFBIG);
    assert_shown(&file, "abc\xC3");
    free_file(&file);
}

/* The same by the letter: everything is done on a plain string, and counts once that is text. */
struct naive {
    char text[256];
    size_t len;
};

static void naive_write(struct naive *naive, size_t offset, const char *data, size_t len)
{
    memcpy(naive->text + offset, data, len);
    if (offset + len > naive->len)
        naive->len = offset + len;
}

static void test_against_a_plain_string(void **state)
{
    enum { ROUNDS = 20000, STEPS = 12 };
    static const char *const pieces[] = {"a",        "bc",   "\xC3",  "\xA9",
                                         "\xC3\xA9", "\xE2", "\x82",  "\x82\xAC",
                                         "\xE2\x82", EURO,   "x\xC3", "\xA9x"};

    (void)state;
    srand((unsigned)seed_of_run());
    for (int round = 0; round < ROUNDS; round++) {
        struct file file = file_of("a" EURO "bcd");
        struct naive now = {.text = "a" EURO "bcd", .len = 7}, whole = now;

        for (int step = 0; step < STEPS; step++) {
            struct naive before = now;
            int err;

            if (rand() % 6 == 0) {
                size_t size = (size_t)rand() % (now.len + 1);

                now.len = size;
                err = fs_held_truncate(&file.held, &file.image, size);
            } else {
                const char *piece = pieces[(size_t)rand() % (sizeof pieces / sizeof *pieces)];
                bool at_end = rand() % 2;
                size_t offset = at_end ? now.len : (size_t)rand() % (now.len + 1);

                naive_write(&now, offset, piece, strlen(piece));
                err = at_end ? put_end(&file, piece) : put(&file, offset, piece);
            }
            if (err == -EILSEQ) {
                assert_false(ds_utf8_valid(now.text, now.len));
                now = before;
            }
            if (err == 0) {
                assert_true(ds_utf8_valid(now.text, now.len));
                whole = now;
            }
            now.text[now.len] = whole.text[whole.len] = '\0';
            assert_value(&file, whole.text);
            assert_shown(&file, now.text);
        }
        free_file(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_as_a_whole),
        cmocka_unit_test(test_waits_with_what_follows),
        cmocka_unit_test(test_beside_others),
        cmocka_unit_test(test_append_without_image),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_against_a_plain_string),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
