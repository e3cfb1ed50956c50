/* The inventory "local": the store files in a directory. */
#ifndef DS_LOCAL_DIRECTORY_H
#define DS_LOCAL_DIRECTORY_H

#include "confine.h"
#include "inventory.h"

/* Opens the inventory of the files in the directory `path`, "…/", whose names end in ".db": what
 * stands before that is the machine's name, and its id. `options` are those of ds_inventory_open().
 * -ENOENT, -ENOTDIR, -EACCES, … of the directory, with words; -ENOMEM. */
int ds_directory_open(const char *path, const struct ds_source_options *options,
                      struct ds_call *call, struct ds_inventory **out);

/* As ds_source_prepare(), for a directory and for where links lead that are stores in it. */
int ds_directory_prepare(const char *path, bool read_only, struct ds_confine *confine);

#endif
