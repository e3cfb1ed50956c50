#include "rest_exchange.h"

#include "cleanup.h"
#include "out.h"
#include "rest_send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BODY_MAX_BYTES (8UL * 1024 * 1024)
#define STORE_TIMEOUT_MS 60000

static void log_line(const struct sim_rest_exchange *exchange, const char *version, bool replies)
{
    const struct sim_rest_request *request = &exchange->request;
    struct ds_buf line DS_CLEANUP(ds_buf_free) = {0};
    if (exchange->host->log_fd < 0)
        return;
    sim_out_format(&line, "connection=%lu rest=%s", exchange->connection,
                   sim_rest_op_name(request->route.op));
    sim_rest_route_describe(&request->route, &line);
    if (request->route.refusal) {
        sim_out_text(&line, " path=");
        sim_out_json(&line, exchange->target, strlen(exchange->target), false);
    }
    sim_out_format(&line, " status=%d in=%zu out=%zu outcome=%s fault=%s session=%u http=%s\n",
                   replies ? exchange->reply.status : 0, request->body.len,
                   replies ? sim_rest_send_bytes(&exchange->reply, &exchange->fault) : 0,
                   exchange->reply.outcome, sim_fault_name(exchange->fault.kind), request->session,
                   version);
    if (write(exchange->host->log_fd, line.data, line.len) != (ssize_t)line.len)
        perror("datasets-sim: log");
}

void sim_rest_exchange_log_refused(const struct sim_host *host, const struct sim_fault *fault)
{
    struct sim_rest_exchange exchange = {
        .host = (struct sim_host *)(uintptr_t)host, .fault = *fault, .reply = {.outcome = "none"}};
    log_line(&exchange, "none", false);
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* What a strict server refuses by the headers alone. True if the reply is written. */
static bool refuse_early(struct sim_rest_exchange *exchange, struct MHD_Connection *connection)
{
    const struct sim_rest_shape *shape = &exchange->service->shape;
    const struct sim_rest_route *route = &exchange->request.route;
    struct sim_rest_reply *reply = &exchange->reply;
    const char *length = header(connection, "Content-Length");
    if (header(connection, "Expect"))
        sim_rest_reply_plain(reply, 417, NULL, NULL, "expect");
    else if (header(connection, "Transfer-Encoding") || (sim_rest_has_body(route->op) && !length))
        sim_rest_reply_plain(reply, 411, NULL, NULL, "no-length");
    else if (length && strtoull(length, NULL, 10) > BODY_MAX_BYTES)
        sim_rest_reply_refusal(shape, reply, 413, "INVALID_ARGUMENT", "the body is too long");
    else if (route->refusal)
        sim_rest_run_refusal(exchange->service, route->refusal, reply);
    return reply->status != 0;
}

/* Faults that come instead of carrying the request out: true if one has written the reply. */
static bool fault_instead(struct sim_rest_exchange *exchange)
{
    static const char portal[] = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>"
                                 "<body>Welcome to the guest network</body></html>\n";
    const struct sim_fault *fault = &exchange->fault;
    const struct sim_rest_shape *shape = &exchange->service->shape;
    struct sim_rest_reply *reply = &exchange->reply;
    switch (fault->kind) {
    case SIM_FAULT_BUSY:
        sim_rest_reply_error(shape, reply, "RESOURCE_BUSY", "busy, try again");
        break;
    case SIM_FAULT_ERROR:
        sim_rest_reply_error(shape, reply, fault->text, "a failure by order");
        break;
    case SIM_FAULT_STATUS:
        sim_rest_reply_plain(reply, (int)fault->number, NULL, NULL, "");
        break;
    case SIM_FAULT_RETRY_AFTER:
        sim_rest_reply_error(shape, reply, "SERVICE_UNAVAILABLE", "come back later");
        reply->header = "Retry-After";
        snprintf(reply->header_value, sizeof reply->header_value, "%zu", fault->number);
        break;
    case SIM_FAULT_REDIRECT:
        sim_rest_reply_plain(reply, 302, NULL, NULL, "");
        reply->header = "Location";
        snprintf(reply->header_value, sizeof reply->header_value, "%s", fault->text);
        break;
    case SIM_FAULT_GARBAGE:
        sim_rest_reply_plain(reply, 200, "text/html", portal, "");
        break;
    case SIM_FAULT_HUGE:
        sim_rest_reply_json(reply, 200);
        break;
    case SIM_FAULT_SAY:
        sim_rest_reply_file(reply, fault->text);
        break;
    default:
        return false;
    }
    snprintf(reply->outcome, sizeof reply->outcome, "none");
    return true;
}

static void carry_out(struct sim_rest_exchange *exchange, struct MHD_Connection *connection)
{
    struct sim_rest_request *request = &exchange->request;
    char *password = NULL;
    char *user = MHD_basic_auth_get_username_password(connection, &password);
    request->user = user;
    request->password = password;
    request->token = header(connection, "vmware-api-session-id");
    request->content_type = header(connection, "Content-Type");
    exchange->call.deadline_ms = ds_call_now_ms() + STORE_TIMEOUT_MS;
    sim_rest_run(exchange->service, request, &exchange->call, &exchange->reply);
    request->user = NULL;
    request->password = NULL;
    MHD_free(user);
    MHD_free(password);
}

/* Carries the request out, unless a fault forbids it. False if there is no reply. */
static bool answer(struct sim_rest_exchange *exchange, struct MHD_Connection *connection)
{
    const struct sim_fault *fault = &exchange->fault;
    struct sim_rest_reply *reply = &exchange->reply;
    snprintf(reply->outcome, sizeof reply->outcome, "none");
    if (fault->kind == SIM_FAULT_CLOSE_BEFORE || fault->kind == SIM_FAULT_NEVER_REPLY_BEFORE)
        return false;
    if (fault->kind == SIM_FAULT_DELAY_BEFORE &&
        !sim_io_sleep(&exchange->io, (int)fault->number, false))
        return false;
    if (!fault_instead(exchange))
        carry_out(exchange, connection);
    if (fault->kind == SIM_FAULT_SAY_AFTER) {
        sim_out_cut(&reply->body, 0);
        sim_rest_reply_file(reply, fault->text);
    }
    if (fault->kind == SIM_FAULT_STATUS_AFTER) {
        sim_out_cut(&reply->body, 0);
        reply->status = (int)fault->number;
    }
    if (fault->kind == SIM_FAULT_TRUNCATE)
        sim_out_cut(&reply->body, reply->body.len / 2);
    return fault->kind != SIM_FAULT_CLOSE && fault->kind != SIM_FAULT_NEVER_REPLY;
}

/* What was ordered to happen behind this request. */
static void obey_schedule(struct sim_rest_exchange *exchange)
{
    const char *command = sim_rest_op_name(exchange->request.route.op);
    char line[SIM_SCHEDULE_LINE_BYTES];
    for (bool counted = false; sim_schedule_take(&exchange->host->schedule, command, counted, line);
         counted = true) {
        struct ds_buf answer DS_CLEANUP(ds_buf_free) = {0};
        sim_control_obey(exchange->host, line, &answer);
        if (strncmp(answer.data, "ok", 2) != 0)
            fprintf(stderr, "datasets-sim: what was ordered after %s: %s", command, answer.data);
    }
}

static void begin_count(struct sim_host *host)
{
    unsigned now = atomic_fetch_add(&host->under_way, 1) + 1;
    unsigned most = atomic_load(&host->most_under_way);
    while (now > most && !atomic_compare_exchange_weak(&host->most_under_way, &most, now))
        continue;
}

static enum MHD_Result reply_to(struct sim_rest_exchange *exchange,
                                struct MHD_Connection *connection, const char *version)
{
    const struct sim_fault *fault = &exchange->fault;
    sim_faults_take(exchange->host->faults, SIM_WIRE_REST, SIM_STAGE_REQUEST,
                    sim_rest_op_name(exchange->request.route.op), exchange->request.route.vm,
                    &exchange->fault);
    bool replies = answer(exchange, connection);
    obey_schedule(exchange);
    log_line(exchange, version, replies);
    if (fault->kind == SIM_FAULT_NEVER_REPLY || fault->kind == SIM_FAULT_NEVER_REPLY_BEFORE)
        sim_io_sleep(&exchange->io, -1, true);
    if (!replies)
        return MHD_NO;
    if (fault->kind == SIM_FAULT_DELAY && !sim_io_sleep(&exchange->io, (int)fault->number, true))
        return MHD_NO;
    return sim_rest_send(connection, &exchange->reply, fault, &exchange->io);
}

static enum MHD_Result finish(struct sim_rest_exchange *exchange, struct MHD_Connection *connection,
                              const char *version)
{
    begin_count(exchange->host);
    enum MHD_Result result = reply_to(exchange, connection, version);
    atomic_fetch_sub(&exchange->host->under_way, 1);
    return result;
}

static enum MHD_Result send_refusal(struct sim_rest_exchange *exchange,
                                    struct MHD_Connection *connection, const char *version)
{
    log_line(exchange, version, true);
    return sim_rest_send(connection, &exchange->reply, &exchange->fault, &exchange->io);
}

enum MHD_Result sim_rest_exchange_take(struct sim_rest_exchange *exchange,
                                       struct MHD_Connection *connection, const char *method,
                                       const char *version, const char *data, size_t *len)
{
    const char *number = strchr(version, '/');
    bool refused = exchange->reply.status != 0;
    number = number ? number + 1 : version;
    if (!exchange->begun) {
        exchange->begun = true;
        sim_rest_route_parse(method, exchange->target, &exchange->request.route);
        /* Only who waits for leave to send gets an answer before the end of the body: closing while
         * a body arrives could take the reply from the client's hands. */
        if (refuse_early(exchange, connection) && exchange->reply.status == 417)
            return send_refusal(exchange, connection, number);
        return MHD_YES;
    }
    if (*len == 0)
        return refused ? send_refusal(exchange, connection, number)
                       : finish(exchange, connection, number);
    if (!refused && sim_rest_has_body(exchange->request.route.op))
        sim_out_bytes(&exchange->request.body, data, *len);
    *len = 0;
    return MHD_YES;
}

void sim_rest_exchange_clear(struct sim_rest_exchange *exchange)
{
    sim_rest_route_clear(&exchange->request.route);
    ds_buf_free(&exchange->request.body);
    sim_rest_reply_clear(&exchange->reply);
    free(exchange->target);
}
