/* The checked calls: what is refused without a request, batches and counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A store in which every key's value is the key, and which notes what it is asked. */
struct fake {
    struct ds_client client;
    unsigned requests;
    size_t batches[16]; /* keys in each get */
    size_t gets;
    int get_error; /* of the get number fails_at, from 1 */
    size_t fails_at;
    size_t value_bytes; /* not 0: all values are that long */
    size_t set_bytes;   /* of the last set */
    bool freed;
};

static struct ds_call call;

static int note(struct ds_client *client, enum ds_op op)
{
    ((struct fake *)client)->requests++;
    ds_client_count(client, op);
    return 0;
}

static int fake_create(struct ds_client *client, struct ds_call *of, const char *dataset,
                       const struct ds_attributes *attributes)
{
    (void)of;
    (void)dataset;
    (void)attributes;
    return note(client, DS_OP_CREATE);
}

static int fake_destroy(struct ds_client *client, struct ds_call *of, const char *dataset,
                        bool force)
{
    (void)of;
    (void)dataset;
    (void)force;
    return note(client, DS_OP_DESTROY);
}

static int fake_query(struct ds_client *client, struct ds_call *of, const char *dataset,
                      struct ds_attributes *out)
{
    (void)of;
    (void)dataset;
    (void)out;
    return note(client, DS_OP_QUERY);
}

static int fake_list(struct ds_client *client, struct ds_call *of, struct ds_names *out)
{
    (void)of;
    (void)out;
    note(client, DS_OP_LIST);
    return -EHOSTUNREACH;
}

static int fake_list_keys(struct ds_client *client, struct ds_call *of, const char *dataset,
                          struct ds_names *out)
{
    (void)of;
    (void)dataset;
    (void)out;
    return note(client, DS_OP_LIST_KEYS);
}

static int fake_get(struct ds_client *client, struct ds_call *of, const char *dataset,
                    struct ds_entry *entries, size_t count)
{
    struct fake *fake = (struct fake *)client;
    (void)of;
    (void)dataset;
    note(client, DS_OP_GET);
    fake->batches[fake->gets++] = count;
    if (fake->gets == fake->fails_at)
        return fake->get_error;
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(entries[i].key, "missing"))
            entries[i].error = -ENOENT;
        else if (fake->value_bytes)
            entries[i].error = ds_buf_printf(&entries[i].value, "%0*d", (int)fake->value_bytes, 0);
        else
            entries[i].error = ds_buf_puts(&entries[i].value, entries[i].key);
    }
    return 0;
}

static int fake_set(struct ds_client *client, struct ds_call *of, const char *dataset,
                    const char *key, const char *data, size_t len,
                    const struct ds_previous *previous)
{
    (void)previous;
    (void)of;
    (void)dataset;
    (void)key;
    (void)data;
    ((struct fake *)client)->set_bytes = len;
    return note(client, DS_OP_SET);
}

static int fake_remove(struct ds_client *client, struct ds_call *of, const char *dataset,
                       const char *key)
{
    (void)of;
    (void)dataset;
    (void)key;
    return note(client, DS_OP_REMOVE);
}

static bool fake_addressable(const struct ds_client *client, const char *name)
{
    (void)client;
    return strcmp(name, "..") != 0;
}

static void fake_free(struct ds_client *client, struct ds_call *of)
{
    (void)of;
    ((struct fake *)client)->freed = true;
}

/* No append: it must never be called. */
static const struct ds_client_ops ops = {
    .name = "fake",
    .list = fake_list,
    .query = fake_query,
    .create = fake_create,
    .update = fake_create,
    .destroy = fake_destroy,
    .list_keys = fake_list_keys,
    .get = fake_get,
    .set = fake_set,
    .remove = fake_remove,
    .addressable = fake_addressable,
    .free = fake_free,
};

static struct ds_client *begin(struct fake *fake)
{
    *fake = (struct fake){
        .client = {.ops = &ops, .caps = {.can_create = true, .batch_keys = 3, .parallel = 1}}};
    ds_call_init(&call, 60000);
    return &fake->client;
}

static char *letters(size_t len)
{
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, 'x', len);
    text[len] = '\0';
    return text;
}

/* Every operation on an entry with this DataSet and key gives `err`. */
static void expect_entry(struct ds_client *client, const char *dataset, const char *key, int err)
{
    struct ds_buf value = {0};
    struct ds_entry entry = {.key = key};
    ds_call_init(&call, 60000);
    assert_int_equal(ds_client_get_one(client, &call, dataset, key, &value), err);
    ds_buf_free(&value);
    ds_client_get(client, &call, dataset, &entry, 1);
    assert_int_equal(entry.error, err);
    ds_buf_free(&entry.value);
    assert_int_equal(ds_client_set(client, &call, dataset, key, "v", 1, NULL), err);
    assert_int_equal(ds_client_append(client, &call, dataset, key, "v", 1, NULL), err);
    assert_int_equal(ds_client_remove(client, &call, dataset, key, NULL), err);
    if (err)
        assert_string_not_equal(call.text, "");
}

/* Every operation on a DataSet of this name gives `err`. */
static void expect_dataset(struct ds_client *client, const char *dataset, int err)
{
    struct ds_attributes attributes = {0};
    struct ds_names keys = {0};
    ds_call_init(&call, 60000);
    assert_int_equal(ds_client_query(client, &call, dataset, &attributes), err);
    assert_int_equal(ds_client_list_keys(client, &call, dataset, &keys), err);
    assert_int_equal(ds_client_create(client, &call, dataset, &attributes), err);
    assert_int_equal(ds_client_update(client, &call, dataset, &attributes), err);
    assert_int_equal(ds_client_destroy(client, &call, dataset, false), err);
    expect_entry(client, dataset, "k", err);
}

static void test_names(void **state)
{
    (void)state;
    struct fake fake;
    struct ds_client *client = begin(&fake);
    char *longest = letters(DS_NAME_MAX_BYTES);
    char *longer = letters(DS_NAME_MAX_BYTES + 1);
    expect_dataset(client, "", -EINVAL);
    expect_dataset(client, longer, -ENAMETOOLONG);
    expect_dataset(client, "\xff", -EILSEQ);
    expect_entry(client, "d", longer, -ENAMETOOLONG);
    expect_entry(client, "d", "\xc3", -EILSEQ);
    expect_entry(client, "d", "..", -EINVAL);
    expect_dataset(client, "..", -EINVAL);
    assert_int_equal(fake.requests, 0);
    expect_dataset(client, longest, 0);
    expect_entry(client, "d", longest, 0);
    expect_entry(client, "d", "", 0);
    expect_entry(client, ".", ".", 0);
    free(longest);
    free(longer);
}

static void test_values(void **state)
{
    (void)state;
    struct fake fake;
    struct ds_client *client = begin(&fake);
    char *text = letters(DS_VALUE_MAX_BYTES + 1);
    static const struct {
        size_t len;
        int err;
    } lengths[] = {{0, 0}, {DS_VALUE_MAX_BYTES, 0}, {DS_VALUE_MAX_BYTES + 1, -EFBIG}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ds_client_set(client, &call, "d", "k", text, lengths[i].len, NULL),
                         lengths[i].err);
    assert_int_equal(fake.requests, 2);
    assert_int_equal(ds_client_append(client, &call, "d", "k", text, DS_VALUE_MAX_BYTES + 1, NULL),
                     -EFBIG);
    assert_int_equal(ds_client_set(client, &call, "d", "k", "a\0b", 3, NULL), -EILSEQ);
    assert_int_equal(ds_client_append(client, &call, "d", "k", "\xff", 1, NULL), -EILSEQ);
    assert_int_equal(fake.requests, 2);
    free(text);
}

static void test_descriptions(void **state)
{
    (void)state;
    struct fake fake;
    struct ds_client *client = begin(&fake);
    char binary[] = "\xff";
    char *longer = letters(DS_DESCRIPTION_MAX_BYTES + 1);
    struct ds_attributes attributes = {.description = longer};
    assert_int_equal(ds_client_create(client, &call, "d", &attributes), -EINVAL);
    assert_int_equal(ds_client_update(client, &call, "d", &attributes), -EINVAL);
    attributes.description = binary;
    assert_int_equal(ds_client_create(client, &call, "d", &attributes), -EINVAL);
    assert_int_equal(fake.requests, 0);
    longer[DS_DESCRIPTION_MAX_BYTES] = '\0';
    attributes.description = longer;
    assert_int_equal(ds_client_create(client, &call, "d", &attributes), 0);
    free(longer);
}

static void test_without_create(void **state)
{
    (void)state;
    struct fake fake;
    struct ds_client *client = begin(&fake);
    struct ds_attributes none = {0};
    client->caps.can_create = false;
    assert_int_equal(ds_client_create(client, &call, "d", &none), -EPERM);
    assert_int_equal(ds_client_update(client, &call, "d", &none), -EPERM);
    assert_int_equal(ds_client_destroy(client, &call, "d", true), -EPERM);
    assert_string_not_equal(call.text, "");
    assert_int_equal(fake.requests, 0);
}

/* An append by get and set: the limit is on the sum. */
static void test_append_limit(void **state)
{
    (void)state;
    struct fake fake;
    struct ds_client *client = begin(&fake);
    fake.value_bytes = DS_VALUE_MAX_BYTES - 1;
    assert_int_equal(ds_client_append(client, &call, "d", "k", "ab", 2, NULL), -EFBIG);
    assert_int_equal(fake.set_bytes, 0);
    assert_int_equal(ds_client_append(client, &call, "d", "k", "a", 1, NULL), 0);
    assert_int_equal(fake.set_bytes, DS_VALUE_MAX_BYTES);
    assert_int_equal(ds_client_append(client, &call, "d", "missing", "ab", 2, NULL), 0);
    assert_int_equal(fake.set_bytes, 2);
}

static void run_batches(struct fake *fake, size_t fails_at, int error, int expected)
{
    static const char *const keys[] = {"0", "1", "2", "3", "\xff", "5", "missing", "7", "8", "9"};
    struct ds_entry entries[10];
    begin(fake);
    fake->fails_at = fails_at;
    fake->get_error = error;
    for (size_t i = 0; i < 10; i++)
        entries[i] = (struct ds_entry){.key = keys[i], .error = 77};
    assert_int_equal(ds_client_get(&fake->client, &call, "d", entries, 10), expected);
    for (size_t i = 0; i < 10; i++) {
        /* The batches are 0-2, 3, 5-7 and 8-9. */
        size_t number = i < 3 ? 1 : i < 4 ? 2 : i < 8 ? 3 : 4;
        bool failed = fails_at && (error == -EPROTO ? number == fails_at : number >= fails_at);
        int natural = i == 4 ? -EILSEQ : i == 6 ? -ENOENT : 0;
        if (!(failed && i == 4))
            assert_int_equal(entries[i].error, failed ? error : natural);
        if (entries[i].error)
            assert_int_equal(entries[i].value.len, 0);
        else
            assert_string_equal(entries[i].value.data, keys[i]);
        ds_buf_free(&entries[i].value);
    }
}

static void test_batches(void **state)
{
    (void)state;
    struct fake fake;
    run_batches(&fake, 0, 0, 0);
    assert_int_equal(fake.gets, 4);
    assert_int_equal(fake.batches[0], 3);
    assert_int_equal(fake.batches[1], 1);
    assert_int_equal(fake.batches[2], 3);
    assert_int_equal(fake.batches[3], 2);
    run_batches(&fake, 2, -EACCES, -EACCES);
    assert_int_equal(fake.gets, 2);
    run_batches(&fake, 3, -EPROTO, -EPROTO);
    assert_int_equal(fake.gets, 4);
    run_batches(&fake, 1, -EHOSTUNREACH, -EHOSTUNREACH);
    assert_int_equal(fake.gets, 1);
}

static void test_counters(void **state)
{
    (void)state;
    struct fake fake;
    struct ds_client *client = begin(&fake);
    struct ds_names names = {0};
    struct ds_buf value = {0};
    assert_int_equal(ds_client_list(client, &call, &names), -EHOSTUNREACH);
    assert_int_equal(ds_client_requests(client, DS_OP_LIST), 1);
    assert_int_equal(ds_client_errors(client, DS_OP_LIST), 1);
    assert_int_equal(ds_client_get_one(client, &call, "d", "missing", &value), -ENOENT);
    assert_int_equal(ds_client_errors(client, DS_OP_GET), 0);
    assert_int_equal(ds_client_get_one(client, &call, "d", "..", &value), -EINVAL);
    assert_int_equal(ds_client_errors(client, DS_OP_GET), 1);
    assert_int_equal(ds_client_set(client, &call, "d", "k", "v", 1, NULL), 0);
    assert_int_equal(ds_client_errors(client, DS_OP_SET), 0);
    assert_int_equal(ds_client_requests(client, DS_OP_SET), 1);
    assert_ptr_equal(ds_client_caps(client), &client->caps);
}

static void test_words(void **state)
{
    (void)state;
    struct fake fake;
    struct ds_client *client = begin(&fake);
    static const char *const names[DS_OP_COUNT] = {"list",    "query",     "create", "update",
                                                   "destroy", "list_keys", "get",    "set",
                                                   "append",  "remove"};
    for (enum ds_op op = DS_OP_LIST; op < DS_OP_COUNT; op++)
        assert_string_equal(ds_op_name(op), names[op]);
    /* The words of an earlier failure do not stick to a later call. */
    ds_call_fail(&call, -EIO, "stale");
    assert_int_equal(ds_client_set(client, &call, "d", "k", "v", 1, NULL), 0);
    assert_string_equal(call.text, "");
    ds_client_free(NULL, &call);
    ds_client_free(client, &call);
    assert_true(fake.freed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),        cmocka_unit_test(test_values),
        cmocka_unit_test(test_descriptions), cmocka_unit_test(test_without_create),
        cmocka_unit_test(test_append_limit), cmocka_unit_test(test_batches),
        cmocka_unit_test(test_counters),     cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
