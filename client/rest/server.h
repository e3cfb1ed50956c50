/* The inventory "rest": the machines of a vCenter. */
#ifndef DS_REST_SERVER_H
#define DS_REST_SERVER_H

#include "inventory.h"
#include "vcenter.h"

/* Opens the inventory of a checked https://HOST: reads the credentials and, unless
 * options->delay_connect, logs in and asks for machines once. Errors as ds_rest_open() in rest.h
 * and ds_scope_get(). */
int ds_server_open(const char *source, const struct ds_source_options *options,
                   struct ds_call *call, struct ds_inventory **out);

/* The vCenter of such an inventory, which it belongs to. */
const struct ds_vcenter *ds_server_vcenter(const struct ds_inventory *inventory);

#endif
