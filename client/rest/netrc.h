/* The format of ~/.netrc, as curl and ftp read it; pure. */
#ifndef DS_REST_NETRC_H
#define DS_REST_NETRC_H

#include "login.h"

#include <stddef.h>

/* Finds the first entry for `host`, or the default one, that has both a login and a password.
 * `text`, which ends with a NUL behind `len` bytes, is cut up. A word in double quotes may have
 * blanks, and \n, \r, \t and \ before what stands for itself; a "#" where no value is expected
 * begins a comment. -ENODATA there is none; -EINVAL a quote without its end, a value that is too
 * long, or a NUL: then
 * `*line` is its line. `found` changes also on failure. */
int ds_netrc_find(char *text, size_t len, const char *host, struct ds_login *found, unsigned *line);

#endif
