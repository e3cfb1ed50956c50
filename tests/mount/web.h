/* curl as a client of the simulated vCenter that is not ours. */
#ifndef WEB_H
#define WEB_H

#include "shell.h"

#include <stddef.h>

#define WEB_DATA_SETS "/api/vcenter/vm/vm-1/data-sets"
#define WEB_ENTRIES WEB_DATA_SETS "/app/entries"
#define WEB_LOGIN "-u '" SIM_USER ":" SIM_PASSWORD "'"
#define WEB_JSON "-H 'Content-Type: application/json' "

/* Sends one request with the session of the last web_login(), if there is one, and these further
 * options of curl (NULL: none): its exit status, as standard output the body, a newline and the
 * status. `path` is sent as it stands. Valid until the next command. */
const struct shell_result *web_ask(const char *method, const char *path, const char *options);

/* The same to another server, such as proxy_url(). */
const struct shell_result *web_ask_at(const char *url, const char *method, const char *path,
                                      const char *options);

/* The same in the background, for shell_wait(). */
pid_t web_spawn(const char *method, const char *path, const char *options);

/* Logs in at /api/session. */
void web_login(void);

/* Forgets the session, without logging out. */
void web_forget(void);

/* The token of the session, "" if there is none. */
const char *web_token(void);

/* The body and status are exactly these, as "BODY\nSTATUS". */
#define assert_web(expected, ...) web_assert(__FILE__, __LINE__, expected, __VA_ARGS__)
void web_assert(const char *file, int line, const char *expected, const char *method,
                const char *path, const char *options);

/* The reply has this status, and `words` stand in its body. */
#define assert_web_error(status, words, ...)                                                       \
    web_assert_error(__FILE__, __LINE__, status, words, __VA_ARGS__)
void web_assert_error(const char *file, int line, const char *status, const char *words,
                      const char *method, const char *path, const char *options);

/* curl ends with one of these two exit statuses. */
#define assert_web_broken(either, other, ...)                                                      \
    web_assert_broken(__FILE__, __LINE__, either, other, __VA_ARGS__)
void web_assert_broken(const char *file, int line, int either, int other, const char *method,
                       const char *path, const char *options);

#endif
