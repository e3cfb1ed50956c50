/* What a mount and its store should hold: the keys, the files behind them and the handles on these.
 * Pure; the test does to it what it does to the mount. */
#ifndef MODEL_H
#define MODEL_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MODEL_KEYS 5
#define MODEL_HANDLES 6
#define MODEL_DETACHED MODEL_KEYS /* the key of a file that was removed or replaced */

/* An inode. */
struct model_file {
    unsigned key;
    bool exists;       /* false: its first data was refused, so that it was never made */
    bool waits;        /* created or truncated, and no data came yet: not in the store yet */
    bool creates;      /* what waits is a creation, which leaves what somebody else has made */
    bool refused;      /* the data that came first was refused: what follows starts from nothing */
    bool renamed_over; /* perhaps: a rename to its key has failed */
    struct ds_buf bytes; /* what a reader sees */
    unsigned handles, writers;
    uint64_t *versions; /* digests of all that the store may hold */
    size_t version_count, version_capacity;
};

struct model_handle {
    int fd; /* -1: free */
    int flags;
    bool pends; /* it created or truncated the file, which waits */
    off_t position;
    struct model_file *file;
};

extern struct model_file *model_keys[MODEL_KEYS]; /* NULL: no such key */
extern struct model_handle model_handles[MODEL_HANDLES];

/* A small generator of its own, so that a seed means the same everywhere. */
void model_seed(uint64_t seed);
unsigned model_roll(unsigned sides);

/* Appends code points of one to four bytes until at least `len` bytes were added; ASCII only if
 * `plain`. */
void model_text(struct ds_buf *out, size_t len, bool plain);

/* The first offset from `at` on that cuts no code point. */
size_t model_whole(const struct ds_buf *bytes, size_t at);

/* Replaces the content of `buf`. */
void model_assign(struct ds_buf *buf, const char *data, size_t len);

/* What a write makes of the content: `len` bytes from `offset` on, which is at most its length. */
void model_overwrite(struct ds_buf *buf, size_t offset, const char *data, size_t len);

/* A file that is just being made under the key, with nothing in the store. */
struct model_file *model_create(unsigned key);

/* The key is taken away from its file, which goes on without it. */
void model_detach(unsigned key);

/* Opens and closes a handle; a file that nothing holds any more is freed. */
void model_open(struct model_handle *handle, struct model_file *file, int fd, int flags);
void model_close(struct model_handle *handle);
bool model_writes(const struct model_handle *handle);

/* Frees the file if neither a key nor a handle holds it; a key lets go of what does not exist. */
void model_settle(struct model_file *file);

/* The content, or its absence, is what the store may hold now too; or all that it may hold. */
void model_may_hold(struct model_file *file);
void model_must_hold(struct model_file *file);
void model_may_become(struct model_file *file, const struct model_file *other);

/* True if the store may hold this (NULL: nothing). */
bool model_explains(const struct model_file *file, const char *data, size_t len);

/* The content is nothing until data comes, or something makes it final. */
void model_pend(struct model_file *file);

/* That was asked for by this handle, or, by path, of everybody who writes. */
void model_pend_by(struct model_handle *handle);
void model_pend_by_path(struct model_file *file);

bool model_attached(const struct model_file *file);
unsigned model_number(const struct model_handle *handle);

/* What a call that answered `result` has failed with; 0 if it has not. */
int model_errno(int result);

/* Frees everything. */
void model_clear(void);

#endif
