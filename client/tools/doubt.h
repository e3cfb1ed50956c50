/* What "invalid argument" means, where the host's words leave it open: perhaps that there is no
 * such key or DataSet. */
#ifndef DS_TOOLS_DOUBT_H
#define DS_TOOLS_DOUBT_H

#include "commands.h"

/* Looks at the lists before `err` of a request about `dataset` is believed to be -EINVAL. -ENOENT
 * if the host lists no such DataSet, or no such `key` in it (NULL: the key is not in question);
 * else `err` with its words. Other errors than -EINVAL it returns at once. */
int ds_doubt_settle(struct ds_tools *tools, struct ds_call *call, const char *dataset,
                    const char *key, int err);

bool ds_doubt_has(const struct ds_names *names, const char *name);

#endif
