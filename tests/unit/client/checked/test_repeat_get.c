/* The policy of repeating a get of many keys of which some fail, and how long the store may ask a
 * client to wait: a store whose every answer is written down beforehand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client.h"
#include "clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define LEN(array) (sizeof(array) / sizeof *(array))
#define KEYS 4
#define ROUNDS 8

/* One answer: an error for all, or one for each of the keys a, b, c and d. */
struct round {
    int whole;
    int keys[KEYS];
    int retry_after_ms;
    bool cancels;
};

struct fake {
    struct ds_client client;
    struct round rounds[ROUNDS]; /* afterwards all is well */
    size_t at;
    int64_t asked_ms; /* when the last request came */
    char log[64];     /* the keys of each request, and a blank */
};

static struct ds_call call;

static int fake_get(struct ds_client *client, struct ds_call *of, const char *dataset,
                    struct ds_entry *entries, size_t count)
{
    struct fake *fake = (struct fake *)client;
    struct round round = fake->at < ROUNDS ? fake->rounds[fake->at++] : (struct round){0};
    (void)dataset;
    assert_int_equal(of->retry_after_ms, 0);
    for (size_t i = 0; i < count; i++)
        fake->log[strlen(fake->log)] = *entries[i].key;
    fake->log[strlen(fake->log)] = ' ';
    fake->asked_ms = ds_call_now_ms();
    ds_call_set_sent(of, DS_SENT_ANSWERED);
    of->retry_after_ms = round.retry_after_ms;
    if (round.cancels)
        ds_call_cancel(of);
    for (size_t i = 0; i < count && !round.whole; i++) {
        entries[i].error = round.keys[*entries[i].key - 'a'];
        if (entries[i].error)
            ds_call_fail(of, entries[i].error, "refused");
        else
            assert_int_equal(ds_buf_printf(&entries[i].value, "value of %s", entries[i].key), 0);
    }
    if (round.whole == -EIO)
        ds_call_set_sent(of, DS_SENT_MAYBE);
    return round.whole ? ds_call_fail(of, round.whole, "all refused") : 0;
}

static int fake_remove(struct ds_client *client, struct ds_call *of, const char *dataset,
                       const char *key)
{
    struct ds_entry entry = {.key = key};
    int err = fake_get(client, of, dataset, &entry, 1);
    ds_buf_free(&entry.value);
    return err ? err : entry.error;
}

static const struct ds_client_ops ops = {.name = "fake", .get = fake_get, .remove = fake_remove};

static struct fake *begin(struct fake *fake, const struct round *rounds, size_t count)
{
    memset(fake, 0, sizeof *fake);
    fake->client.ops = &ops;
    fake->client.caps = (struct ds_caps){.batch_keys = KEYS, .parallel = 1};
    memcpy(fake->rounds, rounds, count * sizeof *rounds);
    ds_call_init(&call, 60000);
    return fake;
}

#define BEGIN(fake, ...)                                                                           \
    begin(fake, (struct round[]){__VA_ARGS__},                                                     \
          sizeof((struct round[]){__VA_ARGS__}) / sizeof(struct round))

/* Gets all keys; those without an error must have their value, the others none. */
static int get(struct fake *fake, int errors[KEYS])
{
    struct ds_entry entries[KEYS] = {{.key = "a"}, {.key = "b"}, {.key = "c"}, {.key = "d"}};
    int err = ds_client_get(&fake->client, &call, "d", entries, KEYS);
    for (size_t i = 0; i < KEYS; i++) {
        char expected[16];
        errors[i] = entries[i].error;
        snprintf(expected, sizeof expected, "value of %s", entries[i].key);
        if (entries[i].error)
            assert_null(entries[i].value.data);
        else
            assert_string_equal(entries[i].value.data, expected);
        ds_buf_free(&entries[i].value);
    }
    return err;
}

#define ALL_BUSY                                                                                   \
    {                                                                                              \
        .whole = -EAGAIN                                                                           \
    }
#define KEYS_OF(...)                                                                               \
    {                                                                                              \
        .keys = { __VA_ARGS__ }                                                                    \
    }

static void test_partial(void **state)
{
    (void)state;
    static const struct {
        struct round rounds[ROUNDS];
        int err;
        int errors[KEYS];
        const char *log;
    } rows[] = {
        {{KEYS_OF(0)}, 0, {0}, "abcd "},
        /* What does not pass is not asked for again. */
        {{KEYS_OF(-ENOENT, -EPROTO, -EACCES, -EOPNOTSUPP)},
         0,
         {-ENOENT, -EPROTO, -EACCES, -EOPNOTSUPP},
         "abcd "},
        {{KEYS_OF(-ETIMEDOUT, -EINTR, -ENOMEM, -EBUSY)},
         0,
         {-ETIMEDOUT, -EINTR, -ENOMEM, -EBUSY},
         "abcd "},
        /* Only those that may pass, in their places. */
        {{KEYS_OF(0, -EAGAIN, -ENOENT, 0)}, 0, {0, 0, -ENOENT, 0}, "abcd b "},
        {{KEYS_OF(-EAGAIN, 0, -EACCES, -EAGAIN), KEYS_OF(0, 0, 0, -EAGAIN)},
         0,
         {0, 0, -EACCES, 0},
         "abcd ad d "},
        {{KEYS_OF(0, 0, 0, -EAGAIN), KEYS_OF(0, 0, 0, -ENOENT)}, 0, {0, 0, 0, -ENOENT}, "abcd d "},
        {{KEYS_OF(-EAGAIN), KEYS_OF(-EAGAIN), KEYS_OF(-EAGAIN), KEYS_OF(-EAGAIN)},
         0,
         {0},
         "abcd a a a a "},
        /* A lost connection once. */
        {{KEYS_OF(0, -EIO, 0, 0)}, 0, {0}, "abcd b "},
        {{KEYS_OF(0, -EIO, 0, 0), KEYS_OF(0, -EIO, 0, 0)}, 0, {0, -EIO, 0, 0}, "abcd b "},
        {{KEYS_OF(-EIO, -EAGAIN, 0, 0), KEYS_OF(-EIO, -EAGAIN, 0, 0)},
         0,
         {-EIO, 0, 0, 0},
         "abcd ab b "},
        {{KEYS_OF(0, -EIO, 0, 0), KEYS_OF(0, -EAGAIN, 0, 0)}, 0, {0}, "abcd b b "},
        {{KEYS_OF(-EIO, -EIO, -EIO, -EIO)}, 0, {0}, "abcd abcd "},
        /* All of it busy, then a part. */
        {{ALL_BUSY, KEYS_OF(0, 0, -EAGAIN, 0)}, 0, {0}, "abcd abcd c "},
        {{KEYS_OF(0, 0, -EAGAIN, -EAGAIN), ALL_BUSY, KEYS_OF(0, 0, 0, -ENOENT)},
         0,
         {0, 0, 0, -ENOENT},
         "abcd cd cd "},
        /* The part fails as a whole: each keeps what it had. */
        {{KEYS_OF(0, -EAGAIN, -EIO, 0), {.whole = -EACCES}}, 0, {0, -EAGAIN, -EIO, 0}, "abcd bc "},
        {{KEYS_OF(0, -EAGAIN, -ENOENT, 0), {.whole = -EIO}},
         0,
         {0, -EAGAIN, -ENOENT, 0},
         "abcd b "},
        /* The whole fails. */
        {{{.whole = -EACCES}}, -EACCES, {-EACCES, -EACCES, -EACCES, -EACCES}, "abcd "},
        {{{.whole = -EIO}, KEYS_OF(0, 0, 0, -EAGAIN)}, 0, {0}, "abcd abcd d "},
        {{{.whole = -EIO}, {.whole = -EIO}}, -EIO, {-EIO, -EIO, -EIO, -EIO}, "abcd abcd "},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        struct fake fake;
        int errors[KEYS];
        begin(&fake, rows[i].rounds, ROUNDS);
        int err = get(&fake, errors);
        if (err != rows[i].err || strcmp(fake.log, rows[i].log) != 0 ||
            memcmp(errors, rows[i].errors, sizeof errors) != 0)
            fail_msg("row %zu: %d, '%s', %d %d %d %d", i, err, fake.log, errors[0], errors[1],
                     errors[2], errors[3]);
    }
}

/* Busy until the deadline: the store's own word stays, and what was there is there. */
static void test_deadline(void **state)
{
    (void)state;
    struct fake fake;
    int errors[KEYS];
    struct round busy = KEYS_OF(0, -EAGAIN, 0, -ENOENT);
    struct round rounds[ROUNDS];
    for (size_t i = 0; i < ROUNDS; i++)
        rounds[i] = busy;
    begin(&fake, rounds, ROUNDS);
    ds_call_init(&call, 20);
    assert_int_equal(get(&fake, errors), 0);
    assert_int_equal(errors[0], 0);
    assert_int_equal(errors[1], -EAGAIN);
    assert_int_equal(errors[2], 0);
    assert_int_equal(errors[3], -ENOENT);
}

static void test_cancelled(void **state)
{
    (void)state;
    struct fake fake;
    int errors[KEYS];
    BEGIN(&fake, {.keys = {0, -EAGAIN, 0, 0}, .cancels = true});
    assert_int_equal(get(&fake, errors), 0);
    assert_int_equal(errors[0], 0);
    assert_int_equal(errors[1], -EAGAIN);
    assert_string_equal(fake.log, "abcd ");
}

/* The store's wish is a lower bound of the wait. */
static void test_retry_after(void **state)
{
    (void)state;
    enum { WISH_MS = 60 };
    struct fake fake;
    BEGIN(&fake, {.whole = -EAGAIN, .retry_after_ms = WISH_MS});
    int64_t begun_ms = ds_call_now_ms();
    assert_int_equal(ds_client_remove(&fake.client, &call, "d", "a", NULL), 0);
    assert_string_equal(fake.log, "a a ");
    assert_true(fake.asked_ms - begun_ms >= WISH_MS);

    int errors[KEYS];
    BEGIN(&fake, {.keys = {0, -EAGAIN, 0, 0}, .retry_after_ms = WISH_MS});
    begun_ms = ds_call_now_ms();
    assert_int_equal(get(&fake, errors), 0);
    assert_string_equal(fake.log, "abcd b ");
    assert_true(fake.asked_ms - begun_ms >= WISH_MS);
}

/* A wish beyond the deadline: nobody waits for it, and the words are the store's. A wait of an hour
 * would let the test be killed. */
static void test_retry_after_too_long(void **state)
{
    (void)state;
    static const int wishes_ms[] = {3600 * 1000, INT32_MAX};
    for (size_t i = 0; i < LEN(wishes_ms); i++) {
        struct fake fake;
        int errors[KEYS];
        BEGIN(&fake, {.whole = -EAGAIN, .retry_after_ms = wishes_ms[i]});
        assert_int_equal(ds_client_remove(&fake.client, &call, "d", "a", NULL), -EAGAIN);
        assert_string_equal(fake.log, "a ");
        assert_string_equal(call.text, "all refused");

        BEGIN(&fake, {.keys = {0, -EAGAIN, -ENOENT, 0}, .retry_after_ms = wishes_ms[i]});
        assert_int_equal(get(&fake, errors), 0);
        assert_int_equal(errors[1], -EAGAIN);
        assert_int_equal(errors[2], -ENOENT);
        assert_string_equal(fake.log, "abcd ");
    }
}

/* A wish goes with the answer that it came with. */
static void test_retry_after_is_forgotten(void **state)
{
    (void)state;
    struct fake fake;
    BEGIN(&fake, {.whole = -EAGAIN, .retry_after_ms = 1}, ALL_BUSY, ALL_BUSY);
    assert_int_equal(ds_client_remove(&fake.client, &call, "d", "a", NULL), 0);
    assert_string_equal(fake.log, "a a a a ");
    /* The last one's: not acted upon, for all is well. */
    BEGIN(&fake, {.retry_after_ms = 3600 * 1000});
    assert_int_equal(ds_client_remove(&fake.client, &call, "d", "a", NULL), 0);
    call.retry_after_ms = 3600 * 1000;
    BEGIN(&fake, ALL_BUSY);
    call.retry_after_ms = 3600 * 1000;
    assert_int_equal(ds_client_remove(&fake.client, &call, "d", "a", NULL), 0);
    assert_string_equal(fake.log, "a a ");
}

/* A cancel ends the wait for what the store wished. */
static void test_cancel_ends_the_wait(void **state)
{
    (void)state;
    struct fake fake;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(fd >= 0);
    BEGIN(&fake, {.whole = -EAGAIN, .retry_after_ms = 30000, .cancels = true});
    ds_call_set_cancel_fd(&call, fd);
    assert_int_equal(ds_client_remove(&fake.client, &call, "d", "a", NULL), -EINTR);
    assert_string_equal(fake.log, "a ");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partial),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_retry_after_too_long),
        cmocka_unit_test(test_retry_after_is_forgotten),
        cmocka_unit_test(test_cancel_ends_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
