/* Names of keys, both ways: every rule by example, then random keys. */
#include "file_name.h"

#include "dataset.h"
#include "tests/seed.h"
#include "utf8.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <uthash.h>

#define LEN(array) (sizeof(array) / sizeof *(array))

#define ASSERT_NAME(place, key, expected)                                                          \
    do {                                                                                           \
        char name_[DS_FILE_NAME_MAX_BYTES + 1];                                                    \
        ds_file_name_encode(place, key, name_);                                                    \
        assert_string_equal(name_, expected);                                                      \
    } while (0)

#define ASSERT_KEY(place, name, expected)                                                          \
    do {                                                                                           \
        char *key_ = NULL;                                                                         \
        assert_int_equal(ds_file_name_decode(place, name, &key_), 0);                              \
        assert_string_equal(key_, expected);                                                       \
        free(key_);                                                                                \
    } while (0)

#define ASSERT_NO_KEY(place, name, error)                                                          \
    do {                                                                                           \
        char untouched_;                                                                           \
        char *key_ = &untouched_;                                                                  \
        assert_int_equal(ds_file_name_decode(place, name, &key_), error);                          \
        assert_ptr_equal(key_, &untouched_);                                                       \
    } while (0)

/* `count` times the text, in memory that the next call but three uses again. */
static const char *repeated(const char *text, size_t count)
{
    static char memory[4][DS_KEY_MAX_BYTES * 4 + 1];
    static unsigned turn;
    char *out = memory[turn++ % LEN(memory)];
    char *end = out;
    assert_true(strlen(text) * count < sizeof memory[0]);
    for (size_t i = 0; i < count; i++)
        end = stpcpy(end, text);
    *end = '\0';
    return out;
}

/* Two texts one behind the other, in memory as above. */
static const char *joined(const char *first, const char *second)
{
    static char memory[4][DS_KEY_MAX_BYTES * 4 + 1];
    static unsigned turn;
    char *out = memory[turn++ % LEN(memory)];
    assert_true(strlen(first) + strlen(second) < sizeof memory[0]);
    stpcpy(stpcpy(out, first), second);
    return out;
}

static void test_escapes(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *name;
    } rows[] = {
        {"a", "a"},
        {"plain-Key_1.2", "plain-Key_1.2"},
        {"with space", "with space"},
        {"back\\slash", "back\\slash"},
        {"/", "%2F"},
        {"a/b", "a%2Fb"},
        {"/etc/hosts", "%2Fetc%2Fhosts"},
        {"%", "%25"},
        {"100%", "100%25"},
        {"%2F", "%252F"},
        {"line\nfeed", "line%0Afeed"},
        {"\t", "%09"},
        {"\x01\x1F", "%01%1F"},
        {"\x7F", "%7F"},
        {"gr\xC3\xB6\xC3\x9F"
         "e",
         "gr\xC3\xB6\xC3\x9F"
         "e"},
        {"\xE2\x82\xAC", "\xE2\x82\xAC"},
        {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
        {"\xC2\x80", "\xC2\x80"}, /* U+0080: a control character, but none of those named */
        {".", "%2E"},
        {"..", "%2E%2E"},
        {"", "%"},
        {"...", "..."},
        {".hidden", ".hidden"},
        {"./", ".%2F"},
        {"../..", "..%2F.."},
        {"~", "~"},
        {"%~", "%25~"},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        for (int place = DS_FILE_NAME_IN_ROOT; place <= DS_FILE_NAME_IN_DATASET; place++) {
            ASSERT_NAME(place, rows[i].key, rows[i].name);
            ASSERT_KEY(place, rows[i].name, rows[i].key);
            assert_false(ds_file_name_needs_shortening(place, rows[i].key));
            assert_false(ds_file_name_is_shortened(rows[i].name));
        }
    }
}

static void test_each_byte(void **state)
{
    (void)state;
    for (int byte = 1; byte < 0x80; byte++) {
        char key[] = {'x', (char)byte, '\0'};
        char expected[8];
        bool escaped = byte < 0x20 || byte == 0x7F || byte == '/' || byte == '%';
        snprintf(expected, sizeof expected, escaped ? "x%%%02X" : "x%c", byte);
        ASSERT_NAME(DS_FILE_NAME_IN_DATASET, key, expected);
        ASSERT_KEY(DS_FILE_NAME_IN_DATASET, expected, key);
    }
}

static void test_control_directory(void **state)
{
    (void)state;
    ASSERT_NAME(DS_FILE_NAME_IN_ROOT, ".datasetfs", "%2Edatasetfs");
    ASSERT_KEY(DS_FILE_NAME_IN_ROOT, "%2Edatasetfs", ".datasetfs");
    ASSERT_NO_KEY(DS_FILE_NAME_IN_ROOT, ".datasetfs", -EINVAL);

    ASSERT_NAME(DS_FILE_NAME_IN_DATASET, ".datasetfs", ".datasetfs");
    ASSERT_KEY(DS_FILE_NAME_IN_DATASET, ".datasetfs", ".datasetfs");
    ASSERT_NO_KEY(DS_FILE_NAME_IN_DATASET, "%2Edatasetfs", -EINVAL);

    ASSERT_NAME(DS_FILE_NAME_IN_ROOT, ".datasetfs2", ".datasetfs2");
    ASSERT_NAME(DS_FILE_NAME_IN_ROOT, "%2Edatasetfs", "%252Edatasetfs");
}

static void test_names_without_key(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",    ".",      "..",   "/",      "a/b",     "a\nb", "\x7F",   "\x01",
        "%41", "%2f",    "%0a",  "%00",    "a%00b",   "%2",   "a%",     "%%",
        "%G0", "%-1",    "% 2F", "%2E.",   ".%2E",    "%2Ea", "%2e%2E", "%FF",
        "%80", "%C3%B6", "%~",   "%2E%2F", "a%2E%2E", "%%2F", "%2%46",  "+%20",
    };
    for (size_t i = 0; i < LEN(names); i++) {
        ASSERT_NO_KEY(DS_FILE_NAME_IN_ROOT, names[i], -EINVAL);
        ASSERT_NO_KEY(DS_FILE_NAME_IN_DATASET, names[i], -EINVAL);
    }
}

static void test_names_not_utf8(void **state)
{
    (void)state;
    static const char *const names[] = {
        "\xFF",    "a\x80", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF0\x9F\x98", "\xF4\x90\x80\x80",
        "%2F\xFE",
    };
    for (size_t i = 0; i < LEN(names); i++)
        ASSERT_NO_KEY(DS_FILE_NAME_IN_DATASET, names[i], -EILSEQ);
}

static void test_longest_names(void **state)
{
    (void)state;
    static const char *const units[] = {"a", "\xC3\xB6", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
    for (size_t i = 0; i < LEN(units); i++) {
        size_t count = DS_FILE_NAME_MAX_BYTES / strlen(units[i]);
        const char *key = repeated(units[i], count);
        ASSERT_NAME(DS_FILE_NAME_IN_DATASET, key, key);
        ASSERT_KEY(DS_FILE_NAME_IN_DATASET, key, key);
        assert_false(ds_file_name_needs_shortening(DS_FILE_NAME_IN_DATASET, key));
        assert_true(
            ds_file_name_needs_shortening(DS_FILE_NAME_IN_DATASET, repeated(units[i], count + 1)));
    }
    /* 85 escapes are 255 bytes. */
    ASSERT_NAME(DS_FILE_NAME_IN_DATASET, repeated("/", 85), repeated("%2F", 85));
    ASSERT_KEY(DS_FILE_NAME_IN_DATASET, repeated("%2F", 85), repeated("/", 85));
    assert_true(ds_file_name_needs_shortening(DS_FILE_NAME_IN_DATASET, repeated("/", 86)));
    ASSERT_NO_KEY(DS_FILE_NAME_IN_DATASET, repeated("a", 256), -ENAMETOOLONG);
    ASSERT_NO_KEY(DS_FILE_NAME_IN_DATASET, repeated("a", 4096), -ENAMETOOLONG);
}

/* The digits were made with sha256sum. */
static void test_shortened(void **state)
{
    (void)state;
    ASSERT_NAME(DS_FILE_NAME_IN_DATASET, repeated("a", 256),
                joined(repeated("a", 237), "%~02d7160d77e18c64"));
    ASSERT_NAME(DS_FILE_NAME_IN_DATASET, repeated("a", 4096),
                joined(repeated("a", 237), "%~c93eee2d0db02f10"));
    ASSERT_NAME(DS_FILE_NAME_IN_ROOT, repeated("a", 4096),
                joined(repeated("a", 237), "%~c93eee2d0db02f10"));
}

/* The part of the key's shortened name before "%~" must be `prefix`. */
static void assert_cut(const char *key, const char *prefix)
{
    char name[DS_FILE_NAME_MAX_BYTES + 1];
    ds_file_name_encode(DS_FILE_NAME_IN_DATASET, key, name);
    assert_int_equal(strlen(name), strlen(prefix) + 18);
    assert_memory_equal(name, prefix, strlen(prefix));
    assert_memory_equal(name + strlen(prefix), "%~", 2);
    assert_true(ds_utf8_valid(name, strlen(name)));
    assert_true(ds_file_name_is_shortened(name));
    assert_true(ds_file_name_needs_shortening(DS_FILE_NAME_IN_DATASET, key));
    ASSERT_NO_KEY(DS_FILE_NAME_IN_DATASET, name, -EINVAL);
}

/* Each kind of character in every position across byte 237, where the cut is. */
static void test_cut(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *name;
    } kinds[] = {
        {"\xC3\xB6", "\xC3\xB6"},
        {"\xE2\x82\xAC", "\xE2\x82\xAC"},
        {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
        {"/", "%2F"},
        {"%", "%25"},
    };
    for (size_t i = 0; i < LEN(kinds); i++) {
        size_t bytes = strlen(kinds[i].name);
        for (size_t before = 237 - bytes; before <= 237; before++) {
            const char *start = repeated("a", before);
            const char *key = joined(joined(start, kinds[i].key), repeated("b", 300));
            bool fits = before + bytes <= 237;
            if (fits)
                assert_cut(
                    key, joined(joined(start, kinds[i].name), repeated("b", 237 - before - bytes)));
            else
                assert_cut(key, start);
        }
    }
}

static void test_form_of_shortened(void **state)
{
    (void)state;
    static const char digits[] = "%~0123456789abcdef";
    assert_true(ds_file_name_is_shortened(joined(repeated("a", 237), digits)));
    assert_true(ds_file_name_is_shortened(joined(repeated("a", 234), digits)));
    assert_true(ds_file_name_is_shortened(joined(repeated("%2F", 79), digits)));

    assert_false(ds_file_name_is_shortened(""));
    assert_false(ds_file_name_is_shortened(digits));
    assert_false(ds_file_name_is_shortened(joined(repeated("a", 233), digits)));
    assert_false(ds_file_name_is_shortened(joined(repeated("a", 238), digits)));
    assert_false(ds_file_name_is_shortened(joined(repeated("a", 237), "%~0123456789ABCDEF")));
    assert_false(ds_file_name_is_shortened(joined(repeated("a", 237), "%-0123456789abcdef")));
    assert_false(ds_file_name_is_shortened(joined(repeated("a", 237), "%~0123456789abcdeg")));
    assert_false(ds_file_name_is_shortened(joined(repeated("a", 238), "%~0123456789abcde")));
    assert_false(ds_file_name_is_shortened(joined(repeated("a", 235), joined("%2", digits))));
    assert_false(ds_file_name_is_shortened(joined(repeated("a", 234), joined("%2f", digits))));
    assert_false(ds_file_name_is_shortened(joined(repeated("a", 236), joined("/", digits))));
    assert_false(ds_file_name_is_shortened(joined(repeated("a", 236), joined("\xFF", digits))));
}

/* Keys that are no UTF-8 cannot be stored, but a reply may hold them: the name must still be one.
 */
static void test_keys_not_utf8(void **state)
{
    (void)state;
    static const char *const keys[] = {"\xFF", "\x80\x80\x80\x80\x80\x80", "a\xF0", "\xC3/"};
    char name[DS_FILE_NAME_MAX_BYTES + 1];
    for (size_t i = 0; i < LEN(keys); i++) {
        ds_file_name_encode(DS_FILE_NAME_IN_DATASET, keys[i], name);
        assert_true(*name && !strchr(name, '/'));
        ds_file_name_encode(DS_FILE_NAME_IN_DATASET, repeated(keys[i], 600), name);
        assert_true(strlen(name) <= DS_FILE_NAME_MAX_BYTES && !strchr(name, '/'));
    }
}

/* Random keys. */

enum { RANDOM_KEYS = 200000 };

static uint64_t random_state;

/* xorshift64*, so that a seed gives the same keys everywhere. */
static uint32_t random_below(uint32_t bound)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (uint32_t)(random_state * 2685821657736338717ULL >> 32) % bound;
}

static int seed(void **state)
{
    (void)state;
    random_state = seed_of_run() << 20 | 1;
    return 0;
}

/* Writes a code point other than NUL and the surrogates; returns its bytes. */
static size_t put_code_point(uint32_t point, char *out)
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len; i-- > 1; point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3F));
    out[0] = (char)(leads[len] | point);
    return len;
}

static uint32_t random_code_point(void)
{
    static const char special[] = "//%%...~\n\t\x01\x1F\x7F 2Ff";
    switch (random_below(8)) {
    case 0:
    case 1:
        return (unsigned char)special[random_below(sizeof special - 1)];
    case 2:
        return 1 + random_below(0x1F);
    case 3:
        return 0x80 + random_below(0x780);
    case 4:
        return 0x800 + random_below(0xD000); /* up to U+D7FF */
    case 5:
        return 0x10000 + random_below(0x100000);
    default:
        return ' ' + random_below(0x5F);
    }
}

/* Mostly short keys, some about the limit of a name, a few long ones. */
static size_t random_length(void)
{
    switch (random_below(16)) {
    case 0:
        return random_below(DS_KEY_MAX_BYTES - 4);
    case 1:
    case 2:
        return 60 + random_below(220);
    default:
        return random_below(12);
    }
}

static void random_key(char key[DS_KEY_MAX_BYTES + 1])
{
    static char last[DS_KEY_MAX_BYTES + 1];
    size_t want = random_length();
    size_t len = 0;
    /* Now and then the last key with another end, to provoke names that are shared. */
    if (!random_below(8)) {
        len = strlen(last) ? random_below((uint32_t)strlen(last)) : 0;
        while (len && ((unsigned char)last[len] & 0xC0) == 0x80)
            len--;
        memcpy(key, last, len);
        want = len + random_below(3);
    }
    while (len < want && len + 4 <= DS_KEY_MAX_BYTES)
        len += put_code_point(random_code_point(), key + len);
    key[len] = '\0';
    memcpy(last, key, len + 1);
}

struct seen {
    char name[DS_FILE_NAME_MAX_BYTES + 1];
    char *key;
    UT_hash_handle hh;
};

static void assert_unique(struct seen **all, const char *name, const char *key)
{
    struct seen *found;
    HASH_FIND_STR(*all, name, found);
    if (found) {
        assert_string_equal(found->key, key);
        return;
    }
    found = malloc(sizeof *found);
    assert_non_null(found);
    stpcpy(found->name, name);
    found->key = strdup(key);
    assert_non_null(found->key);
    HASH_ADD_STR(*all, name, found);
}

static void assert_round_trip(enum ds_file_name_place place, const char *key, const char *name)
{
    char *back = NULL;
    int err = ds_file_name_decode(place, name, &back);
    if (ds_file_name_needs_shortening(place, key)) {
        assert_int_equal(err, -EINVAL);
        assert_true(ds_file_name_is_shortened(name));
        return;
    }
    assert_int_equal(err, 0);
    assert_false(ds_file_name_is_shortened(name));
    assert_string_equal(back, key);
    free(back);
}

static void test_random_keys(void **state)
{
    (void)state;
    struct seen *all[2] = {NULL, NULL};
    for (int i = 0; i < RANDOM_KEYS; i++) {
        char key[DS_KEY_MAX_BYTES + 1];
        char name[DS_FILE_NAME_MAX_BYTES + 1];
        random_key(key);
        assert_true(ds_utf8_valid(key, strlen(key)));
        enum ds_file_name_place place =
            random_below(2) ? DS_FILE_NAME_IN_ROOT : DS_FILE_NAME_IN_DATASET;
        ds_file_name_encode(place, key, name);
        size_t len = strlen(name);
        assert_in_range(len, 1, DS_FILE_NAME_MAX_BYTES);
        assert_true(!strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
        assert_true(ds_utf8_valid(name, len));
        for (size_t at = 0; at < len; at++)
            assert_true((unsigned char)name[at] >= 0x20 && name[at] != 0x7F);
        assert_round_trip(place, key, name);
        assert_unique(&all[place], name, key);
    }
    for (size_t i = 0; i < LEN(all); i++) {
        struct seen *one, *next;
        HASH_ITER (hh, all[i], one, next) {
            HASH_DEL(all[i], one);
            free(one->key);
            free(one);
        }
    }
}

/* Names as the kernel may send them: what has a key is the name of that key. */
static void test_random_names(void **state)
{
    (void)state;
    static const char alphabet[] = "%%%%%./2EF50Aaf~\n\xC3\xB6\xFF";
    unsigned decoded = 0;
    for (int i = 0; i < RANDOM_KEYS; i++) {
        char name[DS_FILE_NAME_MAX_BYTES + 1];
        size_t len = random_below(random_below(16) ? 8 : DS_FILE_NAME_MAX_BYTES);
        for (size_t at = 0; at < len; at++)
            name[at] = alphabet[random_below(sizeof alphabet - 1)];
        name[len] = '\0';
        enum ds_file_name_place place =
            random_below(2) ? DS_FILE_NAME_IN_ROOT : DS_FILE_NAME_IN_DATASET;
        char *key = NULL;
        int err = ds_file_name_decode(place, name, &key);
        if (err) {
            assert_true(err == -EINVAL || err == -EILSEQ);
            assert_null(key);
            continue;
        }
        decoded++;
        ASSERT_NAME(place, key, name);
        free(key);
    }
    assert_true(decoded > RANDOM_KEYS / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes),           cmocka_unit_test(test_each_byte),
        cmocka_unit_test(test_control_directory), cmocka_unit_test(test_names_without_key),
        cmocka_unit_test(test_names_not_utf8),    cmocka_unit_test(test_longest_names),
        cmocka_unit_test(test_shortened),         cmocka_unit_test(test_cut),
        cmocka_unit_test(test_form_of_shortened), cmocka_unit_test(test_keys_not_utf8),
        cmocka_unit_test(test_random_keys),       cmocka_unit_test(test_random_names),
    };
    return cmocka_run_group_tests(tests, seed, NULL);
}
