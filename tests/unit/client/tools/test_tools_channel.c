/* Channels against a host in this process that does what it is told: deadline and cancellation in
 * every state, breaks at every byte, what is sent again and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/tools/pool.h"
#include "client/tools/wire.h"

#include "cleanup.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

/* What the host does with one channel, request after request. */
struct plan {
    size_t read_bytes; /* of each request before it acts; 0: the whole of it */
    size_t send_bytes; /* of the reply before it closes; -1: all */
    unsigned replies;  /* so many are answered, then it does not answer */
    bool closes;       /* does not stay silent: closes after the last reply */
    bool says_last;    /* the reply asks to close */
    bool junk;         /* sends more than the reply */
    bool stalls;       /* does not close after a part of a reply, but stays silent */
    bool cancels;      /* cancels the call before it goes silent */
    bool cancels_and_answers;
    const char *payload; /* NULL: "1 {}" */
};

struct host {
    char directory[64];
    char path[96];
    int listener;
    int stop_fd; /* eventfd: readable at the end */
    pthread_t thread;
    const struct plan *plans; /* one per channel; the last one for all that follow */
    size_t count;
    atomic_uint channels; /* accepted so far */
    atomic_uint requests; /* read so far */
    struct ds_call call;
    int cancel_fd;
    struct ds_transport *transport;
};

#define ANSWERS                                                                                    \
    {                                                                                              \
        .send_bytes = SIZE_MAX, .replies = 1000                                                    \
    }
static const struct plan answers = ANSWERS;

/* False at the end of the test. */
static bool readable(const struct host *host, int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = host->stop_fd, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0)
        continue;
    return !fds[1].revents;
}

/* Reads as much of a request as the plan says. False if there is none. */
static bool read_request(struct host *host, int fd, const struct plan *plan)
{
    char bytes[4096];
    size_t len = 0;
    for (;;) {
        struct ds_wire_packet packet;
        size_t need = 1;
        if (!plan->read_bytes)
            assert_int_equal(ds_wire_decode(bytes, len, &packet, &need), 0);
        else
            need = plan->read_bytes - len;
        if (!need)
            break;
        if (!readable(host, fd))
            return false;
        ssize_t n = recv(fd, bytes + len, need, 0);
        if (n <= 0)
            return false;
        len += (size_t)n;
    }
    atomic_fetch_add(&host->requests, 1);
    return true;
}

static void send_reply(int fd, const struct plan *plan)
{
    const char *payload = plan->payload ? plan->payload : "1 {}";
    struct ds_buf reply = {0};
    ds_wire_encode(&reply, payload, strlen(payload), plan->says_last);
    size_t single = reply.len;
    if (plan->junk) {
        single--; /* the rest at once: junk that came later would be taken for the next reply */
        ds_buf_puts(&reply, "junk");
    }
    for (size_t at = 0; at < single && at < plan->send_bytes; at++)
        if (send(fd, reply.data + at, 1, MSG_NOSIGNAL) != 1)
            break;
    if (plan->junk)
        send(fd, reply.data + single, reply.len - single, MSG_NOSIGNAL);
    ds_buf_free(&reply);
}

static void serve(struct host *host, int fd, const struct plan *plan)
{
    for (unsigned served = 0; served < plan->replies; served++) {
        if (!read_request(host, fd, plan))
            return;
        if (plan->cancels_and_answers)
            ds_call_cancel(&host->call);
        send_reply(fd, plan);
        if (plan->send_bytes != SIZE_MAX)
            break;
    }
    bool within = plan->replies && plan->send_bytes != SIZE_MAX;
    if (within ? !plan->stalls : plan->closes)
        return;
    /* Silent: until the other end closes. */
    if (plan->cancels && (within || read_request(host, fd, plan)))
        ds_call_cancel(&host->call);
    char rest[4096];
    while (readable(host, fd) && recv(fd, rest, sizeof rest, 0) > 0)
        continue;
}

static void *run_host(void *argument)
{
    struct host *host = argument;
    while (readable(host, host->listener)) {
        int fd DS_AUTO_CLOSE = accept(host->listener, NULL, NULL);
        size_t number = atomic_fetch_add(&host->channels, 1);
        serve(host, fd, &host->plans[number < host->count ? number : host->count - 1]);
    }
    return NULL;
}

static int set_up(void **state)
{
    struct host *host = calloc(1, sizeof *host);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(host->directory, "/tmp/datasetfs-test-XXXXXX");
    assert_non_null(mkdtemp(host->directory));
    snprintf(host->path, sizeof host->path, "%s/rpc", host->directory);
    memcpy(address.sun_path, host->path, strlen(host->path));
    host->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    host->stop_fd = eventfd(0, EFD_CLOEXEC);
    host->cancel_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_int_equal(bind(host->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(host->listener, 8), 0);
    *state = host;
    return ds_tools_pool_new(host->path, 1, DS_TOOLS_POOL_IDLE_MS, &host->transport);
}

static void start(struct host *host, const struct plan *plans, size_t count)
{
    host->plans = plans;
    host->count = count;
    assert_int_equal(pthread_create(&host->thread, NULL, run_host, host), 0);
}

static void stop(struct host *host)
{
    uint64_t one = 1;
    assert_int_equal(write(host->stop_fd, &one, sizeof one), sizeof one);
    if (host->count)
        pthread_join(host->thread, NULL);
    host->count = 0;
}

static int tear_down(void **state)
{
    struct host *host = *state;
    stop(host);
    host->transport->free(host->transport);
    close(host->listener);
    close(host->stop_fd);
    close(host->cancel_fd);
    unlink(host->path);
    rmdir(host->directory);
    free(host);
    return 0;
}

/* A new call, and one exchange with it. */
static void begin_call(struct host *host, int timeout_ms)
{
    uint64_t ignored;
    ssize_t n = read(host->cancel_fd, &ignored, sizeof ignored);
    (void)n;
    ds_call_init(&host->call, timeout_ms);
    ds_call_set_cancel_fd(&host->call, host->cancel_fd);
}

static int ask(struct host *host, enum ds_exchange mode)
{
    struct ds_answer answer = {0};
    int err = host->transport->exchange(host->transport, &host->call, mode, "request", 7, &answer);
    if (!err) {
        assert_true(answer.success);
        assert_int_equal(answer.len, 2);
        assert_memory_equal(answer.text, "{}", 2);
        assert_int_equal(ds_call_sent(&host->call), DS_SENT_ANSWERED);
    } else {
        assert_null(answer.bytes.data);
        assert_string_not_equal(host->call.text, "");
    }
    ds_buf_free(&answer.bytes);
    return err;
}

static int ask_anew(struct host *host, enum ds_exchange mode, int timeout_ms)
{
    begin_call(host, timeout_ms);
    return ask(host, mode);
}

enum { PLENTY_MS = 60000, SHORT_MS = 30 };

static void test_one_channel(void **state)
{
    struct host *host = *state;
    start(host, &answers, 1);
    for (int i = 0; i < 20; i++)
        assert_int_equal(ask_anew(host, DS_EXCHANGE_READ, PLENTY_MS), 0);
    assert_int_equal(host->channels, 1);
}

/* Closing between requests is normal: nothing is lost, nothing sent twice. */
static void test_closed_between(void **state)
{
    struct host *host = *state;
    static const struct plan one = {.send_bytes = SIZE_MAX, .replies = 1, .closes = true};
    start(host, &one, 1);
    for (unsigned i = 1; i <= 200; i++) {
        int err = ask_anew(host, DS_EXCHANGE_CHANGE, PLENTY_MS);
        /* The host may close just after the request was taken by the kernel: nobody can know. */
        if (err) {
            assert_int_equal(err, -EIO);
            assert_int_equal(ds_call_sent(&host->call), DS_SENT_MAYBE);
        }
        assert_true(host->requests <= i);
    }
    assert_true(host->requests > 0);
}

static void test_last_and_junk(void **state)
{
    struct host *host = *state;
    static const struct plan plans[] = {
        {.send_bytes = SIZE_MAX, .replies = 9, .says_last = true},
        {.send_bytes = SIZE_MAX, .replies = 9, .junk = true},
        ANSWERS,
    };
    start(host, plans, 3);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(ask_anew(host, DS_EXCHANGE_READ, PLENTY_MS), 0);
    assert_int_equal(host->channels, 3);
    assert_int_equal(host->requests, 4);
}

/* The length of what "1 {}" travels in. */
static size_t reply_bytes(void)
{
    struct ds_buf reply = {0};
    assert_int_equal(ds_wire_encode(&reply, "1 {}", 4, false), 0);
    size_t len = reply.len;
    ds_buf_free(&reply);
    return len;
}

static void test_break_in_reply(void **state)
{
    struct host *host = *state;
    size_t len = reply_bytes();
    struct plan *plans = calloc(len + 1, sizeof *plans);
    for (size_t i = 0; i < len; i++)
        plans[i] = (struct plan){.send_bytes = i, .replies = 1};
    plans[len] = answers;
    start(host, plans, len + 1);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(ask_anew(host, DS_EXCHANGE_CHANGE, PLENTY_MS), -EIO);
        assert_int_equal(ds_call_sent(&host->call), DS_SENT_MAYBE);
        assert_int_equal(host->requests, i + 1);
        assert_int_equal(host->channels, i + 1);
    }
    assert_int_equal(ask_anew(host, DS_EXCHANGE_CHANGE, PLENTY_MS), 0);
    stop(host); /* it reads the plans */
    free(plans);
}

static void test_break_in_request(void **state)
{
    struct host *host = *state;
    static struct plan plans[40];
    for (size_t i = 0; i < 39; i++)
        plans[i] = (struct plan){.read_bytes = i + 1, .send_bytes = 0, .replies = 1};
    plans[39] = answers;
    start(host, plans, 40);
    for (size_t i = 0; i < 39; i++) {
        assert_int_equal(ask_anew(host, DS_EXCHANGE_CHANGE, PLENTY_MS), -EIO);
        assert_int_equal(ds_call_sent(&host->call), DS_SENT_MAYBE);
        assert_int_equal(host->channels, i + 1);
    }
    assert_int_equal(ask_anew(host, DS_EXCHANGE_CHANGE, PLENTY_MS), 0);
}

static void test_not_understood(void **state)
{
    struct host *host = *state;
    static const struct plan plans[] = {
        {.send_bytes = SIZE_MAX, .replies = 9, .payload = ""},
        {.send_bytes = SIZE_MAX, .replies = 9, .payload = "1"},
        {.send_bytes = SIZE_MAX, .replies = 9, .payload = "2 {}"},
        {.send_bytes = SIZE_MAX, .replies = 9, .payload = "10{}"},
        ANSWERS,
    };
    start(host, plans, 5);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(ask_anew(host, DS_EXCHANGE_READ, PLENTY_MS), -EPROTO);
    assert_int_equal(ask_anew(host, DS_EXCHANGE_READ, PLENTY_MS), 0);
    assert_int_equal(host->channels, 5);
}

/* Silent before the answer, and in the middle of it: the channel is dropped, the next one works. */
static void test_deadline(void **state)
{
    struct host *host = *state;
    static const struct plan plans[] = {{0},
                                        {0},
                                        {.send_bytes = 2, .replies = 1, .stalls = true},
                                        {.send_bytes = 20, .replies = 1, .stalls = true},
                                        ANSWERS};
    start(host, plans, 5);
    assert_int_equal(ask_anew(host, DS_EXCHANGE_READ, SHORT_MS), -ETIMEDOUT);
    assert_int_equal(ds_call_sent(&host->call), DS_SENT_MAYBE);
    assert_int_equal(ask_anew(host, DS_EXCHANGE_CHANGE, SHORT_MS), -ETIMEDOUT);
    assert_int_equal(ds_call_sent(&host->call), DS_SENT_MAYBE);
    assert_int_equal(ask_anew(host, DS_EXCHANGE_READ, SHORT_MS), -ETIMEDOUT);
    assert_int_equal(ask_anew(host, DS_EXCHANGE_CHANGE, SHORT_MS), -ETIMEDOUT);
    assert_int_equal(ask_anew(host, DS_EXCHANGE_CHANGE, PLENTY_MS), 0);
    assert_int_equal(host->channels, 5);
}

static void test_cancel(void **state)
{
    struct host *host = *state;
    static const struct plan plans[] = {
        {.cancels = true},
        {.send_bytes = 20, .replies = 1, .stalls = true, .cancels = true},
        {.send_bytes = SIZE_MAX, .replies = 9, .cancels_and_answers = true},
    };
    start(host, plans, 3);
    /* A read ends at once, before or within its answer, and its channel with it. */
    assert_int_equal(ask_anew(host, DS_EXCHANGE_READ, PLENTY_MS), -EINTR);
    assert_int_equal(ask_anew(host, DS_EXCHANGE_READ, PLENTY_MS), -EINTR);
    /* A change that has been sent goes on to its answer, */
    assert_int_equal(ask_anew(host, DS_EXCHANGE_CHANGE, PLENTY_MS), 0);
    assert_true(atomic_load(&host->call.cancelled));
    /* and so does what belongs to it. */
    assert_int_equal(ask(host, DS_EXCHANGE_REST), 0);
    assert_int_equal(host->channels, 3);
    /* A change that has not been sent is not. */
    assert_int_equal(ask(host, DS_EXCHANGE_CHANGE), -EINTR);
    assert_int_equal(ds_call_sent(&host->call), DS_SENT_NO);
    assert_int_equal(ask(host, DS_EXCHANGE_READ), -EINTR);
    assert_int_equal(host->requests, 4);
}

static void test_cancelled_change_times_out(void **state)
{
    struct host *host = *state;
    static const struct plan plan = {.cancels = true};
    start(host, &plan, 1);
    assert_int_equal(ask_anew(host, DS_EXCHANGE_CHANGE, 300), -ETIMEDOUT);
    assert_true(atomic_load(&host->call.cancelled));
    assert_int_equal(ds_call_sent(&host->call), DS_SENT_MAYBE);
}

/* A request that the host does not read fills the socket. */
static void test_sending(void **state)
{
    struct host *host = *state;
    static char big[4 * 1024 * 1024];
    struct ds_answer answer = {0};
    /* Nobody accepts: the kernel takes the connection and some of the bytes. */
    begin_call(host, 10 * SHORT_MS); /* some of it is to leave, on a slow machine too */
    assert_int_equal(host->transport->exchange(host->transport, &host->call, DS_EXCHANGE_CHANGE,
                                               big, sizeof big, &answer),
                     -ETIMEDOUT);
    assert_int_equal(ds_call_sent(&host->call), DS_SENT_MAYBE);
    begin_call(host, PLENTY_MS);
    ds_call_cancel(&host->call);
    assert_int_equal(host->transport->exchange(host->transport, &host->call, DS_EXCHANGE_READ, big,
                                               sizeof big, &answer),
                     -EINTR);
    assert_int_equal(ds_call_sent(&host->call), DS_SENT_NO);
}

static void *cancel_it(void *call)
{
    ds_call_cancel(call);
    return NULL;
}

/* The listener's queue is full: connecting waits. */
static void test_connecting(void **state)
{
    struct host *host = *state;
    int fds[64];
    size_t count = 0;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, host->path, strlen(host->path));
    for (; count < 64; count++) {
        fds[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (connect(fds[count], (struct sockaddr *)&address, sizeof address) < 0)
            break;
    }
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(ask_anew(host, DS_EXCHANGE_CHANGE, SHORT_MS), -ETIMEDOUT);
    assert_int_equal(ds_call_sent(&host->call), DS_SENT_NO);
    pthread_t thread;
    begin_call(host, PLENTY_MS);
    assert_int_equal(pthread_create(&thread, NULL, cancel_it, &host->call), 0);
    assert_int_equal(ask(host, DS_EXCHANGE_CHANGE), -EINTR);
    pthread_join(thread, NULL);
    for (size_t i = 0; i <= count && i < 64; i++)
        close(fds[i]);
}

static void test_nobody_listens(void **state)
{
    struct host *host = *state;
    unlink(host->path);
    int64_t start_ms = ds_call_now_ms();
    assert_int_equal(ask_anew(host, DS_EXCHANGE_READ, PLENTY_MS), -EHOSTUNREACH);
    assert_int_equal(ds_call_sent(&host->call), DS_SENT_NO);
    assert_true(ds_call_now_ms() - start_ms >= 2 * DS_TOOLS_POOL_RETRY_MS);
    assert_int_equal(ask_anew(host, DS_EXCHANGE_READ, DS_TOOLS_POOL_RETRY_MS / 2), -EHOSTUNREACH);
}

struct asker {
    struct host *host;
    struct ds_call call;
    int err;
};

static void *ask_in_thread(void *argument)
{
    struct asker *asker = argument;
    struct ds_answer answer = {0};
    asker->err = asker->host->transport->exchange(asker->host->transport, &asker->call,
                                                  DS_EXCHANGE_READ, "request", 7, &answer);
    ds_buf_free(&answer.bytes);
    return NULL;
}

/* Who waits for the channel heeds its own deadline and cancellation. */
static void test_waiting_for_channel(void **state)
{
    struct host *host = *state;
    static const struct plan plans[] = {{.read_bytes = 1}, ANSWERS};
    pthread_t thread;
    struct asker first = {.host = host};
    start(host, plans, 2);
    int fd DS_AUTO_CLOSE = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    ds_call_init(&first.call, PLENTY_MS);
    ds_call_set_cancel_fd(&first.call, fd);
    assert_int_equal(pthread_create(&thread, NULL, ask_in_thread, &first), 0);
    /* When its request has left, the first has the channel. */
    while (ds_call_sent(&first.call) != DS_SENT_MAYBE)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(ask_anew(host, DS_EXCHANGE_CHANGE, SHORT_MS), -ETIMEDOUT);
    assert_int_equal(ds_call_sent(&host->call), DS_SENT_NO);
    begin_call(host, PLENTY_MS);
    ds_call_cancel(&host->call);
    assert_int_equal(ask(host, DS_EXCHANGE_CHANGE), -EINTR);
    ds_call_cancel(&first.call);
    pthread_join(thread, NULL);
    assert_int_equal(first.err, -EINTR);
    assert_int_equal(ask_anew(host, DS_EXCHANGE_CHANGE, PLENTY_MS), 0);
}

static void test_many_threads(void **state)
{
    struct host *host = *state;
    struct asker askers[16];
    pthread_t threads[16];
    start(host, &answers, 1);
    for (size_t i = 0; i < 16; i++) {
        askers[i] = (struct asker){.host = host};
        ds_call_init(&askers[i].call, PLENTY_MS);
        assert_int_equal(pthread_create(&threads[i], NULL, ask_in_thread, &askers[i]), 0);
    }
    for (size_t i = 0; i < 16; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(askers[i].err, 0);
    }
    assert_int_equal(host->channels, 1);
    assert_int_equal(host->requests, 16);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_channel),
        TEST(test_closed_between),
        TEST(test_last_and_junk),
        TEST(test_break_in_reply),
        TEST(test_break_in_request),
        TEST(test_not_understood),
        TEST(test_deadline),
        TEST(test_cancel),
        TEST(test_cancelled_change_times_out),
        TEST(test_sending),
        TEST(test_connecting),
        TEST(test_nobody_listens),
        TEST(test_waiting_for_channel),
        TEST(test_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
