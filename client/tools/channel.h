/* One open channel to the host: a request out, its answer in. */
#ifndef DS_TOOLS_CHANNEL_H
#define DS_TOOLS_CHANNEL_H

#include "transport.h"

#include <stdint.h>

/* Used by one exchange at a time. */
struct ds_channel {
    int fd;
    bool unusable;           /* what the host sends next would not be the next answer */
    int64_t used_ms;         /* when its last exchange ended */
    struct ds_channel *next; /* the pool's */
};

/* Takes over the connected, non-blocking socket `fd`, also on failure. 0 or -ENOMEM. */
int ds_channel_new_take(int fd, struct ds_channel **out);

/* False if the peer has closed it, or has sent what nobody asked for. */
bool ds_channel_is_quiet(const struct ds_channel *channel);

/* As struct ds_transport's exchange; `packet` is the request, encoded. `*begun` tells if its first
 * byte has left. After any failure, and after an answer that is followed by other bytes or says
 * that it is the last, the channel is unusable. */
int ds_channel_exchange(struct ds_channel *channel, struct ds_call *call, enum ds_exchange mode,
                        const struct ds_buf *packet, struct ds_answer *out, bool *begun);

/* Closes and frees. */
void ds_channel_free(struct ds_channel *channel);

#endif
