/* The contract between the file system and a store: one VM's DataSets, seen from one side.
 *
 * fs/ calls the ds_client_*() functions below and nothing else; they are the only callers of the
 * vtable. A new protocol implements struct ds_client_ops and is known to client/source.c.
 *
 * Rules for every operation, on both levels:
 *  - It blocks until the store has answered, the call's deadline has come or the call is
 *    cancelled, and returns 0 or a negative errno; a failure leaves out-parameters unchanged and,
 *    unless it is a plain "no such thing", words in call->text.
 *  - Any thread may call any operation at any time; a client does its own locking.
 *  - Strings are borrowed for the time of the call, NUL-terminated UTF-8; results are owned by the
 *    caller.
 *  - -ENOENT means that the store said "no such thing" (the DataSet or the key). A failure to reach
 *    the store is never -ENOENT.
 *  - Common errors: -ETIMEDOUT deadline; -EINTR cancelled; -EHOSTUNREACH cannot connect; -EIO
 *    connection lost, or the store is damaged or has been removed; -EPROTO reply not understood;
 *    -EAGAIN busy, try again; -EBUSY not in the VM's present state (suspended); -ENODEV the VM is
 *    gone; -EOPNOTSUPP the store does not know the operation; -EACCES the side's access or the
 *    user's privilege forbids it, or the login or the server's certificate is refused; -ENOMEM.
 */
#ifndef DS_CLIENT_H
#define DS_CLIENT_H

#include "call.h"
#include "confine.h"
#include "dataset.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ds_client;

enum ds_op {
    DS_OP_LIST,
    DS_OP_QUERY,
    DS_OP_CREATE,
    DS_OP_UPDATE,
    DS_OP_DESTROY,
    DS_OP_LIST_KEYS,
    DS_OP_GET,
    DS_OP_SET,
    DS_OP_APPEND,
    DS_OP_REMOVE,
    DS_OP_COUNT
};

/* What the client is and can do; constant once it is made. */
struct ds_caps {
    enum ds_side side;
    bool can_create;     /* create, update and destroy; false: -EPERM without a request */
    bool can_append;     /* append is one request; false: ds_client_append() gets and sets */
    unsigned batch_keys; /* a get takes that many keys in about one round trip, at least 1 */
    unsigned parallel;   /* that many calls make progress at once, at least 1 */
};

/* What the caller knew of a key's value before it asked for a change; decides whether a change may
 * be repeated after a lost connection. */
struct ds_previous {
    bool exists;
    const char *data; /* borrowed; not read unless exists */
    size_t len;       /* bytes */
};

struct ds_client_ops {
    const char *name; /* "local", "tools", "rest" */

    /* The names of all DataSets. */
    int (*list)(struct ds_client *client, struct ds_call *call, struct ds_names *out);

    /* A DataSet's attributes; what the store does not tell stays NULL or UNKNOWN. -ENOENT. */
    int (*query)(struct ds_client *client, struct ds_call *call, const char *dataset,
                 struct ds_attributes *out);

    /* Makes a DataSet with complete attributes. -EEXIST; -EINVAL name or description not
     * acceptable; -ENOSPC. Only with caps.can_create. */
    int (*create)(struct ds_client *client, struct ds_call *call, const char *dataset,
                  const struct ds_attributes *attributes);

    /* Changes the given attributes together or none. -ENOENT; -EINVAL. Only with can_create. */
    int (*update)(struct ds_client *client, struct ds_call *call, const char *dataset,
                  const struct ds_attributes *attributes);

    /* Deletes a DataSet, with its entries if `force`. -ENOENT; -ENOTEMPTY. Only with can_create. */
    int (*destroy)(struct ds_client *client, struct ds_call *call, const char *dataset, bool force);

    /* All keys of a DataSet. -ENOENT; -EACCES. */
    int (*list_keys)(struct ds_client *client, struct ds_call *call, const char *dataset,
                     struct ds_names *out);

    /* Values of 1 to caps.batch_keys keys. Returns 0 when every entry has its own `error` (0,
     * -ENOENT, …; -EBADMSG: there is such a key, and what stands there is no text or longer than a
     * value can be); a negative errno says that the whole request failed and no entry was touched.
     */
    int (*get)(struct ds_client *client, struct ds_call *call, const char *dataset,
               struct ds_entry *entries, size_t count);

    /* Creates or replaces. -ENOENT no such DataSet; -EACCES; -ENOSPC; -EFBIG; -ENAMETOOLONG.
     * `previous` is what the caller knows to have stood there, NULL if it does not know: a set that
     * takes several requests and fails between them puts that back and still fails; others ignore
     * it. If that fails too the error is -EIO (-ETIMEDOUT when no time was left), as the words say.
     */
    int (*set)(struct ds_client *client, struct ds_call *call, const char *dataset, const char *key,
               const char *data, size_t len, const struct ds_previous *previous);

    /* Creates or replaces the first of 1 to `count` keys, as many as go out together, and says in
     * `*done` how many; 0: the first one alone is too long for this and needs a set. Returns 0 when
     * each of these has its own `error`, which is 0 already and only need be written where the
     * store takes each by itself; a failure of all leaves open which of them stand there. Errors as
     * set. NULL: each key needs one. */
    int (*set_some)(struct ds_client *client, struct ds_call *call, const char *dataset,
                    struct ds_pair *pairs, size_t count, size_t *done);

    /* Adds to the end in one step, creating a missing key. Errors as set; -EFBIG when the sum is
     * over DS_VALUE_MAX_BYTES. Only with caps.can_append, else NULL. */
    int (*append)(struct ds_client *client, struct ds_call *call, const char *dataset,
                  const char *key, const char *data, size_t len);

    /* Removes a key. -ENOENT; -EACCES. */
    int (*remove)(struct ds_client *client, struct ds_call *call, const char *dataset,
                  const char *key);

    /* False if requests for a key or DataSet of this name could mean something else on the way (a
     * proxy that resolves "..") and must never be sent: the calls then answer -EINVAL. NULL: all
     * are good. */
    bool (*addressable)(const struct ds_client *client, const char *name);

    /* Ends all connections, bounded by `call`, and frees the client. No call may be running. */
    void (*free)(struct ds_client *client, struct ds_call *call);
};

/* Whether the virtual machine can have DataSets at all, as the last answer about all of them told.
 */
enum ds_support { DS_SUPPORT_UNKNOWN, DS_SUPPORT_YES, DS_SUPPORT_NO };

/* Embedded as the first member of each protocol's own struct. */
struct ds_client {
    const struct ds_client_ops *ops;
    struct ds_caps caps;
    char *about; /* what was opened, if SOURCE does not say it all: one line for the log, or NULL */
    atomic_uint_fast64_t requests[DS_OP_COUNT]; /* sent to the store; ds_client_count() */
    atomic_uint_fast64_t errors[DS_OP_COUNT];   /* calls that failed, but ENOENT of get, remove */
    _Atomic enum ds_support support;            /* of stores whose machines can be too old */
    atomic_uint hardware;                       /* ds_client_hardware() */
};

/* For protocols: counts one request that goes to the store. */
void ds_client_count(struct ds_client *client, enum ds_op op);

/* Requests sent and calls failed so far. From any thread. */
uint64_t ds_client_requests(const struct ds_client *client, enum ds_op op);
uint64_t ds_client_errors(const struct ds_client *client, enum ds_op op);

/* "list", "query", … "remove". */
const char *ds_op_name(enum ds_op op);

const struct ds_caps *ds_client_caps(const struct ds_client *client);

/* What is known of the machine's fitness, without a request. UNKNOWN: it was not asked for its
 * DataSets, or its kind of store has no machines that are too old. From any thread. */
enum ds_support ds_client_support(const struct ds_client *client);

/* The version of its virtual hardware, 19 for vmx-19; 0: the store has not told. It is asked for
 * only where the machine's DataSets are refused. From any thread. */
unsigned ds_client_hardware(const struct ds_client *client);

/* One line for the log about what was opened, such as the id of a machine that SOURCE names; NULL
 * if SOURCE says it all. Belongs to the client. */
const char *ds_client_about(const struct ds_client *client);

/* The checked calls: the vtable's operation of that name, after these checks, none of which costs a
 * request: an empty DataSet name, a name or key that is not addressable or a description over its
 * limit or not UTF-8: -EINVAL; a key or DataSet name that is too long: -ENAMETOOLONG, not UTF-8:
 * -EILSEQ; a value that is too long: -EFBIG, not UTF-8 or with NUL: -EILSEQ; create, update or
 * destroy without caps.can_create: -EPERM.
 *
 * A list has no name twice, and none that can be no name: these are counted in `left_out`. A
 * success and a plain "no such thing" leave no words in call->text, all other failures do.
 *
 * -EAGAIN is repeated with jittered back-off until the deadline. A connection that broke before any
 * byte left, and a read, create, update or destroy that broke later, is repeated once (a repeated
 * destroy that finds nothing has succeeded; a repeated create that finds the DataSet has, if its
 * attributes are those asked for; an update is not repeated if they are). A set, append or remove
 * that broke in the middle (-EIO with DS_SENT_MAYBE) is never simply sent again: the value is read;
 * the new value stands there: done; `previous` does, or for a set or remove `previous` is NULL:
 * repeated once; anything else: a set or remove is done, an append is -EIO (a repeated remove that
 * finds nothing is done). The same holds for -EAGAIN with DS_SENT_MAYBE, until the deadline. A
 * cancelled append whose bytes had left is -EIO ("append in doubt"), since callers repeat what was
 * interrupted. */
int ds_client_list(struct ds_client *client, struct ds_call *call, struct ds_names *out);
int ds_client_query(struct ds_client *client, struct ds_call *call, const char *dataset,
                    struct ds_attributes *out);
int ds_client_create(struct ds_client *client, struct ds_call *call, const char *dataset,
                     const struct ds_attributes *attributes);
int ds_client_update(struct ds_client *client, struct ds_call *call, const char *dataset,
                     const struct ds_attributes *attributes);
int ds_client_destroy(struct ds_client *client, struct ds_call *call, const char *dataset,
                      bool force);
int ds_client_list_keys(struct ds_client *client, struct ds_call *call, const char *dataset,
                        struct ds_names *out);

/* Any number of keys from 1 on, split into batches. A key that fails the checks has that as its own
 * error. A batch that fails gives each of its entries that error, and the first such error is
 * returned; unless it is -EPROTO, which need not concern the next batch, the rest is not asked for
 * and has that error too. What `entries` held as `error` and `value` is overwritten, not freed. */
int ds_client_get(struct ds_client *client, struct ds_call *call, const char *dataset,
                  struct ds_entry *entries, size_t count);

/* One key. `out` is overwritten on success only; the caller frees it. */
int ds_client_get_one(struct ds_client *client, struct ds_call *call, const char *dataset,
                      const char *key, struct ds_buf *out);

int ds_client_set(struct ds_client *client, struct ds_call *call, const char *dataset,
                  const char *key, const char *data, size_t len,
                  const struct ds_previous *previous);

/* Sets the first of `count` keys (at least 1, no two of them equal) together, as many as the store
 * takes in one request or under way at once, and says in `*done` how many are set, at least 1.
 * Where each has an answer of its own, those that the store was too busy for or whose connection
 * broke are sent again, these alone, and `*done` counts up to the first that failed for good. What
 * several keys fail with as one need not concern each, unless it is about the DataSet, the machine
 * or the store: the first is then set alone, and that result counts. After a failure `*done` is 0,
 * and the first key is as after a set that failed. Those behind `*done` may stand there in any
 * case. What `pairs` hold as `error` is overwritten. */
int ds_client_set_some(struct ds_client *client, struct ds_call *call, const char *dataset,
                       struct ds_pair *pairs, size_t count, size_t *done);

/* Without caps.can_append this gets the value and sets the sum; the caller keeps others of its own
 * away from the key meanwhile, and a change by the other side in between is lost. */
int ds_client_append(struct ds_client *client, struct ds_call *call, const char *dataset,
                     const char *key, const char *data, size_t len,
                     const struct ds_previous *previous);

int ds_client_remove(struct ds_client *client, struct ds_call *call, const char *dataset,
                     const char *key, const struct ds_previous *previous);

/* Ends the connections and frees. Harmless on NULL. */
void ds_client_free(struct ds_client *client, struct ds_call *call);

struct ds_machine_filter;

/* What the command line says of the source beside SOURCE itself. */
struct ds_source_options {
    enum ds_side side; /* only local: reads it */
    bool side_given;
    bool read_only;     /* only local: nothing is changed, and no store is made */
    bool delay_connect; /* the store is not tried until the first operation */
    unsigned channels; /* only tools: open connections to the host, 1 to 4; 0: not given, means 1 */

    /* Only https. Borrowed; NULL: not given. */
    const char *credentials; /* file */
    const char *cacert;      /* file of authorities that the server's certificate is signed by */
    const char *pin;         /* "sha256//" and the server's public key's hash in base64 */
    bool insecure;           /* the server's certificate is not verified */
    unsigned transfers;      /* requests under way at once, 1 to 64; 0: not given, means 24 */
    unsigned rate;           /* requests a second, at most 10000; 0: any number */
    bool rate_given;         /* else it is 200 of an inventory, and any number of one machine */

    /* Only inventories (inventory.h): which machines. Borrowed; NULL: not given, means all. */
    const struct ds_machine_filter *machines;
};

/* 0 if `source` is a SOURCE this program knows, written correctly, and the options suit it; else
 * -EINVAL with one line in `why` (DS_WHY_BYTES) that names the fault and what would be right. Never
 * touches the store. */
int ds_source_check(const char *source, const struct ds_source_options *options, char *why);

/* Makes `source` independent of the working directory: a relative file name becomes absolute.
 * -ENOMEM, or getcwd()'s error. `*out` is owned by the caller. */
int ds_source_absolute(const char *source, char **out);

/* The libraries that the stores use, with their versions, in words. Not thread-safe. */
const char *ds_source_libraries(void);

/* Before ds_confine_apply(): notes in `confine` what serving a checked source, an inventory's too,
 * needs, and does what cannot be done any more afterwards. Call while there is one thread. 0, or a
 * negative errno. */
int ds_source_prepare(const char *source, const struct ds_source_options *options,
                      struct ds_confine *confine);

/* Wipes all that could be credentials in this process' environment; they are not looked for. */
void ds_source_forget_environment(void);

/* Opens the client of a checked source and tries the store once, unless options->delay_connect:
 * then only what this machine itself has is looked at (a file of credentials, a local store).
 * Errors: the common ones, with words for the user in call->text. */
int ds_source_open(const char *source, const struct ds_source_options *options,
                   struct ds_call *call, struct ds_client **out);

#endif
