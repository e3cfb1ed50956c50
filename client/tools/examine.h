/* What the guest's side needs to be of use. */
#ifndef DS_TOOLS_EXAMINE_H
#define DS_TOOLS_EXAMINE_H

#include "../base/report.h"
#include "tools.h"

/* Looks at the hypervisor, VMware Tools, AF_VSOCK, the port, and what answers behind the channel;
 * tells what it finds. `way` and `path` as ds_tools_open(), the rest as ds_source_examine() in
 * source.h. */
void ds_tools_examine(enum ds_tools_way way, const char *path,
                      const struct ds_source_options *options, struct ds_report *report,
                      struct ds_client **out);

#endif
