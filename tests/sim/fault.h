/* What goes wrong, and when. */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_fault_kind {
    SIM_FAULT_NONE,
    SIM_FAULT_RESET_ON_CONNECT,
    SIM_FAULT_DROP_REQUEST_AFTER, /* bytes */
    SIM_FAULT_DELAY,              /* ms, after it was carried out */
    SIM_FAULT_DELAY_BEFORE,       /* ms; the guest's going away does not shorten it */
    SIM_FAULT_CLOSE,
    SIM_FAULT_CLOSE_BEFORE,
    SIM_FAULT_NEVER_REPLY,
    SIM_FAULT_NEVER_REPLY_BEFORE,
    SIM_FAULT_DROP_AFTER, /* bytes of the reply */
    SIM_FAULT_GARBAGE,
    SIM_FAULT_TRUNCATE,
    SIM_FAULT_BUSY,
    SIM_FAULT_ERROR,     /* text: the error-id or error_type */
    SIM_FAULT_RPC_ERROR, /* text: what follows "0 " */
    SIM_FAULT_STATUS,
    SIM_FAULT_STATUS_AFTER,   /* the same, but it was carried out */
    SIM_FAULT_RETRY_AFTER,    /* seconds */
    SIM_FAULT_REDIRECT,       /* text: the location */
    SIM_FAULT_HUGE,           /* bytes of the reply */
    SIM_FAULT_SLOW,           /* ms before each byte of the reply, or of its body */
    SIM_FAULT_SAY,            /* text: the file with the reply */
    SIM_FAULT_SAY_AFTER,      /* the same, but it was carried out */
    SIM_FAULT_HEADER,         /* bytes of one more header of the reply */
    SIM_FAULT_CUT_CONNECTION, /* bytes of all that is sent on it */
    SIM_FAULT_CUT_HEAD,       /* bytes of the reply with its head */
    SIM_FAULT_ONE_REQUEST     /* a connection's second request and those that follow */
};

/* Which interface; a set of them. */
enum sim_wire { SIM_WIRE_TOOLS = 1, SIM_WIRE_REST = 2 };

/* When a fault is asked for. */
enum sim_fault_stage {
    SIM_STAGE_CONNECT,
    SIM_STAGE_READ,   /* a request begins to arrive */
    SIM_STAGE_REQUEST /* it is read */
};

#define SIM_FAULT_TEXT_BYTES 96

struct sim_fault {
    enum sim_fault_kind kind;
    size_t number; /* ms or bytes, if the kind has them */
    char text[SIM_FAULT_TEXT_BYTES];
    char command[SIM_FAULT_TEXT_BYTES]; /* only for this one; empty: for any */
    char vm[SIM_FAULT_TEXT_BYTES];      /* only for this machine; empty: for any */
    uint64_t skip;                      /* so many that match are spared first */
    uint64_t count;                     /* so many are struck */
};

struct sim_faults;

struct sim_faults *sim_faults_new(void);
void sim_faults_free(struct sim_faults *faults);

/* Adds KIND[=VALUE][:command=NAME][:vm=ID][:count=N][:skip=N] behind those that there are. 0;
 * -EINVAL; -ERANGE, -ENAMETOOLONG a number or text that is too long; -ENOMEM. */
int sim_faults_add(struct sim_faults *faults, const char *spec);

void sim_faults_clear(struct sim_faults *faults);

/* The first fault of this stage that strikes `command` of this interface goes to `out`; false if
 * there is none. A fault for any command strikes those of each interface that knows its kind. NULL:
 * the command is not known (yet), which only faults for any command strike; in the stage of reading
 * a known one is struck only by faults for it, the others had their turn. `vm`: the machine that it
 * is about, NULL: none. */
bool sim_faults_take(struct sim_faults *faults, enum sim_wire wire, enum sim_fault_stage stage,
                     const char *command, const char *vm, struct sim_fault *out);

/* How often faults have struck. */
uint64_t sim_faults_fired(struct sim_faults *faults);

/* "delay", …; "none". */
const char *sim_fault_name(enum sim_fault_kind kind);

#endif
