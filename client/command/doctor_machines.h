/* What an inventory lets this side see: its machines, and the DataSets of some. */
#ifndef DS_DOCTOR_MACHINES_H
#define DS_DOCTOR_MACHINES_H

#include "../base/report.h"
#include "session.h"

/* Lists the machines of session->inventory, and the DataSets of a few of them, and tells what it
 * finds. */
void ds_doctor_machines(struct ds_session *session, struct ds_report *report);

#endif
