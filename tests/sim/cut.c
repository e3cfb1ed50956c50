/* The two calls below are found before those of the libraries that they are named after. */
#include "cut.h"

#include "cleanup.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT ssize_t cut_send(int fd, const void *data, size_t len, int flags) __asm__("send");
EXPORT ssize_t cut_sendmsg(int fd, const struct msghdr *message, int flags) __asm__("sendmsg");
EXPORT ssize_t cut_record_send(void *session, const void *data,
                               size_t len) __asm__("gnutls_record_send");

enum { FD_MAX = 4096, PUSH_ERROR = -53 /* GNUTLS_E_PUSH_ERROR */ };

struct connection {
    bool lives;
    struct {
        bool set;
        size_t left; /* bytes that may be sent still */
    } limits[SIM_CUTS];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct connection connections[FD_MAX]; /* by descriptor; under lock */
static atomic_uint_fast64_t count;

static bool is_known(int fd)
{
    return fd >= 0 && fd < FD_MAX;
}

void sim_cut_begin(int fd)
{
    DS_LOCK_SCOPE(&lock);
    if (is_known(fd))
        connections[fd] = (struct connection){.lives = true};
}

void sim_cut_end(int fd)
{
    DS_LOCK_SCOPE(&lock);
    if (is_known(fd))
        connections[fd] = (struct connection){0};
}

void sim_cut_all(void)
{
    DS_LOCK_SCOPE(&lock);
    for (int fd = 0; fd < FD_MAX; fd++)
        if (connections[fd].lives)
            shutdown(fd, SHUT_RDWR);
}

void sim_cut_after(int fd, enum sim_cut kind, size_t bytes)
{
    DS_LOCK_SCOPE(&lock);
    if (!is_known(fd))
        return;
    connections[fd].limits[kind].set = true;
    connections[fd].limits[kind].left = bytes;
}

uint64_t sim_cut_count(void)
{
    return atomic_load(&count);
}

/* True if `len` bytes are too many for the descriptor's limit; `*left` of them may go. */
static bool is_too_much(int fd, size_t len, size_t *left)
{
    DS_LOCK_SCOPE(&lock);
    if (!is_known(fd) || !connections[fd].limits[SIM_CUT_WIRE].set)
        return false;
    *left = connections[fd].limits[SIM_CUT_WIRE].left;
    connections[fd].limits[SIM_CUT_WIRE].left -= len <= *left ? len : *left;
    return len > *left;
}

static void end(int fd)
{
    atomic_fetch_add(&count, 1);
    shutdown(fd, SHUT_RDWR);
}

static ssize_t really_send(int fd, const struct msghdr *message, int flags)
{
    static ssize_t (*real)(int fd, const struct msghdr *message, int flags);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "sendmsg");
    return real(fd, message, flags);
}

ssize_t cut_sendmsg(int fd, const struct msghdr *message, int flags)
{
    size_t len = 0, left = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++)
        len += message->msg_iov[i].iov_len;
    if (!is_too_much(fd, len, &left))
        return really_send(fd, message, flags);
    for (size_t i = 0; i < message->msg_iovlen && left > 0; i++) {
        struct iovec part = message->msg_iov[i];
        if (part.iov_len > left)
            part.iov_len = left;
        left -= part.iov_len;
        const struct msghdr one = {.msg_iov = &part, .msg_iovlen = 1};
        really_send(fd, &one, flags | MSG_NOSIGNAL);
    }
    end(fd);
    errno = EPIPE;
    return -1;
}

ssize_t cut_send(int fd, const void *data, size_t len, int flags)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
    const struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return cut_sendmsg(fd, &message, flags);
}

/* True if what is sent begins a reply whose head is longer than the descriptor's limit. */
static bool is_cut_head(int fd, const char *data, size_t len, size_t *left)
{
    const char *end_of_head = memmem(data, len, "\r\n\r\n", 4);
    size_t head = end_of_head ? (size_t)(end_of_head - data) + 4 : len;
    DS_LOCK_SCOPE(&lock);
    if (!is_known(fd) || !connections[fd].limits[SIM_CUT_HEAD].set)
        return false;
    connections[fd].limits[SIM_CUT_HEAD].set = false;
    *left = connections[fd].limits[SIM_CUT_HEAD].left;
    return *left < head;
}

ssize_t cut_record_send(void *session, const void *data, size_t len)
{
    static ssize_t (*real)(void *session, const void *data, size_t len);
    static int (*get_fd)(void *session);
    size_t left = 0;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "gnutls_record_send");
    if (!get_fd)
        *(void **)&get_fd = dlsym(RTLD_NEXT, "gnutls_transport_get_int");
    int fd = get_fd(session);
    if (!is_cut_head(fd, data, len, &left))
        return real(session, data, len);
    if (left > 0)
        real(session, data, left);
    end(fd);
    return PUSH_ERROR;
}
