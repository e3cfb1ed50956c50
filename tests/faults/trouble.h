/* Trouble that is made here, not in the simulator. */
#ifndef FAULTS_TROUBLE_H
#define FAULTS_TROUBLE_H

#include "kind_of_trouble.h"

extern const struct trouble trouble_refused;        /* nobody listens */
extern const struct trouble trouble_reset;          /* who connects is cut off */
extern const struct trouble trouble_store_stopped;  /* the simulator is stopped */
extern const struct trouble trouble_daemon_stopped; /* the daemon is, until the caller waits */
extern const struct trouble trouble_session;        /* all sessions have ended */
extern const struct trouble trouble_locked;         /* the store file is, by another process */
extern const struct trouble trouble_full;           /* the disk of the store file is */
extern const struct trouble trouble_read_only;      /* the DataSets are, for either side */
extern const struct trouble trouble_descriptors;    /* the daemon gets no new one */
extern const struct trouble trouble_daemon_signals; /* 1,000 in a second */
extern const struct trouble trouble_caller_signals; /* the same, for who calls */

#endif
