/* What the host's side needs to be of use. */
#ifndef DS_REST_EXAMINE_H
#define DS_REST_EXAMINE_H

#include "../base/report.h"
#include "client.h"
#include "inventory.h"

/* Looks at the URL, the server's name, TCP, TLS, the certificate, the login, the machine, its power
 * state and its hardware; tells what it finds. As ds_source_examine() in source.h. */
void ds_rest_examine(const char *source, const struct ds_source_options *options,
                     struct ds_report *report, struct ds_client **out);

/* The same up to the login, and the bound of requests a second, for https://HOST. As
 * ds_inventory_examine(). */
void ds_server_examine(const char *source, const struct ds_source_options *options,
                       struct ds_report *report, struct ds_inventory **out);

#endif
