/* Stands before a server on this machine and passes its answers on late: what comes from it is held
 * back for so many milliseconds, each piece as long, whatever else is under way. What goes to it
 * goes at once. So a request costs what it costs the simulated vCenter's clients with the fault
 * "delay=". Prints the port where it listens, and ends with its standard input. */
#include "cleanup.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS_MAX = 256, PIECE_BYTES = 65536 };

struct piece {
    struct piece *next;
    int64_t due_ms;
    size_t len; /* 0: the end */
    char data[];
};

struct pair {
    int client, server;  /* -1: free */
    bool answered;       /* the server has closed: its end is among the pieces */
    struct piece *first; /* on their way to the client, in order */
    struct piece **last;
};

static struct pair pairs[PAIRS_MAX];
static int64_t delay_ms;

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_pair(struct pair *pair)
{
    while (pair->first != NULL) {
        struct piece *piece = pair->first;

        pair->first = piece->next;
        free(piece);
    }
    close(pair->client);
    close(pair->server);
    pair->client = pair->server = -1;
}

static void take_client(int listener, const struct sockaddr_in *to)
{
    int client DS_AUTO_CLOSE = accept(listener, NULL, NULL);
    int server DS_AUTO_CLOSE = socket(AF_INET, SOCK_STREAM, 0);
    const void *address = to;
    struct pair *pair = pairs;

    while (pair < pairs + PAIRS_MAX && pair->client >= 0)
        pair++;
    if (client < 0 || server < 0 || pair == pairs + PAIRS_MAX ||
        connect(server, address, sizeof(*to)) != 0)
        return;
    *pair = (struct pair){.client = ds_cleanup_keep(&client), .server = ds_cleanup_keep(&server)};
    pair->last = &pair->first;
}

static bool send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

        if (sent < 0)
            return false;
        data += sent;
        len -= (size_t)sent;
    }
    return true;
}

static void pass_request(struct pair *pair)
{
    char data[PIECE_BYTES];
    ssize_t len = recv(pair->client, data, sizeof(data), 0);

    if (len <= 0 || !send_all(pair->server, data, (size_t)len))
        close_pair(pair);
}

static void hold_answer(struct pair *pair)
{
    struct piece *piece = malloc(sizeof(*piece) + PIECE_BYTES);
    ssize_t len = piece == NULL ? -1 : recv(pair->server, piece->data, PIECE_BYTES, 0);

    if (piece == NULL) {
        close_pair(pair);
        return;
    }
    piece->next = NULL;
    piece->due_ms = now_ms() + delay_ms;
    piece->len = len > 0 ? (size_t)len : 0;
    pair->answered = piece->len == 0;
    *pair->last = piece;
    pair->last = &piece->next;
}

/* Sends what is due. Milliseconds until the next piece is, or -1. */
static int send_due(struct pair *pair)
{
    int64_t now = now_ms();

    while (pair->first != NULL && pair->first->due_ms <= now) {
        struct piece *piece = pair->first;

        if (piece->len == 0 || !send_all(pair->client, piece->data, piece->len)) {
            close_pair(pair);
            return -1;
        }
        pair->first = piece->next;
        if (pair->first == NULL)
            pair->last = &pair->first;
        free(piece);
    }
    return pair->first == NULL ? -1 : (int)(pair->first->due_ms - now);
}

static void relay(int listener, const struct sockaddr_in *to)
{
    struct pollfd fds[2 + 2 * PAIRS_MAX] = {{.fd = listener, .events = POLLIN},
                                            {.fd = STDIN_FILENO, .events = POLLIN}};

    while (fds[1].revents == 0) {
        int timeout_ms = -1;

        for (int i = 0; i < PAIRS_MAX; i++) {
            int due_ms = pairs[i].client < 0 ? -1 : send_due(&pairs[i]);

            if (due_ms >= 0 && (timeout_ms < 0 || due_ms < timeout_ms))
                timeout_ms = due_ms;
            fds[2 + 2 * i] = (struct pollfd){.fd = pairs[i].client, .events = POLLIN};
            fds[3 + 2 * i] =
                (struct pollfd){.fd = pairs[i].answered ? -1 : pairs[i].server, .events = POLLIN};
        }
        if (poll(fds, sizeof(fds) / sizeof(fds[0]), timeout_ms) < 0)
            return;
        for (int i = 0; i < PAIRS_MAX; i++) {
            if (fds[2 + 2 * i].revents != 0)
                pass_request(&pairs[i]);
            if (fds[3 + 2 * i].revents != 0 && pairs[i].client >= 0)
                hold_answer(&pairs[i]);
        }
        if (fds[0].revents != 0)
            take_client(listener, to);
    }
}

int main(int argc, char *argv[])
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
                       here = to;
    socklen_t len = sizeof(here);
    void *address = &here;
    int listener DS_AUTO_CLOSE = socket(AF_INET, SOCK_STREAM, 0);

    if (argc != 3) {
        fprintf(stderr, "usage: relay PORT MILLISECONDS\n");
        return 1;
    }
    to.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
    delay_ms = strtol(argv[2], NULL, 10);
    for (int i = 0; i < PAIRS_MAX; i++)
        pairs[i].client = pairs[i].server = -1;
    if (listener < 0 || bind(listener, address, len) != 0 || listen(listener, SOMAXCONN) != 0 ||
        getsockname(listener, address, &len) != 0) {
        perror("relay");
        return 1;
    }
    printf("%u\n", ntohs(here.sin_port));
    fflush(stdout);
    relay(listener, &to);
    return 0;
}
