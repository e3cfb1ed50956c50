/* What commands print on standard output. What could not be written is found out at the end
 * (session.h). */
#ifndef DS_PRINT_H
#define DS_PRINT_H

#include "dataset.h"
#include "session.h"

#include <jansson.h>

/* Names of DataSets, or keys if `keys`, in their order: a line each as a mount shows them, or raw
 * with --json or -0. 0 or -ENOMEM. */
int ds_print_names(const struct ds_session *session, const struct ds_names *names, bool keys);

/* A document, indented, and a newline. 0 or -ENOMEM. */
int ds_print_json(const json_t *json);

/* Adds the entry's key and value to an object. 0 or -ENOMEM. */
int ds_print_add(json_t *object, const struct ds_entry *entry);

/* Bytes, and a NUL behind them. */
void ds_print_nul(const char *data, size_t len);

/* Exactly these bytes. */
void ds_print_bytes(const char *data, size_t len);

#endif
