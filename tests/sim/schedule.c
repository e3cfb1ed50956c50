#include "schedule.h"

#include "cleanup.h"
#include "rest_route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_schedule_init(struct sim_schedule *schedule)
{
    *schedule = (struct sim_schedule){0};
    pthread_mutex_init(&schedule->lock, NULL);
}

static void forget(struct sim_schedule *schedule, size_t at)
{
    free(schedule->list[at].command);
    free(schedule->list[at].line);
    schedule->count--;
    memmove(&schedule->list[at], &schedule->list[at + 1],
            (schedule->count - at) * sizeof *schedule->list);
}

void sim_schedule_clear(struct sim_schedule *schedule)
{
    while (schedule->count)
        forget(schedule, schedule->count - 1);
    free(schedule->list);
    pthread_mutex_destroy(&schedule->lock);
}

int sim_schedule_add(struct sim_schedule *schedule, const char *spec)
{
    size_t command = strcspn(spec, " ");
    char *end = NULL;
    struct sim_due due = {.command = strndup(spec, command),
                          .left = spec[command] ? strtoul(spec + command + 1, &end, 10) : 0};
    int err = due.left && *end == ' ' && strlen(end + 1) < SIM_SCHEDULE_LINE_BYTES ? 0 : -EINVAL;
    if (!err && !sim_rest_is_op(due.command))
        err = -EINVAL;
    DS_LOCK_SCOPE(&schedule->lock);
    struct sim_due *list =
        err ? NULL : reallocarray(schedule->list, schedule->count + 1, sizeof *list);
    due.line = list ? strdup(end + 1) : NULL;
    if (list)
        schedule->list = list;
    if (!err && !due.line)
        err = -ENOMEM;
    if (err)
        free(due.command);
    else
        schedule->list[schedule->count++] = due;
    return err;
}

bool sim_schedule_take(struct sim_schedule *schedule, const char *command, bool counted,
                       char line[SIM_SCHEDULE_LINE_BYTES])
{
    DS_LOCK_SCOPE(&schedule->lock);
    for (size_t i = 0; i < schedule->count && !counted; i++)
        schedule->list[i].left -= !strcmp(schedule->list[i].command, command);
    for (size_t i = 0; i < schedule->count; i++) {
        if (schedule->list[i].left)
            continue;
        snprintf(line, SIM_SCHEDULE_LINE_BYTES, "%s", schedule->list[i].line);
        forget(schedule, i);
        return true;
    }
    return false;
}
