/* Setting many keys together: how many are offered to the store, which of them are sent again, and
 * what is said of those that fail. A store whose every answer is written down beforehand. */
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

#define KEYS 4
#define ROUNDS 8

/* One answer: an error for all, or one for each of the keys a, b, c and d. */
struct round {
    int whole;
    int keys[KEYS];
    bool breaks; /* no answer came */
};

struct fake {
    struct ds_client client;
    struct round rounds[ROUNDS]; /* afterwards all is well */
    size_t at;
    size_t takes;   /* keys at most that go into one request; 0: any number */
    size_t offered; /* keys of the last request for many */
    bool as_one;    /* a request has one answer */
    char log[96];   /* the keys of each request, in capitals if it was for one alone, and a blank */
};

static struct ds_call call;

static struct round next_round(struct fake *fake, struct ds_call *of)
{
    struct round round = fake->at < ROUNDS ? fake->rounds[fake->at++] : (struct round){0};
    ds_call_set_sent(of, round.breaks ? DS_SENT_MAYBE : DS_SENT_ANSWERED);
    return round;
}

static int fake_set_some(struct ds_client *client, struct ds_call *of, const char *dataset,
                         struct ds_pair *pairs, size_t count, size_t *done)
{
    struct fake *fake = (struct fake *)client;
    struct round round = next_round(fake, of);
    size_t taken = fake->takes && fake->takes < count ? fake->takes : count;
    (void)dataset;
    fake->offered = count;
    if (count > KEYS) {
        *done = count;
        return 0;
    }
    for (size_t i = 0; i < taken; i++)
        fake->log[strlen(fake->log)] = *pairs[i].key;
    fake->log[strlen(fake->log)] = ' ';
    for (size_t i = 0; i < taken; i++) {
        assert_int_equal(pairs[i].error, 0);
        if (!round.whole && !fake->as_one)
            pairs[i].error = round.keys[*pairs[i].key - 'a'];
    }
    if (round.whole)
        return ds_call_fail(of, round.whole, "all refused");
    *done = taken;
    return 0;
}

static int fake_set(struct ds_client *client, struct ds_call *of, const char *dataset,
                    const char *key, const char *data, size_t len,
                    const struct ds_previous *previous)
{
    struct fake *fake = (struct fake *)client;
    struct round round = next_round(fake, of);
    (void)dataset;
    (void)data;
    (void)len;
    assert_null(previous);
    fake->log[strlen(fake->log)] = (char)(*key - 'a' + 'A');
    fake->log[strlen(fake->log)] = ' ';
    int err = round.whole ? round.whole : round.keys[*key - 'a'];
    return err ? ds_call_fail(of, err, "%s refused", key) : 0;
}

static const struct ds_client_ops ops = {
    .name = "fake", .set = fake_set, .set_some = fake_set_some};

/* Sets a, b, c and d with one call. */
static int set(struct fake *fake, size_t *done)
{
    struct ds_pair pairs[KEYS] = {{.key = "a", .error = 77},
                                  {.key = "b", .error = 77},
                                  {.key = "c", .error = 77},
                                  {.key = "d", .error = 77}};
    fake->client.ops = &ops;
    ds_call_init(&call, 60000);
    return ds_client_set_some(&fake->client, &call, "d", pairs, KEYS, done);
}

#define KEYS_OF(...)                                                                               \
    {                                                                                              \
        .keys = { __VA_ARGS__ }                                                                    \
    }

static void test_rounds(void **state)
{
    (void)state;
    static const struct {
        struct round rounds[ROUNDS];
        int err;
        size_t done;
        const char *words;
        const char *log;
    } rows[] = {
        {{KEYS_OF(0)}, 0, 4, "", "abcd "},
        /* Those that the store was too busy for are sent again, alone, as long as it takes. */
        {{KEYS_OF(0, -EAGAIN, 0, -EAGAIN), KEYS_OF(0, 0, 0, -EAGAIN), KEYS_OF(0, 0, 0, -EAGAIN)},
         0,
         4,
         "",
         "abcd bd d d "},
        {{KEYS_OF(0, -EAGAIN), {.whole = -EAGAIN}, {.whole = -EAGAIN}}, 0, 4, "", "abcd b b b "},
        /* Those whose connection broke once. */
        {{KEYS_OF(-EIO, 0, -EIO)}, 0, 4, "", "abcd ac "},
        {{KEYS_OF(0, 0, -EIO), KEYS_OF(0, 0, -EIO)}, 0, 2, "", "abcd c "},
        {{KEYS_OF(0, -EIO, -EAGAIN), KEYS_OF(0, -EIO, -EAGAIN)}, 0, 1, "", "abcd bc c "},
        {{KEYS_OF(0, -EIO), {.whole = -EIO}}, 0, 1, "", "abcd b "},
        /* What is refused for good is not, and ends what is counted. */
        {{KEYS_OF(0, 0, -EINVAL, 0)}, 0, 2, "", "abcd "},
        {{KEYS_OF(0, -ETIMEDOUT, 0, -EAGAIN)}, 0, 1, "", "abcd d "},
        /* The first one has its own answer. */
        {{KEYS_OF(-EINVAL, 0, 0, 0), KEYS_OF(-EINVAL)}, -EINVAL, 0, "a refused", "abcd A "},
        {{KEYS_OF(-EINVAL, 0, 0, 0)}, 0, 1, "", "abcd A "},
        {{{.whole = -EINVAL}}, 0, 1, "", "abcd A "},
        {{{.whole = -ENOSPC}, {.whole = -ENOSPC}}, -ENOSPC, 0, "a refused", "abcd A "},
        /* What concerns all does not need it. */
        {{{.whole = -EACCES}}, -EACCES, 0, "all refused", "abcd "},
        {{{.whole = -ENOENT}}, -ENOENT, 0, "all refused", "abcd "},
        {{{.whole = -EHOSTUNREACH, .breaks = true}}, -EHOSTUNREACH, 0, "all refused", "abcd "},
        /* All of them broke: once more. */
        {{{.whole = -EIO, .breaks = true}}, 0, 4, "", "abcd abcd "},
        {{{.whole = -EIO, .breaks = true}, {.whole = -EIO, .breaks = true}},
         -EIO,
         0,
         "all refused",
         "abcd abcd "},
        {{{.whole = -EAGAIN}, {.whole = -EAGAIN, .breaks = true}}, 0, 4, "", "abcd abcd abcd "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fake fake = {0};
        size_t done = 99;
        memcpy(fake.rounds, rows[i].rounds, sizeof fake.rounds);
        assert_int_equal(set(&fake, &done), rows[i].err);
        assert_int_equal(done, rows[i].done);
        assert_string_equal(fake.log, rows[i].log);
        assert_string_equal(call.text, rows[i].words);
    }
}

/* A store that is busy for some beyond the deadline: what is before them counts. */
static void test_deadline(void **state)
{
    (void)state;
    struct fake fake = {0};
    size_t done = 0;
    for (size_t i = 0; i < ROUNDS; i++)
        fake.rounds[i].keys[1] = -EAGAIN;
    clock_late_ms = 30000;
    assert_int_equal(set(&fake, &done), 0);
    clock_late_ms = 0;
    assert_int_equal(done, 1);
    assert_string_equal(fake.log, "abcd b ");
}

/* A store that puts them into one message. */
static void test_as_one(void **state)
{
    (void)state;
    struct fake fake = {.takes = 3, .as_one = true};
    size_t done = 0;
    assert_int_equal(set(&fake, &done), 0);
    assert_int_equal(done, 3);
    assert_string_equal(fake.log, "abc ");
}

/* What is offered has a bound, by number and by bytes. */
static void test_bounds(void **state)
{
    (void)state;
    enum { MANY = 1000 };
    struct fake fake = {.client.ops = &ops};
    struct ds_pair *pairs = calloc(MANY, sizeof *pairs);
    char *text = malloc(DS_VALUE_MAX_BYTES);
    size_t done = 0;
    assert_true(pairs && text);
    memset(text, 'x', DS_VALUE_MAX_BYTES);
    for (size_t i = 0; i < MANY; i++)
        pairs[i] = (struct ds_pair){.key = "a", .data = text, .len = 1};
    ds_call_init(&call, 60000);
    assert_int_equal(ds_client_set_some(&fake.client, &call, "d", pairs, MANY, &done), 0);
    assert_int_equal(done, 256);
    assert_int_equal(fake.offered, 256);
    for (size_t i = 0; i < MANY; i++)
        pairs[i].len = DS_VALUE_MAX_BYTES / 2;
    assert_int_equal(ds_client_set_some(&fake.client, &call, "d", pairs, MANY, &done), 0);
    assert_int_equal(done, 8);
    free(pairs);
    free(text);
}

/* What cannot be set ends what is offered; the first one is told. */
static void test_checks(void **state)
{
    (void)state;
    struct fake fake = {.client.ops = &ops};
    struct ds_pair pairs[] = {{.key = "a"}, {.key = "b"}, {.key = "c", .data = "\xff", .len = 1}};
    size_t done = 0;
    ds_call_init(&call, 60000);
    assert_int_equal(ds_client_set_some(&fake.client, &call, "d", pairs, 3, &done), 0);
    assert_int_equal(done, 2);
    assert_int_equal(ds_client_set_some(&fake.client, &call, "d", pairs + 2, 1, &done), -EILSEQ);
    assert_int_equal(done, 0);
    assert_int_equal(ds_client_set_some(&fake.client, &call, "", pairs, 3, &done), -EINVAL);
    assert_string_equal(fake.log, "ab ");
    assert_int_equal(ds_client_set_some(&fake.client, &call, "d", pairs, 1, &done), 0);
    assert_int_equal(done, 1);
    assert_string_equal(fake.log, "ab A ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounds), cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_as_one), cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
