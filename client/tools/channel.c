/* One open channel to the host. */
#include "channel.h"

#include "../base/wait.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Memory for a reply follows the bytes that have come, not the length that it announces. */
enum { FIRST_ROOM_BYTES = 4096, MORE_ROOM_BYTES = 64 * 1024 };

int ds_channel_new_take(int fd, struct ds_channel **out)
{
    struct ds_channel *channel = calloc(1, sizeof *channel);
    if (!channel) {
        close(fd);
        return -ENOMEM;
    }
    channel->fd = fd;
    channel->used_ms = ds_call_now_ms();
    *out = channel;
    return 0;
}

void ds_channel_free(struct ds_channel *channel)
{
    close(channel->fd);
    free(channel);
}

bool ds_channel_is_quiet(const struct ds_channel *channel)
{
    struct pollfd event = {.fd = channel->fd, .events = POLLIN};
    return poll(&event, 1, 0) == 0;
}

static int send_all(struct ds_channel *channel, struct ds_call *call, enum ds_exchange mode,
                    const struct ds_buf *packet, bool *begun)
{
    for (size_t sent = 0; sent < packet->len;) {
        bool heed_cancel = mode == DS_EXCHANGE_READ || (mode == DS_EXCHANGE_CHANGE && !*begun);
        int err = ds_wait_check(call, heed_cancel);
        if (err)
            return err;
        ssize_t n = send(channel->fd, packet->data + sent, packet->len - sent, MSG_NOSIGNAL);
        if (n > 0) {
            *begun = true;
            ds_call_set_sent(call, DS_SENT_MAYBE);
            sent += (size_t)n;
            continue;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            err = ds_wait_fd(call, heed_cancel, channel->fd, POLLOUT);
        else if (errno != EINTR)
            err = ds_call_fail(call, -EIO, "the channel broke while sending: %s", strerror(errno));
        if (err)
            return err;
    }
    return 0;
}

/* One recv(), of at most the bytes that there is room for. */
static int receive_some(struct ds_channel *channel, struct ds_call *call, bool heed_cancel,
                        struct ds_buf *bytes)
{
    int err = ds_wait_fd(call, heed_cancel, channel->fd, POLLIN);
    if (err)
        return err;
    ssize_t n = recv(channel->fd, bytes->data + bytes->len, bytes->capacity - bytes->len - 1, 0);
    if (n > 0) {
        bytes->len += (size_t)n;
        bytes->data[bytes->len] = '\0';
        return 0;
    }
    if (n == 0)
        return ds_call_fail(call, -EIO, "the host closed the channel before its answer");
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return 0;
    return ds_call_fail(call, -EIO, "the channel broke before the answer: %s", strerror(errno));
}

static size_t room_for(const struct ds_buf *bytes, size_t need)
{
    size_t room = bytes->len ? MORE_ROOM_BYTES : FIRST_ROOM_BYTES;
    /* At least as much again as has come, so that long replies take few steps. */
    if (room < bytes->len)
        room = bytes->len;
    return bytes->len && need < room ? need : room;
}

static int receive_packet(struct ds_channel *channel, struct ds_call *call, bool heed_cancel,
                          struct ds_buf *bytes, struct ds_wire_packet *packet)
{
    for (;;) {
        size_t need = 0;
        int err = ds_wire_decode(bytes->data, bytes->len, packet, &need);
        if (err)
            return ds_call_fail(call, err, "the host's reply is not understood");
        if (!need)
            return 0;
        err = ds_buf_reserve(bytes, room_for(bytes, need));
        if (!err)
            err = receive_some(channel, call, heed_cancel, bytes);
        if (err)
            return err;
    }
}

/* "1 " or "0 " stands before the text. */
static int read_answer(struct ds_call *call, const struct ds_wire_packet *packet,
                       struct ds_answer *out)
{
    const char *payload = packet->payload;
    if (packet->payload_len < 2 || (payload[0] != '0' && payload[0] != '1') || payload[1] != ' ')
        return ds_call_fail(call, -EPROTO, "the host's reply is not understood");
    out->success = payload[0] == '1';
    out->text = payload + 2;
    out->len = packet->payload_len - 2;
    return 0;
}

int ds_channel_exchange(struct ds_channel *channel, struct ds_call *call, enum ds_exchange mode,
                        const struct ds_buf *packet, struct ds_answer *out, bool *begun)
{
    struct ds_answer answer = {0};
    struct ds_wire_packet reply;
    *begun = false;
    channel->unusable = true;
    /* The answer to a change fits in here: it does not fail for lack of memory while it is on its
     * way, to be carried out when nobody expects it any more. */
    int err = ds_buf_reserve(&answer.bytes, room_for(&answer.bytes, 0));
    if (!err)
        err = send_all(channel, call, mode, packet, begun);
    if (!err)
        err = receive_packet(channel, call, mode == DS_EXCHANGE_READ, &answer.bytes, &reply);
    if (!err)
        err = read_answer(call, &reply, &answer);
    if (err) {
        ds_buf_free(&answer.bytes);
        return err;
    }
    channel->unusable = reply.close_after_reply || answer.bytes.len > reply.size;
    channel->used_ms = ds_call_now_ms();
    ds_call_set_sent(call, DS_SENT_ANSWERED);
    *out = answer;
    return 0;
}
