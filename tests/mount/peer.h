/* Somebody else at the same store: looks at its true content and changes it from outside, through
 * the client library and not through a mount. Each call fails the test if the store refuses.
 * Entries are reached from whichever side the DataSet's access lets in. */
#ifndef PEER_H
#define PEER_H

#include "client.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A client of the running test's store, opened when first needed. */
struct ds_client *peer_client(enum ds_side side);

/* Closes the clients. Harmless when there are none. */
void peer_close(void);

void peer_create(const char *dataset, enum ds_access host, enum ds_access guest);
void peer_destroy(const char *dataset);
void peer_update(const char *dataset, const struct ds_attributes *change);
void peer_access(const char *dataset, enum ds_access host, enum ds_access guest);

/* Overwrites `*out`, which the caller clears; false if there is no such DataSet. */
bool peer_query(const char *dataset, struct ds_attributes *out);

void peer_set(const char *dataset, const char *key, const char *value);
void peer_remove(const char *dataset, const char *key);

/* True if the key's value is exactly this text; false also if there is no such key. */
bool peer_has(const char *dataset, const char *key, const char *value);

/* True if there is no such key. */
bool peer_lacks(const char *dataset, const char *key);

/* A copy of the value for the caller to free, NULL if there is none. */
char *peer_get(const char *dataset, const char *key);

/* Number of keys. */
size_t peer_keys(const char *dataset);

/* Like peer_has(), but says what was there instead. */
#define assert_store(dataset, key, value) peer_assert_store(dataset, key, value, __FILE__, __LINE__)
void peer_assert_store(const char *dataset, const char *key, const char *value, const char *file,
                       int line);

#define assert_not_in_store(dataset, key) assert_true(peer_lacks(dataset, key))

/* A store that does not answer: holds the file's write lock, as a hanging peer would. */
void peer_block(void);
void peer_unblock(void);

#endif
