/* How far a connection to the server gets. */
#include "probe.h"

#include "curl_compat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* libcurl asks at least once a second; nonzero ends the transfer. */
static int look_at_call(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total,
                        curl_off_t up_now)
{
    (void)total;
    (void)now;
    (void)up_total;
    (void)up_now;
    return ds_call_check(user) != 0;
}

static CURLcode set_options(CURL *easy, const char *base, struct ds_call *call, char *error)
{
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        {CURLOPT_CONNECT_ONLY, 1},
        {CURLOPT_CERTINFO, 1},
        {CURLOPT_SSL_VERIFYPEER, 0}, /* who signed it is another question; nothing is sent */
        {CURLOPT_SSL_VERIFYHOST, 0},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_NOPROGRESS, 0},
        {CURLOPT_TIMEOUT_MS, ds_call_left_ms(call)},
        {CURLOPT_CONNECTTIMEOUT_MS, ds_call_left_ms(call)},
    };
    CURLcode code = curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
    if (!code)
        code = curl_easy_setopt(easy, CURLOPT_URL, base);
    if (!code)
        code = curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, look_at_call);
    if (!code)
        code = curl_easy_setopt(easy, CURLOPT_XFERINFODATA, call);
    /* A name server that hangs is not waited for in the end, where libcurl knows how. */
    if (!code)
        curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && !code; i++)
        code = curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
    return code;
}

/* What stands behind "NAME:" in one of the lines, or an empty text. */
static void find_line(const struct curl_slist *lines, const char *name, char *out, size_t size)
{
    size_t len = strlen(name);
    *out = '\0';
    for (; lines && !*out; lines = lines->next)
        if (!strncasecmp(lines->data, name, len) && lines->data[len] == ':')
            snprintf(out, size, "%s", lines->data + len + 1);
}

/* The server's own certificate is the first one. */
static void read_certificate(CURL *easy, struct ds_probe *out)
{
    struct curl_certinfo *chain = NULL;
    char until[64];
    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) || !chain || !chain->num_of_certs)
        return;
    find_line(chain->certinfo[0], "Subject", out->subject, sizeof out->subject);
    find_line(chain->certinfo[0], "Issuer", out->issuer, sizeof out->issuer);
    find_line(chain->certinfo[0], "Expire date", until, sizeof until);
    time_t time = curl_getdate(until, NULL);
    out->until = time > 0 ? time : 0;
}

static void read_address(CURL *easy, struct ds_probe *out)
{
    const char *ip = NULL;
    long port = 0;
    if (!curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &ip) && ip && *ip &&
        !curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port))
        snprintf(out->address, sizeof out->address, "%.46s port %ld", ip, port);
}

/* The step that was under way when time was over. */
static enum ds_probe_step last_step(CURL *easy)
{
    curl_off_t name = 0;
    curl_off_t tcp = 0;
    curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &name);
    curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &tcp);
    return tcp ? DS_PROBE_TLS : name ? DS_PROBE_TCP : DS_PROBE_NAME;
}

static enum ds_probe_step step_of(CURL *easy, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return DS_PROBE_NONE;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return DS_PROBE_NAME;
    case CURLE_COULDNT_CONNECT:
        return DS_PROBE_TCP;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_ABORTED_BY_CALLBACK:
        return last_step(easy);
    default:
        return DS_PROBE_TLS;
    }
}

static void read_outcome(CURL *easy, CURLcode code, const char *error, struct ds_probe *out)
{
    const char *words = *error ? error : curl_easy_strerror(code);
    out->failed = step_of(easy, code);
    /* Those about a proxy hold its URL, and that may hold a password. */
    if (strchr(words, '@'))
        words = "see $https_proxy (its words are not repeated here)";
    if (code)
        snprintf(out->words, sizeof out->words, "%s", words);
    read_address(easy, out);
    read_certificate(easy, out);
}

int ds_probe_run(const char *base, struct ds_call *call, struct ds_probe *out)
{
    char error[CURL_ERROR_SIZE] = "";
    CURL *easy = curl_easy_init();
    if (!easy)
        return -ENOMEM;
    *out = (struct ds_probe){0};
    CURLcode code = set_options(easy, base, call, error);
    if (!code)
        code = curl_easy_perform(easy);
    read_outcome(easy, code, error, out);
    curl_easy_cleanup(easy);
    if (code == CURLE_OUT_OF_MEMORY)
        return -ENOMEM;
    if (code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_OPERATION_TIMEDOUT)
        snprintf(out->words, sizeof out->words, "no answer within the time limit");
    return code == CURLE_ABORTED_BY_CALLBACK && ds_call_check(call) == -EINTR ? -EINTR : 0;
}

const char *ds_probe_library(void)
{
    static char words[128];
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    snprintf(words, sizeof words, "libcurl %s, %s", info->version,
             info->ssl_version ? info->ssl_version : "without TLS");
    return words;
}
