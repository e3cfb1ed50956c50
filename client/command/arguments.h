/* The command line of a command. Pure. */
#ifndef DS_ARGUMENTS_H
#define DS_ARGUMENTS_H

#include "status.h"
#include "store_options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DS_WORDS_ANY SIZE_MAX

struct ds_arguments;
struct ds_session;

/* A command. */
struct ds_verb {
    const char *name;
    const char *usage; /* what stands behind the name */
    const char *help;  /* one line */
    const char *takes; /* its own options, divided by spaces; NULL: none */
    size_t least;      /* words behind SOURCE */
    size_t most;
    bool value_last; /* the word behind KEY is taken as it stands, whatever it begins with */
    bool changes;    /* false: a local store is opened for reading only, and not made */
    bool alone;      /* opens the store by itself */
    bool machines;   /* SOURCE may be an inventory, then without words behind it */
    bool takes_path; /* alone, the first word is no SOURCE but a file's name */
    /* What is wrong with arguments that are otherwise good; NULL: nothing. May itself be NULL. */
    const char *(*fault)(const struct ds_arguments *arguments);
    enum ds_status (*run)(struct ds_session *session);
};

struct ds_arguments {
    const struct ds_verb *verb;
    struct ds_store_options store;
    bool inventory;     /* SOURCE is one */
    const char *source; /* these are borrowed from argv */
    char *const *words; /* behind SOURCE, in an array that is owned */
    size_t count;
    bool help;

    bool json;
    bool nul;
    bool force;
    bool replace;
    bool dry_run;
    bool exists;
    bool gone;
    const char *equals;
    const char *not_equals;
    const char *write;   /* a DataSet */
    int64_t wait_ms;     /* --timeout; 0: for ever */
    int64_t interval_ms; /* --interval */
};

/* Reads what stands behind the command's word, argv[0]. Options may stand anywhere before "--", and
 * before the value of a command that has one.
 *
 * 0, or -EINVAL with one line in `why` (DS_OPTION_WHY_BYTES) that names the fault and what would be
 * right and never repeats what could be a password; -ENOMEM. To be cleared in any case. */
int ds_arguments_parse(struct ds_arguments *arguments, const struct ds_verb *verb, int argc,
                       char *const argv[], char *why);

void ds_arguments_clear(struct ds_arguments *arguments);

#endif
