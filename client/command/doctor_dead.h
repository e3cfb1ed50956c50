/* Mounts of a SOURCE, and whether somebody serves them. */
#ifndef DS_DOCTOR_DEAD_H
#define DS_DOCTOR_DEAD_H

#include "../base/report.h"

/* Looks at each mount of `source` in this mount namespace; tells which are dead or silent. */
void ds_doctor_dead(const char *source, struct ds_report *report);

#endif
