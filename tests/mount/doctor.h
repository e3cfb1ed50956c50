/* `datasetfs doctor` in tests: what it prints, by verdict and step. */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "shell.h"

#include <stddef.h>

/* A command that a user runs who is nobody else. */
#define NOBODY "setpriv --reuid=65534 --regid=65534 --clear-groups "

/* How often a line of that verdict about `what` holds these words. */
size_t doctor_lines(const char *out, const char *verdict, const char *what, const char *words);

/* `datasetfs doctor ARGUMENTS` in the shell, for doctor_lines(). */
#define doctor(...) shell_run("dash", "exec $DATASETFS doctor " __VA_ARGS__)

/* It ends so and prints such a line, and no secret. */
#define assert_doctor(status, verdict, what, words, ...)                                           \
    doctor_check(__LINE__, doctor(__VA_ARGS__), status, verdict, what, words)

/* The same of any command that runs it. */
#define assert_run(status, verdict, what, words, ...)                                              \
    doctor_check(__LINE__, shell_run("dash", __VA_ARGS__), status, verdict, what, words)
void doctor_check(int line, const struct shell_result *ran, int status, const char *verdict,
                  const char *what, const char *words);

/* The run ended well, and found no failure. */
void doctor_assert_healthy(const struct shell_result *ran);

/* A DataSet "app" with a key "k". */
void doctor_make_app(void);

/* The same behind a simulated vCenter: $S and $O. */
void doctor_start_rest(void);

#endif
