/* Lines for the control that are carried out behind a request, before its answer leaves. */
#ifndef SIM_SCHEDULE_H
#define SIM_SCHEDULE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define SIM_SCHEDULE_LINE_BYTES 256

struct sim_schedule {
    pthread_mutex_t lock;
    struct sim_due {
        char *command;
        unsigned long left; /* so many requests of the command are still to come */
        char *line;
    } * list; /* under the lock; owned, with the texts */
    size_t count;
};

void sim_schedule_init(struct sim_schedule *schedule);
void sim_schedule_clear(struct sim_schedule *schedule);

/* Adds "COMMAND N LINE": LINE is due behind the Nth request of COMMAND from now on. 0; -EINVAL;
 * -ENOMEM. */
int sim_schedule_add(struct sim_schedule *schedule, const char *spec);

/* Counts a request of the command. True if a line is due, which `line` then is: to be asked again
 * with `counted` until none is. */
bool sim_schedule_take(struct sim_schedule *schedule, const char *command, bool counted,
                       char line[SIM_SCHEDULE_LINE_BYTES]);

#endif
