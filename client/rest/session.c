/* The session with vCenter. */
#include "session.h"

#include "../base/turns.h"
#include "cleanup.h"
#include "error.h"
#include "json.h"
#include "log.h"
#include "secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_MAX_BYTES 2048
#define BASE64_BYTES(n) (((n) + 2) / 3 * 4)

/* vCenter locks an account after five refusals within three minutes: what was refused is not tried
 * again that soon, unless it has changed. */
#define REFUSED_MS (60 * 1000)

/* So long a server that has not accepted its own session is not asked for another. */
#define HOLD_MS (5 * 1000)

static const char token_header[] = "vmware-api-session-id: ";
static const char basic_header[] = "Authorization: Basic ";

static const struct route {
    const char *path;
    int (*read_token)(const char *text, size_t len, struct ds_buf *out);
} routes[] = {
    {"/api/session", ds_rest_json_read_string},
    {"/rest/com/vmware/cis/session", ds_rest_json_read_wrapped}, /* before vSphere 7.0 U2 */
};
enum { ROUTE_COUNT = sizeof routes / sizeof *routes };

/* In a locked page. */
struct secrets {
    struct ds_login login;
    struct ds_login refused; /* by the last login, if `refused_until_ms` is not over */
    char token[sizeof token_header + TOKEN_MAX_BYTES]; /* the whole header; under the mutex */
    char basic[sizeof basic_header +
               BASE64_BYTES(DS_USERNAME_MAX_BYTES + DS_PASSWORD_MAX_BYTES + 1)];
};

struct ds_session {
    struct ds_http *http;
    const char *base;
    struct ds_credentials *credentials;
    struct secrets *secrets; /* but for the token, for whoever has the turn */
    struct ds_turns turn;    /* who has it logs in */
    pthread_mutex_t mutex;
    uint64_t generation; /* of the token, 0: there is none; under the mutex */
    /* For whoever has the turn. */
    const struct route *route; /* of the last login, NULL: not known */
    int64_t refused_until_ms;
    int64_t hold_until_ms; /* no login before: the last session was not accepted */
};

/* A caller's own copy of the token's header; wiped after use. */
struct header {
    char line[sizeof token_header + TOKEN_MAX_BYTES];
};

static void encode_base64(const char *in, size_t len, char *out)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    enum { PAD = 64 };
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        unsigned long bits = (unsigned long)(unsigned char)in[i] << 16;
        if (left > 1)
            bits |= (unsigned long)(unsigned char)in[i + 1] << 8;
        if (left > 2)
            bits |= (unsigned char)in[i + 2];
        *out++ = digits[bits >> 18];
        *out++ = digits[bits >> 12 & 63];
        *out++ = digits[left > 1 ? bits >> 6 & 63 : PAD];
        *out++ = digits[left > 2 ? bits & 63 : PAD];
    }
    *out = '\0';
}

/* RFC 7617. */
static void make_basic(struct secrets *secrets)
{
    enum { PAIR_BYTES = DS_USERNAME_MAX_BYTES + DS_PASSWORD_MAX_BYTES + 2 };
    char pair[PAIR_BYTES];
    int len =
        snprintf(pair, sizeof pair, "%s:%s", secrets->login.username, secrets->login.password);
    memcpy(secrets->basic, basic_header, sizeof basic_header);
    encode_base64(pair, (size_t)len, secrets->basic + sizeof basic_header - 1);
    ds_secret_wipe(pair, sizeof pair);
}

static int fail_refused(const struct ds_session *session, struct ds_call *call)
{
    return ds_call_fail(call, -EACCES, "%.80s refuses the user name or password from %.100s",
                        session->base, ds_credentials_origin(session->credentials));
}

static int fail_accepted(const struct ds_session *session, struct ds_call *call)
{
    return ds_call_fail(call, -EACCES, "%.80s does not accept the session it has just given",
                        session->base);
}

static int fail_login(struct ds_session *session, struct ds_call *call,
                      const struct ds_http_request *request)
{
    struct ds_rest_fault fault;
    if (request->error)
        return ds_call_fail(call, request->error, "%s: %s", session->base, request->text);
    int err = ds_rest_json_read_fault(request->reply.data, request->reply.len, &fault);
    if (err)
        return err;
    err = ds_rest_errno(fault.type, request->status, fault.message);
    if (request->status == 401) {
        session->secrets->refused = session->secrets->login;
        session->refused_until_ms = ds_call_now_ms() + REFUSED_MS;
        return fail_refused(session, call);
    }
    if (err == -EAGAIN) {
        call->retry_after_ms = request->retry_after_ms;
        return ds_call_fail(call, err,
                            "%.80s accepts no login now (HTTP %d): perhaps there are too many "
                            "sessions",
                            session->base, request->status);
    }
    return ds_call_fail(call, err, "%.80s refuses to log in (HTTP %d)%s%.80s", session->base,
                        request->status, *fault.message ? ": " : "", fault.message);
}

/* Takes the token out of the reply. */
static int take_token(struct ds_session *session, struct ds_call *call, const struct route *route,
                      const struct ds_http_request *request)
{
    struct ds_buf token DS_CLEANUP(ds_buf_free) = {0};
    int err = route->read_token(request->reply.data, request->reply.len, &token);
    bool good = !err && token.len && token.len <= TOKEN_MAX_BYTES &&
                !token.data[strcspn(token.data, "\r\n")] && strlen(token.data) == token.len;
    if (err == -ENOMEM)
        return err;
    if (!good)
        return ds_call_fail(
            call, -EPROTO, "%.80s answers the login with %s: is it a vCenter?", session->base,
            request->html ? "a page of HTML, as a proxy or portal does" : "what is no session");
    DS_LOCK_SCOPE(&session->mutex);
    snprintf(session->secrets->token, sizeof session->secrets->token, "%s%s", token_header,
             token.data);
    ds_secret_wipe(token.data, token.len);
    session->generation++;
    session->route = route;
    return 0;
}

/* One request to one route. -ENOENT if the server does not have it. */
static int try_route(struct ds_session *session, struct ds_call *call, const struct route *route)
{
    char *url DS_AUTO_FREE = NULL;
    if (asprintf(&url, "%s%s", session->base, route->path) < 0) {
        url = NULL;
        return -ENOMEM;
    }
    struct ds_http_request request = {.method = "POST",
                                      .url = url,
                                      .secret_header = session->secrets->basic,
                                      .empty_body = true,
                                      .fresh = true,
                                      .change = true};
    struct ds_http_request *const requests[] = {&request};
    /* Neither a cancellation nor an impatient caller cuts a login off: nobody would end the session
     * that the server makes. What it takes is no part of the caller's patience. */
    int64_t patience_ms = call->deadline_ms - ds_call_now_ms();
    call->deadline_ms = call->last_deadline_ms;
    atomic_store(&call->lingers, true);
    ds_http_run(session->http, call, requests, 1);
    atomic_store(&call->lingers, false);
    int64_t patient_until_ms = ds_call_now_ms() + patience_ms;
    if (patient_until_ms < call->last_deadline_ms)
        call->deadline_ms = patient_until_ms;
    int err;
    if (!request.error && request.status == 404)
        err = -ENOENT;
    else if (!request.error && ds_rest_is_success(request.status))
        err = take_token(session, call, route, &request);
    else
        err = fail_login(session, call, &request);
    if (request.reply.data)
        ds_secret_wipe(request.reply.data, request.reply.len);
    ds_buf_free(&request.reply);
    return err;
}

/* Ends the session; to end it twice does no harm, so a lost connection is tried once more. */
static int log_out(struct ds_session *session, struct ds_call *call)
{
    char *url DS_AUTO_FREE = NULL;
    if (!session->generation)
        return 0;
    if (asprintf(&url, "%s%s", session->base, session->route->path) < 0) {
        url = NULL;
        return -ENOMEM;
    }
    int err = -EIO;
    for (int tries = 0; tries < 2 && err == -EIO; tries++) {
        struct ds_http_request request = {.method = "DELETE",
                                          .url = url,
                                          .secret_header = session->secrets->token,
                                          .fresh = tries > 0,
                                          .change = true};
        struct ds_http_request *const requests[] = {&request};
        ds_http_run(session->http, call, requests, 1);
        err = request.error;
        if (err)
            ds_call_fail(call, err, "%s", request.text);
        else if (!ds_rest_is_success(request.status) && request.status != 401)
            err = ds_call_fail(call, -EPROTO, "HTTP %d", request.status);
        ds_buf_free(&request.reply);
    }
    return err;
}

/* The route of the last login, then all. */
static int try_routes(struct ds_session *session, struct ds_call *call)
{
    int err = session->route ? try_route(session, call, session->route) : -ENOENT;
    for (size_t i = 0; i < ROUTE_COUNT && err == -ENOENT; i++)
        err = try_route(session, call, &routes[i]);
    if (err == -ENOENT)
        err = ds_call_fail(call, -EOPNOTSUPP, "%.80s knows no sessions: is it a vCenter?",
                           session->base);
    return err;
}

/* With the turn. */
static int log_in(struct ds_session *session, struct ds_call *call)
{
    if (ds_call_now_ms() < session->hold_until_ms)
        return fail_accepted(session, call);
    if (session->hold_until_ms) /* what was not accepted may live all the same */
        log_out(session, call);
    session->hold_until_ms = 0;
    int err = ds_credentials_refresh(session->credentials, &session->secrets->login, call);
    ds_secret_clear_registers();
    if (err)
        return err;
    if (ds_call_now_ms() < session->refused_until_ms &&
        !memcmp(&session->secrets->refused, &session->secrets->login, sizeof(struct ds_login)))
        return fail_refused(session, call);
    make_basic(session->secrets);
    err = try_routes(session, call);
    ds_secret_wipe(session->secrets->basic, sizeof session->secrets->basic);
    ds_secret_clear_registers();
    return err;
}

/* The session was given and not accepted at once. */
static int hold_logins(struct ds_session *session, struct ds_call *call)
{
    int err = ds_turns_take(&session->turn, call, true);
    if (err)
        return err;
    session->hold_until_ms = ds_call_now_ms() + HOLD_MS;
    ds_turns_give(&session->turn);
    return fail_accepted(session, call);
}

static uint64_t generation_of(struct ds_session *session)
{
    DS_LOCK_SCOPE(&session->mutex);
    return session->generation;
}

/* Makes sure that there is a token newer than that of `generation`. */
static int renew(struct ds_session *session, struct ds_call *call, uint64_t generation)
{
    if (generation_of(session) > generation)
        return 0;
    int err = ds_turns_take(&session->turn, call, true);
    if (err)
        return err;
    if (generation_of(session) == generation)
        err = log_in(session, call);
    ds_turns_give(&session->turn);
    return err;
}

int ds_session_log_in(struct ds_session *session, struct ds_call *call)
{
    return renew(session, call, 0);
}

const char *ds_session_origin(const struct ds_session *session)
{
    return ds_credentials_origin(session->credentials);
}

static void fail_all(struct ds_http_request *const *requests, size_t count, int error,
                     const struct ds_call *call)
{
    for (size_t i = 0; i < count; i++) {
        requests[i]->error = error;
        requests[i]->sent = DS_SENT_NO;
        snprintf(requests[i]->text, sizeof requests[i]->text, "%.190s",
                 call->text[0] ? call->text : strerror(-error));
    }
}

/* Runs with the token of `*generation`, which is that of the session now. */
static void run_with_token(struct ds_session *session, struct ds_call *call, struct header *header,
                           struct ds_http_request *const *requests, size_t count,
                           uint64_t *generation)
{
    pthread_mutex_lock(&session->mutex);
    *generation = session->generation;
    memcpy(header->line, session->secrets->token, sizeof header->line);
    pthread_mutex_unlock(&session->mutex);
    for (size_t i = 0; i < count; i++)
        requests[i]->secret_header = header->line;
    ds_http_run(session->http, call, requests, count);
    for (size_t i = 0; i < count; i++)
        requests[i]->secret_header = NULL;
}

static bool is_refused(const struct ds_http_request *request)
{
    struct ds_rest_fault fault;
    if (request->error || ds_rest_is_success(request->status))
        return false;
    /* Without memory for its words there is the status. */
    ds_rest_json_read_fault(request->reply.data, request->reply.len, &fault);
    return ds_rest_is_unauthenticated(fault.type, request->status);
}

/* Moves those whose session is over to `refused` and forgets their replies. */
static size_t collect_refused(struct ds_http_request *const *requests, size_t count,
                              struct ds_http_request **refused)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_refused(requests[i]))
            continue;
        ds_buf_free(&requests[i]->reply);
        requests[i]->status = 0;
        refused[found++] = requests[i];
    }
    return found;
}

static void run(struct ds_session *session, struct ds_call *call, struct header *header,
                struct ds_http_request *const *requests, size_t count,
                struct ds_http_request **refused)
{
    uint64_t generation = 0;
    int err = renew(session, call, 0);
    if (err) {
        fail_all(requests, count, err, call);
        ds_call_set_sent(call, DS_SENT_NO);
        return;
    }
    run_with_token(session, call, header, requests, count, &generation);
    size_t again = collect_refused(requests, count, refused);
    if (!again)
        return;
    err = renew(session, call, generation);
    if (!err) {
        run_with_token(session, call, header, refused, again, &generation);
        again = collect_refused(refused, again, refused);
        if (!again)
            return;
        err = hold_logins(session, call);
    }
    ds_call_set_sent(call, DS_SENT_NO);
    fail_all(refused, again, err, call);
}

void ds_session_run(struct ds_session *session, struct ds_call *call,
                    struct ds_http_request *const *requests, size_t count)
{
    struct header header;
    struct ds_http_request **refused DS_AUTO_FREE = calloc(count, sizeof *refused);
    if (refused)
        run(session, call, &header, requests, count, refused);
    else
        fail_all(requests, count, -ENOMEM, call);
    ds_secret_wipe(&header, sizeof header);
}

int ds_session_new(struct ds_http *http, const char *base, const char *host,
                   const char *credentials_file, struct ds_call *call, struct ds_session **out)
{
    struct ds_session *session = calloc(1, sizeof *session);
    if (!session)
        return -ENOMEM;
    session->http = http;
    session->base = base;
    pthread_mutex_init(&session->mutex, NULL);
    int err = ds_turns_init(&session->turn, 1);
    session->secrets = ds_secret_new(sizeof *session->secrets);
    if (!err && !session->secrets)
        err = -ENOMEM;
    if (!err)
        err = ds_credentials_new(credentials_file, host, &session->secrets->login, call,
                                 &session->credentials);
    if (err)
        ds_session_free(session, NULL);
    else
        *out = session;
    return err;
}

int ds_session_free(struct ds_session *session, struct ds_call *call)
{
    if (!session)
        return 0;
    int err = call ? log_out(session, call) : 0;
    ds_secret_free(session->secrets, sizeof *session->secrets);
    ds_credentials_free(session->credentials);
    ds_turns_end(&session->turn);
    pthread_mutex_destroy(&session->mutex);
    free(session);
    return err;
}
