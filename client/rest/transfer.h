/* One transfer: what libcurl is told of a request, and what its end means. Only for http.c's
 * thread. */
#ifndef DS_REST_TRANSFER_H
#define DS_REST_TRANSFER_H

#include "departure.h"
#include "http_request.h"
#include "reply_head.h"
#include "secret.h"

#include <curl/curl.h>

struct ds_transfer {
    CURL *easy;
    struct ds_http_request *request; /* NULL: idle */
    struct ds_call *call;
    void *owner; /* of http.c */
    struct curl_slist *headers;
    struct ds_departure departure;
    struct ds_reply_head head;
    struct ds_transfer *next; /* of http.c */
    char error[CURL_ERROR_SIZE];
    struct ds_secret_memory memory; /* as it was when the transfer began */
    bool large;                     /* the reply was over its bound */
    bool suspect;                   /* ds_transfer_suspect() */
};

/* A new idle transfer, or NULL. ds_transfer_free() is harmless on NULL. */
struct ds_transfer *ds_transfer_new(void);
void ds_transfer_free(struct ds_transfer *transfer);

/* Makes the transfer ready to be run, on a new connection if `fresh` or the request wants that. 0;
 * -ENOMEM; -EIO libcurl does not take an option: then the request has that result, nothing of it is
 * sent, and the transfer is idle again. */
int ds_transfer_begin(struct ds_transfer *transfer, const struct ds_http_options *options,
                      struct ds_http_request *request, struct ds_call *call, bool fresh);

/* Its connection is not used again once this and all other transfers on it have ended. Sets
 * `suspect` if libcurl takes that. */
void ds_transfer_suspect(struct ds_transfer *transfer);

/* Gives the request its result and makes the transfer idle; libcurl no longer runs it. `code` is
 * how libcurl ended. */
void ds_transfer_end(struct ds_transfer *transfer, const struct ds_http_options *options,
                     CURLcode code);

/* The same for one that was taken away from libcurl: `error` and words. */
void ds_transfer_abort(struct ds_transfer *transfer, int error, const char *words);

#endif
