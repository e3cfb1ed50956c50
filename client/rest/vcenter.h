/* One vCenter, whichever of its machines are asked for: the server, how it is spoken to, and the
 * one session with it. */
#ifndef DS_REST_VCENTER_H
#define DS_REST_VCENTER_H

#include "client.h"
#include "session.h"
#include "url.h"

struct ds_vcenter {
    char *base;                     /* "https://HOST[:PORT]", owned */
    char *cacert;                   /* owned, as `pin`; `options` points to both */
    char *pin;                      /* NULL: not given */
    struct ds_http_options options; /* constant */
    struct ds_http *http;
    struct ds_session *session;
    bool opened; /* somebody uses it: what ends badly is worth a line in the log */
};

/* Reads the credentials and starts the thread of transfers; nothing is sent yet. Afterwards the
 * process leaves no core file (secret.h). Relative names of files are looked up now. Errors of
 * ds_session_new(); of the file `cacert`; with words. */
int ds_vcenter_new(const struct ds_url *url, const struct ds_source_options *options,
                   struct ds_call *call, struct ds_vcenter **out);

/* Logs out, bounded by `call`, and ends all connections. Harmless on NULL. */
void ds_vcenter_free(struct ds_vcenter *vcenter, struct ds_call *call);

/* The same after opening has failed with `call`, whose time may be over: a session that has been
 * made must not stay. */
void ds_vcenter_abandon(struct ds_vcenter *vcenter, const struct ds_call *call);

/* What the client of a machine there can do. */
struct ds_caps ds_vcenter_caps(const struct ds_vcenter *vcenter);

#endif
