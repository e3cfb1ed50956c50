/* Whether all of a reply's status line and headers has come. Where the connection ends inside of
 * them libcurl may tell of no failure, and of the status that it has read. */
#ifndef DS_REST_REPLY_HEAD_H
#define DS_REST_REPLY_HEAD_H

#include <stdbool.h>
#include <stddef.h>

/* Zeroed when the request begins. */
struct ds_reply_head {
    bool whole;
};

/* CURLOPT_HEADERFUNCTION, whose CURLOPT_HEADERDATA is a struct ds_reply_head: a line of the head,
 * or of a trailer. Returns `size` times `count`. */
size_t ds_reply_head_take(char *line, size_t size, size_t count, void *head);

#endif
