/* What a SOURCE of the form https://HOST[:PORT]/VM says, and the parts of paths; pure. */
#ifndef DS_REST_URL_H
#define DS_REST_URL_H

#include "buf.h"

#include <stdbool.h>

struct ds_url {
    char *base;   /* "https://HOST[:PORT]", owned */
    char *host;   /* HOST, without the brackets of an IPv6 address, owned */
    char *vm;     /* percent-decoded, owned; NULL in a server's */
    bool by_name; /* `vm` is a name, not the id of a managed object */
};

/* Reads SOURCE. "vm-" and digits, once decoded, is an id, "name=" and text a name in any case, all
 * else a name. 0; -EINVAL with one line in `why` (DS_WHY_BYTES), which repeats nothing of what
 * could be a password; -ENOMEM. `out` is then unchanged; else ds_url_clear() frees it. */
int ds_url_parse(const char *source, struct ds_url *out, char *why);
void ds_url_clear(struct ds_url *url);

/* The same for a server's SOURCE, https://HOST[:PORT] with nothing behind it. */
int ds_url_parse_server(const char *source, struct ds_url *out, char *why);

/* False for what cannot be one segment of a path: without a key the path is the list's, and with
 * "." or ".." a proxy may make it the DataSet's or the machine's. So it may with these between
 * slashes or backslashes, encoded or not: nginx, for one, decodes "..%2F.." before it resolves it.
 */
bool ds_url_is_segment(const char *text);

/* Appends `text` as one segment of a path or one value of a query: all but RFC 3986's unreserved
 * characters percent-encoded, once. 0 or -ENOMEM. */
int ds_url_encode(struct ds_buf *out, const char *text);

/* Appends one parameter to a whole URL's query, which begins with the first one. `name` is taken as
 * it stands. 0 or -ENOMEM. */
int ds_url_add(struct ds_buf *url, const char *name, const char *value);

#endif
