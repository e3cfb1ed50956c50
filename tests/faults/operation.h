/* The operations of the matrix: the columns of its table. */
#ifndef FAULTS_OPERATION_H
#define FAULTS_OPERATION_H

#include "way.h"

/* What the caller was told, besides 0 and an errno. */
#define TOLD_REFUSED 240 /* a program ended with an error and one line that says why */
#define TOLD_NO_LINE 241 /* or with none, or several: a fault of ours */
#define TOLD_WRONG 242   /* success, with what does not stand in the store: a fault of ours */
#define TOLD_NOTHING 243 /* it did not come back: a fault of ours */

/* What the store holds after a change. */
enum after {
    AFTER_OLD,
    AFTER_NEW,
    AFTER_BOTH,  /* of a rename: the value stands under both names */
    AFTER_LOST,  /* neither the old nor the new: never */
    AFTER_TWICE, /* what was asked for once, twice: never */
    AFTER_OTHER  /* a third thing: never */
};

struct operation {
    const char *name;
    unsigned ways;
    const char *command[WAY_COUNT]; /* of the simulator: the request that does it, */
    const char *second[WAY_COUNT];  /* and the one that has to follow; NULL: none */
    /* What the store holds before, made by the peer. Each attempt has a name of its own. */
    void (*prepare)(const char *name);
    /* Runs in a child: 0, an errno, or one of the above. Where it is a program, the child becomes
     * it. */
    int (*run)(const char *name);
    /* What the store holds then; NULL if it changes nothing. */
    enum after (*look)(const char *name);
    /* For a program: what is told by its exit status and its words. */
    int (*read_words)(int status);
    void (*forget)(const char *name); /* removes what prepare() or run() have made */
    bool asks_nothing;                /* answered from memory, whatever the store does */
};

extern const struct operation operations[];
extern const size_t operation_count;

#endif
