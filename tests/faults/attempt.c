#include "attempt.h"

#include "cleanup.h"
#include "tests/mount/peer.h"
#include "tests/mount/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t count_fired(const struct attempt *attempt)
{
    return attempt->fault->trouble ? attempt->fault->trouble->fired() : sim_fired();
}

static bool cuts(const struct attempt *attempt)
{
    return attempt->fault->manner == MANNER_EACH_BYTE ||
           attempt->fault->manner == MANNER_EACH_BYTE_ONCE;
}

static void order_fault(const struct attempt *attempt)
{
    const struct fault *fault = attempt->fault;
    const char *kind = attempt->way == WAY_TOOLS ? fault->tools : fault->rest;
    const char *command = attempt->command;
    bool once = fault->manner == MANNER_ONCE || fault->manner == MANNER_EACH_BYTE_ONCE;
    char value[32] = "", skip[32] = "";
    if (cuts(attempt))
        snprintf(value, sizeof value, "=%zu", attempt->step);
    if (!command && (cuts(attempt) || fault->manner == MANNER_OWN))
        command = attempt->operation->command[attempt->way];
    else if (!command)
        snprintf(skip, sizeof skip, ":skip=%zu", attempt->step);
    sim_fault("%s%s%s%s%s%s", kind, value, skip, once ? ":count=1" : "", command ? ":command=" : "",
              command ? command : "");
}

/* True if the last reply that was to be cut was shorter than that. */
static bool is_past_reply(const struct attempt *attempt)
{
    FILE *file = fopen(SIM_LOG, "re");
    char *line DS_AUTO_FREE = NULL;
    size_t size = 0, out = 0;
    assert_non_null(file);
    while (getline(&line, &size, file) > 0) {
        const char *at = strstr(line, " out=");
        if (at && strstr(line, "fault=drop-after"))
            out = strtoul(at + 5, NULL, 10);
    }
    fclose(file);
    return attempt->step > out;
}

static int in_child(void *argument)
{
    const struct attempt *attempt = argument;
    const struct trouble *trouble = attempt->fault->trouble;
    if (trouble && trouble->in_child)
        trouble->in_child();
    return attempt->operation->run(attempt->name);
}

/* What the caller is told. */
static int run_operation(struct attempt *attempt)
{
    const struct operation *operation = attempt->operation;
    const struct trouble *trouble = attempt->fault->trouble;
    pid_t child = harness_fork(in_child, attempt);
    if (trouble && trouble->during)
        trouble->during(attempt->daemon, child);
    int status = harness_wait_child(child, HARNESS_SOON_MS, false);
    if (status < 0 || status >= 250)
        return TOLD_NOTHING;
    return operation->read_words && status < TOLD_REFUSED ? operation->read_words(status) : status;
}

static bool may_be_told(const struct fault *fault, int told)
{
    if (told == 0 || told == TOLD_REFUSED)
        return true;
    for (size_t i = 0; i < FAULT_TOLD_MAX; i++)
        if (fault->told[i] == told)
            return true;
    return false;
}

static bool is_well(void)
{
    char text[16];
    return harness_read("m/app/well", text, sizeof text) == 4 && strcmp(text, "well") == 0;
}

/* What the mount shows is what the store holds. */
static bool agrees(const struct attempt *attempt)
{
    char path[64], shown[64];
    if (attempt->operation->forget == NULL || !attempt->operation->look ||
        !strchr(attempt->name, 'k'))
        return true;
    snprintf(path, sizeof path, "m/app/%s", attempt->name);
    char *stands DS_AUTO_FREE = peer_get("app", attempt->name);
    ssize_t len = harness_read(path, shown, sizeof shown);
    return stands ? len >= 0 && strcmp(shown, stands) == 0 : len == -ENOENT;
}

void attempt_run(struct attempt *attempt)
{
    const struct trouble *trouble = attempt->fault->trouble;
    attempt->operation->prepare(attempt->name);
    harness_outlive_attributes();
    uint64_t before = count_fired(attempt);
    if (trouble)
        trouble->begin(attempt->daemon);
    else
        order_fault(attempt);
    attempt->told = run_operation(attempt);
    attempt->fired = count_fired(attempt) - before;
    if (trouble)
        trouble->end(attempt->daemon);
    else
        sim_clear();
    if (cuts(attempt))
        attempt->past = is_past_reply(attempt);
    attempt->disturbed = attempt->told == ETIMEDOUT && !attempt->operation->asks_nothing &&
                         (!may_be_told(attempt->fault, ETIMEDOUT) || !attempt->fired);
    assert_soon(is_well());
    assert_soon(agrees(attempt));
    attempt_look_again(attempt);
}

void attempt_look_again(struct attempt *attempt)
{
    if (attempt->operation->look)
        attempt->after = attempt->operation->look(attempt->name);
}

const char *attempt_wrong(const struct attempt *attempt)
{
    const struct operation *operation = attempt->operation;
    if (attempt->told == TOLD_NOTHING)
        return "the caller hangs";
    if (attempt->told == TOLD_WRONG || attempt->told == TOLD_NO_LINE)
        return "the caller is told what is not true, or without a line";
    if (!may_be_told(attempt->fault, attempt->told) && !attempt->disturbed)
        return "another error than the fault is";
    if (operation->asks_nothing && attempt->told != 0)
        return "memory does not answer";
    if (!operation->look)
        return NULL;
    if (attempt->after == AFTER_LOST)
        return "LOST: neither the old value nor the new";
    if (attempt->after == AFTER_TWICE)
        return "TWICE";
    if (attempt->after == AFTER_OTHER)
        return "a third thing stands there";
    /* A store that says that the old name is not there is believed. */
    if (attempt->told == 0 && attempt->after == AFTER_BOTH && may_be_told(attempt->fault, ENOENT))
        return NULL;
    if (attempt->told == 0 && attempt->after != AFTER_NEW)
        return "LOST: acknowledged, and not there";
    /* A rename is two requests: where the second fails for good, none of the two names is lost. */
    if (attempt->told != 0 && attempt->after != AFTER_OLD && attempt->after != AFTER_BOTH &&
        !attempt->fault->may_be_done && !attempt->disturbed)
        return "told as failed, and done";
    return NULL;
}
