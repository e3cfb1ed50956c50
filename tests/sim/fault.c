#include "fault.h"

#include "cleanup.h"
#include "request.h"
#include "rest_route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sim_faults {
    pthread_mutex_t lock;
    struct sim_fault *list; /* under lock, as the rest */
    size_t count;
    uint64_t fired;
};

enum value { VALUE_NONE, VALUE_NUMBER, VALUE_TEXT };

#define BOTH (SIM_WIRE_TOOLS | SIM_WIRE_REST)

static const struct {
    const char *name;
    enum value value;
    enum sim_fault_stage stage;
    unsigned wires; /* that know it */
} kinds[] = {
    [SIM_FAULT_NONE] = {"none", VALUE_NONE, SIM_STAGE_REQUEST, BOTH},
    [SIM_FAULT_RESET_ON_CONNECT] = {"reset-on-connect", VALUE_NONE, SIM_STAGE_CONNECT, BOTH},
    [SIM_FAULT_DROP_REQUEST_AFTER] = {"drop-request-after", VALUE_NUMBER, SIM_STAGE_READ,
                                      SIM_WIRE_TOOLS},
    [SIM_FAULT_DELAY] = {"delay", VALUE_NUMBER, SIM_STAGE_REQUEST, BOTH},
    [SIM_FAULT_DELAY_BEFORE] = {"delay-before", VALUE_NUMBER, SIM_STAGE_REQUEST, BOTH},
    [SIM_FAULT_CLOSE] = {"close", VALUE_NONE, SIM_STAGE_REQUEST, BOTH},
    [SIM_FAULT_CLOSE_BEFORE] = {"close-before", VALUE_NONE, SIM_STAGE_REQUEST, BOTH},
    [SIM_FAULT_NEVER_REPLY] = {"never-reply", VALUE_NONE, SIM_STAGE_REQUEST, BOTH},
    [SIM_FAULT_NEVER_REPLY_BEFORE] = {"never-reply-before", VALUE_NONE, SIM_STAGE_REQUEST, BOTH},
    [SIM_FAULT_DROP_AFTER] = {"drop-after", VALUE_NUMBER, SIM_STAGE_REQUEST, BOTH},
    [SIM_FAULT_GARBAGE] = {"garbage", VALUE_NONE, SIM_STAGE_REQUEST, BOTH},
    [SIM_FAULT_TRUNCATE] = {"truncate", VALUE_NONE, SIM_STAGE_REQUEST, BOTH},
    [SIM_FAULT_BUSY] = {"busy", VALUE_NONE, SIM_STAGE_REQUEST, BOTH},
    [SIM_FAULT_ERROR] = {"error", VALUE_TEXT, SIM_STAGE_REQUEST, BOTH},
    [SIM_FAULT_RPC_ERROR] = {"rpc-error", VALUE_TEXT, SIM_STAGE_REQUEST, SIM_WIRE_TOOLS},
    [SIM_FAULT_STATUS] = {"status", VALUE_NUMBER, SIM_STAGE_REQUEST, SIM_WIRE_REST},
    [SIM_FAULT_STATUS_AFTER] = {"status-after", VALUE_NUMBER, SIM_STAGE_REQUEST, SIM_WIRE_REST},
    [SIM_FAULT_RETRY_AFTER] = {"retry-after", VALUE_NUMBER, SIM_STAGE_REQUEST, SIM_WIRE_REST},
    [SIM_FAULT_REDIRECT] = {"redirect", VALUE_TEXT, SIM_STAGE_REQUEST, SIM_WIRE_REST},
    [SIM_FAULT_HUGE] = {"huge", VALUE_NUMBER, SIM_STAGE_REQUEST, SIM_WIRE_REST},
    [SIM_FAULT_SLOW] = {"slow", VALUE_NUMBER, SIM_STAGE_REQUEST, BOTH},
    [SIM_FAULT_SAY] = {"say", VALUE_TEXT, SIM_STAGE_REQUEST, BOTH},
    [SIM_FAULT_SAY_AFTER] = {"say-after", VALUE_TEXT, SIM_STAGE_REQUEST, BOTH},
    [SIM_FAULT_HEADER] = {"header", VALUE_NUMBER, SIM_STAGE_REQUEST, SIM_WIRE_REST},
    [SIM_FAULT_CUT_CONNECTION] = {"cut-connection", VALUE_NUMBER, SIM_STAGE_CONNECT, SIM_WIRE_REST},
    [SIM_FAULT_CUT_HEAD] = {"cut-head", VALUE_NUMBER, SIM_STAGE_REQUEST, SIM_WIRE_REST},
    [SIM_FAULT_ONE_REQUEST] = {"one-request", VALUE_NONE, SIM_STAGE_REQUEST, SIM_WIRE_TOOLS},
};

const char *sim_fault_name(enum sim_fault_kind kind)
{
    return kinds[kind].name;
}

struct sim_faults *sim_faults_new(void)
{
    struct sim_faults *faults = calloc(1, sizeof *faults);
    if (faults)
        pthread_mutex_init(&faults->lock, NULL);
    return faults;
}

void sim_faults_free(struct sim_faults *faults)
{
    if (!faults)
        return;
    pthread_mutex_destroy(&faults->lock);
    free(faults->list);
    free(faults);
}

static int parse_number(const char *text, uint64_t *out)
{
    if (!*text || strspn(text, "0123456789") != strlen(text))
        return -EINVAL;
    if (strlen(text) > 9)
        return -ERANGE;
    *out = strtoull(text, NULL, 10);
    return 0;
}

static int copy_text(char to[SIM_FAULT_TEXT_BYTES], const char *from)
{
    if (!*from)
        return -EINVAL;
    if (strlen(from) >= SIM_FAULT_TEXT_BYTES)
        return -ENAMETOOLONG;
    snprintf(to, SIM_FAULT_TEXT_BYTES, "%s", from);
    return 0;
}

/* NAME or NAME=VALUE, the first part of a spec. */
static int parse_kind(char *word, struct sim_fault *fault)
{
    char *value = strchr(word, '=');
    if (value)
        *value++ = '\0';
    for (size_t i = SIM_FAULT_NONE + 1; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, word) != 0)
            continue;
        uint64_t number = 0;
        fault->kind = (enum sim_fault_kind)i;
        if ((kinds[i].value != VALUE_NONE) != (value != NULL))
            return -EINVAL;
        int err = kinds[i].value == VALUE_NUMBER ? parse_number(value, &number) : 0;
        fault->number = (size_t)number;
        return kinds[i].value == VALUE_TEXT ? copy_text(fault->text, value) : err;
    }
    return -EINVAL;
}

/* The interface that the command is of; 0 if there is no such command. */
static unsigned wire_of(const char *command)
{
    if (sim_request_is_command(command))
        return SIM_WIRE_TOOLS;
    return sim_rest_is_op(command) ? SIM_WIRE_REST : 0;
}

static int parse_restriction(const char *word, struct sim_fault *fault)
{
    if (!strncmp(word, "command=", 8))
        return kinds[fault->kind].stage != SIM_STAGE_CONNECT &&
                       (kinds[fault->kind].wires & wire_of(word + 8))
                   ? copy_text(fault->command, word + 8)
                   : -EINVAL;
    if (!strncmp(word, "vm=", 3))
        return kinds[fault->kind].stage == SIM_STAGE_REQUEST &&
                       (kinds[fault->kind].wires & SIM_WIRE_REST)
                   ? copy_text(fault->vm, word + 3)
                   : -EINVAL;
    if (!strncmp(word, "count=", 6))
        return parse_number(word + 6, &fault->count);
    if (!strncmp(word, "skip=", 5))
        return parse_number(word + 5, &fault->skip);
    return -EINVAL;
}

static int parse(char *spec, struct sim_fault *out)
{
    char *rest = NULL;
    char *word = strtok_r(spec, ":", &rest);
    *out = (struct sim_fault){.count = UINT64_MAX};
    int err = word ? parse_kind(word, out) : -EINVAL;
    while (!err && (word = strtok_r(NULL, ":", &rest)))
        err = parse_restriction(word, out);
    return err;
}

/* Forgets faults that will not strike again. */
static void forget_spent(struct sim_faults *faults)
{
    size_t kept = 0;
    for (size_t i = 0; i < faults->count; i++) {
        if (faults->list[i].count)
            faults->list[kept++] = faults->list[i];
    }
    faults->count = kept;
}

int sim_faults_add(struct sim_faults *faults, const char *spec)
{
    struct sim_fault fault;
    char *copy DS_AUTO_FREE = strdup(spec);
    if (!copy)
        return -ENOMEM;
    int err = parse(copy, &fault);
    if (err)
        return err;
    DS_LOCK_SCOPE(&faults->lock);
    forget_spent(faults);
    struct sim_fault *list = reallocarray(faults->list, faults->count + 1, sizeof *list);
    if (!list)
        return -ENOMEM;
    faults->list = list;
    faults->list[faults->count++] = fault;
    return 0;
}

void sim_faults_clear(struct sim_faults *faults)
{
    DS_LOCK_SCOPE(&faults->lock);
    faults->count = 0;
}

static bool concerns(const struct sim_fault *fault, enum sim_wire wire, enum sim_fault_stage stage,
                     const char *command, const char *vm)
{
    if (fault->vm[0] && (!vm || strcmp(fault->vm, vm) != 0))
        return false;
    if (kinds[fault->kind].stage != stage || !(kinds[fault->kind].wires & wire))
        return false;
    if (fault->command[0])
        return command && !strcmp(fault->command, command);
    return stage != SIM_STAGE_READ || !command;
}

bool sim_faults_take(struct sim_faults *faults, enum sim_wire wire, enum sim_fault_stage stage,
                     const char *command, const char *vm, struct sim_fault *out)
{
    DS_LOCK_SCOPE(&faults->lock);
    for (size_t i = 0; i < faults->count; i++) {
        struct sim_fault *fault = &faults->list[i];
        if (!fault->count || !concerns(fault, wire, stage, command, vm))
            continue;
        if (fault->skip) {
            fault->skip--;
            continue;
        }
        if (fault->count != UINT64_MAX)
            fault->count--;
        faults->fired++;
        *out = *fault;
        return true;
    }
    return false;
}

uint64_t sim_faults_fired(struct sim_faults *faults)
{
    DS_LOCK_SCOPE(&faults->lock);
    return faults->fired;
}
