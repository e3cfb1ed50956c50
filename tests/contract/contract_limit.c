/* The contract: the limits of dataset.h, exactly at them and one over, and what is not text. */
#include "contract.h"

#include <stdio.h>

static int set_sized(struct contract *c, struct ds_client *client, const char *dataset,
                     const char *key, size_t len)
{
    char *text = contract_letters('v', len);
    int err = ds_client_set(client, contract_call(c), dataset, key, text, len, NULL);
    free(text);
    return err;
}

static void test_key_length(void **state)
{
    struct contract *c = *state;
    char *longest = contract_letters('k', DS_KEY_MAX_BYTES);
    char *longer = contract_letters('k', DS_KEY_MAX_BYTES + 1);
    assert_int_equal(ds_client_set(c->tested, contract_call(c), "d", longest, "v", 1, NULL), 0);
    contract_expect(c, c->host, "d", longest, "v");
    contract_expect(c, c->guest, "d", longest, "v");
    contract_expect_used(c, "d", DS_KEY_MAX_BYTES + 1);
    uint64_t requests = ds_client_requests(c->tested, DS_OP_SET);
    assert_int_equal(ds_client_set(c->tested, contract_call(c), "d", longer, "v", 1, NULL),
                     -ENAMETOOLONG);
    assert_int_equal(ds_client_requests(c->tested, DS_OP_SET), requests);
    assert_int_equal(ds_client_remove(c->guest, contract_call(c), "d", longest, NULL), 0);
    free(longest);
    free(longer);
}

static void test_value_length(void **state)
{
    struct contract *c = *state;
    struct ds_buf value = {0};
    assert_int_equal(set_sized(c, c->tested, "d", "k", DS_VALUE_MAX_BYTES), 0);
    for (int i = 0; i < 2; i++) {
        struct ds_client *reader = i ? c->guest : c->host;
        assert_int_equal(ds_client_get_one(reader, contract_call(c), "d", "k", &value), 0);
        assert_int_equal(value.len, DS_VALUE_MAX_BYTES);
        assert_int_equal(strspn(value.data, "v"), DS_VALUE_MAX_BYTES);
        ds_buf_free(&value);
    }
    assert_int_equal(set_sized(c, c->tested, "d", "k", DS_VALUE_MAX_BYTES + 1), -EFBIG);
    assert_int_equal(set_sized(c, c->tested, "d", "k", 2 * DS_VALUE_MAX_BYTES + 1), -EFBIG);
}

static void test_append_length(void **state)
{
    struct contract *c = *state;
    assert_int_equal(set_sized(c, c->tested, "d", "k", DS_VALUE_MAX_BYTES - 1), 0);
    assert_int_equal(ds_client_append(c->tested, contract_call(c), "d", "k", "ab", 2, NULL),
                     -EFBIG);
    assert_int_equal(ds_client_append(c->tested, contract_call(c), "d", "k", "a", 1, NULL), 0);
    assert_int_equal(ds_client_append(c->tested, contract_call(c), "d", "k", "b", 1, NULL), -EFBIG);
    assert_int_equal(ds_client_append(c->tested, contract_call(c), "d", "k", "", 0, NULL), 0);
    contract_expect_used(c, "d", DS_VALUE_MAX_BYTES + 1);
}

static void test_description_length(void **state)
{
    struct contract *c = *state;
    char *longest = contract_letters('d', DS_DESCRIPTION_MAX_BYTES);
    char *longer = contract_letters('d', DS_DESCRIPTION_MAX_BYTES + 1);
    struct ds_attributes fits = {.description = longest};
    struct ds_attributes over = {.description = longer};
    struct ds_attributes binary = {.description = "\x80"};
    struct ds_attributes found = {0};
    assert_int_equal(ds_client_create(c->host, contract_call(c), "x", &over), -EINVAL);
    assert_int_equal(ds_client_create(c->host, contract_call(c), "x", &binary), -EINVAL);
    assert_int_equal(ds_client_create(c->host, contract_call(c), "x", &fits), 0);
    assert_int_equal(ds_client_update(c->host, contract_call(c), "x", &over), -EINVAL);
    assert_int_equal(ds_client_query(c->host, contract_call(c), "x", &found), 0);
    assert_string_equal(found.description, longest);
    ds_attributes_clear(&found);
    free(longest);
    free(longer);
}

/* The total is over all DataSets of the VM; what shrinks is let through when it is reached. */
static void test_total(void **state)
{
    struct contract *c = *state;
    const size_t piece = DS_VALUE_MAX_BYTES;
    uint64_t left = DS_TOTAL_MAX_BYTES;
    char key[16];
    contract_create(c, "e", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    for (int i = 0; left > piece + 4; i++) {
        snprintf(key, sizeof key, "%04d", i);
        assert_int_equal(set_sized(c, c->host, i % 2 ? "d" : "e", key, piece), 0);
        left -= piece + 4;
    }
    assert_int_equal(set_sized(c, c->host, "d", "last", left - 4 + 1), -ENOSPC);
    contract_expect(c, c->host, "d", "last", NULL);
    assert_int_equal(set_sized(c, c->host, "d", "last", left - 4), 0);

    assert_int_equal(ds_client_set(c->guest, contract_call(c), "e", "n", "", 0, NULL), -ENOSPC);
    assert_int_equal(ds_client_append(c->guest, contract_call(c), "d", "last", "x", 1, NULL),
                     -ENOSPC);
    assert_string_not_equal(c->call.text, "");
    assert_int_equal(ds_client_set(c->guest, contract_call(c), "e", "0000", "x", 1, NULL), 0);
    assert_int_equal(ds_client_set(c->guest, contract_call(c), "e", "n", "", 0, NULL), 0);
}

static void test_not_text(void **state)
{
    struct contract *c = *state;
    static const struct {
        const char *data;
        size_t len;
    } values[] = {
        {"\0", 1},       {"a\0b", 3},       {"\x80", 1},         {"\xff", 1},
        {"\xc0\x80", 2}, {"\xc3", 1},       {"\xed\xa0\x80", 3}, {"\xf4\x90\x80\x80", 4},
        {"\xe2\x82", 2}, {"12345678\0", 9}, {"1234567\xfe", 8},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_int_equal(ds_client_set(c->tested, contract_call(c), "d", "k", values[i].data,
                                       values[i].len, NULL),
                         -EILSEQ);
        assert_int_equal(ds_client_append(c->tested, contract_call(c), "d", "k", values[i].data,
                                          values[i].len, NULL),
                         -EILSEQ);
    }
    struct ds_buf value = {0};
    assert_int_equal(ds_client_set(c->tested, contract_call(c), "d", "\xc3", "v", 1, NULL),
                     -EILSEQ);
    assert_int_equal(ds_client_get_one(c->tested, contract_call(c), "d", "\xc3", &value), -EILSEQ);
    assert_int_equal(ds_client_remove(c->tested, contract_call(c), "d", "\xc3", NULL), -EILSEQ);
    assert_int_equal(ds_client_get_one(c->tested, contract_call(c), "\xff", "k", &value), -EILSEQ);
    assert_int_equal(ds_client_requests(c->tested, DS_OP_SET), 0);
    assert_int_equal(ds_client_requests(c->tested, DS_OP_GET), 0);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(test_key_length),         CONTRACT_TEST(test_value_length),
    CONTRACT_TEST(test_append_length),      CONTRACT_TEST(test_total),
    CONTRACT_TEST(test_description_length), CONTRACT_TEST(test_not_text),
};
CONTRACT_PART(contract_limit_part, tests);
