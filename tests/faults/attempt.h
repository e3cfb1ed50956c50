/* One attempt of an operation under a fault, and what is wrong with what came of it. */
#ifndef FAULTS_ATTEMPT_H
#define FAULTS_ATTEMPT_H

#include "fault.h"

struct attempt {
    const struct fault *fault;
    const struct operation *operation;
    const struct harness_daemon *daemon;
    enum way way;
    size_t step;         /* which of the fault's requests, or bytes */
    const char *command; /* all of these are struck, whatever the fault's manner; NULL: by that */
    char name[32];       /* that no other attempt has */
    uint64_t fired;      /* how often the fault struck */
    bool past;           /* a reply has no such byte */
    bool disturbed; /* by whoever keeps the machine busy: the deadline came without the fault */
    int told;
    enum after after;
};

/* Does it, with the fault before, and the store and the mount well again behind it. */
void attempt_run(struct attempt *attempt);

/* Looks at the store once more, for what came late. */
void attempt_look_again(struct attempt *attempt);

/* What is wrong with it, in words; NULL: nothing. */
const char *attempt_wrong(const struct attempt *attempt);

#endif
