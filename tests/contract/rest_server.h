/* The simulated vCenter of a directory, for the targets and tests that need it. One runs at a time;
 * simulator_end() ends it. */
#ifndef REST_SERVER_H
#define REST_SERVER_H

#include <limits.h>
#include <stddef.h>

struct rest_server {
    unsigned port;              /* on 127.0.0.1 */
    char certificate[PATH_MAX]; /* signed by itself, so it is the authority too */
    char credentials[PATH_MAX];
};

/* What is needed to use the server of `directory`, which is started the first time with these
 * further arguments (ending in NULL; NULL: none). 0 or a negative errno. */
int rest_server_use(const char *directory, const char *const *others, struct rest_server *out);

/* Sends a line to its control; fails the test unless it answers "ok". What stands behind that is
 * valid until the next call. */
const char *rest_server_control(const char *directory, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Lines of its log that hold all of these words; NULL ends them. */
size_t rest_server_count(const char *directory, const char *const *words);
#define REST_SERVER_COUNT(directory, ...)                                                          \
    rest_server_count(directory, (const char *const[]){__VA_ARGS__, NULL})

#endif
