/* The transport over the program vmtoolsd. */
#include "vmtoolsd.h"

#include "../base/turns.h"
#include "child.h"
#include "launch.h"
#include "runner.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct vmtoolsd {
    struct ds_transport transport;
    char *program;
    struct ds_turns turns; /* as many as may run at once */
};

static bool is_refusal(const struct ds_child_result *result)
{
    return WIFEXITED(result->status) && WEXITSTATUS(result->status) == 1;
}

/* What the program's end means. Takes the buffer that becomes the answer from `result`. */
static int read_result(struct ds_call *call, struct ds_child_result *result, struct ds_answer *out)
{
    struct ds_buf *bytes = &result->output;
    if (!WIFEXITED(result->status) || WEXITSTATUS(result->status) > 1)
        return ds_call_fail(call, -EIO, "the tools' program ended with status %#x",
                            (unsigned)result->status);
    /* Outside of a virtual machine some versions say so, and others nothing. */
    if (is_refusal(result) &&
        (!result->errors.len || strstr(result->errors.data, "inside a virtual machine")))
        return ds_call_fail(call, -EHOSTUNREACH,
                            "not inside a VMware virtual machine, or guest RPC is disabled");
    if (is_refusal(result))
        bytes = &result->errors;
    while (bytes->len && bytes->data[bytes->len - 1] == '\n')
        bytes->data[--bytes->len] = '\0';
    ds_call_set_sent(call, DS_SENT_ANSWERED);
    out->success = !is_refusal(result);
    out->bytes = *bytes;
    out->text = bytes->data;
    out->len = bytes->len;
    *bytes = (struct ds_buf){0};
    return 0;
}

static int vmtoolsd_exchange(struct ds_transport *transport, struct ds_call *call,
                             enum ds_exchange mode, const char *text, size_t len,
                             struct ds_answer *out)
{
    struct vmtoolsd *vmtoolsd = (struct vmtoolsd *)transport;
    const char *const argv[] = {vmtoolsd->program, "--cmdfile", DS_LAUNCH_INPUT_NAME, NULL};
    const struct ds_child_program program = {.argv = argv,
                                             .input = text,
                                             .input_len = len,
                                             .max_output_bytes = DS_WIRE_PAYLOAD_MAX_BYTES};
    struct ds_child_result result = {0};
    ds_call_set_sent(call, mode == DS_EXCHANGE_REST ? DS_SENT_MAYBE : DS_SENT_NO);
    int err = ds_turns_take(&vmtoolsd->turns, call, mode != DS_EXCHANGE_REST);
    if (err)
        return err;
    err = ds_child_run(call, mode == DS_EXCHANGE_READ, &program, &result);
    ds_turns_give(&vmtoolsd->turns);
    if (!err)
        err = read_result(call, &result, out);
    ds_buf_free(&result.output);
    ds_buf_free(&result.errors);
    return err;
}

static void vmtoolsd_free(struct ds_transport *transport)
{
    struct vmtoolsd *vmtoolsd = (struct vmtoolsd *)transport;
    ds_turns_end(&vmtoolsd->turns);
    ds_runner_stop();
    free(vmtoolsd->program);
    free(vmtoolsd);
}

int ds_vmtoolsd_new(const char *program, unsigned parallel, struct ds_transport **out)
{
    struct vmtoolsd *vmtoolsd = calloc(1, sizeof *vmtoolsd);
    if (!vmtoolsd)
        return -ENOMEM;
    vmtoolsd->transport.exchange = vmtoolsd_exchange;
    vmtoolsd->transport.free = vmtoolsd_free;
    vmtoolsd->program = strdup(program);
    int err = ds_turns_init(&vmtoolsd->turns, parallel);
    if (!err && !vmtoolsd->program)
        err = -ENOMEM;
    if (err) {
        vmtoolsd_free(&vmtoolsd->transport);
        return err;
    }
    *out = &vmtoolsd->transport;
    return 0;
}
