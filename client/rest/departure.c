/* The moment when a request leaves, as libcurl tells it, or as it can be seen where that does not.
 */
#include "departure.h"

#include "curl_compat.h"

static void begin(struct ds_departure *departure)
{
    departure->begun = true;
    ds_call_set_sent(departure->call, DS_SENT_MAYBE);
}

/* libcurl is connected and about to send. */
/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's type */
static int before_request(void *user, char *to_ip, char *from_ip, int to_port, int from_port)
{
    struct ds_departure *departure = user;
    (void)to_ip;
    (void)from_ip;
    (void)to_port;
    (void)from_port;
    if (departure->begun)
        return CURL_PREREQFUNC_ABORT;
    begin(departure);
    return CURL_PREREQFUNC_OK;
}

/* True once the connection is there, with its TLS: a new one when that is done, one that was there
 * before when its address is known. */
static bool is_connected(const struct ds_departure *departure)
{
    curl_off_t tls_us = 0;
    long port = 0;
    if (departure->opened)
        return !curl_easy_getinfo(departure->easy, CURLINFO_APPCONNECT_TIME_T, &tls_us) &&
               tls_us > 0;
    return !curl_easy_getinfo(departure->easy, CURLINFO_PRIMARY_PORT, &port) && port > 0;
}

/* Before 7.80 libcurl tells nobody that it is about to send. But it calls this one between any two
 * of its steps, of which connecting is one and sending the next. Should it begin from the start
 * after that, it finds no connection that it may use, and opens no other one. */
static int between_steps(void *user, curl_off_t to_come, curl_off_t came, curl_off_t to_go,
                         curl_off_t went)
{
    struct ds_departure *departure = user;
    (void)to_come;
    (void)came;
    (void)to_go;
    (void)went;
    if (departure->begun || !is_connected(departure))
        return 0;
    begin(departure);
    return curl_easy_setopt(departure->easy, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK ? 0 : 1;
}

static CURLcode watch_steps(struct ds_departure *departure)
{
    CURLcode code = curl_easy_setopt(departure->easy, CURLOPT_XFERINFOFUNCTION, between_steps);
    if (!code)
        code = curl_easy_setopt(departure->easy, CURLOPT_XFERINFODATA, departure);
    if (!code)
        code = curl_easy_setopt(departure->easy, CURLOPT_NOPROGRESS, 0L);
    return code;
}

CURLcode ds_departure_watch(struct ds_departure *departure, CURL *easy, struct ds_call *call)
{
    *departure = (struct ds_departure){.easy = easy, .call = call, .told = true};
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    if (code == CURLE_UNKNOWN_OPTION) {
        departure->told = false;
        return watch_steps(departure);
    }
    return code ? code : curl_easy_setopt(easy, CURLOPT_PREREQDATA, departure);
}

bool ds_departure_may_open(struct ds_departure *departure)
{
    if (departure->told)
        return true;
    departure->opened = true;
    return !departure->begun;
}
