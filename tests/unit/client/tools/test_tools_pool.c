/* Several channels at once, and idle ones: the test is the host, the askers are threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/tools/pool.h"
#include "client/tools/tools.h"
#include "client/tools/wire.h"

#include "client.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { PLENTY_MS = 60000, SHORT_MS = 30, WITHIN_MS = 20000, SOON_IDLE_MS = 20 };
enum { MOST_CHANNELS = 8, ASKERS = DS_TOOLS_MAX_CHANNELS + 3 };

struct asker {
    struct ds_transport *transport;
    struct ds_client *client; /* asked instead, for a list */
    struct ds_call call;
    int cancel_fd;
    pthread_t thread;
    int err;
};

struct host {
    char directory[64];
    char path[96];
    int listener;
    int channels[MOST_CHANNELS]; /* -1: closed */
    size_t accepted;
    struct ds_transport *transport;
    struct ds_client *client;
    unsigned given; /* as -o channels= for the client */
    int opened;     /* what became of it */
    struct asker askers[ASKERS];
};

static int set_up(void **state)
{
    struct host *host = calloc(1, sizeof *host);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(host->directory, "/tmp/datasetfs-test-XXXXXX");
    assert_non_null(mkdtemp(host->directory));
    snprintf(host->path, sizeof host->path, "%s/rpc", host->directory);
    memcpy(address.sun_path, host->path, strlen(host->path));
    host->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(host->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(host->listener, MOST_CHANNELS), 0);
    for (size_t i = 0; i < ASKERS; i++)
        host->askers[i].cancel_fd = -1;
    *state = host;
    return 0;
}

static int tear_down(void **state)
{
    struct host *host = *state;
    struct ds_call call;
    ds_call_init(&call, PLENTY_MS);
    if (host->transport)
        host->transport->free(host->transport);
    ds_client_free(host->client, &call);
    for (size_t i = 0; i < host->accepted; i++)
        if (host->channels[i] >= 0)
            close(host->channels[i]);
    for (size_t i = 0; i < ASKERS; i++)
        if (host->askers[i].cancel_fd >= 0)
            close(host->askers[i].cancel_fd);
    close(host->listener);
    unlink(host->path);
    rmdir(host->directory);
    free(host);
    return 0;
}

static bool readable_within(int fd, int ms)
{
    struct pollfd event = {.fd = fd, .events = POLLIN};
    return poll(&event, 1, ms) == 1;
}

static void expect_packet(int fd)
{
    char bytes[4096];
    size_t len = 0;
    struct ds_wire_packet packet;
    for (size_t need = 1; need;) {
        assert_true(readable_within(fd, WITHIN_MS));
        ssize_t n = recv(fd, bytes + len, sizeof bytes - len, 0);
        assert_true(n > 0);
        len += (size_t)n;
        assert_int_equal(ds_wire_decode(bytes, len, &packet, &need), 0);
    }
    assert_int_equal(packet.size, len); /* one request at a time */
}

static void answer(int fd, const char *payload)
{
    struct ds_buf reply = {0};
    assert_int_equal(ds_wire_encode(&reply, payload, strlen(payload), false), 0);
    assert_int_equal(send(fd, reply.data, reply.len, MSG_NOSIGNAL), reply.len);
    ds_buf_free(&reply);
}

/* The next channel that is opened, with the request on it. */
static int expect_channel(struct host *host)
{
    assert_true(host->accepted < MOST_CHANNELS);
    assert_true(readable_within(host->listener, WITHIN_MS));
    int fd = accept(host->listener, NULL, NULL);
    assert_true(fd >= 0);
    host->channels[host->accepted++] = fd;
    expect_packet(fd);
    return fd;
}

static void expect_closed(struct host *host, size_t number)
{
    char byte;
    assert_true(readable_within(host->channels[number], WITHIN_MS));
    assert_int_equal(recv(host->channels[number], &byte, 1, 0), 0);
    close(host->channels[number]);
    host->channels[number] = -1;
}

static void *run_asker(void *argument)
{
    struct asker *asker = argument;
    struct ds_answer out = {0};
    struct ds_names names = {0};
    if (asker->client)
        asker->err = ds_client_list(asker->client, &asker->call, &names);
    else
        asker->err = asker->transport->exchange(asker->transport, &asker->call, DS_EXCHANGE_READ,
                                                "request", 7, &out);
    ds_buf_free(&out.bytes);
    ds_names_clear(&names);
    return NULL;
}

static void start(struct host *host, size_t number, int timeout_ms)
{
    struct asker *asker = &host->askers[number];
    if (asker->cancel_fd < 0)
        asker->cancel_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    asker->transport = host->transport;
    asker->client = host->client;
    ds_call_init(&asker->call, timeout_ms);
    ds_call_set_cancel_fd(&asker->call, asker->cancel_fd);
    assert_int_equal(pthread_create(&asker->thread, NULL, run_asker, asker), 0);
}

static void expect_end(struct host *host, size_t number, int err)
{
    struct asker *asker = &host->askers[number];
    pthread_join(asker->thread, NULL);
    assert_int_equal(asker->err, err);
    /* A cancellation is for one call. */
    uint64_t ignored;
    ssize_t n = read(asker->cancel_fd, &ignored, sizeof ignored);
    (void)n;
}

static void open_pool(struct host *host, unsigned channels, int idle_ms)
{
    assert_int_equal(ds_tools_pool_new(host->path, channels, idle_ms, &host->transport), 0);
}

/* Opens the client as the command line does. */
static void *open_client(void *argument)
{
    struct host *host = argument;
    struct ds_source_options options = {.channels = host->given};
    struct ds_call call;
    char source[128];
    snprintf(source, sizeof source, "tools:unix=%s", host->path);
    ds_call_init(&call, PLENTY_MS);
    host->opened = ds_source_open(source, &options, &call, &host->client);
    return NULL;
}

static const char no_datasets[] = "1 {\"result\":true,\"datasets\":[]}";

/* So many requests are with the host at once, on as many channels; never one more. */
static void expect_parallel(struct host *host, unsigned given, size_t channels)
{
    pthread_t opener;
    host->given = given;
    assert_int_equal(pthread_create(&opener, NULL, open_client, host), 0);
    answer(expect_channel(host), no_datasets);
    pthread_join(opener, NULL);
    assert_int_equal(host->opened, 0);
    assert_int_equal(ds_client_caps(host->client)->parallel, channels);

    for (size_t i = 0; i < ASKERS; i++)
        start(host, i, PLENTY_MS);
    expect_packet(host->channels[0]);
    for (size_t i = 1; i < channels; i++)
        expect_channel(host);
    /* All that there may be are with us. Each of the others takes the place of one that ended. */
    for (size_t i = 0; i < ASKERS; i++) {
        int fd = host->channels[i % channels];
        assert_false(readable_within(fd, 0));
        assert_false(readable_within(host->listener, 0));
        answer(fd, no_datasets);
        if (i + channels < ASKERS)
            expect_packet(fd);
    }
    for (size_t i = 0; i < ASKERS; i++)
        expect_end(host, i, 0);
    assert_false(readable_within(host->listener, 0));
    assert_int_equal(host->accepted, channels);
}

static void test_default_is_one(void **state)
{
    expect_parallel(*state, 0, 1);
}

static void test_one(void **state)
{
    expect_parallel(*state, 1, 1);
}

static void test_two(void **state)
{
    expect_parallel(*state, 2, 2);
}

static void test_three(void **state)
{
    expect_parallel(*state, 3, 3);
}

static void test_four(void **state)
{
    expect_parallel(*state, 4, 4);
}

/* All channels are in use: who waits for one heeds its own deadline and cancellation. */
static void test_waiting(void **state)
{
    struct host *host = *state;
    open_pool(host, 4, PLENTY_MS);
    for (size_t i = 0; i < 4; i++) {
        start(host, i, PLENTY_MS);
        expect_channel(host);
    }
    start(host, 4, SHORT_MS);
    start(host, 5, PLENTY_MS);
    start(host, 6, PLENTY_MS);
    ds_call_cancel(&host->askers[5].call);
    expect_end(host, 4, -ETIMEDOUT);
    expect_end(host, 5, -EINTR);
    assert_int_equal(ds_call_sent(&host->askers[4].call), DS_SENT_NO);
    assert_int_equal(ds_call_sent(&host->askers[5].call), DS_SENT_NO);
    /* Their turns are not lost, and the one that still waits gets the next. */
    answer(host->channels[2], "1 {}");
    expect_end(host, 2, 0);
    expect_packet(host->channels[2]);
    for (size_t i = 0; i < 4; i++)
        answer(host->channels[i], "1 {}");
    expect_end(host, 0, 0);
    expect_end(host, 1, 0);
    expect_end(host, 3, 0);
    expect_end(host, 6, 0);
    assert_int_equal(host->accepted, 4);
}

/* A cancelled exchange takes its channel with it, and no other. */
static void test_cancelled_is_dropped(void **state)
{
    struct host *host = *state;
    open_pool(host, 4, PLENTY_MS);
    for (size_t i = 0; i < 4; i++) {
        start(host, i, PLENTY_MS);
        expect_channel(host);
    }
    ds_call_cancel(&host->askers[1].call);
    expect_end(host, 1, -EINTR);
    expect_closed(host, 1);
    /* The next request comes on a new one, and gets its own answer. */
    start(host, 1, PLENTY_MS);
    answer(expect_channel(host), "1 {}");
    expect_end(host, 1, 0);
    for (size_t i = 0; i < 4; i++) {
        if (i == 1)
            continue;
        answer(host->channels[i], "1 {}");
        expect_end(host, i, 0);
    }
    assert_int_equal(host->accepted, 5);
}

/* An idle channel closes although nobody asks for anything; one in use does not. */
static void test_idle_closes(void **state)
{
    struct host *host = *state;
    open_pool(host, 2, SOON_IDLE_MS);
    for (int round = 0; round < 3; round++) {
        size_t first = host->accepted;
        start(host, 0, PLENTY_MS);
        expect_channel(host);
        start(host, 1, PLENTY_MS);
        expect_channel(host);
        answer(host->channels[first], "1 {}");
        expect_end(host, 0, 0);
        expect_closed(host, first);
        answer(host->channels[first + 1], "1 {}");
        expect_end(host, 1, 0);
        expect_closed(host, first + 1);
    }
}

/* The time begins anew with each use, and the end does not wait for it. */
static void test_idle_for_long(void **state)
{
    struct host *host = *state;
    open_pool(host, 1, DS_TOOLS_POOL_IDLE_MS);
    start(host, 0, PLENTY_MS);
    answer(expect_channel(host), "1 {}");
    expect_end(host, 0, 0);
    start(host, 0, PLENTY_MS);
    expect_packet(host->channels[0]);
    answer(host->channels[0], "1 {}");
    expect_end(host, 0, 0);
    host->transport->free(host->transport);
    host->transport = NULL;
    expect_closed(host, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_default_is_one),
        TEST(test_one),
        TEST(test_two),
        TEST(test_three),
        TEST(test_four),
        TEST(test_waiting),
        TEST(test_idle_closes),
        TEST(test_cancelled_is_dropped),
        TEST(test_idle_for_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
