/* What the parts of the REST client share: one virtual machine behind one server. */
#ifndef DS_REST_STORE_H
#define DS_REST_STORE_H

#include "../base/turns.h"
#include "client.h"
#include "ids.h"
#include "session.h"
#include "url.h"

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

#endif
