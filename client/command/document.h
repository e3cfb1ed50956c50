/* What export prints and import reads:
 *
 *   {"format": "datasetfs", "version": 1,
 *    "datasets": {NAME: {ATTRIBUTES…, "entries": {KEY: VALUE, …}}, …}}
 *
 * with the attributes as dataset.h spells them, as far as they are known. */
#ifndef DS_DOCUMENT_H
#define DS_DOCUMENT_H

#include "session.h"

#include <jansson.h>

#define DS_DOCUMENT_FORMAT "datasetfs"
#define DS_DOCUMENT_VERSION 1

/* A document without DataSets; NULL when there is no memory. */
json_t *ds_document_new(void);

/* The object of its DataSets, borrowed. */
json_t *ds_document_datasets(const json_t *document);

/* DS_STATUS_OK if all of it can be made. Otherwise the first fault is told, as one of `where`. */
enum ds_status ds_document_check(const char *where, const json_t *document);

/* The attributes of a checked document's DataSet; the caller clears them. 0 or -ENOMEM. */
int ds_document_attributes(const json_t *dataset, struct ds_attributes *out);

/* Its entries, borrowed. */
json_t *ds_document_entries(const json_t *dataset);

#endif
