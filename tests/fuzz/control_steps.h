/* What somebody does in .datasetfs of a kernel's mount (kernel.h), and to its DataSet e. */
#ifndef CONTROL_STEPS_H
#define CONTROL_STEPS_H

#include "memory_store.h"
#include "steps.h"

/* i: writes the text into info/e; v: sets and gets the extended attribute of that number; c: reads
 * the file of that name; k: makes e, or removes it; l: lists the directory of that number.
 * `shaken`: a change of the store has failed before, so that what is believed of e may be wrong for
 * a while.
 */
void control_step(struct memory_store *store, bool shaken, const struct step *step);

#endif
