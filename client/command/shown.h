/* How a DataSet and a key are named to people: as a mount shows them. */
#ifndef DS_SHOWN_H
#define DS_SHOWN_H

#include "file_name.h"

#define DS_SHOWN_BYTES (2 * DS_FILE_NAME_MAX_BYTES + 2)

/* DATASET/KEY, or DATASET if `key` is NULL, in `out`, which is returned. */
const char *ds_shown(const char *dataset, const char *key, char out[DS_SHOWN_BYTES]);

#endif
