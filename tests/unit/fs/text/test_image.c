/* The working value: writes, seams, truncation, and what may be committed. */
#include "fs/text/image.h"

#include "dataset.h"
#include "tests/seed.h"
#include "utf8.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EURO "\xE2\x82\xAC"

static int put(struct fs_image *image, size_t offset, const char *text)
{
    return fs_image_write(image, offset, text, strlen(text));
}

static void assert_text(const struct fs_image *image, const char *text)
{
    assert_true(fs_image_is_text(image));
    assert_int_equal(image->bytes.len, strlen(text));
    if (image->bytes.len > 0)
        assert_memory_equal(image->bytes.data, text, image->bytes.len);
}

static void assert_no_text(const struct fs_image *image)
{
    assert_false(fs_image_is_text(image));
}

static void test_plain_text(void **state)
{
    struct fs_image image = {0};

    (void)state;
    assert_text(&image, "");
    assert_int_equal(put(&image, 0, "hello"), 0);
    assert_int_equal(put(&image, 5, " world"), 0);
    assert_int_equal(put(&image, 0, "J"), 0);
    assert_text(&image, "Jello world");
    assert_int_equal(fs_image_truncate(&image, 5), 0);
    assert_text(&image, "Jello");
    assert_int_equal(fs_image_truncate(&image, 5), 0);
    assert_int_equal(fs_image_truncate(&image, 6), -EILSEQ);
    assert_int_equal(fs_image_load(&image, EURO, 3), 0);
    assert_text(&image, EURO);
    fs_image_clear(&image);
}

static void test_refused_bytes_change_nothing(void **state)
{
    static const char *const never[] = {"\xFF",
                                        "\xC0\x80",
                                        "\xED\xA0\x80",
                                        "a\x80"
                                        "b",
                                        "\xF5\x80\x80",
                                        "\xE2\x82"
                                        "a\x82",
                                        "\xC1",
                                        "x\xFEy"};
    struct fs_image image = {0};

    (void)state;
    assert_int_equal(put(&image, 0, "abcdef"), 0);
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        for (size_t offset = 0; offset <= 6; offset++) {
            assert_int_equal(put(&image, offset, never[i]), -EILSEQ);
            assert_text(&image, "abcdef");
        }
    assert_int_equal(fs_image_write(&image, 2, "a\0b", 3), -EILSEQ);
    assert_int_equal(fs_image_write(&image, 6, "", 1), -EILSEQ);
    assert_int_equal(put(&image, 7, "gap"), -EILSEQ);
    assert_text(&image, "abcdef");
    fs_image_clear(&image);
}

static void test_cut_at_the_end(void **state)
{
    struct fs_image image = {0};

    (void)state;
    assert_int_equal(put(&image, 0, "ab\xE2"), 0);
    assert_no_text(&image);
    assert_int_equal(put(&image, 3, "\x82"), 0);
    assert_no_text(&image);
    assert_int_equal(put(&image, 4,
                         "\xAC"
                         "c"),
                     0);
    assert_text(&image, "ab" EURO "c");
    /* The missing bytes never come: something else does. */
    assert_int_equal(put(&image, 6, "\xF0\x9F"), 0);
    assert_int_equal(put(&image, 8, "x"), -EILSEQ);
    assert_no_text(&image);
    assert_int_equal(put(&image, 8, "\x98\x80"), 0);
    assert_text(&image, "ab" EURO "c\xF0\x9F\x98\x80");
    fs_image_clear(&image);
}

/* A write that would leave a seam is not made. */
static void test_whole_writes(void **state)
{
    struct fs_image image = {0}, copy = {0};

    (void)state;
    assert_int_equal(fs_image_write_whole(&image, 0, "a" EURO "b", 5), 0);
    assert_int_equal(fs_image_write_whole(&image, 5, "\xE2\x82", 2), -EAGAIN);
    assert_int_equal(fs_image_write_whole(&image, 0, "\xE2", 1), -EAGAIN);
    assert_int_equal(fs_image_write_whole(&image, 1, "c", 1), -EAGAIN);
    assert_int_equal(fs_image_write_whole(&image, 5, "\xFF", 1), -EILSEQ);
    assert_text(&image, "a" EURO "b");
    assert_int_equal(fs_image_write_whole(&image, 3, "\xAD", 1), 0);
    assert_int_equal(fs_image_copy(&copy, &image), 0);
    assert_text(&copy, "a\xE2\x82\xAD"
                       "b");
    fs_image_clear(&copy);
    fs_image_clear(&image);
}

static void test_seam_inside_holds_all(void **state)
{
    struct fs_image image = {0};

    (void)state;
    assert_int_equal(put(&image, 0, EURO EURO EURO), 0);
    assert_int_equal(put(&image, 0, "a"), 0);
    assert_no_text(&image);
    assert_int_equal(put(&image, 1, "bcdefgh"), 0);
    assert_no_text(&image);
    assert_int_equal(put(&image, 8, "i"), 0);
    assert_text(&image, "abcdefghi");
    fs_image_clear(&image);
}

/* Blocks may come in any order; what both neighbours have written must fit. */
static void test_blocks_backwards(void **state)
{
    struct fs_image image = {0};

    (void)state;
    assert_int_equal(put(&image, 0, "12345678"), 0);
    assert_int_equal(put(&image, 4,
                         "\x82\xAC"
                         "ab"),
                     0);
    assert_no_text(&image);
    assert_int_equal(put(&image, 0, "abcd"), -EILSEQ);
    assert_int_equal(put(&image, 0, "abc\xE2"), 0);
    assert_text(&image, "abc" EURO "ab");
    assert_int_equal(put(&image, 0, "\xAC"), -EILSEQ);
    fs_image_clear(&image);
}

static void test_truncation_inside_a_code_point(void **state)
{
    struct fs_image image = {0};

    (void)state;
    assert_int_equal(put(&image, 0, "a" EURO), 0);
    assert_int_equal(fs_image_truncate(&image, 3), 0);
    assert_no_text(&image);
    assert_int_equal(put(&image, 3, "\xAC"), 0);
    assert_text(&image, "a" EURO);
    assert_int_equal(fs_image_truncate(&image, 0), 0);
    assert_text(&image, "");
    fs_image_clear(&image);
}

static void test_limits(void **state)
{
    struct fs_image image = {0};
    char *text = malloc(DS_VALUE_MAX_BYTES + 1);

    (void)state;
    assert_non_null(text);
    memset(text, 'a', DS_VALUE_MAX_BYTES + 1);
    assert_int_equal(fs_image_write(&image, 0, text, DS_VALUE_MAX_BYTES), 0);
    assert_int_equal(fs_image_write(&image, 0, text, DS_VALUE_MAX_BYTES + 1), -EFBIG);
    assert_int_equal(put(&image, DS_VALUE_MAX_BYTES, "b"), -EFBIG);
    assert_int_equal(fs_image_write(&image, SIZE_MAX, "b", 1), -EFBIG);
    assert_int_equal(put(&image, DS_VALUE_MAX_BYTES - 1, "b"), 0);
    assert_int_equal(image.bytes.len, DS_VALUE_MAX_BYTES);
    free(text);
    fs_image_clear(&image);
}

static void test_pages_are_judged_when_committed(void **state)
{
    struct fs_image image = {0};

    (void)state;
    assert_int_equal(put(&image, 0, "abc"), 0);
    assert_int_equal(fs_image_write_page(&image, 1, "\xFF", 1), 0);
    assert_no_text(&image);
    assert_int_equal(fs_image_write_page(&image, 1, "\xC3\xA9", 2), 0);
    assert_text(&image, "a\xC3\xA9");
    assert_int_equal(fs_image_write_page(&image, 9, "x", 1), -EILSEQ);
    fs_image_clear(&image);
}

static void test_too_many_seams(void **state)
{
    struct fs_image image = {0};
    int err = 0, held = 0;

    (void)state;
    for (int i = 0; i < 2 * FS_IMAGE_SEAMS; i++)
        assert_int_equal(put(&image, (size_t)i * 3, EURO), 0);
    for (int i = 0; i < 2 * FS_IMAGE_SEAMS && err == 0; i++) {
        err = put(&image, (size_t)i * 3, "a");
        held += err == 0;
    }
    assert_int_equal(err, -EILSEQ);
    assert_int_equal(held, FS_IMAGE_SEAMS);
    assert_no_text(&image);
    fs_image_clear(&image);
}

/* A text of random code points with no NUL. */
static size_t random_text(char *text, size_t room)
{
    static const char *const points[] = {"a", "\n", "\xC3\xA9", EURO, "\xF0\x9F\x98\x80"};
    size_t len = 0;

    while (len + 4 <= room) {
        const char *point = points[(size_t)rand() % 5];

        memcpy(text + len, point, strlen(point));
        len += strlen(point);
    }
    return len;
}

/* A whole text written in blocks that cut code points, in order or as rsync does it over an older
 * one, arrives as it is, and nothing that is not text can be committed on the way. */
static void test_blocks_over_text(void **state)
{
    enum { ROUNDS = 20000, ROOM = 64 };

    (void)state;
    srand((unsigned)seed_of_run());
    for (int round = 0; round < ROUNDS; round++) {
        struct fs_image image = {0};
        char old[ROOM], new[ROOM];
        size_t old_len = random_text(old, (size_t)rand() % ROOM);
        size_t new_len = random_text(new, ROOM), at = 0;

        assert_int_equal(fs_image_load(&image, old, old_len), 0);
        while (at < new_len) {
            size_t block = 1 + (size_t)rand() % 9;

            if (block > new_len - at)
                block = new_len - at;
            assert_int_equal(fs_image_write(&image, at, new + at, block), 0);
            at += block;
            if (fs_image_is_text(&image))
                assert_true(ds_utf8_valid(image.bytes.data, image.bytes.len));
        }
        assert_int_equal(fs_image_truncate(&image, new_len), 0);
        assert_true(fs_image_is_text(&image));
        assert_int_equal(image.bytes.len, new_len);
        assert_memory_equal(image.bytes.data, new, new_len);
        fs_image_clear(&image);
    }
}

/* The seam that a truncation or a write beside it leaves alone is not forgotten. */
static void test_neighbours_keep_seams(void **state)
{
    struct fs_image image = {0};

    (void)state;
    assert_int_equal(put(&image, 0, "Wa:\"%"), 0);
    assert_int_equal(put(&image, 1, "*\xE0"), 0);
    assert_int_equal(fs_image_truncate(&image, 4), 0);
    assert_no_text(&image);
    assert_int_equal(put(&image, 4, "x"), 0);
    assert_no_text(&image);
    assert_int_equal(put(&image, 3, "\xA4\xA8"), 0);
    assert_text(&image, "W*\xE0\xA4\xA8");
    fs_image_clear(&image);
}

/* What counts as text is text, whatever was written where and cut off. */
static void test_anything_anywhere(void **state)
{
    enum { ROUNDS = 20000, STEPS = 12, ROOM = 24 };

    (void)state;
    srand((unsigned)seed_of_run());
    for (int round = 0; round < ROUNDS; round++) {
        struct fs_image image = {0};
        char text[ROOM], before[8 * ROOM];
        size_t len = random_text(text, ROOM);

        assert_int_equal(fs_image_load(&image, text, len), 0);
        for (int step = 0; step < STEPS; step++) {
            size_t size = image.bytes.len, at = (size_t)rand() % (size + 1);
            size_t skip, room = 8 * ROOM - size;
            bool whole = rand() % 2;
            int err;

            if (size > 0)
                memcpy(before, image.bytes.data, size);
            len = random_text(text, 12);
            skip = len > 0 ? (size_t)rand() % len : 0;
            len = len - skip > room ? 0 : len - skip;
            if (rand() % 4 == 0)
                err = fs_image_truncate(&image, at);
            else if (whole)
                err = fs_image_write_whole(&image, at, text + skip, len);
            else
                err = fs_image_write(&image, at, text + skip, len);
            assert_true(err == 0 || err == -EILSEQ || (whole && err == -EAGAIN));
            if (fs_image_is_text(&image))
                assert_true(ds_utf8_valid(image.bytes.data, image.bytes.len));
            if (err == 0)
                continue;
            assert_int_equal(image.bytes.len, size);
            if (size > 0)
                assert_memory_equal(image.bytes.data, before, size);
        }
        fs_image_clear(&image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_text),
        cmocka_unit_test(test_refused_bytes_change_nothing),
        cmocka_unit_test(test_cut_at_the_end),
        cmocka_unit_test(test_whole_writes),
        cmocka_unit_test(test_seam_inside_holds_all),
        cmocka_unit_test(test_blocks_backwards),
        cmocka_unit_test(test_truncation_inside_a_code_point),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_pages_are_judged_when_committed),
        cmocka_unit_test(test_too_many_seams),
        cmocka_unit_test(test_blocks_over_text),
        cmocka_unit_test(test_neighbours_keep_seams),
        cmocka_unit_test(test_anything_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
