#include "relay.h"

#include "cleanup.h"
#include "process.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS_MAX 64

static pid_t relay_pid;           /* 0: none runs */
static int control[2] = {-1, -1}; /* ours: a byte out silences, a byte back says that it is done */

struct pair {
    int fds[2]; /* the client's and the server's, -1: free */
    bool silent;
};

static struct sockaddr_in address_of(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void close_pair(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        if (pair->fds[i] >= 0)
            close(pair->fds[i]);
        pair->fds[i] = -1;
    }
}

/* The port that a client asks a proxy for, which is told that it has it; 0: it has not said so. */
static uint16_t answer_connect(int client)
{
    static const char answer[] = "HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n";
    char head[1024] = "";
    unsigned port = 0;
    for (size_t len = 0; len < sizeof head - 1 && !strstr(head, "\r\n\r\n"); len++)
        if (recv(client, head + len, 1, 0) != 1)
            return 0;
    if (sscanf(head, "CONNECT 127.0.0.1:%u ", &port) != 1 ||
        send(client, answer, sizeof answer - 1, MSG_NOSIGNAL) != sizeof answer - 1)
        return 0;
    return (uint16_t)port;
}

/* `port` 0: as a proxy. */
static void take_client(int listener, uint16_t port, struct pair pairs[PAIRS_MAX])
{
    int client DS_AUTO_CLOSE = accept(listener, NULL, NULL);
    struct sockaddr_in address = address_of(port ? port : answer_connect(client));
    const void *plain = &address;
    int server DS_AUTO_CLOSE = socket(AF_INET, SOCK_STREAM, 0);
    struct pair *pair = pairs;
    while (pair < pairs + PAIRS_MAX && pair->fds[0] >= 0)
        pair++;
    if (client < 0 || server < 0 || pair == pairs + PAIRS_MAX ||
        connect(server, plain, sizeof address) != 0)
        return;
    int now = 1; /* small pieces are not held back */
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
    *pair = (struct pair){.fds = {ds_cleanup_keep(&client), ds_cleanup_keep(&server)}};
}

/* Passes on what has come from one end. */
static void forward(struct pair *pair, int from)
{
    char data[16384];
    ssize_t len = recv(pair->fds[from], data, sizeof data, 0);
    for (ssize_t sent = 0; len > 0 && sent < len;) {
        ssize_t n = send(pair->fds[!from], data + sent, (size_t)(len - sent), MSG_NOSIGNAL);
        if (n < 0)
            len = -1;
        sent += n;
    }
    if (len <= 0)
        close_pair(pair);
}

static void silence(struct pair pairs[PAIRS_MAX], int fd)
{
    char byte;
    if (read(fd, &byte, 1) != 1)
        _exit(0);
    for (int i = 0; i < PAIRS_MAX; i++)
        pairs[i].silent = true;
    if (write(fd, &byte, 1) != 1)
        _exit(1);
}

_Noreturn static void relay(int listener, uint16_t port, int fd)
{
    struct pair pairs[PAIRS_MAX];
    struct pollfd fds[2 + 2 * PAIRS_MAX] = {{.fd = listener, .events = POLLIN},
                                            {.fd = fd, .events = POLLIN}};
    for (int i = 0; i < PAIRS_MAX; i++)
        pairs[i] = (struct pair){.fds = {-1, -1}};
    for (;;) {
        for (int i = 0; i < 2 * PAIRS_MAX; i++) {
            const struct pair *pair = &pairs[i / 2];
            fds[2 + i] =
                (struct pollfd){.fd = pair->silent ? -1 : pair->fds[i % 2], .events = POLLIN};
        }
        if (poll(fds, 2 + 2 * PAIRS_MAX, -1) < 0)
            _exit(1);
        for (int i = 0; i < 2 * PAIRS_MAX; i++) {
            if (fds[2 + i].revents && pairs[i / 2].fds[i % 2] >= 0)
                forward(&pairs[i / 2], i % 2);
        }
        if (fds[1].revents)
            silence(pairs, fd);
        if (fds[0].revents)
            take_client(listener, port, pairs);
    }
}

static uint16_t start(uint16_t port)
{
    struct sockaddr_in address = address_of(0);
    socklen_t len = sizeof address;
    void *plain = &address;
    int listener DS_AUTO_CLOSE = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(relay_pid, 0);
    assert_ok(bind(listener, plain, len));
    assert_ok(listen(listener, SOMAXCONN));
    assert_ok(getsockname(listener, plain, &len));
    assert_ok(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control));
    relay_pid = fork();
    if (relay_pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(control[0]);
        relay(listener, port, control[1]);
    }
    assert_true(relay_pid > 0);
    close(control[1]);
    return ntohs(address.sin_port);
}

uint16_t relay_start(uint16_t port)
{
    assert_true(port != 0);
    return start(port);
}

uint16_t relay_start_proxy(void)
{
    return start(0);
}

void relay_silence(void)
{
    char byte = 's';
    assert_int_equal(write(control[0], &byte, 1), 1);
    assert_int_equal(read(control[0], &byte, 1), 1);
}

bool relay_end(void)
{
    pid_t pid = relay_pid;
    if (!pid)
        return true;
    relay_pid = 0;
    close(control[0]);
    control[0] = -1;
    return harness_wait_child(pid, HARNESS_SOON_MS, false) == 0;
}
