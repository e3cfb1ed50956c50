/* What an import has to do, found out before anything is changed. */
#ifndef DS_IMPORT_PLAN_H
#define DS_IMPORT_PLAN_H

#include "session.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* For one DataSet, in this order. */
struct ds_import_step {
    const char *dataset;        /* borrowed from the document */
    bool creates;               /* it is made with these attributes: */
    struct ds_attributes begin; /* before the entries; what is UNKNOWN or NULL stays */
    json_t *sets;               /* the entries that are not there, or not so */
    struct ds_names removes;    /* the keys that the document does not have */
    struct ds_attributes end;   /* after all that */
};

struct ds_import_plan {
    struct ds_import_step *steps;
    size_t count;
    size_t sets; /* of all steps */
};

/* Compares a checked document with the store. What is there and would be changed or removed is
 * refused without --replace. The status; what went wrong is told. To be cleared in any case. */
enum ds_status ds_import_plan_make(struct ds_session *session, const json_t *document,
                                   struct ds_import_plan *plan);

void ds_import_plan_clear(struct ds_import_plan *plan);

/* True if there is anything to do to the attributes. */
bool ds_import_changes(const struct ds_attributes *attributes);

#endif
