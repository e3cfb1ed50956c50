/* A program that is run to its end, with bounded output. */
#ifndef DS_TOOLS_CHILD_H
#define DS_TOOLS_CHILD_H

#include "buf.h"
#include "call.h"

#include <stdbool.h>
#include <stddef.h>

/* Borrowed. */
struct ds_child_program {
    const char *const *argv;
    const char *input; /* bytes */
    size_t input_len;
    size_t max_output_bytes;
};

struct ds_child_result {
    int status;           /* as waitpid() gives it */
    struct ds_buf output; /* owned by the caller */
    struct ds_buf errors; /* the first bytes of it; owned by the caller */
};

/* Runs argv[0], looked for in PATH if it has no slash, without a shell and in a UTF-8 locale, and
 * waits for its end; then none of its processes is left in its process group. 0; -EHOSTUNREACH: it
 * cannot be run; -ETIMEDOUT; -EINTR (if `heed_cancel`); -EPROTO: it prints more than
 * `max_output_bytes`; `out` is unchanged then. The call's `sent` becomes MAYBE when it runs. */
int ds_child_run(struct ds_call *call, bool heed_cancel, const struct ds_child_program *program,
                 struct ds_child_result *out);

#endif
