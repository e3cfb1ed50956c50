/* The protocol "rest": DataSets from vCenter's side, over its REST interface. */
#ifndef DS_REST_REST_H
#define DS_REST_REST_H

#include "../base/turns.h"
#include "client.h"
#include "ids.h"
#include "session.h"
#include "url.h"

#define DS_REST_TRANSFERS 24
#define DS_REST_MAX_TRANSFERS 64

struct ds_rest {
    struct ds_client client;
    struct ds_url url;
    char *cacert; /* owned; `http_options` points to it */
    char *pin;
    struct ds_http_options http_options;
    struct ds_http *http;
    struct ds_session *session;
    struct ds_turns turn; /* who has it looks for the machine */
    _Atomic(char *) vm;   /* the managed object's id; NULL until it is known; the last of `vms` */
    struct ds_names vms;  /* ids that the machine has had; for whoever has the turn */
    _Atomic int64_t seen_ms; /* when an answer last proved that it is there */
    bool opened;             /* constant once other threads use the client */
    struct ds_ids ids;
};

/* Opens the client of a checked https:// SOURCE: reads the credentials and, unless
 * options->delay_connect, logs in, finds the virtual machine and lists its DataSets. Afterwards the
 * process leaves no core file (secret.h). Relative names of files are looked up now. Errors:
 * -EACCES no or refused credentials, or the privilege is missing; -EHOSTUNREACH no such host or
 * certificate; -ENODEV no such virtual machine; -EOPNOTSUPP the machine's hardware is too old; the
 * common ones of client.h. All with words for the user in call->text. */
int ds_rest_open(const char *source, const struct ds_source_options *options, struct ds_call *call,
                 struct ds_client **out);

#endif
