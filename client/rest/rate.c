/* The bound of requests a second. */
#include "rate.h"

enum { SECOND_US = 1000000 };

int64_t ds_rate_wait_us(const struct ds_rate *rate, int64_t now_us)
{
    if (!rate->per_second)
        return 0;
    /* Of the burst as many are used as the time until it is whole again stands for. */
    int64_t used_us = rate->full_us - now_us;
    int64_t room_us = (int64_t)(rate->burst - 1) * SECOND_US / rate->per_second;
    return used_us > room_us ? used_us - room_us : 0;
}

void ds_rate_take(struct ds_rate *rate, int64_t now_us)
{
    if (!rate->per_second)
        return;
    if (rate->full_us < now_us)
        rate->full_us = now_us;
    /* Rounded up: no more than that leave in a second. */
    rate->full_us += (SECOND_US + rate->per_second - 1) / rate->per_second;
}
