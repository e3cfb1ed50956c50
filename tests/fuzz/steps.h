/* Inputs that are lists of steps, which a person can read and write: on each line a letter, perhaps
 * a number, and perhaps a blank and text. */
#ifndef STEPS_H
#define STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Numbers are cut there: more than any value has bytes. */
#define STEP_NUMBER_MAX (2u * 1024 * 1024)

struct steps {
    const char *at, *end;
};

struct step {
    char what;
    size_t number;    /* 0: there is none */
    const char *text; /* without a zero behind it */
    size_t len;
};

static inline struct steps steps_of(const uint8_t *data, size_t size)
{
    return (struct steps){.at = (const char *)data, .end = (const char *)data + size};
}

/* The next one that is not empty. False: there is none. */
static inline bool next_step(struct steps *steps, struct step *step)
{
    while (steps->at < steps->end && *steps->at == '\n')
        steps->at++;
    if (steps->at == steps->end)
        return false;
    const char *end = memchr(steps->at, '\n', (size_t)(steps->end - steps->at));
    end = end ? end : steps->end;
    *step = (struct step){.what = *steps->at++};
    for (; steps->at < end && *steps->at >= '0' && *steps->at <= '9'; steps->at++) {
        step->number = step->number * 10 + (size_t)(*steps->at - '0');
        if (step->number > STEP_NUMBER_MAX)
            step->number = STEP_NUMBER_MAX;
    }
    if (steps->at < end && *steps->at == ' ')
        steps->at++;
    step->text = steps->at;
    step->len = (size_t)(end - steps->at);
    steps->at = end;
    return true;
}

#endif
