/* What an option is called, takes and does. */
#ifndef FS_OPTION_H
#define FS_OPTION_H

#include "buf.h"
#include "model/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FS_OPTION_WHY_BYTES 512
#define FS_OPTION_USAGE "datasetfs SOURCE MOUNTPOINT [-o OPTION,...]"

struct fs_option_parser {
    struct fs_options *options;
    struct ds_buf kernel; /* what goes to libfuse so far, each word with a comma behind it */
    bool allow_root;
    char *why; /* FS_OPTION_WHY_BYTES */
};

struct fs_option {
    const char *name;
    const char *metavar;  /* what stands for the value; NULL: the option takes none */
    const char *expected; /* what would be right, for messages */
    const char *help;     /* NULL: -h does not show it */
    size_t flag;          /* for a plain flag: offset of its bool in struct fs_options */
    bool value_optional;
    /* Stores the value, which is NULL if there is none. 0; -EINVAL, with `why` left empty if
     * `expected` says all; -ENOMEM. */
    int (*set)(struct fs_option_parser *parser, const struct fs_option *option, const char *value);
};

/* The option of that name in a table, which ends with one without a name; or NULL. */
const struct fs_option *fs_option_in(const struct fs_option *table, const char *name);

/* Reads a number of digits only. False if it is none, or not within these limits. */
bool fs_option_number(const char *text, unsigned base, uint64_t min, uint64_t max, uint64_t *out);

/* Writes one line to `why`, what a terminal would obey as '?', and returns -EINVAL. */
int fs_option_refuse(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
