/* What a store file needs to be of use. */
#ifndef DS_LOCAL_EXAMINE_H
#define DS_LOCAL_EXAMINE_H

#include "../base/report.h"
#include "client.h"
#include "inventory.h"

/* Looks at the file, who owns it and who else may use it, what is in it, and the room around it;
 * tells what it finds. As ds_source_examine() in source.h. */
void ds_local_examine(const char *file, const struct ds_source_options *options,
                      struct ds_report *report, struct ds_client **out);

/* Looks at the directory `path`, "…/", and whether each store file in it can be read. As
 * ds_inventory_examine(). */
void ds_directory_examine(const char *path, const struct ds_source_options *options,
                          struct ds_report *report, struct ds_inventory **out);

/* SQLite and its version, in words. */
const char *ds_local_library(void);

#endif
