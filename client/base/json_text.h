/* What JSON text is looked at for before it is parsed; pure. */
#ifndef DS_BASE_JSON_TEXT_H
#define DS_BASE_JSON_TEXT_H

#include "buf.h"

#include <stddef.h>

/* Over the channel and over REST a reply holds a value of 1 MiB, whose every character may be
 * escaped sixfold; vCenter caps a reply at about 7 MB. */
#define DS_JSON_TEXT_MAX_BYTES (8u * 1024 * 1024)
/* A reply has a list of objects at the most; what follows is another kind of text. */
#define DS_JSON_TEXT_MAX_DEPTH 16
/* A reply is about 1 MiB, and nothing in a list takes less than three bytes (`"",`). */
#define DS_JSON_TEXT_MAX_ELEMENTS (512u * 1024)

/* Checks that `text` is not longer than DS_JSON_TEXT_MAX_BYTES, not nested deeper and has not
 * more elements than the limits above, so that parsing it takes bounded memory and stack: -EPROTO.
 * If it has control characters inside strings, which JSON forbids and older hosts send, the text
 * with these escaped goes to `out`, which is empty before; otherwise `out` stays so. -ENOMEM. */
int ds_json_text_clean(const char *text, size_t len, struct ds_buf *out);

#endif
