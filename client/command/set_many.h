/* Many keys at once, from a JSON object. */
#ifndef DS_SET_MANY_H
#define DS_SET_MANY_H

#include "session.h"

#include <jansson.h>
#include <stddef.h>

/* DS_STATUS_OK if each member can be an entry of that DataSet. Otherwise the first that cannot is
 * told, as one of `where`. */
enum ds_status ds_set_many_check(const char *where, const char *dataset, const json_t *object);

/* Sets them in the order of the object, in as few requests as the store allows, and counts in
 * `*done` (may be NULL) those that are. When it fails, which is told, those before stand there. */
enum ds_status ds_set_many(struct ds_session *session, const char *dataset, const json_t *object,
                           size_t *done);

#endif
