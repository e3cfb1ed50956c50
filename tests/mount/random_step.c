#include "random_step.h"

#include "errno_name.h"

#include <errno.h>
#include <stdio.h>

static int rows_of(const struct random_call *calls)
{
    int count = 0;
    while (calls[count].name)
        count++;
    return count;
}

static const struct random_call *row(int number)
{
    int data = rows_of(random_data_calls);
    return number < data ? &random_data_calls[number] : &random_name_calls[number - data];
}

const char *random_call_name(int number)
{
    return row(number)->name;
}

static int choose(struct random_caller *caller)
{
    int rows = rows_of(random_data_calls) + rows_of(random_name_calls);
    unsigned sum = 0;
    for (int i = 0; i < rows; i++)
        sum += row(i)->weight;
    unsigned rolled = random_roll(caller, sum);
    int chosen = 0;
    while (rolled >= row(chosen)->weight)
        rolled -= row(chosen++)->weight;
    return chosen;
}

int random_step(struct random_caller *caller, struct random_tally *tally, atomic_int *doing)
{
    int chosen = choose(caller);
    atomic_store(doing, chosen);
    errno = 0;
    long result = row(chosen)->make(caller);
    int error = errno;
    atomic_fetch_add(&tally->made[chosen], 1);
    if (result == -1)
        atomic_fetch_add(&tally->failed[chosen][error < RANDOM_ERRNOS ? error : 0], 1);
    return result == -1 && error == ENOTCONN ? -ENOTCONN : 0;
}

unsigned long random_succeeded(struct random_tally *tally)
{
    unsigned long count = 0;
    for (int i = 0; i < RANDOM_CALLS_MAX; i++) {
        count += atomic_load(&tally->made[i]);
        for (int j = 0; j < RANDOM_ERRNOS; j++)
            count -= atomic_load(&tally->failed[i][j]);
    }
    return count;
}

void random_print(struct random_tally *tally)
{
    int rows = rows_of(random_data_calls) + rows_of(random_name_calls);
    for (int i = 0; i < rows; i++) {
        printf("%-18s %8lu:", row(i)->name, atomic_load(&tally->made[i]));
        for (int j = 0; j < RANDOM_ERRNOS; j++) {
            unsigned long count = atomic_load(&tally->failed[i][j]);
            if (count > 0)
                printf(" %s %lu", ds_errno_name(j), count);
        }
        printf("\n");
    }
}
