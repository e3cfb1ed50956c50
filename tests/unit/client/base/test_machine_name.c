/* File names of virtual machines, both ways. */
#include "machine_name.h"

#include "tests/seed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LEN(array) (sizeof(array) / sizeof *(array))
/* Repeated ten times, for names that are long. */
#define TEN(text) text text text text text text text text text text

static void test_is_id(void **state)
{
    (void)state;
    assert_true(ds_machine_name_is_id("vm-1"));
    assert_true(ds_machine_name_is_id("vm-0042"));
    assert_false(ds_machine_name_is_id("vm-"));
    assert_false(ds_machine_name_is_id("vm-1a"));
    assert_false(ds_machine_name_is_id("VM-1"));
    assert_false(ds_machine_name_is_id("web-1"));
    assert_false(ds_machine_name_is_id(""));
}

/* What each machine is called, and that the name leads back to it. */
static const struct {
    const char *name;
    const char *id;
    bool ambiguous;
    const char *file_name;
} rows[] = {
    {"web-01", "vm-42", false, "web-01"},
    {"web-01", "vm-42", true, "web-01%vm-42"},
    {"a/b", "vm-1", false, "a%2Fb"},
    {"a/b", "vm-1", true, "a%2Fb%vm-1"},
    {"100%", "vm-1", false, "100%25"},
    {"x%vm-7", "vm-1", false, "x%25vm-7"},
    {"x%vm-7", "vm-1", true, "x%25vm-7%vm-1"},
    {".", "vm-1", false, "%2E"},
    {"..", "vm-1", true, "%2E%2E%vm-1"},
    {".datasetfs", "vm-1", false, "%2Edatasetfs"},
    {"vm-42", "vm-7", false, "name=vm-42"},
    {"vm-42", "vm-42", false, "name=vm-42"},
    {"vm-42", "vm-7", true, "name=vm-42%vm-7"},
    {"vm-42a", "vm-7", false, "vm-42a"},
    {"name=web", "vm-7", false, "name=name=web"},
    {"name=", "vm-7", false, "name=name="},
    {"Größe \xE2\x82\xAC", "vm-7", true, "Größe \xE2\x82\xAC%vm-7"},
};

static void test_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < LEN(rows); i++) {
        char file_name[DS_FILE_NAME_MAX_BYTES + 1];
        struct ds_machine_name read = {0};
        ds_machine_name_encode(rows[i].name, rows[i].id, rows[i].ambiguous, file_name);
        assert_string_equal(file_name, rows[i].file_name);
        assert_int_equal(ds_machine_name_decode(file_name, &read), 0);
        assert_string_equal(read.name, rows[i].name);
        if (rows[i].ambiguous)
            assert_string_equal(read.id, rows[i].id);
        else
            assert_null(read.id);
        ds_machine_name_clear(&read);
        assert_null(read.name);
    }
}

static void test_an_id_alone(void **state)
{
    (void)state;
    struct ds_machine_name read = {0};
    assert_int_equal(ds_machine_name_decode("vm-42", &read), 0);
    assert_string_equal(read.id, "vm-42");
    assert_null(read.name);
    ds_machine_name_clear(&read);
}

static void test_what_no_machine_is_called(void **state)
{
    (void)state;
    static const struct {
        const char *file_name;
        int error;
    } refusals[] = {
        {"", -EINVAL},           {"%", -EINVAL},        {"%vm-1", -EINVAL},
        {"%%vm-1", -EINVAL},     {"web%", -EINVAL},     {"web%vm-", -EINVAL},
        {"web%vm-x", -EINVAL},   {"web%41", -EINVAL},   {"a%2fb", -EINVAL},
        {"vm-42%vm-7", -EINVAL}, {"name=web", -EINVAL}, {"name=", -EINVAL},
        {".datasetfs", -EINVAL}, {"a\xFF", -EILSEQ},    {TEN(TEN("abc")), -ENAMETOOLONG},
    };
    for (size_t i = 0; i < LEN(refusals); i++) {
        struct ds_machine_name untouched = {.name = (char[]){"n"}, .id = (char[]){"i"}};
        assert_int_equal(ds_machine_name_decode(refusals[i].file_name, &untouched),
                         refusals[i].error);
        assert_string_equal(untouched.name, "n");
        assert_string_equal(untouched.id, "i");
    }
}

static void expect_shortened(const char *name, const char *file_name)
{
    char expected[DS_FILE_NAME_MAX_BYTES + 1];
    struct ds_machine_name none;
    ds_file_name_shorten(name, expected);
    assert_string_equal(file_name, expected);
    assert_true(ds_file_name_is_shortened(file_name));
    assert_int_equal(ds_machine_name_decode(file_name, &none), -EINVAL);
}

static void repeat(char *out, const char *text, size_t times)
{
    *out = '\0';
    for (size_t i = 0; i < times; i++)
        strcat(out, text);
}

static void test_names_that_do_not_fit(void **state)
{
    (void)state;
    static const char id[] = "vm-12345678"; /* with "%" 12 bytes */
    char name[4 * DS_FILE_NAME_MAX_BYTES];
    char file_name[DS_FILE_NAME_MAX_BYTES + 1];
    struct ds_machine_name read = {0};

    repeat(name, "n", DS_FILE_NAME_MAX_BYTES - 12);
    ds_machine_name_encode(name, id, true, file_name);
    assert_int_equal(strlen(file_name), DS_FILE_NAME_MAX_BYTES);
    assert_int_equal(ds_machine_name_decode(file_name, &read), 0);
    assert_string_equal(read.name, name);
    assert_string_equal(read.id, id);
    ds_machine_name_clear(&read);

    repeat(name, "n", DS_FILE_NAME_MAX_BYTES - 11);
    ds_machine_name_encode(name, id, true, file_name);
    assert_string_equal(file_name, id);
    ds_machine_name_encode(name, id, false, file_name);
    assert_string_equal(file_name, name);
    ds_machine_name_encode(name, "other", true, file_name);
    assert_string_equal(file_name + strlen(name), "%other");

    repeat(name, "/", DS_FILE_NAME_MAX_BYTES / 3 + 1);
    ds_machine_name_encode(name, id, false, file_name);
    expect_shortened(name, file_name);
    ds_machine_name_encode(name, id, true, file_name);
    assert_string_equal(file_name, id);
    ds_machine_name_encode(name, "other", true, file_name);
    expect_shortened(name, file_name);

    /* Only what it needs in front makes it too long. */
    strcpy(name, "name=");
    repeat(name + strlen(name), "n", DS_FILE_NAME_MAX_BYTES - 10);
    ds_machine_name_encode(name, id, false, file_name);
    assert_int_equal(strlen(file_name), DS_FILE_NAME_MAX_BYTES);
    strcat(name, "n");
    ds_machine_name_encode(name, id, false, file_name);
    expect_shortened(name, file_name);
}

static uint64_t random_state;

/* xorshift64*, as for keys. */
static size_t random_below(size_t bound)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (size_t)((random_state * 0x2545F4914F6CDD1DULL) >> 33) % bound;
}

static int seed(void **state)
{
    (void)state;
    random_state = seed_of_run() << 20 | 1;
    return 0;
}

/* Pieces that names of a mean kind are made of. */
static void random_name(char *out, size_t pieces)
{
    static const char *const piece[] = {"%", "vm-", "name=", "4", "2", "/",    ".",
                                        "a", " ",   "%2F",   "~", "=", "\x01", "\xC3\xA4"};
    *out = '\0';
    for (size_t i = 0; i < pieces; i++)
        strcat(out, piece[random_below(LEN(piece))]);
}

static void test_random_names_lead_back(void **state)
{
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char name[256];
        char file_name[DS_FILE_NAME_MAX_BYTES + 1];
        char again[DS_FILE_NAME_MAX_BYTES + 1];
        struct ds_machine_name read = {0};
        bool ambiguous = random_below(2);
        random_name(name, 1 + random_below(12));
        ds_machine_name_encode(name, "vm-7", ambiguous, file_name);
        assert_null(strchr(file_name, '/'));
        assert_int_equal(ds_machine_name_decode(file_name, &read), 0);
        assert_string_equal(read.name, name);
        assert_true(ambiguous == (read.id != NULL));
        ds_machine_name_clear(&read);
        /* And whatever can be read is the name of what it says. */
        random_name(name, 1 + random_below(8));
        if (ds_machine_name_decode(name, &read) != 0)
            continue;
        if (read.name) {
            ds_machine_name_encode(read.name, read.id ? read.id : "vm-7", read.id != NULL, again);
            assert_string_equal(again, name);
        }
        ds_machine_name_clear(&read);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_id),
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_an_id_alone),
        cmocka_unit_test(test_what_no_machine_is_called),
        cmocka_unit_test(test_names_that_do_not_fit),
        cmocka_unit_test(test_random_names_lead_back),
    };
    return cmocka_run_group_tests(tests, seed, NULL);
}
