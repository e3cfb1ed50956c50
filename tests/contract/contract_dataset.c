/* The contract: DataSets themselves. */
#include "contract.h"

static void expect_names(struct contract *c, struct ds_client *client, const char *const *names,
                         size_t count)
{
    struct ds_names found = {0};
    assert_int_equal(ds_client_list(client, contract_call(c), &found), 0);
    assert_int_equal(found.count, count);
    for (size_t i = 0; i < count; i++) {
        bool there = false;
        for (size_t j = 0; j < found.count; j++)
            there = there || !strcmp(found.names[j], names[i]);
        assert_true(there);
    }
    ds_names_clear(&found);
}

static void test_list(void **state)
{
    struct contract *c = *state;
    expect_names(c, c->host, (const char *[]){"d"}, 1);
    contract_create(c, "com.example.app", DS_ACCESS_NONE, DS_ACCESS_NONE);
    expect_names(c, c->host, (const char *[]){"d", "com.example.app"}, 2);
    expect_names(c, c->guest, (const char *[]){"d", "com.example.app"}, 2);
    assert_int_equal(ds_client_destroy(c->host, contract_call(c), "d", false), 0);
    assert_int_equal(ds_client_destroy(c->host, contract_call(c), "com.example.app", false), 0);
    expect_names(c, c->guest, NULL, 0);
}

static void test_names(void **state)
{
    struct contract *c = *state;
    static const char *const all[] = {"d", ".", "..", "a/b", "%2E", " ", "\n", "ä🙂", "D"};
    const char *names[sizeof all / sizeof *all] = {"d"};
    const struct ds_attributes open_to_both = {.host = DS_ACCESS_READ_WRITE,
                                               .guest = DS_ACCESS_READ_WRITE};
    size_t count = 1;
    for (size_t i = 1; i < sizeof all / sizeof *all; i++) {
        int err = ds_client_create(c->host, contract_call(c), all[i], &open_to_both);
        if (err == -EINVAL && c->host->ops->addressable)
            continue;
        assert_int_equal(err, 0);
        names[count++] = all[i];
    }
    expect_names(c, c->guest, names, count);
    for (size_t i = 0; i < count; i++)
        contract_set(c, names[i], "who", names[i]);
    for (size_t i = 0; i < count; i++)
        contract_expect(c, c->guest, names[i], "who", names[i]);
}

static void test_bad_names(void **state)
{
    struct contract *c = *state;
    struct ds_attributes none = {0};
    char *longest = contract_letters('n', DS_NAME_MAX_BYTES);
    char *longer = contract_letters('n', DS_NAME_MAX_BYTES + 1);
    assert_int_equal(ds_client_create(c->host, contract_call(c), "", &none), -EINVAL);
    assert_int_equal(ds_client_create(c->host, contract_call(c), "\xff", &none), -EILSEQ);
    assert_int_equal(ds_client_create(c->host, contract_call(c), longer, &none), -ENAMETOOLONG);
    assert_int_equal(ds_client_create(c->host, contract_call(c), longest, &none), 0);
    assert_int_equal(ds_client_create(c->host, contract_call(c), longest, &none), -EEXIST);
    free(longest);
    free(longer);
}

static void test_query(void **state)
{
    struct contract *c = *state;
    struct ds_attributes asked = {.description = "what it is for: ä \"\\\n",
                                  .host = DS_ACCESS_READ_ONLY,
                                  .guest = DS_ACCESS_NONE,
                                  .omit_from_snapshot_and_clone = DS_FLAG_ON};
    struct ds_attributes found = {0};
    assert_int_equal(ds_client_create(c->host, contract_call(c), "q", &asked), 0);
    assert_int_equal(ds_client_query(c->guest, contract_call(c), "q", &found), 0);
    if (found.description)
        assert_string_equal(found.description, asked.description);
    if (found.host)
        assert_int_equal(found.host, asked.host);
    if (found.guest)
        assert_int_equal(found.guest, asked.guest);
    if (found.omit_from_snapshot_and_clone)
        assert_int_equal(found.omit_from_snapshot_and_clone, DS_FLAG_ON);
    if (found.used_known)
        assert_int_equal(found.used_bytes, 0);
    ds_attributes_clear(&found);
}

static void test_query_missing(void **state)
{
    struct contract *c = *state;
    struct ds_attributes found = {.used_bytes = 7};
    assert_int_equal(ds_client_query(c->host, contract_call(c), "no", &found), -ENOENT);
    assert_int_equal(ds_client_query(c->guest, contract_call(c), "no", &found), -ENOENT);
    assert_int_equal(found.used_bytes, 7);
}

static void test_create_defaults(void **state)
{
    struct contract *c = *state;
    struct ds_attributes none = {0};
    struct ds_attributes found = {0};
    assert_int_equal(ds_client_create(c->host, contract_call(c), "plain", &none), 0);
    assert_int_equal(ds_client_query(c->host, contract_call(c), "plain", &found), 0);
    assert_string_equal(found.description, "");
    assert_int_equal(found.host, DS_ACCESS_READ_WRITE);
    assert_int_equal(found.guest, DS_ACCESS_READ_WRITE);
    assert_int_equal(found.omit_from_snapshot_and_clone, DS_FLAG_OFF);
    ds_attributes_clear(&found);
    assert_int_equal(ds_client_create(c->host, contract_call(c), "plain", &none), -EEXIST);
}

static void test_update(void **state)
{
    struct contract *c = *state;
    struct ds_attributes guest_only = {.guest = DS_ACCESS_READ_ONLY};
    struct ds_attributes rest = {
        .description = "new", .host = DS_ACCESS_NONE, .omit_from_snapshot_and_clone = DS_FLAG_ON};
    struct ds_attributes nothing = {0};
    struct ds_attributes found = {0};

    assert_int_equal(ds_client_update(c->host, contract_call(c), "d", &guest_only), 0);
    assert_int_equal(ds_client_query(c->host, contract_call(c), "d", &found), 0);
    assert_string_equal(found.description, "");
    assert_int_equal(found.host, DS_ACCESS_READ_WRITE);
    assert_int_equal(found.guest, DS_ACCESS_READ_ONLY);
    ds_attributes_clear(&found);

    assert_int_equal(ds_client_update(c->host, contract_call(c), "d", &rest), 0);
    assert_int_equal(ds_client_update(c->host, contract_call(c), "d", &nothing), 0);
    assert_int_equal(ds_client_query(c->host, contract_call(c), "d", &found), 0);
    assert_string_equal(found.description, "new");
    assert_int_equal(found.host, DS_ACCESS_NONE);
    assert_int_equal(found.guest, DS_ACCESS_READ_ONLY);
    assert_int_equal(found.omit_from_snapshot_and_clone, DS_FLAG_ON);
    ds_attributes_clear(&found);

    rest.omit_from_snapshot_and_clone = DS_FLAG_OFF;
    assert_int_equal(ds_client_update(c->host, contract_call(c), "d", &rest), 0);
    assert_int_equal(ds_client_query(c->host, contract_call(c), "d", &found), 0);
    assert_int_equal(found.omit_from_snapshot_and_clone, DS_FLAG_OFF);
    ds_attributes_clear(&found);
    assert_int_equal(ds_client_update(c->host, contract_call(c), "no", &rest), -ENOENT);
}

static void test_destroy(void **state)
{
    struct contract *c = *state;
    contract_set(c, "d", "k", "v");
    contract_create(c, "other", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    contract_set(c, "other", "k", "kept");

    assert_int_equal(ds_client_destroy(c->host, contract_call(c), "d", false), -ENOTEMPTY);
    contract_expect(c, c->guest, "d", "k", "v");
    assert_int_equal(ds_client_destroy(c->host, contract_call(c), "d", true), 0);
    assert_int_equal(ds_client_destroy(c->host, contract_call(c), "d", true), -ENOENT);
    contract_expect(c, c->guest, "d", "k", NULL);
    contract_expect(c, c->guest, "other", "k", "kept");

    /* A new DataSet of the same name begins empty. */
    contract_create(c, "d", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    contract_expect(c, c->guest, "d", "k", NULL);
    contract_expect_used(c, "d", 0);
    assert_int_equal(ds_client_destroy(c->host, contract_call(c), "d", false), 0);
}

static void test_guest_may_not(void **state)
{
    struct contract *c = *state;
    struct ds_attributes none = {0};
    assert_false(ds_client_caps(c->guest)->can_create);
    assert_int_equal(ds_client_create(c->guest, contract_call(c), "g", &none), -EPERM);
    assert_int_equal(ds_client_update(c->guest, contract_call(c), "d", &none), -EPERM);
    assert_int_equal(ds_client_destroy(c->guest, contract_call(c), "d", true), -EPERM);
    assert_int_equal(ds_client_requests(c->guest, DS_OP_CREATE), 0);
    assert_int_equal(ds_client_requests(c->guest, DS_OP_UPDATE), 0);
    assert_int_equal(ds_client_requests(c->guest, DS_OP_DESTROY), 0);
    assert_int_equal(ds_client_errors(c->guest, DS_OP_CREATE), 1);
}

/* Access limits entries, not the administration of the DataSet. */
static void test_access(void **state)
{
    struct contract *c = *state;
    static const enum ds_access kinds[] = {DS_ACCESS_NONE, DS_ACCESS_READ_ONLY,
                                           DS_ACCESS_READ_WRITE};
    contract_set(c, "d", "k", "v");
    for (size_t i = 0; i < 6; i++) {
        enum ds_access access = kinds[i / 2];
        bool is_host = i % 2;
        struct ds_client *client = is_host ? c->host : c->guest;
        struct ds_attributes change = {.host = is_host ? access : DS_ACCESS_READ_WRITE,
                                       .guest = is_host ? DS_ACCESS_READ_WRITE : access};
        int read = access == DS_ACCESS_NONE ? -EACCES : 0;
        int write = access == DS_ACCESS_READ_WRITE ? 0 : -EACCES;
        struct ds_buf value = {0};
        struct ds_names keys = {0};
        assert_int_equal(ds_client_update(c->host, contract_call(c), "d", &change), 0);

        assert_int_equal(ds_client_get_one(client, contract_call(c), "d", "k", &value), read);
        ds_buf_free(&value);
        assert_int_equal(ds_client_get_one(client, contract_call(c), "d", "no", &value),
                         read ? read : -ENOENT);
        assert_int_equal(ds_client_list_keys(client, contract_call(c), "d", &keys), read);
        ds_names_clear(&keys);
        assert_int_equal(ds_client_set(client, contract_call(c), "d", "k", "v", 1, NULL), write);
        if (write)
            assert_string_not_equal(c->call.text, "");
        assert_int_equal(ds_client_append(client, contract_call(c), "d", "a", "v", 1, NULL), write);
        assert_int_equal(ds_client_remove(client, contract_call(c), "d", "a", NULL), write);
    }
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(test_list),          CONTRACT_TEST(test_names),
    CONTRACT_TEST(test_bad_names),     CONTRACT_TEST(test_query),
    CONTRACT_TEST(test_query_missing), CONTRACT_TEST(test_create_defaults),
    CONTRACT_TEST(test_update),        CONTRACT_TEST(test_destroy),
    CONTRACT_TEST(test_guest_may_not), CONTRACT_TEST(test_access),
};
CONTRACT_PART(contract_dataset_part, tests);
