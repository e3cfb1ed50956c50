/* The JSON arguments of the tools channel's commands; pure. */
#ifndef DS_TOOLS_JSON_H
#define DS_TOOLS_JSON_H

#include "dataset.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes that `len` bytes of `text` take between the quotes of a JSON string of ours. */
size_t ds_tools_json_size(const char *text, size_t len);

/* The length of the longest prefix of `text` (valid UTF-8) that takes at most `room` bytes there
 * and does not end inside a code point. */
size_t ds_tools_json_fit(const char *text, size_t len, size_t room);

/* Each appends a whole argument to `out`. `context` is what the last reply gave, or NULL. 0 or
 * -ENOMEM.
 *
 * {"dataset":D} of query and list-keys; `dataset` is NULL for list, which takes a context only. */
int ds_tools_json_dataset(struct ds_buf *out, const char *dataset, const char *context);

/* {"dataset":D,"keys":[…]} of get-entry and delete-entry. */
int ds_tools_json_keys(struct ds_buf *out, const char *dataset, const char *const *keys,
                       size_t count, const char *context);

/* {"dataset":D,"entries":[{"key":K,"value":V}]} of set-entry, with "append":true if asked for. The
 * value has no NUL. */
int ds_tools_json_entry(struct ds_buf *out, const char *dataset, const char *key, const char *value,
                        size_t len, bool append);

/* The same with the first of these pairs, as many as a text of `most` bytes holds; `*taken` says
 * how many. Their values have no NUL. Nothing is appended if there are none. */
int ds_tools_json_pairs(struct ds_buf *out, const char *dataset, const struct ds_pair *pairs,
                        size_t count, size_t most, size_t *taken);

#endif
