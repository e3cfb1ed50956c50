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
 *
 * One string or number that JSON does not allow must not hide all the others: if there are any, the
 * text with these mended goes to `out`, which is empty before; otherwise `out` stays so. Raw
 * control characters, which older hosts send, are escaped. A byte that is not UTF-8, a lone
 * surrogate or a NUL becomes \u0000, so that a string that is no text is known by its NUL, or in an
 * object's member name, where that cannot be, U+FFFD. A number too large becomes one that is not,
 * and still larger than any that means something. -ENOMEM. */
int ds_json_text_clean(const char *text, size_t len, struct ds_buf *out);

#endif
