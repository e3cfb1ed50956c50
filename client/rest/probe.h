/* How far a connection to the server gets, and the certificate that it shows, whoever has signed
 * it. Nothing is sent but the greeting of TLS. */
#ifndef DS_REST_PROBE_H
#define DS_REST_PROBE_H

#include "call.h"

#include <stdbool.h>
#include <time.h>

/* The step that failed. */
enum ds_probe_step { DS_PROBE_NAME, DS_PROBE_TCP, DS_PROBE_TLS, DS_PROBE_NONE };

#define DS_PROBE_TEXT_BYTES 256

struct ds_probe {
    enum ds_probe_step failed;
    char words[DS_PROBE_TEXT_BYTES]; /* of the failure */
    char address[64];                /* of the server, or of the proxy; empty: not known */
    /* Of the certificate; empty and 0: not known. */
    char subject[DS_PROBE_TEXT_BYTES];
    char issuer[DS_PROBE_TEXT_BYTES];
    time_t until;
};

/* Connects to `base`, "https://HOST[:PORT]", as transfers do, within the call's time. 0 with all
 * that was found in `out`, which also tells of a failure; -EINTR; -ENOMEM. */
int ds_probe_run(const char *base, struct ds_call *call, struct ds_probe *out);

/* libcurl and what it does TLS with, in words. */
const char *ds_probe_library(void);

#endif
