/* One operation's deadline, cancellation and words. */
#include "call.h"

#include "utf8.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t ds_call_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void ds_call_init(struct ds_call *call, int64_t timeout_ms)
{
    call->deadline_ms = ds_call_now_ms() + timeout_ms;
    call->last_deadline_ms = call->deadline_ms;
    atomic_init(&call->cancel_fd, -1);
    atomic_init(&call->cancelled, false);
    atomic_init(&call->lingers, false);
    atomic_init(&call->sent, DS_SENT_NO);
    call->retry_after_ms = 0;
    call->error = 0;
    call->text[0] = '\0';
}

/* The write can only fail when the eventfd is full, and then it is readable already. */
static void wake(int fd)
{
    uint64_t one = 1;
    ssize_t ignored = write(fd, &one, sizeof one);
    (void)ignored;
}

void ds_call_set_cancel_fd(struct ds_call *call, int fd)
{
    atomic_store(&call->cancel_fd, fd);
    /* A cancel that came just before found no fd to wake. */
    if (fd >= 0 && atomic_load(&call->cancelled))
        wake(fd);
}

void ds_call_cancel(struct ds_call *call)
{
    atomic_store(&call->cancelled, true);
    int fd = atomic_load(&call->cancel_fd);
    if (fd >= 0)
        wake(fd);
}

int ds_call_check(struct ds_call *call)
{
    if (atomic_load(&call->cancelled))
        return ds_call_fail(call, -EINTR, "interrupted");
    if (ds_call_left_ms(call) == 0)
        return ds_call_fail(call, -ETIMEDOUT, "no answer within the time limit");
    return 0;
}

int ds_call_left_ms(const struct ds_call *call)
{
    int64_t left = call->deadline_ms - ds_call_now_ms();
    if (left <= 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

int ds_call_sleep(struct ds_call *call, int ms)
{
    int64_t end = ds_call_now_ms() + ms;
    for (;;) {
        int err = ds_call_check(call);
        if (err)
            return err;
        int64_t wait = end - ds_call_now_ms();
        if (wait <= 0)
            return 0;
        int left = ds_call_left_ms(call);
        struct pollfd cancel = {.fd = atomic_load(&call->cancel_fd), .events = POLLIN};
        poll(&cancel, 1, wait < left ? (int)wait : left);
    }
}

enum ds_sent ds_call_sent(const struct ds_call *call)
{
    return (enum ds_sent)atomic_load(&call->sent);
}

void ds_call_set_sent(struct ds_call *call, enum ds_sent sent)
{
    atomic_store(&call->sent, sent);
}

int ds_call_fail(struct ds_call *call, int error, const char *format, ...)
{
    char text[DS_CALL_TEXT_BYTES]; /* an argument may be the old text */
    va_list list;
    va_start(list, format);
    int len = vsnprintf(text, sizeof text, format, list);
    va_end(list);

    size_t keep = len < 0 ? 0 : strlen(text);
    if (len >= (int)sizeof text) {
        bool incomplete;
        size_t whole = ds_utf8_prefix(text, keep, &incomplete);
        if (incomplete)
            keep = whole;
    }
    memcpy(call->text, text, keep);
    call->text[keep] = '\0';
    return error;
}
