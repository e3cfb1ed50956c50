/* The guest's end of a tools channel, by hand: packets are put together here, byte by byte,
 * with no code of the product. Steps that fail fail the test. */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A new channel to the test's simulator. */
int guest_connect(void);

/* A packet for the caller to free: length, packet type, payload, and the wish that the host closes
 * after its reply. */
unsigned char *guest_packet(const char *text, size_t len, bool close_after_reply, size_t *size);

/* Sends bytes, however many the other end takes before it closes. */
void guest_send_bytes(int fd, const void *data, size_t len);

/* Sends one request. */
void guest_send(int fd, const char *text);

/* The text of the next reply, for the caller to free; NULL if the channel is closed before its
 * end. Fails the test if what comes is no reply. */
char *guest_reply(int fd);

/* All bytes until the channel is closed: how many, or -1 if they do not fit. */
ssize_t guest_read_rest(int fd, void *out, size_t size);

/* True if nothing comes within `ms`. */
bool guest_is_silent(int fd, int ms);

/* One request on a channel of its own: the reply's text, for the caller to free; NULL if there is
 * none. */
char *guest_ask(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One request is answered by exactly this text. */
#define assert_reply(expected, ...) guest_assert_reply(__FILE__, __LINE__, expected, __VA_ARGS__)
void guest_assert_reply(const char *file, int line, const char *expected, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
