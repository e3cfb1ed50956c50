/* The daemon's clock of the day, which jumps. */
#ifndef FAULTS_CLOCK_H
#define FAULTS_CLOCK_H

#include "kind_of_trouble.h"

extern const struct trouble clock_ahead;
extern const struct trouble clock_back;

/* What is started between these two calls has a clock that can jump. */
void clock_preload(void);
void clock_preload_end(void);

#endif
