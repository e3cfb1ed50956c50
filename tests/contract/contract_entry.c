/* The contract: entries. */
#include "contract.h"

#include <stdio.h>

static void test_set_and_get(void **state)
{
    struct contract *c = *state;
    contract_expect(c, c->host, "d", "k", NULL);
    contract_set(c, "d", "k", "one");
    contract_expect(c, c->host, "d", "k", "one");
    contract_expect(c, c->guest, "d", "k", "one");
    contract_set(c, "d", "k", "");
    contract_expect(c, c->guest, "d", "k", "");
    assert_int_equal(ds_client_set(c->guest, contract_call(c), "d", "k", NULL, 0, NULL), 0);
    contract_expect(c, c->host, "d", "k", "");
    assert_int_equal(ds_client_set(c->guest, contract_call(c), "d", "k", "ä\n", 3, NULL), 0);
    contract_expect(c, c->host, "d", "k", "ä\n");
}

static void test_missing_dataset(void **state)
{
    struct contract *c = *state;
    struct ds_names keys = {0};
    assert_int_equal(ds_client_list_keys(c->tested, contract_call(c), "no", &keys), -ENOENT);
    assert_int_equal(ds_client_set(c->tested, contract_call(c), "no", "k", "v", 1, NULL), -ENOENT);
    assert_int_equal(ds_client_append(c->tested, contract_call(c), "no", "k", "v", 1, NULL),
                     -ENOENT);
    assert_int_equal(ds_client_remove(c->tested, contract_call(c), "no", "k", NULL), -ENOENT);
    contract_expect(c, c->tested, "no", "k", NULL);
}

/* Each key is itself, byte for byte, wherever the protocol can name it. */
static void test_odd_keys(void **state)
{
    struct contract *c = *state;
    static const char *const keys[] = {
        "",
        ".",
        "..",
        "/",
        "a/b",
        "%",
        "%2F",
        "%2f",
        "\n",
        "\x7f",
        "\x01",
        " ",
        "\"",
        "\\",
        "k\tk",
        "K",
        "k",
        "👩‍🚀",
        "ä",
        "a\xcc\x88",
        "'; --",
        "?",
        "#a",
        "name=v",
        "\xe2\x80\xae",
        "\xf4\x8f\xbf\xbf",
    };
    const size_t count = sizeof keys / sizeof *keys;
    size_t expected = 0;
    for (size_t i = 0; i < count; i++) {
        int err = ds_client_set(c->tested, contract_call(c), "d", keys[i], keys[i], strlen(keys[i]),
                                NULL);
        if (err == -EINVAL && c->tested->ops->addressable)
            continue;
        assert_int_equal(err, 0);
        expected++;
    }
    struct ds_names found = {0};
    assert_int_equal(ds_client_list_keys(c->tested, contract_call(c), "d", &found), 0);
    assert_int_equal(found.count, expected);
    for (size_t i = 0; i < found.count; i++)
        contract_expect(c, c->tested, "d", found.names[i], found.names[i]);
    for (size_t i = 0; i < found.count; i++)
        assert_int_equal(ds_client_remove(c->tested, contract_call(c), "d", found.names[i], NULL),
                         0);
    ds_names_clear(&found);
    contract_expect_used(c, "d", 0);
}

static void test_append(void **state)
{
    struct contract *c = *state;
    assert_int_equal(ds_client_append(c->guest, contract_call(c), "d", "k", "a", 1, NULL), 0);
    contract_expect(c, c->host, "d", "k", "a");
    assert_int_equal(ds_client_append(c->host, contract_call(c), "d", "k", "bc", 2, NULL), 0);
    assert_int_equal(ds_client_append(c->host, contract_call(c), "d", "k", "", 0, NULL), 0);
    contract_expect(c, c->guest, "d", "k", "abc");
    assert_int_equal(ds_client_append(c->host, contract_call(c), "d", "empty", NULL, 0, NULL), 0);
    contract_expect(c, c->guest, "d", "empty", "");
    contract_expect_used(c, "d", 4 + 5);
}

static void test_remove(void **state)
{
    struct contract *c = *state;
    contract_set(c, "d", "k", "v");
    assert_int_equal(ds_client_remove(c->guest, contract_call(c), "d", "k", NULL), 0);
    contract_expect(c, c->host, "d", "k", NULL);
    assert_int_equal(ds_client_remove(c->guest, contract_call(c), "d", "k", NULL), -ENOENT);
}

static void test_used(void **state)
{
    struct contract *c = *state;
    contract_set(c, "d", "key", "12345");
    contract_expect_used(c, "d", 8);
    contract_set(c, "d", "key", "12345");
    contract_expect_used(c, "d", 8);
    contract_set(c, "d", "key", "1");
    contract_expect_used(c, "d", 4);
    contract_set(c, "d", "ä", "ö");
    contract_expect_used(c, "d", 8);
    assert_int_equal(ds_client_append(c->host, contract_call(c), "d", "key", "23", 2, NULL), 0);
    contract_expect_used(c, "d", 10);
    assert_int_equal(ds_client_remove(c->host, contract_call(c), "d", "key", NULL), 0);
    contract_expect_used(c, "d", 4);
}

static void test_get_many(void **state)
{
    struct contract *c = *state;
    enum { KEYS = 1200 };
    char(*names)[16] = calloc(KEYS, sizeof *names);
    struct ds_entry *entries = calloc(KEYS, sizeof *entries);
    for (int i = 0; i < KEYS; i++) {
        snprintf(names[i], sizeof names[i], "k%d", i);
        entries[i].key = names[i];
        if (i % 3)
            contract_set(c, "d", names[i], names[i]);
    }
    uint64_t before = ds_client_requests(c->guest, DS_OP_GET);
    assert_int_equal(ds_client_get(c->guest, contract_call(c), "d", entries, KEYS), 0);
    for (int i = 0; i < KEYS; i++) {
        assert_int_equal(entries[i].error, i % 3 ? 0 : -ENOENT);
        if (i % 3)
            assert_string_equal(entries[i].value.data, names[i]);
        else
            assert_int_equal(entries[i].value.len, 0);
        ds_buf_free(&entries[i].value);
    }
    unsigned batch = ds_client_caps(c->guest)->batch_keys;
    assert_true(ds_client_requests(c->guest, DS_OP_GET) - before >= (KEYS + batch - 1) / batch);
    assert_int_equal(ds_client_errors(c->guest, DS_OP_GET), 0);

    assert_int_equal(ds_client_get(c->guest, contract_call(c), "no", entries, 3), -ENOENT);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(entries[i].error, -ENOENT);
        ds_buf_free(&entries[i].value);
    }
    free(entries);
    free(names);
}

static void test_get_bad_keys_among_good(void **state)
{
    struct contract *c = *state;
    char *longer = contract_letters('k', DS_KEY_MAX_BYTES + 1);
    struct ds_entry entries[] = {
        {.key = "a"}, {.key = "\xff"}, {.key = longer}, {.key = "b"}, {.key = "\xc0\x80"}};
    contract_set(c, "d", "a", "1");
    contract_set(c, "d", "b", "2");
    assert_int_equal(ds_client_get(c->tested, contract_call(c), "d", entries, 5), 0);
    assert_int_equal(entries[0].error, 0);
    assert_int_equal(entries[1].error, -EILSEQ);
    assert_int_equal(entries[2].error, -ENAMETOOLONG);
    assert_int_equal(entries[3].error, 0);
    assert_int_equal(entries[4].error, -EILSEQ);
    assert_string_equal(entries[0].value.data, "1");
    assert_string_equal(entries[3].value.data, "2");
    for (size_t i = 0; i < 5; i++)
        ds_buf_free(&entries[i].value);
    free(longer);
}

static void test_list_keys(void **state)
{
    struct contract *c = *state;
    struct ds_names keys = {0};
    assert_int_equal(ds_client_list_keys(c->guest, contract_call(c), "d", &keys), 0);
    assert_int_equal(keys.count, 0);
    ds_names_clear(&keys);
    contract_set(c, "d", "a", "");
    contract_set(c, "d", "b", "");
    contract_create(c, "other", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    contract_set(c, "other", "c", "");
    assert_int_equal(ds_client_list_keys(c->guest, contract_call(c), "d", &keys), 0);
    assert_int_equal(keys.count, 2);
    bool in_order = !strcmp(keys.names[0], "a");
    assert_string_equal(keys.names[in_order ? 0 : 1], "a");
    assert_string_equal(keys.names[in_order ? 1 : 0], "b");
    ds_names_clear(&keys);
}

/* All of many arrive, in as few requests as the protocol has for them. */
static void test_set_some(void **state)
{
    struct contract *c = *state;
    char *text = contract_letters('v', 70000);
    struct ds_pair pairs[] = {{.key = "a", .data = "1", .len = 1},
                              {.key = "b/\x01", .data = "caf\xc3\xa9", .len = 5},
                              {.key = ""},
                              {.key = "long", .data = text, .len = 70000},
                              {.key = "z", .data = "26", .len = 2}};
    size_t count = sizeof pairs / sizeof *pairs, at = 0;
    bool empty = ds_client_set(c->tested, contract_call(c), "d", "", "x", 1, NULL) == 0;
    while (at < count) {
        size_t done = 0;
        if (at == 2 && !empty) { /* no such key over this protocol */
            at++;
            continue;
        }
        assert_int_equal(ds_client_set_some(c->tested, contract_call(c), "d", pairs + at,
                                            at < 2 && !empty ? 2 - at : count - at, &done),
                         0);
        assert_in_range(done, 1, count - at);
        at += done;
    }
    contract_expect(c, c->host, "d", "a", "1");
    contract_expect(c, c->guest, "d", "b/\x01", "caf\xc3\xa9");
    contract_expect(c, c->host, "d", "long", text);
    contract_expect(c, c->guest, "d", "z", "26");
    if (empty)
        contract_expect(c, c->host, "d", "", "");
    free(text);
}

static void test_set_some_bad(void **state)
{
    struct contract *c = *state;
    struct ds_pair pairs[] = {{.key = "a", .data = "1", .len = 1},
                              {.key = "b", .data = "\xff", .len = 1},
                              {.key = "c", .data = "3", .len = 1}};
    size_t done = 9;
    assert_int_equal(ds_client_set_some(c->tested, contract_call(c), "d", pairs, 3, &done), 0);
    assert_int_equal(done, 1);
    assert_int_equal(ds_client_set_some(c->tested, contract_call(c), "d", pairs + 1, 2, &done),
                     -EILSEQ);
    assert_int_equal(done, 0);
    contract_expect(c, c->host, "d", "a", "1");
    contract_expect(c, c->host, "d", "c", NULL);
    assert_int_equal(ds_client_set_some(c->tested, contract_call(c), "no", pairs, 1, &done),
                     -ENOENT);
    assert_int_equal(done, 0);
}

static void test_counters(void **state)
{
    struct contract *c = *state;
    uint64_t sets = ds_client_requests(c->tested, DS_OP_SET);
    uint64_t gets = ds_client_requests(c->tested, DS_OP_GET);
    assert_int_equal(ds_client_set(c->tested, contract_call(c), "d", "k", "v", 1, NULL), 0);
    contract_expect(c, c->tested, "d", "k", "v");
    contract_expect(c, c->tested, "d", "no", NULL);
    assert_int_equal(ds_client_requests(c->tested, DS_OP_SET), sets + 1);
    assert_int_equal(ds_client_requests(c->tested, DS_OP_GET), gets + 2);
    assert_int_equal(ds_client_errors(c->tested, DS_OP_GET), 0);
    assert_int_equal(ds_client_set(c->tested, contract_call(c), "no", "k", "v", 1, NULL), -ENOENT);
    assert_int_equal(ds_client_errors(c->tested, DS_OP_SET), 1);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(test_set_and_get),  CONTRACT_TEST(test_missing_dataset),
    CONTRACT_TEST(test_odd_keys),     CONTRACT_TEST(test_append),
    CONTRACT_TEST(test_remove),       CONTRACT_TEST(test_used),
    CONTRACT_TEST(test_get_many),     CONTRACT_TEST(test_get_bad_keys_among_good),
    CONTRACT_TEST(test_list_keys),    CONTRACT_TEST(test_set_some),
    CONTRACT_TEST(test_set_some_bad), CONTRACT_TEST(test_counters),
};
CONTRACT_PART(contract_entry_part, tests);
