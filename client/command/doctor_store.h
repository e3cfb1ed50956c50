/* What a store lets this side do. */
#ifndef DS_DOCTOR_STORE_H
#define DS_DOCTOR_STORE_H

#include "../base/report.h"
#include "session.h"

/* Lists the DataSets of session->client and reads a key of each of the first ones that has any;
 * tells what it finds. */
void ds_doctor_store(struct ds_session *session, struct ds_report *report);

/* Sets, appends to, reads and removes a key of its own, with a random name, in the DataSet that the
 * command line's `word` means. It is removed also if anything fails or a signal comes. */
void ds_doctor_write(struct ds_session *session, const char *word, struct ds_report *report);

#endif
