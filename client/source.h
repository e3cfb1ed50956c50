/* What source.c does for commands only. */
#ifndef DS_SOURCE_H
#define DS_SOURCE_H

#include "base/report.h"
#include "client.h"
#include "inventory.h"

/* Looks, step by step, at all that a checked source needs, and tells what it finds. If the store
 * can be asked further, its client is new in `*out`, else that stays as it is. Nothing is changed;
 * a local store is opened as options->read_only says. */
void ds_source_examine(const char *source, const struct ds_source_options *options,
                       struct ds_report *report, struct ds_client **out);

/* The same for the SOURCE of an inventory. */
void ds_inventory_examine(const char *source, const struct ds_source_options *options,
                          struct ds_report *report, struct ds_inventory **out);

#endif
