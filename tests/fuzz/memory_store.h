/* A store in memory: a client whose DataSets are a JSON object, as in a document of export. What
 * cannot be a DataSet there or a value stands for one that fails. */
#ifndef MEMORY_STORE_H
#define MEMORY_STORE_H

#include "client.h"

#include <jansson.h>

/* What becomes of changes. */
enum memory_fault {
    MEMORY_FORBIDDEN,    /* -EACCES */
    MEMORY_FULL,         /* -ENOSPC */
    MEMORY_LOST_BEFORE,  /* it breaks, and the store has not heard of it */
    MEMORY_LOST_BETWEEN, /* it breaks when it has left, and is not done */
    MEMORY_LOST_AFTER,   /* it is done, and the answer is lost */
    MEMORY_FAULTS
};

struct memory_store {
    struct ds_client client; /* first, see client.h */
    json_t *datasets;        /* owned */
    enum memory_fault fault;
    size_t faults; /* so many of the next changes fail */
};

/* Made in place; takes the object. ds_client_free() frees it. */
void memory_store_begin(struct memory_store *store, enum ds_side side, bool can_append,
                        json_t *datasets_take);

/* The value, NULL if there is none, borrowed. */
const json_t *memory_store_value(const struct memory_store *store, const char *dataset,
                                 const char *key);

#endif
