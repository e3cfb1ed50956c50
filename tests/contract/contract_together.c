/* The contract: threads, processes and two sides at one store. */
#include "contract.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 6, LINES = 40 };

/* Appends LINES lines of its own to "d"/"log"; the first error, or 0. */
static int append_lines(struct ds_client *client, int worker)
{
    for (int i = 0; i < LINES; i++) {
        char line[32];
        struct ds_call call;
        int len = snprintf(line, sizeof line, "worker %d line %d\n", worker, i);
        ds_call_init(&call, 60000);
        int err = ds_client_append(client, &call, "d", "log", line, (size_t)len, NULL);
        if (err)
            return err;
    }
    return 0;
}

/* Every line of every worker stands there once, each worker's in order. */
static void expect_lines(struct contract *c)
{
    struct ds_buf value = {0};
    int next[WORKERS] = {0};
    int total = 0;
    assert_int_equal(ds_client_get_one(c->guest, contract_call(c), "d", "log", &value), 0);
    char *rest = value.data;
    for (char *line; (line = strsep(&rest, "\n")) && *line; total++) {
        int worker, number;
        assert_int_equal(sscanf(line, "worker %d line %d", &worker, &number), 2);
        assert_true(worker >= 0 && worker < WORKERS);
        assert_int_equal(number, next[worker]++);
    }
    assert_int_equal(total, WORKERS * LINES);
    contract_expect_used(c, "d", value.len + 3);
    ds_buf_free(&value);
}

struct appender {
    pthread_t thread;
    struct ds_client *client;
    int number;
    int err;
};

static void *run_appender(void *argument)
{
    struct appender *appender = argument;
    appender->err = append_lines(appender->client, appender->number);
    return NULL;
}

/* A client that gets and sets the sum loses what others append meanwhile, as client.h says. */
static void skip_without_append(const struct contract *c)
{
    if (!ds_client_caps(c->tested)->can_append)
        skip();
}

/* More threads than a client has connections. */
static void test_threads_append(void **state)
{
    struct contract *c = *state;
    struct appender appenders[WORKERS];
    skip_without_append(c);
    for (int i = 0; i < WORKERS; i++) {
        struct ds_client *other = c->tested == c->host ? c->guest : c->host;
        appenders[i] = (struct appender){.client = i ? c->tested : other, .number = i};
        pthread_create(&appenders[i].thread, NULL, run_appender, &appenders[i]);
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(appenders[i].thread, NULL);
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(appenders[i].err, 0);
    expect_lines(c);
}

static void test_processes_append(void **state)
{
    struct contract *c = *state;
    pid_t children[WORKERS];
    skip_without_append(c);
#ifdef __SANITIZE_THREAD__
    skip(); /* it dies of a thread that a forked process starts */
#endif
    for (int i = 0; i < WORKERS; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            struct ds_client *client;
            struct ds_call call;
            ds_call_init(&call, 60000);
            int err =
                c->target->open(c->directory, i % 2 ? DS_SIDE_HOST : DS_SIDE_GUEST, &call, &client);
            if (!err)
                err = append_lines(client, i);
            if (!err)
                ds_client_free(client, &call);
            _exit(-err);
        }
    }
    for (int i = 0; i < WORKERS; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    expect_lines(c);
}

static void test_sides_see_each_other(void **state)
{
    struct contract *c = *state;
    for (int i = 0; i < 100; i++) {
        char text[32];
        struct ds_client *writer = i % 2 ? c->host : c->guest;
        struct ds_client *reader = i % 2 ? c->guest : c->host;
        int len = snprintf(text, sizeof text, "%d", i);
        assert_int_equal(ds_client_set(writer, contract_call(c), "d", "k", text, (size_t)len, NULL),
                         0);
        contract_expect(c, reader, "d", "k", text);
    }
}

struct reader {
    pthread_t thread;
    struct ds_client *client;
    atomic_bool stop;
    int torn;
    int err;
};

/* Both keys are always set to the same letters: a value is whole or not there. */
static void *run_reader(void *argument)
{
    struct reader *reader = argument;
    while (!atomic_load(&reader->stop) && !reader->err) {
        struct ds_call call;
        struct ds_buf value = {0};
        ds_call_init(&call, 60000);
        reader->err = ds_client_get_one(reader->client, &call, "d", "k", &value);
        for (size_t i = 1; i < value.len; i++)
            reader->torn += value.data[i] != value.data[0];
        ds_buf_free(&value);
    }
    return NULL;
}

static void test_values_are_whole(void **state)
{
    struct contract *c = *state;
    enum { BYTES = 100000 };
    struct reader reader = {.client = c->guest};
    contract_set(c, "d", "k", "x");
    pthread_create(&reader.thread, NULL, run_reader, &reader);
    for (int i = 0; i < 60; i++) {
        char *text = contract_letters((char)('a' + i % 26), (size_t)BYTES - (size_t)i * 1000);
        contract_set(c, "d", "k", text);
        free(text);
    }
    atomic_store(&reader.stop, true);
    pthread_join(reader.thread, NULL);
    assert_int_equal(reader.err, 0);
    assert_int_equal(reader.torn, 0);
}

/* A call that is over before it begins never reaches the store. */
static void test_call_that_is_over(void **state)
{
    struct contract *c = *state;
    struct ds_call late, cancelled;
    struct ds_buf value = {0};
    ds_call_init(&late, 0);
    ds_call_init(&cancelled, 60000);
    ds_call_cancel(&cancelled);
    uint64_t sets = ds_client_requests(c->tested, DS_OP_SET);

    assert_int_equal(ds_client_set(c->tested, &late, "d", "k", "v", 1, NULL), -ETIMEDOUT);
    assert_int_equal(ds_call_sent(&late), DS_SENT_NO);
    assert_int_equal(ds_client_set(c->tested, &cancelled, "d", "k", "v", 1, NULL), -EINTR);
    assert_int_equal(ds_client_append(c->tested, &cancelled, "d", "k", "v", 1, NULL), -EINTR);
    assert_int_equal(ds_client_get_one(c->tested, &cancelled, "d", "k", &value), -EINTR);
    assert_int_equal(ds_call_sent(&cancelled), DS_SENT_NO);
    assert_int_equal(ds_client_requests(c->tested, DS_OP_SET), sets);
    contract_expect(c, c->tested, "d", "k", NULL);
    assert_int_equal(ds_client_set(c->tested, contract_call(c), "d", "k", "v", 1, NULL), 0);
    assert_int_equal(ds_call_sent(&c->call), DS_SENT_ANSWERED);
}

static const struct CMUnitTest tests[] = {
    CONTRACT_TEST(test_threads_append),       CONTRACT_TEST(test_processes_append),
    CONTRACT_TEST(test_sides_see_each_other), CONTRACT_TEST(test_values_are_whole),
    CONTRACT_TEST(test_call_that_is_over),
};
CONTRACT_PART(contract_together_part, tests);
