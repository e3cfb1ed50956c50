/* One vCenter. */
#include "vcenter.h"

#include "../base/path.h"
#include "log.h"
#include "secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRANSFERS_DEFAULT = 24, TRANSFERS_MAX = 64 };
/* A get of that many keys takes about ten times the store's latency: long enough to keep the
 * connections busy, short enough for a deadline. */
enum { BATCH_KEYS = 256 };
/* What a logout may take at least when opening has failed. */
enum { LOGOUT_MIN_MS = 2000 };

static int set_up_http(struct ds_vcenter *vcenter, const struct ds_url *url,
                       const struct ds_source_options *options, struct ds_call *call)
{
    struct ds_http_options *http = &vcenter->options;
    if (options->cacert) {
        vcenter->cacert = ds_path_absolute(options->cacert);
        if (!vcenter->cacert || access(vcenter->cacert, R_OK) != 0)
            return ds_call_fail(call, -errno, "cacert %.150s: %s", options->cacert,
                                strerror(errno));
    }
    if (options->pin && !(vcenter->pin = strdup(options->pin)))
        return -ENOMEM;
    http->cacert = vcenter->cacert;
    http->pin = vcenter->pin;
    http->insecure = options->insecure;
    http->transfers = options->transfers ? options->transfers : TRANSFERS_DEFAULT;
    if (http->transfers > TRANSFERS_MAX)
        http->transfers = TRANSFERS_MAX;
    http->rate = options->rate;
    if (http->insecure)
        ds_log(DS_LOG_WARNING,
               "insecure: the certificate of %s is not verified, so anybody on the way can read "
               "the password and change what is stored",
               url->host);
    return ds_http_new(http, &vcenter->http);
}

int ds_vcenter_new(const struct ds_url *url, const struct ds_source_options *options,
                   struct ds_call *call, struct ds_vcenter **out)
{
    int err = ds_secret_protect_process();
    if (err)
        return err;
    struct ds_vcenter *vcenter = calloc(1, sizeof *vcenter);
    if (!vcenter)
        return -ENOMEM;
    vcenter->base = strdup(url->base);
    err = vcenter->base ? set_up_http(vcenter, url, options, call) : -ENOMEM;
    if (!err)
        err = ds_session_new(vcenter->http, vcenter->base, url->host, options->credentials, call,
                             &vcenter->session);
    if (err)
        ds_vcenter_free(vcenter, NULL);
    else
        *out = vcenter;
    return err;
}

void ds_vcenter_free(struct ds_vcenter *vcenter, struct ds_call *call)
{
    if (!vcenter)
        return;
    int err = ds_session_free(vcenter->session, call);
    if (err && vcenter->opened)
        ds_log(DS_LOG_WARNING, "the session could not be ended: %s", call->text);
    ds_http_free(vcenter->http);
    free(vcenter->base);
    free(vcenter->cacert);
    free(vcenter->pin);
    free(vcenter);
}

void ds_vcenter_abandon(struct ds_vcenter *vcenter, const struct ds_call *call)
{
    struct ds_call end;
    int left_ms = ds_call_left_ms(call);
    ds_call_init(&end, left_ms > LOGOUT_MIN_MS ? left_ms : LOGOUT_MIN_MS);
    ds_vcenter_free(vcenter, &end);
}

struct ds_caps ds_vcenter_caps(const struct ds_vcenter *vcenter)
{
    return (struct ds_caps){.side = DS_SIDE_HOST,
                            .can_create = true,
                            .batch_keys = BATCH_KEYS,
                            .parallel = vcenter->options.transfers};
}
