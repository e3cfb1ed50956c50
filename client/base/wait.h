/* Waiting with a call's deadline and, where asked for, its cancellation. */
#ifndef DS_BASE_WAIT_H
#define DS_BASE_WAIT_H

#include "call.h"

#include <stdbool.h>

/* 0; -ETIMEDOUT when the deadline has passed; -EINTR when cancelled, if `heed_cancel`. With words.
 */
int ds_wait_check(struct ds_call *call, bool heed_cancel);

/* Waits until poll() reports any of `events`, an error or a hang-up of `fd`. Errors as above. */
int ds_wait_fd(struct ds_call *call, bool heed_cancel, int fd, short events);

/* Waits `ms`, no longer than the deadline. Errors as above. */
int ds_wait_ms(struct ds_call *call, bool heed_cancel, int ms);

/* Waits for a connect() in progress. Errors as above; `*error` is the connection's own errno,
 * positive, or 0. */
int ds_wait_connected(struct ds_call *call, bool heed_cancel, int fd, int *error);

#endif
