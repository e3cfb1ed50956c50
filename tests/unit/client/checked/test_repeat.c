/* The policy of repeating: a store of one DataSet with one key, whose connection breaks to order.
 */
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

/* How the store treats one request. The default is to do it and answer. */
struct step {
    int err;           /* 0: what the operation itself comes to */
    enum ds_sent sent; /* with an error */
    bool applies;      /* although it answers with an error */
    bool cancels;      /* the caller cancels meanwhile */
    const char *then;  /* somebody else writes this afterwards */
};

struct fake {
    struct ds_client client;
    struct step steps[8];
    size_t at;
    char log[64]; /* one letter for each request */
    bool dataset;
    bool exists;
    char value[64];
    struct ds_attributes attributes;
};

#define STEP(...)                                                                                  \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define NEVER STEP(-EIO, DS_SENT_NO, false, false, NULL)
#define LOST STEP(-EIO, DS_SENT_MAYBE, false, false, NULL)
#define DONE STEP(-EIO, DS_SENT_MAYBE, true, false, NULL)

static struct ds_call call;

/* Plays the next step. True if the operation is to be carried out. */
static bool play(struct ds_client *client, struct ds_call *of, char letter, struct step *step)
{
    struct fake *fake = (struct fake *)client;
    *step = fake->at < 8 ? fake->steps[fake->at++] : (struct step){0};
    fake->log[strlen(fake->log)] = letter;
    ds_call_set_sent(of, step->err ? step->sent : DS_SENT_ANSWERED);
    if (step->err == -EIO)
        ds_call_fail(of, -EIO, "the connection broke");
    if (step->err == -EAGAIN)
        ds_call_fail(of, -EAGAIN, "too many of you");
    if (step->cancels)
        ds_call_cancel(of);
    return !step->err || step->applies;
}

static int end(struct fake *fake, const struct step *step, int err)
{
    if (step->then) {
        fake->exists = true;
        snprintf(fake->value, sizeof fake->value, "%s", step->then);
    }
    return step->err ? step->err : err;
}

static int fake_list(struct ds_client *client, struct ds_call *of, struct ds_names *out)
{
    struct step step;
    return play(client, of, 'l', &step) ? ds_names_add(out, "d") : step.err;
}

static int fake_query(struct ds_client *client, struct ds_call *of, const char *dataset,
                      struct ds_attributes *out)
{
    struct fake *fake = (struct fake *)client;
    struct step step;
    if (!play(client, of, 'q', &step))
        return step.err;
    return fake->dataset ? ds_attributes_copy(out, &fake->attributes) : -ENOENT;
}

static int fake_create(struct ds_client *client, struct ds_call *of, const char *dataset,
                       const struct ds_attributes *attributes)
{
    struct fake *fake = (struct fake *)client;
    struct step step;
    int err = 0;
    if (play(client, of, 'c', &step)) {
        err = fake->dataset ? -EEXIST : 0;
        if (!fake->dataset) {
            fake->attributes = *attributes;
            fake->dataset = true;
        }
    }
    return end(fake, &step, err);
}

static int fake_update(struct ds_client *client, struct ds_call *of, const char *dataset,
                       const struct ds_attributes *attributes)
{
    struct fake *fake = (struct fake *)client;
    struct step step;
    if (play(client, of, 'u', &step))
        fake->attributes.guest = attributes->guest;
    return step.err;
}

static int fake_destroy(struct ds_client *client, struct ds_call *of, const char *dataset,
                        bool force)
{
    struct fake *fake = (struct fake *)client;
    struct step step;
    int err = 0;
    if (play(client, of, 'd', &step)) {
        err = fake->dataset ? 0 : -ENOENT;
        fake->dataset = false;
    }
    return end(fake, &step, err);
}

static int fake_list_keys(struct ds_client *client, struct ds_call *of, const char *dataset,
                          struct ds_names *out)
{
    struct step step;
    return play(client, of, 'k', &step) ? ds_names_add(out, "k") : step.err;
}

static int fake_get(struct ds_client *client, struct ds_call *of, const char *dataset,
                    struct ds_entry *entries, size_t count)
{
    struct fake *fake = (struct fake *)client;
    struct step step;
    if (!play(client, of, 'g', &step))
        return step.err;
    for (size_t i = 0; i < count; i++)
        entries[i].error = fake->exists ? ds_buf_puts(&entries[i].value, fake->value) : -ENOENT;
    return end(fake, &step, 0);
}

static int fake_set(struct ds_client *client, struct ds_call *of, const char *dataset,
                    const char *key, const char *data, size_t len,
                    const struct ds_previous *previous)
{
    struct fake *fake = (struct fake *)client;
    struct step step;
    if (play(client, of, 's', &step)) {
        snprintf(fake->value, sizeof fake->value, "%.*s", (int)len, len ? data : "");
        fake->exists = true;
    }
    return end(fake, &step, 0);
}

static int fake_append(struct ds_client *client, struct ds_call *of, const char *dataset,
                       const char *key, const char *data, size_t len)
{
    struct fake *fake = (struct fake *)client;
    struct step step;
    if (play(client, of, 'a', &step)) {
        size_t had = strlen(fake->value);
        snprintf(fake->value + had, sizeof fake->value - had, "%.*s", (int)len, data);
        fake->exists = true;
    }
    return end(fake, &step, 0);
}

static int fake_remove(struct ds_client *client, struct ds_call *of, const char *dataset,
                       const char *key)
{
    struct fake *fake = (struct fake *)client;
    struct step step;
    int err = 0;
    if (play(client, of, 'r', &step)) {
        err = fake->exists ? 0 : -ENOENT;
        fake->exists = false;
        fake->value[0] = '\0';
    }
    return end(fake, &step, err);
}

static const struct ds_client_ops ops = {
    .name = "fake",
    .list = fake_list,
    .query = fake_query,
    .create = fake_create,
    .update = fake_update,
    .destroy = fake_destroy,
    .list_keys = fake_list_keys,
    .get = fake_get,
    .set = fake_set,
    .append = fake_append,
    .remove = fake_remove,
};

/* A store with the value (NULL: none) and the steps, and a call with time. */
static struct fake *begin(struct fake *fake, const char *value, const struct step *steps,
                          size_t count)
{
    memset(fake, 0, sizeof *fake);
    fake->client.ops = &ops;
    fake->client.caps =
        (struct ds_caps){.can_create = true, .can_append = true, .batch_keys = 4, .parallel = 1};
    fake->dataset = true;
    memcpy(fake->steps, steps, count * sizeof *steps);
    if (value)
        snprintf(fake->value, sizeof fake->value, "%s", value);
    fake->exists = value != NULL;
    ds_call_init(&call, 60000);
    return fake;
}

#define BEGIN(fake, value, ...)                                                                    \
    begin(fake, value, (struct step[]){__VA_ARGS__},                                               \
          sizeof((struct step[]){__VA_ARGS__}) / sizeof(struct step))

enum change { SET, APPEND, REMOVE, APPEND_BY_SET };
#define UNKNOWN ((const char *)-1)
#define ABSENT NULL

/* A change ("new" for a set, "+" for an append) that meets up to three steps. */
struct row {
    enum change change;
    const char *before;   /* what stands there: text or ABSENT */
    const char *previous; /* what the caller knows: text, ABSENT or UNKNOWN */
    struct step steps[3];
    int err;
    const char *after;
    const char *log; /* the requests that were sent */
};

#define REFUSED(error) STEP(error, DS_SENT_ANSWERED, false, false, NULL)
#define LATE STEP(-ETIMEDOUT, DS_SENT_MAYBE, false, false, NULL)
#define OTHER "somebody else's"
#define LOST_THEN_OTHER STEP(-EIO, DS_SENT_MAYBE, false, false, OTHER)
#define CANCELLED STEP(-EINTR, DS_SENT_MAYBE, false, true, NULL)

static const struct row rows[] = {
    /* certainly not seen: at once again, once */
    {SET, "old", UNKNOWN, {NEVER}, 0, "new", "ss"},
    {SET, "old", UNKNOWN, {NEVER, NEVER}, -EIO, "old", "ss"},
    {APPEND, "old", UNKNOWN, {NEVER}, 0, "old+", "aa"},
    {APPEND, "old", UNKNOWN, {NEVER, NEVER}, -EIO, "old", "aa"},
    {REMOVE, "old", UNKNOWN, {NEVER}, 0, ABSENT, "rr"},
    {REMOVE, ABSENT, UNKNOWN, {NEVER}, -ENOENT, ABSENT, "rr"},
    /* a set: the new one, the previous one, a third */
    {SET, "old", "old", {DONE}, 0, "new", "sg"},
    {SET, "old", "old", {LOST}, 0, "new", "sgs"},
    {SET, "old", "old", {LOST_THEN_OTHER}, 0, OTHER, "sg"},
    {SET, ABSENT, ABSENT, {LOST}, 0, "new", "sgs"},
    {SET, ABSENT, ABSENT, {DONE}, 0, "new", "sg"},
    {SET, ABSENT, ABSENT, {LOST_THEN_OTHER}, 0, OTHER, "sg"},
    {SET, ABSENT, "old", {LOST}, 0, ABSENT, "sg"},
    {SET, "old", UNKNOWN, {LOST}, 0, "new", "sgs"},
    {SET, "old", UNKNOWN, {DONE}, 0, "new", "sg"},
    {SET, "old", UNKNOWN, {LOST_THEN_OTHER}, 0, "new", "sgs"},
    /* once, not twice */
    {SET, "old", "old", {LOST, {0}, LOST}, -EIO, "old", "sgsg"},
    {SET, "old", "old", {LOST, {0}, DONE}, 0, "new", "sgsg"},
    {SET, "old", "old", {NEVER, DONE}, 0, "new", "ssg"},
    {SET, "old", "old", {NEVER, LOST}, -EIO, "old", "ssg"},
    /* the reading back is a read: repeated once itself */
    {SET, "old", "old", {DONE, LOST}, 0, "new", "sgg"},
    {SET, "old", "old", {DONE, LOST, LOST}, -EIO, "new", "sgg"},
    {SET, "old", "old", {DONE, REFUSED(-EACCES)}, -EIO, "new", "sg"},
    {SET, "old", "old", {DONE, LATE}, -ETIMEDOUT, "new", "sg"},
    /* a remove */
    {REMOVE, "old", "old", {DONE}, 0, ABSENT, "rg"},
    {REMOVE, "old", "old", {LOST}, 0, ABSENT, "rgr"},
    {REMOVE, "old", "old", {LOST_THEN_OTHER}, 0, OTHER, "rg"},
    {REMOVE, "old", UNKNOWN, {LOST}, 0, ABSENT, "rgr"},
    {REMOVE, "old", UNKNOWN, {DONE}, 0, ABSENT, "rg"},
    {REMOVE, "old", ABSENT, {LOST}, 0, "old", "rg"},
    /* an append: never without knowing */
    {APPEND, "old", "old", {DONE}, 0, "old+", "ag"},
    {APPEND, "old", "old", {LOST}, 0, "old+", "aga"},
    {APPEND, "old", "old", {LOST_THEN_OTHER}, -EIO, OTHER, "ag"},
    {APPEND, "old", UNKNOWN, {LOST}, -EIO, "old", "a"},
    {APPEND, "old", UNKNOWN, {DONE}, -EIO, "old+", "a"},
    {APPEND, ABSENT, ABSENT, {DONE}, 0, "+", "ag"},
    {APPEND, ABSENT, ABSENT, {LOST}, 0, "+", "aga"},
    {APPEND, "old", "o", {LOST}, -EIO, "old", "ag"},
    {APPEND, ABSENT, "old", {LOST}, -EIO, ABSENT, "ag"},
    {APPEND, "old", "old", {LOST, {0}, LOST}, -EIO, "old", "agag"},
    {APPEND, "old", "old", {LOST, {0}, DONE}, 0, "old+", "agag"},
    {APPEND, "old", "old", {DONE, LOST, LOST}, -EIO, "old+", "agg"},
    /* cancelled with bytes on the way */
    {APPEND, "old", "old", {CANCELLED}, -EIO, "old", "a"},
    {APPEND, "old", "old", {{-EINTR, DS_SENT_NO, false, true, NULL}}, -EINTR, "old", "a"},
    {APPEND, "old", "old", {DONE, CANCELLED}, -EIO, "old+", "ag"},
    {SET, "old", "old", {CANCELLED}, -EINTR, "old", "s"},
    {REMOVE, "old", "old", {CANCELLED}, -EINTR, "old", "r"},
    /* answered: the store means it */
    {SET, "old", "old", {REFUSED(-EIO)}, -EIO, "old", "s"},
    {SET, "old", "old", {REFUSED(-ENOSPC)}, -ENOSPC, "old", "s"},
    {SET, "old", "old", {LATE}, -ETIMEDOUT, "old", "s"},
    /* an append made of a get and a set */
    {APPEND_BY_SET, "old", UNKNOWN, {{0}}, 0, "old+", "gs"},
    {APPEND_BY_SET, ABSENT, UNKNOWN, {{0}}, 0, "+", "gs"},
    {APPEND_BY_SET, "old", UNKNOWN, {LOST}, 0, "old+", "ggs"},
    {APPEND_BY_SET, "old", UNKNOWN, {{0}, NEVER}, 0, "old+", "gss"},
    {APPEND_BY_SET, "old", UNKNOWN, {{0}, DONE}, 0, "old+", "gsg"},
    {APPEND_BY_SET, "old", UNKNOWN, {{0}, LOST}, 0, "old+", "gsgs"},
    {APPEND_BY_SET, ABSENT, UNKNOWN, {{0}, LOST}, 0, "+", "gsgs"},
    {APPEND_BY_SET, "old", UNKNOWN, {{0}, LOST_THEN_OTHER}, -EIO, OTHER, "gsg"},
    {APPEND_BY_SET, "old", UNKNOWN, {{0}, CANCELLED}, -EIO, "old", "gs"},
    {APPEND_BY_SET, "old", UNKNOWN, {CANCELLED}, -EINTR, "old", "g"},
};

static int run_change(struct fake *fake, const struct row *row)
{
    struct ds_previous known = {.exists = row->previous != ABSENT};
    const struct ds_previous *previous = row->previous == UNKNOWN ? NULL : &known;
    if (previous && known.exists) {
        known.data = row->previous;
        known.len = strlen(row->previous);
    }
    fake->client.caps.can_append = row->change != APPEND_BY_SET;
    if (row->change == SET)
        return ds_client_set(&fake->client, &call, "d", "k", "new", 3, previous);
    if (row->change == REMOVE)
        return ds_client_remove(&fake->client, &call, "d", "k", previous);
    return ds_client_append(&fake->client, &call, "d", "k", "+", 1, previous);
}

static void test_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct fake fake;
        begin(&fake, row->before, row->steps, 3);
        int err = run_change(&fake, row);
        bool after = row->after ? fake.exists && !strcmp(fake.value, row->after) : !fake.exists;
        if (err != row->err || !after || strcmp(fake.log, row->log) != 0)
            fail_msg("row %zu: error %d, value '%s', requests %s (%s)", i, err, fake.value,
                     fake.log, call.text);
        if (err == -EIO && row->steps[0].sent == DS_SENT_MAYBE)
            assert_string_not_equal(call.text, "");
    }
}

static int run_other(struct ds_client *client, enum ds_op op)
{
    struct ds_attributes attributes = {0};
    struct ds_names names = {0};
    struct ds_buf value = {0};
    int err = -EINVAL;
    if (op == DS_OP_LIST)
        err = ds_client_list(client, &call, &names);
    if (op == DS_OP_LIST_KEYS)
        err = ds_client_list_keys(client, &call, "d", &names);
    if (op == DS_OP_QUERY)
        err = ds_client_query(client, &call, "d", &attributes);
    if (op == DS_OP_GET)
        err = ds_client_get_one(client, &call, "d", "k", &value);
    if (op == DS_OP_DESTROY)
        err = ds_client_destroy(client, &call, "d", true);
    if (op == DS_OP_UPDATE) {
        attributes.guest = DS_ACCESS_READ_ONLY;
        err = ds_client_update(client, &call, "d", &attributes);
    }
    ds_names_clear(&names);
    ds_buf_free(&value);
    ds_attributes_clear(&attributes);
    return err;
}

static void test_reads(void **state)
{
    (void)state;
    static const struct {
        enum ds_op op;
        const char *twice;
    } reads[] = {{DS_OP_LIST, "ll"},
                 {DS_OP_LIST_KEYS, "kk"},
                 {DS_OP_QUERY, "qq"},
                 {DS_OP_GET, "gg"},
                 {DS_OP_DESTROY, "dd"}};
    struct fake fake;
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++) {
        BEGIN(&fake, "v", NEVER);
        assert_int_equal(run_other(&fake.client, reads[i].op), 0);
        assert_string_equal(fake.log, reads[i].twice);
        BEGIN(&fake, "v", LOST);
        assert_int_equal(run_other(&fake.client, reads[i].op), 0);
        assert_string_equal(fake.log, reads[i].twice);
        BEGIN(&fake, "v", LOST, LOST);
        assert_int_equal(run_other(&fake.client, reads[i].op), -EIO);
        assert_string_equal(fake.log, reads[i].twice);
        BEGIN(&fake, "v", {.err = -EIO, .sent = DS_SENT_ANSWERED});
        assert_int_equal(run_other(&fake.client, reads[i].op), -EIO);
        assert_int_equal(strlen(fake.log), 1);
        BEGIN(&fake, "v", {.err = -EPROTO, .sent = DS_SENT_MAYBE});
        assert_int_equal(run_other(&fake.client, reads[i].op), -EPROTO);
        assert_int_equal(strlen(fake.log), 1);
    }
    BEGIN(&fake, "v", NEVER);
    assert_int_equal(run_other(&fake.client, DS_OP_UPDATE), 0);
    BEGIN(&fake, "v", DONE);
    assert_int_equal(run_other(&fake.client, DS_OP_UPDATE), 0);
    assert_string_equal(fake.log, "uq");
    BEGIN(&fake, "v", LOST);
    fake.attributes.guest = DS_ACCESS_NONE;
    assert_int_equal(run_other(&fake.client, DS_OP_UPDATE), 0);
    assert_string_equal(fake.log, "uqu");
    BEGIN(&fake, "v", LOST, STEP(0), LOST);
    fake.attributes.guest = DS_ACCESS_NONE;
    assert_int_equal(run_other(&fake.client, DS_OP_UPDATE), -EIO);
    assert_string_equal(fake.log, "uquq");
}

static void test_destroy(void **state)
{
    (void)state;
    struct fake fake;
    BEGIN(&fake, NULL, DONE);
    assert_int_equal(ds_client_destroy(&fake.client, &call, "d", false), 0);
    assert_string_equal(fake.log, "dd");
    /* The first was never seen: then nothing was there to destroy. */
    BEGIN(&fake, NULL, NEVER);
    fake.dataset = false;
    assert_int_equal(ds_client_destroy(&fake.client, &call, "d", false), -ENOENT);
}

static int create(struct fake *fake, char *description) // NOLINT(readability-non-const-parameter)
{
    struct ds_attributes asked = {.description = description, .guest = DS_ACCESS_READ_ONLY};
    return ds_client_create(&fake->client, &call, "d", &asked);
}

static void test_create(void **state)
{
    (void)state;
    struct fake fake;
    char text[] = "text", other[] = "other";

    BEGIN(&fake, NULL, DONE);
    fake.dataset = false;
    assert_int_equal(create(&fake, text), 0);
    assert_string_equal(fake.log, "ccq");

    BEGIN(&fake, NULL, LOST);
    fake.dataset = false;
    assert_int_equal(create(&fake, text), 0);
    assert_string_equal(fake.log, "cc");

    /* Somebody else made it, with other attributes. */
    BEGIN(&fake, NULL, LOST);
    fake.attributes = (struct ds_attributes){.description = other, .guest = DS_ACCESS_READ_ONLY};
    assert_int_equal(create(&fake, text), -EEXIST);
    assert_string_equal(fake.log, "ccq");
    const struct ds_attributes unlike[] = {
        {.description = text, .guest = DS_ACCESS_NONE},
        {.description = text, .guest = DS_ACCESS_READ_ONLY, .host = DS_ACCESS_NONE},
        {.omit_from_snapshot_and_clone = DS_FLAG_ON},
    };
    for (size_t i = 0; i < sizeof unlike / sizeof *unlike; i++) {
        BEGIN(&fake, NULL, LOST);
        fake.attributes = unlike[i];
        assert_int_equal(create(&fake, text), -EEXIST);
    }

    /* Never seen: whoever made it, it was not us, whatever the attributes. */
    BEGIN(&fake, NULL, NEVER);
    fake.attributes = (struct ds_attributes){.description = text, .guest = DS_ACCESS_READ_ONLY};
    assert_int_equal(create(&fake, text), -EEXIST);
    assert_string_equal(fake.log, "cc");

    BEGIN(&fake, NULL, DONE, {0}, {.err = -EACCES});
    fake.dataset = false;
    assert_int_equal(create(&fake, text), -EEXIST);
}

#define BUSY STEP(-EAGAIN, DS_SENT_ANSWERED, false, false, NULL)

static void test_busy(void **state)
{
    (void)state;
    struct fake fake;
    BEGIN(&fake, "old", BUSY, BUSY, BUSY);
    assert_int_equal(ds_client_append(&fake.client, &call, "d", "k", "+", 1, NULL), 0);
    assert_string_equal(fake.log, "aaaa");
    assert_string_equal(fake.value, "old+");

    /* Until the deadline, and then in the store's words, also when a wait has taken longer than it
     * should: 2 to 4 ms at first. */
    for (clock_late_ms = 0; clock_late_ms <= 100; clock_late_ms += 4) {
        BEGIN(&fake, "old", BUSY, BUSY, BUSY, BUSY, BUSY, BUSY, BUSY, BUSY);
        ds_call_init(&call, 20);
        assert_int_equal(ds_client_set(&fake.client, &call, "d", "k", "+", 1, NULL), -EAGAIN);
        assert_string_equal(call.text, "too many of you");
        assert_string_equal(fake.value, "old");
    }
    clock_late_ms = 0;

    BEGIN(&fake, "old", {-EAGAIN, DS_SENT_ANSWERED, false, true, NULL});
    assert_int_equal(ds_client_append(&fake.client, &call, "d", "k", "+", 1, NULL), -EINTR);
    assert_string_equal(fake.log, "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes), cmocka_unit_test(test_reads),
        cmocka_unit_test(test_destroy), cmocka_unit_test(test_create),
        cmocka_unit_test(test_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
