/* What an examination of a set-up finds: a line each on standard output. */
#ifndef DS_BASE_REPORT_H
#define DS_BASE_REPORT_H

#include "call.h"

#include <stdbool.h>

struct ds_report {
    unsigned failures; /* told so far */
    /* A call with the whole time that an operation has, for the next question; it is valid until
     * the question after that. */
    struct ds_call *(*call)(void *context);
    bool (*interrupted)(void); /* from then on nothing is told */
    void *context;
};

/* Each tells in one line of `what`: what was found, in the format's words, and what to do about it,
 * `advice` (NULL: nothing). What a terminal would obey is shown as '?'. Never pass a value or a
 * credential. */
void ds_report_ok(struct ds_report *report, const char *what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void ds_report_warn(struct ds_report *report, const char *what, const char *advice,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
void ds_report_fail(struct ds_report *report, const char *what, const char *advice,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* It was not looked at: `why`. */
void ds_report_skip(struct ds_report *report, const char *what, const char *why);

/* The words of a question that has failed with `err`. */
const char *ds_report_words(const struct ds_call *call, int err);

#endif
