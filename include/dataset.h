/* The data model of vSphere DataSets: access, attributes, entries and their published limits. */
#ifndef DS_DATASET_H
#define DS_DATASET_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits of a virtual machine's DataSets, from VMware's "Data Sets" documentation for vSphere 8.0.
 * Strings are UTF-8 without NUL; lengths are bytes. */
#define DS_KEY_MAX_BYTES 4096
#define DS_VALUE_MAX_BYTES (1024 * 1024)
#define DS_DESCRIPTION_MAX_BYTES 1024
/* "100 MB of entries per VM", read as decimal: what fits here fits under either reading. */
#define DS_TOTAL_MAX_BYTES 100000000ULL
/* No limit of a DataSet's name is published; ours is a key's, so that nothing unbounded is stored.
 */
#define DS_NAME_MAX_BYTES DS_KEY_MAX_BYTES
/* The first version of a virtual machine's hardware that has DataSets, vmx-20. */
#define DS_HARDWARE_MIN 20

/* Whose eyes a mount sees through. */
enum ds_side { DS_SIDE_HOST, DS_SIDE_GUEST };

/* What a side may do with the *entries* of a DataSet. UNKNOWN: the store did not say. In an update
 * it means "leave as it is". */
enum ds_access { DS_ACCESS_UNKNOWN, DS_ACCESS_NONE, DS_ACCESS_READ_ONLY, DS_ACCESS_READ_WRITE };

/* A boolean that may be missing. In an update UNKNOWN means "leave as it is". */
enum ds_flag { DS_FLAG_UNKNOWN, DS_FLAG_OFF, DS_FLAG_ON };

/* A DataSet's attributes. Also used for create and update, where NULL and UNKNOWN mean "not given"
 * (create: empty, READ_WRITE, READ_WRITE, OFF; update: unchanged) and `used_bytes` is ignored. */
struct ds_attributes {
    char *description; /* owned; NULL if not known or not given */
    enum ds_access host;
    enum ds_access guest;
    enum ds_flag omit_from_snapshot_and_clone;
    bool used_known;
    uint64_t used_bytes; /* bytes of all keys and values */
};

/* A list of DataSet names or of keys, in the store's order. A name that is taken out of it leaves
 * its bytes there until the list is cleared. */
struct ds_names {
    char **names; /* owned; the bytes are in the blocks */
    struct ds_names_block *blocks;
    size_t count;
    size_t capacity;
    size_t left_out; /* names that the store has told besides, and that nothing can have: no text,
                      * or too long */
};

/* One key of a get with many keys. */
struct ds_entry {
    const char *key;     /* in: borrowed */
    int error;           /* out: 0 or this key's own negative errno */
    struct ds_buf value; /* out: owned by the caller; empty unless error is 0 */
};

/* One key of a set with many keys. */
struct ds_pair {
    const char *key;  /* borrowed, as the data */
    const char *data; /* may be NULL when `len` is 0 */
    size_t len;       /* bytes */
    int error;        /* for who sets many, between client/checked and a store */
};

/* "NONE", "READ_ONLY", "READ_WRITE" or, for UNKNOWN, "UNKNOWN". */
const char *ds_access_name(enum ds_access access);

/* The access that `word` names, in any case of letters; UNKNOWN when it names none. */
enum ds_access ds_access_parse(const char *word);

/* The access that `attributes` give to the entries for `side`. */
enum ds_access ds_attributes_access(const struct ds_attributes *attributes, enum ds_side side);

/* Copies deeply. 0 or -ENOMEM, then `to` is unchanged. */
int ds_attributes_copy(struct ds_attributes *to, const struct ds_attributes *from);

/* Frees what the attributes own and zeroes them. Harmless on zeroed ones. */
void ds_attributes_clear(struct ds_attributes *attributes);

/* Appends a JSON object with "name" (if not NULL) and all known attributes to `out`, ending in "}"
 * without a newline; the members are name, description, host, guest, used and
 * omit_from_snapshot_and_clone as vCenter's REST interface spells them. 0 or -ENOMEM. */
int ds_attributes_to_json(const char *name, const struct ds_attributes *attributes,
                          struct ds_buf *out);

/* Reads one complete JSON object with any of description, host, guest and
 * omit_from_snapshot_and_clone into `out` (overwritten on success only; the caller clears it).
 * -EINVAL: not one JSON object, an unknown or repeated member, or a value of the wrong kind or
 * word; `why` (at least DS_WHY_BYTES) then says in one line which and what would be right.
 * -ENOMEM. */
#define DS_WHY_BYTES 160
int ds_attributes_from_json(const char *json, size_t len, struct ds_attributes *out, char *why);

/* Appends a copy of `name`. 0 or -ENOMEM. */
int ds_names_add(struct ds_names *list, const char *name);

/* Frees the list's content and zeroes it. Harmless on a zeroed one. */
void ds_names_clear(struct ds_names *list);

#endif
