/* Words of -o: what they are called, take and do. Pure. */
#ifndef DS_OPTION_H
#define DS_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DS_OPTION_WHY_BYTES 512

struct ds_option {
    const char *name;
    const char *metavar;  /* what stands for the value; NULL: the option takes none */
    const char *expected; /* what would be right, for messages */
    const char *help;     /* NULL: no help shows it */
    const char *refused;  /* why the option is never taken; NULL: it is */
    size_t flag;          /* for a plain flag with ds_option_set_flag(): offset of its bool */
    bool value_optional;
    bool value_hidden; /* a wrong value is not repeated */
    /* Stores the value, which is NULL if there is none, in what the table's options change. 0;
     * -EINVAL, and `expected` says what is right; -ENOMEM. */
    int (*set)(void *to, const struct ds_option *option, const char *value);
};

/* Options, up to one without a name, and what they change. */
struct ds_option_table {
    const struct ds_option *options;
    void *to;
};

/* Reads a list of words with commas between them; "\," in a value is a comma and "\\" a backslash.
 * Words that begin with x- are comments. Of a repeated option the last one counts.
 *
 * 0, or -EINVAL with one line in `why` (DS_OPTION_WHY_BYTES) that names the fault and what would be
 * right, and that never repeats what could be a password; -ENOMEM. Some words may have been taken
 * then. */
int ds_option_parse_list(const struct ds_option_table *tables, size_t count, const char *list,
                         char *why);

/* The same, but words that are in none of the tables are dropped. */
int ds_option_parse_known(const struct ds_option_table *tables, size_t count, const char *list,
                          char *why);

/* How many bytes of a wrong value or argument a message may show; 0 if it looks like credentials.
 */
int ds_option_shown_bytes(const char *value);

/* Says in `why` that there is no such option, naming it if it looks like the name of one. Returns
 * -EINVAL. */
int ds_option_refuse_unknown(char *why, const char *word);

/* Writes one line to `why`, what a terminal would obey as '?', and returns -EINVAL. */
int ds_option_refuse(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reads a number of digits only. False if it is none, or not within these limits. */
bool ds_option_number(const char *text, unsigned base, uint64_t min, uint64_t max, uint64_t *out);

/* Reads whole seconds as milliseconds. 0 or -EINVAL. */
int ds_option_seconds(const char *value, uint64_t min, uint64_t max, int64_t *out_ms);

/* Sets the bool at option->flag. */
int ds_option_set_flag(void *to, const struct ds_option *option, const char *value);

/* Takes the option and does nothing. */
int ds_option_drop(void *to, const struct ds_option *option, const char *value);

#endif
