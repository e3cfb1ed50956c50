/* The JSON of vCenter's REST interface, both ways; pure.
 *
 * Readers return 0; -EPROTO: not the JSON that such a reply is, not UTF-8, with NUL, or larger or
 * deeper than any is; -ENOMEM. Unknown and repeated members are tolerated, and so are raw control
 * characters inside strings. Outputs change on success only, unless it says otherwise. */
#ifndef DS_REST_JSON_H
#define DS_REST_JSON_H

#include "inventory.h"

#include <stdbool.h>
#include <stddef.h>

/* A JSON string, such as a value, a new DataSet's id or a session's token. */
int ds_rest_json_read_string(const char *text, size_t len, struct ds_buf *out);

/* The string behind the member "value" of an object: the legacy form of the same. */
int ds_rest_json_read_wrapped(const char *text, size_t len, struct ds_buf *out);

/* An array of strings: keys. What is no text in it is counted as left out. */
int ds_rest_json_read_keys(const char *text, size_t len, struct ds_names *out);

/* An array of objects with a name and an id, as pairs of one index. An object that has only one of
 * the two uses it for both; one whose name or id is no text is counted as left out of `names`.
 * `id_member` is "data_set" or "vm". */
int ds_rest_json_read_ids(const char *text, size_t len, const char *id_member,
                          struct ds_names *names, struct ds_names *ids);

/* An array of virtual machines, as their list tells of them: ids, names as they are meant
 * (vm_name.h) and power states, added to `out`. One whose name or id is no text is counted as left
 * out. After a failure some may have been added. */
int ds_rest_json_read_machines(const char *text, size_t len, struct ds_machines *out);

/* An object with a DataSet's attributes; what is missing or of another kind stays unknown, and a
 * description that is no text gets U+FFFD. */
int ds_rest_json_read_attributes(const char *text, size_t len, struct ds_attributes *out);

/* An object that describes a virtual machine: its power state, cut to `size`, and the number in its
 * hardware's version; empty and 0 if it does not tell. */
int ds_rest_json_read_machine(const char *text, size_t len, char *power, size_t size,
                              unsigned *version);

/* What a failed request says of itself, both body styles: what is not there is an empty string.
 * What a terminal would obey becomes '?'. 0 or -ENOMEM, and then nothing is there. */
struct ds_rest_fault {
    char type[96];
    char id[96]; /* of the first message */
    char message[160];
};
int ds_rest_json_read_fault(const char *text, size_t len, struct ds_rest_fault *out);

/* 0 if the text is empty, blank or one JSON text, as the body of a change's success is; null or {}
 * unless it is one that `tells` something. -EPROTO, -ENOMEM. */
int ds_rest_json_check(const char *text, size_t len, bool tells);

/* Appends `data`, which has no NUL, as a JSON string; the object that creates a DataSet; and the
 * one that changes what of `attributes` is given. 0 or -ENOMEM. */
int ds_rest_json_put_string(struct ds_buf *out, const char *data, size_t len);
int ds_rest_json_put_create(struct ds_buf *out, const char *name,
                            const struct ds_attributes *attributes);
int ds_rest_json_put_update(struct ds_buf *out, const struct ds_attributes *attributes);

#endif
