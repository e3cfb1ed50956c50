/* UTF-8 as DataSets know it: RFC 3629 (no surrogates, no overlong forms) and without NUL. */
#ifndef DS_UTF8_H
#define DS_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length in bytes of the longest prefix of whole, valid code points. If the rest is the
 * beginning of a code point that merely ends too early, `*incomplete` is true (the next bytes may
 * complete it); otherwise the byte at the returned length can never be valid. `incomplete` may be
 * NULL. */
size_t ds_utf8_prefix(const char *data, size_t len, bool *incomplete);

/* True if all of it is valid. */
bool ds_utf8_valid(const char *data, size_t len);

#endif
