/* Callers that are interrupted or die. */
#include "interrupt.h"

#include "cleanup.h"
#include "reply.h"

#include <signal.h>
#include <stdio.h>

/* A caller that only got a signal keeps waiting that long: Go programs interrupt themselves every
 * 10 ms and would never finish. */
enum { PATIENCE_MS = 1000 };

/* The kernel marks a fatal signal as a pending SIGKILL. */
bool fs_interrupt_is_dying(const struct fs_request *request)
{
    char path[64], line[128];
    unsigned long long pending = 0;
    FILE *status;

    if (request->tid == 0)
        return false;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)request->tid);
    status = fopen(path, "re");
    if (status == NULL)
        return true;
    while (fgets(line, sizeof(line), status) != NULL)
        if (sscanf(line, "SigPnd: %llx", &pending) == 1)
            break;
    fclose(status);
    return (pending & (1ULL << (SIGKILL - 1))) != 0;
}

bool fs_interrupt_is_due(const struct fs_request *request)
{
    return ds_call_now_ms() - request->interrupted_ms >= PATIENCE_MS ||
           fs_interrupt_is_dying(request);
}

static void wake(struct fs_request *request)
{
    DS_LOCK_SCOPE(request->kernel->lock);
    if (request->sleeps)
        pthread_cond_signal(&request->worker->wake);
}

bool fs_interrupt_end(struct fs_request *request)
{
    ds_call_cancel(&request->call);
    wake(request);
    /* A change, or the login that a read needs first, is finished without the caller. */
    if ((!request->change && !request->call.lingers) ||
        ds_call_sent(&request->call) != DS_SENT_MAYBE)
        return false;
    fs_reply_early(request);
    return true;
}
