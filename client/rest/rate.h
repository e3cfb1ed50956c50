/* So many requests a second, and no more. Pure: the caller tells the time. */
#ifndef DS_REST_RATE_H
#define DS_REST_RATE_H

#include <stdint.h>

/* After a pause `burst` of them may leave at once. */
struct ds_rate {
    unsigned per_second; /* 0: any number */
    unsigned burst;      /* at least 1 */
    int64_t full_us;     /* when the burst is whole again; 0 at the start */
};

/* Microseconds from `now_us` on until one more may leave; 0: now. */
int64_t ds_rate_wait_us(const struct ds_rate *rate, int64_t now_us);

/* One has left. */
void ds_rate_take(struct ds_rate *rate, int64_t now_us);

#endif
