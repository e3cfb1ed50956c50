/* Machines by the folders that they are in: another division than that by what they are on. */
#ifndef DS_REST_BY_FOLDER_H
#define DS_REST_BY_FOLDER_H

#include "scope.h"

/* Adds the machines of the query `at` of the scope to `out`, by folders, many of them in one
 * request. `*done` is false if that cannot be, and then only some have been added: there are no
 * folders that this user may see, more than vCenter lists, or too many machines in one. Errors of
 * ds_fetch_run(). */
int ds_by_folder_ask(const struct ds_fetcher *fetcher, const struct ds_scope *scope, size_t at,
                     struct ds_machines *out, bool *done);

#endif
