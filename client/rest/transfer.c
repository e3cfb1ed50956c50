/* One transfer: what libcurl is told of a request, and what its end means. */
#include "transfer.h"

#include "curl_compat.h"
#include "dataset.h"
#include "log.h"
#include "secret.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Servers and the boxes between close what is idle for a minute or so; ours ends before. */
#define CONNECTION_MAX_IDLE_S 50L
#define MS_PER_S 1000
#define UNACKNOWLEDGED_MS (30 * MS_PER_S)
/* A file of cacert= that is renewed counts after so long. */
#define CA_CACHE_S 60L
/* A value's, and as much again for its escapes. */
#define ANNOUNCED_MAX_BYTES (2 * DS_VALUE_MAX_BYTES)

struct ds_transfer *ds_transfer_new(void)
{
    struct ds_transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer)
        return NULL;
    transfer->easy = curl_easy_init();
    if (transfer->easy)
        return transfer;
    free(transfer);
    return NULL;
}

void ds_transfer_free(struct ds_transfer *transfer)
{
    if (!transfer)
        return;
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    free(transfer);
}

/* Room for all of a reply that says how long it is, so that a long one does not grow step by step
 * into twice its size. What is announced counts up to the length that values have. */
static int make_room(struct ds_transfer *transfer)
{
    curl_off_t announced = 0;
    if (curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced) ||
        announced <= 0 || announced > ANNOUNCED_MAX_BYTES)
        return 0;
    return ds_buf_reserve(&transfer->request->reply, (size_t)announced);
}

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
    struct ds_transfer *transfer = user;
    struct ds_buf *reply = &transfer->request->reply;
    size_t len = size * count;
    transfer->large = len > DS_HTTP_REPLY_MAX_BYTES - reply->len;
    if (transfer->large || (!reply->len && make_room(transfer) != 0) ||
        ds_buf_append(reply, data, len) != 0)
        return len ? 0 : 1; /* not `len`: the transfer ends */
    return len;
}

static int add_header(struct ds_transfer *transfer, const char *line)
{
    struct curl_slist *longer = curl_slist_append(transfer->headers, line);
    if (!longer)
        return -ENOMEM;
    transfer->headers = longer;
    return 0;
}

static int add_headers(struct ds_transfer *transfer)
{
    const struct ds_http_request *request = transfer->request;
    int err = add_header(transfer, "Accept: application/json");
    if (!err)
        err = add_header(transfer, "Expect:");
    if (!err && request->body)
        err = add_header(transfer, "Content-Type: application/json");
    else if (!err && request->empty_body)
        err = add_header(transfer, "Content-Type:");
    if (!err && request->secret_header)
        err = add_header(transfer, request->secret_header);
    return err;
}

/* The first option that libcurl has not taken. A request for which one is missing would go without
 * what it says, such as the check of a certificate: it is not sent. */
struct options {
    CURL *easy;
    CURLcode failed; /* of `name`; CURLE_OK: none has */
    const char *name;
};

#define SET_BY(noted, options, option, value)                                                      \
    noted(options,                                                                                 \
          (options)->failed ? CURLE_OK                                                             \
                            : curl_easy_setopt((options)->easy, CURLOPT_##option, value),          \
          #option)
#define SET(options, option, value) SET_BY(note, options, option, value)
#define SET_IF_KNOWN(options, option, value) SET_BY(note_if_known, options, option, value)

static void note(struct options *options, CURLcode code, const char *name)
{
    if (options->failed || code == CURLE_OK)
        return;
    options->failed = code;
    options->name = name;
}

/* What a libcurl may be too old for, and it does without. */
static void note_if_known(struct options *options, CURLcode code, const char *name)
{
    if (code != CURLE_UNKNOWN_OPTION)
        note(options, code, name);
}

/* What a libcurl may be built without, and nothing goes wrong without it. */
static void allow_absent(struct options *options)
{
    if (options->failed == CURLE_NOT_BUILT_IN || options->failed == CURLE_UNSUPPORTED_PROTOCOL)
        options->failed = CURLE_OK;
}

static void set_protocol(struct options *options)
{
    if (options->failed)
        return;
    CURLcode code = curl_easy_setopt(options->easy, CURLOPT_PROTOCOLS_STR, "https");
    if (code == CURLE_UNKNOWN_OPTION)
        code = curl_easy_setopt(options->easy, CURLOPT_PROTOCOLS_BITS, (long)CURLPROTO_HTTPS);
    note(options, code, "PROTOCOLS_STR");
}

static void set_body(struct options *options, const struct ds_http_request *request)
{
    if (request->body || request->empty_body) {
        SET(options, POSTFIELDSIZE_LARGE, (curl_off_t)(request->body ? request->body_len : 0));
        SET(options, POSTFIELDS, request->body ? request->body : "");
    }
    SET(options, CUSTOMREQUEST, request->method);
}

static void set_tls(struct options *options, const struct ds_http_options *http)
{
    /* A pin alone replaces the check of the chain; with an authority both must hold. */
    bool chain = !http->insecure && (!http->pin || http->cacert);
    /* The pin first: without it there is no moment when nothing at all would be checked. */
    if (http->pin)
        SET(options, PINNEDPUBLICKEY, http->pin);
    SET(options, SSL_VERIFYPEER, chain ? 1L : 0L);
    SET(options, SSL_VERIFYHOST, chain ? 2L : 0L);
    SET(options, SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (http->cacert) {
        SET(options, CAINFO, http->cacert);
        SET(options, CAPATH, NULL);
    }
}

/* Without the option TCP sends what is not acknowledged again for a quarter of an hour. */
static int prepare_socket(void *user, curl_socket_t fd, curlsocktype purpose)
{
    struct ds_transfer *transfer = user;
    unsigned ms = UNACKNOWLEDGED_MS;
    (void)purpose;
    if (!ds_departure_may_open(&transfer->departure))
        return CURL_SOCKOPT_ERROR;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms); /* not a must */
    return CURL_SOCKOPT_OK;
}

static void set_connection(struct options *options, struct ds_transfer *transfer, bool fresh)
{
    SET(options, FRESH_CONNECT, fresh || transfer->request->fresh ? 1L : 0L);
    SET(options, MAXAGE_CONN, CONNECTION_MAX_IDLE_S);
    SET(options, TCP_KEEPALIVE, 1L);
    SET(options, SOCKOPTFUNCTION, prepare_socket);
    SET(options, SOCKOPTDATA, transfer);
    SET(options, NOSIGNAL, 1L);
    /* A name server that hangs must not hold the thread when its question is given up. Before 7.87
     * it does, for as long as resolv.conf(5) lets the question wait. */
    SET_IF_KNOWN(options, QUICK_EXIT, 1L);
    SET(options, PIPEWAIT, 1L);
}

static void set_options(struct options *options, struct ds_transfer *transfer,
                        const struct ds_http_options *http, bool fresh)
{
    SET(options, HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    allow_absent(options);
    SET_IF_KNOWN(options, CA_CACHE_TIMEOUT, CA_CACHE_S); /* else read for each connection */
    allow_absent(options);
    SET(options, ERRORBUFFER, transfer->error);
    SET(options, URL, transfer->request->url);
    set_protocol(options);
    SET(options, PATH_AS_IS, 1L);
    SET(options, FOLLOWLOCATION, 0L);
    SET(options, ACCEPT_ENCODING, "");
    SET(options, USERAGENT, "datasetfs/" DS_VERSION);
    SET(options, HTTPHEADER, transfer->headers);
    SET(options, WRITEFUNCTION, take_body);
    SET(options, WRITEDATA, transfer);
    SET(options, HEADERFUNCTION, ds_reply_head_take);
    SET(options, HEADERDATA, &transfer->head);
    if (!options->failed)
        note(options, ds_departure_watch(&transfer->departure, options->easy, transfer->call),
             "PREREQFUNCTION");
    set_connection(options, transfer, fresh);
    set_tls(options, http);
    set_body(options, transfer->request);
}

int ds_transfer_begin(struct ds_transfer *transfer, const struct ds_http_options *options,
                      struct ds_http_request *request, struct ds_call *call, bool fresh)
{
    char words[DS_HTTP_TEXT_BYTES];
    transfer->request = request;
    transfer->call = call;
    transfer->departure = (struct ds_departure){0};
    transfer->head = (struct ds_reply_head){0};
    transfer->large = false;
    transfer->suspect = false;
    transfer->error[0] = '\0';
    ds_secret_watch_memory(&transfer->memory);
    if (!transfer->easy)
        transfer->easy = curl_easy_init();
    int err = transfer->easy ? add_headers(transfer) : -ENOMEM;
    if (err) {
        ds_transfer_abort(transfer, err, "out of memory");
        return err;
    }
    struct options set = {.easy = transfer->easy};
    set_options(&set, transfer, options, fresh);
    if (!set.failed)
        return 0;
    err = set.failed == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EIO;
    snprintf(words, sizeof words, "not sent: libcurl does not take %s: %s", set.name,
             curl_easy_strerror(set.failed));
    ds_transfer_abort(transfer, err, words);
    return err;
}

void ds_transfer_suspect(struct ds_transfer *transfer)
{
    CURLcode code = curl_easy_setopt(transfer->easy, CURLOPT_FORBID_REUSE, 1L);
    transfer->suspect = code == CURLE_OK;
    if (code != CURLE_OK)
        ds_log(DS_LOG_WARNING, "a connection that may be silent stays in use: %s",
               curl_easy_strerror(code));
}

__attribute__((format(printf, 3, 4))) static void fail(struct ds_http_request *request, int error,
                                                       const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(request->text, sizeof request->text, format, list);
    va_end(list);
    request->error = error;
}

static void fail_certificate(struct ds_http_request *request, const struct ds_http_options *options,
                             const char *words)
{
    if (strcasestr(words, "subject name") || strcasestr(words, "host name") ||
        strcasestr(words, "match target"))
        fail(request, -EACCES,
             "the server's certificate is for another name (%.80s): use the name in it as HOST",
             words);
    else if (strcasestr(words, "expired"))
        fail(request, -EACCES,
             "the server's certificate has expired: it must be renewed there (%.80s)", words);
    else if (options->cacert)
        fail(request, -EACCES,
             "the server's certificate is not signed by what cacert= holds (%.90s)", words);
    else
        fail(request, -EACCES,
             "the server's certificate is not signed by a known authority: for vCenter's own, get "
             "https://HOST/certs/download.zip by a trusted way and use -o cacert=FILE");
}

/* The server is not the one that it should be, or nobody can tell. */
static void fail_trust(struct ds_http_request *request, const struct ds_http_options *options,
                       CURLcode code, const char *words)
{
    if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
        fail(request, -EACCES, "the server's public key is not the one that pin= names");
    else if (code != CURLE_SSL_CACERT_BADFILE)
        fail_certificate(request, options, words);
    else if (options->cacert)
        fail(request, -EACCES, "cacert= cannot be used: %.140s", words);
    else
        fail(request, -EACCES,
             "this system has no authorities to trust (package ca-certificates): use -o "
             "cacert=FILE");
}

static void fail_headers(struct ds_http_request *request)
{
    fail(request, -EPROTO, "the reply's headers are longer than any server's are");
}

/* What libcurl calls lack of memory, also a header line over its limit. */
static void fail_memory(struct ds_transfer *transfer)
{
    if (ds_secret_lacked_memory(&transfer->memory))
        fail(transfer->request, -ENOMEM, "out of memory");
    else
        fail_headers(transfer->request);
}

/* What libcurl's end means. */
static void translate(struct ds_transfer *transfer, const struct ds_http_options *options,
                      CURLcode code)
{
    struct ds_http_request *request = transfer->request;
    const char *words = *transfer->error ? transfer->error : curl_easy_strerror(code);
    /* The words about a proxy hold its URL, and that may hold a password. */
    if (strchr(words, '@'))
        words = "see $https_proxy (its words are not repeated here)";
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK: /* of what watches the departure */
        fail(request, -EIO, "the server closed the connection before its answer");
        break;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
        /* If the request has left already, that was on a connection that broke. */
        fail(request, transfer->departure.begun ? -EIO : -EHOSTUNREACH, "cannot connect: %.160s",
             words);
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CACERT_BADFILE:
        fail_trust(request, options, code, words);
        break;
    case CURLE_WRITE_ERROR:
        if (transfer->large)
            fail(request, -EPROTO, "the reply is longer than %u MiB",
                 DS_HTTP_REPLY_MAX_BYTES >> 20);
        else
            fail(request, -ENOMEM, "out of memory");
        break;
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
        fail(request, -EPROTO, "the reply is not understood: %.150s", words);
        break;
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE:
        fail_headers(request);
        break;
#endif
    case CURLE_OUT_OF_MEMORY:
        fail_memory(transfer);
        break;
    case CURLE_RECV_ERROR:
        if (strcasestr(words, "response headers")) {
            fail_headers(request);
            break;
        }
        /* fall through */
    default:
        fail(request, -EIO, "the connection broke: %.150s", words);
        break;
    }
    request->sent = transfer->departure.begun ? DS_SENT_MAYBE : DS_SENT_NO;
}

static void read_reply(struct ds_transfer *transfer)
{
    struct ds_http_request *request = transfer->request;
    const char *type = NULL;
    curl_off_t retry_after_s = 0;
    long status = 0;
    request->sent = DS_SENT_ANSWERED;
    if (curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status) ||
        curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &type) ||
        curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after_s)) {
        fail(request, -EIO, "libcurl does not tell what the server has answered");
        return;
    }
    request->status = (int)status;
    request->html = type && strcasestr(type, "html");
    if (retry_after_s > 0)
        request->retry_after_ms =
            retry_after_s < INT_MAX / MS_PER_S ? (int)retry_after_s * MS_PER_S : INT_MAX;
    request->error = 0;
}

/* The handle keeps nothing of the request; what has secrets is wiped as it is freed. */
static void make_idle(struct ds_transfer *transfer)
{
    struct ds_secret_memory memory;
    ds_secret_watch_memory(&memory);
    if (transfer->easy)
        curl_easy_reset(transfer->easy);
    /* It does not say that it had no memory, and then it has set half: not the size of its buffers,
     * over whose ends it would write. */
    if (ds_secret_lacked_memory(&memory)) {
        curl_easy_cleanup(transfer->easy);
        transfer->easy = NULL;
    }
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    transfer->request = NULL;
    transfer->call = NULL;
}

void ds_transfer_end(struct ds_transfer *transfer, const struct ds_http_options *options,
                     CURLcode code)
{
    struct ds_http_request *request = transfer->request;
    if (code == CURLE_OK && !transfer->head.whole)
        code = CURLE_GOT_NOTHING;
    if (code == CURLE_OK)
        read_reply(transfer);
    else
        translate(transfer, options, code);
    ds_log(DS_LOG_DEBUG, "%s %s: %d%s%s", request->method, request->url, request->status,
           request->error ? " " : "", request->error ? request->text : "");
    make_idle(transfer);
}

void ds_transfer_abort(struct ds_transfer *transfer, int error, const char *words)
{
    fail(transfer->request, error, "%s", words);
    transfer->request->sent = transfer->departure.begun ? DS_SENT_MAYBE : DS_SENT_NO;
    make_idle(transfer);
}
