#include "rest_send.h"

#include "cut.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 16384

/* A body that is made while it is sent. */
struct stream {
    struct sim_io io;
    struct sim_fault fault;
    size_t len;
    char data[]; /* nothing if the body is huge */
};

size_t sim_rest_send_bytes(const struct sim_rest_reply *reply, const struct sim_fault *fault)
{
    return fault->kind == SIM_FAULT_HUGE ? fault->number + 2 : reply->body.len;
}

/* A JSON string of so many letters. */
static void fill(char *out, size_t len, size_t at, size_t total)
{
    memset(out, 'x', len);
    if (at == 0)
        out[0] = '"';
    if (at + len == total)
        out[len - 1] = '"';
}

static ssize_t read_stream(void *argument, uint64_t at, char *out, size_t size)
{
    const struct stream *stream = argument;
    size_t len = stream->len - at < size ? (size_t)(stream->len - at) : size;
    switch (stream->fault.kind) {
    case SIM_FAULT_HUGE:
        fill(out, len, at, stream->len);
        return (ssize_t)len;
    case SIM_FAULT_SLOW:
        if (!sim_io_sleep(&stream->io, (int)stream->fault.number, true))
            return MHD_CONTENT_READER_END_WITH_ERROR;
        len = 1;
        break;
    default: /* drop-after */
        if (at >= stream->fault.number)
            return MHD_CONTENT_READER_END_WITH_ERROR;
        if (len > stream->fault.number - at)
            len = stream->fault.number - at;
        break;
    }
    memcpy(out, stream->data + at, len);
    return (ssize_t)len;
}

static struct MHD_Response *make_stream(const struct sim_rest_reply *reply,
                                        const struct sim_fault *fault, const struct sim_io *io)
{
    size_t data = fault->kind == SIM_FAULT_HUGE ? 0 : reply->body.len;
    struct stream *stream = malloc(sizeof *stream + data);
    if (!stream)
        return NULL;
    *stream = (struct stream){.io = *io, .fault = *fault, .len = sim_rest_send_bytes(reply, fault)};
    if (data)
        memcpy(stream->data, reply->body.data, data);
    struct MHD_Response *response =
        MHD_create_response_from_callback(stream->len, BLOCK_BYTES, read_stream, stream, free);
    if (!response)
        free(stream);
    return response;
}

static bool is_stream(const struct sim_rest_reply *reply, const struct sim_fault *fault)
{
    return fault->kind == SIM_FAULT_HUGE ||
           (fault->kind == SIM_FAULT_SLOW && reply->body.len > 0) ||
           (fault->kind == SIM_FAULT_DROP_AFTER && reply->body.len > fault->number);
}

static enum MHD_Result add_long_header(struct MHD_Response *response, size_t len)
{
    char *value = malloc(len + 1);
    if (!value)
        return MHD_NO;
    memset(value, 'x', len);
    value[len] = '\0';
    enum MHD_Result result = MHD_add_response_header(response, "X-Long", value);
    free(value);
    return result;
}

enum MHD_Result sim_rest_send(struct MHD_Connection *connection, const struct sim_rest_reply *reply,
                              const struct sim_fault *fault, const struct sim_io *io)
{
    struct MHD_Response *response =
        is_stream(reply, fault) ? make_stream(reply, fault, io)
                                : MHD_create_response_from_buffer(reply->body.len, reply->body.data,
                                                                  MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    enum MHD_Result result = MHD_YES;
    if (fault->kind == SIM_FAULT_CUT_HEAD)
        sim_cut_after(io->fd, SIM_CUT_HEAD, fault->number);
    if (reply->type)
        result = MHD_add_response_header(response, "Content-Type", reply->type);
    if (result && fault->kind == SIM_FAULT_HEADER)
        result = add_long_header(response, fault->number);
    if (result && reply->header)
        result = MHD_add_response_header(response, reply->header, reply->header_value);
    if (result)
        result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}
