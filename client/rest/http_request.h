/* A request over HTTP and its reply, and what holds for all of them. */
#ifndef DS_REST_HTTP_REQUEST_H
#define DS_REST_HTTP_REQUEST_H

#include "buf.h"
#include "call.h"

#include <stdbool.h>
#include <stddef.h>

/* The bound of a reply's body, after decompression; one over it fails while it arrives. */
#define DS_HTTP_REPLY_MAX_BYTES (8u * 1024 * 1024)
#define DS_HTTP_TEXT_BYTES 200

/* Constant while the transfers last; borrowed. */
struct ds_http_options {
    const char *cacert; /* PEM file, absolute; NULL: the system's authorities */
    const char *pin;    /* as CURLOPT_PINNEDPUBLICKEY; NULL: none */
    bool insecure;      /* the certificate is not verified */
    unsigned transfers; /* so many run at once, at least 1; as many connections at the most */
    unsigned rate;      /* so many begin in a second at the most; 0: any number */
};

/* One request and its reply. */
struct ds_http_request {
    /* In, borrowed. */
    const char *method; /* "GET", … */
    const char *url;
    const char *secret_header; /* a whole header line, NULL: none; wiped when it has left */
    const char *body;          /* JSON; NULL: none */
    size_t body_len;
    bool empty_body; /* with "Content-Length: 0", for POST without a body */
    bool fresh; /* on a new connection: it is never worth a doubt whether an old one was open */
    const void
        *group;  /* those of one group never take all places; NULL: of none. Not looked into */
    bool change; /* once its first byte has left no cancellation ends it */

    /* Out. */
    int error;           /* 0: answered, with `status`; else a negative errno, with `text` */
    enum ds_sent sent;   /* how far it got */
    int status;          /* HTTP status */
    bool html;           /* the reply says that it is HTML */
    int retry_after_ms;  /* the server's wish; 0: none */
    struct ds_buf reply; /* body, the caller frees it */
    char text[DS_HTTP_TEXT_BYTES];
};

#endif
