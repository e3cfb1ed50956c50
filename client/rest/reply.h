/* What a reply means: an errno with words, or that it is the answer it should be. */
#ifndef DS_REST_REPLY_H
#define DS_REST_REPLY_H

#include "http.h"

/* 0 if the request was answered and succeeded. Else its error, with words in the call: what
 * http.h says, what vCenter's error type or status means (error.h), or -EPROTO for an answer that
 * no vCenter gives. Puts the wish of Retry-After into the call, unless a longer one is there. A
 * gateway that gives up after a change has left leaves it in doubt: DS_SENT_MAYBE. */
int ds_reply_check(const struct ds_http_request *request, struct ds_call *call);

/* The same for a change, whose success has an empty body, or JSON that says nothing unless it is
 * one that `tells` something: the value or the list of somebody's GET is no proof of a PUT. */
int ds_reply_check_change(const struct ds_http_request *request, struct ds_call *call, bool tells);

/* True if a failure says in vCenter's own way what it is. */
bool ds_reply_is_typed(const struct ds_http_request *request);

/* -EPROTO with words for a body that is not what it should be. */
int ds_reply_not_understood(const struct ds_http_request *request, struct ds_call *call);

#endif
