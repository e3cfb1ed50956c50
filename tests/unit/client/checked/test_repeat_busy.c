/* A store that is too busy: whether it can just be asked again depends on who says so, and on what
 * would be overwritten meanwhile. The store is one key, without an append. */
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

/* The fake does not look at all that it is given. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* How a change ends. The default is to do it and say so. */
struct step {
    int err;
    enum ds_sent sent;
    bool applies;
    const char *then; /* somebody else writes this afterwards */
};

#define REFUSED                                                                                    \
    {                                                                                              \
        -EAGAIN, DS_SENT_ANSWERED, false, NULL                                                     \
    }
#define REFUSED_THEN(text)                                                                         \
    {                                                                                              \
        -EAGAIN, DS_SENT_ANSWERED, false, text                                                     \
    }
/* A gateway's word, whatever the store behind it did. */
#define GATEWAY                                                                                    \
    {                                                                                              \
        -EAGAIN, DS_SENT_MAYBE, false, NULL                                                        \
    }
#define GATEWAY_DONE                                                                               \
    {                                                                                              \
        -EAGAIN, DS_SENT_MAYBE, true, NULL                                                         \
    }

struct fake {
    struct ds_client client;
    struct step steps[8];
    size_t at;
    char log[64]; /* one letter for each request */
    char value[64];
    bool exists;
    bool dataset;
    enum ds_access guest;
    const char *words; /* of a busy store, NULL: none */
};

static struct ds_call call;

static struct step play(struct ds_client *client, char letter)
{
    struct fake *fake = (struct fake *)client;
    fake->log[strlen(fake->log)] = letter;
    return fake->at < 8 ? fake->steps[fake->at++] : (struct step){0};
}

static int answer(struct fake *fake, struct ds_call *of, const struct step *step, int err)
{
    ds_call_set_sent(of, step->err ? step->sent : DS_SENT_ANSWERED);
    if (step->err == -EAGAIN && fake->words)
        ds_call_fail(of, step->err, "%s", fake->words);
    if (step->then)
        snprintf(fake->value, sizeof fake->value, "%s", step->then);
    return step->err ? step->err : err;
}

static bool done(const struct step *step)
{
    return !step->err || step->applies;
}

static int fake_get(struct ds_client *client, struct ds_call *of, const char *dataset,
                    struct ds_entry *entries, size_t count)
{
    struct fake *fake = (struct fake *)client;
    fake->log[strlen(fake->log)] = 'g';
    ds_call_set_sent(of, DS_SENT_ANSWERED);
    entries[0].error = fake->exists ? 0 : -ENOENT;
    return fake->exists ? ds_buf_puts(&entries[0].value, fake->value) : 0;
}

static int fake_set(struct ds_client *client, struct ds_call *of, const char *dataset,
                    const char *key, const char *data, size_t len,
                    const struct ds_previous *previous)
{
    struct fake *fake = (struct fake *)client;
    struct step step = play(client, 's');
    if (done(&step)) {
        snprintf(fake->value, sizeof fake->value, "%.*s", (int)len, data);
        fake->exists = true;
    }
    return answer(fake, of, &step, 0);
}

static int fake_remove(struct ds_client *client, struct ds_call *of, const char *dataset,
                       const char *key)
{
    struct fake *fake = (struct fake *)client;
    struct step step = play(client, 'r');
    int err = fake->exists ? 0 : -ENOENT;
    if (done(&step))
        fake->exists = false;
    return answer(fake, of, &step, err);
}

static int fake_query(struct ds_client *client, struct ds_call *of, const char *dataset,
                      struct ds_attributes *out)
{
    struct fake *fake = (struct fake *)client;
    fake->log[strlen(fake->log)] = 'q';
    ds_call_set_sent(of, DS_SENT_ANSWERED);
    *out = (struct ds_attributes){.guest = fake->guest};
    return fake->dataset ? 0 : -ENOENT;
}

static int fake_create(struct ds_client *client, struct ds_call *of, const char *dataset,
                       const struct ds_attributes *attributes)
{
    struct fake *fake = (struct fake *)client;
    struct step step = play(client, 'c');
    int err = fake->dataset ? -EEXIST : 0;
    if (done(&step) && !err) {
        fake->dataset = true;
        fake->guest = attributes->guest;
    }
    return answer(fake, of, &step, err);
}

static int fake_destroy(struct ds_client *client, struct ds_call *of, const char *dataset,
                        bool force)
{
    struct fake *fake = (struct fake *)client;
    struct step step = play(client, 'd');
    int err = fake->dataset ? 0 : -ENOENT;
    if (done(&step))
        fake->dataset = false;
    return answer(fake, of, &step, err);
}

static const struct ds_client_ops ops = {
    .name = "fake",
    .query = fake_query,
    .create = fake_create,
    .destroy = fake_destroy,
    .get = fake_get,
    .set = fake_set,
    .remove = fake_remove,
};

/* A store with this value, NULL for none, whose changes end so, one after the other. */
static void begin(struct fake *fake, const char *value, const struct step *steps, size_t count)
{
    *fake = (struct fake){.client = {.ops = &ops, .caps = {.can_create = true, .batch_keys = 1}},
                          .exists = value != NULL,
                          .dataset = true};
    snprintf(fake->value, sizeof fake->value, "%s", value ? value : "");
    memcpy(fake->steps, steps, count * sizeof *steps);
    ds_call_init(&call, 60000);
}
#define BEGIN(fake, value, ...)                                                                    \
    begin(fake, value, (const struct step[]){__VA_ARGS__},                                         \
          sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

static int append(struct fake *fake)
{
    return ds_client_append(&fake->client, &call, "d", "k", "+a", 2, NULL);
}

/* The store's own refusal: what stands there is looked at again, since the sum is only right for
 * what stood there; what somebody else wrote while we waited is not overwritten. */
static void test_append_refused(void **state)
{
    (void)state;
    struct fake fake;
    BEGIN(&fake, "old", REFUSED, REFUSED);
    assert_int_equal(append(&fake), 0);
    assert_string_equal(fake.value, "old+a");
    assert_string_equal(fake.log, "gsgsgs");
    BEGIN(&fake, "old", REFUSED, REFUSED_THEN("other"));
    assert_int_equal(append(&fake), 0);
    assert_string_equal(fake.value, "other+a");
    assert_string_equal(fake.log, "gsgsggs");
    BEGIN(&fake, NULL, REFUSED);
    assert_int_equal(append(&fake), 0);
    assert_string_equal(fake.value, "+a");
}

/* A gateway's: the store may have done it, so it is done once at the most. */
static void test_append_behind_gateway(void **state)
{
    (void)state;
    struct fake fake;
    BEGIN(&fake, "old", GATEWAY_DONE);
    assert_int_equal(append(&fake), 0);
    assert_string_equal(fake.value, "old+a");
    assert_string_equal(fake.log, "gsg");
    BEGIN(&fake, "old", GATEWAY, GATEWAY_DONE);
    assert_int_equal(append(&fake), 0);
    assert_string_equal(fake.value, "old+a");
    BEGIN(&fake, "old", {-EAGAIN, DS_SENT_MAYBE, true, "old+a+b"});
    assert_int_equal(append(&fake), -EIO);
    assert_string_equal(fake.value, "old+a+b");
    assert_non_null(strstr(call.text, "in doubt"));
}

static void test_changes_behind_gateway(void **state)
{
    (void)state;
    struct fake fake;
    struct ds_attributes asked = {.guest = DS_ACCESS_READ_ONLY};
    BEGIN(&fake, "old", GATEWAY_DONE);
    assert_int_equal(ds_client_set(&fake.client, &call, "d", "k", "new", 3, NULL), 0);
    assert_string_equal(fake.log, "sg");
    BEGIN(&fake, "old", GATEWAY, GATEWAY);
    assert_int_equal(ds_client_set(&fake.client, &call, "d", "k", "new", 3, NULL), 0);
    assert_string_equal(fake.value, "new");
    BEGIN(&fake, "old", GATEWAY_DONE);
    assert_int_equal(ds_client_remove(&fake.client, &call, "d", "k", NULL), 0);
    assert_string_equal(fake.log, "rg");
    BEGIN(&fake, "old", GATEWAY_DONE);
    assert_int_equal(ds_client_destroy(&fake.client, &call, "d", false), 0);
    assert_string_equal(fake.log, "dd");
    BEGIN(&fake, "old", GATEWAY_DONE);
    fake.dataset = false;
    assert_int_equal(ds_client_create(&fake.client, &call, "d", &asked), 0);
    assert_string_equal(fake.log, "ccq");
    /* Somebody else's, of another kind. */
    BEGIN(&fake, "old", GATEWAY);
    fake.guest = DS_ACCESS_NONE;
    assert_int_equal(ds_client_create(&fake.client, &call, "d", &asked), -EEXIST);
}

/* Busy for ever: the store's own error when the time is over, and nothing done. */
static void test_until_the_deadline(void **state)
{
    (void)state;
    static const struct step kinds[] = {REFUSED, GATEWAY};
    for (size_t i = 0; i < 2; i++) {
        struct step steps[8];
        struct fake fake;
        for (size_t j = 0; j < 8; j++)
            steps[j] = kinds[i];
        begin(&fake, "old", steps, 8);
        ds_call_init(&call, 20);
        assert_int_equal(append(&fake), -EAGAIN);
        assert_string_equal(fake.value, "old");
    }
}

/* The last try has no time to be one: the store's own words stay. */
static void test_no_time_for_another(void **state)
{
    (void)state;
    struct fake fake;
    BEGIN(&fake, "old", {-EAGAIN, DS_SENT_NO, false, NULL}, {-ETIMEDOUT, DS_SENT_NO, false, NULL});
    fake.words = "too many of you";
    assert_int_equal(ds_client_set(&fake.client, &call, "d", "k", "new", 3, NULL), -EAGAIN);
    assert_string_equal(call.text, "too many of you");
    /* One that has left is in doubt, whatever was said before. */
    BEGIN(&fake, "old", {-EAGAIN, DS_SENT_NO, false, NULL},
          {-ETIMEDOUT, DS_SENT_MAYBE, false, NULL});
    fake.words = "too many of you";
    assert_int_equal(ds_client_set(&fake.client, &call, "d", "k", "new", 3, NULL), -ETIMEDOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_refused),         cmocka_unit_test(test_append_behind_gateway),
        cmocka_unit_test(test_changes_behind_gateway), cmocka_unit_test(test_until_the_deadline),
        cmocka_unit_test(test_no_time_for_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
