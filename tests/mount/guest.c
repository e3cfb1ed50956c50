#include "guest.h"

#include "cleanup.h"
#include "harness.h"
#include "sim.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int guest_connect(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SIM_SOCKET};
    const void *plain = &address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_ok(connect(fd, plain, sizeof address));
    return fd;
}

static unsigned char *put(unsigned char *at, unsigned long number)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        *at++ = (unsigned char)(number >> shift);
    return at;
}

unsigned char *guest_packet(const char *text, size_t len, bool close_after_reply, size_t *size)
{
    *size = 4 + 16 + 12 + len + (close_after_reply ? 16 : 0);
    unsigned char *packet = malloc(*size);
    assert_non_null(packet);
    unsigned char *at = put(packet, *size - 4);
    at = put(put(put(put(at, 1), 1), 1), 0);
    at = put(put(put(at, 2), 2), len);
    memcpy(at, text, len);
    if (close_after_reply)
        put(put(put(put(at + len, 1), 3), 1), 0);
    return packet;
}

void guest_send_bytes(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent < 0)
            return;
        at += sent;
        len -= (size_t)sent;
    }
}

void guest_send(int fd, const char *text)
{
    size_t size;
    unsigned char *packet DS_AUTO_FREE = guest_packet(text, strlen(text), false, &size);
    guest_send_bytes(fd, packet, size);
}

/* Up to `size` bytes; fewer at the end. */
static size_t read_bytes(int fd, void *out, size_t size)
{
    size_t len = 0;
    while (len < size) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        if (poll(&readable, 1, HARNESS_SOON_MS) != 1)
            fail_msg("nothing comes");
        ssize_t got = recv(fd, (char *)out + len, size - len, 0);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    return len;
}

static unsigned long number_at(const unsigned char *at)
{
    return (unsigned long)at[0] << 24 | (unsigned long)at[1] << 16 | (unsigned long)at[2] << 8 |
           at[3];
}

char *guest_reply(int fd)
{
    static const unsigned char begin[] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1,
                                          0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2};
    unsigned char head[4];
    if (read_bytes(fd, head, sizeof head) < sizeof head)
        return NULL;
    size_t len = number_at(head);
    assert_in_range(len, sizeof begin + 4, 16 << 20);
    unsigned char *packet DS_AUTO_FREE = malloc(len);
    assert_non_null(packet);
    if (read_bytes(fd, packet, len) < len)
        return NULL;
    assert_memory_equal(packet, begin, sizeof begin);
    assert_int_equal(number_at(packet + sizeof begin), len - sizeof begin - 4);
    char *text = calloc(1, len - sizeof begin - 3);
    assert_non_null(text);
    memcpy(text, packet + sizeof begin + 4, len - sizeof begin - 4);
    return text;
}

ssize_t guest_read_rest(int fd, void *out, size_t size)
{
    size_t len = read_bytes(fd, out, size);
    return len < size ? (ssize_t)len : -1;
}

bool guest_is_silent(int fd, int ms)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    return poll(&readable, 1, ms) == 0;
}

__attribute__((format(printf, 1, 0))) static char *ask(const char *format, va_list arguments)
{
    char *text DS_AUTO_FREE = NULL;
    int fd DS_AUTO_CLOSE = guest_connect();
    assert_true(vasprintf(&text, format, arguments) >= 0);
    guest_send(fd, text);
    return guest_reply(fd);
}

char *guest_ask(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *reply = ask(format, arguments);
    va_end(arguments);
    return reply;
}

void guest_assert_reply(const char *file, int line, const char *expected, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *reply DS_AUTO_FREE = ask(format, arguments);
    va_end(arguments);
    if (reply && strcmp(reply, expected) == 0)
        return;
    print_error("'%.400s' is answered by '%.2000s', not '%.2000s'\n", format,
                reply ? reply : "(nothing)", expected);
    _fail(file, line);
}
