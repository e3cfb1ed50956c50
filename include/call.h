/* One operation's deadline, cancellation, and what became of it. */
#ifndef DS_CALL_H
#define DS_CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* How far a request got on its way to the store. */
enum ds_sent {
    DS_SENT_NO,      /* certainly not seen by the store */
    DS_SENT_MAYBE,   /* bytes have left, no answer: the store may or may not have done it */
    DS_SENT_ANSWERED /* the store answered */
};

#define DS_CALL_TEXT_BYTES 256

/* Made by one thread, which passes it to ds_client_*() calls one after the other. Only
 * ds_call_cancel() and ds_call_sent() may be used by others meanwhile. */
struct ds_call {
    int64_t deadline_ms;           /* CLOCK_MONOTONIC; see ds_call_now_ms() */
    int64_t last_deadline_ms;      /* of the whole operation: the above may be sooner for a while */
    atomic_int cancel_fd;          /* borrowed eventfd that becomes readable on cancel, or -1 */
    atomic_bool cancelled;         /* set once, never cleared */
    atomic_bool lingers;           /* what is under way goes on although the call is cancelled */
    atomic_int sent;               /* enum ds_sent of the last request */
    int retry_after_ms;            /* with -EAGAIN: the store's wish how long to wait; 0: none */
    int error;                     /* what the last ds_client_*() call has returned */
    char text[DS_CALL_TEXT_BYTES]; /* the last failure in words, empty if there are none */
};

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t ds_call_now_ms(void);

/* A call that ends `timeout_ms` from now and cannot be cancelled while it waits in poll(). */
void ds_call_init(struct ds_call *call, int64_t timeout_ms);

/* Gives the call the eventfd that ds_call_cancel() makes readable. The fd must be non-blocking and
 * outlive the call. */
void ds_call_set_cancel_fd(struct ds_call *call, int fd);

/* Asks the call to end: a wait ends at once with -EINTR. A change whose bytes have left goes on
 * until its outcome is known or its deadline has come. From any thread. */
void ds_call_cancel(struct ds_call *call);

/* 0; -EINTR when cancelled; -ETIMEDOUT when the deadline has passed. Sets the text. */
int ds_call_check(struct ds_call *call);

/* Milliseconds left, 0 when none; never more than INT_MAX, so that poll() takes it. */
int ds_call_left_ms(const struct ds_call *call);

/* Waits up to `ms`, no longer than the deadline. 0, or what ds_call_check() says then. */
int ds_call_sleep(struct ds_call *call, int ms);

/* How far the last request got. From any thread. */
enum ds_sent ds_call_sent(const struct ds_call *call);

/* Notes how far the request got. For clients. */
void ds_call_set_sent(struct ds_call *call, enum ds_sent sent);

/* Sets the text and returns `error`, a negative errno. */
int ds_call_fail(struct ds_call *call, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
