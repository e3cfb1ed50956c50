/* Reading JSON that others have sent. Knows jansson. */
#ifndef DS_BASE_JSON_LOAD_H
#define DS_BASE_JSON_LOAD_H

#include "dataset.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Parses the text with these flags of jansson. -EPROTO, and `*fault` says why; -ENOMEM, also where
 * jansson itself takes the lack for a fault of the text or goes on without what it had no room for.
 * `*out` is new. */
int ds_json_parse(const char *text, size_t len, size_t flags, json_error_t *fault, json_t **out);

/* The same for what ds_json_text_clean() (json_text.h) makes of the text. Few long texts are read
 * at a time, others wait. */
int ds_json_load(const char *text, size_t len, size_t flags, json_t **out);

/* True for a string that is text: UTF-8 without NUL. */
bool ds_json_is_text(const json_t *json);

/* What of a string can be shown, copied to `to`, cut between code points; empty for all else. What
 * is no text in it becomes '?', and so does what a terminal would obey (text.h). */
void ds_json_copy_words(const json_t *json, char *to, size_t size);

/* A copy of a string, with U+FFFD for what is no text in it. 0 or -ENOMEM. */
int ds_json_copy_description(const json_t *string, char **out);

/* The member "used": a number, or a string that is one. Unknown if it is below 0 or larger than any
 * machine's. */
void ds_json_read_used(const json_t *json, struct ds_attributes *out);

#endif
