/* One channel: requests in, replies out, and faults in between. */
#include "sim.h"

#include "cleanup.h"
#include "client/tools/wire.h"
#include "command.h"
#include "out.h"
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The host takes 64 KiB for a whole message, command and JSON included. */
#define MESSAGE_MAX_BYTES 65536
/* A longer message is read to its end, so that the failure can be told, up to here. */
#define READ_MAX_BYTES (1024 * 1024)
/* So many bytes of a packet show which command it is. */
#define HEAD_BYTES 96
#define STORE_TIMEOUT_MS 60000

/* One exchange. */
struct exchange {
    struct sim_connection *connection;
    struct ds_buf in;
    struct ds_wire_packet packet; /* inside `in` */
    struct sim_request request;
    struct sim_fault fault;
    struct ds_buf text;  /* the reply's payload */
    struct ds_buf reply; /* and its packet, cut as the fault wants it */
    const char *outcome;
};

static void log_line(const struct exchange *exchange, const char *command)
{
    int fd = exchange->connection->host->log_fd;
    if (fd < 0)
        return;
    struct ds_buf line DS_CLEANUP(ds_buf_free) = {0};
    sim_out_format(&line, "connection=%lu command=%s", exchange->connection->number, command);
    sim_request_describe(&exchange->request, &line);
    sim_out_format(&line, " in=%zu out=%zu outcome=%s fault=%s\n", exchange->in.len,
                   exchange->reply.len, exchange->outcome, sim_fault_name(exchange->fault.kind));
    if (write(fd, line.data, line.len) != (ssize_t)line.len)
        perror("datasets-sim: log");
}

/* The command in the first bytes of a packet, as far as they show it; "" if they do not. */
static void find_command(const struct ds_buf *head, char command[SIM_FAULT_TEXT_BYTES])
{
    const char *found = memmem(head->data, head->len, "datasets-", 9);
    size_t len = found ? strspn(found, "abcdefghijklmnopqrstuvwxyz-") : 0;
    command[0] = '\0';
    if (len && len < SIM_FAULT_TEXT_BYTES)
        snprintf(command, SIM_FAULT_TEXT_BYTES, "%.*s", (int)len, found);
}

/* Reads up to `want` bytes more. False at the end. */
static bool read_more(struct exchange *exchange, size_t want)
{
    char chunk[4096];
    size_t got =
        sim_io_read(&exchange->connection->io, chunk, want < sizeof chunk ? want : sizeof chunk);
    sim_out_bytes(&exchange->in, chunk, got);
    return got > 0;
}

static bool has_ended(const struct sim_connection *connection)
{
    char byte;
    return !sim_io_wait(&connection->io) ||
           recv(connection->io.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

/* Reads one packet. False if the connection ends, the packet is none or a fault ends it. */
static bool read_packet(struct exchange *exchange)
{
    struct sim_faults *faults = exchange->connection->host->faults;
    char command[SIM_FAULT_TEXT_BYTES] = "";
    bool asked = false; /* for faults of this command */
    size_t need = 0;
    if (has_ended(exchange->connection))
        return false;
    bool drop =
        sim_faults_take(faults, SIM_WIRE_TOOLS, SIM_STAGE_READ, NULL, NULL, &exchange->fault);
    size_t limit = drop ? exchange->fault.number : SIZE_MAX;
    for (;;) {
        if (ds_wire_decode(exchange->in.data, exchange->in.len, &exchange->packet, &need) != 0 ||
            need > READ_MAX_BYTES)
            return false;
        if (!asked && (need == 0 || exchange->in.len >= HEAD_BYTES)) {
            asked = true;
            find_command(&exchange->in, command);
            if (!drop && sim_faults_take(faults, SIM_WIRE_TOOLS, SIM_STAGE_READ, command, NULL,
                                         &exchange->fault)) {
                drop = true;
                limit = exchange->fault.number;
            }
        }
        if (need == 0 || exchange->in.len >= limit)
            break;
        size_t want = need < limit - exchange->in.len ? need : limit - exchange->in.len;
        if (!asked && want > HEAD_BYTES - exchange->in.len)
            want = HEAD_BYTES - exchange->in.len;
        if (!read_more(exchange, want))
            return false;
    }
    if (drop) {
        exchange->outcome = "none";
        log_line(exchange, *command ? command : "unknown");
    }
    return !drop;
}

static void carry_out(struct exchange *exchange)
{
    const struct sim_host *host = exchange->connection->host;
    struct ds_call *call = &exchange->connection->call;
    if (exchange->packet.payload_len > MESSAGE_MAX_BYTES) {
        sim_out_text(&exchange->text, "0 Message too long");
        exchange->outcome = "too-long";
        return;
    }
    call->deadline_ms = ds_call_now_ms() + STORE_TIMEOUT_MS;
    exchange->outcome =
        sim_command_run(host->store, &host->shape, call, &exchange->request, &exchange->text);
}

/* Faults that come instead of carrying the request out. False if there is no reply either. */
static bool fault_before(struct exchange *exchange)
{
    const struct sim_shape *shape = &exchange->connection->host->shape;
    const struct sim_io *io = &exchange->connection->io;
    exchange->outcome = "none";
    switch (exchange->fault.kind) {
    case SIM_FAULT_CLOSE_BEFORE:
    case SIM_FAULT_NEVER_REPLY_BEFORE:
    case SIM_FAULT_ONE_REQUEST:
        return false;
    case SIM_FAULT_SAY:
        sim_out_file(&exchange->text, exchange->fault.text);
        return true;
    case SIM_FAULT_BUSY:
        sim_shape_failure(shape, "resource-busy", "busy, try again", &exchange->text);
        return true;
    case SIM_FAULT_ERROR:
        sim_shape_failure(shape, exchange->fault.text, "a failure by order", &exchange->text);
        return true;
    case SIM_FAULT_RPC_ERROR:
        sim_out_format(&exchange->text, "0 %s", exchange->fault.text);
        return true;
    case SIM_FAULT_DELAY_BEFORE:
        if (!sim_io_sleep(io, (int)exchange->fault.number, false))
            return false;
        break;
    default:
        break;
    }
    carry_out(exchange);
    return true;
}

/* Makes the packet of the reply's text as the fault wants it. False if no packet leaves. */
static bool fault_reply(struct exchange *exchange)
{
    struct ds_buf *reply = &exchange->reply;
    switch (exchange->fault.kind) {
    case SIM_FAULT_CLOSE:
    case SIM_FAULT_NEVER_REPLY:
        return false;
    case SIM_FAULT_GARBAGE:
        sim_out_text(reply, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        return true;
    case SIM_FAULT_TRUNCATE:
        sim_out_cut(&exchange->text, exchange->text.len / 2);
        break;
    case SIM_FAULT_SAY_AFTER:
        sim_out_cut(&exchange->text, 0);
        sim_out_file(&exchange->text, exchange->fault.text);
        break;
    default:
        break;
    }
    if (ds_wire_encode(reply, exchange->text.data, exchange->text.len, false) != 0)
        return false;
    if (exchange->fault.kind == SIM_FAULT_DROP_AFTER)
        sim_out_cut(reply, exchange->fault.number);
    return true;
}

/* Byte by byte, with a pause before each. */
static bool write_slowly(const struct exchange *exchange)
{
    const struct sim_io *io = &exchange->connection->io;
    for (size_t i = 0; i < exchange->reply.len; i++)
        if (!sim_io_sleep(io, (int)exchange->fault.number, true) ||
            !sim_io_write(io, exchange->reply.data + i, 1))
            return false;
    return true;
}

/* False if the connection is to be closed. */
static bool answer(struct exchange *exchange)
{
    const struct sim_io *io = &exchange->connection->io;
    enum sim_fault_kind fault = exchange->fault.kind;
    bool replies = fault_before(exchange) && fault_reply(exchange);
    log_line(exchange, sim_request_name(&exchange->request));
    if (fault == SIM_FAULT_NEVER_REPLY || fault == SIM_FAULT_NEVER_REPLY_BEFORE)
        sim_io_sleep(io, -1, true);
    if (!replies)
        return false;
    if (fault == SIM_FAULT_DELAY && !sim_io_sleep(io, (int)exchange->fault.number, true))
        return false;
    bool written = fault == SIM_FAULT_SLOW
                       ? write_slowly(exchange)
                       : sim_io_write(io, exchange->reply.data, exchange->reply.len);
    return written && fault != SIM_FAULT_DROP_AFTER && fault != SIM_FAULT_GARBAGE &&
           !exchange->packet.close_after_reply;
}

/* One request and its reply. False if the connection is to be closed. */
static bool serve_one(struct sim_connection *connection)
{
    struct exchange exchange = {.connection = connection};
    bool go_on = read_packet(&exchange);
    if (go_on) {
        sim_request_parse(exchange.packet.payload, exchange.packet.payload_len, &exchange.request);
        sim_faults_take(connection->host->faults, SIM_WIRE_TOOLS, SIM_STAGE_REQUEST,
                        sim_request_name(&exchange.request), NULL, &exchange.fault);
        if (exchange.fault.kind == SIM_FAULT_ONE_REQUEST && !connection->served)
            exchange.fault.kind = SIM_FAULT_NONE;
        connection->served = true;
        go_on = answer(&exchange);
    }
    sim_request_clear(&exchange.request);
    ds_buf_free(&exchange.in);
    ds_buf_free(&exchange.text);
    ds_buf_free(&exchange.reply);
    return go_on;
}

void sim_channel_serve(struct sim_connection *connection)
{
    struct exchange refused = {.connection = connection, .outcome = "none"};
    if (sim_faults_take(connection->host->faults, SIM_WIRE_TOOLS, SIM_STAGE_CONNECT, NULL, NULL,
                        &refused.fault)) {
        log_line(&refused, "unknown");
        return;
    }
    while (serve_one(connection))
        ;
}
