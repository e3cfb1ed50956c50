/* The faults of the matrix: the rows of its table. */
#ifndef FAULTS_FAULT_H
#define FAULTS_FAULT_H

#include "kind_of_trouble.h"
#include "operation.h"

/* Which requests of an operation a fault strikes. */
enum manner {
    MANNER_ONCE,          /* each of its requests in turn, and that one alone */
    MANNER_FROM,          /* each in turn and all that come behind it */
    MANNER_OWN,           /* all of the operation's own command */
    MANNER_EACH_BYTE,     /* all of its own command, cut at one byte after the other */
    MANNER_EACH_BYTE_ONCE /* the first of its own command, likewise */
};

#define FAULT_TOLD_MAX 5

struct fault {
    const char *name;
    const char *rest;  /* for the simulator: KIND[=VALUE]; NULL: not in this way */
    const char *tools; /* the same for the channel */
    const struct trouble *trouble;
    unsigned ways;            /* of the trouble */
    const char *not_for;      /* operations that it says nothing about, or NULL */
    enum manner manner;       /* of the simulator's */
    bool may_be_done;         /* what is told as failed may have been done */
    bool large;               /* replies take long on a busy machine, and that is no fault */
    bool varies;              /* who is quicker decides which of `told` it is; the cell names all */
    bool may_work;            /* and whether it is none of them */
    int told[FAULT_TOLD_MAX]; /* errnos that may be told besides success, 0 ends them */
};

extern const struct fault faults[];
extern const size_t fault_count;

/* True if the cell is one of the table. */
bool fault_concerns(const struct fault *fault, const struct operation *operation, enum way way);

/* Writes the replies that are in files, into the test's directory. */
void fault_write_replies(enum way way);

#endif
