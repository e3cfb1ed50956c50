/* What the host's side needs to be of use. */
#include "examine.h"

#include "http.h"
#include "machine_info.h"
#include "probe.h"
#include "rest.h"
#include "secret.h"
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { RENEW_DAYS = 30, SECONDS_PER_DAY = 24 * 60 * 60 };

/* Requests a second that a vCenter answers before it refuses some. */
enum { VCENTER_RATE = 1500 };

#define ADVICE_BYTES 320

/* False if there is no connection. */
static bool tell_connection(struct ds_report *report, const struct ds_url *url,
                            const struct ds_probe *probe)
{
    if (probe->failed == DS_PROBE_NAME) {
        ds_report_fail(report, "name", "correct HOST, or what /etc/resolv.conf and /etc/hosts say",
                       "%s", probe->words);
        return false;
    }
    ds_report_ok(report, "name", "%s%s%s", url->host, *probe->address ? " is " : "",
                 probe->address);
    if (probe->failed == DS_PROBE_TCP) {
        ds_report_fail(report, "TCP", "correct HOST and PORT, or let a firewall let this through",
                       "%s", probe->words);
        return false;
    }
    ds_report_ok(report, "TCP", "connected");
    if (probe->failed == DS_PROBE_TLS) {
        ds_report_fail(report, "TLS", "HOST and PORT must be those of a server of https (TLS 1.2)",
                       "%s", probe->words);
        return false;
    }
    ds_report_ok(report, "TLS", "it answers");
    return true;
}

static void date_of(time_t time, char out[16])
{
    struct tm parts;
    if (!time || !gmtime_r(&time, &parts) || !strftime(out, 16, "%Y-%m-%d", &parts))
        snprintf(out, 16, "?");
}

/* What to do when the server is not the one that it should be, or nobody can tell. */
static void advise(const struct ds_url *url, const struct ds_source_options *options,
                   const struct ds_probe *probe, const char *words, char advice[ADVICE_BYTES])
{
    bool expired = probe->until && probe->until < time(NULL);
    if (strstr(words, "pin="))
        snprintf(advice, ADVICE_BYTES,
                 "make sure by another way that this is the server, then give its key's hash");
    else if (strstr(words, "another name"))
        snprintf(advice, ADVICE_BYTES, "use one of its names as HOST");
    else if (expired)
        snprintf(advice, ADVICE_BYTES, "have it renewed on the server");
    else
        snprintf(advice, ADVICE_BYTES,
                 "get the authority's certificate by a trusted way (a vCenter has its own at "
                 "https://%.80s/certs/download.zip) and %s",
                 url->base + strlen("https://"),
                 options->cacert ? "name that file in -o cacert=" : "use -o cacert=FILE");
}

/* Asks as a client does, without a session, whether the server is trusted. */
static int ask_trust(const struct ds_url *url, const struct ds_source_options *options,
                     struct ds_call *call)
{
    const struct ds_http_options http_options = {.cacert = options->cacert,
                                                 .pin = options->pin,
                                                 .insecure = options->insecure,
                                                 .transfers = 1};
    struct ds_http_request request = {.method = "GET", .url = url->base, .fresh = true};
    struct ds_http_request *const requests[] = {&request};
    struct ds_http *http;
    int err = ds_http_new(&http_options, &http);
    if (err)
        return err;
    ds_http_run(http, call, requests, 1);
    ds_http_free(http);
    ds_buf_free(&request.reply);
    return request.error ? ds_call_fail(call, request.error, "%s", request.text) : 0;
}

/* False if a client would not send a password there. */
static bool tell_certificate(struct ds_report *report, const struct ds_url *url,
                             const struct ds_source_options *options, const struct ds_probe *probe)
{
    static const char what[] = "certificate";
    struct ds_call *call = report->call(report->context);
    int64_t days = (int64_t)(probe->until - time(NULL)) / SECONDS_PER_DAY;
    bool self_signed = *probe->subject && !strcmp(probe->subject, probe->issuer);
    const char *by = self_signed ? "itself" : probe->issuer;
    char until[16];
    char advice[ADVICE_BYTES];
    date_of(probe->until, until);
    int err = ask_trust(url, options, call);
    if (err) {
        advise(url, options, probe, call->text, advice);
        ds_report_fail(report, what, advice, "%s [%s, signed by %s, until %s]",
                       ds_report_words(call, err), probe->subject, by, until);
        return false;
    }
    if (options->insecure)
        ds_report_warn(report, what, "use -o cacert=FILE or pin=HASH",
                       "%s, signed by %s, until %s, not verified: anybody on the way can read the "
                       "password",
                       probe->subject, by, until);
    else if (probe->until && days < RENEW_DAYS)
        ds_report_warn(report, what, "have it renewed on the server",
                       "%s, signed by %s, until %s, which is soon", probe->subject, by, until);
    else
        ds_report_ok(report, what, "%s, signed by %s, until %s", probe->subject, by, until);
    return true;
}

/* False if there is no session. */
static bool log_in(struct ds_report *report, const struct ds_vcenter *vcenter)
{
    struct ds_call *call = report->call(report->context);
    int err = ds_session_log_in(vcenter->session, call);
    const char *advice = NULL;
    if (err == -EACCES)
        advice = "correct the user's name and password there; five refusals may lock the account";
    else if (err == -EAGAIN)
        advice = "try again, or have idle sessions ended";
    else if (err == -EPROTO || err == -EOPNOTSUPP)
        advice = "HOST must be a vCenter: what answers there is something else";
    if (err)
        ds_report_fail(report, "login", advice, "%s", ds_report_words(call, err));
    else
        ds_report_ok(report, "login", "with what %s says", ds_session_origin(vcenter->session));
    return !err;
}

static void tell_power(struct ds_report *report, const char *power)
{
    if (!*power)
        ds_report_skip(report, "power", "the server does not tell");
    else if (!strcmp(power, "SUSPENDED"))
        ds_report_warn(report, "power", "resume the machine",
                       "SUSPENDED: its DataSets can be read only");
    else
        ds_report_ok(report, "power", "%s", power);
}

static void tell_hardware(struct ds_report *report, unsigned version)
{
    if (!version)
        ds_report_skip(report, "hardware", "the server does not tell");
    else if (version < DS_HARDWARE_MIN)
        ds_report_fail(report, "hardware",
                       "upgrade its compatibility to \"ESXi 8.0\" while it is off",
                       "vmx-%u: DataSets need vmx-%d", version, DS_HARDWARE_MIN);
    else
        ds_report_ok(report, "hardware", "vmx-%u", version);
}

/* False if there is no such machine. */
static bool find_machine(struct ds_report *report, struct ds_rest *rest)
{
    struct ds_call *call = report->call(report->context);
    struct ds_machine_info info = {0};
    const char *id;
    int err = ds_machine_info_ask(rest, call, &id, &info);
    if (err && (!id || err == -ENODEV)) {
        ds_report_fail(report, "machine",
                       err == -ENODEV ? "name a machine that this user may see (System.Read), by "
                                        "its name or its id"
                                      : NULL,
                       "%s", ds_report_words(call, err));
        return false;
    }
    if (err) {
        ds_report_warn(
            report, "machine",
            "its power state and its hardware stay unknown; the list tells whether it can be used",
            "%s, but: %s", id, ds_report_words(call, err));
        return true;
    }
    if (rest->by_name)
        ds_report_ok(report, "machine", "'%s' is %s", rest->named, id);
    else
        ds_report_ok(report, "machine", "%s is there", id);
    tell_power(report, info.power);
    tell_hardware(report, info.version);
    return true;
}

static bool connect_server(struct ds_report *report, const struct ds_url *url,
                           const struct ds_source_options *options)
{
    struct ds_call *call = report->call(report->context);
    struct ds_probe probe;
    int err = ds_secret_protect_process();
    if (!err)
        err = ds_probe_run(url->base, call, &probe);
    if (err)
        ds_report_fail(report, "name", NULL, "%s", strerror(-err));
    return !err && tell_connection(report, url, &probe) &&
           tell_certificate(report, url, options, &probe);
}

static void skip_rest(struct ds_report *report, const char *what, const char *why)
{
    ds_report_skip(report, "login", why);
    ds_report_skip(report, what, why);
}

/* What was to be opened without a request could not be. */
static void fail_opening(struct ds_report *report, const struct ds_call *call, int err)
{
    const char *words = ds_report_words(call, err);
    bool about_authority = !strncmp(words, "cacert", strlen("cacert"));
    ds_report_fail(report, "credentials",
                   about_authority ? "name a file that is there, and that this user may read"
                                   : NULL, /* the words say it */
                   "%s", words);
}

/* The client, or NULL. */
static struct ds_client *open_client(struct ds_report *report, const char *source,
                                     const struct ds_source_options *options)
{
    struct ds_source_options delayed = *options;
    struct ds_client *client = NULL;
    struct ds_call *call = report->call(report->context);
    delayed.delay_connect = true;
    int err = ds_rest_open(source, &delayed, call, &client);
    if (err)
        fail_opening(report, call, err);
    return client;
}

/* With what the machine needs to be asked, which is told. Takes the client if that fails. */
static void use_client(struct ds_report *report, struct ds_client *client, bool connected,
                       struct ds_client **out)
{
    struct ds_rest *rest = (struct ds_rest *)client;
    bool logged_in = connected && log_in(report, rest->vcenter);
    if (!connected)
        skip_rest(report, "machine", "the server cannot be used");
    else if (!logged_in)
        ds_report_skip(report, "machine", "nobody is logged in");
    else if (find_machine(report, rest)) {
        *out = client;
        return;
    }
    ds_client_free(client, report->call(report->context));
}

void ds_rest_examine(const char *source, const struct ds_source_options *options,
                     struct ds_report *report, struct ds_client **out)
{
    char why[DS_WHY_BYTES];
    struct ds_url url;
    ds_report_ok(report, "library", "%s", ds_probe_library());
    int err = ds_url_parse(source, &url, why);
    if (err) {
        ds_report_fail(report, "URL", NULL, "%s", err == -EINVAL ? why : strerror(-err));
        return;
    }
    ds_report_ok(report, "URL", "%s, the machine with the %s '%s'", url.base,
                 url.by_name ? "name" : "id", url.vm);
    bool connected = connect_server(report, &url, options);
    struct ds_client *client = open_client(report, source, options);
    if (client)
        use_client(report, client, connected, out);
    else
        skip_rest(report, "machine", "there are no credentials");
    ds_url_clear(&url);
}

/* How much a mount of all machines will ask at the most. */
static void tell_rate(struct ds_report *report, const struct ds_vcenter *vcenter)
{
    const struct ds_http_options *http = &vcenter->options;
    static const char advice[] = "leave -o rate= out, which means 200, or give a smaller number";
    if (!http->rate)
        ds_report_warn(report, "rate", advice,
                       "any number of requests a second, %u at once: a vCenter answers some %d a "
                       "second, and not for one user alone",
                       http->transfers, VCENTER_RATE);
    else if (http->rate > VCENTER_RATE / 2)
        ds_report_warn(report, "rate", advice,
                       "%u requests a second, %u at once: a vCenter answers some %d a second, and "
                       "not for one user alone",
                       http->rate, http->transfers, VCENTER_RATE);
    else
        ds_report_ok(report, "rate", "at most %u requests a second, %u at once", http->rate,
                     http->transfers);
}

void ds_server_examine(const char *source, const struct ds_source_options *options,
                       struct ds_report *report, struct ds_inventory **out)
{
    static const char what[] = "machines";
    char why[DS_WHY_BYTES];
    struct ds_url url;
    struct ds_source_options delayed = *options;
    struct ds_inventory *inventory;
    ds_report_ok(report, "library", "%s", ds_probe_library());
    int err = ds_url_parse_server(source, &url, why);
    if (err) {
        ds_report_fail(report, "URL", NULL, "%s", err == -EINVAL ? why : strerror(-err));
        return;
    }
    ds_report_ok(report, "URL", "%s, all its machines", url.base);
    bool connected = connect_server(report, &url, options);
    struct ds_call *call = report->call(report->context);
    ds_url_clear(&url);
    delayed.delay_connect = true;
    err = ds_server_open(source, &delayed, call, &inventory);
    if (err) {
        fail_opening(report, call, err);
        skip_rest(report, what, "there are no credentials");
        return;
    }
    tell_rate(report, ds_server_vcenter(inventory));
    if (!connected)
        skip_rest(report, what, "the server cannot be used");
    else if (!log_in(report, ds_server_vcenter(inventory)))
        ds_report_skip(report, what, "nobody is logged in");
    else {
        *out = inventory;
        return;
    }
    ds_inventory_free(inventory, report->call(report->context));
}
