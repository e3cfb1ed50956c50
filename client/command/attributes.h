/* A DataSet's attributes as JSON. */
#ifndef DS_ATTRIBUTES_H
#define DS_ATTRIBUTES_H

#include "dataset.h"

#include <jansson.h>

/* An object with "name" (if not NULL) and what is known of the others (dataset.h); NULL when there
 * is no memory. */
json_t *ds_attributes_object(const char *name, const struct ds_attributes *attributes);

#endif
